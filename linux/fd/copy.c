/*
 * sendfile and copy_file_range: reads and writes through a buffer of the library. What was read but could not be written is given back by
 * moving the source's cursor, so that nothing is lost.
 */
#include "linux/fd/descriptor.h"

#define BUFFER_SIZE 65536u

/* Offsets NULL: the cursors. *from and *to are advanced. */
static int64_t copy(struct linux_thread *t, int in, int64_t *from, int out, int64_t *to, uint64_t length)
{
	length = MINIMUM(length, LINUX_TRANSFER_MAX);
	uint8_t *buffer = linux_alloc(t->process, BUFFER_SIZE);
	uint64_t done = 0;
	int64_t result = 0;

	if (!buffer)
		return -ENOMEM;
	while (done < length) {
		uint64_t wanted = MINIMUM(length - done, (uint64_t)BUFFER_SIZE);
		int64_t got = transfer_read(t, in, (uintptr_t)buffer, wanted, from);
		if (got <= 0) {
			result = got;
			break;
		}
		int64_t put = 0;
		while (put < got) {
			result = transfer_write(t, out, (uintptr_t)buffer + (uint64_t)put, (uint64_t)(got - put), to);
			if (result <= 0)
				break;
			put += result;
			if (to)
				*to += result;
		}
		if (from)
			*from += put;
		else if (put < got)
			(void)description_seek(in, put - got, 1);
		done += (uint64_t)put;
		if (put < got)
			break;
		if ((uint64_t)got < wanted) /* a short read is the end for now */
			break;
	}
	linux_free(t->process, buffer, BUFFER_SIZE);
	return done ? (int64_t)done : result < 0 ? result : 0;
}

/* The same, for descriptors that may be closed or replaced while this waits. */
static int64_t copy_pinned(struct linux_thread *t, int in, int64_t *from, int out, int64_t *to, uint64_t length)
{
	int64_t source = descriptor_pin(in), target = source < 0 ? source : descriptor_pin(out);
	int64_t result = target < 0 ? target : copy(t, (int)source, from, (int)target, to, length);
	if (target >= 0)
		handle_close((handle_t)target);
	if (source >= 0)
		handle_close((handle_t)source);
	return result;
}

/* Descriptor information for one side; right missing or O_PATH: EBADF. */
static int64_t side(int fd, uint32_t right, struct description_info *info)
{
	int64_t result = descriptor_info(fd, info);
	if (result < 0)
		return result;
	return info->rights & right && FILE_COOKIE_KIND(info->cookie) != FILE_KIND_PATH ? 0 : -EBADF;
}

int64_t linux_sendfile(struct linux_thread *t, const uint64_t argument[6])
{
	int out = (int)argument[0], in = (int)argument[1];
	struct description_info from, to;
	int64_t offset;

	if (argument[2] && user_read(t, &offset, argument[2], sizeof offset))
		return -EFAULT;
	int64_t result = side(in, RIGHT_READ, &from);
	if (result == 0)
		result = side(out, RIGHT_WRITE, &to);
	if (result < 0)
		return result;
	if ((int64_t)argument[3] < 0 || (argument[2] && offset < 0))
		return -EINVAL;
	if (from.kind == DESCRIPTION_FLOW || from.kind == DESCRIPTION_LINK || from.flags & DESCRIPTION_NO_IO)
		return argument[2] && !(from.flags & DESCRIPTION_NO_IO) ? -ESPIPE : -EINVAL;
	if ((from.kind == DESCRIPTION_SERVICE && !(from.flags & DESCRIPTION_SEEKABLE)) || from.kind > DESCRIPTION_FULL)
		return -EINVAL; /* bytes that could not be given back */
	if (to.flags & DESCRIPTION_APPEND)
		return -EINVAL;
	int64_t *from_offset = argument[2] ? &offset : NULL;
	if (FILE_COOKIE_KIND(to.cookie) == FILE_KIND_PIPE)
		result = argument[3] ? splice_into_pipe(t, in, from_offset, out, argument[3]) : 0;
	else
		result = copy_pinned(t, in, from_offset, out, NULL, argument[3]);
	if (result > 0 && argument[2] && user_write(t, argument[2], &offset, sizeof offset))
		return -EFAULT;
	return result;
}

static bool overlap(int64_t a, int64_t b, uint64_t length)
{
	return (uint64_t)(a < b ? b - a : a - b) < length;
}

int64_t linux_copy_file_range(struct linux_thread *t, const uint64_t argument[6])
{
	int in = (int)argument[0], out = (int)argument[2];
	uint64_t length = argument[4];
	struct description_info from, to;
	int64_t from_offset, to_offset;

	if ((uint32_t)argument[5])
		return -EINVAL;
	int64_t result = side(in, RIGHT_READ, &from);
	if (result == 0)
		result = side(out, RIGHT_WRITE, &to);
	if (result < 0)
		return result;
	if ((argument[1] && user_read(t, &from_offset, argument[1], sizeof from_offset)) ||
		(argument[3] && user_read(t, &to_offset, argument[3], sizeof to_offset)))
		return -EFAULT;
	if (from.flags & DESCRIPTION_NO_IO || to.flags & DESCRIPTION_NO_IO)
		return -EISDIR;
	if (from.kind != DESCRIPTION_PLACE || to.kind != DESCRIPTION_PLACE)
		return -EINVAL;
	if (to.flags & DESCRIPTION_APPEND)
		return -EBADF;
	if ((argument[1] && from_offset < 0) || (argument[3] && to_offset < 0))
		return -EINVAL;
	int64_t from_start = argument[1] ? from_offset : from.cursor, to_start = argument[3] ? to_offset : to.cursor;
	if (__builtin_add_overflow(from_start, (int64_t)MINIMUM(length, (uint64_t)INT64_MAX), &(int64_t){ 0 }) ||
		__builtin_add_overflow(to_start, (int64_t)MINIMUM(length, (uint64_t)INT64_MAX), &(int64_t){ 0 }))
		return -EOVERFLOW;
	/* two openings of one file share the memory object */
	int64_t one = description_memobj(in), two = description_memobj(out);
	struct handle_info first, second;
	bool same = one >= 0 && two >= 0 && handle_get((handle_t)one, &first) == 0 && handle_get((handle_t)two, &second) == 0 &&
		first.identity == second.identity;
	if (one >= 0)
		handle_close((handle_t)one);
	if (two >= 0)
		handle_close((handle_t)two);
	if (same && overlap(from_start, to_start, length))
		return -EINVAL;
	result = copy_pinned(t, in, argument[1] ? &from_offset : NULL, out, argument[3] ? &to_offset : NULL, length);
	if (result > 0 && ((argument[1] && user_write(t, argument[1], &from_offset, sizeof from_offset)) ||
		(argument[3] && user_write(t, argument[3], &to_offset, sizeof to_offset))))
		return -EFAULT;
	return result;
}
