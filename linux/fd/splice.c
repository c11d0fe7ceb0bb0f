/*
 * splice, tee and vmsplice as copies through a buffer of the library: no pages move, all else is as on Linux. What a pipe gives is taken out only when
 * there is room for it on the other side, and is then written completely, so nothing is lost.
 */
#include "linux/calls.h"
#include "linux/fd/descriptor.h"

#define BUFFER_SIZE 65536u
#define SPLICE_MOVE 1u
#define SPLICE_NONBLOCK 2u
#define SPLICE_MORE 4u
#define SPLICE_GIFT 8u
#define SPLICE_FLAGS (SPLICE_MOVE | SPLICE_NONBLOCK | SPLICE_MORE | SPLICE_GIFT)

static bool is_pipe(const struct description_info *info)
{
	return FILE_COOKIE_KIND(info->cookie) == FILE_KIND_PIPE;
}

/* Counters and what the library reads itself */
static bool no_bytes(const struct description_info *info)
{
	return info->kind > DESCRIPTION_FULL && info->kind != DESCRIPTION_LINK;
}

static int64_t side(int fd, uint32_t right, struct description_info *info)
{
	int64_t result = descriptor_info(fd, info);
	if (result < 0)
		return result == -EINVAL ? -EBADF : result;
	return info->rights & right && FILE_COOKIE_KIND(info->cookie) != FILE_KIND_PATH ? 0 : -EBADF;
}

/* Waits until fd is ready for events: 0; -EAGAIN where that would be waiting but must not be; -EINTR. */
static int64_t await(struct linux_thread *t, int fd, uint32_t events, bool may_wait, uint32_t *ready)
{
	struct poll_item item;
	int64_t result;
	do {
		item = (struct poll_item){ fd, (int16_t)events, 0 };
		result = description_poll(&item, 1, may_wait ? DEADLINE_NEVER : 0, 0);
	} while (wait_again(t, result));
	*ready = (uint16_t)item.ready;
	return result < 0 ? result : result == 0 ? -EAGAIN : 0;
}

/* How many bytes `to`, a pipe that is ready, takes at once. */
static uint64_t room(int fd)
{
	struct description_info info;
	if (description_get(fd, &info) < 0 || info.kind != DESCRIPTION_FLOW || info.capacity <= info.available)
		return PAGE_SIZE;
	return info.capacity - info.available;
}

static int64_t write_all(struct linux_thread *t, int fd, const uint8_t *buffer, uint64_t length, int64_t *offset)
{
	uint64_t done = 0;
	while (done < length) {
		uint32_t ready;
		int64_t result = transfer_write(t, fd, (uintptr_t)buffer + done, length - done, offset);
		if (result == -EAGAIN || result == -EINTR) { /* somebody else has filled it; what was taken is not to be lost */
			(void)await(t, fd, READY_OUT, true, &ready);
			continue;
		}
		if (result < 0)
			return done ? (int64_t)done : result;
		done += (uint64_t)result;
		if (offset)
			*offset += result;
	}
	return (int64_t)done;
}

struct splice { int in, out; struct description_info from, to; int64_t *in_offset, *out_offset; uint64_t length; uint32_t flags; bool keep; };

static int64_t move(struct linux_thread *t, const struct splice *splice)
{
	bool in_waits = !(splice->flags & SPLICE_NONBLOCK) && !(splice->from.flags & DESCRIPTION_NON_BLOCKING);
	bool out_waits = !(splice->flags & SPLICE_NONBLOCK) && !(splice->to.flags & DESCRIPTION_NON_BLOCKING);
	uint64_t length = MINIMUM(splice->length, (uint64_t)BUFFER_SIZE);
	uint32_t ready;
	int64_t result;
	if (is_pipe(&splice->from)) {
		result = await(t, splice->in, READY_IN, in_waits, &ready);
		if (result < 0)
			return result;
		if (!(ready & READY_IN))
			return 0; /* no writer is left */
	}
	if (is_pipe(&splice->to)) {
		result = await(t, splice->out, READY_OUT, out_waits, &ready);
		if (result < 0)
			return result;
		if (ready & READY_ERROR)
			return transfer_error(t, splice->out, -EPIPE);
		length = MINIMUM(length, room(splice->out));
	}
	uint8_t *buffer = linux_alloc(t->process, BUFFER_SIZE);
	if (!buffer)
		return -ENOMEM;
	if (splice->keep)
		result = description_peek(splice->in, buffer, length);
	else
		result = transfer_read(t, splice->in, (uintptr_t)buffer, length, splice->in_offset);
	if (result > 0) {
		int64_t got = result;
		if (splice->in_offset)
			*splice->in_offset += got;
		result = write_all(t, splice->out, buffer, (uint64_t)got, splice->out_offset);
		if (result < got && !is_pipe(&splice->from)) { /* a file's bytes are given back */
			int64_t back = got - MAXIMUM(result, (int64_t)0);
			if (splice->in_offset)
				*splice->in_offset -= back;
			else
				(void)description_seek(splice->in, -back, 1);
		}
	}
	linux_free(t->process, buffer, BUFFER_SIZE);
	return result;
}

