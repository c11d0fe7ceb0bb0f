/*
 * Entering and leaving the personality on riscv64.
 *
 * gp points at the thread's struct linux_thread (its struct thread_block first) as long as the library runs; a program uses it as it likes. So the kernel
 * saves pc and gp in the block when it reflects a call, and loads them when the library returns. The program's stack is never written.
 *
 *   program --ecall----> entry_call --------> linux_enter_call --+-> quick return: the registers that C does not preserve
 *   program --fault----> entry_exception ---> linux_enter_exception -+-> full return: every register from the block
 *   program --interrupt> entry_interrupt ---> linux_enter_interrupt -+
 *
 * entry_call saves all registers into the block: then a signal frame, fork or clone finds them there, and either return is right at any time. The
 * arguments of the call are the block's a0 to a5.
 *
 * The return. Between return_start and return_end nothing is lost but what can be loaded again from the block: when an interrupt arrives there,
 * the kernel sets block.pending and moves the instruction pointer back to return_start, which sees it. In the last call itself the kernel finds it pending and
 * makes an upcall of it. So no signal is lost or late. That call has gp = the block; the kernel loads the registers that only it can (pc, gp, a7), or
 * all of them when something is to be done first.
 */
#include "abi/calls.h"
#include "lib/riscv64/copy.h"
#include "offsets.h"

	.macro FUNCTION name
	.global \name
	.type \name, @function
	.align 2
\name:
	.endm
	.altmacro
	.macro FOR_EACH instruction, from, to
	number_ = \from
	.rept \to - \from + 1
	ONE \instruction, %number_
	number_ = number_ + 1
	.endr
	.endm
	.macro ONE instruction, n
	\instruction x\n, BLOCK_X(\n)(gp)
	.endm

	.text
FUNCTION entry_call
	sd sp, BLOCK_X(2)(gp)
	ld sp, BLOCK_STACK(gp)
	sd a0, BLOCK_CALL_FLAGS(gp)
	sd ra, BLOCK_X(1)(gp)
	FOR_EACH sd, 4, 31
	mv a0, gp
	addi a1, gp, BLOCK_X(10)
	li s0, 0
	call linux_enter_call
	bnez a0, return_start
	ld s0, BLOCK_X(8)(gp)
	j return_quick

FUNCTION entry_exception
	ld sp, BLOCK_STACK(gp)
	li s0, 0
	mv a0, gp
	call linux_enter_exception
	j return_start

FUNCTION entry_interrupt
return_pending:
	ld sp, BLOCK_STACK(gp)
	li s0, 0
	mv a0, gp
	call linux_enter_interrupt
	/* goes on to return_start */

	.global return_end
FUNCTION return_start
	lw t0, BLOCK_PENDING(gp)
	bnez t0, return_pending
	ld tp, BLOCK_X(4)(gp)
	ld s0, BLOCK_X(8)(gp)
	ld s1, BLOCK_X(9)(gp)
	FOR_EACH ld, 18, 27
return_quick:
	lw t0, BLOCK_PENDING(gp)
	bnez t0, return_pending
	li a7, CALL_UPCALL_RETURN
	ld ra, BLOCK_X(1)(gp)
	FOR_EACH ld, 5, 7
	FOR_EACH ld, 10, 16
	FOR_EACH ld, 28, 31
	ld sp, BLOCK_X(2)(gp)
	ecall
	unimp                           /* it does not return, unless the block is not there */
return_end:

/*
 * Where new threads begin. All have gp set by the kernel to their block.
 *   linux_start_entry   first thread of a program, by exec or spawn, on an empty library stack: a0 program entry, a1 program stack
 *                       pointer, a2 its block, which is still zero
 *   linux_thread_entry  clone, vfork: a new block, registers already in it
 *   linux_fork_entry    fork: the parent's block and stack in a cloned space
 */
FUNCTION linux_start_entry
	li s0, 0
	mv gp, a2
	mv a2, a1
	mv a1, a0
	mv a0, gp
	call linux_start
	j return_start

FUNCTION linux_thread_entry
	ld sp, BLOCK_STACK(gp)
	li s0, 0
	mv a0, gp
	call linux_thread_begin
	j return_start

