/*
 * Memory objects: creation, cloning, resizing, and the pages under faults. Copies to and from user memory are in memobj_io.c.
 *
 * Invariants (under the lock):
 * - no page lies beyond the size; bytes of the last page beyond the size are zero, unless tail_mapped;
 * - a page is written in place only when this object alone holds it (radix_get_exclusive); a translation is writable only then.
 * Pages taken out of an object that some space maps are freed only after the translations have gone: the operation keeps a clone of
 * the old tree (or a reference to the old page), releases the lock, invalidates, and then drops it. Lock order: space, memobj, family.
 */
#include "kernel/vm/memobj_private.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"

static void memobj_destroy(struct object *object);

/* Always ready; a write tells the observers, so an edge-triggered waitset entry sees changes. */
static uint32_t memobj_ready(struct object *object)
{
	(void)object;
	return READY_IN | READY_OUT;
}

static const struct object_operations memobj_operations = {
	.kind = KIND_MEMOBJ, .name = "memobj", .destroy = memobj_destroy, .ready = memobj_ready,
};

struct object *memobj_object(struct memobj *memobj)
{
	return &memobj->object;
}

struct memobj *memobj_of_object(struct object *object)
{
	return object && object->operations == &memobj_operations ? container_of(object, struct memobj, object) : 0;
}

struct page *page_alloc_charged(struct budget *budget, unsigned flags)
{
	if (!budget)
		budget = budget_own();
	if (budget && budget_charge(budget, 1))
		return 0;
	struct page *page = page_alloc(0, flags);
	if (!page) {
		if (budget)
			budget_uncharge(budget, 1);
		return 0;
	}
	page->payer = budget;
	page->state = PAGE_CLEAN;
	page->holders = 0;
	return page;
}

static struct memobj *memobj_new(uint8_t kind, uint64_t size, uint32_t options, struct budget *payer)
{
	struct memobj *memobj = heap_alloc(sizeof(*memobj));
	if (!memobj)
		return 0;
	object_init(&memobj->object, &memobj_operations);
	spin_init(&memobj->lock, "memobj", RANK_MEMOBJ);
	family_init(&memobj->family);
	memobj->kind = kind;
	memobj->size = size;
	memobj->options = options;
	memobj->budget = payer;
	if (payer)
		object_ref(&payer->object);
	return memobj;
}

static void memobj_destroy(struct object *object)
{
	struct memobj *memobj = container_of(object, struct memobj, object);
	family_destroy(&memobj->family);
	memobj_limit_remove(memobj, radix_pages(&memobj->pages));
	radix_clear(&memobj->pages);
	struct budget *budget = memobj->budget, *limit = memobj->limit;
	heap_free(memobj, sizeof(*memobj));
	if (budget)
		object_unref(&budget->object);
	if (limit)
		object_unref(&limit->object);
}

int memobj_limit_add(struct memobj *memobj, uint64_t pages)
{
	return memobj->limit && pages && budget_charge(memobj->limit, pages) ? -ENOSPC : 0;
}

void memobj_limit_remove(struct memobj *memobj, uint64_t pages)
{
	if (memobj->limit && pages)
		budget_uncharge(memobj->limit, pages);
}

struct memobj *memobj_create(uint64_t size, uint32_t options, struct budget *payer)
{
	return memobj_new(MEMOBJ_ANONYMOUS, size, options, payer);
}

struct memobj *memobj_create_limited(uint64_t size, uint32_t options, struct budget *limit)
{
	struct memobj *memobj = memobj_new(MEMOBJ_ANONYMOUS, size, options, NULL);
	if (memobj && limit) {
		memobj->limit = limit;
		object_ref(&limit->object);
	}
	return memobj;
}

struct memobj *memobj_create_physical(physical_t start, uint64_t size, uint32_t options, struct budget *payer)
{
	struct memobj *memobj = memobj_new(MEMOBJ_PHYSICAL, size, options, payer);
	if (memobj)
		memobj->physical = start;
	return memobj;
}

