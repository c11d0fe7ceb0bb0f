/* The table of processes; process.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "job.h"
#include "process.h"
#include "timers.h"

struct process_slot *process_slots;
struct process *process_by_slot[PROCESS_SLOTS];
#define COMMAND_SHORT 256u
static struct process *by_pid[PID_MAX];
static uint16_t group_members[PID_MAX], session_members[PID_MAX];
static uint32_t last_pid = 1, last_serial;
static uint32_t living; /* processes but init and zombies: slot 0 of the table tells how many */
static uint32_t slots_end; /* every used slot lies below: sweeps end here */

static bool pid_in_use(uint32_t pid)
{
	return by_pid[pid] || group_members[pid] || session_members[pid];
}

static uint32_t choose_pid(void)
{
	for (uint32_t tries = 0; tries < PID_MAX; tries++) {
		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
		if (!pid_in_use(last_pid))
			return last_pid;
	}
	return 0;
}

/* The lowest free one, which keeps the table's used part short. Slot 0 is never used: a badge with pid and slot 0 would be hard to tell from none. */
static uint32_t choose_slot(void)
{
	for (uint32_t slot = 1; slot < PROCESS_SLOTS; slot++) {
		if (process_by_slot[slot])
			continue;
		if (slot >= slots_end)
			slots_end = slot + 1;
		return slot;
	}
	return 0;
}

static void join(struct process *process, uint32_t group, uint32_t session)
{
	group_members[group]++;
	session_members[session]++;
	process->group = group;
	process->session = session;
}

static void leave(struct process *process)
{
	group_members[process->group]--;
	session_members[process->session]--;
}

static void rejoin(struct process *process, uint32_t group, uint32_t session)
{
	leave(process);
	join(process, group, session);
	process_publish(process);
}

static void count(struct process *process, bool alive)
{
	if (alive != process->counted)
		__atomic_store_n(&process_head()->living, alive ? ++living : --living, __ATOMIC_RELAXED);
	process->counted = alive;
}

void process_publish(struct process *process)
{
	count(process, process->state != PROCESS_STATE_ZOMBIE && process->pid != 1);
	struct process_slot *slot = &process_slots[process->slot];
	slot->parent = process->parent ? process->parent->pid : 0;
	slot->group = process->group;
	slot->session = process->session;
	slot->flags = process->flags | (process->state == PROCESS_STATE_ZOMBIE ? PROCESS_SLOT_ZOMBIE : 0) |
		(process->state == PROCESS_STATE_STOPPED ? PROCESS_SLOT_STOPPED : 0);
	slot->terminal = process->terminal;
	memcpy(slot->name, process->name, sizeof slot->name);
	slot->start_time = process->start_time;
	slot->thread_signals = process->thread_queue_length + (process->limits_changed != 0);
	__atomic_store_n(&slot->pending, process->pending, __ATOMIC_SEQ_CST);
	__atomic_store_n(&slot->pid, process->pid, __ATOMIC_SEQ_CST);
}

static struct process *make(uint32_t pid, uint64_t now)
{
	uint32_t slot = choose_slot();
	struct process *process = slot ? calloc(1, sizeof *process) : NULL;
	if (!process)
		return NULL;
	process->pid = pid;
	process->slot = slot;
	process->handle = process->end_event = HANDLE_NONE;
	process->serial = ++last_serial;
	process->start_time = now;
	process->queue_limit = SIGNAL_QUEUE_MAX;
	if (pid > 1)
		process_head()->last_pid = pid;
	by_pid[pid] = process_by_slot[slot] = process;
	memset(&process_slots[slot], 0, sizeof process_slots[slot]);
	return process;
}

bool process_table_start(uint64_t now)
{
	struct process *init = make(1, now);
	if (!init)
		return false;
	memcpy(init->name, "init", 5);
	join(init, 1, 1);
	init->flags = PROCESS_SLOT_LEADER | PROCESS_SLOT_EXECED;
	process_publish(init);
	return true;
}

static size_t extra_bytes, extra_most = SIZE_MAX;

void extra_limit(size_t bytes)
{
	extra_most = bytes;
}

void *extra_alloc(size_t size)
{
	void *memory = extra_bytes <= extra_most && size <= extra_most - extra_bytes ? calloc(1, size) : NULL;
	if (memory)
		extra_bytes += size;
	return memory;
}

void extra_free(void *memory, size_t size)
{
	if (memory)
		extra_bytes -= size;
	free(memory);
}

static size_t command_bytes, command_most = SIZE_MAX;

void process_command_limit(size_t bytes)
{
	command_most = bytes;
}

void process_set_command(struct process *process, const char *command, size_t length)
{
	char *copy = NULL;
	command_bytes -= process->command_length;
	if (command && length > COMMAND_SHORT && (command_bytes > command_most || length > command_most - command_bytes))
		length = COMMAND_SHORT;
	if (command && (copy = malloc(length + 1)))
		memcpy(copy, command, length);
	free(process->command);
	process->command = copy;
	process->command_length = copy ? length : 0;
	command_bytes += process->command_length;
}

