/*
 * Timers: count expirations of a deadline on the monotonic clock, once or with a period, and are ready for reading while the count is not 0.
 * The calls also take a description of kind timer (timerfd).
 *
 * Lock: timer->lock (RANK_EVENT). The expiry runs in interrupt context; missed periods are counted, not replayed. Whoever looks at the count
 * first adds what has expired by then, so an interrupt that is still to come makes no difference. While a count waits to be taken there is nothing
 * new to tell, so a period goes on without interrupts until then (as Linux's timerfd does), and even then they are kept TIMER_INTERVAL_MIN apart:
 * many timers of short periods must not take the processor.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/description.h"
#include "kernel/obj/event.h"
#include "kernel/obj/handle.h"

struct timer {
	struct object object;
	struct spinlock lock;
	struct deadline deadline;
	uint64_t when, period, expirations; /* lock; when DEADLINE_NEVER: not armed */
	struct wait_queue waiters;          /* timer_wait */
};

#define TIMER_INTERVAL_MIN 10000u /* nanoseconds */

/* Locked. Counts what has expired by now. The deadline stays: it is due, and its interrupt tells whoever waits. */
static void timer_advance_locked(struct timer *timer)
{
	uint64_t now = time_now();

	if (timer->when > now)
		return;
	uint64_t count = 1;
	if (timer->period != 0) {
		count += (now - timer->when) / timer->period;
		if (__builtin_add_overflow(timer->when, count * timer->period, &timer->when))
			timer->when = DEADLINE_NEVER - 1;
	} else {
		timer->when = DEADLINE_NEVER;
	}
	timer->expirations += count;
}

static void timer_expired(struct deadline *deadline);

/* Locked. Has the next expiration told, if there is one. */
static void timer_arm_locked(struct timer *timer)
{
	if (timer->when != DEADLINE_NEVER && !timer->deadline.armed)
		deadline_set(&timer->deadline, max(timer->when, time_now() + TIMER_INTERVAL_MIN), timer_expired);
}

static void timer_expired(struct deadline *deadline)
{
	struct timer *timer = container_of(deadline, struct timer, deadline);

	spin_lock(&timer->lock);
	timer_advance_locked(timer);
	if (timer->expirations == 0)
		timer_arm_locked(timer);
	bool ready = timer->expirations != 0;
	if (ready)
		wait_wake_all(&timer->waiters, 0);
	spin_unlock(&timer->lock);
	if (ready)
		object_notify(&timer->object, READY_IN);
}

static uint32_t timer_ready(struct object *object)
{
	struct timer *timer = container_of(object, struct timer, object);

	spin_lock(&timer->lock);
	timer_advance_locked(timer);
	uint32_t ready = timer->expirations != 0 ? READY_IN : 0;
	spin_unlock(&timer->lock);
	return ready;
}

static void timer_destroy(struct object *object)
{
	struct timer *timer = container_of(object, struct timer, object);

	deadline_cancel(&timer->deadline);
	deadline_settle(&timer->deadline);
	heap_free(timer, sizeof(*timer));
}

static const struct object_operations timer_operations = {
	.kind = KIND_TIMER, .name = "timer", .destroy = timer_destroy, .ready = timer_ready,
};

int timer_wait(struct object *object, bool wait, uint64_t *expirations)
{
	struct timer *timer = container_of(object, struct timer, object);

	spin_lock(&timer->lock);
	timer_advance_locked(timer);
	while (timer->expirations == 0) {
		if (!wait) {
			spin_unlock(&timer->lock);
			return -EAGAIN;
		}
		int error = wait_on(&timer->waiters, &timer->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
		if (error)
			return error;
		spin_lock(&timer->lock);
		timer_advance_locked(timer);
	}
	*expirations = timer->expirations;
	timer->expirations = 0;
	timer_arm_locked(timer);
	spin_unlock(&timer->lock);
	return 0;
}

/* A timer's handle, or that of a description of one. 0 and *timer, with a reference to *object. */
static int timer_lookup(handle_t handle, uint32_t rights, struct object **object, struct timer **timer)
{
	int error = handle_lookup(handle, KIND_NONE, rights, object);

	if (error)
		return error;
	struct object *found = *object;
	if (found->operations->kind == KIND_DESCRIPTION && description_of_object(found)->kind == DESCRIPTION_TIMER)
		found = description_of_object(found)->event;
	if (found->operations->kind != KIND_TIMER) {
		object_unref(*object);
		return -EINVAL;
	}
	*timer = container_of(found, struct timer, object);
	return 0;
}

int64_t sys_timer_create(uint32_t options)
{
	if (options != 0)
		return -EINVAL;
	struct timer *timer = heap_alloc(sizeof(*timer));
	if (!timer)
		return -ENOMEM;
	object_init(&timer->object, &timer_operations);
	spin_init(&timer->lock, "timer", RANK_EVENT);
	list_init(&timer->deadline.link);
	wait_queue_init(&timer->waiters);
	timer->when = DEADLINE_NEVER;
	return handle_install_new(&timer->object, RIGHT_ALL, 0, HANDLE_HIGH);
}

int64_t sys_timer_set(handle_t handle, uint64_t when, uint64_t period)
{
	struct object *object;
	struct timer *timer;
	int error = timer_lookup(handle, RIGHT_WRITE, &object, &timer);

	if (error)
		return error;
	spin_lock(&timer->lock);
	timer->when = when;
	timer->period = period;
	timer->expirations = 0;
	if (when == DEADLINE_NEVER)
		deadline_cancel(&timer->deadline);
	else
		deadline_set(&timer->deadline, when, timer_expired);
	spin_unlock(&timer->lock);
	object_unref(object);
	return 0;
}

int64_t sys_timer_take(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_TIMER, RIGHT_READ, &object);

	if (error)
		return error;
	uint64_t count;
	error = timer_wait(object, false, &count);
	object_unref(object);
	return error ? error : (int64_t)count;
}

int64_t sys_timer_get(handle_t handle, user_t user_info)
{
	struct object *object;
	struct timer *timer;
	int error = timer_lookup(handle, RIGHT_READ, &object, &timer);

	if (error)
		return error;
	spin_lock(&timer->lock);
	timer_advance_locked(timer);
	struct timer_info info = { .deadline = timer->when, .period = timer->period, .expirations = timer->expirations };
	spin_unlock(&timer->lock);
	object_unref(object);
	return copy_to_user(user_info, &info, sizeof(info)) ? -EFAULT : 0;
}
