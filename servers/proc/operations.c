/*
 * The operations of process_protocol.h: each checks its words, then calls the pure code. The caller is whom the badge names; a badge of no process
 * of ours (a server) may only do what the privileged port allows.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/process_protocol.h"
#include "carillon/runtime.h"
#include "effects.h"
#include "files.h"
#include "inside.h"
#include "life.h"
#include "operations.h"
#include "robust.h"
#include "signals.h"
#include "timers.h"
#include "wait.h"

#define COMMAND_MAX 4096u

handle_t proc_listener, proc_watch_port;

static uint64_t now(void)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
}

static void alarm_expired(void *context)
{
	(void)context;
	timers_expire(now());
	load_sample(now());
	proc_set_alarm();
}

void proc_set_alarm(void)
{
	uint64_t next = timers_next(), sample = load_next();
	if (!next || sample < next)
		next = sample;
	server_set_alarm(next ? next : DEADLINE_NEVER, alarm_expired, NULL);
}

uint64_t proc_dead_user, proc_started; /* for /proc/stat */

/* A traced process tells its own end (linux/trace), unless it was killed without being asked. */
static void trace_killed(const struct process *process, uint32_t wait_status)
{
	handle_t trace = record_handle(BOOT_NAME_TRACE);
	char line[64];
	if (trace == HANDLE_NONE || (wait_status & 0x7f) != SIGKILL)
		return;
	bool alone = process_head()->living < 2;
	int length = alone ? 0 : snprintf(line, sizeof line, "[pid %u] ", process->pid);
	length += snprintf(line + length, sizeof line - (size_t)length, "+++ killed by SIGKILL +++\n");
	(void)description_write(trace, line, (size_t)length);
}

void proc_death(uint64_t word, uint32_t status)
{
	struct process *process = process_of_badge(word);
	if (!process)
		return;
	effect_used(process, &process->used);
	process->used.peak = effect_peak(process);
	proc_dead_user += process->used.user;
	robust_release(process);
	trace_killed(process, life_wait_status(status));
	if (process->end_event != HANDLE_NONE) { /* who asks what has happened is answered after this */
		(void)event_update(process->end_event, 0, READY_IN);
		handle_close(process->end_event);
		process->end_event = HANDLE_NONE;
	}
	bool had_timer = process->timers != NULL;
	life_ended(process, life_wait_status(status));
	if (had_timer)
		proc_set_alarm();
}

/* Takes a process handle in: badge, watch. 0 or an error; the handle is the process's in every case. */
static int64_t adopt(struct process *process, handle_t handle)
{
	uint64_t badge = PROCESS_BADGE(process->pid, process->slot);
	process->handle = handle;
	int64_t error = process_set_badge(handle, badge);
	return error < 0 ? error : process_watch(handle, proc_watch_port, badge);
}

/* The kernel's log and trace know it by the same name. They are not worth failing for. */
static void name_kernel(const struct process *process)
{
	(void)process_set_name(process->handle, process->name, strlen(process->name));
}

/* What fork and registering share. 0, or an error with nothing left of the new process's entry. */
static int64_t enter(struct server_request *request, struct process *parent, struct process **result)
{
	if (request->handle_count < 1)
		return -EINVAL;
	struct process *child = process_create_child(parent, now());
	if (!child)
		return -EAGAIN;
	int64_t error = adopt(child, server_take_handle(request, 0));
	if (error < 0) {
		effect_release(child);
		process_remove(child);
		return error == -EBUSY ? -EINVAL : error;
	}
	request->reply_word[1] = child->slot;
	proc_started++;
	*result = child;
	return child->pid;
}

