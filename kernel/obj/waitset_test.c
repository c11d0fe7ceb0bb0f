/*
 * Waitsets through their system calls: objects that become ready and die, entries of all kinds that come, change and go, and looks that do not
 * block, against a table of what each entry should tell; waitsets in waitsets; failing allocations. With "threads", waiters that block while others make
 * objects ready, add and remove entries: a lost wake-up is a hang.
 * host-test: kernel/obj/waitset.c kernel/obj/object.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/task.c
 * host-threads: kernel/obj/waitset.c kernel/obj/object.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/task.c
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/calls.h"
#include "kernel/core/log.h"
#include "kernel/obj/handle.h"
#include "shim.h"
#include "task.h"

#define ALWAYS (READY_ERROR | READY_HANGUP)
#define THINGS 6u
#define HANDLES 2u /* of each */
#define WAITSETS 2u
#define RESULTS 64

void object_ref(struct object *object)
{
	CHECK(__atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED));
}

void object_last_gone(struct object *object);
void object_unref(struct object *object)
{
	if (!object)
		return;
	uint32_t left = __atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL);
	CHECK(left != UINT32_MAX);
	if (!left)
		object_last_gone(object);
}

/* --- things that are ready when the test says so --- */
struct thing { struct object object; uint32_t ready; bool observed, dead; };
static uint32_t thing_ready(struct object *object)
{
	CHECK(!shim_lock_above(RANK_OBSERVERS - 1));
	return __atomic_load_n(&container_of(object, struct thing, object)->ready, __ATOMIC_SEQ_CST);
}
static void thing_observed(struct object *object, bool any)
{
	struct thing *thing = container_of(object, struct thing, object);
	CHECK(spin_held(&observer_lock) && thing->observed != any);
	thing->observed = any;
}
static void thing_destroy(struct object *object)
{
	__atomic_store_n(&container_of(object, struct thing, object)->dead, true, __ATOMIC_RELEASE);
}
static const struct object_operations thing_operations = {
	.kind = KIND_EVENT, .name = "thing", .destroy = thing_destroy, .ready = thing_ready, .observed = thing_observed,
};
static const struct object_operations mute_operations = { .kind = KIND_MEMOBJ, .name = "mute", .destroy = thing_destroy };

static handle_t handle_to(struct object *object)
{
	object_ref(object);
	int64_t handle = handle_install_new(object, RIGHT_ALL, 0, HANDLE_HIGH);
	CHECK(handle >= 0);
	return (handle_t)handle;
}

/* --- the model --- */
struct entry { bool there, pending; uint32_t events, options; uint64_t word; }; /* pending: it was told of something since it was asked */
static struct thing thing[THINGS];
static handle_t handle[THINGS][HANDLES], waitset[WAITSETS];
static struct entry entry[WAITSETS][THINGS][HANDLES];
static struct process *process;
static uint64_t words;

static uint32_t names(uint32_t ready)
{
	return ready | (ready & READY_IN ? READY_READ_NORMAL : 0) | (ready & READY_OUT ? READY_WRITE_NORMAL : 0);
}
static uint32_t told(const struct entry *e, uint32_t ready)
{
	return e->there && e->events ? names(ready) & (e->events | ALWAYS) : 0;
}

static void thing_begin(unsigned t)
{
	thing[t] = (struct thing){ .ready = 0 };
	object_init(&thing[t].object, &thing_operations);
	for (unsigned h = 0; h < HANDLES; h++)
		handle[t][h] = handle_to(&thing[t].object);
}

/* The last reference goes, and with it all entries. */
static void thing_end(unsigned t)
{
	for (unsigned h = 0; h < HANDLES; h++)
		CHECK(!sys_handle_close(handle[t][h]));
	CHECK(!thing[t].dead && thing[t].object.references == 1);
	object_unref(&thing[t].object);
	CHECK(thing[t].dead && list_empty(&thing[t].object.observers));
	for (unsigned w = 0; w < WAITSETS; w++)
		memset(entry[w][t], 0, sizeof(entry[w][t]));
}

static bool observed(unsigned t)
{
	for (unsigned w = 0; w < WAITSETS; w++)
		for (unsigned h = 0; h < HANDLES; h++)
			if (entry[w][t][h].there)
				return true;
	return false;
}

static uint32_t bits_any(void)
{
	static const uint32_t bits[] = { READY_IN, READY_OUT, READY_ERROR, READY_HANGUP, READY_IN | READY_OUT, READY_READ_NORMAL, 0 };
	return bits[shim_below(array_count(bits))];
}

