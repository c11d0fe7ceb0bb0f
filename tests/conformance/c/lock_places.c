/* Locks on what is no ordinary file: pipes, named pipes, memory files, sockets, terminals, /proc, devices, counters. */
#include "case.h"
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static int record(int fd, int command, short type, off_t start, off_t length)
{
	struct flock lock = { .l_type = type, .l_start = start, .l_len = length };
	return fcntl(fd, command, &lock);
}

static void test(const char *what, int fd, int command)
{
	struct flock lock = { .l_type = F_WRLCK };
	if (fcntl(fd, command, &lock) < 0)
		printf("%s: %s\n", what, error_name(errno));
	else if (lock.l_type == F_UNLCK)
		printf("%s: free\n", what);
	else
		printf("%s: type %d start %ld length %ld %s\n", what, lock.l_type, (long)lock.l_start, (long)lock.l_len,
			lock.l_pid == getppid() ? "parent's" : lock.l_pid == -1 ? "nobody's" : "other's");
}

/* one and two: two openings of the same object (or -1). */
static void all(const char *name, int one, int two)
{
	printf("- %s\n", name);
	show(flock(one, LOCK_SH));
	if (two >= 0) {
		show(flock(two, LOCK_SH | LOCK_NB));
		show(flock(two, LOCK_EX | LOCK_NB));
		show(flock(two, LOCK_UN));
	}
	show(flock(one, LOCK_EX));
	if (two >= 0)
		show(flock(two, LOCK_SH | LOCK_NB));
	show(flock(dup(one), LOCK_EX | LOCK_NB)); /* the same description */
	show(flock(one, LOCK_UN));
	show(record(one, F_SETLK, F_RDLCK, 0, 10));
	show(record(one, F_SETLK, F_WRLCK, 5, 10));
	wait_for(in_child({
		test("another process", one, F_GETLK);
		show(record(one, F_SETLK, F_WRLCK, 0, 1));
		show(record(one, F_SETLK, F_WRLCK, 100, 1));
		show(record(one, F_OFD_SETLK, F_WRLCK, 14, 1));
	}));
	show(record(one, F_SETLK, F_WRLCK, 100, 1)); /* the child's went with it */
	show(record(one, F_SETLK, F_UNLCK, 0, 0));
	show(record(one, F_OFD_SETLK, F_WRLCK, 0, 0));
	if (two >= 0) {
		show(record(two, F_OFD_SETLK, F_WRLCK, 3, 1));
		test("other description", two, F_OFD_GETLK);
	}
	show(record(one, F_SETLK, F_WRLCK, 0, 1));
	show(record(one, F_OFD_SETLK, F_UNLCK, 0, 0));
}

static void pipes(void)
{
	int end[2];
	must(pipe(end));
	puts("- a pipe's two ends");
	show(flock(end[0], LOCK_EX));
	show(flock(end[1], LOCK_EX | LOCK_NB));
	show(flock(end[0], LOCK_UN));
	show(flock(end[1], LOCK_EX | LOCK_NB));
	show(record(end[0], F_SETLK, F_WRLCK, 0, 1));
	show(record(end[1], F_SETLK, F_RDLCK, 0, 1));
	show(record(end[1], F_SETLK, F_WRLCK, 0, 1));
	wait_for(in_child({ test("through the reader", end[0], F_GETLK); }));
	close(dup(end[0])); /* any close of the object gives record locks up */
	wait_for(in_child({ test("after a close", end[1], F_GETLK); }));
	show(record(end[1], F_SETLK, F_WRLCK, 0, 1));
	int other[2];
	must(pipe(other));
	wait_for(in_child({ show(record(other[1], F_SETLK, F_WRLCK, 0, 1)); })); /* another object */
	close(other[0]); /* of another object: nothing is given up */
	wait_for(in_child({ test("after another's close", end[1], F_GETLK); }));
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_END };
	show(fcntl(end[1], F_SETLK, &lock));
}

