/* Single instructions: what the library and the vDSO need of riscv64. */
#ifndef LINUX_RISCV64_PROCESSOR_H
#define LINUX_RISCV64_PROCESSOR_H
#include <stdint.h>

/* The processor that runs the caller: one runs programs so far, and no register that they can read tells a number. */
static inline uint32_t processor_number(void)
{
	return 0;
}

/* The thread's block: gp belongs to the library while it runs. */
static inline void *processor_block(void)
{
	void *block;
	__asm__ volatile("mv %0, gp" : "=r"(block));
	return block;
}

/* In native programs: the library's structure for this thread is made, and the kernel knows it. */
static inline void processor_block_set(void *block)
{
	__asm__ volatile("mv gp, %0" : : "r"(block));
}

/* The counter that the clock page speaks of, not read before what stands above it. */
static inline uint64_t processor_counter(void)
{
	uint64_t count;
	__asm__ volatile("fence ir, ir\n\trdtime %0" : "=r"(count) : : "memory");
	return count;
}

static inline int64_t processor_system_call(uint64_t number, uint64_t first, uint64_t second)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = first;
	register uint64_t a1 __asm__("a1") = second;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1) : "memory");
	return (int64_t)a0;
}
#endif
