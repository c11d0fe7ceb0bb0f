/*
 * The load under which servers die, and what must hold all the while. Each worker is a process that repeats one kind of work, checks its data, and accepts
 * the errors that a dying server may cause, as the README of this folder lists them; anything else is told and counted. The first process reads lines from
 * standard input: "stop", or its end, ends the workers. It watches that all of them go on: who does not for HANG_SECONDS hangs.
 *
 *   work NAME...    runs those workers; writes "NAME: ROUNDS rounds, ERRORS errors", then "good" or "bad"
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define HANG_SECONDS 40
#define WORKERS 16

struct state {
	volatile unsigned rounds, errors, wrong;
};
static struct shared {
	volatile int stop;
	volatile unsigned counter_locked; /* by worker lock: how often it was counted up */
	struct state state[WORKERS];
} *shared;
static struct state *own;
static const char *own_name;

static void wrong(const char *format, ...)
{
	char line[300];
	va_list arguments;
	int error = errno, used = snprintf(line, sizeof line, "%s: ", own_name);
	va_start(arguments, format);
	used += vsnprintf(line + used, sizeof line - (size_t)used, format, arguments);
	va_end(arguments);
	used += snprintf(line + used, sizeof line - (size_t)used, " (%s)\n", strerrorname_np(error) ? strerrorname_np(error) : "0");
	if (own->wrong++ < 5 && write(2, line, (size_t)used) < 0)
		own->wrong++;
}

/* Result of a call that a server's death may fail with EIO. True: it was done, or nothing but that went wrong. */
static int failed_by_death(long result, const char *what)
{
	if (result >= 0)
		return 0;
	own->errors++;
	if (errno != EIO)
		wrong("%s fails", what);
	return 1;
}

static int exists(const char *path)
{
	struct stat status;
	for (int tries = 0; tries < 10; tries++) {
		if (lstat(path, &status) == 0)
			return 1;
		if (errno == ENOENT)
			return 0;
		own->errors++; /* EIO: several deaths in a row */
	}
	wrong("lstat of %s never succeeds", path);
	return 0;
}

static int open_again(const char *path, int flags, int mode)
{
	for (int tries = 0; tries < 10; tries++) {
		int fd = open(path, flags, mode);
		if (fd >= 0)
			return fd;
		if (errno != EIO)
			break;
		own->errors++;
	}
	wrong("open of %s", path);
	return -1;
}

/* -- files: contents, names, attributes; a name is there or not, as the call said, or either after EIO */

static void check_content(int fd, unsigned seed, size_t size)
{
	char bytes[3000], wanted[3000];
	memset(wanted, 'a' + seed % 26, size);
	ssize_t count = pread(fd, bytes, sizeof bytes, 0);
	if (count != (ssize_t)size || memcmp(bytes, wanted, size))
		wrong("content %u: %zd of %zu bytes", seed, count, size);
}

