/*
 * Futexes through their system calls: sleepers, whom one thread makes sleep, wake, requeue and be interrupted at random, against lists of who sleeps where
 * and since when: exactly those wake that should. With "threads", a lock and a condition as programs build them, with interrupts: a lost wake-up is a hang.
 * host-test: kernel/ipc/futex.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c
 * host-threads: kernel/ipc/futex.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/calls.h"
#include "kernel/core/log.h"
#include "kernel/ipc/futex.h"
#include "kernel/obj/handle.h"
#include "kernel/vm/space.h"
#include "shim.h"
#include "task.h"

static struct process *process;

/* --- the address space: shared words belong to nobody --- */
int space_futex_key(struct space *space, uint64_t address, bool shared, struct futex_key *key)
{
	if (address < USER_BOTTOM || address >= USER_TOP)
		return -EFAULT;
	*key = (struct futex_key){ shared ? NULL : space, address };
	return 0;
}
struct space *space_of_object(struct object *object)
{
	return (struct space *)object; /* as task.c has it */
}

/* --- sleepers --- */
#define SLEEPERS 6u
#define WORDS 3u
enum { IDLE, ASKED, LEAVE };
static uint32_t word[WORDS];
static struct sleeper {
	int state;                                      /* atomic */
	struct thread *thread;
	unsigned word, shared;
	uint32_t bits;
	int64_t result;
	uint64_t since;                                 /* of the model: order in the queue; 0: does not sleep */
} sleeper[SLEEPERS];
static uint64_t order;

static void sleep_many(struct sleeper *self)
{
	task_start(process);
	task_absent_chance = 3;
	__atomic_store_n(&self->thread, thread_current(), __ATOMIC_RELEASE);
	for (;;) {
		int state = __atomic_load_n(&self->state, __ATOMIC_ACQUIRE);
		if (state == LEAVE)
			break;
		if (state == ASKED) {
			self->result = sys_futex_wait(user_of(&word[self->word]), word[self->word], DEADLINE_NEVER, self->bits, self->shared ? FUTEX_SHARED : 0);
			task_calm();
			__atomic_store_n(&self->state, IDLE, __ATOMIC_RELEASE);
		}
		sched_yield();
	}
	task_end();
}

static void sleep_begin(struct sleeper *s)
{
	s->word = (unsigned)shim_below(WORDS);
	s->shared = shim_below(2);
	s->bits = shim_below(2) ? FUTEX_ANY_BITS : 1u << shim_below(3);
	s->since = ++order;
	__atomic_store_n(&s->state, ASKED, __ATOMIC_RELEASE);
	while (!task_sleeps(s->thread))
		sched_yield();
}

/* It was woken or interrupted. */
static void sleep_ended(struct sleeper *s, int64_t result)
{
	while (__atomic_load_n(&s->state, __ATOMIC_ACQUIRE) != IDLE)
		sched_yield();
	CHECK(s->result == result);
	s->since = 0;
}

static struct sleeper *first_of(unsigned w, unsigned shared, uint32_t bits)
{
	struct sleeper *found = NULL;
	for (struct sleeper *s = sleeper; s < sleeper + SLEEPERS; s++)
		if (s->since && s->word == w && s->shared == shared && s->bits & bits && (!found || s->since < found->since))
			found = s;
	return found;
}

/* What the model says of a wake-up that returned `woken`, at most `count`. */
static void woken_check(unsigned w, unsigned shared, uint32_t bits, uint32_t count, int64_t woken)
{
	struct sleeper *s;
	int64_t n = 0;
	for (; n < count && (s = first_of(w, shared, bits)); n++)
		sleep_ended(s, 0);
	CHECK(n == woken);
}

static void all_check(void)
{
	for (struct sleeper *s = sleeper; s < sleeper + SLEEPERS; s++)
		CHECK(task_sleeps(s->thread) == (s->since != 0));
}

