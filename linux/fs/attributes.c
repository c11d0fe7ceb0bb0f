/* Changing attributes: modes, owners, times, sizes. All are FILE_SETATTR on a name or on an open object. */
#include "abi/memory.h"
#include "linux/fs/name.h"

#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe
#define FALLOC_KEEP_SIZE 1u
#define FALLOC_PUNCH_HOLE 2u
#define FALLOC_ZERO_RANGE 0x10u

static int64_t set_name(struct linux_thread *t, int directory, uint64_t path, bool no_follow, const struct file_setattr *set)
{
	return name_operate(t, directory, path, no_follow, (const uint64_t[3]){ FILE_SETATTR }, set, sizeof *set);
}

static int64_t set_descriptor(int fd, const struct file_setattr *set)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	result = descriptor_operate(fd, (const uint64_t[3]){ FILE_SETATTR }, set, sizeof *set, NULL, NULL);
	return result == -ENOTCONN ? -EINVAL : result < 0 ? result : 0; /* pipes and memory files keep what they were made with */
}

/* The *at calls' AT_EMPTY_PATH: an empty path means the descriptor (or the working directory). */
static int64_t set_at(struct linux_thread *t, int directory, uint64_t path, uint32_t flags, const struct file_setattr *set)
{
	uint8_t first;
	if (flags & LINUX_AT_EMPTY_PATH && directory != LINUX_AT_FDCWD) {
		if (user_read(t, &first, path, 1))
			return -EFAULT;
		if (first == 0)
			return set_descriptor(directory, set);
	}
	if (flags & LINUX_AT_EMPTY_PATH) {
		struct ns_walk walk;
		struct message message = { .word = { FILE_SETATTR } };
		int64_t result = name_begin(t, &walk, directory, path, flags & LINUX_AT_SYMLINK_NOFOLLOW, true);
		if (result == 0) {
			walk.second = set;
			walk.second_length = sizeof *set;
			result = name_call(t, &walk, &message);
		}
		ns_walk_end(&walk);
		return result < 0 ? result : 0;
	}
	return set_name(t, directory, path, flags & LINUX_AT_SYMLINK_NOFOLLOW, set);
}

/* -- modes */

int64_t linux_chmod(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = { .valid = FILE_SET_MODE, .mode = (uint32_t)argument[1] & 07777 };
	return set_name(t, LINUX_AT_FDCWD, argument[0], false, &set);
}

