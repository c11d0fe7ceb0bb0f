/*
 * Physical pages: a buddy allocator. Blocks of 2^order pages, order <= ORDER_MAX, aligned to their size; a freed block is merged with its
 * buddy while that is free and of the same order. In front of it a stack of single free pages, since most requests are for one.
 *
 * One flat array of struct page covers all memory from its lowest address to its highest, holes included. It is not initialised at
 * start: a chunk (2^ORDER_MAX pages) is, when it is first split or only partly memory. Until then it is one free block whose first struct
 * page is valid; so starting costs little whatever the memory's size.
 *
 * state: PAGE_FREE only in the first page of a free block on a list; PAGE_CACHED on the stack; PAGE_TAIL inside a block, free or
 * allocated; PAGE_ABSENT not memory. Lock: pages_lock (RANK_PAGES) for all of it; references are atomic.
 */
#include "kernel/core/page.h"
#include "arch/direct_map.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/debug/failure.h"
#include "kernel/obj/budget.h"

#define ORDER_MAX 10u
#define CHUNK_PAGES (1ul << ORDER_MAX)
#define CHUNK_SIZE (CHUNK_PAGES * PAGE_SIZE)
#define CACHE_MAX 256u
#define CACHE_KEEP 128u

_Static_assert(sizeof(struct page) == 32, "one struct for each page of memory: keep it small");

static struct spinlock pages_lock = SPINLOCK_INIT("pages", RANK_PAGES);
static struct page *pages;      /* of the page at extent_low */
static physical_t extent_low, extent_high; /* multiples of CHUNK_SIZE */
static uint8_t *chunk_ready;    /* for each chunk: its struct pages are initialised */
static struct list free_list[ORDER_MAX + 1];
static uint32_t free_orders;    /* bit n: free_list[n] is not empty */
static struct list cache;
static unsigned cached;
static uint64_t total, available;

/* --- address and page --- */

void *page_address(const struct page *page)
{
	return (void *)(DIRECT_BASE + page_physical(page));
}

physical_t page_physical(const struct page *page)
{
	return extent_low + ((uint64_t)(page - pages) << PAGE_SHIFT);
}

static inline struct page *page_at(physical_t address)
{
	return &pages[(address - extent_low) >> PAGE_SHIFT];
}

struct page *page_of_physical(physical_t address)
{
	if (address < extent_low || address >= extent_high || !chunk_ready[(address - extent_low) / CHUNK_SIZE])
		return NULL;
	struct page *page = page_at(address);
	return page->state == PAGE_ABSENT ? NULL : page;
}

struct page *page_of_address(const void *address)
{
	return page_at((uint64_t)address - DIRECT_BASE);
}

/* --- blocks; pages_lock held --- */

static inline struct page *chunk_of(struct page *page)
{
	return pages + ((uint64_t)(page - pages) & ~(CHUNK_PAGES - 1));
}

static void chunk_init(struct page *chunk, enum page_state state)
{
	uint8_t *ready = &chunk_ready[(uint64_t)(chunk - pages) >> ORDER_MAX];
	if (*ready)
		return;
	*ready = 1;
	memset(chunk, 0, CHUNK_PAGES * sizeof(*chunk));
	for (struct page *page = chunk; page < chunk + CHUNK_PAGES; page++)
		page->state = (uint8_t)state;
}

static void list_put(struct page *page, unsigned order)
{
	page->state = PAGE_FREE;
	page->order = (uint8_t)order;
	list_add_first(&free_list[order], &page->link);
	free_orders |= 1u << order;
}

static void list_take(struct page *page)
{
	list_remove(&page->link);
	if (list_empty(&free_list[page->order]))
		free_orders &= ~(1u << page->order);
}

static void block_free(struct page *page, unsigned order)
{
	while (order < ORDER_MAX) {
		struct page *buddy = pages + ((uint64_t)(page - pages) ^ 1ul << order);
		if (buddy->state != PAGE_FREE || buddy->order != order)
			break;
		list_take(buddy);
		page->state = buddy->state = PAGE_TAIL;
		page = min(page, buddy);
		order++;
	}
	list_put(page, order);
}

static struct page *block_take(unsigned order)
{
	uint32_t fitting = free_orders & ~((1u << order) - 1);
	if (!fitting)
		return NULL;
	unsigned found = (unsigned)__builtin_ctz(fitting);
	struct page *page = list_first(&free_list[found], struct page, link);
	list_take(page);
	/* a chunk allocated whole needs its array too: page_split and page_of_physical may come */
	chunk_init(chunk_of(page), PAGE_TAIL);
	while (found > order) {
		found--;
		list_put(page + (1ul << found), found);
	}
	return page;
}

