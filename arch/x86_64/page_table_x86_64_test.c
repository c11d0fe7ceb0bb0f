/*
 * Page tables as an x86_64 processor walks them.
 * host-test: arch/page_table.c tests/host/shim.c -Itests/host/page_table -Iarch/x86_64 -DMODEL_PAGE_KEEPS_TABLES=0
 */
#include "tests/host/page_table/model.h"

static bool hardware_step(uint64_t entry, bool last, struct rights *rights, uint64_t *physical)
{
	if (!(entry & 1))
		return false;
	CHECK(entry & 4 && !(entry & 0x7ff0000000000000) && (last || !(entry & 0x80))); /* the program's; nothing that is reserved, no large page */
	rights->write &= entry >> 1 & 1;
	rights->execute &= !(entry >> 63);
	*physical = entry & 0xffffffffff000;
	return true;
}

static unsigned hardware_top(void)
{
	return 39;
}

static bool hardware_fault(struct arch_space *space, uint64_t address)
{
	(void)space, (void)address;
	return false;
}
