/*
 * Futexes: sleeping on a word of user memory.
 *
 * A sleeper is a record on its own kernel stack, linked into the bucket of its word's identity (space_futex_key). The word is compared under
 * the bucket's lock, and wakers take the same lock: a wake that follows a change of the word cannot be missed. A sleeper leaves only after
 * taking the lock of the bucket it is in once more, so a waker never touches a record that is gone. Requeueing moves records between
 * buckets, both locks held, the one with the lower address first.
 *
 * Lock: bucket->lock (RANK_FUTEX). Memory is touched under it only through user_load32_present; a page that is missing is
 * fetched with no lock held and the comparison made again.
 */
#include "kernel/ipc/futex.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/wait.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define FUTEX_BUCKETS 256u

struct bucket {
	struct spinlock lock;
	struct list sleepers;
};
struct sleeper {
	struct list link;              /* lock of bucket */
	struct futex_key key;          /* lock of bucket */
	uint32_t bits;
	struct bucket *volatile bucket;/* changed under the locks of both buckets */
	struct wait_queue queue;
};

static struct bucket buckets[FUTEX_BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < FUTEX_BUCKETS; i++) {
		spin_init(&buckets[i].lock, "futex", RANK_FUTEX);
		list_init(&buckets[i].sleepers);
	}
}

static struct bucket *bucket_of(const struct futex_key *key)
{
	uint64_t mix = ((uint64_t)key->object >> 4) ^ (key->offset >> 2);

	mix *= 0x9e3779b97f4a7c15ul; /* 2^64 divided by the golden ratio: spreads neighbouring words */
	return &buckets[mix >> 56];
}

static bool key_equal(const struct futex_key *a, const struct futex_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

static int futex_check(user_t address, uint32_t options, uint32_t allowed)
{
	if (options & ~allowed)
		return -EINVAL;
	return address % sizeof(uint32_t) != 0 ? -EINVAL : 0;
}

/* Leaves the bucket; true if a waker had taken the sleeper out already. */
static bool sleeper_leave(struct sleeper *sleeper)
{
	for (;;) {
		struct bucket *bucket = sleeper->bucket;
		spin_lock(&bucket->lock);
		if (bucket == sleeper->bucket) {
			bool woken = list_empty(&sleeper->link);
			list_remove(&sleeper->link);
			spin_unlock(&bucket->lock);
			return woken;
		}
		spin_unlock(&bucket->lock); /* requeued meanwhile */
	}
}

int64_t sys_futex_wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits, uint32_t options)
{
	struct sleeper sleeper = { .bits = bits };
	int error = futex_check(address, options, FUTEX_SHARED);

	if (error || bits == 0)
		return -EINVAL;
	error = space_futex_key(space_current(), address, options & FUTEX_SHARED, &sleeper.key);
	if (error)
		return error;
	struct bucket *bucket = bucket_of(&sleeper.key);
	for (;;) {
		uint32_t value;
		spin_lock(&bucket->lock);
		error = user_load32_present(address, &value);
		if (error == 0) {
			if (value != expected) {
				spin_unlock(&bucket->lock);
				return -EAGAIN;
			}
			break;
		}
		spin_unlock(&bucket->lock);
		if (copy_from_user(&value, address, sizeof(value)))
			return -EFAULT;
	}
	sleeper.bucket = bucket;
	wait_queue_init(&sleeper.queue);
	list_add_last(&bucket->sleepers, &sleeper.link);
	error = wait_on(&sleeper.queue, &bucket->lock, deadline, WAIT_INTERRUPTIBLE);
	return sleeper_leave(&sleeper) ? 0 : error;
}

/* Bucket locked. */
static int64_t wake_locked(struct bucket *bucket, const struct futex_key *key, uint32_t count, uint32_t bits)
{
	struct sleeper *sleeper;
	int64_t woken = 0;

	list_for_each(sleeper, &bucket->sleepers, link) {
		if (woken >= count)
			break;
		if (!key_equal(&sleeper->key, key) || !(sleeper->bits & bits))
			continue;
		list_remove(&sleeper->link);
		wait_wake_one(&sleeper->queue, 0);
		scheduler_forget_woken();
		woken++;
	}
	return woken;
}

