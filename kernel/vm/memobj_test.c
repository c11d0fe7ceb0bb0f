/*
 * Random operations on memory objects, mapped in two spaces, against byte arrays; allocation failures; buffers that are mappings of the
 * object itself; snapshots stay as they were.
 * host-test: kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/obj/budget.c kernel/core/share.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include <stdlib.h>
#include <string.h>
#include "arch/usercopy.h"
#include "arch/mmu.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/memobj.h"
#include "kernel/vm/space.h"
#include "shim.h"

#define OBJECTS 4
#define MAX (90 * PAGE_SIZE)
#define BUFFER 0x10000000ul
#define SHARED(o) (0x20000000ul + (o) * 0x1000000ul)
#define PRIVATE(o) (0x30000000ul + (o) * 0x1000000ul)
static struct memobj *object[OBJECTS];
static unsigned char *model[OBJECTS];
static uint64_t size[OBJECTS];
static bool mapped[OBJECTS];
static struct space *space[2];
static struct budget *budget;
static unsigned char buffer[MAX], other[MAX];
static bool failing;

static void put(uint64_t length)
{
	for (uint64_t i = 0; i < length; i++)
		buffer[i] = shim_random();
}

static uint64_t place(void)
{
	uint64_t at = shim_below(MAX);
	switch (shim_below(4)) {
	case 0: return at & ~(PAGE_SIZE - 1);
	case 1: return (at & ~(PAGE_SIZE - 1)) + shim_below(40);
	default: return at;
	}
}

static uint64_t piece(uint64_t room)
{
	uint64_t n = shim_below(3) ? shim_below(3 * PAGE_SIZE) : shim_below(20 * PAGE_SIZE);
	if (shim_below(3) == 0)
		n &= ~(PAGE_SIZE - 1);
	return min(n, room);
}

static void map_object(unsigned o)
{
	for (unsigned s = 0; s < 2; s++)
		for (unsigned private = 0; private < 2; private++) {
			struct map_request request = {
				.address = private ? PRIVATE(o) : SHARED(o), .length = MAX, .protection = private ? PROTECT_READ : PROTECT_READ | PROTECT_WRITE,
				.flags = MAP_FIXED | (private ? MAP_PRIVATE_COPY : 0),
			};
			CHECK(!space_map(space[s], &request, object[o], 7));
		}
	mapped[o] = true;
}

static void unmap_object(unsigned o)
{
	for (unsigned s = 0; s < 2; s++) {
		CHECK(!space_unmap(space[s], SHARED(o), MAX));
		CHECK(!space_unmap(space[s], PRIVATE(o), MAX));
	}
	mapped[o] = false;
}

static void set(unsigned o, struct memobj *new)
{
	if (mapped[o])
		unmap_object(o);
	object_unref(memobj_object(object[o]));
	object[o] = new;
	if (shim_below(2))
		map_object(o);
}

static void check(unsigned o)
{
	CHECK(memobj_size(object[o]) == size[o]);
	CHECK(memobj_read_kernel(object[o], 0, other, MAX) == (int64_t)size[o]);
	CHECK(!memcmp(other, model[o], size[o]));
	if (!mapped[o])
		return;
	for (unsigned s = 0; s < 2; s++) {
		shim_space = space[s];
		uint64_t base = shim_below(2) ? SHARED(o) : PRIVATE(o);
		if (size[o]) {
			CHECK(!copy_from_user(other, base, size[o]));
			CHECK(!memcmp(other, model[o], size[o]));
		}
		uint64_t end = align_up(size[o], PAGE_SIZE);
		CHECK(space_fault(space[s], base + end, PROTECT_READ) == (end < MAX ? -ENXIO : -EFAULT));
	}
}

static void step(void)
{
	unsigned o = shim_below(OBJECTS), s = shim_below(2);
	uint64_t at = place(), length = piece(MAX - at);
	shim_space = space[s];
	switch (shim_below(13)) {
	case 0: case 1: case 2: { /* write from user memory: the private buffer, or the object's own mapping */
		bool append = shim_below(4) == 0, own = mapped[o] && shim_below(6) == 0;
		uint64_t from = BUFFER + shim_below(PAGE_SIZE), offset = at, limit = shim_below(5) ? 0 : 1 + shim_below(MAX);
		if (append) {
			offset = size[o];
			length = min(length, MAX - offset);
		}
		if (own) {
			uint64_t start = shim_below(size[o] + 1);
			length = min(length, size[o] - start);
			/* ranges that overlap within one page would make the model depend on the order of copying */
			if (start < offset + length + PAGE_SIZE && offset < start + length + PAGE_SIZE)
				break;
			from = SHARED(o) + start;
			memcpy(buffer, model[o] + start, length);
		} else {
			put(length);
			int64_t saved = shim_fail_in;
			shim_fail_in = -1;
			CHECK(!copy_to_user(from, buffer, length));
			if (shim_below(3) == 0)
				arch_space_unmap(space_arch(space[s]), from, from + length);
			shim_fail_in = saved;
		}
		int64_t done = memobj_write_user(object[o], &offset, from, length, append, limit);
		if (!append)
			CHECK(offset == at);
		else if (length)
			CHECK(offset == size[o]);
		if (limit && offset >= limit && length) {
			CHECK(done == -EFBIG);
			break;
		}
		uint64_t expect = limit ? min(length, limit - offset) : length;
		if (done < 0) {
			CHECK(failing && (done == -ENOMEM || done == -EFAULT));
			break;
		}
		CHECK((uint64_t)done == expect || failing);
		memcpy(model[o] + offset, buffer, done);
		if (done)
			size[o] = max(size[o], offset + done);
		break;
	}
	case 3: { /* read to user memory */
		bool own = mapped[o] && shim_below(4) == 0 && size[o];
		uint64_t to = BUFFER + shim_below(PAGE_SIZE), expect = at < size[o] ? min(length, size[o] - at) : 0;
		if (own) {
			/* into the mapping of another object */
			unsigned t = (o + 1) % OBJECTS;
			if (!mapped[t] || size[t] < expect)
				break;
			to = SHARED(t);
			int64_t done = memobj_read_user(object[o], at, to, length);
			if (done >= 0 && (uint64_t)done == expect)
				memcpy(model[t], model[o] + at, done);
			else { /* unknown how much of a page went over: take it as it is */
				CHECK(failing || length > size[t]);
				shim_fail_in = -1;
				CHECK(memobj_read_kernel(object[t], 0, model[t], size[t]) == (int64_t)size[t]);
			}
			break;
		}
		int64_t done = memobj_read_user(object[o], at, to, length);
		shim_fail_in = -1;
		CHECK(done == (int64_t)expect || (failing && done >= -EFAULT && done < (int64_t)expect));
		if (done > 0) {
			CHECK(!copy_from_user(other, to, done));
			CHECK(!memcmp(other, model[o] + at, done));
		}
		break;
	}
	case 4: { /* write through the mapping, also beyond the end in the last page */
		if (!mapped[o] || !size[o])
			break;
		at = shim_below(size[o]);
		length = min(length, align_up(size[o], PAGE_SIZE) - at);
		put(length);
		if (copy_to_user(SHARED(o) + at, buffer, length)) {
			CHECK(failing);
			shim_fail_in = -1;
			CHECK(memobj_read_kernel(object[o], 0, model[o], size[o]) == (int64_t)size[o]);
		} else {
			memcpy(model[o] + at, buffer, min(length, size[o] - at));
		}
		break;
	}
	case 5: case 6: {
		uint64_t new = shim_below(6) == 0 ? 0 : place();
		if (memobj_resize(object[o], new)) {
			CHECK(failing);
			break;
		}
		if (new > size[o])
			memset(model[o] + size[o], 0, new - size[o]);
		else
			memset(model[o] + new, 0, size[o] - new);
		size[o] = new;
		break;
	}
	case 7: case 8:
		if (memobj_zero(object[o], at, length))
			CHECK(failing);
		else if (at < size[o])
			memset(model[o] + at, 0, min(length, size[o] - at));
		break;
	case 9: {
		unsigned t = shim_below(OBJECTS);
		uint64_t offset = shim_below(2) ? 0 : at & ~(PAGE_SIZE - 1);
		length = min(shim_below(3) ? max(size[o], offset) - offset : length, MAX - offset);
		struct memobj *clone = memobj_clone(object[o], offset, length, budget);
		if (!clone) {
			CHECK(failing);
			break;
		}
		if (t == o) {
			shim_fail_in = -1;
			object_unref(memobj_object(clone));
			break;
		}
		shim_fail_in = -1;
		memcpy(other, model[o], MAX);
		if (offset + length > size[o])
			memset(other + size[o], 0, MAX - size[o]);
		memset(model[t], 0, MAX);
		memcpy(model[t], other + offset, length);
		size[t] = length;
		set(t, clone);
		break;
	}
	case 10: case 11: {
		unsigned t = shim_below(OBJECTS);
		uint64_t to = place() & ~(PAGE_SIZE - 1), end = align_up(size[o], PAGE_SIZE);
		at = shim_below(end + 1) & ~(PAGE_SIZE - 1);
		length = piece(MAX) & ~(PAGE_SIZE - 1);
		length = min(min(length, end - at), MAX - to);
		bool overlap = t == o && at < to + length && to < at + length;
		int error = memobj_share(object[o], at, object[t], to, length);
		if (error) {
			CHECK((error == -EINVAL && overlap) || (error == -ENOMEM && failing));
			break;
		}
		memcpy(buffer, model[o] + at, length);
		if (at + length > size[o] && length)
			memset(buffer + (size[o] - at), 0, at + length - size[o]);
		bool grows = length && to + length > align_up(size[t], PAGE_SIZE);
		uint64_t new = grows ? to + length : size[t];
		memcpy(model[t] + to, buffer, length);
		memset(model[t] + new, 0, MAX - new);
		size[t] = new;
		break;
	}
	default:
		if (shim_below(4))
			break;
		if (mapped[o]) {
			int64_t saved = shim_fail_in;
			shim_fail_in = -1;
			unmap_object(o);
			shim_fail_in = saved;
		} else {
			shim_fail_in = -1;
			map_object(o);
		}
	}
}

