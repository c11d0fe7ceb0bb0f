/* Death; life.h. The order matters: the waiting parent is answered before it is signalled, so that wait succeeds rather than is interrupted. */
#include <signal.h>
#include <stdlib.h>
#include "abi/process.h"
#include "effects.h"
#include "life.h"
#include "signals.h"
#include "timers.h"
#include "wait.h"

uint32_t life_wait_status(uint32_t status)
{
	switch (status) {
	case STATUS_FAULT:
	case STATUS_UPCALL:
		return SIGSEGV;
	case STATUS_OUT_OF_MEMORY:
	case STATUS_BUDGET:
		return SIGKILL;
	default:
		return status & 0xffff;
	}
}

/* What the parent of a dead process is sent. */
static struct signal_info child_signal(const struct process *child)
{
	uint32_t status = child->status;
	return (struct signal_info){
		.signal = (int32_t)child->exit_signal, .pid = child->pid,
		.code = status & 0x7f ? (status & 0x80 ? CLD_DUMPED : CLD_KILLED) : CLD_EXITED,
		.value = status & 0x7f ? status & 0x7f : status >> 8 & 0xff,
		.user_time = child->used.user, .system_time = child->used.system,
	};
}

static void hang_up_session(struct process *leader)
{
	uint32_t session = leader->session, foreground = leader->foreground;
	bool had_terminal = leader->terminal != 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		if (p->session == session && p->terminal) {
			p->terminal = 0;
			process_publish(p);
		}
	leader->foreground = 0;
	if (foreground) { /* of a terminal that was hung up meanwhile the group is told now, and to go on, as Linux does */
		struct signal_info hangup = { .signal = SIGHUP, .code = 0x80 }, resume = { .signal = SIGCONT, .code = 0x80 };
		signal_send_group(foreground, &hangup);
		if (!had_terminal)
			signal_send_group(foreground, &resume);
	}
}

/* A group that has just become orphaned with a stopped member is told, because nobody is left who would continue it */
static void check_orphaned(uint32_t group)
{
	if (group_exists(group) && group_has_stopped(group) && group_orphaned(group)) {
		struct signal_info hangup = { .signal = SIGHUP, .code = 0x80 }, resume = { .signal = SIGCONT, .code = 0x80 };
		signal_send_group(group, &hangup);
		signal_send_group(group, &resume);
	}
}

/* A dead child that nobody waited for: init does not either; another heir is told as if the child died now. */
static void adopt_zombie(struct process *child, struct process *heir)
{
	if (heir->pid == 1 || (heir->child_rules & PROC_CHILDREN_NO_ZOMBIE)) {
		wait_reap(child, false);
		return;
	}
	struct signal_info info = child_signal(child);
	wait_child_changed(child);
	signal_send(heir, &info, 0);
}

static void give_children_away(struct process *process)
{
	struct process *heir = process->parent, *child;
	while (heir && heir->pid != 1 && !(heir->subreaper && heir->state != PROCESS_STATE_ZOMBIE))
		heir = heir->parent;
	if (!heir)
		heir = process_find(1);
	while ((child = process->first_child)) {
		uint32_t group = child->group;
		bool other = group != process->group && child->session == process->session;
		bool before = other && group_orphaned(group);
		process_set_parent(child, heir);
		if (child->death_signal && child->state != PROCESS_STATE_ZOMBIE) {
			struct signal_info info = { .signal = (int32_t)child->death_signal, .pid = process->pid };
			signal_send(child, &info, 0);
		}
		child->exit_signal = SIGCHLD;
		if (child->state == PROCESS_STATE_ZOMBIE)
			adopt_zombie(child, heir);
		else if (!effect_has_threads(child))
			effect_kill(child, SIGKILL); /* forked but never started */
		if (other && !before)
			check_orphaned(group);
	}
}

void life_ended(struct process *process, uint32_t status)
{
	struct process *parent = process->parent;
	uint32_t pid = process->pid, group = process->group, exit_signal = process->exit_signal;
	bool was_orphaned = group_orphaned(group);

	process->state = PROCESS_STATE_ZOMBIE;
	process->status = status;
	struct signal_info info = child_signal(process);
	timers_forget(process, true);
	process->pending = 0;
	process_publish(process);
	effect_release(process);
	wait_forget(process);
	if ((process->flags & PROCESS_SLOT_LEADER) && pid != 1)
		hang_up_session(process);
	give_children_away(process);
	if (!was_orphaned)
		check_orphaned(group);

	while (process->exit_replies) {
		struct pending_reply *first = process->exit_replies;
		uint64_t words[7] = { status };
		process->exit_replies = first->next;
		effect_answer(first->reply, 0, words);
		free(first);
	}
	if (!parent || parent->pid == 1) {
		wait_reap(process, false);
		return;
	}
	if (parent->child_rules & PROC_CHILDREN_NO_ZOMBIE) {
		wait_reap(process, false);
		wait_check_childless(parent);
	} else
		wait_child_changed(process);
	if (exit_signal)
		signal_send(parent, &info, 0);
}
