/* socketpair of all three types: boundaries, truncation, peeking, shutdown, the end of a connection, readiness, flags. */
#include "case.h"
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

static volatile sig_atomic_t pipe_signals;
static void on_pipe(int signal) { (void)signal; pipe_signals++; }

static const char *type_name(int type) { return type == SOCK_STREAM ? "stream" : type == SOCK_DGRAM ? "datagram" : "packet"; }

static void show_poll(const char *text, int fd)
{
	struct pollfd item = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP };
	int count = poll(&item, 1, 0);
	printf("%s: %d%s%s%s%s%s\n", text, count, item.revents & POLLIN ? " in" : "", item.revents & POLLOUT ? " out" : "",
		item.revents & POLLERR ? " error" : "", item.revents & POLLHUP ? " hangup" : "", item.revents & POLLRDHUP ? " read-hangup" : "");
}

static void show_receive(const char *text, int fd, size_t room, int flags)
{
	char buffer[100] = { 0 };
	ssize_t count = recv(fd, buffer, room, flags);
	if (count < 0)
		printf("%s: %s\n", text, error_name(errno));
	else
		printf("%s: %zd [%.*s]\n", text, count, (int)(count < (ssize_t)room ? count : (ssize_t)room), buffer);
}

static void transfers(int type)
{
	int s[2], waiting;
	char buffer[100];
	printf("-- %s\n", type_name(type));
	must(socketpair(AF_UNIX, type, 0, s));
	show_poll("new", s[0]);
	show(write(s[0], "hello", 5));
	show(send(s[0], "world!", 6, 0));
	show_poll("two written", s[1]);
	must(ioctl(s[1], FIONREAD, &waiting));
	printf("FIONREAD %d\n", waiting);
	must(ioctl(s[0], TIOCOUTQ, &waiting));
	check(waiting > 0);
	show_receive("peek", s[1], 50, MSG_PEEK);
	show_receive("peek 3", s[1], 3, MSG_PEEK);
	show_receive("read 3", s[1], 3, 0);
	show_receive("read 50", s[1], 50, 0);
	if (type != SOCK_STREAM) {
		show_receive("none left", s[1], 50, MSG_DONTWAIT);
		show(send(s[0], "longer", 6, 0));
		show_receive("real length", s[1], 3, MSG_TRUNC);
		show(send(s[0], "", 0, 0));
		show(send(s[0], "after", 5, 0));
		show_poll("an empty one", s[1]);
		show_receive("empty", s[1], 50, 0);
		show(read(s[1], buffer, 0));
		show_receive("after", s[1], 50, 0);
		static char large[300000];
		show(send(s[0], large, sizeof large, 0));
		show(send(s[0], large, 212961, 0));
		show(send(s[0], large, 150000, 0));
		show(recv(s[1], large, sizeof large, 0));
	}
	must(ioctl(s[0], TIOCOUTQ, &waiting));
	printf("outgoing %d\n", waiting);
	show_receive("nothing", s[1], 50, MSG_DONTWAIT);
	struct iovec out[3] = { { "ab", 2 }, { "", 0 }, { "cdef", 4 } }, in[2] = { { buffer, 3 }, { buffer + 10, 20 } };
	show(writev(s[1], out, 3));
	show(readv(s[0], in, 2));
	printf("[%.3s] [%.3s]\n", buffer, buffer + 10);
	show(pread(s[0], buffer, 1, 0));
	show(pwrite(s[0], buffer, 1, 0));
	show(lseek(s[0], 0, SEEK_SET));
	show(ftruncate(s[0], 0));
	struct stat status;
	must(fstat(s[0], &status));
	check(S_ISSOCK(status.st_mode));
	printf("mode %o\n", status.st_mode & 07777);
	show(fcntl(s[0], F_GETFL) & (O_ACCMODE | O_NONBLOCK));
	must(fcntl(s[0], F_SETFL, O_NONBLOCK));
	show(read(s[0], buffer, 1));
	show(fcntl(s[1], F_GETFL) & O_NONBLOCK);
	int again = must(dup(s[0]));
	show(fcntl(again, F_GETFL) & O_NONBLOCK);
	must(write(s[1], "x", 1));
	must(close(s[0]));
	show(read(again, buffer, 10));
	must(close(again));
	must(close(s[1]));
}