static void work_files(unsigned round)
{
	static int kept = -1;
	static unsigned kept_seed;
	char directory[64], path[96], other[96], link[32], bytes[3000];
	size_t size = 1 + round * 37 % sizeof bytes;
	snprintf(link, sizeof link, "/tmp/link.%d", getpid());
	snprintf(directory, sizeof directory, "/tmp/files.%d.%u", getpid(), round % 5);
	snprintf(path, sizeof path, "%s/%u", directory, round);
	snprintf(other, sizeof other, "%s/a-longer-name-for-number-%u", directory, round);
	if (mkdir(directory, 0755) < 0 && errno != EEXIST)
		failed_by_death(-1, "mkdir");
	if (!exists(directory))
		return;
	int fd = open_again(path, O_RDWR | O_CREAT, 0640);
	if (fd < 0)
		return;
	memset(bytes, 'a' + round % 26, size);
	if (write(fd, bytes, size) != (ssize_t)size)
		wrong("write");
	check_content(fd, round, size);
	struct stat status;
	if (!failed_by_death(fstat(fd, &status), "fstat") && (status.st_size != (off_t)size || (status.st_mode & 0777) != 0640))
		wrong("fstat says %ld bytes", (long)status.st_size);
	if (kept >= 0) { /* open since the round before, and without a name */
		check_content(kept, kept_seed, 1 + kept_seed * 37 % sizeof bytes);
		if (!failed_by_death(fstat(kept, &status), "fstat") && status.st_nlink != 0)
			wrong("a removed file has %lu links", (unsigned long)status.st_nlink);
		close(kept);
	}
	int renamed = rename(path, other);
	if (failed_by_death(renamed, "rename") ? exists(path) == exists(other) : exists(path) || !exists(other))
		wrong("rename left %d and %d", exists(path), exists(other));
	const char *name = exists(other) ? other : path;
	int again = open_again(name, O_RDONLY, 0);
	if (again >= 0)
		check_content(again, round, size);
	close(again);
	if (round % 3 == 0 && symlink(name, link) == 0) {
		char target[100];
		ssize_t length = readlink(link, target, sizeof target);
		if (!failed_by_death(length, "readlink") && (length != (ssize_t)strlen(name) || memcmp(target, name, (size_t)length)))
			wrong("readlink");
	}
	for (int tries = 0; unlink(link) < 0 && errno == EIO && tries < 10; tries++)
		own->errors++;
	if (failed_by_death(unlink(name), "unlink") && exists(name) && unlink(name) < 0 && errno != EIO)
		wrong("unlink again");
	if (exists(path))
		unlink(path);
	kept = fd;
	kept_seed = round;
	if (exists(name)) /* one EIO too many: it stays, and is no kept file then */
		close(kept), kept = -1, unlink(name);
}

/* -- directories: every name that stands all the while is read exactly once, also over a death */

