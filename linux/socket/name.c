/*
 * Names: addresses in and out, bind, getsockname, getpeername. A path is bound by making a socket's node that keeps an address port of this
 * socket, so that whoever can walk to the node can connect; abstract names are the socket server's.
 */
#include "abi/message.h"
#include "linux/fs/name.h"
#include "linux/socket/socket.h"

#define PATH_OFFSET 2u

static bool is_abstract(const struct socket_address *address) { return address->length > PATH_OFFSET && !address->bytes[PATH_OFFSET]; }

int64_t address_read(struct linux_thread *t, uint64_t address, uint64_t user_length, bool unnamed, struct socket_address *result)
{
	int length = (int)user_length;
	uint8_t bytes[128];
	uint16_t family;
	if (length < 0 || length > (int)sizeof bytes)
		return -EINVAL;
	if (length && user_read(t, bytes, address, (size_t)length))
		return -EFAULT;
	if (length < (int)PATH_OFFSET || length > (int)PATH_OFFSET + SOCKET_PATH_MAX)
		return -EINVAL;
	memcpy(&family, bytes, sizeof family);
	if (family != LINUX_AF_UNIX || (length == (int)PATH_OFFSET && !unnamed))
		return -EINVAL;
	*result = (struct socket_address){ .length = (uint32_t)length };
	memcpy(result->bytes, bytes, (size_t)length);
	if (length > (int)PATH_OFFSET && bytes[PATH_OFFSET]) {
		size_t path = strnlen((const char *)bytes + PATH_OFFSET, (size_t)length - PATH_OFFSET);
		result->bytes[PATH_OFFSET + path] = 0;
		result->length = (uint32_t)(PATH_OFFSET + path + 1);
	}
	return 0;
}

int64_t address_write(struct linux_thread *t, const struct socket_label *label, uint64_t address, uint64_t length_address)
{
	static const uint8_t unnamed[2] = { LINUX_AF_UNIX, 0 };
	int32_t room, length = label->length ? (int32_t)label->length : (int32_t)sizeof unnamed;
	if (user_read(t, &room, length_address, sizeof room))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (room && user_write(t, address, label->length ? label->address : unnamed, (size_t)MINIMUM(room, length)))
		return -EFAULT;
	return user_write(t, length_address, &length, sizeof length);
}

int64_t label_get(int fd, uint32_t which, struct socket_label *label)
{
	*label = (struct socket_label){ .length = 0 };
	int64_t result = link_get_label(fd, which, label, sizeof *label);
	return result < 0 ? result : 0;
}

/* -- the socket server */

/*
 * A server that dies fails the calls it had and starts again on the same ports, knowing what it knew but those who waited to be accepted
 * (servers/socket/keeper.h). So every call can be made once more; one that fails as often as this has no server any more.
 */
#define SERVER_TRIES 8

int64_t server_port_call(struct linux_thread *t, handle_t port, struct message *message, uint32_t options)
{
	const struct message request = *message;
	int64_t result = -EPIPE;
	if (port == HANDLE_NONE)
		return -ECONNREFUSED;
	for (int tries = 0; result == -EPIPE && tries < SERVER_TRIES; tries++) {
		*message = request;
		while (result = port_call(port, message, options), wait_again(t, result))
			*message = request;
	}
	if (result == -EPIPE)
		return -ECONNREFUSED; /* no server */
	return result < 0 ? result : (int64_t)message->word[0];
}

int64_t server_control_call(struct linux_thread *t, int fd, struct message *message)
{
	const struct message request = *message;
	int64_t result = -EPIPE;
	(void)t;
	for (int tries = 0; result == -EPIPE && tries < SERVER_TRIES; tries++) {
		*message = request;
		result = description_call(fd, message, 0);
	}
	if (result == -EPIPE || result == -ENOTCONN)
		return -EINVAL;
	return result < 0 ? result : (int64_t)message->word[0];
}

int64_t socket_register(struct linux_thread *t, int fd, uint32_t type, const struct link_state *state)
{
	struct message message = { .word = { SOCKET_NEW, type } };
	int64_t entry = HANDLE_NONE;
	if (state->parts & LINK_HAS_CONTROL)
		return 0;
	if (type == LINUX_SOCK_DGRAM) {
		entry = link_entry(fd);
		if (entry < 0)
			return entry;
		message.handle[0] = (handle_t)entry;
		message.handle_count = 1;
	}
	int64_t result = server_port_call(t, t->process->record->socket_port, &message, 0);
	if (entry != HANDLE_NONE)
		handle_close((handle_t)entry);
	if (result < 0)
		return result;
	result = link_attach(fd, &(struct link_parts){ HANDLE_NONE, HANDLE_NONE, message.handle[0], HANDLE_NONE, 0, 0 });
	if (result == -EEXIST) { /* another thread was faster */
		handle_close(message.handle[0]);
		result = 0;
	}
	return result;
}

/* -- finding */