static int64_t do_fork(struct server_request *request, struct process *caller)
{
	uint32_t flags = (uint32_t)request->word[1], exit_signal = (uint32_t)request->word[2];
	struct process *child;
	if (exit_signal > SIGNAL_COUNT)
		return -EINVAL;
	int64_t result = enter(request, caller, &child);
	if (result > 0) {
		child->exit_signal = exit_signal;
		if (request->word[3])
			child->nice = (int32_t)request->word[3] - 21;
		if (caller->timers) {
			(void)timers_inherit(child, caller);
			proc_set_alarm();
		}
		if ((flags & PROC_FORK_PARENT) && caller->parent) {
			child->exit_signal = caller->exit_signal;
			process_set_parent(child, caller->parent);
		}
	}
	return result;
}

static int64_t do_register(struct server_request *request, struct process *caller)
{
	(void)caller;
	struct process *child, *parent = process_find((uint32_t)request->word[1] ? (uint32_t)request->word[1] : 1);
	if (!parent || parent->state == PROCESS_STATE_ZOMBIE)
		return -ESRCH;
	int64_t result = enter(request, parent, &child);
	if (result > 0) {
		memcpy(child->name, &request->word[2], sizeof child->name);
		child->name[sizeof child->name - 1] = 0;
		name_kernel(child);
		free(child->path);
		child->path = NULL;
		process_set_command(child, NULL, 0);
		child->exit_signal = SIGCHLD;
		child->ignored = 0;
		child->child_rules = 0;
		process_lead_session(child);
	}
	return result;
}

static int64_t do_executed(struct server_request *request, struct process *caller)
{
	memcpy(caller->name, &request->word[1], sizeof caller->name);
	caller->name[sizeof caller->name - 1] = 0;
	name_kernel(caller);
	caller->flags |= PROCESS_SLOT_EXECED;
	caller->exit_signal = SIGCHLD;
	caller->limits_changed = 0; /* the new program has read them all */
	timers_forget(caller, false);
	proc_set_alarm();
	size_t size = request->size < COMMAND_MAX ? request->size : COMMAND_MAX;
	size_t path_length = request->word[3] < size ? request->word[3] : size;
	char *path = malloc(path_length + 1);
	if (path) { /* without memory /proc goes on telling the old */
		memcpy(path, request->data, path_length);
		path[path_length] = 0;
		free(caller->path);
		caller->path = path;
		process_set_command(caller, (const char *)request->data + path_length, size - path_length);
	}
	process_publish(caller);
	return 0;
}

/* The process of that pid; NULL: there is none, or not the one of that serial number. */
static struct process *find_serial(uint64_t pid, uint64_t serial)
{
	struct process *process = pid < PID_MAX ? process_find((uint32_t)pid) : NULL;
	return process && (!serial || process->serial == serial) ? process : NULL;
}

static int64_t do_describe(struct server_request *request, struct process *caller)
{
	struct process *process = request->word[1] ? find_serial(request->word[1], 0) : caller;
	if (!process)
		return -ESRCH;
	bool dead = process->state == PROCESS_STATE_ZOMBIE;
	int64_t event = process->end_event;
	if (event == HANDLE_NONE)
		event = event_create(dead ? READY_IN : 0, EVENT_MASK);
	if (event < 0)
		return event;
	if (!dead)
		process->end_event = (handle_t)event;
	int64_t given = handle_duplicate((handle_t)event, HANDLE_HIGH, RIGHT_READ | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0);
	if (dead)
		handle_close((handle_t)event);
	if (given < 0)
		return given;
	request->reply_word[1] = process->serial;
	server_reply_handle(request, (handle_t)given, true);
	return 0;
}

static int64_t do_forget(struct server_request *request, struct process *caller)
{
	struct process *child = find_serial(request->word[1], 0);
	if (!child || child->state == PROCESS_STATE_ZOMBIE || child->handle == HANDLE_NONE || effect_has_threads(child) ||
		(child->parent != caller && child->parent != caller->parent))
		return -ESRCH;
	if (child->end_event != HANDLE_NONE)
		handle_close(child->end_event);
	effect_release(child);
	process_remove(child);
	return 0;
}

