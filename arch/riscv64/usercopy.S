/*
 * Reading and writing user memory. A fault in a function between the labels below goes on at usercopy_failed, for the sleeping kind after
 * trap.c could not mend it; it can, then the instruction is repeated. A fault anywhere else in the kernel is a panic. User memory is open to the
 * kernel (SUM) only in here. The functions use no stack.
 *
 * int usercopy_*(void *target, const void *source, size_t length)   0 or -EFAULT; addresses already checked (usercopy.c)
 */
#include "arch/frame.h"
#include "lib/riscv64/copy.h"
	.text
	.globl usercopy_sleeping, usercopy_present, usercopy_load32, usercopy_store32
	.globl usercopy_sleeping_start, usercopy_sleeping_end, usercopy_present_start, usercopy_present_end, usercopy_failed
	.align 4
usercopy_sleeping_start:
usercopy_sleeping:
	li t0, STATUS_SUM
	csrs sstatus, t0
	COPY
	li t0, STATUS_SUM
	csrc sstatus, t0
	li a0, 0
	ret

	/* int usercopy_store32(uint32_t *target, uint32_t value) */
usercopy_store32:
	li t0, STATUS_SUM
	csrs sstatus, t0
	sw a1, 0(a0)
	csrc sstatus, t0
	li a0, 0
	ret
usercopy_sleeping_end:

	.align 4
usercopy_present_start:
usercopy_present:
	li t0, STATUS_SUM
	csrs sstatus, t0
	COPY
	li t0, STATUS_SUM
	csrc sstatus, t0
	li a0, 0
	ret

	/* int usercopy_load32(const uint32_t *source, uint32_t *value) */
usercopy_load32:
	li t0, STATUS_SUM
	csrs sstatus, t0
	lw t1, 0(a0)
	csrc sstatus, t0
	sw t1, 0(a1)
	li a0, 0
	ret
usercopy_present_end:

usercopy_failed:
	li t0, STATUS_SUM
	csrc sstatus, t0
	li a0, -14              /* -EFAULT */
	ret
	.section .note.GNU-stack, "", @progbits
