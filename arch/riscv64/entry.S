/*
 * The way into the kernel and back: one entry for system calls, exceptions and interrupts.
 *
 * sscratch: in user mode struct processor, in the kernel 0, which tells where a trap came from; tp points to struct processor while the kernel runs.
 * gp is never used by the kernel (nothing is relaxed).
 * sstatus: entries from user mode find SPP clear and SPIE set, and the return needs the same; an entry from the kernel restores that at once
 * (it may switch to a thread that returns to user mode) and puts its own saved status back at its return, FS and VS excepted: whose unit it is may have changed.
 */
#include "arch/frame.h"

	.altmacro
	.macro FOR_EACH instruction, from, to
	number_ = \from
	.rept \to - \from + 1
	ONE \instruction, %number_
	number_ = number_ + 1
	.endr
	.endm
	.macro ONE instruction, n
	\instruction x\n, FRAME_X(\n)(sp)
	.endm
	.macro FOR_EACH_OF instruction, from, to
	number_ = \from
	.rept \to - \from + 1
	ONE_OF \instruction, %number_
	number_ = number_ + 1
	.endr
	.endm
	.macro ONE_OF instruction, n
	\instruction x\n, FRAME_X(\n)(a0)
	.endm

	.text
	.globl library_return_try, library_return_failed
	.globl trap_entry, thread_enter_user, thread_enter_kernel, context_switch_stacks, float_save, float_load
	.align 4
trap_entry:
	csrrw tp, sscratch, tp
	beqz tp, entry_kernel
	sd sp, PROCESSOR_SCRATCH(tp)
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	addi sp, sp, -FRAME_SIZE
	sd t0, FRAME_X(5)(sp)
	sd t1, FRAME_X(6)(sp)
	addi t0, a7, -UPCALL_RETURN
	beqz t0, library_return
entry_save:
	sd x1, FRAME_X(1)(sp)
	sd x3, FRAME_X(3)(sp)
	FOR_EACH sd, 7, 31
	csrr t0, scause
	csrr t1, sepc
	ld t2, PROCESSOR_SCRATCH(tp)
	csrrw t3, sscratch, zero
	csrr t4, sstatus
	sd t2, FRAME_X(2)(sp)
	sd t3, FRAME_X(4)(sp)
	sd t0, FRAME_CAUSE(sp)
	sd t4, FRAME_STATUS(sp)
	li s0, 0
	li t2, CAUSE_CALL
	bne t0, t2, entry_exception

	addi t1, t1, 4                  /* the call instruction is never a short one */
	sd t1, FRAME_PC(sp)
	mv a0, sp
	mv a1, a7
	addi a2, sp, FRAME_A0
1:	call call_dispatch              /* patched when there is a trace (patch.c) */
	.pushsection .patch.call, "a"
	.quad 1b
	.popsection
	lw t1, PROCESSOR_ATTENTION(tp)
	li t0, 0x8000000000000001       /* CALL_FRAME_CHANGED */
	beq a0, t0, frame_changed
	sd a0, FRAME_A0(sp)
	bnez t1, frame_attention
	/* Fast return: the callee-saved registers but s0 still hold the program's values (gp not: another thread may have run since). */
	ld t0, FRAME_PC(sp)
	csrw sscratch, tp
	csrw sepc, t0
	ld x1, FRAME_X(1)(sp)
	FOR_EACH ld, 3, 8
	FOR_EACH ld, 11, 17
	FOR_EACH ld, 28, 31
	ld sp, FRAME_X(2)(sp)
	sret

	/*
	 * upcall_return(registers) of a library, which loads every register from user memory: the registers of the call are wanted by nobody,
	 * so none is saved. Only when nothing else is to be done (attention), the instruction is the library's, and the registers lie in one page that is
	 * there; in every other case sys_upcall_return does it. A pending interrupt has set the block's word, which the library has looked at, and
	 * between its look and here it is sent back (upcall_config.restart_start).
	 */
library_return:
	csrr t0, scause
	li t1, CAUSE_CALL
	bne t0, t1, library_return_not
	csrr t0, sepc
	ld t1, PROCESSOR_LIBRARY_START(tp)
	bltu t0, t1, library_return_not
	ld t1, PROCESSOR_LIBRARY_END(tp)
	bgeu t0, t1, library_return_not
	lw t1, PROCESSOR_ATTENTION(tp)
	bnez t1, library_return_not
	srli t0, a0, 47
	bnez t0, library_return_not
	slli t0, a0, 52
	li t1, (4096 - 256) << 52
	bltu t1, t0, library_return_not
	li t0, STATUS_SUM
	csrs sstatus, t0
