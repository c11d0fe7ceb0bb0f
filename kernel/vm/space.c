/*
 * Address spaces: the operations on the map. Faults are in fault.c, access from outside in space_access.c.
 *
 * The truth about a space is its map (which addresses mean what) and its private memory (a page tree indexed by virtual page number);
 * translations are a cache of both and of the mapped objects, filled by faults. Invariants, under the lock:
 * - private pages lie only under private regions (no object, or MAP_PRIVATE_COPY);
 * - a translation is writable only where the region allows writing and the page belongs to that one tree;
 * - the space is in the family of every object that its map names (family_add precedes the first mapping).
 *
 * Every change is worked out on a second root of the map while the old one is held; only then, with steps that cannot fail, the
 * translations go, the private pages go and the root is exchanged. The old root is dropped after the lock: it may destroy objects.
 * Lock order: one space at a time, then memobj, family, heap, pages.
 */
#include "kernel/vm/space_private.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"

#define REGION_FLAGS (MAP_PRIVATE_COPY | MAP_STACK_GROWS)
#define MAP_FLAGS (MAP_FIXED | MAP_FIXED_NEW | MAP_POPULATE | REGION_FLAGS)
#define PROTECT_ALL (PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE)

static void space_destroy(struct object *object);

static const struct object_operations space_operations = {
	.kind = KIND_SPACE, .name = "space", .destroy = space_destroy,
};

struct object *space_object(struct space *space)
{
	return &space->object;
}

struct space *space_of_object(struct object *object)
{
	return object && object->operations == &space_operations ? container_of(object, struct space, object) : 0;
}

struct arch_space *space_arch(struct space *space)
{
	return &space->arch;
}

/* --- creation, clone, end --- */

/* As soon as it is in its family, walks on other processors may find it, reference it and take its lock. */
static struct space *space_new(struct budget *payer, struct family_space *parent)
{
	struct space *space = heap_alloc(sizeof(*space));
	if (!space)
		return 0;
	if (arch_space_init(&space->arch)) {
		heap_free(space, sizeof(*space));
		return 0;
	}
	object_init(&space->object, &space_operations);
	spin_init(&space->lock, "space", RANK_SPACE);
	list_init(&space->pins);
	space->budget = payer;
	if (payer)
		object_ref(&payer->object);
	if (!family_space_init(&space->family, &space->object, parent))
		return space;
	object_unref(&space->object);
	return 0;
}

struct space *space_create(struct budget *payer)
{
	return space_new(payer, 0);
}

/* Into a clone of the parent's memory, copies paid by payer of what will be written from outside for the parent. The parent's lock is held. */
static int pinned_copy(struct space *parent, struct radix *memory, struct budget *payer)
{
	struct space_pin *pin;
	list_for_each(pin, &parent->pins, link) {
		for (unsigned i = 0; i < pin->count; i++) {
			struct page *old, *page = pin->pages[i];
			if (radix_get(memory, pin->first + i) != page)
				continue; /* shared memory, or the child has a copy by another pin */
			struct page *copy = page_alloc_charged(payer, 0);
			if (!copy)
				return -ENOMEM;
			memcpy(page_address(copy), page_address(page), PAGE_SIZE);
			int error = radix_insert(memory, pin->first + i, copy, &old);
			if (error) {
				page_unref(copy);
				return error;
			}
			page_unref(old);
		}
	}
	return 0;
}

struct space *space_clone(struct space *parent, struct budget *payer)
{
	struct space *child = space_new(payer, &parent->family);
	if (!child)
		return 0;
	spin_lock(&parent->lock);
	struct map_node *map = map_ref(parent->map);
	struct radix memory = radix_clone(&parent->memory);
	arch_space_write_protect(&parent->arch, USER_BOTTOM, USER_TOP);
	int error = list_empty(&parent->pins) ? 0 : pinned_copy(parent, &memory, payer);
	spin_unlock(&parent->lock);
	spin_lock(&child->lock);
	child->map = map;
	child->memory = memory;
	spin_unlock(&child->lock);
	if (!error)
		return child;
	object_unref(&child->object);
	return 0;
}

