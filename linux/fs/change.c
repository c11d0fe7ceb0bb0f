/* Making, linking and removing names. */
#include "linux/fs/name.h"

static uint32_t masked(struct linux_thread *t, uint32_t mode)
{
	return mode & ~__atomic_load_n(&t->process->umask, __ATOMIC_RELAXED);
}

static int64_t make_directory(struct linux_thread *t, int directory, uint64_t path, uint32_t mode)
{
	return name_operate(t, directory, path, true, (const uint64_t[3]){ FILE_MAKE_DIRECTORY, masked(t, mode & 01777) }, NULL, 0);
}

int64_t linux_mkdir(struct linux_thread *t, const uint64_t argument[6])
{
	return make_directory(t, LINUX_AT_FDCWD, argument[0], (uint32_t)argument[1]);
}

int64_t linux_mkdirat(struct linux_thread *t, const uint64_t argument[6])
{
	return make_directory(t, (int)argument[0], argument[1], (uint32_t)argument[2]);
}

static int64_t make_node(struct linux_thread *t, int directory, uint64_t path, uint32_t mode, uint64_t device)
{
	uint32_t type = mode & LINUX_S_IFMT;
	if (type == LINUX_S_IFDIR)
		return -EPERM;
	if (type == 0)
		type = LINUX_S_IFREG;
	return name_operate(t, directory, path, true, (const uint64_t[3]){ FILE_MAKE_NODE, type | masked(t, mode & 07777), device }, NULL, 0);
}

int64_t linux_mknod(struct linux_thread *t, const uint64_t argument[6])
{
	return make_node(t, LINUX_AT_FDCWD, argument[0], (uint32_t)argument[1], argument[2]);
}

int64_t linux_mknodat(struct linux_thread *t, const uint64_t argument[6])
{
	return make_node(t, (int)argument[0], argument[1], (uint32_t)argument[2], argument[3]);
}

static int64_t make_link(struct linux_thread *t, uint64_t target, int directory, uint64_t path)
{
	char text[FILE_PATH_MAX];
	int64_t length = user_string(t, text, target, sizeof text);
	if (length < 0)
		return length;
	if (length == 0)
		return -ENOENT;
	return name_operate(t, directory, path, true, (const uint64_t[3]){ FILE_SYMLINK }, text, (size_t)length);
}

int64_t linux_symlink(struct linux_thread *t, const uint64_t argument[6])
{
	return make_link(t, argument[0], LINUX_AT_FDCWD, argument[1]);
}

int64_t linux_symlinkat(struct linux_thread *t, const uint64_t argument[6])
{
	return make_link(t, argument[0], (int)argument[1], argument[2]);
}

static int64_t remove_name(struct linux_thread *t, int directory, uint64_t path, uint32_t flags)
{
	if (flags & ~LINUX_AT_REMOVEDIR)
		return -EINVAL;
	return name_operate(t, directory, path, true, (const uint64_t[3]){ FILE_UNLINK, flags & LINUX_AT_REMOVEDIR ? 1 : 0 }, NULL, 0);
}

int64_t linux_unlink(struct linux_thread *t, const uint64_t argument[6])
{
	return remove_name(t, LINUX_AT_FDCWD, argument[0], 0);
}

int64_t linux_rmdir(struct linux_thread *t, const uint64_t argument[6])
{
	return remove_name(t, LINUX_AT_FDCWD, argument[0], LINUX_AT_REMOVEDIR);
}

int64_t linux_unlinkat(struct linux_thread *t, const uint64_t argument[6])
{
	return remove_name(t, (int)argument[0], argument[1], (uint32_t)argument[2]);
}

/*
 * -- two names: link and rename. The server that holds both does the work. While the walks stand in different mounts they are led to their
 * parent directories first; if these lie on different devices, that is the answer.
 */

static bool same_place(const struct ns_walk *a, const struct ns_walk *b)
{
	return a->mount == b->mount;
}

static int64_t devices_differ(const struct ns_walk *a, const struct ns_walk *b)
{
	const struct ns *ns = a->ns;
	if (a->mount < 0 || b->mount < 0) /* outside the name space: the server will know */
		return a->mount == b->mount ? 0 : -EXDEV;
	return ns->mount[a->mount].root_device == ns->mount[b->mount].root_device ? 0 : -EXDEV;
}

