/*
 * The device's ports: it adds them and names them by messages on its control queues; the names tell what each is for.
 * Source: VIRTIO 1.1, section 5.3. A port that has no role here is left closed, so the host sends nothing to it.
 *
 *   driver: DEVICE_READY; device: DEVICE_ADD(port); driver: PORT_READY(port); device: PORT_NAME(port, name), PORT_OPEN(port, 1)
 *   driver, for a known name: buffers offered, PORT_OPEN(port, 1)
 */
#include <string.h>
#include "carillon/runtime.h"
#include "drivers/console/console.h"

enum { DEVICE_READY, DEVICE_ADD, DEVICE_REMOVE, PORT_READY, CONSOLE_PORT, RESIZE, PORT_OPEN, PORT_NAME };

struct port_message {
	uint32_t port;
	uint16_t event, value;
};

#define NAME_PREFIX "org.carillon."
static const char *const role_name[ROLES] = { "input", "output", "error", "control" };

struct virtio_queue *port_receive_queue(int port)
{
	return &console.queue[port == 0 ? 0 : 2 * port + 2];
}

struct virtio_queue *port_send_queue(int port)
{
	return &console.queue[port == 0 ? 1 : 2 * port + 3];
}

#define MESSAGE_RECEIVE (&console.queue[2])
#define MESSAGE_SEND (&console.queue[3])

static void message_send(uint32_t port, uint16_t event, uint16_t value)
{
	uint32_t length;
	while (queue_take(MESSAGE_SEND, &length) >= 0)
		;
	int slot = buffers_free_slot(MESSAGE_SEND, &console.message_send);
	if (slot < 0)
		device_failed("it does not take control messages");
	struct port_message message = { port, event, value };
	memcpy(buffer_at(&console.message_send, (unsigned)slot), &message, sizeof message);
	virtio_offer(MESSAGE_SEND, (unsigned)slot, buffer_physical(&console.message_send, (unsigned)slot), sizeof message, false);
	virtio_notify(MESSAGE_SEND);
}

void port_begin(void)
{
	buffers_offer(MESSAGE_RECEIVE, &console.message_receive);
	message_send(0, DEVICE_READY, 1);
}

static void port_named(uint32_t port, const char *name, size_t length)
{
	size_t prefix = strlen(NAME_PREFIX);
	while (length > 0 && name[length - 1] == '\0')
		length--;
	if (length < prefix || memcmp(name, NAME_PREFIX, prefix) != 0)
		return;
	for (unsigned role = 0; role < ROLES; role++) {
		if (strlen(role_name[role]) != length - prefix || memcmp(name + prefix, role_name[role], length - prefix) != 0)
			continue;
		int *known = role == ROLE_CONTROL ? &console.control_port : &console.flow[role].port;
		if (*known != PORT_NONE || port_receive_queue((int)port)->size == 0 || port_send_queue((int)port)->size == 0)
			return; /* named twice, or a port without queues */
		server_log_verbose("port %u is %s", port, role_name[role]);
		if (role == ROLE_CONTROL)
			control_open((int)port);
		else
			flow_open(role, (int)port);
		message_send(port, PORT_OPEN, 1);
	}
}

static void message_handle(const uint8_t *bytes, uint32_t length)
{
	struct port_message message;
	if (length < sizeof message)
		return;
	memcpy(&message, bytes, sizeof message);
	if (message.port >= console.ports)
		return;
	if (message.event == DEVICE_ADD)
		message_send(message.port, PORT_READY, 1);
	else if (message.event == PORT_NAME)
		port_named(message.port, (const char *)bytes + sizeof message, length - sizeof message);
}

void port_messages(void)
{
	uint32_t length;
	int slot;
	bool any = false;
	while ((slot = queue_take(MESSAGE_RECEIVE, &length)) >= 0) {
		/* a copy, because the device may go on writing */
		uint8_t copy[256];
		memcpy(copy, buffer_at(&console.message_receive, (unsigned)slot), length);
		virtio_offer(MESSAGE_RECEIVE, (unsigned)slot, buffer_physical(&console.message_receive, (unsigned)slot), console.message_receive.size, true);
		any = true;
		message_handle(copy, length);
	}
	if (any)
		virtio_notify(MESSAGE_RECEIVE);
}
