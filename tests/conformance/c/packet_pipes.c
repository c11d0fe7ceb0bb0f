/* Pipes with O_DIRECT: each write is a packet, each read takes one, and what does not fit is lost. */
#include "case.h"
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static char block[1 << 20];

static void take(int fd, size_t size)
{
	static char bytes[1 << 20];
	ssize_t count = read(fd, bytes, size);
	if (count < 0)
		printf("read %zu: %s\n", size, error_name(errno));
	else
		printf("read %zu = %zd [%.*s]\n", size, count, (int)(count > 20 ? 20 : count), bytes);
}

static int waiting(int fd)
{
	int count;
	must(ioctl(fd, FIONREAD, &count));
	return count;
}

static unsigned ready(int fd, short events)
{
	struct pollfd item = { .fd = fd, .events = events };
	must(poll(&item, 1, 0));
	return (unsigned)item.revents;
}

static void *slow_reader(void *argument)
{
	int fd = *(int *)argument;
	for (int i = 0; i < 20; i++) {
		char bytes[8];
		ssize_t count = read(fd, bytes, sizeof bytes);
		if (count != 8)
			printf("packet %d: %zd\n", i, count);
	}
	return NULL;
}

int main(void)
{
	int end[2];
	signal(SIGPIPE, SIG_IGN);
	must(pipe2(end, O_DIRECT));
	printf("flags %x %x\n", fcntl(end[0], F_GETFL), fcntl(end[1], F_GETFL));
	show(write(end[1], "one", 3));
	show(write(end[1], "two", 3));
	show(write(end[1], "", 0));
	show(write(end[1], "three!", 6));
	printf("waiting %d\n", waiting(end[0]));
	take(end[0], 100);
	take(end[0], 2); /* the rest of the packet goes */
	take(end[0], 6);
	must(fcntl(end[0], F_SETFL, O_NONBLOCK));
	take(end[0], 6);

	puts("- vectors");
	struct iovec parts[3] = { { "ab", 2 }, { "", 0 }, { "cde", 3 } };
	show(writev(end[1], parts, 3));
	char first[2], second[10];
	struct iovec into[2] = { { first, 2 }, { second, 10 } };
	show(writev(end[1], parts, 3));
	show(readv(end[0], into, 2));
	printf("[%.2s][%.3s]\n", first, second);
	into[1].iov_len = 1;
	show(readv(end[0], into, 2));
	take(end[0], 10);

	puts("- long writes are cut");
	show(write(end[1], block, 10000));
	printf("waiting %d\n", waiting(end[0]));
	take(end[0], 100000);
	take(end[0], 100000);
	take(end[0], 100000);
	take(end[0], 100000);
	show(write(end[1], block, 4096));
	show(write(end[1], block, 4097));
	take(end[0], 1);
	take(end[0], 100000);
	take(end[0], 100000);
	take(end[0], 100000);

	puts("- a packet takes a page's room");
	must(fcntl(end[1], F_SETFL, O_NONBLOCK | O_DIRECT));
	int count = 0;
	while (write(end[1], "x", 1) == 1)
		count++;
	printf("%d packets, %s, waiting %d\n", count, error_name(errno), waiting(end[0]));
	printf("ready %x %x\n", ready(end[0], POLLIN), ready(end[1], POLLOUT));
	show(fcntl(end[0], F_SETPIPE_SZ, 4096));
	take(end[0], 1);
	printf("ready %x %x\n", ready(end[0], POLLIN), ready(end[1], POLLOUT));
	show(fcntl(end[0], F_SETPIPE_SZ, 131072));
	while (write(end[1], "yz", 2) == 2)
		count++;
	printf("%d packets, %s, waiting %d\n", count, error_name(errno), waiting(end[0]));
	while (read(end[0], block, 10) > 0)
		count--;
	printf("%d left over, %s\n", count, error_name(errno));

	puts("- the flag is the writer's, and of each write");
	must(fcntl(end[1], F_SETFL, O_NONBLOCK));
	printf("flags %x %x\n", fcntl(end[0], F_GETFL), fcntl(end[1], F_GETFL));
	must(write(end[1], "stream", 6));
	must(fcntl(end[1], F_SETFL, O_NONBLOCK | O_DIRECT));
	must(write(end[1], "packet", 6));
	must(fcntl(end[1], F_SETFL, O_NONBLOCK));
	must(write(end[1], "more", 4));
	must(write(end[1], "!", 1));
	take(end[0], 3);
	take(end[0], 5); /* into the packet, which is over then */
	take(end[0], 3);
	take(end[0], 10);
	must(write(end[1], "ab", 2));
	must(fcntl(end[1], F_SETFL, O_NONBLOCK | O_DIRECT));
	must(write(end[1], "cd", 2));
	must(fcntl(end[1], F_SETFL, O_NONBLOCK));
	must(write(end[1], "ef", 2));
	take(end[0], 2);
	take(end[0], 10);
	take(end[0], 10);

	puts("- waiting writers");
	must(fcntl(end[1], F_SETFL, O_DIRECT));
	must(fcntl(end[0], F_SETFL, 0));
	show(fcntl(end[0], F_SETPIPE_SZ, 4096));
	pthread_t thread;
	must(-pthread_create(&thread, NULL, slow_reader, &end[0]));
	for (int i = 0; i < 20; i++)
		must(write(end[1], "12345678", 8));
	pthread_join(thread, NULL);

	puts("- bad memory takes nothing");
	must(write(end[1], "whole", 5));
	errno = 0;
	show(read(end[0], (void *)8, 5));
	take(end[0], 10);
	show(write(end[1], (void *)8, 5));
	printf("waiting %d\n", waiting(end[0]));

	puts("- where it cannot be");
	int file = must(open("file", O_RDWR | O_CREAT, 0600)), null = must(open("/dev/null", O_RDWR));
	show(fcntl(null, F_SETFL, O_DIRECT));
	show(pipe2(end, O_APPEND));
	return 0;
}
