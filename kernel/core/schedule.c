/*
 * The scheduler: 32 fixed priorities, 0 the highest; among the ready threads of one priority budgets take turns, and within a budget its threads
 * (share.h), in slices, each thread's as long as thread_set_slice says (at first 10 ms): so what they get of the processor is in proportion, and a policy such
 * as Linux's nice values is the library's.
 * A slice is timed only while another thread of the same priority waits, so a thread that runs alone is interrupted by samples only.
 * A slice is processor time, not turns: a thread that sleeps goes on with the rest of its slice, and one that is handed the processor by a
 * call, a reply or a waker that goes to sleep goes on with the slice of the thread before it. So threads that wake or call each other without end do not starve the rest.
 *
 * A thread is on the run queue exactly while its state is THREAD_READY. A running thread is not on it.
 * schedule() with state THREAD_RUNNING puts the current thread back to the end of its queue; with any other state it leaves it to its waker.
 * A port may switch threads without coming here (kernel/ipc/port.h, the short way): the thread it switches to goes on with the slice of the one before, as
 * after any hand-off, so slices are timed from the last switch made here (switched_at, slice_before).
 * Time from one switch to the next is a thread's run time, in counts of arch_counter; how it is divided is sampled (usage.h), while the processor is not idle.
 * Several processors share the run queues, because it is the whole machine that budgets divide: a processor that becomes free takes what is most urgent, and a thread
 * that becomes ready goes to one that is idle (the one it ran on last, if that is), else to the one that runs the least urgent thread, if that is less urgent.
 * A thread that may run on some processors only (thread_set_processors) is passed over by the others.
 * One that goes to sleep may be woken by another processor before it has given up its own; that is only noted (woken) and it goes on. Once its processor has
 * decided for another thread, the next one may pick it up, but waits until its stack is left (on_stack). That processor waits only for ones that decided
 * before it did, and takes no lock meanwhile, so no circle of waiting comes about.
 * Lock: schedule_lock (RANK_SCHEDULER), for run queues, states, and which thread is current on each processor.
 * Model: tests/model/hand.pml.
 */
#include "kernel/core/schedule.h"
#include "arch/processor.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/core/wait.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/process.h"

static struct spinlock schedule_lock = SPINLOCK_INIT("run queue", RANK_SCHEDULER);
struct share share_root;                      /* the run queues */
static uint32_t ready_count[PRIORITY_COUNT];  /* threads in them */
uint32_t scheduler_ready;                     /* bit n: ready_count[n] is not 0 */
struct thread *scheduler_woken[PROCESSORS_MAX]; /* the last that became ready since the present thread runs: it is next when that sleeps */
uint64_t sample_at[PROCESSORS_MAX] = { [0 ... PROCESSORS_MAX - 1] = UINT64_MAX }; /* when the running thread is looked at; never while the processor is idle */
/* What else belongs to a processor */
static struct local {
	bool preempt_wanted;
	struct thread *exited;                /* left the processor for ever; its reference is dropped by the next thread */
	struct thread *previous;              /* several processors: whose stack was just left */
	uint64_t switched_at, slice_before;   /* when the scheduler last switched, and how much of the slice had been used then; counts */
	uint64_t slice_end;                   /* time at which the slice ends if no scheduling comes between; 0: to be worked out. A hand-off leaves it as it is */
} locals[PROCESSORS_MAX];
static struct thread boot_thread;

static inline struct local *local(void) { return &locals[processor_number()]; }

#if PROCESSORS_MAX > 1
static uint32_t idle_processors;              /* bits of those that halt or are about to, and were not told of a thread */
#endif

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
	local()->preempt_wanted = true;
	this_processor()->attention = 1;
}

/* The thread was taken out of the run queue: nobody hands it the processor any more. */
static inline void woken_forget(const struct thread *thread)
{
	for (unsigned i = 0; PROCESSORS_MAX > 1 && i < processors_running; i++)
		if (scheduler_woken[i] == thread)
			scheduler_woken[i] = NULL;
	(void)thread;
}

/* A thread that is not running is given up by its processor: its next one may take it. */
static inline bool given_up(const struct thread *thread)
{
	return !processors_several() || processor_of(thread->processor)->current != thread;
}

