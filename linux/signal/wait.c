/* Waiting for signals: pause, rt_sigsuspend, rt_sigtimedwait. A wait for nothing is a futex wait on a word that nobody wakes. */
#include "linux/calls.h"
#include "linux/signal/signal.h"

/* Sleeps until an interrupt with something to deliver (-EINTR) or the deadline (-ETIMEDOUT). */
static int64_t wait_interrupt(struct linux_thread *t, uint64_t deadline)
{
	uint32_t word = 0;
	for (;;) {
		int64_t result = futex_wait((uint64_t)(uintptr_t)&word, 0, deadline, FUTEX_ANY_BITS, 0);
		if (result == -ETIMEDOUT)
			return result;
		if (result == -EINTR && interrupt_deliverable(t))
			return -EINTR;
	}
}

int64_t linux_pause(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	if (interrupt_deliverable(t))
		return -EINTR;
	return wait_interrupt(t, DEADLINE_NEVER);
}

int64_t linux_rt_sigsuspend(struct linux_thread *t, const uint64_t argument[6])
{
	int error = argument[0] ? signal_mask_temporary(t, argument[0], argument[1]) : -EFAULT;
	if (error)
		return error;
	if (interrupt_deliverable(t))
		return -EINTR;
	return wait_interrupt(t, DEADLINE_NEVER);
}

void signal_keep(struct linux_thread *t, uint64_t set)
{
	if (!(set & SIGNAL_DEFAULT_IGNORED & ~t->process->kept_signals))
		return;
	t->process->kept_signals |= set & SIGNAL_DEFAULT_IGNORED;
	signal_tell_ignored(t);
}

int64_t signal_await(struct linux_thread *t, uint64_t set, uint64_t deadline, struct linux_siginfo *info)
{
	uint64_t mask = t->mask;
	for (;;) {
		int signal = signal_take(t, ~set, info);
		if (signal) {
			signal_mask_set(t, mask);
			return signal;
		}
		if (signal_fetch_needed(t->process))
			continue;
		/* Awaited signals count as unblocked while this thread sleeps, so that other threads forward them here. */
		t->mask = mask & ~set;
		t->block.pending = 0;
		(void)thread_clear_interrupt();
		uint64_t ready = signal_pending(t) & ~t->mask;
		int64_t result = 0;
		uint32_t word = 0;
		if (!ready && !signal_fetch_needed(t->process))
			result = futex_wait((uint64_t)(uintptr_t)&word, 0, deadline, FUTEX_ANY_BITS, 0);
		t->mask = mask;
		ready = signal_pending(t);
		if (ready & set)
			continue;
		if (result == -ETIMEDOUT) {
			signal_mask_set(t, mask);
			return -EAGAIN;
		}
		/* Also when all of it is blocked here: it is passed on to a thread that does not block it. */
		if ((result == -EINTR || (ready & ~mask)) && interrupt_deliverable(t))
			return -EINTR;
	}
}

int64_t linux_rt_sigtimedwait(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t set, deadline;
	struct linux_siginfo info;
	if (argument[3] != 8)
		return -EINVAL;
	if (user_read(t, &set, argument[0], sizeof set))
		return -EFAULT;
	set &= ~SIGNAL_UNBLOCKABLE;
	int error = deadline_from_timespec(t, argument[2], &deadline);
	if (error)
		return error;
	signal_keep(t, set);
	int64_t signal = signal_await(t, set, deadline, &info);
	if (signal > 0 && argument[1] && user_write(t, argument[1], &info, sizeof info))
		return -EFAULT;
	return signal;
}
