/* MSG_OOB on local streams: one byte out of band, the mark it leaves, SO_OOBINLINE, SIOCATMARK, POLLPRI. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static int s[2];

static void begin(const char *what)
{
	if (s[0])
		close(s[0]), close(s[1]);
	printf("- %s\n", what);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
}

static void say(const char *text, int flags)
{
	ssize_t count = send(s[0], text, strlen(text), flags);
	if (count < 0)
		printf("send [%s]: %s\n", text, error_name(errno));
	else
		printf("send [%s]%s = %zd\n", text, flags & MSG_OOB ? " urgent" : "", count);
}

static void hear(size_t size, int flags)
{
	char bytes[64] = { 0 };
	ssize_t count = recv(s[1], bytes, size, flags | MSG_DONTWAIT);
	printf("recv %zu%s%s: ", size, flags & MSG_OOB ? " urgent" : "", flags & MSG_PEEK ? " looking" : "");
	if (count < 0)
		printf("%s\n", error_name(errno));
	else
		printf("%zd [%.*s]\n", count, (int)count, bytes);
}

static void state(void)
{
	int mark = -1;
	struct pollfd item = { .fd = s[1], .events = POLLIN | POLLPRI };
	must(ioctl(s[1], SIOCATMARK, &mark));
	must(poll(&item, 1, 0));
	printf("at mark %d, ready %x\n", mark, item.revents);
}

int main(void)
{
	int on = 1, value = -1;
	socklen_t length = sizeof value;
	begin("a byte behind others");
	hear(10, MSG_OOB);
	say("abc", MSG_OOB);
	state();
	hear(10, 0);
	state();
	hear(10, MSG_OOB);
	state();
	hear(10, MSG_OOB);
	hear(10, 0);

	begin("taken first");
	say("abc", MSG_OOB);
	hear(10, MSG_OOB);
	state();
	say("de", 0);
	state();
	hear(10, 0);
	state();
	hear(10, 0);
	state();

	begin("not taken: reading goes over it");
	say("abc", MSG_OOB);
	say("de", 0);
	hear(1, 0);
	hear(10, 0);
	state();
	hear(10, 0);
	state();
	hear(10, MSG_OOB);

	begin("a later one takes its place");
	say("ab", MSG_OOB);
	say("cd", MSG_OOB);
	state();
	hear(10, 0);
	state();
	hear(10, MSG_OOB);
	hear(10, 0);
	state();

	begin("looking");
	say("abc", MSG_OOB);
	say("de", 0);
	hear(10, MSG_OOB | MSG_PEEK);
	hear(10, MSG_PEEK);
	hear(2, 0);
	hear(10, MSG_PEEK);
	hear(10, MSG_OOB);
	hear(10, MSG_PEEK);
	hear(10, 0);

	begin("in line");
	must(setsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
	must(getsockopt(s[1], SOL_SOCKET, SO_OOBINLINE, &value, &length));
	printf("option %d\n", value);
	say("abc", MSG_OOB);
	say("de", 0);
	hear(10, MSG_OOB);
	state();
	hear(10, 0);
	state();
	hear(10, 0);
	state();

	begin("by read");
	say("abc", MSG_OOB);
	say("de", 0);
	char bytes[16];
	show(read(s[1], bytes, sizeof bytes));
	show(read(s[1], bytes, sizeof bytes));
	begin("only it");
	say("x", MSG_OOB);
	state();
	hear(10, 0);
	state();
	say("x", MSG_OOB);
	hear(1, MSG_OOB);
	state();
	hear(1, 0);
	state();
	say("", MSG_OOB);
	show(send(s[0], "", 0, MSG_OOB));

	begin("the end");
	say("ab", MSG_OOB);
	shutdown(s[0], SHUT_WR);
	hear(10, 0);
	hear(10, MSG_OOB);
	hear(10, 0);
	begin("the peer has gone");
	close(s[1]);
	show(send(s[0], "x", 1, MSG_OOB | MSG_NOSIGNAL));
	s[1] = s[0];
	s[0] = dup(s[1]);

	begin("flags of recvmsg");
	say("ab", MSG_OOB);
	struct iovec piece = { bytes, sizeof bytes };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1 };
	show(recvmsg(s[1], &message, MSG_OOB));
	printf("flags %x\n", message.msg_flags & ~MSG_CMSG_CLOEXEC);
	show(recvmsg(s[1], &message, 0));
	printf("flags %x\n", message.msg_flags);

	begin("edges");
	int epoll = must(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLPRI | EPOLLET };
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, s[1], &event));
	say("a", 0);
	show(epoll_wait(epoll, &event, 1, 0));
	say("b", MSG_OOB);
	show(epoll_wait(epoll, &event, 1, 0));
	printf("ready %x\n", event.events);

	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += SOCK_SEQPACKET - SOCK_DGRAM) {
		int pair[2];
		must(socketpair(AF_UNIX, type, 0, pair));
		show(send(pair[0], "x", 1, MSG_OOB));
		show(recv(pair[1], bytes, 1, MSG_OOB | MSG_DONTWAIT));
	}
	return 0;
}
