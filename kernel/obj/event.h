/* Events and timers as descriptions read them: see event.c and timer.c. */
#ifndef KERNEL_EVENT_H
#define KERNEL_EVENT_H
#include "kernel/core/wait.h"
#include "kernel/obj/object.h"

struct event {
	struct object object;
	struct spinlock lock; /* RANK_EVENT */
	uint64_t value;       /* lock */
	uint32_t options;     /* EVENT_MASK or EVENT_COUNTER; constant */
	struct wait_queue waiters; /* event_take and event_add */
};
struct event *event_create(uint64_t value, uint32_t options) must_check;
/* As the call event_update: the old value (63 bits), or -EAGAIN when a counter would leave its range. Never blocks. */
int64_t event_update_value(struct event *event, uint64_t clear, uint64_t set);
/*
 * A counter's value, or 1 with one, is taken; waits interruptibly while it is 0. wait false: -EAGAIN then. 0, -EINTR. A mask event: -EINVAL.
 */
int event_take(struct object *event, bool one, bool wait, uint64_t *value) must_check;
/* Adds to a counter, which may reach UINT64_MAX - 1; waits while it would go beyond. 0, -EAGAIN, -EINTR, -EINVAL. */
int event_add(struct object *event, uint64_t value, bool wait) must_check;
/* The expirations of a timer, reset to 0; waits while there are none. 0, -EAGAIN, -EINTR. */
int timer_wait(struct object *timer, bool wait, uint64_t *expirations) must_check;
#endif
