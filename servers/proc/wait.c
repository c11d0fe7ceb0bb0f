/* Waiting for children; wait.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include "effects.h"
#include "wait.h"

struct waiter {
	struct waiter *next;
	struct process *parent;
	int64_t pid;
	uint32_t options, reply;
};
static struct waiter *waiters; /* oldest first */

static bool is_wanted(const struct process *child, const struct process *parent, int64_t pid, uint32_t options)
{
	if (child->parent != parent || (!(options & WAIT_ALL) && (child->exit_signal != SIGCHLD) != !!(options & WAIT_CLONE)))
		return false;
	if (pid > 0)
		return child->pid == (uint64_t)pid;
	if (pid == 0)
		return child->group == parent->group;
	return pid == -1 || child->group == (uint64_t)-pid;
}

/* Whether the child has news of the wanted sort; *status is its wait status */
static bool has_news(const struct process *child, uint32_t options, uint64_t *status)
{
	if (child->state == PROCESS_STATE_ZOMBIE) {
		*status = child->status;
		return options & WAIT_EXITED;
	}
	if (child->state == PROCESS_STATE_STOPPED) {
		*status = child->stop_signal << 8 | 0x7f;
		return (options & WAIT_STOPPED) && child->stop_unreported;
	}
	*status = 0xffff;
	return (options & WAIT_CONTINUED) && child->continue_unreported;
}

static void used_add(struct used *sum, const struct used *used)
{
	sum->user += used->user;
	sum->system += used->system;
	sum->page_faults += used->page_faults;
	sum->waits += used->waits;
	sum->preemptions += used->preemptions;
	sum->peak = used->peak > sum->peak ? used->peak : sum->peak;
}

void wait_reap(struct process *zombie, bool count_times)
{
	struct process *parent = zombie->parent;
	if (parent && count_times) {
		used_add(&parent->children, &zombie->used);
		used_add(&parent->children, &zombie->children);
	}
	process_remove(zombie);
}

/* Reports the child's news to reply. False: the caller has gone, nothing has changed. */
static bool report(struct process *child, uint32_t options, uint32_t reply)
{
	uint64_t words[7] = { 0 };
	if (!has_news(child, options, &words[0]))
		return false;
	struct used used = child->used;
	used_add(&used, &child->children);
	words[1] = used.user;
	words[2] = used.system;
	words[3] = used.peak;
	words[4] = used.page_faults;
	words[5] = used.waits;
	words[6] = used.preemptions;
	if (effect_answer(reply, child->pid, words) < 0)
		return false;
	if (options & WAIT_NO_REAP)
		return true;
	if (child->state == PROCESS_STATE_ZOMBIE)
		wait_reap(child, true);
	else
		child->stop_unreported = child->continue_unreported = false;
	return true;
}

int wait_request(struct process *parent, int64_t pid, uint32_t options, uint32_t reply)
{
	if (!(options & (WAIT_EXITED | WAIT_STOPPED | WAIT_CONTINUED)))
		return -EINVAL;
	bool any = false;
	struct process *news = NULL;
	for (struct process *child = parent->first_child; child; child = child->next_sibling) {
		uint64_t status;
		if (!is_wanted(child, parent, pid, options))
			continue;
		any = true;
		if (has_news(child, options, &status))
			news = child; /* the last one in the list is the oldest */
	}
	if (news) {
		report(news, options, reply);
		if (!(options & WAIT_NO_REAP))
			wait_check_childless(parent);
		return 0;
	}
	if (!any)
		return -ECHILD;
	if (options & WAIT_NO_HANG) {
		effect_answer(reply, 0, NULL);
		return 0;
	}
	struct waiter *waiter = malloc(sizeof *waiter);
	if (!waiter)
		return -ENOMEM;
	*waiter = (struct waiter){ NULL, parent, pid, options, reply };
	struct waiter **place = &waiters;
	while (*place)
		place = &(*place)->next;
	*place = waiter;
	return 0;
}

void wait_child_changed(struct process *child)
{
	struct process *parent = child->parent;
	for (struct waiter **place = &waiters, *waiter; (waiter = *place);) {
		uint64_t status;
		if (!parent || !is_wanted(child, parent, waiter->pid, waiter->options) || waiter->parent != parent || !has_news(child, waiter->options, &status)) {
			place = &waiter->next;
			continue;
		}
		*place = waiter->next;
		bool told = report(child, waiter->options, waiter->reply), reap = !(waiter->options & WAIT_NO_REAP);
		free(waiter);
		if (told && reap) {
			wait_check_childless(parent);
			return;
		}
	}
}

void wait_check_childless(struct process *parent)
{
	for (struct waiter **place = &waiters, *waiter; (waiter = *place);) {
		bool any = waiter->parent != parent;
		for (struct process *child = parent->first_child; child && !any; child = child->next_sibling)
			any = is_wanted(child, parent, waiter->pid, waiter->options);
		if (any) {
			place = &waiter->next;
			continue;
		}
		*place = waiter->next;
		effect_answer(waiter->reply, -ECHILD, NULL);
		free(waiter);
	}
}

void wait_forget(struct process *parent)
{
	for (struct waiter **place = &waiters, *waiter; (waiter = *place);) {
		if (waiter->parent != parent) {
			place = &waiter->next;
			continue;
		}
		*place = waiter->next;
		effect_answer(waiter->reply, -ESRCH, NULL);
		free(waiter);
	}
}
