/*
 * /chan by Linux's calls: publish, connect, types, capacity, packets through read, write and poll, a listing, inotify, withdrawal, and the publisher's death. With the argument
 * "survive" packets go to and fro until the standard input ends, while the file server is killed; then the publisher dies.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <dirent.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition) ((condition) ? (void)0 : (printf("FAIL line %d: %s (errno %d)\n", __LINE__, #condition, errno), exit(1)))
#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static char buffer[70000];

static void test_connect(void)
{
	int publisher = open("/chan/clock,type=12ab,capacity=2", O_CREAT | O_EXCL | O_RDWR, 0644);
	CHECK(publisher >= 0);
	FAILS(open("/chan/clock,type=12ab", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
	FAILS(open("/chan/clock,type=12ac", O_RDWR), EPROTOTYPE);
	FAILS(open("/chan/clock,type=0", O_RDWR), EINVAL);
	FAILS(open("/chan/clock,colour=1", O_RDWR), EINVAL);
	FAILS(open("/chan/clocks", O_RDWR), ENOENT);
	FAILS(open("/chan/,type=1", O_CREAT | O_RDWR, 0644), EINVAL);
	int reader = open("/chan/clock,type=12ab", O_RDONLY | O_NONBLOCK), writer = open("/chan/clock", O_WRONLY | O_NONBLOCK);
	CHECK(reader >= 0 && writer >= 0);
	FAILS(read(reader, buffer, 100), EAGAIN);
	FAILS(write(reader, buffer, 1), EBADF);
	struct pollfd polled[2] = { { reader, POLLIN, 0 }, { writer, POLLOUT, 0 } };
	CHECK(poll(polled, 2, 0) == 1 && polled[1].revents == POLLOUT);
	struct iovec pieces[2] = { { "hel", 3 }, { "lo", 2 } };
	CHECK(writev(publisher, pieces, 2) == 5 && write(writer, "more", 4) == 4);
	FAILS(write(writer, "much", 4), EAGAIN);
	CHECK(poll(polled, 2, 0) == 1 && polled[0].revents == POLLIN);
	FAILS(read(reader, buffer, 3), EMSGSIZE); /* it stays */
	CHECK(read(reader, buffer, 100) == 5 && !memcmp(buffer, "hello", 5));
	CHECK(read(publisher, buffer, 100) == 4 && !memcmp(buffer, "more", 4));
	FAILS(write(writer, buffer, 65537), EMSGSIZE);
	CHECK(write(writer, buffer, 65536) == 65536 && read(reader, buffer, sizeof buffer) == 65536);
	FAILS(lseek(reader, 0, SEEK_SET), ESPIPE);
	struct stat by_fd, by_name;
	CHECK(!fstat(reader, &by_fd) && !stat("/chan/clock", &by_name) && by_fd.st_ino == by_name.st_ino && S_ISFIFO(by_name.st_mode));
	/* withdrawn: what is queued, then the end */
	CHECK(write(writer, "last", 4) == 4 && !unlink("/chan/clock"));
	FAILS(open("/chan/clock", O_RDWR), ENOENT);
	FAILS(write(writer, "x", 1), EPIPE);
	CHECK(read(reader, buffer, 100) == 4 && read(reader, buffer, 100) == 0);
	CHECK(!close(publisher) && !close(reader) && !close(writer));
}

static void test_directory(void)
{
	FAILS(mkdir("/chan/directory", 0777), EPERM);
	FAILS(mkfifo("/chan/fifo", 0777), EPERM);
	FAILS(symlink("/", "/chan/link"), EPERM);
	int other = open("/tmp/file", O_CREAT | O_RDWR, 0644), publisher = open("/chan/one", O_CREAT | O_RDWR, 0644);
	CHECK(other >= 0 && publisher >= 0);
	FAILS(rename("/tmp/file", "/chan/file"), EPERM);
	FAILS(rename("/chan/one", "/chan/two"), EPERM);
	FAILS(link("/chan/one", "/tmp/one"), EPERM);
	DIR *directory = opendir("/chan");
	struct dirent *entry;
	unsigned found = 0;
	CHECK(directory);
	while ((entry = readdir(directory)))
		found += !strcmp(entry->d_name, "one") && entry->d_type == DT_FIFO;
	CHECK(found == 1 && !closedir(directory) && !unlink("/chan/one") && !close(publisher) && !close(other) && !unlink("/tmp/file"));
}