static void edges(void)
{
	char bytes[8] = "abcdefg";
	uint64_t offset = 0;
	struct memobj *plain = memobj_create(100, 0, budget);
	CHECK(memobj_write_kernel(plain, 96, bytes, 8) == 4 && memobj_write_kernel(plain, 100, bytes, 1) == -EFBIG);
	CHECK(memobj_write_kernel(plain, UINT64_MAX - 2, bytes, 8) == -EFBIG);
	CHECK(memobj_read_kernel(plain, UINT64_MAX - 2, bytes, 8) == 0);
	CHECK(memobj_write_user(plain, &offset, 0x100, 8, false, 0) == -EFAULT);
	CHECK(memobj_write_user(plain, &offset, UINT64_MAX - 3, 8, false, 0) == -EFAULT);
	CHECK(memobj_read_user(plain, 0, 0x100, 8) == -EFAULT);
	CHECK(memobj_read_user(plain, 0, UINT64_MAX - 3, 8) == -EFAULT);
	CHECK(memobj_zero(plain, 1, UINT64_MAX) == -EINVAL && memobj_resize(plain, UINT64_MAX) == -EFBIG);
	CHECK(memobj_seal(plain, SEAL_IMMUTABLE) == 0 && memobj_seal(plain, SEAL_FUTURE_WRITE) == -EPERM && memobj_write_kernel(plain, 0, bytes, 1) == -EPERM && memobj_resize(plain, 1) == -EPERM);
	CHECK(memobj_zero(plain, 0, 1) == -EPERM && memobj_share(plain, 0, plain, 4096, 4096) == -EPERM);
	object_unref(memobj_object(plain));
	/* a bad source page ends a write at that page, exactly */
	struct memobj *file = memobj_create(0, MEMOBJ_GROW, budget);
	uint64_t end = BUFFER + MAX + PAGE_SIZE;
	offset = 0;
	CHECK(memobj_write_user(file, &offset, end - 5000, 9000, false, 0) == 5000);
	CHECK(memobj_read_user(file, 0, end - 1234, 5000) == 1234);
	object_unref(memobj_object(file));
	/* contiguous memory: pages in a row, freed one by one */
	physical_t start;
	struct memobj *block = memobj_create_contiguous(5 * PAGE_SIZE, budget, &start);
	CHECK(memobj_write_kernel(block, 3 * PAGE_SIZE, bytes, 8) == 8);
	CHECK(!memcmp(page_address(page_of_physical(start + 3 * PAGE_SIZE)), bytes, 8));
	CHECK(!memobj_clone(block, 0, PAGE_SIZE, budget) && memobj_resize(block, 0) == -EINVAL);
	object_unref(memobj_object(block));
	struct page *page = page_alloc(0, 0);
	struct memobj *boot = memobj_create_from_pages(page_physical(page), 10);
	CHECK(memobj_read_kernel(boot, 0, other, 100) == 10 && other[0] == 0x5a && ((char *)page_address(page))[10] == 0);
	object_unref(memobj_object(boot));
}

