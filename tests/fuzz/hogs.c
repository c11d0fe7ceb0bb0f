/*
 * Programs that take all they can get, one after another, beside a shell: each must end with errors or with its own death, while the shell goes on
 * answering, what it does itself (echo) and what it starts a program for. With counted instructions a nanosecond is an instruction, so the shell's answers have
 * a bound. Afterwards the kernel's pages, objects, handles, threads and processes are as before, but for what is said at each hog.
 * One line each: "ok NAME ..." or "FAIL NAME ...". `hogs [--full] [NAME]`: those whose names contain NAME; with --full each goes on for longer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_LIMIT 100000000l  /* instructions for an answer of the shell itself */
#define PROGRAM_LIMIT 400000000l /* for one that it starts a program for */
#define ROUNDS 40                /* answers to ask for beside one hog, 5 ms apart */
#define ROUNDS_FULL 400          /* with --full */
#define PROGRAM_EVERY 8          /* of which each eighth is a program's */
#define MEMORY_SLACK 8           /* pages that servers' heaps may keep, and the kernel's (two for each size) */
#define NAMES_SLACK 1024         /* the same after thousands of files, watches or sockets: libc gives memory back in large pieces only, the store of fs none */

static int to_shell, from_shell;

static long now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000l + time.tv_nsec;
}

