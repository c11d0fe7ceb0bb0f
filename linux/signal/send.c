/* Sending signals: to processes through proc, to threads of the own process directly. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"

static int64_t send_process(struct linux_thread *t, int64_t pid, int signal, uint64_t value, int code)
{
	if (signal < 0 || signal > LINUX_SIGNALS)
		return -EINVAL;
	struct message message = { .word = { PROC_KILL, (uint64_t)pid, (uint64_t)signal, value, (uint64_t)(int64_t)code, 0 } };
	int64_t result = proc_call(t, &message, 0);
	/* A signal to oneself is delivered before the call returns. */
	if (result >= 0 && (signal_pending(t) & ~t->mask))
		t->block.pending = 1;
	return result < 0 ? result : 0;
}

int64_t linux_kill(struct linux_thread *t, const uint64_t argument[6])
{
	return send_process(t, (int32_t)argument[0], (int)argument[1], 0, LINUX_SI_USER);
}

/* To a thread: -ESRCH when the process has no such thread. */
static int64_t send_thread(struct linux_thread *t, uint32_t id, const struct linux_siginfo *info)
{
	struct linux_process *p = t->process;
	int64_t result = -ESRCH;
	uint64_t number = 0;
	if (info->signal == LINUX_SIGKILL || info->signal == LINUX_SIGSTOP) /* these concern the process */
		return send_process(t, p->pid, info->signal, 0, info->code);
	lock_take(&p->lock);
	for (struct linux_thread *other = p->threads; other; other = other->next) {
		if (other->id != id || other->exiting)
			continue;
		result = 0;
		if (info->signal) {
			signal_queue_locked(other, info);
			number = other->number;
			if (other == t)
				t->block.pending = 1;
		}
		break;
	}
	lock_release(&p->lock);
	if (!result && info->signal && id != t->id)
		(void)process_interrupt(HANDLE_SELF_PROCESS, number);
	return result;
}

static int64_t send_id(struct linux_thread *t, int32_t group, int32_t id, struct linux_siginfo *info)
{
	struct linux_process *p = t->process;
	if (id <= 0 || info->signal < 0 || info->signal > LINUX_SIGNALS)
		return -EINVAL;
	info->sent.pid = (int32_t)p->pid;
	if (group == 0 || (uint32_t)group == p->pid) {
		int64_t result = send_thread(t, (uint32_t)id, info);
		if (result != -ESRCH || group)
			return result;
	}
	/* Another process: its main thread has its pid; the others' ids carry its slot, but only it can reach them. */
	if ((uint32_t)id >= THREAD_ID_BASE || (group && group != id))
		return -ESRCH;
	return send_process(t, id, info->signal, info->sent.value, info->code);
}

int64_t linux_tkill(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info = { .signal = (int)argument[1], .code = LINUX_SI_TKILL };
	return send_id(t, 0, (int32_t)argument[0], &info);
}

int64_t linux_tgkill(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_siginfo info = { .signal = (int)argument[2], .code = LINUX_SI_TKILL };
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
	return send_process(t, pid, (int)argument[1], info.sent.value, info.code);
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