/* Times the slice of the running thread. */
static void slice_time(const struct thread *running)
{
	uint64_t *end = &quantum_end[processor_number()];
	struct local *here = local();
	if (running == this_processor()->idle || !ready_count[running->priority]) {
		*end = UINT64_MAX; /* the slice goes on all the same: threads that wake and await each other would never come to its end */
		return;
	}
	if (!here->slice_end) {
		uint64_t used = arch_counter_span(here->slice_before);
		here->slice_end = arch_counter_time(here->switched_at) + running->slice - min(used, running->slice);
	}
	*end = here->slice_end;
	timer_request(*end);
}

#if PROCESSORS_MAX > 1
static inline bool allowed(const struct thread *thread, unsigned number)
{
	return !processors_several() || thread->processors & processor_bit(number);
}

/* The first in the order of turns, below the queue, that may run on the processor, or NULL. Budgets are at most 16 deep. */
static struct thread *allowed_below(const struct share_queue *queue, unsigned number)
{
	struct turn *turn;
	list_for_each(turn, &queue->ready, link) {
		struct thread *thread = turn->queue ? allowed_below(turn->queue, number) : container_of(turn, struct thread, turn);
		if (thread && allowed(thread, number))
			return thread;
	}
	return NULL;
}

/* The most urgent ready thread that may run on the processor, or NULL. */
static struct thread *allowed_first(unsigned number)
{
	for (uint32_t rest = scheduler_ready; rest; rest &= rest - 1) {
		struct thread *thread = allowed_below(&share_root.queue[__builtin_ctz(rest)], number);
		if (thread)
			return thread;
	}
	return NULL;
}
#else
static inline bool allowed(const struct thread *thread, unsigned number) { (void)thread, (void)number; return true; }
static inline struct thread *allowed_first(unsigned number) { (void)number; return NULL; }
#endif

/* The next thread. */
static struct thread *pick(void)
{
	unsigned best = highest_ready();
	scheduler_woken[processor_number()] = NULL;
	if (best == PRIORITY_COUNT)
		return this_processor()->idle;
	struct thread *target = container_of(share_pick(&share_root.queue[best]), struct thread, turn);
	if (!allowed(target, processor_number()) && !(target = allowed_first(processor_number())))
		return this_processor()->idle;
	queue_remove(target);
	woken_forget(target);
	return target;
}

/* --- switching --- */

/* True: it has used up its budget's turn, or one above. */
static bool account(struct processor *processor, struct thread *thread)
{
	struct local *here = local();
	uint64_t now = arch_counter(), passed = now - here->switched_at;
	thread->usage.run_time += now - processor->counter_mark;
	processor->counter_mark = now;
	here->slice_before += passed;
	here->switched_at = now;
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
	struct thread *gone = local()->exited;
	local()->exited = NULL;
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
	struct local *here = local();
	if (processors_several() && here->previous) {
		/* release: all of that stack's last use comes before its next */
		__atomic_store_n(&here->previous->on_stack, false, __ATOMIC_RELEASE);
		here->previous = NULL;
	}
	if (here->exited)
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
	uint64_t *at = &sample_at[processor_number()];
	if (*at == UINT64_MAX) {
		*at = arch_counter_time(local()->switched_at) + SAMPLE_NANOSECONDS;
		timer_request(*at);
	}
}

/* Scheduler's lock held. */
static inline void processor_take(struct processor *processor, struct thread *to)
{
	if (PROCESSORS_MAX > 1)
		to->processor = (uint8_t)processor->number;
	processor->current = to;
	processor->switches++;
}

/* The processor was decided to go from one thread to another; the lock is released. Returns when `from` runs again, perhaps elsewhere. */
static inline void stack_switch(struct thread *from, struct thread *to)
{
	if (processors_several()) {
		while (__atomic_load_n(&to->on_stack, __ATOMIC_ACQUIRE))
			processors_poll();
		to->on_stack = true;
		local()->previous = from;
	}
	arch_context_switch(from, to);
	switch_finish();
}

#if PROCESSORS_MAX > 1
/* Scheduler's lock held: `from` is on its way to sleep, but was woken meanwhile; it goes on. */
static bool woken_early(struct thread *from)
{
	if (!from->woken)
		return false;
	from->woken = false;
	from->state = THREAD_RUNNING;
	return true;
}
#else
static inline bool woken_early(struct thread *from) { (void)from; return false; }
#endif