static int64_t rename_names(struct linux_thread *t, int old_directory, uint64_t old_path, int new_directory, uint64_t new_path, uint32_t flags)
{
	struct ns_walk old, new;
	bool at_parents = false;

	if (flags & ~7u || (flags & 3u) == 3u || (flags & 6u) == 6u)
		return -EINVAL;
	int64_t result = name_begin(t, &old, old_directory, old_path, true, false);
	int64_t other = name_begin(t, &new, new_directory, new_path, true, false);
	if (result == 0)
		result = other;
	while (result == 0) {
		if (!same_place(&old, &new)) {
			if (at_parents) {
				result = devices_differ(&old, &new);
				if (result < 0)
					break;
			} else {
				at_parents = true;
				result = ns_walk_to_parent(&old);
				if (result == 0)
					result = ns_walk_to_parent(&new);
				if (result == 0)
					result = devices_differ(&old, &new);
				if (result < 0)
					break;
			}
		}
		result = ns_walk_prepare(&new);
		if (result < 0)
			break;
		if (new.path_length == 0) {
			result = flags & 1 ? -EEXIST : -EBUSY;
			break;
		}
		int temporary;
		int64_t port = ns_walk_port(&new, &temporary);
		if (port < 0) {
			result = port;
			break;
		}
		old.second = new.path;
		old.second_length = new.path_length;
		struct message message = { .word = { FILE_RENAME, flags }, .handle = { (handle_t)port }, .handle_count = 1 };
		int64_t step = ns_walk_step(&old, &message, 0);
		if (temporary)
			handle_close((handle_t)port);
		if (step == 2) {
			result = ns_walk_advance(&new, &message, old.reply, (uint32_t)message.receive_size);
		} else if (step == 0) {
			result = (int64_t)message.word[0];
			break;
		} else if (step < 0) {
			result = step;
		}
	}
	ns_walk_end(&old);
	ns_walk_end(&new);
	return result;
}

int64_t linux_rename(struct linux_thread *t, const uint64_t argument[6])
{
	return rename_names(t, LINUX_AT_FDCWD, argument[0], LINUX_AT_FDCWD, argument[1], 0);
}

int64_t linux_renameat(struct linux_thread *t, const uint64_t argument[6])
{
	return rename_names(t, (int)argument[0], argument[1], (int)argument[2], argument[3], 0);
}

int64_t linux_renameat2(struct linux_thread *t, const uint64_t argument[6])
{
	return rename_names(t, (int)argument[0], argument[1], (int)argument[2], argument[3], (uint32_t)argument[4]);
}

static int64_t link_names(struct linux_thread *t, int old_directory, uint64_t old_path, int new_directory, uint64_t new_path, uint32_t flags)
{
	struct ns_walk old, new;
	bool at_parent = false;

	if (flags & ~(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	int64_t result = name_begin(t, &old, old_directory, old_path, !(flags & LINUX_AT_SYMLINK_FOLLOW), flags & LINUX_AT_EMPTY_PATH);
	int own = result == 0 && flags & LINUX_AT_SYMLINK_FOLLOW ? name_own_descriptor(t, old.path) : -1;
	if (own >= 0) { /* the open file itself, which may have no name */
		ns_walk_end(&old);
		result = name_begin_text(t, &old, own, "", false, true);
	}
	int64_t other = name_begin(t, &new, new_directory, new_path, true, false);
	if (result == 0)
		result = ns_walk_to_node(&old, NULL, NULL);
	if (result == 0)
		result = ns_walk_identify(&old);
	if (result == 0)
		result = other;
	while (result == 0) {
		if (!same_place(&old, &new) && !at_parent) {
			at_parent = true;
			result = ns_walk_to_parent(&new);
			if (result < 0)
				break;
			if (!same_place(&old, &new)) {
				result = devices_differ(&old, &new);
				if (result < 0)
					break;
			}
		}
		struct message message = { .word = { FILE_LINK }, .handle = { old.base }, .handle_count = 1 };
		int64_t step = ns_walk_step(&new, &message, 0);
		if (step == 0) {
			result = (int64_t)message.word[0];
			break;
		}
		if (step != 1)
			result = step < 0 ? step : -EIO;
	}
	ns_walk_end(&old);
	ns_walk_end(&new);
	return result;
}

int64_t linux_link(struct linux_thread *t, const uint64_t argument[6])
{
	return link_names(t, LINUX_AT_FDCWD, argument[0], LINUX_AT_FDCWD, argument[1], 0);
}

int64_t linux_linkat(struct linux_thread *t, const uint64_t argument[6])
{
	return link_names(t, (int)argument[0], argument[1], (int)argument[2], argument[3], (uint32_t)argument[4]);
}