static void ends(int type)
{
	int s[2];
	char buffer[100];
	printf("-- the end of %s\n", type_name(type));
	must(socketpair(AF_UNIX, type, 0, s));
	must(write(s[0], "last", 4));
	show(shutdown(s[0], SHUT_WR));
	show_poll("shut for writing", s[0]);
	show_poll("its peer", s[1]);
	pipe_signals = 0;
	show(send(s[0], "x", 1, 0));
	printf("signals %d\n", pipe_signals);
	show(send(s[0], "x", 1, MSG_NOSIGNAL));
	printf("signals %d\n", pipe_signals);
	show_receive("what is left", s[1], 50, 0);
	show_receive("the end", s[1], 50, MSG_DONTWAIT);
	show(write(s[1], "back", 4));
	show_receive("the other way", s[0], 50, 0);
	show(shutdown(s[1], SHUT_RDWR));
	show_poll("all shut", s[0]);
	show_poll("its peer", s[1]);
	show_receive("all shut", s[0], 50, MSG_DONTWAIT);
	show(shutdown(s[1], 3));
	show(shutdown(s[1], -1));
	must(close(s[0]));
	must(close(s[1]));

	must(socketpair(AF_UNIX, type, 0, s));
	must(write(s[0], "sent", 4));
	must(close(s[0]));
	show_poll("peer closed", s[1]);
	pipe_signals = 0;
	show(write(s[1], "x", 1));
	printf("signals %d\n", pipe_signals);
	show(write(s[1], "x", 1));
	show_receive("still there", s[1], 50, MSG_DONTWAIT);
	show_receive("then", s[1], 50, MSG_DONTWAIT);
	must(close(s[1]));

	must(socketpair(AF_UNIX, type, 0, s));
	must(write(s[0], "unread", 6));
	must(write(s[1], "read", 4));
	must(close(s[1]));
	show_poll("closed with bytes unread", s[0]);
	show_receive("first", s[0], 50, MSG_DONTWAIT);
	show_receive("second", s[0], 50, MSG_DONTWAIT);
	show_receive("third", s[0], 50, MSG_DONTWAIT);
	show_poll("afterwards", s[0]);
	must(close(s[0]));

	must(socketpair(AF_UNIX, type, 0, s));
	must(write(s[0], "unread", 6));
	must(close(s[1]));
	int error = 0;
	socklen_t length = sizeof error;
	must(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &length));
	printf("SO_ERROR %s\n", error_name(error));
	must(getsockopt(s[0], SOL_SOCKET, SO_ERROR, &error, &length));
	printf("again %s\n", error_name(error));
	show(send(s[0], buffer, 1, MSG_NOSIGNAL));
	must(close(s[0]));
}

static void full(int type)
{
	int s[2], count = 0;
	char block[1000] = { 0 };
	printf("-- a full %s\n", type_name(type));
	must(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s));
	while (write(s[0], block, sizeof block) == sizeof block)
		count++;
	printf("%s\n", error_name(errno));
	check(count > 50 && count < 300);
	show_poll("full", s[0]);
	for (int i = 0; i < count; i++)
		must(read(s[1], block, sizeof block));
	show_poll("empty again", s[0]);
	must(fcntl(s[0], F_SETFL, 0));
	must(fcntl(s[1], F_SETFL, 0));
	/* a writer that waits, and one reader that takes everything */
	pid_t child = in_child({
		close(s[1]);
		for (int i = 0; i < 3000; i++) {
			memset(block, i, sizeof block);
			if (write(s[0], block, sizeof block) != sizeof block)
				_exit(1);
		}
	});
	must(close(s[0]));
	long total = 0;
	unsigned sum = 0;
	ssize_t got;
	while (total < 3000000 && (got = read(s[1], block, 777 + (type != SOCK_STREAM) * 223)) > 0) {
		for (ssize_t i = 0; i < got; i++)
			sum = sum * 31 + (unsigned char)block[i];
		total += got;
	}
	printf("total %ld sum %u\n", total, sum);
	show_status("writer", wait_for(child));
	if (type != SOCK_DGRAM)
		show(read(s[1], block, 10));
	must(close(s[1]));
}

