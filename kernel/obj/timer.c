/*
 * Timers: count expirations of a deadline on the monotonic clock, once or with a period, and are ready for reading while the count is not 0.
 *
 * Lock: timer->lock (RANK_EVENT). The expiry runs in interrupt context; missed periods are counted, not replayed.
 */
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/wait.h"
#include "kernel/obj/handle.h"

struct timer {
	struct object object;
	struct spinlock lock;
	struct deadline deadline;
	uint64_t when, period, expirations; /* lock */
};

#define TIMER_PERIOD_MIN 10000u /* nanoseconds: a shorter period would only make interrupts */

static void timer_expired(struct deadline *deadline)
{
	struct timer *timer = container_of(deadline, struct timer, deadline);
	uint64_t now = time_now();

	spin_lock(&timer->lock);
	if (timer->when > now) { /* set anew meanwhile */
		spin_unlock(&timer->lock);
		return;
	}
	uint64_t count = 1;
	if (timer->period != 0) {
		count += (now - timer->when) / timer->period;
		timer->when += count * timer->period;
		deadline_set(&timer->deadline, timer->when, timer_expired);
	} else {
		timer->when = DEADLINE_NEVER;
	}
	timer->expirations += count;
	spin_unlock(&timer->lock);
	object_notify(&timer->object, READY_IN);
}

static uint32_t timer_ready(struct object *object)
{
	struct timer *timer = container_of(object, struct timer, object);

	spin_lock(&timer->lock);
	uint32_t ready = timer->expirations != 0 ? READY_IN : 0;
	spin_unlock(&timer->lock);
	return ready;
}

static void timer_destroy(struct object *object)
{
	struct timer *timer = container_of(object, struct timer, object);

	deadline_cancel(&timer->deadline);
	heap_free(timer, sizeof(*timer));
}

static const struct object_operations timer_operations = {
	.kind = KIND_TIMER, .name = "timer", .destroy = timer_destroy, .ready = timer_ready,
};

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
	timer->when = DEADLINE_NEVER;
	return handle_install_new(&timer->object, RIGHT_ALL, 0, HANDLE_HIGH);
}

int64_t sys_timer_set(handle_t handle, uint64_t when, uint64_t period)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_TIMER, RIGHT_WRITE, &object);

	if (error)
		return error;
	struct timer *timer = container_of(object, struct timer, object);
	spin_lock(&timer->lock);
	timer->when = when;
	timer->period = period == 0 ? 0 : max(period, (uint64_t)TIMER_PERIOD_MIN);
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
	struct timer *timer = container_of(object, struct timer, object);
	spin_lock(&timer->lock);
	int64_t count = (int64_t)timer->expirations;
	timer->expirations = 0;
	spin_unlock(&timer->lock);
	object_unref(object);
	return count != 0 ? count : -EAGAIN;
}
