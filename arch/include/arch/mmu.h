/*
 * Address translation, one topic of the arch contract. Page tables never appear outside arch/. All calls are made with
 * the owning space's lock held unless said otherwise; none sleeps. Page-table memory comes from page_alloc.
 */
#ifndef ARCH_MMU_H
#define ARCH_MMU_H
#include "kernel/core/page.h"
struct arch_space; /* complete in arch/<port>/arch/space.h, embedded in struct space; */
#include "arch/space.h" /* defines struct arch_space */

#define ARCH_MAP_READ 1u    /* the PROTECT_ bits */
#define ARCH_MAP_WRITE 2u
#define ARCH_MAP_EXECUTE 4u
#define ARCH_MAP_UNCACHED 8u
int arch_space_init(struct arch_space *space) must_check;       /* 0 or -ENOMEM; kernel half included */
void arch_space_destroy(struct arch_space *space);              /* frees tables; no lock needed, nobody runs in it */
/* Map a run of count pages at address, replacing what was there: physical[i] each. Returns how many were mapped (< count: no memory for tables) */
unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned count, unsigned flags) must_check;
/* Remove translations of [start, end) and make every processor forget them. Frees empty tables when it is cheap. */
void arch_space_unmap(struct arch_space *space, uint64_t start, uint64_t end);
/* Remove write permission (nothing else) from [start, end). For the whole user range this is constant-time (fork): see the port's comment. */
void arch_space_write_protect(struct arch_space *space, uint64_t start, uint64_t end);
/* Is there a translation that allows these accesses? For fault diagnosis and fast checks. */
bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical);
uint64_t arch_space_tables(struct arch_space *space);           /* pages of tables */
void arch_space_activate(struct arch_space *space);             /* on this processor; NULL: kernel only */
/* Kernel view of device registers, for the kernel's own few devices */
void *arch_map_device(physical_t address, size_t size);
#endif
