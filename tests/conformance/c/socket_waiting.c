/* Waiting on sockets: signals, timeouts, other threads that end it, epoll, many readers and writers, processes that die. */
#include "case.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>

static volatile sig_atomic_t signals;
static void on_signal(int signal) { (void)signal; signals++; }

static void handler(bool restart)
{
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = restart ? SA_RESTART : 0 };
	must(sigaction(SIGALRM, &action, NULL));
}
static void alarm_ms(long ms)
{
	struct itimerval time = { { 0, 0 }, { ms / 1000, ms % 1000 * 1000 } };
	must(setitimer(ITIMER_REAL, &time, NULL));
}
static int listener_at(int type, const char *name)
{
	struct sockaddr_un address = { AF_UNIX };
	strcpy(address.sun_path, name);
	int fd = must(socket(AF_UNIX, type, 0));
	must(bind(fd, (struct sockaddr *)&address, sizeof address));
	must(listen(fd, 0));
	return fd;
}
static int connect_to(int fd, const char *name)
{
	struct sockaddr_un address = { AF_UNIX };
	strcpy(address.sun_path, name);
	return connect(fd, (struct sockaddr *)&address, sizeof address);
}

static void interrupted(void)
{
	int s[2];
	char byte = 0;
	static char large[1000000];
	printf("-- interrupted\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	handler(false);
	alarm_ms(30);
	show(recv(s[0], &byte, 1, 0));
	alarm_ms(30);
	show(read(s[0], &byte, 1));
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	alarm_ms(30);
	show(recvmsg(s[0], &message, 0));
	int listener = listener_at(SOCK_STREAM, "listener");
	alarm_ms(30);
	show(accept(listener, NULL, NULL));
	alarm_ms(30);
	ssize_t count = send(s[0], large, sizeof large, 0);
	check(count > 0 && count < (ssize_t)sizeof large);
	alarm_ms(30);
	show(send(s[0], large, 1, 0));
	alarm_ms(30);
	show(write(s[0], large, 1));
	alarm_ms(0);
	/* some bytes and then a signal */
	must(write(s[1], "abc", 3));
	alarm_ms(30);
	show(recv(s[0], large, 10, MSG_WAITALL));
	/* the queue is full: connect waits */
	int first = must(socket(AF_UNIX, SOCK_STREAM, 0)), second = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect_to(first, "listener"));
	alarm_ms(30);
	show(connect_to(second, "listener"));
	printf("signals %d\n", signals);
	close(s[0]); close(s[1]); close(first); close(second); close(listener);
}

static void restarted(void)
{
	int s[2];
	char byte = 0;
	printf("-- restarted\n");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	handler(true);
	signals = 0;
	pid_t child = in_child({ sleep_ms(100); must(write(s[1], "x", 1)); });
	alarm_ms(30);
	show(recv(s[0], &byte, 1, 0));
	printf("signals %d\n", signals);
	wait_for(child);
	int listener = listener_at(SOCK_STREAM, "again");
	child = in_child({
		sleep_ms(100);
		int own = must(socket(AF_UNIX, SOCK_STREAM, 0));
		must(connect_to(own, "again"));
	});
	alarm_ms(30);
	succeeds(accept(listener, NULL, NULL));
	printf("signals %d\n", signals);
	wait_for(child);
	close(s[0]); close(s[1]);
}

static int shared[2];
static void *blocked(void *argument)
{
	char buffer[10];
	long result = read(shared[0], buffer, sizeof buffer);
	return (void *)(result < 0 ? -errno : result);
}
static void *blocked_accept(void *argument)
{
	long result = accept(*(int *)argument, NULL, NULL);
	return (void *)(result < 0 ? -errno : 0);
}
static void ended(void)
{
	pthread_t thread;
	void *result;
	printf("-- ended by another thread\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, shared));
	pthread_create(&thread, NULL, blocked, NULL);
	sleep_ms(30);
	show(shutdown(shared[0], SHUT_RD));
	pthread_join(thread, &result);
	printf("read gives %ld\n", (long)result);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, shared));
	pthread_create(&thread, NULL, blocked, NULL);
	sleep_ms(30);
	must(close(shared[1]));
	pthread_join(thread, &result);
	printf("read gives %ld\n", (long)result);
	int listener = listener_at(SOCK_STREAM, "shut");
	int client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	pthread_create(&thread, NULL, blocked_accept, &listener);
	sleep_ms(30);
	show(shutdown(listener, SHUT_RDWR));
	pthread_join(thread, &result);
	printf("accept gives %s\n", error_name(-(int)(long)result));
	show(connect_to(client, "shut"));
	show(accept(listener, NULL, NULL));
	struct pollfd item = { .fd = listener, .events = POLLIN | POLLRDHUP };
	show(poll(&item, 1, 0));
	printf("%#x\n", item.revents);
	/* a process that dies */
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, shared));
	pid_t child = in_child({ close(shared[0]); pause(); });
	must(close(shared[1]));
	item = (struct pollfd){ .fd = shared[0], .events = POLLIN };
	show(poll(&item, 1, 50));
	must(kill(child, SIGKILL));
	show(poll(&item, 1, 5000));
	printf("%#x\n", item.revents);
	show(read(shared[0], &child, 1));
}

