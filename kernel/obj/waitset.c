/*
 * Waitsets: one wait for many objects.
 *
 * An item joins a waitset and an object. It observes the object and, whenever that may have become ready, is put on the waitset's list of
 * candidates. A wait takes candidates in turn and asks each object how it stands now: the list is a hint, the answer decides.
 * Level-triggered items that were ready go to the end of the list and are asked again next time; edge-triggered ones come back only with a new
 * notification; one-shot ones are disarmed until changed. So a wait costs what is ready, not what is registered.
 *
 * An item holds no reference to its object: when the object dies the item goes (observer's died). Items are found by handle number and
 * object, as Linux's epoll does. Waitsets may contain waitsets, at most NESTING_MAX deep and without cycles.
 *
 * Locks: nesting_lock (RANK_WAITSET) for which waitsets contain which; waitset->lock (RANK_EVENT) for the items. Both are taken under
 * observer_lock by notifications; an object's readiness is asked with no lock held and a reference to the object.
 * Model: tests/model/poll.pml.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/wait.h"
#include "kernel/obj/handle.h"

#define BUCKETS 32u
#define NESTING_MAX 4u
#define RESULTS_MAX 64u /* a call */
#define ALWAYS (READY_ERROR | READY_HANGUP)

struct waitset {
	struct object object;
	struct spinlock lock;
	struct list bucket[BUCKETS];   /* items by handle */
	struct list candidates;        /* items that may be ready */
	struct list nested;            /* nesting_lock: items whose object is a waitset */
	struct wait_queue waiters;
};

struct item {
	struct observer observer;      /* observer.object: observer_lock */
	struct waitset *waitset;
	struct list bucket_link;       /* waitset lock, as all below; unlinked: the item was removed */
	struct list candidate_link;
	struct list nested_link;       /* nesting_lock */
	struct object *identity;       /* the object, for comparison and, under nesting_lock, for following nested waitsets */
	handle_t handle;
	uint32_t events, options;
	uint64_t word;
	uint32_t references;           /* the bucket, and a wait that is asking */
};

static struct spinlock nesting_lock = SPINLOCK_INIT("waitset nesting", RANK_WAITSET);

/* Waitset locked. */
static void item_release_locked(struct item *item)
{
	if (--item->references == 0)
		heap_free(item, sizeof(*item));
}

/* Waitset locked. Takes the item out of the waitset, if that has not happened. */
static void item_detach_locked(struct item *item)
{
	list_remove(&item->candidate_link);
	if (list_empty(&item->bucket_link))
		return;
	list_remove(&item->bucket_link);
	item_release_locked(item);
}

/* Readable and writable go by two names each. */
static uint32_t ready_names(uint32_t ready)
{
	return ready | (ready & READY_IN ? READY_READ_NORMAL : 0) | (ready & READY_OUT ? READY_WRITE_NORMAL : 0);
}

/* observer_lock held. */
static void item_notify(struct observer *observer, uint32_t ready)
{
	struct item *item = container_of(observer, struct item, observer);
	struct waitset *waitset = item->waitset;
	bool news = false;

	spin_lock(&waitset->lock);
	if (ready_names(ready) & (item->events | ALWAYS) && item->events != 0 && list_empty(&item->candidate_link)) {
		list_add_last(&waitset->candidates, &item->candidate_link);
		wait_wake_one(&waitset->waiters, 0);
		news = true;
	}
	spin_unlock(&waitset->lock);
	if (news)
		object_notify_locked(&waitset->object, READY_IN);
}

/* observer_lock held; the object is going. */
static void item_died(struct observer *observer)
{
	struct item *item = container_of(observer, struct item, observer);
	struct waitset *waitset = item->waitset;

	spin_lock(&nesting_lock);
	list_remove(&item->nested_link);
	spin_lock(&waitset->lock);
	item_detach_locked(item);
	spin_unlock(&waitset->lock);
	spin_unlock(&nesting_lock);
}

/*
 * The usual case of a wait for many things: one level-triggered candidate, which is ready. It stays where it is. False: it is not so, or has changed
 * meanwhile; nothing was done.
 */
