/*
 * Memory that is used up at every allocation in turn, for Linux's calls: `exhaust [NAME]`. Each attempt is one call that succeeds. It is repeated with its first allocation made to
 * fail (/proc/self/fail-nth: those of the kernel for this program, of the library in it and of the servers in its call), then its second, and so on, until it comes
 * through untouched. A call that meets a failure says ENOMEM, or what else Linux's manual has for a lack of memory, or does without; made again right
 * after, it succeeds, and what it did is right. Then what it made is undone, and the kernel's counts (/proc/carillon) must be the very same as before.
 *
 * One line for each failure, "FAIL NAME, allocation N: ..."; at the end "ok, CALLS calls, ALLOCATIONS allocations failed".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>
#include "counts.h"
#include "port.h"

#define PAGE 4096ul
#define LARGE 20000
#define NUMBERS_MAX 400 /* allocations of one call */
#define PATIENCE 500    /* looks at the counts, a millisecond apart, until what ends later has ended */

static const char *name;
static unsigned number, failures, failed_allocations;
static int fail_file;

static void fail(const char *format, ...)
{
	va_list arguments;
	printf("FAIL %s, allocation %u: ", name, number);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	failures++;
}

#define CHECK(condition) ((condition) ? (void)0 : fail("wrong: %s (errno %d)", #condition, errno))

/* The raw call: its result, or -errno. */
#define RAW(...) raw(syscall(__VA_ARGS__))
#define OLD(...) raw(OLD_CALL(__VA_ARGS__))
static long raw(long result)
{
	return result < 0 ? -errno : result;
}

/* Of LARGE bytes: all, or when memory was short, some. */
static bool enough(long result)
{
	return result == LARGE || (number && result > 0);
}

static void fail_write(unsigned which)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%u", which);
	if (RAW(SYS_pwrite64, fail_file, text, length, 0) != length) {
		printf("FAIL fail-nth cannot be written\n");
		exit(1);
	}
}

/* What is left of the number; the failure is no longer wished for. */
static long fail_read(void)
{
	char text[24] = "";
	if (RAW(SYS_pread64, fail_file, text, sizeof text - 1, 0) <= 0)
		return 0; /* the wish came true for this very call */
	return atol(text);
}

/* Once they have stayed the same for so many looks, a millisecond apart, or after so many tries: what was closed or began before has come to its end. */
static struct counts counts_settled(unsigned looks, unsigned tries)
{
	struct counts last = counts_now(), now;
	for (unsigned still = 0; still < looks && tries; tries--, last = now) {
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		now = counts_now();
		still = memcmp(&now, &last, sizeof now) ? 0 : still + 1;
	}
	return last;
}

static void counts_compare(const struct counts *before)
{
	struct counts now = counts_now();
	for (unsigned tries = 0; memcmp(&now, before, sizeof now) && tries < PATIENCE; tries++) {
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
		now = counts_now();
	}
	if (memcmp(&now, before, sizeof now)) {
		char text[256];
		counts_tell(text, sizeof text, before, &now);
		fail("left behind: %s", text);
	}
}

/* -- what attempts use; made once */

static int place, place2, folder, fifo_read, pipe_in, pipe_out, pair[2], listening, epoll, event, timer_file, signal_file, watch_file, terminal, datagram[2], deleted, pidfd;
static char buffer[LARGE], more[LARGE];
static char *memory; /* 16 pages */
static timer_t timer;
static struct stat status;
static int fds[2];
static const struct timespec no_time = { 0, 0 }, soon = { 0, 1000 };
static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	strcpy(address.sun_path, path);
	return address;
}
static struct sockaddr_un server_address, other_address;
static sigset_t signals;

static void close_both(void)
{
	close(fds[0]);
	close(fds[1]);
}

static void drain(int file)
{
	while (read(file, more, sizeof more) > 0)
		;
}

/* The status of a child that has ended, 128 + a signal's number, or -1. */
static long child_wait(long pid)
{
	int state = 0;
	if (pid <= 0 || waitpid((pid_t)pid, &state, 0) != pid)
		return -1;
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

static long fork_child(int child_number)
{
	long pid = raw(OLD_FORK());
	if (pid == 0)
		_exit(memory[0] == 'm' && getpid() > 1 ? child_number : 99);
	return pid;
}

/* vfork: the child runs on this stack, so that nothing may be returned from. */
static long vfork_child(void)
{
	pid_t pid = vfork();
	if (pid == 0)
		_exit(5);
	return pid < 0 ? -errno : pid;
}

static long exec_error;
static int thread_ran;
static int thread_main(void *argument)
{
	__atomic_store_n((int *)argument, 1, __ATOMIC_RELEASE);
	return 0;
}

static char thread_stack[16384] __attribute__((aligned(16)));
static long thread_start(void)
{
	thread_ran = 0;
	int pid = clone(thread_main, thread_stack + sizeof thread_stack, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM, &thread_ran);
	return pid < 0 ? -errno : pid;
}

static void thread_end(long tid)
{
	for (unsigned tries = 0; tries < 2000 && !__atomic_load_n(&thread_ran, __ATOMIC_ACQUIRE); tries++)
		nanosleep(&soon, NULL);
	CHECK(thread_ran);
	for (unsigned tries = 0; tries < 2000 && RAW(SYS_tgkill, getpid(), tid, 0) == 0; tries++)
		nanosleep(&soon, NULL);
}

__asm__(".pushsection .rodata\ntiny_code: " TINY_CODE "\ntiny_end:\n.popsection");
extern const char tiny_code[], tiny_end[];

static void tiny_make(void)
{
	struct { Elf64_Ehdr header; Elf64_Phdr segment; char code[64]; } file = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC, .e_machine = TINY_MACHINE, .e_version = EV_CURRENT,
			.e_entry = 0x400000 + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), .e_phoff = sizeof(Elf64_Ehdr), .e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x400000, .p_filesz = sizeof file, .p_memsz = sizeof file, .p_align = PAGE },
	};
	memcpy(file.code, tiny_code, (size_t)(tiny_end - tiny_code));
	int made = open("tiny", O_CREAT | O_WRONLY, 0700);
	CHECK(made >= 0 && write(made, &file, sizeof file) == sizeof file);
	close(made);
}

