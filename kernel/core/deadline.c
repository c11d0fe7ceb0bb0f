/*
 * Deadlines: a list sorted by time, and each processor's one-shot timer. A timer is only ever moved to an earlier time here; when it fires
 * too early (what it was set for is gone), timer_interrupt sets it for what is left. The list is one: each deadline was asked for by the timer of the processor that
 * set it, or by one that fires earlier and then asks for what is left, and whichever fires first does all that is due.
 * Lock: timers_lock (RANK_TIMERS); it is not held while an expired function runs, so that may set deadlines and wake threads.
 */
#include "arch/processor.h"
#include "kernel/core/lock.h"
#include "kernel/core/processors.h"
#include "kernel/core/schedule.h"
#include "kernel/core/wait.h"

static struct spinlock timers_lock = SPINLOCK_INIT("timers", RANK_TIMERS);
static struct list deadlines = { &deadlines, &deadlines };
static uint64_t timer_set[PROCESSORS_MAX] = { [0 ... PROCESSORS_MAX - 1] = UINT64_MAX }; /* what the timer is set to fire at */
uint64_t quantum_end[PROCESSORS_MAX] = { [0 ... PROCESSORS_MAX - 1] = UINT64_MAX };

uint64_t time_now(void)
{
	return arch_time_now();
}

void timer_request(uint64_t when)
{
	unsigned here = processor_number();
	if (when < timer_set[here]) {
		timer_set[here] = when;
		arch_timer_set(when);
	}
}

void deadline_set(struct deadline *deadline, uint64_t when, void (*expired)(struct deadline *))
{
	spin_lock(&timers_lock);
	if (deadline->armed)
		list_remove(&deadline->link);
	deadline->armed = when != DEADLINE_NEVER;
	deadline->when = when;
	deadline->expired = expired;
	if (deadline->armed) {
		struct list *position = deadlines.previous; /* from the end: most are later than what is there */
		while (position != &deadlines && list_entry(position, struct deadline, link)->when > when)
			position = position->previous;
		list_insert_before(position->next, &deadline->link);
		timer_request(when);
	} else {
		list_init(&deadline->link);
	}
	spin_unlock(&timers_lock);
}

bool deadline_cancel(struct deadline *deadline)
{
	if (!__atomic_load_n(&deadline->armed, __ATOMIC_ACQUIRE)) /* only its owner arms it */
		return false;
	spin_lock(&timers_lock);
	bool armed = deadline->armed;
	if (armed)
		list_remove(&deadline->link);
	deadline->armed = false;
	spin_unlock(&timers_lock);
	return armed;
}

void deadline_settle(const struct deadline *deadline)
{
	if (PROCESSORS_MAX > 1)
		while (__atomic_load_n(&deadline->running, __ATOMIC_ACQUIRE))
			processors_poll();
}

void timer_interrupt(const struct arch_frame *frame)
{
	unsigned here = processor_number();
	uint64_t now = time_now();
	spin_lock(&timers_lock);
	timer_set[here] = UINT64_MAX;
	while (!list_empty(&deadlines)) {
		struct deadline *first = list_first(&deadlines, struct deadline, link);
		if (first->when > now)
			break;
		list_remove(&first->link);
		if (PROCESSORS_MAX > 1) /* before it is seen disarmed */
			__atomic_add_fetch(&first->running, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&first->armed, false, __ATOMIC_RELEASE);
		void (*expired)(struct deadline *) = first->expired; /* its owner may set it again from here on */
		spin_unlock(&timers_lock);
		expired(first);
		if (PROCESSORS_MAX > 1) /* the last that is done with it: who settles may free it now */
			__atomic_sub_fetch(&first->running, 1, __ATOMIC_RELEASE);
		spin_lock(&timers_lock);
	}
	if (!list_empty(&deadlines))
		timer_request(list_first(&deadlines, struct deadline, link)->when);
	spin_unlock(&timers_lock);
	if (sample_at[here] <= now)
		scheduler_sample(frame, now);
	if (sample_at[here] != UINT64_MAX)
		timer_request(sample_at[here]);
	if (quantum_end[here] <= now)
		scheduler_quantum_ended();
	else if (quantum_end[here] != UINT64_MAX)
		timer_request(quantum_end[here]);
}