static void shell_start(void)
{
	int in[2], out[2];
	if (pipe(in) || pipe(out))
		exit(2);
	pid_t shell = fork();
	if (shell == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		close(out[0]);
		execl("/bin/busybox", "sh", (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	to_shell = in[1];
	from_shell = out[0];
	fcntl(to_shell, F_SETFD, FD_CLOEXEC);
}

static void shell_stop(void)
{
	close(to_shell);
	close(from_shell);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* How long the shell takes to answer; -1: it does not. */
static long shell_ask(bool program)
{
	const char *line = program ? "/bin/busybox echo 2\n" : "echo $((1+1))\n";
	char answer[8] = "";
	long start = now();
	struct pollfd item = { .fd = from_shell, .events = POLLIN };
	if (write(to_shell, line, strlen(line)) < 0 || poll(&item, 1, 20000) != 1 || read(from_shell, answer, sizeof answer) != 2 || answer[0] != '2')
		return -1;
	return now() - start;
}

static void memory_hog(void)
{
	for (;;) {
		char *memory = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED)
			_exit(1);
		memset(memory, 1, 1 << 20);
	}
}

/* Page tables and regions rather than pages. */
static void mapping_hog(void)
{
	int file = open("/bin/busybox", O_RDONLY);
	volatile char sum = 0;
	for (unsigned long address = 0x10000000000ul; address < 0x300000000000ul; address += 1ul << 30) {
		char *memory = mmap((void *)address, 4096, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
		if (memory == MAP_FAILED)
			_exit(0);
		sum += *memory;
	}
	_exit(0);
}

static void descriptor_hog(void)
{
	int ends[2], opened = 0;
	while (pipe(ends) == 0)
		opened += 2;
	if (errno != EMFILE && errno != ENFILE && errno != ENOMEM)
		_exit(1);
	while (open("/bin/busybox", O_RDONLY) >= 0)
		opened++;
	_exit(opened > 200 ? 0 : 1);
}

/* A socket that lies in its own queue, many times. */
static void self_hog(void)
{
	for (int i = 0; i < 3000; i++) {
		int ends[2];
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
			_exit(errno == EMFILE || errno == ENOMEM || errno == ENFILE || errno == ENOBUFS ? 0 : 1);
		union { struct cmsghdr header; char room[CMSG_SPACE(2 * sizeof(int))]; } control = { .header = { CMSG_LEN(2 * sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
		memcpy(CMSG_DATA(&control.header), ends, sizeof ends);
		struct iovec byte = { "x", 1 };
		struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		for (int k = 0; k < 4; k++)
			if (sendmsg(ends[k & 1], &message, MSG_DONTWAIT) < 0)
				break;
		close(ends[0]);
		close(ends[1]);
	}
	_exit(0);
}

/* Processes that make processes. What cannot be made is tried again. */
static void fork_bomb(void)
{
	for (;;)
		fork();
}

/* The same, each the leader of a session of its own. */
static void session_bomb(void)
{
	for (;;)
		if (fork() == 0)
			setsid();
}

/* Children that have ended and that nobody waits for. */
static void zombie_hog(void)
{
	for (;;) {
		pid_t child = fork();
		if (child == 0)
			_exit(0);
		if (child < 0)
			pause();
	}
}

static void *spin(void *argument)
{
	for (;;)
		__asm__ volatile("" : : "r"(argument));
	return NULL;
}

static void thread_hog(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	while (pthread_create(&thread, &attributes, spin, NULL) == 0)
		;
	spin(NULL);
}

/* Timers of all kinds that expire all the time. */
static void timer_hog(void)
{
	struct itimerspec often = { { 0, 1 }, { 0, 1 } };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	timer_t timer;
	signal(SIGRTMIN, SIG_IGN);
	for (int file; (file = timerfd_create(CLOCK_MONOTONIC, 0)) >= 0;)
		timerfd_settime(file, 0, &often, NULL);
	while (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &often, NULL);
	spin(NULL);
}

/* Event sets that watch each other and everything else. */
static void epoll_hog(void)
{
	int pipe_ends[2], made = 0, last;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	if (pipe(pipe_ends))
		_exit(1);
	while ((last = epoll_create1(0)) >= 0) {
		for (int i = 3; i < last; i++)
			epoll_ctl(last, EPOLL_CTL_ADD, i, &event);
		made++;
	}
	while (write(pipe_ends[1], &made, 1) == 1 && read(pipe_ends[0], &made, 1) == 1)
		;
}

static void watch_hog(void)
{
	int watches = inotify_init1(0);
	char name[64];
	mkdir("/tmp/hog", 0755);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof name, "/tmp/hog/%d", i % 500);
		close(open(name, O_CREAT | O_RDWR, 0644));
		if (inotify_add_watch(watches, name, IN_ALL_EVENTS) < 0)
			break;
	}
	_exit(0);
}

static void lock_hog(void)
{
	int file = open("/tmp/hog-locks", O_CREAT | O_RDWR, 0644);
	for (long i = 0; i < 200000; i++) {
		struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2 * i, .l_len = 1 };
		if (fcntl(file, F_SETLK, &lock) < 0)
			break;
	}
	_exit(0);
}

/* Signals for itself that it does not take. */
static void signal_hog(void)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (;;)
		if (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ 0 }) < 0 && errno != EAGAIN)
			_exit(1);
}

/* Regions of memory, each of a page. */
static void region_hog(void)
{
	for (unsigned long i = 0; i < 1000000; i++)
		if (mmap((void *)(0x10000000000ul + i * 8192), 4096, i % 2 ? PROT_READ : PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			_exit(errno == ENOMEM ? 0 : 1);
	_exit(0);
}

/* Open files of many processes. */
static void many_files_hog(void)
{
	for (int i = 0; i < 4; i++)
		fork();
	while (open("/bin/busybox", O_RDONLY) >= 0)
		;
	for (;;)
		pause();
}

/* Has others write to both and never reads. */
static _Noreturn void never_read(int one, int other)
{
	static char bytes[65536];
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			for (;;)
				if (write(i % 2 ? one : other, bytes, sizeof bytes) < 0)
					_exit(0);
	for (;;)
		pause();
}

static void pipe_client(void)
{
	int ends[2];
	if (pipe(ends))
		_exit(1);
	never_read(ends[1], ends[1]);
}

/* From both sides. */
static void terminal_client(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		_exit(1);
	never_read(open(ptsname(master), O_RDWR | O_NOCTTY), master);
}

/* Connects and never accepts. */
static void connection_hog(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "\0hog" };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), one;
	if (bind(listener, (struct sockaddr *)&name, sizeof name) || listen(listener, 1 << 30))
		_exit(1);
	while ((one = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)) >= 0)
		if (connect(one, (struct sockaddr *)&name, sizeof name))
			break;
	for (;;)
		if (socket(AF_UNIX, SOCK_STREAM, 0) < 0)
			pause();
}

