/*
 * An entry of a page table, for arch/page_table.h: four levels (Sv48) or three (Sv39).
 *
 * Only entries that map pages have permissions, so a whole table cannot be write-protected at its top. It is detached instead: a closed entry of a
 * table (page_table.c) is invalid but keeps the address (DETACHED). The first access below it faults, and mmu_reattach opens what is closed on the way to it:
 * a fork costs one more fault for each 2 MiB that is touched after it. A closed entry of a page is one without the right to write.
 *
 * A processor may remember that an entry was invalid. Nothing is done when one becomes valid: the fault that may follow finds the same entry
 * there and forgets it then (arch_space_map, mmu_reattach).
 */
#ifndef PAGE_ENTRY_H
#define PAGE_ENTRY_H
#include "arch/mmu.h"

#define VALID 0x1ul
#define READ 0x2ul
#define WRITE 0x4ul
#define EXECUTE 0x8ul
#define USER 0x10ul
#define GLOBAL 0x20ul
#define ACCESSED 0x40ul
#define DIRTY 0x80ul
#define DETACHED 0x100ul /* for software: with VALID clear, the entry of a table that is there */
#define ADDRESS_SHIFT 2u /* from an entry's address to a physical one */
#define ADDRESS 0x003ffffffffffc00ul
extern unsigned top_shift; /* mmu.c */
#define TOP_SHIFT top_shift /* an entry of the top table covers so many bytes, as a power of two */

static inline bool entry_present(uint64_t entry) { return entry & (VALID | DETACHED); }
static inline physical_t entry_physical(uint64_t entry) { return (entry & ADDRESS) << ADDRESS_SHIFT; }
static inline uint64_t entry_of_page(physical_t page) { return page >> ADDRESS_SHIFT; } /* without entry_bits */
static inline uint64_t entry_of_table(physical_t table) { return entry_of_page(table) | VALID; }
static inline uint64_t entry_bits(unsigned flags) /* ARCH_MAP_ */
{
	return VALID | USER | ACCESSED | DIRTY | (flags & ARCH_MAP_READ ? READ : 0) | (flags & ARCH_MAP_WRITE ? READ | WRITE : 0) |
		(flags & ARCH_MAP_EXECUTE ? EXECUTE : 0);
}
/* Nothing below can be accessed without being opened, or there is nothing; entry_allows tells what a page's allows. */
static inline bool entry_closed(uint64_t entry) { return !(entry & VALID); }
/* Whether a table's entry must be opened for a page below it that can be read or written. */
static inline bool entry_stops(uint64_t entry, bool write)
{
	(void)write;
	return !(entry & VALID);
}
static inline uint64_t entry_open(uint64_t entry) { return (entry & ~DETACHED) | VALID; }
/* shift: what the entry covers. Absent ones stay absent. */
static inline uint64_t entry_close(uint64_t entry, unsigned shift)
{
	if (shift == PAGE_SHIFT)
		return entry & ~WRITE;
	return entry & VALID ? entry ^ (VALID | DETACHED) : entry;
}
/* What the entry of a page says of itself: whether such accesses are allowed. */
static inline bool entry_allows(uint64_t entry, unsigned flags)
{
	return !(flags & ARCH_MAP_READ && !(entry & READ)) && !(flags & ARCH_MAP_WRITE && !(entry & WRITE)) && !(flags & ARCH_MAP_EXECUTE && !(entry & EXECUTE));
}
/* reattach.c, for trap.c */
bool mmu_reattach(struct arch_space *space, uint64_t address);
#endif
