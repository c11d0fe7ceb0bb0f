/* poll and select on pipes, files and devices: readiness, ends, timeouts. */
#include "case.h"
#include <sys/select.h>

static void show_poll(const char *text, struct pollfd *item, nfds_t count, int timeout)
{
	double start = seconds_now();
	int ready = poll(item, count, timeout);
	double took = seconds_now() - start;
	printf("%s: %d", text, ready);
	for (nfds_t i = 0; i < count; i++)
		printf(" %#x", (unsigned)item[i].revents);
	if (timeout > 0 && ready == 0)
		printf(" waited %s", took >= timeout / 1000.0 - 0.002 ? "long enough" : "too short");
	printf("\n");
}

static volatile sig_atomic_t came;
static void on_usr1(int number) { (void)number; came++; }

int main(void)
{
	int p[2];
	char byte;
	must(pipe(p));
	struct pollfd item[3] = { { p[0], POLLIN, 0 }, { p[1], POLLOUT, 0 }, { -1, POLLIN, 0 } };
	show_poll("empty", item, 3, 0);
	show_poll("reader only", item, 1, 50);
	must(write(p[1], "x", 1));
	show_poll("one byte", item, 2, -1);
	item[0].events = POLLOUT;
	show_poll("reader for writing", item, 1, 0);
	item[0].events = POLLIN;
	must(fcntl(p[1], F_SETFL, O_NONBLOCK));
	static char block[4096];
	while (write(p[1], block, sizeof block) > 0)
		;
	show_poll("full", item, 2, 0);
	must(read(p[0], block, 100));
	show_poll("a little room", item, 2, 0);
	for (int i = 0; i < 2; i++)
		must(read(p[0], block, sizeof block));
	show_poll("a page of room", item, 2, 0);
	close(p[1]);
	item[1].fd = p[1];
	show_poll("writer closed, bytes left", item, 2, 0);
	while (read(p[0], block, sizeof block) > 0)
		;
	show_poll("writer closed, empty", item, 1, 0);
	close(p[0]);
	must(pipe(p));
	close(p[0]);
	item[0] = (struct pollfd){ p[1], POLLOUT, 0 };
	show_poll("reader closed", item, 1, 0);
	close(p[1]);
	put_file("file", "content");
	int file = must(open("file", O_RDWR)), null = must(open("/dev/null", O_RDWR));
	item[0] = (struct pollfd){ file, POLLIN | POLLOUT, 0 };
	item[1] = (struct pollfd){ null, POLLIN | POLLOUT, 0 };
	show_poll("file and null", item, 2, -1);
	show_poll("nothing", item, 0, 30);
	/* woken while waiting */
	must(pipe(p));
	pid_t pid = in_child({ sleep_ms(50); must(write(p[1], "w", 1)); sleep_ms(50); });
	close(p[1]);
	item[0] = (struct pollfd){ p[0], POLLIN, 0 };
	show_poll("woken by data", item, 1, 5000);
	must(read(p[0], &byte, 1));
	show_poll("woken by the end", item, 1, 5000);
	wait_for(pid);
	close(p[0]);

	fd_set readable, writable;
	must(pipe(p));
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(p[0], &readable);
	FD_SET(p[1], &writable);
	struct timeval timeout = { 0, 50000 };
	show(select(p[1] + 1, &readable, &writable, NULL, &timeout));
	printf("readable %d writable %d\n", !!FD_ISSET(p[0], &readable), !!FD_ISSET(p[1], &writable));
	FD_ZERO(&readable);
	FD_SET(p[0], &readable);
	timeout = (struct timeval){ 0, 50000 };
	show(select(p[1] + 1, &readable, NULL, NULL, &timeout));
	printf("left %ld.%06ld\n", (long)timeout.tv_sec, (long)timeout.tv_usec);
	must(write(p[1], "y", 1));
	FD_SET(p[0], &readable);
	show(select(p[1] + 1, &readable, NULL, NULL, NULL));
	FD_ZERO(&readable);
	FD_SET(20, &readable); /* not open; far higher ones Linux does not look at when its table is short */
	show(select(21, &readable, NULL, NULL, NULL));
	show(select(-1, NULL, NULL, NULL, NULL));
	timeout = (struct timeval){ 0, 20000 };
	show(select(0, NULL, NULL, NULL, &timeout));
	/* a mask for the wait only */
	sigset_t none, usr1;
	sigemptyset(&none);
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	must(sigprocmask(SIG_BLOCK, &usr1, NULL));
	signal(SIGUSR1, on_usr1);
	raise(SIGUSR1);
	struct timespec brief = { 0, 20000000 };
	printf("before %d\n", (int)came);
	show(ppoll(NULL, 0, &brief, &none));
	printf("after %d\n", (int)came);
	show(ppoll(NULL, 0, &brief, &none));
	show(pselect(0, NULL, NULL, NULL, &brief, &none));
	return 0;
}
