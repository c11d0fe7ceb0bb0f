/*
 * The ways into the kernel and back.
 *
 * entry_call      the syscall instruction. Reflects at once what struct call_gate lets it; else builds struct arch_frame, calls the body of a
 *                 native call or call_dispatch, and returns by sysret when nothing but the result changed, else by iret.
 * entry_table     256 stubs of 16 bytes, one a vector: exceptions and interrupts, to trap_handle.
 *
 * gs: in user mode gs belongs to the program and the other base (MSR_KERNEL_GS_BASE) holds struct processor; swapgs exchanges them at each
 * entry from and return to user mode. Non-maskable interrupts, machine checks and double faults can come between an entry and its swapgs, so
 * they look at the base itself when the kernel was interrupted.
 * The kernel runs with interrupts disabled, the direction flag and AC clear: a set AC would open user memory to every kernel access (SMAP).
 */
#include "abi/calls.h"
#include "arch/frame.h"
#include "arch/offsets.h"

	.macro ACCESS code          /* patched to stac (0xcb) or clac (0xca) where the processor has SMAP (patch.c) */
661:	.byte 0x0f, 0x1f, 0x00
	.pushsection .patch.access, "a"
	.quad 661b, \code
	.popsection
	.endm
	.macro FIXUP instruction target sleeps /* as in usercopy.S */
	.pushsection .fixup, "a"
	.quad \instruction, \target, \sleeps
	.popsection
	.endm

	.macro JUMP_WORDS target    /* if equal; patch_words (patch.c) makes six bytes of nothing of it */
662:	.byte 0x0f, 0x84
	.long \target - . - 4
	.pushsection .patch.words, "a"
	.quad 662b
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

	.macro FRAME_CALL           /* the frame of a system call, at the top of the thread's kernel stack */
	movq %gs:PROCESSOR_KERNEL_STACK, %rsp
	pushq $SELECTOR_USER_DATA
	pushq %gs:PROCESSOR_SCRATCH
	pushq %r11
	pushq $SELECTOR_USER_CODE
	pushq %rcx
	pushq $0
	pushq $FRAME_VECTOR_CALL
	SAVE_REGISTERS
	.endm

	.text
	.globl entry_gate, entry_general, entry_native, frame_attention, frame_return
	.globl entry_call, entry_call_compatibility, entry_table, thread_enter_user, thread_enter_kernel, context_switch_stacks
	.align 16
entry_call:
	swapgs
	movq %rsp, %gs:PROCESSOR_SCRATCH
	/* Whose call is it? (struct call_gate.) No register is free but rsp, which nothing pushes to until it is a stack again. */
entry_gate: /* a jump to entry_general when there is a trace (patch.c) */
	movq %gs:PROCESSOR_CURRENT, %rsp
	movq THREAD_PROCESS(%rsp), %rsp
	cmpq PROCESS_NATIVE_START(%rsp), %rcx
	jbe entry_foreign
	cmpq PROCESS_NATIVE_END(%rsp), %rcx
	ja entry_general
	cmpl $CALL_PORT_CALL_WORDS, %eax
	JUMP_WORDS words_call
	cmpl $CALL_PORT_REPLY_RECEIVE_WORDS, %eax
	JUMP_WORDS words_reply
entry_native:
	/* A native call: the body is called here. */
	FRAME_CALL
	cmpq $CALL_COUNT, %rax
	jae call_general
	movl %eax, %ecx
	shll $CALL_ENTRY_SHIFT, %ecx
	movq call_table(%rcx), %rcx
	testq %rcx, %rcx
	jz call_general
	incq %gs:PROCESSOR_CALLS
	movq %gs:PROCESSOR_CURRENT, %rdx
	movq %rax, THREAD_CALL_NUMBER(%rdx)
	leaq FRAME_RDI(%rsp), %rdi
	xorl %ebp, %ebp
	call *%rcx
	testq %rax, %rax
	js call_negative
call_return:
	movq %rax, FRAME_RAX(%rsp)
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne frame_attention
	/* Fast return. Callee-saved registers still hold the program's values but rbp; rcx and r11 are what the instruction destroys. The instruction
	   pointer is a user address (thread.c; programs cannot run at the end of the lower half), or sysret would fault in kernel mode. */
	movq FRAME_RIP(%rsp), %rcx
	movq FRAME_RFLAGS(%rsp), %r11
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_RDI(%rsp), %rdi
	movq FRAME_RDI+8(%rsp), %rsi
	movq FRAME_RDI+16(%rsp), %rdx
	movq FRAME_RDI+24(%rsp), %r10
	movq FRAME_RDI+32(%rsp), %r8
	movq FRAME_RDI+40(%rsp), %r9
	movq FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq

