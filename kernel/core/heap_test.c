/*
 * Kernel memory on the real page allocator against a list of what is allocated: alignment, zeroes, contents that stay, what is charged to whom, and what is
 * left when all is freed; refused charges and failing allocations. With "threads", several at once.
 * host-test: kernel/core/heap.c kernel/core/page.c tests/host/shim.c -DHOST_OWN_MEMORY
 * host-threads: kernel/core/heap.c kernel/core/page.c tests/host/shim.c -DHOST_OWN_MEMORY
 */
#include <stdlib.h>
#include <string.h>
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/debug/failure.h"
#include "kernel/obj/budget.h"
#include "shim.h"

#define PAGES 2048u
#define BLOCKS 500u
#define PAYERS 3u
#define KEPT 28u /* empty pages that the classes keep */
uint64_t host_direct_base;

/* --- the rest of the kernel: budgets are numbers --- */
static struct budget payers[PAYERS];
static uint64_t charged_bytes[PAYERS], charged_pages[PAYERS], limit[PAYERS];
static _Thread_local struct budget *current, *own;
struct budget *budget_current(void) { return current; }
struct budget *budget_own(void) { return own; }
int budget_charge_bytes(struct budget *budget, size_t bytes)
{
	uint64_t *charged = &charged_bytes[budget - payers];
	if (__atomic_add_fetch(charged, bytes, __ATOMIC_RELAXED) <= limit[budget - payers])
		return 0;
	__atomic_sub_fetch(charged, bytes, __ATOMIC_RELAXED);
	return -ENOMEM;
}
void budget_uncharge_bytes(struct budget *budget, size_t bytes)
{
	CHECK(__atomic_fetch_sub(&charged_bytes[budget - payers], bytes, __ATOMIC_RELAXED) >= bytes);
}
struct page *budget_page_alloc(struct budget *payer, unsigned order, unsigned flags)
{
	struct page *page = page_alloc(order, flags);
	if (page && payer) {
		page->payer = payer;
		__atomic_add_fetch(&charged_pages[payer - payers], 1ul << order, __ATOMIC_RELAXED);
	}
	return page;
}
void budget_uncharge(struct budget *budget, uint64_t pages)
{
	CHECK(__atomic_fetch_sub(&charged_pages[budget - payers], pages, __ATOMIC_RELAXED) >= pages);
}
void share_leave(struct share *share) { (void)share; }
bool failure_due(void) { return shim_fail_now(); }

/* --- the model --- */
struct block { unsigned char *memory; size_t size; int payer; unsigned char pattern; };
static struct block block[BLOCKS];
static uint64_t bytes;

static void memory_make(void)
{
	char *memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	host_direct_base = (uint64_t)memory - PAGES * PAGE_SIZE;
	page_set_extent(PAGES * PAGE_SIZE, PAGES * PAGE_SIZE, 2 * PAGES * PAGE_SIZE);
	uint64_t size = align_up(page_extent_size(PAGES * PAGE_SIZE, 2 * PAGES * PAGE_SIZE), PAGE_SIZE);
	page_add_range(PAGES * PAGE_SIZE + size, 2 * PAGES * PAGE_SIZE);
}

static size_t size_any(void)
{
	static const size_t edge[] = { 1, 8, 9, 16, 24, 25, 56, 57, 248, 2039, 2040, 2041, 2048, 4095, 4096, 4097, 65536 };
	switch (shim_below(4)) {
	case 0: return edge[shim_below(array_count(edge))];
	case 1: return 1 + shim_below(20000);
	default: return 1 + shim_below(2100);
	}
}

/* What is left of the smallest class that a size and its payer's word fit in, or of whole pages, must not be charged twice or less than it is. */
static void check_sums(void)
{
	uint64_t least[PAYERS] = { 0 };
	for (unsigned b = 0; b < BLOCKS; b++)
		if (block[b].memory && block[b].payer >= 0 && block[b].size <= 2040)
			least[block[b].payer] += block[b].size + 8;
	for (unsigned p = 0; p < PAYERS; p++)
		CHECK(charged_bytes[p] >= least[p] && charged_bytes[p] <= 2 * least[p] + 64 * BLOCKS);
	CHECK(heap_bytes_used() == bytes);
}

static void fill(struct block *b, unsigned char pattern)
{
	b->pattern = pattern;
	memset(b->memory, pattern, b->size);
}

static bool filled(const struct block *b)
{
	for (size_t i = 0; i < b->size; i++)
		if (b->memory[i] != b->pattern)
			return false;
	return true;
}

