/*
 * What the entry code saves, at the top of the kernel stack for entries from user mode. Shared with assembly: the offsets below are
 * checked in trap.c. The registers come first, in the form user space sees them, so that upcalls and returns copy them as they are.
 */
#ifndef ARCH_FRAME_H
#define ARCH_FRAME_H
#define FRAME_PC 0
#define FRAME_X(n) (8 * (n)) /* x1 .. x31 */
#define FRAME_A0 80
#define FRAME_STATUS 256
#define FRAME_CAUSE 264
#define FRAME_VALUE 272
#define FRAME_SIZE 288

/* Kernel addresses, in the last 256 GiB: the image is linked at its physical address + IMAGE_OFFSET, in the last 2 GiB. */
#define IMAGE_OFFSET 0xffffffff00000000
#define DIRECT_BASE 0xffffffc000000000
#define DIRECT_SIZE 0x3f80000000 /* up to the image: memory above is not used */

#define STATUS_SIE 0x2
#define STATUS_SPIE 0x20
#define STATUS_SPP 0x100
#define STATUS_VS 0x600
#define STATUS_FS 0x6000
#define STATUS_SUM 0x40000
#define STATUS_VS_INITIAL 0x200
#define STATUS_FS_INITIAL 0x2000

#define CAUSE_CALL 8

#ifndef __ASSEMBLER__
#include <stdint.h>
#include "abi/registers.h"
struct arch_frame {
	struct registers r;
	uint64_t status, cause, value, reserved;
};
/* No register of a program is free: the library gets all of them in the block, and the block in gp. */
#define ARCH_CALL_SAVES_REGISTERS 1
static inline void arch_frame_enter(struct arch_frame *frame, uint64_t entry, uint64_t block)
{
	frame->r.pc = entry;
	frame->r.gp = block;
}
/* What call_dispatch returns after an upcall: gp has changed, so everything is loaded from the frame. */
static inline int64_t arch_frame_call_kept(const struct arch_frame *frame)
{
	(void)frame;
	return INT64_MIN + 1; /* CALL_FRAME_CHANGED */
}
#include "abi/message.h"
/* Words in registers: abi/riscv64/abi/call.h. */
#define ARCH_FRAME_WORDS 1
static inline void arch_frame_words(const struct arch_frame *frame, uint64_t word[MESSAGE_WORDS])
{
	const struct registers *r = &frame->r;
	word[0] = r->a1, word[1] = r->a2, word[2] = r->a3, word[3] = r->a4, word[4] = r->a5, word[5] = r->a6, word[6] = r->t3, word[7] = r->t4;
}
static inline uint32_t arch_frame_words_reply(const struct arch_frame *frame) { return (uint32_t)frame->r.t5; }
static inline uint64_t arch_frame_words_message(const struct arch_frame *frame) { return frame->r.t6; }
static inline void arch_frame_words_set(struct arch_frame *frame, const uint64_t word[MESSAGE_WORDS], uint64_t badge, uint64_t data, uint32_t reply)
{
	struct registers *r = &frame->r;
	r->a1 = word[0], r->a2 = word[1], r->a3 = word[2], r->a4 = word[3], r->a5 = word[4], r->a6 = word[5], r->t3 = word[6], r->t4 = word[7];
	r->t5 = reply;
	r->t6 = badge;
	r->a7 = data;
}
#endif
#endif
