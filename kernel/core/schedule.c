/*
 * The scheduler: 32 fixed priorities, 0 the highest; among the ready threads of one priority budgets take turns, and within a budget its threads
 * (share.h), in slices, each thread's as long as thread_set_slice says (at first 10 ms): so what they get of the processor is in proportion, and a policy such
 * as Linux's nice values is the library's.
 * A slice is timed only while another thread of the same priority waits, so a thread that runs alone is interrupted by samples only.
 * A slice is processor time, not turns: a thread that sleeps goes on with the rest of its slice, and one that is handed the processor by a
 * call, a reply or a waker that goes to sleep goes on with the slice of the thread before it. So threads that wake or call each other without end do not starve the rest.
 *
 * A thread is on the run queue of its processor exactly while its state is THREAD_READY. The running thread is not on it.
 * schedule() with state THREAD_RUNNING puts the current thread back to the end of its queue; with any other state it leaves it to its waker.
 * A port may switch threads without coming here (kernel/ipc/port.h, the short way): the thread it switches to goes on with the slice of the one before, as
 * after any hand-off, so slices are timed from the last switch made here (switched_at, slice_before).
 * Time from one switch to the next is a thread's run time, in counts of arch_counter; how it is divided is sampled (usage.h), while the processor is not idle.
 * Lock: schedule_lock (RANK_SCHEDULER), for run queues and states.
 */
#include "kernel/core/schedule.h"
#include "arch/processor.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/process.h"

static struct spinlock schedule_lock = SPINLOCK_INIT("run queue", RANK_SCHEDULER);
struct share share_root;                      /* the run queues of the one processor */
static uint32_t ready_count[PRIORITY_COUNT];  /* threads in them */
uint32_t scheduler_ready;                     /* bit n: ready_count[n] is not 0 */
static bool preempt_wanted;
struct thread *scheduler_woken;               /* the last that became ready since the present thread runs: it is next when that sleeps */
static struct thread *exited;                 /* left the processor for ever; its reference is dropped by the next thread */
static uint64_t switched_at, slice_before;     /* when the scheduler last switched, and how much of the slice had been used then; counts */
static uint64_t slice_end;                    /* time at which the slice ends if no scheduling comes between; 0: to be worked out. A hand-off leaves it as it is */
uint64_t sample_at = UINT64_MAX;              /* when the running thread is looked at; never while the processor is idle */
static struct thread boot_thread;

/* --- run queues; schedule_lock held --- */

static void queue_add(struct thread *thread, bool first)
{
	thread->state = THREAD_READY;
	share_add(thread->queue, &thread->turn, first);
	ready_count[thread->priority]++;
	scheduler_ready |= 1u << thread->priority;
}

static void queue_remove(struct thread *thread)
{
	share_remove(&thread->turn);
	if (!--ready_count[thread->priority])
		scheduler_ready &= ~(1u << thread->priority);
}

static unsigned highest_ready(void)
{
	return scheduler_ready ? (unsigned)__builtin_ctz(scheduler_ready) : PRIORITY_COUNT;
}

static void attention(void)
{
	preempt_wanted = true;
	this_processor()->attention = 1;
}

/* Times the slice of the running thread. */
static void slice_time(const struct thread *running)
{
	if (running == this_processor()->idle || !ready_count[running->priority]) {
		quantum_end = UINT64_MAX; /* the slice goes on all the same: threads that wake and await each other would never come to its end */
		return;
	}
	if (!slice_end) {
		uint64_t used = arch_counter_span(slice_before);
		slice_end = arch_counter_time(switched_at) + running->slice - min(used, running->slice);
	}
	quantum_end = slice_end;
	timer_request(quantum_end);
}

/* The next thread. */
static struct thread *pick(void)
{
	unsigned best = highest_ready();
	scheduler_woken = NULL;
	if (best == PRIORITY_COUNT)
		return this_processor()->idle;
	struct thread *target = container_of(share_pick(&share_root.queue[best]), struct thread, turn);
	queue_remove(target);
	return target;
}

/* --- switching --- */

/* True: it has used up its budget's turn, or one above. */
static bool account(struct processor *processor, struct thread *thread)
{
	uint64_t now = arch_counter(), passed = now - switched_at;
	thread->usage.run_time += now - processor->counter_mark;
	processor->counter_mark = now;
	slice_before += passed;
	switched_at = now;
	return share_account(thread->queue, arch_counter_span(passed), thread->slice);
}

void scheduler_account(void)
{
	spin_lock(&schedule_lock);
	(void)account(this_processor(), thread_current()); /* a turn that is over is seen at the next switch */
	spin_unlock(&schedule_lock);
}

void scheduler_share_leave(struct share *share)
{
	spin_lock(&schedule_lock);
	share_leave(share);
	spin_unlock(&schedule_lock);
}

