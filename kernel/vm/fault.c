/*
 * Faults: from an address and an access to a page and its translation.
 *
 *   no region            grow a stack downward, or -EFAULT
 *   private, page there  the space's own page: map it; on a write to a shared one copy it first (copy on write)
 *   private, no page     zero memory: a new zero page. An object: map its page read-only; on a write copy it into the private memory
 *   shared               the object's page, created if absent; on a write the object first gets its own copy if a clone shares it
 *
 * A fault maps neighbours that are already there, up to FAULT_AROUND in an aligned window: pages of the object, or private pages left
 * without translations by fork. Writing is decided page by page for private pages (a page and all nodes above it must be this space's
 * alone) and only on a write for objects, so that their modification stamp stays true.
 */
#include "kernel/core/log.h"
#include "kernel/vm/space_private.h"
#include "kernel/obj/budget.h"

#define FAULT_AROUND 16u
#define STACK_GROWTH (16 * PAGE_SIZE) /* a stack grows by so much at once */
#define STACK_GUARD (16 * PAGE_SIZE)  /* and stays so far from the region below */

/* A run of translations to make. */
struct run {
	uint64_t address;
	unsigned count, flags;
	physical_t physical[FAULT_AROUND];
};

static int run_map(struct space *space, const struct run *run)
{
	return arch_space_map(&space->arch, run->address, run->physical, run->count, run->flags) ? 0 : -ENOMEM;
}

/* The end of the aligned window around address, inside the region. */
static uint64_t window_end(const struct region *region, uint64_t address)
{
	return min((address & ~(FAULT_AROUND * PAGE_SIZE - 1)) + FAULT_AROUND * PAGE_SIZE, region->end);
}

/* What a translation in the region allows at most. No processor has write-only or execute-only pages for us. */
static unsigned region_flags(const struct region *region)
{
	return region->protection ? region->protection | ARCH_MAP_READ : 0;
}

static bool access_allowed(const struct region *region, uint32_t access)
{
	return !(access & ~region_flags(region));
}

/* Below a growing stack: extends it. Under the lock. */
static int stack_grow(struct space *space, uint64_t address)
{
	const struct region *found = map_first(space->map, address);
	if (!found || !(found->flags & MAP_STACK_GROWS) || address < found->limit)
		return -EFAULT;
	const struct region *below = map_before(space->map, found->start);
	struct region region = *found;
	uint64_t page = address & ~(PAGE_SIZE - 1), lowest = region.limit;
	if (below && below->end + STACK_GUARD > lowest)
		lowest = below->end + STACK_GUARD;
	if (region.start >= VALUE_SPACE_END)
		lowest = max(lowest, (uint64_t)VALUE_SPACE_END);
	if (region.start >= LIBRARY_END)
		lowest = max(lowest, (uint64_t)LIBRARY_END);
	if (page < lowest || !space_range_valid(page, PAGE_SIZE))
		return -EFAULT;
	region.end = region.start;
	region.start = max(lowest, min(page, region.end > STACK_GROWTH ? region.end - STACK_GROWTH : 0));
	struct map_node *root = map_ref(space->map);
	int error = map_add(&root, &region);
	if (error)
		return error;
	/* The old root cannot hold an object's last reference: the new one names the same objects. */
	map_unref(space->map);
	space->map = root;
	return 0;
}

/* Puts a fresh page into the private memory; consumes it on success. What it replaces is dropped. */
static int memory_insert(struct space *space, uint64_t address, struct page *fresh)
{
	struct page *old;
	int error = radix_insert(&space->memory, address >> PAGE_SHIFT, fresh, &old);
	if (!error && old)
		page_unref(old);
	return error;
}

/*
 * The private page at address exists: what a fault on it does. Returns the page in *result.
 * A replaced page may still be translated until the new translation is in place; nobody runs with it after that, and its content does
 * not matter any more: the page is freed after the exchange only because the old translation is read-only and dropped first.
 */
static int fault_private(struct space *space, const struct region *region, uint64_t address, bool write, bool exclusive, struct page *page,
			 struct page **result)
{
	unsigned flags = region_flags(region);
	struct run run = { .address = address, .count = 1 };
	if (write && !exclusive) {
		struct page *copy = page_alloc_charged(space->budget, 0);
		if (!copy)
			return -ENOMEM;
		memcpy(page_address(copy), page_address(page), PAGE_SIZE);
		arch_space_unmap(&space->arch, address, address + PAGE_SIZE);
		int error = memory_insert(space, address, copy);
		if (error) {
			page_unref(copy);
			return error;
		}
		page = copy;
		exclusive = true;
	}
	*result = page;
	if (!flags)
		return 0; /* a forced access */
	run.flags = exclusive ? flags : flags & ~ARCH_MAP_WRITE;
	run.physical[0] = page_physical(page);
	/* Neighbours that are there and of the same kind */
	uint64_t end = window_end(region, address);
	for (uint64_t at = address + PAGE_SIZE; at < end; at += PAGE_SIZE) {
		bool alone;
		struct page *next = radix_get_exclusive(&space->memory, at >> PAGE_SHIFT, &alone);
		if (!next || alone != exclusive)
			break;
		run.physical[run.count++] = page_physical(next);
	}
	return run_map(space, &run);
}

static int fault_zero(struct space *space, const struct region *region, uint64_t address, struct page **result)
{
	struct page *page = page_alloc_charged(space->budget, PAGE_ZERO);
	if (!page)
		return -ENOMEM;
	int error = memory_insert(space, address, page);
	if (error) {
		page_unref(page);
		return error;
	}
	*result = page;
	if (!region->protection)
		return 0;
	struct run run = { .address = address, .count = 1, .flags = region_flags(region), .physical = { page_physical(page) } };
	return run_map(space, &run);
}

