/* One function an operation of the socket protocol. A call is set aside only to wait for room in a listening queue. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "abi/link.h"
#include "carillon/calls.h"
#include "carillon/process_protocol.h"
#include "keeper.h"
#include "request.h"
#include "socket.h"

#define TYPE_OF(word) ((unsigned)((word) >> 60))
#define ID_OF(word) ((word) & ((1ul << 60) - 1))
enum { PORT_ORDINARY, PORT_CONTROL, PORT_ADDRESS };
#define WORD(type, id) ((uint64_t)(type) << 60 | (id))
#define BACKLOG_MAX 4096u
#define FAMILY_LOCAL 1u

handle_t socket_listener;

/* The label in a request; pid is the caller's. */
static bool label_read(const struct server_request *request, struct socket_label *label)
{
	if (request->size != sizeof *label)
		return false;
	memcpy(label, request->data, sizeof *label);
	label->pid = PROCESS_BADGE_PID(request->badge);
	return label->length <= SOCKET_ADDRESS_MAX;
}

static void reply_label(struct server_request *request, const struct socket_label *label)
{
	memcpy(request->reply_buffer, label, sizeof *label);
	server_reply_bytes(request, request->reply_buffer, sizeof *label);
}

static int64_t reply_port(struct server_request *request, unsigned type, const struct socket *socket)
{
	int64_t port = client_create(socket_listener, WORD(type, socket_id(socket)));
	if (port < 0)
		return port;
	server_reply_handle(request, (handle_t)port, true);
	return 0;
}

/* -- the ordinary port */

static int64_t do_new(struct server_request *request, struct socket *none)
{
	(void)none;
	uint32_t type = (uint32_t)request->word[1];
	if (type != SOCKET_TYPE_STREAM && type != SOCKET_TYPE_DATAGRAM && type != SOCKET_TYPE_PACKET)
		return -EINVAL;
	if (type == SOCKET_TYPE_DATAGRAM && request->handle_count < 1)
		return -EINVAL;
	struct socket *socket = socket_create(type);
	if (!socket)
		return -ENOMEM;
	int64_t error = reply_port(request, PORT_CONTROL, socket);
	if (error < 0) {
		socket_destroy(socket);
		return error;
	}
	if (type == SOCKET_TYPE_DATAGRAM)
		socket->entry = server_take_handle(request, 0);
	keeper_keep(socket);
	return 0;
}

static int64_t do_find(struct server_request *request, struct socket *none)
{
	(void)none;
	struct socket *socket = request->size <= SOCKET_ADDRESS_MAX ? socket_by_name(request->data, request->size) : NULL;
	return socket ? reply_port(request, PORT_ADDRESS, socket) : -ECONNREFUSED;
}

static int64_t do_sync(struct server_request *request, struct socket *none)
{
	(void)request, (void)none;
	keeper_begin_again();
	return 0;
}

/* -- control */

static int64_t do_address(struct server_request *request, struct socket *socket)
{
	return reply_port(request, PORT_ADDRESS, socket);
}

static int64_t do_name(struct server_request *request, struct socket *socket)
{
	struct socket_label label;
	if (socket->abstract || !label_read(request, &label))
		return -EINVAL;
	socket->label = label;
	keeper_keep(socket);
	return 0;
}

/* A free name as Linux makes them: NUL and five hexadecimal digits. */
static bool name_any(struct socket_label *label)
{
	static uint32_t next;
	static const char digits[] = "0123456789abcdef";
	label->address[0] = FAMILY_LOCAL;
	label->address[1] = label->address[2] = 0;
	label->length = 8;
	for (uint32_t tries = 0; tries < 0x100000; tries++) {
		next = (next + 1) & 0xfffff;
		for (int i = 0; i < 5; i++)
			label->address[3 + i] = (uint8_t)digits[next >> (16 - 4 * i) & 15];
		if (!socket_by_name(label->address, label->length))
			return true;
	}
	return false;
}

