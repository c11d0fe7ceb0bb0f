/*
 * The map of an address space: a persistent height-balanced (AVL) tree of regions that do not overlap, ordered by address.
 *
 * Nodes are reference-counted; a clone is one reference. An operation works on the caller's own root (`struct map_node **`, one reference):
 * nodes that only this root reaches are changed in place, shared ones are copied on the way. To be able to give up, the caller takes a
 * reference to the old root first, works on the other, and keeps one of the two. When an operation runs out of memory it drops
 * the whole tree at *root, sets it to NULL and returns -ENOMEM.
 *
 * Every node holds a reference to its region's memory object. Dropping a root may drop the last one: not under a space's lock,
 * unless another root (or the caller) still holds the object. Locking is the owner's.
 * Balancing after Adelson-Velsky and Landis, as in Knuth vol. 3, 6.2.3.
 */
#ifndef KERNEL_MAP_H
#define KERNEL_MAP_H
#include "kernel/vm/memobj.h"

struct region {
	uint64_t start, end;          /* page-aligned, start < end */
	uint64_t offset;              /* of start in memobj; 0 without one */
	struct memobj *memobj;        /* NULL: private zero memory */
	uint32_t protection, max_protection;
	uint32_t flags;               /* MAP_PRIVATE_COPY, MAP_STACK_GROWS */
	uint32_t tag;
	uint64_t limit;               /* MAP_STACK_GROWS: start may go down to here */
};
struct map_node {
	uint32_t references;
	uint32_t height;
	struct map_node *left, *right;
	struct region region;
	/* of the subtree: */
	uint64_t start, end;          /* of the first and of the last region */
	uint64_t gap;                 /* the widest gap between two neighbours */
	uint64_t total;               /* bytes mapped */
	uint64_t count;               /* regions */
};

struct map_node *map_ref(struct map_node *root);
void map_unref(struct map_node *root); /* NULL allowed */
/* The region that contains address; the first that ends after it; the last that starts before it. NULL if none. Valid while the root is. */
const struct region *map_find(const struct map_node *root, uint64_t address);
const struct region *map_first(const struct map_node *root, uint64_t address);
const struct region *map_before(const struct map_node *root, uint64_t address);
/* The highest free range of length bytes in [low, high). */
bool map_gap(const struct map_node *root, uint64_t length, uint64_t low, uint64_t high, uint64_t *address);
static inline bool map_free(const struct map_node *root, uint64_t start, uint64_t end)
{
	const struct region *region = map_first(root, start);
	return !region || region->start >= end;
}
/* Adds a region where there is none, joining it with neighbours that continue it. */
int map_add(struct map_node **root, const struct region *region) must_check;
/* Removes [start, end), cutting regions at its ends. */
int map_cut(struct map_node **root, uint64_t start, uint64_t end) must_check;
#endif
