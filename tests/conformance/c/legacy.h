/* Raw calls of older ports, as legacy(NAME, arguments...): where a port has only newer ones, those with the same meaning. */
#ifndef LEGACY_H
#define LEGACY_H
#include "case.h"
#ifdef SYS_open
#define legacy(name, ...) syscall(SYS_##name, __VA_ARGS__)
#else
static const struct timespec legacy_now;
#define legacy(name, ...) legacy_##name(__VA_ARGS__)
#define legacy_open(path, flags) syscall(SYS_openat, AT_FDCWD, path, flags, 0)
#define legacy_stat(path, status) syscall(SYS_newfstatat, AT_FDCWD, path, status, 0)
#define legacy_lstat(path, status) syscall(SYS_newfstatat, AT_FDCWD, path, status, AT_SYMLINK_NOFOLLOW)
#define legacy_access(path, mode) syscall(SYS_faccessat, AT_FDCWD, path, mode)
#define legacy_mkdir(path, mode) syscall(SYS_mkdirat, AT_FDCWD, path, mode)
#define legacy_rmdir(path) syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)
#define legacy_unlink(path) syscall(SYS_unlinkat, AT_FDCWD, path, 0)
#define legacy_rename(from, to) syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0)
#define legacy_link(from, to) syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0)
#define legacy_symlink(target, path) syscall(SYS_symlinkat, target, AT_FDCWD, path)
#define legacy_readlink(path, target, size) syscall(SYS_readlinkat, AT_FDCWD, path, target, size)
#define legacy_chmod(path, mode) syscall(SYS_fchmodat, AT_FDCWD, path, mode)
#define legacy_pipe(ends) syscall(SYS_pipe2, ends, 0)
#define legacy_poll(items, count, time) syscall(SYS_ppoll, items, count, &legacy_now, NULL, 8) /* time 0 only */
#define legacy_select(count, in, out, other, time) syscall(SYS_pselect6, count, in, out, other, NULL, NULL) /* no time only */
#define legacy_eventfd(value) syscall(SYS_eventfd2, value, 0)
#define legacy_epoll_wait(set, events, count, time) syscall(SYS_epoll_pwait, set, events, count, time, NULL, 8)
#endif
#endif
