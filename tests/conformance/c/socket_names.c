/* Names and connections: bind, listen, connect and accept by path and abstract name, their errors, addresses, credentials, options. */
#include "case.h"
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int new(int type) { return must(socket(AF_UNIX, type, 0)); }

/* An address of a path, or of an abstract name given with '@' first. */
static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	strcpy(address->sun_path, name);
	if (name[0] == '@')
		address->sun_path[0] = 0;
	return offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@');
}
static int bind_to(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, name);
	return bind(fd, (struct sockaddr *)&address, length);
}
static int connect_to(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, name);
	return connect(fd, (struct sockaddr *)&address, length);
}
static ssize_t send_to(int fd, const char *text, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, name);
	return sendto(fd, text, strlen(text), MSG_DONTWAIT, (struct sockaddr *)&address, length);
}
static void show_address(const char *text, const struct sockaddr_un *address, socklen_t length)
{
	if (length > 3 && !address->sun_path[0])
		printf("%s: %u @%.*s\n", text, length, (int)length - 3, address->sun_path + 1);
	else
		printf("%s: %u %s\n", text, length, length > 2 ? address->sun_path : "-");
}
static void show_names(int fd)
{
	struct sockaddr_un address = { 0 };
	socklen_t length = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		printf("own name: %s\n", error_name(errno));
	else
		show_address("own name", &address, length);
	length = sizeof address;
	memset(&address, 0, sizeof address);
	if (getpeername(fd, (struct sockaddr *)&address, &length) < 0)
		printf("peer's name: %s\n", error_name(errno));
	else
		show_address("peer's name", &address, length);
}
static void show_poll(const char *text, int fd)
{
	struct pollfd item = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
	int count = poll(&item, 1, 0);
	printf("%s: %d%s%s%s%s%s\n", text, count, item.revents & POLLIN ? " in" : "", item.revents & POLLOUT ? " out" : "",
		item.revents & POLLERR ? " error" : "", item.revents & POLLHUP ? " hangup" : "", item.revents & POLLRDHUP ? " read-hangup" : "");
}
static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof value;
	return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -errno : value;
}
static void show_peer(const char *text, int fd, pid_t pid)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	must(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length));
	printf("%s: %s pid, user %d, group %d\n", text, peer.pid == pid ? "that" : peer.pid ? "another" : "no", (int)peer.uid, (int)peer.gid);
}