static void work_directory(unsigned round)
{
	static int made;
	char path[64];
	for (; made < 40; made++) {
		snprintf(path, sizeof path, "/tmp/directory/%d", made);
		if (mkdir("/tmp/directory", 0755) < 0 && errno != EEXIST && errno != EIO)
			wrong("mkdir");
		close(open_again(path, O_CREAT | O_WRONLY, 0600));
	}
	unsigned char seen[40] = { 0 };
	DIR *directory = opendir("/tmp/directory");
	struct dirent *entry;
	int complete = directory != NULL;
	errno = 0;
	while (directory && (entry = readdir(directory)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9' && atoi(entry->d_name) < 40 && seen[atoi(entry->d_name)]++)
			wrong("%s comes twice", entry->d_name);
	if (!directory || errno) {
		complete = 0;
		failed_by_death(-1, "readdir");
	}
	for (int i = 0; complete && i < 40; i++)
		if (!seen[i])
			wrong("%d does not come", i);
	if (directory)
		closedir(directory);
	snprintf(path, sizeof path, "/tmp/directory/x%u", round % 7);
	close(open_again(path, O_CREAT | O_WRONLY, 0600));
	failed_by_death(unlink(path) < 0 && errno != ENOENT ? -1 : 0, "unlink");
}

/* -- record locks: a counter that two processes count up, each under the lock */

static void work_lock(unsigned round)
{
	static int fd = -1;
	(void)round;
	if (fd < 0)
		fd = open_again("/tmp/counter", O_RDWR | O_CREAT, 0600);
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 5 };
	if (failed_by_death(fcntl(fd, F_SETLKW, &lock), "F_SETLKW"))
		return;
	unsigned value = 0;
	if (pread(fd, &value, sizeof value, 0) < 0)
		wrong("pread");
	sched_yield();
	value++;
	if (pwrite(fd, &value, sizeof value, 0) != sizeof value)
		wrong("pwrite");
	__atomic_add_fetch(&shared->counter_locked, 1, __ATOMIC_SEQ_CST);
	lock.l_type = F_UNLCK;
	for (int tries = 0; fcntl(fd, F_SETLK, &lock) < 0 && tries < 10; tries++)
		own->errors++;
}

static void check_counter(void)
{
	unsigned value = 0;
	int fd = open("/tmp/counter", O_RDONLY);
	if (fd >= 0 && (pread(fd, &value, sizeof value, 0) != sizeof value || value != shared->counter_locked))
		wrong("the counter is %u after %u times", value, shared->counter_locked);
}

/* -- whole-file locks: nobody else has it while we do */

static void work_flock(unsigned round)
{
	static int fd = -1, second = -1;
	(void)round;
	if (fd < 0) {
		fd = open_again("/tmp/flock", O_RDWR | O_CREAT, 0600);
		second = open_again("/tmp/flock", O_RDWR, 0);
	}
	if (failed_by_death(flock(fd, LOCK_EX), "flock"))
		return;
	if (flock(second, LOCK_EX | LOCK_NB) == 0)
		wrong("two have the lock");
	else if (errno != EWOULDBLOCK)
		failed_by_death(-1, "flock of another");
	for (int tries = 0; flock(fd, LOCK_UN) < 0 && tries < 10; tries++)
		own->errors++;
}

/* -- a FIFO: numbered records. After EIO of a write the record comes again; after EIO of a read some may be missing. Else each comes once, in order. */

static void fifo_write(void)
{
	int fd = open_again("/tmp/fifo", O_WRONLY, 0);
	for (unsigned number = 0; !shared->stop; number++) {
		unsigned record[2] = { number, ~number };
		while (write(fd, record, sizeof record) != sizeof record) {
			if (errno != EIO)
				wrong("write to the FIFO");
			own->errors++;
			if (shared->stop)
				break;
		}
		if (number % 16 == 0)
			usleep(1000);
	}
	_exit(0);
}

static void work_fifo(unsigned round)
{
	static int fd = -1;
	static unsigned next, gap;
	if (fd < 0) {
		if (mkfifo("/tmp/fifo", 0600) < 0 && errno != EEXIST && errno != EIO)
			wrong("mkfifo");
		if (fork() == 0)
			fifo_write();
		fd = open_again("/tmp/fifo", O_RDONLY, 0);
	}
	unsigned record[2];
	(void)round;
	ssize_t count = read(fd, record, sizeof record);
	if (count == 0 && shared->stop)
		return;
	if (failed_by_death(count, "read of the FIFO")) {
		gap = 1;
		return;
	}
	if (count != sizeof record || record[1] != ~record[0] || record[0] > next + (gap ? 2000 : 0) || record[0] + 1 < next)
		wrong("record %u instead of %u, %zd bytes", record[0], next, count);
	if (record[0] >= next)
		gap = 0;
	next = record[0] + 1 > next ? record[0] + 1 : next;
}

/* -- a pipe: no server has a part in it */

static void work_pipe(unsigned round)
{
	static int ends[2] = { -1, -1 };
	unsigned value = 0;
	if (ends[0] < 0 && pipe(ends) < 0)
		wrong("pipe");
	if (write(ends[1], &round, sizeof round) != sizeof round || read(ends[0], &value, sizeof value) != sizeof value || value != round)
		wrong("pipe");
}

/* -- inotify: an event for each file made, or the word that some were lost */

static void work_watch(unsigned round)
{
	static int queue = -1;
	char path[64];
	if (queue < 0) {
		if (mkdir("/tmp/watched", 0755) < 0 && errno != EIO && errno != EEXIST)
			wrong("mkdir");
		queue = inotify_init1(0);
		if (failed_by_death(queue, "inotify_init1") || failed_by_death(inotify_add_watch(queue, "/tmp/watched", IN_CREATE), "inotify_add_watch")) {
			close(queue);
			queue = -1;
			return;
		}
	}
	snprintf(path, sizeof path, "/tmp/watched/%u", round);
	int fd = open_again(path, O_CREAT | O_WRONLY, 0600);
	close(fd);
	for (int found = 0; fd >= 0 && !found;) {
		struct pollfd item = { .fd = queue, .events = POLLIN };
		char buffer[4096];
		if (poll(&item, 1, 20000) != 1) {
			wrong("no event for %s", path);
			break;
		}
		ssize_t count = read(queue, buffer, sizeof buffer);
		if (failed_by_death(count, "read of events")) /* they may have been taken */
			break;
		for (ssize_t at = 0; at < count;) {
			struct inotify_event *event = (struct inotify_event *)(buffer + at);
			found |= event->mask & IN_Q_OVERFLOW || (event->len && (unsigned)atoi(event->name) == round);
			at += (ssize_t)(sizeof *event + event->len);
		}
	}
	for (int tries = 0; unlink(path) < 0 && errno == EIO && tries < 10; tries++)
		own->errors++;
}

/* -- sockets: a listener with a name, connections to it, and one connection that never ends */

static void work_socket(unsigned round)
{
	static int listener = -1, pair[2];
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0restarts" };
	socklen_t length = sizeof(sa_family_t) + 9;
	unsigned value = 0;
	if (listener < 0) {
		listener = socket(AF_UNIX, SOCK_STREAM, 0);
		if (listener < 0 || bind(listener, (struct sockaddr *)&name, length) < 0 || listen(listener, 5) < 0) {
			own->errors++;
			if (errno != EIO && errno != EADDRINUSE)
				wrong("listen");
			close(listener);
			listener = -1;
			return;
		}
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			wrong("socketpair");
	}
	if (write(pair[0], &round, sizeof round) != sizeof round || read(pair[1], &value, sizeof value) != sizeof value || value != round)
		wrong("a pair does not go on");
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	fcntl(listener, F_SETFL, O_NONBLOCK);
	if (client < 0 || connect(client, (struct sockaddr *)&name, length) < 0) {
		own->errors++;
		if (errno != EIO && errno != ECONNREFUSED)
			wrong("connect");
		close(client);
		return;
	}
	int served = -1;
	struct pollfd item = { .fd = listener, .events = POLLIN };
	if (poll(&item, 1, 3000) == 1)
		served = accept(listener, NULL, NULL);
	if (served < 0) { /* the connection died with the server while it waited to be accepted */
		own->errors++;
		if (read(client, &value, sizeof value) > 0)
			wrong("a connection that nobody accepted has bytes");
	} else {
		value = 0;
		if (write(client, &round, sizeof round) < 0 || read(served, &value, sizeof value) < 0)
			own->errors++;
		else if (value != round)
			wrong("the connection's bytes are %u, not %u", value, round);
	}
	close(served);
	close(client);
}

/* -- a pseudo terminal: dies with its server, another can be made */

static void work_terminal(unsigned round)
{
	char name[64], bytes[64], sent[32];
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave = -1;
	if (master < 0 || unlockpt(master) || ptsname_r(master, name, sizeof name) || (slave = open(name, O_RDWR | O_NOCTTY)) < 0) {
		own->errors++;
		if (errno != EIO && errno != ENOENT)
			wrong("a pair");
		close(master);
		return;
	}
	for (int i = 0; i < 5; i++) {
		int length = snprintf(sent, sizeof sent, "line %u %d\n", round, i);
		if (write(master, sent, (size_t)length) != length || read(slave, bytes, sizeof bytes) != length) {
			own->errors++; /* hung up: the end, or EIO */
			break;
		}
		if (memcmp(bytes, sent, (size_t)length))
			wrong("the terminal changed a line");
	}
	close(slave);
	close(master);
}

/* -- processes and programs: proc does not die; the file a program comes from is the file server's */

static void work_spawn(unsigned round)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		execl("/proc/self/exe", "work", "--answer", (char *)NULL);
		_exit(errno == EIO ? 43 : 44);
	}
	(void)round;
	if (child < 0 || waitpid(child, &status, 0) != child)
		wrong("fork");
	else if (!WIFEXITED(status) || (WEXITSTATUS(status) != 42 && WEXITSTATUS(status) != 43))
		wrong("the child's status is %x", (unsigned)status);
	else
		own->errors += WEXITSTATUS(status) == 43;
}

