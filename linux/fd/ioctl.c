/*
 * ioctl: the few requests that are about descriptors here, all others by FILE_IOCTL to the object's server in Linux's own layouts. How many
 * bytes go in and come out is in the request's number; the terminal's old requests, which say nothing, are in a table.
 */
#include "linux/fd/descriptor.h"

#define FIONREAD 0x541bu
#define SIOCATMARK 0x8905u
#define TIOCOUTQ 0x5411u
#define FIONBIO 0x5421u
#define FIONCLEX 0x5450u
#define FIOCLEX 0x5451u
#define TIOCGPTPEER 0x5441u
#define TIOCSIG 0x40045436u
#define TERMIOS_SIZE 36
#define TERMIO_SIZE 18

static const struct { uint32_t request; uint8_t in, out; } sizes[] = {
	{ 0x5401, 0, TERMIOS_SIZE }, /* TCGETS */
	{ 0x5402, TERMIOS_SIZE, 0 }, { 0x5403, TERMIOS_SIZE, 0 }, { 0x5404, TERMIOS_SIZE, 0 }, /* TCSETS, TCSETSW, TCSETSF */
	{ 0x5405, 0, TERMIO_SIZE }, /* TCGETA */
	{ 0x5406, TERMIO_SIZE, 0 }, { 0x5407, TERMIO_SIZE, 0 }, { 0x5408, TERMIO_SIZE, 0 }, /* TCSETA, TCSETAW, TCSETAF */
	{ 0x540f, 0, 4 }, { 0x5410, 4, 0 }, /* TIOCGPGRP, TIOCSPGRP */
	{ 0x5411, 0, 4 }, { 0x5412, 1, 0 }, /* TIOCOUTQ, TIOCSTI */
	{ 0x5413, 0, 8 }, { 0x5414, 8, 0 }, /* TIOCGWINSZ, TIOCSWINSZ */
	{ 0x5415, 0, 4 }, { 0x5416, 4, 0 }, { 0x5417, 4, 0 }, { 0x5418, 4, 0 }, /* TIOCMGET, TIOCMBIS, TIOCMBIC, TIOCMSET */
	{ 0x5419, 0, 4 }, { 0x541a, 4, 0 }, /* TIOCGSOFTCAR, TIOCSSOFTCAR */
	{ FIONREAD, 0, 4 }, { 0x5420, 4, 0 }, /* TIOCPKT */
	{ 0x5423, 4, 0 }, { 0x5424, 0, 4 }, { 0x5429, 0, 4 }, /* TIOCSETD, TIOCGETD, TIOCGSID */
	{ 0x5452, 4, 0 }, /* FIOASYNC */
	{ TIOCSIG, 0, 0 }, /* its argument is the signal */
};

static void request_sizes(uint32_t request, uint32_t *in, uint32_t *out)
{
	*in = *out = 0;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		if (sizes[i].request == request) {
			*in = sizes[i].in;
			*out = sizes[i].out;
			return;
		}
	uint32_t size = request >> 16 & 0x3fff;
	if (request >> 30 & 1)
		*in = size;
	if (request >> 30 & 2)
		*out = size;
}

/*
 * Those that may wait for long, for output to leave. All others are answered at once and must not be interrupted: a caller that is in the group
 * it changes the window of, or gives up its terminal, is sent a signal by its own call.
 */
static bool request_waits(uint32_t request)
{
	static const uint32_t waiting[] = { 0x5403, 0x5404, 0x5407, 0x5408, 0x5409, 0x5425, /* TCSETSW, TCSETSF, TCSETAW, TCSETAF, TCSBRK, TCSBRKP */
		0x402c542c, 0x402c542d /* TCSETSW2, TCSETSF2 */ };
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
		if (waiting[i] == request)
			return true;
	return false;
}