static int64_t do_descriptor(struct server_request *request, struct process *caller)
{
	struct process *process = find_serial(request->word[1], request->word[3]);
	struct handle_found found;
	(void)caller;
	if (!process || process->state == PROCESS_STATE_ZOMBIE)
		return -ESRCH;
	if (request->word[2] >= HANDLE_HIGH || !files_descriptor(process, (uint32_t)request->word[2], &found))
		return -EBADF;
	server_reply_handle(request, found.handle, true);
	return 0;
}

static int64_t do_wait(struct server_request *request, struct process *caller)
{
	if (request->word[4] && !find_serial(request->word[1], request->word[4]))
		return -ECHILD;
	uint32_t options = (uint32_t)request->word[2];
	if (request->word[3] != 1)
		options |= WAIT_EXITED;
	int error = wait_request(caller, (int64_t)request->word[1], options, request->reply);
	return error ? error : SERVER_DEFERRED; /* answered already, or later */
}

static int64_t do_kill(struct server_request *request, struct process *caller)
{
	struct signal_info info = {
		.signal = (int32_t)request->word[2], .code = (int32_t)request->word[4], .pid = caller ? caller->pid : 0, .value = request->word[3],
	};
	if (info.code > 0)
		return -EPERM; /* only the kernel's and our own codes are positive */
	if (info.code < 0) {
		info.pid = (uint32_t)request->word[7];
		info.user = (uint32_t)(request->word[7] >> 32);
	}
	if (request->word[6] && !find_serial(request->word[1], request->word[6]))
		return -ESRCH;
	uint32_t thread = (uint32_t)request->word[5];
	struct process *target = thread && thread != request->word[1] ? process_find((uint32_t)request->word[1]) : NULL;
	if (target && target != caller && !robust_thread_exists(target, thread))
		return -ESRCH;
	return signal_send_selected(caller, (int64_t)request->word[1], &info, (uint32_t)request->word[5]);
}

static int64_t do_take_signal(struct server_request *request, struct process *caller)
{
	struct signal_info info;
	if (!signal_take(caller, request->word[1], &info))
		return 0;
	signal_info_encode(&info, request->reply_buffer);
	server_reply_bytes(request, request->reply_buffer, 128);
	return info.signal;
}

static int64_t do_set_group(struct server_request *request, struct process *caller)
{
	return process_set_group(caller, (uint32_t)request->word[1], (uint32_t)request->word[2]);
}

static int64_t do_set_session(struct server_request *request, struct process *caller)
{
	(void)request;
	return process_set_session(caller);
}

static int64_t do_get(struct server_request *request, struct process *caller)
{
	struct process *process = request->word[1] ? process_find((uint32_t)request->word[1]) : caller;
	if (!process || request->word[1] >= PID_MAX)
		return -ESRCH;
	request->reply_word[1] = process->parent ? process->parent->pid : 0;
	request->reply_word[2] = process->group;
	request->reply_word[3] = process->session;
	request->reply_word[4] = process->state;
	request->reply_word[5] = process->ignored;
	request->reply_word[6] = process->foreground;
	return 0;
}

static int64_t do_stop_self(struct server_request *request, struct process *caller)
{
	return signal_stop_self(caller, (uint32_t)request->word[1], request->reply) ? SERVER_DEFERRED : 0;
}

static int64_t do_set_child_rule(struct server_request *request, struct process *caller)
{
	caller->child_rules = (uint32_t)request->word[1];
	if (caller->child_rules & PROC_CHILDREN_NO_ZOMBIE)
		wait_check_childless(caller);
	return 0;
}

static int64_t do_set_timer(struct server_request *request, struct process *caller)
{
	int error = timer_arm(caller, (uint32_t)request->word[1], request->word[2], request->word[3], request->word[4], now(),
		&request->reply_word[1], &request->reply_word[2]);
	proc_set_alarm();
	return error;
}