void space_clear(struct space *space)
{
	spin_lock(&space->lock);
	struct map_node *map = space->map;
	struct radix memory = space->memory;
	space->map = 0;
	space->memory = (struct radix){ 0 };
	arch_space_unmap(&space->arch, USER_BOTTOM, USER_TOP);
	spin_unlock(&space->lock);
	radix_clear(&memory);
	map_unref(map);
}

static void space_destroy(struct object *object)
{
	struct space *space = container_of(object, struct space, object);
	family_space_destroy(&space->family);
	arch_space_destroy(&space->arch);
	radix_clear(&space->memory);
	map_unref(space->map);
	struct budget *budget = space->budget;
	heap_free(space, sizeof(*space));
	if (budget)
		object_unref(&budget->object);
}

/* --- helpers --- */

bool space_range_valid(uint64_t address, uint64_t length)
{
	uint64_t end;
	return !__builtin_add_overflow(address, length, &end) && address >= USER_BOTTOM && end <= USER_TOP
	       && (end <= VALUE_SPACE_START || address >= VALUE_SPACE_END);
}

/* Page-aligned address and whole pages; *length is rounded up. */
static int range_check(uint64_t address, uint64_t *length)
{
	if (address & (PAGE_SIZE - 1) || !*length || *length > USER_TOP)
		return -EINVAL;
	*length = align_up(*length, PAGE_SIZE);
	return space_range_valid(address, *length) ? 0 : -EINVAL;
}

/* The highest free range of length bytes in [low, high); in the library's range only when low is. */
static bool choose_address(const struct map_node *map, uint64_t length, uint64_t low, uint64_t high, uint64_t *address)
{
	static const uint64_t ranges[][2] = { PROGRAM_RANGES };
	high = min(high ? high : LIBRARY_START, (uint64_t)USER_TOP) & ~(PAGE_SIZE - 1);
	low = align_up(low, PAGE_SIZE);
	if (low >= LIBRARY_START && low < LIBRARY_END)
		return map_gap(map, length, low, min(high, (uint64_t)LIBRARY_END), address);
	for (unsigned i = 0; i < array_count(ranges); i++)
		if (map_gap(map, length, max(low, ranges[i][0]), min(high, ranges[i][1]), address))
			return true;
	return false;
}

/* Drops private pages of a range after radix_prepare of the same range: cannot fail. Their translations are gone. */
static void memory_drop(struct space *space, uint64_t start, uint64_t end)
{
	space->peak = max(space->peak, radix_pages(&space->memory));
	int error = radix_remove(&space->memory, start >> PAGE_SHIFT, end >> PAGE_SHIFT);
	assert(!error);
}

/* Unlocks, after exchanging the root when there was no error; drops the root that lost. */
static int commit(struct space *space, struct map_node *root, int error)
{
	struct map_node *loser = root;
	if (!error) {
		loser = space->map;
		space->map = root;
	}
	spin_unlock(&space->lock);
	map_unref(loser);
	return error;
}

/* --- map, unmap --- */

