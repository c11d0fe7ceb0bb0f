/* Events: see event.c. */
#ifndef KERNEL_EVENT_H
#define KERNEL_EVENT_H
#include "kernel/obj/object.h"

struct event {
	struct object object;
	struct spinlock lock; /* RANK_EVENT */
	uint64_t value;       /* lock */
	uint32_t options;     /* EVENT_MASK or EVENT_COUNTER; constant */
};
struct event *event_create(uint64_t value, uint32_t options) must_check;
/* As the call event_update: the old value (63 bits), or -EAGAIN when a counter would leave its range. Never blocks. */
int64_t event_update_value(struct event *event, uint64_t clear, uint64_t set);
#endif