static void become(unsigned t, uint32_t ready)
{
	uint32_t news = ready & ~thing[t].ready;
	if (shim_below(3) == 0)
		news = ready; /* told again, as when more bytes come */
	__atomic_store_n(&thing[t].ready, ready, __ATOMIC_SEQ_CST);
	if (!news)
		return;
	object_notify(&thing[t].object, news);
	for (unsigned w = 0; w < WAITSETS; w++)
		for (unsigned h = 0; h < HANDLES; h++)
			entry[w][t][h].pending |= told(&entry[w][t][h], news) != 0;
}

static void control(void)
{
	unsigned w = (unsigned)shim_below(WAITSETS), t = (unsigned)shim_below(THINGS), h = (unsigned)shim_below(HANDLES);
	struct entry *e = &entry[w][t][h];
	struct waitset_entry request = { .events = bits_any(), .options = (uint32_t)shim_below(4), .word = ++words };
	uint32_t operation = 1 + (uint32_t)shim_below(3);
	bool fails = shim_below(6) == 0;
	if (shim_below(20) == 0)
		request.options = WAITSET_FIXED;
	shim_fail_in = fails ? 0 : -1;
	int64_t result = sys_waitset_control(waitset[w], operation, handle[t][h], user_of(&request));
	shim_fail_in = -1;
	if (operation == WAITSET_ADD && fails) {
		CHECK(result == -ENOMEM);
	} else if (operation == WAITSET_ADD) {
		CHECK(result == (e->there ? -EEXIST : 0));
	} else if (!e->there) {
		CHECK(result == -ENOENT);
	} else if (operation == WAITSET_REMOVE) {
		CHECK(result == 0);
		*e = (struct entry){ 0 };
	} else {
		CHECK(result == ((e->options | request.options) & WAITSET_FIXED ? -EINVAL : 0));
	}
	if (result || operation == WAITSET_REMOVE)
		return;
	bool pending = e->there && e->pending;
	*e = (struct entry){ .there = true, .events = request.events | ALWAYS, .options = request.options, .word = request.word };
	e->pending = pending || told(e, thing[t].ready) != 0;
}

static struct entry *entry_of(unsigned w, uint64_t word, unsigned *t)
{
	for (*t = 0; *t < THINGS; ++*t)
		for (unsigned h = 0; h < HANDLES; h++)
			if (entry[w][*t][h].there && entry[w][*t][h].word == word)
				return &entry[w][*t][h];
	panic("a result of no entry");
}

/* One look with room for all: each entry that should tell does, with what it should. */
static void look(unsigned w)
{
	struct waitset_result results[RESULTS];
	int64_t expected = 0, found = sys_waitset_wait(waitset[w], user_of(results), RESULTS + shim_below(3), 0);
	for (unsigned t = 0; t < THINGS; t++)
		for (unsigned h = 0; h < HANDLES; h++)
			expected += entry[w][t][h].pending && told(&entry[w][t][h], thing[t].ready);
	CHECK(found == expected);
	for (int64_t i = 0; i < found; i++) {
		unsigned t;
		struct entry *e = entry_of(w, results[i].word, &t);
		CHECK(e->pending && results[i].ready == told(e, thing[t].ready));
		if (e->options & WAITSET_ONCE)
			e->events = 0;
		e->pending = false;
	}
	for (unsigned t = 0; t < THINGS; t++)
		for (unsigned h = 0; h < HANDLES; h++) {
			struct entry *e = &entry[w][t][h];
			e->pending = !(e->options & WAITSET_EDGE) && told(e, thing[t].ready); /* level-triggered ones are asked again */
		}
}

/* Looks with room for one come to all of the level-triggered ones in turn. */
static void look_in_turn(unsigned w)
{
	struct waitset_result result;
	uint64_t seen[THINGS * HANDLES];
	unsigned count = 0;
	for (unsigned t = 0; t < THINGS; t++)
		for (unsigned h = 0; h < HANDLES; h++) {
			if (entry[w][t][h].pending && entry[w][t][h].options & (WAITSET_EDGE | WAITSET_ONCE))
				return;
			count += entry[w][t][h].pending && told(&entry[w][t][h], thing[t].ready);
		}
	for (unsigned n = 0; n < count; n++) {
		CHECK(sys_waitset_wait(waitset[w], user_of(&result), 1, 0) == 1);
		for (unsigned i = 0; i < n; i++)
			CHECK(seen[i] != result.word);
		seen[n] = result.word;
	}
}

