/*
 * Physical pages: a buddy allocator and one struct page for every page of memory.
 * All memory is always mapped (the direct map), so a page's content is reached by page_address.
 */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H
#include "kernel/core/list.h"

struct budget;
enum page_state { PAGE_FREE, PAGE_KERNEL, PAGE_CLEAN, PAGE_DIRTY, PAGE_WRITING, PAGE_BOOT,
	PAGE_TAIL /* inside a larger block */, PAGE_CACHED /* free, in the cache of single pages */, PAGE_ABSENT /* not memory */ };
struct page {
	uint32_t references;   /* memobj nodes, pins and in-flight ranges that hold it; freed at 0 (page_unref) */
	uint8_t state;         /* enum page_state; CLEAN/DIRTY/WRITING under the memobj's lock */
	uint8_t order;         /* of the allocation (first page) */
	uint16_t flags;
	union {
		struct budget *payer;  /* who is charged for it, or NULL (kernel, boot) */
		void *free_objects;    /* heap.c: free objects of a heap page */
	};
	union {
		struct list link; /* free list, or the owner's use */
		uint32_t holders; /* pages of memory objects and spaces: tree slots that hold it (references counts pins too); see kernel/vm/radix.h */
		uint64_t groups;  /* page tables: bit i: one of entries 8i to 8i+7 has been set since the table was empty */
	};
};
#define PAGE_ZERO 0x1u /* page_alloc: fill with zero */
/* 2^order contiguous pages with references 1 and state PAGE_KERNEL, or NULL. Never blocks. Budget charging is the caller's. */
struct page *page_alloc(unsigned order, unsigned flags) must_check;
/* Makes a block of 2^order pages into single pages, each with references 1, the payer and state of the block. */
void page_split(struct page *page);
void page_ref(struct page *page);
/* Drops a reference; at 0 the payer is uncharged and the page freed. */
void page_unref(struct page *page);
void *page_address(const struct page *page);
physical_t page_physical(const struct page *page);
struct page *page_of_physical(physical_t address); /* NULL when not memory */
struct page *page_of_address(const void *address); /* of the direct map */
uint64_t page_total(void), page_free_count(void);
/* Hands [start, end) to the allocator; called by start-up code. */
void page_add_range(physical_t start, physical_t end);
/* Start-up: where the array of struct page lives (page_extent_size(low, high) bytes) and which addresses it covers. Before page_add_range. */
uint64_t page_extent_size(physical_t low, physical_t high);
void page_set_extent(physical_t place, physical_t low, physical_t high);
/* Start-up: [start, end) holds content (the archive): references 1, state PAGE_BOOT, payer NULL. */
void page_add_boot_range(physical_t start, physical_t end);
#endif
