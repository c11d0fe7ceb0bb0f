/*
 * Deadlines against an array of times: set, moved, cancelled, also from within an expiry; each expires once, in order, at the first interrupt that is not
 * earlier, and the timer is always set for the first of them. With "threads", several set and cancel while one expires them.
 * host-test: kernel/core/deadline.c tests/host/shim.c -DHOST_OWN_TIME -DHOST_OWN_MEMORY
 * host-threads: kernel/core/deadline.c tests/host/shim.c -DHOST_OWN_TIME -DHOST_OWN_MEMORY
 */
#include <sched.h>
#include <string.h>
#include "arch/processor.h"
#include "kernel/core/log.h"
#include "kernel/core/schedule.h"
#include "kernel/core/wait.h"
#include "shim.h"

#define DEADLINES 40u
static struct deadline deadline[DEADLINES];
static uint64_t when[DEADLINES], order[DEADLINES], orders; /* when: DEADLINE_NEVER if it is not set; of equal times the one that was set first comes first */
static uint64_t now, timer = UINT64_MAX, last_when, last_order;
static unsigned expired_count, quanta, samples;

/* --- the processor and the scheduler --- */
uint64_t sample_at[PROCESSORS_MAX] = { UINT64_MAX };
uint64_t arch_time_now(void) { return __atomic_load_n(&now, __ATOMIC_RELAXED); }
void arch_timer_set(uint64_t at) { __atomic_store_n(&timer, at, __ATOMIC_RELAXED); }
void scheduler_sample(const struct arch_frame *frame, uint64_t at)
{
	CHECK(!frame && at == now && sample_at[0] <= now);
	samples++;
	sample_at[0] = shim_below(3) ? now + 1 + shim_below(50) : UINT64_MAX;
}
void scheduler_quantum_ended(void)
{
	CHECK(quantum_end[0] <= now);
	quanta++;
	quantum_end[0] = UINT64_MAX;
}
void share_leave(struct share *share) { (void)share; }

static void expired(struct deadline *which);

static void set(unsigned i, uint64_t at)
{
	when[i] = at;
	order[i] = ++orders;
	deadline_set(&deadline[i], at, expired);
}

static void cancel(unsigned i)
{
	CHECK(deadline_cancel(&deadline[i]) == (when[i] != DEADLINE_NEVER));
	when[i] = DEADLINE_NEVER;
}

static void expired(struct deadline *which)
{
	unsigned i = (unsigned)(which - deadline);
	CHECK(!shim_locks_held() && !which->armed && when[i] <= now);
	CHECK(when[i] > last_when || (when[i] == last_when && order[i] > last_order));
	for (unsigned k = 0; k < DEADLINES; k++) /* it was the first */
		CHECK(k == i || when[k] > when[i] || (when[k] == when[i] && order[k] > order[i]));
	last_when = when[i];
	last_order = order[i];
	when[i] = DEADLINE_NEVER;
	expired_count++;
	if (shim_below(4) == 0)
		set(shim_below(2) ? i : (unsigned)shim_below(DEADLINES), now + 1 + shim_below(30));
	if (shim_below(4) == 0)
		cancel((unsigned)shim_below(DEADLINES));
}

static uint64_t first(void)
{
	uint64_t least = min(sample_at[0], quantum_end[0]);
	for (unsigned i = 0; i < DEADLINES; i++)
		least = min(least, when[i]);
	return least;
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(40); round < rounds; round++) {
		shim_seed(round);
		for (unsigned n = 0; n < 3000; n++) {
			unsigned i = (unsigned)shim_below(DEADLINES);
			switch (shim_below(6)) {
			case 0: case 1:
				set(i, shim_below(15) ? now + shim_below(shim_below(4) ? 40 : 1000) : DEADLINE_NEVER);
				break;
			case 2:
				cancel(i);
				break;
			case 3:
				quantum_end[0] = now + shim_below(60);
				timer_request(quantum_end[0]);
				break;
			case 4:
				sample_at[0] = min(sample_at[0], now + shim_below(60));
				timer_request(sample_at[0]);
				break;
			default:
				now += shim_below(20);
			}
			CHECK(timer <= first()); /* too early is allowed, too late is not */
			if (timer <= now) {
				bool over = quantum_end[0] <= now, sampled = sample_at[0] <= now;
				unsigned before = quanta, sampled_before = samples;
				last_when = last_order = 0;
				timer = UINT64_MAX; /* one-shot */
				timer_interrupt(NULL);
				for (unsigned k = 0; k < DEADLINES; k++)
					CHECK(when[k] > now);
				CHECK(quanta - before == over && samples - sampled_before == sampled);
				CHECK(timer <= first() && timer > now);
			}
		}
		for (unsigned i = 0; i < DEADLINES; i++)
			cancel(i);
	}
	CHECK(expired_count > 1000);
}

/* --- threads: each sets and cancels its own; every setting ends in one expiry or one cancellation --- */
#define THREADS 4
#define EACH (DEADLINES / THREADS)
static uint32_t fired[DEADLINES], running;

static void fired_one(struct deadline *which)
{
	__atomic_add_fetch(&fired[which - deadline], 1, __ATOMIC_RELAXED);
}

static void work(unsigned number)
{
	if (number == THREADS) { /* the processor's clock */
		while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
			__atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
			timer_interrupt(NULL);
			sched_yield();
		}
		return;
	}
	uint32_t set_times[EACH] = { 0 }, cancelled[EACH] = { 0 };
	for (unsigned n = 0; n < 3000; n++) {
		unsigned own = (unsigned)shim_below(EACH), i = number * EACH + own;
		if (deadline_cancel(&deadline[i]))
			cancelled[own]++;
		if (shim_below(3)) {
			deadline_set(&deadline[i], __atomic_load_n(&now, __ATOMIC_RELAXED) + shim_below(6), fired_one);
			set_times[own]++;
		}
		if (shim_below(4) == 0)
			sched_yield();
	}
	for (unsigned own = 0; own < EACH; own++) {
		cancelled[own] += deadline_cancel(&deadline[number * EACH + own]);
		while (__atomic_load_n(&fired[number * EACH + own], __ATOMIC_RELAXED) + cancelled[own] != set_times[own])
			sched_yield(); /* its expiry is under way */
	}
	__atomic_sub_fetch(&running, 1, __ATOMIC_RELEASE);
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(3); round < rounds; round++) {
		shim_seed(round);
		memset(fired, 0, sizeof(fired));
		running = THREADS;
		task_parallel(THREADS + 1, work);
	}
}

int main(int argc, char **argv)
{
	for (unsigned i = 0; i < DEADLINES; i++) {
		list_init(&deadline[i].link);
		when[i] = DEADLINE_NEVER;
	}
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
