/*
 * The way into the kernel and back: one entry for system calls, exceptions and interrupts.
 *
 * trap_entry sorts: the library's return (upcall_return) and calls that struct call_gate lets be reflected need no frame; a native call has a short frame
 * and its body is called here; words in registers go to words.S; all else has struct arch_frame with all registers.
 *
 * sscratch: in user mode struct processor, in the kernel 0, which tells where a trap came from; tp points to struct processor while the kernel runs. Until
 * sscratch is 0 nothing may fault. The first instructions have no register: they put sp, t0 and t1 into struct processor and then use these.
 * gp is never used by the kernel (nothing is relaxed).
 * sstatus: entries from user mode find SPP clear and SPIE set, and the return needs the same; an entry from the kernel restores that at once
 * (it may switch to a thread that returns to user mode) and puts its own saved status back at its return, FS and VS excepted: whose unit it is may have changed.
 */
#include "abi/calls.h"
#include "arch/frame.h"
#include "arch/offsets.h"

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

	/* The frame, but for pc, cause and value; sscratch is 0 afterwards. t0, t1, t2 */
	.macro SAVE_REGISTERS
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	addi sp, sp, -FRAME_SIZE
	ld t0, PROCESSOR_SAVED_T0(tp)
	ld t1, PROCESSOR_SAVED_T1(tp)
	sd x1, FRAME_X(1)(sp)
	sd x3, FRAME_X(3)(sp)
	FOR_EACH sd, 5, 31
	ld t0, PROCESSOR_SCRATCH(tp)
	csrrw t1, sscratch, zero
	csrr t2, sstatus
	sd t0, FRAME_X(2)(sp)
	sd t1, FRAME_X(4)(sp)
	sd t2, FRAME_STATUS(sp)
	li s0, 0
	.endm

	.text
	.globl entry_gate, entry_general, frame_attention, frame_return
	.globl library_return_try, library_return_failed, reflect_try, reflect_failed
	.globl trap_entry, thread_enter_user, thread_enter_kernel, context_switch_stacks, float_save, float_load
	.align 4
trap_entry:
	csrrw tp, sscratch, tp
	beqz tp, entry_kernel
	sd sp, PROCESSOR_SCRATCH(tp)
	addi sp, a7, -CALL_UPCALL_RETURN
	beqz sp, library_return
entry_sort:
	sd t0, PROCESSOR_SAVED_T0(tp)
	csrr t0, scause
	addi t0, t0, -CAUSE_CALL
	sd t1, PROCESSOR_SAVED_T1(tp)
	bnez t0, entry_exception
	/* Whose call is it? (struct call_gate.) */
entry_gate:                             /* a jump to entry_general when there is a trace (patch.c) */
	ld t1, PROCESSOR_CURRENT(tp)
	ld sp, THREAD_PROCESS(t1)
	csrr t0, sepc
	ld t1, PROCESS_NATIVE_START(sp)
	bltu t0, t1, entry_foreign
	ld t1, PROCESS_NATIVE_END(sp)
	bgeu t0, t1, entry_general
	li t1, CALL_PORT_CALL_WORDS
	bgeu a7, t1, entry_words        /* the last two numbers, or none of a call */
	/*
	 * A native call: the body is called here. By the convention of abi/riscv64/abi/call.h t0-t6, a6 and a7 are zero afterwards; the registers that C
	 * preserves are in the frame only if the way back leads through it.
	 */
	slli sp, a7, CALL_ENTRY_SHIFT
	lla t1, call_table
	add t1, t1, sp
	ld t1, 0(t1)
	beqz t1, entry_general
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	addi sp, sp, -FRAME_SIZE
	addi t0, t0, 4                  /* the call instruction is never a short one */
	sd t0, FRAME_PC(sp)
	ld t0, PROCESSOR_SCRATCH(tp)
	sd x1, FRAME_X(1)(sp)
	sd t0, FRAME_X(2)(sp)
	csrrw t0, sscratch, zero
	sd x3, FRAME_X(3)(sp)
	sd t0, FRAME_X(4)(sp)
	sd s0, FRAME_X(8)(sp)
	FOR_EACH sd, 10, 15
	ld t0, PROCESSOR_CALLS(tp)
	ld t2, PROCESSOR_CURRENT(tp)
	addi t0, t0, 1
	sd t0, PROCESSOR_CALLS(tp)
	sd a7, THREAD_CALL_NUMBER(t2)
	addi a0, sp, FRAME_A0
	jalr t1
	bltz a0, native_negative
native_result:
	lw t0, PROCESSOR_ATTENTION(tp)
	bnez t0, native_attention
	ld t0, FRAME_PC(sp)
	csrw sscratch, tp
	csrw sepc, t0
	ld x1, FRAME_X(1)(sp)
	ld x3, FRAME_X(3)(sp)
	ld x4, FRAME_X(4)(sp)
	FOR_EACH ld, 11, 15
	li a6, 0
	li a7, 0
	li t0, 0
	li t1, 0
	li t2, 0
	li t3, 0
	li t4, 0
	li t5, 0
	li t6, 0
	ld sp, FRAME_X(2)(sp)
	sret

