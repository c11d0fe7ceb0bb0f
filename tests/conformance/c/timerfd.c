/* timerfd: relative, absolute, periodic, on each clock; settings; blocking, polling and sharing. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/timerfd.h>

static struct itimerspec spec(long first_ms, long period_ms)
{
	return (struct itimerspec){ { period_ms / 1000, period_ms % 1000 * 1000000 }, { first_ms / 1000, first_ms % 1000 * 1000000 } };
}
static void set(const char *text, int fd, int flags, long first, long period)
{
	struct itimerspec value = spec(first, period);
	printf("%s: %s\n", text, timerfd_settime(fd, flags, &value, NULL) ? error_name(errno) : "set");
}
static uint64_t show_read(const char *text, int fd, bool exact)
{
	uint64_t value = 0;
	ssize_t count = read(fd, &value, sizeof value);
	if (count < 0)
		printf("%s: %s\n", text, error_name(errno));
	else if (exact)
		printf("%s: %zd %llu\n", text, count, (unsigned long long)value);
	else
		printf("%s: %zd %s\n", text, count, value ? "some" : "none");
	return value;
}
static short ready(int fd, int timeout)
{
	struct pollfd item = { fd, POLLIN | POLLOUT, 0 };
	poll(&item, 1, timeout);
	return item.revents;
}

int main(void)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME };
	struct itimerspec value, old;
	char bytes[8] = { 0 };
	for (int i = 0; i < 3; i++) {
		int fd = must(timerfd_create(clocks[i], TFD_CLOEXEC));
		printf("clock %d: flags %#x %#x ready %#x\n", i, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD), ready(fd, 0));
		double start = seconds_now();
		set("relative", fd, 0, 60, 0);
		show_read("one", fd, true);
		check(seconds_now() - start >= 0.06);
		must(timerfd_gettime(fd, &value));
		printf("spent: %ld %ld %ld %ld\n", value.it_value.tv_sec, value.it_value.tv_nsec, value.it_interval.tv_sec, value.it_interval.tv_nsec);
		struct timespec now;
		clock_gettime(clocks[i], &now);
		now.tv_nsec += 60000000;
		if (now.tv_nsec >= 1000000000)
			now.tv_nsec -= 1000000000, now.tv_sec++;
		start = seconds_now();
		value = (struct itimerspec){ .it_value = now };
		show(timerfd_settime(fd, TFD_TIMER_ABSTIME, &value, NULL));
		must(timerfd_gettime(fd, &old));
		check(old.it_value.tv_sec == 0 && old.it_value.tv_nsec > 0 && old.it_value.tv_nsec <= 60000000);
		show_read("absolute", fd, true);
		check(seconds_now() - start >= 0.055);
		/* long ago */
		set("past", fd, TFD_TIMER_ABSTIME, 1, 0);
		printf("ready %#x\n", ready(fd, 1000));
		show_read("past", fd, true);
		close(fd);
	}
	int fd = must(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
	printf("flags %#x\n", fcntl(fd, F_GETFL));
	show_read("not armed", fd, true);
	set("periodic", fd, 0, 30, 30);
	show_read("not yet", fd, true);
	sleep_ms(100);
	uint64_t count = show_read("periods", fd, false);
	check(count >= 3);
	must(timerfd_gettime(fd, &value));
	printf("interval %ld\n", value.it_interval.tv_nsec);
	check(value.it_value.tv_nsec > 0 && value.it_value.tv_nsec <= 30000000);
	printf("ready %#x\n", ready(fd, 2000));
	value = spec(5000, 0);
	show(timerfd_settime(fd, 0, &value, &old));
	printf("old interval %ld\n", old.it_interval.tv_nsec);
	printf("count gone %#x\n", ready(fd, 0));
	set("disarm", fd, 0, 0, 77);
	must(timerfd_gettime(fd, &value));
	printf("disarmed %ld %ld\n", value.it_value.tv_sec + value.it_value.tv_nsec, value.it_interval.tv_nsec);
	/* a long absence is counted, not replayed */
	set("fast", fd, 0, 1, 1);
	sleep_ms(120);
	check(show_read("many", fd, false) >= 100);
	/* shared with a child and by dup */
	set("once", fd, 0, 40, 0);
	int copy = must(dup(fd));
	must(fcntl(copy, F_SETFL, 0));
	pid_t pid = in_child({ show_read("child", copy, true); });
	show_status("child", wait_for(pid));
	must(fcntl(fd, F_SETFL, O_NONBLOCK));
	show_read("taken by the child", fd, true);
	/* epoll */
	int poller = must(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 4 };
	must(epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event));
	set("edge", fd, 0, 30, 0);
	show(epoll_wait(poller, &event, 1, 5000));
	show(epoll_wait(poller, &event, 1, 50));
	set("edge", fd, 0, 30, 0);
	show(epoll_wait(poller, &event, 1, 5000));
	/* errors */
	show(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
	show(timerfd_create(99, 0));
	show(timerfd_create(CLOCK_MONOTONIC, 1));
	value = spec(1, 0);
	show(timerfd_settime(poller, 0, &value, NULL));
	show(timerfd_settime(0, 0, &value, NULL));
	show(timerfd_settime(99, 0, &value, NULL));
	show(timerfd_settime(fd, 64, &value, NULL));
	value.it_value.tv_nsec = 1000000000;
	show(timerfd_settime(fd, 0, &value, NULL));
	value.it_value = (struct timespec){ -1, 0 };
	show(timerfd_settime(fd, 0, &value, NULL));
	show(timerfd_gettime(99, &value));
	show(write(fd, bytes, 8));
	show(read(fd, bytes, 7));
	show(pread(fd, bytes, 8, 0));
	return 0;
}
