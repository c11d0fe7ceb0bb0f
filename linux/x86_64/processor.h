/* What the vDSO needs of x86_64: the processor's number without a call (the library uses it too), and the system call instruction. */
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

static inline int64_t processor_system_call(uint64_t number, uint64_t first, uint64_t second)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(first), "S"(second) : "rcx", "r11", "memory");
	return result;
}
#endif