static int64_t ioctl_server(struct linux_thread *t, int fd, const struct description_info *info, uint32_t request, uint64_t value)
{
	uint8_t small[256], *buffer = small;
	uint32_t in, out;
	request_sizes(request, &in, &out);
	uint32_t room = MAXIMUM(in, out);

	if (room > sizeof small) {
		buffer = linux_alloc(t->process, room);
		if (!buffer)
			return -ENOMEM;
	}
	int64_t result = 0;
	if (in && user_read(t, buffer, value, in))
		result = -EFAULT;
	struct message message = { 0 };
	if (result == 0) {
		uint32_t options = info->flags & DESCRIPTION_INTERRUPTIBLE && request_waits(request) ? CALL_INTERRUPTIBLE : 0;
		do {
			message = (struct message){ .word = { FILE_IOCTL, request, value, t->mask }, .send_address = (uintptr_t)buffer, .send_size = in,
				.receive_address = (uintptr_t)buffer, .receive_size = out };
			result = description_call(fd, &message, options);
			for (uint32_t i = 0; result >= 0 && request != TIOCGPTPEER && i < message.handle_count && i < MESSAGE_HANDLES; i++)
				handle_close(message.handle[i]);
			if (result >= 0)
				result = (int64_t)message.word[0];
		} while (wait_again(t, result));
	}
	if (result >= 0 && request == TIOCGPTPEER) /* value: the flags to open the other side with */
		result = message.handle_count == 1 ? descriptor_install(message.handle[0], 0, value & LINUX_O_CLOEXEC) : -EIO;
	else if (result >= 0) {
		result = (int64_t)message.word[1];
		if (out && message.receive_size && user_write(t, value, buffer, MINIMUM(message.receive_size, (uint64_t)out)))
			result = -EFAULT;
	}
	if (buffer != small)
		linux_free(t->process, buffer, room);
	if (result == -EPIPE) /* its server has died in the middle of the call */
		return -EIO;
	return result == -ENOTCONN || result == -ENOSYS ? -ENOTTY : result;
}

/* A socket: what waits in its queues. */
static int64_t ioctl_link(struct linux_thread *t, int fd, const struct description_info *info, uint32_t request, uint64_t value)
{
	struct link_state state;
	int64_t result = link_get(fd, &state);
	if (result < 0)
		return result;
	int32_t mark = (state.parts & LINK_AT_MARK) != 0;
	if (request == SIOCATMARK)
		return user_write(t, value, &mark, sizeof mark);
	if (request != FIONREAD && request != TIOCOUTQ)
		return -ENOTTY;
	if (state.parts & LINK_HAS_EVENT) /* it listens */
		return -EINVAL;
	int32_t number = (int32_t)(request == FIONREAD ? info->available : state.outgoing);
	return user_write(t, value, &number, sizeof number);
}

int64_t linux_ioctl(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	uint32_t request = (uint32_t)argument[1];
	uint64_t value = argument[2];
	struct description_info info;
	int32_t number;

	if (!descriptor_valid(fd))
		return -EBADF;
	if (request == FIOCLEX || request == FIONCLEX)
		return handle_set_options(fd, request == FIOCLEX ? HANDLE_CLOSE_ON_EXEC : 0);
	int64_t result = descriptor_info(fd, &info);
	if (result < 0) /* of an epoll descriptor, EINVAL */
		return result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	if (request == FIONBIO) {
		if (user_read(t, &number, value, sizeof number))
			return -EFAULT;
		return description_set_flags(fd, DESCRIPTION_NON_BLOCKING, number ? DESCRIPTION_NON_BLOCKING : 0);
	}
	if (info.kind == DESCRIPTION_LINK)
		return ioctl_link(t, fd, &info, request, value);
	if (info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_PLACE) {
		if (request != FIONREAD)
			return -ENOTTY;
		number = (int32_t)MINIMUM(info.available, (uint64_t)INT32_MAX);
		return user_write(t, value, &number, sizeof number);
	}
	if (info.kind != DESCRIPTION_SERVICE)
		return -ENOTTY;
	return ioctl_server(t, fd, &info, request, value);
}
