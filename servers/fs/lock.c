/* File locks; lock.h has the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/file_protocol.h"
#include "carillon/process_protocol.h"
#include "content.h"
#include "lock.h"
#include "recover.h"
#include "request.h"

#define LOCK_END ((uint64_t)INT64_MAX)
#define DEADLOCK_DEPTH 10 /* as Linux: longer circles of waiting processes are not looked for */

struct lock {
	struct stored stored;
	struct lock *next;                      /* of the node, by start */
	struct lock *all_next, **all_place;     /* of all nodes */
	struct node *node;
	uint32_t class, type;                   /* FILE_LOCK_* */
	uint64_t owner;                         /* badge or open object */
	uint64_t start, end;
};
/* What a request wants; also kept while it waits */
struct wanted { struct node *node; uint64_t opened; uint32_t class, type; uint64_t owner, start, end; };
struct lock_wait { struct lock_wait *next; struct wanted wanted; uint64_t badge, thread; uint32_t reply; };
struct registered { struct registered *next; uint64_t badge; unsigned ports; };

static struct lock *all;
static struct lock_wait *waits;             /* in order of arrival */
static struct registered *registered;

/* -- locks of a node */

static void count_opened(const struct wanted *wanted, uint32_t class, int change)
{
	struct opened *opened = class == FILE_LOCK_RECORD ? NULL : opened_find(wanted->owner);
	if (opened)
		opened->locks += (uint32_t)change;
}

static void lock_insert(struct lock *lock, const struct wanted *wanted)
{
	stored_changed(&lock->stored);
	*lock = (struct lock){ .stored = lock->stored, .node = wanted->node, .class = wanted->class, .type = wanted->type, .owner = wanted->owner, .start = wanted->start,
		.end = wanted->end, .all_next = all, .all_place = &all };
	if (all)
		all->all_place = &lock->all_next;
	all = lock;
	struct lock **place = &lock->node->locks;
	while (*place && (*place)->start < lock->start)
		place = &(*place)->next;
	lock->next = *place;
	*place = lock;
	node_get(lock->node);
	count_opened(wanted, wanted->class, 1);
}

static void lock_remove(struct lock *lock)
{
	struct wanted owner = { .owner = lock->owner };
	struct lock **place = &lock->node->locks;
	while (*place != lock)
		place = &(*place)->next;
	*place = lock->next;
	*lock->all_place = lock->all_next;
	if (lock->all_next)
		lock->all_next->all_place = lock->all_place;
	count_opened(&owner, lock->class, -1);
	node_put(lock->node);
	stored_gone(&lock->stored);
	free(lock);
}

static bool same_owner(const struct lock *lock, const struct wanted *wanted)
{
	return lock->class == wanted->class && lock->owner == wanted->owner;
}

/* The first lock that is in the way, or NULL. */
static struct lock *conflict(const struct wanted *wanted)
{
	bool whole = wanted->class == FILE_LOCK_WHOLE;
	for (struct lock *lock = wanted->node->locks; lock; lock = lock->next) {
		if ((lock->class == FILE_LOCK_WHOLE) != whole || same_owner(lock, wanted) || lock->end < wanted->start || lock->start > wanted->end)
			continue;
		if (lock->type == FILE_LOCK_EXCLUSIVE || wanted->type == FILE_LOCK_EXCLUSIVE)
			return lock;
	}
	return NULL;
}

/*
 * Gives the owner exactly this in the range (nothing with FILE_LOCK_NONE). spare: two locks, of which those used are set to NULL.
 * Neighbours of the same type become one lock.
 */
