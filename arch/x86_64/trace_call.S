/* How a trace point (arch/trace_point.h) calls trace_record: event and the six words are on the stack and taken from it; no register changes. */
#define WORD(n) 80 + 8 * (n)(%rsp) /* after nine registers and the return address; 0: the event */
	.section .text.unlikely, "ax"
	.globl trace_call_quiet
trace_call_quiet:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movq WORD(0), %rdi
	xorl %esi, %esi
	movq WORD(1), %rdx
	movq WORD(2), %rcx
	movq WORD(3), %r8
	movq WORD(4), %r9
	movq WORD(5), %rax
	pushq WORD(6)
	pushq %rax
	call trace_record
	addq $16, %rsp
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	ret $56
