/* Connections: connect, listen, accept, shutdown. */
#include "abi/message.h"
#include "linux/socket/socket.h"

#define HOW_MAX 2

/* -- connect */

static int64_t connect_datagram(struct linux_thread *t, int fd, const struct socket_address *address)
{
	struct socket_label label;
	int64_t port = address_find(t, address);
	if (port < 0)
		return port;
	struct message message = { .word = { SOCKET_TARGET, LINUX_SOCK_DGRAM }, .receive_address = (uintptr_t)&label, .receive_size = sizeof label };
	int64_t result = server_port_call(t, (handle_t)port, &message, 0);
	handle_close((handle_t)port);
	if (result < 0)
		return result;
	struct link_parts parts = { message.handle[0], HANDLE_NONE, HANDLE_NONE, HANDLE_NONE, 0, 0 };
	result = link_attach(fd, &parts);
	if (result < 0)
		handle_close(message.handle[0]);
	return result < 0 ? result : link_set_label(fd, LINK_LABEL_PEER, &label, sizeof label);
}

/* Waits for room in the listener's queue. -EAGAIN: not before the deadline; -EINTR. */
static int64_t room_wait(struct linux_thread *t, handle_t event, uint64_t deadline)
{
	struct poll_item item = { .handle = event, .events = (int16_t)READY_OUT };
	int64_t result;
	do
		result = description_poll(&item, 1, deadline, 0);
	while (wait_again(t, result));
	handle_close(event);
	return result < 0 ? result : result == 0 ? -EAGAIN : 0;
}

/* The call to the listener's server, waiting for room as the socket's flags and its SO_SNDTIMEO say. */
static int64_t connect_call(struct linux_thread *t, handle_t fd, handle_t port, bool non_blocking, struct message *message)
{
	const struct message request = *message;
	struct link_state state;
	int64_t result = link_get(fd, &state);
	if (result < 0)
		return result;
	uint64_t timeout = non_blocking ? 0 : state.write_timeout, deadline = timeout ? deadline_relative(t, timeout) : 0;
	do {
		*message = request;
		message->word[2] = non_blocking ? SOCKET_WAIT_NOT : timeout ? SOCKET_WAIT_EVENT : SOCKET_WAIT;
		result = server_port_call(t, port, message, CALL_INTERRUPTIBLE);
		if (result != 1)
			return result;
		result = message->handle_count ? room_wait(t, message->handle[0], deadline) : -ECONNREFUSED;
	} while (result == 0);
	return result;
}

/* Offers a pair of channels to the listener behind port; this side's ends come back in *own. */
static int64_t connect_offer(struct linux_thread *t, handle_t fd, handle_t port, uint32_t type, struct link_parts *own, struct socket_label *label)
{
	struct channel_ends out, in;
	struct socket_label mine;
	struct description_info info;
	uint32_t mode = type == LINUX_SOCK_STREAM ? CHANNEL_SEGMENTS : CHANNEL_MESSAGES;
	int64_t result = description_get(fd, &info);
	if (result >= 0)
		result = label_get(fd, LINK_LABEL_OWN, &mine);
	if (result >= 0)
		result = channel_create(mode, 0, &out);
	if (result < 0)
		return result;
	result = channel_create(mode, 0, &in);
	if (result < 0) {
		handle_close(out.sender);
		handle_close(out.receiver);
		return result;
	}
	struct message message = { .word = { SOCKET_CONNECT, type },
		.send_address = (uintptr_t)&mine, .send_size = sizeof mine, .receive_address = (uintptr_t)label, .receive_size = sizeof *label,
		.handle = { in.sender, out.receiver }, .handle_count = 2 };
	result = connect_call(t, fd, port, info.flags & DESCRIPTION_NON_BLOCKING, &message);
	handle_close(in.sender);
	handle_close(out.receiver);
	if (result < 0) {
		handle_close(out.sender);
		handle_close(in.receiver);
	}
	*own = (struct link_parts){ out.sender, in.receiver, HANDLE_NONE, HANDLE_NONE, 0, 0 };
	return result;
}

/* Gives the link the label of a peer that is not known yet, so that the one to come needs no memory: then it would be too late to fail. */
static int64_t peer_reserve(handle_t socket)
{
	static const struct socket_label nobody;
	return link_set_label(socket, LINK_LABEL_PEER, &nobody, sizeof nobody);
}

