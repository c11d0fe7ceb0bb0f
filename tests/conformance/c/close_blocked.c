/* A descriptor is closed, or another put in its place, while another thread waits in a call on it: the call goes on with what it was about. */
#include "case.h"
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

struct waiter {
	pthread_t thread;
	long (*call)(struct waiter *);
	int fd, other;
	long result;
	int error;
	char bytes[16];
};

static void *run(void *argument)
{
	struct waiter *waiter = argument;
	waiter->result = waiter->call(waiter);
	waiter->error = errno;
	return NULL;
}

static void start(struct waiter *waiter, long (*call)(struct waiter *), int fd, int other)
{
	*waiter = (struct waiter){ .call = call, .fd = fd, .other = other };
	must(-pthread_create(&waiter->thread, NULL, run, waiter));
	sleep_ms(60); /* it waits now */
}

static void end(struct waiter *waiter, const char *what)
{
	pthread_join(waiter->thread, NULL);
	if (waiter->result < 0)
		printf("%s: %s\n", what, error_name(waiter->error));
	else
		printf("%s = %ld [%.*s]\n", what, waiter->result, (int)sizeof waiter->bytes, waiter->bytes);
}

static long do_read(struct waiter *w) { return read(w->fd, w->bytes, sizeof w->bytes - 1); }
static long do_read_number(struct waiter *w) { uint64_t number; long r = read(w->fd, &number, sizeof number); return r == 8 ? (long)number : r; }
static long do_receive(struct waiter *w) { return recv(w->fd, w->bytes, sizeof w->bytes - 1, 0); }
static long do_accept(struct waiter *w) { w->other = accept(w->fd, NULL, NULL); return w->other < 0 ? -1 : 1; }
static long do_flock(struct waiter *w) { return flock(w->fd, LOCK_EX); }
static long do_lock(struct waiter *w) { struct flock l = { .l_type = F_WRLCK }; return fcntl(w->fd, F_SETLKW, &l); }
static long do_owner_lock(struct waiter *w) { struct flock l = { .l_type = F_WRLCK }; return fcntl(w->fd, F_OFD_SETLKW, &l); }

static long do_write(struct waiter *w)
{
	static char block[65536 + 4096];
	return write(w->fd, block, sizeof block);
}

static long do_poll(struct waiter *w)
{
	struct pollfd item = { .fd = w->fd, .events = POLLIN };
	long count = poll(&item, 1, 3000);
	snprintf(w->bytes, sizeof w->bytes, "%x", item.revents);
	return count;
}

static long do_select(struct waiter *w)
{
	fd_set set;
	FD_ZERO(&set);
	FD_SET(w->fd, &set);
	struct timeval time = { 3, 0 };
	long count = select(w->fd + 1, &set, NULL, NULL, &time);
	snprintf(w->bytes, sizeof w->bytes, "%d", FD_ISSET(w->fd, &set) != 0);
	return count;
}

static long do_epoll(struct waiter *w)
{
	struct epoll_event event = { 0 };
	long count = epoll_wait(w->fd, &event, 1, 400);
	snprintf(w->bytes, sizeof w->bytes, "%x", event.events);
	return count;
}

static long do_splice(struct waiter *w) { return splice(w->fd, NULL, w->other, NULL, 100, 0); }
static long do_sendfile(struct waiter *w) { return sendfile(w->fd, w->other, NULL, 1000000); }

static long do_connect(struct waiter *w)
{
	struct sockaddr_un name = { AF_UNIX, "full" };
	return connect(w->fd, (struct sockaddr *)&name, sizeof name);
}

static void drain(int fd, size_t wanted)
{
	static char block[65536];
	size_t done = 0;
	while (done < wanted) {
		ssize_t count = read(fd, block, sizeof block);
		if (count <= 0)
			break;
		done += (size_t)count;
	}
	printf("drained %zu\n", done);
}

