/*
 * description_poll: waits until one of several handles is ready. Any object that has a readiness can be polled.
 *
 * First all objects are asked. If none is ready, the poll observes all of them, asks again (a change in between is thus
 * seen) and sleeps until an observer is told. For up to FEW items everything lies on the kernel stack.
 *
 * Another thread may close or replace a handle meanwhile. The object is kept as long as the poll sleeps, but what is told after a sleep is told of
 * what the handle stands for then, or that it stands for nothing.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/process.h"

#define FEW 32u
#define ALWAYS (READY_ERROR | READY_HANGUP | READY_INVALID)

struct poller {
	struct wait_queue queue;
	bool told;                /* observer_lock */
};
struct watched {
	struct observer observer;
	struct object *object;    /* referenced; NULL: skipped or invalid */
	struct poller *poller;
};

static void poll_notify(struct observer *observer, uint32_t ready)
{
	(void)ready;
	struct poller *poller = container_of(observer, struct watched, observer)->poller;
	poller->told = true;
	wait_wake_all(&poller->queue, 0);
}

/* Looks all handles up. Invalid ones are marked in their items. */
static void poll_begin(struct poll_item *items, struct watched *watched, unsigned count, struct poller *poller)
{
	bool routed = thread_current()->call_routed;
	for (unsigned i = 0; i < count; i++) {
		items[i].ready = 0;
		list_init(&watched[i].observer.link);
		watched[i].observer.object = NULL;
		watched[i].observer.notify = poll_notify;
		watched[i].observer.died = NULL;
		watched[i].object = NULL;
		watched[i].poller = poller;
		if (items[i].handle < 0)
			continue;
		if ((routed && items[i].handle >= HANDLE_HIGH) || handle_lookup(items[i].handle, KIND_NONE, 0, &watched[i].object))
			items[i].ready = READY_INVALID;
		else if (!watched[i].object->operations->ready) {
			object_unref(watched[i].object);
			watched[i].object = NULL;
			items[i].ready = READY_INVALID;
		}
	}
}

/* Asks every object; how many items are ready. */
static unsigned poll_ask(struct poll_item *items, struct watched *watched, unsigned count)
{
	unsigned found = 0;
	for (unsigned i = 0; i < count; i++) {
		struct object *object = watched[i].object;
		if (object) {
			uint32_t ready = object->operations->ready(object);
			ready |= (ready & READY_IN ? READY_READ_NORMAL : 0) | (ready & READY_OUT ? READY_WRITE_NORMAL : 0);
			items[i].ready = (int16_t)(ready & ((uint16_t)items[i].events | ALWAYS));
		}
		found += items[i].ready != 0;
	}
	return found;
}

static void poll_observe(struct watched *watched, unsigned count, bool observe)
{
	for (unsigned i = 0; i < count; i++) {
		if (watched[i].object && observe)
			object_observe(watched[i].object, &watched[i].observer);
		else if (watched[i].object)
			object_unobserve(&watched[i].observer);
	}
}

/* After a sleep: follows handles that others have closed or replaced. */
static void poll_follow(struct poll_item *items, struct watched *watched, unsigned count)
{
	bool routed = thread_current()->call_routed;
	if (process_current()->thread_count < 2 && process_current()->handles.table[0]->references < 2)
		return;
	for (unsigned i = 0; i < count; i++) {
		struct object *object = NULL;
		if (!watched[i].object || (routed && items[i].handle >= HANDLE_HIGH))
			continue;
		int error = handle_lookup(items[i].handle, KIND_NONE, 0, &object);
		if (object == watched[i].object) {
			object_unref(object);
			continue;
		}
		object_unobserve(&watched[i].observer);
		object_unref(watched[i].object);
		watched[i].object = NULL;
		if (!error && object->operations->ready) {
			watched[i].object = object;
			object_observe(object, &watched[i].observer);
		} else {
			object_unref(object);
			items[i].ready = READY_INVALID | READY_LOST;
		}
	}
}

static int64_t poll_wait(struct poll_item *items, struct watched *watched, unsigned count, struct poller *poller, uint64_t deadline)
{
	unsigned found = poll_ask(items, watched, count);
	if (found || !deadline)
		return found;
	int64_t result = 0;
	poll_observe(watched, count, true);
	for (;;) {
		found = poll_ask(items, watched, count);
		if (found || result)
			break;
		spin_lock(&observer_lock);
		if (poller->told) {
			poller->told = false;
			spin_unlock(&observer_lock);
			poll_follow(items, watched, count);
			continue;
		}
		result = wait_on(&poller->queue, &observer_lock, deadline, WAIT_INTERRUPTIBLE);
		if (!result) {
			spin_lock(&observer_lock);
			poller->told = false;
			spin_unlock(&observer_lock);
		}
		poll_follow(items, watched, count);
	}
	poll_observe(watched, count, false);
	return found ? found : result == -ETIMEDOUT ? 0 : result;
}

int64_t sys_description_poll(user_t user_items, uint64_t count, uint64_t deadline)
{
	struct poll_item few_items[FEW], *items = few_items;
	struct watched few_watched[FEW], *watched = few_watched;
	struct poller poller = { .told = false };
	if (count > HANDLE_RANGE_MAX)
		return -EINVAL;
	if (count > FEW) {
		items = heap_alloc(count * sizeof(*items));
		watched = heap_alloc(count * sizeof(*watched));
	}
	int64_t result = -ENOMEM;
	if (items && watched)
		result = count && copy_from_user(items, user_items, count * sizeof(*items)) ? -EFAULT : 0;
	if (!result) {
		wait_queue_init(&poller.queue);
		poll_begin(items, watched, (unsigned)count, &poller);
		result = poll_wait(items, watched, (unsigned)count, &poller, deadline);
		for (uint64_t i = 0; i < count; i++)
			object_unref(watched[i].object);
		if (result >= 0 && count && copy_to_user(user_items, items, count * sizeof(*items)))
			result = -EFAULT;
	}
	if (count > FEW) {
		heap_free(items, count * sizeof(*items));
		heap_free(watched, count * sizeof(*watched));
	}
	return result;
}
