/* Budgets: a tree of accounts that pay for pages and kernel objects. */
#ifndef KERNEL_BUDGET_H
#define KERNEL_BUDGET_H
#include "kernel/core/share.h"
#include "kernel/obj/object.h"
struct budget {
	struct object object;
	struct budget *parent;          /* holds a reference; NULL for the root */
	struct spinlock lock;
	uint64_t pages_limit, pages_used, pages_peak; /* lock; used includes children */
	uint64_t bytes, byte_pages;     /* lock: kernel memory that names it or a husk below it as payer, and the pages charged for that (bytes rounded up, and some to spare) */
	uint64_t objects, husks;        /* lock: objects that name it as payer; husks right below it */
	bool husk;                      /* lock: the last reference has gone */
	bool destroyed;                 /* lock: budget_destroy; set once */
	unsigned depth;                 /* budgets above it */
	struct share *share;            /* of the processor; NULL: the root, whose share is share_root, and husks */
};
#define BUDGET_DEPTH_MAX 16u        /* a charge walks up to the root */
extern struct budget *budget_root;
/*
 * Who pays for what the current thread makes: the process whose call it has received and not answered, or its own process. The root for kernel
 * threads, NULL before there is one. Not referenced: the thread, or the record of the call that it serves, keeps it.
 */
struct budget *budget_current(void);
/* The budget of the current process, whoever it works for: pays for what a process is made of (its handle table, its memory, page tables, stacks). */
struct budget *budget_own(void);
/* NULL: no memory. The parent's depth is below BUDGET_DEPTH_MAX. Without a parent: the root, or a limit, which counts pages that others pay for. */
struct budget *budget_create(struct budget *parent, uint64_t pages) must_check;
struct share *budget_share(struct budget *budget);
/* Charges pages to budget and all its ancestors, or to none: 0 or -ENOMEM. A husk has no limit of its own. */
int budget_charge(struct budget *budget, uint64_t pages) must_check;
void budget_uncharge(struct budget *budget, uint64_t pages);
/* The same for bytes of kernel memory; pages are charged as they fill up. */
int budget_charge_bytes(struct budget *budget, size_t bytes) must_check;
void budget_uncharge_bytes(struct budget *budget, size_t bytes);
/* An object names it as payer, or does so no more. */
void budget_object_add(struct budget *budget), budget_object_remove(struct budget *budget);
struct page;
/* As page_alloc, paid for by payer (NULL: nobody) until the last reference to it goes. NULL: no memory, or not enough in the budget. */
struct page *budget_page_alloc(struct budget *payer, unsigned order, unsigned flags) must_check;
/* From now on nothing can be charged to it or to budgets below it. Its processes are the caller's business: budget_call.c. */
void budget_mark_destroyed(struct budget *budget);
bool budget_is_destroyed(struct budget *budget); /* itself or one above it */
/* Made without a parent: nothing can be charged to it but pages that somebody else pays for. */
static inline bool budget_is_limit(const struct budget *budget) { return !budget->parent && budget != budget_root; }
/* Is it `above` or below that one? */
bool budget_is_below(const struct budget *budget, const struct budget *above);
/* The budget, itself or above it, that has no page left; the root if none is full. */
struct budget *budget_full(struct budget *budget);
void budget_get_info(struct budget *budget, struct budget_info *info);
#endif