static void apply(struct wanted wanted, struct lock *spare[2])
{
	struct lock *lock, *next;
	struct node *node = wanted.node;
	node_get(node);
	for (lock = node->locks; lock && wanted.type != FILE_LOCK_NONE; lock = next) {
		next = lock->next;
		if (!same_owner(lock, &wanted) || lock->type != wanted.type || (lock->end != LOCK_END && lock->end + 1 < wanted.start) ||
			(wanted.end != LOCK_END && lock->start > wanted.end + 1))
			continue;
		wanted.start = lock->start < wanted.start ? lock->start : wanted.start;
		wanted.end = lock->end > wanted.end ? lock->end : wanted.end;
		lock_remove(lock);
	}
	for (lock = node->locks; lock; lock = next) {
		next = lock->next;
		if (!same_owner(lock, &wanted) || lock->end < wanted.start || lock->start > wanted.end)
			continue;
		struct wanted before = wanted, after = wanted;
		before.type = after.type = lock->type;
		before.start = lock->start;
		before.end = wanted.start - 1;
		after.start = wanted.end + 1;
		after.end = lock->end;
		bool has_before = lock->start < wanted.start, has_after = lock->end > wanted.end;
		if (!has_before && !has_after) {
			lock_remove(lock);
		} else if (!has_before) { /* a later start: to its new place in the order */
			lock_remove(lock);
			lock_insert(spare[1], &after);
			spare[1] = NULL;
			break; /* the owner's locks do not overlap: this was the last in the range */
		} else {
			lock->end = before.end;
			stored_changed(&lock->stored);
			if (has_after) {
				lock_insert(spare[1], &after);
				spare[1] = NULL;
				break;
			}
		}
	}
	if (wanted.type != FILE_LOCK_NONE) {
		lock_insert(spare[0], &wanted);
		spare[0] = NULL;
	}
	node_put(node);
}

static bool spare_get(struct lock *spare[2])
{
	for (int i = 0; i < 2; i++) {
		spare[i] = malloc(sizeof **spare);
		if (spare[i] && !stored_take(&spare[i]->stored, STORE_LOCK)) {
			free(spare[i]);
			spare[i] = NULL;
		}
	}
	return spare[0] && spare[1];
}

static void spare_put(struct lock *spare[2])
{
	for (int i = 0; i < 2; i++) {
		if (spare[i])
			stored_gone(&spare[i]->stored);
		free(spare[i]);
	}
}

/* -- waiting */

static void wait_free(struct lock_wait **place)
{
	struct lock_wait *wait = *place;
	*place = wait->next;
	count_opened(&(struct wanted){ .owner = wait->wanted.opened }, FILE_LOCK_WHOLE, -1);
	node_put(wait->wanted.node);
	free(wait);
}

/* What an owner has in a range, to give it back */
struct held { size_t count; struct wanted wanted[]; };

static struct held *held_in_range(const struct wanted *wanted)
{
	size_t count = 0;
	for (struct lock *lock = wanted->node->locks; lock; lock = lock->next)
		count += same_owner(lock, wanted);
	struct held *held = malloc(sizeof *held + count * sizeof *held->wanted);
	if (!held)
		return NULL;
	held->count = 0;
	for (struct lock *lock = wanted->node->locks; lock; lock = lock->next) {
		if (!same_owner(lock, wanted) || lock->end < wanted->start || lock->start > wanted->end)
			continue;
		struct wanted *one = &held->wanted[held->count++];
		*one = *wanted;
		one->type = lock->type;
		one->start = lock->start;
		one->end = lock->end;
	}
	return held;
}

/* False: no memory, and nothing has changed. The locks that were not needed are gone before anything is committed. */
static bool apply_alone(struct wanted wanted)
{
	struct lock *spare[2];
	bool memory = spare_get(spare);
	if (memory)
		apply(wanted, spare);
	spare_put(spare);
	return memory;
}

/*
 * Gives a waiting call its lock: the lock is in the store before the caller hears of it, so that it is not lost with this server, and is taken
 * back if the caller has gone.
 */
static void grant(const struct lock_wait *wait)
{
	struct held *before = held_in_range(&wait->wanted);
	bool memory = before && apply_alone(wait->wanted);
	store_commit();
	if (server_answer(wait->reply, memory ? 0 : -ENOMEM, NULL, NULL, 0) != 0 && memory) {
		struct wanted none = wait->wanted;
		none.type = FILE_LOCK_NONE;
		apply_alone(none);
		for (size_t i = 0; i < before->count; i++)
			apply_alone(before->wanted[i]);
	}
	free(before);
}

