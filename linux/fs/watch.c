/* inotify: a queue of the root's server (servers/fs/watch.h), to which nodes are named by their ports. */
#include "linux/fs/name.h"

#define IN_DONT_FOLLOW 0x02000000u

static int64_t create(struct linux_thread *t, uint32_t flags)
{
	struct ns_walk walk;
	if (flags & ~(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
		return -EINVAL;
	struct message message = { .word = { FILE_WATCH_CREATE, flags } };
	int64_t result = name_begin_text(t, &walk, LINUX_AT_FDCWD, "/", false, false);
	if (result == 0)
		result = ns_walk_to_node(&walk, NULL, NULL);
	if (result == 0)
		result = ns_call(walk.base, 0, &message, 0);
	ns_walk_end(&walk);
	if (result == 0)
		result = (int64_t)message.word[0];
	if (result < 0)
		return result;
	return message.handle_count ? descriptor_install(message.handle[0], 0, flags & LINUX_O_CLOEXEC) : -EIO;
}

int64_t linux_inotify_init(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	return create(t, 0);
}

int64_t linux_inotify_init1(struct linux_thread *t, const uint64_t argument[6])
{
	return create(t, (uint32_t)argument[0]);
}

/* fd is a queue: 0, -EBADF, -EINVAL. */
static int64_t queue_check(int fd)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	return FILE_COOKIE_KIND(info.cookie) == FILE_KIND_WATCH ? 0 : -EINVAL;
}

static int64_t queue_call(int fd, struct message *message)
{
	int64_t result = ns_call(fd, 1, message, 0);
	return result < 0 ? result : (int64_t)message->word[0];
}

int64_t linux_inotify_add_watch(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	uint32_t mask = (uint32_t)argument[2];
	struct ns_walk walk;

	int64_t result = mask ? queue_check(fd) : -EINVAL;
	if (result < 0)
		return result;
	result = name_begin(t, &walk, LINUX_AT_FDCWD, argument[1], mask & IN_DONT_FOLLOW, false);
	if (result == 0)
		result = ns_walk_to_node(&walk, NULL, NULL);
	if (result == 0) {
		struct message message = { .word = { FILE_WATCH_ADD, mask }, .handle = { walk.base }, .handle_count = 1 };
		result = queue_call(fd, &message);
		if (result == 0)
			result = (int64_t)message.word[1];
	}
	ns_walk_end(&walk);
	return result;
}

int64_t linux_inotify_rm_watch(struct linux_thread *t, const uint64_t argument[6])
{
	int fd = (int)argument[0];
	struct message message = { .word = { FILE_WATCH_REMOVE, (uint32_t)argument[1] } };
	(void)t;
	int64_t result = queue_check(fd);
	return result < 0 ? result : queue_call(fd, &message);
}