struct memobj *memobj_create_contiguous(uint64_t size, struct budget *payer, physical_t *start)
{
	uint64_t count = page_ceiling(size);
	unsigned order = 0;
	while (order < 20 && (1ul << order) < count)
		order++;
	if (!count || (1ul << order) < count)
		return 0;
	struct memobj *memobj = memobj_new(MEMOBJ_ANONYMOUS, size, 0, payer);
	if (!memobj)
		return 0;
	memobj->fixed = true;
	if (payer && budget_charge(payer, 1ul << order))
		goto no_budget;
	struct page *block = page_alloc(order, PAGE_ZERO);
	if (!block)
		goto no_pages;
	/* The block becomes single pages, each with its own reference and payer; those beyond the size go back at once. */
	physical_t base = page_physical(block);
	block->payer = payer;
	block->state = PAGE_CLEAN;
	page_split(block);
	bool failed = false;
	for (uint64_t i = 0; i < 1ul << order; i++) {
		struct page *page = page_of_physical(base + i * PAGE_SIZE), *old;
		page->holders = 0;
		if (i >= count || failed || radix_insert(&memobj->pages, i, page, &old)) {
			failed |= i < count;
			page_unref(page);
		}
	}
	if (failed)
		goto no_budget;
	*start = base;
	return memobj;
no_pages:
	if (payer)
		budget_uncharge(payer, 1ul << order);
no_budget:
	object_unref(&memobj->object);
	return 0;
}

struct memobj *memobj_create_from_pages(physical_t start, uint64_t size)
{
	uint64_t count = page_ceiling(size);
	for (uint64_t i = 0; i < count; i++)
		if (!page_of_physical(start + i * PAGE_SIZE))
			return 0;
	struct memobj *memobj = memobj_new(MEMOBJ_ANONYMOUS, size, 0, 0);
	if (!memobj)
		return 0;
	for (uint64_t i = 0; i < count; i++) {
		struct page *page = page_of_physical(start + i * PAGE_SIZE), *old;
		page->references = max(page->references, 1u);
		page->order = 0;
		page->state = PAGE_CLEAN;
		page->payer = 0;
		page->holders = 0;
		if (radix_insert(&memobj->pages, i, page, &old)) {
			object_unref(&memobj->object);
			return 0;
		}
	}
	if (size & (PAGE_SIZE - 1)) {
		struct page *last = radix_get(&memobj->pages, count - 1);
		memset((char *)page_address(last) + (size & (PAGE_SIZE - 1)), 0, PAGE_SIZE - (size & (PAGE_SIZE - 1)));
	}
	return memobj;
}

/* --- translations in other spaces --- */

void memobj_invalidate(struct memobj *memobj, uint64_t first, uint64_t end, bool protect_only)
{
	uint64_t cursor = 0;
	struct object *space;
	while ((space = family_next(&memobj->family, &cursor))) {
		space_invalidate(space, memobj, first, end, protect_only);
		object_unref(space);
	}
}

/* --- pages, under the lock --- */

int memobj_own_page(struct memobj *memobj, uint64_t index, struct page **page, struct page **old)
{
	bool exclusive;
	*old = 0;
	*page = radix_get_exclusive(&memobj->pages, index, &exclusive);
	if (!*page || exclusive || memobj->fixed)
		return 0;
	struct page *copy = page_alloc_charged(memobj->budget, 0);
	if (!copy)
		return -ENOMEM;
	memcpy(page_address(copy), page_address(*page), PAGE_SIZE);
	int error = radix_insert(&memobj->pages, index, copy, old);
	if (error) {
		page_unref(copy);
		return error;
	}
	*page = copy;
	return 0;
}

void memobj_clear_tail(struct memobj *memobj)
{
	if (!memobj->tail_mapped)
		return;
	memobj->tail_mapped = false;
	unsigned used = memobj->size & (PAGE_SIZE - 1);
	bool exclusive;
	struct page *page = radix_get_exclusive(&memobj->pages, memobj->size >> PAGE_SHIFT, &exclusive);
	/* A page that a clone shares has been write-protected since and was cleared by whoever made the clone. */
	if (used && page && exclusive)
		memset((char *)page_address(page) + used, 0, PAGE_SIZE - used);
}

