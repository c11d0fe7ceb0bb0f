/*
 * New threads and processes: clone, clone3, fork, vfork.
 *
 *   thread  a new block and library stack in this space; registers copied from the caller's block with result 0 and the given stack
 *   fork    space_clone; the child's first thread starts at linux_fork_entry on the caller's block and library stack, both cloned
 *   vfork   the same space, a new block and a new struct linux_process; the caller waits until the child executes or ends.
 *           The wait is a channel whose only sender is in the child's table, marked close-on-exec: the kernel drops it at either event
 *   CLONE_VM without CLONE_VFORK   the same without the wait: a companion, whose structures are freed at the next such call after it has left
 *   CLONE_VFORK without CLONE_VM   a fork with the wait
 *
 * What is not offered is an error: name spaces, signal actions shared between processes (CLONE_SIGHAND without CLONE_THREAD). Without meaning
 * here are CLONE_PTRACE and CLONE_UNTRACED (there is no tracer), CLONE_IO (no priorities of devices), CLONE_SYSVSEM (no such semaphores).
 *
 * Order: nearly everything that can fail comes before proc hears of the child; then only its descriptor and thread_create can fail, and then proc
 * is told to forget it.
 * Lock order: fork_lock, locks of linux/fs and user/ns (fs_fork_prepare), signal_lock, lock.
 */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "machine.h"

#define BUDGET_KEPT 16u /* a job leaves such a part of its session's memory to the others */

struct clone_request {
	uint64_t flags, stack, parent_tid, child_tid, tls, descriptor;
	uint32_t signal;
};
#define CLONE_ABSENT (LINUX_CLONE_NEWNS | LINUX_CLONE_NEWCGROUP | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWUSER | \
	LINUX_CLONE_NEWPID | LINUX_CLONE_NEWNET | LINUX_CLONE_INTO_CGROUP)

/* The flag resets real-time policies, which are not offered, and itself. */
static uint32_t policy_inherited(uint32_t policy)
{
	return policy & ~LINUX_SCHED_RESET_ON_FORK;
}

/* What a new thread takes over from the one that makes it. */
static void thread_inherit(struct linux_thread *child, const struct linux_thread *t, const struct clone_request *request)
{
	child->block.registers = t->block.registers;
	*machine_result(&child->block.registers) = 0;
	if (request->stack)
		*machine_stack(&child->block.registers) = request->stack;
	child->mask = t->restore_mask ? t->saved_mask : t->mask;
	child->keep_capabilities = t->keep_capabilities;
	child->nice = t->nice;
	child->policy = policy_inherited(t->policy);
	child->tls = request->flags & LINUX_CLONE_SETTLS ? request->tls : t->tls;
	if (request->flags & LINUX_CLONE_SETTLS)
		machine_tls_set(&child->block.registers, request->tls);
	memcpy(child->name, t->name, sizeof child->name);
	if (request->flags & LINUX_CLONE_CHILD_CLEARTID)
		child->clear_tid = request->child_tid;
}

/* CLONE_CLEAR_SIGHAND: handlers become default actions, ignored signals stay ignored. */
static void actions_clear(struct linux_process *p)
{
	for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
		if (p->action[signal - 1].handler != LINUX_SIG_IGN)
			p->action[signal - 1] = (struct linux_action){ .handler = LINUX_SIG_DFL };
}

void linux_thread_begin(struct linux_thread *t)
{
	__atomic_store_n(&t->number, (uint64_t)thread_self(), __ATOMIC_SEQ_CST);
	if (signal_pending(t) & ~t->mask)
		t->block.pending = 1;
}

/* In memory that the new thread shares. As on Linux an address that cannot be written is no error. */
static void thread_ids_tell(struct linux_thread *t, const struct clone_request *request, uint32_t id)
{
	if (request->flags & LINUX_CLONE_PARENT_SETTID)
		(void)user_write(t, request->parent_tid, &id, sizeof id);
	if (request->flags & LINUX_CLONE_CHILD_SETTID)
		(void)user_write(t, request->child_tid, &id, sizeof id);
}