library_return_try:                     /* until library_return_failed: a fault goes on there (trap.c), and a0 and a7 are still the call's */
	ld t1, 0(a0)
	csrw sepc, t1
	ld t0, FRAME_X(5)(a0)
	ld t1, FRAME_X(2)(a0)
	sd t0, FRAME_X(5)(sp)
	ld t0, FRAME_X(4)(a0)
	sd t1, FRAME_X(2)(sp)
	ld t1, FRAME_X(17)(a0)
	sd t0, FRAME_X(4)(sp)
	sd t1, FRAME_X(17)(sp)
	ld x1, FRAME_X(1)(a0)
	ld x3, FRAME_X(3)(a0)
	FOR_EACH_OF ld, 6, 9
	FOR_EACH_OF ld, 11, 16
	FOR_EACH_OF ld, 18, 31
	ld a0, FRAME_X(10)(a0)
	li t0, STATUS_SUM
	csrc sstatus, t0
	csrw sscratch, tp
	ld tp, FRAME_X(4)(sp)
	ld t0, FRAME_X(5)(sp)
	ld a7, FRAME_X(17)(sp)
	ld sp, FRAME_X(2)(sp)
	sret
library_return_failed:
	li t0, STATUS_SUM
	csrc sstatus, t0
library_return_not:
	ld t0, FRAME_X(5)(sp)
	ld t1, FRAME_X(6)(sp)
	j entry_save

entry_exception:
	csrr t2, stval
	sd t1, FRAME_PC(sp)
	sd t2, FRAME_VALUE(sp)
	mv a0, sp
	call trap_handle
	lw t1, PROCESSOR_ATTENTION(tp)
frame_changed:
	beqz t1, frame_return
frame_attention:
	mv a0, sp
	call trap_attention
	/* All registers from the frame. */
frame_return:
	ld t0, FRAME_PC(sp)
	csrw sscratch, tp
	csrw sepc, t0
	ld x1, FRAME_X(1)(sp)
	FOR_EACH ld, 3, 31
	ld sp, FRAME_X(2)(sp)
	sret

entry_kernel:
	csrrw tp, sscratch, tp
	addi sp, sp, -FRAME_SIZE
	sd x1, FRAME_X(1)(sp)
	FOR_EACH sd, 3, 31
	addi t0, sp, FRAME_SIZE
	sd t0, FRAME_X(2)(sp)
	csrr t0, scause
	csrr t1, sepc
	csrr t2, stval
	csrr t3, sstatus
	sd t0, FRAME_CAUSE(sp)
	sd t1, FRAME_PC(sp)
	sd t2, FRAME_VALUE(sp)
	sd t3, FRAME_STATUS(sp)
	li t0, STATUS_SUM | STATUS_SPP
	csrc sstatus, t0
	li t0, STATUS_SPIE
	csrs sstatus, t0
	mv a0, sp
	call trap_handle
	ld t0, FRAME_STATUS(sp)
	csrr t1, sstatus
	li t2, STATUS_FS | STATUS_VS
	and t1, t1, t2
	not t2, t2
	and t0, t0, t2
	or t0, t0, t1
	ld t1, FRAME_PC(sp)
	csrw sstatus, t0
	csrw sepc, t1
	ld x1, FRAME_X(1)(sp)
	FOR_EACH ld, 5, 31
	ld sp, FRAME_X(2)(sp)
	sret

	/* First time a thread runs: context_switch_stacks "returns" here. s1: the function, s2: its argument (kernel threads). */
thread_enter_user:
	li s0, 0
	call thread_first_run
	mv a0, sp
	call trap_attention
	j frame_return
thread_enter_kernel:
	li s0, 0
	call thread_first_run
	mv a0, s2
	jalr s1
	call scheduler_exit
	unimp

	/* uint64_t context_switch_stacks(uint64_t *save, uint64_t load): returns on the other stack. struct switch_frame in thread.c. */
context_switch_stacks:
	addi sp, sp, -112
	sd ra, 0(sp)
	sd s0, 8(sp)
	sd s1, 16(sp)
	sd s2, 24(sp)
	sd s3, 32(sp)
	sd s4, 40(sp)
	sd s5, 48(sp)
	sd s6, 56(sp)
	sd s7, 64(sp)
	sd s8, 72(sp)
	sd s9, 80(sp)
	sd s10, 88(sp)
	sd s11, 96(sp)
	sd sp, 0(a0)
	mv sp, a1
	ld ra, 0(sp)
	ld s0, 8(sp)
	ld s1, 16(sp)
	ld s2, 24(sp)
	ld s3, 32(sp)
	ld s4, 40(sp)
	ld s5, 48(sp)
	ld s6, 56(sp)
	ld s7, 64(sp)
	ld s8, 72(sp)
	ld s9, 80(sp)
	ld s10, 88(sp)
	ld s11, 96(sp)
	addi sp, sp, 112
	ret

	/* 32 registers and the control word, 264 bytes. The unit is on. */
	.option arch, +d
	.macro FLOAT instruction, n
	\instruction f\n, 8 * \n(a0)
	.endm
	.macro FLOATS instruction
	number_ = 0
	.rept 32
	FLOAT \instruction, %number_
	number_ = number_ + 1
	.endr
	.endm
float_save:
	FLOATS fsd
	frcsr t0
	sd t0, 256(a0)
	ret
float_load:
	FLOATS fld
	ld t0, 256(a0)
	fscsr t0
	ret
	.section .note.GNU-stack, "", @progbits