FUNCTION linux_fork_entry
	ld sp, BLOCK_STACK(gp)
	li s0, 0
	mv a0, gp
	call linux_fork_begin
	j return_start

/*
 * The copy window: an exception in it continues at copy_fixup with all registers kept. Its functions use no stack, so the fixup can return
 * for each of them, with -1. 0 is success unless said otherwise.
 *   int copy_bytes(void *to, const void *from, size_t size)
 *   int copy_zero(void *to, size_t size)
 *   int64_t copy_string(char *to, const char *from, size_t room)    length without NUL, or room when no NUL came
 *   int copy_load32(const uint32_t *from, uint32_t *to)
 *   int copy_exchange32(uint32_t *word, uint32_t *expected, uint32_t value)   0 done, 2 differs (*expected updated)
 *   int copy_vector_save(void *state, void *registers), copy_vector_load(const void *state)   machine.h; as arch/riscv64/vector_state.S
 */
	.global copy_start, copy_end, copy_fixup
	.align 2
copy_start:
FUNCTION copy_bytes
	COPY
	li a0, 0
	ret
FUNCTION copy_zero
	mv a2, a1
	li a1, 0
	FILL
	li a0, 0
	ret
FUNCTION copy_string
	mv t0, a0
	add t1, a0, a2
1:	bgeu t0, t1, 2f
	lbu t2, 0(a1)
	sb t2, 0(t0)
	beqz t2, 2f
	addi a1, a1, 1
	addi t0, t0, 1
	j 1b
2:	sub a0, t0, a0
	ret
FUNCTION copy_load32
	lw t0, 0(a0)
	sw t0, 0(a1)
	li a0, 0
	ret
FUNCTION copy_exchange32
	lw t0, 0(a1)
3:	lr.w.aqrl t1, (a0)
	bne t1, t0, 4f
	sc.w.rl t2, a2, (a0)
	bnez t2, 3b
	li a0, 0
	ret
4:	sw t1, 0(a1)
	li a0, 2
	ret
	.option push
	.option arch, +v
FUNCTION copy_vector_save
	csrr t0, vstart
	csrr t1, vl
	csrr t2, vtype
	csrr t3, vcsr
	csrr t4, vlenb
	sd t0, 0(a0)
	sd t1, 8(a0)
	sd t2, 16(a0)
	sd t3, 24(a0)
	sd t4, 32(a0)
	sd a1, 40(a0)
	slli t4, t4, 3
	csrw vstart, zero
	vs8r.v v0, (a1)
	add a1, a1, t4
	vs8r.v v8, (a1)
	add a1, a1, t4
	vs8r.v v16, (a1)
	add a1, a1, t4
	vs8r.v v24, (a1)
	csrw vstart, t0
	li a0, 0
	ret
FUNCTION copy_vector_load
	ld t0, 0(a0)
	ld t1, 8(a0)
	ld t2, 16(a0)
	ld t3, 24(a0)
	ld a1, 40(a0)
	csrr t4, vlenb
	slli t4, t4, 3
	csrw vstart, zero
	vl8re8.v v0, (a1)
	add a1, a1, t4
	vl8re8.v v8, (a1)
	add a1, a1, t4
	vl8re8.v v16, (a1)
	add a1, a1, t4
	vl8re8.v v24, (a1)
	vsetvl zero, t1, t2
	csrw vcsr, t3
	csrw vstart, t0
	li a0, 0
	ret
	.option pop
copy_end:
copy_fixup:
	li a0, -1
	ret

/* Floating-point state in library memory: 32 registers, then the control word. The first of these instructions gets the unit for this thread. */
	.macro FLOAT instruction, register
	\instruction f\register, 8 * \register(a0)
	.endm
	.macro FLOATS instruction
	number_ = 0
	.rept 32
	FLOAT \instruction, %number_
	number_ = number_ + 1
	.endr
	.endm
FUNCTION float_save                     /* (void *area) */
	FLOATS fsd
	frcsr t0
	sd t0, 256(a0)
	ret
FUNCTION float_load                     /* (const void *area) */
	FLOATS fld
	lwu t0, 256(a0)
	fscsr t0
	ret

	.section .note.GNU-stack, "", @progbits
