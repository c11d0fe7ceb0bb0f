/* The persistent map of regions: see map.h. */
#include "kernel/vm/map.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"

static void region_ref(const struct region *region)
{
	if (region->memobj)
		object_ref(memobj_object(region->memobj));
}

static void region_unref(const struct region *region)
{
	if (region->memobj)
		object_unref(memobj_object(region->memobj));
}

struct map_node *map_ref(struct map_node *root)
{
	if (root)
		__atomic_fetch_add(&root->references, 1, __ATOMIC_RELAXED);
	return root;
}

void map_unref(struct map_node *root)
{
	if (!root || __atomic_sub_fetch(&root->references, 1, __ATOMIC_ACQ_REL))
		return;
	map_unref(root->left);
	map_unref(root->right);
	region_unref(&root->region);
	heap_free(root, sizeof(*root));
}

static inline uint32_t height(const struct map_node *node)
{
	return node ? node->height : 0;
}

static void node_update(struct map_node *node)
{
	const struct map_node *left = node->left, *right = node->right;
	const struct region *region = &node->region;
	node->height = max(height(left), height(right)) + 1;
	node->start = region->start;
	node->end = region->end;
	node->gap = 0;
	node->total = region->end - region->start;
	node->count = 1;
	if (left) {
		node->start = left->start;
		node->gap = max(left->gap, region->start - left->end);
		node->total += left->total;
		node->count += left->count;
	}
	if (right) {
		node->end = right->end;
		node->gap = max(node->gap, max(right->gap, right->start - region->end));
		node->total += right->total;
		node->count += right->count;
	}
}

/* All functions on `struct map_node *` below take over the caller's reference and return one, or NULL after dropping everything. */

static struct map_node *node_own(struct map_node *node)
{
	if (__atomic_load_n(&node->references, __ATOMIC_ACQUIRE) == 1)
		return node;
	struct map_node *copy = heap_alloc_own(sizeof(*copy));
	if (copy) {
		/* all but the references, which others may be changing */
		*copy = (struct map_node){
			.references = 1, .height = node->height, .left = node->left, .right = node->right, .region = node->region,
			.start = node->start, .end = node->end, .gap = node->gap, .total = node->total, .count = node->count,
		};
		map_ref(copy->left);
		map_ref(copy->right);
		region_ref(&copy->region);
	}
	map_unref(node);
	return copy;
}

/* node is owned; moves its left child up. */
static struct map_node *rotate_right(struct map_node *node)
{
	struct map_node *child = node_own(node->left);
	node->left = child ? child->right : 0;
	if (!child) {
		map_unref(node);
		return 0;
	}
	node_update(node);
	child->right = node;
	node_update(child);
	return child;
}

static struct map_node *rotate_left(struct map_node *node)
{
	struct map_node *child = node_own(node->right);
	node->right = child ? child->left : 0;
	if (!child) {
		map_unref(node);
		return 0;
	}
	node_update(node);
	child->left = node;
	node_update(child);
	return child;
}

/* node is owned; its children differ in height by two at most. */
static struct map_node *balance(struct map_node *node)
{
	uint32_t left = height(node->left), right = height(node->right);
	if (left > right + 1) {
		if (height(node->left->left) < height(node->left->right)) {
			struct map_node *child = node_own(node->left);
			node->left = child ? rotate_left(child) : 0;
			if (!node->left) {
				map_unref(node);
				return 0;
			}
		}
		return rotate_right(node);
	}
	if (right > left + 1) {
		if (height(node->right->right) < height(node->right->left)) {
			struct map_node *child = node_own(node->right);
			node->right = child ? rotate_right(child) : 0;
			if (!node->right) {
				map_unref(node);
				return 0;
			}
		}
		return rotate_left(node);
	}
	node_update(node);
	return node;
}

static struct map_node *node_insert(struct map_node *node, const struct region *region)
{
	if (!node) {
		node = heap_alloc_own(sizeof(*node));
		if (node) {
			node->references = 1;
			node->region = *region;
			region_ref(region);
			node_update(node);
		}
		return node;
	}
	node = node_own(node);
	if (!node)
		return 0;
	struct map_node **side = region->start < node->region.start ? &node->left : &node->right;
	*side = node_insert(*side, region);
	if (!*side) {
		map_unref(node);
		return 0;
	}
	return balance(node);
}

/* Takes the first region out of a subtree; its reference to the memory object goes to *region. *failed tells NULL from empty. */
static struct map_node *node_remove_first(struct map_node *node, struct region *region, bool *failed)
{
	node = node_own(node);
	if (!node) {
		*failed = true;
		return 0;
	}
	if (!node->left) {
		struct map_node *right = node->right;
		*region = node->region;
		heap_free(node, sizeof(*node));
		return right;
	}
	node->left = node_remove_first(node->left, region, failed);
	if (*failed) {
		map_unref(node);
		return 0;
	}
	node = balance(node);
	if (!node) {
		region_unref(region);
		*failed = true;
	}
	return node;
}