/* Connects socket, which is pinned: the offer may wait. */
static int64_t connect_to(struct linux_thread *t, handle_t socket, handle_t port, uint32_t type)
{
	struct link_parts own;
	struct socket_label label;
	int64_t result = peer_reserve(socket);
	if (result >= 0)
		result = connect_offer(t, socket, port, type, &own, &label);
	if (result < 0)
		return result == -EEXIST ? -EISCONN : result;
	result = link_set_label(socket, LINK_LABEL_PEER, &label, sizeof label);
	if (result >= 0)
		result = link_attach(socket, &own);
	if (result < 0) { /* another thread was faster */
		handle_close(own.sender);
		handle_close(own.receiver);
	}
	return result == -EEXIST ? -EISCONN : result;
}

int64_t linux_connect(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	struct link_state state;
	struct socket_address address;
	uint16_t family;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if (type == LINUX_SOCK_DGRAM && (int)argument[2] >= (int)sizeof family) {
		if (user_read(t, &family, argument[1], sizeof family))
			return -EFAULT;
		if (family == LINUX_AF_UNSPEC)
			return link_attach(fd, &(struct link_parts){ HANDLE_NONE, HANDLE_NONE, HANDLE_NONE, HANDLE_NONE, LINK_DETACH, 0 });
	}
	int64_t result = address_read(t, argument[1], argument[2], false, &address);
	if (result >= 0 && state.word[0] & SOCKET_PASS_CREDENTIALS)
		result = address_any(t, fd, (uint32_t)type);
	if (result < 0)
		return result;
	if (type == LINUX_SOCK_DGRAM)
		return connect_datagram(t, fd, &address);
	int64_t port = address_find(t, &address);
	if (port < 0)
		return port;
	if (state.parts & (LINK_HAS_SENDER | LINK_HAS_EVENT)) {
		handle_close((handle_t)port);
		return state.parts & LINK_HAS_SENDER ? -EISCONN : -EINVAL;
	}
	int64_t socket = descriptor_pin(fd);
	result = socket < 0 ? socket : connect_to(t, (handle_t)socket, (handle_t)port, (uint32_t)type);
	if (socket >= 0)
		handle_close((handle_t)socket);
	handle_close((handle_t)port);
	return result;
}

/* -- listen and accept */

int64_t linux_listen(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	struct link_state state;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if (type == LINUX_SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!(state.parts & LINK_HAS_LABEL) || state.parts & LINK_HAS_SENDER)
		return -EINVAL;
	struct message message = { .word = { SOCKET_LISTEN, (uint32_t)argument[1] } };
	int64_t result = server_control_call(t, fd, &message);
	if (result < 0)
		return result;
	result = link_attach(fd, &(struct link_parts){ HANDLE_NONE, HANDLE_NONE, HANDLE_NONE, message.handle[0], 0, 0 });
	if (result < 0)
		handle_close(message.handle[0]);
	return result == -EEXIST ? 0 : result;
}

/* Waits until somebody waits to be accepted, as long as SO_RCVTIMEO says: then -EAGAIN. */
static int64_t accept_wait(struct linux_thread *t, int fd, uint64_t deadline)
{
	struct poll_item item = { .handle = fd, .events = (int16_t)READY_IN };
	int64_t result;
	do
		result = description_poll(&item, 1, deadline, 0);
	while (wait_again(t, result));
	return result < 0 ? result : result == 0 ? -EAGAIN : 0;
}

/* A socket like listener's but not connected, with all that needs memory. */
static int64_t accept_prepare(int listener, uint32_t type, uint32_t flags)
{
	struct socket_label own;
	struct link_state state;
	int64_t socket = socket_create(type, HANDLE_NONE, HANDLE_NONE, flags);
	if (socket < 0)
		return socket;
	int64_t result = peer_reserve((handle_t)socket);
	if (result >= 0)
		result = label_get(listener, LINK_LABEL_OWN, &own);
	if (result >= 0 && own.length)
		result = link_set_label((handle_t)socket, LINK_LABEL_OWN, &own, sizeof own);
	if (result >= 0)
		result = link_get(listener, &state);
	if (result >= 0) /* as on Linux, what was asked of the listener holds for those it accepts */
		result = link_set((handle_t)socket, SOCKET_WORD_FLAGS, UINT64_MAX, state.word[0]);
	if (result < 0)
		handle_close((handle_t)socket);
	return result < 0 ? result : socket;
}