/* After a lock of node has gone: answers who can have what it wants now. */
static void retry(struct node *node)
{
	for (struct lock_wait **place = &waits, *wait; (wait = *place);) {
		if (wait->wanted.node != node || conflict(&wait->wanted)) {
			place = &wait->next;
			continue;
		}
		grant(wait);
		node_get(node);
		wait_free(place);
		node_put(node);
	}
}

/* Does whoever holds `lock` wait, perhaps through others, for `owner`? Record locks only. */
static bool deadlock(const struct lock *lock, uint64_t owner, unsigned depth)
{
	if (lock->class != FILE_LOCK_RECORD || depth > DEADLOCK_DEPTH)
		return false;
	for (struct lock_wait *wait = waits; wait; wait = wait->next) {
		if (wait->wanted.class != FILE_LOCK_RECORD || wait->badge != lock->owner)
			continue;
		struct lock *next = conflict(&wait->wanted);
		if (next && ((next->class == FILE_LOCK_RECORD && next->owner == owner) || deadlock(next, owner, depth + 1)))
			return true;
	}
	return false;
}

static bool wait_is_of(const struct lock_wait *wait, uint64_t badge, uint64_t thread)
{
	return wait->badge == badge && (!thread || wait->thread == thread);
}

/* Forgets the waits of a thread (0: of a process), whose calls have ended. */
static void waits_forget(uint64_t badge, uint64_t thread)
{
	for (struct lock_wait **place = &waits, *wait; (wait = *place);) {
		if (!wait_is_of(wait, badge, thread)) {
			place = &wait->next;
			continue;
		}
		server_answer(wait->reply, -EINTR, NULL, NULL, 0);
		wait_free(place);
	}
}

bool lock_interrupted(uint32_t reply)
{
	struct lock_wait **place = &waits;
	while (*place && (*place)->reply != reply)
		place = &(*place)->next;
	if (!*place)
		return false;
	server_answer(reply, -EINTR, NULL, NULL, 0);
	wait_free(place);
	return true;
}

/* -- requests */

/* Range and owner of a request; 0 or an error. */
static int64_t wanted_parse(const struct server_request *request, uint64_t id, const struct opened *opened, struct wanted *wanted)
{
	uint32_t what = (uint32_t)request->word[1];
	int64_t start = (int64_t)request->word[2], length = (int64_t)request->word[3], end;
	*wanted = (struct wanted){ .node = opened->node, .opened = id, .class = what & FILE_LOCK_CLASSES, .type = what & FILE_LOCK_TYPES };
	wanted->owner = wanted->class == FILE_LOCK_RECORD ? request->badge : id;
	if (__builtin_popcount(wanted->class) != 1 || __builtin_popcount(wanted->type) != 1)
		return -EINVAL;
	if (request->word[4]) {
		struct file_attributes attributes;
		content_attributes(opened->node, &attributes);
		if (__builtin_add_overflow((int64_t)attributes.size, start, &start))
			return -EOVERFLOW;
	}
	if (length < 0) {
		if (__builtin_add_overflow(start, length, &start))
			return -EINVAL;
		end = start - length - 1;
	} else if (length == 0)
		end = (int64_t)LOCK_END;
	else if (__builtin_add_overflow(start, length - 1, &end))
		return start < 0 ? -EINVAL : -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	wanted->start = (uint64_t)start;
	wanted->end = (uint64_t)end;
	return 0;
}

static bool is_registered(uint64_t badge)
{
	for (struct registered *r = registered; r; r = r->next)
		if (r->badge == badge)
			return true;
	return false;
}

static int64_t wait_begin(struct server_request *request, const struct wanted *wanted, struct opened *opened)
{
	struct lock_wait *wait = malloc(sizeof *wait), **place = &waits;
	if (!wait)
		return -ENOMEM;
	*wait = (struct lock_wait){ .wanted = *wanted, .badge = request->badge, .thread = request->word[5], .reply = server_defer(request) };
	while (*place)
		place = &(*place)->next;
	*place = wait;
	opened->locks++;
	node_get(wanted->node);
	return SERVER_DEFERRED;
}

