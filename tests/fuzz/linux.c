/*
 * Random Linux calls, as an ordinary static program: `linux SEED CALLS`. Round after round a child with several threads makes calls whose arguments fit the
 * trace table (linux/calls.tbl) more or less, while its parent sends it signals; then the parent kills what is left of it and
 * looks whether the kernel's counts are the very same as before: objects, handles, processes, threads, bytes, pages, and bytes of servers' heaps (which need those of
 * tests/fuzz/heap). Where one is not, the round is made again, up to REPEATS times. Ends with status 1 after a line "FAIL seed N ...".
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* of the trace only the kinds of arguments are needed, not the lines they are written to */
#define LINUX_TRACE_LINE_H
struct trace_line;
struct linux_thread;
struct linux_siginfo;
#define LINUX_LINUX_H /* nor what stands behind the calls, only their numbers */
#include "linux/calls.h"
#include "linux/trace/argument.h"
#include "counts.h"
#include "port.h"
static const struct trace_call calls[] = {
#include "trace/linux_calls.h"
};
#define CALLS (sizeof calls / sizeof *calls)

#define THREADS 3
#define ROUND_CALLS 6000
#define SCRATCH_SIZE 0x100000ul
#define WARM_ROUNDS 4
#define REPEATS 3 /* what tables have grown to is kept; the same calls do not do that again, but a leak they make again */
#define PATIENCE 500 /* looks at the figures, two milliseconds apart, until what ends later has ended */

struct shared { volatile uint64_t calls; volatile uint32_t last[THREADS]; };
static struct shared *shared;
static char *scratch;
static int null_file;
static uint64_t seed;

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

static uint64_t value_any(uint64_t *r)
{
	switch (below(r, 10)) {
	case 0: return 0;
	case 1: return below(r, 64);
	case 2: return below(r, 64) * 4096;
	case 3: return 1ull << below(r, 64);
	case 4: return (1ull << below(r, 64)) - 1;
	case 5: return -below(r, 20);
	case 6: return INT64_MAX - below(r, 3);
	case 7: return random_next(r);
	case 8: return INT32_MAX - 2 + below(r, 5);
	default: return below(r, 4096);
	}
}

static uint64_t value_address(uint64_t *r)
{
	static const uint64_t wild[] = { 0, 1, 4095, 0xffff, 0x400000000000ul, 0x7fff80000000ul, 0x7ffffffff000ul, 0x800000000000ul, 0xffff800000000000ul, -8ul };
	uint64_t page = (uint64_t)scratch + below(r, SCRATCH_SIZE / 4096) * 4096;
	switch (below(r, 10)) {
	case 0: return wild[below(r, sizeof wild / sizeof *wild)];
	case 1: return page + 4096 - below(r, 64);
	case 2: return page + below(r, 4096);
	default: return page;
	}
}