#if PROCESSORS_MAX > 1
/*
 * Several processors run, and a thread has become ready: which of them shall look at the run queues? Scheduler's lock held. Whoever is told may find that another
 * was faster; a processor that is not told anything looks when its thread sleeps or its slice ends.
 */
static void processor_tell(const struct thread *thread)
{
	struct processor *me = this_processor(), *least = NULL;
	uint32_t idle = idle_processors & thread->processors;
	if (idle) {
		unsigned number = idle & processor_bit(thread->processor) ? thread->processor : (unsigned)__builtin_ctz(idle);
		idle_processors &= ~processor_bit(number);
		if (number != me->number) /* else it is in the idle loop's interrupt, and looks by itself */
			arch_processor_poke(processor_of(number));
		return;
	}
	for (unsigned i = 0; i < processors_running; i++) {
		struct processor *processor = processor_of(i);
		/* an idle one is about to look by itself, or has been told of another thread */
		unsigned priority = processor->current == processor->idle ? 0 : processor->current->priority;
		if (allowed(thread, i) && priority > thread->priority && (!least || priority > least->current->priority))
			least = processor;
	}
	if (least == me)
		attention();
	else if (least)
		arch_processor_poke(least);
	for (unsigned i = 0; !least && i < processors_running; i++) {
		struct processor *processor = processor_of(i);
		if (processor->current == processor->idle || processor->current->priority != thread->priority || quantum_end[i] != UINT64_MAX || !allowed(thread, i))
			continue;
		if (processor != me)
			arch_processor_poke(processor); /* its thread's slice is timed from now on */
		else if (me->current->state == THREAD_RUNNING)
			slice_time(me->current);
	}
}
#else
static inline void processor_tell(const struct thread *thread) { (void)thread; }
#endif

/* Gives the processor to the next thread. If the current one still runs it goes to the front or the end of its queue. */
static void switch_away(bool front)
{
	struct processor *processor = this_processor();
	struct thread *from = processor->current;
	struct local *here = local();
	spin_lock(&schedule_lock);
	if (woken_early(from)) {
		spin_unlock(&schedule_lock);
		return;
	}
	here->preempt_wanted = false;
	bool over = account(processor, from);
	from->slice_used = here->slice_before;
	if (from->state == THREAD_RUNNING && from != processor->idle) {
		if (!front)
			from->slice_used = 0;
		queue_add(from, front);
	}
	if (over)
		share_rotate(from->queue, from->slice, false);
	bool asleep = from->state == THREAD_SLEEPING;
	struct thread *to = pick();
	if (from->state == THREAD_READY && !allowed(from, processor->number))
		processor_tell(from);
	to->state = THREAD_RUNNING;
	here->slice_before = to->slice_used;
	here->slice_end = 0;
	slice_time(to);
	if (to == from) {
		spin_unlock(&schedule_lock);
		return;
	}
	if (asleep)
		from->usage.waits++;
	else
		from->usage.preemptions++;
	if (from == processor->idle) {
#if PROCESSORS_MAX > 1
		idle_processors &= ~processor_bit(processor->number);
#endif
		sampling_begin();
	}
	trace(TRACE_SWITCH, to->number, to->process, asleep ? TRACE_SWITCH_SLEEPS :
		from->state == THREAD_DEAD ? TRACE_SWITCH_ENDS : TRACE_SWITCH_PREEMPTED, 0, 0, 0);
	processor_take(processor, to);
	spin_unlock(&schedule_lock);
	stack_switch(from, to);
}

void scheduler_sample(const struct arch_frame *frame, uint64_t now)
{
	struct thread *current = thread_current();
	if (current == this_processor()->idle) {
		sample_at[processor_number()] = UINT64_MAX;
		return;
	}
	if (processors_several()) /* others may ask for the time of a thread that never leaves its processor */
		scheduler_account();
	if (!arch_frame_from_user(frame) || arch_frame_after_call(frame) || process_in_library(current->process, arch_frame_instruction(frame)))
		current->usage.system_samples++;
	else
		current->usage.user_samples++;
	sample_at[processor_number()] = now + SAMPLE_NANOSECONDS;
}

/*
 * The processor goes straight to `to`, which is on no queue any more; it goes on with the slice of the current thread, which sleeps. schedule_lock is held, and
 * given up.
 */