static void connections(int type, const char *name)
{
	char buffer[100] = { 0 };
	struct sockaddr_un address = { 0 };
	socklen_t length = sizeof address;
	printf("-- %s by %s\n", type == SOCK_STREAM ? "stream" : "packet", name);
	int listener = new(type), client = new(type);
	show_poll("new", listener);
	show_names(listener);
	show(read(client, buffer, 1));
	show(send(client, "x", 1, MSG_NOSIGNAL));
	show(connect_to(client, name));
	show(listen(listener, 5));
	show(bind_to(listener, name));
	show(bind_to(listener, name));
	show(bind_to(client, name));
	show(connect_to(client, name));
	show(accept(listener, NULL, NULL));
	show(option(listener, SO_ACCEPTCONN));
	show(listen(listener, 1));
	show(option(listener, SO_ACCEPTCONN));
	show(listen(listener, 5));
	show_poll("listening", listener);
	show_peer("listener", listener, getpid());
	show(read(listener, buffer, 1));
	show(send(listener, "x", 1, MSG_NOSIGNAL));
	show(ioctl(listener, FIONREAD, buffer));
	must(fcntl(listener, F_SETFL, O_NONBLOCK));
	show(accept(listener, NULL, NULL));
	show(connect_to(client, name));
	show_poll("one waits", listener);
	show_poll("connected", client);
	show(send(client, "early", 5, 0));
	show(connect_to(client, name));
	show(listen(client, 1));
	int server = accept4(listener, (struct sockaddr *)&address, &length, SOCK_CLOEXEC);
	must(server);
	show_address("accepted", &address, length);
	show(fcntl(server, F_GETFD));
	show(fcntl(server, F_GETFL) & O_NONBLOCK);
	show_names(server);
	show_names(client);
	show_peer("server", server, getpid());
	show_peer("client", client, getpid());
	show_poll("none waits", listener);
	show(read(server, buffer, sizeof buffer));
	printf("[%s]\n", buffer);
	show(write(server, "answer", 6));
	show(read(client, buffer, sizeof buffer));
	show(shutdown(server, SHUT_WR));
	show(read(client, buffer, sizeof buffer));
	must(close(server));
	must(close(client));

	/* a named client, and the peer's pid */
	pid_t child = in_child({
		char answer[4];
		int own = new(type);
		must(bind_to(own, "client"));
		must(connect_to(own, name));
		must(read(own, answer, 1));
		show_peer("listener's", own, getppid());
	});
	must(fcntl(listener, F_SETFL, 0));
	length = sizeof address;
	memset(&address, 0, sizeof address);
	server = must(accept(listener, (struct sockaddr *)&address, &length));
	show_address("accepted", &address, length);
	show_peer("child", server, child);
	length = 4;
	must(getpeername(server, (struct sockaddr *)&address, &length));
	printf("length with little room %u\n", length);
	length = -1;
	show(getpeername(server, (struct sockaddr *)&address, &length));
	must(write(server, "x", 1));
	wait_for(child);
	must(close(server));

	/* the queue: one more than told may wait */
	must(listen(listener, 1));
	int waiting[4];
	for (int i = 0; i < 4; i++) {
		waiting[i] = new(type | SOCK_NONBLOCK);
		printf("connection %d: %s\n", i, connect_to(waiting[i], name) < 0 ? error_name(errno) : "made");
	}
	/* one that waits for room */
	child = in_child({
		int own = new(type);
		int result = connect_to(own, name);
		printf("after waiting: %s\n", result < 0 ? error_name(errno) : "made");
		char c;
		printf("read %zd\n", read(own, &c, 1));
	});
	sleep_ms(50);
	for (int i = 0; i < 3; i++)
		must(close(must(accept(listener, NULL, NULL))));
	wait_for(child);
	show_poll("accepted and closed", waiting[0]);

	/* the listener goes with connections waiting */
	int last = new(type);
	must(connect_to(last, name));
	must(write(last, "x", 1));
	must(close(listener));
	sleep_ms(20);
	show_poll("listener closed", last);
	show(read(last, buffer, 1));
	show(read(last, buffer, 1));
	show(send(last, "x", 1, MSG_NOSIGNAL));
	client = new(type);
	show(connect_to(client, name));
	if (name[0] != '@') {
		struct stat status;
		must(stat(name, &status));
		check(S_ISSOCK(status.st_mode));
		show(bind_to(client, name));
		show(open(name, O_RDWR));
		must(unlink(name));
		must(unlink("client"));
	} else {
		must(unlink("client"));
	}
	show(bind_to(client, name));
	if (name[0] != '@')
		must(unlink(name));
	for (int i = 0; i < 4; i++)
		close(waiting[i]);
	close(last);
	close(client);
}