static int64_t thread_make(struct linux_thread *t, const struct clone_request *request)
{
	struct linux_process *p = t->process;
	struct linux_thread *child = thread_memory_create(p);
	if (!child)
		return -ENOMEM;
	thread_inherit(child, t, request);
	int64_t result = thread_add(p, child);
	if (result) {
		thread_memory_free(child);
		return result;
	}
	uint32_t id = child->id;
	thread_ids_tell(t, request, id);
	struct thread_start start = {
		.entry = (uint64_t)(uintptr_t)linux_thread_entry, .stack = child->block.stack, .tls = child->tls,
		.block = child->block.self, .options = THREAD_INHERIT_FLOAT,
	};
	result = thread_create(HANDLE_SELF_PROCESS, &start);
	if (result < 0) {
		thread_remove(p, child);
		thread_memory_free(child);
		return result;
	}
	return id; /* the child may have ended and its memory gone by now */
}

/* Tell proc of a child without threads. process is consumed. pid or an error; *slot. */
static int64_t proc_fork(struct linux_thread *t, handle_t process, const struct clone_request *request, bool vfork, uint32_t *slot)
{
	uint64_t flags = (vfork ? PROC_FORK_VFORK : 0) | (request->flags & LINUX_CLONE_PARENT ? PROC_FORK_PARENT : 0);
	handle_t sent = (handle_t)handle_duplicate(process, HANDLE_HIGH, 0, 0);
	if (sent < 0)
		return sent;
	struct message message = {
		.word = { PROC_FORK, flags, request->signal, t->id == t->process->pid ? 0 : (uint64_t)(t->nice + 21) }, .handle = { sent }, .handle_count = 1, .move = 1,
	};
	int64_t pid = proc_call(t, &message, 0);
	*slot = (uint32_t)message.word[1];
	if (pid < 0)
		(void)handle_close(sent);
	return pid;
}

/* CLONE_PIDFD, before the child begins: 0, the descriptor, or an error. */
static int64_t descriptor_for(struct linux_thread *t, const struct clone_request *request, uint32_t pid)
{
	if (!(request->flags & LINUX_CLONE_PIDFD))
		return 0;
	int64_t fd = process_descriptor_create(t, pid, 0);
	int32_t number = (int32_t)fd;
	if (fd >= 0 && user_write(t, request->descriptor, &number, sizeof number)) {
		(void)handle_close((handle_t)fd);
		return -EFAULT;
	}
	return fd;
}

/* Give up a child that never ran. pid: as proc_fork returned it. */
static void child_abandon(struct linux_thread *t, handle_t process, int64_t pid)
{
	struct message message = { .word = { PROC_FORGET, (uint64_t)pid } };
	if (pid > 0)
		(void)proc_call(t, &message, 0);
	(void)process_kill(process, LINUX_SIGKILL);
	(void)handle_close(process);
}

/* In a fork's child: its space is its own, and nobody who waits for its parent or runs beside that has to do with it. */
static void memory_detach(struct linux_process *p)
{
	if (p->vfork_sender) {
		(void)handle_close(p->vfork_sender);
		(void)handle_close(p->vfork_receiver);
	}
	for (; p->companions; p->companions = p->companions->next_companion) /* their memory stays until exec */
		(void)handle_close(p->companions->companion_receiver);
	p->heap_start = p->memory->heap_start;
	p->heap_end = p->memory->heap_end;
	p->memory = p;
	p->flags &= ~LINUX_PROCESS_VFORK;
}

/* A channel whose sender a child drops when it executes or ends. fork_lock is held, or a fork in another thread would copy the sender. */
static int64_t wait_channel(struct channel_ends *ends)
{
	int64_t result = channel_create(CHANNEL_PACKET, 1, ends);
	if (result < 0)
		return result;
	/* Marked before the table is copied: the copy in the child's table is the one that counts. */
	(void)handle_set_options(ends->sender, HANDLE_CLOSE_ON_EXEC);
	(void)handle_set_options(ends->receiver, HANDLE_CLOSE_ON_EXEC);
	return 0;
}

/* Waits, whatever signals come (they are looked at when the call ends). */
static void wait_for_child(struct linux_thread *t, handle_t receiver)
{
	struct message message = { .handle_count = 0 };
	while (channel_receive(receiver, &message, 0, DEADLINE_NEVER) == -EINTR)
		(void)thread_clear_interrupt();
	if (signal_pending(t) & ~t->mask)
		t->block.pending = 1;
}

