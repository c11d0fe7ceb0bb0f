/* Use of the processor: usage.h. */
#include "kernel/obj/usage.h"

void usage_add(struct usage *sum, const struct usage *usage)
{
	sum->run_time += usage->run_time;
	sum->user_samples += usage->user_samples;
	sum->system_samples += usage->system_samples;
	sum->page_faults += usage->page_faults;
	sum->waits += usage->waits;
	sum->preemptions += usage->preemptions;
}

/* As Linux's cputime_adjust does it: what has been told is a lower bound of both, and their sum is the run time. */
void usage_divide(const struct usage *usage, struct usage_told *told)
{
	uint64_t samples = (uint64_t)usage->user_samples + usage->system_samples, system = 0;
	if (told->user + told->system >= usage->run_time)
		return;
	if (samples)
		system = usage->run_time / samples * usage->system_samples + usage->run_time % samples * usage->system_samples / samples;
	system = max(system, told->system);
	if (usage->run_time - system < told->user)
		system = usage->run_time - told->user;
	told->system = system;
	told->user = usage->run_time - system;
}
