/*
 * Random mapping, protection, forking, moving and access in up to four spaces over two shared objects against a page-by-page model, through
 * translations as a program would see them; allocation failures must leave everything as it was.
 * host-test: kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c kernel/vm/map.c kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/obj/budget.c kernel/core/share.c kernel/vm/family.c kernel/vm/radix.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include <string.h>
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/memobj.h"
#include "kernel/vm/space.h"
#include "shim.h"

#define SPACES 4
#define OBJECTS 2
#define AREAS 3
#define PAGES 150u
static const uint64_t area[AREAS] = { USER_BOTTOM, VALUE_SPACE_END + 0x3f7000, LIBRARY_START - 60 * PAGE_SIZE };
struct cell {
	bool used, private, has;       /* has: a page of its own */
	int object;                    /* -1: zero memory */
	uint64_t page;                 /* of the object */
	uint32_t protection, max;
	uint64_t value;
};
static struct { struct space *space; struct cell cell[AREAS][PAGES]; } at[SPACES];
static struct memobj *object[OBJECTS];
static uint64_t content[OBJECTS][PAGES], pages[OBJECTS];
static bool failing;
static uint64_t stamp;

static uint64_t *word(struct cell *c)
{
	return c->object >= 0 && !(c->private && c->has) ? &content[c->object][c->page] : &c->value;
}

/* What an access of the kind should give: 0, -EACCES, -ENXIO, -EFAULT. */
static int expected(struct cell *c, uint32_t access)
{
	if (!c->used)
		return -EFAULT;
	if (!c->protection || (access & PROTECT_WRITE && !(c->protection & PROTECT_WRITE)))
		return -EACCES;
	if (c->object >= 0 && !(c->private && c->has) && c->page >= pages[c->object])
		return -ENXIO;
	return 0;
}

static uint64_t cell_read(struct cell *c)
{
	return c->object < 0 && !c->has ? 0 : *word(c);
}

static void cell_write(struct cell *c, uint64_t value)
{
	if (c->private)
		c->has = true;
	*word(c) = value;
}

static void check(unsigned s)
{
	shim_space = at[s].space;
	for (unsigned a = 0; a < AREAS; a++) {
		uint64_t i = shim_below(PAGES), value;
		for (unsigned n = 0; n < 40; n++, i = (i + 1) % PAGES) {
			struct cell *c = &at[s].cell[a][i];
			uint64_t address = area[a] + i * PAGE_SIZE;
			int error = expected(c, PROTECT_READ);
			CHECK(copy_from_user(&value, address + 8, 8) == (error ? -EFAULT : 0));
			if (error)
				CHECK(space_fault(shim_space, address, PROTECT_READ) == error);
			else
				CHECK(value == cell_read(c));
			error = expected(c, PROTECT_WRITE);
			if (error)
				CHECK(space_fault(shim_space, address, PROTECT_WRITE) == error);
		}
	}
	/* the map as queries tell it */
	uint64_t address = 0, mapped = 0;
	struct region_info info;
	while (!space_query(shim_space, address, &info)) {
		for (uint64_t p = info.start; p < info.end; p += PAGE_SIZE, mapped++) {
			unsigned a = p < area[0] + PAGES * PAGE_SIZE ? 0 : p < area[1] + PAGES * PAGE_SIZE ? 1 : 2;
			struct cell *c = &at[s].cell[a][(p - area[a]) >> PAGE_SHIFT];
			CHECK(c->used && c->protection == info.protection && (info.identity != 0) == (c->object >= 0));
			if (c->object >= 0)
				CHECK(info.offset + (p - info.start) == c->page * PAGE_SIZE && c->private == !!(info.flags & MAP_PRIVATE_COPY));
		}
		address = info.end;
	}
	uint64_t used = 0, own = 0;
	for (unsigned a = 0; a < AREAS; a++)
		for (unsigned i = 0; i < PAGES; i++) {
			used += at[s].cell[a][i].used;
			own += at[s].cell[a][i].has;
		}
	struct space_info sums;
	space_get_info(shim_space, &sums);
	CHECK(used == mapped && sums.mapped == mapped && sums.private_pages >= own);
}

/*
 * A write that failed, or was only prepared, may have made a copy of an object's page already, which shows only once the object changes. Writing
 * makes sure of it.
 */