/* Both descriptors as they are now, whatever happens to their numbers while the call waits. */
static int64_t move_pinned(struct linux_thread *t, struct splice *splice)
{
	int64_t in = descriptor_pin(splice->in), out = in < 0 ? in : descriptor_pin(splice->out), result = out;
	if (out >= 0) {
		splice->in = (int)in;
		splice->out = (int)out;
		result = move(t, splice);
		handle_close((handle_t)out);
	}
	if (in >= 0)
		handle_close((handle_t)in);
	return result;
}

int64_t splice_into_pipe(struct linux_thread *t, int in, int64_t *offset, int out, uint64_t length)
{
	struct splice splice = { .in = in, .out = out, .in_offset = offset, .length = length };
	int64_t result = side(in, RIGHT_READ, &splice.from);
	if (result == 0)
		result = side(out, RIGHT_WRITE, &splice.to);
	return result < 0 ? result : move_pinned(t, &splice);
}

int64_t linux_splice(struct linux_thread *t, const uint64_t argument[6])
{
	struct splice splice = { .in = (int)argument[0], .out = (int)argument[2], .length = argument[4], .flags = (uint32_t)argument[5] };
	int64_t in_offset, out_offset;
	if (splice.length == 0)
		return 0;
	if (splice.flags & ~SPLICE_FLAGS)
		return -EINVAL;
	int64_t result = side(splice.in, RIGHT_READ, &splice.from);
	if (result == 0)
		result = side(splice.out, RIGHT_WRITE, &splice.to);
	if (result < 0)
		return result;
	bool from_pipe = is_pipe(&splice.from), to_pipe = is_pipe(&splice.to);
	if ((from_pipe && argument[1]) || (to_pipe && argument[3]))
		return -ESPIPE;
	if (!from_pipe && !to_pipe)
		return -EINVAL;
	if (from_pipe && to_pipe && splice.from.content && splice.from.content == splice.to.content)
		return -EINVAL;
	if ((argument[1] && user_read(t, &in_offset, argument[1], sizeof in_offset)) || (argument[3] && user_read(t, &out_offset, argument[3], sizeof out_offset)))
		return -EFAULT;
	if ((argument[1] && in_offset < 0) || (argument[3] && out_offset < 0))
		return -EINVAL;
	if ((!from_pipe && splice.from.flags & DESCRIPTION_NO_IO) || no_bytes(&splice.from) ||
		(!to_pipe && (splice.to.flags & (DESCRIPTION_NO_IO | DESCRIPTION_APPEND) || no_bytes(&splice.to))))
		return -EINVAL;
	splice.in_offset = argument[1] ? &in_offset : NULL;
	splice.out_offset = argument[3] ? &out_offset : NULL;
	result = move_pinned(t, &splice);
	if (result > 0 && ((argument[1] && user_write(t, argument[1], &in_offset, sizeof in_offset)) ||
		(argument[3] && user_write(t, argument[3], &out_offset, sizeof out_offset))))
		return -EFAULT;
	return result;
}

int64_t linux_tee(struct linux_thread *t, const uint64_t argument[6])
{
	struct splice splice = { .in = (int)argument[0], .out = (int)argument[1], .length = argument[2], .flags = (uint32_t)argument[3], .keep = true };
	if (splice.flags & ~SPLICE_FLAGS)
		return -EINVAL;
	if (splice.length == 0)
		return 0;
	int64_t result = side(splice.in, RIGHT_READ, &splice.from);
	if (result == 0)
		result = side(splice.out, RIGHT_WRITE, &splice.to);
	if (result < 0)
		return result;
	if (splice.from.kind != DESCRIPTION_FLOW || !is_pipe(&splice.from) || !is_pipe(&splice.to) || splice.from.content == splice.to.content)
		return -EINVAL;
	return move_pinned(t, &splice);
}

int64_t linux_vmsplice(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	uint32_t flags = (uint32_t)argument[3], ready;
	struct description_info info;
	if (flags & ~SPLICE_FLAGS)
		return -EINVAL;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -EBADF : result;
	if (!is_pipe(&info))
		return -EBADF;
	bool writing = info.rights & RIGHT_WRITE;
	if (argument[2] == 0)
		return 0;
	if (flags & SPLICE_NONBLOCK) {
		result = await(t, fd, writing ? READY_OUT : READY_IN, false, &ready);
		if (result < 0)
			return result;
	}
	return writing ? linux_writev(t, argument) : linux_readv(t, argument);
}
