/* The registers of a riscv64 thread as user space sees them, in the order of Linux's struct user_regs_struct: pc, then x1 to x31. */
#ifndef ABI_REGISTERS_H
#define ABI_REGISTERS_H
#include <stdint.h>

struct registers {
	uint64_t pc, ra, sp, gp, tp, t0, t1, t2, s0, s1, a0, a1, a2, a3, a4, a5, a6, a7;
	uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, t3, t4, t5, t6;
};

/* Where the caller's frame pointer and the return address lie, from the frame pointer. */
#define ABI_STACK_LINK (-16l)
/*
 * A function that calls nobody keeps no return address in memory: its caller's frame pointer lies in that place. Is what was found there such a one?
 * Only the innermost frame's can be, and the register has where it returns to.
 */
#define ABI_STACK_LEAF(frame, caller) ((uint64_t)(caller) - (uint64_t)(frame) - 1 < 0x100000ul)
#define ABI_REGISTERS_RETURN(registers) ((registers)->ra)
#endif