static void settle(struct cell *c, uint64_t address)
{
	uint64_t value = ++stamp;
	shim_fail_in = -1;
	if (expected(c, PROTECT_WRITE))
		return;
	CHECK(!copy_to_user(address + 8, &value, 8));
	cell_write(c, value);
}

static void must_fail(int error)
{
	CHECK(error == -ENOMEM && failing);
}

static void step(void)
{
	unsigned s = shim_below(SPACES), a = shim_below(AREAS), i = shim_below(PAGES);
	uint64_t n = 1 + shim_below(shim_below(4) ? 12 : PAGES - i), address = area[a] + i * PAGE_SIZE;
	n = min(n, PAGES - i);
	struct cell *c = at[s].cell[a];
	struct space *space = shim_space = at[s].space;
	if (!space) {
		shim_fail_in = -1;
		at[s].space = space_create(budget_root);
		memset(at[s].cell, 0, sizeof(at[s].cell));
		return;
	}
	switch (shim_below(16)) {
	case 0: case 1: case 2: {
		struct map_request request = { .address = address, .length = n * PAGE_SIZE - shim_below(PAGE_SIZE), .protection = shim_below(8), .memobj = -1 };
		int o = (int)shim_below(OBJECTS + 1) - 1;
		uint32_t limit = shim_below(4) ? 7 : shim_below(8);
		if (o >= 0)
			request.offset = shim_below(PAGES - n + 1) * PAGE_SIZE;
		bool private = o < 0 || shim_below(2), free = true;
		for (uint64_t k = i; k < i + n; k++)
			free &= !c[k].used;
		bool chosen = shim_below(4) == 0;
		request.flags = o >= 0 && private ? MAP_PRIVATE_COPY : 0;
		request.flags |= chosen ? 0 : shim_below(3) ? MAP_FIXED : MAP_FIXED_NEW;
		if (shim_below(4) == 0)
			request.flags |= MAP_POPULATE;
		if (chosen) {
			request.address = shim_below(2) ? address : 0;
			request.low = area[a];
			request.high = area[a] + PAGES * PAGE_SIZE;
		}
		int error = space_map(space, &request, o < 0 ? 0 : object[o], limit);
		if (request.protection & ~limit) {
			CHECK(error == -EACCES);
			break;
		}
		if (error == -EEXIST) {
			CHECK(!free && request.flags & MAP_FIXED_NEW);
			break;
		}
		if (error) {
			if (!chosen)
				must_fail(error);
			CHECK(error == -ENOMEM);
			break;
		}
		CHECK(free || !(request.flags & MAP_FIXED_NEW));
		uint64_t first = (request.address - area[a]) >> PAGE_SHIFT;
		CHECK(first + n <= PAGES && (!chosen || !free || !(request.address == 0) ) && (chosen || first == i));
		if (chosen && request.address != address)
			for (uint64_t k = first; k < first + n; k++)
				CHECK(!c[k].used);
		for (uint64_t k = 0; k < n; k++)
			c[first + k] = (struct cell){ true, private, false, o, o < 0 ? 0 : (request.offset >> PAGE_SHIFT) + k, request.protection, limit, 0 };
		/* populated writable private pages are copies already: what the object had then */
		if (request.flags & MAP_POPULATE && private && o >= 0 && request.protection & PROTECT_WRITE)
			for (uint64_t k = 0; k < n && c[first + k].page < pages[o]; k++) {
				/* which of them were made shows only by reading: write, so that all are */
				shim_fail_in = -1;
				uint64_t value = ++stamp;
				CHECK(!copy_to_user(request.address + k * PAGE_SIZE + 8, &value, 8));
				cell_write(&c[first + k], value);
			}
		break;
	}
	case 3: {
		int error = space_unmap(space, address, n * PAGE_SIZE);
		if (error)
			must_fail(error);
		else
			memset(c + i, 0, n * sizeof(*c));
		break;
	}
	case 4: {
		uint32_t protection = shim_below(8);
		int error = space_protect(space, address, n * PAGE_SIZE, protection), want = 0;
		for (uint64_t k = i; k < i + n && !want; k++)
			want = !c[k].used ? -ENOMEM : protection & ~c[k].max ? -EACCES : 0;
		if (error != want)
			must_fail(error);
		else if (!want)
			for (uint64_t k = i; k < i + n; k++)
				c[k].protection = protection;
		break;
	}
	case 5: {
		bool hole = false;
		for (uint64_t k = i; k < i + n; k++)
			hole |= !c[k].used;
		bool could_fail = shim_fail_in >= 0;
		int error = space_discard(space, address, n * PAGE_SIZE);
		/* with a hole the two kinds of ENOMEM look alike: it failed if the injected failure was used up */
		if (error && (!hole || (could_fail && shim_fail_in < 0)))
			must_fail(error);
		else {
			CHECK(error == (hole ? -ENOMEM : 0));
			for (uint64_t k = i; k < i + n; k++)
				c[k].has = false, c[k].value = 0;
		}
		break;
	}
	case 6: {
		unsigned t = shim_below(SPACES);
		if (t == s || shim_below(3))
			break;
		struct space *clone = space_clone(space, budget_root);
		if (!clone) {
			CHECK(failing);
			break;
		}
		object_unref(at[t].space ? space_object(at[t].space) : 0);
		at[t] = at[s];
		at[t].space = clone;
		break;
	}
	case 7: {
		if (shim_below(8))
			break;
		if (shim_below(2)) {
			space_clear(space);
		} else {
			object_unref(space_object(space));
			at[s].space = 0;
		}
		memset(at[s].cell, 0, sizeof(at[s].cell));
		break;
	}
	case 8: { /* move within or between areas */
		unsigned b = shim_below(AREAS), j = shim_below(PAGES);
		uint64_t m = 1 + shim_below(20);
		m = min(m, PAGES - j);
		if (!c[i].used)
			break;
		struct cell moved[PAGES];
		struct move_request request = { .address = address, .length = n * PAGE_SIZE, .new_length = m * PAGE_SIZE, .flags = MAP_FIXED,
			.new_address = area[b] + j * PAGE_SIZE, .low = area[b], .high = area[b] + PAGES * PAGE_SIZE };
		unsigned how = shim_below(3);
		if (how)
			request.flags = how == 1 ? MOVE_MAY_MOVE : 0;
		int error = space_move(space, &request);
		if (error == -EFAULT || error == -EINVAL) {
			/* more than one region, overlapping, or growing out of the bounds of the areas: checked by the state staying as it is */
			break;
		}
		if (error) {
			CHECK(error == -ENOMEM);
			break;
		}
		b = request.new_address < area[0] + (PAGES + 30) * PAGE_SIZE ? 0 : request.new_address < area[1] + (PAGES + 30) * PAGE_SIZE ? 1 : 2;
		uint64_t first = (request.new_address - area[b]) >> PAGE_SHIFT;
		memcpy(moved, c + i, n * sizeof(*c));
		memset(c + i, 0, n * sizeof(*c));
		for (uint64_t k = 0; k < m; k++) {
			struct cell new = k < n ? moved[k] : moved[0];
			if (k >= n) {
				new.has = false;
				new.value = 0;
				if (new.object >= 0)
					new.page += k;
			}
			if (first + k < PAGES) {
				at[s].cell[b][first + k] = new;
			} else { /* it grew out of the area in place: cut that off */
				shim_fail_in = -1;
				CHECK(!space_unmap(space, area[b] + (first + k) * PAGE_SIZE, PAGE_SIZE));
			}
		}
		break;
	}
	case 9: { /* the object changes under its mappings */
		unsigned o = shim_below(OBJECTS);
		uint64_t size = shim_below(PAGES + 1);
		if (memobj_resize(object[o], size * PAGE_SIZE)) {
			CHECK(failing);
			break;
		}
		for (uint64_t k = size; k < PAGES; k++)
			content[o][k] = 0;
		pages[o] = size;
		break;
	}
	case 10: {
		unsigned o = shim_below(OBJECTS), k = shim_below(PAGES);
		uint64_t value = ++stamp;
		if (k >= pages[o])
			break;
		if (memobj_write_kernel(object[o], k * PAGE_SIZE + 8, &value, 8) == 8)
			content[o][k] = value;
		else
			CHECK(failing);
		break;
	}
	case 11: { /* from outside, regardless of protection */
		uint64_t value = ++stamp;
		if (c[i].used && c[i].private && (c[i].object < 0 || c[i].has || c[i].page < pages[c[i].object])) {
			if (space_copy(space, address + 8, &value, 8, true, true) == 8)
				cell_write(&c[i], value);
			else
				CHECK(failing);
			if (expected(&c[i], PROTECT_WRITE) == 0)
				settle(&c[i], address);
			else if (!c[i].has) {
				shim_fail_in = -1;
				CHECK(space_copy(space, address + 8, &value, 8, true, true) == 8);
				cell_write(&c[i], value);
			}
		}
		struct page *pin[4];
		unsigned count = min(4u, PAGES - i);
		bool good = true;
		for (unsigned k = 0; k < count; k++)
			good &= !expected(&c[i + k], PROTECT_WRITE);
		int pinned = space_pin(space, address, count * PAGE_SIZE, true, pin, 4);
		CHECK(pinned == (good ? (int)count : -EFAULT) || (failing && pinned == -ENOMEM));
		for (unsigned k = 0; k < count && pinned < 0; k++)
			settle(&c[i + k], address + k * PAGE_SIZE);
		shim_fail_in = -1;
		for (int k = 0; k < pinned; k++) {
			/* a write by the program goes to the pinned page, and the other way round */
			uint64_t seen;
			value = ++stamp;
			CHECK(!copy_to_user(address + k * PAGE_SIZE + 8, &value, 8));
			CHECK(((uint64_t *)page_address(pin[k]))[1] == value);
			((uint64_t *)page_address(pin[k]))[1] = ++stamp;
			CHECK(!copy_from_user(&seen, address + k * PAGE_SIZE + 8, 8) && seen == stamp);
			cell_write(&c[i + k], stamp);
			page_unref(pin[k]);
		}
		break;
	}
	default: /* the program writes or reads */
		for (uint64_t k = i; k < i + n; k++) {
			uint64_t value = ++stamp;
			int error = copy_to_user(area[a] + k * PAGE_SIZE + 8, &value, 8);
			if (!error)
				cell_write(&c[k], value);
			CHECK((error != 0) == (expected(&c[k], PROTECT_WRITE) != 0) || failing);
			if (error)
				settle(&c[k], area[a] + k * PAGE_SIZE);
			if (shim_below(2) && !copy_from_user(&value, area[a] + k * PAGE_SIZE + 8, 8))
				CHECK(value == cell_read(&c[k]));
		}
	}
}

