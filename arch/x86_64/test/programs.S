/* Programs for arch/test/user.c, copied to user memory as they are. rdi, rsi: arguments. They end by process_exit. */
#include "test/port.h"
	.section .rodata
	.globl test_code_start, test_code_end, test_load, test_store, test_jump, test_illegal, test_breakpoint, test_done, test_hold
	.globl test_watch, test_privileged, test_divide, test_step, test_float, test_float_fault, test_port
	.align 8
test_code_start:
test_load:
	mov (%rdi), %rax
	jmp test_done
test_store:
	mov %rdi, (%rdi)
	jmp test_done
test_jump:
	jmp *%rdi
test_illegal:
	ud2
test_breakpoint:
	int3
test_privileged:
	hlt
test_port:
	in $0x71, %al
test_divide:
	xor %edx, %edx
	xor %ecx, %ecx
	div %rcx
test_step:
	pushf
	orq $0x100, (%rsp)
	popf
	nop
	nop
test_float_fault:               /* x87: division by zero, not masked */
	fninit
	push $0x37b
	fldcw (%rsp)
	fldz
	fld1
	fdivp %st, %st(1)
	fldz
	fld1
	fdiv %st(1), %st
	fwait
test_float:
	cvtsi2sd %rdi, %xmm0
	addsd %xmm0, %xmm0
	jmp test_done
test_watch:                     /* until the word at rdi is not what it was, at most rsi times */
	mov (%rdi), %eax
1:	cmp (%rdi), %eax
	jne test_done
	dec %rsi
	jnz 1b
	jmp test_bad
test_done:
	mov $TEST_STATUS_GOOD, %edi
	mov $TEST_EXIT, %eax
	syscall
test_bad:
	mov $TEST_STATUS_BAD, %edi
	mov $TEST_EXIT, %eax
	syscall

	/* rdi: a value, rsi: how often. Each register is value + a number, each xmm the same twice, for a while. ecx counts. */
	.macro SET register, n
	lea \n(%rdi), \register
	.endm
	.macro COMPARE register, n
	lea -\n(\register), \register
	cmp %rdi, \register
	jne test_bad
	.endm
	.macro GENERAL what
	\what %rax, 1
	\what %rbx, 2
	\what %rdx, 3
	\what %rbp, 4
	\what %rsp, 5
	\what %r8, 8
	\what %r9, 9
	\what %r10, 10
	\what %r11, 11
	\what %r12, 12
	\what %r13, 13
	\what %r14, 14
	\what %r15, 15
	.endm
test_hold:
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	lea \n(%rdi), %rax
	movq %rax, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
	GENERAL SET
	mov $20000, %ecx
1:	dec %ecx
	jnz 1b
	GENERAL COMPARE
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq %xmm\n, %rax
	COMPARE %rax, \n
	psrldq $8, %xmm\n
	movq %xmm\n, %rax
	COMPARE %rax, \n
	.endr
	dec %rsi
	jnz test_hold
	jmp test_done
test_code_end:
	.section .note.GNU-stack, "", @progbits
