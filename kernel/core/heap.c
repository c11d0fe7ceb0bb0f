/*
 * Kernel objects' memory. Sizes up to 2048 bytes come from size classes: a page is cut into equal objects; the page keeps its free ones in
 * a list through their first word (struct page: free_objects, flags = objects in use) and is on its class's list while it has any. Classes
 * of 64 bytes and more are multiples of 64, so such objects are 64-byte aligned. Larger sizes are whole blocks of pages.
 * Each allocation is charged to the budget of the process that makes it or (but by heap_alloc_own) has called it, which is named in the last word of an object (and in struct page for
 * whole pages), so that a program that makes the kernel allocate meets its own limit.
 * Memory comes zeroed; KERNEL_DEBUG fills freed memory, so that use after free shows.
 */
#include "kernel/core/heap.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/debug/failure.h"
#include "kernel/obj/budget.h"

static const uint16_t class_size[] = { 16, 32, 48, 64, 128, 192, 256, 320, 448, 576, 768, 1024, 1344, 2048 };
#define CLASSES array_count(class_size)
#define CLASS_LARGEST 2048u
#define EMPTY_KEPT 2u /* empty pages a class keeps */

static struct spinlock heap_lock = SPINLOCK_INIT("heap", RANK_HEAP);
static struct heap_class { struct list pages; unsigned empty; } classes[CLASSES];
static uint8_t class_of_size[CLASS_LARGEST / 16 + 1]; /* by size / 16 rounded up */
static uint64_t bytes_used, pages_used;
static int64_t fail_after = -1;

static void heap_init(void)
{
	unsigned class = 0;
	for (unsigned i = 0; i <= CLASS_LARGEST / 16; i++) {
		while (class_size[class] < i * 16)
			class++;
		class_of_size[i] = (uint8_t)class;
	}
	for (unsigned i = 0; i < CLASSES; i++)
		list_init(&classes[i].pages);
}

static unsigned order_of(size_t size)
{
	unsigned order = 0;
	while (PAGE_SIZE << order < size)
		order++;
	return order;
}

static struct page *class_grow(struct heap_class *class, unsigned size)
{
	struct page *page = page_alloc(0, 0);
	if (!page)
		return NULL;
	char *base = page_address(page);
	void *next = NULL;
	for (unsigned n = PAGE_SIZE / size; n-- > 0; next = base + n * size)
		*(void **)(base + n * size) = next;
	page->free_objects = base;
	page->flags = 0;
	list_add_first(&class->pages, &page->link);
	class->empty++;
	pages_used++;
	return page;
}

static void *class_alloc(unsigned index)
{
	struct heap_class *class = &classes[index];
	struct page *page = list_empty(&class->pages) ? class_grow(class, class_size[index]) : list_first(&class->pages, struct page, link);
	if (!page)
		return NULL;
	void *object = page->free_objects;
	page->free_objects = *(void **)object;
	if (!page->flags++)
		class->empty--;
	if (!page->free_objects)
		list_remove(&page->link);
	return object;
}

static void class_free(unsigned index, void *object)
{
	struct heap_class *class = &classes[index];
	struct page *page = page_of_address(object);
	assert(page->state == PAGE_KERNEL && page->flags);
	*(void **)object = page->free_objects;
	if (!page->free_objects)
		list_add_first(&class->pages, &page->link);
	page->free_objects = object;
	if (--page->flags)
		return;
	if (class->empty == EMPTY_KEPT) {
		list_remove(&page->link);
		page->free_objects = NULL; /* the payer's place */
		pages_used--;
		page_unref(page);
	} else {
		class->empty++;
	}
}

/* Sizes whose object has room for the payer's word come from classes. */
static inline bool size_has_class(size_t size)
{
	return size <= CLASS_LARGEST - sizeof(struct budget *);
}

static inline unsigned class_for(size_t size)
{
	return class_of_size[(size + sizeof(struct budget *) + 15) / 16];
}

/* The word at the end of an object of a class. */
static inline struct budget **payer_word(void *object, unsigned class)
{
	return (struct budget **)((char *)object + class_size[class]) - 1;
}

static void *small_alloc(size_t size, struct budget *payer)
{
	unsigned class = class_for(size);
	if (payer && budget_charge_bytes(payer, class_size[class]))
		return NULL;
	spin_lock(&heap_lock);
	void *object = class_alloc(class);
	if (object)
		bytes_used += size;
	spin_unlock(&heap_lock);
	if (object) {
		memset(object, 0, size);
		*payer_word(object, class) = payer;
	} else if (payer) {
		budget_uncharge_bytes(payer, class_size[class]);
	}
	return object;
}

static void *large_alloc(size_t size, struct budget *payer)
{
	struct page *page = budget_page_alloc(payer, order_of(size), 0);
	if (!page)
		return NULL;
	spin_lock(&heap_lock);
	pages_used += 1ul << page->order;
	bytes_used += size;
	spin_unlock(&heap_lock);
	return memset(page_address(page), 0, size);
}

static void *alloc(size_t size, struct budget *payer)
{
	if (!size || size > PAGE_SIZE << 10)
		return NULL;
	if (!class_of_size[CLASS_LARGEST / 16])
		heap_init();
	if (failure_due())
		return NULL;
	if (fail_after >= 0 && fail_after-- == 0)
		return NULL; /* injected: this one fails, the next ones do not */
	return size_has_class(size) ? small_alloc(size, payer) : large_alloc(size, payer);
}

void *heap_alloc(size_t size)
{
	return alloc(size, budget_current());
}

void *heap_alloc_own(size_t size)
{
	return alloc(size, budget_own());
}

void heap_free(void *pointer, size_t size)
{
	if (!pointer)
		return;
	bool small = size_has_class(size);
	unsigned class = small ? class_for(size) : 0;
	struct budget *payer = small ? *payer_word(pointer, class) : NULL;
	struct page *page = small ? NULL : page_of_address(pointer);
	assert(small || (page->state == PAGE_KERNEL && page->order == order_of(size)));
#ifdef KERNEL_DEBUG
	memset(pointer, 0xdf, size);
#endif
	spin_lock(&heap_lock);
	bytes_used -= size;
	if (small)
		class_free(class, pointer);
	else
		pages_used -= 1ul << page->order;
	spin_unlock(&heap_lock);
	if (payer)
		budget_uncharge_bytes(payer, class_size[class]);
	if (page)
		page_unref(page); /* uncharges */
}

uint64_t heap_bytes_used(void)
{
	return bytes_used;
}

uint64_t heap_pages_used(void)
{
	return pages_used;
}

void heap_fail_after(int64_t allocations)
{
	fail_after = allocations;
}
