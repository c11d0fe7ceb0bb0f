/*
 * Budgets: see budget.h.
 *
 * A charge is added to the budget and every ancestor, from the leaf up; when one is full the part already charged is taken back. Locks are
 * taken one at a time, so a parent may be seen briefly with a charge that will be taken back: a limit is never exceeded, but a charge
 * racing with a failing one may fail too.
 *
 *   alive --last reference gone, something names it--> husk --nothing names it any more--> freed
 *
 * Kernel memory (heap.c) is charged by bytes: each budget has some pages charged for them ahead, so most allocations touch only the budget itself.
 *
 * References are held by processes, handles, call records and the living budgets below. Pages, kernel memory and objects only name their payer, which is
 * kept for them as a husk once nobody refers to it: a job's files outlive the job. The pages that a husk pays for are part of its parent's account already;
 * its bytes move there, so husks keep no pages charged ahead; its share of the processor goes. Uncharge always names the budget that was charged. Only a channel
 * that outlives its maker still charges a husk, which then passes that on to those above it. A budget with a living one below it is never a husk.
 *
 * A destroyed budget pays for nothing any more and its processes end; what others still hold of its objects lives on, as part of its
 * parent's account, until they drop it.
 */
#include "kernel/obj/budget.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/wait.h"

#define BYTE_PAGES_SPARE 4u /* charged ahead for bytes, and kept when bytes go */

static void budget_destroy(struct object *object);

static const struct object_operations budget_operations = {
	.kind = KIND_BUDGET, .name = "budget", .destroy = budget_destroy,
};

struct budget *budget_root;

struct budget *budget_create(struct budget *parent, uint64_t pages)
{
	struct budget *budget = heap_alloc(sizeof(*budget));
	if (!budget)
		return 0;
	if (parent && !(budget->share = heap_alloc(sizeof(*budget->share)))) {
		heap_free(budget, sizeof(*budget));
		return 0;
	}
	spin_init(&budget->lock, "budget", RANK_BUDGET);
	object_init(&budget->object, &budget_operations);
	budget->pages_limit = pages;
	budget->parent = parent;
	if (parent) {
		object_ref(&parent->object);
		budget->depth = parent->depth + 1;
		share_init(budget->share, budget_share(parent));
	}
	return budget;
}

struct share *budget_share(struct budget *budget)
{
	return budget->share ? budget->share : &share_root;
}

