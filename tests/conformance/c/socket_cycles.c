/* Sockets sent into their own queues and into each other's: what nobody can reach any more goes, and with it all that it held. */
#include "case.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

static void send_with(int s, const int *fds, int count)
{
	char control[CMSG_SPACE(16 * sizeof(int))] = { 0 };
	struct iovec piece = { "x", 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	must(sendmsg(s, &message, 0));
}

static int receive_one(int s, int flags)
{
	union { char bytes[CMSG_SPACE(16 * sizeof(int))]; struct cmsghdr align; } control;
	char byte;
	int fd = -1;
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control };
	must(recvmsg(s, &message, flags));
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS) {
		int more;
		memcpy(&fd, CMSG_DATA(header), sizeof fd);
		for (size_t at = CMSG_LEN(sizeof fd); at < header->cmsg_len; at += sizeof more) {
			memcpy(&more, (char *)header + at, sizeof more);
			close(more);
		}
	}
	return fd;
}

/* A writer's end that is put into what is to go; told() says whether that has gone. */
static int watch_reader;
static int witness(void)
{
	int end[2];
	must(pipe(end));
	watch_reader = end[0];
	return end[1];
}
static void told(const char *what)
{
	struct pollfd item = { .fd = watch_reader, .events = POLLIN };
	int pair[2];
	for (int i = 0; i < 20 && !(item.revents & POLLHUP); i++) { /* Linux looks when a socket is closed, and in its own time */
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		close(pair[0]);
		close(pair[1]);
		poll(&item, 1, 50);
	}
	printf("%s: %s\n", what, item.revents & POLLHUP ? "gone" : "STILL THERE");
	close(watch_reader);
}
static void alive(const char *what)
{
	struct pollfd item = { .fd = watch_reader, .events = POLLIN };
	printf("%s: %s\n", what, poll(&item, 1, 100) == 0 ? "alive" : "GONE");
}

static void one(int type, const char *name)
{
	int pair[2], w;
	printf("- %s\n", name);
	must(socketpair(AF_UNIX, type, 0, pair)); /* into its own queue */
	w = witness();
	send_with(pair[0], (int[]){ pair[1], w }, 2);
	close(w);
	alive("in its own queue");
	close(pair[1]);
	close(pair[0]);
	told("its own queue");

	must(socketpair(AF_UNIX, type, 0, pair)); /* each in the other's */
	w = witness();
	send_with(pair[0], (int[]){ pair[0], w }, 2);
	send_with(pair[1], (int[]){ pair[1] }, 1);
	close(w);
	close(pair[0]);
	close(pair[1]);
	told("each in its peer's queue");

	int a[2], b[2], c[2]; /* a circle of three */
	must(socketpair(AF_UNIX, type, 0, a));
	must(socketpair(AF_UNIX, type, 0, b));
	must(socketpair(AF_UNIX, type, 0, c));
	w = witness();
	send_with(a[0], (int[]){ b[1], w }, 2);
	send_with(b[0], (int[]){ c[1] }, 1);
	send_with(c[0], (int[]){ a[1] }, 1);
	close(w);
	close(a[0]); close(b[0]); close(c[0]);
	close(b[1]); close(c[1]);
	alive("a circle of three that one holds");
	int got = receive_one(a[1], 0); /* b[1] */
	int next = receive_one(got, 0); /* c[1] */
	int last = receive_one(next, 0); /* a[1] again */
	check(got >= 0 && next >= 0 && last >= 0);
	close(watch_reader);
	w = witness();
	close(a[1]); close(got); close(next); close(last);
	close(w);
	told("what was taken apart");

	must(socketpair(AF_UNIX, type, 0, a));
	must(socketpair(AF_UNIX, type, 0, b));
	must(socketpair(AF_UNIX, type, 0, c));
	w = witness();
	send_with(a[0], (int[]){ b[1] }, 1);
	send_with(b[0], (int[]){ c[1] }, 1);
	send_with(c[0], (int[]){ a[1], w }, 2);
	close(w);
	for (int i = 0; i < 2; i++)
		close(a[i]), close(b[i]), close(c[i]);
	told("a circle of three");
}