static void silent_client(void)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		_exit(1);
	never_read(ends[1], ends[1]);
}

/* -- files: the limit of tmpfs, of its names, of open files */

static void one_file_hog(void)
{
	static char bytes[65536];
	struct statvfs room;
	int file = open("/tmp/hog", O_CREAT | O_RDWR, 0644);
	ssize_t done;
	while ((done = write(file, bytes, sizeof bytes)) > 0)
		;
	/* what is left is less than one write: statfs says so */
	_exit(done < 0 && errno == ENOSPC && fstatvfs(file, &room) == 0 && room.f_bavail == 0 ? 0 : 1);
}

static void end_well(int signal)
{
	(void)signal;
	_exit(0);
}

/* A file much larger than memory, mapped and touched: the page that there is no room for is a SIGBUS. */
static void sparse_file_hog(void)
{
	int file = open("/tmp/hog", O_CREAT | O_RDWR, 0644);
	signal(SIGBUS, end_well);
	if (ftruncate(file, 1l << 40))
		_exit(1);
	char *memory = mmap(NULL, 1l << 40, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	for (long at = 0; memory != MAP_FAILED && at < 1l << 40; at += 4096)
		memory[at] = 1;
	_exit(1);
}

/* Until there is no room for more names. With full paths of up to 4000 bytes, or of a few. */
static void names_hog(int (*make)(const char *name), size_t length)
{
	char name[4096];
	mkdir("/tmp/hog", 0755);
	for (long i = 0; i < 1000000; i++) {
		int start = snprintf(name, sizeof name, "/tmp/hog/%ld", i);
		while ((size_t)start < length)
			name[start++] = 'n';
		name[start] = 0;
		if (make(name))
			_exit(errno == ENOSPC || errno == ENOMEM ? 0 : 1);
	}
	_exit(1);
}

static int file_make(const char *name)
{
	int file = open(name, O_CREAT | O_WRONLY | O_EXCL, 0644);
	bool good = file >= 0 && write(file, "x", 1) == 1;
	int error = errno;
	if (file >= 0)
		close(file);
	errno = error;
	return good ? 0 : -1;
}

static int directory_make(const char *name)
{
	return mkdir(name, 0755);
}

static int link_make(const char *name)
{
	char target[4000];
	memset(target, 't', sizeof target);
	target[sizeof target - 1] = 0;
	return symlink(target, name);
}

/* FIFOs, each full and with writers who wait. */
static int fifo_make(const char *name)
{
	static char bytes[65536];
	if (mkfifo(name, 0644))
		return -1;
	int file = open(name, O_RDWR | O_NONBLOCK);
	if (file < 0)
		return errno == EMFILE || errno == ENFILE ? (errno = ENOMEM, -1) : -1;
	return write(file, bytes, sizeof bytes) > 0 ? 0 : -1;
}

static void small_files_hog(void) { names_hog(file_make, 0); }
static void directories_hog(void) { names_hog(directory_make, 0); }
static void long_names_hog(void) { names_hog(file_make, 9 + 255); }
static void links_hog(void) { names_hog(link_make, 0); }

static void limit_raise(void)
{
	struct rlimit many = { 1000000, 1000000 };
	if (setrlimit(RLIMIT_NOFILE, &many))
		_exit(1);
}

static void fifo_hog(void)
{
	limit_raise();
	names_hog(fifo_make, 0);
}

static bool nothing_left(void)
{
	return errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS || errno == ENOSPC;
}

/* A million open files, then all that can be of everything else that is a descriptor. */
static void open_hog(void)
{
	limit_raise();
	while (open("/bin/busybox", O_RDONLY) >= 0)
		;
	_exit(nothing_left() ? 0 : 1);
}

static void proc_files_hog(void)
{
	limit_raise();
	while (open("/proc/self/maps", O_RDONLY) >= 0 && open("/proc/self/status", O_RDONLY) >= 0)
		;
	_exit(nothing_left() ? 0 : 1);
}

static void memory_files_hog(void)
{
	static char bytes[8192];
	limit_raise();
	for (int file; (file = memfd_create("hog", 0)) >= 0;)
		if (write(file, bytes, sizeof bytes) < 0)
			_exit(nothing_left() ? 0 : 1);
	_exit(nothing_left() ? 0 : 1);
}

static void full_pipes_hog(void)
{
	static char bytes[65536];
	int ends[2];
	limit_raise();
	while (pipe2(ends, O_NONBLOCK) == 0) {
		fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
		while (write(ends[1], bytes, sizeof bytes) > 0)
			;
	}
	_exit(nothing_left() ? 0 : 1);
}

static void terminals_hog(void)
{
	static char bytes[4096];
	limit_raise();
	for (int master; (master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) >= 0;) {
		if (grantpt(master) || unlockpt(master))
			break;
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_NONBLOCK);
		if (slave < 0)
			break;
		while (write(slave, bytes, sizeof bytes) > 0)
			;
	}
	_exit(nothing_left() ? 0 : 1);
}

