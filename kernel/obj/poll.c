/*
 * description_poll: waits until one of several handles is ready. Any object that has a readiness can be polled.
 *
 * First all handles are looked up and asked in one pass under the table's lock, which needs no references. If none is ready, the poll looks
 * them up again with references, observes all, asks again (a change in between is thus seen) and sleeps until an observer is told. For up
 * to FEW items everything lies on the kernel stack. Of the caller's items only what changes of `ready` is written.
 *
 * Another thread may close or replace a handle meanwhile. The object is kept as long as the poll sleeps, but what is told after a sleep is told of
 * what the handle stands for then, or that it stands for nothing.
 * Model: tests/model/poll.pml.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/description.h"
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
/* What the caller asked, while it is worked on */
struct poll {
	struct poll_item *item;   /* as the caller has them, `ready` too */
	int16_t *ready;           /* what they are ready for */
	unsigned count;
	bool low;                 /* high numbers are no handles */
	bool tell_lost;           /* READY_LOST is wanted */
};

static void poll_notify(struct observer *observer, uint32_t ready)
{
	(void)ready;
	struct poller *poller = container_of(observer, struct watched, observer)->poller;
	poller->told = true;
	wait_wake_all(&poller->queue, 0);
}

static inline int16_t ready_asked(const struct poll_item *item, uint32_t ready)
{
	ready |= (ready & READY_IN ? READY_READ_NORMAL : 0) | (ready & READY_OUT ? READY_WRITE_NORMAL : 0);
	return (int16_t)(ready & ((uint16_t)item->events | ALWAYS));
}

/* The end of a pipe to read from, with nothing in it: the commonest thing that polls look at. */
static inline bool pipe_is_idle(const struct handle_slot *slot)
{
	if (slot->kind != KIND_DESCRIPTION)
		return false;
	const struct description *description = container_of(slot->object, struct description, object);
	return description->kind == DESCRIPTION_FLOW && description->receiver && !description->sender && channel_stream_idle(description->receiver->channel);
}

/* What an item is ready for, without a reference; -1: it needs one to be asked (a waitset asks others). The table's lock is held. */
static int ready_quick(const struct poll_item *item, const struct handle_slot *slot)
{
	if (pipe_is_idle(slot))
		return 0;
	struct object *object = slot->object;
	if (!object || !object->operations->ready)
		return READY_INVALID;
	return slot->kind == KIND_WAITSET ? -1 : ready_asked(item, object->operations->ready(object));
}

/* One pass without references; how many items are ready, or -1: something needs a reference to be asked. */
static int poll_quick(struct poll *poll)
{
	const struct handles *handles = &process_current()->handles;
	int found = 0;
	bool high = false;
	struct handle_table *table = handles->table[0];
	spin_lock(&table->lock);
	for (unsigned i = 0; i < poll->count; i++) {
		const struct poll_item *item = &poll->item[i];
		int ready = 0;
		if (item->handle >= 0) {
			if ((item->handle >= HANDLE_HIGH) != high) { /* never two tables' locks at a time */
				high = !high;
				spin_unlock(&table->lock);
				table = handles->table[high];
				spin_lock(&table->lock);
			}
			uint32_t index = (uint32_t)item->handle & ~(uint32_t)HANDLE_HIGH;
			ready = index < table->capacity && !(high && poll->low) ? ready_quick(item, &table->slots[index]) : (int)READY_INVALID;
			if (ready < 0) {
				found = -1;
				break;
			}
		}
		poll->ready[i] = (int16_t)ready;
		found += ready != 0;
	}
	spin_unlock(&table->lock);
	return found;
}

/* Looks all handles up. Invalid ones are marked in their items. */
static void poll_begin(struct poll *poll, struct watched *watched, struct poller *poller)
{
	const struct poll_item *items = poll->item;
	for (unsigned i = 0; i < poll->count; i++) {
		poll->ready[i] = 0;
		list_init(&watched[i].observer.link);
		watched[i].observer.object = NULL;
		watched[i].observer.notify = poll_notify;
		watched[i].observer.died = NULL;
		watched[i].object = NULL;
		watched[i].poller = poller;
		if (items[i].handle < 0)
			continue;
		if ((poll->low && items[i].handle >= HANDLE_HIGH) || handle_lookup(items[i].handle, KIND_NONE, 0, &watched[i].object))
			poll->ready[i] = READY_INVALID;
		else if (!watched[i].object->operations->ready) {
			object_unref(watched[i].object);
			watched[i].object = NULL;
			poll->ready[i] = READY_INVALID;
		}
	}
}