/* A zero page where there was none. Under the lock. 0, -ENOMEM, -ENOSPC. */
static int memobj_fill(struct memobj *memobj, uint64_t index, struct page **page)
{
	struct page *old;
	int error = memobj_limit_add(memobj, 1);
	if (error)
		return error;
	*page = page_alloc_charged(memobj->budget, PAGE_ZERO);
	error = *page ? radix_insert(&memobj->pages, index, *page, &old) : -ENOMEM;
	if (!error)
		return 0;
	memobj_limit_remove(memobj, 1);
	if (*page)
		page_unref(*page);
	*page = NULL;
	return error;
}

int memobj_fault(struct memobj *memobj, uint64_t index, bool write, struct memobj_page *found)
{
	int error = 0;
	found->writable = false;
	spin_lock(&memobj->lock);
	if (index >= page_ceiling(memobj->size)) {
		error = -ENXIO;
	} else if (write && memobj->seals & SEAL_WRITE) {
		error = -EACCES;
	} else if (memobj->kind == MEMOBJ_PHYSICAL) {
		found->physical = memobj->physical + (index << PAGE_SHIFT);
		found->page = page_of_physical(found->physical);
		found->writable = write;
	} else {
		bool exclusive;
		struct page *page = radix_get_exclusive(&memobj->pages, index, &exclusive);
		if (!page) {
			error = memobj_fill(memobj, index, &page);
			exclusive = true;
		}
		if (page) {
			found->page = page;
			found->physical = page_physical(page);
			found->writable = write && (exclusive || memobj->fixed);
			if (found->writable) {
				memobj->modified = time_now();
				if (index == memobj->size >> PAGE_SHIFT)
					memobj->tail_mapped = true;
			}
		}
	}
	spin_unlock(&memobj->lock);
	return error;
}

unsigned memobj_present_run(struct memobj *memobj, uint64_t index, unsigned count, physical_t *physical)
{
	unsigned n = 0;
	spin_lock(&memobj->lock);
	uint64_t end = page_ceiling(memobj->size);
	for (; n < count && index + n < end; n++) {
		if (memobj->kind == MEMOBJ_PHYSICAL) {
			physical[n] = memobj->physical + ((index + n) << PAGE_SHIFT);
			continue;
		}
		struct page *page = radix_get(&memobj->pages, index + n);
		if (!page)
			break;
		physical[n] = page_physical(page);
	}
	spin_unlock(&memobj->lock);
	return n;
}

int memobj_make_writable(struct memobj *memobj, uint64_t index)
{
	struct page *page, *old = 0;
	spin_lock(&memobj->lock);
	int error = index >= page_ceiling(memobj->size) ? -ENXIO : memobj->kind == MEMOBJ_PHYSICAL ? 0
		: memobj_own_page(memobj, index, &page, &old);
	spin_unlock(&memobj->lock);
	if (old) {
		memobj_invalidate(memobj, index, index + 1, false);
		page_unref(old);
	}
	return error;
}

uint64_t memobj_resident(struct memobj *memobj, uint64_t first, uint64_t end)
{
	spin_lock(&memobj->lock);
	uint64_t last = page_ceiling(memobj->size), pages;
	end = min(end, last);
	if (memobj->kind == MEMOBJ_PHYSICAL)
		pages = first < end ? end - first : 0;
	else
		pages = radix_count(&memobj->pages, first, end);
	spin_unlock(&memobj->lock);
	return pages;
}

/* --- operations on ranges --- */

/* A change in progress: what must be invalidated, and what must live until then. */
struct change {
	uint64_t first, end;       /* pages */
	struct radix before;       /* the tree before the change, kept only if somebody may map the object */
	struct page *old[2];
};

static void change_extend(struct change *change, uint64_t first, uint64_t end)
{
	if (change->first >= change->end) {
		change->first = first;
		change->end = end;
	} else {
		change->first = min(change->first, first);
		change->end = max(change->end, end);
	}
}

/* After the lock was released. */
static void change_finish(struct memobj *memobj, struct change *change)
{
	if (change->first < change->end)
		memobj_invalidate(memobj, change->first, change->end, false);
	radix_clear(&change->before);
	for (unsigned i = 0; i < 2; i++)
		if (change->old[i])
			page_unref(change->old[i]);
}