/* A write to a private mapping of an object where the space has no page yet. */
static int fault_copy_object(struct space *space, const struct region *region, uint64_t address, struct page **result)
{
	struct memobj_page found;
	int error = memobj_fault(region->memobj, region_index(region, address), false, &found);
	if (error)
		return error;
	if (!found.page)
		return -EACCES; /* device registers are not copied */
	struct page *copy = page_alloc_charged(space->budget, 0);
	if (!copy)
		return -ENOMEM;
	memcpy(page_address(copy), page_address(found.page), PAGE_SIZE);
	error = memory_insert(space, address, copy);
	if (error) {
		page_unref(copy);
		return error;
	}
	*result = copy;
	if (!region->protection) {
		arch_space_unmap(&space->arch, address, address + PAGE_SIZE);
		return 0;
	}
	struct run run = { .address = address, .count = 1, .flags = region_flags(region), .physical = { page_physical(copy) } };
	return run_map(space, &run);
}

/* An object's page, shared or read through a private mapping. -EAGAIN: the object needs its own copy first. */
static int fault_object(struct space *space, const struct region *region, uint64_t address, bool write, struct page **result)
{
	struct memobj *memobj = region->memobj;
	struct memobj_page found;
	int error = memobj_fault(memobj, region_index(region, address), write, &found);
	if (error)
		return error;
	if (write && !found.writable)
		return -EAGAIN;
	*result = found.page;
	bool device = memobj->kind == MEMOBJ_PHYSICAL && !region_is_private(region);
	struct run run = { .address = address, .count = 1, .flags = region_flags(region) };
	if (!run.flags)
		return 0;
	if (!found.writable && !(device && !(memobj->seals & SEAL_WRITE)))
		run.flags &= ~ARCH_MAP_WRITE;
	if (memobj->options & MEMOBJ_UNCACHED && memobj->kind == MEMOBJ_PHYSICAL)
		run.flags |= ARCH_MAP_UNCACHED;
	run.physical[0] = found.physical;
	if (!write || device) {
		/* Backward too: text is entered anywhere. Private pages in the way end the run. */
		uint64_t start = max(address & ~(FAULT_AROUND * PAGE_SIZE - 1), region->start), end = window_end(region, address);
		if (region_is_private(region)) {
			uint64_t at = start >> PAGE_SHIFT;
			while (radix_next(&space->memory, &at) && at < address >> PAGE_SHIFT) {
				start = (at + 1) << PAGE_SHIFT;
				at++;
			}
			at = address >> PAGE_SHIFT;
			if (radix_next(&space->memory, &at) && at < end >> PAGE_SHIFT)
				end = at << PAGE_SHIFT;
		}
		unsigned count = (end - start) >> PAGE_SHIFT, need = (address - start) >> PAGE_SHIFT;
		unsigned present = memobj_present_run(memobj, region_index(region, start), count, run.physical);
		if (present > need) {
			run.address = start;
			run.count = present;
		} else {
			run.count = memobj_present_run(memobj, region_index(region, address), count - need, run.physical);
			if (!run.count)
				return -EAGAIN; /* cut off meanwhile: look again */
		}
	}
	return run_map(space, &run);
}

/* One try, under the lock. -EAGAIN with *busy: that object must get its own copy of page *index; the reference is the caller's. */
static int resolve_locked(struct space *space, uint64_t address, uint32_t access, bool force, struct page **result,
			  struct memobj **busy, uint64_t *index)
{
	const struct region *region = map_find(space->map, address);
	if (!region) {
		int error = stack_grow(space, address);
		if (error)
			return error;
		region = map_find(space->map, address);
	}
	bool private = region_is_private(region), write = access & PROTECT_WRITE;
	if (!access_allowed(region, access) && !(force && (private || !write)))
		return -EACCES;
	address &= ~(PAGE_SIZE - 1);
	if (private) {
		bool exclusive;
		struct page *page = radix_get_exclusive(&space->memory, address >> PAGE_SHIFT, &exclusive);
		if (page)
			return fault_private(space, region, address, write, exclusive, page, result);
		if (!region->memobj)
			return fault_zero(space, region, address, result);
		if (write)
			return fault_copy_object(space, region, address, result);
	}
	int error = fault_object(space, region, address, write, result);
	if (error == -EAGAIN) {
		*busy = region->memobj;
		*index = region_index(region, address);
		object_ref(memobj_object(*busy));
	}
	return error;
}

int space_resolve(struct space *space, uint64_t address, uint32_t access, bool force, struct page **page)
{
	for (;;) {
		struct memobj *busy = 0;
		struct page *result = 0;
		uint64_t index = 0;
		spin_lock(&space->lock);
		int error = resolve_locked(space, address, access, force, &result, &busy, &index);
		if (!error && page) {
			if (result) {
				page_ref(result);
				*page = result;
			} else {
				error = -EFAULT;
			}
		}
		spin_unlock(&space->lock);
		if (error != -EAGAIN)
			return error;
		error = access & PROTECT_WRITE ? memobj_make_writable(busy, index) : 0;
		object_unref(memobj_object(busy));
		if (error)
			return error;
	}
}

int space_fault(struct space *space, uint64_t address, uint32_t access)
{
	return space_resolve(space, address, access, false, 0);
}
