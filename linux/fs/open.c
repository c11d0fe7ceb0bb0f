/* open and its relatives. The server makes the description; here are flags, close-on-exec and the number. */
#include "linux/fs/name.h"

#define PATH_FLAGS (LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC)
#define OPEN_HOW_MAX 4096u
#define RESOLVE_KNOWN 0x3ful

/*
 * Reopening a descriptor of our own by name. Linux's links in /proc/self/fd lead to the open object itself, which no text can say, so
 * they are known here (and by linkat): files get a cursor and flags of their own, anything else shares the description (as on BSD and Plan 9). Returns the
 * descriptor, or -1: another name.
 */
int name_own_descriptor(const struct linux_thread *t, const char *path)
{
	if (path[0] != '/' || (path[1] != 'd' && path[1] != 'p')) /* neither /dev nor /proc: nearly all */
		return -1;
	static const char prefixes[][16] = { "/dev/fd/", "/proc/self/fd/" };
	if (!strcmp(path, "/dev/stdin"))
		return 0;
	if (!strcmp(path, "/dev/stdout"))
		return 1;
	if (!strcmp(path, "/dev/stderr"))
		return 2;
	char own[40] = "/proc/";
	size_t own_length = 6 + text_decimal(own + 6, t->process->pid);
	own_length += text_copy(own + own_length, "/fd/", 8);
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t length = strlen(prefixes[i]);
		if (strncmp(path, prefixes[i], length)) {
			if (i || strncmp(path, own, own_length))
				continue;
			length = own_length;
		}
		if (!path[length])
			continue;
		int number = 0;
		for (const char *digit = path + length; *digit; digit++) {
			if (*digit < '0' || *digit > '9' || number >= 100000000)
				return -1;
			number = number * 10 + *digit - '0';
		}
		return number;
	}
	return -1;
}

/* Another description of the same open file, with its own cursor. */
static int64_t reopen_place(int fd, const struct description_info *info, uint32_t flags, uint32_t rights, uint32_t minimum)
{
	int64_t memobj = description_memobj(fd), control = description_client(fd);
	int64_t result = memobj;

	if (memobj >= 0) {
		struct description_request request = {
			.kind = DESCRIPTION_PLACE, .flags = flags & LINUX_O_APPEND ? DESCRIPTION_APPEND : 0, .memobj = (handle_t)memobj,
			.sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = control < 0 ? HANDLE_NONE : (handle_t)control, .event = HANDLE_NONE,
			.rights = rights, .cookie = FILE_COOKIE(FILE_COOKIE_KIND(info->cookie), flags & ~LINUX_O_CLOEXEC),
		};
		result = description_create(&request);
		handle_close((handle_t)memobj);
	}
	if (control >= 0)
		handle_close((handle_t)control);
	return result < 0 ? result : descriptor_install((handle_t)result, minimum, flags & LINUX_O_CLOEXEC);
}

static int64_t reopen(int fd, uint32_t flags, uint32_t minimum)
{
	struct description_info info;
	uint32_t access = flags & LINUX_O_ACCMODE;

	if (descriptor_info(fd, &info) < 0)
		return -ENOENT;
	if ((flags & (LINUX_O_CREAT | LINUX_O_EXCL)) == (LINUX_O_CREAT | LINUX_O_EXCL))
		return -EEXIST;
	if (flags & LINUX_O_DIRECTORY && FILE_COOKIE_KIND(info.cookie) != FILE_KIND_DIRECTORY)
		return -ENOTDIR;
	uint32_t wanted = (access != LINUX_O_WRONLY ? RIGHT_READ : 0) | (access != LINUX_O_RDONLY ? RIGHT_WRITE : 0);
	if (wanted & ~info.rights)
		return -EACCES;
	if (info.kind == DESCRIPTION_PLACE)
		return reopen_place(fd, &info, flags, wanted, minimum);
	uint32_t rights = (info.rights & ~(RIGHT_READ | RIGHT_WRITE)) | wanted;
	return handle_duplicate(fd, minimum, rights, flags & LINUX_O_CLOEXEC ? HANDLE_CLOSE_ON_EXEC : 0);
}

/*
 * The message's handle_minimum cannot say 0 (it stands for the high range), so the lowest descriptor is asked for directly only when 0 is
 * taken, which it nearly always is.
 */
static uint32_t receive_minimum(uint32_t minimum)
{
	struct handle_info info;
	if (minimum)
		return minimum;
	return handle_get(0, &info) == 0 ? 1 : HANDLE_HIGH;
}