int64_t address_find(struct linux_thread *t, const struct socket_address *address)
{
	int64_t result;
	struct message message = { .word = { SOCKET_FIND } };
	if (is_abstract(address)) {
		message.send_address = (uintptr_t)address->bytes;
		message.send_size = address->length;
		result = server_port_call(t, t->process->record->socket_port, &message, 0);
	} else {
		struct ns_walk walk;
		message.word[0] = FILE_SOCKET;
		result = name_begin_text(t, &walk, LINUX_AT_FDCWD, (const char *)address->bytes + PATH_OFFSET, false, false);
		if (result >= 0)
			result = name_call(t, &walk, &message);
		ns_walk_end(&walk);
		if (result == -ENOSYS || result == -EINVAL) /* servers that keep no sockets */
			result = -ECONNREFUSED;
	}
	if (result < 0)
		return result;
	return message.handle_count ? message.handle[0] : -ECONNREFUSED;
}

/* -- bind */

static int64_t bind_abstract(struct linux_thread *t, int fd, struct socket_label *label)
{
	struct message message = { .word = { SOCKET_BIND }, .send_address = (uintptr_t)label, .send_size = sizeof *label,
		.receive_address = (uintptr_t)label, .receive_size = sizeof *label };
	int64_t result = server_control_call(t, fd, &message);
	return result < 0 ? result : link_set_label(fd, LINK_LABEL_OWN, label, sizeof *label);
}

/* Calls the server of the directory in which the path's last part is. */
static int64_t path_call(struct linux_thread *t, const struct socket_label *label, struct message *message)
{
	struct ns_walk walk;
	int64_t result = name_begin_text(t, &walk, LINUX_AT_FDCWD, (const char *)label->address + PATH_OFFSET, false, false);
	if (result >= 0)
		result = name_call(t, &walk, message);
	ns_walk_end(&walk);
	return result;
}

static int64_t bind_path(struct linux_thread *t, int fd, struct socket_label *label)
{
	struct message message = { .word = { SOCKET_ADDRESS } };
	uint32_t umask = __atomic_load_n(&t->process->umask, __ATOMIC_RELAXED);
	int64_t result = server_control_call(t, fd, &message);
	if (result < 0)
		return result;
	handle_t port = message.handle[0];
	struct message make = { .word = { FILE_MAKE_NODE, LINUX_S_IFSOCK | (0777 & ~umask) }, .handle = { port }, .handle_count = 1 };
	result = path_call(t, label, &make);
	handle_close(port);
	if (result < 0)
		return result == -EEXIST ? -EADDRINUSE : result;
	message = (struct message){ .word = { SOCKET_NAME }, .send_address = (uintptr_t)label, .send_size = sizeof *label };
	result = server_control_call(t, fd, &message);
	if (result >= 0)
		result = link_set_label(fd, LINK_LABEL_OWN, label, sizeof *label);
	if (result < 0) {
		struct message undo = { .word = { FILE_UNLINK } };
		(void)path_call(t, label, &undo);
	}
	return result;
}

int64_t address_any(struct linux_thread *t, int fd, uint32_t type)
{
	struct link_state state;
	struct socket_label label = { .pid = t->process->pid, .length = PATH_OFFSET, .address = { LINUX_AF_UNIX } };
	int64_t result = link_get(fd, &state);
	if (result < 0 || state.parts & LINK_HAS_LABEL)
		return result < 0 ? result : 0;
	result = socket_register(t, fd, type, &state);
	return result < 0 ? result : bind_abstract(t, fd, &label);
}

/* Linux looks at the path before it looks at the socket. */
static bool name_exists(struct linux_thread *t, const struct socket_address *address)
{
	struct ns_walk walk;
	struct message message = { .word = { FILE_GETATTR } };
	int64_t result = name_begin_text(t, &walk, LINUX_AT_FDCWD, (const char *)address->bytes + PATH_OFFSET, true, false);
	if (result >= 0)
		result = name_call(t, &walk, &message);
	ns_walk_end(&walk);
	return result >= 0;
}

int64_t linux_bind(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	struct link_state state;
	struct socket_address address;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	int64_t result = address_read(t, argument[1], argument[2], true, &address);
	if (result < 0)
		return result;
	if (address.length == PATH_OFFSET)
		return address_any(t, fd, (uint32_t)type);
	if (state.parts & LINK_HAS_LABEL)
		return !is_abstract(&address) && name_exists(t, &address) ? -EADDRINUSE : -EINVAL;
	struct socket_label label = { .pid = t->process->pid, .length = address.length };
	memcpy(label.address, address.bytes, sizeof label.address);
	result = socket_register(t, fd, (uint32_t)type, &state);
	if (result < 0)
		return result;
	result = is_abstract(&address) ? bind_abstract(t, fd, &label) : bind_path(t, fd, &label);
	return result == -EEXIST ? -EINVAL : result; /* another thread named it */
}

int64_t linux_getsockname(struct linux_thread *t, const uint64_t argument[6])
{
	struct socket_label label;
	int64_t type = socket_type((int)argument[0]);
	int64_t result = type < 0 ? type : label_get((int)argument[0], LINK_LABEL_OWN, &label);
	return result < 0 ? result : address_write(t, &label, argument[1], argument[2]);
}

int64_t linux_getpeername(struct linux_thread *t, const uint64_t argument[6])
{
	struct link_state state;
	struct socket_label label;
	int64_t type = socket_state((int)argument[0], &state);
	if (type < 0)
		return type;
	if (!(state.parts & LINK_HAS_SENDER))
		return -ENOTCONN;
	int64_t result = label_get((int)argument[0], LINK_LABEL_PEER, &label);
	return result < 0 ? result : address_write(t, &label, argument[1], argument[2]);
}
