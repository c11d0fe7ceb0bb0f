/*
 * memcpy and memset of the kernel: `rep movsq` and `rep stosq` move 8 bytes an instruction without a loop around them, the fewest
 * instructions there are. They replace the weak ones of kernel/core/string.c. The direction flag is always clear in the kernel.
 */
	.text
	.globl memcpy, memset
	.align 16
memcpy:
	movq %rdi, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	andl $7, %edx
	jz 1f
	movl %edx, %ecx
	rep movsb
1:	ret
	.align 16
memset:
	movq %rdi, %r8
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %r9
	imulq %r9, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	andl $7, %edx
	jz 1f
	movl %edx, %ecx
	rep stosb
1:	movq %r8, %rax
	ret
	.section .note.GNU-stack, "", @progbits
