/* epoll: nesting, exclusive entries, names of readiness, entries and the life of descriptions, waits with masks. */
#include "case.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif

static int control(int set, int operation, int fd, unsigned events, uint64_t word)
{
	struct epoll_event event = { .events = events, .data.u64 = word };
	return epoll_ctl(set, operation, fd, &event);
}
static void show_wait(const char *text, int set, int timeout)
{
	struct epoll_event event[8];
	int count = epoll_wait(set, event, 8, timeout);
	printf("%s: %d", text, count);
	if (count == 2 && event[0].data.u64 > event[1].data.u64) { /* the order is anybody's */
		struct epoll_event first = event[0];
		event[0] = event[1];
		event[1] = first;
	}
	for (int i = 0; i < count; i++)
		printf(" (%llu %#x)", (unsigned long long)event[i].data.u64, event[i].events);
	printf("\n");
}
static int waits_on;
static void *waiter(void *argument)
{
	struct epoll_event event;
	int count = epoll_wait(waits_on, &event, 1, 5000);
	uint64_t value;
	if (count == 1 && read(*(int *)argument, &value, 8) == 8)
		return (void *)1;
	return NULL;
}
static void on_alarm(int signal) { (void)signal; }

int main(void)
{
	int set = must(epoll_create(1)), inner = must(epoll_create1(0)), deep[6], p[2];
	must(pipe(p));
	int event = must(eventfd(0, EFD_NONBLOCK));
	uint64_t value = 1;
	/* nested */
	show(control(inner, EPOLL_CTL_ADD, event, EPOLLIN, 1));
	show(control(set, EPOLL_CTL_ADD, inner, EPOLLIN, 2));
	show(control(inner, EPOLL_CTL_ADD, set, EPOLLIN, 3));
	show_wait("nothing", set, 0);
	must(write(event, &value, 8));
	show_wait("nested", set, 0);
	show_wait("inner", inner, 0);
	struct pollfd item = { set, POLLIN, 0 };
	show(poll(&item, 1, 0));
	must(read(event, &value, 8));
	show_wait("gone", set, 0);
	show(control(set, EPOLL_CTL_MOD, inner, EPOLLIN | EPOLLET, 4));
	must(write(event, &value, 8));
	show_wait("nested edge", set, 0);
	show_wait("not twice", set, 0);
	must(read(event, &value, 8));
	for (int i = 0; i < 6; i++) {
		deep[i] = must(epoll_create1(0));
		if (i)
			printf("depth %d: %s\n", i, control(deep[i], EPOLL_CTL_ADD, deep[i - 1], EPOLLIN, i) ? error_name(errno) : "added");
	}
	close(inner);
	show_wait("inner closed", set, 0);
	/* the names of readiness */
	show(control(set, EPOLL_CTL_ADD, p[0], EPOLLRDNORM, 5));
	show(control(set, EPOLL_CTL_ADD, p[1], EPOLLIN, 6));
	must(write(p[1], "x", 1));
	show_wait("normal", set, 0);
	show(control(set, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDNORM | EPOLLPRI, 5));
	show_wait("both", set, 0);
	show(control(set, EPOLL_CTL_MOD, p[1], EPOLLOUT | EPOLLWRNORM, 6));
	show(control(set, EPOLL_CTL_DEL, p[0], 0, 0));
	show_wait("out", set, 0);
	show(control(set, EPOLL_CTL_DEL, p[0], 0, 0));
	/* exclusive */
	show(control(set, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLEXCLUSIVE, 7));
	show(control(set, EPOLL_CTL_MOD, event, EPOLLIN, 7));
	show(control(set, EPOLL_CTL_MOD, p[1], EPOLLIN | EPOLLEXCLUSIVE, 7));
	show(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 7));
	show(control(set, EPOLL_CTL_ADD, deep[0], EPOLLIN | EPOLLEXCLUSIVE, 7));
	show(control(set, EPOLL_CTL_DEL, p[1], 0, 0));
	must(write(event, &value, 8));
	show_wait("exclusive", set, 0);
	show(control(set, EPOLL_CTL_DEL, event, 0, 0));
	must(read(event, &value, 8));
	/* two threads wait, one gets the count */
	waits_on = set;
	show(control(set, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLET, 8));
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, waiter, &event);
	sleep_ms(50);
	long got = 0;
	for (int i = 0; i < 2; i++) {
		void *result;
		must(write(event, &value, 8));
		sleep_ms(50);
		(void)result;
	}
	for (int i = 0; i < 2; i++) {
		void *result;
		pthread_join(threads[i], &result);
		got += (long)result;
	}
	printf("edge waiters served %ld\n", got);
	/* entries live as long as the description */
	int copy = must(dup(event));
	show(control(set, EPOLL_CTL_ADD, copy, EPOLLIN, 9));
	must(write(event, &value, 8));
	close(event);
	show_wait("the copy keeps both", set, 0);
	show(control(set, EPOLL_CTL_DEL, event, 0, 0));
	pid_t pid = in_child({ sleep_ms(100); });
	close(copy);
	show_wait("a child keeps both", set, 0);
	wait_for(pid);
	show_wait("all gone", set, 0);
	event = must(eventfd(1, EFD_NONBLOCK));
	show_wait("a new one of the same number is not in it", set, 0);
	/* one-shot with edge; hang-up is always told */
	show(control(set, EPOLL_CTL_ADD, event, EPOLLIN | EPOLLET | EPOLLONESHOT, 10));
	show_wait("once", set, 0);
	must(write(event, &value, 8));
	show_wait("disarmed", set, 0);
	show(control(set, EPOLL_CTL_MOD, event, 0, 10));
	show_wait("nothing asked", set, 0);
	show(control(set, EPOLL_CTL_ADD, p[0], 0, 11));
	must(read(p[0], &value, 1));
	close(p[1]);
	show_wait("hung up", set, 0);
	/* masks and times */
	struct epoll_event one;
	sigset_t blocked, none;
	struct sigaction action = { .sa_handler = on_alarm };
	sigaction(SIGALRM, &action, NULL);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	close(p[0]);
	kill(getpid(), SIGALRM);
	show(epoll_pwait(set, &one, 1, 1000, &none));
	struct timespec brief = { 0, 30000000 }, bad = { 0, 1000000000 };
	double start = seconds_now();
	show(syscall(SYS_epoll_pwait2, set, &one, 1, &brief, NULL, 8));
	check(seconds_now() - start >= 0.03);
	show(syscall(SYS_epoll_pwait2, set, &one, 1, &bad, NULL, 8));
	show(epoll_wait(set, &one, 0, 0));
	show(epoll_wait(event, &one, 1, 0));
	show(epoll_wait(99, &one, 1, 0));
	show(epoll_create(0));
	show(epoll_create1(1));
	show(control(set, 9, event, 0, 0));
	return 0;
}
