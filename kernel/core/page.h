/*
 * Physical pages: a buddy allocator and one struct page for every page of memory.
 * All memory is always mapped (the direct map), so a page's content is reached by page_address.
 */
#ifndef KERNEL_PAGE_H
#define KERNEL_PAGE_H
#include "kernel/core/list.h"

struct budget;
enum page_state { PAGE_FREE, PAGE_KERNEL, PAGE_CLEAN, PAGE_DIRTY, PAGE_WRITING, PAGE_BOOT };
struct page {
	uint32_t references;   /* memobj nodes, pins and in-flight ranges that hold it; freed at 0 (page_unref) */
	uint8_t state;         /* enum page_state; CLEAN/DIRTY/WRITING under the memobj's lock */
	uint8_t order;         /* of the allocation (first page) */
	uint16_t flags;
	struct budget *payer;  /* who is charged for it, or NULL (kernel, boot) */
	struct list link;      /* free list, or the owner's use */
};
#define PAGE_ZERO 0x1u /* page_alloc: fill with zero */
/* 2^order contiguous pages with references 1 and state PAGE_KERNEL, or NULL. Never blocks. Budget charging is the caller's. */
struct page *page_alloc(unsigned order, unsigned flags) must_check;
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
#endif