static void step(void)
{
	unsigned t = (unsigned)shim_below(THINGS), w = (unsigned)shim_below(WAITSETS);
	switch (shim_below(10)) {
	case 0: case 1: case 2:
		become(t, shim_below(4) ? bits_any() : 0);
		break;
	case 3: case 4: case 5: case 6:
		control();
		break;
	case 7:
		look_in_turn(w);
		break;
	case 8:
		if (shim_below(6) == 0) {
			thing_end(t);
			thing_begin(t);
		}
		break;
	default:
		look(w);
	}
	CHECK(thing[t].observed == observed(t));
}

static handle_t waitset_new(void)
{
	int64_t created = sys_waitset_create();
	CHECK(created >= HANDLE_HIGH);
	return (handle_t)created;
}

static int64_t put(handle_t outer, handle_t inner, uint32_t operation)
{
	struct waitset_entry request = { .events = READY_IN, .word = 7 };
	return sys_waitset_control(outer, operation, inner, user_of(&request));
}

/* Waitsets in waitsets: readiness goes up, cycles and depth are refused, an inner one may go first. */
static void nested(void)
{
	handle_t set[6];
	struct waitset_result result;
	for (unsigned i = 0; i < array_count(set); i++)
		set[i] = waitset_new();
	for (unsigned i = 0; i < 4; i++)
		CHECK(!put(set[i], set[i + 1], WAITSET_ADD));
	CHECK(put(set[5], set[0], WAITSET_ADD) == -ELOOP && put(set[0], set[0], WAITSET_ADD) == -EINVAL);
	for (unsigned i = 1; i < 5; i++)
		CHECK(put(set[i], set[0], WAITSET_ADD) == -ELOOP);
	struct waitset_entry request = { .events = READY_IN, .options = WAITSET_EDGE, .word = 9 };
	CHECK(!sys_waitset_control(set[4], WAITSET_ADD, handle[0][0], user_of(&request)));
	become(0, 0);
	CHECK(sys_waitset_wait(set[0], user_of(&result), 1, 0) == 0);
	become(0, READY_IN);
	for (unsigned i = 0; i < 4; i++) /* looking up the chain consumes nothing, edge or not */
		CHECK(sys_waitset_wait(set[i], user_of(&result), 1, 0) == 1 && result.word == 7 && result.ready & READY_IN);
	CHECK(sys_waitset_wait(set[4], user_of(&result), 1, 0) == 1 && result.word == 9);
	for (unsigned i = 0; i < 5; i++)
		CHECK(sys_waitset_wait(set[i], user_of(&result), 1, 0) == 0);
	CHECK(!put(set[1], set[2], WAITSET_REMOVE) && !put(set[5], set[0], WAITSET_ADD)); /* shorter now */
	CHECK(!put(set[2], set[3], WAITSET_REMOVE) && put(set[4], set[3], WAITSET_ADD) == -ELOOP); /* a short cycle */
	bool outer_first = shim_below(2);
	for (unsigned i = 0; i < array_count(set); i++)
		CHECK(!sys_handle_close(set[outer_first ? i : array_count(set) - 1 - i]));
}

