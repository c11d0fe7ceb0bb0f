/*
 * An entry of a page table, for arch/page_table.h, which has included the port's translation.h: four levels.
 * A page is writable if every entry on the way to it allows that; so an entry without WRITE is closed (page_table.c), whatever its level.
 */
#ifndef PAGE_ENTRY_H
#define PAGE_ENTRY_H
#include "arch/mmu.h"

#define PRESENT 0x1ul
#define WRITE 0x2ul
#define USER 0x4ul
#define WRITE_THROUGH 0x8ul
#define NO_CACHE 0x10ul
#define ACCESSED 0x20ul
#define DIRTY 0x40ul
#define LARGE 0x80ul
#define GLOBAL 0x100ul
#define NO_EXECUTE (cpu_features.no_execute ? 1ul << 63 : 0)
#define ADDRESS 0x000ffffffffff000ul
#define TOP_SHIFT 39u /* an entry of the top table covers so many bytes, as a power of two */

static inline bool entry_present(uint64_t entry) { return entry & PRESENT; }
static inline physical_t entry_physical(uint64_t entry) { return entry & ADDRESS; }
static inline uint64_t entry_of_table(physical_t table) { return table | PRESENT | WRITE | USER | ACCESSED; }
static inline uint64_t entry_of_page(physical_t page) { return page; } /* without entry_bits */
static inline uint64_t entry_bits(unsigned flags) /* ARCH_MAP_ */
{
	return PRESENT | USER | ACCESSED | (flags & ARCH_MAP_WRITE ? WRITE | DIRTY : 0) | (flags & ARCH_MAP_EXECUTE ? 0 : NO_EXECUTE) |
		(flags & ARCH_MAP_UNCACHED ? NO_CACHE | WRITE_THROUGH : 0);
}
/* Nothing below can be written, or there is nothing. */
static inline bool entry_closed(uint64_t entry) { return !(entry & WRITE); }
/* Whether a table's entry must be opened for a page below it that can be read or written. */
static inline bool entry_stops(uint64_t entry, bool write) { return write && !(entry & WRITE); }
static inline uint64_t entry_open(uint64_t entry) { return entry | WRITE; }
/* shift: what the entry covers. Absent ones stay absent. */
static inline uint64_t entry_close(uint64_t entry, unsigned shift)
{
	(void)shift;
	return entry & ~WRITE;
}
/* What the entry of a page says of itself: whether such accesses are allowed (entry_closed tells of writing too). */
static inline bool entry_allows(uint64_t entry, unsigned flags)
{
	return !(flags & ARCH_MAP_WRITE && !(entry & WRITE)) && !(flags & ARCH_MAP_EXECUTE && entry & NO_EXECUTE);
}
#endif
