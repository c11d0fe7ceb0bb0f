/* sendmsg, recvmsg and their forms for several messages; control messages: SCM_RIGHTS and SCM_CREDENTIALS. */
#include "linux/socket/message.h"

#define LINUX_SOL_SOCKET 1
#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define CONTROL_MAX 20480u
#define MESSAGES_MAX 1024u

struct linux_msghdr {
	uint64_t name;
	uint32_t name_length, padding;
	uint64_t vector, count;
	uint64_t control, control_length;
	uint32_t flags, reserved;
};
struct linux_mmsghdr { struct linux_msghdr header; uint32_t length, padding; };
struct control_header { uint64_t length; int32_t level, type; };
struct linux_credentials { int32_t pid; uint32_t user, group; };
#define CONTROL_ALIGN(length) (((length) + 7) & ~7ul)

/* The vector is read by the kernel; here only that no address is the library's. */
static int64_t vector_check(struct linux_thread *t, const struct linux_msghdr *header)
{
	if (header->count > LINUX_VECTOR_MAX)
		return -EMSGSIZE;
	if (!user_range(header->vector, header->count * sizeof(struct io_vector)))
		return -EFAULT;
	for (uint64_t i = 0; i < header->count; i++) {
		struct io_vector piece;
		if (user_read(t, &piece, header->vector + i * sizeof piece, sizeof piece))
			return -EFAULT;
		if ((int64_t)piece.length < 0)
			return -EINVAL;
		if (!user_range(piece.address, piece.length))
			return -EFAULT;
	}
	return 0;
}

/* -- sending */

static int64_t rights_add(const uint8_t *data, uint64_t size, int32_t handles[LINK_HANDLES], uint32_t *count)
{
	uint64_t more = size / sizeof handles[0];
	if (more > LINK_HANDLES - *count)
		return -EINVAL;
	memcpy(handles + *count, data, more * sizeof handles[0]);
	for (uint64_t i = 0; i < more; i++)
		if (descriptor_kind(handles[*count + i]) < 0)
			return -EBADF;
	*count += (uint32_t)more;
	return 0;
}

/* What a process may say of itself: the truth. */
static int64_t credentials_check(struct linux_thread *t, const uint8_t *data, uint64_t size)
{
	struct linux_credentials credentials;
	if (size != sizeof credentials)
		return -EINVAL;
	memcpy(&credentials, data, sizeof credentials);
	return credentials.pid == (int32_t)t->process->pid && !credentials.user && !credentials.group ? 0 : -EPERM;
}

static int64_t control_parse(struct linux_thread *t, const uint8_t *control, uint64_t length, int32_t handles[LINK_HANDLES], uint32_t *count)
{
	int64_t result = 0;
	for (uint64_t at = 0; result == 0 && at + sizeof(struct control_header) <= length;) {
		struct control_header header;
		memcpy(&header, control + at, sizeof header);
		if (header.length < sizeof header || header.length > length - at)
			return -EINVAL;
		const uint8_t *data = control + at + sizeof header;
		uint64_t size = header.length - sizeof header;
		at += CONTROL_ALIGN(header.length);
		if (header.level != LINUX_SOL_SOCKET)
			continue;
		if (header.type == SCM_RIGHTS)
			result = rights_add(data, size, handles, count);
		else if (header.type == SCM_CREDENTIALS)
			result = credentials_check(t, data, size);
		else
			result = -EINVAL;
	}
	return result;
}

static int64_t send_header(struct linux_thread *t, int fd, const struct linux_msghdr *header, uint32_t flags)
{
	int32_t handles[LINK_HANDLES];
	struct socket_address address;
	struct link_message message = { .vector = header->vector, .count = header->count, .handles = (uintptr_t)handles };
	bool named = header->name && header->name_length;
	int64_t result = vector_check(t, header);
	if (result == 0 && header->control && header->control_length) {
		if (header->control_length > CONTROL_MAX)
			return -ENOBUFS;
		uint8_t *control = linux_alloc(t->process, header->control_length);
		if (!control)
			return -ENOMEM;
		result = user_read(t, control, header->control, header->control_length);
		if (result == 0)
			result = control_parse(t, control, header->control_length, handles, &message.handle_count);
		linux_free(t->process, control, header->control_length);
	}
	if (result == 0 && named)
		result = address_read(t, header->name, header->name_length, false, &address);
	return result < 0 ? result : socket_send(t, fd, &message, flags, named ? &address : NULL);
}

int64_t linux_sendmsg(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_msghdr header;
	int64_t type = socket_type((int)argument[0]);
	if (type < 0)
		return type;
	if (user_read(t, &header, argument[1], sizeof header))
		return -EFAULT;
	return send_header(t, (int)argument[0], &header, (uint32_t)argument[2]);
}

int64_t linux_sendmmsg(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t count = MINIMUM((uint32_t)argument[2], MESSAGES_MAX), done = 0;
	int64_t result = socket_type((int)argument[0]);
	while (result >= 0 && done < count) {
		struct linux_mmsghdr each;
		uint64_t address = argument[1] + done * sizeof each;
		result = user_read(t, &each, address, sizeof each);
		if (result >= 0)
			result = send_header(t, (int)argument[0], &each.header, (uint32_t)argument[3]);
		if (result < 0)
			break;
		uint32_t length = (uint32_t)result;
		result = user_write(t, address + offsetof(struct linux_mmsghdr, length), &length, sizeof length);
		if (result >= 0)
			done++;
	}
	return done ? done : result < 0 ? result : 0;
}

/* -- receiving */

struct control_writer { uint64_t address, left; uint32_t flags; };

