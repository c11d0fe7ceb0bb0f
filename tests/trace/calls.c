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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
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
	fchmod(fd, 04600);
	fstat(fd, &status);
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
	chdir("/proc");
	syscall(SYS_getcwd, bytes, sizeof bytes);
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
	uint64_t blocked[2] = { 0x3ff, 8 };
	uint64_t *pointer = &blocked[0], mask[2] = { (uint64_t)pointer, 8 };
	syscall(SYS_pselect6, pair[1] + 1, &set, NULL, NULL, NULL, mask);
	timer_t timer = 0;
	struct sigevent notification = { .sigev_signo = SIGUSR2, .sigev_notify = SIGEV_NONE, .sigev_value.sival_int = 9 };
	struct itimerspec expiry = { { 0, 0 }, { 100, 0 } };
	syscall(SYS_timer_create, CLOCK_MONOTONIC, &notification, &timer);
	syscall(SYS_timer_settime, 0, 0, &expiry, NULL);
	syscall(SYS_timer_delete, 0);
	int epoll = syscall(SYS_epoll_create1, EPOLL_CLOEXEC);
	struct epoll_event event = { EPOLLIN | EPOLLET, { .u64 = 7 } };
	epoll_ctl(epoll, EPOLL_CTL_ADD, pair[0], &event);
	syscall(SYS_epoll_wait, epoll, &event, 4, 100);
	epoll_ctl(epoll, EPOLL_CTL_DEL, pair[0], &event);
	syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, NULL);
	syscall(SYS_futex, &byte, 129, 1);
}

static void sockets(void)
{
	struct sockaddr_un here = { AF_UNIX, "/tmp/trace.socket" }, there;
	socklen_t length = sizeof there, size = 4;
	int one = 1, value, pair[2];
	struct timeval second = { 1, 500 };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(here.sun_path);
	syscall(SYS_bind, listener, &here, 20);
	syscall(SYS_listen, listener, 5);
	syscall(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int caller = socket(AF_UNIX, SOCK_STREAM, 0);
	syscall(SYS_connect, caller, &here, 20);
	int accepted = syscall(SYS_accept4, listener, &there, &length, 0);
	length = sizeof there;
	syscall(SYS_getsockname, listener, &there, &length);
	length = 10;
	syscall(SYS_getpeername, caller, &there, &length);
	syscall(SYS_getpeername, listener, &there, &length);
	syscall(SYS_setsockopt, accepted, SOL_SOCKET, SO_PASSCRED, &one, 4);
	syscall(SYS_setsockopt, accepted, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
	syscall(SYS_getsockopt, accepted, SOL_SOCKET, SO_TYPE, &value, &size);
	syscall(SYS_getsockopt, listener, SOL_SOCKET, SO_ERROR, &value, &size);
	syscall(SYS_shutdown, caller, SHUT_WR);
	syscall(SYS_recvfrom, accepted, &value, 4, MSG_DONTWAIT, NULL, NULL);
	syscall(SYS_shutdown, listener + 50, SHUT_RDWR);
	close(accepted);
	close(caller);
	close(listener);
	unlink(here.sun_path);

	syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair);
	char text[16] = "a message", control[64] = "";
	struct iovec part = { text, 9 };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(8) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&message);
	*head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(8), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(head), (int[2]){ 1, 1 }, 8);
	syscall(SYS_sendmsg, pair[0], &message, MSG_NOSIGNAL);
	syscall(SYS_sendto, pair[0], "two", 3, 0, NULL, 0);
	part.iov_len = 5;
	message.msg_name = &there;
	message.msg_namelen = sizeof there;
	syscall(SYS_recvmsg, pair[1], &message, MSG_CMSG_CLOEXEC);
	close(8); /* what came */
	close(9);
	message.msg_namelen = sizeof there;
	message.msg_controllen = 0;
	part.iov_len = sizeof text;
	syscall(SYS_recvmsg, pair[1], &message, 0);
	syscall(SYS_recvmsg, pair[1], &message, MSG_DONTWAIT);
	struct mmsghdr many[2] = { { { .msg_iov = &part, .msg_iovlen = 1 } }, { { .msg_iov = &part, .msg_iovlen = 1 } } };
	part.iov_len = 3;
	syscall(SYS_sendmmsg, pair[0], many, 2, 0);
	syscall(SYS_recvmmsg, pair[1], many, 2, MSG_DONTWAIT, NULL);
	close(pair[0]);
	close(pair[1]);
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
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &(uint64_t){ ~0ul >> 22 }, NULL, 8);
	syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &(uint64_t){ ~0ul >> 23 ^ 1 << 9 }, NULL, 8);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_NAME, "renamed");
	if (!syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
		syscall(SYS_exit_group, 3);
	siginfo_t end;
	syscall(SYS_waitid, P_ALL, 0, &end, WEXITED | WNOWAIT, NULL);
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
	sockets();
	memory();
	processes();
}