/* Gives the socket the ends that the server handed over, and puts it at the number `target`, which is taken. */
static int64_t accept_finish(struct linux_thread *t, handle_t socket, int64_t target, uint32_t flags, const struct message *message,
	const struct socket_label *peer, const uint64_t argument[6])
{
	struct link_parts parts = { message->handle[0], message->handle[1], HANDLE_NONE, HANDLE_NONE, 0, 0 };
	int64_t result = link_set_label(socket, LINK_LABEL_PEER, peer, sizeof *peer);
	if (result >= 0)
		result = link_attach(socket, &parts);
	if (result < 0) {
		handle_close(parts.sender);
		handle_close(parts.receiver);
	}
	if (result >= 0 && argument[1])
		result = address_write(t, peer, argument[1], argument[2]);
	if (result >= 0)
		result = handle_replace(socket, (uint32_t)target, flags & LINUX_SOCK_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
	return result < 0 ? result : target;
}

/* One try: a new descriptor, -EAGAIN if nobody waits, or an error. listener may be pinned. socket: as accept_prepare made it. */
static int64_t accept_try(struct linux_thread *t, int listener, handle_t socket, uint32_t flags, const uint64_t argument[6])
{
	struct socket_label peer;
	struct message message = { .word = { SOCKET_ACCEPT }, .receive_address = (uintptr_t)&peer, .receive_size = sizeof peer };
	int64_t target = handle_duplicate(listener, 0, 0, 0); /* a number for it: without one nobody is accepted */
	if (target < 0)
		return target;
	int64_t result = server_control_call(t, listener, &message);
	if (result >= 0)
		result = accept_finish(t, socket, target, flags, &message, &peer, argument);
	if (result < 0)
		handle_close((handle_t)target);
	return result;
}

/* The tries, with waits between them. */
static int64_t accept_on(struct linux_thread *t, int fd, handle_t socket, uint64_t timeout, bool non_blocking, uint32_t flags, const uint64_t argument[6])
{
	uint64_t deadline = timeout ? deadline_relative(t, timeout) : DEADLINE_NEVER;
	int64_t result = accept_try(t, fd, socket, flags, argument);
	if (result != -EAGAIN || non_blocking)
		return result;
	int64_t listener = descriptor_pin(fd);
	if (listener < 0)
		return listener;
	while (result == -EAGAIN) {
		result = accept_wait(t, (int)listener, deadline);
		if (result < 0)
			break;
		result = accept_try(t, (int)listener, socket, flags, argument);
	}
	handle_close((handle_t)listener);
	return result;
}

static int64_t accept_flags(struct linux_thread *t, const uint64_t argument[6], uint32_t flags)
{
	int fd = (int)argument[0];
	struct link_state state;
	struct description_info info;
	if (flags & ~(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK))
		return -EINVAL;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if (type == LINUX_SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (!(state.parts & LINK_HAS_EVENT))
		return -EINVAL;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	int64_t socket = accept_prepare(fd, (uint32_t)type, flags);
	if (socket < 0)
		return socket;
	result = accept_on(t, fd, (handle_t)socket, state.read_timeout, info.flags & DESCRIPTION_NON_BLOCKING, flags, argument);
	handle_close((handle_t)socket);
	return result;
}

int64_t linux_accept(struct linux_thread *t, const uint64_t argument[6])
{
	return accept_flags(t, argument, 0);
}

int64_t linux_accept4(struct linux_thread *t, const uint64_t argument[6])
{
	return accept_flags(t, argument, (uint32_t)argument[3]);
}

int64_t linux_shutdown(struct linux_thread *t, const uint64_t argument[6])
{
	int how = (int)argument[1];
	struct link_state state;
	int64_t type = socket_state((int)argument[0], &state);
	if (type < 0)
		return type;
	if (how < 0 || how > HOW_MAX)
		return -EINVAL;
	if (state.parts & LINK_HAS_EVENT) { /* it listens: whoever waits in accept goes on */
		struct message message = { .word = { SOCKET_SHUT, (uint32_t)how + 1 } };
		return server_control_call(t, (int)argument[0], &message);
	}
	return link_shutdown((int)argument[0], (uint32_t)how + 1);
}