/* Asks every object; how many items are ready. */
static unsigned poll_ask(struct poll *poll, struct watched *watched)
{
	unsigned found = 0;
	for (unsigned i = 0; i < poll->count; i++) {
		struct object *object = watched[i].object;
		if (object)
			poll->ready[i] = ready_asked(&poll->item[i], object->operations->ready(object));
		found += poll->ready[i] != 0;
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
static void poll_follow(struct poll *poll, struct watched *watched)
{
	if (process_current()->thread_count < 2 && process_current()->handles.table[0]->references < 2)
		return;
	for (unsigned i = 0; i < poll->count; i++) {
		const struct poll_item *item = &poll->item[i];
		struct object *object = NULL;
		if (!watched[i].object || (poll->low && item->handle >= HANDLE_HIGH))
			continue;
		int error = handle_lookup(item->handle, KIND_NONE, 0, &object);
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
			poll->ready[i] = READY_INVALID | (poll->tell_lost ? READY_LOST : 0);
		}
	}
}

/* asked: the quick pass has found nothing, so there is no need to ask before observing. */
static int64_t poll_wait(struct poll *poll, struct watched *watched, struct poller *poller, uint64_t deadline, bool asked)
{
	unsigned found = asked ? 0 : poll_ask(poll, watched);
	if (found || !deadline)
		return found;
	int64_t result = 0;
	poll_observe(watched, poll->count, true);
	for (;;) {
		found = poll_ask(poll, watched);
		if (found || result)
			break;
		spin_lock(&observer_lock);
		if (poller->told) {
			poller->told = false;
			spin_unlock(&observer_lock);
			poll_follow(poll, watched);
			continue;
		}
		result = wait_on(&poller->queue, &observer_lock, deadline, WAIT_INTERRUPTIBLE);
		if (!result) {
			spin_lock(&observer_lock);
			poller->told = false;
			spin_unlock(&observer_lock);
		}
		poll_follow(poll, watched);
	}
	poll_observe(watched, poll->count, false);
	return found ? found : result == -ETIMEDOUT ? 0 : result;
}

/* What the quick pass could not answer. */
static int64_t poll_sleep(struct poll *poll, uint64_t deadline, bool asked)
{
	struct watched few[FEW], *watched = few;
	struct poller poller = { .told = false };
	if (poll->count > FEW)
		watched = heap_alloc(poll->count * sizeof(*watched));
	if (!watched)
		return -ENOMEM;
	wait_queue_init(&poller.queue);
	poll_begin(poll, watched, &poller);
	int64_t result = poll_wait(poll, watched, &poller, deadline, asked);
	for (unsigned i = 0; i < poll->count; i++)
		object_unref(watched[i].object);
	if (poll->count > FEW)
		heap_free(watched, poll->count * sizeof(*watched));
	return result;
}

static int items_read(struct poll *poll, user_t user_items)
{
	return poll->count && copy_from_user(poll->item, user_items, poll->count * sizeof(*poll->item)) ? -EFAULT : 0;
}

static int ready_write(const struct poll *poll, user_t user_items)
{
	for (unsigned i = 0; i < poll->count; i++)
		if (poll->ready[i] != poll->item[i].ready &&
		    copy_to_user(user_items + i * sizeof(*poll->item) + offsetof(struct poll_item, ready), &poll->ready[i], sizeof(int16_t)))
			return -EFAULT;
	return 0;
}

int64_t sys_description_poll(user_t user_items, uint64_t count, uint64_t deadline, uint32_t options)
{
	struct poll_item few_items[FEW];
	int16_t few_ready[FEW];
	struct poll poll = { .item = few_items, .ready = few_ready, .low = options & POLL_LOW_HANDLES || thread_current()->call_routed,
		.tell_lost = options & POLL_TELL_LOST };
	if (count > HANDLE_RANGE_MAX || options & ~(POLL_LOW_HANDLES | POLL_TELL_LOST))
		return -EINVAL;
	poll.count = (unsigned)count;
	uint64_t size = count * (sizeof(*poll.item) + sizeof(*poll.ready));
	if (count > FEW) {
		poll.item = heap_alloc(size);
		if (!poll.item)
			return -ENOMEM;
		poll.ready = (int16_t *)(poll.item + count);
	}
	int64_t result = items_read(&poll, user_items);
	if (!result) {
		result = poll_quick(&poll);
		if (result < 0 || (!result && deadline))
			result = poll_sleep(&poll, deadline, !result);
		if (result >= 0 && ready_write(&poll, user_items))
			result = -EFAULT;
	}
	if (count > FEW)
		heap_free(poll.item, size);
	return result;
}