static int64_t do_bind(struct server_request *request, struct socket *socket)
{
	struct socket_label label;
	if (!label_read(request, &label) || label.length < 2)
		return -EINVAL;
	if (socket->label.length && socket->label.length == label.length && !memcmp(socket->label.address, label.address, label.length)) {
		reply_label(request, &socket->label); /* asked again, because this server died before it could answer */
		return 0;
	}
	if (socket->label.length)
		return -EINVAL;
	if (label.length == 2) {
		if (!name_any(&label))
			return -ENOSPC;
	} else if (socket_by_name(label.address, label.length)) {
		return -EADDRINUSE;
	}
	socket->label = label;
	socket_publish(socket);
	keeper_keep(socket);
	reply_label(request, &label);
	return 0;
}

static int64_t do_listen(struct server_request *request, struct socket *socket)
{
	if (socket->type == SOCKET_TYPE_DATAGRAM || !socket->label.length)
		return -EINVAL;
	if (socket->event == HANDLE_NONE) {
		int64_t event = event_create(0, EVENT_MASK);
		if (event < 0)
			return event;
		socket->event = (handle_t)event;
	}
	uint32_t backlog = (uint32_t)request->word[1];
	socket->backlog = backlog < BACKLOG_MAX ? backlog : BACKLOG_MAX;
	socket->listening = true;
	socket->label.pid = PROCESS_BADGE_PID(request->badge);
	keeper_keep(socket);
	server_reply_handle(request, socket->event, false);
	return 0;
}

static void tell_readiness(struct socket *socket)
{
	uint32_t ready = socket->queue.first ? READY_IN : 0;
	if (socket->shut & LINK_SHUT_READ)
		ready |= READY_IN | READY_READ_HANGUP;
	if (socket->shut == (LINK_SHUT_READ | LINK_SHUT_WRITE))
		ready |= READY_HANGUP;
	event_update(socket->event, ~0u, ready);
	/* whoever waits for room tries again also when nobody can connect any more */
	bool room = socket->queue.count <= socket->backlog || socket->shut & LINK_SHUT_READ;
	if (socket->room != HANDLE_NONE)
		event_update(socket->room, ~0u, room ? READY_OUT : 0);
}

/* The queue is full: an event that tells of room. */
static int64_t reply_room(struct server_request *request, struct socket *socket)
{
	if (socket->room == HANDLE_NONE) {
		int64_t event = event_create(0, EVENT_MASK);
		if (event < 0)
			return event;
		socket->room = (handle_t)event;
		keeper_keep(socket);
	}
	server_reply_handle(request, socket->room, false);
	return 1;
}

void socket_restored(struct socket *socket)
{
	if (socket->event != HANDLE_NONE)
		tell_readiness(socket);
}

/* There is room: the first one set aside that is still there goes into the queue. */
static void queue_advance(struct socket *socket)
{
	struct waiting *waiting;
	while (socket->queue.count <= socket->backlog && (waiting = waiting_take(&socket->late))) {
		if (server_answer(waiting->reply, 0, NULL, &socket->label, sizeof socket->label) == 0)
			waiting_add(&socket->queue, waiting);
		else
			waiting_free(waiting);
	}
	tell_readiness(socket);
}

static int64_t do_accept(struct server_request *request, struct socket *socket)
{
	if (!socket->listening)
		return -EINVAL;
	struct waiting *waiting = waiting_take(&socket->queue);
	if (!waiting)
		return socket->shut & LINK_SHUT_READ ? -EINVAL : -EAGAIN;
	server_reply_handle(request, waiting->sender, true);
	server_reply_handle(request, waiting->receiver, true);
	reply_label(request, &waiting->label);
	free(waiting);
	queue_advance(socket);
	return 0;
}

static void refuse_late(struct socket *socket)
{
	struct waiting *waiting;
	while ((waiting = waiting_take(&socket->late))) {
		server_answer(waiting->reply, -ECONNREFUSED, NULL, NULL, 0);
		waiting_free(waiting);
	}
}

static int64_t do_shut(struct server_request *request, struct socket *socket)
{
	if (!socket->listening)
		return -EINVAL;
	socket->shut |= (uint32_t)request->word[1] & (LINK_SHUT_READ | LINK_SHUT_WRITE);
	keeper_keep(socket);
	if (socket->shut & LINK_SHUT_READ)
		refuse_late(socket);
	tell_readiness(socket);
	return 0;
}

/* -- address; the socket may be gone */

