/*
 * Random additions and cuts of the region tree against an array of pages; balance and gaps; allocation failures; clones stay as they were.
 * host-test: kernel/vm/map.c kernel/obj/budget.c kernel/core/share.c kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/vm/family.c kernel/vm/radix.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include <string.h>
#include "kernel/core/log.h"
#include "kernel/vm/map.h"
#include "shim.h"

#define PAGES 400u
struct cell { bool used; uint32_t protection, tag; struct memobj *memobj; uint64_t offset; };
static struct cell model[PAGES];
static struct memobj *object[2];

/* Checks order, heights and sums of the subtree; returns its height. */
static uint32_t check_node(const struct map_node *node, uint64_t *low)
{
	if (!node)
		return 0;
	uint64_t start = node->left ? node->left->start : node->region.start;
	uint32_t left = check_node(node->left, low);
	CHECK(node->region.start >= *low && node->region.end > node->region.start);
	*low = node->region.end;
	uint32_t right = check_node(node->right, low);
	CHECK(left <= right + 1 && right <= left + 1 && node->height == max(left, right) + 1);
	CHECK(node->start == start && node->end == *low);
	return node->height;
}

static void check(const struct map_node *root)
{
	uint64_t low = 0, total = 0;
	check_node(root, &low);
	for (unsigned i = 0; i < PAGES; i++) {
		uint64_t address = i * PAGE_SIZE;
		const struct region *region = map_find(root, address + shim_below(PAGE_SIZE));
		CHECK(!region == !model[i].used);
		if (!region)
			continue;
		total += PAGE_SIZE;
		CHECK(region->protection == model[i].protection && region->tag == model[i].tag && region->memobj == model[i].memobj);
		if (region->memobj)
			CHECK(region->offset + address - region->start == model[i].offset);
	}
	CHECK(!root == !total);
	CHECK(!root || root->total == total);
	/* gaps */
	uint64_t length = (1 + shim_below(30)) * PAGE_SIZE, from = shim_below(PAGES), to = from + shim_below(PAGES - from + 1), found = 0, at;
	for (uint64_t i = from; i * PAGE_SIZE + length <= to * PAGE_SIZE; i++) {
		bool free = true;
		for (uint64_t k = i; k < i + (length >> PAGE_SHIFT); k++)
			free &= !model[k].used;
		if (free)
			found = i * PAGE_SIZE + 1;
	}
	bool have = map_gap(root, length, from * PAGE_SIZE, to * PAGE_SIZE, &at);
	CHECK(have == (found != 0) && (!have || at == found - 1));
	uint64_t probe = shim_below(PAGES);
	const struct region *first = map_first(root, probe * PAGE_SIZE), *before = map_before(root, probe * PAGE_SIZE);
	uint64_t i = probe;
	while (i < PAGES && !model[i].used)
		i++;
	CHECK(!first == (i == PAGES) && (!first || (first->start <= i * PAGE_SIZE && first->end > i * PAGE_SIZE)));
	for (i = probe; i && !model[i - 1].used; i--)
		;
	CHECK(!before == !i && (!before || (before->start < i * PAGE_SIZE && before->end >= i * PAGE_SIZE)));
}

int main(void)
{
	struct map_node *root = 0, *clone = 0;
	object[0] = memobj_create(1 << 20, 0, 0);
	object[1] = memobj_create(1 << 20, 0, 0);
	uint64_t heap = shim_heap_used();
	for (unsigned step = 0, steps = shim_rounds(5) * 4000; step < steps; step++) {
		if (step % 4000 == 0)
			shim_seed(step / 4000);
		uint64_t i = shim_below(PAGES), n = 1 + shim_below(shim_below(8) ? 8 : PAGES - i);
		n = min(n, PAGES - i);
		uint64_t start = i * PAGE_SIZE, end = start + n * PAGE_SIZE;
		struct map_node *changed = map_ref(root);
		shim_fail_in = shim_below(4) ? -1 : (int64_t)shim_below(20);
		int error = map_cut(&changed, start, end);
		struct region region = { .start = start, .end = end, .protection = shim_below(2), .tag = shim_below(2) };
		bool add = shim_below(5) < 3;
		if (shim_below(2)) {
			region.memobj = object[shim_below(2)];
			region.offset = start; /* so that neighbours often continue */
		}
		if (!error && add)
			error = map_add(&changed, &region);
		shim_fail_in = -1;
		if (error) {
			CHECK(error == -ENOMEM && !changed);
		} else {
			map_unref(root);
			root = changed;
			for (uint64_t k = i; k < i + n; k++)
				model[k] = (struct cell){ add, region.protection, region.tag, region.memobj, k * PAGE_SIZE };
		}
		if (shim_below(10) == 0) {
			map_unref(clone);
			clone = shim_below(3) ? map_ref(root) : 0;
		}
		if (step % 8 == 0)
			check(root);
	}
	map_unref(root);
	map_unref(clone);
	CHECK(shim_heap_used() == heap);
	object_unref(memobj_object(object[0]));
	object_unref(memobj_object(object[1]));
	CHECK(shim_heap_used() == 0);
	return 0;
}
