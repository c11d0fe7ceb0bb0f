/*
 * Names: from a program's path argument to a walk (user/ns), and what all calls with paths share.
 * struct ns_walk is 14 KiB and lives on the library's stack (64 KiB): at most two at a time, none in recursion.
 */
#ifndef LINUX_FS_NAME_H
#define LINUX_FS_NAME_H
#include "linux/fd/descriptor.h"
#include "linux/linux.h"
#include "user/ns/ns.h"

#define LINUX_AT_SYMLINK_FOLLOW 0x400u
#define LINUX_AT_REMOVEDIR 0x200u
#define LINUX_AT_EACCESS 0x200u
#define LINUX_AT_NO_AUTOMOUNT 0x800u
#define LINUX_AT_STATX_SYNC_TYPE 0x6000u
#define LINUX_S_IFIFO 0010000u
#define LINUX_S_IFCHR 0020000u
#define LINUX_S_IFLNK 0120000u
#define LINUX_S_IFSOCK 0140000u

struct linux_fs { struct ns ns; };

/*
 * Begin a walk of the program's path at address. allow_empty: AT_EMPTY_PATH; then directory itself may be meant and be of any kind. Always to
 * be ended by ns_walk_end, also after an error. -EFAULT, -ENAMETOOLONG, -ENOENT, -EBADF, -ENOTDIR.
 */
int64_t name_begin(struct linux_thread *t, struct ns_walk *walk, int directory, uint64_t address, bool no_follow, bool allow_empty);
/* The same with a path in library memory. */
int64_t name_begin_text(struct linux_thread *t, struct ns_walk *walk, int directory, const char *path, bool no_follow, bool allow_empty);
/* ns_walk_call, repeated when an interrupt turns out to be nothing to deliver. */
int64_t name_call(struct linux_thread *t, struct ns_walk *walk, struct message *message);
/* name_begin, one operation of up to three words with operation data, ns_walk_end; for calls that want no reply but success. */
int64_t name_operate(struct linux_thread *t, int directory, uint64_t address, bool no_follow, const uint64_t word[3],
	const void *second, size_t second_length);
/*
 * An operation with an empty path on an open descriptor's object. -ENOTCONN: it has no server. buffer gets the reply's range, *size its room
 * and then its length (buffer may be NULL).
 */
int64_t descriptor_operate(int fd, const uint64_t word[3], const void *second, size_t second_length, void *buffer, size_t *size);
/* The descriptor of this process that a path like /proc/self/fd/3 means, or -1. */
int name_own_descriptor(const struct linux_thread *t, const char *path);
#endif
