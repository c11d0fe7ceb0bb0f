/* Use of the processor: usage.h. */
#include "kernel/obj/usage.h"
#include "arch/processor.h"

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
	uint64_t samples = (uint64_t)usage->user_samples + usage->system_samples, run_time = arch_counter_span(usage->run_time), system = 0;
	if (told->user + told->system >= run_time)
		return;
	if (samples)
		system = run_time / samples * usage->system_samples + run_time % samples * usage->system_samples / samples;
	system = max(system, told->system);
	if (run_time - system < told->user)
		system = run_time - told->user;
	told->system = system;
	told->user = run_time - system;
}
