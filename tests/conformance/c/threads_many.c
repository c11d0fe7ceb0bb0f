/* A thousand threads, threads that come and go without leaving memory behind, cancellation, keys, exec and exit with many of them. */
#include "case.h"
#include <pthread.h>

static pthread_barrier_t barrier;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static __thread long local = 3;
static long sum, cleaned;
static pthread_key_t key;
static volatile int in;

static void *meet(void *argument)
{
	local += (long)argument;
	pthread_barrier_wait(&barrier);
	__sync_fetch_and_add(&sum, local);
	return (void *)local;
}
static void *nothing(void *argument) { return argument; }
static void clean(void *argument) { __sync_fetch_and_add((long *)argument, 1); }
static void *cancelled_sleep(void *argument)
{
	pthread_cleanup_push(clean, &cleaned);
	in = 1;
	for (;;)
		sleep(10);
	pthread_cleanup_pop(0);
	return argument;
}
static void *cancelled_read(void *argument)
{
	char byte;
	pthread_cleanup_push(clean, &cleaned);
	in = 1;
	read(*(int *)argument, &byte, 1);
	pthread_cleanup_pop(0);
	return NULL;
}
static void unlock(void *argument) { pthread_mutex_unlock(argument); __sync_fetch_and_add(&cleaned, 1); }
static void *cancelled_wait(void *argument)
{
	pthread_mutex_lock(&mutex);
	pthread_cleanup_push(unlock, &mutex);
	in = 1;
	for (;;)
		pthread_cond_wait(&condition, &mutex);
	pthread_cleanup_pop(0);
	return argument;
}
static void *cancelled_loop(void *argument)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	in = 1;
	for (;;)
		;
	return argument;
}
static void *refuses(void *argument)
{
	int old;
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	in = 1;
	sleep_ms(30);
	__sync_fetch_and_add(&cleaned, 100);
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	pthread_testcancel();
	__sync_fetch_and_add(&cleaned, 10000);
	return argument;
}
static void *set_key(void *argument) { pthread_setspecific(key, &sum); return argument; }
static void *sleeper(void *argument) { for (;;) pause(); return argument; }
static void *exits(void *argument) { exit(7); return argument; }
static void *executes(void *argument) { execl("/bin/busybox", "busybox", "echo", "executed by a thread", (char *)NULL); return argument; }
static void *faults(void *argument) { *(volatile int *)8 = 1; return argument; }

static void *remains(void *argument) { sleep_ms(20); _exit(5); return argument; }

static long free_kib(void)
{
	char text[4096];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t count = read(fd, text, sizeof text - 1);
	close(fd);
	text[count > 0 ? count : 0] = 0;
	char *found = strstr(text, "MemFree:");
	return found ? atol(found + 8) : -1;
}
static void cancel_one(const char *name, void *(*function)(void *), void *argument)
{
	pthread_t thread;
	void *result;
	in = 0;
	pthread_create(&thread, NULL, function, argument);
	while (!in)
		sleep_ms(1);
	sleep_ms(5);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("%s: %s, cleaned %ld\n", name, result == PTHREAD_CANCELED ? "cancelled" : "returned", cleaned);
	cleaned = 0;
}

int main(void)
{
	enum { COUNT = 1000 };
	static pthread_t thread[COUNT];
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 65536);

	pthread_barrier_init(&barrier, NULL, COUNT + 1);
	int made = 0;
	for (int i = 0; i < COUNT; i++)
		made += pthread_create(&thread[i], &small, meet, (void *)(long)i) == 0;
	printf("made %d\n", made);
	pthread_barrier_wait(&barrier);
	long returned = 0;
	for (int i = 0; i < COUNT; i++) {
		void *value;
		pthread_join(thread[i], &value);
		returned += (long)value;
	}
	printf("sums %ld %ld, own %ld\n", sum, returned, local);

	/* come and go; other programs use memory too, so one round out of several that leaves nothing behind is enough */
	bool little = false;
	for (int round = 0; round < 6 && !little; round++) {
		long before = round ? free_kib() : 0;
		for (int i = 0; i < 3000; i++) {
			pthread_create(&thread[0], NULL, nothing, NULL);
			pthread_join(thread[0], NULL);
		}
		pthread_attr_t detached;
		pthread_attr_init(&detached);
		pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
		for (int i = 0; i < 1000; i++) {
			pthread_create(&thread[0], &detached, nothing, NULL);
			if (i % 20 == 0)
				sleep_ms(1);
		}
		sleep_ms(50);
		little = round && before - free_kib() < 2048;
	}
	printf("memory lost: %s\n", little ? "little" : "much");

	int fds[2];
	must(pipe(fds));
	cancel_one("sleep", cancelled_sleep, NULL);
	cancel_one("read", cancelled_read, &fds[0]);
	cancel_one("condition", cancelled_wait, NULL);
	printf("its mutex: %s\n", pthread_mutex_trylock(&mutex) ? "held" : "free");
	pthread_mutex_unlock(&mutex);
	cancel_one("loop", cancelled_loop, NULL);
	cancel_one("disabled", refuses, NULL);
	pthread_key_create(&key, clean);
	sum = 0;
	for (int i = 0; i < 50; i++) {
		pthread_create(&thread[i], &small, set_key, NULL);
		pthread_join(thread[i], NULL);
	}
	printf("destructors %ld\n", sum);

	show_status("exit in a thread", wait_for(in_child({
		for (int i = 0; i < 20; i++) pthread_create(&thread[i], &small, sleeper, NULL);
		pthread_create(&thread[20], &small, exits, NULL); for (;;) pause(); })));
	show_status("exec in a thread", wait_for(in_child({
		for (int i = 0; i < 20; i++) pthread_create(&thread[i], &small, sleeper, NULL);
		pthread_create(&thread[20], &small, executes, NULL); for (;;) pause(); })));
	show_status("fault in a thread", wait_for(in_child({
		for (int i = 0; i < 20; i++) pthread_create(&thread[i], &small, sleeper, NULL);
		pthread_create(&thread[20], &small, faults, NULL); for (;;) pause(); })));
	show_status("the main thread goes first", wait_for(in_child({
		pthread_create(&thread[0], &small, remains, NULL); pthread_exit(NULL); })));
	/* fork in a program of many threads: the child has one */
	for (int i = 0; i < 20; i++)
		pthread_create(&thread[i], &small, sleeper, NULL);
	for (int i = 0; i < 20; i++)
		if (wait_for(in_child({ void *p = malloc(100000); free(p); _exit(getpid() != syscall(SYS_gettid)); })))
			printf("bad child\n");
	/* a failing exec leaves all of them */
	char *const arguments[] = { "x", NULL };
	show_result("exec of nothing", execv("/nonexistent", arguments));
	show_result("exec of a directory", execv("/tmp", arguments));
	int alive = 0;
	for (int i = 0; i < 20; i++)
		alive += pthread_kill(thread[i], 0) == 0;
	printf("alive %d\n", alive);
	for (int i = 0; i < 20; i++)
		pthread_cancel(thread[i]);
	for (int i = 0; i < 20; i++)
		pthread_join(thread[i], NULL);
	fflush(stdout);
	return 0;
}
