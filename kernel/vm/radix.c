/* The persistent radix tree: see radix.h for the rules. */
#include "kernel/vm/radix.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"

static inline unsigned slot_index(uint64_t index, unsigned level)
{
	return index >> (RADIX_BITS * (level - 1)) & (RADIX_WAYS - 1);
}

static inline uint64_t level_span(unsigned level)
{
	return 1ul << (RADIX_BITS * level);
}

static inline uint64_t entry_pages(const void *entry, unsigned level)
{
	return level ? ((const struct radix_node *)entry)->pages : 1;
}

/* Bits first..last of a node's slots, both included. */
static inline uint64_t slot_mask(unsigned first, unsigned last)
{
	return (~0ul << first) & (~0ul >> (RADIX_WAYS - 1 - last));
}

static void entry_ref(void *entry, unsigned level)
{
	if (level) {
		__atomic_fetch_add(&((struct radix_node *)entry)->references, 1, __ATOMIC_RELAXED);
	} else {
		struct page *page = entry;
		page_ref(page);
		__atomic_fetch_add(&page->holders, 1, __ATOMIC_RELAXED);
	}
}

static void entry_drop(void *entry, unsigned level)
{
	if (!level) {
		struct page *page = entry;
		__atomic_fetch_sub(&page->holders, 1, __ATOMIC_RELEASE);
		page_unref(page);
		return;
	}
	struct radix_node *node = entry;
	if (__atomic_sub_fetch(&node->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (uint64_t bits = node->present; bits; bits &= bits - 1)
		entry_drop(node->slot[__builtin_ctzl(bits)], level - 1);
	heap_free(node, sizeof(*node));
}

static struct radix_node *node_create(unsigned level)
{
	struct radix_node *node = heap_alloc_own(sizeof(*node));
	if (node) {
		node->references = 1;
		node->level = level;
	}
	return node;
}

/* The node in *slot for writing, copied first when others share it. The path above is already owned. NULL: no memory. */
static struct radix_node *node_own(void **slot)
{
	struct radix_node *node = *slot;
	if (__atomic_load_n(&node->references, __ATOMIC_ACQUIRE) == 1)
		return node;
	struct radix_node *copy = node_create(node->level);
	if (!copy)
		return 0;
	copy->present = node->present;
	copy->pages = node->pages;
	for (uint64_t bits = node->present; bits; bits &= bits - 1) {
		unsigned i = __builtin_ctzl(bits);
		copy->slot[i] = node->slot[i];
		entry_ref(copy->slot[i], copy->level - 1);
	}
	*slot = copy;
	entry_drop(node, node->level);
	return copy;
}

struct page *radix_get_exclusive(const struct radix *radix, uint64_t index, bool *exclusive)
{
	bool alone = true;
	void *entry = index >> (RADIX_BITS * radix->levels) ? 0 : radix->root;
	for (unsigned level = radix->levels; level && entry; level--) {
		struct radix_node *node = entry;
		alone &= __atomic_load_n(&node->references, __ATOMIC_ACQUIRE) == 1;
		entry = node->slot[slot_index(index, level)];
	}
	*exclusive = entry && alone && __atomic_load_n(&((struct page *)entry)->holders, __ATOMIC_ACQUIRE) == 1;
	return entry;
}

/* Makes the tree high enough for index. */
static int radix_grow(struct radix *radix, uint64_t index)
{
	assert(index < RADIX_INDEX_END);
	while (index >> (RADIX_BITS * radix->levels)) {
		if (radix->root) {
			struct radix_node *node = node_create(radix->levels + 1);
			if (!node)
				return -ENOMEM;
			node->slot[0] = radix->root;
			node->present = 1;
			node->pages = entry_pages(radix->root, radix->levels);
			radix->root = node;
		}
		radix->levels++;
	}
	return 0;
}

/*
 * Puts a subtree (or page) of the given level at index, which is aligned to its span. Takes over the entry's reference; *old gets what
 * was there. The path is owned and created on the way; it may be left longer or without pages when memory runs out, which is harmless.
 */
static int entry_insert(struct radix *radix, uint64_t index, unsigned level, void *entry, void **old)
{
	struct radix_node *path[RADIX_LEVELS_MAX + 1];
	int error = radix_grow(radix, index | (level_span(level) - 1));
	if (error)
		return error;
	void **slot = &radix->root;
	for (unsigned l = radix->levels; l > level; l--) {
		struct radix_node *node;
		if (*slot) {
			node = node_own(slot);
		} else {
			node = node_create(l);
			*slot = node;
			if (node && l < radix->levels)
				path[l + 1]->present |= 1ul << slot_index(index, l + 1);
		}
		if (!node)
			return -ENOMEM;
		path[l] = node;
		slot = &node->slot[slot_index(index, l)];
	}
	*old = *slot;
	*slot = entry;
	if (radix->levels > level)
		path[level + 1]->present |= 1ul << slot_index(index, level + 1);
	uint64_t change = entry_pages(entry, level) - (*old ? entry_pages(*old, level) : 0);
	if (change)
		for (unsigned l = radix->levels; l > level; l--)
			path[l]->pages += change;
	return 0;
}

int radix_insert(struct radix *radix, uint64_t index, struct page *page, struct page **old)
{
	void *before;
	int error = entry_insert(radix, index, 0, page, &before);
	if (error)
		return error;
	__atomic_fetch_add(&page->holders, 1, __ATOMIC_RELAXED);
	if (before)
		__atomic_fetch_sub(&((struct page *)before)->holders, 1, __ATOMIC_RELEASE);
	*old = before;
	return 0;
}

/* Owns the nodes on the way to index, except those that lie inside [first, end) as a whole. */
static int own_path(struct radix *radix, uint64_t index, uint64_t first, uint64_t end)
{
	void **slot = &radix->root;
	for (unsigned level = radix->levels; level && *slot; level--) {
		uint64_t base = index & ~(level_span(level) - 1);
		if (first <= base && base + level_span(level) <= end)
			return 0;
		struct radix_node *node = node_own(slot);
		if (!node)
			return -ENOMEM;
		slot = &node->slot[slot_index(index, level)];
	}
	return 0;
}

int radix_prepare(struct radix *radix, uint64_t first, uint64_t end)
{
	end = min(end, level_span(radix->levels));
	if (!radix->root || first >= end)
		return 0;
	int error = own_path(radix, first, first, end);
	return error ? error : own_path(radix, end - 1, first, end);
}

/* Removes [first, end) (relative to the node) from an owned node; the boundary nodes below are owned. Returns the pages removed. */
static uint64_t node_remove(struct radix_node *node, uint64_t first, uint64_t end)
{
	unsigned below = node->level - 1;
	uint64_t span = level_span(below), removed = 0;
	uint64_t bits = node->present & slot_mask(first >> (RADIX_BITS * below), (end - 1) >> (RADIX_BITS * below));
	for (; bits; bits &= bits - 1) {
		unsigned i = __builtin_ctzl(bits);
		uint64_t start = i * span;
		void *entry = node->slot[i];
		bool whole = first <= start && start + span <= end;
		if (whole) {
			removed += entry_pages(entry, below);
		} else {
			uint64_t from = first > start ? first - start : 0, to = min(end - start, span);
			removed += node_remove(entry, from, to);
			whole = entry_pages(entry, below) == 0;
		}
		if (whole) {
			node->slot[i] = 0;
			node->present &= ~(1ul << i);
			entry_drop(entry, below);
		}
	}
	node->pages -= removed;
	return removed;
}

int radix_remove(struct radix *radix, uint64_t first, uint64_t end)
{
	end = min(end, level_span(radix->levels));
	if (!radix->root || first >= end)
		return 0;
	if (first == 0 && end == level_span(radix->levels)) {
		radix_clear(radix);
		return 0;
	}
	int error = radix_prepare(radix, first, end);
	if (error)
		return error;
	node_remove(radix->root, first, end);
	if (!radix_pages(radix))
		radix_clear(radix);
	return 0;
}

struct radix radix_clone(const struct radix *radix)
{
	if (radix->root)
		entry_ref(radix->root, radix->levels);
	return *radix;
}

void radix_clear(struct radix *radix)
{
	void *root = radix->root;
	unsigned levels = radix->levels;
	radix->root = 0;
	radix->levels = 0;
	if (root)
		entry_drop(root, levels);
}

/* The subtree of that level at index (aligned to its span), or NULL. */
static void *entry_find(const struct radix *radix, uint64_t index, unsigned level)
{
	if (level > radix->levels || index >> (RADIX_BITS * radix->levels))
		return 0;
	void *entry = radix->root;
	for (unsigned l = radix->levels; l > level && entry; l--)
		entry = ((struct radix_node *)entry)->slot[slot_index(index, l)];
	return entry;
}

int radix_share(struct radix *target, uint64_t target_first, const struct radix *source, uint64_t source_first, uint64_t count)
{
	int error = radix_remove(target, target_first, target_first + count);
	if (error)
		return error;
	for (uint64_t at = source_first; ; ) {
		if (!radix_next(source, &at) || at - source_first >= count)
			return 0;
		/* The greatest block that holds `at`, lies inside the range and is aligned on both sides. */
		unsigned level = 0;
		while (level < source->levels) {
			uint64_t span = level_span(level + 1), base = at & ~(span - 1);
			if (base < source_first || base + span - source_first > count
			    || ((base - source_first + target_first) & (span - 1)))
				break;
			level++;
		}
		uint64_t span = level_span(level), base = at & ~(span - 1);
		void *entry = entry_find(source, base, level), *old;
		entry_ref(entry, level);
		error = entry_insert(target, base - source_first + target_first, level, entry, &old);
		if (error) {
			entry_drop(entry, level);
			return error;
		}
		if (old) /* an empty node that a failed insertion had left */
			entry_drop(old, level);
		at = base + span;
	}
}

static uint64_t entry_count(const void *entry, unsigned level, uint64_t first, uint64_t end)
{
	if (!level || (first == 0 && end >= level_span(level)))
		return entry_pages(entry, level);
	const struct radix_node *node = entry;
	uint64_t span = level_span(level - 1), pages = 0;
	uint64_t bits = node->present & slot_mask(first >> (RADIX_BITS * (level - 1)), (end - 1) >> (RADIX_BITS * (level - 1)));
	for (; bits && level == 1; bits &= bits - 1) /* pages themselves */
		pages++;
	for (; bits; bits &= bits - 1) {
		unsigned i = __builtin_ctzl(bits);
		uint64_t start = i * span;
		pages += entry_count(node->slot[i], level - 1, first > start ? first - start : 0, min(end - start, span));
	}
	return pages;
}

uint64_t radix_count(const struct radix *radix, uint64_t first, uint64_t end)
{
	end = min(end, level_span(radix->levels));
	return !radix->root || first >= end ? 0 : entry_count(radix->root, radix->levels, first, end);
}

static struct page *entry_next(void *entry, unsigned level, uint64_t *index, uint64_t base)
{
	if (!level) {
		*index = base;
		return entry;
	}
	struct radix_node *node = entry;
	uint64_t from = *index > base ? *index - base : 0;
	uint64_t bits = node->present & slot_mask(from >> (RADIX_BITS * (level - 1)), RADIX_WAYS - 1);
	for (; bits; bits &= bits - 1) {
		unsigned i = __builtin_ctzl(bits);
		struct page *page = entry_next(node->slot[i], level - 1, index, base + i * level_span(level - 1));
		if (page)
			return page;
	}
	return 0;
}

struct page *radix_next(const struct radix *radix, uint64_t *index)
{
	if (!radix->root || *index >> (RADIX_BITS * radix->levels))
		return 0;
	return entry_next(radix->root, radix->levels, index, 0);
}