static void edges(void)
{
	struct space *space = space_create(budget_root);
	struct map_request request = { .address = USER_TOP - PAGE_SIZE, .length = 2 * PAGE_SIZE, .protection = 3, .flags = MAP_FIXED };
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.address = VALUE_SPACE_START - PAGE_SIZE;
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.address = 0;
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.address = USER_BOTTOM + 1;
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.address = UINT64_MAX & ~(PAGE_SIZE - 1);
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.length = 0;
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	request.length = UINT64_MAX;
	CHECK(space_map(space, &request, 0, 7) == -EINVAL);
	CHECK(space_unmap(space, 0, PAGE_SIZE) == -EINVAL && space_unmap(space, USER_BOTTOM, UINT64_MAX) == -EINVAL);
	CHECK(space_protect(space, USER_BOTTOM, PAGE_SIZE, 3) == -ENOMEM && space_fault(space, 0, 1) == -EFAULT);
	CHECK(space_fault(space, UINT64_MAX, 1) == -EFAULT && space_copy(space, UINT64_MAX - 3, &request, 8, true, true) == -EFAULT);
	/* the highest gap; the value space in the way; huge sparse memory */
	request = (struct map_request){ .length = 1ul << 44, .protection = 3, .high = LIBRARY_START };
	CHECK(!space_map(space, &request, 0, 7) && request.address == LIBRARY_START - (1ul << 44));
	request = (struct map_request){ .length = 3ul << 44, .protection = 3, .high = LIBRARY_START };
	CHECK(!space_map(space, &request, 0, 7) && request.address == VALUE_SPACE_START - (3ul << 44));
	shim_space = space;
	uint64_t value = 7;
	CHECK(!copy_to_user(request.address + (1ul << 45) + 12345, &value, 8));
	CHECK(space_unmap(space, request.address, 3ul << 44) == 0 && space_unmap(space, VALUE_SPACE_END, LIBRARY_START - VALUE_SPACE_END) == 0);
	/* a stack grows down to its limit, not into its neighbour */
	uint64_t top = 0x700000000000, limit = top - 100 * PAGE_SIZE;
	request = (struct map_request){ .address = top - PAGE_SIZE, .length = PAGE_SIZE, .protection = 3, .flags = MAP_FIXED | MAP_STACK_GROWS, .low = limit };
	CHECK(!space_map(space, &request, 0, 7));
	for (uint64_t p = top - 8; p >= limit; p -= PAGE_SIZE / 2)
		CHECK(!copy_to_user(p, &value, 8));
	CHECK(copy_to_user(limit - 8, &value, 8) == -EFAULT);
	CHECK(!space_unmap(space, limit, top - limit));
	request = (struct map_request){ .address = top - PAGE_SIZE, .length = PAGE_SIZE, .protection = 3, .flags = MAP_FIXED | MAP_STACK_GROWS, .low = limit };
	CHECK(!space_map(space, &request, 0, 7));
	request = (struct map_request){ .address = top - 50 * PAGE_SIZE, .length = PAGE_SIZE, .protection = 3, .flags = MAP_FIXED };
	CHECK(!space_map(space, &request, 0, 7));
	CHECK(!copy_to_user(top - 30 * PAGE_SIZE, &value, 8) && copy_to_user(top - 48 * PAGE_SIZE, &value, 8) == -EFAULT);
	/* futex keys */
	struct memobj *file = memobj_create(PAGE_SIZE, 0, budget_root);
	request = (struct map_request){ .length = PAGE_SIZE, .protection = 3 };
	struct futex_key one, two;
	CHECK(!space_map(space, &request, file, 7) && !space_futex_key(space, request.address + 8, true, &one));
	CHECK(one.object == file && one.offset == 8 && !space_futex_key(space, request.address + 8, false, &two) && two.object == space);
	/* sealing is refused while somebody may write; afterwards nobody can */
	CHECK(!copy_to_user(request.address, &value, 8) && memobj_seal(file, SEAL_WRITE) == -EBUSY && !copy_to_user(request.address, &value, 8));
	CHECK(!space_protect(space, request.address, PAGE_SIZE, PROTECT_READ) && memobj_seal(file, SEAL_WRITE) == -EBUSY);
	CHECK(!space_unmap(space, request.address, PAGE_SIZE) && !memobj_seal(file, SEAL_WRITE));
	CHECK(space_map(space, &request, file, 7) == -EPERM);
	request.protection = PROTECT_READ;
	CHECK(!space_map(space, &request, file, 7) && space_protect(space, request.address, PAGE_SIZE, 3) == -EACCES);
	CHECK(copy_to_user(request.address, &value, 8) == -EFAULT && !copy_from_user(&value, request.address, 8));
	request = (struct map_request){ .length = PAGE_SIZE, .protection = 3, .flags = MAP_PRIVATE_COPY };
	CHECK(!space_map(space, &request, file, 7) && !copy_to_user(request.address, &value, 8));
	object_unref(memobj_object(file));
	/* device memory */
	struct memobj *device = memobj_create_physical(1ul << 40, 4 * PAGE_SIZE, MEMOBJ_UNCACHED, budget_root);
	physical_t physical;
	struct page *page;
	request = (struct map_request){ .length = 4 * PAGE_SIZE, .protection = 3 };
	CHECK(!space_map(space, &request, device, 7) && !space_fault(space, request.address + 2 * PAGE_SIZE, PROTECT_WRITE));
	CHECK(arch_space_allows(space_arch(space), request.address + 2 * PAGE_SIZE, ARCH_MAP_WRITE | ARCH_MAP_UNCACHED, &physical));
	CHECK(physical == (1ul << 40) + 2 * PAGE_SIZE && space_pin(space, request.address, 8, true, &page, 1) == -EFAULT);
	object_unref(memobj_object(device));
	/* a budget that ends: the fault fails, nothing leaks, the budget lives as long as its pages */
	struct budget *small = budget_create(budget_root, 3);
	struct space *poor = space_create(small);
	request = (struct map_request){ .length = 8 * PAGE_SIZE, .protection = 3 };
	CHECK(!space_map(poor, &request, 0, 7));
	for (unsigned i = 0; i < 8; i++)
		CHECK(space_fault(poor, request.address + i * PAGE_SIZE, PROTECT_WRITE) == (i < 3 ? 0 : -ENOMEM));
	struct space *child = space_clone(poor, budget_root);
	CHECK(!space_fault(child, request.address, PROTECT_WRITE));
	object_unref(space_object(poor));
	object_unref(&small->object);
	CHECK(!space_fault(child, request.address + PAGE_SIZE, PROTECT_WRITE));
	object_unref(space_object(child));
	object_unref(space_object(space));
}

