/*
 * Sleeping and waking; the contract is in wait.h.
 * A sleeping thread is on one queue (waiting_on, under that queue's lock). Whoever takes it off (a waker, its deadline, an interrupt) does
 * so under the queue's lock, so exactly one of them decides wait_result. The deadline is disarmed by the one that takes it off.
 *
 * The queue may lie on the sleeper's stack, or go soon after the wait. Who wakes by the queue has it by the lock of what is waited for; who comes by
 * the thread (its deadline, an interrupt, a kill) may find a queue that the thread just leaves. So a thread does not return from here before all who came by it
 * are done (wait_settle), and nobody meets its next wait with the last one's reason.
 * Model: tests/model/wait.pml, which found that an interrupt could be lost between the look at its flag and the queue.
 */
#include "kernel/core/wait.h"
#include "arch/processor.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/obj/thread.h"

/* Between a write and a read of another word that another processor writes and reads the other way round. As with locks (lock.h), one processor needs no more
 * than the compiler's order. */
static inline void write_before_read(void)
{
#if defined(KERNEL_DEBUG) || PROCESSORS_MAX > 1
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#else
	__asm__ volatile("" ::: "memory");
#endif
}

void wait_queue_init(struct wait_queue *queue)
{
	spin_init(&queue->lock, "wait queue", RANK_WAIT);
	list_init(&queue->waiters);
}

/* The queue's lock is held. */
static inline void take_off_only(struct thread *thread, int result)
{
	list_remove(&thread->wait_link);
	thread->waiting_on = NULL;
	thread->wait_result = result;
	if (__atomic_load_n(&thread->wait_deadline.armed, __ATOMIC_ACQUIRE))
		deadline_cancel(&thread->wait_deadline);
}

static void take_off(struct thread *thread, int result)
{
	take_off_only(thread, result);
	thread_ready(thread);
}

/* Takes thread off whatever queue it is on, if its wait ends for this reason. */
static void wake_for(struct thread *thread, int result, bool (*ends)(const struct thread *))
{
	if (PROCESSORS_MAX > 1) /* before the look at waiting_on: wait_settle */
		__atomic_add_fetch(&thread->wakers, 1, __ATOMIC_SEQ_CST);
	struct wait_queue *queue = __atomic_load_n(&thread->waiting_on, __ATOMIC_SEQ_CST);
	if (queue) {
		spin_lock(&queue->lock);
		if (thread->waiting_on == queue && (!ends || ends(thread)))
			take_off(thread, result);
		spin_unlock(&queue->lock);
	}
	if (PROCESSORS_MAX > 1)
		__atomic_sub_fetch(&thread->wakers, 1, __ATOMIC_RELEASE);
}

/* The current thread is on no queue any more: waits for those who may still look at the last one. */
static inline void wait_settle(const struct thread *current)
{
#if PROCESSORS_MAX > 1
	write_before_read(); /* waiting_on, then wakers: wake_for has it the other way round */
	while (__atomic_load_n(&current->wakers, __ATOMIC_ACQUIRE))
		processors_poll();
	deadline_settle(&current->wait_deadline);
#else
	(void)current;
#endif
}

static void deadline_passed(struct deadline *deadline)
{
	wake_for(container_of(deadline, struct thread, wait_deadline), -ETIMEDOUT, NULL);
}

static bool must_not_sleep(const struct thread *thread, unsigned how)
{
	return (how != WAIT_UNINTERRUPTIBLE && thread->kill_pending) || (how == WAIT_INTERRUPTIBLE && thread->interrupt_pending);
}

static inline int sleep(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how, bool linked, struct thread *next)
{
	struct thread *current = thread_current();
	bool own = lock != &queue->lock; /* the condition may be protected by the queue's own lock */
	if (own)
		spin_lock(&queue->lock);
	current->waiting_on = queue;
	current->wait_how = how;
	/* From here on an interrupter finds the thread, and one that came before has set its flag: each writes first and then looks (wait_interrupt). */
	write_before_read();
	int refused = must_not_sleep(current, how) ? -EINTR : deadline != DEADLINE_NEVER && deadline <= time_now() ? -ETIMEDOUT : 0;
	if (refused) {
		current->waiting_on = NULL;
		spin_unlock(&queue->lock);
		if (next)
			thread_ready(next);
		if (own && lock)
			spin_unlock(lock);
		wait_settle(current);
		return refused;
	}
	current->wait_result = 0;
	current->state = THREAD_SLEEPING;
	if (linked)
		list_add_last(&queue->waiters, &current->wait_link);
	if (deadline != DEADLINE_NEVER)
		deadline_set(&current->wait_deadline, deadline, deadline_passed);
	spin_unlock(&queue->lock);
	if (own && lock)
		spin_unlock(lock);
#ifdef KERNEL_DEBUG
	if (this_processor()->lock_depth)
		panic("sleeping with lock %s held", ((struct spinlock *)this_processor()->locks_held[0])->name);
#endif
	if (next)
		schedule_hand(next);
	else
		schedule();
	wait_settle(current);
	return current->wait_result;
}

int wait_on(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how)
{
	return sleep(queue, lock, deadline, how, true, NULL);
}

int wait_alone(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how)
{
	return sleep(queue, lock, deadline, how, false, NULL);
}

int wait_alone_for(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how, struct thread *next)
{
	return sleep(queue, lock, deadline, how, false, next);
}

bool wait_take(struct wait_queue *queue, struct thread *thread, int result)
{
	spin_lock(&queue->lock);
	bool sleeps = thread->waiting_on == queue;
	if (sleeps)
		take_off_only(thread, result);
	spin_unlock(&queue->lock);
	return sleeps;
}

void wait_wake_thread(struct wait_queue *queue, struct thread *thread, int result)
{
	spin_lock(&queue->lock);
	if (thread->waiting_on == queue)
		take_off(thread, result);
	spin_unlock(&queue->lock);
}

unsigned wait_wake_one(struct wait_queue *queue, int result)
{
	unsigned woken = 0;
	spin_lock(&queue->lock);
	if (!list_empty(&queue->waiters)) {
		take_off(list_first(&queue->waiters, struct thread, wait_link), result);
		woken = 1;
	}
	spin_unlock(&queue->lock);
	return woken;
}

unsigned wait_wake_all(struct wait_queue *queue, int result)
{
	unsigned woken = 0;
	spin_lock(&queue->lock);
	for (; !list_empty(&queue->waiters); woken++)
		take_off(list_first(&queue->waiters, struct thread, wait_link), result);
	spin_unlock(&queue->lock);
	return woken;
}

static bool ends_by_kill(const struct thread *thread)
{
	return thread->wait_how != WAIT_UNINTERRUPTIBLE;
}

static bool ends_by_interrupt(const struct thread *thread)
{
	return thread->wait_how == WAIT_INTERRUPTIBLE;
}

void wait_interrupt(struct thread *thread, bool kill)
{
	write_before_read(); /* the caller has set the flag: see sleep */
	wake_for(thread, -EINTR, kill ? ends_by_kill : ends_by_interrupt);
}
