/*
 * sched_*, getcpu, membarrier. All threads run at one priority: SCHED_OTHER and SCHED_BATCH weigh by nice values, a thread of SCHED_IDLE weighs least.
 * There are no real-time policies. Policies are kept here: those of other processes cannot be changed, and are told as SCHED_OTHER.
 */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "machine.h"

enum { SCHEDULE_OTHER, SCHEDULE_FIFO, SCHEDULE_ROUND_ROBIN, SCHEDULE_BATCH, SCHEDULE_IDLE = 5, SCHEDULE_DEADLINE };

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

/* The thread of this process with that id (0: the caller), process->lock held; NULL: there is none. */
static struct linux_thread *thread_of(struct linux_thread *t, uint32_t id)
{
	struct linux_thread *other = id ? t->process->threads : t;
	while (id && other && other->id != id)
		other = other->next;
	return other;
}

/* The policy of a thread, or its process's if it is another's: >= 0, or an error. */
static int64_t policy_get(struct linux_thread *t, uint64_t pid)
{
	int64_t result = pid_check(t, pid);
	if (result)
		return result;
	lock_take(&t->process->lock);
	const struct linux_thread *other = thread_of(t, (uint32_t)pid);
	result = other ? other->policy : SCHEDULE_OTHER;
	lock_release(&t->process->lock);
	return result;
}

/* policy with the flag; the checks that Linux makes have been made. */
static int64_t policy_set(struct linux_thread *t, uint64_t pid, uint32_t policy)
{
	uint64_t number = 0, slice = SLICE_DEFAULT;
	int64_t result = pid_check(t, pid);
	if (result)
		return result;
	lock_take(&t->process->lock);
	struct linux_thread *other = thread_of(t, (uint32_t)pid);
	if (other) {
		bool changes = (other->policy ^ policy) & ~LINUX_SCHED_RESET_ON_FORK;
		other->policy = policy;
		number = changes ? other->number : 0;
		slice = (policy & ~LINUX_SCHED_RESET_ON_FORK) == SCHEDULE_IDLE ? SLICE_MIN : nice_slice(other->nice);
	}
	lock_release(&t->process->lock);
	if (!other)
		return policy == SCHEDULE_OTHER ? 0 : -EPERM;
	if (number)
		(void)thread_set_slice(HANDLE_SELF_PROCESS, number, slice);
	return 0;
}

static int64_t policy_check(uint32_t policy, int32_t priority)
{
	switch (policy & ~LINUX_SCHED_RESET_ON_FORK) {
	case SCHEDULE_OTHER:
	case SCHEDULE_BATCH:
	case SCHEDULE_IDLE:
		return priority ? -EINVAL : 0;
	case SCHEDULE_FIFO:
	case SCHEDULE_ROUND_ROBIN:
		return priority < 1 || priority > 99 ? -EINVAL : -EPERM;
	default:
		return -EINVAL;
	}
}

int64_t linux_sched_getscheduler(struct linux_thread *t, const uint64_t argument[6])
{
	return policy_get(t, argument[0]);
}

int64_t linux_sched_setscheduler(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority, policy = (int32_t)argument[1];
	if (policy < 0 || (int32_t)argument[0] < 0)
		return -EINVAL;
	if (user_read(t, &priority, argument[2], sizeof priority))
		return argument[2] ? -EFAULT : -EINVAL;
	int64_t result = pid_check(t, argument[0]);
	if (!result)
		result = policy_check((uint32_t)policy, priority);
	return result ? result : policy_set(t, argument[0], (uint32_t)policy);
}

int64_t linux_sched_getparam(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority = 0;
	int64_t result = argument[1] ? pid_check(t, argument[0]) : -EINVAL;
	return result ? result : user_write(t, argument[1], &priority, sizeof priority);
}

int64_t linux_sched_setparam(struct linux_thread *t, const uint64_t argument[6])
{
	int32_t priority;
	if ((int32_t)argument[0] < 0)
		return -EINVAL;
	if (user_read(t, &priority, argument[1], sizeof priority))
		return argument[1] ? -EFAULT : -EINVAL;
	int64_t result = pid_check(t, argument[0]);
	return result ? result : priority ? -EINVAL : 0;
}

/* struct sched_attr, of which the first 48 bytes are the oldest */
struct linux_schedule {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
};
#define SCHEDULE_SIZE_MIN 48u
#define FLAG_RESET_ON_FORK 1u
#define FLAG_KEEP_POLICY 8u
#define FLAG_KEEP_PARAMETERS 16u

