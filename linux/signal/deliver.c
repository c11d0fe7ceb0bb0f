/*
 * Delivery: taking pending signals, default actions, and handlers (signal.h).
 *
 * block.pending says "look": it is cleared first, then the kernel's own flag if that was why, then everything that waits is taken; so what arrives
 * meanwhile sets it again and the return path (or the next wait) sees it.
 */
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"

/*
 * Signals of the process that are not this thread's to take: the main thread has them when it does not block them, as on Linux. When it ends
 * just now its memory is still there (thread.c), and it has others look at what waits after it has taken itself out of main_thread.
 */
static uint64_t signal_others(const struct linux_thread *t)
{
	const struct linux_thread *first = __atomic_load_n(&t->process->main_thread, __ATOMIC_ACQUIRE);
	return first && first != t ? ~first->mask : 0;
}

uint64_t signal_pending(const struct linux_thread *t)
{
	const volatile struct process_slot *slot = t->process->slot;
	return __atomic_load_n(&t->pending, __ATOMIC_ACQUIRE) | (slot ? slot->pending & ~signal_others(t) : 0);
}

/* Takes the first instance of signal, which is pending for the thread: its node, to be freed after the lock. process->lock held. */
static struct linux_queued *signal_unqueue(struct linux_thread *t, int signal, struct linux_siginfo *info)
{
	struct linux_queued *found = NULL;
	bool more = false;
	*info = signal < LINUX_SIGNAL_REALTIME ? t->queued[signal] : (struct linux_siginfo){ .signal = signal, .code = LINUX_SI_USER };
	for (struct linux_queued **place = &t->queue; *place && !more;) {
		struct linux_queued *node = *place;
		if (node->info.signal == signal && !found) {
			found = node;
			*info = node->info;
			*place = node->next;
			__atomic_fetch_sub(&t->process->queued, 1, __ATOMIC_RELAXED);
			continue;
		}
		more = node->info.signal == signal;
		place = &node->next;
	}
	if (!more)
		__atomic_fetch_and(&t->pending, ~LINUX_SIGNAL_BIT(signal), __ATOMIC_RELEASE);
	return found;
}

int signal_take(struct linux_thread *t, uint64_t blocked, struct linux_siginfo *info)
{
	struct linux_process *p = t->process;
	struct linux_queued *node = NULL;
	int signal = 0;
	blocked &= ~SIGNAL_UNBLOCKABLE;
	if (signal_fetch_needed(p))
		signal_fetch(t);
	if (__atomic_load_n(&t->pending, __ATOMIC_ACQUIRE) & ~blocked) {
		lock_take(&p->lock);
		uint64_t ready = t->pending & ~blocked;
		if (ready) {
			signal = __builtin_ctzl(ready) + 1;
			node = signal_unqueue(t, signal, info);
		}
		lock_release(&p->lock);
		linux_free(p, node, sizeof *node);
		if (signal) {
			signalfds_tell(t);
			return signal;
		}
	}
	blocked |= signal_others(t);
	if (!p->slot || !(p->slot->pending & ~blocked))
		return 0;
	struct message message = {
		.word = { PROC_TAKE_SIGNAL, blocked },
		.receive_address = (uint64_t)(uintptr_t)info, .receive_size = sizeof *info,
	};
	memset(info, 0, sizeof *info);
	int64_t result = proc_call(t, &message, 0);
	if (result < 1 || result > LINUX_SIGNALS)
		return 0;
	info->signal = (int32_t)result;
	signalfds_tell(t);
	return (int)result;
}

/* The process's signals that this thread blocks: let another thread that does not block them have them. */
static void signal_forward(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	uint64_t waiting = p->slot ? p->slot->pending & (t->mask | signal_others(t)) : 0, number = 0;
	if (!waiting || p->thread_count < 2)
		return;
	lock_take(&p->lock);
	if (p->main_thread && p->main_thread != t && waiting & ~p->main_thread->mask)
		number = p->main_thread->number;
	for (struct linux_thread *other = p->threads; other && !number; other = other->next)
		if (other != t && (waiting & ~other->mask) && !other->exiting)
			number = other->number;
	lock_release(&p->lock);
	if (number)
		(void)process_interrupt(HANDLE_SELF_PROCESS, number);
}

static bool signal_unwanted(struct linux_process *p, int signal)
{
	uint64_t handler = p->action[signal - 1].handler;
	return handler == LINUX_SIG_IGN || (handler == LINUX_SIG_DFL && (SIGNAL_DEFAULT_IGNORED & LINUX_SIGNAL_BIT(signal)));
}

