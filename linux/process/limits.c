/* Resource limits and priorities. Limits are kept, told and passed on through exec; RLIMIT_NOFILE is the kernel's handle_limit. */
#include "linux/calls.h"
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

static int64_t limit_change(struct linux_thread *t, int resource, const uint64_t new[2], uint64_t old[2])
{
	struct linux_process *p = t->process;
	int64_t result = 0;
	if (resource < 0 || resource >= LINUX_RLIMITS)
		return -EINVAL;
	if (new && new[0] > new[1])
		return -EINVAL;
	if (new && resource == LINUX_RLIMIT_NOFILE && new[1] > 1048576)
		return -EPERM;
	lock_take(&p->lock);
	memcpy(old, p->limits[resource], 16);
	if (new) {
		if (resource == LINUX_RLIMIT_NOFILE)
			result = handle_limit((uint32_t)MINIMUM(new[0], (uint64_t)HANDLE_RANGE_MAX));
		if (result >= 0)
			memcpy(p->limits[resource], new, 16);
	}
	lock_release(&p->lock);
	if (new && result >= 0 && resource == LINUX_RLIMIT_FSIZE && !(p->record->personality_flags & RECORD_TRACE))
		routes_set(p); /* refused while other threads run: then only writes that come to the library are held to the limit */
	if (new && result >= 0 && resource == LINUX_RLIMIT_CPU)
		processor_limit(t, new);
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
	if (pid && (uint32_t)pid != t->process->pid)
		return -ESRCH;
	if (argument[2] && user_read(t, new, argument[2], sizeof new))
		return -EFAULT;
	int64_t result = limit_change(t, (int)argument[1], argument[2] ? new : NULL, old);
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