static int64_t do_connect(struct server_request *request, struct socket *socket)
{
	if (request->handle_count < 2)
		return -EINVAL;
	if (!socket)
		return -ECONNREFUSED;
	if (socket->type != request->word[1])
		return -EPROTOTYPE;
	if (!socket->listening || socket->shut & LINK_SHUT_READ)
		return -ECONNREFUSED;
	bool full = socket->queue.count > socket->backlog;
	if (full && request->word[2] != SOCKET_WAIT)
		return request->word[2] == SOCKET_WAIT_EVENT ? reply_room(request, socket) : -EAGAIN;
	struct waiting *waiting = calloc(1, sizeof *waiting);
	if (!waiting || !label_read(request, &waiting->label)) {
		int64_t error = waiting ? -EINVAL : -ENOMEM;
		free(waiting);
		return error;
	}
	waiting->sender = server_take_handle(request, 0);
	waiting->receiver = server_take_handle(request, 1);
	if (full) {
		waiting->reply = server_defer(request);
		waiting_add(&socket->late, waiting);
		return SERVER_DEFERRED;
	}
	waiting_add(&socket->queue, waiting);
	tell_readiness(socket);
	reply_label(request, &socket->label);
	return 0;
}

static int64_t do_target(struct server_request *request, struct socket *socket)
{
	if (!socket)
		return -ECONNREFUSED;
	if (socket->type != SOCKET_TYPE_DATAGRAM || request->word[1] != SOCKET_TYPE_DATAGRAM)
		return -EPROTOTYPE;
	server_reply_handle(request, socket->entry, false);
	reply_label(request, &socket->label);
	return 0;
}

/* -- */

static const struct {
	unsigned port;
	int64_t (*function)(struct server_request *request, struct socket *socket);
} operations[] = {
	[SOCKET_NEW] = { PORT_ORDINARY, do_new }, [SOCKET_FIND] = { PORT_ORDINARY, do_find }, [SOCKET_SYNC] = { PORT_ORDINARY, do_sync },
	[SOCKET_ADDRESS] = { PORT_CONTROL, do_address }, [SOCKET_NAME] = { PORT_CONTROL, do_name }, [SOCKET_BIND] = { PORT_CONTROL, do_bind },
	[SOCKET_LISTEN] = { PORT_CONTROL, do_listen }, [SOCKET_ACCEPT] = { PORT_CONTROL, do_accept }, [SOCKET_SHUT] = { PORT_CONTROL, do_shut },
	[SOCKET_CONNECT] = { PORT_ADDRESS, do_connect }, [SOCKET_TARGET] = { PORT_ADDRESS, do_target },
};

int64_t socket_request(void *context, struct server_request *request)
{
	(void)context;
	uint64_t operation = request->word[0];
	unsigned port = TYPE_OF(request->port_data);
	if (operation >= sizeof operations / sizeof *operations || !operations[operation].function || operations[operation].port != port)
		return -EINVAL;
	struct socket *socket = port == PORT_ORDINARY ? NULL : socket_find(ID_OF(request->port_data));
	if (port == PORT_CONTROL && !socket)
		return -EBADF;
	return operations[operation].function(request, socket);
}

void socket_closed(void *context, uint64_t port_data)
{
	(void)context;
	struct socket *socket = TYPE_OF(port_data) == PORT_CONTROL ? socket_find(ID_OF(port_data)) : NULL;
	struct waiting *waiting;
	if (!socket)
		return;
	keeper_forget(socket); /* the notice comes once: a successor must not believe in it */
	refuse_late(socket);
	if (socket->room != HANDLE_NONE)
		event_update(socket->room, ~0u, READY_OUT);
	while ((waiting = waiting_take(&socket->queue)))
		waiting_free(waiting);
	socket_destroy(socket);
}

void socket_interrupted(void *context, uint32_t reply)
{
	(void)context;
	for (struct socket *socket = socket_next(NULL); socket; socket = socket_next(socket)) {
		struct waiting *waiting = waiting_take_reply(&socket->late, reply);
		if (!waiting)
			continue;
		server_answer(reply, -EINTR, NULL, NULL, 0);
		waiting_free(waiting);
		return;
	}
}
