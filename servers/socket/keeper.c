/* Sockets for a successor of this server; keeper.h has the rules. */
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "keeper.h"

enum { KEPT_LISTENING = 1, KEPT_ABSTRACT = 2 };
enum { WORD_ID, WORD_TYPE, WORD_FLAGS, WORD_BACKLOG, WORD_SHUT, WORD_HANDLES, WORDS };
#define LIVE_MAX (BOOT_KEEPER_ROOM / 4 * 3) /* with more sockets, writing anew would gain too little */
#define HANDLES 3 /* entry, event, room; WORD_HANDLES has a bit for each that there is */

static handle_t sender = HANDLE_NONE, receiver = HANDLE_NONE;
static unsigned packets; /* in the channel */

static bool send(struct message *message)
{
	if (channel_send(sender, message, CHANNEL_NON_BLOCKING, 0) < 0)
		return false;
	packets++;
	return true;
}

static bool send_socket(const struct socket *socket)
{
	const handle_t handles[HANDLES] = { socket->entry, socket->event, socket->room };
	struct message message = {
		.word = { socket_id(socket), socket->type, (socket->listening ? KEPT_LISTENING : 0) | (socket->abstract ? KEPT_ABSTRACT : 0), socket->backlog,
			socket->shut },
		.send_address = (uintptr_t)&socket->label, .send_size = sizeof socket->label,
	};
	for (unsigned i = 0; i < HANDLES; i++) {
		if (handles[i] == HANDLE_NONE)
			continue;
		message.word[WORD_HANDLES] |= 1u << i;
		message.handle[message.handle_count++] = handles[i];
	}
	return send(&message);
}

/* The next packet; false: there is none. */
static bool take(struct message *message, struct socket_label *label)
{
	*message = (struct message){ .receive_address = (uintptr_t)label, .receive_size = sizeof *label };
	if (channel_receive(receiver, message, CHANNEL_NON_BLOCKING, 0) < 0)
		return false;
	packets -= packets > 0; /* a predecessor's were not counted */
	return true;
}

static void drop_handles(const struct message *message)
{
	for (uint32_t i = 0; i < message->handle_count; i++)
		handle_close(message->handle[i]);
}

static bool send_all(void)
{
	const struct socket *socket = socket_next(NULL);
	while (socket && send_socket(socket))
		socket = socket_next(socket);
	return !socket;
}

/* Replaces all packets by one for each socket: if there is room for those, nothing is missing at any time, should we die. */
void keeper_begin_again(void)
{
	struct message message;
	struct socket_label label;
	unsigned old = packets;
	bool sent = send_all();
	while ((!sent || old-- > 0) && take(&message, &label))
		drop_handles(&message);
	if (!sent)
		(void)send_all();
}

void keeper_keep(const struct socket *socket)
{
	if (!send_socket(socket) && socket_count() <= LIVE_MAX)
		keeper_begin_again(); /* it is full, mostly of what is no longer true */
}

void keeper_forget(const struct socket *socket)
{
	struct message message = { .word = { socket_id(socket) } };
	(void)send(&message); /* where there is no room, what is begun again will not have it */
}

/* -- bringing back */

static void replace(handle_t *place, handle_t handle)
{
	if (*place != HANDLE_NONE)
		handle_close(*place);
	*place = handle;
}

static void restore(const struct message *message, const struct socket_label *label)
{
	struct socket *socket = message->word[WORD_TYPE] ? socket_restore(message->word[WORD_ID], (uint32_t)message->word[WORD_TYPE]) : NULL;
	if (!socket) {
		struct socket *gone = socket_find(message->word[WORD_ID]);
		drop_handles(message);
		if (gone)
			socket_destroy(gone);
		return;
	}
	handle_t *const places[HANDLES] = { &socket->entry, &socket->event, &socket->room };
	for (unsigned i = 0, next = 0; i < HANDLES && next < message->handle_count; i++)
		if (message->word[WORD_HANDLES] & 1u << i)
			replace(places[i], message->handle[next++]);
	bool published = socket->abstract;
	socket->label = *label;
	socket->listening = message->word[WORD_FLAGS] & KEPT_LISTENING;
	socket->backlog = (uint32_t)message->word[WORD_BACKLOG];
	socket->shut = (uint32_t)message->word[WORD_SHUT];
	if (message->word[WORD_FLAGS] & KEPT_ABSTRACT && !published)
		socket_publish(socket);
}

void keeper_start(handle_t sender_end, handle_t receiver_end)
{
	struct message message;
	struct socket_label label;
	sender = sender_end;
	receiver = receiver_end;
	while (take(&message, &label))
		restore(&message, &label);
	(void)send_all();
}
