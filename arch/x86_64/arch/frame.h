/*
 * What the entry code saves, at the top of the kernel stack for entries from user mode. Shared with assembly: the offsets
 * below are checked in trap.c. The six argument registers of a system call lie together, so that their address is call_dispatch's array.
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H
#define FRAME_RDI 48
#define FRAME_RAX 96
#define FRAME_RCX 104
#define FRAME_R11 112
#define FRAME_VECTOR 120
#define FRAME_RIP 136
#define FRAME_CS 144
#define FRAME_RFLAGS 152
#define FRAME_RSP 160
#define FRAME_SIZE 176
#define FRAME_VECTOR_CALL 0x100 /* vector of a frame made by the syscall instruction */

#define PROCESSOR_CURRENT 8
#define PROCESSOR_KERNEL_STACK 16
#define PROCESSOR_SCRATCH 24
#define PROCESSOR_ATTENTION 52

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_DATA 0x23 /* syscall's rules fix this order: user data before user code */
#define SELECTOR_USER_CODE 0x2b
#define SELECTOR_TASK 0x30

#define KERNEL_BASE 0xffffffff80000000
#define DIRECT_BASE 0xffff800000000000

#ifndef __ASSEMBLER__
#include <stdint.h>
struct arch_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx;
	uint64_t rdi, rsi, rdx, r10, r8, r9;
	uint64_t rax, rcx, r11;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};
/* The library finds its block through gs, and every register of a reflected call still in its place. */
#define ARCH_CALL_SAVES_REGISTERS 0
static inline void arch_frame_enter(struct arch_frame *frame, uint64_t entry, uint64_t block)
{
	(void)block;
	frame->rip = entry < 1ul << 47 ? entry : 0; /* iret to any other would fault in kernel mode */
}
/* What call_dispatch returns to leave the result register as the program had it, without asking for the slow return. */
static inline int64_t arch_frame_call_kept(const struct arch_frame *frame)
{
	return (int64_t)frame->rax;
}
#endif
#endif
