/*
 * read, write and their relatives. The kernel runs most of them without coming here (direct routing); these versions serve traced
 * processes, vectors with offsets, and what the kernel reflects, and must give the same results.
 */
#include "linux/fd/descriptor.h"
#include "linux/signal/signal.h"

#define VECTOR_CHUNK 16

/* A negative length never fits the user's addresses, so it is EFAULT as on Linux. */
static bool length_check(uint64_t address, uint64_t *length, int64_t *error)
{
	if (!user_range(address, *length)) {
		*error = -EFAULT;
		return false;
	}
	if (*length > LINUX_TRANSFER_MAX)
		*length = LINUX_TRANSFER_MAX;
	return true;
}

/* What the kernel leaves to the library: signalfd, and process descriptors, which have nothing to read. */
static int64_t library_transfer(struct linux_thread *t, int fd, bool writing, uint64_t address, uint64_t length, bool offset)
{
	struct description_info info;
	if (descriptor_info(fd, &info) < 0 || (FILE_COOKIE_KIND(info.cookie) != FILE_KIND_SIGNAL && FILE_COOKIE_KIND(info.cookie) != FILE_KIND_PROCESS))
		return -EBADF;
	if (offset)
		return -ESPIPE;
	if (writing || FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PROCESS)
		return -EINVAL;
	return signalfd_read(t, info.limit, !(info.flags & DESCRIPTION_NON_BLOCKING), address, length);
}

int64_t transfer_read(struct linux_thread *t, int fd, uint64_t address, uint64_t length, const int64_t *offset)
{
	int64_t result;
	do
		result = offset ? description_pread(fd, (void *)(uintptr_t)address, length, *offset) :
			description_read(fd, (void *)(uintptr_t)address, length);
	while (wait_again(t, result));
	if (result == -EACCES)
		return library_transfer(t, fd, false, address, length, offset);
	return result < 0 ? transfer_error(t, fd, result) : result;
}

int64_t transfer_write(struct linux_thread *t, int fd, uint64_t address, uint64_t length, const int64_t *offset)
{
	int64_t result = size_allow(t, fd, offset, &length);
	if (result < 0)
		return result;
	do
		result = offset ? description_pwrite(fd, (const void *)(uintptr_t)address, length, *offset) :
			description_write(fd, (const void *)(uintptr_t)address, length);
	while (wait_again(t, result));
	if (result == -EACCES)
		return library_transfer(t, fd, true, address, length, offset);
	return result < 0 ? transfer_error(t, fd, result) : result;
}

/* A bad descriptor is told before a bad buffer, as Linux does. */
static int64_t checked(struct linux_thread *t, bool writing, int fd, uint64_t address, uint64_t length, const int64_t *offset)
{
	int64_t error;
	if (!descriptor_valid(fd))
		return -EBADF;
	if (!length_check(address, &length, &error)) {
		struct description_info info;
		int64_t state = descriptor_info(fd, &info);
		if (state < 0)
			return state;
		return info.rights & (writing ? RIGHT_WRITE : RIGHT_READ) ? error : -EBADF;
	}
	return writing ? transfer_write(t, fd, address, length, offset) : transfer_read(t, fd, address, length, offset);
}

int64_t linux_read(struct linux_thread *t, const uint64_t argument[6])
{
	return checked(t, false, (int)argument[0], argument[1], argument[2], NULL);
}

int64_t linux_write(struct linux_thread *t, const uint64_t argument[6])
{
	return checked(t, true, (int)argument[0], argument[1], argument[2], NULL);
}

int64_t linux_pread64(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[3];
	if (offset < 0)
		return -EINVAL;
	return checked(t, false, (int)argument[0], argument[1], argument[2], &offset);
}

int64_t linux_pwrite64(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[3];
	if (offset < 0)
		return -EINVAL;
	return checked(t, true, (int)argument[0], argument[1], argument[2], &offset);
}

/* -- vectors */

/* The checks of Linux's import_iovec: lengths and their sum, addresses. *total is cut to LINUX_TRANSFER_MAX. */
static int64_t vector_check(struct linux_thread *t, uint64_t vector, uint64_t count, uint64_t *total)
{
	struct io_vector part[VECTOR_CHUNK];
	*total = 0;
	if (count > LINUX_VECTOR_MAX)
		return -EINVAL;
	for (uint64_t i = 0; i < count;) {
		uint64_t some = MINIMUM(count - i, (uint64_t)VECTOR_CHUNK);
		if (user_read(t, part, vector + i * sizeof part[0], some * sizeof part[0]))
			return -EFAULT;
		for (uint64_t j = 0; j < some; j++, i++) {
			if ((int64_t)part[j].length < 0)
				return -EINVAL;
			if (!user_range(part[j].address, part[j].length))
				return -EFAULT;
			*total += MINIMUM(part[j].length, LINUX_TRANSFER_MAX - *total);
		}
	}
	return 0;
}