static inline __attribute__((always_inline)) void hand(struct processor *processor, struct thread *from, struct thread *to)
{
	struct local *here = local();
	here->preempt_wanted = false;
	scheduler_woken[processor_number()] = NULL;
	from->slice_used = here->slice_before;
	if (from->slice != to->slice)
		here->slice_end = 0;
	to->state = THREAD_RUNNING;
	if (scheduler_ready || quantum_end[processor_number()] != UINT64_MAX)
		slice_time(to);
	trace(TRACE_SWITCH, to->number, to->process, TRACE_SWITCH_SLEEPS, 0, 0, 0);
	from->usage.waits++;
	processor_take(processor, to);
	spin_unlock(&schedule_lock);
	stack_switch(from, to);
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
	if (PROCESSORS_MAX > 1 && (from->woken || !given_up(to) || !allowed(to, processor_number()))) {
		spin_unlock(&schedule_lock);
		thread_ready(to);
		switch_away(false);
		return;
	}
	(void)account(processor, from); /* a turn that is over goes on, like the slice, until the scheduler is asked */
	hand(processor, from, to);
}

void schedule(void)
{
	struct processor *processor = this_processor();
	struct thread *from = processor->current;
	spin_lock(&schedule_lock);
	struct thread *to = scheduler_woken[processor_number()];
	/* A thread that goes to sleep hands the processor to what it woke, so a server that waits for many things gets its caller's processor, and the caller
	   the server's, as on a port. */
	if (from->state != THREAD_SLEEPING || !to || to->state != THREAD_READY || to->priority > highest_ready() || from == processor->idle ||
		(PROCESSORS_MAX > 1 && (from->woken || !allowed(to, processor_number())))) {
		spin_unlock(&schedule_lock);
		switch_away(false);
		return;
	}
	queue_remove(to);
	woken_forget(to);
	if (account(processor, from))
		share_rotate(from->queue, from->slice, false);
	hand(processor, from, to);
}