/* A place in the memory filled with small numbers, as most structures hold. */
static uint64_t value_structure(uint64_t *r)
{
	uint64_t address = value_address(r);
	if (address < (uint64_t)scratch || address > (uint64_t)scratch + SCRATCH_SIZE - 256)
		return address;
	/* by a call, since the memory may be gone */
	uint64_t words[16];
	for (unsigned i = 0; i < 16; i++)
		words[i] = below(r, 3) == 0 ? value_any(r) : below(r, 3) == 0 ? value_address(r) : below(r, 2) ? below(r, 16) : below(r, 16) | below(r, 16) << 32;
	static __thread int pipe_ends[2] = { -1, -1 };
	if (pipe_ends[0] < 0 && pipe2(pipe_ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return address;
	if (write(pipe_ends[1], words, sizeof words) != sizeof words || read(pipe_ends[0], (void *)address, sizeof words) < 0)
		pipe_ends[0] = -1; /* closed by a random call */
	return address;
}

static uint64_t value_path(uint64_t *r)
{
	static char long_name[5000];
	static const char *const paths[] = { "a", "b", "c", "d", "d/a", "d/b", "d/d", ".", "", "a/b", "./d/../a", "link", "/proc/self/status", "/proc/self/maps",
		"/proc/self/fd/3", "/dev/null", "/dev/zero", "/proc/1/stat", "nowhere/a", "fifo" };
	if (!long_name[0])
		memset(long_name, 'n', sizeof long_name - 1);
	if (below(r, 30) == 0)
		return (uint64_t)long_name + below(r, sizeof long_name);
	return below(r, 16) == 0 ? value_address(r) : (uint64_t)paths[below(r, sizeof paths / sizeof *paths)];
}

static uint64_t argument_make(uint64_t *r, unsigned kind)
{
	switch (TRACE_FORMAT(kind)) {
	case FORMAT_NONE: return value_any(r);
	case FORMAT_FD: return below(r, 16) ? below(r, 24) : value_any(r);
	case FORMAT_DIRFD: return below(r, 3) ? (uint64_t)AT_FDCWD : below(r, 24);
	case FORMAT_PTR: return value_address(r);
	case FORMAT_SIZE: return below(r, 6) ? below(r, 3) ? below(r, 64) : below(r, 32) * 4096 : value_any(r);
	case FORMAT_PID: {
		/* itself, its group, its own children; never the parent */
		int own = (int)getpid();
		int pids[] = { 0, own, own + 1, own + 2, own + 5, -own, 30000, INT32_MAX };
		return (uint64_t)(int64_t)pids[below(r, 8)];
	}
	case FORMAT_SIGNAL: return below(r, 8) ? (uint64_t[]){ 0, SIGUSR1, SIGUSR2, SIGCHLD, SIGWINCH, SIGCONT, SIGURG, 34, 40, 64 }[below(r, 10)] : value_any(r) & 127;
	case FORMAT_PATH: case FORMAT_STR: return value_path(r);
	case FORMAT_OFF: return below(r, 4) ? below(r, 64) * 512 : value_any(r);
	case FORMAT_MODE: return below(r, 4) ? 0755 : value_any(r);
	case FORMAT_INT: case FORMAT_UINT: case FORMAT_HEX: return below(r, 4) ? below(r, 16) : value_any(r);
	default:
		if (kind & TRACE_INOUT)
			return value_structure(r);
		return below(r, 5) == 0 ? value_any(r) : below(r, 3) == 0 ? 1ull << below(r, 20) : below(r, 16);
	}
}

/* Calls that would end the round at once or wait for ever, or reach beyond the child, come rarely (or, 0, never). */
static unsigned rarity(unsigned call)
{
	switch (call) {
	case LINUX_CALL_EXIT: case LINUX_CALL_EXIT_GROUP: case LINUX_CALL_RT_SIGRETURN: case LINUX_CALL_EXECVE: case LINUX_CALL_EXECVEAT:
	case LINUX_CALL_SETRLIMIT: case LINUX_CALL_PRLIMIT64: case LINUX_CALL_CLOSE_RANGE: case LINUX_CALL_ARCH_PRCTL: case LINUX_CALL_PRCTL:
		return 100;
	case LINUX_CALL_PAUSE: case LINUX_CALL_RT_SIGSUSPEND: case LINUX_CALL_RESTART_SYSCALL: case LINUX_CALL_WAIT4: case LINUX_CALL_WAITID: case LINUX_CALL_FUTEX:
	case LINUX_CALL_RT_SIGTIMEDWAIT: case LINUX_CALL_NANOSLEEP: case LINUX_CALL_CLOCK_NANOSLEEP:
	case LINUX_CALL_CLONE: case LINUX_CALL_FORK: case LINUX_CALL_VFORK: case LINUX_CALL_CLONE3:
	case LINUX_CALL_RT_SIGACTION: case LINUX_CALL_RT_SIGPROCMASK: case LINUX_CALL_SIGALTSTACK: case LINUX_CALL_MUNMAP: case LINUX_CALL_BRK:
	case LINUX_CALL_CLOSE: case LINUX_CALL_KILL: case LINUX_CALL_TKILL: case LINUX_CALL_TGKILL: case LINUX_CALL_RT_SIGQUEUEINFO: case LINUX_CALL_RT_TGSIGQUEUEINFO:
	case LINUX_CALL_CHROOT: case LINUX_CALL_CHDIR: case LINUX_CALL_FCHDIR:
		return 8;
	case LINUX_CALL_REBOOT: case LINUX_CALL_MOUNT: case LINUX_CALL_UMOUNT2: case LINUX_CALL_SETSID: case LINUX_CALL_SETPGID:
		return 0;
	}
	return 1;
}

static void *caller(void *argument)
{
	uint64_t number = (uint64_t)argument, state = seed * THREADS + number, *r = &state;
	for (;;) {
		unsigned call, kind;
		do
			call = (unsigned)below(r, CALLS + 1);
		while (call < CALLS && rarity(call) != 1 && (!rarity(call) || below(r, rarity(call))));
		uint64_t a[6];
		for (unsigned i = 0; i < 6; i++) {
			kind = call < CALLS ? calls[call].kind[i] : 0;
			a[i] = argument_make(r, kind);
		}
		/* the program's own memory is spared: mappings only in the scratch memory and above it */
		if (call == LINUX_CALL_MMAP && a[3] & 0x10 && (a[0] < (uint64_t)scratch || a[0] + a[1] > (uint64_t)scratch + SCRATCH_SIZE || a[1] > SCRATCH_SIZE))
			a[3] &= ~0x10ull;
		if ((call == LINUX_CALL_MPROTECT || call == LINUX_CALL_MUNMAP || call == LINUX_CALL_MREMAP || call == LINUX_CALL_MADVISE) && a[1] > (uint64_t)scratch + SCRATCH_SIZE - a[0])
			a[1] = 4096;
		if (call == LINUX_CALL_CLONE) /* no child that shares memory and runs on: it would end in the same stack, as vfork's does */
			a[0] &= ~0xfffffff0ffull, a[1] = 0;
		if (call == LINUX_CALL_POLL || call == LINUX_CALL_EPOLL_WAIT || call == LINUX_CALL_EPOLL_PWAIT) /* short waits */
			a[2 + (call != LINUX_CALL_POLL)] = below(r, 3);
		shared->last[number] = call;
		raw_call(call, a);
		__atomic_add_fetch(&shared->calls, 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static void handler(int signal)
{
	(void)signal;
}

static _Noreturn void child_run(const char *folder)
{
	if (chdir(folder))
		_exit(1);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* by the descriptor that the parent has, since a child before may have removed the name: its bytes would come to the parent's output */
	for (int i = 0; i < 3; i++)
		if (dup2(null_file, i) < 0)
			_exit(1);
	close(null_file);
	struct sigaction action = { .sa_handler = handler };
	int caught[] = { SIGUSR1, SIGUSR2, SIGALRM, SIGPIPE, SIGURG, SIGXFSZ, SIGIO, SIGVTALRM, SIGPROF, 34, 40, 64 };
	for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++)
		sigaction(caught[i], &action, NULL);
	mkdir("d", 0777);
	mkfifo("fifo", 0666);
	if (symlink("a", "link") < 0 && errno != EEXIST)
		_exit(1);
	scratch = mmap(NULL, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (uint64_t i = 1; i < THREADS; i++) {
		pthread_t thread;
		if (pthread_create(&thread, NULL, caller, (void *)i))
			_exit(1);
	}
	caller(NULL);
	_exit(0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	(void)status, (void)kind, (void)walk;
	return remove(path);
}

/* What the kernel counts, and the file server's nodes */
struct figures { struct counts counts; unsigned long nodes; };

static struct figures figures(void)
{
	struct figures f = { 0 };
	struct statfs files;
	if (statfs("/tmp", &files) == 0)
		f.nodes = files.f_files - files.f_ffree;
	f.counts = counts_now();
	return f;
}

static void figures_tell(const struct figures *before, const struct figures *now)
{
	char text[256];
	counts_tell(text, sizeof text, &before->counts, &now->counts);
	printf("%s, %ld files\n", text, (long)(now->nodes - before->nodes));
}

static void nap(long nanoseconds)
{
	nanosleep(&(struct timespec){ 0, nanoseconds }, NULL);
}

/* Has a round left all as it was, once what ends later has ended? *now: as it is. */
static bool figures_same(const struct figures *before, struct figures *now)
{
	for (unsigned tries = 0; tries < PATIENCE; tries++, nap(2000000)) {
		*now = figures();
		if (!memcmp(now, before, sizeof *now))
			return true;
	}
	return false;
}

static const char *const devices[][2] = { { "/dev/null", "/tmp/null" }, { "/dev/zero", "/tmp/zero" } }; /* with another name for each */

/* All paths as they were before the first round. */
static struct { char **path; size_t count; bool done; } known;

static int path_compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Until known.done notes the path; then removes what is not known: a link led a child there. */
static int known_walk(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
	if (known.done)
		return bsearch(&path, known.path, known.count, sizeof *known.path, path_compare) ? 0 : remove_one(path, status, kind, walk);
	known.path = realloc(known.path, (known.count + 1) * sizeof *known.path);
	known.path[known.count++] = strdup(path);
	return 0;
}

static void known_make(void)
{
	nftw("/", known_walk, 8, FTW_PHYS | FTW_MOUNT);
	qsort(known.path, known.count, sizeof *known.path, path_compare);
	known.done = true;
}

/* A child may have removed them, or made files in their place. */
static void devices_restore(void)
{
	struct stat status;
	for (unsigned i = 0; i < 2; i++) {
		if (lstat(devices[i][0], &status) == 0 && S_ISCHR(status.st_mode))
			continue;
		nftw(devices[i][0], remove_one, 8, FTW_DEPTH | FTW_PHYS);
		if (link(devices[i][1], devices[i][0])) {
			printf("FAIL seed %lu: %s cannot be made again (errno %d)\n", seed, devices[i][0], errno);
			exit(1);
		}
	}
}

static uint64_t round_run(void)
{
	static const char folder[] = "/tmp/fuzz";
	uint64_t state = seed, last = 0;
	shared->calls = 0;
	mkdir(folder, 0777);
	null_file = open("/dev/null", O_RDWR | O_CLOEXEC); /* one for each round: locks on it are kept as long as it is open */
	pid_t child = fork();
	if (child < 0) {
		printf("FAIL seed %lu: fork: error %d\n", seed, errno);
		exit(1);
	}
	if (child == 0)
		child_run(folder);
	int status, ended = 0;
	for (unsigned idle = 0; shared->calls < ROUND_CALLS && idle < 40; idle = shared->calls == last ? idle + 1 : 0) {
		last = shared->calls;
		nap(1000000);
		if (below(&state, 3) == 0)
			kill(child, (int[]){ SIGUSR1, SIGALRM, SIGSTOP, SIGCONT, 40 }[below(&state, 5)]);
		kill(child, SIGCONT);
		ended = waitpid(child, &status, WNOHANG) == child;
		if (ended)
			break;
	}
	/* what it started may have left its group: all of them are this program's descendants, adopted when orphaned */
	kill(-child, SIGKILL);
	if (!ended)
		kill(child, SIGKILL);
	for (unsigned tries = 0; tries < 2000; tries++) {
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid < 0)
			break;
		if (pid == 0)
			nap(1000000);
		if (tries == 1999) {
			printf("FAIL seed %lu: child %d does not end (calls %u %u %u)\n", seed, child, shared->last[0], shared->last[1], shared->last[2]);
			exit(1);
		}
	}
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	close(null_file);
	nftw("/", known_walk, 8, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	devices_restore();
	return shared->calls < 2 * ROUND_CALLS ? shared->calls : ROUND_CALLS; /* a random call may have written there */
}

int main(int count, char **arguments)
{
	uint64_t wanted = count > 2 ? strtoull(arguments[2], NULL, 10) : 20000, made = 0, rounds = 0, repeats = 0;
	seed = count > 1 ? strtoull(arguments[1], NULL, 10) : 1;
	setvbuf(stdout, NULL, _IONBF, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (unsigned i = 0; i < 2; i++)
		if (link(devices[i][0], devices[i][1]))
			return 2;
	known_make();
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct figures first = { 0 }, before, now;
	for (; made < wanted; seed++, rounds++) {
		made += round_run();
		if (rounds < WARM_ROUNDS) {
			first = before = figures();
			continue;
		}
		for (unsigned again = 0; !figures_same(&before, &now); again++, repeats++) {
			if (again == REPEATS) {
				printf("FAIL seed %lu: left behind: ", seed);
				figures_tell(&before, &now);
				return 1;
			}
			before = now;
			made += round_run();
		}
	}
	printf("ok, %lu calls in %lu rounds, %lu of them again, last seed %lu; tables have grown by ", made, rounds, repeats, seed - 1);
	figures_tell(&first, &before);
	return 0;
}