static int64_t test(struct server_request *request, const struct wanted *wanted)
{
	const struct lock *lock = conflict(wanted);
	if (!lock)
		return 0;
	request->reply_word[1] = lock->class | lock->type;
	request->reply_word[2] = lock->start;
	request->reply_word[3] = lock->end == LOCK_END ? 0 : lock->end - lock->start + 1;
	request->reply_word[4] = lock->class == FILE_LOCK_RECORD ? PROCESS_BADGE_PID(lock->owner) : UINT64_MAX;
	return 0;
}

int64_t lock_request(struct server_request *request, uint64_t id)
{
	uint32_t what = (uint32_t)request->word[1];
	struct opened *opened = opened_find(id);
	struct wanted wanted;
	if (!opened)
		return -EBADF;
	int64_t error = wanted_parse(request, id, opened, &wanted);
	if (error)
		return error;
	if (what & FILE_LOCK_TEST)
		return test(request, &wanted);
	uint32_t access = opened->flags & O_ACCMODE;
	if (wanted.class != FILE_LOCK_WHOLE &&
		((wanted.type == FILE_LOCK_SHARED && access == O_WRONLY) || (wanted.type == FILE_LOCK_EXCLUSIVE && access == O_RDONLY)))
		return -EBADF;
	if (wanted.class == FILE_LOCK_RECORD && !is_registered(request->badge)) {
		if (wanted.type == FILE_LOCK_NONE)
			return 0;
		return -EOWNERDEAD;
	}
	waits_forget(request->badge, request->word[5]);
	int64_t result = 0;
	struct lock *lock = wanted.type == FILE_LOCK_NONE ? NULL : conflict(&wanted);
	if (lock && wanted.class == FILE_LOCK_WHOLE) { /* a change of type gives the old lock up first, as on Linux */
		struct wanted none = wanted;
		none.type = FILE_LOCK_NONE;
		if (!apply_alone(none))
			return -ENOMEM;
		retry(wanted.node);
		lock = conflict(&wanted);
	}
	if (!lock) {
		if (!apply_alone(wanted))
			return -ENOMEM;
		retry(wanted.node); /* less than before may be locked now */
	} else if (!(what & FILE_LOCK_WAIT))
		result = -EAGAIN;
	else if (wanted.class == FILE_LOCK_RECORD && deadlock(lock, wanted.owner, 0))
		result = -EDEADLK;
	else
		result = wait_begin(request, &wanted, opened);
	return result;
}

/* Found or made; NULL: no memory. */
static struct registered *registered_get(uint64_t badge)
{
	struct registered *owner = registered;
	while (owner && owner->badge != badge)
		owner = owner->next;
	if (owner)
		return owner;
	owner = calloc(1, sizeof *owner);
	if (!owner)
		return NULL;
	owner->badge = badge;
	owner->next = registered;
	registered = owner;
	return owner;
}

int64_t lock_register(struct server_request *request, uint64_t id)
{
	if (!opened_find(id))
		return -EBADF;
	struct registered *owner = registered_get(request->badge);
	if (!owner)
		return -ENOMEM;
	owner->ports++; /* a port that cannot be sent says so by its close message */
	int64_t port = client_create(fs_listener, WORD(WORD_OWNER, request->badge));
	if (port < 0) {
		lock_owner_gone(request->badge);
		return port;
	}
	server_reply_handle(request, (handle_t)port, true);
	return 0;
}

/* Removes every lock that `which` names, and lets others go on. */
static void locks_drop(struct node *node, uint32_t class, uint64_t owner)
{
	struct lock *next;
	node_get(node);
	for (struct lock *lock = node->locks; lock; lock = next) {
		next = lock->next;
		if (lock->owner == owner && (class == FILE_LOCK_RECORD) == (lock->class == FILE_LOCK_RECORD))
			lock_remove(lock);
	}
	retry(node);
	node_put(node);
}