/* In the child: the cloned structures become its own. its parent wrote fork_pid, fork_slot and fork_space into the clone. */
void linux_fork_begin(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	uint32_t pid = (uint32_t)t->fork_pid, slot = (uint32_t)t->fork_slot;
	lock_reset(&p->lock);
	lock_reset(&p->signal_lock);
	lock_reset(&p->fork_lock);
	fs_fork_child(t);
	signalfds_forget(p);
	p->pid = pid;
	memory_detach(p);
	p->vfork_sender = t->fork_sender;
	p->vfork_receiver = t->fork_receiver;
	(void)handle_close((handle_t)t->fork_space); /* our copy of the handle of our own space */
	if (t->fork_flags & LINUX_CLONE_CLEAR_SIGHAND)
		actions_clear(p);
	if (p->slot)
		p->slot = (const volatile struct process_slot *)(uintptr_t)LIBRARY_PROCESS_TABLE + slot;
	p->main_thread = t;
	p->threads = t; /* the others' memory stays until exec: nobody knows which of it is still used */
	p->thread_count = 1;
	t->next = NULL;
	t->id = pid;
	t->number = (uint64_t)thread_self();
	t->pending = 0;
	signal_queue_drop(t);
	p->queued = 0;
	t->robust_list = 0;
	p->record->slot = slot;
	p->record->pid = pid; /* from here on the list of threads above is this process's (struct record_threads) */
	t->restarting = false;
	t->policy = policy_inherited(t->policy);
	t->trace_line = NULL;
	t->clear_tid = t->fork_flags & LINUX_CLONE_CHILD_CLEARTID ? t->fork_child_tid : 0;
	t->block.pending = 0;
	t->block.units = 0; /* its thread is new */
	t->block.call_result = CALL_NOT_ROUTED;
	*machine_result(&t->block.registers) = 0;
	if (t->fork_stack)
		*machine_stack(&t->block.registers) = t->fork_stack;
	if (t->fork_flags & LINUX_CLONE_SETTLS)
		machine_tls_set(&t->block.registers, t->fork_tls);
	if (t->restore_mask) {
		t->restore_mask = false;
		t->mask = t->saved_mask;
	}
	if (t->fork_flags & LINUX_CLONE_CHILD_SETTID)
		(void)user_write(t, t->fork_child_tid, &pid, sizeof pid);
	signal_tell_ignored(t); /* proc gave the child its parent's masks; only CLONE_CLEAR_SIGHAND changes them */
	if (signal_pending(t) & ~t->mask)
		t->block.pending = 1;
}

/* The library's own handles are always copied; descriptors may be shared. */
static uint32_t handles_option(const struct clone_request *request)
{
	return PROCESS_COPY_HANDLES | (request->flags & LINUX_CLONE_FILES ? PROCESS_SHARE_LOW_HANDLES : 0);
}

/*
 * Who pays for a new process: its parent's budget, or one of its own below that if the parent leads a session. So what a shell starts (job.h of proc calls it a
 * job) is a budget with its descendants, whatever groups and sessions they make: it gets a share of the processor, and its limit leaves the shell a part
 * of the memory. The handle is not copied to the child; budget_release closes it.
 */
static int64_t budget_for_child(const struct linux_process *p, handle_t *budget)
{
	struct budget_info info;
	*budget = HANDLE_SELF_BUDGET;
	if (!p->slot || !(p->slot->flags & PROCESS_SLOT_LEADER))
		return 0;
	int64_t result = budget_get(HANDLE_SELF_BUDGET, &info);
	if (result >= 0)
		result = budget_create(HANDLE_SELF_BUDGET, info.pages_limit - info.pages_limit / BUDGET_KEPT);
	if (result < 0)
		return result == -ELOOP ? 0 : result; /* sessions in sessions: those deep down share */
	*budget = (handle_t)result;
	return handle_set_options(*budget, HANDLE_NOT_COPIED);
}

static void budget_release(handle_t budget)
{
	if (budget != HANDLE_SELF_BUDGET)
		(void)handle_close(budget);
}

/* A process in the space, without threads, with a copy of this one's handles or sharing them: its handle, or an error. */
static int64_t process_for_child(const struct linux_process *p, handle_t space, const struct clone_request *request)
{
	handle_t budget;
	int64_t result = budget_for_child(p, &budget);
	if (result < 0)
		return result;
	result = process_create(space, budget, handles_option(request) | PROCESS_COPY_UPCALL, HANDLE_SELF_PROCESS);
	budget_release(budget);
	return result;
}