static void edges(void)
{
	int s[2], ep = must(epoll_create1(0));
	struct epoll_event event = { EPOLLIN | EPOLLOUT | EPOLLET | EPOLLRDHUP, { .u32 = 5 } };
	char buffer[100];
	printf("-- epoll\n");
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, s));
	must(epoll_ctl(ep, EPOLL_CTL_ADD, s[0], &event));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x\n", event.events);
	show(epoll_wait(ep, &event, 1, 0));
	must(write(s[1], "ab", 2));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x\n", event.events);
	show(epoll_wait(ep, &event, 1, 0));
	must(write(s[1], "cd", 2));
	show(epoll_wait(ep, &event, 1, 0));
	show(read(s[0], buffer, sizeof buffer));
	must(shutdown(s[1], SHUT_WR));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x\n", event.events);
	must(close(s[1]));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x\n", event.events);
	must(close(s[0]));
	show(epoll_wait(ep, &event, 1, 0));
	/* watched before it is connected, and while it begins to listen */
	struct sockaddr_un address = { AF_UNIX, "watched" };
	int listener = must(socket(AF_UNIX, SOCK_SEQPACKET, 0)), client = must(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	event = (struct epoll_event){ EPOLLIN, { .u32 = 1 } };
	must(epoll_ctl(ep, EPOLL_CTL_ADD, listener, &event));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x\n", event.events);
	must(bind(listener, (struct sockaddr *)&address, sizeof address));
	must(listen(listener, 3));
	show(epoll_wait(ep, &event, 1, 0));
	struct epoll_event other = { EPOLLIN, { .u32 = 2 } };
	must(epoll_ctl(ep, EPOLL_CTL_ADD, client, &other));
	must(connect_to(client, "watched"));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x %u\n", event.events, event.data.u32);
	int server = must(accept(listener, NULL, NULL));
	show(epoll_wait(ep, &event, 1, 0));
	must(write(server, "x", 1));
	show(epoll_wait(ep, &event, 1, 0));
	printf("%#x %u\n", event.events, event.data.u32);
	fd_set readable, writable;
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(client, &readable);
	FD_SET(server, &readable);
	FD_SET(server, &writable);
	show(select(server > client ? server + 1 : client + 1, &readable, &writable, NULL, NULL));
	printf("%d %d %d\n", !!FD_ISSET(client, &readable), !!FD_ISSET(server, &readable), !!FD_ISSET(server, &writable));
}

#define WRITERS 6
#define EACH 400
static int crowd[2];
static void *crowd_writer(void *argument)
{
	char message[40];
	for (int i = 0; i < EACH; i++) {
		memset(message, 'a' + (int)(long)argument, sizeof message);
		if (write(crowd[0], message, sizeof message) != sizeof message)
			return (void *)1;
	}
	return NULL;
}
static void *crowd_reader(void *argument)
{
	char message[100];
	long count = 0;
	ssize_t got;
	while ((got = read(crowd[1], message, sizeof message)) == 40) {
		for (int i = 1; i < 40; i++)
			if (message[i] != message[0])
				return (void *)-1;
		count++;
	}
	return (void *)count;
}
static void crowds(void)
{
	pthread_t writers[WRITERS], readers[3];
	long total = 0;
	void *result;
	printf("-- many at once\n");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, crowd));
	for (long i = 0; i < 3; i++)
		pthread_create(&readers[i], NULL, crowd_reader, NULL);
	for (long i = 0; i < WRITERS; i++)
		pthread_create(&writers[i], NULL, crowd_writer, (void *)i);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(writers[i], NULL);
	must(shutdown(crowd[0], SHUT_WR));
	for (int i = 0; i < 3; i++) {
		pthread_join(readers[i], &result);
		total += (long)result;
	}
	printf("messages %ld\n", total);
}

/* Descriptors that are never received, thousands of times, the sending socket among them. */
static void dropped(void)
{
	printf("-- dropped\n");
	for (int i = 0; i < 3000; i++) {
		int s[2];
		must(socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, s));
		union { char bytes[CMSG_SPACE(2 * sizeof(int))]; struct cmsghdr header; } control = { .header = { .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
		int fds[2] = { s[1], 0 };
		memcpy(CMSG_DATA(&control.header), fds, sizeof fds);
		static char block[5000];
		struct iovec piece = { block, sizeof block };
		struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		must(sendmsg(s[1], &message, 0));
		if (i % 3)
			must(sendmsg(s[1], &message, 0));
		must(close(s[1]));
		must(close(s[0]));
	}
	printf("done\n");
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	interrupted();
	restarted();
	ended();
	edges();
	crowds();
	dropped();
	return 0;
}