static void requeue(void)
{
	unsigned from = (unsigned)shim_below(WORDS), to = (unsigned)shim_below(WORDS), shared = shim_below(2), compare = shim_below(3);
	uint32_t wake = (uint32_t)shim_below(3), move = (uint32_t)shim_below(4), moved = 0;
	uint32_t options = (shared ? FUTEX_SHARED : 0) | (compare ? FUTEX_COMPARE : 0);
	int64_t result = sys_futex_requeue(user_of(&word[from]), wake, move, user_of(&word[to]), compare == 2 ? word[from] + 1 : word[from], options);
	if (compare == 2) {
		CHECK(result == -EAGAIN);
		return;
	}
	struct sleeper *s;
	int64_t woken = 0;
	for (; woken < wake && (s = first_of(from, shared, FUTEX_ANY_BITS)); woken++)
		sleep_ended(s, 0);
	for (; from != to && moved < move && (s = first_of(from, shared, FUTEX_ANY_BITS)); moved++) {
		s->word = to;
		s->since = ++order;
	}
	CHECK(result == woken + moved);
}

static void refused(handle_t space)
{
	uint64_t at = user_of(&word[0]);
	CHECK(sys_futex_wait(at, word[0] + 1, DEADLINE_NEVER, 1, 0) == -EAGAIN && sys_futex_wait(at, word[0], 0, 1, 0) == -ETIMEDOUT);
	CHECK(sys_futex_wait(at + 2, 0, 0, 1, 0) == -EINVAL && sys_futex_wait(at, word[0], 0, 0, 0) == -EINVAL);
	CHECK(sys_futex_wait(at, word[0], 0, 1, FUTEX_COMPARE) == -EINVAL && sys_futex_wait(8, 0, 0, 1, 0) == -EFAULT);
	CHECK(sys_futex_wake(at + 1, 1, 1, 0) == -EINVAL && sys_futex_wake(at, 1, 0, 0) == -EINVAL && sys_futex_wake(8, 1, 1, 0) == -EFAULT);
	CHECK(sys_futex_requeue(at, 1, 1, at + 1, 0, 0) == -EINVAL && sys_futex_requeue(8, 1, 1, at, 0, 0) == -EFAULT);
	CHECK(sys_futex_requeue(at, 1, 1, 8, 0, 0) == -EFAULT && sys_futex_wake_space(space, 8, 1) == -EFAULT);
	CHECK(sys_futex_wake_space(space + 1, at, 1) == -EBADF && sys_futex_wake_space(space, at + 3, 1) == -EINVAL);
}

static void control(void)
{
	task_start(process);
	task_absent_chance = 3;
	object_ref(space_object(process->space));
	handle_t space = (handle_t)handle_install_new(space_object(process->space), RIGHT_WRITE, 0, HANDLE_HIGH);
	for (struct sleeper *s = sleeper; s < sleeper + SLEEPERS; s++)
		while (!__atomic_load_n(&s->thread, __ATOMIC_ACQUIRE))
			sched_yield();
	refused(space);
	for (unsigned n = 0; n < 400; n++) {
		struct sleeper *s = &sleeper[shim_below(SLEEPERS)];
		unsigned w = (unsigned)shim_below(WORDS), shared = shim_below(2);
		uint32_t count = (uint32_t)shim_below(4), bits = shim_below(2) ? FUTEX_ANY_BITS : 1u << shim_below(3);
		switch (shim_below(6)) {
		case 0:
			woken_check(w, shared, bits, count, sys_futex_wake(user_of(&word[w]), count, bits, shared ? FUTEX_SHARED : 0));
			break;
		case 1:
			requeue();
			break;
		case 2:
			if (s->since) {
				task_interrupt(s->thread);
				sleep_ended(s, -EINTR);
			}
			break;
		case 3:
			woken_check(w, 1, FUTEX_ANY_BITS, count, sys_futex_wake_space(space, user_of(&word[w]), count));
			break;
		default:
			if (!s->since)
				sleep_begin(s);
		}
		all_check();
	}
	for (struct sleeper *s = sleeper; s < sleeper + SLEEPERS; s++) {
		if (s->since) {
			task_interrupt(s->thread);
			sleep_ended(s, -EINTR);
		}
		__atomic_store_n(&s->state, LEAVE, __ATOMIC_RELEASE);
	}
	CHECK(!sys_handle_close(space));
	task_end();
}