static void allocate(struct block *b)
{
	size_t size = size_any();
	bool by_own = shim_below(4) == 0, injected = shim_below(15) == 0;
	int payer = (int)shim_below(PAYERS + 1) - 1;
	current = own = NULL;
	*(by_own ? &own : &current) = payer < 0 ? NULL : &payers[payer];
	if (injected)
		heap_fail_after(0);
	bool failing = !injected && shim_below(15) == 0;
	shim_fail_in = failing ? (int64_t)shim_below(2) : -1;
	uint64_t before = payer < 0 ? 0 : charged_bytes[payer] + charged_pages[payer];
	unsigned char *memory = by_own ? heap_alloc_own(size) : heap_alloc(size);
	shim_fail_in = -1;
	heap_fail_after(-1);
	if (!memory) {
		CHECK(injected || failing || (payer >= 0 && limit[payer] < 1000000) || size > PAGE_SIZE);
		CHECK(payer < 0 || charged_bytes[payer] + charged_pages[payer] == before);
		return;
	}
	CHECK(!injected);
	CHECK((uint64_t)memory % 16 == 0 && (size < 64 || (uint64_t)memory % 64 == 0) && (size <= 2040 || (uint64_t)memory % PAGE_SIZE == 0));
	for (size_t i = 0; i < size; i++)
		CHECK(!memory[i]);
	*b = (struct block){ memory, size, payer, 0 };
	bytes += size;
	fill(b, (unsigned char)(1 + shim_below(255)));
}

static void release(struct block *b)
{
	CHECK(filled(b));
	current = own = NULL; /* who frees does not matter */
	heap_free(b->memory, b->size);
	bytes -= b->size;
	b->memory = NULL;
}

/* A page that was full is used again as soon as one of its objects is free. */
static void reuse(void)
{
	static void *object[200];
	for (size_t size = 8; size <= 1000; size += 31) {
		for (unsigned i = 0; i < array_count(object); i++)
			CHECK((object[i] = heap_alloc(size)));
		uint64_t pages = heap_pages_used();
		for (unsigned i = 0; i < array_count(object); i += 3)
			heap_free(object[i], size);
		for (unsigned i = 0; i < array_count(object); i += 3)
			CHECK((object[i] = heap_alloc(size)));
		CHECK(heap_pages_used() <= pages);
		for (unsigned i = 0; i < array_count(object); i++)
			heap_free(object[i], size);
	}
}

static void run_random(void)
{
	memory_make();
	reuse();
	uint64_t free_at_first = page_free_count() + heap_pages_used();
	for (unsigned round = 0, rounds = shim_rounds(20); round < rounds; round++) {
		shim_seed(round);
		for (unsigned p = 0; p < PAYERS; p++)
			limit[p] = shim_below(3) ? 1000000000 : 20000;
		unsigned most = 1 + (unsigned)shim_below(BLOCKS);
		for (unsigned n = 0; n < 4000; n++) {
			struct block *b = &block[shim_below(most)];
			if (b->memory)
				release(b);
			else
				allocate(b);
			if (n % 50 == 0)
				check_sums();
		}
		heap_free(NULL, 100);
		CHECK(!heap_alloc(0) && !heap_alloc((PAGE_SIZE << 10) + 1));
		for (unsigned b = 0; b < BLOCKS; b++)
			if (block[b].memory)
				release(&block[b]);
		for (unsigned p = 0; p < PAYERS; p++)
			CHECK(!charged_bytes[p] && !charged_pages[p]);
		CHECK(heap_bytes_used() == 0 && heap_pages_used() <= KEPT && page_free_count() == free_at_first - heap_pages_used());
	}
}

/* --- threads --- */
static void work(unsigned number)
{
	struct block held[60] = { 0 };
	for (unsigned n = 0; n < 4000; n++) {
		struct block *b = &held[shim_below(array_count(held))];
		if (b->memory) {
			CHECK(filled(b));
			heap_free(b->memory, b->size);
			b->memory = NULL;
		} else {
			current = own = shim_below(3) ? &payers[shim_below(PAYERS)] : NULL;
			*b = (struct block){ .size = size_any() };
			b->memory = heap_alloc(b->size);
			if (b->memory)
				fill(b, (unsigned char)(number + n));
		}
	}
	for (unsigned i = 0; i < array_count(held); i++)
		heap_free(held[i].memory, held[i].size);
}

static void run_threads(void)
{
	memory_make();
	heap_free(heap_alloc(1), 1); /* the first allocation is the start's, alone */
	for (unsigned round = 0, rounds = shim_rounds(3); round < rounds; round++) {
		shim_seed(round);
		for (unsigned p = 0; p < PAYERS; p++)
			limit[p] = 200000;
		task_parallel(4, work);
		for (unsigned p = 0; p < PAYERS; p++)
			CHECK(!charged_bytes[p] && !charged_pages[p]);
		CHECK(heap_bytes_used() == 0 && heap_pages_used() <= KEPT);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
