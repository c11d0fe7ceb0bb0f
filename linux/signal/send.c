/* Sending signals: to processes through proc, to threads of the own process directly. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"

/* Who sends, as PROC_KILL takes it: of rt_sigqueueinfo and its kin what the program says, as on Linux. */
static uint64_t sender(const struct linux_siginfo *info)
{
	return (uint32_t)info->sent.pid | (uint64_t)info->sent.user << 32;
}

/* info NULL: by kill. */
static int64_t send_process(struct linux_thread *t, int64_t pid, uint32_t serial, int signal, const struct linux_siginfo *info)
{
	if (signal < 0 || signal > LINUX_SIGNALS)
		return -EINVAL;
	struct message message = { .word = { PROC_KILL, (uint64_t)pid, (uint64_t)signal, 0, 0, 0, serial } };
	if (info) {
		message.word[3] = info->sent.value;
		message.word[4] = (uint64_t)(int64_t)info->code;
		message.word[7] = sender(info);
	}
	int64_t result = proc_call(t, &message, 0);
	/* A signal to oneself is delivered before the call returns. */
	if (result >= 0 && (signal_pending(t) & ~t->mask))
		t->block.pending = 1;
	return result < 0 ? result : 0;
}

int64_t signal_send_process(struct linux_thread *t, const struct process_name *name, int signal, const struct linux_siginfo *info)
{
	return send_process(t, name->pid, name->serial, signal, info);
}

/*
 * kill of the own process by its main thread, with a standard signal that this thread does not block and has a handler for: Linux would give it
 * to this thread before the call returns, so nobody can tell whose it was, and proc is not asked. One that waits at proc already is the same signal.
 */
static bool send_here(struct linux_thread *t, int32_t pid, int signal)
{
	struct linux_process *p = t->process;
	if ((uint32_t)pid != p->pid || signal < 1 || signal >= LINUX_SIGNAL_REALTIME || p->main_thread != t || !p->slot)
		return false;
	uint64_t bit = LINUX_SIGNAL_BIT(signal);
	if (bit & (t->mask | p->slot->pending | SIGNAL_UNBLOCKABLE | SIGNAL_DEFAULT_STOP | LINUX_SIGNAL_BIT(LINUX_SIGCONT)) ||
		p->action[signal - 1].handler <= LINUX_SIG_IGN)
		return false;
	lock_take(&p->lock);
	if (!(t->pending & bit))
		t->queued[signal] = (struct linux_siginfo){ .signal = signal, .code = LINUX_SI_USER, .sent.pid = pid };
	__atomic_fetch_or(&t->pending, bit, __ATOMIC_RELEASE);
	lock_release(&p->lock);
	t->block.pending |= LINUX_PENDING_OWN;
	return true;
}

int64_t linux_kill(struct linux_thread *t, const uint64_t argument[6])
{
	if (send_here(t, (int32_t)argument[0], (int)argument[1]))
		return 0;
	return send_process(t, (int32_t)argument[0], 0, (int)argument[1], NULL);
}

int64_t signal_send_own(struct linux_thread *t, uint32_t id, const struct linux_siginfo *info)
{
	struct linux_process *p = t->process;
	struct linux_queued *node = signal_node(p, info->signal);
	int64_t result = -ESRCH;
	uint64_t number = 0;
	lock_take(&p->lock);
	for (struct linux_thread *other = p->threads; other; other = other->next) {
		if (other->id != id || other->exiting)
			continue;
		result = info->signal ? signal_queue_locked(other, info, &node) : 0;
		number = other->number;
		if (other == t)
			t->block.pending = 1;
		break;
	}
	lock_release(&p->lock);
	linux_free(p, node, sizeof *node);
	/* A thread that has no number yet looks when it begins. */
	if (!result && info->signal && id != t->id && number)
		(void)process_interrupt(HANDLE_SELF_PROCESS, number);
	return result;
}