static int64_t process_fork(struct linux_thread *t, const struct clone_request *request)
{
	struct linux_process *p = t->process;
	struct channel_ends ends = { 0, 0 };
	uint32_t slot = 0;
	bool waits = request->flags & LINUX_CLONE_VFORK;
	lock_take(&p->fork_lock);
	int64_t space = waits ? wait_channel(&ends) : 0;
	if (space < 0) {
		lock_release(&p->fork_lock);
		return space;
	}
	t->fork_sender = ends.sender;
	t->fork_receiver = ends.receiver;
	/* The child reads these in its copy; pid and slot are written into it before it starts. */
	t->fork_flags = request->flags;
	t->fork_stack = request->stack;
	t->fork_child_tid = request->child_tid;
	t->fork_tls = request->tls;
	fs_fork_prepare(t);
	lock_take(&p->signal_lock);
	lock_take(&p->lock);
	space = space_clone(HANDLE_SELF_SPACE);
	lock_release(&p->lock);
	lock_release(&p->signal_lock);
	fs_fork_parent(t);
	int64_t result = space;
	if (space < 0)
		goto out;
	int64_t process = process_for_child(p, (handle_t)space, request);
	result = process;
	if (process < 0)
		goto out_space;
	int64_t pid = proc_fork(t, (handle_t)process, request, false, &slot);
	result = pid;
	if (pid < 0) {
		child_abandon(t, (handle_t)process, pid);
		goto out_space;
	}
	uint64_t words[3] = { (uint64_t)pid, slot, (uint64_t)space };
	result = space_write((handle_t)space, (uint64_t)(uintptr_t)&t->fork_pid, words, sizeof words);
	if (result == (int64_t)sizeof words) {
		struct thread_start start = {
			.entry = (uint64_t)(uintptr_t)linux_fork_entry, .stack = t->block.stack,
			.tls = request->flags & LINUX_CLONE_SETTLS ? request->tls : t->tls, .block = t->block.self,
			.options = THREAD_INHERIT_FLOAT,
		};
		uint32_t id = (uint32_t)pid;
		if (request->flags & LINUX_CLONE_PARENT_SETTID)
			(void)user_write(t, request->parent_tid, &id, sizeof id);
		int64_t fd = result = descriptor_for(t, request, id);
		if (fd >= 0)
			result = thread_create((handle_t)process, &start);
		if (result < 0 && fd >= 0 && request->flags & LINUX_CLONE_PIDFD)
			(void)handle_close((handle_t)fd);
	} else if (result >= 0) {
		result = -ENOMEM;
	}
	if (result < 0) {
		child_abandon(t, (handle_t)process, pid);
	} else {
		(void)handle_close((handle_t)process);
		result = pid;
	}
out_space:
	(void)handle_close((handle_t)space);
out:
	if (waits)
		(void)handle_close(ends.sender);
	lock_release(&p->fork_lock);
	if (waits && result > 0)
		wait_for_child(t, ends.receiver);
	if (waits)
		(void)handle_close(ends.receiver);
	return result;
}

/* The vfork child's own view of itself, in memory that the parent frees. NULL: no memory. */
static struct linux_process *vfork_process(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	size_t record_size = page_round_up(sizeof(struct process_record));
	uint8_t *memory = linux_map_pages(page_round_up(sizeof(struct linux_process)) + record_size);
	if (!memory)
		return NULL;
	struct linux_process *child = (struct linux_process *)(void *)memory;
	child->record = (struct process_record *)(void *)(memory + page_round_up(sizeof *child));
	memcpy(child->record, p->record, sizeof *child->record);
	child->time = p->time;
	child->flags = p->flags | LINUX_PROCESS_VFORK;
	child->memory = p->memory;
	child->umask = p->umask;
	child->heap_start = p->memory->heap_start; /* as /proc tells them */
	child->heap_end = p->memory->heap_end;
	child->program_break_floor = p->program_break_floor;
	memcpy(child->limits, p->limits, sizeof child->limits);
	memcpy(child->action, p->action, sizeof child->action);
	child->kept_signals = p->kept_signals;
	child->ignored_told = p->ignored_told;
	child->children_rule = p->children_rule;
	child->personality = p->personality;
	child->image_entry = p->image_entry;
	child->image_headers = p->image_headers;
	child->float_mask = p->float_mask;
	child->float_size = p->float_size;
	child->dumpable = p->dumpable;
	memcpy(child->noted, p->noted, sizeof child->noted);
	return child;
}

