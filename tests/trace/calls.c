/*
 * Calls whose lines in a trace say the same on every system: tests/trace/calls.expected is what strace on Linux says about them, with numbers
 * that differ masked. Everything between the two writes of a marker counts.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void handler(int signal)
{
	(void)signal;
}

static void files(void)
{
	struct stat status;
	struct iovec parts[2] = { { "one\n", 4 }, { "two\t\"three\" \1\0012 and so on until it is cut", 40 } };
	struct rlimit limit;
	char bytes[100];
	unlink("/tmp/trace.file");
	int fd = syscall(SYS_openat, AT_FDCWD, "/tmp/trace.file", O_RDWR | O_CREAT | O_EXCL, 0640);
	writev(fd, parts, 2);
	lseek(fd, 0, SEEK_SET);
	read(fd, bytes, 4);
	pread(fd, bytes, sizeof bytes, 4);
	syscall(SYS_newfstatat, AT_FDCWD, "/tmp/trace.file", &status, 0);
	syscall(SYS_newfstatat, AT_FDCWD, "/tmp/no such", &status, AT_SYMLINK_NOFOLLOW);
	syscall(SYS_openat, AT_FDCWD, "/tmp/\xc3\xa9t\xc3\xa9", O_RDONLY | O_CLOEXEC);
	ftruncate(fd, 10);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_GETFD);
	fcntl(fd, F_DUPFD_CLOEXEC, 20);
	close(20);
	syscall(SYS_dup3, fd, 21, O_CLOEXEC);
	fchmod(fd, 0600);
	syscall(SYS_faccessat, AT_FDCWD, "/tmp/trace.file", R_OK | W_OK);
	syscall(SYS_faccessat, AT_FDCWD, "/tmp/trace.file", F_OK);
	close(fd);
	close(77);
	syscall(SYS_mkdirat, AT_FDCWD, "/tmp/trace.folder", 0755);
	syscall(SYS_symlinkat, "target", AT_FDCWD, "/tmp/trace.folder/link");
	syscall(SYS_readlinkat, AT_FDCWD, "/tmp/trace.folder/link", bytes, sizeof bytes);
	syscall(SYS_unlinkat, AT_FDCWD, "/tmp/trace.folder/link", 0);
	syscall(SYS_unlinkat, AT_FDCWD, "/tmp/trace.folder", AT_REMOVEDIR);
	syscall(SYS_unlinkat, AT_FDCWD, "/tmp/trace.file", 0);
	syscall(SYS_prlimit64, 0, RLIMIT_CORE, NULL, &limit);
	umask(022);
	umask(027);
	getcwd(bytes, 1);
	ioctl(0, TCGETS, bytes);
}

static void waiting(void)
{
	int pair[2];
	struct timespec time = { 0, 1000000 };
	syscall(SYS_pipe2, pair, O_NONBLOCK | O_CLOEXEC);
	struct pollfd items[2] = { { pair[0], POLLIN, 0 }, { pair[1], POLLOUT | POLLERR, 0 } };
	syscall(SYS_poll, items, 2, 50);
	syscall(SYS_poll, items, 1, 1);
	_Alignas(4) char byte;
	read(pair[0], &byte, 1);
	write(pair[1], "x", 1);
	fd_set set;
	FD_ZERO(&set);
	FD_SET(pair[0], &set);
	struct timeval second = { 1, 500 };
	syscall(SYS_select, pair[1] + 1, &set, NULL, NULL, &second);
	int epoll = syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
	struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 7 } };
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	syscall(SYS_epoll_wait, epoll, &event, 4, 100);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
	syscall(SYS_futex, &byte, 129, 1);
}

static void memory(void)
{
	char *pages = (char *)syscall(SYS_mmap, NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(pages, 4096, PROT_NONE);
	madvise(pages, 8192, MADV_DONTNEED);
	munmap(pages, 8192);
	munmap((void *)1, 1);
}

static void processes(void)
{
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
	int status;
	sigset_t set, old;
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &old);
	raise(SIGUSR1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_NAME, "renamed");
	if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
		syscall(SYS_exit_group, 3);
	wait(&status);
	wait(&status);
	waitpid(-1, &status, WNOHANG);
	syscall(SYS_exit, 4);
}

int main(void)
{
	write(1, "begin\n", 6);
	files();
	waiting();
	memory();
	processes();
}