/* Sockets that wait in sockets that wait in sockets ... */
static void flight_hog(void)
{
	int ends[2], last = -1;
	limit_raise();
	while (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) == 0) {
		union { struct cmsghdr header; char room[CMSG_SPACE(sizeof(int))]; } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
		struct iovec byte = { "x", 1 };
		struct msghdr message = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control };
		memcpy(CMSG_DATA(&control.header), &last, sizeof last);
		if (last >= 0 && sendmsg(ends[0], &message, 0) < 0)
			_exit(nothing_left() || errno == ETOOMANYREFS ? 0 : 1);
		close(last);
		close(ends[0]);
		last = ends[1];
	}
	_exit(nothing_left() ? 0 : 1);
}

static void datagram_hog(void)
{
	static char bytes[16384];
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	limit_raise();
	for (long i = 0;; i++) {
		int one = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		snprintf(name.sun_path + 1, sizeof name.sun_path - 1, "hog%ld", i);
		if (one < 0 || bind(one, (struct sockaddr *)&name, sizeof name))
			_exit(nothing_left() ? 0 : 1);
		while (sendto(one, bytes, sizeof bytes, 0, (struct sockaddr *)&name, sizeof name) > 0)
			;
	}
}

/* Event queues that nobody reads */
static void events_hog(void)
{
	mkdir("/tmp/hog", 0755);
	for (int watches; (watches = inotify_init1(IN_NONBLOCK)) >= 0;)
		if (inotify_add_watch(watches, "/tmp/hog", IN_ALL_EVENTS) < 0)
			break;
	for (int i = 0; i < 100000; i++) {
		char name[64];
		snprintf(name, sizeof name, "/tmp/hog/%d", i % 100);
		close(open(name, O_CREAT | O_RDWR, 0644));
		unlink(name);
	}
	_exit(0);
}

static void *wait_for_ever(void *word)
{
	for (;;)
		syscall(SYS_futex, word, FUTEX_WAIT, 0, NULL, NULL, 0);
	return NULL;
}

static void futex_hog(void)
{
	static int word;
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	while (pthread_create(&thread, &attributes, wait_for_ever, &word) == 0)
		;
	wait_for_ever(&word);
}

/* Processes with as much of a command line as can be */
static void command_line_hog(void)
{
	static char word[60000];
	memset(word, 'w', sizeof word - 1);
	for (;;) {
		pid_t child = fork();
		if (child == 0) {
			execl("/bin/busybox", "sh", "-c", "while sleep 1000; do :; done", word, (char *)NULL);
			_exit(1);
		}
		if (child < 0)
			pause();
	}
}

static void remove_files(void)
{
	pid_t child = fork();
	if (child == 0) {
		execl("/bin/busybox", "rm", "-rf", "/tmp/hog", "/tmp/hog-locks", (char *)NULL);
		_exit(127);
	}
	waitpid(child, NULL, 0);
}

struct hog {
	const char *name;
	void (*run)(void);
	long pages, objects; /* that may be left behind */
};

/* What the machine has in use; the shell of a round has gone. */
struct figures { long pages, objects, handles, threads, processes; };