/* Removes the region that starts at start and exists. */
static struct map_node *node_remove(struct map_node *node, uint64_t start, bool *failed)
{
	node = node_own(node);
	if (!node) {
		*failed = true;
		return 0;
	}
	if (start < node->region.start) {
		node->left = node_remove(node->left, start, failed);
	} else if (start > node->region.start) {
		node->right = node_remove(node->right, start, failed);
	} else if (!node->left || !node->right) {
		struct map_node *child = node->left ? node->left : node->right;
		region_unref(&node->region);
		heap_free(node, sizeof(*node));
		return child;
	} else {
		struct region next;
		node->right = node_remove_first(node->right, &next, failed);
		if (!*failed) {
			region_unref(&node->region);
			node->region = next;
		}
	}
	if (*failed) {
		map_unref(node);
		return 0;
	}
	node = balance(node);
	*failed = !node;
	return node;
}

static int map_insert(struct map_node **root, const struct region *region)
{
	*root = node_insert(*root, region);
	return *root ? 0 : -ENOMEM;
}

static int map_remove(struct map_node **root, uint64_t start)
{
	bool failed = false;
	*root = node_remove(*root, start, &failed);
	return failed ? -ENOMEM : 0;
}

const struct region *map_find(const struct map_node *root, uint64_t address)
{
	while (root) {
		if (address < root->region.start)
			root = root->left;
		else if (address >= root->region.end)
			root = root->right;
		else
			return &root->region;
	}
	return 0;
}

const struct region *map_first(const struct map_node *root, uint64_t address)
{
	const struct region *found = 0;
	while (root) {
		if (root->region.end > address) {
			found = &root->region;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return found;
}

const struct region *map_before(const struct map_node *root, uint64_t address)
{
	const struct region *found = 0;
	while (root) {
		if (root->region.start < address) {
			found = &root->region;
			root = root->right;
		} else {
			root = root->left;
		}
	}
	return found;
}

/* The highest gap in (low, high), the free space around the subtree's regions included. */
static bool node_gap(const struct map_node *node, uint64_t length, uint64_t low, uint64_t high, uint64_t *address)
{
	if (low >= high || high - low < length)
		return false;
	if (!node || high <= node->start || low >= node->end) {
		*address = high - length;
		return true;
	}
	if (node->gap < length && (node->start < low || node->start - low < length) && (node->end > high || high - node->end < length))
		return false;
	return node_gap(node->right, length, max(low, node->region.end), high, address)
	       || node_gap(node->left, length, low, min(high, node->region.start), address);
}

bool map_gap(const struct map_node *root, uint64_t length, uint64_t low, uint64_t high, uint64_t *address)
{
	return node_gap(root, length, low, high, address);
}

static bool region_continues(const struct region *first, const struct region *second)
{
	return first->end == second->start && first->memobj == second->memobj && first->protection == second->protection
	       && first->max_protection == second->max_protection && first->flags == second->flags && first->tag == second->tag
	       && first->limit == second->limit
	       && (!first->memobj || first->offset + (first->end - first->start) == second->offset);
}

int map_add(struct map_node **root, const struct region *added)
{
	struct region region = *added;
	const struct region *before = map_before(*root, region.start), *after = map_first(*root, region.end);
	bool join_before = before && region_continues(before, &region);
	bool join_after = after && region_continues(&region, after);
	uint64_t before_start = join_before ? before->start : 0, after_start = join_after ? after->start : 0;
	if (join_before)
		region.offset = before->offset;
	if (join_before)
		region.start = before_start;
	if (join_after)
		region.end = after->end;
	int error = 0;
	if (join_before)
		error = map_remove(root, before_start);
	if (!error && join_after)
		error = map_remove(root, after_start);
	return error ? error : map_insert(root, &region);
}

int map_cut(struct map_node **root, uint64_t start, uint64_t end)
{
	for (;;) {
		const struct region *found = map_first(*root, start);
		if (!found || found->start >= end)
			return 0;
		struct region region = *found, piece;
		int error;
		region_ref(&region); /* the tree's own may go now */
		error = map_remove(root, region.start);
		if (!error && region.start < start) {
			piece = region;
			piece.end = start;
			error = map_insert(root, &piece);
		}
		if (!error && region.end > end) {
			piece = region;
			piece.start = end;
			if (piece.memobj)
				piece.offset += end - region.start;
			error = map_insert(root, &piece);
		}
		region_unref(&region);
		if (error)
			return error;
	}
}