call_negative:
	cmpq $-4, %rax                          /* -EINTR */
	jne 1f
	call call_interrupted
	movq $-4, %rax
	jmp call_return
1:	jmp call_ended

entry_general:
	FRAME_CALL
call_general:
	movq %rsp, %rdi
	movq %rax, %rsi
	leaq FRAME_RDI(%rsp), %rdx
	xorl %ebp, %ebp
661:	call call_dispatch                      /* patched when there is a trace (patch.c) */
	.pushsection .patch.call, "a"
	.quad 661b
	.popsection
call_ended:
	movabsq $0x8000000000000001, %rcx       /* CALL_FRAME_CHANGED */
	cmpq %rcx, %rax
	jne call_return
	jmp frame_changed

	/*
	 * Reflection without a frame, as upcall_call does it with one: three words to the thread's block, and on at the library's entry with all
	 * registers but rcx and r11 as they were. A fault at the block (no page yet, no block) starts again the general way.
	 */
	.align 16
entry_foreign:
	cmpq $CALL_GATE_NUMBERS, %rax
	jae entry_general
	cmpb $0, PROCESS_REFLECTED(%rsp,%rax)
	je entry_routed
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne entry_general
	movq %gs:PROCESSOR_KERNEL_STACK, %rsp
	pushq %rdx
	movq %gs:PROCESSOR_CURRENT, %rdx
	movq %rax, THREAD_CALL_NUMBER(%rdx)
	movq THREAD_BLOCK(%rdx), %rdx
	ACCESS 0xcb
1:	movq %rcx, BLOCK_CALL_INSTRUCTION(%rdx)
2:	movq %r11, BLOCK_CALL_FLAGS(%rdx)
3:	movq $0, BLOCK_CALL_RESULT(%rdx)        /* CALL_NOT_ROUTED */
	ACCESS 0xca
	movq %gs:PROCESSOR_CURRENT, %rdx
	movq THREAD_PROCESS(%rdx), %rdx
	movq PROCESS_CALL_ENTRY(%rdx), %rcx
	incq %gs:PROCESSOR_CALLS
	popq %rdx
	movq %gs:PROCESSOR_SCRATCH, %rsp
	swapgs
	sysretq
foreign_fault:
	ACCESS 0xca
	popq %rdx
	jmp entry_general
	FIXUP 1b, foreign_fault, 0
	FIXUP 2b, foreign_fault, 0
	FIXUP 3b, foreign_fault, 0

	/* A routed call, as call_routed does it where the route is plain. */
	.align 16
entry_routed:
	FRAME_CALL
	movq %gs:PROCESSOR_CURRENT, %rcx
	movq THREAD_PROCESS(%rcx), %r11
	movq PROCESS_GATE_ROUTES(%r11), %r11
	testq %r11, %r11
	jz call_general
	movzwl ROUTES_BY_NUMBER(%r11,%rax,2), %esi
	imulq $PLAIN_SIZE, %rsi, %rsi
	addq ROUTES_PLAIN(%r11), %rsi
	movq PLAIN_BODY(%rsi), %r10
	testq %r10, %r10
	jz call_general
	andq PLAIN_MASK(%rsi), %rdx
	cmpq PLAIN_VALUE(%rsi), %rdx
	jne call_general
	cmpl PLAIN_FIRST_MOST(%rsi), %edi       /* pseudo handles and the library's own are out of reach */
	ja call_general
	incq %gs:PROCESSOR_CALLS
	movq %rax, THREAD_CALL_NUMBER(%rcx)
	movb $1, THREAD_CALL_ROUTED(%rcx)
	leaq FRAME_RDI(%rsp), %rdi
	xorl %ebp, %ebp
	call *%r10
	movq %gs:PROCESSOR_CURRENT, %rcx
	movb $0, THREAD_CALL_ROUTED(%rcx)
	testq %rax, %rax
	jns call_return
	movq %rsp, %rdi
	movq %rax, %rsi
	call call_route_ended
	jmp call_ended

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
	ACCESS 0xca
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
	ACCESS 0xca
	cld
	xorl %ebx, %ebx
	testb $3, FRAME_CS(%rsp)
	jnz 3f
	movl $0xc0000101, %ecx
	rdmsr
	shlq $32, %rdx
	orq %rdx, %rax
	subq $processor_data, %rax              /* a program may have any base, even this; then it does no harm */
	cmpq $PROCESSORS_SIZE, %rax
	jb 1f
3:	swapgs
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
