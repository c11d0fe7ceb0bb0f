/* Descriptors and credentials in messages: across fork and between unrelated programs, at places of a stream, cut, dropped, looked at. */
#include "case.h"
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>

#define ROOM 8
static const char *type_name(int type) { return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : "packet"; }

/* Sends text with descriptors. */
static ssize_t send_with(int s, const char *text, const int *fds, int count, int flags)
{
	char control[CMSG_SPACE(300 * sizeof(int))] = { 0 };
	struct iovec piece = { (char *)text, strlen(text) };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(header), fds, count * sizeof(int));
	return sendmsg(s, &message, flags);
}

/* Receives and shows; the descriptors go to fds. How many there were. */
static int receive_with(const char *text, int s, size_t room, size_t control_room, int flags, int *fds)
{
	union { char bytes[256]; struct cmsghdr align; } control;
	char buffer[200] = { 0 };
	struct iovec piece = { buffer, room };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control_room ? control.bytes : NULL, .msg_controllen = control_room };
	memset(&control, 0, sizeof control);
	ssize_t count = recvmsg(s, &message, flags);
	int found = 0;
	if (count < 0) {
		printf("%s: %s\n", text, error_name(errno));
		return 0;
	}
	printf("%s: %zd [%.*s]", text, count, (int)(count < (ssize_t)room ? count : (ssize_t)room), buffer);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
		if (header->cmsg_type == SCM_RIGHTS) {
			found = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			for (int i = 0; i < found && i < ROOM; i++)
				memcpy(&fds[i], CMSG_DATA(header) + i * sizeof(int), sizeof(int));
			printf(", %d descriptors", found);
		} else if (header->cmsg_type == SCM_CREDENTIALS) {
			struct ucred sender;
			memcpy(&sender, CMSG_DATA(header), sizeof sender);
			printf(", credentials: %s pid, user %d group %d", sender.pid == getpid() ? "own" : sender.pid == getppid() ? "parent's" : "another",
				(int)sender.uid, (int)sender.gid);
		}
	}
	printf("%s%s%s, control %zu\n", message.msg_flags & MSG_TRUNC ? ", cut" : "", message.msg_flags & MSG_CTRUNC ? ", control cut" : "",
		message.msg_flags & MSG_CMSG_CLOEXEC ? ", closed on exec" : "", message.msg_controllen);
	return found;
}

/* Nobody else has the writing end: reading ends. */
static void show_pipe_end(const char *text, int reader)
{
	struct pollfd item = { .fd = reader, .events = POLLIN };
	printf("%s: %s\n", text, poll(&item, 1, 500) == 1 && item.revents & POLLHUP ? "no writer" : "a writer");
}
static void show_pipe_alive(const char *text, int reader)
{
	struct pollfd item = { .fd = reader, .events = POLLIN };
	printf("%s: %s\n", text, poll(&item, 1, 0) == 0 ? "a writer" : "no writer");
}

static void kinds(int type)
{
	int s[2], p[2], other[2], got[ROOM];
	char buffer[50] = { 0 };
	printf("-- %s\n", type_name(type));
	must(socketpair(AF_UNIX, type, 0, s));
	must(pipe(p));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, other));
	put_file("file", "content of the file");
	int file = must(open("file", O_RDONLY));
	must(lseek(file, 3, SEEK_SET));
	pid_t child = in_child({
		close(s[0]);
		int fds[4] = { p[1], file, other[1], 1 };
		must(send_with(s[1], "four", fds, 4, 0) == 4 ? 0 : -1);
		must(receive_with("child", s[1], 50, 0, 0, got));
	});
	must(close(s[1]));
	must(close(p[1]));
	must(close(other[1]));
	int count = receive_with("parent", s[0], 50, 200, 0, got);
	printf("%d\n", count);
	must(write(got[0], "through the pipe", 16));
	show(read(p[0], buffer, sizeof buffer));
	show(read(got[1], buffer, 7));
	printf("[%.7s]\n", buffer);
	show(lseek(file, 0, SEEK_CUR));
	must(write(got[2], "socket", 6));
	show(read(other[0], buffer, sizeof buffer));
	show(fcntl(got[0], F_GETFD));
	must(write(s[0], "bye", 3));
	show_status("child", wait_for(child));
	must(close(got[2]));
	show(read(other[0], buffer, sizeof buffer));
	must(close(got[0]));
	show_pipe_end("pipe", p[0]);
	must(close(s[0]));
	close(p[0]); close(other[0]); close(file); close(got[1]); close(got[3]);
}

