/* Signal actions, masks and stacks: the calls that change what happens to a signal. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"

#define SIG_BLOCK 0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

uint64_t signal_ignored_mask(struct linux_process *p)
{
	uint64_t ignored = 0;
	lock_take(&p->signal_lock);
	for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
		if (p->action[signal - 1].handler == LINUX_SIG_IGN)
			ignored |= LINUX_SIGNAL_BIT(signal);
	lock_release(&p->signal_lock);
	return ignored;
}

/*
 * proc drops signals that are ignored, or ignored by default, without interrupting anyone; but not those that a program has blocked by name,
 * because it means to wait for them (kept_signals).
 */
static uint64_t dropped_signals(struct linux_thread *t, uint64_t ignored, uint64_t handled, uint64_t kept)
{
	if (trace_on(t)) /* as on Linux a traced program's: told in the trace, then dropped here */
		kept |= SIGNAL_DEFAULT_IGNORED & ~ignored;
	/* SIGCONT also continues: never dropped */
	return (ignored | (SIGNAL_DEFAULT_IGNORED & ~handled)) & ~kept & ~LINUX_SIGNAL_BIT(LINUX_SIGCONT);
}

static void dropped_tell(struct linux_thread *t, uint64_t dropped)
{
	if (dropped == t->process->ignored_told)
		return;
	t->process->ignored_told = dropped;
	struct message message = { .word = { PROC_SET_MASK, dropped } };
	(void)proc_call(t, &message, 0);
}

void signal_tell_ignored(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	uint64_t ignored = 0, handled = 0;
	for (int signal = 1; signal <= LINUX_SIGNALS; signal++) {
		uint64_t bit = LINUX_SIGNAL_BIT(signal), handler = p->action[signal - 1].handler;
		if (handler == LINUX_SIG_IGN)
			ignored |= bit;
		else if (handler != LINUX_SIG_DFL)
			handled |= bit;
	}
	dropped_tell(t, dropped_signals(t, ignored, handled, p->kept_signals));
}

static void children_tell(struct linux_thread *t, uint32_t rule)
{
	if (rule == t->process->children_rule)
		return;
	t->process->children_rule = rule;
	struct message message = { .word = { PROC_SET_CHILD_RULE, rule } };
	(void)proc_call(t, &message, 0);
}

static uint32_t children_rule_after(uint64_t ignored)
{
	return ignored & LINUX_SIGNAL_BIT(LINUX_SIGCHLD) ? PROC_CHILDREN_NO_ZOMBIE : 0;
}

void signal_exec(struct linux_thread *t)
{
	uint64_t ignored = signal_ignored_mask(t->process), mask = t->restore_mask ? t->saved_mask : t->mask;
	dropped_tell(t, dropped_signals(t, ignored, 0, mask & SIGNAL_DEFAULT_IGNORED));
	children_tell(t, children_rule_after(ignored));
}

static void children_rule(struct linux_thread *t, const struct linux_action *action)
{
	uint32_t rule = 0;
	if (action->handler == LINUX_SIG_IGN || (action->flags & LINUX_SA_NOCLDWAIT))
		rule |= PROC_CHILDREN_NO_ZOMBIE;
	if (action->flags & LINUX_SA_NOCLDSTOP)
		rule |= PROC_CHILDREN_NO_STOP_SIGNAL;
	children_tell(t, rule);
}

int64_t linux_rt_sigaction(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_process *p = t->process;
	int signal = (int)argument[0];
	struct linux_action action, old;
	if (argument[3] != 8 || signal < 1 || signal > LINUX_SIGNALS)
		return -EINVAL;
	if (argument[1]) {
		if (signal == LINUX_SIGKILL || signal == LINUX_SIGSTOP)
			return -EINVAL;
		if (user_read(t, &action, argument[1], sizeof action))
			return -EFAULT;
		action.mask &= ~SIGNAL_UNBLOCKABLE;
	}
	lock_take(&p->signal_lock);
	old = p->action[signal - 1];
	if (argument[1])
		p->action[signal - 1] = action;
	lock_release(&p->signal_lock);
	if (argument[1]) {
		if (signal == LINUX_SIGCHLD)
			children_rule(t, &action);
		/* Programs reset dozens of actions before they start another: what is dropped changes with the kind of handler only. */
		if (MINIMUM(action.handler, LINUX_SIG_IGN + 1) != MINIMUM(old.handler, LINUX_SIG_IGN + 1))
			signal_tell_ignored(t);
	}
	return argument[2] ? user_write(t, argument[2], &old, sizeof old) : 0;
}

