/*
 * Threads use the same memory objects and address spaces at once: reads and writes, mappings, clones, shared ranges, cuts, forks, with failing
 * allocations. What must hold whatever the order: a word read is zero or was written to an object of the same class (no page is seen
 * after it was freed or given to others), a clone never changes, a child of a fork keeps what its parent had, records
 * appended come whole and in each writer's order, and in the end nothing is left.
 * host-test: kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/obj/budget.c kernel/core/share.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 * host-threads: kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/obj/budget.c kernel/core/share.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include <stdlib.h>
#include <string.h>
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/memobj.h"
#include "kernel/vm/space.h"
#include "shim.h"

#define THREADS 4u
#define OBJECTS 4u              /* of two classes, which never exchange pages: even and odd */
#define MAX (24 * PAGE_SIZE)
#define WORDS (MAX / 8)
#define STEPS 700u
#define BUFFER(t) (0x10000000ul + (t) * 0x1000000ul)
#define SHARED(o) (0x20000000ul + (o) * 0x1000000ul)
#define PRIVATE(o) (0x30000000ul + (o) * 0x1000000ul)
static struct memobj *slot[OBJECTS], *appended; /* slots: the test's lock */
static struct budget *root, *budget;
static struct space *common, *own[THREADS];
static bool tight;                /* the budget is too small for all */

struct record { uint64_t thread, number, length, rest[13]; };
static _Thread_local uint64_t first[WORDS], second[WORDS], other[WORDS];

/* The thread sanitizer looks at the kernel's own data. Content that is copied while somebody writes it is not: such reads see old or new words. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:fault_copy_object\n";
}

static uint64_t word_of(unsigned class)
{
	uint64_t high = (shim_random() << 1 | class) & UINT32_MAX;
	return high << 32 | (uint32_t)(high * 0x9e3779b1u);
}

static void words_check(const uint64_t *words, uint64_t count, unsigned class)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t high = words[i] >> 32;
		if (words[i] && ((uint32_t)words[i] != (uint32_t)(high * 0x9e3779b1u) || (high & 1) != class))
			panic("word %lu of %lu is %lx, of no object of class %u", i, count, words[i], class);
	}
}

static struct memobj *slot_get(unsigned o)
{
	test_lock();
	struct memobj *object = slot[o];
	object_ref(memobj_object(object));
	test_unlock();
	return object;
}

static void slot_set(unsigned o, struct memobj *new)
{
	test_lock();
	struct memobj *old = slot[o];
	slot[o] = new;
	test_unlock();
	object_unref(memobj_object(old));
}

static void put(struct memobj *object)
{
	object_unref(memobj_object(object));
}

/* A range of whole words. */
static uint64_t range(uint64_t *length)
{
	uint64_t at = shim_below(3) ? shim_below(WORDS) * 8 : shim_below(MAX / PAGE_SIZE) * PAGE_SIZE;
	*length = shim_below(2) ? shim_below(3 * PAGE_SIZE / 8) * 8 : shim_below(10) * PAGE_SIZE;
	*length = min(*length, MAX - at);
	return at;
}

static void fill(uint64_t *words, uint64_t length, unsigned class)
{
	for (uint64_t i = 0; i < length / 8; i++)
		words[i] = shim_below(4) ? word_of(class) : 0;
}

/* Reads through the object's own pages, and what comes is of its class. */
static void read_checked(struct memobj *object, uint64_t at, uint64_t length, unsigned class)
{
	int64_t done = memobj_read_kernel(object, at, first, length);
	CHECK(done >= 0 && done % 8 == 0);
	words_check(first, done / 8, class);
}

static void through_mapping(unsigned o)
{
	uint64_t length, at = range(&length), base = shim_below(2) ? SHARED(o) : PRIVATE(o);
	if (shim_below(2)) {
		fill(other, length, o & 1);
		(void)!copy_to_user(base + at, other, length);
	} else {
		memset(other, 0, length);
		(void)!copy_from_user(other, base + at, length);
		words_check(other, length / 8, o & 1);
	}
}