int space_map(struct space *space, struct map_request *request, struct memobj *memobj, uint32_t max_protection)
{
	uint64_t length = request->length, address = request->address, end;
	uint32_t flags = request->flags;
	bool fixed = flags & (MAP_FIXED | MAP_FIXED_NEW);
	if (flags & ~MAP_FLAGS || request->protection & ~PROTECT_ALL || !length || length > USER_TOP)
		return -EINVAL;
	length = align_up(length, PAGE_SIZE);
	if (memobj && (request->offset & (PAGE_SIZE - 1) || __builtin_add_overflow(request->offset, length, &end) || end > INT64_MAX))
		return -EINVAL;
	if (memobj && flags & MAP_STACK_GROWS)
		return -EINVAL;
	if (request->protection & ~max_protection)
		return -EACCES;
	if (fixed && (address & (PAGE_SIZE - 1) || !space_range_valid(address, length)))
		return -EINVAL;
	struct region region = {
		.memobj = memobj, .offset = memobj ? request->offset : 0,
		.protection = request->protection, .max_protection = max_protection & PROTECT_ALL,
		.flags = flags & (memobj ? MAP_PRIVATE_COPY : MAP_STACK_GROWS), .tag = request->tag,
	};
	if (flags & MAP_STACK_GROWS) {
		region.limit = align_up(max(request->low, (uint64_t)USER_BOTTOM), PAGE_SIZE);
		if (fixed && region.limit > address)
			region.limit = address;
	}
	if (memobj) {
		int error = family_add(&memobj->family, &space->family);
		if (error)
			return error;
	}
	spin_lock(&space->lock);
	if (!fixed) {
		/* The hint, if it is free and in bounds; else the highest gap. */
		uint64_t hint = address & ~(PAGE_SIZE - 1);
		if (hint && space_range_valid(hint, length) && hint >= request->low && hint + length <= (request->high ? request->high : LIBRARY_START)
		    && (hint + length <= LIBRARY_START || hint >= LIBRARY_END || request->low >= LIBRARY_START) && map_free(space->map, hint, hint + length)) {
			address = hint;
		} else if (!choose_address(space->map, length, request->low, request->high, &address)) {
			spin_unlock(&space->lock);
			return -ENOMEM;
		}
		if (flags & MAP_STACK_GROWS && region.limit > address)
			region.limit = address;
	}
	end = address + length;
	if (memobj && !region_is_private(&region) && memobj->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)) {
		region.max_protection &= ~PROTECT_WRITE;
		if (region.protection & PROTECT_WRITE) {
			spin_unlock(&space->lock);
			return -EPERM;
		}
	}
	if (flags & MAP_FIXED_NEW && !map_free(space->map, address, end)) {
		spin_unlock(&space->lock);
		return -EEXIST;
	}
	bool replaces = flags & MAP_FIXED && !map_free(space->map, address, end);
	region.start = address;
	region.end = end;
	struct map_node *root = map_ref(space->map);
	int error = 0;
	if (replaces) {
		error = radix_prepare(&space->memory, address >> PAGE_SHIFT, end >> PAGE_SHIFT);
		if (!error)
			error = map_cut(&root, address, end);
	}
	if (!error)
		error = map_add(&root, &region);
	if (!error && replaces) {
		arch_space_unmap(&space->arch, address, end);
		memory_drop(space, address, end);
	}
	error = commit(space, root, error);
	if (error)
		return error;
	request->address = address;
	if (flags & MAP_POPULATE && request->protection) {
		/* Best effort, as for any prefetch: what fails here fails again, and is reported, when it is touched. */
		uint32_t access = request->protection & PROTECT_WRITE ? PROTECT_WRITE : request->protection & PROTECT_READ ? PROTECT_READ : PROTECT_EXECUTE;
		for (uint64_t at = address; at < end; at += PAGE_SIZE)
			if (space_resolve(space, at, access, false, 0))
				break;
	}
	return 0;
}

int space_unmap(struct space *space, uint64_t address, uint64_t length)
{
	int error = range_check(address, &length);
	if (error)
		return error;
	uint64_t end = address + length;
	spin_lock(&space->lock);
	struct map_node *root = map_ref(space->map);
	error = radix_prepare(&space->memory, address >> PAGE_SHIFT, end >> PAGE_SHIFT);
	if (!error)
		error = map_cut(&root, address, end);
	if (!error) {
		arch_space_unmap(&space->arch, address, end);
		memory_drop(space, address, end);
	}
	return commit(space, root, error);
}

