/* Single instructions: what the library and the vDSO need of x86_64. */
#ifndef LINUX_X86_64_PROCESSOR_H
#define LINUX_X86_64_PROCESSOR_H
#include <stdint.h>
#include "abi/registers.h"

/* The processor that runs the caller: the limit of a segment that the kernel keeps on each. May be outdated when the caller reads it. */
static inline uint32_t processor_number(void)
{
	uint32_t number = 0; /* lsl leaves it when there is no such segment */
	__asm__ volatile("lsl %1, %0" : "+r"(number) : "r"(SELECTOR_PROCESSOR) : "cc");
	return number;
}

/* The thread's block: gs belongs to the library. */
static inline void *processor_block(void)
{
	void *block;
	__asm__ volatile("movq %%gs:0, %0" : "=r"(block));
	return block;
}

/* In native programs: the library's structure for this thread is made, and the kernel knows it. */
static inline void processor_block_set(void *block)
{
	(void)block;
}

/* The counter that the clock page speaks of, not read before what stands above it. */
static inline uint64_t processor_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline int64_t processor_system_call(uint64_t number, uint64_t first, uint64_t second)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
	return result;
}
#endif