/* -- numbered lines on standard output, for the host to check */

static void work_print(unsigned round)
{
	char line[64];
	int length = snprintf(line, sizeof line, "line %u of the output, which must come once\n", round), done = 0;
	while (done < length) {
		ssize_t count = write(1, line + done, (size_t)(length - done));
		if (count > 0)
			done += (int)count;
		else if (failed_by_death(count, "write to standard output"))
			return;
	}
	if (round % 32 == 0)
		usleep(2000);
}

static const struct { const char *name; void (*work)(unsigned round); unsigned processes; } workers[] = {
	{ "files", work_files, 2 }, { "directory", work_directory, 1 }, { "lock", work_lock, 2 }, { "flock", work_flock, 2 }, { "fifo", work_fifo, 1 },
	{ "pipe", work_pipe, 1 }, { "watch", work_watch, 1 }, { "socket", work_socket, 1 }, { "terminal", work_terminal, 1 }, { "spawn", work_spawn, 1 },
	{ "print", work_print, 1 },
};

static void worker_run(unsigned which, unsigned slot)
{
	own = &shared->state[slot];
	own_name = workers[which].name;
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (unsigned round = 0; !shared->stop; round++) {
		workers[which].work(round);
		own->rounds++;
	}
	_exit(0);
}

/* The socket server has been given up: what needs it fails at once, what does not goes on. */
static int without_sockets(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0restarts" };
	int pair[2], s = socket(AF_UNIX, SOCK_STREAM, 0), result = -1;
	for (int tries = 0; tries < 3; tries++)
		result = s < 0 ? -1 : bind(s, (struct sockaddr *)&name, sizeof(sa_family_t) + 9);
	printf("bind: %s\n", result < 0 ? strerrorname_np(errno) : "0");
	printf("file: %d\n", open("/tmp/file", O_RDWR | O_CREAT, 0600) >= 0);
	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], "x", 1) != 1;
}

