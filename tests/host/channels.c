/* What channels lack when descriptions and links are not linked. */
#include "kernel/ipc/flight.h"
#include "kernel/obj/description.h"

unsigned description_channels(struct object *object, struct channel *channels[2])
{
	(void)object, (void)channels;
	return 0;
}

bool flight_possible(const struct object *object)
{
	return (void)object, false;
}
bool flight_suspect(const struct object *object, unsigned dropped)
{
	(void)object;
	(void)dropped;
	return false;
}

void flights_begin(const struct carried_handle *handles, unsigned count)
{
	(void)handles, (void)count;
}
void flights_end(const struct carried_handle *handles, unsigned count)
{
	(void)handles, (void)count;
}
void flights_collect(void)
{
}