bool interrupt_deliverable(struct linux_thread *t)
{
	for (;;) {
		t->block.pending = 0;
		(void)thread_clear_interrupt();
		if (signal_fetch_needed(t->process))
			signal_fetch(t);
		signalfds_tell(t);
		uint64_t ready = signal_pending(t) & ~t->mask;
		uint64_t unwanted = 0;
		if (!ready)
			break;
		for (uint64_t rest = ready; rest; rest &= rest - 1) {
			int signal = __builtin_ctzl(rest) + 1;
			if (signal_unwanted(t->process, signal))
				unwanted |= LINUX_SIGNAL_BIT(signal);
		}
		if (ready & ~unwanted) {
			t->block.pending = 1;
			return true;
		}
		struct linux_siginfo info;
		if (!signal_take(t, ~unwanted, &info))
			break;
		if (trace_on(t))
			trace_signal(t, &info);
	}
	signal_forward(t);
	return false;
}

/* The default action of a signal that has one. */
static void signal_default(struct linux_thread *t, int signal)
{
	uint64_t bit = LINUX_SIGNAL_BIT(signal);
	if (SIGNAL_DEFAULT_STOP & bit) {
		struct message message = { .word = { PROC_STOP_SELF, (uint64_t)signal } };
		(void)proc_call(t, &message, 0);
		return;
	}
	process_end(t, (uint32_t)signal);
}

bool signal_deliver(struct linux_thread *t, uint32_t restart)
{
	struct linux_process *p = t->process;
	struct registers *registers = &t->block.registers;
	bool handled = false;
	for (;;) {
		struct linux_siginfo info;
		if (__atomic_exchange_n(&t->block.pending, 0, __ATOMIC_ACQ_REL) & ~LINUX_PENDING_OWN)
			(void)thread_clear_interrupt();
		int signal = signal_take(t, t->mask, &info);
		if (!signal)
			break;
		if (trace_on(t))
			trace_signal(t, &info);
		lock_take(&p->signal_lock);
		struct linux_action action = p->action[signal - 1];
		if ((action.flags & LINUX_SA_RESETHAND) && action.handler > LINUX_SIG_IGN)
			p->action[signal - 1].handler = LINUX_SIG_DFL;
		lock_release(&p->signal_lock);
		if (action.handler == LINUX_SIG_IGN)
			continue;
		if (action.handler == LINUX_SIG_DFL) {
			if (!(SIGNAL_DEFAULT_IGNORED & LINUX_SIGNAL_BIT(signal)))
				signal_default(t, signal);
			continue;
		}
		if (p->flags & LINUX_PROCESS_NATIVE) { /* a native program's handler is a function */
			uint64_t mask = t->mask;
			t->mask |= action.mask | LINUX_SIGNAL_BIT(signal);
			((void (*)(int, struct linux_siginfo *, void *))(uintptr_t)action.handler)(signal, &info, NULL);
			t->mask = mask;
			handled = true;
			continue;
		}
		struct registers before = *registers;
		if (restart == LINUX_RESTART_ALWAYS || (restart == LINUX_RESTART && (action.flags & LINUX_SA_RESTART)))
			machine_restart(&t->block, t->call);
		uint64_t mask = t->restore_mask ? t->saved_mask : t->mask;
		if (machine_signal_frame(t, signal, &action, &info, mask, NULL)) {
			*registers = before;
			if (signal == LINUX_SIGSEGV || p->action[LINUX_SIGSEGV - 1].handler <= LINUX_SIG_IGN || (t->mask & LINUX_SIGNAL_BIT(LINUX_SIGSEGV)))
				process_end(t, LINUX_SIGSEGV);
			signal_raise(t, LINUX_SIGSEGV, LINUX_SI_KERNEL);
			continue;
		}
		restart = 0; /* the first handler returns into the call; later ones into that handler */
		t->restore_mask = false;
		t->mask |= action.mask & ~SIGNAL_UNBLOCKABLE;
		if (!(action.flags & LINUX_SA_NODEFER))
			t->mask |= LINUX_SIGNAL_BIT(signal);
		handled = true;
	}
	signalfds_tell(t);
	signal_forward(t);
	return handled;
}

/* Hexadecimal without leading zeros */
static size_t text_address(char *to, uint64_t value)
{
	size_t length = 0;
	int shift = 60;
	while (shift && !(value >> shift & 15))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		to[length++] = "0123456789abcdef"[value >> shift & 15];
	to[length] = 0;
	return length;
}

