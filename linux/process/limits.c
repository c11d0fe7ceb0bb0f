/*
 * Resource limits and priorities. Limits are kept, told and passed on through exec; RLIMIT_NOFILE is the kernel's handle_limit, RLIMIT_CPU and
 * RLIMIT_SIGPENDING proc's business. Root, whom everyone is, is exempt from RLIMIT_NPROC and RLIMIT_MEMLOCK, as on Linux. There are no core files.
 */
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"

/* proc watches processor time: SIGXCPU at the soft limit and each second after it, SIGKILL at the hard one. */
static void processor_limit(struct linux_thread *t, const uint64_t limit[2])
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t deadline = limit[i] > INT64_MAX / NANOSECONDS ? 0 : MAXIMUM(limit[i], 1ul) * NANOSECONDS;
		struct message message = { .word = { PROC_SET_TIMER, i ? PROC_TIMER_CPU_HARD : PROC_TIMER_CPU_SOFT, deadline, i ? 0 : NANOSECONDS } };
		(void)proc_call(t, &message, 0);
	}
}

/* What follows from a new soft limit, but for those that are looked at when they matter. */
static int64_t limit_apply(struct linux_thread *t, int resource)
{
	struct linux_process *p = t->process;
	const uint64_t *limit = p->limits[resource];
	struct message message = { .word = { PROC_OPTION, PROC_OPTION_SIGNAL_LIMIT, 1, limit[0] } };
	switch (resource) {
	case LINUX_RLIMIT_NOFILE:
		return handle_limit((uint32_t)MINIMUM(limit[0], (uint64_t)HANDLE_RANGE_MAX));
	case LINUX_RLIMIT_FSIZE:
		if (!(p->record->personality_flags & RECORD_TRACE))
			routes_set(p);
		break;
	case LINUX_RLIMIT_STACK:
		stack_limit(t, limit[0]);
		break;
	case LINUX_RLIMIT_CPU:
		processor_limit(t, limit);
		break;
	case LINUX_RLIMIT_SIGPENDING:
		(void)proc_call(t, &message, 0);
		break;
	default:
		break;
	}
	return 0;
}

void limits_changed(struct linux_thread *t, uint64_t resources)
{
	for (int resource = 0; resource < LINUX_RLIMITS; resource++)
		if (resources >> resource & 1 && resource != LINUX_RLIMIT_CPU && resource != LINUX_RLIMIT_SIGPENDING) /* those are proc's, who tells us */
			(void)limit_apply(t, resource);
}

static int64_t limit_check(int resource, const uint64_t *new)
{
	if (resource < 0 || resource >= LINUX_RLIMITS || (new && new[0] > new[1]))
		return -EINVAL;
	return new && resource == LINUX_RLIMIT_NOFILE && new[1] > 1048576 ? -EPERM : 0;
}

static int64_t limit_change(struct linux_thread *t, int resource, const uint64_t new[2], uint64_t old[2])
{
	struct linux_process *p = t->process;
	int64_t result = limit_check(resource, new);
	if (result)
		return result;
	lock_take(&p->lock);
	memcpy(old, p->limits[resource], 16);
	if (new)
		memcpy(p->limits[resource], new, 16);
	lock_release(&p->lock);
	if (new)
		result = limit_apply(t, resource);
	return result < 0 ? result : 0;
}

int64_t linux_getrlimit(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t old[2];
	int64_t result = limit_change(t, (int)argument[0], NULL, old);
	return result ? result : user_write(t, argument[1], old, sizeof old);
}

int64_t linux_setrlimit(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t new[2], old[2];
	if (user_read(t, new, argument[1], sizeof new))
		return -EFAULT;
	return limit_change(t, (int)argument[0], new, old);
}

int64_t linux_prlimit64(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t new[2], old[2];
	int32_t pid = (int32_t)argument[0];
	if (argument[2] && user_read(t, new, argument[2], sizeof new))
		return -EFAULT;
	const uint64_t *set = argument[2] ? new : NULL;
	int64_t result;
	if (!pid || (uint32_t)pid == t->process->pid || thread_exists(t, (uint32_t)pid)) {
		result = limit_change(t, (int)argument[1], set, old);
	} else {
		struct message message = { .word = { PROC_LIMIT, (uint32_t)pid, argument[1], set != NULL, new[0], new[1] } };
		if (!set)
			message.word[4] = message.word[5] = 0;
		result = limit_check((int)argument[1], set);
		if (!result)
			result = proc_call(t, &message, 0);
		old[0] = message.word[1];
		old[1] = message.word[2];
	}
	if (result)
		return result;
	return argument[3] ? user_write(t, argument[3], old, sizeof old) : 0;
}

/*
 * Nice values: proc keeps those of processes, which are their main threads', and any other thread has its own. They weigh by the length of slices
 * (nice_slice). The system call tells 20 - nice, so that it is never negative.
 *
 * True: it is about a thread of this process that is not the main one. *value: its nice value; set: the new one.
 */
static bool priority_of_thread(struct linux_thread *t, const uint64_t argument[6], bool set, int32_t *value)
{
	struct linux_process *p = t->process;
	uint32_t who = (uint32_t)argument[1] ? (uint32_t)argument[1] : t->id;
	bool found = false;
	uint64_t number = 0;
	if ((int)argument[0] != 0 || who == p->pid)
		return false;
	lock_take(&p->lock);
	for (struct linux_thread *other = p->threads; other && !found; other = other->next) {
		if (other->id != who)
			continue;
		found = true;
		number = other->number;
		if (set)
			other->nice = *value;
		*value = other->nice;
	}
	lock_release(&p->lock);
	if (found && set && number) /* without a number it has not begun: it keeps its maker's weight */
		(void)thread_set_slice(HANDLE_SELF_PROCESS, number, nice_slice(*value));
	return found;
}

static int64_t priority_call(struct linux_thread *t, const uint64_t argument[6], bool set)
{
	uint32_t which = (uint32_t)argument[0];
	if (which > 2)
		return -EINVAL;
	struct message message = { .word = { PROC_PRIORITY, which, (uint32_t)argument[1], set, (uint64_t)(int64_t)(int32_t)argument[2] } };
	int64_t result = proc_call(t, &message, 0);
	return result < 0 ? result : set ? 0 : (int64_t)message.word[1];
}

int64_t linux_getpriority(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t value;
	return priority_of_thread(t, argument, false, &value) ? 20 - value : priority_call(t, argument, false);
}

int64_t linux_setpriority(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t value = MAXIMUM(-20, MINIMUM((int32_t)argument[2], 19));
	if (priority_of_thread(t, argument, true, &value))
		return 0;
	int64_t result = priority_call(t, argument, true);
	if (!result && t->id == t->process->pid && (int)argument[0] == 0 && (!(uint32_t)argument[1] || (uint32_t)argument[1] == t->id))
		t->nice = value; /* for the threads it makes */
	return result;
}