static void clone_unchanged(struct memobj *object, unsigned class)
{
	struct memobj *clone = memobj_clone(object, 0, MAX, budget);
	if (!clone)
		return;
	CHECK(memobj_read_kernel(clone, 0, first, MAX) == MAX);
	words_check(first, WORDS, class);
	for (unsigned i = 0; i < 4; i++) /* others may run too */
		through_mapping(class + 2 * shim_below(OBJECTS / 2));
	CHECK(memobj_read_kernel(clone, 0, second, MAX) == MAX && !memcmp(first, second, MAX));
	if (shim_below(2))
		put(clone);
	else
		slot_set(class + 2 * shim_below(OBJECTS / 2), clone);
}

static void map_again(unsigned o)
{
	struct memobj *object = slot_get(o);
	bool private = shim_below(2);
	struct map_request request = {
		.address = private ? PRIVATE(o) : SHARED(o), .length = MAX, .protection = PROTECT_READ | PROTECT_WRITE,
		.flags = MAP_FIXED | (private ? MAP_PRIVATE_COPY : 0),
	};
	if (shim_below(3))
		(void)!space_map(shim_space, &request, object, 7);
	else if (shim_below(2))
		(void)!space_unmap(shim_space, request.address, MAX);
	else
		(void)!space_discard(shim_space, request.address, shim_below(MAX / PAGE_SIZE) * PAGE_SIZE);
	put(object);
}

/* A child has what this thread's buffer held, whatever the parent writes afterwards, and what it writes is not the parent's. */
static void fork_unchanged(unsigned t)
{
	struct space *parent = shim_space;
	if (copy_from_user(first, BUFFER(t), MAX))
		return;
	struct space *child = space_clone(parent, root);
	if (!child)
		return;
	fill(second, MAX, 0);
	(void)!copy_to_user(BUFFER(t), second, MAX / 2);
	shim_space = child;
	memset(second, 0, MAX);
	if (!copy_from_user(second, BUFFER(t), MAX))
		CHECK(!memcmp(first, second, MAX));
	for (unsigned i = 0; i < 4; i++)
		through_mapping(shim_below(OBJECTS));
	shim_space = parent;
	if (!copy_from_user(first, BUFFER(t), MAX)) {
		shim_space = child;
		fill(second, MAX, 1);
		(void)!copy_to_user(BUFFER(t), second, MAX);
		shim_space = parent;
		if (!copy_from_user(second, BUFFER(t), MAX))
			CHECK(!memcmp(first, second, MAX));
	}
	object_unref(space_object(child));
}

static void append(unsigned t, uint64_t *number)
{
	struct record record = { .thread = t, .number = *number, .length = 24 + shim_below(13) * 8 };
	uint64_t offset = 0;
	for (unsigned i = 0; i < array_count(record.rest); i++)
		record.rest[i] = *number * 100 + i;
	shim_fail_in = -1; /* a record that meets the end of memory in its middle may come in part */
	CHECK(!copy_to_user(BUFFER(t), &record, record.length));
	int64_t done = memobj_write_user(appended, &offset, BUFFER(t), record.length, true, 0);
	if (done != (int64_t)record.length)
		panic("%ld bytes of a record of %lu were appended", done, record.length);
	++*number;
}