/* One element after the other; for offsets, which have no native vector call, and for lists that must be cut. */
static int64_t vector_each(struct linux_thread *t, bool writing, int fd, uint64_t vector, uint64_t count, int64_t *offset)
{
	uint64_t done = 0;
	for (uint64_t i = 0; i < count && done < LINUX_TRANSFER_MAX; i++) {
		struct io_vector part;
		if (user_read(t, &part, vector + i * sizeof part, sizeof part))
			return done ? (int64_t)done : -EFAULT;
		uint64_t length = MINIMUM(part.length, LINUX_TRANSFER_MAX - done);
		if (length == 0)
			continue;
		int64_t result = checked(t, writing, fd, part.address, length, offset);
		if (result < 0)
			return done ? (int64_t)done : result;
		done += (uint64_t)result;
		if (offset)
			*offset += result;
		if ((uint64_t)result < length)
			break;
	}
	return (int64_t)done;
}

static int64_t vector_transfer(struct linux_thread *t, bool writing, const uint64_t argument[6], int64_t *offset)
{
	int fd = (int)argument[0];
	uint64_t vector = argument[1], count = argument[2], total;
	struct description_info info;

	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	if (!(info.rights & (writing ? RIGHT_WRITE : RIGHT_READ)))
		return -EBADF;
	if (offset && (info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_LINK))
		return -ESPIPE;
	result = vector_check(t, vector, count, &total);
	if (result < 0)
		return result;
	if (offset)
		return vector_each(t, writing, fd, vector, count, offset);
	/* more than one call moves; each is looked at; or they are read here */
	if (total == LINUX_TRANSFER_MAX || (writing && size_limited(t->process)) || info.kind == DESCRIPTION_LIBRARY)
		return vector_each(t, writing, fd, vector, count, NULL);
	do
		result = writing ? description_writev(fd, (const struct io_vector *)(uintptr_t)vector, count) :
			description_readv(fd, (const struct io_vector *)(uintptr_t)vector, count);
	while (wait_again(t, result));
	return result < 0 ? transfer_error(t, fd, result) : result;
}

int64_t linux_readv(struct linux_thread *t, const uint64_t argument[6])
{
	return vector_transfer(t, false, argument, NULL);
}

int64_t linux_writev(struct linux_thread *t, const uint64_t argument[6])
{
	return vector_transfer(t, true, argument, NULL);
}

int64_t linux_preadv(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[3]; /* the high half is not used by 64-bit programs */
	return offset < 0 ? -EINVAL : vector_transfer(t, false, argument, &offset);
}

int64_t linux_pwritev(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[3];
	return offset < 0 ? -EINVAL : vector_transfer(t, true, argument, &offset);
}

#define RWF_HIPRI 1u  /* a hint */
#define RWF_DSYNC 2u  /* files are memory: nothing is ever later than the write */
#define RWF_SYNC 4u
#define RWF_NOWAIT 8u /* files never wait; of anything else Linux does not promise it */
#define RWF_APPEND 16u

/* At the end of the file, whatever the description's flags and the offset say; without an offset the cursor goes there too. */
static int64_t vector_append(struct linux_thread *t, const uint64_t argument[6], bool at_cursor)
{
	int64_t end = DESCRIPTION_OFFSET_END, done = 0, result = 0;
	uint64_t total;
	int fd = (int)argument[0];
	result = vector_check(t, argument[1], argument[2], &total);
	for (uint64_t i = 0; result >= 0 && i < argument[2]; i++) {
		struct io_vector part;
		if (user_read(t, &part, argument[1] + i * sizeof part, sizeof part))
			result = -EFAULT;
		else if (part.length)
			result = checked(t, true, fd, part.address, part.length, &end);
		else
			continue;
		if (result > 0)
			done += result;
		if (result >= 0 && (uint64_t)result < part.length)
			break;
	}
	if (done && at_cursor)
		(void)description_seek(fd, 0, 2);
	return done ? done : result;
}

/* offset -1 is the cursor */
static int64_t vector_flags(struct linux_thread *t, bool writing, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[3];
	uint32_t flags = (uint32_t)argument[5];
	struct description_info info;
	if (offset < -1)
		return -EINVAL;
	if (flags) {
		int64_t result = descriptor_info((int)argument[0], &info);
		if (result < 0)
			return result;
		if (!(info.rights & (writing ? RIGHT_WRITE : RIGHT_READ)))
			return -EBADF;
		if (flags & ~(RWF_HIPRI | RWF_DSYNC | RWF_SYNC | RWF_NOWAIT | RWF_APPEND) || (flags & RWF_NOWAIT && info.kind != DESCRIPTION_PLACE))
			return -EOPNOTSUPP;
		if (writing && flags & RWF_APPEND && info.kind == DESCRIPTION_PLACE)
			return vector_append(t, argument, offset == -1);
	}
	return vector_transfer(t, writing, argument, offset == -1 ? NULL : &offset);
}

int64_t linux_preadv2(struct linux_thread *t, const uint64_t argument[6])
{
	return vector_flags(t, false, argument);
}

int64_t linux_pwritev2(struct linux_thread *t, const uint64_t argument[6])
{
	return vector_flags(t, true, argument);
}

/* -- the cursor */

#define SEEK_DATA 3u
#define SEEK_HOLE 4u

int64_t linux_lseek(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	int64_t offset = (int64_t)argument[1];
	uint32_t whence = (uint32_t)argument[2];
	struct description_info info;

	(void)t;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -ESPIPE : result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	if ((whence == SEEK_DATA || whence == SEEK_HOLE) && info.kind != DESCRIPTION_PLACE)
		return info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_LINK ? -ESPIPE : -EINVAL;
	if (whence > SEEK_HOLE)
		return -EINVAL;
	return description_seek(fd, offset, whence);
}