int main(void)
{
	for (unsigned round = 0, rounds = shim_rounds(20); round < rounds; round++) {
		shim_seed(round);
		struct budget *root = budget_create(0, 100000);
		budget = budget_create(root, shim_below(3) ? 100000 : 400);
		struct map_request request = { .address = BUFFER, .length = MAX + PAGE_SIZE, .protection = 3, .flags = MAP_FIXED, .memobj = -1 };
		for (unsigned s = 0; s < 2; s++) {
			space[s] = s && shim_below(2) ? space_clone(space[0], root) : space_create(root);
			CHECK(!space_map(space[s], &request, 0, 7));
		}
		for (unsigned o = 0; o < OBJECTS; o++) {
			object[o] = memobj_create(0, MEMOBJ_GROW, budget);
			model[o] = calloc(1, MAX);
			size[o] = 0;
			mapped[o] = false;
			if (shim_below(2))
				map_object(o);
		}
		shim_space = space[0];
		edges();
		bool tight = budget->pages_limit < 1000;
		for (unsigned n = 0; n < 600; n++) {
			failing = shim_below(4) == 0 || tight;
			shim_drop_chance = shim_below(3) ? 0 : 4;
			shim_fail_in = failing && shim_below(2) ? (int64_t)shim_below(15) : -1;
			step();
			shim_fail_in = -1;
			shim_drop_chance = 0;
			if (!tight && n % 10 == 0)
				for (unsigned o = 0; o < OBJECTS; o++)
					check(o);
			else if (tight)
				for (unsigned o = 0; o < OBJECTS; o++) {
					CHECK(memobj_read_kernel(object[o], 0, other, MAX) == (int64_t)size[o]);
					CHECK(!memcmp(other, model[o], size[o]));
				}
		}
		for (unsigned o = 0; o < OBJECTS; o++) {
			object_unref(memobj_object(object[o]));
			free(model[o]);
		}
		object_unref(space_object(space[0]));
		object_unref(space_object(space[1]));
		CHECK(shim_pages_used() == 0 && root->pages_used == 0);
		object_unref(&budget->object);
		object_unref(&root->object);
		CHECK(shim_heap_used() == 0 && object_count() == 0);
	}
	return 0;
}
