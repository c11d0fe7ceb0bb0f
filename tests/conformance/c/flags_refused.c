/* Flags and commands that do not exist, and corners that may be absent: always an error, and the one that programs expect. */
#include "legacy.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>

#ifndef RENAME_EXCHANGE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif
#ifndef FALLOC_FL_COLLAPSE_RANGE
#define FALLOC_FL_COLLAPSE_RANGE 8
#endif
#define raw(name, ...) show_result(#name "(" #__VA_ARGS__ ")", syscall(SYS_##name, __VA_ARGS__))
static char bytes[4096];

int main(void)
{
	int end[2], pair[2], other[2];
	struct iovec piece = { bytes, 1 };
	must(pipe(end));
	must(pipe(other));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	int file = must(open("file", O_RDWR | O_CREAT, 0600)), directory = must(open(".", O_RDONLY | O_DIRECTORY)), path = must(open("file", O_PATH));
	int counter = must(eventfd(0, 0)), timer = must(timerfd_create(CLOCK_MONOTONIC, 0)), watch = must(inotify_init()), poll_set = must(epoll_create1(0));
	must(write(file, "content", 7));

	puts("- making descriptors");
	raw(pipe2, other, 0x10);
	raw(pipe2, other, O_APPEND);
	raw(dup3, file, 100, 0x10);
	raw(dup3, file, 100, O_NONBLOCK);
	raw(eventfd2, 0, 0x10);
	raw(epoll_create1, 1);
	raw(epoll_create1, O_NONBLOCK);
	raw(inotify_init1, 1);
	raw(signalfd4, -1, &(uint64_t){ 0 }, 8, 1);
	raw(signalfd4, -1, &(uint64_t){ 0 }, 4, 0);
	raw(timerfd_create, 1, 1);
	raw(timerfd_create, 99, 0);
	raw(timerfd_settime, timer, 8, &(struct itimerspec){ 0 }, 0);
	raw(memfd_create, "x", 0x100);
	raw(socket, AF_UNIX, SOCK_STREAM | 0x100, 0);
	raw(socketpair, AF_UNIX, SOCK_STREAM | 0x100, 0, other);
	raw(accept4, pair[0], 0, 0, 1);
	raw(close_range, 200, 300, 8);
	raw(close_range, 300, 200, 0);

	puts("- opening");
	struct { uint64_t flags, mode, resolve, more; } how = { 0 };
	raw(openat2, AT_FDCWD, "file", &how, 8);
	how.flags = 1ull << 40;
	raw(openat2, AT_FDCWD, "file", &how, 24);
	how.flags = O_RDONLY;
	how.mode = 0600;
	raw(openat2, AT_FDCWD, "file", &how, 24);
	how.mode = 0;
	how.more = 1;
	raw(openat2, AT_FDCWD, "file", &how, 32);
	how.more = 0;
	how.resolve = 0x100;
	raw(openat2, AT_FDCWD, "file", &how, 24);
	raw(openat, AT_FDCWD, "file", O_DIRECTORY);
	raw(openat, AT_FDCWD, "file", O_DIRECTORY | O_CREAT, 0600);
	raw(openat, AT_FDCWD, ".", O_WRONLY);
	raw(openat, AT_FDCWD, ".", O_TMPFILE & ~O_DIRECTORY, 0600);
	raw(openat, AT_FDCWD, ".", O_TMPFILE | O_RDONLY, 0600);
	raw(openat, AT_FDCWD, "file", O_TMPFILE | O_RDWR, 0600);
	raw(openat, AT_FDCWD, "none", O_TMPFILE | O_RDWR, 0600);

	puts("- moving bytes");
	raw(preadv2, file, &piece, 1, 0, 0, 0x1000);
	raw(pwritev2, file, &piece, 1, 0, 0, 0x1000);
	raw(preadv2, end[0], &piece, 1, -2L, 0, 0);
	raw(splice, end[0], 0, other[1], 0, 1, 0x10);
	raw(tee, end[0], other[1], 1, 0x10);
	raw(vmsplice, end[1], &piece, 1, 0x10);
	raw(copy_file_range, file, 0, file, 0, 1, 1);
	raw(sync_file_range, file, 0, 0, 8);
	raw(sync_file_range, end[0], 0, 0, 0);
	raw(fallocate, file, 0x80, 0, 1);
	raw(fallocate, file, FALLOC_FL_PUNCH_HOLE, 0, 1);
	raw(fallocate, file, FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_KEEP_SIZE, 0, 4096);
	raw(fallocate, file, 0, -1L, 1);
	raw(fallocate, file, 0, 0, 0);
	raw(fallocate, end[1], 0, 0, 1);
	raw(fadvise64, file, 0, 0, 99);
	raw(fadvise64, end[0], 0, 0, 0);
	raw(readahead, end[0], 0, 1);
	raw(lseek, file, 0, 9);
	raw(lseek, counter, 0, SEEK_END);
	raw(lseek, end[0], 0, 9);
	raw(getrandom, bytes, 1, 8);
	raw(ftruncate, end[1], 0);
	raw(ftruncate, file, -1L);
	raw(ftruncate, directory, 0);
	raw(fsync, end[0]);
	raw(fdatasync, pair[0]);
	raw(syncfs, path);

	puts("- names");
	raw(renameat2, AT_FDCWD, "file", AT_FDCWD, "new", 8);
	raw(renameat2, AT_FDCWD, "file", AT_FDCWD, "new", RENAME_EXCHANGE | RENAME_NOREPLACE);
	raw(renameat2, AT_FDCWD, "file", AT_FDCWD, "none", RENAME_EXCHANGE);
	raw(renameat2, AT_FDCWD, "file", AT_FDCWD, "file", RENAME_NOREPLACE);
	raw(linkat, AT_FDCWD, "file", AT_FDCWD, "new", 1);
	raw(unlinkat, AT_FDCWD, "file", 1);
	raw(unlinkat, AT_FDCWD, "file", AT_REMOVEDIR);
	raw(faccessat2, AT_FDCWD, "file", 0, 1);
	raw(faccessat2, AT_FDCWD, "file", 8, 0);
	raw(newfstatat, AT_FDCWD, "file", bytes, 1);
	raw(statx, AT_FDCWD, "file", 1, 0, bytes);
	raw(statx, AT_FDCWD, "file", 0, 0x80000000u, bytes);
	raw(statx, AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, 0, bytes);
	raw(utimensat, AT_FDCWD, "file", 0, 1);
	raw(fchownat, AT_FDCWD, "file", -1, -1, 1);
	raw(mknodat, AT_FDCWD, "node", 0170000 | 0600, 0);

	puts("- fcntl and flock");
	raw(fcntl, file, 99, 0);
	raw(fcntl, end[0], 99, 0);
	raw(fcntl, file, F_DUPFD, -1L);
	raw(fcntl, file, F_SETPIPE_SZ, 4096);
	raw(fcntl, file, F_GETPIPE_SZ, 0);
	raw(fcntl, end[0], F_SETPIPE_SZ, -1L);
	raw(fcntl, file, F_SETSIG, 200);
	raw(fcntl, path, F_SETFL, 0);
	raw(fcntl, path, F_SETLK, bytes);
	raw(fcntl, file, F_SETLK, 8);
	struct flock lock = { .l_type = 9 };
	raw(fcntl, file, F_SETLK, &lock);
	lock = (struct flock){ .l_whence = 9 };
	raw(fcntl, file, F_SETLK, &lock);
	lock = (struct flock){ .l_start = -1 };
	raw(fcntl, file, F_SETLK, &lock);
	lock = (struct flock){ .l_pid = 1 };
	raw(fcntl, file, F_OFD_SETLK, &lock);
	raw(flock, file, 0);
	raw(flock, file, LOCK_SH | LOCK_EX);
	raw(flock, file, 0x100);
	raw(fcntl, counter, F_SETFL, O_DIRECT);
	raw(fcntl, pair[0], F_SETFL, O_DIRECT);

	puts("- ioctl");
	int number = 0;
	int kinds[] = { file, directory, end[0], pair[0], counter, timer, watch, poll_set, path };
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		printf("%zu ", i);
		raw(ioctl, kinds[i], 0x12345678, &number);
		raw(ioctl, kinds[i], 0x5401, bytes); /* TCGETS */
	}

	puts("- epoll");
	struct epoll_event event = { .events = EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT };
	raw(epoll_ctl, poll_set, 9, end[0], &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_ADD, end[0], &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_ADD, file, &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_ADD, poll_set, &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_MOD, end[0], &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_DEL, end[0], 0);
	raw(epoll_ctl, end[0], EPOLL_CTL_ADD, end[1], &event);
	raw(epoll_ctl, poll_set, EPOLL_CTL_ADD, path, &event);
	show(legacy(epoll_wait, poll_set, bytes, 0, 0));
	show(legacy(epoll_wait, end[0], bytes, 1, 0));
	raw(epoll_pwait, poll_set, bytes, 1, 0, bytes, 4);

	puts("- sockets");
	raw(shutdown, pair[0], 9);
	raw(setsockopt, pair[0], SOL_SOCKET, 999, &number, sizeof number);
	raw(setsockopt, pair[0], 99, 1, &number, sizeof number);
	raw(setsockopt, pair[0], SOL_SOCKET, SO_PASSCRED, &number, 1);
	socklen_t length = sizeof number;
	raw(getsockopt, pair[0], SOL_SOCKET, 999, &number, &length);
	raw(getsockopt, pair[0], 99, 1, &number, &length);
	raw(listen, pair[0], 1);
	raw(recvfrom, pair[0], bytes, 1, MSG_ERRQUEUE | MSG_DONTWAIT, 0, 0);
	raw(sendto, file, bytes, 1, 0, 0, 0);
	raw(sendmsg, path, bytes, 0);
	raw(connect, pair[0], bytes, 1);
	raw(recvmmsg, pair[0], 0, 0, 0, &(struct timespec){ -1, 0 });

	puts("- memory");
	raw(mmap, 0, 4096, PROT_READ, 0, file, 0);
	raw(mmap, 0, 4096, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, file, 0);
	raw(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, end[0], 0);
	raw(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, path, 0);
	raw(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, directory, 0);
	raw(mmap, 0, 4096, PROT_READ, MAP_PRIVATE, file, 1);
	raw(mmap, 0, 0, PROT_READ, MAP_PRIVATE, file, 0);
	void *page = must(mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	printf("mremap: %s\n", syscall(SYS_mremap, page, 4096, 4096, 0x10, 0) < 0 ? error_name(errno) : "done");
	printf("msync: %s\n", syscall(SYS_msync, page, 4096, 8) < 0 ? error_name(errno) : "done");
	printf("msync both: %s\n", syscall(SYS_msync, page, 4096, MS_SYNC | MS_ASYNC) < 0 ? error_name(errno) : "done");
	printf("madvise: %s\n", syscall(SYS_madvise, page, 4096, 999) < 0 ? error_name(errno) : "done");
	printf("mprotect: %s\n", syscall(SYS_mprotect, page, 4096, 0x100) < 0 ? error_name(errno) : "done");
	printf("mlock2: %s\n", syscall(SYS_mlock2, page, 4096, 2) < 0 ? error_name(errno) : "done");
	raw(mlockall, 0);
	raw(mlockall, 8);
	raw(inotify_add_watch, watch, ".", 0);
	raw(inotify_rm_watch, watch, 99);
	raw(inotify_add_watch, file, ".", IN_CREATE);
	return 0;
}
