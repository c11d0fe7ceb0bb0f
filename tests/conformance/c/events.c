/* epoll and eventfd. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

static void show_wait(const char *text, int set, int timeout)
{
	struct epoll_event event[8];
	int count = epoll_wait(set, event, 8, timeout);
	uint64_t words = 0;
	unsigned events = 0;
	for (int i = 0; i < count; i++) {
		words += event[i].data.u64;
		events |= event[i].events;
	}
	printf("%s: %d words %llu events %#x\n", text, count, (unsigned long long)words, events);
}
static int control(int set, int operation, int fd, unsigned events, uint64_t word)
{
	struct epoll_event event = { .events = events, .data.u64 = word };
	return epoll_ctl(set, operation, fd, &event);
}

int main(void)
{
	int set = must(epoll_create1(EPOLL_CLOEXEC)), p[2], q[2];
	char byte;
	must(pipe(p));
	must(pipe(q));
	show_wait("empty set", set, 20);
	show(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	show(control(set, EPOLL_CTL_ADD, q[0], EPOLLIN | EPOLLET, 10));
	show(control(set, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
	show(control(set, EPOLL_CTL_DEL, p[1], 0, 0));
	show(control(set, EPOLL_CTL_ADD, 99, EPOLLIN, 1));
	show(control(set, EPOLL_CTL_ADD, set, EPOLLIN, 1));
	put_file("file", "x");
	int file = must(open("file", O_RDONLY));
	show(control(set, EPOLL_CTL_ADD, file, EPOLLIN, 1));
	show_wait("nothing ready", set, 0);
	must(write(p[1], "a", 1));
	must(write(q[1], "a", 1));
	show_wait("both", set, -1);
	show_wait("level only", set, 0);
	must(write(q[1], "b", 1));
	show_wait("edge again", set, 0);
	must(read(p[0], &byte, 1));
	show_wait("level gone", set, 0);
	show(control(set, EPOLL_CTL_MOD, q[0], EPOLLIN | EPOLLONESHOT, 100));
	show_wait("once", set, 0);
	show_wait("not twice", set, 0);
	show(control(set, EPOLL_CTL_MOD, q[0], EPOLLIN | EPOLLONESHOT, 200));
	show_wait("armed again", set, 0);
	close(p[1]);
	show_wait("hang-up", set, 0);
	close(p[0]); /* leaves the set */
	show_wait("closed", set, 0);
	show(control(set, EPOLL_CTL_ADD, q[1], EPOLLOUT, 7));
	show_wait("writable", set, 0);
	show(control(set, EPOLL_CTL_DEL, q[1], 0, 0));

	int event = must(eventfd(3, EFD_NONBLOCK));
	uint64_t value = 0;
	show(control(set, EPOLL_CTL_ADD, event, EPOLLIN, 1000));
	show_wait("event", set, 0);
	show(read(event, &value, sizeof value));
	printf("value %llu\n", (unsigned long long)value);
	show(read(event, &value, sizeof value));
	value = 5;
	show(write(event, &value, sizeof value));
	show(write(event, &value, sizeof value));
	show(read(event, &value, sizeof value));
	printf("value %llu\n", (unsigned long long)value);
	value = UINT64_MAX;
	show(write(event, &value, sizeof value));
	value = UINT64_MAX - 1;
	show(write(event, &value, sizeof value));
	value = 1;
	show(write(event, &value, sizeof value));
	show(read(event, &value, 4));
	int semaphore = must(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
	show(read(semaphore, &value, sizeof value));
	printf("value %llu\n", (unsigned long long)value);
	show(read(semaphore, &value, sizeof value));
	show(read(semaphore, &value, sizeof value));
	/* woken by another process */
	must(read(event, &value, sizeof value));
	pid_t pid = in_child({ sleep_ms(50); value = 9; must(write(event, &value, sizeof value)); });
	show_wait("woken", set, 5000);
	wait_for(pid);
	must(fcntl(event, F_SETFL, 0));
	pid = in_child({ must(read(event, &value, sizeof value)); must(read(event, &value, sizeof value)); printf("child got %llu\n", (unsigned long long)value); });
	sleep_ms(50);
	value = 11;
	must(write(event, &value, sizeof value));
	wait_for(pid);
	return 0;
}
