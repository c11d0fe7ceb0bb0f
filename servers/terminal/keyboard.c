/*
 * /chan/keyboard: the key strokes of the console, for programs beside the one that reads the terminal. What is sent to that channel registers a channel for them: a packet with the handle
 * of a sender, or whose bytes are the name of a published channel. From then on each piece of input is sent there too, as one packet of bytes, as it
 * came from the keyboard; what has no room is lost, and who has gone is forgotten. Who may register is what the name's permissions say.
 *
 * Registrations end with this server; /chan/keyboard then gives EOWNERDEAD to those who have it open, and is published again by the successor.
 */
#include <string.h>
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/calls.h"
#include "carillon/channel.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "terminal.h"

#define NAME "keyboard"
#define LISTENERS 16u
#define REGISTRATIONS 16u /* that wait */
#define NAME_MOST 255u

static handle_t files = HANDLE_NONE; /* the root of the file server */
static struct chan registrations;
static handle_t listeners[LISTENERS];
static unsigned listener_count;

/* Who sends a name: the channel's sender, or HANDLE_NONE. */
static handle_t name_connect(const char *name)
{
	struct chan chan;
	if (chan_connect(files, name, 0, 0, &chan))
		return HANDLE_NONE;
	handle_close(chan.receiver);
	return chan.sender;
}

static void registration_ready(void *context, uint32_t ready)
{
	char name[NAME_MOST + 1];
	struct message message = { .receive_address = (uintptr_t)name, .receive_size = NAME_MOST };
	(void)context, (void)ready;
	int64_t error = channel_receive(registrations.receiver, &message, CHANNEL_NON_BLOCKING, 0);
	if (error == -EMSGSIZE) { /* it is no name, and must not stay */
		static char waste[MESSAGE_RANGE_MAX];
		message = (struct message){ .receive_address = (uintptr_t)waste, .receive_size = sizeof waste };
		error = channel_receive(registrations.receiver, &message, CHANNEL_NON_BLOCKING, 0);
		message.receive_size = 0;
	}
	if (error)
		return;
	name[message.receive_size] = '\0';
	handle_t sender = message.handle_count ? message.handle[0] : message.receive_size && strlen(name) == message.receive_size ? name_connect(name) : HANDLE_NONE;
	for (unsigned i = 1; i < message.handle_count; i++)
		handle_close(message.handle[i]);
	if (sender != HANDLE_NONE && listener_count < LISTENERS)
		listeners[listener_count++] = sender;
	else if (sender != HANDLE_NONE)
		handle_close(sender);
}

void keyboard_keys(const uint8_t *bytes, size_t count)
{
	struct message message = { .send_address = (uintptr_t)bytes, .send_size = count };
	for (unsigned i = 0; i < listener_count;) {
		int64_t error = channel_send(listeners[i], &message, CHANNEL_NON_BLOCKING, 0);
		if (!error || error == -EAGAIN || error == -ENOMEM) {
			i++;
			continue;
		}
		handle_close(listeners[i]);
		listeners[i] = listeners[--listener_count];
	}
}

void keyboard_start(handle_t file_server)
{
	files = file_server;
	int error = chan_publish(files, NAME, 0, 0, REGISTRATIONS, &registrations);
	if (error == -EEXIST) { /* a predecessor's, whose death has not been seen yet */
		(void)chan_withdraw(files, NAME);
		error = chan_publish(files, NAME, 0, 0, REGISTRATIONS, &registrations);
	}
	if (!error)
		error = server_add_source(registrations.receiver, READY_IN, registration_ready, NULL);
	if (error < 0)
		server_log("no /chan/" NAME ": error %d", -error);
}
