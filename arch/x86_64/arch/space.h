/* The four-level page tables of one address space: see arch/page_table.c. */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H
struct arch_space {
	uint64_t *root;         /* the top table, through the direct map */
	physical_t root_physical;
	uint64_t tables;        /* pages of tables, the top one included */
#if PROCESSORS_MAX > 1
	uint32_t processors;    /* atomic: bits of those that have loaded them and may hold translations */
#endif
};
#endif