/* The next event of an inotify queue about /chan: its mask; the name is checked. */
static uint32_t event_next(int queue, const char *name)
{
	static char events[4096] __attribute__((aligned(8)));
	static ssize_t length, at;
	if (at == length) {
		length = read(queue, events, sizeof events);
		at = 0;
		CHECK(length > 0);
	}
	struct inotify_event *event = (struct inotify_event *)(events + at);
	at += (ssize_t)sizeof *event + event->len;
	CHECK(event->len && !strcmp(event->name, name));
	return event->mask;
}

static void test_death(void)
{
	int go_on[2], queue = inotify_init();
	CHECK(!pipe(go_on) && queue >= 0 && inotify_add_watch(queue, "/chan", IN_CREATE | IN_DELETE) >= 0);
	pid_t child = fork();
	if (!child) {
		CHECK(open("/chan/child", O_CREAT | O_EXCL | O_WRONLY, 0600) >= 0);
		int mine = open("/chan/child", O_WRONLY);
		CHECK(write(mine, "last words", 10) == 10);
		CHECK(read(go_on[0], buffer, 1) == 1);
		raise(SIGKILL);
	}
	CHECK(event_next(queue, "child") == IN_CREATE);
	int fd = open("/chan/child", O_RDWR), status;
	CHECK(fd >= 0 && write(go_on[1], "x", 1) == 1 && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	CHECK(event_next(queue, "child") == IN_DELETE);
	CHECK(read(fd, buffer, 100) == 10 && !memcmp(buffer, "last words", 10));
	FAILS(read(fd, buffer, 100), EOWNERDEAD);
	FAILS(write(fd, "x", 1), EOWNERDEAD);
	FAILS(open("/chan/child", O_RDWR), ENOENT);
	CHECK(!close(fd) && !close(queue));
	/* its descriptor closed with the name still there is a death too; one that another process has too is not */
	int publisher = open("/chan/mine", O_CREAT | O_RDWR, 0600), copy = dup(publisher), reader = open("/chan/mine", O_RDONLY | O_NONBLOCK);
	CHECK(!close(publisher));
	FAILS(read(reader, buffer, 1), EAGAIN);
	CHECK(!close(copy));
	errno = EAGAIN;
	for (unsigned i = 0; i < 1000 && read(reader, buffer, 1) == -1 && errno == EAGAIN; i++)
		usleep(1000);
	CHECK(errno == EOWNERDEAD);
	CHECK(!close(reader));
}

/* A descriptor that is patient waits a little before it says EAGAIN, and no longer than something takes to come. */
static void test_patience(void)
{
	struct timespec before, after;
	int publisher = open("/chan/slow,capacity=1", O_CREAT | O_EXCL | O_RDWR, 0600), reader = open("/chan/slow,patience=30000000", O_RDWR | O_NONBLOCK);
	CHECK(publisher >= 0 && reader >= 0);
	FAILS(open("/chan/slow,patience=2000000000", O_RDWR), EINVAL);
	clock_gettime(CLOCK_MONOTONIC, &before);
	FAILS(read(reader, buffer, 1), EAGAIN);
	clock_gettime(CLOCK_MONOTONIC, &after);
	CHECK((after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec >= 30000000);
	CHECK(write(publisher, "x", 1) == 1);
	FAILS(write(reader, "y", 1), EAGAIN);
	CHECK(read(reader, buffer, 1) == 1 && !unlink("/chan/slow") && !close(publisher) && !close(reader));
}

static void test_wait(void)
{
	int publisher = open("/chan/wait,capacity=0", O_CREAT | O_RDWR, 0600); /* unbuffered: they meet */
	CHECK(publisher >= 0);
	pid_t child = fork();
	if (!child) {
		int fd = open("/chan/wait", O_WRONLY);
		for (int i = 0; i < 100; i++)
			CHECK(write(fd, &i, sizeof i) == sizeof i);
		exit(0);
	}
	for (int i = 0, got; i < 100; i++)
		CHECK(read(publisher, &got, sizeof got) == sizeof got && got == i);
	int status;
	CHECK(waitpid(child, &status, 0) == child && status == 0 && !unlink("/chan/wait") && !close(publisher));
}

static void survive(void)
{
	int to = open("/chan/to,type=77", O_CREAT | O_EXCL | O_RDWR, 0600);
	CHECK(to >= 0);
	pid_t child = fork();
	if (!child) {
		close(to);
		int back = open("/chan/back", O_CREAT | O_EXCL | O_WRONLY, 0600), from = open("/chan/to,type=77", O_RDONLY);
		CHECK(back >= 0 && from >= 0);
		for (uint32_t n; read(from, &n, sizeof n) == sizeof n;)
			CHECK(write(back, &n, sizeof n) == sizeof n);
		raise(SIGKILL);
	}
	int back;
	while ((back = open("/chan/back", O_RDWR)) < 0)
		usleep(10000);
	struct pollfd input = { 0, POLLIN, 0 };
	uint32_t n, got;
	for (n = 0; !poll(&input, 1, 0); n++) {
		CHECK(write(to, &n, sizeof n) == sizeof n && read(back, &got, sizeof got) == sizeof got && got == n);
		if (n % 64 == 0) { /* names are there all the while */
			FAILS(open("/chan/to,type=78", O_RDONLY), EPROTOTYPE);
			int again = open("/chan/to,type=77", O_RDONLY);
			CHECK(again >= 0 && !close(again));
		}
	}
	int status;
	CHECK(!unlink("/chan/to") && waitpid(child, &status, 0) == child && WIFSIGNALED(status));
	FAILS(read(back, &got, sizeof got), EOWNERDEAD);
	for (unsigned i = 0; i < 1000 && !access("/chan/back", F_OK); i++)
		usleep(1000);
	FAILS(open("/chan/back", O_RDWR), ENOENT);
	printf("%s\n", n > 100 ? "many" : "few");
}

/* Registers a channel for key strokes and tells them until a q; the terminal's reader gets them too. */
static void keyboard(void)
{
	FAILS(open("/chan/keyboard", O_CREAT | O_EXCL | O_RDWR, 0600), EEXIST);
	int keys = open("/chan/my-keys", O_CREAT | O_EXCL | O_RDWR, 0600), registry = open("/chan/keyboard", O_WRONLY);
	CHECK(keys >= 0 && registry >= 0);
	CHECK(write(registry, "no-such-name", 12) == 12 && write(registry, buffer, 60000) == 60000 && write(registry, "my-keys", 7) == 7);
	usleep(200000);
	printf("type\n");
	char typed[100] = "";
	while (!strchr(typed, 'q')) {
		ssize_t count = read(keys, buffer, sizeof buffer);
		CHECK(count > 0 && strlen(typed) + (size_t)count < sizeof typed);
		strncat(typed, buffer, (size_t)count);
	}
	ssize_t line = read(0, buffer, sizeof buffer);
	CHECK(line > 0);
	printf("keys %.2s line %.*s", typed, (int)line, buffer);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc > 1 && !strcmp(argv[1], "survive")) {
		survive();
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "keyboard")) {
		keyboard();
		return 0;
	}
	test_connect();
	test_directory();
	test_death();
	test_wait();
	test_patience();
	printf("ok\n");
	return 0;
}
