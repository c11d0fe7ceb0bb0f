/* Page tables of spaces: what page_table.c shares with the port's code. Not for portable code. */
#ifndef PAGE_TABLE_H
#define PAGE_TABLE_H
#include "arch/mmu.h"
#include "translation.h" /* before page_entry.h, which asks it what the processor can do */
#include "page_entry.h"

#if PROCESSORS_MAX > 1
/*
 * The port's: every processor that may hold translations of the space, but this one, forgets those of `count` addresses (address NULL: all of the space's); with
 * leave it does not use the space's tables any more. Returns when that is done. Any locks; the space is not changed meanwhile.
 */
void translations_forget(struct arch_space *space, const uint64_t *address, unsigned count, bool leave);
#endif

#define ENTRIES 512u
#define GROUP 8u /* entries a bit of struct page.groups stands for */

static inline uint64_t *table_of(uint64_t entry)
{
	return direct(entry_physical(entry));
}

/* Opens the entry of a table, whose own entries cover 1 << shift bytes, and closes all of those: see the head of page_table.c. */
static inline void page_table_open(uint64_t *entry, unsigned shift)
{
	uint64_t *child = table_of(*entry);

	for (uint64_t groups = page_of_address(child)->groups; groups; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
		for (unsigned i = first; i < first + GROUP; i++)
			child[i] = entry_close(child[i], shift);
	}
	*entry = entry_open(*entry);
}
#endif