static void vfork_release(struct linux_process *child)
{
	if (!child)
		return;
	allocate_release(child);
	linux_unmap_pages(child, page_round_up(sizeof *child) + page_round_up(sizeof(struct process_record)));
}

/* Frees what companions used that have left the space. fork_lock held. */
static void companions_collect(struct linux_process *p)
{
	struct message message = { .handle_count = 0 };
	for (struct linux_process **place = &p->companions, *one; (one = *place);) {
		if (channel_receive(one->companion_receiver, &message, CHANNEL_NON_BLOCKING, 0) != -EPIPE) {
			place = &one->next_companion;
			continue;
		}
		*place = one->next_companion;
		(void)handle_close(one->companion_receiver);
		thread_memory_free(one->first_thread);
		vfork_release(one);
	}
}

/* The child's thread and process, as they begin, except for what proc chooses. NULL: no memory. */
static struct linux_thread *vfork_prepare(struct linux_thread *t, const struct clone_request *request, const struct channel_ends *ends)
{
	struct linux_process *process = vfork_process(t);
	struct linux_thread *thread = process ? thread_memory_create(process) : NULL;
	if (!thread) {
		vfork_release(process);
		return NULL;
	}
	thread_inherit(thread, t, request);
	if (request->flags & LINUX_CLONE_CLEAR_SIGHAND)
		actions_clear(process);
	process->vfork_sender = ends->sender;
	process->vfork_receiver = ends->receiver;
	process->threads = process->main_thread = process->first_thread = thread;
	process->thread_count = 1;
	if (fs_fork(t, process) < 0) {
		thread_memory_free(thread);
		vfork_release(process);
		return NULL;
	}
	return thread;
}

/* Tells proc and starts the child. The pid, or an error with nobody left who uses the child's structures. fork_lock held. */
static int64_t vfork_start(struct linux_thread *t, struct linux_thread *child, const struct clone_request *request)
{
	struct linux_process *p = t->process, *child_process = child->process;
	uint32_t slot = 0;
	int64_t process = process_for_child(p, HANDLE_SELF_SPACE, request);
	if (process < 0)
		return process;
	int64_t pid = proc_fork(t, (handle_t)process, request, true, &slot), result = pid;
	if (pid >= 0) {
		child_process->pid = child_process->record->pid = child->id = (uint32_t)pid;
		child_process->record->slot = slot;
		child_process->slot = p->slot ? (const volatile struct process_slot *)(uintptr_t)LIBRARY_PROCESS_TABLE + slot : NULL;
		thread_ids_tell(t, request, child->id);
		struct thread_start start = {
			.entry = (uint64_t)(uintptr_t)linux_thread_entry, .stack = child->block.stack, .tls = child->tls,
			.block = child->block.self, .options = THREAD_INHERIT_FLOAT,
		};
		int64_t fd = result = descriptor_for(t, request, child->id);
		if (fd >= 0)
			result = thread_create((handle_t)process, &start);
		if (result < 0 && fd >= 0 && request->flags & LINUX_CLONE_PIDFD)
			(void)handle_close((handle_t)fd);
	}
	if (result < 0) {
		child_abandon(t, (handle_t)process, pid);
		return result;
	}
	(void)handle_close((handle_t)process);
	return pid;
}

static int64_t process_vfork(struct linux_thread *t, const struct clone_request *request)
{
	struct linux_process *p = t->process;
	struct channel_ends ends;
	bool waits = request->flags & LINUX_CLONE_VFORK;
	lock_take(&p->fork_lock);
	companions_collect(p);
	int64_t result = wait_channel(&ends);
	if (result < 0) {
		lock_release(&p->fork_lock);
		return result;
	}
	struct linux_thread *child = vfork_prepare(t, request, &ends);
	struct linux_process *child_process = child ? child->process : NULL;
	result = child ? vfork_start(t, child, request) : -ENOMEM;
	(void)handle_close(ends.sender);
	bool companion = result >= 0 && !waits;
	if (companion) {
		child_process->companion_receiver = ends.receiver;
		child_process->next_companion = p->companions;
		p->companions = child_process;
	}
	lock_release(&p->fork_lock);
	if (companion)
		return result;
	if (result >= 0)
		wait_for_child(t, ends.receiver);
	(void)handle_close(ends.receiver);
	thread_memory_free(child);
	vfork_release(child_process);
	return result;
}

