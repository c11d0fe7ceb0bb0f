/* The page tables of one address space: see arch/page_table.c. */
#ifndef ARCH_SPACE_H
#define ARCH_SPACE_H
struct arch_space {
	uint64_t *root;         /* the top table, through the direct map */
	physical_t root_physical;
	uint64_t satp;          /* the register's value for it, once it was active */
	uint64_t tables;        /* pages of tables, the top one included */
};
#endif