static void places(void)
{
	int s[2], p[2], got[ROOM];
	printf("-- places in a stream\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(pipe(p));
	must(write(s[0], "ab", 2));
	must(send_with(s[0], "cd", p, 1, 0));
	must(write(s[0], "ef", 2));
	must(send_with(s[0], "gh", p, 2, 0));
	must(send_with(s[0], "ij", p, 1, 0));
	receive_with("first", s[1], 50, 200, 0, got);
	receive_with("second", s[1], 1, 200, 0, got);
	receive_with("third", s[1], 2, 200, 0, got);
	receive_with("fourth", s[1], 50, 200, 0, got);
	receive_with("fifth", s[1], 50, 200, MSG_DONTWAIT, got);
	must(send_with(s[0], "klm", p, 1, 0));
	receive_with("part", s[1], 1, 200, 0, got);
	receive_with("rest", s[1], 10, 200, 0, got);
	receive_with("none", s[1], 10, 200, MSG_DONTWAIT, got);
	must(send_with(s[0], "", p, 1, 0));
	receive_with("nothing with a descriptor", s[1], 10, 200, MSG_DONTWAIT, got);
	must(send_with(s[0], "nop", p, 1, 0));
	must(send_with(s[0], "qrs", p, 1, 0));
	receive_with("peek", s[1], 10, 200, MSG_PEEK, got);
	receive_with("and take", s[1], 10, 200, MSG_WAITALL, got);
	char buffer[10];
	show(read(s[1], buffer, sizeof buffer));
	for (int i = 3; i < 60; i++)
		close(i);
}

static void cut(int type)
{
	int s[2], p[2], got[ROOM];
	printf("-- cut, %s\n", type_name(type));
	must(socketpair(AF_UNIX, type, 0, s));
	must(pipe(p));
	int three[3] = { p[1], p[1], p[1] };
	must(send_with(s[0], "no room", three, 3, 0));
	must(close(p[1]));
	show_pipe_alive("on its way", p[0]);
	receive_with("no control", s[1], 50, 0, 0, got);
	show_pipe_end("dropped", p[0]);
	const size_t rooms[] = { 8, 16, 20, 24, 28, 32, 200 };
	for (int i = 0; i < 7; i++) {
		char text[20];
		must(pipe(p));
		three[0] = three[1] = three[2] = p[1];
		must(send_with(s[0], "room", three, 3, 0));
		snprintf(text, sizeof text, "room %zu", rooms[i]);
		int count = receive_with(text, s[1], 50, rooms[i], 0, got);
		for (int k = 0; k < count; k++)
			must(close(got[k]));
		must(close(p[1]));
		show_pipe_end("closed", p[0]);
		must(close(p[0]));
	}
	/* read drops them */
	must(pipe(p));
	must(send_with(s[0], "read", &p[1], 1, 0));
	must(close(p[1]));
	char buffer[10];
	show(read(s[1], buffer, sizeof buffer));
	show_pipe_end("read", p[0]);
	/* the queue goes with them */
	must(close(p[0]));
	must(pipe(p));
	must(send_with(s[0], "closed", &p[1], 1, 0));
	must(close(p[1]));
	must(close(s[1]));
	show_pipe_end("receiver closed", p[0]);
	must(close(s[0]));
	must(close(p[0]));
	/* the last numbers */
	must(socketpair(AF_UNIX, type, 0, s));
	must(pipe(p));
	three[0] = three[1] = three[2] = p[1];
	must(send_with(s[0], "numbers", three, 3, 0));
	must(send_with(s[0], "none", three, 3, 0));
	struct { unsigned long soft, hard; } limit;
	must(syscall(SYS_prlimit64, 0, 7, NULL, &limit));
	unsigned long soft = limit.soft;
	limit.soft = (unsigned long)p[1] + 3;
	must(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
	int count = receive_with("two numbers left", s[1], 50, 200, 0, got);
	receive_with("none left", s[1], 50, 200, 0, got + 4);
	limit.soft = soft;
	must(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
	for (int k = 0; k < count; k++)
		must(close(got[k]));
	must(send_with(s[0], "again", three, 3, 0));
	count = receive_with("numbers again", s[1], 50, 200, MSG_CMSG_CLOEXEC, got);
	show(fcntl(got[0], F_GETFD));
	for (int k = 0; k < count; k++)
		must(close(got[k]));
	must(close(p[1]));
	show_pipe_end("all closed", p[0]);
	close(p[0]); close(s[0]); close(s[1]);
}

static void peeked(void)
{
	int s[2], p[2], got[ROOM];
	printf("-- looked at\n");
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s));
	must(pipe(p));
	must(send_with(s[0], "look", &p[1], 1, 0));
	must(close(p[1]));
	receive_with("peek", s[1], 2, 200, MSG_PEEK, got);
	must(write(got[0], "one", 3));
	must(close(got[0]));
	receive_with("take", s[1], 50, 200, 0, got);
	must(write(got[0], "two", 3));
	char buffer[10];
	show(read(p[0], buffer, sizeof buffer));
	must(close(got[0]));
	show_pipe_end("pipe", p[0]);
	close(p[0]); close(s[0]); close(s[1]);
}

static void refused(void)
{
	int s[2], many[300];
	printf("-- refused\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	many[0] = 0;
	many[1] = 900;
	show(send_with(s[0], "x", many, 2, MSG_DONTWAIT));
	for (int i = 0; i < 300; i++)
		many[i] = 0;
	show(send_with(s[0], "x", many, 254, MSG_DONTWAIT));
	show(send_with(s[0], "x", many, 253, MSG_DONTWAIT));
	char byte, control[64] = { 0 };
	struct iovec piece = { &byte, 1 };
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int)) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = 99 };
	show(sendmsg(s[0], &message, 0));
	*header = (struct cmsghdr){ .cmsg_len = 5, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	show(sendmsg(s[0], &message, 0));
	*header = (struct cmsghdr){ .cmsg_len = 100, .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	show(sendmsg(s[0], &message, 0));
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS };
	show(sendmsg(s[0], &message, 0));
	*header = (struct cmsghdr){ .cmsg_len = CMSG_LEN(4), .cmsg_level = 6, .cmsg_type = 1 };
	show(sendmsg(s[0], &message, 0));
	show(syscall(SYS_sendmsg, s[0], 16, 0));
	message.msg_iov = (void *)16;
	show(sendmsg(s[0], &message, 0));
	message.msg_iov = &piece;
	message.msg_iovlen = 2000;
	show(sendmsg(s[0], &message, 0));
	show(sendmsg(0, &message, 0) == -1 && errno == ENOTSOCK);
	close(s[0]); close(s[1]);
}