int64_t linux_rt_sigprocmask(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t old = t->mask, set;
	if (argument[3] != 8)
		return -EINVAL;
	if (argument[1]) {
		if (user_read(t, &set, argument[1], sizeof set))
			return -EFAULT;
		uint64_t mask;
		switch ((int)argument[0]) {
		case SIG_BLOCK: mask = old | set; break;
		case SIG_UNBLOCK: mask = old & ~set; break;
		case SIG_SETMASK: mask = set; break;
		default: return -EINVAL;
		}
		/* Blocked by name, not as part of "everything": it will be waited for. */
		uint64_t named = mask & ~old & SIGNAL_DEFAULT_IGNORED;
		if (named && !(set & SIGNAL_UNBLOCKABLE) && (named & ~t->process->kept_signals)) {
			t->process->kept_signals |= named;
			signal_tell_ignored(t);
		}
		signal_mask_set(t, mask);
	}
	return argument[2] ? user_write(t, argument[2], &old, sizeof old) : 0;
}

int64_t linux_rt_sigreturn(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	uint64_t mask;
	if (machine_signal_return(t, &mask)) {
		struct linux_siginfo info = { .signal = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };
		signal_force(t, LINUX_SIGSEGV, &info, NULL);
	} else {
		signal_mask_set(t, mask);
	}
	return -(int64_t)LINUX_FRAME_LOADED;
}

int64_t linux_rt_sigpending(struct linux_thread *t, const uint64_t argument[6])
{
	if (argument[1] > 8)
		return -EINVAL;
	if (signal_fetch_needed(t->process))
		signal_fetch(t);
	uint64_t pending = signal_pending(t) & t->mask;
	return user_write(t, argument[0], &pending, argument[1]);
}

int signal_mask_temporary(struct linux_thread *t, uint64_t address, uint64_t size)
{
	uint64_t mask;
	if (!address)
		return 0;
	if (size != 8)
		return -EINVAL;
	if (user_read(t, &mask, address, sizeof mask))
		return -EFAULT;
	t->saved_mask = t->mask;
	t->restore_mask = true;
	signal_mask_set(t, mask);
	return 0;
}

int64_t linux_sigaltstack(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t stack = *machine_stack(&t->block.registers);
	bool inside = t->alternate_size && stack - t->alternate_stack - 1 < t->alternate_size && !(t->alternate_flags & LINUX_SS_AUTODISARM);
	struct linux_stack old = { t->alternate_stack, t->alternate_flags, 0, t->alternate_size }, new;
	old.flags |= !t->alternate_size ? LINUX_SS_DISABLE : inside ? LINUX_SS_ONSTACK : 0;
	if (argument[0]) {
		if (user_read(t, &new, argument[0], sizeof new))
			return -EFAULT;
		uint32_t mode = new.flags & ~LINUX_SS_AUTODISARM;
		if (inside)
			return -EPERM;
		if (mode != 0 && mode != LINUX_SS_ONSTACK && mode != LINUX_SS_DISABLE)
			return -EINVAL;
		if (mode == LINUX_SS_DISABLE) {
			new.address = new.size = 0;
			new.flags = 0;
		} else if (new.size < LINUX_MINSIGSTKSZ) {
			return -ENOMEM;
		}
		t->alternate_stack = new.address;
		t->alternate_size = new.size;
		t->alternate_flags = new.flags & LINUX_SS_AUTODISARM;
	}
	return argument[1] ? user_write(t, argument[1], &old, sizeof old) : 0;
}

void signal_start(struct linux_thread *t, uint64_t mask, uint64_t ignored, bool told)
{
	struct linux_process *p = t->process;
	t->mask = mask & ~SIGNAL_UNBLOCKABLE;
	for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
		p->action[signal - 1] = (struct linux_action){ .handler = ignored & LINUX_SIGNAL_BIT(signal) ? LINUX_SIG_IGN : LINUX_SIG_DFL };
	p->kept_signals = t->mask & SIGNAL_DEFAULT_IGNORED;
	p->children_rule = told ? children_rule_after(ignored) : 0;
	p->ignored_told = told ? dropped_signals(t, ignored, 0, p->kept_signals) : 0;
	children_tell(t, children_rule_after(ignored));
	signal_tell_ignored(t);
	if (signal_pending(t) & ~t->mask)
		t->block.pending = 1;
}