/* The process of a thread of another process: the main thread has its pid, the others' ids carry its slot. 0: none. */
static uint32_t process_of_thread(uint32_t id)
{
	const volatile struct process_slot *table = (const volatile struct process_slot *)(uintptr_t)LIBRARY_PROCESS_TABLE;
	if (id < THREAD_ID_BASE)
		return id;
	id = (id - THREAD_ID_BASE) / THREAD_ID_ROOM;
	return id < PROCESS_SLOTS ? table[id].pid : 0;
}

static int64_t send_id(struct linux_thread *t, int32_t group, int32_t id, struct linux_siginfo *info)
{
	struct linux_process *p = t->process;
	if (id <= 0 || info->signal < 0 || info->signal > LINUX_SIGNALS)
		return -EINVAL;
	uint32_t pid = p->slot ? process_of_thread((uint32_t)id) : p->pid;
	if (!pid || (group && pid != (uint32_t)group))
		return -ESRCH;
	if (pid == p->pid) {
		int64_t result = signal_send_own(t, (uint32_t)id, &(struct linux_siginfo){ 0 });
		if (result || !info->signal)
			return result;
		/* Those that kill, stop and continue are proc's business, whichever thread they are for. */
		if (!(LINUX_SIGNAL_BIT(info->signal) & (SIGNAL_UNBLOCKABLE | SIGNAL_DEFAULT_STOP | LINUX_SIGNAL_BIT(LINUX_SIGCONT))))
			return signal_send_own(t, (uint32_t)id, info);
	}
	struct message message = {
		.word = { PROC_KILL, pid, (uint64_t)info->signal, info->sent.value, (uint64_t)(int64_t)info->code, (uint32_t)id, 0, sender(info) },
	};
	int64_t result = proc_call(t, &message, 0);
	if (result >= 0 && ((signal_pending(t) & ~t->mask) || signal_fetch_needed(p)))
		t->block.pending = 1;
	return result < 0 ? result : 0;
}

void signal_exec_queue(struct linux_thread *t)
{
	struct linux_siginfo info;
	int signal;
	while (t->pending && (signal = signal_take(t, ~t->pending, &info))) {
		struct message message = {
			.word = { PROC_KILL, t->process->pid, (uint64_t)signal, info.sent.value, (uint64_t)MINIMUM((int64_t)info.code, 0), 0, 0, sender(&info) },
		};
		(void)proc_call(t, &message, 0);
	}
}

int64_t linux_tkill(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info = { .signal = (int)argument[1], .code = LINUX_SI_TKILL, .sent = { .pid = (int32_t)t->process->pid } };
	return send_id(t, 0, (int32_t)argument[0], &info);
}

int64_t linux_tgkill(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info = { .signal = (int)argument[2], .code = LINUX_SI_TKILL, .sent = { .pid = (int32_t)t->process->pid } };
	if ((int32_t)argument[0] <= 0)
		return -EINVAL;
	return send_id(t, (int32_t)argument[0], (int32_t)argument[1], &info);
}

int64_t linux_rt_sigqueueinfo(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info;
	int32_t pid = (int32_t)argument[0];
	if (user_read(t, &info, argument[2], sizeof info))
		return -EFAULT;
	if ((info.code >= 0 || info.code == LINUX_SI_TKILL) && (uint32_t)pid != t->process->pid)
		return -EPERM;
	return send_process(t, pid, 0, (int)argument[1], &info);
}

int64_t linux_rt_tgsigqueueinfo(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info;
	if (user_read(t, &info, argument[3], sizeof info))
		return -EFAULT;
	info.signal = (int)argument[2];
	if ((int32_t)argument[0] <= 0)
		return -EINVAL;
	if ((info.code >= 0 || info.code == LINUX_SI_TKILL) && (uint32_t)argument[0] != t->process->pid)
		return -EPERM;
	return send_id(t, (int32_t)argument[0], (int32_t)argument[1], &info);
}