struct process *process_create_child(struct process *parent, uint64_t now)
{
	struct job *job;
	if (!job_enter(parent->job, parent->flags & PROCESS_SLOT_LEADER, &job))
		return NULL;
	uint32_t pid = choose_pid();
	struct process *process = pid ? make(pid, now) : NULL;
	if (!process) {
		job_leave(job);
		return NULL;
	}
	process->job = job;
	join(process, parent->group, parent->session);
	process->terminal = parent->terminal;
	process->ignored = parent->ignored;
	process->child_rules = parent->child_rules;
	process->nice = parent->nice;
	process->queue_limit = parent->queue_limit;
	memcpy(process->name, parent->name, sizeof process->name);
	if (parent->path)
		process->path = strdup(parent->path);
	process_set_command(process, parent->command, parent->command_length);
	process_set_parent(process, parent);
	process_publish(process);
	return process;
}

struct process *process_find(uint32_t pid)
{
	return pid > 0 && pid < PID_MAX ? by_pid[pid] : NULL;
}

struct process *process_of_badge(uint64_t badge)
{
	struct process *process = process_find(PROCESS_BADGE_PID(badge));
	return process && process->slot == PROCESS_BADGE_SLOT(badge) && process->state != PROCESS_STATE_ZOMBIE ? process : NULL;
}

static void unlink_from_parent(struct process *process)
{
	if (!process->parent)
		return;
	if (process->previous_sibling)
		process->previous_sibling->next_sibling = process->next_sibling;
	else
		process->parent->first_child = process->next_sibling;
	if (process->next_sibling)
		process->next_sibling->previous_sibling = process->previous_sibling;
	process->parent = process->next_sibling = process->previous_sibling = NULL;
}

void process_set_parent(struct process *process, struct process *parent)
{
	unlink_from_parent(process);
	process->parent = parent;
	process->next_sibling = parent->first_child;
	if (parent->first_child)
		parent->first_child->previous_sibling = process;
	parent->first_child = process;
	process_publish(process);
}

static void free_replies(struct pending_reply *list)
{
	while (list) {
		struct pending_reply *next = list->next;
		free(list);
		list = next;
	}
}

static void free_signals(struct queued_signal *list)
{
	while (list) {
		struct queued_signal *next = list->next;
		free(list);
		list = next;
	}
}

void process_remove(struct process *process)
{
	unlink_from_parent(process);
	leave(process);
	count(process, false);
	by_pid[process->pid] = process_by_slot[process->slot] = NULL;
	while (slots_end > 0 && !process_by_slot[slots_end - 1])
		slots_end--;
	__atomic_store_n(&process_slots[process->slot].pid, 0, __ATOMIC_SEQ_CST);
	memset(&process_slots[process->slot], 0, sizeof(struct process_slot));
	free_signals(process->queue);
	free_signals(process->thread_queue);
	timers_forget(process, true);
	free_replies(process->stop_replies);
	free_replies(process->exit_replies);
	job_leave(process->job);
	free(process->path);
	process_set_command(process, NULL, 0);
	free(process);
}

struct process *process_next(const struct process *process)
{
	for (uint32_t slot = process ? process->slot + 1 : 0; slot < slots_end; slot++)
		if (process_by_slot[slot])
			return process_by_slot[slot];
	return NULL;
}

/* -- groups and sessions */

bool group_exists(uint32_t group)
{
	return group > 0 && group < PID_MAX && group_members[group];
}

int process_set_group(struct process *caller, uint32_t pid, uint32_t group)
{
	struct process *process = pid ? process_find(pid) : caller;
	if ((int32_t)group < 0)
		return -EINVAL;
	if (!process || process->state == PROCESS_STATE_ZOMBIE || (process != caller && process->parent != caller))
		return -ESRCH;
	if (process != caller) {
		if (process->session != caller->session)
			return -EPERM;
		if (process->flags & PROCESS_SLOT_EXECED)
			return -EACCES;
	}
	if (process->flags & PROCESS_SLOT_LEADER)
		return -EPERM;
	if (!group)
		group = process->pid;
	if (group != process->pid) {
		bool found = false;
		for (struct process *p = process_next(NULL); p && !found; p = process_next(p))
			found = p->group == group && p->session == caller->session;
		if (!found)
			return -EPERM;
	}
	rejoin(process, group, process->session);
	return 0;
}

int process_set_session(struct process *caller)
{
	if (group_members[caller->pid])
		return -EPERM;
	process_lead_session(caller);
	return (int)caller->session;
}

void process_lead_session(struct process *process)
{
	process->flags |= PROCESS_SLOT_LEADER;
	process->terminal = 0;
	process->foreground = 0;
	rejoin(process, process->pid, process->pid);
}

bool group_orphaned(uint32_t group)
{
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		if (p->group == group && p->state != PROCESS_STATE_ZOMBIE && p->parent && p->parent->pid != 1 &&
			p->parent->group != group && p->parent->session == p->session)
			return false;
	return true;
}

bool group_has_stopped(uint32_t group)
{
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		if (p->group == group && p->state == PROCESS_STATE_STOPPED)
			return true;
	return false;
}