void scheduler_forget_woken(void)
{
	scheduler_woken[processor_number()] = NULL;
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
	struct local *here = local();
	if (!here->preempt_wanted)
		return;
	struct thread *current = thread_current();
	if (!allowed(current, processor_number()) && current != this_processor()->idle) {
		switch_away(true);
		return;
	}
	bool over = arch_counter_span(here->slice_before + (arch_counter() - here->switched_at)) >= current->slice;
	if (current != this_processor()->idle && highest_ready() > current->priority) {
		here->preempt_wanted = false;
		return;
	}
	if (!over && highest_ready() == current->priority) {
		/* handed over by the short way, the slice is one of another length */
		here->preempt_wanted = false;
		spin_lock(&schedule_lock);
		here->slice_end = 0;
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

#if PROCESSORS_MAX > 1
void scheduler_poked(void)
{
	struct thread *current = thread_current();
	spin_lock(&schedule_lock);
	if (current != this_processor()->idle) {
		if (highest_ready() < current->priority || !allowed(current, processor_number()))
			attention();
		else if (highest_ready() == current->priority && quantum_end[processor_number()] == UINT64_MAX)
			slice_time(current);
	}
	spin_unlock(&schedule_lock);
	if (current->kill_pending || current->suspend_pending || current->interrupt_pending)
		this_processor()->attention = 1;
}
#endif

void thread_ready(struct thread *thread)
{
	struct thread *current = thread_current();
	trace(TRACE_READY, thread->number, 0, 0, 0, 0, 0);
	spin_lock(&schedule_lock);
	assert(thread->state != THREAD_READY && thread->state != THREAD_RUNNING && thread->state != THREAD_DEAD);
	if (!given_up(thread)) {
		thread->woken = true;
		spin_unlock(&schedule_lock);
		return;
	}
	queue_add(thread, false);
	scheduler_woken[processor_number()] = thread;
	if (processors_several())
		processor_tell(thread);
	else if (current->state == THREAD_RUNNING && current != this_processor()->idle) { /* the idle loop looks by itself */
		if (thread->priority < current->priority)
			attention();
		else if (thread->priority == current->priority && quantum_end[processor_number()] == UINT64_MAX)
			slice_time(current);
	}
	spin_unlock(&schedule_lock);
}

/* The processor that runs the thread, another one, looks at the run queues and the thread's flags. Scheduler's lock held. */
static inline void processor_look(const struct thread *thread)
{
#if PROCESSORS_MAX > 1
	arch_processor_poke(processor_of(thread->processor));
#else
	(void)thread;
#endif
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
	if (ready && processors_several())
		processor_tell(thread);
	if (highest_ready() < thread_current()->priority)
		attention();
	else if (!given_up(thread) && thread != thread_current() && highest_ready() < thread->priority)
		processor_look(thread);
	spin_unlock(&schedule_lock);
}

void scheduler_draw_attention(struct thread *thread)
{
	if (thread == thread_current()) {
		this_processor()->attention = 1;
	} else if (processors_several()) {
		/* Its flag was set before. A processor that takes it from now on, under this lock, sees that in switch_finish. */
		spin_lock(&schedule_lock);
		if (!given_up(thread))
			processor_look(thread);
		spin_unlock(&schedule_lock);
	}
}

void scheduler_leave_process(void)
{
	struct thread *current = thread_current();
	spin_lock(&schedule_lock);
	current->queue = &share_root.queue[current->priority];
	spin_unlock(&schedule_lock);
}

void scheduler_set_slice(struct thread *thread, uint64_t nanoseconds)
{
	spin_lock(&schedule_lock);
	thread->slice = nanoseconds;
	if (thread == thread_current()) { /* one that runs on another processor has the new length from its next slice on */
		local()->slice_end = 0;
		slice_time(thread);
	}
	spin_unlock(&schedule_lock);
}

int64_t scheduler_set_processors(struct thread *thread, uint64_t mask)
{
	uint64_t running = ~0ul >> (64 - processors_running);
	if (mask && !(mask & running))
		return -EINVAL;
	spin_lock(&schedule_lock);
	if (mask)
		thread->processors = (uint32_t)(mask & running);
	mask = thread->processors & running;
	if (thread->state == THREAD_READY && processors_several())
		processor_tell(thread);
	else if (!given_up(thread) && !allowed(thread, thread->processor)) {
		if (thread == thread_current())
			attention();
		else
			processor_look(thread);
	}
	spin_unlock(&schedule_lock);
	return (int64_t)mask;
}

void scheduler_exit(void)
{
	struct thread *current = thread_current();
	assert(!local()->exited);
	current->state = THREAD_DEAD;
	local()->exited = current;
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
	thread->processors = UINT32_MAX;
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

/* Nothing is ready: the processor may halt until it is interrupted, and is known to. False: look again. */
static inline bool idle_begin(void)
{
#if PROCESSORS_MAX > 1
	spin_lock(&schedule_lock);
	bool nothing = !scheduler_ready || !allowed_first(processor_number());
	if (nothing)
		idle_processors |= processor_bit(processor_number());
	spin_unlock(&schedule_lock);
	return nothing;
#else
	return !scheduler_ready;
#endif
}

/* The idle loop is the one place where the kernel is interruptible. */
static void idle_loop(void *argument)
{
	(void)argument;
	for (;;) {
		if (idle_begin())
			arch_wait_for_interrupt();
		else
			schedule();
	}
}

#if PROCESSORS_MAX > 1
struct thread *scheduler_idle_create(struct processor *processor)
{
	struct thread *idle = kernel_thread_make(idle_loop, NULL, PRIORITY_COUNT - 1);
	if (!idle)
		return NULL;
	idle->state = THREAD_RUNNING;
	idle->on_stack = true;
	idle->processor = (uint8_t)processor->number;
	processor->idle = processor->current = idle;
	return idle;
}

void scheduler_join(void)
{
	local()->switched_at = this_processor()->counter_mark = arch_counter();
	this_processor()->busy_since = time_now();
	idle_loop(NULL);
	panic("the idle loop ended");
}
#endif

void scheduler_processor_init(struct processor *processor)
{
	share_init(&share_root, NULL);
	boot_thread.priority = PRIORITY_DEFAULT;
	boot_thread.slice = SLICE_DEFAULT;
	boot_thread.processors = UINT32_MAX;
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
	local()->switched_at = this_processor()->counter_mark = arch_counter();
	this_processor()->busy_since = time_now();
	sampling_begin();
	thread_current()->state = THREAD_DEAD; /* the boot stack is never used again */
	schedule();
	panic("the boot thread ran after its end");
}