static int64_t do_get_timer(struct server_request *request, struct process *caller)
{
	return timer_look(caller, (uint32_t)request->word[1], now(), &request->reply_word[1], &request->reply_word[2], &request->reply_word[3]);
}

static int64_t do_create_timer(struct server_request *request, struct process *caller)
{
	struct signal_info info = { .signal = (int32_t)request->word[2], .value = request->word[3] };
	uint32_t thread = (uint32_t)request->word[4];
	if (request->word[1] > PROC_CLOCK_THREAD || info.signal < 0 || info.signal > SIGNAL_COUNT)
		return -EINVAL;
	return timer_make(caller, (uint32_t)request->word[1], request->word[6], &info, thread, request->word[5]);
}

static int64_t do_delete_timer(struct server_request *request, struct process *caller)
{
	int error = timer_delete(caller, (uint32_t)request->word[1]);
	proc_set_alarm();
	return error;
}

static int64_t do_take_thread_signal(struct server_request *request, struct process *caller)
{
	struct signal_info info;
	if (caller->limits_changed) {
		request->reply_word[1] = caller->limits_changed;
		caller->limits_changed = 0;
		signal_publish(caller);
		return PROC_LIMITS_CHANGED;
	}
	request->reply_word[1] = signal_take_thread(caller, &info);
	if (!request->reply_word[1])
		return 0;
	signal_info_encode(&info, request->reply_buffer);
	server_reply_bytes(request, request->reply_buffer, 128);
	return info.signal;
}

static int64_t do_option(struct server_request *request, struct process *caller)
{
	bool set = request->word[2];
	uint64_t value = request->word[3];
	switch (request->word[1]) {
	case PROC_OPTION_DEATH_SIGNAL:
		request->reply_word[1] = caller->death_signal;
		if (set && value > SIGNAL_COUNT)
			return -EINVAL;
		if (set)
			caller->death_signal = (uint32_t)value;
		return 0;
	case PROC_OPTION_SUBREAPER:
		request->reply_word[1] = caller->subreaper;
		if (set)
			caller->subreaper = value;
		return 0;
	case PROC_OPTION_SIGNAL_LIMIT:
		request->reply_word[1] = caller->queue_limit;
		if (set)
			caller->queue_limit = value < SIGNAL_QUEUE_BOUND ? (uint32_t)value : SIGNAL_QUEUE_BOUND;
		return 0;
	default:
		return -EINVAL;
	}
}

/* RLIMIT_CPU: a signal at the soft limit and each second after it, the end at the hard one. */
static void limit_processor(struct process *process, const uint64_t limit[2])
{
	uint64_t left, period;
	for (unsigned i = 0; i < 2; i++) {
		uint64_t seconds = limit[i] ? limit[i] : 1, deadline = limit[i] > INT64_MAX / 1000000000 ? 0 : seconds * 1000000000;
		(void)timer_arm(process, i ? PROC_TIMER_CPU_HARD : PROC_TIMER_CPU_SOFT, deadline, i ? 0 : 1000000000, false, now(), &left, &period);
	}
	proc_set_alarm();
}

/* Limits are where the process itself keeps them (inside.h). What proc does not hold it to, the process is told to act on. */
static int64_t do_limit(struct server_request *request, struct process *caller)
{
	(void)caller;
	uint32_t resource = (uint32_t)request->word[2];
	uint64_t limit[2] = { request->word[4], request->word[5] };
	struct process *process = process_find(request->word[1] < PID_MAX ? (uint32_t)request->word[1] : 0);
	if (!process || process->state == PROCESS_STATE_ZOMBIE)
		return -ESRCH;
	if (!inside_limit(process, resource, request->word[3] ? limit : NULL, &request->reply_word[1]))
		return -EPERM;
	if (!request->word[3])
		return 0;
	if (resource == RLIMIT_CPU)
		limit_processor(process, limit);
	if (resource == RLIMIT_SIGPENDING)
		process->queue_limit = limit[0] < SIGNAL_QUEUE_BOUND ? (uint32_t)limit[0] : SIGNAL_QUEUE_BOUND;
	process->limits_changed |= 1u << resource;
	signal_publish(process);
	effect_interrupt(process);
	return 0;
}

