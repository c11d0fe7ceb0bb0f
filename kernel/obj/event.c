/*
 * Events: a word that can be waited for.
 *
 * A mask event's value is its readiness; a server sets it to say that its service can be read or written. A counter event is ready for reading
 * while it is not 0 and for writing while it can still grow (eventfd is made of one).
 *
 * Lock: event->lock (RANK_EVENT) covers value; observers are told after it is released.
 */
#include "kernel/obj/event.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/obj/handle.h"

#define EVENT_VALUE_MAX (UINT64_MAX - 1)
#define EVENT_RESULT_MAX ((uint64_t)INT64_MAX) /* what a call can return */

static uint32_t event_ready_of(const struct event *event, uint64_t value)
{
	if (event->options == EVENT_MASK)
		return (uint32_t)value;
	return (value != 0 ? READY_IN : 0) | (value < EVENT_VALUE_MAX ? READY_OUT : 0);
}

static uint32_t event_ready(struct object *object)
{
	struct event *event = container_of(object, struct event, object);

	spin_lock(&event->lock);
	uint32_t ready = event_ready_of(event, event->value);
	spin_unlock(&event->lock);
	return ready;
}

static void event_destroy(struct object *object)
{
	heap_free(container_of(object, struct event, object), sizeof(struct event));
}

static const struct object_operations event_operations = {
	.kind = KIND_EVENT, .name = "event", .destroy = event_destroy, .ready = event_ready,
};

struct event *event_create(uint64_t value, uint32_t options)
{
	struct event *event = heap_alloc(sizeof(*event));

	if (!event)
		return NULL;
	object_init(&event->object, &event_operations);
	spin_init(&event->lock, "event", RANK_EVENT);
	event->value = value;
	event->options = options;
	wait_queue_init(&event->waiters);
	return event;
}

int64_t event_update_value(struct event *event, uint64_t clear, uint64_t set)
{
	spin_lock(&event->lock);
	uint64_t old = event->value, value;
	if (event->options == EVENT_MASK) {
		value = (old & ~clear) | set;
	} else {
		if (old < clear || set > EVENT_VALUE_MAX - (old - clear)) {
			spin_unlock(&event->lock);
			return -EAGAIN;
		}
		value = old - clear + set;
	}
	event->value = value;
	uint32_t ready = event_ready_of(event, value);
	wait_wake_all(&event->waiters, 0);
	spin_unlock(&event->lock);
	if (ready)
		object_notify(&event->object, ready);
	return (int64_t)(old & EVENT_RESULT_MAX);
}

/*
 * Waits until the counter can be moved (down: by being not 0; up: by having room for `add`) and leaves it locked. 0, or an error and unlocked.
 */
static int event_claim(struct event *event, bool down, uint64_t add, bool wait)
{
	if (event->options != EVENT_COUNTER)
		return -EINVAL;
	spin_lock(&event->lock);
	while (down ? event->value == 0 : add > EVENT_VALUE_MAX - event->value) {
		if (!wait) {
			spin_unlock(&event->lock);
			return -EAGAIN;
		}
		int error = wait_on(&event->waiters, &event->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
		if (error)
			return error;
		spin_lock(&event->lock);
	}
	return 0;
}

static void event_moved(struct event *event)
{
	uint32_t ready = event_ready_of(event, event->value);
	wait_wake_all(&event->waiters, 0);
	spin_unlock(&event->lock);
	object_notify(&event->object, ready);
}

int event_take(struct object *object, bool one, bool wait, uint64_t *value)
{
	struct event *event = container_of(object, struct event, object);
	int error = event_claim(event, true, 0, wait);

	if (error)
		return error;
	*value = one ? 1 : event->value;
	event->value -= *value;
	event_moved(event);
	return 0;
}

int event_add(struct object *object, uint64_t value, bool wait)
{
	struct event *event = container_of(object, struct event, object);
	int error = event_claim(event, false, value, wait);

	if (error)
		return error;
	event->value += value;
	event_moved(event);
	return 0;
}

int64_t sys_event_create(uint64_t value, uint32_t options)
{
	if (options > EVENT_COUNTER || (options == EVENT_COUNTER && value > EVENT_VALUE_MAX))
		return -EINVAL;
	struct event *event = event_create(value, options);
	if (!event)
		return -ENOMEM;
	return handle_install_new(&event->object, RIGHT_ALL, 0, HANDLE_HIGH);
}

int64_t sys_event_update(handle_t handle, uint64_t clear, uint64_t set)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_EVENT, RIGHT_WRITE, &object);

	if (error)
		return error;
	int64_t result = event_update_value(container_of(object, struct event, object), clear, set);
	object_unref(object);
	return result;
}

int64_t sys_event_get(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_EVENT, RIGHT_READ, &object);

	if (error)
		return error;
	struct event *event = container_of(object, struct event, object);
	spin_lock(&event->lock);
	int64_t value = (int64_t)(event->value & EVENT_RESULT_MAX);
	spin_unlock(&event->lock);
	object_unref(object);
	return value;
}