int64_t futex_wake_address(user_t address, uint32_t count, uint32_t bits, uint32_t options)
{
	struct futex_key key;
	int error = space_futex_key(space_current(), address, options & FUTEX_SHARED, &key);

	if (error)
		return error;
	struct bucket *bucket = bucket_of(&key);
	spin_lock(&bucket->lock);
	int64_t woken = wake_locked(bucket, &key, count, bits);
	spin_unlock(&bucket->lock);
	return woken;
}

int64_t sys_futex_wake(uint64_t address, uint32_t count, uint32_t bits, uint32_t options)
{
	int error = futex_check(address, options, FUTEX_SHARED);

	if (error || bits == 0)
		return -EINVAL;
	return futex_wake_address(address, count, bits, options);
}

/* In the kernel because only it can name another space's word; what the word means is for the holder of the dead process to know. */
int64_t sys_futex_wake_space(handle_t handle, uint64_t address, uint32_t count)
{
	struct object *object;
	struct futex_key key;
	int error = futex_check(address, 0, 0);
	if (!error)
		error = handle_lookup(handle, KIND_SPACE, RIGHT_WRITE, &object);
	if (error)
		return error;
	error = space_futex_key(space_of_object(object), address, true, &key);
	object_unref(object);
	if (error)
		return error;
	struct bucket *bucket = bucket_of(&key);
	spin_lock(&bucket->lock);
	int64_t woken = wake_locked(bucket, &key, count, FUTEX_ANY_BITS);
	spin_unlock(&bucket->lock);
	return woken;
}

static void buckets_lock(struct bucket *a, struct bucket *b)
{
	if (a == b) {
		spin_lock(&a->lock);
	} else if (a < b) {
		spin_lock(&a->lock);
		spin_lock_second(&b->lock);
	} else {
		spin_lock(&b->lock);
		spin_lock_second(&a->lock);
	}
}

static void buckets_unlock(struct bucket *a, struct bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

int64_t sys_futex_requeue(uint64_t address, uint32_t wake, uint32_t move, uint64_t target, uint32_t expected, uint32_t options)
{
	struct futex_key from, to;
	int error = futex_check(address, options, FUTEX_SHARED | FUTEX_COMPARE);

	if (error || target % sizeof(uint32_t) != 0)
		return -EINVAL;
	error = space_futex_key(space_current(), address, options & FUTEX_SHARED, &from);
	if (error == 0)
		error = space_futex_key(space_current(), target, options & FUTEX_SHARED, &to);
	if (error)
		return error;
	struct bucket *source = bucket_of(&from), *sink = bucket_of(&to);
	for (;;) {
		uint32_t value = expected;
		buckets_lock(source, sink);
		error = options & FUTEX_COMPARE ? user_load32_present(address, &value) : 0;
		if (error == 0 && value == expected)
			break;
		buckets_unlock(source, sink);
		if (error == 0)
			return -EAGAIN;
		if (copy_from_user(&value, address, sizeof(value)))
			return -EFAULT;
	}
	int64_t count = wake_locked(source, &from, wake, FUTEX_ANY_BITS);
	struct sleeper *sleeper;
	uint32_t moved = 0;
	if (!key_equal(&from, &to)) {
		list_for_each(sleeper, &source->sleepers, link) {
			if (moved >= move)
				break;
			if (!key_equal(&sleeper->key, &from))
				continue;
			list_remove(&sleeper->link);
			sleeper->key = to;
			sleeper->bucket = sink;
			list_add_last(&sink->sleepers, &sleeper->link);
			moved++;
		}
	}
	buckets_unlock(source, sink);
	return count + moved;
}