static bool waitset_only(struct waitset *waitset, struct waitset_result *result)
{
	struct object *object = NULL;
	spin_lock(&observer_lock);
	spin_lock(&waitset->lock);
	struct item *item = list_first(&waitset->candidates, struct item, candidate_link);
	if (!list_empty(&waitset->candidates) && waitset->candidates.next == waitset->candidates.previous && !(item->options & (WAITSET_EDGE | WAITSET_ONCE)) &&
	    item->observer.object && object_try_ref(item->observer.object))
		object = item->observer.object;
	uint32_t events = object ? item->events : 0;
	*result = (struct waitset_result){ .word = object ? item->word : 0 };
	spin_unlock(&waitset->lock);
	spin_unlock(&observer_lock);
	if (!object)
		return false;
	result->ready = ready_names(object->operations->ready(object)) & (events | ALWAYS);
	object_unref(object);
	if (!events || !result->ready)
		return false;
	if (!wait_queue_empty(&waitset->waiters))
		wait_wake_one(&waitset->waiters, 0); /* it is there for others too */
	return true;
}

/*
 * Asks candidates until count results are found or each was asked once. With results NULL it only looks: nothing is
 * consumed and 1 means that something is ready. Returns the number of results.
 */
static unsigned waitset_collect(struct waitset *waitset, struct waitset_result *results, unsigned count)
{
	struct list asked; /* waitset lock: level-triggered and looked-at items, back to the list afterwards; others may take theirs out meanwhile */
	unsigned found = 0;
	bool any_asked = false;

	if (list_seems_empty(&waitset->candidates))
		return 0;
	list_init(&asked);
	while (found < count) {
		struct object *object = NULL;
		struct item *item = NULL;
		spin_lock(&observer_lock);
		spin_lock(&waitset->lock);
		if (!list_empty(&waitset->candidates)) {
			item = list_first(&waitset->candidates, struct item, candidate_link);
			list_remove(&item->candidate_link);
			item->references++;
			if (item->observer.object && object_try_ref(item->observer.object))
				object = item->observer.object;
		}
		spin_unlock(&waitset->lock);
		spin_unlock(&observer_lock);
		if (!item)
			break;
		uint32_t ready = object ? ready_names(object->operations->ready(object)) : 0;
		spin_lock(&waitset->lock);
		ready &= item->events | ALWAYS;
		if (ready && item->events != 0 && !list_empty(&item->bucket_link)) {
			if (!results) {
				list_remove(&item->candidate_link);
				list_add_last(&asked, &item->candidate_link);
				any_asked = true;
			} else {
				results[found] = (struct waitset_result){ .ready = ready, .word = item->word };
				if (item->options & WAITSET_ONCE) {
					item->events = 0;
					list_remove(&item->candidate_link);
				} else if (!(item->options & WAITSET_EDGE)) {
					list_remove(&item->candidate_link);
					list_add_last(&asked, &item->candidate_link);
					any_asked = true;
				}
			}
			found++;
		}
		item_release_locked(item);
		spin_unlock(&waitset->lock);
		object_unref(object);
	}
	if (!any_asked)
		return found;
	spin_lock(&waitset->lock);
	while (!list_empty(&asked)) {
		struct item *item = list_first(&asked, struct item, candidate_link);
		list_remove(&item->candidate_link);
		list_add_last(&waitset->candidates, &item->candidate_link);
		wait_wake_one(&waitset->waiters, 0); /* who came meanwhile saw an empty list */
	}
	spin_unlock(&waitset->lock);
	return found;
}

static uint32_t waitset_ready(struct object *object)
{
	return waitset_collect(container_of(object, struct waitset, object), NULL, 1) ? READY_IN : 0;
}

static void waitset_destroy(struct object *object)
{
	struct waitset *waitset = container_of(object, struct waitset, object);

	spin_lock(&observer_lock);
	spin_lock(&nesting_lock);
	for (unsigned i = 0; i < BUCKETS; i++) {
		while (!list_empty(&waitset->bucket[i])) {
			struct item *item = list_first(&waitset->bucket[i], struct item, bucket_link);
			object_unobserve_locked(&item->observer);
			list_remove(&item->nested_link);
			spin_lock(&waitset->lock);
			item_detach_locked(item);
			spin_unlock(&waitset->lock);
		}
	}
	spin_unlock(&nesting_lock);
	spin_unlock(&observer_lock);
	heap_free(waitset, sizeof(*waitset));
}