static inline uint64_t pages_for(uint64_t bytes)
{
	return (bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Nobody will find it any more. Lock held. */
static inline bool is_unnamed(const struct budget *budget)
{
	return budget->husk && !budget->pages_used && !budget->bytes && !budget->objects && !budget->husks;
}

/* A husk that nothing names. */
static void husk_free(struct budget *husk)
{
	while (husk) {
		struct budget *parent = husk->parent;
		heap_free(husk, sizeof(*husk)); /* paid for by whoever made it: the parent is kept by `husks` */
		spin_lock(&parent->lock);
		parent->husks--;
		bool unnamed = is_unnamed(parent);
		spin_unlock(&parent->lock);
		husk = unnamed ? parent : NULL;
	}
}

static void lock_both(struct budget *one, struct budget *other)
{
	spin_lock(&min(one, other)->lock);
	spin_lock_second(&max(one, other)->lock);
}

/*
 * The parent takes over the account of kernel memory; it has been charged for the pages already. Returns how many it does not need, which the caller
 * uncharges. *unnamed: nothing names the husk.
 */
static uint64_t become_husk(struct budget *budget, struct budget *parent, bool *unnamed)
{
	lock_both(budget, parent);
	budget->husk = true;
	parent->husks++;
	parent->bytes += budget->bytes;
	parent->byte_pages += budget->byte_pages;
	budget->pages_used -= budget->byte_pages;
	budget->byte_pages = 0;
	uint64_t need = pages_for(parent->bytes) + BYTE_PAGES_SPARE;
	uint64_t spare = parent->byte_pages > need ? parent->byte_pages - need : 0;
	parent->byte_pages -= spare;
	*unnamed = is_unnamed(budget);
	spin_unlock(&budget->lock);
	spin_unlock(&parent->lock);
	return spare;
}

static void budget_destroy(struct object *object)
{
	struct budget *budget = container_of(object, struct budget, object), *parent = budget->parent;
	if (!parent) { /* a limit, or a unit test's root */
		assert(!budget->pages_used || budget->pages_used == budget->byte_pages);
		heap_free(budget, sizeof(*budget));
		return;
	}
	scheduler_share_leave(budget->share);
	heap_free(budget->share, sizeof(*budget->share));
	budget->share = NULL;
	bool unnamed;
	uint64_t spare = become_husk(budget, parent, &unnamed);
	if (spare)
		budget_uncharge(parent, spare);
	if (unnamed)
		husk_free(budget);
	object_unref(&parent->object);
}

int budget_charge(struct budget *budget, uint64_t pages)
{
	for (struct budget *at = budget; at; at = at->parent) {
		spin_lock(&at->lock);
		bool full = !at->husk && (at->destroyed || at->pages_used > at->pages_limit || pages > at->pages_limit - at->pages_used);
		if (!full) {
			at->pages_used += pages;
			at->pages_peak = max(at->pages_peak, at->pages_used);
		}
		spin_unlock(&at->lock);
		if (!full)
			continue;
		for (struct budget *undo = budget; undo != at; undo = undo->parent) {
			spin_lock(&undo->lock);
			undo->pages_used -= pages;
			spin_unlock(&undo->lock);
		}
		return -ENOMEM;
	}
	return 0;
}

void budget_uncharge(struct budget *budget, uint64_t pages)
{
	while (budget) {
		/* the parent outlives this one: read it before this one may be freed */
		struct budget *parent = budget->parent;
		spin_lock(&budget->lock);
		assert(budget->pages_used >= pages);
		budget->pages_used -= pages;
		bool unnamed = is_unnamed(budget);
		spin_unlock(&budget->lock);
		if (unnamed) {
			/* it keeps the parent while the walk goes on there: free it last */
			budget_uncharge(parent, pages);
			husk_free(budget);
			return;
		}
		budget = parent;
	}
}

int budget_charge_bytes(struct budget *budget, size_t bytes)
{
	spin_lock(&budget->lock);
	uint64_t need = pages_for(budget->bytes + bytes);
	bool enough = need <= budget->byte_pages && !budget->destroyed;
	if (enough)
		budget->bytes += bytes;
	spin_unlock(&budget->lock);
	if (enough)
		return 0;
	/* more than needed while there is plenty, so that the ancestors' locks are taken rarely */
	uint64_t more = pages_for(bytes) + BYTE_PAGES_SPARE - 1;
	if (budget_charge(budget, more)) {
		more = pages_for(bytes);
		if (budget_charge(budget, more))
			return -ENOMEM;
	}
	spin_lock(&budget->lock);
	budget->bytes += bytes;
	budget->byte_pages += more;
	spin_unlock(&budget->lock);
	return 0;
}

void budget_uncharge_bytes(struct budget *budget, size_t bytes)
{
	spin_lock(&budget->lock);
	assert(budget->bytes >= bytes);
	budget->bytes -= bytes;
	if (budget->husk) { /* the account is the parent's */
		struct budget *parent = budget->parent;
		bool unnamed = is_unnamed(budget);
		spin_unlock(&budget->lock);
		budget_uncharge_bytes(parent, bytes);
		if (unnamed)
			husk_free(budget);
		return;
	}
	uint64_t keep = pages_for(budget->bytes) + BYTE_PAGES_SPARE;
	/* some way past what is kept, or a process that makes and drops one thing would charge and uncharge each time */
	uint64_t spare = budget->byte_pages > keep + BYTE_PAGES_SPARE ? budget->byte_pages - keep : 0;
	budget->byte_pages -= spare;
	spin_unlock(&budget->lock);
	if (spare)
		budget_uncharge(budget, spare);
}

void budget_object_add(struct budget *budget)
{
	spin_lock(&budget->lock);
	budget->objects++;
	spin_unlock(&budget->lock);
}

void budget_object_remove(struct budget *budget)
{
	spin_lock(&budget->lock);
	budget->objects--;
	bool unnamed = is_unnamed(budget);
	spin_unlock(&budget->lock);
	if (unnamed)
		husk_free(budget);
}

struct page *budget_page_alloc(struct budget *payer, unsigned order, unsigned flags)
{
	if (payer && budget_charge(payer, 1ul << order))
		return NULL;
	struct page *page = page_alloc(order, flags);
	if (page)
		page->payer = payer;
	else if (payer)
		budget_uncharge(payer, 1ul << order);
	return page;
}

void budget_mark_destroyed(struct budget *budget)
{
	spin_lock(&budget->lock);
	budget->destroyed = true;
	spin_unlock(&budget->lock);
}

bool budget_is_destroyed(struct budget *budget)
{
	for (; budget; budget = budget->parent)
		if (__atomic_load_n(&budget->destroyed, __ATOMIC_RELAXED))
			return true;
	return false;
}

bool budget_is_below(const struct budget *budget, const struct budget *above)
{
	while (budget && budget != above)
		budget = budget->parent;
	return budget != NULL;
}

struct budget *budget_full(struct budget *budget)
{
	while (budget->parent && budget->pages_used < budget->pages_limit)
		budget = budget->parent;
	return budget;
}

void budget_get_info(struct budget *budget, struct budget_info *info)
{
	spin_lock(&budget->lock);
	info->pages_limit = budget->pages_limit;
	info->pages_used = budget->pages_used;
	info->pages_peak = budget->pages_peak;
	info->objects = budget->objects;
	spin_unlock(&budget->lock);
}
