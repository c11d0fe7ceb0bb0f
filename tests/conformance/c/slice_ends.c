/*
 * Two threads that wake and await each other without end: the slice that they hand to and fro comes to its end too, and that is where the one gets its turn before the other
 * has asked for the next thing. Here the door stands open between a wake-up and the wait for the answer, and is shut as soon as its opener goes on; so it can only be
 * gone through when the opener is displaced meanwhile (Go's stopping and starting of the world is like that).
 */
#include "case.h"
#include <pthread.h>
#include <sched.h>

enum { FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE };

static uint32_t asked, answered, is_open, through;

static void word_wait(uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void word_set(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *goer(void *unused)
{
	for (uint32_t seen = 0;;) {
		while (__atomic_load_n(&asked, __ATOMIC_SEQ_CST) == seen)
			word_wait(&asked, seen);
		seen = __atomic_load_n(&asked, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&is_open, __ATOMIC_SEQ_CST))
			__atomic_store_n(&through, 1, __ATOMIC_SEQ_CST);
		word_set(&answered, seen);
	}
	return unused;
}

int main(void)
{
	pthread_t thread;
	cpu_set_t one;
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof one, &one); /* share one processor on Linux too */
	pthread_create(&thread, NULL, goer, NULL);
	time_t end = time(NULL) + 4;
	for (uint32_t number = 1; !__atomic_load_n(&through, __ATOMIC_SEQ_CST) && time(NULL) < end; number++) {
		__atomic_store_n(&is_open, 1, __ATOMIC_SEQ_CST);
		word_set(&asked, number);
		for (volatile int i = 0; i < 300; i++)
			;
		__atomic_store_n(&is_open, 0, __ATOMIC_SEQ_CST);
		uint32_t last;
		while ((last = __atomic_load_n(&answered, __ATOMIC_SEQ_CST)) != number)
			word_wait(&answered, last);
	}
	printf("through %u\n", through);
	return 0;
}
