/* eventfd: a real open file description, shared by dup and fork, pollable, blocking both ways. */
#include "legacy.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static uint64_t value;
static int event;

static short ready(int fd, int timeout)
{
	struct pollfd item = { fd, timeout ? POLLIN : POLLIN | POLLOUT, 0 };
	poll(&item, 1, timeout);
	return item.revents;
}
static void show_read(const char *text, int fd)
{
	value = 77;
	ssize_t count = read(fd, &value, sizeof value);
	printf("%s: %zd %llu %s\n", text, count, (unsigned long long)value, count < 0 ? error_name(errno) : "");
}
static void show_write(const char *text, int fd, uint64_t number)
{
	ssize_t count = write(fd, &number, sizeof number);
	printf("%s: %zd %s\n", text, count, count < 0 ? error_name(errno) : "");
}
static void *writer(void *argument)
{
	uint64_t number = 5;
	sleep_ms(60);
	must(write(event, &number, sizeof number));
	return argument;
}
static void *reader(void *argument)
{
	sleep_ms(60);
	must(read(event, &value, sizeof value));
	return argument;
}
static void on_alarm(int signal) { (void)signal; }

int main(void)
{
	pthread_t thread;
	struct stat status;
	char bytes[32] = { 0 };
	must(event = eventfd(0, 0));
	check(event == 3);
	printf("flags %#x %#x\n", fcntl(event, F_GETFL), fcntl(event, F_GETFD));
	printf("ready %#x\n", ready(event, 0));
	show_write("write 1", event, 1);
	printf("ready %#x\n", ready(event, 0));
	show_write("write 2", event, 2);
	show_read("read", event);
	show_write("write 0", event, 0);
	printf("ready %#x\n", ready(event, 0));
	show_write("write all ones", event, UINT64_MAX);
	show(write(event, bytes, 4));
	show(read(event, bytes, 7));
	show_write("write most", event, UINT64_MAX - 1);
	printf("ready when full %#x\n", ready(event, 0));
	must(fcntl(event, F_SETFL, O_NONBLOCK));
	printf("flags %#x\n", fcntl(event, F_GETFL));
	show_write("full", event, 1);
	show_read("read most", event);
	show_read("empty", event);
	show(read(event, bytes, sizeof bytes));
	must(fcntl(event, F_SETFL, 0));

	/* blocking, woken by a thread */
	pthread_create(&thread, NULL, writer, NULL);
	show_read("woken", event);
	pthread_join(thread, NULL);
	show_write("fill", event, UINT64_MAX - 1);
	pthread_create(&thread, NULL, reader, NULL);
	show_write("waits for room", event, 3);
	pthread_join(thread, NULL);
	show_read("what came", event);
	pthread_create(&thread, NULL, writer, NULL);
	printf("poll woken %#x\n", ready(event, 5000));
	pthread_join(thread, NULL);
	show_read("polled", event);

	/* shared by dup and by fork */
	int copy = must(dup(event));
	show_write("through dup", copy, 4);
	show_read("read", event);
	must(fcntl(copy, F_SETFL, O_NONBLOCK));
	printf("flags shared %#x\n", fcntl(event, F_GETFL));
	must(fcntl(copy, F_SETFL, 0));
	pid_t pid = in_child({ uint64_t number = 40; sleep_ms(40); must(write(event, &number, 8)); });
	show_read("from child", copy);
	show_status("child", wait_for(pid));

	/* an interrupted read */
	struct sigaction action = { .sa_handler = on_alarm };
	struct itimerval timer = { .it_value = { 0, 50000 } };
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	show_read("interrupted", event);

	/* vectors, offsets, other calls */
	struct iovec parts[2] = { { bytes, 3 }, { bytes + 3, 5 } };
	bytes[0] = 9;
	show(writev(event, parts, 2));
	show_write("plain", event, 9);
	bytes[0] = 0;
	show(readv(event, parts, 2));
	printf("bytes %d %d\n", bytes[0], bytes[3]);
	show(pread(event, bytes, 8, 0));
	show(pwrite(event, bytes, 8, 0));
	show(ftruncate(event, 0));
	int number;
	show(ioctl(event, FIONREAD, &number));
	must(fstat(event, &status));
	printf("permissions %o\n", status.st_mode & 0777);

	/* semaphores and flags */
	int semaphore = must(eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC));
	printf("flags %#x %#x\n", fcntl(semaphore, F_GETFL), fcntl(semaphore, F_GETFD));
	for (int i = 0; i < 4; i++)
		show_read("semaphore", semaphore);
	show(eventfd(0, 8));
	show(legacy(eventfd, 7));
	show_read("old call", must(dup(6)));
	int initial = must(eventfd(0xffffffffu, 0));
	show_read("initial", initial);

	/* in epoll, edge-triggered: every write tells */
	int set = must(epoll_create1(0));
	struct epoll_event entry = { .events = EPOLLIN | EPOLLET, .data.u64 = 1 }, got;
	must(epoll_ctl(set, EPOLL_CTL_ADD, initial, &entry));
	show(epoll_wait(set, &got, 1, 0));
	show_write("edge", initial, 1);
	show(epoll_wait(set, &got, 1, 0));
	show(epoll_wait(set, &got, 1, 0));
	show_write("edge", initial, 1);
	show(epoll_wait(set, &got, 1, 0));
	return 0;
}
