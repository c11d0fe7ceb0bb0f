/*
 * Page tables as a riscv64 processor walks them, with the trap code's attaching of what a fork detached.
 * host-test: arch/page_table.c arch/riscv64/reattach.c tests/host/shim.c -Itests/host/page_table -Iarch/riscv64 -Iabi/riscv64 -DMODEL_PAGE_KEEPS_TABLES=1
 */
#include "tests/host/page_table/model.h"

unsigned top_shift;
uint64_t user_top;

/* Sv48 or Sv39 */
static unsigned hardware_top(void)
{
	top_shift = shim_below(2) ? 39 : 30;
	user_top = (1ul << (top_shift + 8)) - PAGE_SIZE;
	return top_shift;
}

static bool hardware_step(uint64_t entry, bool last, struct rights *rights, uint64_t *physical)
{
	if (!(entry & 1))
		return false;
	CHECK(!(entry & 0xffc0000000000000)); /* reserved */
	if (last) {
		CHECK(entry & 2 && (entry & 0xd0) == 0xd0); /* readable; the program's, accessed, dirty */
		*rights = (struct rights){ entry >> 1 & 1, entry >> 2 & 1, entry >> 3 & 1 };
	} else {
		CHECK(!(entry & 0xfe)); /* a table, nothing that is reserved in its entry */
	}
	*physical = entry >> 10 << 12;
	return true;
}

static bool hardware_fault(struct arch_space *space, uint64_t address)
{
	return mmu_reattach(space, address);
}