static int64_t clone_any(struct linux_thread *t, const struct clone_request *request)
{
	uint64_t flags = request->flags;
	if (t->process->flags & LINUX_PROCESS_NATIVE)
		return -ENOSYS;
	if ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_VM))
		return -EINVAL;
	if ((flags & LINUX_CLONE_THREAD) && !(flags & LINUX_CLONE_SIGHAND))
		return -EINVAL;
	if (flags & CLONE_ABSENT || ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_THREAD))) {
		call_note_absent(t, t->call);
		return -EINVAL;
	}
	if (request->signal > LINUX_SIGNALS || ((flags & LINUX_CLONE_PIDFD) && (flags & (LINUX_CLONE_THREAD | LINUX_CLONE_DETACHED))))
		return -EINVAL;
	if (flags & LINUX_CLONE_THREAD)
		return thread_make(t, request);
	if (flags & LINUX_CLONE_FS) /* each process has its own working directory: better refused than copied unseen */
		return -EINVAL;
	return flags & LINUX_CLONE_VM ? process_vfork(t, request) : process_fork(t, request);
}

int64_t linux_clone(struct linux_thread *t, const uint64_t argument[6])
{
	struct clone_request request = {
		.flags = (argument[0] & 0xffffffff) & ~LINUX_CLONE_SIGNAL, .signal = argument[0] & LINUX_CLONE_SIGNAL,
		.stack = argument[1], .parent_tid = argument[2],
		.child_tid = argument[MACHINE_CLONE_CHILD_TID], .tls = argument[MACHINE_CLONE_TLS], .descriptor = argument[2],
	};
	if ((request.flags & LINUX_CLONE_PIDFD) && (request.flags & LINUX_CLONE_PARENT_SETTID)) /* one address for both */
		return -EINVAL;
	return clone_any(t, &request);
}

int64_t linux_clone3(struct linux_thread *t, const uint64_t argument[6])
{
	/* flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls; then set_tid, its size, cgroup */
	uint64_t word[11] = { 0 };
	if (argument[1] < 64)
		return -EINVAL;
	if (argument[1] > PAGE_SIZE)
		return -E2BIG;
	if (user_read(t, word, argument[0], MINIMUM(argument[1], sizeof word)))
		return -EFAULT;
	for (uint64_t at = sizeof word; at < argument[1]; at++) {
		uint8_t byte;
		if (user_read(t, &byte, argument[0] + at, 1))
			return -EFAULT;
		if (byte)
			return -E2BIG;
	}
	if ((word[0] & (LINUX_CLONE_SIGNAL | LINUX_CLONE_DETACHED)) || word[0] >= LINUX_CLONE_INTO_CGROUP << 1)
		return -EINVAL;
	if (word[4] > LINUX_SIGNALS || word[8] || word[9] || ((word[0] & (LINUX_CLONE_THREAD | LINUX_CLONE_PARENT)) && word[4]))
		return -EINVAL;
	if ((word[5] == 0) != (word[6] == 0))
		return -EINVAL;
	struct clone_request request = {
		.flags = word[0], .signal = (uint32_t)word[4], .stack = word[5] ? word[5] + word[6] : 0,
		.parent_tid = word[3], .child_tid = word[2], .tls = word[7], .descriptor = word[1],
	};
	if ((word[0] & LINUX_CLONE_CLEAR_SIGHAND) && (word[0] & LINUX_CLONE_SIGHAND))
		return -EINVAL;
	return clone_any(t, &request);
}

/* Of what processes may share there are only descriptors; of the rest a process has its own anyway, but its threads share it. */
int64_t linux_unshare(struct linux_thread *t, const uint64_t argument[6])
{
	const uint64_t alone = LINUX_CLONE_FS | LINUX_CLONE_FILES | LINUX_CLONE_THREAD | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM;
	uint64_t flags = argument[0];
	if (flags & ~(alone | LINUX_CLONE_SYSVSEM))
		return -EINVAL;
	if (flags & alone && t->process->thread_count > 1)
		return -EINVAL;
	return flags & LINUX_CLONE_FILES ? process_unshare() : 0;
}

int64_t linux_fork(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	struct clone_request request = { .signal = LINUX_SIGCHLD };
	return clone_any(t, &request);
}

int64_t linux_vfork(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	struct clone_request request = { .flags = LINUX_CLONE_VFORK | LINUX_CLONE_VM, .signal = LINUX_SIGCHLD };
	return clone_any(t, &request);
}