static const struct object_operations waitset_operations = {
	.kind = KIND_WAITSET, .name = "waitset", .destroy = waitset_destroy, .ready = waitset_ready,
};

int64_t sys_waitset_create(void)
{
	struct waitset *waitset = heap_alloc(sizeof(*waitset));

	if (!waitset)
		return -ENOMEM;
	object_init(&waitset->object, &waitset_operations);
	spin_init(&waitset->lock, "waitset", RANK_EVENT);
	for (unsigned i = 0; i < BUCKETS; i++)
		list_init(&waitset->bucket[i]);
	list_init(&waitset->candidates);
	list_init(&waitset->nested);
	wait_queue_init(&waitset->waiters);
	return handle_install_new(&waitset->object, RIGHT_ALL, 0, HANDLE_HIGH);
}

/* nesting_lock held. The longest chain of waitsets below this one; more than NESTING_MAX if `target` is among them. */
static unsigned nesting_depth(struct waitset *waitset, struct waitset *target, unsigned level)
{
	struct item *item;
	unsigned deepest = 0;

	if (waitset == target || level > NESTING_MAX)
		return NESTING_MAX + 1;
	list_for_each(item, &waitset->nested, nested_link)
		deepest = max(deepest, 1 + nesting_depth(container_of(item->identity, struct waitset, object), target, level + 1));
	return deepest;
}

/* Waitset locked. */
static struct item *item_find_locked(struct waitset *waitset, handle_t handle, struct object *object)
{
	struct item *item;

	list_for_each(item, &waitset->bucket[(uint32_t)handle % BUCKETS], bucket_link)
		if (item->handle == handle && item->identity == object)
			return item;
	return NULL;
}

/* Looks at the object after it is observed: what became ready before is found here. */
static void item_look(struct item *item, struct object *object)
{
	uint32_t ready = object->operations->ready(object);

	spin_lock(&observer_lock);
	if (item->observer.object)
		item_notify(&item->observer, ready);
	spin_unlock(&observer_lock);
}

static int waitset_add(struct waitset *waitset, handle_t handle, struct object *object, const struct waitset_entry *entry)
{
	struct item *item = heap_alloc(sizeof(*item));
	int error = 0;

	if (!item)
		return -ENOMEM;
	item->observer.notify = item_notify;
	item->observer.died = item_died;
	list_init(&item->observer.link);
	list_init(&item->bucket_link);
	list_init(&item->candidate_link);
	list_init(&item->nested_link);
	item->waitset = waitset;
	item->identity = object;
	item->handle = handle;
	item->events = entry->events | ALWAYS;
	item->options = entry->options;
	item->word = entry->word;
	item->references = 2; /* the bucket's and ours */

	spin_lock(&observer_lock);
	spin_lock(&nesting_lock);
	if (object->operations->kind == KIND_WAITSET) {
		struct waitset *inner = container_of(object, struct waitset, object);
		if (nesting_depth(inner, waitset, 1) >= NESTING_MAX)
			error = -ELOOP;
	}
	spin_lock(&waitset->lock);
	if (error == 0 && item_find_locked(waitset, handle, object))
		error = -EEXIST;
	if (error == 0) {
		list_add_last(&waitset->bucket[(uint32_t)handle % BUCKETS], &item->bucket_link);
		if (object->operations->kind == KIND_WAITSET)
			list_add_last(&waitset->nested, &item->nested_link);
	}
	spin_unlock(&waitset->lock);
	spin_unlock(&nesting_lock);
	if (error == 0)
		object_observe_locked(object, &item->observer);
	spin_unlock(&observer_lock);
	if (error) {
		heap_free(item, sizeof(*item));
		return error;
	}
	item_look(item, object);
	spin_lock(&waitset->lock);
	item_release_locked(item);
	spin_unlock(&waitset->lock);
	return 0;
}

