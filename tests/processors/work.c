/*
 * Work for several processors: `work NAME|all [SECONDS]` does one kind of it, or each in a process of its own, and prints whether all was as it must be,
 * which does not depend on how many processors there are or who was faster.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define CHECK(condition) ((condition) ? (void)0 : (printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno), fflush(stdout), _exit(1)))

static double seconds = 1;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec / 1e9;
}

static void threads_run(void *(*function)(void *), unsigned count)
{
	pthread_t thread[64];
	for (uintptr_t i = 0; i < count; i++)
		CHECK(!pthread_create(&thread[i], NULL, function, (void *)i));
	for (unsigned i = 0; i < count; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

/* -- counting with atomic operations, a mutex, and a condition that goes round */

static atomic_ulong counted;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned long guarded, turn;

static void *count(void *argument)
{
	for (unsigned i = 0; i < 20000; i++) {
		atomic_fetch_add(&counted, 1);
		pthread_mutex_lock(&mutex);
		guarded++;
		pthread_mutex_unlock(&mutex);
	}
	for (unsigned i = 0; i < 100; i++) {
		pthread_mutex_lock(&mutex);
		while (turn % THREADS != (uintptr_t)argument)
			pthread_cond_wait(&changed, &mutex);
		turn++;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

static void do_count(void)
{
	threads_run(count, THREADS);
	CHECK(atomic_load(&counted) == 20000ul * THREADS && guarded == 20000ul * THREADS && turn == 100ul * THREADS);
}

/* -- two threads run at the same time: each sees the other move without any call */

static atomic_uint place[2];

static void *see(void *argument)
{
	uintptr_t me = (uintptr_t)argument;
	unsigned rounds = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 200000 : 20; /* a slice each where one processor runs */
	for (unsigned i = 1; i <= rounds; i++) {
		atomic_store(&place[me], i);
		while (atomic_load(&place[!me]) < i - 1)
			;
	}
	return NULL;
}

static void do_see(void)
{
	threads_run(see, 2);
}

/* -- memory that is taken away, protected and given anew while others read it */

#define PAGES 16
#define PAGE 4096ul
static uint8_t *window;
static atomic_bool stop;
static atomic_ulong faults;
static _Thread_local sigjmp_buf *escape;

static void on_fault(int signal)
{
	(void)signal;
	atomic_fetch_add(&faults, 1);
	siglongjmp(*escape, 1);
}

/* In a page all words are the same; a page that was taken away and is given anew reads as zero. Whatever is read was written to this page last. */
static atomic_ulong generation[PAGES];

static void *read_window(void *argument)
{
	sigjmp_buf buffer;
	unsigned seed = (unsigned)(uintptr_t)argument;
	escape = &buffer;
	while (!atomic_load(&stop)) {
		unsigned page = rand_r(&seed) % PAGES;
		unsigned long before = atomic_load(&generation[page]);
		if (sigsetjmp(buffer, 1))
			continue;
		unsigned long value = *(volatile unsigned long *)(window + page * PAGE + 8 * (rand_r(&seed) % 512));
		unsigned long after = atomic_load(&generation[page]);
		/* a value of a generation before `before` was in a page that had been taken away */
		if (!(before & 1) && before == after && value != 0 && value != before) {
			printf("page %u: read %lu in generation %lu\n", page, value, before);
			fflush(stdout);
			_exit(1);
		}
	}
	return NULL;
}

static void *change_window(void *argument)
{
	(void)argument;
	unsigned seed = 7;
	double end = now() + seconds;
	while (now() < end) {
		for (unsigned i = 0; i < 50; i++) {
			unsigned page = rand_r(&seed) % PAGES, what = rand_r(&seed) % 4;
			uint8_t *at = window + page * PAGE;
			atomic_fetch_add(&generation[page], 1); /* odd: it changes */
			if (what == 0) {
				CHECK(!munmap(at, PAGE));
				CHECK(mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
			} else if (what == 1) {
				CHECK(!madvise(at, PAGE, MADV_DONTNEED));
			} else if (what == 2) {
				CHECK(!mprotect(at, PAGE, PROT_NONE));
				CHECK(!mprotect(at, PAGE, PROT_READ | PROT_WRITE));
				CHECK(!madvise(at, PAGE, MADV_DONTNEED));
			} else {
				CHECK(mmap(at, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
			}
			unsigned long value = atomic_load(&generation[page]) + 1;
			for (unsigned word = 0; word < 512; word++)
				((volatile unsigned long *)at)[word] = value;
			atomic_store(&generation[page], value);
		}
	}
	atomic_store(&stop, true);
	return NULL;
}

static void *window_thread(void *argument)
{
	return argument ? read_window(argument) : change_window(argument);
}

static void do_window(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	sigaction(SIGSEGV, &action, NULL);
	window = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(window != MAP_FAILED);
	threads_run(window_thread, 4);
}

/* -- after mprotect no thread writes any more, wherever it runs */

static atomic_ulong *written;

static void *write_page(void *argument)
{
	sigjmp_buf buffer;
	(void)argument;
	escape = &buffer;
	while (!atomic_load(&stop)) {
		if (sigsetjmp(buffer, 1)) {
			sched_yield();
			continue;
		}
		for (unsigned i = 0; i < 1000; i++)
			atomic_fetch_add(written, 1);
	}
	return NULL;
}

static void *protect_page(void *argument)
{
	(void)argument;
	double end = now() + seconds;
	while (now() < end) {
		CHECK(!mprotect(written, PAGE, PROT_READ));
		unsigned long value = atomic_load(written);
		for (unsigned i = 0; i < 2000; i++)
			CHECK(atomic_load(written) == value);
		CHECK(!mprotect(written, PAGE, PROT_READ | PROT_WRITE));
		for (unsigned i = 0; i < 2000; i++)
			(void)atomic_load(written);
	}
	atomic_store(&stop, true);
	return NULL;
}

static void *protect_thread(void *argument)
{
	return argument ? write_page(argument) : protect_page(argument);
}

static void do_protect(void)
{
	struct sigaction action = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	sigaction(SIGSEGV, &action, NULL);
	written = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(written != MAP_FAILED);
	threads_run(protect_thread, 4);
	CHECK(atomic_load(written) > 0);
}

/* -- forks while other threads write: the child's memory stays as it was */

static volatile unsigned long *shared_words;

static void *scribble(void *argument)
{
	(void)argument;
	for (unsigned long i = 1; !atomic_load(&stop); i++)
		for (unsigned k = 0; k < 64; k++)
			shared_words[k * 512] = i;
	return NULL;
}

static void *fork_often(void *argument)
{
	(void)argument;
	double end = now() + seconds;
	unsigned forks = 0;
	while (now() < end || forks < 10) {
		pid_t child = fork();
		CHECK(child >= 0);
		if (!child) {
			unsigned long sum[2] = { 0 };
			for (unsigned pass = 0; pass < 2; pass++) {
				for (unsigned k = 0; k < 64; k++)
					sum[pass] += shared_words[k * 512] * (k + 1);
				sched_yield();
			}
			_exit(sum[0] == sum[1] ? 42 : 1);
		}
		int status;
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42);
		forks++;
	}
	atomic_store(&stop, true);
	return NULL;
}

static void *fork_thread(void *argument)
{
	return argument ? scribble(argument) : fork_often(argument);
}

static void do_fork(void)
{
	shared_words = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(shared_words != MAP_FAILED);
	threads_run(fork_thread, 3);
}

/* -- bytes through pipes between processes, in a ring and all at once */

#define RING 6
#define ROUNDS 300

static void do_pipes(void)
{
	int ends[RING][2];
	for (unsigned i = 0; i < RING; i++)
		CHECK(!pipe(ends[i]));
	for (unsigned i = 1; i < RING; i++) {
		if (fork())
			continue;
		for (unsigned round = 0; round < ROUNDS * 2; round++) {
			unsigned value;
			CHECK(read(ends[i - 1][0], &value, sizeof value) == sizeof value);
			value++;
			CHECK(write(ends[i][1], &value, sizeof value) == sizeof value);
		}
		_exit(0);
	}
	unsigned value = 0;
	for (unsigned round = 0; round < ROUNDS; round++) { /* two tokens are under way */
		unsigned two[2] = { value, value };
		CHECK(write(ends[0][1], two, sizeof two) == sizeof two);
		for (unsigned i = 0; i < 2; i++)
			CHECK(read(ends[RING - 1][0], &value, sizeof value) == sizeof value);
		CHECK(value == (round + 1) * (RING - 1));
	}
	for (unsigned i = 1; i < RING; i++) {
		int status;
		CHECK(wait(&status) > 0 && status == 0);
	}
	/* a megabyte through each of four pipes, at once */
	for (unsigned k = 0; k < 4; k++) {
		if (fork())
			continue;
		int flow[2];
		static uint32_t piece[4096];
		CHECK(!pipe(flow));
		if (!fork()) {
			for (uint32_t i = 0; i < 64; i++) {
				for (unsigned w = 0; w < 4096; w++)
					piece[w] = i * 4096 + w;
				CHECK(write(flow[1], piece, sizeof piece) == sizeof piece);
			}
			_exit(0);
		}
		close(flow[1]);
		uint32_t expected = 0, word;
		size_t have = 0;
		ssize_t got;
		while ((got = read(flow[0], (char *)piece + have, sizeof piece - have)) > 0) {
			have += (size_t)got;
			size_t words = have / 4;
			for (size_t w = 0; w < words; w++) {
				memcpy(&word, (char *)piece + w * 4, 4);
				CHECK(word == expected++);
			}
			memmove(piece, (char *)piece + words * 4, have -= words * 4);
		}
		int status;
		CHECK(expected == 64 * 4096 && wait(&status) > 0 && status == 0);
		_exit(0);
	}
	for (unsigned k = 0; k < 4; k++) {
		int status;
		CHECK(wait(&status) > 0 && status == 0);
	}
}

/* -- many short lives: processes that start, call servers and end or are killed */

static void do_lives(void)
{
	double end = now() + seconds;
	unsigned lives = 0;
	while (now() < end || lives < 20) {
		pid_t children[8];
		for (unsigned i = 0; i < 8; i++) {
			children[i] = fork();
			CHECK(children[i] >= 0);
			if (children[i])
				continue;
			char name[64];
			snprintf(name, sizeof name, "/tmp/life-%u-%u", lives, i);
			FILE *file = fopen(name, "w+");
			CHECK(file && fprintf(file, "%u\n", i) > 0 && !fflush(file));
			CHECK(!fclose(file) && !unlink(name));
			if (i % 4 == 1)
				for (;;)
					(void)!access("/tmp", F_OK);
			if (i % 4 == 2)
				for (;;)
					pause();
			if (i % 4 == 3)
				for (volatile unsigned long k = 0;; k++)
					;
			_exit((int)i);
		}
		usleep(2000);
		for (unsigned i = 0; i < 8; i++) {
			int status;
			if (i % 4)
				CHECK(!kill(children[i], SIGKILL));
			CHECK(waitpid(children[i], &status, 0) == children[i]);
			CHECK(i % 4 ? WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL : WIFEXITED(status) && WEXITSTATUS(status) == (int)i);
		}
		lives += 8;
	}
}

/* -- signals to threads that compute, sleep and wait for locks; timers that end their sleeps at the same moment */

static atomic_ulong signals;

static void on_signal(int signal)
{
	(void)signal;
	atomic_fetch_add(&signals, 1);
}

static void *be_disturbed(void *argument)
{
	uintptr_t me = (uintptr_t)argument;
	while (!atomic_load(&stop)) {
		struct timespec time = { 0, 100000 };
		if (me % 3 == 0)
			nanosleep(&time, NULL);
		else if (me % 3 == 1)
			for (volatile unsigned i = 0; i < 20000; i++)
				;
		else {
			clock_gettime(CLOCK_REALTIME, &time);
			time.tv_nsec = (time.tv_nsec + 100000) % 1000000000;
			pthread_mutex_lock(&mutex);
			pthread_cond_timedwait(&changed, &mutex, &time);
			pthread_mutex_unlock(&mutex);
		}
	}
	return NULL;
}

static void do_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t thread[6];
	sigaction(SIGUSR1, &action, NULL);
	for (uintptr_t i = 0; i < 6; i++)
		CHECK(!pthread_create(&thread[i], NULL, be_disturbed, (void *)i));
	double end = now() + seconds;
	while (now() < end)
		for (unsigned i = 0; i < 6; i++)
			CHECK(!pthread_kill(thread[i], SIGUSR1));
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 6; i++)
		CHECK(!pthread_join(thread[i], NULL));
	CHECK(atomic_load(&signals) > 0);
}

/* -- floating-point state follows a thread from processor to processor */

static void *compute(void *argument)
{
	double x = (double)(uintptr_t)argument + 1, sum = 0;
	double end = now() + seconds;
	unsigned rounds = 0;
	while (now() < end || rounds < 10) {
		double expected = 0, value = 0;
		for (unsigned i = 0; i < 2000; i++)
			expected += x / (i + 1);
		for (unsigned i = 0; i < 2000; i++) {
			value += x / (i + 1);
			if (i % 500 == 0)
				sched_yield();
		}
		CHECK(expected == value);
		sum += value;
		rounds++;
	}
	return sum > 0 ? NULL : argument;
}

static void do_float(void)
{
	threads_run(compute, 6);
}

/* -- threads that come and go */

static void *nothing(void *argument)
{
	atomic_fetch_add(&counted, 1);
	return argument;
}

static void *make_threads(void *argument)
{
	for (unsigned i = 0; i < 100; i++) {
		pthread_t thread;
		CHECK(!pthread_create(&thread, NULL, nothing, argument));
		CHECK(!pthread_join(thread, NULL));
	}
	return NULL;
}

static void do_threads(void)
{
	threads_run(make_threads, 4);
	CHECK(atomic_load(&counted) == 400);
}

/* -- how many processors there are, and that a thread runs on one of them */

static void do_number(void)
{
	cpu_set_t set;
	CHECK(!sched_getaffinity(0, sizeof set, &set));
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) == CPU_COUNT(&set));
	int here = sched_getcpu();
	CHECK(here >= 0 && CPU_ISSET(here, &set));
	printf("processors %d\n", CPU_COUNT(&set));
	fflush(stdout);
}