static __attribute__((noinline)) void exited_drop(void)
{
	struct thread *gone = exited;
	exited = NULL;
	if (gone->object.operations)
		object_unref(&gone->object);
	else {
		arch_thread_destroy(gone);
		heap_free(gone, sizeof(*gone));
	}
}

/* On the new thread's stack. */
static inline void switch_finish(void)
{
	if (exited)
		exited_drop();
	struct thread *current = thread_current();
	if (current->kill_pending || current->suspend_pending || current->interrupt_pending)
		this_processor()->attention = 1;
}

/* From the port's first-run code. */
void thread_first_run(void);
void thread_first_run(void)
{
	switch_finish();
}

/* The processor is not idle any more. */
static void sampling_begin(void)
{
	if (sample_at == UINT64_MAX) {
		sample_at = arch_counter_time(switched_at) + SAMPLE_NANOSECONDS;
		timer_request(sample_at);
	}
}

/* Gives the processor to the next thread. If the current one still runs it goes to the front or the end of its queue. */
static void switch_away(bool front)
{
	struct processor *processor = this_processor();
	struct thread *from = processor->current;
	spin_lock(&schedule_lock);
	preempt_wanted = false;
	bool over = account(processor, from);
	from->slice_used = slice_before;
	if (from->state == THREAD_RUNNING && from != processor->idle) {
		if (!front)
			from->slice_used = 0;
		queue_add(from, front);
	}
	if (over)
		share_rotate(from->queue, from->slice, false);
	bool asleep = from->state == THREAD_SLEEPING;
	struct thread *to = pick();
	to->state = THREAD_RUNNING;
	slice_before = to->slice_used;
	slice_end = 0;
	slice_time(to);
	spin_unlock(&schedule_lock);
	if (to == from)
		return;
	if (asleep)
		from->usage.waits++;
	else
		from->usage.preemptions++;
	if (from == processor->idle)
		sampling_begin();
	trace(TRACE_SWITCH, to->number, to->process, from->state == THREAD_SLEEPING ? TRACE_SWITCH_SLEEPS :
		from->state == THREAD_DEAD ? TRACE_SWITCH_ENDS : TRACE_SWITCH_PREEMPTED, 0, 0, 0);
	processor->current = to;
	processor->switches++;
	arch_context_switch(from, to);
	switch_finish();
}

void scheduler_sample(const struct arch_frame *frame, uint64_t now)
{
	struct thread *current = thread_current();
	if (current == this_processor()->idle) {
		sample_at = UINT64_MAX;
		return;
	}
	if (!arch_frame_from_user(frame) || arch_frame_after_call(frame) || process_in_library(current->process, arch_frame_instruction(frame)))
		current->usage.system_samples++;
	else
		current->usage.user_samples++;
	sample_at = now + SAMPLE_NANOSECONDS;
}

/*
 * The processor goes straight to `to`, which is on no queue any more; it goes on with the slice of the current thread, which sleeps. schedule_lock is held, and
 * given up.
 */
static inline __attribute__((always_inline)) void hand(struct processor *processor, struct thread *from, struct thread *to)
{
	preempt_wanted = false;
	scheduler_woken = NULL;
	from->slice_used = slice_before;
	if (from->slice != to->slice)
		slice_end = 0;
	to->state = THREAD_RUNNING;
	if (scheduler_ready || quantum_end != UINT64_MAX)
		slice_time(to);
	spin_unlock(&schedule_lock);
	trace(TRACE_SWITCH, to->number, to->process, TRACE_SWITCH_SLEEPS, 0, 0, 0);
	from->usage.waits++;
	processor->current = to;
	processor->switches++;
	arch_context_switch(from, to);
	switch_finish();
}

void schedule_hand(struct thread *to)
{
	struct processor *processor = this_processor();
	struct thread *from = processor->current;
	if (highest_ready() < to->priority) {
		thread_ready(to);
		switch_away(false);
		return;
	}
	trace(TRACE_READY, to->number, 0, 0, 0, 0, 0);
	spin_lock(&schedule_lock);
	(void)account(processor, from); /* a turn that is over goes on, like the slice, until the scheduler is asked */
	hand(processor, from, to);
}

void schedule(void)
{
	struct processor *processor = this_processor();
	struct thread *from = processor->current, *to = scheduler_woken;
	/* A thread that goes to sleep hands the processor to what it woke, so a server that waits for many things gets its caller's processor, and the caller
	   the server's, as on a port. */
	if (from->state != THREAD_SLEEPING || !to || to->state != THREAD_READY || to->priority > highest_ready() || from == processor->idle) {
		switch_away(false);
		return;
	}
	spin_lock(&schedule_lock);
	queue_remove(to);
	if (account(processor, from))
		share_rotate(from->queue, from->slice, false);
	hand(processor, from, to);
}

void scheduler_forget_woken(void)
{
	scheduler_woken = NULL;
}

