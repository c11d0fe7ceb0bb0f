/* sync and its relatives, advice, and extended attributes, which no server keeps. */
#include "carillon/socket_protocol.h"
#include "linux/fs/name.h"

#define XATTR_NAME_MAX 255
#define ADVICE_LAST 5

int64_t linux_sync(struct linux_thread *t, const uint64_t argument[6])
{
	const struct ns *ns = &t->process->fs->ns;
	(void)argument;
	for (uint32_t i = 0; i < ns->mount_count; i++) {
		struct message message = { .word = { FILE_SYNC } };
		if (ns->mount[i].port >= 0)
			(void)port_call(ns->mount[i].port, &message, 0); /* sync has no way to fail */
	}
	struct message sockets = { .word = { SOCKET_SYNC } };
	if (t->process->record->socket_port >= 0)
		(void)port_call(t->process->record->socket_port, &sockets, 0);
	return 0;
}

static int64_t descriptor_sync(int fd)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result;
	switch (FILE_COOKIE_KIND(info.cookie)) {
	case FILE_KIND_PATH:
		return -EBADF;
	case FILE_KIND_REGULAR:
	case FILE_KIND_DIRECTORY:
		break;
	default:
		return -EINVAL;
	}
	result = descriptor_operate(fd, (const uint64_t[3]){ FILE_SYNC }, NULL, 0, NULL, NULL);
	return result == -ENOTCONN ? 0 : result < 0 ? result : 0; /* a memory file is where it belongs */
}

int64_t linux_fsync(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return descriptor_sync((int)argument[0]);
}

int64_t linux_fdatasync(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return descriptor_sync((int)argument[0]);
}

int64_t linux_syncfs(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	int64_t result = descriptor_sync((int)argument[0]);
	return result == -EINVAL ? 0 : result;
}

int64_t linux_sync_file_range(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t offset = (int64_t)argument[1], length = (int64_t)argument[2];
	struct description_info info;
	(void)t;
	int64_t result = descriptor_info((int)argument[0], &info);
	if (result < 0)
		return result;
	if ((uint32_t)argument[3] & ~7u || offset < 0 || length < 0)
		return -EINVAL;
	if (info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_LINK)
		return -ESPIPE;
	return descriptor_sync((int)argument[0]);
}

int64_t linux_fadvise64(struct linux_thread *t, const uint64_t argument[6])
{
	struct description_info info;
	(void)t;
	int64_t result = descriptor_info((int)argument[0], &info);
	if (result < 0 || FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return result == -EINVAL ? 0 : -EBADF;
	if (info.kind == DESCRIPTION_FLOW || info.kind == DESCRIPTION_LINK)
		return -ESPIPE;
	return (int64_t)argument[2] < 0 || (uint32_t)argument[3] > ADVICE_LAST ? -EINVAL : 0;
}

int64_t linux_readahead(struct linux_thread *t, const uint64_t argument[6])
{
	struct description_info info;
	(void)t;
	int64_t result = descriptor_info((int)argument[0], &info);
	if (result < 0)
		return result;
	if (!(info.rights & RIGHT_READ) || FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	return info.kind == DESCRIPTION_PLACE ? 0 : -EINVAL;
}

/*
 * -- extended attributes: none can be kept and so none exist. Names are resolved and checked all the same, so that a missing file is told as
 * such; get, set and remove then say EOPNOTSUPP, lists are empty: a Linux file system without them.
 */

static int64_t name_exists(struct linux_thread *t, uint64_t path, bool no_follow)
{
	return name_operate(t, LINUX_AT_FDCWD, path, no_follow, (const uint64_t[3]){ FILE_GETATTR }, NULL, 0);
}

static int64_t xattr_name(struct linux_thread *t, uint64_t address)
{
	char name[XATTR_NAME_MAX + 1];
	int64_t length = user_string(t, name, address, sizeof name);
	if (length < 0)
		return length == -ENAMETOOLONG ? -ERANGE : length;
	return length ? 0 : -ERANGE;
}

static int64_t xattr_of_name(struct linux_thread *t, const uint64_t argument[6], bool no_follow)
{
	int64_t result = xattr_name(t, argument[1]);
	if (result == 0)
		result = name_exists(t, argument[0], no_follow);
	return result < 0 ? result : -EOPNOTSUPP;
}

static int64_t xattr_of_descriptor(struct linux_thread *t, const uint64_t argument[6])
{
	int64_t result = descriptor_kind((int)argument[0]);
	if (result >= 0)
		result = xattr_name(t, argument[1]);
	return result < 0 ? result : -EOPNOTSUPP;
}

int64_t linux_setxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, false); }
int64_t linux_lsetxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, true); }
int64_t linux_fsetxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_descriptor(t, argument); }
int64_t linux_getxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, false); }
int64_t linux_lgetxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, true); }
int64_t linux_fgetxattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_descriptor(t, argument); }
int64_t linux_removexattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, false); }
int64_t linux_lremovexattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_name(t, argument, true); }
int64_t linux_fremovexattr(struct linux_thread *t, const uint64_t argument[6]) { return xattr_of_descriptor(t, argument); }

int64_t linux_listxattr(struct linux_thread *t, const uint64_t argument[6]) { return name_exists(t, argument[0], false); }
int64_t linux_llistxattr(struct linux_thread *t, const uint64_t argument[6]) { return name_exists(t, argument[0], true); }

int64_t linux_flistxattr(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	int64_t kind = descriptor_kind((int)argument[0]);
	return kind < 0 ? kind : 0;
}
