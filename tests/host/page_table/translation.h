/* In place of the port's: tables are the stand-in pages, and what the processor remembers is tests/host/page_table/model.h's. */
#ifndef TRANSLATION_H
#define TRANSLATION_H
#include "arch/mmu.h"
#include "kernel/core/page.h"

static const struct { bool no_execute; } cpu_features = { true };
static inline void *direct(physical_t address)
{
	struct page *page = page_of_physical(address & ~(PAGE_SIZE - 1));
	return page ? (char *)page_address(page) + (address & (PAGE_SIZE - 1)) : 0; /* the page of a program's, which nobody looks into */
}
void translation_kernel_half(uint64_t *root);
bool translation_active(const struct arch_space *space);
void translation_forget(uint64_t address);
void translation_forget_all(void);
void translation_code_changed(void);
#define TRANSLATION_PAGE_KEEPS_TABLES MODEL_PAGE_KEEPS_TABLES /* a flag of the test's build */
#endif
