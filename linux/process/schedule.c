/* sched_*, getcpu, membarrier: programs ask; all threads run at one priority, as SCHED_OTHER. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "machine.h"

enum { SCHEDULE_OTHER, SCHEDULE_FIFO, SCHEDULE_ROUND_ROBIN, SCHEDULE_BATCH, SCHEDULE_IDLE = 5, SCHEDULE_DEADLINE };
#define SCHEDULE_RESET_ON_FORK 0x40000000

/* A thread of this process, or some other process's pid: 0, or -EINVAL, -ESRCH. */
static int64_t pid_check(struct linux_thread *t, uint64_t value)
{
	int32_t pid = (int32_t)value;
	if (pid < 0)
		return -EINVAL;
	if (!pid || (uint32_t)pid == t->id || (uint32_t)pid == t->process->pid)
		return 0;
	bool found = false;
	lock_take(&t->process->lock);
	for (struct linux_thread *other = t->process->threads; other && !found; other = other->next)
		found = other->id == (uint32_t)pid;
	lock_release(&t->process->lock);
	if (found)
		return 0;
	struct message message = { .word = { PROC_GET, (uint64_t)pid } };
	return proc_call(t, &message, 0) < 0 ? -ESRCH : 0;
}

int64_t linux_sched_yield(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t, (void)argument;
	return thread_yield();
}

int64_t linux_sched_getscheduler(struct linux_thread *t, const uint64_t argument[6])
{
	return pid_check(t, argument[0]);
}

int64_t linux_sched_setscheduler(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority, policy = (int32_t)argument[1] & ~SCHEDULE_RESET_ON_FORK;
	if (user_read(t, &priority, argument[2], sizeof priority))
		return argument[2] ? -EFAULT : -EINVAL;
	switch (policy) {
	case SCHEDULE_OTHER:
	case SCHEDULE_BATCH:
	case SCHEDULE_IDLE:
		return priority ? -EINVAL : pid_check(t, argument[0]);
	case SCHEDULE_FIFO:
	case SCHEDULE_ROUND_ROBIN:
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

int64_t linux_sched_getparam(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority = 0;
	int64_t result = pid_check(t, argument[0]);
	return result ? result : user_write(t, argument[1], &priority, sizeof priority);
}

int64_t linux_sched_setparam(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority;
	if (user_read(t, &priority, argument[1], sizeof priority))
		return argument[1] ? -EFAULT : -EINVAL;
	return priority ? -EINVAL : pid_check(t, argument[0]);
}

static int64_t priority_bound(int32_t policy, int64_t real_time)
{
	switch (policy) {
	case SCHEDULE_FIFO:
	case SCHEDULE_ROUND_ROBIN:
		return real_time;
	case SCHEDULE_OTHER:
	case SCHEDULE_BATCH:
	case SCHEDULE_IDLE:
	case SCHEDULE_DEADLINE:
		return 0;
	default:
		return -EINVAL;
	}
}

int64_t linux_sched_get_priority_max(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return priority_bound((int32_t)argument[0], 99);
}

int64_t linux_sched_get_priority_min(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return priority_bound((int32_t)argument[0], 1);
}

int64_t linux_sched_rr_get_interval(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_timespec interval = { 0, 10000000 };
	int64_t result = pid_check(t, argument[0]);
	return result ? result : user_write(t, argument[1], &interval, sizeof interval);
}

static uint32_t processor_count(void)
{
	struct system_info info;
	return system_get(&info) < 0 || !info.processors ? 1 : MINIMUM(info.processors, 64u);
}

int64_t linux_sched_getaffinity(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t size = (uint32_t)argument[1], mask = ~0ul >> (64 - processor_count());
	int64_t result = (int32_t)argument[0] < 0 ? -ESRCH : pid_check(t, argument[0]);
	if (result)
		return result;
	if (size < 8 || size & 7)
		return -EINVAL;
	return user_write(t, argument[2], &mask, sizeof mask) ? -EFAULT : 8;
}

int64_t linux_sched_setaffinity(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t mask = 0;
	int64_t result = (int32_t)argument[0] < 0 ? -ESRCH : pid_check(t, argument[0]);
	if (result)
		return result;
	if (user_read(t, &mask, argument[2], MINIMUM((uint64_t)(uint32_t)argument[1], sizeof mask)))
		return -EFAULT;
	return mask & (~0ul >> (64 - processor_count())) ? 0 : -EINVAL;
}

int64_t linux_getcpu(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t processor = machine_processor(), node = 0;
	if (argument[0] && user_write(t, argument[0], &processor, sizeof processor))
		return -EFAULT;
	if (argument[1] && user_write(t, argument[1], &node, sizeof node))
		return -EFAULT;
	return 0;
}

int64_t linux_membarrier(struct linux_thread *t, const uint64_t argument[6])
{
	enum { QUERY = 0, GLOBAL = 1, PRIVATE = 8, REGISTER_PRIVATE = 16 };
	(void)t;
	if (argument[1])
		return -EINVAL;
	switch ((int)argument[0]) {
	case QUERY:
		return processor_count() == 1 ? GLOBAL | PRIVATE | REGISTER_PRIVATE : 0;
	case GLOBAL:
	case PRIVATE:
	case REGISTER_PRIVATE: /* on one processor every switch of threads is a barrier */
		return processor_count() == 1 ? 0 : -EINVAL;
	default:
		return -EINVAL;
	}
}
