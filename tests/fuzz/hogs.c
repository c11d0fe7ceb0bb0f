/*
 * Programs that take all they can get, one after another, beside a shell: each must end with errors or with its own death, while the shell goes on
 * answering, what it does itself (echo) and what it starts a program for. With counted instructions a nanosecond is an instruction, so the shell's answers have
 * a bound. One line each: "ok NAME ..." or "FAIL NAME ..."; at the end memory must be as before. `hogs [NAME]`: those whose names contain NAME.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_LIMIT 100000000l  /* instructions for an answer of the shell itself */
#define PROGRAM_LIMIT 400000000l /* for one that it starts a program for */
#define ROUND_LIMIT 100          /* answers to ask for beside one hog, 5 ms apart */
#define PROGRAM_EVERY 8          /* of which each eighth is a program's */
#define MEMORY_SLACK 1024        /* pages that servers may keep for next time */

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

/* Has others write to it and never reads. */
static void pipe_client(void)
{
	int ends[2];
	static char bytes[65536];
	if (pipe(ends))
		_exit(1);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			for (;;)
				if (write(ends[1], bytes, sizeof bytes) < 0)
					_exit(0);
	for (;;)
		pause();
}

/* The same with a terminal, from both sides. */
static void terminal_client(void)
{
	static char bytes[65536];
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	if (master < 0 || grantpt(master) || unlockpt(master))
		_exit(1);
	int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	memset(bytes, 'x', sizeof bytes);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			for (;;)
				if (write(i % 2 ? slave : master, bytes, sizeof bytes) < 0)
					_exit(0);
	for (;;)
		pause();
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

/* Has others write to it and never reads. */
static void silent_client(void)
{
	int ends[2];
	static char bytes[65536];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends))
		_exit(1);
	for (int i = 0; i < 20; i++)
		if (fork() == 0)
			for (;;)
				if (write(ends[1], bytes, sizeof bytes) < 0)
					_exit(0);
	for (;;)
		pause();
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

static long memory_free(void)
{
	struct sysinfo info;
	return sysinfo(&info) == 0 ? (long)(info.freeram / 4096) : 0;
}

/* What a hog took is given back, soon. */
static bool memory_is_back(long before)
{
	for (int i = 0; i < 2000; i++) {
		if (memory_free() + MEMORY_SLACK >= before)
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

static bool hog_run(const char *name, void (*hog)(void), long before)
{
	long worst[2] = { 0, 0 }, answers = 0;
	int status = 0;
	bool ended = false, good = true;
	pid_t child = fork();
	if (child == 0) {
		setpgid(0, 0);
		hog();
		_exit(0);
	}
	setpgid(child, child);
	for (int i = 0; i < ROUND_LIMIT && !ended && good; i++) {
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
	if (!memory_is_back(before))
		good = fail(name, "pages are not given back", before - memory_free());
	if (good)
		printf("ok %s: %s, the slowest of %ld answers took %ld us, a program's %ld us\n", name,
			!ended ? "killed" : WIFSIGNALED(status) ? "died" : "ended with errors", answers, worst[0] / 1000, worst[1] / 1000);
	return good;
}

int main(int count, char **arguments)
{
	static const struct { const char *name; void (*hog)(void); } hogs[] = {
		{ "descriptors", descriptor_hog }, { "open files of many processes", many_files_hog }, { "sockets in themselves", self_hog },
		{ "a socket that nobody reads", silent_client }, { "a pipe that nobody reads", pipe_client }, { "a terminal that nobody reads", terminal_client },
		{ "connections that nobody accepts", connection_hog }, { "page tables", mapping_hog }, { "regions", region_hog }, { "memory", memory_hog },
		{ "locks", lock_hog }, { "watches", watch_hog }, { "event sets", epoll_hog }, { "timers", timer_hog }, { "signals", signal_hog },
		{ "threads", thread_hog }, { "zombies", zombie_hog }, { "fork bomb", fork_bomb }, { "session bomb", session_bomb },
	};
	bool good = true;
	setvbuf(stdout, NULL, _IONBF, 0);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	shell_start();
	if (shell_ask(false) < 0 || shell_ask(true) < 0) /* what servers make once */
		return 2;
	shell_stop();
	for (unsigned i = 0; i < sizeof hogs / sizeof *hogs; i++) {
		if (count > 1 && !strstr(hogs[i].name, arguments[1]))
			continue;
		long before = memory_free();
		shell_start();
		good &= hog_run(hogs[i].name, hogs[i].hog, before);
	}
	return !good;
}