int64_t linux_sched_setattr(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_schedule wanted = { 0 };
	uint32_t known = sizeof wanted;
	if (!argument[1] || (int32_t)argument[0] < 0 || argument[2])
		return -EINVAL;
	if (user_read(t, &wanted.size, argument[1], sizeof wanted.size))
		return -EFAULT;
	uint32_t size = wanted.size ? wanted.size : SCHEDULE_SIZE_MIN;
	if (size < SCHEDULE_SIZE_MIN || size > known) /* a later structure: it is told how long ours is */
		return user_write(t, argument[1], &known, sizeof known) ? -EFAULT : -E2BIG;
	if (user_read(t, &wanted, argument[1], size))
		return -EFAULT;
	if (wanted.flags & ~(uint64_t)(FLAG_RESET_ON_FORK | FLAG_KEEP_POLICY | FLAG_KEEP_PARAMETERS) || (int32_t)wanted.policy < 0)
		return -EINVAL;
	int64_t old = policy_get(t, argument[0]);
	if (old < 0)
		return old;
	/* To keep the parameters keeps the policy too, as on Linux */
	uint32_t policy = wanted.flags & (FLAG_KEEP_POLICY | FLAG_KEEP_PARAMETERS) ? (uint32_t)old & ~LINUX_SCHED_RESET_ON_FORK : wanted.policy;
	int64_t result = policy_check(policy, (int32_t)wanted.priority);
	if (!result)
		result = policy_set(t, argument[0], policy | (wanted.flags & FLAG_RESET_ON_FORK ? LINUX_SCHED_RESET_ON_FORK : 0));
	if (result || policy == SCHEDULE_IDLE || wanted.flags & FLAG_KEEP_PARAMETERS)
		return result;
	return linux_setpriority(t, (const uint64_t[6]){ 0, argument[0] ? argument[0] : t->id, (uint64_t)(int64_t)wanted.nice });
}

int64_t linux_sched_getattr(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t size = (uint32_t)argument[2];
	if (!argument[1] || (int32_t)argument[0] < 0 || size < SCHEDULE_SIZE_MIN || size > PAGE_SIZE || argument[3])
		return -EINVAL;
	int64_t policy = policy_get(t, argument[0]), nice;
	if (policy < 0)
		return policy;
	nice = linux_getpriority(t, (const uint64_t[6]){ 0, argument[0] ? argument[0] : t->id });
	struct linux_schedule told = {
		.size = MINIMUM(size, (uint32_t)sizeof told), .policy = (uint32_t)policy & ~LINUX_SCHED_RESET_ON_FORK, .nice = nice < 0 ? 0 : (int32_t)(20 - nice),
		.flags = policy & LINUX_SCHED_RESET_ON_FORK ? FLAG_RESET_ON_FORK : 0, .most = told.size > SCHEDULE_SIZE_MIN ? 1024 : 0,
	};
	return user_write(t, argument[1], &told, told.size);
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

/* Where a thread may run, bits by processor (0: no change); what it is then. Of another process it is the main thread's; 0: that has ended. */
static int64_t processors_set(struct linux_thread *t, uint32_t id, uint64_t mask)
{
	uint64_t number = 0;
	lock_take(&t->process->lock);
	const struct linux_thread *other = thread_of(t, id);
	if (other)
		number = other->number;
	lock_release(&t->process->lock);
	if (number)
		return thread_set_processors(HANDLE_SELF_PROCESS, number, mask);
	struct message message = { .word = { PROC_PROCESSORS, id, mask } };
	int64_t result = proc_call(t, &message, 0);
	return result < 0 ? result : (int64_t)message.word[1];
}

int64_t linux_sched_getaffinity(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t size = (uint32_t)argument[1], mask = ~0ul >> (64 - processor_count());
	int64_t result = (int32_t)argument[0] < 0 ? -ESRCH : pid_check(t, argument[0]);
	if (!result)
		result = processors_set(t, (uint32_t)argument[0], 0);
	if (result < 0)
		return result;
	if (result)
		mask = (uint64_t)result;
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
	if (!(mask & (~0ul >> (64 - processor_count()))))
		return -EINVAL;
	return MINIMUM(processors_set(t, (uint32_t)argument[0], mask), 0);
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