static struct figures figures(void)
{
	struct figures now = { 0 };
	struct sysinfo info;
	char text[2048];
	sync(); /* servers' keepers are written anew, without what has gone */
	int file = open("/proc/carillon", O_RDONLY);
	ssize_t length = read(file, text, sizeof text - 1);
	close(file);
	text[length > 0 ? length : 0] = 0;
	static const struct { const char *name; size_t place; } lines[] = {
		{ "objects ", offsetof(struct figures, objects) }, { "\nhandles ", offsetof(struct figures, handles) },
		{ "\nthreads ", offsetof(struct figures, threads) }, { "\nprocesses ", offsetof(struct figures, processes) },
	};
	for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
		const char *line = strstr(text, lines[i].name);
		*(long *)((char *)&now + lines[i].place) = line ? strtol(line + strlen(lines[i].name), NULL, 10) : -1;
	}
	now.pages = sysinfo(&info) == 0 ? -(long)(info.freeram / 4096) : 0;
	return now;
}

/* The same once nothing changes any more: what ended before is closed by its servers a little later. */
static struct figures figures_settled(void)
{
	struct figures now = figures(), last;
	unsigned same = 0;
	while (same < 5) {
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
		last = now;
		now = figures();
		same = memcmp(&now, &last, sizeof now) ? 0 : same + 1;
	}
	return now;
}