static void datagrams(void)
{
	char buffer[100] = { 0 };
	struct sockaddr_un address = { 0 };
	socklen_t length = sizeof address;
	printf("-- datagrams\n");
	int a = new(SOCK_DGRAM), b = new(SOCK_DGRAM), c = new(SOCK_DGRAM);
	show_poll("new", a);
	show_names(a);
	show(send(a, "x", 1, 0));
	show(recv(a, buffer, 1, MSG_DONTWAIT));
	must(bind_to(a, "a"));
	must(bind_to(b, "@datagrams b"));
	show(send_to(c, "from c", "a"));
	show(send_to(b, "from b", "a"));
	show(send_to(a, "from a", "@datagrams b"));
	show(send_to(a, "none", "@nobody"));
	show(send_to(a, "none", "nobody"));
	put_file("file", "x");
	show(send_to(a, "none", "file"));
	show(recvfrom(a, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length));
	printf("[%.6s] address of %u bytes\n", buffer, length);
	length = sizeof address;
	show(recvfrom(a, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length));
	show_address("from", &address, length);
	length = sizeof address;
	memset(&address, 0, sizeof address);
	show(recvfrom(b, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length));
	show_address("from", &address, length);
	show(connect_to(c, "a"));
	show_names(c);
	show(write(c, "connected", 9));
	show(send_to(c, "elsewhere", "@datagrams b"));
	show(connect_to(c, "@datagrams b"));
	show_names(c);
	show(send(c, "to b", 4, 0));
	show(recv(b, buffer, sizeof buffer, 0));
	show(recv(b, buffer, sizeof buffer, 0));
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	show(connect(c, &none, sizeof none));
	show_names(c);
	show(send(c, "x", 1, 0));
	show(connect_to(c, "@datagrams b"));
	show(listen(a, 1));
	show(accept(a, NULL, NULL));
	must(close(b));
	sleep_ms(20);
	show(send(c, "x", 1, 0));
	show(send(c, "x", 1, 0));
	show(connect_to(c, "@datagrams b"));
	/* the name of a sender that has gone */
	pid_t child = in_child({
		int own = new(SOCK_DGRAM);
		must(bind_to(own, "gone"));
		must(send_to(own, "last words", "a"));
	});
	wait_for(child);
	memset(buffer, 0, sizeof buffer);
	show(recv(a, buffer, sizeof buffer, 0));
	length = sizeof address;
	memset(&address, 0, sizeof address);
	memset(buffer, 0, sizeof buffer);
	show(recvfrom(a, buffer, sizeof buffer, 0, (struct sockaddr *)&address, &length));
	printf("[%s]\n", buffer);
	show_address("from", &address, length);
	show(connect_to(a, "gone"));
	must(unlink("a"));
	show(send_to(c, "x", "a"));
	close(a);
	close(c);
}

