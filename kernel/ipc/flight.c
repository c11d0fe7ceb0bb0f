/* Sockets in flight and their collection: see flight.h. */
#include "kernel/ipc/flight.h"
#include "kernel/core/log.h"
#include "kernel/obj/link.h"

static struct list flying = { &flying, &flying };
static unsigned flying_count;
static bool collecting, again;
static unsigned deaths;         /* of links since the last look */
/* all of these: channel_nesting_lock */

#define LOOKED_THROUGH 64u      /* links in flight that each death of a link pays for */

void flight_init(struct flight *flight, struct description *description)
{
	list_init(&flight->link);
	flight->description = description;
}

static struct flight *flight_of(const struct object *object)
{
	if (object->operations->kind != KIND_DESCRIPTION)
		return NULL;
	struct description *description = container_of(object, struct description, object);
	return description->kind == DESCRIPTION_LINK ? &description->link->flight : NULL;
}

bool flight_possible(const struct object *object)
{
	return flight_of(object);
}

bool flight_suspect(const struct object *object, unsigned dropped)
{
	struct flight *flight = flight_of(object);
	if (!flight || !__atomic_load_n(&flight->count, __ATOMIC_RELAXED))
		return false;
	spin_lock(&channel_nesting_lock);
	bool suspect = flight->count && __atomic_load_n(&object->references, __ATOMIC_RELAXED) <= flight->count + dropped;
	spin_unlock(&channel_nesting_lock);
	return suspect;
}

bool flights_due(void)
{
	if (!__atomic_load_n(&flying_count, __ATOMIC_RELAXED))
		return false;
	spin_lock(&channel_nesting_lock);
	bool due = ++deaths > flying_count / LOOKED_THROUGH;
	spin_unlock(&channel_nesting_lock);
	return due;
}

void flights_begin(const struct carried_handle *handles, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flight *flight = flight_of(handles[i].object);
		if (flight && !flight->count++) {
			list_add_last(&flying, &flight->link);
			flying_count++;
		}
	}
}

void flights_end(const struct carried_handle *handles, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flight *flight = flight_of(handles[i].object);
		if (flight && !--flight->count) {
			list_remove(&flight->link);
			flying_count--;
		}
	}
}

/* --- the collection; channel_nesting_lock held --- */

static struct channel *queue_of(const struct flight *flight)
{
	struct channel_end *receiver = __atomic_load_n(&flight->description->receiver, __ATOMIC_ACQUIRE);
	return receiver ? receiver->channel : NULL;
}

static bool is_candidate(const struct flight *flight)
{
	struct channel *queue = queue_of(flight);
	return __atomic_load_n(&flight->description->object.references, __ATOMIC_ACQUIRE) == flight->count && queue &&
		__atomic_load_n(&queue->receiver.object.references, __ATOMIC_ACQUIRE) == 1;
}

static void count_inside(const struct carried_handle *handles, unsigned count, void *context)
{
	(void)context;
	for (unsigned i = 0; i < count; i++) {
		struct flight *flight = flight_of(handles[i].object);
		if (flight)
			flight->inside++;
	}
}

/* Marks what is not yet marked and puts it on the list at *context, to be looked through. */
static void hold(const struct carried_handle *handles, unsigned count, void *context)
{
	struct flight **list = context;
	for (unsigned i = 0; i < count; i++) {
		struct flight *flight = flight_of(handles[i].object);
		if (!flight || !flight->candidate || flight->held)
			continue;
		flight->held = true;
		flight->next = *list;
		*list = flight;
	}
}

/* The garbage, as a list with a reference to each description. */
static struct flight *garbage_find(void)
{
	struct flight *flight, *found = NULL, *todo = NULL;
	list_for_each(flight, &flying, link) {
		flight->inside = 0;
		flight->held = false;
		flight->candidate = is_candidate(flight);
	}
	list_for_each(flight, &flying, link)
		if (flight->candidate)
			channel_visit_handles(queue_of(flight), count_inside, NULL);
	list_for_each(flight, &flying, link) {
		if (!flight->candidate || flight->inside == flight->count)
			continue;
		assert(flight->inside < flight->count);
		flight->held = true;
		flight->next = todo;
		todo = flight;
	}
	while ((flight = todo)) {
		todo = flight->next;
		channel_visit_handles(queue_of(flight), hold, &todo);
	}
	list_for_each(flight, &flying, link) {
		if (!flight->candidate || flight->held)
			continue;
		object_ref(&flight->description->object);
		flight->next = found;
		found = flight;
	}
	return found;
}

/* Empties the queues of all before any of them can go. */
static void garbage_drop(struct flight *garbage)
{
	for (struct flight *flight = garbage; flight; flight = flight->next)
		channel_drop_segments(queue_of(flight));
	while (garbage) {
		struct flight *flight = garbage;
		garbage = flight->next;
		object_unref(&flight->description->object);
	}
}

void flights_collect(void)
{
	spin_lock(&channel_nesting_lock);
	if (collecting) {
		again = true;
		spin_unlock(&channel_nesting_lock);
		return;
	}
	collecting = true;
	deaths = 0;
	do {
		again = false;
		struct flight *garbage = garbage_find();
		spin_unlock(&channel_nesting_lock);
		garbage_drop(garbage);
		spin_lock(&channel_nesting_lock);
	} while (again);
	collecting = false;
	spin_unlock(&channel_nesting_lock);
}
