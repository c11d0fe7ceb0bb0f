/* Descriptors of processes: made by pidfd_open and clone, polled, waited for, sent signals, and asked for other descriptors. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/resource.h>

#define PIDFD_DESCRIPTOR 3 /* P_PIDFD */
#define CLONE_WITH_PIDFD 0x1000

static int pidfd_of(pid_t pid, unsigned flags) { return (int)syscall(SYS_pidfd_open, pid, flags); }
static int send_to(int fd, int signal, siginfo_t *info, unsigned flags) { return (int)syscall(SYS_pidfd_send_signal, fd, signal, info, flags); }
static int get_from(int fd, int number, unsigned flags) { return (int)syscall(SYS_pidfd_getfd, fd, number, flags); }
static int wait_on(int fd, siginfo_t *info, int options) { return (int)syscall(SYS_waitid, PIDFD_DESCRIPTOR, fd, info, options, NULL); }
static int ready(int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN };
	int count = poll(&p, 1, timeout);
	return count > 0 ? p.revents & POLLIN : count;
}
static volatile siginfo_t seen;
static void note(int number, siginfo_t *info, void *context) { (void)number, (void)context; memcpy((void *)&seen, info, sizeof seen); }

int main(void)
{
	siginfo_t info;
	int pipes[2];
	char c;
	must(pipe(pipes));

	/* readiness, signals, waiting */
	pid_t pid = in_child({ for (;;) pause(); });
	int fd = must(pidfd_of(pid, 0));
	printf("flags %#x, close on exec %d\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
	show(ready(fd, 0));
	show(ready(fd, 30));
	show(read(fd, &c, 1));
	show(write(fd, &c, 1));
	show(send_to(fd, 0, NULL, 0));
	show(wait_on(fd, &info, WEXITED | WNOHANG));
	show(send_to(fd, SIGKILL, NULL, 0));
	show(ready(fd, 5000));
	show(send_to(fd, 0, NULL, 0)); /* dead, but not waited for */
	memset(&info, 0, sizeof info);
	show(wait_on(fd, &info, WEXITED | WNOWAIT));
	check(info.si_pid == pid && info.si_code == CLD_KILLED && info.si_status == SIGKILL);
	int late = pidfd_of(pid, 0);
	printf("of a zombie: %s\n", late < 0 ? error_name(errno) : "a descriptor");
	show(ready(late, 0));
	show(wait_on(fd, &info, WEXITED));
	show(wait_on(fd, &info, WEXITED));
	show(send_to(fd, SIGTERM, NULL, 0));
	show(ready(fd, 0));
	show(pidfd_of(pid, 0));
	close(fd);
	close(late);

	/* a duplicate, across fork, in epoll; two descriptors of one process */
	pid = in_child({ must(read(pipes[0], &c, 1)); _exit(4); });
	fd = must(pidfd_of(pid, 0));
	int second = must(pidfd_of(pid, 0)), copy = must(dup(fd)), epoll = must(epoll_create(1));
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 77 };
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
	show(epoll_wait(epoll, &event, 1, 20));
	pid_t watcher = in_child({ printf("from another process: %d\n", ready(copy, 5000)); show(wait_on(copy, &info, WEXITED)); });
	sleep_ms(20);
	must(write(pipes[1], "x", 1));
	show(epoll_wait(epoll, &event, 1, 5000));
	printf("event %u\n", event.data.u32);
	show(ready(second, 0));
	wait_for(watcher);
	show(wait_on(copy, &info, WEXITED));
	printf("status %d\n", info.si_status);

	/* waiting in the call; without waiting */
	pid = in_child({ sleep_ms(50); _exit(6); });
	fd = must(pidfd_of(pid, O_NONBLOCK));
	printf("flags %#x\n", fcntl(fd, F_GETFL));
	show(wait_on(fd, &info, WEXITED));
	fcntl(fd, F_SETFL, 0);
	show(wait_on(fd, &info, WEXITED));
	printf("status %d\n", info.si_status);
	pid = in_child({ raise(SIGSTOP); _exit(7); });
	fd = must(pidfd_of(pid, 0));
	show(wait_on(fd, &info, WSTOPPED));
	printf("code %d status %d, ready %d\n", info.si_code, info.si_status, ready(fd, 0));
	show(send_to(fd, SIGCONT, NULL, 0));
	show(wait_on(fd, &info, WEXITED));

	/* with information; to oneself */
	struct sigaction action = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	sigaction(SIGUSR1, &action, NULL);
	fd = must(pidfd_of(getpid(), 0));
	memset(&info, 0, sizeof info);
	info.si_signo = SIGUSR1;
	info.si_code = SI_QUEUE;
	info.si_value.sival_int = 99;
	show(send_to(fd, SIGUSR1, &info, 0));
	printf("value %d code %d\n", seen.si_value.sival_int, seen.si_code);
	show(send_to(fd, SIGUSR2, &info, 0));
	show(send_to(fd, SIGUSR1, NULL, 1 << 20));
	show(send_to(fd, 99, NULL, 0));
	show(wait_on(fd, &info, WEXITED));
	int other = must(pidfd_of(getppid(), 0));
	info.si_code = SI_USER;
	info.si_signo = SIGUSR1;
	show(send_to(other, SIGUSR1, &info, 0));

	/* another's descriptors */
	pid = in_child({
		int mine = must(open("file", O_RDWR | O_CREAT, 0600));
		must(write(mine, "hello", 5));
		must(dup2(mine, 40));
		must(write(pipes[1], "r", 1));
		for (;;)
			pause();
	});
	must(read(pipes[0], &c, 1));
	int child = must(pidfd_of(pid, 0));
	int got = get_from(child, 40, 0);
	char text[8] = "";
	check(got >= 0 && lseek(got, 0, SEEK_CUR) == 5 && pread(got, text, 5, 0) == 5 && !strcmp(text, "hello"));
	printf("close on exec %d\n", fcntl(got, F_GETFD));
	show(get_from(child, 41, 0));
	show(get_from(child, -1, 0));
	show(get_from(child, 40, 1));
	show(get_from(got, 40, 0));
	int own = get_from(fd, 1, 0);
	check(own > 2);
	kill(pid, SIGKILL);
	wait_for(pid);
	show(get_from(child, 40, 0));

	/* by clone */
	int made = -1;
	fflush(stdout);
	pid = (pid_t)syscall(SYS_clone, CLONE_WITH_PIDFD | SIGCHLD, 0, &made, 0, 0);
	if (!pid)
		_exit(fcntl(made, F_GETFD) < 0 ? 8 : 9); /* not in the child */
	check(made > 2 && fcntl(made, F_GETFD) == FD_CLOEXEC);
	show(wait_on(made, &info, WEXITED));
	printf("status %d\n", info.si_status);
	struct { uint64_t flags, pidfd, child_tid, parent_tid, signal, stack, stack_size, tls; } arguments = {
		.flags = CLONE_WITH_PIDFD | 0x4100, .pidfd = (uintptr_t)&made, .signal = SIGCHLD,
	};
	arguments.flags = CLONE_WITH_PIDFD;
	made = -1;
	pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
	if (!pid)
		_exit(5);
	show(ready(made, 5000));
	show(wait_on(made, &info, WEXITED));
	printf("status %d\n", info.si_status);
	show(syscall(SYS_clone, CLONE_WITH_PIDFD | 0x100000 | SIGCHLD, 0, &made, 0, 0));
	show(syscall(SYS_clone, CLONE_WITH_PIDFD | SIGCHLD, 0, (int *)8, 0, 0));
	show(waitpid(-1, NULL, 0));

	/* refused */
	show(pidfd_of(0, 0));
	show(pidfd_of(-5, 0));
	show(pidfd_of(999999, 0));
	show(pidfd_of(getpid(), 1 << 20));
	show(send_to(1000, 0, NULL, 0));
	show(send_to(pipes[0], 0, NULL, 0));
	show(wait_on(pipes[0], &info, WEXITED));
	show(wait_on(1000, &info, WEXITED));
	show(wait_on(-1, &info, WEXITED));
	return 0;
}