/* What a hog took is given back, soon: all but what servers keep of memory for next time. */
static bool figures_are_back(const struct figures *before, long slack, long objects, struct figures *left)
{
	for (int i = 0; i < 400; i++) {
		struct figures now = figures();
		*left = (struct figures){ now.pages - before->pages, now.objects - before->objects, now.handles - before->handles, now.threads - before->threads,
			now.processes - before->processes };
		if (left->pages <= slack && left->objects <= objects && !left->handles && !left->threads && !left->processes)
			return true;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	return false;
}

static bool fail(const char *name, const char *why, long figure)
{
	printf("FAIL %s: %s (%ld)\n", name, why, figure);
	return false;
}

/* rounds: answers to ask for at most */
static bool hog_run(const struct hog *hog, int rounds_most, const struct figures *before)
{
	const char *name = hog->name;
	struct figures left;
	long worst[2] = { 0, 0 }, answers = 0;
	int status = 0;
	bool ended = false, good = true;
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		hog->run();
		_exit(0);
	}
	setpgid(child, child);
	for (int i = 0; i < rounds_most && !ended && good; i++) {
		bool program = i % PROGRAM_EVERY == PROGRAM_EVERY - 1;
		long answer = shell_ask(program);
		if (answer < 0 || answer > (program ? PROGRAM_LIMIT : ANSWER_LIMIT))
			good = fail(name, program ? "the program answers after so many ns" : "the shell answers after so many ns", answer);
		worst[program] = answer > worst[program] ? answer : worst[program];
		answers++;
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
		ended = waitpid(child, &status, WNOHANG) == child;
	}
	if (!ended && waitpid(child, &status, WNOHANG) == child)
		ended = true;
	if (ended && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		good = fail(name, "ended with status", status);
	if (good && (shell_ask(false) < 0 || shell_ask(true) < 0))
		good = fail(name, "the shell is gone", 0);
	/* all others, whatever group they are in; those that came into being meanwhile too. Orphans come to this program. */
	for (unsigned rounds = 0;; rounds++) {
		kill(-1, SIGKILL);
		pid_t one;
		while ((one = waitpid(-1, NULL, WNOHANG)) > 0)
			;
		if (one < 0)
			break;
		if (rounds == 2000)
			return fail(name, "processes do not end", rounds);
		nanosleep(&(struct timespec){ 0, 5000000 }, NULL);
	}
	shell_stop();
	remove_files();
	bool back = figures_are_back(before, hog->pages, hog->objects, &left);
	if (!back) {
		printf("FAIL %s: left behind: %ld pages, %ld objects, %ld handles, %ld threads, %ld processes\n", name, left.pages, left.objects, left.handles,
			left.threads, left.processes);
		good = false;
	}
	if (good)
		printf("ok %s: %s, the slowest of %ld answers took %ld us, a program's %ld us; kept: %ld pages, %ld objects\n", name,
			!ended ? "killed" : WIFSIGNALED(status) ? "died" : "ended with errors", answers, worst[0] / 1000, worst[1] / 1000, left.pages, left.objects);
	return good;
}

static const struct hog hogs[] = {
	{ "descriptors", descriptor_hog, MEMORY_SLACK, 0 }, { "open files of many processes", many_files_hog, NAMES_SLACK, 0 },
	{ "sockets in themselves", self_hog, MEMORY_SLACK, 0 }, { "a socket that nobody reads", silent_client, MEMORY_SLACK, 0 },
	{ "a pipe that nobody reads", pipe_client, MEMORY_SLACK, 0 }, { "a terminal that nobody reads", terminal_client, NAMES_SLACK, 0 },
	{ "connections that nobody accepts", connection_hog, NAMES_SLACK, 0 }, { "page tables", mapping_hog, MEMORY_SLACK, 0 },
	{ "regions", region_hog, MEMORY_SLACK, 0 }, { "memory", memory_hog, MEMORY_SLACK, 0 }, { "locks", lock_hog, NAMES_SLACK, 0 },
	{ "watches", watch_hog, NAMES_SLACK, 0 }, { "event sets", epoll_hog, MEMORY_SLACK, 0 }, { "timers", timer_hog, MEMORY_SLACK, 0 },
	{ "signals", signal_hog, NAMES_SLACK, 0 }, { "threads", thread_hog, MEMORY_SLACK, 0 }, { "zombies", zombie_hog, NAMES_SLACK, 0 },
	{ "fork bomb", fork_bomb, NAMES_SLACK, 0 }, { "session bomb", session_bomb, NAMES_SLACK, 0 },
	{ "one file", one_file_hog, MEMORY_SLACK, 0 }, { "a sparse file", sparse_file_hog, MEMORY_SLACK, 0 },
	{ "small files", small_files_hog, NAMES_SLACK, 0 }, { "directories", directories_hog, NAMES_SLACK, 0 },
	{ "long names", long_names_hog, NAMES_SLACK, 0 }, { "symbolic links", links_hog, NAMES_SLACK, 0 }, { "full FIFOs", fifo_hog, NAMES_SLACK, 0 },
	{ "a million open files", open_hog, NAMES_SLACK, 0 }, { "files of proc", proc_files_hog, MEMORY_SLACK, 0 },
	{ "memory files", memory_files_hog, MEMORY_SLACK, 0 }, { "full pipes", full_pipes_hog, MEMORY_SLACK, 0 },
	{ "terminals", terminals_hog, NAMES_SLACK, 0 }, { "sockets in flight", flight_hog, MEMORY_SLACK, 0 },
	{ "datagrams that nobody reads", datagram_hog, NAMES_SLACK, 0 }, { "events that nobody reads", events_hog, NAMES_SLACK, 0 },
	{ "futex waiters", futex_hog, MEMORY_SLACK, 0 }, { "command lines", command_line_hog, NAMES_SLACK, 0 },
};

int main(int count, char **arguments)
{
	bool good = true, full = count > 1 && !strcmp(arguments[1], "--full");
	const char *wanted = count > 1 + full ? arguments[1 + full] : NULL;
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	/* what servers make once */
	shell_start();
	int watches = inotify_init1(0), file = open("/tmp/hog", O_CREAT | O_RDWR, 0644);
	if (shell_ask(false) < 0 || shell_ask(true) < 0 || inotify_add_watch(watches, "/tmp/hog", IN_ALL_EVENTS) < 0)
		return 2;
	close(watches);
	close(file);
	unlink("/tmp/hog");
	shell_stop();
	for (unsigned i = 0; i < sizeof hogs / sizeof *hogs; i++) {
		if (wanted && !strstr(hogs[i].name, wanted))
			continue;
		struct figures before = figures_settled();
		shell_start();
		if (shell_ask(false) < 0) /* it has started */
			return 2;
		good &= hog_run(&hogs[i], full ? ROUNDS_FULL : ROUNDS, &before);
	}
	return !good;
}