void scheduler_yield(void)
{
	struct thread *current = thread_current();
	if (!scheduler_ready)
		return;
	spin_lock(&schedule_lock);
	share_rotate(current->queue, current->slice, true);
	spin_unlock(&schedule_lock);
	switch_away(false);
}

void scheduler_preempt(void)
{
	if (!preempt_wanted)
		return;
	struct thread *current = thread_current();
	bool over = arch_counter_span(slice_before + (arch_counter() - switched_at)) >= current->slice;
	if (current != this_processor()->idle && highest_ready() > current->priority) {
		preempt_wanted = false;
		return;
	}
	if (!over && highest_ready() == current->priority) {
		/* handed over by the short way, the slice is one of another length */
		preempt_wanted = false;
		spin_lock(&schedule_lock);
		slice_end = 0;
		slice_time(current);
		spin_unlock(&schedule_lock);
		return;
	}
	switch_away(!over); /* displaced by a higher one it keeps its turn */
}

void scheduler_quantum_ended(void)
{
	attention();
}

void thread_ready(struct thread *thread)
{
	struct thread *current = thread_current();
	trace(TRACE_READY, thread->number, 0, 0, 0, 0, 0);
	spin_lock(&schedule_lock);
	assert(thread->state != THREAD_READY && thread->state != THREAD_RUNNING && thread->state != THREAD_DEAD);
	queue_add(thread, false);
	scheduler_woken = thread;
	if (current->state == THREAD_RUNNING && current != this_processor()->idle) { /* the idle loop looks by itself */
		if (thread->priority < current->priority)
			attention();
		else if (thread->priority == current->priority && quantum_end == UINT64_MAX)
			slice_time(current);
	}
	spin_unlock(&schedule_lock);
}

void scheduler_set_priority(struct thread *thread, unsigned priority)
{
	priority = min(priority, PRIORITY_COUNT - 1);
	spin_lock(&schedule_lock);
	bool ready = thread->state == THREAD_READY;
	if (ready)
		queue_remove(thread);
	thread->queue += (int)priority - (int)thread->priority; /* of the same share */
	thread->priority = (uint8_t)priority;
	if (ready)
		queue_add(thread, false);
	if (highest_ready() < thread_current()->priority)
		attention();
	spin_unlock(&schedule_lock);
}

void scheduler_set_slice(struct thread *thread, uint64_t nanoseconds)
{
	spin_lock(&schedule_lock);
	thread->slice = nanoseconds;
	slice_end = 0;
	if (thread == thread_current())
		slice_time(thread);
	spin_unlock(&schedule_lock);
}

void scheduler_exit(void)
{
	struct thread *current = thread_current();
	assert(!exited);
	current->state = THREAD_DEAD;
	exited = current;
	schedule();
	panic("thread %lu ran after its end", current->number);
}

/* --- kernel threads, start --- */

static struct thread *kernel_thread_make(void (*function)(void *), void *argument, unsigned priority)
{
	struct thread *thread = heap_alloc(sizeof(*thread));
	if (!thread)
		return NULL;
	list_init(&thread->turn.link);
	thread->queue = &share_root.queue[priority];
	list_init(&thread->wait_link);
	list_init(&thread->process_link);
	list_init(&thread->wait_deadline.link);
	thread->priority = (uint8_t)priority;
	thread->slice = SLICE_DEFAULT;
	thread->state = THREAD_NEW;
	if (arch_kernel_thread_init(thread, function, argument)) {
		heap_free(thread, sizeof(*thread));
		return NULL;
	}
	return thread;
}

struct thread *scheduler_kernel_thread(void (*function)(void *), void *argument, unsigned priority)
{
	struct thread *thread = kernel_thread_make(function, argument, priority);
	if (thread)
		thread_ready(thread);
	return thread;
}

/* The idle loop is the one place where the kernel is interruptible. */
static void idle_loop(void *argument)
{
	(void)argument;
	for (;;) {
		while (scheduler_ready)
			schedule();
		arch_wait_for_interrupt();
	}
}

void scheduler_processor_init(struct processor *processor)
{
	share_init(&share_root, NULL);
	boot_thread.priority = PRIORITY_DEFAULT;
	boot_thread.slice = SLICE_DEFAULT;
	boot_thread.state = THREAD_RUNNING;
	boot_thread.queue = &share_root.queue[PRIORITY_DEFAULT];
	list_init(&boot_thread.turn.link);
	list_init(&boot_thread.wait_link);
	processor->current = &boot_thread;
}

void scheduler_start(void)
{
	struct thread *idle = kernel_thread_make(idle_loop, NULL, PRIORITY_COUNT - 1);
	if (!idle)
		panic("no memory for the idle thread");
	this_processor()->idle = idle;
	switched_at = this_processor()->counter_mark = arch_counter();
	this_processor()->busy_since = time_now();
	sampling_begin();
	thread_current()->state = THREAD_DEAD; /* the boot stack is never used again */
	schedule();
	panic("the boot thread ran after its end");
}