int space_protect(struct space *space, uint64_t address, uint64_t length, uint32_t protection)
{
	if (protection & ~PROTECT_ALL)
		return -EINVAL;
	int error = range_check(address, &length);
	if (error)
		return error;
	uint64_t end = address + length, at = address;
	bool reduces = false, changes = false;
	spin_lock(&space->lock);
	while (at < end && !error) {
		const struct region *region = map_find(space->map, at);
		if (!region) {
			error = -ENOMEM;
		} else if (protection & ~region->max_protection) {
			error = -EACCES;
		} else {
			changes |= region->protection != protection;
			reduces |= (region->protection & ~protection) != 0;
			at = region->end;
		}
	}
	if (error || !changes) {
		spin_unlock(&space->lock);
		return error;
	}
	struct map_node *root = map_ref(space->map);
	for (at = address; at < end && !error; ) {
		struct region region = *map_find(space->map, at);
		if (region.start < at) {
			if (region.memobj)
				region.offset += at - region.start;
			region.start = at;
		}
		region.end = min(region.end, end);
		at = region.end;
		if (region.protection == protection)
			continue;
		region.protection = protection;
		error = map_cut(&root, region.start, region.end);
		if (!error)
			error = map_add(&root, &region);
	}
	if (!error && reduces)
		arch_space_unmap(&space->arch, address, end);
	return commit(space, root, error);
}

int space_discard(struct space *space, uint64_t address, uint64_t length)
{
	int error = range_check(address, &length);
	if (error)
		return error;
	uint64_t end = address + length;
	spin_lock(&space->lock);
	/* Holes are reported, after the rest was done, as in POSIX practice. */
	bool hole = false;
	for (uint64_t at = address; at < end && !hole; ) {
		const struct region *region = map_find(space->map, at);
		hole = !region;
		at = region ? region->end : end;
	}
	error = radix_prepare(&space->memory, address >> PAGE_SHIFT, end >> PAGE_SHIFT);
	if (!error) {
		arch_space_unmap(&space->arch, address, end);
		memory_drop(space, address, end);
	}
	spin_unlock(&space->lock);
	return error ? error : hole ? -ENOMEM : 0;
}

/* --- move --- */

/* Moves (or copies the region of) [address, +length) to target, where it gets new_length bytes. Under the lock; root is the new map. */
static int move_to(struct space *space, struct map_node **root, const struct region *old, uint64_t address, uint64_t length,
		   uint64_t target, uint64_t new_length)
{
	uint64_t from = address >> PAGE_SHIFT, to = target >> PAGE_SHIFT, count = min(length, new_length) >> PAGE_SHIFT;
	struct region region = *old;
	if (region.memobj)
		region.offset += address - region.start;
	region.start = target;
	region.end = target + new_length;
	region.limit = min(region.limit, target);
	if (region.flags & MAP_STACK_GROWS)
		region.limit = target; /* what it could grow into has stayed behind */
	int error = map_cut(root, target, target + new_length);
	if (!error)
		error = map_cut(root, address, address + length);
	if (!error)
		error = map_add(root, &region);
	if (error)
		return error;
	if (region_is_private(&region) || radix_count(&space->memory, to, to + (new_length >> PAGE_SHIFT))) {
		struct radix memory = radix_clone(&space->memory);
		error = radix_remove(&memory, to, to + (new_length >> PAGE_SHIFT));
		if (!error)
			error = radix_share(&memory, to, &space->memory, from, count);
		if (!error)
			error = radix_remove(&memory, from, from + (length >> PAGE_SHIFT));
		if (error) {
			radix_clear(&memory);
			return error;
		}
		arch_space_unmap(&space->arch, target, target + new_length);
		arch_space_unmap(&space->arch, address, address + length);
		radix_clear(&space->memory);
		space->memory = memory;
	} else {
		arch_space_unmap(&space->arch, target, target + new_length);
		arch_space_unmap(&space->arch, address, address + length);
	}
	return 0;
}

