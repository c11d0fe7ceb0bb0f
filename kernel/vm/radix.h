/*
 * A persistent radix tree from page index to page: the content of a memory object or of a space's private memory.
 *
 * Nodes are 64-way and reference-counted. Two trees that share a node share everything below it; a node is written only when
 * every node from the root down to it has exactly one reference, otherwise the path is copied node by node first. So a clone is
 * one reference whatever the size. A tree with only page 0 has no node: the root is the page itself.
 *
 * A page is held by slots: page->holders counts them (page->references counts them too, and pins besides). The page belongs
 * to one tree alone, and may be written in place, when holders is 1 and every node above it has one reference.
 *
 * Copying a path does not change what a tree contains, so an operation that fails for lack of memory leaves the content as it was.
 * Locking is the owner's: all calls on one tree are made under its owner's lock. Counts are atomic because other trees,
 * under other locks, may hold the same nodes.
 */
#ifndef KERNEL_RADIX_H
#define KERNEL_RADIX_H
#include "kernel/core/page.h"

#define RADIX_BITS 6u
#define RADIX_WAYS 64u
#define RADIX_LEVELS_MAX 9u /* 2^54 pages */
#define RADIX_INDEX_END (1ul << (RADIX_BITS * RADIX_LEVELS_MAX))

struct radix_node {
	uint32_t references;
	uint32_t level;     /* 1: slots are pages */
	uint64_t present;   /* bit i: slot[i] is not NULL */
	uint64_t pages;     /* in the subtree */
	void *slot[RADIX_WAYS];
};
struct radix {
	void *root;         /* a page when levels is 0, else a node of that level; NULL: empty */
	uint32_t levels;
};

/* The page at index, or NULL. No reference is taken. */
static inline struct page *radix_get(const struct radix *radix, uint64_t index)
{
	if (index >> (RADIX_BITS * radix->levels))
		return 0;
	void *entry = radix->root;
	for (unsigned shift = RADIX_BITS * radix->levels; shift && entry; ) {
		shift -= RADIX_BITS;
		entry = ((struct radix_node *)entry)->slot[index >> shift & (RADIX_WAYS - 1)];
	}
	return entry;
}
/* The same, and whether this tree alone holds the page. */
struct page *radix_get_exclusive(const struct radix *radix, uint64_t index, bool *exclusive);
/*
 * Puts page at index. On success the tree takes over one reference to page, and *old is what was there (NULL for nothing) with its
 * reference, now the caller's. -ENOMEM changes nothing; the reference stays the caller's.
 */
int radix_insert(struct radix *radix, uint64_t index, struct page *page, struct page **old) must_check;
/* Drops the pages of [first, end). 0, or -ENOMEM with nothing changed. */
int radix_remove(struct radix *radix, uint64_t first, uint64_t end) must_check;
/* Does the part of radix_remove that may fail; a following radix_remove of the same range succeeds if the tree was not shared meanwhile. */
int radix_prepare(struct radix *radix, uint64_t first, uint64_t end) must_check;
/* Makes [target_first, +count) of target what [source_first, +count) of source is, sharing whole nodes where alignment allows.
 * source may be a clone of target. -ENOMEM leaves target partly changed: work on a clone and throw it away. */
int radix_share(struct radix *target, uint64_t target_first, const struct radix *source, uint64_t source_first, uint64_t count) must_check;
/* Another tree of the same content: one reference. */
struct radix radix_clone(const struct radix *radix);
/* Drops everything. */
void radix_clear(struct radix *radix);
uint64_t radix_count(const struct radix *radix, uint64_t first, uint64_t end);
static inline uint64_t radix_pages(const struct radix *radix)
{
	return !radix->root ? 0 : radix->levels ? ((struct radix_node *)radix->root)->pages : 1;
}
/* Finds the first page at or after *index: the page, and *index; or NULL. */
struct page *radix_next(const struct radix *radix, uint64_t *index);
#endif