static void errors(void)
{
	struct sockaddr_un address;
	printf("-- errors\n");
	int s = new(SOCK_STREAM), d = new(SOCK_DGRAM), p = new(SOCK_SEQPACKET), listener = new(SOCK_STREAM);
	must(bind_to(listener, "stream"));
	must(listen(listener, 1));
	must(bind_to(d, "datagram"));
	show(connect_to(p, "stream"));
	show(connect_to(s, "datagram"));
	show(send_to(d, "x", "stream"));
	show(send_to(s, "x", "datagram"));
	show(connect_to(s, "missing"));
	show(connect_to(s, "missing/there"));
	show(connect_to(s, "file"));
	show(connect_to(s, "."));
	must(symlink("stream", "link"));
	show(bind_to(p, "link"));
	show(bind_to(p, "missing/there"));
	show(connect_to(s, "link"));
	show(send_to(s, "x", "datagram"));
	must(close(s));
	s = new(SOCK_STREAM);
	address_of(&address, "stream");
	show(connect(s, (struct sockaddr *)&address, 2));
	show(connect(s, (struct sockaddr *)&address, 1));
	show(connect(s, (struct sockaddr *)&address, 111));
	show(connect(s, (struct sockaddr *)&address, -1));
	show(bind(s, (struct sockaddr *)&address, 1));
	show(bind(s, (struct sockaddr *)&address, 111));
	address.sun_family = AF_INET;
	show(connect(s, (struct sockaddr *)&address, 16));
	show(bind(s, (struct sockaddr *)&address, 16));
	show(bind(s, (struct sockaddr *)16, 16));
	show(connect(0, (struct sockaddr *)&address, 16));
	show(connect(99, (struct sockaddr *)&address, 16));
	show(accept(s, NULL, NULL));
	show(accept4(listener, NULL, NULL, 1));
	show(accept(0, NULL, NULL));
	show(connect_to(listener, "stream"));
	/* a path that fills all the room */
	memset(&address, 'p', sizeof address);
	address.sun_family = AF_UNIX;
	show(bind(s, (struct sockaddr *)&address, sizeof address));
	struct sockaddr_storage back;
	socklen_t length = sizeof back;
	must(getsockname(s, (struct sockaddr *)&back, &length));
	printf("length %u\n", length);
	/* a name the kernel chooses */
	int any = new(SOCK_STREAM);
	address.sun_family = AF_UNIX;
	show(bind(any, (struct sockaddr *)&address, 2));
	length = sizeof back;
	must(getsockname(any, (struct sockaddr *)&back, &length));
	printf("length %u, first %d\n", length, ((struct sockaddr_un *)&back)->sun_path[0]);
	show(bind(any, (struct sockaddr *)&address, 2));
	show(bind_to(any, "@else"));
	must(listen(any, 1));
	int other = new(SOCK_STREAM);
	show(connect(other, (struct sockaddr *)&back, length));
	/* no numbers left: nobody is taken from the queue */
	struct rlimit { unsigned long soft, hard; } limit;
	int free = must(dup(0));
	must(close(free));
	must(syscall(SYS_prlimit64, 0, 7, NULL, &limit));
	unsigned long soft = limit.soft;
	limit.soft = (unsigned long)free;
	must(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
	show(accept(any, NULL, NULL));
	show(socket(AF_UNIX, SOCK_STREAM, 0));
	limit.soft = soft;
	must(syscall(SYS_prlimit64, 0, 7, &limit, NULL));
	succeeds(accept(any, NULL, NULL));
}

static void options(void)
{
	printf("-- options\n");
	int s = new(SOCK_SEQPACKET), value;
	printf("%d %d %d %d\n", option(s, SO_TYPE), option(s, SO_DOMAIN), option(s, SO_PROTOCOL), option(s, SO_ERROR));
	printf("%d %d %d\n", option(s, SO_SNDBUF), option(s, SO_RCVBUF), option(s, SO_ACCEPTCONN));
	const int sizes[] = { 100, 5000, 50000, 100000 };
	for (int i = 0; i < 4; i++) {
		must(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &sizes[i], sizeof sizes[i]));
		must(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &sizes[i], sizeof sizes[i]));
		printf("%d: %d %d\n", sizes[i], option(s, SO_SNDBUF), option(s, SO_RCVBUF));
	}
	const int flags[] = { SO_REUSEADDR, SO_KEEPALIVE, SO_BROADCAST, SO_PASSCRED, SO_OOBINLINE };
	for (int i = 0; i < 5; i++) {
		printf("%d: %d", flags[i], option(s, flags[i]));
		value = 7;
		must(setsockopt(s, SOL_SOCKET, flags[i], &value, sizeof value));
		printf(" %d", option(s, flags[i]));
		value = 0;
		must(setsockopt(s, SOL_SOCKET, flags[i], &value, sizeof value));
		printf(" %d\n", option(s, flags[i]));
	}
	struct linger linger = { 1, 5 };
	socklen_t length = sizeof linger;
	must(setsockopt(s, SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
	linger = (struct linger){ 0, 0 };
	must(getsockopt(s, SOL_SOCKET, SO_LINGER, &linger, &length));
	printf("%d %d\n", linger.l_onoff, linger.l_linger);
	struct timeval time = { 1, 1000000 };
	show(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
	show(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &time, 4));
	show(setsockopt(s, SOL_SOCKET, SO_SNDBUF, &value, 2));
	show(setsockopt(s, SOL_SOCKET, SO_TYPE, &value, sizeof value));
	show(setsockopt(s, SOL_SOCKET, 9999, &value, sizeof value));
	show(setsockopt(s, 6, 1, &value, sizeof value));
	show(setsockopt(s, SOL_SOCKET, SO_SNDBUF, (void *)16, sizeof value));
	show(setsockopt(0, SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
	length = sizeof value;
	show(getsockopt(s, SOL_SOCKET, 9999, &value, &length));
	show(getsockopt(s, 6, 1, &value, &length));
	length = 2;
	show(getsockopt(s, SOL_SOCKET, SO_TYPE, &value, &length));
	printf("length %u\n", length);
	show_peer("unconnected", s, 0);
	int pair[2];
	must(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair));
	show_peer("pair", pair[0], getpid());
	show_names(pair[0]);
	value = 20000;
	must(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
	static char large[60000];
	show(send(pair[0], large, 39969, 0));
	show(send(pair[0], large, 39968, MSG_DONTWAIT));
	show(send(pair[1], large, 50000, 0));
	int listener = new(SOCK_STREAM);
	must(bind_to(listener, "@timed"));
	must(listen(listener, 1));
	time = (struct timeval){ 0, 100000 };
	must(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
	show(accept(listener, NULL, NULL));
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	connections(SOCK_STREAM, "path");
	connections(SOCK_SEQPACKET, "@abstract name");
	datagrams();
	errors();
	options();
	return 0;
}
