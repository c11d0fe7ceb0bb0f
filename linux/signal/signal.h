/*
 * Signals inside the personality. A signal for the process waits at proc (bit in the process table's slot, then an interrupt); one for a
 * thread of the own process waits in that thread (t->pending, t->queued). Both are delivered when a call, exception or interrupt ends:
 * signal_deliver. SIGKILL and SIGSTOP of other processes are proc's business and need nothing here.
 */
#ifndef LINUX_SIGNAL_H
#define LINUX_SIGNAL_H
#include "linux/linux.h"
#include "machine.h"

#define SIGNAL_UNBLOCKABLE (LINUX_SIGNAL_BIT(LINUX_SIGKILL) | LINUX_SIGNAL_BIT(LINUX_SIGSTOP))
/* Signals whose default action is to do nothing, and those that stop */
#define SIGNAL_DEFAULT_IGNORED (LINUX_SIGNAL_BIT(LINUX_SIGCHLD) | LINUX_SIGNAL_BIT(LINUX_SIGURG) | LINUX_SIGNAL_BIT(LINUX_SIGWINCH) | \
	LINUX_SIGNAL_BIT(LINUX_SIGCONT))
#define SIGNAL_DEFAULT_STOP (LINUX_SIGNAL_BIT(LINUX_SIGSTOP) | LINUX_SIGNAL_BIT(LINUX_SIGTSTP) | LINUX_SIGNAL_BIT(LINUX_SIGTTIN) | \
	LINUX_SIGNAL_BIT(LINUX_SIGTTOU))

/* Deliver everything that is pending and not blocked. restart: a LINUX_RESTART code of the interrupted call, or 0. True: a handler will run. */
bool signal_deliver(struct linux_thread *t, uint32_t restart);
/* A signal by an exception: handled at once, or the end of the process when it is blocked, ignored or has no handler. */
void signal_force(struct linux_thread *t, int signal, const struct linux_siginfo *info, const struct machine_trap *trap);
/* Take one pending signal that is not in blocked: its number, or 0. May ask proc. */
int signal_take(struct linux_thread *t, uint64_t blocked, struct linux_siginfo *info);
/* All that is pending for this thread, blocked or not. */
uint64_t signal_pending(const struct linux_thread *t);
/*
 * Put a signal into a thread of the own process; whoever calls interrupts it. process->lock held. node: memory for a real-time signal
 * (signal_node), used and set to NULL where it is needed. 0, or -EAGAIN: a real-time signal without memory, not from kill or tgkill.
 */
struct linux_queued { struct linux_queued *next; struct linux_siginfo info; };
int signal_queue_locked(struct linux_thread *target, const struct linux_siginfo *info, struct linux_queued **node);
/* Memory for signal_queue_locked, before the lock is taken: NULL when the signal needs none. Free what is left over with linux_free. */
struct linux_queued *signal_node(struct linux_process *p, int signal);
/* Everything queued for a thread that ends, or in a fork's child, is dropped. No lock held. */
void signal_queue_drop(struct linux_thread *t);
/* To thread id of the own process: 0, -ESRCH, -EAGAIN. May be the caller. signal 0: only asks. */
int64_t signal_send_own(struct linux_thread *t, uint32_t id, const struct linux_siginfo *info);
/* To the process that a descriptor names; info NULL: as kill does. 0, -ESRCH, -EINVAL, -EAGAIN. */
struct process_name;
int64_t signal_send_process(struct linux_thread *t, const struct process_name *name, int signal, const struct linux_siginfo *info);
/* Take over what waits at proc for certain threads of this process. */
void signal_fetch(struct linux_thread *t);
static inline bool signal_fetch_needed(const struct linux_process *p)
{
	return p->slot && p->slot->thread_signals;
}
/*
 * Waits until deadline for a signal of set, which the thread blocks: its number, -EAGAIN at the deadline, -EINTR for another signal.
 */
int64_t signal_await(struct linux_thread *t, uint64_t set, uint64_t deadline, struct linux_siginfo *info);
/* Signals of set are not to be dropped because their default is to be ignored. */
void signal_keep(struct linux_thread *t, uint64_t set);

/* signalfd (descriptor.c): a read of fd, whose description has `mask`. Bytes, or -EINVAL, -EAGAIN, -EINTR, -EFAULT. */
int64_t signalfd_read(struct linux_thread *t, uint64_t mask, bool may_wait, uint64_t address, uint64_t length);
void signalfds_tell_now(struct linux_thread *t);
/* In a fork's child, which tells of none. */
void signalfds_forget(struct linux_process *p);
/* What is pending may have changed. */
static inline void signalfds_tell(struct linux_thread *t)
{
	if (__builtin_expect(t->process->signalfds != NULL, 0))
		signalfds_tell_now(t);
}
/* Change the blocked mask and look again at what is pending. */
void signal_mask_set(struct linux_thread *t, uint64_t mask);
/* Tell proc which signals to drop and what to do with dead children, if that changed. */
void signal_tell_ignored(struct linux_thread *t);
/*
 * Before exec: tell proc what holds in the new program, whose actions are default or ignored. After it, in the new program: mask and ignored
 * from the record; told: signal_exec was called.
 */
void signal_exec(struct linux_thread *t);
/* Also before exec: what is pending for the thread waits at proc for the new program. */
void signal_exec_queue(struct linux_thread *t);
void signal_start(struct linux_thread *t, uint64_t mask, uint64_t ignored, bool told);
/* The ignored mask for a record. */
uint64_t signal_ignored_mask(struct linux_process *p);
#endif