/* Removes pages [first, end), or fails with nothing changed. */
static int change_remove(struct memobj *memobj, struct change *change, uint64_t first, uint64_t end)
{
	if (first >= end)
		return 0;
	if (!family_empty(&memobj->family)) {
		change->before = radix_clone(&memobj->pages);
		change_extend(change, first, end);
	}
	uint64_t before = radix_pages(&memobj->pages);
	int error = radix_remove(&memobj->pages, first, end);
	memobj_limit_remove(memobj, before - radix_pages(&memobj->pages));
	return error;
}

/* Makes the page at index, if there is one, this object's own, so that part of it can be zeroed. */
static int change_own(struct memobj *memobj, struct change *change, unsigned which, uint64_t index, struct page **page)
{
	int error = memobj_own_page(memobj, index, page, &change->old[which]);
	if (change->old[which])
		change_extend(change, index, index + 1);
	return error;
}

int memobj_resize(struct memobj *memobj, uint64_t size)
{
	struct change change = { 0 };
	int error = 0;
	if (size > MEMOBJ_SIZE_MAX)
		return -EFBIG;
	if (memobj->kind == MEMOBJ_PHYSICAL || memobj->fixed)
		return -EINVAL;
	spin_lock(&memobj->lock);
	if ((size < memobj->size && memobj->seals & SEAL_SHRINK) || (size > memobj->size && memobj->seals & SEAL_GROW)) {
		error = -EPERM;
	} else if (size >= memobj->size) {
		if (size > memobj->size)
			memobj_clear_tail(memobj);
		memobj->modified = time_now();
		memobj->size = size;
	} else {
		unsigned used = size & (PAGE_SIZE - 1);
		struct page *cut = 0;
		if (used)
			error = change_own(memobj, &change, 0, size >> PAGE_SHIFT, &cut);
		if (!error)
			error = change_remove(memobj, &change, page_ceiling(size), page_ceiling(memobj->size));
		if (!error) {
			if (cut)
				memset((char *)page_address(cut) + used, 0, PAGE_SIZE - used);
			/* writable translations of the page at the cut live on */
			memobj->tail_mapped = used && !family_empty(&memobj->family);
			memobj->size = size;
			memobj->modified = time_now();
		}
	}
	spin_unlock(&memobj->lock);
	change_finish(memobj, &change);
	return error;
}

int memobj_zero(struct memobj *memobj, uint64_t offset, uint64_t length)
{
	struct change change = { 0 };
	uint64_t end;
	int error = 0;
	if (__builtin_add_overflow(offset, length, &end))
		return -EINVAL;
	if (memobj->kind == MEMOBJ_PHYSICAL || memobj->fixed)
		return -EINVAL;
	spin_lock(&memobj->lock);
	if (memobj->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)) {
		error = -EPERM;
		goto out;
	}
	end = min(end, memobj->size);
	if (offset >= end)
		goto out;
	/* The last page counts as whole when the range reaches the end of the object. */
	uint64_t first = page_ceiling(offset), last = end == memobj->size ? page_ceiling(end) : end >> PAGE_SHIFT;
	struct page *head = 0, *tail = 0;
	unsigned head_used = offset & (PAGE_SIZE - 1), tail_used = end & (PAGE_SIZE - 1);
	if (head_used)
		error = change_own(memobj, &change, 0, offset >> PAGE_SHIFT, &head);
	if (!error && last >= first && end >> PAGE_SHIFT == last && tail_used)
		error = change_own(memobj, &change, 1, last, &tail);
	if (!error)
		error = change_remove(memobj, &change, first, last);
	if (error)
		goto out;
	if (head) {
		uint64_t until = min(end, (uint64_t)first << PAGE_SHIFT);
		memset((char *)page_address(head) + head_used, 0, until - offset);
	}
	if (tail)
		memset(page_address(tail), 0, tail_used);
	memobj->modified = time_now();
out:
	spin_unlock(&memobj->lock);
	change_finish(memobj, &change);
	return error;
}

/*
 * A clone of the object's pages and its size at one moment; the object's own writable translations are gone when it returns. Bytes that
 * mappings left behind the end are cleared first: both sides then rely on their being zero.
 */
