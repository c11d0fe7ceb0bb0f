/*
 * What the entry code saves, at the top of the kernel stack for entries from user mode. Shared with assembly: the offsets
 * below are checked in trap.c. The six argument registers of a system call lie together, so that their address is call_dispatch's array.
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H
#define FRAME_RBP 32
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
#include "abi/message.h"
/* Words in registers: abi/x86_64/abi/call.h. */
#define ARCH_FRAME_WORDS 1
static inline void arch_frame_words(const struct arch_frame *frame, uint64_t word[MESSAGE_WORDS])
{
	word[0] = frame->rsi, word[1] = frame->r10, word[2] = frame->r8, word[3] = frame->r9;
	word[4] = frame->rbx, word[5] = frame->r12, word[6] = frame->r13, word[7] = frame->r14;
}
static inline uint32_t arch_frame_words_reply(const struct arch_frame *frame) { return (uint32_t)frame->r15; }
static inline uint64_t arch_frame_words_message(const struct arch_frame *frame) { return frame->rdx; }
static inline void arch_frame_words_set(struct arch_frame *frame, const uint64_t word[MESSAGE_WORDS], uint64_t badge, uint64_t data, uint32_t reply)
{
	frame->rsi = word[0], frame->r10 = word[1], frame->r8 = word[2], frame->r9 = word[3];
	frame->rbx = word[4], frame->r12 = word[5], frame->r13 = word[6], frame->r14 = word[7];
	frame->rdx = badge;
	frame->rdi = data;
	frame->r15 = reply;
}
/* What call_dispatch returns to leave the result register as the program had it, without asking for the slow return. */
static inline int64_t arch_frame_call_kept(const struct arch_frame *frame)
{
	return (int64_t)frame->rax;
}
#endif
#endif
