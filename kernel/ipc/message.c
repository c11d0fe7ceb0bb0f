/*
 * Handles that travel in messages, for ports and packet channels: taken from the sender's table with references, put into the
 * receiver's, all or none.
 */
#include "kernel/ipc/port.h"
#include "kernel/obj/process.h"

/* Where the message says received handles are numbered from. */
static uint32_t handles_minimum(const struct message *message)
{
	if (!message->handle_minimum)
		return HANDLE_HIGH;
	return message->handle_minimum & ~MESSAGE_HANDLES_LOW;
}

int message_take_handles(const struct message *message, struct carried_handle *carried)
{
	if (message->handle_count > MESSAGE_HANDLES)
		return -EINVAL;
	for (unsigned i = 0; i < message->handle_count; i++) {
		uint32_t needed = RIGHT_TRANSFER | (message->move & 1u << i ? 0 : RIGHT_DUPLICATE);
		int error = handle_lookup_rights(message->handle[i], KIND_NONE, needed, &carried[i].object, &carried[i].rights);
		if (error) {
			message_drop_handles(carried, i);
			return error;
		}
		carried[i].number = message->handle[i];
	}
	return 0;
}

void message_drop_handles(struct carried_handle *carried, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		object_unref(carried[i].object);
		carried[i].object = NULL;
	}
}

void message_close_moved(const struct message *message, const struct carried_handle *carried)
{
	for (unsigned i = 0; i < message->handle_count; i++)
		if (message->move & 1u << i && carried[i].number >= 0)
			(void)handle_table_close(&process_current()->handles, (uint32_t)carried[i].number, carried[i].object);
}

int message_install_handles(struct message *message, const struct carried_handle *carried, unsigned count)
{
	if (!count) {
		for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
			message->handle[i] = HANDLE_NONE;
		message->handle_count = 0;
		return 0;
	}
	uint32_t minimum = handles_minimum(message);
	for (unsigned i = 0; i < count; i++) {
		object_ref(carried[i].object);
		int64_t number = handle_install_new(carried[i].object, carried[i].rights, 0, minimum);
		if (number < 0) {
			while (i-- > 0)
				(void)handle_table_close(&process_current()->handles, (uint32_t)message->handle[i], carried[i].object);
			return (int)number;
		}
		message->handle[i] = (int32_t)number;
	}
	for (unsigned i = count; i < MESSAGE_HANDLES; i++)
		message->handle[i] = HANDLE_NONE;
	message->handle_count = count;
	return 0;
}