static void waiting(void)
{
	int fd = must(memfd_create("lock", 0)), ready[2];
	char byte;
	puts("- waiting");
	must(pipe(ready));
	pid_t child = in_child({
		int again = must(open("/dev/null", O_RDWR));
		must(record(fd, F_SETLK, F_WRLCK, 0, 0));
		must(write(ready[1], "x", 1));
		sleep_ms(100);
	});
	must(read(ready[0], &byte, 1));
	show(record(fd, F_SETLK, F_WRLCK, 0, 0));
	show(record(fd, F_SETLKW, F_WRLCK, 0, 0)); /* its end gives it up */
	wait_for(child);
	child = in_child({
		alarm(1);
		show(record(fd, F_SETLKW, F_WRLCK, 0, 0));
	});
	show_status("killed in the wait", wait_for(child));
	show(record(fd, F_SETLK, F_UNLCK, 0, 0));
	must(flock(fd, LOCK_EX));
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	child = in_child({
		close(fd); /* a copy: the parent's lock stays */
		sleep_ms(20);
	});
	wait_for(child);
	show(flock(fd, LOCK_EX | LOCK_NB));
	must(ftruncate(fd, 100));
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 5 };
	show(fcntl(fd, F_SETLK, &lock));
	wait_for(in_child({ test("from the end", fd, F_GETLK); }));

	int pair[2]; /* a circle of two */
	must(pipe(pair));
	must(record(pair[1], F_SETLK, F_WRLCK, 0, 1));
	child = in_child({
		must(record(pair[1], F_SETLK, F_WRLCK, 1, 1));
		must(write(ready[1], "x", 1));
		show(record(pair[1], F_SETLKW, F_WRLCK, 0, 1));
	});
	must(read(ready[0], &byte, 1));
	sleep_ms(100);
	show(record(pair[1], F_SETLKW, F_WRLCK, 1, 1));
	must(record(pair[1], F_SETLK, F_UNLCK, 0, 1));
	wait_for(child);
}

int main(void)
{
	int end[2], pair[2];
	setvbuf(stdout, NULL, _IOLBF, 0);
	pipes();
	must(mkfifo("fifo", 0600));
	int fifo = must(open("fifo", O_RDWR));
	all("a named pipe", fifo, must(open("fifo", O_RDWR)));
	all("a memory file", must(memfd_create("one", 0)), -1);
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	all("a socket", pair[0], -1);
	show(flock(pair[0], LOCK_EX));
	show(flock(pair[1], LOCK_EX | LOCK_NB)); /* each end is its own */
	int null = must(open("/dev/null", O_RDWR));
	show(flock(null, LOCK_SH));
	show(flock(null, LOCK_UN));
	int counter = must(eventfd(0, 0)), timer = must(timerfd_create(CLOCK_MONOTONIC, 0));
	all("a counter and a timer", counter, timer); /* all such share one inode */
	int status = must(open("/proc/self/status", O_RDONLY)), again = must(open("/proc/self/status", O_RDONLY));
	puts("- /proc");
	show(flock(status, LOCK_EX));
	show(flock(again, LOCK_EX | LOCK_NB));
	show(record(status, F_SETLK, F_RDLCK, 0, 0));
	show(record(status, F_SETLK, F_WRLCK, 0, 0));
	close(again); /* gives up */
	show(flock(status, LOCK_UN));
	int master = must(posix_openpt(O_RDWR | O_NOCTTY));
	must(grantpt(master));
	must(unlockpt(master));
	int slave = must(open(ptsname(master), O_RDWR | O_NOCTTY));
	all("a terminal", slave, must(open(ptsname(master), O_RDWR | O_NOCTTY)));
	waiting();
	int path = must(open("fifo", O_PATH));
	show(flock(path, LOCK_EX));
	show(flock(-1, LOCK_EX));
	return 0;
}