static void held(void)
{
	int a[2], b[2], w;
	puts("- garbage hangs on what is alive, and the other way round");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	w = witness();
	send_with(b[0], (int[]){ b[1], w }, 2); /* b holds itself */
	close(w);
	send_with(a[0], (int[]){ b[1] }, 1); /* and a's queue holds it, too */
	close(b[0]);
	close(b[1]);
	for (int i = 0; i < 3; i++) {
		int pair[2];
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
		close(pair[0]);
		close(pair[1]);
	}
	alive("in a queue that can be read");
	int again = receive_one(a[1], 0);
	check(again >= 0);
	char byte;
	int inner = receive_one(again, 0);
	check(inner >= 0);
	close(inner);
	close(again);
	told("received and closed");

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	w = witness();
	send_with(b[0], (int[]){ b[1], w }, 2);
	close(w);
	send_with(a[0], (int[]){ b[1] }, 1);
	close(b[0]);
	close(b[1]);
	int peeked = receive_one(a[1], MSG_PEEK);
	close(peeked);
	alive("looked at only");
	must(read(a[1], &byte, 1)); /* the descriptor is dropped */
	told("dropped by a read");

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
	w = witness();
	send_with(b[0], (int[]){ b[1], w }, 2);
	close(w);
	send_with(a[0], (int[]){ b[1] }, 1);
	close(b[0]);
	close(b[1]);
	close(a[0]);
	close(a[1]); /* the queue that held it goes unread */
	told("its holder went");
}

static void processes(void)
{
	int a[2], w = witness();
	puts("- the end of a process");
	wait_for(in_child({
		int b[2];
		close(watch_reader);
		must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b));
		send_with(b[0], (int[]){ b[1], w }, 2);
		send_with(b[1], (int[]){ b[0] }, 1);
	}));
	close(w);
	told("made by a process that ended");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	w = witness();
	pid_t child = in_child({
		char byte;
		close(watch_reader);
		send_with(a[0], (int[]){ a[1], w }, 2);
		pause();
	});
	close(w);
	sleep_ms(100);
	close(a[0]);
	close(a[1]);
	alive("another process has it");
	kill(child, SIGKILL);
	wait_for(child);
	told("killed");
}

static void listeners(void)
{
	struct sockaddr_un name = { AF_UNIX, "listener" };
	int a[2], w = witness();
	puts("- a listener");
	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(listener, (struct sockaddr *)&name, sizeof name));
	must(listen(listener, 5));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	send_with(a[0], (int[]){ a[1], listener, w }, 3);
	close(w);
	close(listener);
	int client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(client, (struct sockaddr *)&name, sizeof name)); /* it is alive */
	close(a[0]);
	close(a[1]);
	told("in a circle");
	close(client);
	client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	close(client);
}

static void many(void)
{
	puts("- many");
	for (int round = 0; round < 300; round++) {
		int a[2], b[2];
		must(socketpair(AF_UNIX, round % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, a));
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, b));
		send_with(a[0], (int[]){ a[1], b[1] }, 2);
		send_with(b[0], (int[]){ a[1], b[0], a[0] }, 3);
		close(a[0]); close(a[1]); close(b[0]); close(b[1]);
	}
	int w = witness(), a[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, a));
	send_with(a[0], (int[]){ a[1], w }, 2);
	close(w);
	close(a[0]);
	close(a[1]);
	told("the last of them");
	int chain[2], previous = -1; /* a chain is no circle, and as long as one likes */
	w = witness();
	previous = w;
	for (int i = 0; i < 200; i++) {
		must(socketpair(AF_UNIX, SOCK_STREAM, 0, chain));
		send_with(chain[0], &previous, 1);
		close(previous);
		close(chain[0]);
		previous = chain[1];
	}
	alive("a chain");
	close(previous);
	told("a chain");
}

static void timeout(void)
{
	struct sockaddr_un name = { AF_UNIX, "full" };
	puts("- SO_SNDTIMEO of connect");
	int queue = must(socket(AF_UNIX, SOCK_STREAM, 0)), first = must(socket(AF_UNIX, SOCK_STREAM, 0)), second = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(queue, (struct sockaddr *)&name, sizeof name));
	must(listen(queue, 0));
	must(connect(first, (struct sockaddr *)&name, sizeof name));
	struct timeval time = { 0, 150000 };
	must(setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
	double began = seconds_now();
	show(connect(second, (struct sockaddr *)&name, sizeof name));
	check(seconds_now() - began >= 0.14);
	time.tv_sec = 10;
	must(setsockopt(second, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
	pid_t child = in_child({
		sleep_ms(100);
		must(accept(queue, NULL, NULL));
	});
	show(connect(second, (struct sockaddr *)&name, sizeof name));
	wait_for(child);
	int third = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(setsockopt(third, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
	child = in_child({
		sleep_ms(100);
		must(shutdown(queue, SHUT_RDWR));
	});
	show(connect(third, (struct sockaddr *)&name, sizeof name));
	wait_for(child);
}

int main(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	one(SOCK_STREAM, "stream");
	one(SOCK_DGRAM, "datagram");
	one(SOCK_SEQPACKET, "packet");
	held();
	processes();
	listeners();
	many();
	timeout();
	return 0;
}
