/* Switches between kernel threads: each keeps its stack and the registers a function keeps. */
#include "arch/processor.h"
#include "arch/test/test.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"

#define THREADS 3u
#define TURNS 100u

static struct spinlock turn_lock = SPINLOCK_INIT("check", RANK_EVENT);
static struct wait_queue turn_queue;
static unsigned turns, threads_ended, wrong;

static void turn_wait(unsigned me)
{
	spin_lock(&turn_lock);
	while (turns % THREADS != me) {
		(void)!wait_on(&turn_queue, &turn_lock, DEADLINE_NEVER, WAIT_UNINTERRUPTIBLE);
		spin_lock(&turn_lock);
	}
	turns++;
	spin_unlock(&turn_lock);
	wait_wake_all(&turn_queue, 0);
}

/* More values than there are registers, all of them in use before and after each switch. */
static void take_turns(void *argument)
{
	uint64_t me = (uint64_t)argument, kept[24];
	for (unsigned i = 0; i < array_count(kept); i++)
		kept[i] = me << 32 | i;
	uint64_t a = me + 1, b = me + 2, c = me + 3, d = me + 4, e = me + 5, f = me + 6, g = me + 7, h = me + 8, i = me + 9, j = me + 10;
	for (unsigned turn = 0; turn < TURNS; turn++) {
		__asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e));
		__asm__ volatile("" : "+r"(f), "+r"(g), "+r"(h), "+r"(i), "+r"(j));
		turn_wait((unsigned)me);
		wrong += a != me + 1 || b != me + 2 || c != me + 3 || d != me + 4 || e != me + 5 || f != me + 6 || g != me + 7 || h != me + 8 || i != me + 9 || j != me + 10;
		for (unsigned k = 0; k < array_count(kept); k++)
			wrong += kept[k] != (me << 32 | k);
	}
	threads_ended++;
	wait_wake_all(&turn_queue, 0);
}

const char *test_switches(void)
{
	uint64_t switches = this_processor()->switches;
	turns = threads_ended = wrong = 0;
	wait_queue_init(&turn_queue);
	for (uint64_t i = 0; i < THREADS; i++)
		expect(scheduler_kernel_thread(take_turns, (void *)i, 20));
	while (threads_ended < THREADS)
		(void)!wait_on(&turn_queue, NULL, time_now() + 10 * MILLISECOND, WAIT_UNINTERRUPTIBLE);
	expect(turns == THREADS * TURNS && !wrong);
	expect(this_processor()->switches - switches >= THREADS * TURNS - THREADS);
	scheduler_yield();
	return NULL;
}
