/*
 * Sleeping and waking, deadlines, the scheduler's interface.
 *
 * A sleeper: takes the lock that protects its condition, finds it false, calls wait_on(queue, lock, ...). wait_on enqueues the
 * current thread, releases the lock and sleeps: a waker that changes the condition under the same lock and then calls wait_wake
 * cannot be missed. The lock is NOT taken again.
 */
#ifndef KERNEL_WAIT_H
#define KERNEL_WAIT_H
#include "arch/processor.h" /* thread_current */
#include "kernel/core/list.h"
#include "kernel/core/lock.h"

struct thread;
struct share;
struct wait_queue { struct spinlock lock; struct list waiters; };
#define WAIT_KILLABLE 0u        /* ends early, with -EINTR, only when the thread is being killed */
#define WAIT_INTERRUPTIBLE 1u   /* also by thread_interrupt */
#define WAIT_UNINTERRUPTIBLE 2u /* for short kernel-internal waits */
void wait_queue_init(struct wait_queue *queue);
/*
 * Sleeps until woken. deadline: absolute monotonic nanoseconds. lock may be NULL. Returns the value the waker passed
 * (0 by convention), -ETIMEDOUT, or -EINTR. With an interrupt or kill already pending returns -EINTR without sleeping.
 */
int wait_on(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how);
/*
 * The same for a queue that only this thread ever sleeps on: it is not linked into it, so only wait_wake_thread and what ends any sleep (its deadline, an
 * interrupt, a kill) wakes it.
 */
int wait_alone(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how);
/*
 * The same, and the processor goes to `next` (wait_take), or as ever if that is NULL. A next that is not gone to, because the wait is refused, becomes ready.
 */
int wait_alone_for(struct wait_queue *queue, struct spinlock *lock, uint64_t deadline, unsigned how, struct thread *next);
/* Takes thread off queue if it sleeps there, without making it ready: the caller sees to that (wait_alone_for, thread_ready) before it sleeps or returns. */
bool wait_take(struct wait_queue *queue, struct thread *thread, int result) must_check;
/* Wakes thread if it sleeps on queue. */
void wait_wake_thread(struct wait_queue *queue, struct thread *thread, int result);
/* Wakes the first sleeper (or all), handing it result. Returns how many were woken. Any context, any locks below RANK_WAIT. */
unsigned wait_wake_one(struct wait_queue *queue, int result);
unsigned wait_wake_all(struct wait_queue *queue, int result);
/* Wakes that thread if it sleeps on any queue and its wait allows it; used by thread_interrupt and kill. */
void wait_interrupt(struct thread *thread, bool kill);
#if __STDC_HOSTED__
bool wait_queue_empty(struct wait_queue *queue); /* unit tests have their own queues */
#else
static inline bool wait_queue_empty(struct wait_queue *queue)
{
	spin_lock(&queue->lock);
	bool empty = list_empty(&queue->waiters);
	spin_unlock(&queue->lock);
	return empty;
}
#endif

/* --- scheduler --- */
void thread_ready(struct thread *thread);      /* make runnable */
/*
 * The processor goes straight to `to`, which sleeps on nothing any more but is not ready (wait_take), unless a more urgent thread is; the current thread's
 * state was set by the caller. `to` goes on with its slice.
 */
void schedule_hand(struct thread *to);
void schedule(void);                           /* give up the processor; the current thread's state was set by the caller (wait_on, exit) */
void scheduler_yield(void);                    /* let others of the same priority run */
/* Gives the processor up if a thread of higher priority is ready or the time slice ended. The arch code calls it before thread_return_to_user. */
void scheduler_preempt(void);
/*
 * A thread that goes to sleep hands the processor to the last one it woke. After this what it woke so far waits for its turn: for threads that
 * synchronise (futexes) rather than serve each other, which would else keep the processor among them.
 */
void scheduler_forget_woken(void);
/* Has the thread, if a processor runs it, look at its flags (thread.h: attention) before it goes on in user mode. */
void scheduler_draw_attention(struct thread *thread);
/* The current thread leaves its process: from now on it waits for the processor where kernel threads do. */
void scheduler_leave_process(void);
/* Ends the current thread: state THREAD_DEAD, never runs again. Gives one reference to its object to the scheduler, which drops it once the
 * thread's kernel stack is no longer in use (arch_thread_destroy is safe from the object's destructor then). */
noreturn void scheduler_exit(void);
/* The share at the top of all; threads of the root budget and of the kernel wait in it. */
extern struct share share_root;
/* As share_leave, with the scheduler's lock. */
void scheduler_share_leave(struct share *share);
/* Changes the priority of a thread in any state. */
void scheduler_set_priority(struct thread *thread, unsigned priority);
/* Changes the length of a thread's slices, SLICE_MIN to SLICE_MAX. */
void scheduler_set_slice(struct thread *thread, uint64_t nanoseconds);
/* On which processors a thread may run, bits by number (0: as before): the new ones, or -EINVAL: none of those runs. */
int64_t scheduler_set_processors(struct thread *thread, uint64_t mask) must_check;
/* A started kernel thread (process NULL), or NULL: no memory. It ends when function returns. */
struct thread *scheduler_kernel_thread(void (*function)(void *), void *argument, unsigned priority);
/* What the arch start code calls first on a processor: makes a thread of the boot context. */
struct processor;
void scheduler_processor_init(struct processor *processor);
/* Brings the current thread's run time and the processor's counters up to date. */
void scheduler_account(void);
noreturn void scheduler_start(void);           /* on the first processor, ends the boot thread */
#if PROCESSORS_MAX > 1
/* For the start of another processor: its idle thread, as current; on whose stack it calls scheduler_join. NULL: no memory. */
struct thread *scheduler_idle_create(struct processor *processor) must_check;
noreturn void scheduler_join(void);
/* Interrupt context: another processor wants this one to look at what is ready and at its thread's flags. */
void scheduler_poked(void);
#endif
/* Called by the arch code before every return to user mode when this processor's `attention` flag is set (or always): handles
 * preemption, kill, suspend, pending interrupts (upcalls). Defined in kernel/obj/thread.c; may not return (exit). */
struct arch_frame;
void thread_return_to_user(struct arch_frame *frame);

/* --- time --- */
uint64_t time_now(void);                       /* monotonic nanoseconds */
struct deadline { struct list link; uint64_t when; void (*expired)(struct deadline *); bool armed; uint32_t running; /* expired functions under way */ };
void deadline_set(struct deadline *deadline, uint64_t when, void (*expired)(struct deadline *)); /* re-arms if armed; expired runs in interrupt context */
bool deadline_cancel(struct deadline *deadline); /* true if it was armed. `expired` may be under way on another processor: deadline_settle */
/* Waits until no processor is in `expired`. Without any lock that it takes. After a cancel: the memory may go. */
void deadline_settle(const struct deadline *deadline);
void timer_interrupt(const struct arch_frame *frame); /* from the arch timer interrupt */
#endif
