/*
 * Places in the code that are decided once, at start: instructions that do nothing are written over where something is to be done. entry.S,
 * usercopy.S and arch/trace_point.h list the places in sections of their own. Text is not writable: this writes through the direct map. The processor sees
 * its own writes to instructions it has not begun; there is one processor, and what is written over does not run meanwhile.
 */
#include "x86.h"
#include "kernel/core/log.h"

static volatile uint8_t *code_at(uint64_t address)
{
	return direct(address - KERNEL_BASE);
}

/* stac and clac, where the processor has SMAP. */
void patch_access(void)
{
	extern const uint64_t patch_access_start[][2], patch_access_end[][2];
	for (const uint64_t (*patch)[2] = patch_access_start; patch < patch_access_end; patch++) {
		volatile uint8_t *code = code_at((*patch)[0]);
		code[0] = 0x0f;
		code[1] = 0x01;
		code[2] = (uint8_t)(*patch)[1];
	}
}

/* Makes the two jumps of entry.S to the short way (words.S) no operations, where that cannot run. */
void patch_words(void)
{
	extern const uint64_t patch_words_start[], patch_words_end[];
	static const uint8_t nothing[6] = { 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 };
	for (const uint64_t *patch = patch_words_start; patch < patch_words_end; patch++)
		for (unsigned i = 0; i < sizeof(nothing); i++)
			code_at(*patch)[i] = nothing[i];
}

/* A jump or call (by its first byte) of five bytes at address to target. */
static void write_branch(uint64_t address, uint8_t instruction, uint64_t target)
{
	volatile uint8_t *code = code_at(address);
	uint32_t distance = (uint32_t)(target - (address + 5));
	for (unsigned i = 0; i < 4; i++)
		code[1 + i] = (uint8_t)(distance >> 8 * i);
	code[0] = instruction;
}

void arch_trace_begin(void)
{
	extern const uint64_t patch_trace_start[][2], patch_trace_end[][2], patch_call_start[], patch_call_end[];
	void entry_gate(void), entry_general(void);
	int64_t call_dispatch_traced(struct arch_frame *, uint64_t, const uint64_t *);
	for (const uint64_t (*patch)[2] = patch_trace_start; patch < patch_trace_end; patch++)
		write_branch((*patch)[0], 0xe9, (*patch)[1]);
	write_branch((uint64_t)entry_gate, 0xe9, (uint64_t)entry_general); /* every call goes the general way */
	for (const uint64_t *patch = patch_call_start; patch < patch_call_end; patch++)
		write_branch(*patch, 0xe8, (uint64_t)call_dispatch_traced);
}
