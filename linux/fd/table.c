/* The descriptor table: close, dup, fcntl. */
#include "abi/memory.h"
#include "linux/fd/descriptor.h"

#define F_DUPFD 0
#define F_GETFD 1
#define F_SETFD 2
#define F_GETFL 3
#define F_SETFL 4
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_SETOWN 8
#define F_GETOWN 9
#define F_SETSIG 10
#define F_GETSIG 11
#define F_OFD_GETLK 36
#define F_OFD_SETLK 37
#define F_OFD_SETLKW 38
#define F_DUPFD_CLOEXEC 1030
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#define FD_CLOEXEC 1u
#define FIFO_SIZE 65536
#define PIPE_SIZE_MAX (1u << 20)
#define CLOSE_RANGE_UNSHARE 2u
#define CLOSE_RANGE_CLOEXEC 4u

int64_t linux_close(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	if (!descriptor_valid(fd))
		return -EBADF;
	lock_closing(t, fd);
	return handle_close(fd);
}

int64_t linux_close_range(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t first = (uint32_t)argument[0], last = (uint32_t)argument[1], flags = (uint32_t)argument[2];
	if (flags & ~(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & CLOSE_RANGE_UNSHARE) { /* threads of one process always share */
		int64_t unshared = process_unshare();
		if (unshared < 0 && unshared != -EBUSY)
			return unshared;
	}
	if (first >= HANDLE_HIGH)
		return 0;
	if (!(flags & CLOSE_RANGE_CLOEXEC))
		lock_closing_range(t, first, last, false);
	int64_t result = handle_close_range(first, MINIMUM(last, (uint32_t)HANDLE_HIGH - 1), flags & CLOSE_RANGE_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
	return result == -EBADF ? 0 : result; /* an empty range is no error */
}

/* The first number beyond RLIMIT_NOFILE */
static uint64_t descriptor_limit(struct linux_thread *t)
{
	uint64_t limit = t->process->limits[LINUX_RLIMIT_NOFILE][0];
	return MINIMUM(limit, (uint64_t)HANDLE_HIGH);
}

static int64_t duplicate(struct linux_thread *t, int fd, uint64_t minimum, uint32_t options)
{
	(void)t;
	if (!descriptor_valid(fd))
		return -EBADF;
	return handle_duplicate(fd, (uint32_t)minimum, 0, options);
}

int64_t linux_dup(struct linux_thread *t, const uint64_t argument[6])
{
	return duplicate(t, (int)argument[0], 0, 0);
}

static int64_t replace(struct linux_thread *t, int fd, int target, uint32_t options)
{
	int64_t kind = descriptor_kind(fd);
	if (kind < 0 || target < 0 || (uint64_t)target >= descriptor_limit(t))
		return -EBADF;
	lock_closing(t, target);
	int64_t result = handle_replace(fd, (uint32_t)target, options);
	return result < 0 ? result : target;
}

int64_t linux_dup2(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], target = (int)argument[1];
	if (fd == target) {
		int64_t kind = descriptor_kind(fd);
		return kind < 0 ? kind : fd;
	}
	return replace(t, fd, target, 0);
}

int64_t linux_dup3(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], target = (int)argument[1];
	uint32_t flags = (uint32_t)argument[2];
	if (flags & ~LINUX_O_CLOEXEC || fd == target)
		return -EINVAL;
	return replace(t, fd, target, flags & LINUX_O_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
}

static int64_t set_flags(int fd, const struct description_info *info, uint32_t flags)
{
	if (flags & LINUX_O_DIRECT && info->kind == DESCRIPTION_PLACE && FILE_COOKIE_FLAGS(info->cookie) & LINUX_O_DIRECT)
		flags &= ~LINUX_O_DIRECT; /* opened with it, as file systems in memory allow: nothing is new */
	if (flags & LINUX_O_ASYNC)
		return -EINVAL; /* nobody sends SIGIO */
	/* O_DIRECT is for pipes, whose writes it makes packets; of anything else the kernel refuses it: all files are cached */
	uint32_t value = (flags & LINUX_O_APPEND ? DESCRIPTION_APPEND : 0) | (flags & LINUX_O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0) |
		(flags & LINUX_O_DIRECT ? DESCRIPTION_PACKETS : 0);
	return description_set_flags(fd, DESCRIPTION_APPEND | DESCRIPTION_NON_BLOCKING | DESCRIPTION_PACKETS, value);
}

/* A named pipe: its server has a buffer of fixed size. */
static bool is_fifo(const struct description_info *info)
{
	return info->kind == DESCRIPTION_SERVICE && FILE_COOKIE_KIND(info->cookie) == FILE_KIND_PIPE;
}

static int64_t set_pipe_size(int fd, const struct description_info *info, uint32_t wanted)
{
	uint64_t size = PAGE_SIZE;
	if (info->kind != DESCRIPTION_FLOW && !is_fifo(info))
		return -EBADF;
	if (wanted > 1u << 31)
		return -EINVAL;
	while (size < wanted)
		size *= 2;
	if (is_fifo(info))
		return size <= FIFO_SIZE ? FIFO_SIZE : -EPERM;
	if (size > PIPE_SIZE_MAX)
		return -EPERM;
	return description_set_capacity(fd, size);
}

/* Seals of a memory file; the kernel keeps them with the memory. Files that have a server have none. */
static int64_t seal(int fd, const struct description_info *info, bool add, uint32_t seals)
{
	struct memobj_info memory;
	if (add && !(info->rights & RIGHT_WRITE))
		return -EPERM;
	if (add && seals & ~SEAL_ALL)
		return -EINVAL;
	if (!memory_file(fd, info))
		return -EINVAL;
	int64_t memobj = description_memobj(fd);
	if (memobj < 0)
		return memobj;
	int64_t result = memobj_get((handle_t)memobj, &memory);
	if (result >= 0 && add && seals & SEAL_EXECUTE && !(memory.seals & SEAL_EXECUTE)) /* it can be executed, so its code is to stay */
		seals |= SEAL_SHRINK | SEAL_GROW | SEAL_WRITE | SEAL_FUTURE_WRITE;
	if (result >= 0)
		result = add ? memobj_seal((handle_t)memobj, seals) : memory.seals;
	handle_close((handle_t)memobj);
	return result;
}

int64_t linux_fcntl(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0], command = (int)argument[1];
	uint64_t value = argument[2];
	struct description_info info = { 0 };
	struct handle_info handle;

	if (!descriptor_valid(fd))
		return -EBADF;
	switch (command) { /* what works on every kind of handle */
	case F_DUPFD:
	case F_DUPFD_CLOEXEC: {
		int64_t kind = descriptor_kind(fd);
		if (kind < 0)
			return kind;
		if ((uint32_t)value >= descriptor_limit(t))
			return -EINVAL;
		return duplicate(t, fd, (uint32_t)value, command == F_DUPFD_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
	}
	case F_GETFD:
		if (handle_get(fd, &handle) < 0)
			return -EBADF;
		return handle.options & HANDLE_CLOSE_ON_EXEC ? FD_CLOEXEC : 0;
	case F_SETFD:
		return handle_set_options(fd, value & FD_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
	default:
		break;
	}
	int64_t result = descriptor_info(fd, &info);
	if (result == -EINVAL) { /* an epoll descriptor */
		if (command == F_GETFL)
			return LINUX_O_RDWR;
		return command == F_SETFL ? 0 : -EINVAL;
	}
	if (result < 0)
		return result;
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH && command != F_GETFL)
		return -EBADF;
	switch (command) {
	case F_GETFL:
		return descriptor_flags(&info);
	case F_SETFL:
		return set_flags(fd, &info, (uint32_t)value);
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_record(t, fd, &info, command, value);
	case F_GETOWN:
	case F_GETSIG:
		return 0;
	case F_SETOWN: /* nobody sends SIGIO: only "no owner" is true */
	case F_SETSIG:
		return value == 0 ? 0 : -EINVAL;
	case F_GETPIPE_SZ:
		return is_fifo(&info) ? FIFO_SIZE : info.kind == DESCRIPTION_FLOW ? (int64_t)info.capacity : -EBADF;
	case F_ADD_SEALS:
	case F_GET_SEALS:
		return seal(fd, &info, command == F_ADD_SEALS, (uint32_t)value);
	case F_SETPIPE_SZ:
		return set_pipe_size(fd, &info, (uint32_t)value);
	default:
		return -EINVAL;
	}
}
