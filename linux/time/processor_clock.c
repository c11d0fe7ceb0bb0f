/* Clocks of processor time; processor_clock.h. */
#include "linux/time/processor_clock.h"
#include "linux/process/process.h"

#define PER_THREAD 4
#define KIND_MASK 3
#define KIND_USER 1
#define KIND_DESCRIPTOR 3 /* clocks of devices: there are none */

static uint64_t number_of(struct linux_thread *t, uint32_t id)
{
	uint64_t number = 0;
	lock_take(&t->process->lock);
	for (struct linux_thread *other = t->process->threads; other && !number; other = other->next)
		if (other->id == id)
			number = other->number;
	lock_release(&t->process->lock);
	return number;
}

int processor_clock(struct linux_thread *t, int clock, bool for_value, struct processor_clock *found)
{
	if (clock == LINUX_CLOCK_PROCESS_CPUTIME_ID || clock == LINUX_CLOCK_THREAD_CPUTIME_ID)
		clock = (int)(~0u << 3) | 2 | (clock == LINUX_CLOCK_THREAD_CPUTIME_ID ? PER_THREAD : 0);
	uint32_t id = ~(uint32_t)(clock >> 3);
	if (clock >= 0 || (clock & KIND_MASK) == KIND_DESCRIPTOR)
		return -EINVAL;
	*found = (struct processor_clock){ .thread = clock & PER_THREAD, .user = (clock & KIND_MASK) == KIND_USER, .id = id };
	if (found->thread) {
		found->number = id ? number_of(t, id) : t->number;
		return found->number ? 0 : -EINVAL;
	}
	if (id == t->process->pid || (for_value && id == t->id))
		found->id = 0;
	if (!found->id)
		return 0;
	struct message message = { .word = { PROC_GET, id } };
	return proc_call(t, &message, 0) < 0 ? -EINVAL : 0;
}

int processor_clock_value(struct linux_thread *t, const struct processor_clock *clock, uint64_t *value)
{
	uint64_t user, system;
	if (clock->thread) {
		struct thread_info info;
		if (clock->number == t->number && !clock->user) {
			*value = (uint64_t)clock_get(CLOCK_THREAD_ID);
			return 0;
		}
		if (thread_find(t, clock->number, &info))
			return -EINVAL;
		user = info.user_time;
		system = info.system_time;
	} else {
		struct message message = { .word = { PROC_TIMES, clock->id } };
		struct process_info info;
		if (!clock->id && !clock->user) {
			*value = (uint64_t)clock_get(CLOCK_PROCESS_ID);
			return 0;
		}
		if (clock->id ? proc_call(t, &message, 0) < 0 : process_get(HANDLE_SELF_PROCESS, &info) < 0)
			return -EINVAL;
		user = clock->id ? message.word[1] : info.user_time;
		system = clock->id ? message.word[2] : info.system_time;
	}
	*value = user + (clock->user ? 0 : system);
	return 0;
}
