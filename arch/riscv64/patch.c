/*
 * Places in the code that are decided once, at start: what entry.S and arch/trace_point.h list in sections of their own. Text is not writable: this
 * writes through the direct map. There is one processor, and what is written over does not run meanwhile.
 */
#include "riscv.h"
#include "arch/mmu.h"
#include "kernel/core/log.h"

static volatile uint32_t *code_at(uint64_t address)
{
	return direct(address - IMAGE_OFFSET);
}

/* j target: up to 1 MiB away, which a function is not. */
static uint32_t jump(uint64_t address, uint64_t target)
{
	uint32_t distance = (uint32_t)(target - address);
	return 0x6fu | (distance & 0xff000) | (distance >> 11 & 1) << 20 | (distance >> 1 & 0x3ff) << 21 | (distance >> 20 & 1) << 31;
}

void arch_trace_begin(void)
{
	extern const uint64_t patch_trace_start[][2], patch_trace_end[][2], patch_call_start[], patch_call_end[];
	void entry_gate(void), entry_general(void);
	int64_t call_dispatch_traced(struct arch_frame *, uint64_t, const uint64_t *);
	for (const uint64_t (*patch)[2] = patch_trace_start; patch < patch_trace_end; patch++)
		*code_at((*patch)[0]) = jump((*patch)[0], (*patch)[1]);
	*code_at((uint64_t)entry_gate) = jump((uint64_t)entry_gate, (uint64_t)entry_general); /* every call goes the general way */
	for (const uint64_t *patch = patch_call_start; patch < patch_call_end; patch++) {
		uint32_t distance = (uint32_t)((uint64_t)call_dispatch_traced - *patch);
		code_at(*patch)[0] = ((distance + 0x800) & 0xfffff000) | 1u << 7 | 0x17u;          /* auipc ra, upper part */
		code_at(*patch)[1] = (distance & 0xfff) << 20 | 1u << 15 | 1u << 7 | 0x67u;         /* jalr ra, lower part(ra) */
	}
	__asm__ volatile("fence.i" ::: "memory");
}