static void cache_trim(void)
{
	while (cached > CACHE_KEEP) {
		struct page *page = list_entry(cache.previous, struct page, link); /* the coldest */
		list_remove(&page->link);
		cached--;
		block_free(page, 0);
	}
}

static struct page *take_locked(unsigned order)
{
	if (order == 0 && cached) {
		struct page *page = list_first(&cache, struct page, link);
		list_remove(&page->link);
		cached--;
		return page;
	}
	struct page *page = block_take(order);
	if (!page && cached) { /* what is wanted may be in pieces on the stack */
		while (cached) {
			page = list_first(&cache, struct page, link);
			list_remove(&page->link);
			cached--;
			block_free(page, 0);
		}
		page = block_take(order);
	}
	return page;
}

/* --- interface --- */

struct page *page_alloc(unsigned order, unsigned flags)
{
	if (order > ORDER_MAX || failure_due())
		return NULL;
	spin_lock(&pages_lock);
	struct page *page = take_locked(order);
	if (page) {
		available -= 1ul << order;
		page->references = 1;
		page->state = PAGE_KERNEL;
		page->order = (uint8_t)order;
		page->flags = 0;
		page->payer = NULL;
		list_init(&page->link);
	}
	spin_unlock(&pages_lock);
	if (page && flags & PAGE_ZERO)
		memset(page_address(page), 0, PAGE_SIZE << order);
	return page;
}

void page_split(struct page *page)
{
	unsigned order = page->order;
	page->order = 0;
	for (struct page *p = page + 1; p < page + (1ul << order); p++) {
		*p = (struct page){ .references = 1, .state = page->state, .payer = page->payer };
		list_init(&p->link);
	}
}

void page_ref(struct page *page)
{
	__atomic_fetch_add(&page->references, 1, __ATOMIC_RELAXED);
}

void page_unref(struct page *page)
{
	assert(page->references);
	if (__atomic_sub_fetch(&page->references, 1, __ATOMIC_ACQ_REL))
		return;
	unsigned order = page->order;
	if (page->payer)
		budget_uncharge(page->payer, 1ul << order);
	page->payer = NULL;
	spin_lock(&pages_lock);
	available += 1ul << order;
	if (order == 0) {
		page->state = PAGE_CACHED;
		list_add_first(&cache, &page->link);
		if (++cached > CACHE_MAX)
			cache_trim();
	} else {
		block_free(page, order);
	}
	spin_unlock(&pages_lock);
}

uint64_t page_total(void)
{
	return total;
}

uint64_t page_free_count(void)
{
	return available;
}

/* --- start --- */

static uint64_t array_size(physical_t low, physical_t high)
{
	return (align_up(high, CHUNK_SIZE) - align_down(low, CHUNK_SIZE)) / PAGE_SIZE * sizeof(struct page);
}

uint64_t page_extent_size(physical_t low, physical_t high)
{
	return array_size(low, high) + (align_up(high, CHUNK_SIZE) - align_down(low, CHUNK_SIZE)) / CHUNK_SIZE;
}

void page_set_extent(physical_t place, physical_t low, physical_t high)
{
	extent_low = align_down(low, CHUNK_SIZE);
	extent_high = align_up(high, CHUNK_SIZE);
	pages = (struct page *)(DIRECT_BASE + place);
	chunk_ready = (uint8_t *)pages + array_size(low, high);
	memset(chunk_ready, 0, (extent_high - extent_low) / CHUNK_SIZE);
	list_init(&cache);
	for (unsigned i = 0; i <= ORDER_MAX; i++)
		list_init(&free_list[i]);
}

void page_add_range(physical_t start, physical_t end)
{
	start = align_up(max(start, extent_low), PAGE_SIZE);
	end = align_down(min(end, extent_high), PAGE_SIZE);
	spin_lock(&pages_lock);
	while (start < end) {
		struct page *page = page_at(start);
		unsigned order = min((unsigned)__builtin_ctzl((uint64_t)(page - pages) | CHUNK_PAGES), ORDER_MAX);
		while (start + (PAGE_SIZE << order) > end)
			order--;
		if (order < ORDER_MAX)
			chunk_init(chunk_of(page), PAGE_ABSENT);
		for (struct page *p = page; order < ORDER_MAX && p < page + (1ul << order); p++)
			p->state = PAGE_TAIL;
		block_free(page, order);
		total += 1ul << order;
		available += 1ul << order;
		start += PAGE_SIZE << order;
	}
	spin_unlock(&pages_lock);
}

void page_add_boot_range(physical_t start, physical_t end)
{
	for (; start < end; start += PAGE_SIZE) {
		struct page *page = page_at(start);
		chunk_init(chunk_of(page), PAGE_ABSENT);
		*page = (struct page){ .references = 1, .state = PAGE_BOOT };
		list_init(&page->link);
		total++;
	}
}