static void wait_all(void)
{
	int s[2];
	char buffer[100] = { 0 };
	printf("-- waiting for all\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	pid_t child = in_child({
		for (int i = 0; i < 5; i++) {
			sleep_ms(20);
			must(write(s[1], "abcd", 4));
		}
	});
	show(recv(s[0], buffer, 18, MSG_WAITALL));
	printf("[%s]\n", buffer);
	wait_for(child);
	must(close(s[1]));
	show(recv(s[0], buffer, 18, MSG_WAITALL));
	struct timeval time = { 0, 100000 };
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	must(setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
	double start = seconds_now();
	show(read(s[0], buffer, 1));
	check(seconds_now() - start > 0.09);
	must(write(s[1], "abc", 3));
	show(recv(s[0], buffer, 18, MSG_WAITALL));
	must(setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
	static char large[1000000];
	ssize_t put = write(s[0], large, sizeof large);
	check(put > 100000 && put < 1000000);
	show(write(s[0], large, 1));
	socklen_t length = sizeof time;
	time.tv_usec = 0;
	must(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &time, &length));
	printf("SO_RCVTIMEO %ld.%06ld\n", (long)time.tv_sec, (long)time.tv_usec);
}

static void files(void)
{
	int s[2], p[2];
	char buffer[100] = { 0 };
	printf("-- sendfile and others\n");
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s));
	put_file("file", "the content of a file");
	int fd = must(open("file", O_RDONLY));
	show(sendfile(s[0], fd, NULL, 100));
	show(read(s[1], buffer, sizeof buffer));
	printf("[%s]\n", buffer);
	show(sendfile(fd, s[0], NULL, 10));
	must(pipe(p));
	show(send(p[1], "x", 1, 0));
	show(recv(fd, buffer, 1, 0));
	show(send(-1, "x", 1, 0));
	show(send(900, "x", 1, 0));
	show(shutdown(p[0], SHUT_RD));
	show(listen(p[0], 1));
	show(ioctl(s[0], TCGETS, buffer));
	show(send(s[0], "x", 1, MSG_OOB | MSG_DONTWAIT) == 1 || errno == EOPNOTSUPP);
}

static void creation(void)
{
	int s[2];
	printf("-- arguments\n");
	succeeds(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s));
	show(fcntl(s[0], F_GETFD));
	show(fcntl(s[0], F_GETFL) & O_NONBLOCK);
	succeeds(socketpair(AF_UNIX, SOCK_STREAM, 1, s));
	succeeds(socketpair(AF_UNIX, SOCK_STREAM, 2, s));
	succeeds(socketpair(AF_UNIX, SOCK_RAW, 0, s));
	succeeds(socketpair(AF_UNIX, SOCK_RDM, 0, s));
	succeeds(socketpair(AF_UNIX, 15, 0, s));
	succeeds(socketpair(AF_UNIX, SOCK_STREAM | 0x10000, 0, s));
	succeeds(socketpair(200, SOCK_STREAM, 0, s));
	succeeds(socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)16));
	succeeds(socket(-1, SOCK_STREAM, 0));
	succeeds(socket(AF_UNIX, SOCK_SEQPACKET, 0));
	int type = must(socket(AF_UNIX, SOCK_RAW, 0)), value;
	socklen_t length = sizeof value;
	must(getsockopt(type, SOL_SOCKET, SO_TYPE, &value, &length));
	printf("a raw one is of type %d\n", value);
}

int main(void)
{
	const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	signal(SIGPIPE, on_pipe);
	for (int i = 0; i < 3; i++) {
		transfers(types[i]);
		ends(types[i]);
		full(types[i]);
	}
	wait_all();
	files();
	creation();
	return 0;
}
