/*
 * Random operations on page trees and their clones against plain arrays, with allocation failures.
 * host-test: kernel/vm/radix.c kernel/obj/budget.c kernel/core/share.c kernel/vm/memobj.c kernel/vm/memobj_io.c kernel/vm/family.c kernel/vm/map.c kernel/vm/space.c kernel/vm/fault.c kernel/vm/space_access.c tests/host/shim.c tests/host/objects.c tests/host/translations.c
 */
#include <stdio.h>
#include <string.h>
#include "kernel/core/log.h"
#include "kernel/vm/radix.h"
#include "shim.h"

#define TREES 5
#define SPAN 700u     /* pages around each base */
static const uint64_t bases[] = { 0, 4000, (1ul << 34) - 100, (1ul << 47) };
#define BASES array_count(bases)
static struct radix tree[TREES];
static uint64_t model[TREES][BASES][SPAN]; /* 0: absent, else the page's first word */
static uint64_t stamp;

static void check(unsigned t)
{
	uint64_t pages = 0;
	for (unsigned b = 0; b < BASES; b++)
		for (unsigned i = 0; i < SPAN; i++) {
			struct page *page = radix_get(&tree[t], bases[b] + i);
			CHECK(!page == !model[t][b][i]);
			if (page) {
				CHECK(*(uint64_t *)page_address(page) == model[t][b][i]);
				pages++;
			}
		}
	CHECK(radix_pages(&tree[t]) == pages);
	unsigned b = shim_below(BASES), from = shim_below(SPAN), to = from + shim_below(SPAN - from + 1);
	uint64_t n = 0, next = bases[b] + from;
	for (unsigned i = from; i < to; i++)
		n += model[t][b][i] != 0;
	CHECK(radix_count(&tree[t], bases[b] + from, bases[b] + to) == n);
	unsigned i = from;
	while (i < SPAN && !model[t][b][i])
		i++;
	struct page *page = radix_next(&tree[t], &next);
	if (i < SPAN)
		CHECK(page && next == bases[b] + i);
	else
		CHECK(!page || next >= bases[b] + SPAN);
}

static void step(void)
{
	unsigned t = shim_below(TREES), b = shim_below(BASES), i = shim_below(SPAN);
	uint64_t index = bases[b] + i;
	switch (shim_below(12)) {
	default: {
		/* write as a fault does: in place only when exclusive */
		bool exclusive;
		struct page *old = radix_get_exclusive(&tree[t], index, &exclusive);
		if (old && exclusive) {
			*(uint64_t *)page_address(old) = model[t][b][i] = ++stamp;
			break;
		}
		struct page *page = page_alloc(0, 0);
		if (!page)
			break;
		page->holders = 0;
		*(uint64_t *)page_address(page) = ++stamp;
		if (radix_insert(&tree[t], index, page, &old)) {
			page_unref(page);
		} else {
			model[t][b][i] = stamp;
			if (old)
				page_unref(old);
		}
		break;
	}
	case 0: case 1: {
		uint64_t n = 1 + shim_below(shim_below(3) ? 40 : SPAN - i);
		n = min(n, SPAN - i);
		if (!radix_prepare(&tree[t], index, index + n)) {
			shim_fail_in = -1;
			CHECK(!radix_remove(&tree[t], index, index + n));
			memset(&model[t][b][i], 0, n * 8);
		}
		break;
	}
	case 2: {
		unsigned s = shim_below(TREES);
		if (s == t)
			break;
		radix_clear(&tree[t]);
		tree[t] = radix_clone(&tree[s]);
		memcpy(model[t], model[s], sizeof(model[t]));
		break;
	}
	case 3: case 4: {
		unsigned s = shim_below(TREES), sb = shim_below(BASES), si = shim_below(SPAN);
		if (shim_below(2))
			si = ((bases[b] + i - bases[sb]) & 63) % SPAN; /* alike modulo a node */
		uint64_t n = 1 + shim_below(min(SPAN - i, SPAN - si));
		if (s == t && sb == b && i < si + n && si < i + n)
			break;
		struct radix changed = radix_clone(&tree[t]);
		if (radix_share(&changed, index, &tree[s], bases[sb] + si, n)) {
			radix_clear(&changed);
			break;
		}
		radix_clear(&tree[t]);
		tree[t] = changed;
		memmove(&model[t][b][i], &model[s][sb][si], n * 8);
		break;
	}
	case 5:
		if (shim_below(20))
			break;
		radix_clear(&tree[t]);
		memset(model[t], 0, sizeof(model[t]));
	}
}

int main(void)
{
	for (unsigned round = 0, rounds = shim_rounds(30); round < rounds; round++) {
		shim_seed(round);
		for (unsigned n = 0; n < 1500; n++) {
			shim_fail_in = shim_below(4) ? -1 : (int64_t)shim_below(12);
			step();
			shim_fail_in = -1;
			if (n % 20 == 0)
				for (unsigned t = 0; t < TREES; t++)
					check(t);
		}
		for (unsigned t = 0; t < TREES; t++) {
			check(t);
			radix_clear(&tree[t]);
		}
		memset(model, 0, sizeof(model));
		CHECK(shim_pages_used() == 0 && shim_heap_used() == 0);
	}
	return 0;
}