static void pipes(void)
{
	struct waiter waiter;
	int end_[2], other[2];
	char byte;
	must(pipe(end_));
	start(&waiter, do_read, end_[0], 0);
	succeeds(close(end_[0]));
	show(write(end_[1], "late", 4));
	end(&waiter, "read of a closed pipe end");
	show(write(end_[1], "x", 1)); /* nobody can read it any more */
	close(end_[1]);

	must(pipe(end_));
	must(pipe(other));
	must(write(other[1], "other", 5));
	start(&waiter, do_read, end_[0], 0);
	succeeds(dup2(other[0], end_[0]));
	show(write(end_[1], "first", 5));
	end(&waiter, "read of a replaced pipe end");
	start(&waiter, do_read, end_[0], 0);
	end(&waiter, "read of what replaced it");
	close(end_[0]);
	close(end_[1]);
	close(other[0]);
	close(other[1]);

	must(pipe(end_)); /* the writer's close is not the end of the stream while it waits */
	start(&waiter, do_write, end_[1], 0);
	succeeds(close(end_[1]));
	drain(end_[0], 65536 + 4096);
	end(&waiter, "write of a closed pipe end");
	show(read(end_[0], &byte, 1));
	close(end_[0]);

	must(mkfifo("fifo", 0600));
	int fifo = must(open("fifo", O_RDWR));
	start(&waiter, do_read, fifo, 0);
	int writer = must(open("fifo", O_WRONLY));
	succeeds(close(fifo));
	show(write(writer, "named", 5));
	end(&waiter, "read of a closed named pipe");
	show(write(writer, "x", 1));
	close(writer);
}

static void sockets(void)
{
	struct waiter waiter;
	int pair[2];
	struct sockaddr_un name = { AF_UNIX, "socket" };
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	start(&waiter, do_receive, pair[0], 0);
	succeeds(close(pair[0]));
	show(send(pair[1], "late", 4, 0));
	end(&waiter, "recv of a closed socket");
	show(send(pair[1], "x", 1, MSG_NOSIGNAL));
	close(pair[1]);

	int listener = must(socket(AF_UNIX, SOCK_STREAM, 0)), client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(listener, (struct sockaddr *)&name, sizeof name));
	must(listen(listener, 5));
	start(&waiter, do_accept, listener, 0);
	succeeds(close(listener));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	end(&waiter, "accept of a closed listener");
	int accepted = waiter.other;
	show(write(client, "hello", 5));
	char bytes[8];
	show(read(accepted, bytes, sizeof bytes));
	close(client);
	close(accepted);
	client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	close(client);

	listener = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(unlink("socket"));
	must(bind(listener, (struct sockaddr *)&name, sizeof name));
	must(listen(listener, 5));
	int null = must(open("/dev/null", O_RDWR));
	client = must(socket(AF_UNIX, SOCK_STREAM, 0));
	start(&waiter, do_accept, listener, 0);
	succeeds(dup2(null, listener));
	show(connect(client, (struct sockaddr *)&name, sizeof name));
	end(&waiter, "accept of a replaced listener");
	show(accept(listener, NULL, NULL));
	close(waiter.other);
	close(client);
	close(listener);
	close(null);

	struct sockaddr_un full = { AF_UNIX, "full" };
	int queue = must(socket(AF_UNIX, SOCK_STREAM, 0)), first = must(socket(AF_UNIX, SOCK_STREAM, 0)), second = must(socket(AF_UNIX, SOCK_STREAM, 0));
	must(bind(queue, (struct sockaddr *)&full, sizeof full));
	must(listen(queue, 0));
	must(connect(first, (struct sockaddr *)&full, sizeof full));
	start(&waiter, do_connect, second, 0);
	succeeds(close(second));
	accepted = must(accept(queue, NULL, NULL));
	end(&waiter, "connect of a closed socket");
	int last = must(accept(queue, NULL, NULL));
	show(read(last, bytes, 1)); /* it was closed */
	close(accepted);
	close(last);
	close(first);
	close(queue);
}