int64_t lock_release(struct server_request *request, uint64_t id)
{
	struct opened *opened = opened_find(id);
	if (!opened)
		return -EBADF;
	lock_release_node(opened->node, request->badge);
	return 0;
}

void lock_release_node(struct node *node, uint64_t badge)
{
	locks_drop(node, FILE_LOCK_RECORD, badge);
}

int64_t lock_cancel(struct server_request *request, uint64_t id)
{
	(void)id;
	if (request->word[1])
		waits_forget(request->badge, request->word[1]);
	return 0;
}

void lock_opened_gone(uint64_t id, struct node *node)
{
	for (struct lock_wait **place = &waits, *wait; (wait = *place);) {
		if (wait->wanted.opened != id) {
			place = &wait->next;
			continue;
		}
		server_answer(wait->reply, -EBADF, NULL, NULL, 0);
		wait_free(place);
	}
	locks_drop(node, FILE_LOCK_DESCRIPTION, id);
}

void lock_owner_gone(uint64_t badge)
{
	struct registered **place = &registered, *owner;
	while ((owner = *place) && owner->badge != badge)
		place = &owner->next;
	if (!owner || --owner->ports)
		return;
	*place = owner->next;
	free(owner);
	waits_forget(badge, 0);
	for (struct lock *lock = all; lock;) {
		if (lock->class != FILE_LOCK_RECORD || lock->owner != badge) {
			lock = lock->all_next;
			continue;
		}
		locks_drop(lock->node, FILE_LOCK_RECORD, badge);
		lock = all; /* others may have come and gone */
	}
}

/* -- after a predecessor's death. Those who waited have been told that their call failed. */

enum lock_word { LOCK_NODE = 1, LOCK_CLASS_TYPE, LOCK_OWNER, LOCK_FIRST, LOCK_LAST };

static void lock_compose(const struct stored *stored, uint64_t *word)
{
	const struct lock *lock = (const struct lock *)((const char *)stored - offsetof(struct lock, stored));
	word[LOCK_NODE] = node_id(lock->node);
	word[LOCK_CLASS_TYPE] = lock->class | (uint64_t)lock->type << 32;
	word[LOCK_OWNER] = lock->owner;
	word[LOCK_FIRST] = lock->start;
	word[LOCK_LAST] = lock->end;
}

void lock_start(void)
{
	store_set_composer(STORE_LOCK, lock_compose);
}

void lock_owner_recover(uint64_t badge)
{
	struct registered *owner = registered_get(badge);
	if (!owner)
		abort();
	owner->ports++;
}

static bool lock_adopt(uint32_t index)
{
	const uint64_t *word = store_record(STORE_LOCK, index);
	struct wanted wanted = { .node = node_find(word[LOCK_NODE]), .class = (uint32_t)word[LOCK_CLASS_TYPE], .type = (uint32_t)(word[LOCK_CLASS_TYPE] >> 32),
		.owner = word[LOCK_OWNER], .start = word[LOCK_FIRST], .end = word[LOCK_LAST] };
	bool record = wanted.class == FILE_LOCK_RECORD;
	if (!wanted.node || (!record && wanted.class != FILE_LOCK_DESCRIPTION && wanted.class != FILE_LOCK_WHOLE) || wanted.start > wanted.end ||
		(wanted.type != FILE_LOCK_SHARED && wanted.type != FILE_LOCK_EXCLUSIVE) || (record ? !is_registered(wanted.owner) : !opened_find(wanted.owner)))
		return false;
	struct lock *lock = calloc(1, sizeof *lock);
	if (!lock)
		abort();
	stored_adopt(&lock->stored, STORE_LOCK, index);
	lock_insert(lock, &wanted);
	return true;
}

void lock_recover(void)
{
	for (uint32_t index = 0; index < store_used(STORE_LOCK); index++) {
		enum store_check check = store_check(STORE_LOCK, index);
		if (check == STORE_BAD)
			server_log("a damaged lock is lost");
		if (check != STORE_FREE && !(check == STORE_GOOD && lock_adopt(index)))
			store_drop(STORE_LOCK, index);
	}
}