static void refused(void)
{
	static struct thing mute;
	struct waitset_result result;
	object_init(&mute.object, &mute_operations);
	handle_t deaf = handle_to(&mute.object);
	CHECK(put(waitset[0], deaf, WAITSET_ADD) == -EPERM && put(deaf, handle[0][0], WAITSET_ADD) == -EINVAL);
	CHECK(put(waitset[0], handle[0][0], 9) == -EINVAL && sys_waitset_control(waitset[0], WAITSET_ADD, handle[0][0], 8) == -EFAULT);
	CHECK(sys_waitset_wait(waitset[0], user_of(&result), 0, 0) == -EINVAL && sys_waitset_wait(deaf, user_of(&result), 1, 0) == -EINVAL);
	CHECK(!sys_handle_close(deaf));
	object_unref(&mute.object);
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(60); round < rounds; round++) {
		shim_seed(round);
		memset(entry, 0, sizeof(entry));
		process = task_process();
		task_start(process);
		for (unsigned t = 0; t < THINGS; t++)
			thing_begin(t);
		for (unsigned w = 0; w < WAITSETS; w++)
			waitset[w] = waitset_new();
		refused();
		for (unsigned n = 0; n < 1500; n++)
			step();
		nested();
		for (unsigned t = 0; t < THINGS; t += 2)
			thing_end(t);
		for (unsigned w = 0; w < WAITSETS; w++)
			CHECK(!sys_handle_close(waitset[w]));
		memset(entry, 0, sizeof(entry));
		for (unsigned t = 1; t < THINGS; t += 2) {
			CHECK(!thing[t].observed);
			thing_end(t);
		}
		CHECK(handle_table_count(&process->handles) == 0);
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

/* --- threads: producers make tokens, waiters take them; one adds and removes entries of things of its own --- */
#define PRODUCERS 2u
#define WAITERS 3u
#define EACH 400u
static uint32_t tokens[PRODUCERS], taken, over;
static struct thread *running[WAITERS];

static void produce(unsigned p)
{
	for (unsigned n = 0; n < EACH; n++) {
		test_lock();
		tokens[p]++;
		__atomic_store_n(&thing[p].ready, READY_IN, __ATOMIC_SEQ_CST);
		test_unlock();
		object_notify(&thing[p].object, READY_IN);
		for (unsigned i = (unsigned)shim_below(8); i; i--)
			sched_yield();
	}
}

static void consume(unsigned waiter)
{
	test_lock();
	running[waiter] = thread_current();
	test_unlock();
	for (;;) {
		struct waitset_result results[3];
		int64_t found = sys_waitset_wait(waitset[0], user_of(results), 1 + shim_below(3), DEADLINE_NEVER);
		if (found == -EINTR)
			task_calm();
		CHECK(found > 0 || found == -EINTR);
		bool end = false;
		for (int64_t i = 0; i < found; i++) {
			uint64_t which = results[i].word;
			end |= which == PRODUCERS;
			if (which >= PRODUCERS)
				continue;
			test_lock();
			if (tokens[which]) {
				tokens[which]--;
				taken++;
			}
			if (!tokens[which])
				__atomic_store_n(&thing[which].ready, 0, __ATOMIC_SEQ_CST);
			bool all = taken == PRODUCERS * EACH;
			test_unlock();
			if (all) {
				__atomic_store_n(&thing[PRODUCERS].ready, READY_IN, __ATOMIC_SEQ_CST);
				object_notify(&thing[PRODUCERS].object, READY_IN);
			}
		}
		if (end)
			break;
	}
	test_lock();
	running[waiter] = NULL;
	test_unlock();
	__atomic_add_fetch(&over, 1, __ATOMIC_RELEASE);
}

static void meddle(void)
{
	while (__atomic_load_n(&over, __ATOMIC_ACQUIRE) < WAITERS) {
		struct thing *own = malloc(sizeof(*own));
		*own = (struct thing){ .ready = shim_below(2) ? READY_OUT : 0 };
		object_init(&own->object, &thing_operations);
		handle_t to = handle_to(&own->object);
		struct waitset_entry request = { .events = READY_OUT, .options = (uint32_t)shim_below(4), .word = 100 };
		CHECK(!sys_waitset_control(waitset[0], WAITSET_ADD, to, user_of(&request)));
		for (unsigned n = (unsigned)shim_below(4); n; n--) {
			__atomic_store_n(&own->ready, READY_OUT, __ATOMIC_SEQ_CST);
			object_notify(&own->object, READY_OUT);
			CHECK(!sys_waitset_control(waitset[0], WAITSET_CHANGE, to, user_of(&request)));
		}
		if (shim_below(2))
			CHECK(!sys_waitset_control(waitset[0], WAITSET_REMOVE, to, user_of(&request)));
		__atomic_store_n(&own->ready, 0, __ATOMIC_SEQ_CST);
		CHECK(!sys_handle_close(to));
		object_unref(&own->object);
		while (!__atomic_load_n(&own->dead, __ATOMIC_ACQUIRE)) /* a waiter may be asking it */
			sched_yield();
		free(own);
		test_lock();
		struct thread *thread = running[shim_below(WAITERS)];
		if (thread && shim_below(2))
			task_interrupt(thread);
		test_unlock();
	}
}

static void work(unsigned number)
{
	task_start(process);
	task_absent_chance = 4;
	if (number < PRODUCERS)
		produce(number);
	else if (number < PRODUCERS + WAITERS)
		consume(number - PRODUCERS);
	else
		meddle();
	task_end();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(6); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		waitset[0] = waitset_new();
		memset(tokens, 0, sizeof(tokens));
		taken = over = 0;
		for (unsigned t = 0; t <= PRODUCERS; t++) {
			struct waitset_entry request = { .events = READY_IN, .word = t };
			thing_begin(t);
			CHECK(!sys_waitset_control(waitset[0], WAITSET_ADD, handle[t][0], user_of(&request)));
		}
		task_parallel(PRODUCERS + WAITERS + round % 2, work); /* every second time nobody interrupts or meddles */
		CHECK(taken == PRODUCERS * EACH && !tokens[0] && !tokens[1]);
		for (unsigned t = 0; t <= PRODUCERS; t++)
			thing_end(t);
		CHECK(!sys_handle_close(waitset[0]));
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