/* -- a thread runs where it was told to, at once, whatever else runs there */

static void *move_about(void *argument)
{
	unsigned seed = (unsigned)(uintptr_t)argument, processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	double end = now() + seconds;
	for (unsigned rounds = 0; now() < end || rounds < 20; rounds++) {
		unsigned here = rand_r(&seed) % processors;
		cpu_set_t set, told;
		CPU_ZERO(&set);
		CPU_SET(here, &set);
		CHECK(!pthread_setaffinity_np(pthread_self(), sizeof set, &set));
		for (unsigned i = 0; i < 20; i++) {
			CHECK(sched_getcpu() == (int)here);
			if (i % 7 == 0)
				sched_yield();
			if (i % 9 == 0)
				usleep(50);
		}
		CHECK(!pthread_getaffinity_np(pthread_self(), sizeof told, &told) && CPU_EQUAL(&set, &told));
	}
	return NULL;
}

static void do_affinity(void)
{
	threads_run(move_about, 5);
}

/* -- a process runs where another tells it to, soon, and only there */

static void do_affinity_others(void)
{
	volatile int *where = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(where != MAP_FAILED);
	*where = -1;
	pid_t child = fork();
	if (!child)
		for (;;)
			*where = sched_getcpu();
	int processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set, told;
	for (int round = 0; round < 3 * processors; round++) {
		int number = round % processors;
		CPU_ZERO(&set);
		CPU_SET(number, &set);
		CHECK(!sched_setaffinity(child, sizeof set, &set));
		CHECK(!sched_getaffinity(child, sizeof told, &told) && CPU_EQUAL(&set, &told));
		double late = now() + 20;
		for (*where = -1; *where != number; usleep(100))
			CHECK(now() < late);
		for (int i = 0; i < 20; i++) {
			*where = -1;
			usleep(500);
			CHECK(*where == -1 || *where == number);
		}
	}
	CPU_ZERO(&set);
	CPU_SET(processors, &set);
	CHECK(sched_setaffinity(child, sizeof set, &set) == -1 && errno == EINVAL);
	CHECK(!kill(child, SIGKILL) && waitpid(child, NULL, 0) == child);
	CHECK(sched_setaffinity(child, sizeof told, &told) == -1 && errno == ESRCH);
}

int main(int count_, char **argument)
{
	static const struct { const char *name; void (*work)(void); } works[] = {
		{ "count", do_count }, { "see", do_see }, { "window", do_window }, { "protect", do_protect }, { "fork", do_fork }, { "pipes", do_pipes },
		{ "lives", do_lives }, { "signals", do_signals }, { "float", do_float }, { "threads", do_threads }, { "number", do_number },
		{ "affinity", do_affinity }, { "affinity of others", do_affinity_others },
	};
	if (count_ > 2)
		seconds = atof(argument[2]);
	bool all = count_ > 1 && !strcmp(argument[1], "all");
	int failed = count_ > 1 ? 0 : 2;
	setlinebuf(stdout);
	for (unsigned i = 0; count_ > 1 && i < sizeof works / sizeof *works; i++) {
		if (!all && strcmp(works[i].name, argument[1]))
			continue;
		int status;
		double begin = now();
		pid_t child = fork();
		if (!child) {
			works[i].work();
			_exit(0);
		}
		CHECK(child > 0 && waitpid(child, &status, 0) == child);
		printf("%s %s: %.1f s\n", works[i].name, status ? "failed" : "good", now() - begin);
		failed |= status != 0;
	}
	return failed;
}