static struct radix memobj_snapshot(struct memobj *memobj, uint64_t *size)
{
	spin_lock(&memobj->lock);
	memobj_clear_tail(memobj);
	struct radix pages = radix_clone(&memobj->pages);
	*size = memobj->size;
	spin_unlock(&memobj->lock);
	memobj_invalidate(memobj, 0, page_ceiling(*size), true);
	return pages;
}

struct memobj *memobj_clone(struct memobj *memobj, uint64_t offset, uint64_t length, struct budget *payer)
{
	uint64_t end, size;
	if (offset & (PAGE_SIZE - 1) || memobj->kind == MEMOBJ_PHYSICAL || memobj->fixed
	    || __builtin_add_overflow(offset, length, &end) || length > MEMOBJ_SIZE_MAX)
		return 0;
	struct memobj *clone = memobj_new(MEMOBJ_ANONYMOUS, length, memobj->options, payer);
	if (!clone)
		return 0;
	struct radix pages = memobj_snapshot(memobj, &size);
	uint64_t count = page_ceiling(length);
	int error;
	if (!offset) {
		clone->pages = pages;
		error = radix_remove(&clone->pages, count, RADIX_INDEX_END);
	} else {
		error = radix_share(&clone->pages, 0, &pages, offset >> PAGE_SHIFT, count);
		radix_clear(&pages);
	}
	/* A cut inside a page */
	unsigned used = length & (PAGE_SIZE - 1);
	if (!error && used && end < size) {
		struct page *page, *old = 0;
		error = memobj_own_page(clone, count - 1, &page, &old);
		if (!error && page)
			memset((char *)page_address(page) + used, 0, PAGE_SIZE - used);
		if (old)
			page_unref(old);
	}
	if (error) {
		object_unref(&clone->object);
		return 0;
	}
	clone->modified = time_now();
	return clone;
}

int memobj_share(struct memobj *source, uint64_t source_offset, struct memobj *target, uint64_t target_offset, uint64_t length)
{
	uint64_t source_end, target_end, source_size;
	if ((source_offset | target_offset | length) & (PAGE_SIZE - 1))
		return -EINVAL;
	if (__builtin_add_overflow(source_offset, length, &source_end) || __builtin_add_overflow(target_offset, length, &target_end))
		return -EINVAL;
	if (source->kind == MEMOBJ_PHYSICAL || target->kind == MEMOBJ_PHYSICAL || source->fixed || target->fixed)
		return -EINVAL;
	if (target_end > MEMOBJ_SIZE_MAX)
		return -EFBIG;
	if (source == target && source_offset < target_end && target_offset < source_end)
		return -EINVAL;
	if (!length)
		return 0;
	struct radix snapshot = memobj_snapshot(source, &source_size), before = { 0 };
	int error = 0;
	if (source_end > page_ceiling(source_size) << PAGE_SHIFT)
		error = -EINVAL;
	spin_lock(&target->lock);
	if (!error && (target->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE) || (target->seals & SEAL_GROW && target_end > target->size)))
		error = -EPERM;
	if (!error && target_end > page_ceiling(target->size) << PAGE_SHIFT && !(target->options & MEMOBJ_GROW))
		error = -EINVAL;
	/* The last shared page may not bring bytes beyond the target's end: its size then covers the page, or they are the source's zeros. */
	if (!error) {
		if (target_end > target->size)
			memobj_clear_tail(target);
		struct radix changed = radix_clone(&target->pages);
		error = radix_share(&changed, target_offset >> PAGE_SHIFT, &snapshot, source_offset >> PAGE_SHIFT, length >> PAGE_SHIFT);
		struct page *page = 0, *old = 0;
		before = changed;
		if (!error) {
			before = target->pages;
			target->pages = changed;
			uint64_t size = target_end > page_ceiling(target->size) << PAGE_SHIFT ? target_end : target->size;
			unsigned used = size & (PAGE_SIZE - 1);
			uint64_t pages = radix_pages(&changed), pages_before = radix_pages(&before);
			error = memobj_limit_add(target, pages > pages_before ? pages - pages_before : 0);
			if (!error && used && target_end > size && (error = memobj_own_page(target, size >> PAGE_SHIFT, &page, &old)))
				memobj_limit_remove(target, pages > pages_before ? pages - pages_before : 0);
			if (error) {
				target->pages = before;
				before = changed;
			} else {
				if (page)
					memset((char *)page_address(page) + used, 0, PAGE_SIZE - used);
				if (old)
					page_unref(old); /* the source holds it as well, or held it in the snapshot */
				memobj_limit_remove(target, pages_before > pages ? pages_before - pages : 0);
				target->size = size;
				target->modified = time_now();
			}
		}
	}
	spin_unlock(&target->lock);
	if (!error)
		memobj_invalidate(target, target_offset >> PAGE_SHIFT, target_end >> PAGE_SHIFT, false);
	radix_clear(&before);
	radix_clear(&snapshot);
	return error;
}