int64_t linux_fchmod(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = { .valid = FILE_SET_MODE, .mode = (uint32_t)argument[1] & 07777 };
	struct description_info info;
	(void)t;
	if (descriptor_info((int)argument[0], &info) == 0 && FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	return set_descriptor((int)argument[0], &set);
}

int64_t linux_fchmodat(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = { .valid = FILE_SET_MODE, .mode = (uint32_t)argument[2] & 07777 };
	return set_name(t, (int)argument[0], argument[1], false, &set);
}

/* -- owners; -1 leaves one as it is */

static struct file_setattr owner_set(uint64_t user, uint64_t group)
{
	return (struct file_setattr){ .valid = ((uint32_t)user != UINT32_MAX ? FILE_SET_USER : 0) | ((uint32_t)group != UINT32_MAX ? FILE_SET_GROUP : 0),
		.user = (uint32_t)user, .group = (uint32_t)group };
}

int64_t linux_chown(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = owner_set(argument[1], argument[2]);
	return set_name(t, LINUX_AT_FDCWD, argument[0], false, &set);
}

int64_t linux_lchown(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = owner_set(argument[1], argument[2]);
	return set_name(t, LINUX_AT_FDCWD, argument[0], true, &set);
}

int64_t linux_fchown(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = owner_set(argument[1], argument[2]);
	struct description_info info;
	(void)t;
	if (descriptor_info((int)argument[0], &info) == 0 && FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	return set_descriptor((int)argument[0], &set);
}

int64_t linux_fchownat(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = owner_set(argument[2], argument[3]);
	uint32_t flags = (uint32_t)argument[4];
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	return set_at(t, (int)argument[0], argument[1], flags, &set);
}

/* -- times */

/* One half of the pair. False: a value out of range. */
static bool time_set(struct linux_timespec time, uint32_t explicit, uint32_t now, uint32_t *valid, uint64_t *value)
{
	if (time.nanoseconds == UTIME_OMIT)
		return true;
	if (time.nanoseconds == UTIME_NOW) {
		*valid |= explicit | now;
		return true;
	}
	if (time.nanoseconds < 0 || time.nanoseconds >= (int64_t)NANOSECONDS)
		return false;
	int64_t nanoseconds;
	/* beyond the range of the protocol's word the time is cut, as file systems cut what they cannot hold */
	if (__builtin_mul_overflow(time.seconds, (int64_t)NANOSECONDS, &nanoseconds) ||
		__builtin_add_overflow(nanoseconds, time.nanoseconds, &nanoseconds))
		nanoseconds = time.seconds < 0 ? INT64_MIN : INT64_MAX;
	*valid |= explicit;
	*value = (uint64_t)nanoseconds;
	return true;
}

/* path 0: the descriptor itself. times NULL: now. */
static int64_t times_set(struct linux_thread *t, int directory, uint64_t path, const struct linux_timespec times[2], uint32_t flags)
{
	struct file_setattr set = { .valid = FILE_SET_ACCESS_TIME | FILE_SET_ACCESS_NOW | FILE_SET_MODIFY_TIME | FILE_SET_MODIFY_NOW };

	if (times) {
		set.valid = 0;
		if (!time_set(times[0], FILE_SET_ACCESS_TIME, FILE_SET_ACCESS_NOW, &set.valid, &set.access_time) ||
			!time_set(times[1], FILE_SET_MODIFY_TIME, FILE_SET_MODIFY_NOW, &set.valid, &set.modify_time))
			return -EINVAL;
		if (!set.valid)
			return 0;
	}
	if (path)
		return set_at(t, directory, path, flags, &set);
	if (directory == LINUX_AT_FDCWD)
		return -EFAULT;
	return flags ? -EINVAL : set_descriptor(directory, &set);
}

int64_t linux_utimensat(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_timespec times[2];
	uint32_t flags = (uint32_t)argument[3];
	if (argument[2] && user_read(t, times, argument[2], sizeof times))
		return -EFAULT;
	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	return times_set(t, (int)argument[0], argument[1], argument[2] ? times : NULL, flags);
}

static int64_t times_micro(struct linux_thread *t, int directory, uint64_t path, uint64_t address)
{
	struct linux_timeval values[2];
	struct linux_timespec times[2];
	if (!address)
		return times_set(t, directory, path, NULL, 0);
	if (user_read(t, values, address, sizeof values))
		return -EFAULT;
	for (int i = 0; i < 2; i++) {
		if (values[i].microseconds < 0 || values[i].microseconds >= 1000000)
			return -EINVAL;
		times[i] = (struct linux_timespec){ values[i].seconds, values[i].microseconds * 1000 };
	}
	return times_set(t, directory, path, times, 0);
}

int64_t linux_utimes(struct linux_thread *t, const uint64_t argument[6])
{
	return times_micro(t, LINUX_AT_FDCWD, argument[0], argument[1]);
}

int64_t linux_futimesat(struct linux_thread *t, const uint64_t argument[6])
{
	return times_micro(t, (int)argument[0], argument[1], argument[2]);
}

int64_t linux_utime(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t seconds[2];
	if (!argument[1])
		return times_set(t, LINUX_AT_FDCWD, argument[0], NULL, 0);
	if (user_read(t, seconds, argument[1], sizeof seconds))
		return -EFAULT;
	const struct linux_timespec times[2] = { { seconds[0], 0 }, { seconds[1], 0 } };
	return times_set(t, LINUX_AT_FDCWD, argument[0], times, 0);
}

/* -- sizes */

int64_t linux_truncate(struct linux_thread *t, const uint64_t argument[6])
{
	struct file_setattr set = { .valid = FILE_SET_SIZE, .size = argument[1] };
	if ((int64_t)argument[1] < 0)
		return -EINVAL;
	int64_t result = size_check(t, 0, argument[1]);
	return result < 0 ? result : set_name(t, LINUX_AT_FDCWD, argument[0], false, &set);
}

/* A file open for writing: 0, or Linux's error. The state of its memory goes to *memory if that is not NULL. */
static int64_t writable_file(int fd, int64_t no_right, int64_t no_file, struct memobj_info *memory)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? no_file : result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	if (!(info.rights & RIGHT_WRITE))
		return no_right;
	if (info.kind != DESCRIPTION_PLACE)
		return (info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_LINK) && no_file != -EINVAL ? -ESPIPE : no_file;
	if (!memory)
		return 0;
	int64_t memobj = description_memobj(fd);
	if (memobj < 0)
		return memobj;
	result = memobj_get((handle_t)memobj, memory);
	handle_close((handle_t)memobj);
	return result;
}

/* By the server, which keeps times; a memory file's object is changed directly. */
static int64_t resize(int fd, uint64_t size)
{
	struct file_setattr set = { .valid = FILE_SET_SIZE, .size = size };
	int64_t result = descriptor_operate(fd, (const uint64_t[3]){ FILE_SETATTR }, &set, sizeof set, NULL, NULL);
	if (result != -ENOTCONN)
		return result < 0 ? result : 0;
	int64_t memobj = description_memobj(fd);
	if (memobj < 0)
		return memobj;
	result = memobj_resize((handle_t)memobj, size);
	handle_close((handle_t)memobj);
	return result;
}

int64_t linux_ftruncate(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	struct memobj_info memory = { 0 };
	if ((int64_t)argument[1] < 0)
		return -EINVAL;
	int64_t result = writable_file(fd, -EINVAL, -EINVAL, size_limited(t->process) ? &memory : NULL);
	if (result >= 0)
		result = size_check(t, memory.size, argument[1]);
	return result < 0 ? result : resize(fd, argument[1]);
}

/* Memory is given when it is touched, so reserving is a matter of the size alone; a full budget is told at the write. */
int64_t linux_fallocate(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	uint32_t mode = (uint32_t)argument[1];
	int64_t offset = (int64_t)argument[2], length = (int64_t)argument[3], end;
	struct memobj_info memory;

	(void)t;
	int64_t result = writable_file(fd, -EBADF, -ENODEV, &memory);
	if (result < 0)
		return result;
	uint64_t size = memory.size;
	if (offset < 0 || length <= 0)
		return -EINVAL;
	if (mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) ||
		(mode & FALLOC_PUNCH_HOLE && mode != (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE)))
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(offset, length, &end))
		return -EFBIG;
	if (!(mode & FALLOC_PUNCH_HOLE) && memory.seals & SEAL_GROW && (uint64_t)end > size)
		return -EPERM;
	if (!(mode & FALLOC_KEEP_SIZE) && (result = size_check(t, size, (uint64_t)end)) < 0)
		return result;
	if (mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE) && (uint64_t)offset < size) {
		int64_t memobj = description_memobj(fd);
		if (memobj < 0)
			return memobj;
		result = memobj_zero((handle_t)memobj, (uint64_t)offset, MINIMUM((uint64_t)end, size) - (uint64_t)offset);
		handle_close((handle_t)memobj);
		if (result < 0)
			return result;
	}
	return mode & FALLOC_KEEP_SIZE || (uint64_t)end <= size ? 0 : resize(fd, (uint64_t)end);
}
