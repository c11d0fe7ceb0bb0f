/* Budgets: a tree of accounts that pay for pages and kernel objects. */
#ifndef KERNEL_BUDGET_H
#define KERNEL_BUDGET_H
#include "kernel/core/share.h"
#include "kernel/obj/object.h"
struct budget {
	struct object object;
	struct budget *parent;          /* holds a reference; NULL for the root */
	struct spinlock lock;
	uint64_t pages_limit, pages_used, pages_peak, objects; /* lock; used includes children */
	uint64_t bytes, byte_pages;     /* lock: kernel memory its own processes use, and the pages charged for that (bytes rounded up, and some to spare) */
	bool dying;                     /* lock: the last reference has gone */
	bool destroyed;                 /* lock: budget_destroy; set once */
	unsigned depth;                 /* budgets above it */
	struct share share;             /* of the processor; the root's is share_root instead */
};
#define BUDGET_DEPTH_MAX 16u        /* a charge walks up to the root */
extern struct budget *budget_root;
/* The budget of the current process; the root for kernel threads, NULL before there is one. Not referenced: the thread keeps it. */
struct budget *budget_current(void);
/* NULL: no memory. The parent's depth is below BUDGET_DEPTH_MAX. */
struct budget *budget_create(struct budget *parent, uint64_t pages) must_check;
struct share *budget_share(struct budget *budget);
/* Charges pages to budget and all its ancestors, or to none: 0 or -ENOMEM. */
int budget_charge(struct budget *budget, uint64_t pages) must_check;
void budget_uncharge(struct budget *budget, uint64_t pages);
/* The same for bytes of kernel memory; pages are charged as they fill up. */
int budget_charge_bytes(struct budget *budget, size_t bytes) must_check;
void budget_uncharge_bytes(struct budget *budget, size_t bytes);
struct page;
/* As page_alloc, paid for by payer (NULL: nobody) until the last reference to it goes. NULL: no memory, or not enough in the budget. */
struct page *budget_page_alloc(struct budget *payer, unsigned order, unsigned flags) must_check;
/* From now on nothing can be charged to it or to budgets below it. Its processes are the caller's business: budget_call.c. */
void budget_mark_destroyed(struct budget *budget);
bool budget_is_destroyed(struct budget *budget); /* itself or one above it */
/* Is it `above` or below that one? */
bool budget_is_below(const struct budget *budget, const struct budget *above);
/* The budget, itself or above it, that has no page left; the root if none is full. */
struct budget *budget_full(struct budget *budget);
void budget_get_info(struct budget *budget, struct budget_info *info);
/* Pages a dying budget still pays for roll up to its parent: a page's payer is resolved through this. */
struct budget *budget_payer(struct budget *budget);
#endif