static bool memobj_may_be_written(struct memobj *memobj)
{
	uint64_t cursor = 0;
	struct object *space;
	bool found = false;
	while (!found && (space = family_next(&memobj->family, &cursor))) {
		found = space_may_write(space, memobj);
		object_unref(space);
	}
	return found;
}

/* The seal is set before the mappings are looked at: one that is made meanwhile meets it (space_map looks under its lock). */
int memobj_seal(struct memobj *memobj, uint32_t seals)
{
	if (memobj->kind == MEMOBJ_PHYSICAL || memobj->fixed || seals & ~SEAL_ALL)
		return -EINVAL;
	spin_lock(&memobj->lock);
	uint32_t before = memobj->seals;
	int error = before & SEAL_SEALS ? -EPERM : 0;
	if (!error)
		memobj->seals |= seals;
	uint64_t size = memobj->size;
	spin_unlock(&memobj->lock);
	if (error || !(seals & ~before & SEAL_WRITE))
		return error;
	if (memobj_may_be_written(memobj)) {
		spin_lock(&memobj->lock);
		memobj->seals &= before | ~seals;
		spin_unlock(&memobj->lock);
		return -EBUSY;
	}
	memobj_invalidate(memobj, 0, page_ceiling(size), true);
	return 0;
}

void memobj_get_info(struct memobj *memobj, struct memobj_info *info)
{
	memset(info, 0, sizeof(*info));
	spin_lock(&memobj->lock);
	info->size = memobj->size;
	info->pages = memobj->kind == MEMOBJ_PHYSICAL ? page_ceiling(memobj->size) : radix_pages(&memobj->pages);
	info->modified = memobj->modified;
	info->dirty = memobj->pager ? memobj->pager->dirty + memobj->pager->writing : 0;
	info->kind = memobj->fixed ? MEMOBJ_PHYSICAL : memobj->kind;
	info->seals = memobj->seals;
	spin_unlock(&memobj->lock);
}

/* The first absent page of [first, end), or end; lock held. Halves the range by counting, which costs a path of the tree each time. */
static uint64_t first_hole(struct memobj *memobj, uint64_t first, uint64_t end)
{
	while (first < end) {
		uint64_t middle = first + (end - first + 1) / 2;
		if (radix_count(&memobj->pages, first, middle) == middle - first)
			first = middle;
		else if (middle - first == 1)
			break;
		else
			end = middle;
	}
	return first;
}

int64_t memobj_find(struct memobj *memobj, uint64_t offset, bool hole)
{
	uint64_t result = offset, index = offset >> PAGE_SHIFT;
	spin_lock(&memobj->lock);
	uint64_t size = memobj->size;
	if (memobj->kind != MEMOBJ_ANONYMOUS) {
		result = hole ? size : offset;
	} else if (hole) {
		index = first_hole(memobj, index, page_ceiling(size));
		result = min(max(offset, index << PAGE_SHIFT), size);
	} else {
		result = radix_next(&memobj->pages, &index) ? max(offset, index << PAGE_SHIFT) : size;
	}
	spin_unlock(&memobj->lock);
	return offset >= size || (!hole && result >= size) ? -ENXIO : (int64_t)result;
}

uint64_t memobj_size(struct memobj *memobj)
{
	return __atomic_load_n(&memobj->size, __ATOMIC_ACQUIRE);
}
