/*
 * Every process there is: see process_list.h. In the kernel because only here it is known which budget a process has, and because a fault that cannot
 * be paid for cannot wait for a server's opinion.
 *
 * Out of memory: the process with the most private memory and page tables below the full budget goes, since that is what made it full; not the one that happened
 * to need the next page. When even that one is small, it is the number of processes that fills the budget, and the newest goes. One at a time: while one is ending, others that fault wait for its pages.
 *
 * Lock: list_lock (RANK_BUDGET) covers the list; nothing is done to a process under it but taking a reference.
 */
#include "kernel/obj/process_list.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/space.h"

#define CROWD_SHARE 16u      /* the largest holds less than such a part of all: a crowd */
#define WAIT_STEP 1000000ull /* nanoseconds between looks at a victim */
#define WAIT_STEPS 2000u     /* then it is taken to be stuck, and the current process goes instead */

static struct spinlock list_lock = SPINLOCK_INIT("processes", RANK_BUDGET);
static struct list processes = { &processes, &processes };

void process_list_add(struct process *process)
{
	spin_lock(&list_lock);
	list_add_last(&processes, &process->all_link);
	spin_unlock(&list_lock);
}

void process_list_remove(struct process *process)
{
	spin_lock(&list_lock);
	list_remove(&process->all_link);
	spin_unlock(&list_lock);
}

/* The next process after `after` (NULL: the first) below the budget, referenced; drops the reference to `after`. */
static struct process *process_next(struct process *after, const struct budget *budget)
{
	struct process *found = NULL;
	spin_lock(&list_lock);
	struct list *link = after ? after->all_link.next : processes.next;
	for (; link != &processes; link = link->next) {
		struct process *process = list_entry(link, struct process, all_link);
		if (budget_is_below(process->budget, budget) && object_try_ref(&process->object)) {
			found = process;
			break;
		}
	}
	spin_unlock(&list_lock);
	if (after)
		object_unref(&after->object);
	return found;
}

void process_end_below(struct budget *budget, uint32_t status)
{
	for (struct process *process = NULL; (process = process_next(process, budget));)
		if (!process->corpse)
			(void)process_end(process, status);
}

/* Its private memory and page tables. */
static uint64_t process_pages(struct process *process)
{
	struct space_info info;
	spin_lock(&process->lock);
	struct space *space = process->space;
	object_ref(space_object(space));
	spin_unlock(&process->lock);
	space_get_info(space, &info);
	object_unref(space_object(space));
	return info.private_pages + info.page_tables;
}

void process_list_count(struct system_info *info)
{
	for (struct process *process = NULL; (process = process_next(process, budget_root));) {
		spin_lock(&process->lock);
		if (process->handles.table[0])
			info->handles += handle_table_count(&process->handles);
		spin_unlock(&process->lock);
		if (process->budget == budget_root && !process->corpse)
			info->pages_servers += process_pages(process);
	}
}

static void replace(struct process **kept, struct process *process)
{
	if (*kept)
		object_unref(&(*kept)->object);
	object_ref(&process->object);
	*kept = process;
}

/* The process that goes, referenced, or NULL; *ending: there is one on its way out already. */
static struct process *victim_find(const struct budget *full, uint64_t *pages, bool *ending)
{
	struct process *largest = NULL, *newest = NULL;
	uint64_t most = 0, newest_pages = 0;
	*ending = false;
	for (struct process *process = NULL; (process = process_next(process, full));) {
		/* what the root pays for are the servers: nothing goes on without them */
		if (process->corpse || process->budget == budget_root)
			continue;
		if (process->ending) {
			*ending |= process != process_current();
			continue;
		}
		newest_pages = process_pages(process);
		replace(&newest, process);
		if (!largest || newest_pages > most) {
			most = newest_pages;
			replace(&largest, process);
		}
	}
	bool crowd = largest && most < full->pages_used / CROWD_SHARE;
	*pages = crowd ? newest_pages : most;
	struct process *victim = crowd ? newest : largest, *other = crowd ? largest : newest;
	if (other)
		object_unref(&other->object);
	return victim;
}

/* Lets others run for a while. False: the thread is being killed. */
static bool nap(void)
{
	struct wait_queue queue;
	wait_queue_init(&queue);
	return wait_on(&queue, NULL, time_now() + WAIT_STEP, WAIT_KILLABLE) != -EINTR;
}

bool process_wait_for_memory(void)
{
	const struct budget *full = budget_full(process_current()->budget);
	return full->pages_used < full->pages_limit && nap();
}

bool process_out_of_memory(void)
{
	struct process *current = process_current();
	struct budget *full = budget_full(current->budget);
	for (unsigned step = 0; step < WAIT_STEPS; step++) {
		uint64_t pages;
		bool ending;
		if (current->ending)
			return false;
		struct process *victim = victim_find(full, &pages, &ending);
		if (ending) {
			if (victim)
				object_unref(&victim->object);
			if (!nap())
				return false;
			/* some of its memory may be here by now */
			if (full->pages_used < full->pages_limit && full->parent)
				return true;
			continue;
		}
		if (!victim)
			break;
		log_print("out of memory: process %016lx ends, which holds %lu KiB, because all %lu KiB of its budget are used", victim->badge,
			  pages * (PAGE_SIZE / 1024), full->pages_limit * (PAGE_SIZE / 1024));
		(void)process_end(victim, STATUS_OUT_OF_MEMORY);
		bool self = victim == current;
		object_unref(&victim->object);
		if (self)
			return false;
		if (!nap())
			return false;
		return true;
	}
	process_kill_current(STATUS_OUT_OF_MEMORY);
	return false;
}