/* What is left of a child's number; 0 also of one that is no more. */
static long fail_left(pid_t pid)
{
	char path[40], text[24] = "0";
	snprintf(path, sizeof path, "/proc/%d/fail-nth", pid);
	int file = open(path, O_RDONLY);
	if (read(file, text, sizeof text - 1) < 0)
		text[0] = '0';
	close(file);
	return atol(text);
}

static void exec_in_child(int in, int report)
{
	char *arguments[] = { "tiny", "-c", "an argument", NULL }, *environment[] = { "A=b", NULL };
	int own = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	char text[24];
	int length = snprintf(text, sizeof text, "%u", number);
	if (own < 0 || dup2(in, 0) || pwrite(own, text, (size_t)length, 0) != length)
		_exit(90);
	long result = RAW(SYS_execve, "tiny", arguments, environment);
	if (pread(own, text, sizeof text, 0) <= 0 || text[0] != '0')
		_exit(91);
	if (write(report, &result, sizeof result) != sizeof result)
		_exit(92);
	RAW(SYS_execve, "tiny", arguments, environment);
	_exit(93);
}

/* A child executes another program; the failing is the child's, and told as if it were this program's. */
static long exec_child(void)
{
	int report[2], in[2];
	fail_write(0);
	CHECK(pipe2(report, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
	pid_t pid = fork();
	if (pid == 0)
		exec_in_child(in[0], report[1]);
	long result = 0;
	close(report[1]);
	if (read(report[0], &result, sizeof result) < 0)
		result = -errno;
	long left = result ? 0 : fail_left(pid);
	CHECK(write(in[1], "x", 1) == 1);
	long ended = child_wait(pid);
	CHECK(ended == 7 || (ended == 128 + SIGKILL && !left && !result)); /* the old program is gone, the new one cannot be: as on Linux */
	close(report[0]);
	close(in[0]);
	close(in[1]);
	fail_write(left ? 1000000 : 0);
	exec_error = result;
	return 0;
}

static struct msghdr message_with_descriptors(void)
{
	static struct iovec piece;
	static union { struct cmsghdr header; char room[CMSG_SPACE(2 * sizeof(int))]; } control;
	piece = (struct iovec){ buffer, 100 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	control.header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(&control.header), (int[]){ place, event }, 2 * sizeof(int));
	return message;
}

static long descriptors_send(void)
{
	struct msghdr message = message_with_descriptors();
	return RAW(SYS_sendmsg, pair[0], &message, 0);
}

static long descriptors_receive(void)
{
	struct msghdr message = message_with_descriptors();
	((struct cmsghdr *)message.msg_control)->cmsg_len = 0;
	memset(buffer, 0, 100);
	long result = RAW(SYS_recvmsg, pair[1], &message, MSG_DONTWAIT);
	memset(buffer, 'b', 100);
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	fds[0] = fds[1] = -1;
	if (result >= 0 && header && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(2 * sizeof(int)))
		memcpy(fds, CMSG_DATA(header), sizeof fds);
	return result;
}

static void descriptors_discard(void)
{
	if (descriptors_receive() >= 0)
		close_both();
}

static long connect_new(int *client)
{
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return *client < 0 ? -errno : 0;
}

static int client;

static long lock_set(int kind, int type, off_t start)
{
	struct flock lock = { .l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = 10 };
	return RAW(SYS_fcntl, place, kind, &lock);
}

static bool content_is(const char *path, const char *text)
{
	char found[64] = "";
	int file = open(path, O_RDONLY);
	bool same = file >= 0 && read(file, found, sizeof found - 1) >= 0 && !strcmp(found, text);
	if (file >= 0)
		close(file);
	return same;
}

static void file_make(const char *path, const char *text)
{
	int file = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
	CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
	close(file);
}

static bool is_there(const char *path)
{
	return lstat(path, &status) == 0;
}

static void *mapping;
static long map_keep(long result)
{
	if (result < 0)
		return result;
	mapping = (void *)result;
	return 0;
}

static void handler(int signal_number)
{
	(void)signal_number;
}

static uint32_t word;

/*
 * The attempts: name, what is prepared before, the call (an expression: its result or -errno), the error besides ENOMEM that Linux's manual has for a lack of memory
 * (negative: the call's right answer is this error),
 * and what checks and undoes it, in which `r` is the result.
 */
#define ATTEMPTS(A) \
	/* files */ \
	A(open, , OLD(open, "a", O_RDWR), 0, CHECK(read(r, more, 3) == 3 && !memcmp(more, "one", 3)); close(r)) \
	A(open_create, , OLD(open, "new", O_CREAT | O_EXCL | O_RDWR, 0600), ENOSPC, CHECK(is_there("new")); close(r); unlink("new")) \
	A(open_truncate, file_make("b", "bbb"), OLD(open, "b", O_TRUNC | O_WRONLY), 0, CHECK(is_there("b") && status.st_size == 0); close(r); unlink("b")) \
	A(open_temporary, , OLD(open, ".", O_TMPFILE | O_RDWR, 0600), ENOSPC, close(r)) \
	A(open_directory, , RAW(SYS_openat, AT_FDCWD, "d", O_DIRECTORY), 0, close(r)) \
	A(open_proc, , RAW(SYS_openat, AT_FDCWD, "/proc/self/status", O_RDONLY), 0, CHECK(read(r, more, 5) == 5 && !memcmp(more, "Name:", 5)); close(r)) \
	A(open_maps, , RAW(SYS_openat, AT_FDCWD, "/proc/self/maps", O_RDONLY), 0, CHECK(read(r, more, 5) == 5); close(r)) \
	A(open_fd, , RAW(SYS_openat, AT_FDCWD, "/proc/self/fd/0", O_RDONLY), 0, close(r)) \
	A(open_null, , RAW(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR), 0, close(r)) \
	A(open_fifo, , RAW(SYS_openat, AT_FDCWD, "fifo", O_RDWR | O_NONBLOCK), 0, close(r)) \
	A(open_terminal, , RAW(SYS_openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY), 0, close(r)) \
	A(openat2, , RAW(SYS_openat2, AT_FDCWD, "a", &(struct open_how){ .flags = O_RDONLY }, sizeof(struct open_how)), 0, close(r)) \
	A(creat, , OLD(creat, "new", 0600), ENOSPC, CHECK(is_there("new")); close(r); unlink("new")) \
	A(close, fds[0] = open("a", O_RDONLY), RAW(SYS_close, fds[0]), 0, CHECK(fcntl(fds[0], F_GETFD) < 0)) \
	A(stat, , OLD(stat, "a", &status), 0, CHECK(status.st_size == 3)) \
	A(lstat, , OLD(lstat, "link", &status), 0, CHECK(S_ISLNK(status.st_mode))) \
	A(fstat, , RAW(SYS_fstat, place, &status), 0, CHECK(S_ISREG(status.st_mode))) \
	A(newfstatat, , RAW(SYS_newfstatat, folder, "e", &status, 0), 0, CHECK(S_ISREG(status.st_mode))) \
	A(statx, , RAW(SYS_statx, AT_FDCWD, "a", 0, STATX_ALL, more), 0, ) \
	A(statfs, , RAW(SYS_statfs, ".", more), 0, ) \
	A(fstatfs, , RAW(SYS_fstatfs, place, more), 0, ) \
	A(access, , OLD(access, "a", R_OK), 0, ) \
	A(faccessat, , RAW(SYS_faccessat, folder, "e", R_OK), 0, ) \
	A(faccessat2, , RAW(SYS_faccessat2, folder, "e", R_OK, 0), 0, ) \
	A(mkdir, , OLD(mkdir, "new", 0700), ENOSPC, CHECK(is_there("new") && S_ISDIR(status.st_mode)); rmdir("new")) \
	A(mkdirat, , RAW(SYS_mkdirat, folder, "new", 0700), ENOSPC, CHECK(is_there("d/new")); rmdir("d/new")) \
	A(rmdir, mkdir("old", 0700), OLD(rmdir, "old"), 0, CHECK(!is_there("old"))) \
	A(mknod, , OLD(mknod, "new", S_IFIFO | 0600, 0), ENOSPC, CHECK(is_there("new") && S_ISFIFO(status.st_mode)); unlink("new")) \
	A(mknodat, , RAW(SYS_mknodat, folder, "new", S_IFREG | 0600, 0), ENOSPC, CHECK(is_there("d/new")); unlink("d/new")) \
	A(link, , OLD(link, "a", "new"), ENOSPC, CHECK(content_is("new", "one")); unlink("new")) \
	A(linkat, , RAW(SYS_linkat, AT_FDCWD, "a", folder, "new", 0), ENOSPC, CHECK(content_is("d/new", "one")); unlink("d/new")) \
	A(symlink, , OLD(symlink, "a", "new"), ENOSPC, CHECK(content_is("new", "one")); unlink("new")) \
	A(symlinkat, , RAW(SYS_symlinkat, "../a", folder, "new"), ENOSPC, CHECK(content_is("d/new", "one")); unlink("d/new")) \
	A(readlink, , OLD(readlink, "link", more, 100), 0, CHECK(r == 1 && more[0] == 'a')) \
	A(readlinkat, , RAW(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", more, 100), 0, CHECK(r > 1 && more[0] == '/')) \
	A(readlink_fd, , OLD(readlink, "/proc/self/fd/0", more, 100), 0, CHECK(r > 1)) \
	A(unlink, file_make("old", "x"), OLD(unlink, "old"), 0, CHECK(!is_there("old"))) \
	A(unlinkat, file_make("d/old", "x"), RAW(SYS_unlinkat, folder, "old", 0), 0, CHECK(!is_there("d/old"))) \
	A(rename, file_make("old", "old"), OLD(rename, "old", "new"), ENOSPC, CHECK(content_is("new", "old") && !is_there("old")); unlink("new")) \
	A(rename_over, (file_make("old", "old"), file_make("new", "new")), OLD(rename, "old", "new"), ENOSPC, CHECK(content_is("new", "old") && !is_there("old")); unlink("new")) \
	A(renameat, file_make("old", "old"), OLD(renameat, AT_FDCWD, "old", folder, "new"), ENOSPC, CHECK(content_is("d/new", "old")); unlink("d/new")) \
	A(renameat2_exchange, (file_make("old", "old"), file_make("new", "new")), RAW(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "new", 2), 0, rename("old", "new"); unlink("new")) \
	A(chmod, , OLD(chmod, "a", 0640), 0, CHECK(is_there("a") && (status.st_mode & 0777) == 0640)) \
	A(fchmod, , RAW(SYS_fchmod, place, 0600), 0, ) \
	A(fchmodat, , RAW(SYS_fchmodat, folder, "e", 0600), 0, ) \
	A(chown, , OLD(chown, "a", 0, 0), 0, ) \
	A(fchown, , RAW(SYS_fchown, place, 0, 0), 0, ) \
	A(lchown, , OLD(lchown, "link", 0, 0), 0, ) \
	A(fchownat, , RAW(SYS_fchownat, folder, "e", 0, 0, 0), 0, ) \
	A(utime, , OLD(utime, "a", NULL), 0, ) \
	A(utimes, , OLD(utimes, "a", NULL), 0, ) \
	A(futimesat, , OLD(futimesat, folder, "e", NULL), 0, ) \
	A(utimensat, , RAW(SYS_utimensat, AT_FDCWD, "a", NULL, 0), 0, ) \
	A(truncate, file_make("b", "bbbb"), RAW(SYS_truncate, "b", 2), 0, CHECK(content_is("b", "bb")); unlink("b")) \
	A(truncate_grow, file_make("b", "bbbb"), RAW(SYS_truncate, "b", 1ul << 33), ENOSPC, CHECK(is_there("b") && status.st_size == 1ll << 33); unlink("b")) \
	A(ftruncate, , RAW(SYS_ftruncate, place2, 30000), ENOSPC, ftruncate(place2, 0)) \
	A(fallocate, , RAW(SYS_fallocate, place2, 0, 0, 40000), ENOSPC, ftruncate(place2, 0)) \
	A(getdents64, lseek(folder, 0, SEEK_SET), RAW(SYS_getdents64, folder, more, sizeof more), 0, CHECK(r > 24)) \
	A(getdents64_proc, fds[0] = open("/proc/self/fd", O_RDONLY), RAW(SYS_getdents64, fds[0], more, sizeof more), 0, close(fds[0])) \
	A(getdents, lseek(folder, 0, SEEK_SET), OLD(getdents, folder, more, sizeof more), 0, CHECK(r > 24)) \
	A(getcwd, , RAW(SYS_getcwd, more, sizeof more), 0, CHECK(!strcmp(more, "/tmp/exhaust"))) \
	A(chdir, , RAW(SYS_chdir, "d"), 0, CHECK(is_there("e")); CHECK(chdir("..") == 0)) \
	A(fchdir, , RAW(SYS_fchdir, folder), 0, CHECK(is_there("e")); CHECK(chdir("..") == 0)) \
	A(sync, , RAW(SYS_sync), 0, ) \
	A(fsync, , RAW(SYS_fsync, place), 0, ) \
	A(fdatasync, , RAW(SYS_fdatasync, place), 0, ) \
	A(syncfs, , RAW(SYS_syncfs, place), 0, ) \
	/* contents */ \
	A(read, lseek(place, 0, SEEK_SET), RAW(SYS_read, place, more, LARGE), 0, CHECK(r == LARGE && !memcmp(buffer, more, LARGE))) \
	A(write, lseek(place2, 0, SEEK_SET), RAW(SYS_write, place2, buffer, LARGE), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(write_hole, , RAW(SYS_pwrite64, place2, buffer, 100, 1l << 32), ENOSPC, CHECK(r == 100); ftruncate(place2, 0)) \
	A(pread64, , RAW(SYS_pread64, place, more, LARGE, 0), 0, CHECK(r == LARGE && !memcmp(buffer, more, LARGE))) \
	A(readv, lseek(place, 0, SEEK_SET), RAW(SYS_readv, place, &(struct iovec){ more, LARGE }, 1), 0, CHECK(enough(r))) \
	A(writev, lseek(place2, 0, SEEK_SET), RAW(SYS_writev, place2, &(struct iovec){ buffer, LARGE }, 1), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(preadv, , RAW(SYS_preadv, place, &(struct iovec){ more, LARGE }, 1, 0, 0), 0, CHECK(enough(r))) \
	A(pwritev, , RAW(SYS_pwritev, place2, &(struct iovec){ buffer, LARGE }, 1, 0, 0), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(preadv2, , RAW(SYS_preadv2, place, &(struct iovec){ more, LARGE }, 1, 0, 0, 0), 0, CHECK(enough(r))) \
	A(pwritev2, , RAW(SYS_pwritev2, place2, &(struct iovec){ buffer, LARGE }, 1, 0, 0, 0), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(lseek, , RAW(SYS_lseek, place, 5, SEEK_SET), 0, CHECK(r == 5)) \
	A(sendfile, (lseek(place, 0, SEEK_SET), lseek(place2, 0, SEEK_SET)), RAW(SYS_sendfile, place2, place, NULL, LARGE), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(copy_file_range, (lseek(place, 0, SEEK_SET), lseek(place2, 0, SEEK_SET)), RAW(SYS_copy_file_range, place, NULL, place2, NULL, LARGE, 0), ENOSPC, CHECK(enough(r)); ftruncate(place2, 0)) \
	A(splice, lseek(place, 0, SEEK_SET), RAW(SYS_splice, place, NULL, pipe_out, NULL, 3000, 0), 0, CHECK(r > 0); drain(pipe_in)) \
	A(tee, CHECK(write(pipe_out, buffer, 100) == 100 && pipe2(fds, O_NONBLOCK) == 0), RAW(SYS_tee, pipe_in, fds[1], 100, 0), 0, CHECK(r == 100); drain(pipe_in); close_both()) \
	A(vmsplice, , RAW(SYS_vmsplice, pipe_out, &(struct iovec){ buffer, 3000 }, 1, 0), 0, CHECK(r == 3000); drain(pipe_in)) \
	A(setxattr, , RAW(SYS_setxattr, "a", "user.x", "value", 5, 0), -EOPNOTSUPP, removexattr("a", "user.x")) \
	A(flock, , RAW(SYS_flock, place, LOCK_EX), ENOLCK, flock(place, LOCK_UN)) \
	A(fcntl_lock, , lock_set(F_SETLK, F_WRLCK, 0), ENOLCK, lock_set(F_SETLK, F_UNLCK, 0)) \
	A(fcntl_lock_split, lock_set(F_SETLK, F_WRLCK, 0), RAW(SYS_fcntl, place, F_SETLK, &(struct flock){ .l_type = F_UNLCK, .l_start = 3, .l_len = 2 }), ENOLCK, lock_set(F_SETLK, F_UNLCK, 0)) \
	A(fcntl_lock_own, , lock_set(F_OFD_SETLK, F_WRLCK, 0), ENOLCK, lock_set(F_OFD_SETLK, F_UNLCK, 0)) \
	A(fcntl_lock_ask, , lock_set(F_GETLK, F_WRLCK, 0), ENOLCK, ) \
	/* descriptors */ \
	A(dup, , RAW(SYS_dup, place), 0, close(r)) \
	A(dup2, , OLD(dup2, place, 700), 0, CHECK(r == 700); close(700)) \
	A(dup3, , RAW(SYS_dup3, place, 900, O_CLOEXEC), 0, CHECK(r == 900); close(900)) \
	A(fcntl_dup, , RAW(SYS_fcntl, place, F_DUPFD, 500), 0, CHECK(r == 500); close(r)) \
	A(fcntl_flags, , RAW(SYS_fcntl, place, F_SETFL, O_APPEND), 0, fcntl(place, F_SETFL, 0)) \
	A(fcntl_pipe_size, CHECK(pipe(fds) == 0), RAW(SYS_fcntl, fds[0], F_SETPIPE_SZ, 1 << 18), EBUSY, CHECK(r == 1 << 18); close_both()) \
	A(pipe, , OLD(pipe, fds), 0, CHECK(write(fds[1], "x", 1) == 1 && read(fds[0], more, 1) == 1); close_both()) \
	A(pipe2, , RAW(SYS_pipe2, fds, O_CLOEXEC | O_NONBLOCK), 0, close_both()) \
	A(write_pipe, , RAW(SYS_write, pipe_out, buffer, LARGE), 0, CHECK(r > 0); drain(pipe_in)) \
	A(read_pipe, CHECK(write(pipe_out, buffer, 5000) == 5000), RAW(SYS_read, pipe_in, more, 5000), 0, CHECK(r == 5000); drain(pipe_in)) \
	A(write_fifo, , RAW(SYS_write, fifo_read, buffer, LARGE), 0, CHECK(r > 0); drain(fifo_read)) \
	A(read_fifo, CHECK(write(fifo_read, buffer, 100) == 100), RAW(SYS_read, fifo_read, more, 100), 0, CHECK(r == 100)) \
	A(ioctl_pending, CHECK(write(pipe_out, buffer, 7) == 7), RAW(SYS_ioctl, pipe_in, FIONREAD, &word), 0, CHECK(word == 7); drain(pipe_in)) \
	A(memfd_create, , RAW(SYS_memfd_create, "m", 0), 0, CHECK(write(r, "x", 1) == 1); close(r)) \
	A(close_range, (dup2(place, 600), dup2(place, 601)), RAW(SYS_close_range, 600, 700, 0), 0, CHECK(fcntl(600, F_GETFD) < 0)) \
	A(eventfd, , OLD(eventfd, 1, 0), 0, CHECK(read(r, more, 8) == 8); close(r)) \
	A(eventfd2, , RAW(SYS_eventfd2, 1, EFD_SEMAPHORE), 0, CHECK(read(r, more, 8) == 8); close(r)) \
	A(eventfd_write, , RAW(SYS_write, event, &(uint64_t){ 3 }, 8), 0, CHECK(read(event, more, 8) == 8)) \
	A(signalfd, , RAW(SYS_signalfd4, -1, &signals, 8, 0), 0, close(r)) \
	A(signalfd_read, raise(SIGUSR2), RAW(SYS_read, signal_file, more, 128), 0, CHECK(r == 128)) \
	A(timerfd_create, , RAW(SYS_timerfd_create, CLOCK_MONOTONIC, 0), 0, close(r)) \
	A(timerfd_settime, , RAW(SYS_timerfd_settime, timer_file, 0, &(struct itimerspec){ .it_value = { 1000, 0 } }, NULL), 0, timerfd_settime(timer_file, 0, &(struct itimerspec){ .it_value = { 0, 0 } }, NULL)) \
	A(timerfd_gettime, , RAW(SYS_timerfd_gettime, timer_file, more), 0, ) \
	A(epoll_create, , OLD(epoll_create, 1), 0, close(r)) \
	A(epoll_create1, , RAW(SYS_epoll_create1, 0), 0, close(r)) \
	A(epoll_ctl, , RAW(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, pipe_in, &(struct epoll_event){ .events = EPOLLIN }), 0, CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, pipe_in, NULL) == 0)) \
	A(epoll_ctl_timer, , RAW(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, timer_file, &(struct epoll_event){ .events = EPOLLIN }), 0, CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, timer_file, NULL) == 0)) \
	A(epoll_ctl_fifo, , RAW(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fifo_read, &(struct epoll_event){ .events = EPOLLIN }), 0, CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, fifo_read, NULL) == 0)) \
	A(epoll_ctl_terminal, , RAW(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, terminal, &(struct epoll_event){ .events = EPOLLIN }), 0, CHECK(epoll_ctl(epoll, EPOLL_CTL_DEL, terminal, NULL) == 0)) \
	A(epoll_ctl_nested, fds[0] = epoll_create1(0), RAW(SYS_epoll_ctl, fds[0], EPOLL_CTL_ADD, epoll, &(struct epoll_event){ .events = EPOLLIN }), 0, close(fds[0])) \
	A(epoll_wait, , OLD(epoll_wait, epoll, (struct epoll_event *)more, 10, 1), 0, CHECK(r == 0)) \
	A(epoll_pwait, , RAW(SYS_epoll_pwait, epoll, more, 10, 1, &signals, 8), 0, CHECK(r == 0)) \
	A(epoll_pwait2, , RAW(SYS_epoll_pwait2, epoll, more, 10, &soon, NULL, 0), 0, CHECK(r == 0)) \
	A(poll, , OLD(poll, &(struct pollfd){ .fd = pipe_out, .events = POLLOUT }, 1, 0), 0, CHECK(r == 1)) \
	A(poll_wait, , OLD(poll, &(struct pollfd){ .fd = terminal, .events = POLLIN }, 1, 1), 0, CHECK(r == 0)) \
	A(ppoll, , RAW(SYS_ppoll, &(struct pollfd){ .fd = fifo_read, .events = POLLIN }, 1, &soon, NULL, 0), 0, CHECK(r == 0)) \
	A(select, fds[0] = 1 << 1, OLD(select, 2, NULL, &(fd_set){ { 2 } }, NULL, &(struct timeval){ 0, 1 }), 0, ) \
	A(pselect6, , RAW(SYS_pselect6, 2, NULL, NULL, NULL, &soon, NULL), 0, CHECK(r == 0)) \
	/* sockets */ \
	A(socket, , RAW(SYS_socket, AF_UNIX, SOCK_STREAM, 0), ENOBUFS, close(r)) \
	A(socket_datagram, , RAW(SYS_socket, AF_UNIX, SOCK_DGRAM, 0), ENOBUFS, close(r)) \
	A(socketpair, , RAW(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, fds), ENOBUFS, CHECK(write(fds[1], "x", 1) == 1 && read(fds[0], more, 1) == 1); close_both()) \
	A(socketpair_datagram, , RAW(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, fds), ENOBUFS, close_both()) \
	A(socketpair_packets, , RAW(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, fds), ENOBUFS, close_both()) \
	A(bind, fds[0] = socket(AF_UNIX, SOCK_STREAM, 0), RAW(SYS_bind, fds[0], &other_address, sizeof other_address), ENOSPC, CHECK(is_there("other")); close(fds[0]); unlink("other")) \
	A(bind_abstract, fds[0] = socket(AF_UNIX, SOCK_STREAM, 0), RAW(SYS_bind, fds[0], &(struct sockaddr_un){ AF_UNIX, "\0name" }, 7), 0, close(fds[0])) \
	A(listen, (fds[0] = socket(AF_UNIX, SOCK_STREAM, 0), bind(fds[0], (void *)&(struct sockaddr_un){ AF_UNIX, "\0name" }, 7)), RAW(SYS_listen, fds[0], 5), 0, close(fds[0])) \
	A(connect, connect_new(&client), RAW(SYS_connect, client, &server_address, sizeof server_address), EAGAIN, fds[0] = accept(listening, NULL, NULL); CHECK(write(client, "x", 1) == 1 && read(fds[0], more, 1) == 1); close(fds[0]); close(client)) \
	A(accept, CHECK(!connect_new(&client) && !connect(client, (void *)&server_address, sizeof server_address)), RAW(SYS_accept, listening, NULL, NULL), ENOBUFS, CHECK(write(client, "x", 1) == 1 && read(r, more, 1) == 1); close(r); close(client)) \
	A(accept4, CHECK(!connect_new(&client) && !connect(client, (void *)&server_address, sizeof server_address)), RAW(SYS_accept4, listening, NULL, NULL, SOCK_CLOEXEC), ENOBUFS, close(r); close(client)) \
	A(sendto, , RAW(SYS_sendto, pair[0], buffer, LARGE, 0, NULL, 0), ENOBUFS, CHECK(enough(r)); drain(pair[1])) \
	A(recvfrom, CHECK(write(pair[0], buffer, 5000) == 5000), RAW(SYS_recvfrom, pair[1], more, 5000, 0, NULL, NULL), ENOBUFS, CHECK(r == 5000); drain(pair[1])) \
	A(sendto_datagram, , RAW(SYS_sendto, datagram[0], buffer, 3000, 0, NULL, 0), ENOBUFS, CHECK(r == 3000); drain(datagram[1])) \
	A(recvfrom_datagram, CHECK(write(datagram[0], buffer, 3000) == 3000), RAW(SYS_recvfrom, datagram[1], more, 3000, 0, NULL, NULL), ENOBUFS, CHECK(r == 3000)) \
	A(sendmsg_descriptors, , descriptors_send(), ENOBUFS, CHECK(r == 100); descriptors_discard()) \
	A(recvmsg_descriptors, CHECK(descriptors_send() == 100), descriptors_receive(), ENOBUFS, CHECK(r == 100 && fds[0] >= 0 && fds[1] >= 0); close_both()) \
	A(sendmmsg, , RAW(SYS_sendmmsg, datagram[0], &(struct mmsghdr){ .msg_hdr = { .msg_iov = &(struct iovec){ buffer, 100 }, .msg_iovlen = 1 } }, 1, 0), ENOBUFS, CHECK(r == 1); drain(datagram[1])) \
	A(recvmmsg, CHECK(write(datagram[0], buffer, 100) == 100), RAW(SYS_recvmmsg, datagram[1], &(struct mmsghdr){ .msg_hdr = { .msg_iov = &(struct iovec){ more, 100 }, .msg_iovlen = 1 } }, 1, 0, NULL), ENOBUFS, CHECK(r == 1)) \
	A(shutdown, CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0), RAW(SYS_shutdown, fds[0], SHUT_WR), 0, CHECK(read(fds[1], more, 1) == 0); close_both()) \
	A(getsockname, word = sizeof(struct sockaddr_un), RAW(SYS_getsockname, listening, more, &word), ENOBUFS, ) \
	A(getpeername, word = sizeof(struct sockaddr_un), RAW(SYS_getpeername, pair[0], more, &word), ENOBUFS, ) \
	A(setsockopt, , RAW(SYS_setsockopt, pair[0], SOL_SOCKET, SO_RCVBUF, &(int){ 65536 }, 4), 0, ) \
	A(getsockopt, word = 4, RAW(SYS_getsockopt, pair[0], SOL_SOCKET, SO_RCVBUF, more, &word), 0, ) \
	/* memory */ \
	A(mmap, , map_keep(RAW(SYS_mmap, NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)), 0, memset(mapping, 7, 3 * PAGE); munmap(mapping, 16 * PAGE)) \
	A(mmap_populate, , map_keep(RAW(SYS_mmap, NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)), 0, munmap(mapping, 16 * PAGE)) \
	A(mmap_file, , map_keep(RAW(SYS_mmap, NULL, 4 * PAGE, PROT_READ, MAP_SHARED, place, 0)), 0, CHECK(!memcmp(mapping, buffer, 4 * PAGE)); munmap(mapping, 4 * PAGE)) \
	A(mmap_private, , map_keep(RAW(SYS_mmap, NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, place, 0)), 0, ((char *)mapping)[0] = 1; munmap(mapping, 4 * PAGE)) \
	A(mmap_shared, , map_keep(RAW(SYS_mmap, NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)), 0, ((char *)mapping)[0] = 1; munmap(mapping, 4 * PAGE)) \
	A(munmap, mapping = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), RAW(SYS_munmap, (char *)mapping + 4 * PAGE, 4 * PAGE), 0, munmap(mapping, 16 * PAGE)) \
	A(mprotect, mapping = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), RAW(SYS_mprotect, (char *)mapping + 4 * PAGE, 4 * PAGE, PROT_READ), 0, munmap(mapping, 16 * PAGE)) \
	A(mremap, (mapping = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), memset(mapping, 9, 3 * PAGE)), map_keep(RAW(SYS_mremap, mapping, 16 * PAGE, 900 * PAGE, MREMAP_MAYMOVE)), 0, CHECK(((char *)mapping)[2 * PAGE] == 9); munmap(mapping, 900 * PAGE)) \
	A(madvise, mapping = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0), RAW(SYS_madvise, (char *)mapping + PAGE, 4 * PAGE, MADV_DONTNEED), 0, munmap(mapping, 16 * PAGE)) \
	A(mincore, , RAW(SYS_mincore, memory, 16 * PAGE, more), EAGAIN, ) \
	A(msync, , RAW(SYS_msync, memory, 16 * PAGE, MS_SYNC), 0, ) \
	A(mlock, , RAW(SYS_mlock, memory, 16 * PAGE), EAGAIN, munlock(memory, 16 * PAGE)) \
	A(brk, fds[0] = 0, RAW(SYS_brk, (char *)sbrk(0) + 8 * PAGE) == (long)((char *)sbrk(0) + 8 * PAGE) ? 0 : -ENOMEM, 0, RAW(SYS_brk, sbrk(0))) \
	A(touch, mapping = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), (memset(mapping, 5, 16 * PAGE), ((char *)mapping)[15 * PAGE]), 0, CHECK(r == 5 && ((char *)mapping)[0] == 5); munmap(mapping, 16 * PAGE)) \
	A(touch_file, mapping = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, place, 0), (((char *)mapping)[PAGE] = 5, ((char *)mapping)[PAGE + 1]), 0, CHECK(r == 'b'); munmap(mapping, 4 * PAGE)) \
	/* processes and threads */ \
	A(fork, , fork_child(3), EAGAIN, CHECK(child_wait(r) == 3)) \
	A(vfork, , vfork_child(), EAGAIN, CHECK(child_wait(r) == 5)) \
	A(clone_thread, , thread_start(), EAGAIN, thread_end(r)) \
	A(execve, , exec_child(), 0, CHECK(exec_error == 0 || exec_error == -ENOMEM || exec_error == -EAGAIN)) \
	A(wait4, fds[0] = (int)fork_child(4), RAW(SYS_wait4, fds[0], NULL, 0, NULL), 0, CHECK(r == fds[0])) \
	A(waitid, fds[0] = (int)fork_child(4), RAW(SYS_waitid, P_PID, fds[0], more, WEXITED, NULL), 0, ) \
	A(kill, signal(SIGUSR1, handler), RAW(SYS_kill, getpid(), SIGUSR1), 0, ) \
	A(kill_queued, , RAW(SYS_kill, getpid(), SIGRTMIN + 3), EAGAIN, RAW(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8)) \
	A(rt_sigqueueinfo, , RAW(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN + 3, &(siginfo_t){ .si_code = SI_QUEUE }), EAGAIN, CHECK(RAW(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8) == SIGRTMIN + 3)) \
	A(tgkill, , RAW(SYS_tgkill, getpid(), gettid(), SIGRTMIN + 3), EAGAIN, CHECK(RAW(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8) == SIGRTMIN + 3)) \
	A(rt_sigtimedwait, kill(getpid(), SIGRTMIN + 3), RAW(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8), 0, CHECK(r == SIGRTMIN + 3)) \
	A(rt_sigaction, , RAW(SYS_rt_sigaction, SIGUSR1, NULL, more, 8), 0, ) \
	A(rt_sigprocmask, , RAW(SYS_rt_sigprocmask, SIG_BLOCK, &signals, NULL, 8), 0, ) \
	A(rt_sigpending, , RAW(SYS_rt_sigpending, more, 8), 0, ) \
	A(sigaltstack, , RAW(SYS_sigaltstack, NULL, more), 0, ) \
	A(timer_create, , RAW(SYS_timer_create, CLOCK_MONOTONIC, NULL, &fds[0]), EAGAIN, CHECK(RAW(SYS_timer_delete, fds[0]) == 0)) \
	A(timer_settime, , RAW(SYS_timer_settime, timer, 0, &(struct itimerspec){ .it_value = { 1000, 0 } }, NULL), 0, RAW(SYS_timer_settime, timer, 0, &(struct itimerspec){ .it_value = { 0, 0 } }, NULL)) \
	A(timer_gettime, , RAW(SYS_timer_gettime, timer, more), 0, ) \
	A(setitimer, , RAW(SYS_setitimer, ITIMER_REAL, &(struct itimerval){ .it_value = { 1000, 0 } }, NULL), 0, RAW(SYS_setitimer, ITIMER_REAL, &(struct itimerval){ .it_value = { 0, 0 } }, NULL)) \
	A(alarm, , OLD(alarm, 1000), 0, alarm(0)) \
	A(nanosleep, , RAW(SYS_nanosleep, &soon, NULL), 0, ) \
	A(clock_nanosleep, , RAW(SYS_clock_nanosleep, CLOCK_REALTIME, 0, &soon, NULL), 0, ) \
	A(futex_wait, , RAW(SYS_futex, &word, FUTEX_WAIT, word + 1, NULL, NULL, 0), -EAGAIN, ) \
	A(futex_wake, , RAW(SYS_futex, &word, FUTEX_WAKE, 1, NULL, NULL, 0), 0, CHECK(r == 0)) \
	A(pidfd_open, , RAW(SYS_pidfd_open, getpid(), 0), 0, close(r)) \
	A(pidfd_send_signal, , RAW(SYS_pidfd_send_signal, pidfd, SIGRTMIN + 3, NULL, 0), EAGAIN, CHECK(RAW(SYS_rt_sigtimedwait, &signals, NULL, &no_time, 8) == SIGRTMIN + 3)) \
	A(pidfd_getfd, , RAW(SYS_pidfd_getfd, pidfd, place, 0), 0, close(r)) \
	A(setpgid, , RAW(SYS_setpgid, 0, 0), -EPERM, ) \
	A(getpgid, , RAW(SYS_getpgid, 0), 0, ) \
	A(getsid, , RAW(SYS_getsid, 0), 0, ) \
	A(prlimit64, , RAW(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, more), 0, ) \
	A(getrusage, , RAW(SYS_getrusage, RUSAGE_SELF, more), 0, ) \
	A(times, , RAW(SYS_times, more), 0, ) \
	A(sysinfo, , RAW(SYS_sysinfo, more), 0, ) \
	A(setpriority, , RAW(SYS_setpriority, PRIO_PROCESS, 0, 0), 0, ) \
	A(getpriority, , RAW(SYS_getpriority, PRIO_PROCESS, 0), 0, ) \
	A(sched_setaffinity, , RAW(SYS_sched_setaffinity, 0, 8, &(uint64_t){ 1 }), 0, ) \
	A(sched_getaffinity, , RAW(SYS_sched_getaffinity, 0, 128, more), 0, ) \
	A(prctl_name, , RAW(SYS_prctl, PR_SET_NAME, "exhaust"), 0, ) \
	A(getrandom, , RAW(SYS_getrandom, more, LARGE, 0), 0, CHECK(enough(r))) \
	A(unshare_files, , RAW(SYS_unshare, CLONE_FILES), 0, ) \
	A(membarrier, , RAW(SYS_membarrier, 0, 0, 0), 0, ) \
	/* terminals, watches */ \
	A(ioctl_terminal, , RAW(SYS_ioctl, terminal, TIOCGWINSZ, more), 0, ) \
	A(write_terminal, , RAW(SYS_write, terminal, "abc\n", 4), 0, CHECK(r == 4); drain(terminal)) \
	A(inotify_init1, , RAW(SYS_inotify_init1, 0), EMFILE, close(r)) \
	A(inotify_add_watch, , RAW(SYS_inotify_add_watch, watch_file, "d", IN_CREATE), ENOSPC, CHECK(inotify_rm_watch(watch_file, (int)r) == 0); drain(watch_file)) \
	A(inotify_rm_watch, fds[0] = inotify_add_watch(watch_file, "d", IN_CREATE), RAW(SYS_inotify_rm_watch, watch_file, fds[0]), 0, drain(watch_file)) \
	A(inotify_event, fds[0] = inotify_add_watch(watch_file, "d", IN_CREATE), OLD(mkdir, "d/new", 0700), ENOSPC, rmdir("d/new"); inotify_rm_watch(watch_file, fds[0]); drain(watch_file))

#define FUNCTIONS(label, prepare, call, other, undo) \
	static void prepare_##label(void) { prepare; } \
	static long call_##label(void) { return call; } \
	static void undo_##label(int r) { (void)r; undo; }
#pragma GCC diagnostic ignored "-Wunused-value"
#pragma GCC diagnostic ignored "-Wunused-result"
ATTEMPTS(FUNCTIONS)

#define ROW(label, prepare, call, other, undo) { #label, prepare_##label, call_##label, other, undo_##label },
static const struct attempt {
	const char *name;
	void (*prepare)(void);
	long (*call)(void);
	int other;
	void (*undo)(int result);
} attempts[] = { ATTEMPTS(ROW) };

/* Once, with an allocation made to fail (0: none). True: one failed. */
static bool attempt_once(const struct attempt *attempt, unsigned which)
{
	struct counts before = counts_settled(1, PATIENCE);
	number = which;
	attempt->prepare();
	if (which)
		fail_write(which);
	long result = attempt->call();
	bool failed = which && fail_read() == 0;
	bool right = attempt->other < 0 && result == attempt->other; /* that error is the right answer */
	if (result < 0 && result != -ENOMEM && !right && (!attempt->other || result != -attempt->other))
		fail("error %ld", -result);
	if (result < 0 && !failed && !right)
		fail("error %ld without a reason", -result);
	if (result < 0 && failed)
		result = attempt->call();
	if (result < 0 && !(attempt->other < 0 && result == attempt->other))
		fail("it fails for ever: error %ld", -result);
	attempt->undo((int)result);
	counts_compare(&before);
	return failed;
}

static void make_all(void)
{
	memset(buffer, 'b', sizeof buffer);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_NAME, "exhaust");
	bool good = (mkdir("/tmp/exhaust", 0700) == 0 || errno == EEXIST) && chdir("/tmp/exhaust") == 0 && mkdir("d", 0700) == 0;
	file_make("a", "one");
	file_make("d/e", "two");
	tiny_make();
	good = good && symlink("a", "link") == 0 && mkfifo("fifo", 0600) == 0 && (place = open("place", O_CREAT | O_RDWR, 0600)) >= 0;
	good = good && write(place, buffer, LARGE) == LARGE && (place2 = open("place2", O_CREAT | O_RDWR, 0600)) >= 0 && (folder = open("d", O_DIRECTORY)) >= 0;
	good = good && (fifo_read = open("fifo", O_RDWR | O_NONBLOCK)) >= 0 && pipe2(fds, O_NONBLOCK) == 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0;
	pipe_in = fds[0], pipe_out = fds[1];
	good = good && socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, datagram) == 0 && (listening = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0;
	server_address = address_of("server"), other_address = address_of("other");
	good = good && bind(listening, (void *)&server_address, sizeof server_address) == 0 && listen(listening, 5) == 0 && (epoll = epoll_create1(0)) >= 0;
	sigemptyset(&signals);
	sigaddset(&signals, SIGRTMIN + 3);
	sigaddset(&signals, SIGUSR2);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	sigset_t readable;
	sigemptyset(&readable);
	sigaddset(&readable, SIGUSR2);
	good = good && (event = eventfd(0, EFD_NONBLOCK)) >= 0 && (timer_file = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0 && (signal_file = signalfd(-1, &readable, SFD_NONBLOCK)) >= 0;
	good = good && (watch_file = inotify_init1(IN_NONBLOCK)) >= 0 && (terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK)) >= 0;
	good = good && (memory = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) != MAP_FAILED;
	good = good && (pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0)) >= 0 && timer_create(CLOCK_MONOTONIC, &(struct sigevent){ .sigev_notify = SIGEV_NONE }, &timer) == 0;
	good = good && (fail_file = open("/proc/self/fail-nth", O_RDWR)) >= 0;
	(void)deleted;
	if (!good) {
		printf("FAIL the beginning (errno %d)\n", errno);
		exit(1);
	}
	memset(memory, 'm', 16 * PAGE);
}

int main(int count, char **arguments)
{
	unsigned calls = 0;
	static char line[4096];
	setvbuf(stdout, line, _IOLBF, sizeof line);
	make_all();
	counts_settled(50, UINT_MAX); /* what began before this program, in the servers and in init */
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		name = attempts[i].name;
		if (count > 1 && !strstr(name, arguments[1]))
			continue;
		for (unsigned warm = 0; warm < 5; warm++) { /* what the first times leave (tables that grew) is kept for the next */
			attempts[i].prepare();
			number = 0;
			attempts[i].undo((int)attempts[i].call());
		}
		unsigned before = failures;
		calls++;
		attempt_once(&attempts[i], 0);
		for (unsigned which = 1; which < NUMBERS_MAX && failures < before + 5 && attempt_once(&attempts[i], which); which++)
			failed_allocations++;
	}
	printf("%s, %u calls, %u allocations failed\n", failures ? "FAIL" : "ok", calls, failed_allocations);
	return failures > 0;
}