native_negative:
	li t0, -4                       /* -EINTR */
	bne a0, t0, 1f
	call call_interrupted
	li a0, -4
	j native_result
1:	li t0, 0x8000000000000001       /* CALL_FRAME_CHANGED */
	lw t1, PROCESSOR_ATTENTION(tp)
	beq a0, t0, frame_changed
	j native_result
native_attention:                       /* the rest of the frame, as the fast return would have it */
	sd a0, FRAME_A0(sp)
	sd s1, FRAME_X(9)(sp)
	FOR_EACH sd, 18, 27
	sd zero, FRAME_X(5)(sp)
	sd zero, FRAME_X(6)(sp)
	sd zero, FRAME_X(7)(sp)
	sd zero, FRAME_X(16)(sp)
	sd zero, FRAME_X(17)(sp)
	sd zero, FRAME_X(28)(sp)
	sd zero, FRAME_X(29)(sp)
	sd zero, FRAME_X(30)(sp)
	sd zero, FRAME_X(31)(sp)
	j frame_attention

	/* Any call, with the whole frame. t0 and t1 are in struct processor, sepc is the call's address. */
entry_general:
	SAVE_REGISTERS
	csrr t0, sepc
	li t1, CAUSE_CALL
	addi t0, t0, 4
	sd t1, FRAME_CAUSE(sp)
	sd t0, FRAME_PC(sp)
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
	 * Reflection without a frame, as upcall_call does it with one: pc and gp to the thread's block, and on at the library's entry with all other
	 * registers as they were. A fault at the block (no page yet, no block) starts again the general way.
	 * t0 the call's address, sp the process
	 */
	.align 2
entry_foreign:
	li t1, CALL_GATE_NUMBERS
	bgeu a7, t1, entry_general
	add t1, sp, a7
	lbu t1, PROCESS_REFLECTED(t1)
	beqz t1, entry_routed
	lw t1, PROCESSOR_ATTENTION(tp)
	bnez t1, entry_general
	ld t1, PROCESS_CALL_ENTRY(sp)
	sd t2, PROCESSOR_SAVED_T2(tp)
	csrw sepc, t1
	ld sp, PROCESSOR_CURRENT(tp)
	csrrw t2, sscratch, zero
	ld t1, THREAD_BLOCK(sp)
	sd t2, PROCESSOR_SAVED_TP(tp)
	sd a7, THREAD_CALL_NUMBER(sp)
	addi t0, t0, 4
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	li t2, STATUS_SUM
	csrs sstatus, t2
reflect_try:                            /* until reflect_failed: a fault goes on there (trap.c) */
	sd t0, BLOCK_PC(t1)
	sd gp, BLOCK_GP(t1)
	sd zero, BLOCK_CALL_RESULT(t1)  /* CALL_NOT_ROUTED */
	csrc sstatus, t2
	mv gp, t1
	ld t0, PROCESSOR_CALLS(tp)
	addi t0, t0, 1
	sd t0, PROCESSOR_CALLS(tp)
	csrw sscratch, tp
	ld sp, PROCESSOR_SCRATCH(tp)
	ld t0, PROCESSOR_SAVED_T0(tp)
	ld t1, PROCESSOR_SAVED_T1(tp)
	ld t2, PROCESSOR_SAVED_T2(tp)
	ld tp, PROCESSOR_SAVED_TP(tp)
	sret
reflect_failed:
	csrc sstatus, t2
	addi t0, t0, -4
	csrw sepc, t0
	ld t2, PROCESSOR_SAVED_TP(tp)
	csrw sscratch, t2
	ld t2, PROCESSOR_SAVED_T2(tp)
	j entry_general

	/*
	 * A routed call, as call_routed does it where the route is plain. The registers that C preserves are in the frame only when something else than the
	 * fast return looks at it. sp the process
	 */
	.align 2
