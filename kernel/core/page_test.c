/*
 * The page allocator on memory with holes and ragged ends, against an owner for every page: blocks of all sizes, splitting, references, contents that stay,
 * and a refusal only when really no such block is free. With "threads", several at once.
 * host-test: kernel/core/page.c tests/host/shim.c -DHOST_OWN_MEMORY
 * host-threads: kernel/core/page.c tests/host/shim.c -DHOST_OWN_MEMORY
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/share.h"
#include "kernel/debug/failure.h"
#include "shim.h"

#define CHUNK 1024u /* pages: the largest block */
#define FIRST (3 * CHUNK)
#define PAGES (4 * CHUNK)
#define BLOCKS 600u
#define LARGEST 10u
uint64_t host_direct_base;

enum { FREE = -1, ABSENT = -2 };
static int owner[PAGES]; /* FREE, ABSENT, or which block's it is */
static struct { struct page *page; unsigned order, references; uint64_t stamp; } block[BLOCKS];
static uint64_t free_pages, stamp;

/* --- the rest of the kernel --- */
static struct budget *payer_expected;
static uint64_t uncharged;
void budget_uncharge(struct budget *budget, uint64_t pages)
{
	CHECK(budget == payer_expected);
	uncharged += pages;
}
void share_leave(struct share *share) { (void)share; }
bool failure_due(void)
{
	return shim_fail_now();
}

static physical_t physical(unsigned page) { return (FIRST + page) * PAGE_SIZE; }
static unsigned index_of(const struct page *page) { return (unsigned)(page_physical(page) / PAGE_SIZE - FIRST); }

static void add(unsigned start, unsigned end)
{
	for (unsigned i = start; i < end; i++)
		owner[i] = FREE;
	free_pages += end - start;
	/* ragged ends are not memory */
	page_add_range(physical(start) - shim_below(PAGE_SIZE), physical(end) + shim_below(PAGE_SIZE));
}

static void memory_make(void)
{
	char *memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	host_direct_base = (uint64_t)memory - FIRST * PAGE_SIZE;
	for (unsigned i = 0; i < PAGES; i++)
		owner[i] = ABSENT;
	free_pages = 0;
	unsigned place = 5 + (unsigned)shim_below(40), low = 1 + (unsigned)shim_below(3);
	uint64_t size = page_extent_size(physical(low), physical(PAGES) - 1);
	page_set_extent(physical(place), physical(low), physical(PAGES) - 1);
	unsigned array = (unsigned)(align_up(size, PAGE_SIZE) / PAGE_SIZE);
	CHECK(place + array < CHUNK / 2);
	for (unsigned at = place + array; at < PAGES; ) {
		unsigned length = 1 + (unsigned)shim_below(shim_below(2) ? 60 : 2 * CHUNK);
		length = min(length, PAGES - at);
		add(at, at + length);
		at += length + 2 + (unsigned)shim_below(shim_below(3) ? 4 : 300);
	}
	CHECK(page_total() >= free_pages && page_free_count() == free_pages);
}

static bool block_is_free(unsigned order)
{
	for (unsigned i = 0; i + (1u << order) <= PAGES; i += 1u << order) {
		unsigned n = 0;
		while (n < 1u << order && owner[i + n] == FREE)
			n++;
		if (n == 1u << order)
			return true;
	}
	return false;
}

static void mark(unsigned b, uint64_t value)
{
	uint64_t *words = page_address(block[b].page);
	words[0] = words[((PAGE_SIZE << block[b].order) / 8) - 1] = value;
}

static void check_mark(unsigned b)
{
	const uint64_t *words = page_address(block[b].page);
	CHECK(words[0] == block[b].stamp && words[((PAGE_SIZE << block[b].order) / 8) - 1] == block[b].stamp);
}

static void allocate(unsigned b)
{
	unsigned order = shim_below(3) ? (unsigned)shim_below(3) : (unsigned)shim_below(LARGEST + 2), flags = shim_below(2) ? PAGE_ZERO : 0;
	bool fails = shim_below(20) == 0;
	shim_fail_in = fails ? 0 : -1;
	struct page *page = page_alloc(order, flags);
	shim_fail_in = -1;
	if (!page) {
		CHECK(fails || order > LARGEST || !block_is_free(order));
		return;
	}
	unsigned at = index_of(page), count = 1u << order;
	CHECK(!fails && order <= LARGEST && at % count == 0 && at + count <= PAGES);
	CHECK(page->references == 1 && page->state == PAGE_KERNEL && page->order == order && !page->payer && !page->flags);
	CHECK(page_of_physical(physical(at)) == page && page_of_address(page_address(page)) == page);
	for (unsigned n = 0; n < count; n++) {
		CHECK(owner[at + n] == FREE);
		owner[at + n] = (int)b;
	}
	if (flags & PAGE_ZERO)
		for (uint64_t i = 0, words = (PAGE_SIZE << order) / 8; i < words; i += i + 64 < words ? 1 + shim_below(64) : 1)
			CHECK(!((uint64_t *)page_address(page))[i]);
	block[b].page = page;
	block[b].order = order;
	block[b].references = 1;
	block[b].stamp = ++stamp;
	mark(b, stamp);
	free_pages -= count;
	if (shim_below(2))
		page->payer = payer_expected;
}