int space_move(struct space *space, struct move_request *request)
{
	uint64_t address = request->address, length = request->length, new_length = request->new_length;
	uint64_t target = request->new_address;
	if (request->flags & ~(MAP_FIXED | MOVE_MAY_MOVE))
		return -EINVAL;
	int error = range_check(address, &length);
	if (error || !new_length || new_length > USER_TOP)
		return -EINVAL;
	new_length = align_up(new_length, PAGE_SIZE);
	bool fixed = request->flags & MAP_FIXED;
	if (fixed && (target & (PAGE_SIZE - 1) || !space_range_valid(target, new_length)
		      || (target < address + length && address < target + new_length)))
		return -EINVAL;
	spin_lock(&space->lock);
	const struct region *found = map_find(space->map, address);
	if (!found || found->end < address + length) {
		spin_unlock(&space->lock);
		return -EFAULT;
	}
	struct region region = *found, *old = &region;
	struct map_node *root = map_ref(space->map);
	uint64_t end;
	if (region.memobj && __builtin_add_overflow(region.offset + (address - region.start), new_length, &end)) {
		error = -EINVAL;
	} else if (fixed) {
		error = move_to(space, &root, old, address, length, target, new_length);
	} else if (new_length <= length) {
		target = address;
		uint64_t cut = address + new_length;
		end = address + length;
		if (new_length < length) {
			error = radix_prepare(&space->memory, cut >> PAGE_SHIFT, end >> PAGE_SHIFT);
			if (!error)
				error = map_cut(&root, cut, end);
			if (!error) {
				arch_space_unmap(&space->arch, cut, end);
				memory_drop(space, cut, end);
			}
		}
	} else if (region.end == address + length && space_range_valid(address, new_length)
		   && map_free(space->map, region.end, address + new_length)) {
		target = address;
		struct region more = region;
		more.start = region.end;
		more.end = address + new_length;
		if (more.memobj)
			more.offset += more.start - region.start;
		error = map_add(&root, &more);
	} else if (!(request->flags & MOVE_MAY_MOVE)
		   || !choose_address(space->map, new_length, request->low, request->high, &target)) {
		error = -ENOMEM;
	} else {
		error = move_to(space, &root, old, address, length, target, new_length);
	}
	error = commit(space, root, error);
	if (!error)
		request->new_address = target;
	return error;
}

/* --- translations on behalf of objects --- */

static void invalidate_regions(struct space *space, const struct map_node *node, struct memobj *memobj, uint64_t first, uint64_t end, bool protect_only)
{
	if (!node)
		return;
	invalidate_regions(space, node->left, memobj, first, end, protect_only);
	invalidate_regions(space, node->right, memobj, first, end, protect_only);
	const struct region *region = &node->region;
	if (region->memobj != memobj || (protect_only && region_is_private(region)))
		return;
	uint64_t from = max(first, region->offset >> PAGE_SHIFT);
	uint64_t to = min(end, (region->offset + (region->end - region->start)) >> PAGE_SHIFT);
	if (from >= to)
		return;
	uint64_t start = region->start + ((from << PAGE_SHIFT) - region->offset);
	uint64_t stop = region->start + ((to << PAGE_SHIFT) - region->offset);
	if (protect_only)
		arch_space_write_protect(&space->arch, start, stop);
	else
		arch_space_unmap(&space->arch, start, stop);
}

bool space_may_write(struct object *object, struct memobj *memobj)
{
	struct space *space = container_of(object, struct space, object);
	const struct region *region;
	bool found = false;
	spin_lock(&space->lock);
	for (uint64_t at = 0; !found && (region = map_first(space->map, at)); at = region->end)
		found = region->memobj == memobj && !region_is_private(region) && region->max_protection & PROTECT_WRITE;
	spin_unlock(&space->lock);
	return found;
}

void space_invalidate(struct object *object, struct memobj *memobj, uint64_t first, uint64_t end, bool protect_only)
{
	struct space *space = container_of(object, struct space, object);
	spin_lock(&space->lock);
	invalidate_regions(space, space->map, memobj, first, end, protect_only);
	spin_unlock(&space->lock);
}
