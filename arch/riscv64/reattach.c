/* Faults that only mean that a fork has detached tables: see page_entry.h. */
#include "arch/page_table.h"

/*
 * A fault at address: attaches what is detached on the way to it. True if anything was. From the trap code, for the current space; needs no
 * lock, because interrupts are disabled and it changes no translation that is valid.
 */
bool mmu_reattach(struct arch_space *space, uint64_t address)
{
	uint64_t *table = space->root;
	bool changed = false;
	for (unsigned shift = TOP_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *entry = &table[address >> shift & (ENTRIES - 1)];
		if (*entry & DETACHED) {
			page_table_open(entry, shift - 9);
			changed = true;
		}
		if (!(*entry & VALID))
			break;
		table = table_of(*entry);
	}
	if (changed)
		translation_forget(address);
	return changed;
}
