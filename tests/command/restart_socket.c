/*
 * The socket server dies while it is used: connections go on, bound names and listeners are there again, and whoever waits gets an answer. The
 * test has broken the server so that the end of a listener whose queue is not empty kills it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerrorname_np(errno));
	else
		printf("%s: %ld\n", what, result);
	fflush(stdout);
}

/* An address: abstract if it begins with @ */
static socklen_t address(struct sockaddr_un *name, const char *text)
{
	*name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	strcpy(name->sun_path, text);
	if (*text == '@')
		name->sun_path[0] = 0;
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text) + (*text != '@'));
}

static int bound(int type, const char *text, int backlog)
{
	struct sockaddr_un name;
	socklen_t length = address(&name, text);
	int s = socket(AF_UNIX, type, 0);
	if (bind(s, (struct sockaddr *)&name, length) || (backlog >= 0 && listen(s, backlog))) {
		perror(text);
		exit(1);
	}
	return s;
}

static int connected(int type, const char *text)
{
	struct sockaddr_un name;
	socklen_t length = address(&name, text);
	int s = socket(AF_UNIX, type, 0);
	if (connect(s, (struct sockaddr *)&name, length)) {
		int error = errno;
		close(s);
		errno = error;
		return -1;
	}
	return s;
}

/* Through a listener: how many bytes came. */
static long talk(int listener, const char *text)
{
	char bytes[8];
	int client = connected(SOCK_STREAM, text), server = client < 0 ? -1 : accept(listener, NULL, NULL);
	if (server < 0 || write(client, "word", 4) != 4)
		return -1;
	long count = read(server, bytes, sizeof bytes);
	close(client);
	close(server);
	return count;
}

int main(void)
{
	char bytes[8];
	int status, last;
	struct sockaddr_un name;
	int listener = bound(SOCK_STREAM, "listener", 5), abstract = bound(SOCK_STREAM, "@abstract", 5), watched = bound(SOCK_STREAM, "watched", 5);
	int datagram = bound(SOCK_DGRAM, "datagram", -1), victim = bound(SOCK_STREAM, "victim", 5), full = bound(SOCK_STREAM, "full", 0);
	int client = connected(SOCK_STREAM, "listener"), server = accept(listener, NULL, NULL);
	int waiting = connected(SOCK_STREAM, "@abstract"); /* never accepted: lost with the server */
	int hopeless = connected(SOCK_STREAM, "victim");
	last = connected(SOCK_STREAM, "full");
	pid_t acceptor = fork();
	if (acceptor == 0) {
		close(victim);
		int s = accept(listener, NULL, NULL);
		show("waiting accept", read(s, bytes, sizeof bytes));
		_exit(0);
	}
	pid_t connector = fork();
	if (connector == 0) {
		close(victim);
		int s = connected(SOCK_STREAM, "full"); /* waits for room, which the restart makes */
		usleep(700000);
		show("deferred connect", s < 0 ? -1 : 0);
		_exit(0);
	}
	int epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	epoll_ctl(epoll, EPOLL_CTL_ADD, watched, &event);
	usleep(200000);

	close(victim); /* kills the server */
	printf("the victim's client: ");
	show("read", read(hopeless, bytes, sizeof bytes));
	write(client, "hello", 5);
	show("connection goes on", read(server, bytes, sizeof bytes));
	printf("who waited to be accepted: ");
	show("read", read(waiting, bytes, sizeof bytes));
	int again = connected(SOCK_STREAM, "listener");
	write(again, "word", 4);
	waitpid(acceptor, &status, 0);
	show("abstract name", talk(abstract, "@abstract"));
	int other = socket(AF_UNIX, SOCK_STREAM, 0);
	show("abstract name again", bind(other, (struct sockaddr *)&name, address(&name, "@abstract")));
	int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
	sendto(sender, "data", 4, 0, (struct sockaddr *)&name, address(&name, "datagram"));
	show("datagram", recv(datagram, bytes, sizeof bytes, 0));
	int visitor = connected(SOCK_STREAM, "watched");
	show("epoll", epoll_wait(epoll, &event, 1, 2000));
	show("victim", connected(SOCK_STREAM, "victim"));
	int fresh = bound(SOCK_STREAM, "fresh", 5);
	show("new listener", talk(fresh, "fresh"));
	waitpid(connector, &status, 0);
	int pair[2];
	socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
	write(pair[0], "ok", 2);
	show("unbound datagram", read(pair[1], bytes, sizeof bytes));
	socklen_t length = sizeof name;
	getsockname(listener, (struct sockaddr *)&name, &length);
	printf("own name: %s\n", strcmp(name.sun_path, "listener") ? "another" : "same");
	close(full);
	close(last);
	close(visitor);
	return 0;
}
