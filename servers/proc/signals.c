/*
 * Signals; signals.h. A pending signal is a bit in the process's mask, which is copied to its slot of the shared table before the process is
 * interrupted: whoever the interrupt finds sees the bit. Handlers, masks and default actions are the library's; SIGKILL, SIGSTOP and SIGCONT are
 * done here without its help.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "effects.h"
#include "signals.h"
#include "timers.h"
#include "wait.h"

#define STOP_SIGNALS (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))

void signal_publish(struct process *process)
{
	__atomic_store_n(&process_slots[process->slot].thread_signals, process->thread_queue_length + (process->limits_changed != 0), __ATOMIC_SEQ_CST);
	__atomic_store_n(&process_slots[process->slot].pending, process->pending, __ATOMIC_SEQ_CST);
}

static void drop_from(struct queued_signal **place, uint32_t *length, uint64_t signals)
{
	for (struct queued_signal *queued; (queued = *place);) {
		if (signals & SIGNAL_BIT(queued->info.signal)) {
			*place = queued->next;
			extra_free(queued, sizeof *queued);
			--*length;
		} else
			place = &queued->next;
	}
}

static void drop(struct process *process, uint64_t signals)
{
	drop_from(&process->queue, &process->queue_length, signals);
	drop_from(&process->thread_queue, &process->thread_queue_length, signals);
	process->pending &= ~signals;
	signal_publish(process);
}

static bool may_queue(const struct process *process)
{
	return process->queue_length + process->thread_queue_length < process->queue_limit;
}

/* For one thread: it waits here until the library takes it there. */
static int enqueue_thread(struct process *process, const struct signal_info *info, uint32_t thread)
{
	struct queued_signal **place = &process->thread_queue, *queued;
	for (; (queued = *place); place = &queued->next)
		if (queued->thread == thread && queued->info.signal == info->signal && info->signal < SIGNAL_REALTIME_FIRST)
			return 0;
	queued = may_queue(process) ? extra_alloc(sizeof *queued) : NULL;
	if (!queued)
		return -EAGAIN;
	*queued = (struct queued_signal){ NULL, *info, thread };
	*place = queued;
	process->thread_queue_length++;
	signal_publish(process);
	return 0;
}

static int enqueue(struct process *process, const struct signal_info *info)
{
	uint64_t bit = SIGNAL_BIT(info->signal);
	if (info->signal < SIGNAL_REALTIME_FIRST) {
		if (process->pending & bit)
			return 0;
		process->standard[info->signal] = *info;
	} else {
		struct queued_signal *queued = may_queue(process) ? extra_alloc(sizeof *queued) : NULL;
		if (!queued && info->code != SI_USER)
			return -EAGAIN; /* kill's arrives without information, once */
		if (queued) {
			*queued = (struct queued_signal){ NULL, *info, 0 };
			struct queued_signal **place = &process->queue;
			while (*place)
				place = &(*place)->next;
			*place = queued;
			process->queue_length++;
		}
	}
	process->pending |= bit;
	signal_publish(process);
	return 0;
}

static void tell_parent(struct process *process, int32_t code, uint32_t status)
{
	struct process *parent = process->parent;
	if (!parent || (parent->child_rules & PROC_CHILDREN_NO_STOP_SIGNAL))
		return;
	struct signal_info info = { .signal = SIGCHLD, .code = code, .pid = process->pid, .value = status };
	signal_send(parent, &info, 0);
}

static void stop(struct process *process, uint32_t signal)
{
	if (process->state != PROCESS_STATE_RUNNING)
		return;
	process->state = PROCESS_STATE_STOPPED;
	process->stop_signal = signal;
	process->stop_unreported = true;
	process->continue_unreported = false;
	process_publish(process);
	effect_suspend(process);
	wait_child_changed(process);
	tell_parent(process, CLD_STOPPED, signal);
}

static void resume(struct process *process)
{
	if (process->state != PROCESS_STATE_STOPPED)
		return;
	process->state = PROCESS_STATE_RUNNING;
	process->stop_unreported = false;
	process->continue_unreported = true;
	process_publish(process);
	effect_resume(process);
	while (process->stop_replies) {
		struct pending_reply *first = process->stop_replies;
		process->stop_replies = first->next;
		effect_answer(first->reply, 0, NULL);
		free(first);
	}
	wait_child_changed(process);
	tell_parent(process, CLD_CONTINUED, SIGCONT);
}

int signal_send(struct process *process, const struct signal_info *info, uint32_t thread)
{
	if (info->signal < 0 || info->signal > SIGNAL_COUNT)
		return -EINVAL;
	if (info->signal == 0 || process->state == PROCESS_STATE_ZOMBIE || process->pid == 1)
		return 0;
	switch (info->signal) {
	case SIGKILL:
		effect_kill(process, SIGKILL);
		return 0;
	case SIGSTOP:
		drop(process, SIGNAL_BIT(SIGCONT));
		stop(process, SIGSTOP);
		return 0;
	case SIGCONT:
		drop(process, STOP_SIGNALS);
		process->stop_taken = 0;
		resume(process);
		break;
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		drop(process, SIGNAL_BIT(SIGCONT));
		break;
	}
	if (process->ignored & SIGNAL_BIT(info->signal))
		return 0;
	int error = thread ? enqueue_thread(process, info, thread) : enqueue(process, info);
	if (!error)
		effect_interrupt(process);
	return error;
}