/* A clone made while pages are pinned to be written: what is written later is seen by the parent alone, whoever writes first. */
static void pinned_clones(void)
{
	for (unsigned variant = 0; variant < 6; variant++) {
		struct space *parent = space_create(budget_root), *child;
		struct map_request request = { .length = 4 * PAGE_SIZE, .protection = PROTECT_READ | PROTECT_WRITE };
		struct page *pages[4];
		struct space_pin pin = { .pages = pages, .room = 4 }, second = { .pages = (struct page *[4]){ 0 }, .room = 4 };
		uint64_t value = 1, seen;
		CHECK(parent && !space_map(parent, &request, NULL, PROTECT_READ | PROTECT_WRITE));
		uint64_t address = (uint64_t)request.address + PAGE_SIZE;
		CHECK(space_copy(parent, address, &value, 8, true, false) == 8);
		CHECK(!space_pin_written(parent, address + 4, 2 * PAGE_SIZE - 8, &pin) && pin.count == 2);
		CHECK(space_pin_written(parent, address, 5 * PAGE_SIZE, &second) == -EMSGSIZE && space_pin_written(parent, address, 4 * PAGE_SIZE - 1, &second) == -EFAULT);
		CHECK(!space_pin_written(parent, address, 1, &second));
		child = space_clone(parent, budget_root);
		CHECK(child);
		value = 2;
		if (variant % 3)
			CHECK(space_copy(variant % 3 == 1 ? parent : child, address + 8, &value, 8, true, false) == 8);
		*(uint64_t *)page_address(pages[0]) = 3;
		CHECK(space_copy(parent, address, &seen, 8, false, false) == 8 && seen == 3);
		CHECK(space_copy(child, address, &seen, 8, false, false) == 8 && seen == 1);
		CHECK(space_copy(child, address + 8, &seen, 8, false, false) == 8 && seen == (variant % 3 == 2 ? 2 : 0));
		CHECK(space_copy(parent, address + 8, &seen, 8, false, false) == 8 && seen == (variant % 3 == 1 ? 2 : 0));
		if (variant >= 3)
			object_unref(space_object(child));
		space_unpin_written(parent, &pin);
		space_unpin_written(parent, &second);
		if (variant < 3)
			object_unref(space_object(child));
		object_unref(space_object(parent));
	}
}

