/* How this processor is made to forget translations, and finds tables, for arch/page_table.c. */
#ifndef TRANSLATION_H
#define TRANSLATION_H
#include "arch/space.h"
#include "riscv.h" /* direct */

void translation_kernel_half(uint64_t *root); /* mmu.c: fills in the entries of the kernel's half */
#define TRANSLATION_PAGE_KEEPS_TABLES 1 /* tables that the processor may still walk are forgotten by a fence for all addresses only */

static inline bool translation_active(const struct arch_space *space)
{
	return this_arch()->space == space;
}
/* The page at the address, of the active space. */
static inline void translation_forget(uint64_t address)
{
	__asm__ volatile("sfence.vma %0" :: "r"(address) : "memory");
}
/* All of the active space. */
static inline void translation_forget_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}
/* Pages became executable: what was written there as data are instructions now. */
static inline void translation_code_changed(void)
{
	__asm__ volatile("fence.i" ::: "memory");
}
#endif