static void events(void)
{
	struct waiter waiter;
	int pipe_[2];
	uint64_t number = 7;
	int counter = must(eventfd(0, 0)), copy = must(dup(counter));
	start(&waiter, do_read_number, counter, 0);
	succeeds(close(counter));
	show(write(copy, &number, sizeof number));
	end(&waiter, "read of a closed eventfd");
	close(copy);

	int timer = must(timerfd_create(CLOCK_MONOTONIC, 0));
	struct itimerspec setting = { .it_value = { 0, 200000000 } };
	must(timerfd_settime(timer, 0, &setting, NULL));
	start(&waiter, do_read_number, timer, 0);
	succeeds(close(timer));
	end(&waiter, "read of a closed timerfd");

	int watch = must(inotify_init());
	must(inotify_add_watch(watch, ".", IN_CREATE));
	start(&waiter, do_read, watch, 0);
	succeeds(close(watch));
	put_file("made", "");
	pthread_join(waiter.thread, NULL);
	printf("read of a closed inotify: %s\n", waiter.result < 0 ? error_name(waiter.error) : "too small or done");

	must(pipe(pipe_));
	start(&waiter, do_poll, pipe_[0], 0);
	succeeds(close(pipe_[0]));
	must(write(pipe_[1], "x", 1));
	end(&waiter, "poll of a closed pipe end");
	close(pipe_[1]);
	must(pipe(pipe_));
	start(&waiter, do_select, pipe_[0], 0);
	succeeds(close(pipe_[0]));
	must(write(pipe_[1], "x", 1));
	end(&waiter, "select of a closed pipe end");
	close(pipe_[1]);

	must(pipe(pipe_));
	int epoll = must(epoll_create1(0));
	struct epoll_event event = { .events = EPOLLIN };
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_[0], &event));
	start(&waiter, do_epoll, epoll, 0);
	succeeds(close(epoll));
	must(write(pipe_[1], "x", 1));
	end(&waiter, "epoll_wait of a closed epoll");
	epoll = must(epoll_create1(0));
	char byte;
	must(read(pipe_[0], &byte, 1));
	must(epoll_ctl(epoll, EPOLL_CTL_ADD, pipe_[0], &event));
	start(&waiter, do_epoll, epoll, 0);
	succeeds(close(pipe_[0])); /* the entry dies with it */
	show(write(pipe_[1], "x", 1));
	end(&waiter, "epoll_wait whose entry was closed");
	close(pipe_[1]);
	close(epoll);
}

static void moves(void)
{
	struct waiter waiter;
	int from[2], to[2];
	must(pipe(from));
	must(pipe(to));
	start(&waiter, do_splice, from[0], to[1]);
	succeeds(close(from[0]));
	succeeds(close(to[1]));
	must(write(from[1], "moved", 5));
	end(&waiter, "splice between closed pipes");
	char bytes[8];
	show(read(to[0], bytes, sizeof bytes));
	show(read(to[0], bytes, sizeof bytes));
	close(from[1]);
	close(to[0]);

	int file = must(open("file", O_RDWR | O_CREAT, 0600));
	must(ftruncate(file, 1000000));
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, to));
	start(&waiter, do_sendfile, to[1], file);
	succeeds(close(to[1]));
	succeeds(close(file));
	drain(to[0], 1000000);
	end(&waiter, "sendfile between closed descriptors");
	close(to[0]);
	file = must(open("file", O_RDWR));
	must(pipe(to)); /* into a pipe goes what fits */
	show(sendfile(to[1], file, NULL, 1000000));
	show(lseek(file, 0, SEEK_CUR));
	close(file);
	close(to[0]);
	close(to[1]);
}

static void locks(void)
{
	struct waiter waiter;
	struct flock lock = { .l_type = F_WRLCK };
	put_file("locked", "");
	int one = must(open("locked", O_RDWR)), two = must(open("locked", O_RDWR));
	must(flock(one, LOCK_EX));
	start(&waiter, do_flock, two, 0);
	succeeds(close(two));
	must(flock(one, LOCK_UN));
	end(&waiter, "flock of a closed file");
	show(flock(one, LOCK_EX | LOCK_NB)); /* it went with the description */

	two = must(open("locked", O_RDWR));
	must(fcntl(one, F_OFD_SETLK, &lock));
	start(&waiter, do_owner_lock, two, 0);
	succeeds(close(two));
	lock.l_type = F_UNLCK;
	must(fcntl(one, F_OFD_SETLK, &lock));
	end(&waiter, "description lock of a closed file");

	int ready[2], go[2];
	char byte;
	must(pipe(ready));
	must(pipe(go));
	pid_t child = in_child({
		struct flock mine = { .l_type = F_WRLCK };
		int file = must(open("locked", O_RDWR));
		must(fcntl(file, F_SETLK, &mine));
		must(write(ready[1], "x", 1));
		must(read(go[0], &byte, 1));
	});
	must(read(ready[0], &byte, 1));
	two = must(open("locked", O_RDWR));
	start(&waiter, do_lock, two, 0);
	succeeds(close(two));
	must(write(go[1], "x", 1));
	end(&waiter, "record lock of a closed file");
	wait_for(child);
	child = in_child({
		struct flock any = { .l_type = F_WRLCK };
		show(fcntl(one, F_SETLK, &any)); /* the parent has none */
	});
	wait_for(child);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	pipes();
	sockets();
	events();
	moves();
	locks();
	return 0;
}