int signal_send_group(uint32_t group, const struct signal_info *info)
{
	int result = -ESRCH;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		if (p->group != group)
			continue;
		int error = signal_send(p, info, 0);
		if (error == -EINVAL)
			return error;
		if (result != 0)
			result = error;
	}
	return result;
}

int signal_send_selected(struct process *caller, int64_t pid, const struct signal_info *info, uint32_t thread)
{
	if (info->signal < 0 || info->signal > SIGNAL_COUNT)
		return -EINVAL;
	if (pid > 0) {
		struct process *process = pid < PID_MAX ? process_find((uint32_t)pid) : NULL;
		return process ? signal_send(process, info, thread) : -ESRCH;
	}
	if (pid == 0)
		return caller ? signal_send_group(caller->group, info) : -ESRCH;
	if (pid < -1)
		return pid > -(int64_t)PID_MAX ? signal_send_group((uint32_t)-pid, info) : -ESRCH;
	int result = -ESRCH;
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		if (p->pid != 1 && p != caller) {
			signal_send(p, info, 0);
			result = 0;
		}
	return result;
}

bool signal_take(struct process *process, uint64_t blocked, struct signal_info *info)
{
	uint64_t ready = process->pending & ~blocked;
	if (!ready)
		return false;
	int signal = __builtin_ctzl(ready) + 1;
	uint64_t bit = SIGNAL_BIT(signal);
	bool more = false;
	if (signal < SIGNAL_REALTIME_FIRST)
		*info = process->standard[signal];
	else {
		bool found = false;
		*info = (struct signal_info){ .signal = signal, .code = SI_USER };
		for (struct queued_signal **place = &process->queue, *queued; (queued = *place);) {
			if (queued->info.signal == signal && !found) {
				*info = queued->info;
				*place = queued->next;
				extra_free(queued, sizeof *queued);
				process->queue_length--;
				found = true;
				continue;
			}
			more = more || queued->info.signal == signal;
			place = &queued->next;
		}
	}
	if (!more)
		process->pending &= ~bit;
	if (bit & STOP_SIGNALS)
		process->stop_taken |= bit;
	signal_publish(process);
	timer_signal_taken(process, info);
	return true;
}

uint32_t signal_take_thread(struct process *process, struct signal_info *info)
{
	struct queued_signal *queued = process->thread_queue;
	if (!queued)
		return 0;
	uint32_t thread = queued->thread;
	*info = queued->info;
	process->thread_queue = queued->next;
	process->thread_queue_length--;
	extra_free(queued, sizeof *queued);
	if (SIGNAL_BIT(info->signal) & STOP_SIGNALS)
		process->stop_taken |= SIGNAL_BIT(info->signal);
	signal_publish(process);
	timer_signal_taken(process, info);
	return thread;
}

static bool is_of_timer(const struct signal_info *info, uint32_t number)
{
	return info->code == SI_TIMER && info->pid == number;
}

bool signal_timer_waits(const struct process *process, uint32_t number)
{
	for (int signal = 1; signal < SIGNAL_REALTIME_FIRST; signal++)
		if ((process->pending & SIGNAL_BIT(signal)) && is_of_timer(&process->standard[signal], number))
			return true;
	const struct queued_signal *queued;
	for (queued = process->queue; queued; queued = queued->next)
		if (is_of_timer(&queued->info, number))
			return true;
	for (queued = process->thread_queue; queued; queued = queued->next)
		if (is_of_timer(&queued->info, number))
			return true;
	return false;
}

void signal_set_ignored(struct process *process, uint64_t ignored)
{
	process->ignored = ignored & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
	drop(process, process->ignored & process->pending);
}

bool signal_stop_self(struct process *process, uint32_t signal, uint32_t reply)
{
	uint64_t bit = signal >= 1 && signal <= SIGNAL_COUNT ? SIGNAL_BIT(signal) : 0;
	if (!(bit & STOP_SIGNALS))
		return false;
	bool taken = process->stop_taken & bit;
	process->stop_taken &= ~bit;
	/* a SIGCONT that came after the signal was taken cancels the stop */
	if (signal != SIGSTOP && (!taken || group_orphaned(process->group)))
		return false;
	struct pending_reply *pending = malloc(sizeof *pending);
	if (!pending)
		return false;
	*pending = (struct pending_reply){ process->stop_replies, reply };
	process->stop_replies = pending;
	stop(process, signal);
	return true;
}

static void put(unsigned char *bytes, size_t offset, uint64_t value, size_t size)
{
	memcpy(bytes + offset, &value, size); /* little-endian ports only */
}

void signal_info_encode(const struct signal_info *info, unsigned char bytes[128])
{
	memset(bytes, 0, 128);
	put(bytes, 0, (uint32_t)info->signal, 4);
	put(bytes, 8, (uint32_t)info->code, 4);
	put(bytes, 16, info->pid, 4);
	put(bytes, 20, info->user, 4);
	if (info->signal == SIGCHLD && info->code > 0) {
		put(bytes, 24, info->value, 4);
		put(bytes, 32, info->user_time / 10000000, 8); /* clock ticks of 10 ms */
		put(bytes, 40, info->system_time / 10000000, 8);
	} else
		put(bytes, 24, info->value, 8);
}
