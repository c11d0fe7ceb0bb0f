/* Inside an address space; only for kernel/vm. */
#ifndef KERNEL_SPACE_PRIVATE_H
#define KERNEL_SPACE_PRIVATE_H
#include "arch/mmu.h"
#include "kernel/vm/map.h"
#include "kernel/vm/memobj_private.h"
#include "kernel/vm/space.h"

struct space {
	struct object object;
	struct spinlock lock;        /* RANK_SPACE */
	struct budget *budget;       /* constant; pays for private pages; holds a reference; NULL: the process whose thread needs one */
	struct family_space family;  /* the family lock */
	/* lock */
	struct map_node *map;
	struct radix memory;         /* all private pages, indexed by virtual page number: fork clones one tree */
	uint64_t peak;               /* pages in it before the last time that some were dropped, or more */
	struct list pins;            /* struct space_pin: pages that will be written from outside */
	struct arch_space arch;
};

static inline bool region_is_private(const struct region *region)
{
	return !region->memobj || (region->flags & MAP_PRIVATE_COPY);
}
/* The page of region->memobj at address. */
static inline uint64_t region_index(const struct region *region, uint64_t address)
{
	return (region->offset + (address - region->start)) >> PAGE_SHIFT;
}
/* Is [address, address + length) inside what user space may map? length is not 0. */
bool space_range_valid(uint64_t address, uint64_t length);

/*
 * Resolves an access as space_fault does, and gives the page a reference in *page if page is not NULL (-EFAULT for device memory then).
 * force: private pages whatever their protection, without mapping them more widely. No locks held.
 */
int space_resolve(struct space *space, uint64_t address, uint32_t access, bool force, struct page **page) must_check;
#endif