/* Sockets in sockets, also in themselves. */
static void nested(void)
{
	int s[2], t[2], p[2], got[ROOM];
	printf("-- sockets in sockets\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, t));
	must(pipe(p));
	must(send_with(t[0], "inner", &p[1], 1, 0));
	must(send_with(s[0], "outer", &t[1], 1, 0));
	must(close(t[1]));
	must(close(p[1]));
	receive_with("outer", s[1], 50, 200, 0, got);
	receive_with("inner", got[0], 50, 200, 0, got + 1);
	must(close(got[1]));
	show_pipe_end("pipe", p[0]);
	must(write(t[0], "x", 1));
	char c;
	show(read(got[0], &c, 1));
	/* the sending side of itself */
	must(send_with(s[0], "self", &s[0], 1, 0));
	must(close(s[0]));
	receive_with("self", s[1], 50, 200, 0, got);
	must(write(got[0], "y", 1));
	show(read(s[1], &c, 1));
	/* an epoll and what it watches */
	int ep = must(epoll_create1(0));
	struct epoll_event event = { EPOLLIN | EPOLLRDHUP, { .u32 = 7 } };
	must(epoll_ctl(ep, EPOLL_CTL_ADD, s[1], &event));
	show(epoll_wait(ep, &event, 1, 0));
	must(send_with(got[0], "ep", &ep, 1, 0));
	show(epoll_wait(ep, &event, 1, 1000));
	printf("%#x %u\n", event.events, event.data.u32);
	receive_with("epoll", s[1], 50, 200, 0, got + 1);
	show(epoll_wait(got[1], &event, 1, 0));
	must(close(got[0]));
	show(epoll_wait(got[1], &event, 1, 1000));
	printf("%#x\n", event.events);
	for (int i = 3; i < 30; i++)
		close(i);
}

/* A program that shares nothing but a name with another. */
static void unrelated(const char *self)
{
	struct sockaddr_un address = { AF_UNIX, "server" };
	int got[ROOM], p[2];
	printf("-- between programs\n");
	fflush(stdout);
	int listener = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	must(bind(listener, (struct sockaddr *)&address, sizeof address));
	must(listen(listener, 5));
	pid_t pid = must(fork());
	if (pid == 0) {
		execl(self, self, "client", NULL);
		_exit(98);
	}
	int s = must(accept(listener, NULL, NULL));
	receive_with("from the client", s, 50, 200, 0, got);
	must(pipe(p));
	must(write(got[0], "to your pipe", 12));
	must(send_with(s, "reader", &p[0], 1, 0));
	must(write(p[1], "from my pipe", 12));
	show_status("client", wait_for(pid));
	unlink("server");
}
static int client(void)
{
	struct sockaddr_un address = { AF_UNIX, "server" };
	int got[ROOM], p[2];
	char buffer[50] = { 0 };
	int s = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(connect(s, (struct sockaddr *)&address, sizeof address));
	must(pipe(p));
	must(send_with(s, "writer", &p[1], 1, 0));
	must(close(p[1]));
	must(read(p[0], buffer, sizeof buffer));
	if (strcmp(buffer, "to your pipe"))
		return 3;
	if (receive_with("client", s, 50, 200, 0, got) != 1)
		return 4;
	memset(buffer, 0, sizeof buffer);
	must(read(got[0], buffer, sizeof buffer));
	return strcmp(buffer, "from my pipe") ? 5 : 0;
}

static void credentials(int type)
{
	int s[2], got[ROOM], on = 1;
	printf("-- credentials, %s\n", type_name(type));
	must(socketpair(AF_UNIX, type, 0, s));
	must(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
	must(write(s[0], "plain", 5));
	receive_with("plain", s[1], 50, 200, 0, got);
	must(send_with(s[0], "with", s, 1, 0));
	receive_with("with a descriptor", s[1], 50, 200, 0, got);
	must(send_with(s[0], "little", s, 1, 0));
	receive_with("little room", s[1], 50, 40, 0, got);
	must(write(s[0], "no control", 10));
	receive_with("no control", s[1], 50, 0, 0, got);
	must(write(s[0], "mine", 4));
	wait_for(in_child({ must(write(s[0], "child's", 7)); must(write(s[0], "second", 6)); }));
	must(write(s[0], "mine", 4));
	for (int i = 0; i < 4; i++)
		receive_with("whose", s[1], 50, 200, MSG_DONTWAIT, got);
	struct iovec piece = { "explicit", 8 };
	union { char bytes[CMSG_SPACE(sizeof(struct ucred))]; struct cmsghdr header; } control = { .header = { .cmsg_len = CMSG_LEN(sizeof(struct ucred)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_CREDENTIALS } };
	struct ucred own = { getpid(), 0, 0 };
	memcpy(CMSG_DATA(&control.header), &own, sizeof own);
	struct msghdr message = { .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
	show(sendmsg(s[0], &message, 0));
	receive_with("explicit", s[1], 50, 200, 0, got);
	for (int i = 3; i < 30; i++)
		close(i);
}

static void many(void)
{
	int s[2];
	printf("-- several messages in one call\n");
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, s));
	struct mmsghdr list[4] = { 0 };
	struct iovec piece[4] = { { "one", 3 }, { "two", 3 }, { "three", 5 }, { "four", 4 } };
	for (int i = 0; i < 4; i++) {
		list[i].msg_hdr.msg_iov = &piece[i];
		list[i].msg_hdr.msg_iovlen = 1;
	}
	show(sendmmsg(s[0], list, 3, 0));
	printf("%u %u %u\n", list[0].msg_len, list[1].msg_len, list[2].msg_len);
	char buffer[4][10] = { 0 };
	for (int i = 0; i < 4; i++) {
		piece[i] = (struct iovec){ buffer[i], 4 };
		list[i].msg_len = 0;
	}
	show(recvmmsg(s[1], list, 4, MSG_WAITFORONE, NULL));
	printf("%.4s %.4s %.4s, %u %u %u, %d\n", buffer[0], buffer[1], buffer[2], list[0].msg_len, list[1].msg_len, list[2].msg_len,
		list[2].msg_hdr.msg_flags == MSG_TRUNC);
	show(recvmmsg(s[1], list, 4, MSG_DONTWAIT, NULL));
	show(sendmmsg(s[0], list, 0, 0));
	show(syscall(SYS_sendmmsg, s[0], 16, 2, 0));
	close(s[0]); close(s[1]);
}

int main(int count, char **arguments)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (count > 1)
		return client();
	signal(SIGPIPE, SIG_IGN);
	kinds(SOCK_STREAM);
	kinds(SOCK_DGRAM);
	kinds(SOCK_SEQPACKET);
	places();
	cut(SOCK_STREAM);
	cut(SOCK_DGRAM);
	peeked();
	refused();
	nested();
	unrelated("/proc/self/exe");
	credentials(SOCK_STREAM);
	credentials(SOCK_SEQPACKET);
	many();
	return 0;
}