void signal_force(struct linux_thread *t, int signal, const struct linux_siginfo *info, const struct machine_trap *trap)
{
	struct linux_process *p = t->process;
	uint64_t bit = LINUX_SIGNAL_BIT(signal);
	if (trace_on(t))
		trace_signal(t, info);
	lock_take(&p->signal_lock);
	struct linux_action action = p->action[signal - 1];
	if ((action.flags & LINUX_SA_RESETHAND) && action.handler > LINUX_SIG_IGN)
		p->action[signal - 1].handler = LINUX_SIG_DFL;
	lock_release(&p->signal_lock);
	if (action.handler > LINUX_SIG_IGN && !(t->mask & bit)) {
		if (!machine_signal_frame(t, signal, &action, info, t->mask, trap)) {
			t->mask |= action.mask & ~SIGNAL_UNBLOCKABLE;
			if (!(action.flags & LINUX_SA_NODEFER))
				t->mask |= bit;
			return;
		}
		signal = LINUX_SIGSEGV;
	}
	char text[112];
	size_t length = text_copy(text, "ended by signal ", sizeof text);
	length += text_decimal(text + length, (uint64_t)signal);
	length += text_copy(text + length, " at ", 8);
	length += text_address(text + length, *machine_instruction(&t->block.registers));
	length += text_copy(text + length, ", address ", 16);
	text_address(text + length, trap ? trap->address : 0);
	linux_note(t, text);
	process_end(t, (uint32_t)signal);
}

struct linux_queued *signal_node(struct linux_process *p, int signal)
{
	if (signal < LINUX_SIGNAL_REALTIME || __atomic_load_n(&p->queued, __ATOMIC_RELAXED) >= p->limits[LINUX_RLIMIT_SIGPENDING][0])
		return NULL;
	return linux_alloc(p, sizeof(struct linux_queued));
}

int signal_queue_locked(struct linux_thread *target, const struct linux_siginfo *info, struct linux_queued **node)
{
	uint64_t bit = LINUX_SIGNAL_BIT(info->signal);
	if (info->signal < LINUX_SIGNAL_REALTIME) {
		if (!(target->pending & bit))
			target->queued[info->signal] = *info;
	} else {
		struct linux_queued **place = &target->queue;
		for (; *place; place = &(*place)->next)
			if (info->code == LINUX_SI_TIMER && (*place)->info.code == LINUX_SI_TIMER && (*place)->info.sent.pid == info->sent.pid) {
				(*place)->info.sent.user += 1 + info->sent.user; /* a timer has one signal; more are its overruns */
				return 0;
			}
		if (!*node && info->code != LINUX_SI_USER && info->code != LINUX_SI_TKILL)
			return -EAGAIN;
		if (*node) {
			(*node)->info = *info;
			(*node)->next = NULL;
			__atomic_fetch_add(&target->process->queued, 1, __ATOMIC_RELAXED);
			*place = *node;
			*node = NULL;
		}
	}
	__atomic_fetch_or(&target->pending, bit, __ATOMIC_RELEASE);
	return 0;
}

void signal_queue_drop(struct linux_thread *t)
{
	while (t->queue) {
		struct linux_queued *node = t->queue;
		t->queue = node->next;
		__atomic_fetch_sub(&t->process->queued, 1, __ATOMIC_RELAXED);
		linux_free(t->process, node, sizeof *node);
	}
}

void signal_fetch(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	while (signal_fetch_needed(p)) {
		struct linux_siginfo info = { 0 };
		struct message message = {
			.word = { PROC_TAKE_THREAD_SIGNAL }, .receive_address = (uint64_t)(uintptr_t)&info, .receive_size = sizeof info,
		};
		int64_t result = proc_call(t, &message, 0);
		if (result == PROC_LIMITS_CHANGED) {
			limits_changed(t, message.word[1]);
			continue;
		}
		if (result < 1 || result > LINUX_SIGNALS)
			return;
		info.signal = (int32_t)result;
		(void)signal_send_own(t, (uint32_t)message.word[1], &info); /* the thread may have ended */
	}
}

void signal_raise(struct linux_thread *t, int signal, int code)
{
	struct linux_siginfo info = { .signal = signal, .code = code };
	info.sent.pid = (int32_t)t->process->pid;
	struct linux_queued *node = signal_node(t->process, signal);
	lock_take(&t->process->lock);
	(void)signal_queue_locked(t, &info, &node);
	lock_release(&t->process->lock);
	linux_free(t->process, node, sizeof *node);
	t->block.pending = 1;
}

void signal_mask_set(struct linux_thread *t, uint64_t mask)
{
	t->mask = mask & ~SIGNAL_UNBLOCKABLE;
	if (signal_pending(t) & ~t->mask)
		t->block.pending = 1;
}
