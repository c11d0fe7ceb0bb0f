/* socket and socketpair, and what all calls on sockets begin with. */
#include "abi/message.h"
#include "linux/socket/socket.h"

int64_t socket_type(int fd)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -ENOTSOCK : result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	return info.kind == DESCRIPTION_LINK ? (int64_t)FILE_COOKIE_SOCKET(info.cookie) : -ENOTSOCK;
}

int64_t socket_state(int fd, struct link_state *state)
{
	int64_t type = socket_type(fd);
	int64_t result = type < 0 ? type : link_get(fd, state);
	return result < 0 ? result : type;
}

int64_t socket_create(uint32_t type, handle_t sender, handle_t receiver, uint32_t flags)
{
	struct description_request request = {
		.kind = DESCRIPTION_LINK,
		.flags = (flags & LINUX_SOCK_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0) |
			(type == LINUX_SOCK_STREAM ? LINK_STREAM : type == LINUX_SOCK_DGRAM ? LINK_DATAGRAMS : LINK_MESSAGES),
		.memobj = HANDLE_NONE, .sender = sender, .receiver = receiver, .control = HANDLE_NONE, .event = HANDLE_NONE,
		.rights = RIGHT_READ | RIGHT_WRITE, .cookie = SOCKET_COOKIE(type),
	};
	return description_create(&request);
}

/* The arguments that socket and socketpair share. The type, or Linux's error. */
static int64_t arguments_check(const uint64_t argument[6], uint32_t *flags)
{
	int family = (int)argument[0], protocol = (int)argument[2];
	uint32_t type = (uint32_t)argument[1] & LINUX_SOCK_TYPES;
	*flags = (uint32_t)argument[1] & ~LINUX_SOCK_TYPES;
	if (*flags & ~(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK))
		return -EINVAL;
	if (family < 0 || family >= LINUX_AF_MAX)
		return -EAFNOSUPPORT;
	if (type >= LINUX_SOCK_MAX)
		return -EINVAL;
	if (family != (int)LINUX_AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != (int)LINUX_AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == LINUX_SOCK_RAW)
		type = LINUX_SOCK_DGRAM; /* as Linux has it */
	if (type != LINUX_SOCK_STREAM && type != LINUX_SOCK_DGRAM && type != LINUX_SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	return type;
}

int64_t linux_socket(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t flags;
	int64_t type = arguments_check(argument, &flags);
	(void)t;
	if (type < 0)
		return type;
	int64_t socket = socket_create((uint32_t)type, HANDLE_NONE, HANDLE_NONE, flags);
	return socket < 0 ? socket : descriptor_install((handle_t)socket, 0, flags & LINUX_SOCK_CLOEXEC);
}

/* -- pairs */

/* Two connected sockets. 0 or an error. */
static int64_t pair_connect(uint32_t type, uint32_t flags, handle_t socket[2])
{
	uint32_t mode = type == LINUX_SOCK_STREAM ? CHANNEL_SEGMENTS : CHANNEL_MESSAGES;
	struct channel_ends ends[2] = { { HANDLE_NONE, HANDLE_NONE }, { HANDLE_NONE, HANDLE_NONE } };
	int64_t result = 0;
	for (int i = 0; i < 2 && result >= 0 && type != LINUX_SOCK_DGRAM; i++)
		result = channel_create(mode, 0, &ends[i]);
	for (int i = 0; i < 2 && result >= 0; i++) {
		result = socket_create(type, ends[i].sender, ends[1 - i].receiver, flags);
		if (result >= 0) {
			socket[i] = (handle_t)result;
			ends[i].sender = ends[1 - i].receiver = HANDLE_NONE;
		}
	}
	for (int i = 0; i < 2 && result >= 0 && type == LINUX_SOCK_DGRAM; i++) {
		int64_t entry = link_entry(socket[1 - i]);
		result = entry < 0 ? entry : link_attach(socket[i], &(struct link_parts){ (handle_t)entry, HANDLE_NONE, HANDLE_NONE, HANDLE_NONE, 0, 0 });
		if (entry >= 0 && result < 0)
			handle_close((handle_t)entry);
	}
	for (int i = 0; i < 2; i++) {
		if (ends[i].sender != HANDLE_NONE)
			handle_close(ends[i].sender);
		if (ends[i].receiver != HANDLE_NONE)
			handle_close(ends[i].receiver);
	}
	return result;
}

int64_t linux_socketpair(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t flags;
	handle_t socket[2] = { HANDLE_NONE, HANDLE_NONE };
	struct socket_label label = { .pid = t->process->pid };
	int64_t type = arguments_check(argument, &flags);
	if (type < 0)
		return type;
	int64_t result = pair_connect((uint32_t)type, flags, socket);
	for (int i = 0; i < 2 && result >= 0; i++)
		result = link_set_label(socket[i], LINK_LABEL_PEER, &label, sizeof label);
	for (int i = 0; i < 2 && result >= 0; i++) {
		result = descriptor_install(socket[i], 0, flags & LINUX_SOCK_CLOEXEC);
		socket[i] = result < 0 ? HANDLE_NONE : (handle_t)result;
	}
	if (result >= 0)
		result = user_write(t, argument[3], socket, sizeof socket);
	if (result >= 0)
		return 0;
	for (int i = 0; i < 2; i++)
		if (socket[i] != HANDLE_NONE)
			handle_close(socket[i]);
	return result;
}