static void step(unsigned t, uint64_t *number)
{
	unsigned o = shim_below(OBJECTS), class = o & 1;
	uint64_t length, at = range(&length), offset = at;
	struct memobj *object = slot_get(o);
	shim_space = shim_below(3) ? own[t] : common;
	switch (shim_below(12)) {
	case 0: case 1:
		fill(first, length, class);
		if (copy_to_user(BUFFER(t) + at, first, length))
			break;
		CHECK(memobj_write_user(object, &offset, BUFFER(t) + at, length, false, 0) >= -EFBIG);
		break;
	case 2: { /* from or to a mapping, perhaps of the same object */
		unsigned other = class + 2 * shim_below(OBJECTS / 2);
		if (shim_below(2))
			(void)!memobj_write_user(object, &offset, SHARED(other) + (at & ~(PAGE_SIZE - 1)), length, false, 0);
		else
			(void)!memobj_read_user(object, at, SHARED(other) + at, length);
		break;
	}
	case 3:
		read_checked(object, at, length, class);
		break;
	case 4:
		clone_unchanged(object, class);
		break;
	case 5: {
		struct memobj *target = slot_get(class + 2 * shim_below(OBJECTS / 2));
		(void)!memobj_share(object, at & ~(PAGE_SIZE - 1), target, shim_below(8) * PAGE_SIZE, length & ~(PAGE_SIZE - 1));
		put(target);
		break;
	}
	case 6:
		(void)!memobj_resize(object, at);
		break;
	case 7:
		(void)!memobj_zero(object, at, length);
		break;
	case 8:
		map_again(o);
		break;
	case 9:
		fork_unchanged(t);
		break;
	case 10:
		append(t, number);
		break;
	default:
		through_mapping(o);
	}
	put(object);
}

static uint64_t written[THREADS];

static void work(unsigned t)
{
	for (unsigned n = 0; n < STEPS; n++) {
		shim_fail_in = shim_below(4) ? -1 : (int64_t)shim_below(12);
		shim_drop_chance = shim_below(3) ? 0 : 4;
		step(t, &written[t]);
	}
	shim_fail_in = -1;
	shim_drop_chance = 0;
}

static void records_check(void)
{
	uint64_t at = 0, next[THREADS] = { 0 };
	struct record record;
	while (at < memobj_size(appended)) {
		CHECK(memobj_read_kernel(appended, at, &record, 24) == 24);
		CHECK(record.thread < THREADS && record.length >= 24 && record.length <= sizeof(record) && record.number == next[record.thread]);
		CHECK(memobj_read_kernel(appended, at, &record, record.length) == (int64_t)record.length);
		for (unsigned i = 0; i < (record.length - 24) / 8; i++)
			CHECK(record.rest[i] == record.number * 100 + i);
		next[record.thread]++;
		at += record.length;
	}
	for (unsigned t = 0; t < THREADS; t++)
		CHECK(next[t] == written[t]);
}

static struct space *space_prepared(void)
{
	struct space *space = space_create(root);
	for (unsigned t = 0; t < THREADS; t++) {
		struct map_request request = { .address = BUFFER(t), .length = MAX, .protection = 3, .flags = MAP_FIXED, .memobj = -1 };
		CHECK(!space_map(space, &request, 0, 7));
	}
	return space;
}

int main(int argc, char **argv)
{
	bool watched = argc > 1 && !strcmp(argv[1], "threads");
	for (unsigned round = 0, rounds = shim_rounds(watched ? 4 : 8); round < rounds; round++) {
		shim_seed(round);
		tight = round % 4 == 3;
		root = budget_create(0, 100000);
		budget = budget_create(root, tight ? 60 : 100000);
		common = space_prepared();
		appended = memobj_create(0, MEMOBJ_GROW, root);
		for (unsigned o = 0; o < OBJECTS; o++)
			slot[o] = memobj_create(0, MEMOBJ_GROW, budget);
		for (unsigned t = 0; t < THREADS; t++) {
			own[t] = space_prepared();
			written[t] = 0;
		}
		task_parallel(THREADS, work);
		records_check();
		for (unsigned o = 0; o < OBJECTS; o++) {
			read_checked(slot[o], 0, MAX, o & 1);
			put(slot[o]);
		}
		put(appended);
		for (unsigned t = 0; t < THREADS; t++)
			object_unref(space_object(own[t]));
		object_unref(space_object(common));
		CHECK(shim_pages_used() == 0 && root->pages_used == 0);
		object_unref(&budget->object);
		object_unref(&root->object);
		CHECK(shim_heap_used() == 0 && object_count() == 0);
	}
	return 0;
}