entry_routed:
	ld t1, PROCESS_GATE_ROUTES(sp)
	beqz t1, entry_general
	slli sp, a7, 1
	add sp, sp, t1
	lhu sp, ROUTES_BY_NUMBER(sp)
	ld t1, ROUTES_PLAIN(t1)
	slli t0, sp, 2
	add sp, sp, t0
	slli sp, sp, 3                          /* PLAIN_SIZE is 40 */
	add t1, t1, sp
	ld sp, PLAIN_BODY(t1)
	beqz sp, entry_general
	ld t0, PLAIN_MASK(t1)
	ld sp, PLAIN_VALUE(t1)
	and t0, t0, a2
	bne t0, sp, entry_general
	lwu sp, PLAIN_FIRST_MOST(t1)            /* pseudo handles and the library's own are out of reach */
	slli t0, a0, 32
	srli t0, t0, 32
	bltu sp, t0, entry_general
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	addi sp, sp, -FRAME_SIZE
	ld t0, PROCESSOR_SAVED_T0(tp)
	sd x1, FRAME_X(1)(sp)
	sd t0, FRAME_X(5)(sp)
	ld t0, PROCESSOR_SAVED_T1(tp)
	sd x3, FRAME_X(3)(sp)
	sd t0, FRAME_X(6)(sp)
	ld t0, PROCESSOR_SCRATCH(tp)
	FOR_EACH sd, 7, 8
	sd t0, FRAME_X(2)(sp)
	csrrw t0, sscratch, zero
	FOR_EACH sd, 10, 17
	sd t0, FRAME_X(4)(sp)
	csrr t0, sepc
	FOR_EACH sd, 28, 31
	addi t0, t0, 4
	ld t2, PROCESSOR_CURRENT(tp)
	sd t0, FRAME_PC(sp)
	ld t0, PROCESSOR_CALLS(tp)
	sd a7, THREAD_CALL_NUMBER(t2)
	addi t0, t0, 1
	sd t0, PROCESSOR_CALLS(tp)
	li t0, 1
	sb t0, THREAD_CALL_ROUTED(t2)
	addi a0, sp, FRAME_A0
	mv a1, t1
	ld t1, PLAIN_BODY(t1)
	jalr t1
	ld t2, PROCESSOR_CURRENT(tp)
	lw t1, PROCESSOR_ATTENTION(tp)
	sb zero, THREAD_CALL_ROUTED(t2)
	bltz a0, routed_negative
	bnez t1, routed_attention
routed_return:
	ld t0, FRAME_PC(sp)
	csrw sscratch, tp
	csrw sepc, t0
	ld x1, FRAME_X(1)(sp)
	FOR_EACH ld, 3, 7
	FOR_EACH ld, 11, 17
	FOR_EACH ld, 28, 31
	ld sp, FRAME_X(2)(sp)
	sret
routed_negative:
	sd s1, FRAME_X(9)(sp)
	FOR_EACH sd, 18, 27
	mv a1, a0
	mv a0, sp
	call call_route_ended
	lw t1, PROCESSOR_ATTENTION(tp)
	li t0, 0x8000000000000001               /* CALL_FRAME_CHANGED */
	beq a0, t0, frame_changed
	beqz t1, routed_return
routed_attention:
	sd s1, FRAME_X(9)(sp)
	FOR_EACH sd, 18, 27
	sd a0, FRAME_A0(sp)
	j frame_attention

	/*
	 * upcall_return of a library, which has loaded every register from the block but pc, gp and a7: these three are loaded here. gp is the block, which tells
	 * it from a program's call of that number. Only when nothing else is to be done (attention) and the block is there; in every other case
	 * sys_upcall_return loads all registers from it. A pending interrupt has set the block's word, which the library has looked at, and between its look
	 * and here it is sent back (upcall_config.restart_start).
	 */
	.align 2
library_return:
	sd t0, PROCESSOR_SAVED_T0(tp)
	csrr t0, scause
	addi t0, t0, -CAUSE_CALL
	bnez t0, library_return_not
	ld sp, PROCESSOR_CURRENT(tp)
	ld sp, THREAD_BLOCK(sp)
	bne sp, gp, library_return_not
	lw t0, PROCESSOR_ATTENTION(tp)
	bnez t0, library_return_long
	ld sp, PROCESSOR_KERNEL_STACK(tp)
	csrrw t0, sscratch, zero
	sd t0, PROCESSOR_SAVED_TP(tp)
	li t0, STATUS_SUM
	csrs sstatus, t0
library_return_try:                     /* until library_return_failed: a fault goes on there (trap.c) */
	ld a7, BLOCK_PC(gp)
	csrw sepc, a7
	ld a7, BLOCK_A7(gp)
	ld gp, BLOCK_GP(gp)
	csrc sstatus, t0
	csrw sscratch, tp
	ld t0, PROCESSOR_SAVED_T0(tp)
	ld sp, PROCESSOR_SCRATCH(tp)
	ld tp, PROCESSOR_SAVED_TP(tp)
	sret
library_return_failed:                  /* t0: an address in the library, from trap.c; sepc is lost */
	csrw sepc, t0
	li t0, STATUS_SUM
	csrc sstatus, t0
	ld t0, PROCESSOR_SAVED_TP(tp)
	csrw sscratch, t0
	li a7, CALL_UPCALL_RETURN
library_return_long:
	sd t1, PROCESSOR_SAVED_T1(tp)
	addi a0, gp, BLOCK_PC           /* the registers, which are the call's argument */
	j entry_general
library_return_not:
	ld t0, PROCESSOR_SAVED_T0(tp)
	j entry_sort

entry_exception:
	SAVE_REGISTERS
	csrr t0, scause
	csrr t1, sepc
	csrr t2, stval
	sd t0, FRAME_CAUSE(sp)
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
