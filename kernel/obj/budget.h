/* Budgets: a tree of accounts that pay for pages and kernel objects. */
#ifndef KERNEL_BUDGET_H
#define KERNEL_BUDGET_H
#include "kernel/obj/object.h"
struct budget {
	struct object object;
	struct budget *parent;          /* holds a reference; NULL for the root */
	struct spinlock lock;
	uint64_t pages_limit, pages_used, pages_peak, objects; /* lock; used includes children */
	bool dying;
};
extern struct budget *budget_root;
struct budget *budget_create(struct budget *parent, uint64_t pages) must_check;
/* Charges pages to budget and all its ancestors, or to none: 0 or -ENOMEM. */
int budget_charge(struct budget *budget, uint64_t pages) must_check;
void budget_uncharge(struct budget *budget, uint64_t pages);
void budget_get_info(struct budget *budget, struct budget_info *info);
/* Pages a dying budget still pays for roll up to its parent: a page's payer is resolved through this. */
struct budget *budget_payer(struct budget *budget);
#endif