int main(void)
{
	for (unsigned round = 0, rounds = shim_rounds(40); round < rounds; round++) {
		shim_seed(round);
		budget_root = budget_create(0, 1000000);
		uint64_t heap = shim_heap_used();
		edges();
		pinned_clones();
		CHECK(shim_heap_used() == heap && shim_pages_used() == 0);
		for (unsigned o = 0; o < OBJECTS; o++) {
			pages[o] = PAGES / 2;
			object[o] = memobj_create(pages[o] * PAGE_SIZE, MEMOBJ_GROW, budget_root);
		}
		for (unsigned n = 0; n < 1500; n++) {
			failing = shim_below(3) == 0;
			shim_fail_in = failing ? (int64_t)shim_below(30) : -1;
			shim_drop_chance = shim_below(4) ? 0 : 50;
			step();
			shim_fail_in = -1;
			shim_drop_chance = 0;
			if (n % 5 == 0)
				for (unsigned s = 0; s < SPACES; s++)
					if (at[s].space)
						check(s);
		}
		for (unsigned s = 0; s < SPACES; s++) {
			object_unref(at[s].space ? space_object(at[s].space) : 0);
			at[s].space = 0;
		}
		object_unref(memobj_object(object[0]));
		object_unref(memobj_object(object[1]));
		memset(content, 0, sizeof(content));
		CHECK(shim_pages_used() == 0 && budget_root->pages_used == 0 && shim_heap_used() == heap);
		object_unref(&budget_root->object);
		CHECK(shim_heap_used() == 0 && object_count() == 0);
	}
	return 0;
}