/* Nice values: all programs run at one priority, so they are lengths of slices. */
static int64_t do_priority(struct server_request *request, struct process *caller)
{
	uint32_t which = (uint32_t)request->word[1], who = (uint32_t)request->word[2];
	int64_t value = (int64_t)request->word[4], best = 20;
	bool set = request->word[3];
	if (which > 2)
		return -EINVAL;
	if (!who)
		who = which == 0 ? caller->pid : which == 1 ? caller->group : 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		if (p->state == PROCESS_STATE_ZOMBIE || !(which == 0 ? p->pid == who : which == 1 ? p->group == who : who == 0))
			continue;
		if (set) {
			p->nice = (int32_t)(value < -20 ? -20 : value > 19 ? 19 : value);
			effect_slice(p);
		}
		best = p->nice < best ? p->nice : best;
	}
	request->reply_word[1] = (uint64_t)(20 - best);
	return best == 20 ? -ESRCH : 0;
}

static int64_t do_processors(struct server_request *request, struct process *caller)
{
	(void)caller;
	struct process *process = process_find(request->word[1] < PID_MAX ? (uint32_t)request->word[1] : 0);
	if (!process)
		return -ESRCH;
	int64_t mask = effect_processors(process, request->word[2]);
	if (mask < 0)
		return mask;
	request->reply_word[1] = (uint64_t)mask;
	return 0;
}

static int64_t do_times(struct server_request *request, struct process *caller)
{
	struct process *process = request->word[1] ? process_find((uint32_t)request->word[1]) : caller;
	struct used used;
	if (!process || request->word[1] >= PID_MAX)
		return -ESRCH;
	effect_used(process, &used);
	request->reply_word[1] = used.user;
	request->reply_word[2] = used.system;
	request->reply_word[3] = process->children.user;
	request->reply_word[4] = process->children.system;
	request->reply_word[5] = process->children.peak;
	request->reply_word[6] = process->children.page_faults;
	request->reply_word[7] = (uint32_t)process->children.waits | process->children.preemptions << 32;
	return 0;
}

static int64_t do_set_mask(struct server_request *request, struct process *caller)
{
	signal_set_ignored(caller, request->word[1]);
	return 0;
}

static int64_t do_signal_group(struct server_request *request, struct process *caller)
{
	(void)caller;
	struct signal_info info = { .signal = (int32_t)request->word[2], .code = 0x80 /* SI_KERNEL */ };
	if (info.signal < 0 || info.signal > SIGNAL_COUNT)
		return -EINVAL;
	return request->word[1] < PID_MAX ? signal_send_group((uint32_t)request->word[1], &info) : -ESRCH;
}

static int64_t do_set_terminal(struct server_request *request, struct process *caller)
{
	(void)caller;
	uint32_t session = (uint32_t)request->word[1], device = (uint32_t)request->word[2];
	struct process *leader = process_find(session);
	bool found = false;
	if (request->word[4]) { /* from one process alone */
		struct process *process = process_find(request->word[4] < PID_MAX ? (uint32_t)request->word[4] : 0);
		if (!process)
			return -ESRCH;
		process->terminal = 0;
		process_publish(process);
		return 0;
	}
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		if (p->session != session || p->state == PROCESS_STATE_ZOMBIE)
			continue;
		p->terminal = device;
		process_publish(p);
		found = true;
	}
	if (leader && leader->session == session)
		leader->foreground = (uint32_t)request->word[3];
	return found ? 0 : -ESRCH;
}

