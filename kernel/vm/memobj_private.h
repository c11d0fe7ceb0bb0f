/*
 * Inside a memory object; only for kernel/vm.
 *
 * States of a page of a paged object (struct page.state, under the object's lock):
 *
 *      absent --request--> (pager) --supply--> CLEAN --write, takes a credit--> DIRTY
 *                                                ^                               |  ^
 *                                                |                    take_dirty |  | written(error), pager died
 *                                                +------written(cookie, 0)----- WRITING
 *
 * A page of an anonymous object is always CLEAN: nothing is owed to anybody. Paged objects cannot be created yet; the fields are here
 * because the states, the credits and the family are decided on every path that writes.
 */
#ifndef KERNEL_MEMOBJ_PRIVATE_H
#define KERNEL_MEMOBJ_PRIVATE_H
#include "kernel/core/wait.h"
#include "kernel/vm/family.h"
#include "kernel/vm/memobj.h"
#include "kernel/vm/radix.h"

#define MEMOBJ_SIZE_MAX ((1ul << 62) - PAGE_SIZE)

/* The pager's side of a paged object; under the object's lock. */
struct memobj_pager {
	struct object *client;       /* client port on which requests are sent; holds a reference */
	uint64_t credits;            /* clean pages that may still become dirty */
	uint64_t dirty, writing;     /* pages in these states */
	struct list requests;        /* embedded in the waiting threads */
	struct wait_queue supplied, credited;
};

struct memobj {
	struct object object;
	struct spinlock lock;        /* RANK_MEMOBJ */
	/* constant */
	struct budget *budget;       /* pays for pages; holds a reference; NULL: whoever brings one in */
	struct budget *limit;        /* counts the pages in the tree, under the lock; holds a reference; NULL: none */
	uint32_t options;
	uint8_t kind;                /* MEMOBJ_ANONYMOUS ... */
	bool fixed;                  /* physically contiguous: pages never move, the size never changes */
	physical_t physical;         /* physical kind */
	struct memobj_pager *pager;  /* paged kind */
	/* lock */
	uint32_t seals;              /* SEAL_* */
	bool tail_mapped;            /* the page that holds the end may have been written beyond it, through a mapping or by a write that failed */
	uint64_t size, modified;
	struct radix pages;
	/* the family lock */
	struct family family;
};

static inline uint64_t page_ceiling(uint64_t bytes)
{
	return (bytes + PAGE_SIZE - 1) >> PAGE_SHIFT;
}
/* One page charged to budget (NULL: the current process's, budget_own), state CLEAN, one reference; or NULL. flags as page_alloc. */
struct page *page_alloc_charged(struct budget *budget, unsigned flags) must_check;

/*
 * What memobj_fault found. Either page (not referenced: it stays while the caller holds a space lock and the space is in the object's
 * family, because removal first takes the translations away under that lock) or a physical address alone.
 */
struct memobj_page { physical_t physical; struct page *page; bool writable; };
/*
 * The page at index for a fault, created (zero) when absent. With write, writable tells that the page may be mapped writable; if it does
 * not, the page is shared: call memobj_make_writable with no lock and try again. Errors: -ENXIO beyond the end, -ENOMEM, -ENOSPC (limit), -EACCES (write to sealed).
 */
int memobj_fault(struct memobj *memobj, uint64_t index, bool write, struct memobj_page *found) must_check;
/* Present pages from index on, at most count, up to the first absent one: their addresses. Returns how many. */
unsigned memobj_present_run(struct memobj *memobj, uint64_t index, unsigned count, physical_t *physical);
/* Copies a shared page so that the object alone holds it. No locks held. 0, -ENOMEM, -ENXIO. */
int memobj_make_writable(struct memobj *memobj, uint64_t index) must_check;
uint64_t memobj_resident(struct memobj *memobj, uint64_t first, uint64_t end);

/* Removes (or with protect_only write-protects) the translations of pages [first, end) in every space. No locks held. */
void memobj_invalidate(struct memobj *memobj, uint64_t first, uint64_t end, bool protect_only);
/* In space.c: the same in one space. */
void space_invalidate(struct object *space, struct memobj *memobj, uint64_t first, uint64_t end, bool protect_only);
/* In space.c: does the space have a shared mapping of the object that is or may be made writable? */
bool space_may_write(struct object *space, struct memobj *memobj);

/* memobj.c, for memobj_io.c; under the lock: */
/* So many pages more (-ENOSPC: the limit is reached) or fewer are in the tree than before. */
int memobj_limit_add(struct memobj *memobj, uint64_t pages) must_check;
void memobj_limit_remove(struct memobj *memobj, uint64_t pages);
/* The page at index, held by this object alone: copied if shared (*old: the page replaced, the caller's reference, else NULL). *page NULL if absent. */
int memobj_own_page(struct memobj *memobj, uint64_t index, struct page **page, struct page **old) must_check;
/* The object's size is about to grow: clears what mappings left behind the old end. */
void memobj_clear_tail(struct memobj *memobj);
#endif
