/*
 * The load average, as Linux defines it: every 5 seconds the number of threads that run or could is added to three averages that decay with
 * 1, 5 and 15 minutes. They stand in the head of the process table, in 65536ths, where sysinfo reads them.
 */
#include <stdlib.h>
#include "abi/process.h"
#include "carillon/calls.h"
#include "files.h"

#define PERIOD 5000000000ul
#define THREADS 256

static uint64_t next_sample;

unsigned load_running(unsigned *threads)
{
	struct thread_info *list = malloc(THREADS * sizeof *list);
	unsigned running = 0, total = 1; /* init's */
	for (struct process *p = process_next(NULL); list && p; p = process_next(p)) {
		int64_t count = p->handle == HANDLE_NONE ? 0 : thread_list(p->handle, list, THREADS);
		total += count > 0 ? (unsigned)count : 0;
		for (int64_t i = 0; i < count && i < THREADS; i++)
			running += list[i].state == THREAD_STATE_RUNNING;
	}
	free(list);
	if (threads)
		*threads = total;
	return running;
}

uint64_t load_next(void)
{
	if (!next_sample)
		next_sample = (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + PERIOD;
	return next_sample;
}

void load_sample(uint64_t now)
{
	/* exp(-5/60), exp(-5/300), exp(-5/900) in 65536ths */
	static const uint64_t decay[3] = { 60296, 64453, 65173 };
	if (now < load_next())
		return;
	uint64_t running = load_running(NULL);
	while (next_sample <= now) {
		for (int i = 0; i < 3; i++) {
			uint32_t *load = &process_head()->load[i];
			*load = (uint32_t)((*load * decay[i] + (running << 16) * (65536 - decay[i]) + 32768) >> 16);
		}
		next_sample += PERIOD;
	}
}