int main(int count, char **arguments)
{
	if (count > 1 && !strcmp(arguments[1], "--answer"))
		return 42;
	if (count > 1 && !strcmp(arguments[1], "--without-sockets"))
		return without_sockets();
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned slots = 0, which_of[WORKERS], bad = 0, before[WORKERS];
	int stuck[WORKERS] = { 0 };
	for (unsigned i = 0; i < sizeof workers / sizeof *workers; i++)
		for (int k = 1; k < count; k++)
			for (unsigned process = 0; !strcmp(arguments[k], workers[i].name) && process < workers[i].processes && slots < WORKERS; process++) {
				which_of[slots] = i;
				before[slots] = 0;
				if (fork() == 0)
					worker_run(i, slots);
				slots++;
			}
	for (int stopping = 0, seconds = 0; seconds < HANG_SECONDS;) {
		struct pollfd item = { .fd = 0, .events = POLLIN };
		char line[16];
		if (stopping)
			sleep(1), seconds++;
		else if (poll(&item, 1, 1000) == 1 && read(0, line, sizeof line) >= 0)
			stopping = shared->stop = 1;
		if (stopping)
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
		if (stopping && waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			break;
		for (unsigned i = 0; i < slots && !stopping; i++) {
			stuck[i] = shared->state[i].rounds == before[i] ? stuck[i] + 1 : 0;
			before[i] = shared->state[i].rounds;
			if (stuck[i] == HANG_SECONDS)
				dprintf(2, "%s hangs\n", workers[which_of[i]].name), bad++;
		}
		if (stopping && seconds == HANG_SECONDS - 1)
			dprintf(2, "a worker does not end\n"), bad++;
	}
	own = &shared->state[0];
	own_name = "counter";
	check_counter();
	for (unsigned i = 0; i < slots; i++) {
		struct state *state = &shared->state[i];
		dprintf(2, "%s: %u rounds, %u errors\n", workers[which_of[i]].name, state->rounds, state->errors);
		bad += state->wrong || !state->rounds;
	}
	dprintf(2, bad ? "bad\n" : "good\n");
	return bad != 0;
}
