/*
 * The ways into the kernel and back.
 *
 * entry_call      the syscall instruction. Builds struct arch_frame, calls call_dispatch, returns by sysret when nothing but the result
 *                 changed, else by iret.
 * entry_table     256 stubs of 16 bytes, one a vector: exceptions and interrupts, to trap_handle.
 *
 * gs: in user mode gs belongs to the program and the other base (MSR_KERNEL_GS_BASE) holds struct processor; swapgs exchanges them at each
 * entry from and return to user mode. Non-maskable interrupts, machine checks and double faults can come between an entry and its swapgs, so
 * they look at the base itself: only the kernel's is in the upper half (user bases are checked in thread.c).
 * The kernel runs with interrupts disabled, the direction flag and AC clear: a set AC would open user memory to every kernel access (SMAP).
 */
#include "arch/frame.h"

	.macro CLAC_OR_NOP          /* patched to clac where the processor has SMAP (patch.c) */
661:	.byte 0x0f, 0x1f, 0x00
	.pushsection .patch.access, "a"
	.quad 661b, 0xca
	.popsection
	.endm

	.macro SAVE_REGISTERS
	pushq %r11
	pushq %rcx
	pushq %rax
	pushq %r9
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	.endm

	.text
	.globl entry_call, entry_call_compatibility, entry_table, thread_enter_user, thread_enter_kernel, context_switch_stacks
	.align 16
entry_call:
	swapgs
	movq %rsp, %gs:PROCESSOR_SCRATCH
	movq %gs:PROCESSOR_KERNEL_STACK, %rsp
	pushq $SELECTOR_USER_DATA
	pushq %gs:PROCESSOR_SCRATCH
	pushq %r11
	pushq $SELECTOR_USER_CODE
	pushq %rcx
	pushq $0
	pushq $FRAME_VECTOR_CALL
	SAVE_REGISTERS
	movq %rsp, %rdi
	movq %rax, %rsi
	leaq FRAME_RDI(%rsp), %rdx
	xorl %ebp, %ebp
661:	call call_dispatch                      /* patched when there is a trace (patch.c) */
	.pushsection .patch.call, "a"
	.quad 661b
	.popsection
	movabsq $0x8000000000000001, %rcx       /* CALL_FRAME_CHANGED */
	cmpq %rcx, %rax
	je frame_changed
	movq %rax, FRAME_RAX(%rsp)
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne frame_attention
	/* Fast return. Callee-saved registers still hold the program's values but rbp; rcx and r11 are what the instruction destroys. */
	movq FRAME_RIP(%rsp), %rcx
	movq %rcx, %r11
	shrq $47, %r11                          /* sysret to a non-canonical address would fault in kernel mode */
	jnz frame_return
	movq FRAME_RFLAGS(%rsp), %r11
	movq 32(%rsp), %rbp
	movq FRAME_RDI(%rsp), %rdi
	movq FRAME_RDI+8(%rsp), %rsi
	movq FRAME_RDI+16(%rsp), %rdx
	movq FRAME_RDI+24(%rsp), %r10
	movq FRAME_RDI+32(%rsp), %r8
	movq FRAME_RDI+40(%rsp), %r9
	movq FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq

	/* No 32-bit code segment exists, so this is never reached; it fails safely on processors that come here all the same. */
entry_call_compatibility:
	movl $-38, %eax
	sysretl

frame_changed:
	cmpl $0, %gs:PROCESSOR_ATTENTION
	je frame_return
frame_attention:
	movq %rsp, %rdi
	call trap_attention
	/* All registers from the frame. */
frame_return:
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %rdi
	popq %rsi
	popq %rdx
	popq %r10
	popq %r8
	popq %r9
	popq %rax
	popq %rcx
	popq %r11
	addq $16, %rsp
	testb $3, 8(%rsp)
	jz 1f
	swapgs
1:	iretq

	/* Exceptions and interrupts; the stub has pushed an error code and the vector. */
	.align 16
trap_entry:
	SAVE_REGISTERS
	CLAC_OR_NOP
	cld
	movq %rsp, %rdi
	testb $3, FRAME_CS(%rsp)
	jz 1f
	swapgs
	xorl %ebp, %ebp
	call trap_handle
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne frame_attention
	jmp frame_return
1:	/* from the kernel; keep rbp: backtraces go on through the interrupted function */
	call trap_handle
	jmp frame_return

	/* The three that come at any moment, each on a stack of its own. ebx (saved): swapgs was done. */
	.align 16
trap_entry_paranoid:
	SAVE_REGISTERS
	CLAC_OR_NOP
	cld
	xorl %ebx, %ebx
	movl $0xc0000101, %ecx
	rdmsr
	testl %edx, %edx
	js 1f
	swapgs
	incl %ebx
1:	movq %rsp, %rdi
	call trap_handle
	testl %ebx, %ebx
	jz 2f
	swapgs
2:	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %rdi
	popq %rsi
	popq %rdx
	popq %r10
	popq %r8
	popq %r9
	popq %rax
	popq %rcx
	popq %r11
	addq $16, %rsp
	iretq

	.align 16
entry_table:
	vector = 0
	.rept 256
	.align 16
	.if !(vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30)
	pushq $0
	.endif
	pushq $vector
	.if vector == 2 || vector == 8 || vector == 18
	jmp trap_entry_paranoid
	.else
	jmp trap_entry
	.endif
	vector = vector + 1
	.endr

	/* First time a thread runs: context_switch_stacks "returns" here. rbx: the function, r12: its argument (kernel threads). */
	.align 16
thread_enter_user:
	xorl %ebp, %ebp
	call thread_first_run
	movq %rsp, %rdi
	call trap_attention
	jmp frame_return
thread_enter_kernel:
	xorl %ebp, %ebp
	call thread_first_run
	movq %r12, %rdi
	call *%rbx
	call scheduler_exit
	ud2

	/* uint64_t context_switch_stacks(uint64_t *save, uint64_t load): returns on the other stack. */
	.align 16
context_switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.section .note.GNU-stack, "", @progbits