static void work(unsigned number)
{
	if (number < SLEEPERS)
		sleep_many(&sleeper[number]);
	else
		control();
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(10); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		memset(sleeper, 0, sizeof(sleeper));
		for (unsigned w = 0; w < WORDS; w++)
			word[w] = (uint32_t)shim_random();
		task_parallel(SLEEPERS + 1, work);
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

/* --- threads: a lock (0 free, 1 held, 2 held and waited for) and a condition (a number that grows) --- */
#define THREADS 4u
#define TURNS 300u
static uint32_t lock_word, condition, finished;
static uint64_t counter, items;  /* under the lock */
static struct thread *running[THREADS];

static void wait_for(uint32_t *at, uint32_t value)
{
	int64_t result = sys_futex_wait(user_of(at), value, DEADLINE_NEVER, FUTEX_ANY_BITS, 0);
	CHECK(result == 0 || result == -EAGAIN || result == -EINTR);
	if (result == -EINTR)
		task_calm();
}

static void lock_take(uint32_t want)
{
	uint32_t value = 0;
	if (__atomic_compare_exchange_n(&lock_word, &value, want, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_ACQUIRE))
		wait_for(&lock_word, 2);
}

static void lock_release(void)
{
	if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_RELEASE) == 2)
		CHECK(sys_futex_wake(user_of(&lock_word), 1, FUTEX_ANY_BITS, 0) >= 0);
}

/* Half of the threads make items and half take them. */
static void turns(unsigned number)
{
	task_start(process);
	task_absent_chance = 4;
	test_lock();
	running[number] = thread_current();
	test_unlock();
	for (unsigned n = 0; n < TURNS; n++) {
		lock_take(1);
		counter++;
		if (number % 2) {
			while (!items) {
				uint32_t seen = __atomic_load_n(&condition, __ATOMIC_RELAXED);
				lock_release();
				wait_for(&condition, seen);
				lock_take(2); /* others may have been moved to the lock with us */
			}
			items--;
		} else {
			items++;
			uint32_t value = __atomic_add_fetch(&condition, 1, __ATOMIC_RELAXED);
			__atomic_store_n(&lock_word, 2, __ATOMIC_RELAXED); /* whoever is moved to it will wait for it */
			CHECK(sys_futex_requeue(user_of(&condition), 1, UINT32_MAX, user_of(&lock_word), value, FUTEX_COMPARE) >= 0);
		}
		lock_release();
	}
	test_lock();
	running[number] = NULL;
	test_unlock();
	__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
	task_end();
}

static void turns_or_interrupts(unsigned number)
{
	if (number < THREADS) {
		turns(number);
		return;
	}
	while (__atomic_load_n(&finished, __ATOMIC_ACQUIRE) < THREADS) {
		test_lock();
		struct thread *thread = running[shim_below(THREADS)];
		if (thread)
			task_interrupt(thread);
		test_unlock();
		for (unsigned i = 0; i < 30; i++)
			sched_yield();
	}
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(6); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		lock_word = condition = finished = 0;
		counter = items = 0;
		task_parallel(THREADS + round % 2, turns_or_interrupts); /* every second time nobody is interrupted: a lost wake-up is a hang */
		CHECK(counter == THREADS * TURNS && !items && !lock_word);
		task_process_free(process);
	}
}

int main(int argc, char **argv)
{
	futex_init();
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
