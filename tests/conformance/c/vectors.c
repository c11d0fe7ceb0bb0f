/*
 * Vector registers: many threads and processes hold patterns in all of them while others preempt them, signals come whose handlers use them too, and
 * partners that do the same are woken by messages. What a signal frame has of them, and that sigreturn takes it from there.
 */
#include "case.h"
#include "machine.h"
#include <pthread.h>

#define SIZE_MAX_ 8192
#define THREADS 6
#define ROUNDS 60
#define SPIN 400000 /* so that slices end in between */

static size_t size;
static volatile sig_atomic_t handled;

static void pattern_make(uint8_t *pattern, unsigned seed)
{
	for (size_t i = 0; i < size; i++)
		pattern[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
}

/* How often what was held had changed. */
static int hold(unsigned seed, int times, long spin)
{
	uint8_t pattern[SIZE_MAX_], found[SIZE_MAX_];
	int wrong = 0;
	for (int i = 0; i < times; i++) {
		pattern_make(pattern, seed + (unsigned)i);
		memset(found, 0, size);
		machine_vector_hold(pattern, found, spin);
		wrong += memcmp(pattern, found, size) != 0;
	}
	return wrong;
}

static void on_alarm(int number)
{
	uint8_t pattern[SIZE_MAX_], found[SIZE_MAX_];
	pattern_make(pattern, 99 + (unsigned)number);
	machine_vector_hold(pattern, found, 10);
	handled++;
}

static void *thread(void *argument)
{
	return (void *)(intptr_t)hold((unsigned)(intptr_t)argument * 1000, ROUNDS, SPIN);
}

/* Both sides hold something between messages. */
static int partners(void)
{
	int to[2], from[2], wrong = 0;
	char byte = 0;
	must(pipe(to));
	must(pipe(from));
	pid_t child = in_child({
		close(to[1]);
		while (read(to[0], &byte, 1) == 1) {
			wrong += hold(7000 + (unsigned)byte, 1, 50);
			write(from[1], &byte, 1);
		}
		_exit(wrong != 0);
	});
	close(to[0]);
	for (int i = 0; i < 100; i++) {
		byte = (char)i;
		must(write(to[1], &byte, 1));
		wrong += hold(9000 + (unsigned)i, 1, 50);
		must(read(from[0], &byte, 1));
	}
	close(to[1]);
	return wrong + (wait_for(child) != 0);
}

static int in_frame;
static void on_frame(int number, siginfo_t *info, void *context)
{
	uint8_t *saved = machine_vector_in_frame(context);
	(void)number, (void)info;
	in_frame = saved != NULL;
	if (saved)
		saved[5] ^= 0xff;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_frame, .sa_flags = SA_SIGINFO };
	must(sigaction(SIGUSR1, &action, NULL));
	raise(SIGUSR1);
	printf("in the frame before they are used: %s\n", in_frame ? "yes" : "no");
	size = machine_vector_size();
	printf("bytes: %zu\n", size);
	if (!size)
		return 0;
	check(hold(1, 3, 10) == 0);
	raise(SIGUSR1);
	printf("in the frame afterwards: %s\n", in_frame ? "yes" : "no");

	/* a signal in between: the handler changes what the frame has */
	uint8_t pattern[SIZE_MAX_], found[SIZE_MAX_];
	struct itimerval soon = { { 0, 0 }, { 0, 2000 } };
	signal(SIGALRM, SIG_DFL);
	action.sa_flags |= SA_RESTART;
	must(sigaction(SIGALRM, &action, NULL));
	pattern_make(pattern, 5);
	int changed = 0;
	for (int i = 0; i < 50 && !changed; i++) {
		must(setitimer(ITIMER_REAL, &soon, NULL));
		machine_vector_hold(pattern, found, 30000000);
		changed = memcmp(pattern, found, size) != 0;
	}
	pattern[5] ^= 0xff;
	check(changed && !memcmp(pattern, found, size));

	signal(SIGALRM, on_alarm);
	struct itimerval often = { { 0, 700 }, { 0, 700 } }, never = { { 0, 0 }, { 0, 0 } };
	must(setitimer(ITIMER_REAL, &often, NULL));
	pid_t child[2];
	for (int i = 0; i < 2; i++)
		child[i] = in_child({ _exit(hold(100 + (unsigned)i, ROUNDS, SPIN) != 0); });
	pthread_t threads[THREADS];
	intptr_t wrong = 0;
	void *result;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, thread, (void *)(intptr_t)(i + 1));
	wrong = hold(77, ROUNDS, SPIN);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], &result);
		wrong += (intptr_t)result;
	}
	for (int i = 0; i < 2; i++)
		show_status("child", wait_for(child[i]));
	while (handled < 3)
		wrong += hold(78, 1, SPIN);
	must(setitimer(ITIMER_REAL, &never, NULL));
	printf("changed while others ran: %ld\n", (long)wrong);
	printf("changed between messages: %d\n", partners());
	/* a child of fork has none of its parent's yet */
	pid_t last = in_child({ raise(SIGUSR1); _exit(in_frame); });
	show_status("in a child's frame", wait_for(last));
	return 0;
}
