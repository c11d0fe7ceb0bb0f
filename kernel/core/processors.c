/*
 * Starting the processors beyond the first. Each gets its idle thread, whose stack it comes up on, and its data of the port; then they wait until all are
 * there, and processors_running becomes what it stays.
 */
#include "kernel/core/processors.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"

#if PROCESSORS_MAX > 1
struct processor *processor_table[PROCESSORS_MAX];
unsigned processors_running = 1;

void processors_start(unsigned wanted)
{
	processor_table[0] = this_processor();
	unsigned count = arch_start_processors(min(wanted, PROCESSORS_MAX));
	for (unsigned i = 1; i < count; i++)
		processor_table[i] = arch_processor_data(i);
	if (count < wanted)
		log_print("processors: only %u of %u run", count, wanted);
	/* release: who sees the count sees the table */
	__atomic_store_n(&processors_running, count, __ATOMIC_RELEASE);
}
#else
void processors_start(unsigned wanted)
{
	if (wanted > 1)
		log_info("only the boot processor of %u runs: this kernel is for one", wanted);
}
#endif
