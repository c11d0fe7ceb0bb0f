/*
 * Sending and receiving: send, recv and their relatives without control messages, and what those with them share (message.c). The bytes go
 * between the program's memory and the kernel's queues in one native call.
 */
#include "linux/socket/message.h"

int64_t link_failure(struct linux_thread *t, int fd, int64_t error, bool sending, uint32_t flags)
{
	switch (error) {
	case -EINVAL:
	case -EBADF: {
		int64_t type = socket_type(fd);
		return type < 0 ? type : error;
	}
	case -EACCES:
		return -EBADF;
	case -ELOOP:
		return -ETOOMANYREFS;
	case -EPIPE:
		if (sending && !(flags & LINUX_MSG_NOSIGNAL) && socket_type(fd) == LINUX_SOCK_STREAM)
			signal_raise(t, LINUX_SIGPIPE, LINUX_SI_USER);
		return error;
	default:
		return error;
	}
}

/* The sender end that an explicit address means, HANDLE_NONE for connected sockets, which ignore or refuse it. */
static int64_t target_find(struct linux_thread *t, int fd, const struct socket_address *address)
{
	struct link_state state;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if (type == LINUX_SOCK_STREAM)
		return state.parts & LINK_HAS_SENDER ? -EISCONN : -EOPNOTSUPP;
	if (type == LINUX_SOCK_SEQPACKET)
		return HANDLE_NONE;
	int64_t port = address_find(t, address);
	if (port < 0)
		return port;
	struct message message = { .word = { SOCKET_TARGET, LINUX_SOCK_DGRAM } };
	int64_t result = server_port_call(t, (handle_t)port, &message, 0);
	handle_close((handle_t)port);
	return result < 0 ? result : message.handle[0];
}

int64_t socket_send(struct linux_thread *t, int fd, struct link_message *message, uint32_t flags, const struct socket_address *address)
{
	int64_t result;
	if (!descriptor_valid(fd))
		return -EBADF;
	message->target = HANDLE_NONE;
	if (address) {
		result = target_find(t, fd, address);
		if (result < 0 && result != HANDLE_NONE)
			return result;
		message->target = (handle_t)result;
	}
	do
		result = link_send(fd, message, (flags & LINUX_MSG_DONTWAIT ? LINK_NON_BLOCKING : 0) | (flags & LINUX_MSG_OOB ? LINK_URGENT : 0));
	while (wait_again(t, result));
	if (message->target != HANDLE_NONE)
		handle_close(message->target);
	return result < 0 ? link_failure(t, fd, result, true, flags) : result;
}

int64_t socket_receive(struct linux_thread *t, int fd, struct link_message *message, uint32_t flags, uint32_t options)
{
	const struct link_message request = *message;
	int64_t result;
	if (!descriptor_valid(fd))
		return -EBADF;
	options |= (flags & LINUX_MSG_DONTWAIT ? LINK_NON_BLOCKING : 0) | (flags & LINUX_MSG_PEEK ? LINK_PEEK : 0) |
		(flags & LINUX_MSG_WAITALL ? LINK_WAIT_ALL : 0) | (flags & LINUX_MSG_OOB ? LINK_URGENT : 0) | (flags & LINUX_MSG_CMSG_CLOEXEC ? LINK_CLOSE_ON_EXEC : 0);
	while (result = link_receive(fd, message, options), wait_again(t, result))
		*message = request;
	return result < 0 ? link_failure(t, fd, result, false, flags) : result;
}

int64_t linux_sendto(struct linux_thread *t, const uint64_t argument[6])
{
	struct io_vector piece = { argument[1], MINIMUM(argument[2], LINUX_TRANSFER_MAX) };
	struct link_message message = { .vector = (uintptr_t)&piece, .count = 1 };
	struct socket_address address;
	int64_t result = 0;
	if (!user_range(argument[1], piece.length))
		result = -EFAULT;
	if (result == 0 && argument[4])
		result = address_read(t, argument[4], argument[5], false, &address);
	if (result < 0) {
		int64_t type = socket_type((int)argument[0]);
		return type < 0 ? type : result;
	}
	return socket_send(t, (int)argument[0], &message, (uint32_t)argument[3], argument[4] ? &address : NULL);
}

int64_t linux_recvfrom(struct linux_thread *t, const uint64_t argument[6])
{
	struct io_vector piece = { argument[1], MINIMUM(argument[2], LINUX_TRANSFER_MAX) };
	struct socket_label label;
	struct link_message message = { .vector = (uintptr_t)&piece, .count = 1, .label = (uintptr_t)&label, .label_size = argument[4] ? sizeof label : 0 };
	uint32_t flags = (uint32_t)argument[3];
	if (!user_range(argument[1], piece.length)) {
		int64_t type = socket_type((int)argument[0]);
		return type < 0 ? type : -EFAULT;
	}
	int64_t result = socket_receive(t, (int)argument[0], &message, flags, 0);
	if (result < 0)
		return result;
	if (flags & LINUX_MSG_TRUNC && message.flags & LINK_CUT)
		result = (int64_t)message.length;
	int64_t error = argument[4] ? name_write(t, &message, &label, argument[4], argument[5]) : 0;
	return error < 0 ? error : result;
}

int64_t name_write(struct linux_thread *t, const struct link_message *message, const struct socket_label *label, uint64_t address,
	uint64_t length_address)
{
	static const int32_t none = 0;
	int32_t room;
	if (message->label_size)
		return address_write(t, label, address, length_address);
	if (user_read(t, &room, length_address, sizeof room))
		return -EFAULT;
	return room < 0 ? -EINVAL : user_write(t, length_address, &none, sizeof none);
}