static void give_back(unsigned b)
{
	struct page *page = block[b].page;
	unsigned count = 1u << block[b].order, at = index_of(page);
	uint64_t before = uncharged;
	bool paid = page->payer;
	check_mark(b);
	if (shim_below(4) == 0 && count > 1 && count <= 64) { /* in pieces, in any order, and a few stay for a while */
		page_split(page);
		for (unsigned n = 0, i = (unsigned)shim_below(count); n < count; n++, i = (i + (count > 2 ? count / 2 + 1 : 1)) % count) {
			CHECK(page[i].references == 1 && page[i].order == 0 && page[i].state == PAGE_KERNEL);
			page_unref(&page[i]);
		}
	} else {
		page_unref(page);
	}
	CHECK(uncharged - before == (paid ? count : 0));
	for (unsigned n = 0; n < count; n++)
		owner[at + n] = FREE;
	free_pages += count;
	block[b].page = NULL;
}

static void step(void)
{
	unsigned b = (unsigned)shim_below(BLOCKS);
	if (!block[b].page) {
		allocate(b);
	} else if (shim_below(4) == 0) {
		page_ref(block[b].page);
		block[b].references++;
	} else if (block[b].references > 1) {
		page_unref(block[b].page);
		block[b].references--;
		check_mark(b);
	} else {
		give_back(b);
	}
	CHECK(page_free_count() == free_pages);
}

static void absent_check(void)
{
	for (unsigned n = 0; n < 50; n++) {
		unsigned i = (unsigned)shim_below(PAGES);
		struct page *page = page_of_physical(physical(i));
		CHECK(!page || (owner[i] != ABSENT && page_physical(page) == physical(i)));
		CHECK(page || owner[i] < 0);
	}
	CHECK(!page_of_physical(0) && !page_of_physical(physical(PAGES) + CHUNK * PAGE_SIZE));
}

/* What all of it gives when it is free again: as many largest blocks as there are. */
static void whole_check(void)
{
	unsigned blocks = 0, got = 0;
	for (unsigned i = 0; i < PAGES; i += CHUNK) {
		unsigned n = 0;
		while (n < CHUNK && owner[i + n] == FREE)
			n++;
		blocks += n == CHUNK;
	}
	struct page *page[PAGES / CHUNK + 1];
	while ((page[got] = page_alloc(LARGEST, 0)))
		got++;
	CHECK(got == blocks);
	while (got)
		page_unref(page[--got]);
}

static void round_random(void)
{
	memory_make();
	unsigned busy = 1 + (unsigned)shim_below(4);
	for (unsigned n = 0; n < 6000; n++) {
		step();
		if (n % 100 == 0)
			absent_check();
		if (n % 1500 == 0) /* little is left, then much */
			for (unsigned b = 0; b < BLOCKS; b++)
				if (block[b].page && block[b].references == 1 && shim_below(busy) == 0)
					give_back(b);
	}
	for (unsigned b = 0; b < BLOCKS; b++)
		for (; block[b].page; )
			if (block[b].references-- > 1)
				page_unref(block[b].page);
			else
				give_back(b);
	CHECK(page_free_count() == free_pages);
	whole_check();
}

/* The allocator can be started once: each round is a process of its own. */
static void in_child(void (*function)(void))
{
	int status;
	pid_t child = fork();
	CHECK(child >= 0);
	if (!child) {
		function();
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void run_random(void)
{
	payer_expected = (struct budget *)block; /* never looked into */
	for (unsigned round = 0, rounds = shim_rounds(12); round < rounds; round++) {
		shim_seed(round);
		in_child(round_random);
	}
}

/* --- threads --- */
#define THREADS 4
#define HELD 40
static void work(unsigned number)
{
	struct { struct page *page; unsigned order; } held[HELD] = { 0 };
	for (unsigned n = 0; n < 4000; n++) {
		unsigned i = (unsigned)shim_below(HELD);
		if (!held[i].page) {
			held[i].order = shim_below(3) ? 0 : (unsigned)shim_below(6);
			held[i].page = page_alloc(held[i].order, PAGE_ZERO);
			if (held[i].page)
				for (unsigned k = 0; k < 1u << held[i].order; k++)
					*(uint64_t *)((char *)page_address(held[i].page) + k * PAGE_SIZE) = number * 1000 + i;
		} else {
			for (unsigned k = 0; k < 1u << held[i].order; k++)
				CHECK(*(uint64_t *)((char *)page_address(held[i].page) + k * PAGE_SIZE) == number * 1000 + i);
			if (shim_below(2)) {
				page_ref(held[i].page);
				page_unref(held[i].page);
			}
			page_unref(held[i].page);
			held[i].page = NULL;
		}
	}
	for (unsigned i = 0; i < HELD; i++)
		if (held[i].page)
			page_unref(held[i].page);
}

static void round_threads(void)
{
	memory_make();
	task_parallel(THREADS, work);
	CHECK(page_free_count() == free_pages);
	whole_check();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(4); round < rounds; round++) {
		shim_seed(round);
		in_child(round_threads);
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