static int waitset_remove(struct waitset *waitset, handle_t handle, struct object *object)
{
	spin_lock(&observer_lock);
	spin_lock(&nesting_lock);
	spin_lock(&waitset->lock);
	struct item *item = item_find_locked(waitset, handle, object);
	spin_unlock(&waitset->lock);
	if (item) {
		object_unobserve_locked(&item->observer);
		list_remove(&item->nested_link);
		spin_lock(&waitset->lock);
		item_detach_locked(item);
		spin_unlock(&waitset->lock);
	}
	spin_unlock(&nesting_lock);
	spin_unlock(&observer_lock);
	return item ? 0 : -ENOENT;
}

static int waitset_change(struct waitset *waitset, handle_t handle, struct object *object, const struct waitset_entry *entry)
{
	spin_lock(&waitset->lock);
	struct item *item = item_find_locked(waitset, handle, object);
	bool fixed = item && (item->options | entry->options) & WAITSET_FIXED;
	if (item && !fixed) {
		item->events = entry->events | ALWAYS;
		item->options = entry->options;
		item->word = entry->word;
		item->references++;
	}
	spin_unlock(&waitset->lock);
	if (!item || fixed)
		return fixed ? -EINVAL : -ENOENT;
	item_look(item, object);
	spin_lock(&waitset->lock);
	item_release_locked(item);
	spin_unlock(&waitset->lock);
	return 0;
}

int64_t sys_waitset_control(handle_t waitset_handle, uint32_t operation, handle_t handle, user_t entry_address)
{
	struct waitset_entry entry = { 0 };
	struct object *waitset_object, *object;
	int error = handle_lookup(waitset_handle, KIND_WAITSET, RIGHT_MANAGE, &waitset_object);

	if (error)
		return error;
	error = handle_lookup(handle, KIND_NONE, 0, &object);
	if (error)
		goto out_waitset;
	struct waitset *waitset = container_of(waitset_object, struct waitset, object);
	if (operation != WAITSET_REMOVE) {
		error = copy_from_user(&entry, entry_address, sizeof(entry));
		if (error)
			goto out_object;
	}
	if (object == waitset_object || entry.options & ~(WAITSET_EDGE | WAITSET_ONCE | WAITSET_FIXED) ||
		(entry.options & WAITSET_FIXED && object->operations->kind == KIND_WAITSET))
		error = -EINVAL;
	else if (operation == WAITSET_REMOVE)
		error = waitset_remove(waitset, handle, object);
	else if (operation == WAITSET_CHANGE)
		error = waitset_change(waitset, handle, object, &entry);
	else if (operation == WAITSET_ADD)
		error = object->operations->ready ? waitset_add(waitset, handle, object, &entry) : -EPERM;
	else
		error = -EINVAL;
out_object:
	object_unref(object);
out_waitset:
	object_unref(waitset_object);
	return error;
}

int64_t sys_waitset_wait(handle_t handle, user_t results_address, size_t count, uint64_t deadline)
{
	struct waitset_result results[RESULTS_MAX];
	struct object *object;
	int64_t result;
	int error = handle_lookup(handle, KIND_WAITSET, RIGHT_RECEIVE, &object);

	if (error)
		return error;
	struct waitset *waitset = container_of(object, struct waitset, object);
	unsigned room = (unsigned)min(count, (size_t)RESULTS_MAX);
	if (room == 0) {
		result = -EINVAL;
		goto out;
	}
	for (;;) {
		unsigned found = waitset_only(waitset, results) ? 1 : waitset_collect(waitset, results, room);
		if (found > 0) {
			result = copy_to_user(results_address, results, found * sizeof(results[0])) ? -EFAULT : (int64_t)found;
			break;
		}
		if (deadline == 0) {
			result = 0;
			break;
		}
		spin_lock(&waitset->lock);
		if (!list_empty(&waitset->candidates)) {
			spin_unlock(&waitset->lock);
			continue;
		}
		error = wait_on(&waitset->waiters, &waitset->lock, deadline, WAIT_INTERRUPTIBLE);
		if (error) {
			result = error == -ETIMEDOUT ? 0 : error;
			break;
		}
	}
out:
	object_unref(object);
	return result;
}