static int64_t do_watch_exit(struct server_request *request, struct process *caller)
{
	(void)caller;
	struct process *process = process_find((uint32_t)request->word[1]);
	if (!process || process->pid == 1)
		return -ESRCH;
	if (process->state == PROCESS_STATE_ZOMBIE) {
		request->reply_word[1] = process->status;
		return 0;
	}
	struct pending_reply *pending = malloc(sizeof *pending);
	if (!pending)
		return -ENOMEM;
	*pending = (struct pending_reply){ process->exit_replies, server_defer(request) };
	process->exit_replies = pending;
	return SERVER_DEFERRED;
}

static int64_t do_kill_all(struct server_request *request, struct process *caller)
{
	(void)request;
	int64_t count = 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p))
		if (p->pid != 1 && p != caller && p->state != PROCESS_STATE_ZOMBIE) {
			effect_kill(p, SIGKILL);
			count++;
		}
	return count;
}

static int64_t do_group_orphaned(struct server_request *request, struct process *caller)
{
	(void)caller;
	return request->word[1] < PID_MAX && group_exists((uint32_t)request->word[1]) ? group_orphaned((uint32_t)request->word[1]) : -ESRCH;
}

static int64_t do_set_name(struct server_request *request, struct process *caller)
{
	memcpy(caller->name, &request->word[1], sizeof caller->name);
	caller->name[sizeof caller->name - 1] = 0;
	name_kernel(caller);
	process_publish(caller);
	return 0;
}

typedef int64_t operation(struct server_request *request, struct process *caller);
static operation *const ordinary[] = {
	[PROC_FORK] = do_fork, [PROC_EXECED] = do_executed, [PROC_WAIT] = do_wait, [PROC_KILL] = do_kill, [PROC_TAKE_SIGNAL] = do_take_signal,
	[PROC_SET_GROUP] = do_set_group, [PROC_SET_SESSION] = do_set_session, [PROC_GET] = do_get, [PROC_STOP_SELF] = do_stop_self,
	[PROC_SET_CHILD_RULE] = do_set_child_rule, [PROC_SET_TIMER] = do_set_timer,
	[PROC_TAKE_THREAD_SIGNAL] = do_take_thread_signal, [PROC_CREATE_TIMER] = do_create_timer, [PROC_GET_TIMER] = do_get_timer,
	[PROC_DELETE_TIMER] = do_delete_timer, [PROC_OPTION] = do_option, [PROC_PRIORITY] = do_priority, [PROC_TIMES] = do_times, [PROC_SET_MASK] = do_set_mask, [PROC_SET_NAME] = do_set_name, [PROC_LIMIT] = do_limit,
	[PROC_PROCESSORS] = do_processors,
	[PROC_FORGET] = do_forget, [PROC_DESCRIBE] = do_describe, [PROC_DESCRIPTOR] = do_descriptor,
};
static operation *const privileged[] = {
	[PROC_REGISTER - PROC_REGISTER] = do_register, [PROC_SIGNAL_GROUP - PROC_REGISTER] = do_signal_group,
	[PROC_SET_TERMINAL - PROC_REGISTER] = do_set_terminal, [PROC_WATCH_EXIT - PROC_REGISTER] = do_watch_exit,
	[PROC_KILL_ALL - PROC_REGISTER] = do_kill_all, [PROC_GROUP_ORPHANED - PROC_REGISTER] = do_group_orphaned,
};

int64_t proc_request(struct server_request *request)
{
	uint64_t number = request->word[0];
	bool is_system = request->port_data == PROCESS_PORT_SYSTEM;
	struct process *caller = process_of_badge(request->badge);
	if (number < sizeof ordinary / sizeof *ordinary && ordinary[number]) {
		if (!caller && !(is_system && (number == PROC_KILL || (number == PROC_GET && request->word[1]))))
			return -ESRCH;
		return ordinary[number](request, caller);
	}
	number -= PROC_REGISTER;
	if (number < sizeof privileged / sizeof *privileged && privileged[number])
		return is_system ? privileged[number](request, caller) : -EPERM;
	return -ENOSYS;
}