/* walk has begun */
static int64_t open_walk(struct linux_thread *t, struct ns_walk *walk, uint32_t flags, uint32_t mode, uint32_t minimum)
{
	bool created = flags & LINUX_O_CREAT || (flags & LINUX_O_TMPFILE) == LINUX_O_TMPFILE;
	uint32_t umask = __atomic_load_n(&t->process->umask, __ATOMIC_RELAXED);
	struct message message = {
		.word = { FILE_OPEN, flags & ~LINUX_O_CLOEXEC, created ? mode & 07777 & ~umask : 0 },
		.handle_minimum = receive_minimum(minimum),
	};

	int64_t result = name_call(t, walk, &message);
	if (result < 0)
		return result == -ESTALE ? -ENOENT : result;
	if (message.handle_count != 1 || message.handle[0] < 0) {
		for (uint32_t i = 0; i < message.handle_count && i < MESSAGE_HANDLES; i++)
			handle_close(message.handle[i]);
		return -EIO;
	}
	handle_t handle = message.handle[0];
	if ((message.word[2] & LINUX_S_IFMT) == LINUX_S_IFLNK && !(flags & LINUX_O_PATH)) {
		handle_close(handle);
		return -ELOOP;
	}
	return descriptor_install(handle, minimum, flags & LINUX_O_CLOEXEC);
}

static int64_t open_begun(struct linux_thread *t, struct ns_walk *walk, int64_t begun, uint32_t flags, uint32_t mode, uint32_t minimum)
{
	if (begun < 0)
		return begun;
	if (flags & LINUX_O_PATH)
		flags &= PATH_FLAGS;
	else if (flags & LINUX_O_TMPFILE & ~LINUX_O_DIRECTORY &&
		((flags & (LINUX_O_TMPFILE | LINUX_O_CREAT)) != LINUX_O_TMPFILE || (flags & LINUX_O_ACCMODE) == LINUX_O_RDONLY))
		return -EINVAL;
	int fd = flags & LINUX_O_PATH ? -1 : name_own_descriptor(t, walk->path);
	if (fd >= 0)
		return reopen(fd, flags, minimum);
	return open_walk(t, walk, flags, mode, minimum);
}

static bool no_follow(uint32_t flags)
{
	return flags & LINUX_O_NOFOLLOW || (flags & (LINUX_O_CREAT | LINUX_O_EXCL)) == (LINUX_O_CREAT | LINUX_O_EXCL);
}

int64_t name_open(struct linux_thread *t, int directory, const char *path, uint32_t flags, uint32_t mode, uint32_t handle_minimum)
{
	struct ns_walk walk;
	int64_t result = name_begin_text(t, &walk, directory, path, no_follow(flags), false);
	result = open_begun(t, &walk, result, flags, mode, handle_minimum);
	ns_walk_end(&walk);
	return result;
}

static int64_t open_user(struct linux_thread *t, int directory, uint64_t path, uint32_t flags, uint32_t mode)
{
	struct ns_walk walk;
	flags |= LINUX_O_LARGEFILE; /* as Linux's 64-bit open adds it: F_GETFL tells it */
	int64_t result = name_begin(t, &walk, directory, path, no_follow(flags), false);
	result = open_begun(t, &walk, result, flags, mode, 0);
	ns_walk_end(&walk);
	return result;
}

int64_t linux_open(struct linux_thread *t, const uint64_t argument[6])
{
	return open_user(t, LINUX_AT_FDCWD, argument[0], (uint32_t)argument[1], (uint32_t)argument[2]);
}

int64_t linux_openat(struct linux_thread *t, const uint64_t argument[6])
{
	return open_user(t, (int)argument[0], argument[1], (uint32_t)argument[2], (uint32_t)argument[3]);
}

int64_t linux_creat(struct linux_thread *t, const uint64_t argument[6])
{
	return open_user(t, LINUX_AT_FDCWD, argument[0], LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, (uint32_t)argument[1]);
}

int64_t linux_openat2(struct linux_thread *t, const uint64_t argument[6])
{
	struct { uint64_t flags, mode, resolve; } how;
	uint64_t size = argument[3];

	if (size < sizeof how)
		return -EINVAL;
	if (size > OPEN_HOW_MAX)
		return -E2BIG;
	if (user_read(t, &how, argument[2], sizeof how))
		return -EFAULT;
	for (uint64_t at = sizeof how; at < size; at++) { /* newer fields must be zero */
		uint8_t byte;
		if (user_read(t, &byte, argument[2] + at, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	if (how.flags >> 32 || how.mode & ~07777ul || (how.mode && !(how.flags & LINUX_O_CREAT) &&
		(how.flags & LINUX_O_TMPFILE) != LINUX_O_TMPFILE))
		return -EINVAL;
	if (how.resolve & ~RESOLVE_KNOWN)
		return -EINVAL;
	if (how.resolve)
		return -ENOSYS; /* the restrictions are not offered; programs then check by themselves */
	return open_user(t, (int)argument[0], argument[1], (uint32_t)how.flags, (uint32_t)how.mode);
}