/* As Linux's put_cmsg: what does not fit is cut, and that is told. */
static int64_t control_put(struct linux_thread *t, struct control_writer *writer, int32_t type, const void *data, uint64_t size)
{
	struct control_header header = { sizeof header + size, LINUX_SOL_SOCKET, type };
	if (writer->left < sizeof header) {
		writer->flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if (writer->left < header.length) {
		writer->flags |= LINUX_MSG_CTRUNC;
		header.length = writer->left;
	}
	if (user_write(t, writer->address, &header, sizeof header) ||
		(data && user_write(t, writer->address + sizeof header, data, header.length - sizeof header)))
		return -EFAULT;
	uint64_t used = MINIMUM(CONTROL_ALIGN(sizeof header + size), writer->left);
	writer->address += used;
	writer->left -= used;
	return 0;
}

/* Where the handles' numbers will lie in the program's control buffer, behind the credentials if those are wanted. */
static uint32_t rights_place(const struct linux_msghdr *header, bool credentials, uint64_t *address)
{
	uint64_t before = (credentials ? CONTROL_ALIGN(sizeof(struct control_header) + sizeof(struct linux_credentials)) : 0) + sizeof(struct control_header);
	if (!header->control || header->control_length <= before)
		return 0;
	*address = header->control + before;
	return (uint32_t)MINIMUM((header->control_length - before) / sizeof(int32_t), (uint64_t)LINK_HANDLES);
}

static int64_t control_write(struct linux_thread *t, const struct linux_msghdr *header, const struct link_message *message, bool credentials,
	struct control_writer *writer)
{
	struct linux_credentials sender = { .pid = (int32_t)(uint32_t)message->badge };
	int64_t result = 0;
	if (!header->control) {
		if (credentials || message->handle_count || message->flags & LINK_HANDLES_CUT)
			writer->flags |= LINUX_MSG_CTRUNC;
		return 0;
	}
	if (credentials)
		result = control_put(t, writer, SCM_CREDENTIALS, &sender, sizeof sender);
	if (result == 0 && message->handle_count)
		result = control_put(t, writer, SCM_RIGHTS, NULL, message->handle_count * sizeof(int32_t));
	if (message->flags & LINK_HANDLES_CUT)
		writer->flags |= LINUX_MSG_CTRUNC;
	return result;
}

static int64_t receive_header(struct linux_thread *t, int fd, uint64_t address, uint32_t flags)
{
	struct linux_msghdr header;
	struct link_state state;
	struct socket_label label;
	int64_t type = socket_state(fd, &state);
	if (type < 0)
		return type;
	if (user_read(t, &header, address, sizeof header))
		return -EFAULT;
	int64_t result = vector_check(t, &header);
	if (result < 0)
		return result;
	if ((int32_t)header.name_length < 0)
		return -EINVAL;
	bool credentials = state.word[0] & SOCKET_PASS_CREDENTIALS;
	struct link_message message = { .vector = header.vector, .count = header.count, .label = (uintptr_t)&label, .label_size = sizeof label };
	message.handle_count = rights_place(&header, credentials, &message.handles);
	if (message.handle_count && !user_range(message.handles, message.handle_count * sizeof(int32_t)))
		return -EFAULT;
	result = socket_receive(t, fd, &message, flags, credentials ? LINK_BY_SENDER : 0);
	if (result < 0)
		return result;
	/* the end of a stream comes from nobody */
	if (result == 0 && type == LINUX_SOCK_STREAM)
		credentials = false;
	struct control_writer writer = { header.control, header.control ? header.control_length : 0, 0 };
	int64_t error = control_write(t, &header, &message, credentials, &writer);
	uint32_t told = writer.flags | (message.flags & LINK_CUT && type != LINUX_SOCK_STREAM ? LINUX_MSG_TRUNC : 0) | (flags & (LINUX_MSG_CMSG_CLOEXEC | LINUX_MSG_OOB));
	uint64_t used = header.control ? writer.address - header.control : 0;
	if (error == 0 && header.name) {
		uint32_t length = message.label_size ? label.length : 0;
		if (length && user_write(t, header.name, label.address, MINIMUM(header.name_length, length)))
			error = -EFAULT;
		if (error == 0)
			error = user_write(t, address + offsetof(struct linux_msghdr, name_length), &length, sizeof length);
	}
	if (error == 0)
		error = user_write(t, address + offsetof(struct linux_msghdr, control_length), &used, sizeof used);
	if (error == 0)
		error = user_write(t, address + offsetof(struct linux_msghdr, flags), &told, sizeof told);
	if (error < 0)
		return error;
	return flags & LINUX_MSG_TRUNC && message.flags & LINK_CUT ? (int64_t)message.length : result;
}

int64_t linux_recvmsg(struct linux_thread *t, const uint64_t argument[6])
{
	return receive_header(t, (int)argument[0], argument[1], (uint32_t)argument[2]);
}

int64_t linux_recvmmsg(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t count = MINIMUM((uint32_t)argument[2], MESSAGES_MAX), done = 0, flags = (uint32_t)argument[3];
	uint64_t deadline = DEADLINE_NEVER;
	int64_t result = argument[4] ? deadline_from_timespec(t, argument[4], &deadline) : 0;
	if (result >= 0)
		result = socket_type((int)argument[0]);
	while (result >= 0 && done < count) {
		uint64_t address = argument[1] + done * sizeof(struct linux_mmsghdr);
		result = receive_header(t, (int)argument[0], address, flags & ~LINUX_MSG_WAITFORONE);
		if (result < 0)
			break;
		uint32_t length = (uint32_t)result;
		result = user_write(t, address + offsetof(struct linux_mmsghdr, length), &length, sizeof length);
		if (result < 0)
			break;
		done++;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
		if (deadline != DEADLINE_NEVER && deadline_left(t, deadline) == 0) /* looked at between messages only, as on Linux */
			break;
	}
	return done ? done : result < 0 ? result : 0;
}
