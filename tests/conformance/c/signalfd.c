/* signalfd: what is read, waiting, readiness, masks, sharing. */
#include "case.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>

static int fd;
static pid_t self;
static void show_read(const char *text, int from, int room)
{
	struct signalfd_siginfo info[8];
	memset(info, 0, sizeof info);
	ssize_t count = read(from, info, room * sizeof info[0]);
	if (count < 0) {
		printf("%s: %s\n", text, error_name(errno));
		return;
	}
	printf("%s: %zd", text, count / (ssize_t)sizeof info[0]);
	for (int i = 0; i < count / (int)sizeof info[0]; i++)
		printf(" (%u code %d %s int %d status %d)", info[i].ssi_signo, info[i].ssi_code,
			info[i].ssi_signo == SIGALRM ? "" : info[i].ssi_pid == (uint32_t)self ? "by me" : "by another", info[i].ssi_int, info[i].ssi_status);
	printf("\n");
}
static short ready(int from, int timeout)
{
	struct pollfd item = { from, POLLIN | POLLOUT, 0 };
	poll(&item, 1, timeout);
	return item.revents;
}
static void *sender(void *argument)
{
	sleep_ms(50);
	kill(self, *(int *)argument);
	return NULL;
}
static void on_signal(int signal) { printf("handler %d\n", signal); }

int main(void)
{
	sigset_t set, some, old;
	pthread_t thread;
	int number;
	self = getpid();
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &set, &old);
	must(fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
	printf("flags %#x %#x ready %#x\n", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), ready(fd, 0));
	show_read("nothing", fd, 1);
	kill(self, SIGUSR1);
	kill(self, SIGUSR1);
	printf("ready %#x\n", ready(fd, 0));
	show_read("one of two", fd, 8);
	printf("ready %#x\n", ready(fd, 0));
	sigqueue(self, SIGRTMIN + 3, (union sigval){ .sival_int = 41 });
	sigqueue(self, SIGRTMIN + 3, (union sigval){ .sival_int = 42 });
	kill(self, SIGUSR1);
	show_read("lowest first", fd, 2);
	printf("ready %#x\n", ready(fd, 0));
	show_read("the rest", fd, 8);
	raise(SIGUSR1);
	show_read("to the thread", fd, 8);
	/* children, also though ignored by default */
	pid_t pid = in_child({ _exit(7); });
	printf("ready %#x\n", ready(fd, 5000));
	show_read("child", fd, 1);
	show_status("child", wait_for(pid));
	/* taken otherwise */
	kill(self, SIGUSR1);
	printf("ready %#x\n", ready(fd, 0));
	show(sigwaitinfo(&set, NULL));
	printf("ready %#x\n", ready(fd, 0));
	kill(self, SIGUSR1);
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("ready %#x\n", ready(fd, 0));
	/* blocking, from a thread, from an alarm */
	must(fcntl(fd, F_SETFL, 0));
	number = SIGUSR1;
	pthread_create(&thread, NULL, sender, &number);
	show_read("waited", fd, 1);
	pthread_join(thread, NULL);
	struct itimerval timer = { .it_value = { 0, 40000 } };
	setitimer(ITIMER_REAL, &timer, NULL);
	show_read("alarm", fd, 1);
	/* other signals interrupt */
	sigaction(SIGUSR2, &action, NULL);
	number = SIGUSR2;
	pthread_create(&thread, NULL, sender, &number);
	show_read("interrupted", fd, 1);
	pthread_join(thread, NULL);
	/* in epoll, with another signal source */
	int poller = must(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 6 };
	must(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event));
	show(epoll_wait(poller, &event, 1, 0));
	number = SIGUSR1;
	pthread_create(&thread, NULL, sender, &number);
	show(epoll_wait(poller, &event, 1, 5000));
	pthread_join(thread, NULL);
	show(epoll_wait(poller, &event, 1, 0));
	show_read("epoll", fd, 4);
	show(epoll_wait(poller, &event, 1, 0));
	pid = in_child({ sleep_ms(50); kill(self, SIGRTMIN + 3); sleep_ms(100); _exit(0); });
	show(epoll_wait(poller, &event, 1, 5000));
	show_read("from the child", fd, 1);
	wait_for(pid);
	show(epoll_wait(poller, &event, 1, 5000));
	show_read("its end", fd, 1);
	/* the mask changes; two descriptors */
	sigemptyset(&some);
	sigaddset(&some, SIGALRM);
	check(signalfd(fd, &some, 0) == fd);
	kill(self, SIGUSR1);
	printf("not in the mask %#x\n", ready(fd, 0));
	sigaddset(&some, SIGUSR1);
	int second = must(signalfd(-1, &some, SFD_NONBLOCK));
	printf("ready %#x %#x\n", ready(fd, 0), ready(second, 0));
	must(signalfd(fd, &some, 0));
	printf("ready %#x %#x\n", ready(fd, 0), ready(second, 0));
	show_read("second", second, 1);
	printf("ready %#x %#x\n", ready(fd, 0), ready(second, 0));
	int copy = must(dup(second));
	close(second);
	kill(self, SIGALRM);
	printf("ready %#x\n", ready(copy, 0));
	show_read("copy", copy, 1);
	/* a child reads its own */
	pid = in_child({ self = getpid(); kill(self, SIGUSR1); show_read("child's own", copy, 2); show_read("no more", copy, 2); });
	wait_for(pid);
	show_read("parent has none", copy, 1);
	/* errors */
	char small[100];
	show(read(fd, small, sizeof small));
	show(write(fd, small, 8));
	show(pread(fd, small, 100, 0));
	show(signalfd(99, &set, 0));
	show(signalfd(0, &set, 0));
	show(signalfd(-1, &set, 1));
	show(syscall(SYS_signalfd4, -1, &set, 4, 0));
	for (int i = 0; i < 100; i++)
		close(must(signalfd(-1, &set, 0)));
	return 0;
}
