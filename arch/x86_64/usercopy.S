/*
 * Reading and writing user memory. Each instruction that touches it has an entry in the fixup table {instruction, where to go on,
 * may sleep}; a fault anywhere else in the kernel is a panic. trap.c resolves a fault of the sleeping kind and repeats the instruction.
 * stac opens user memory to the kernel only in here. `rep movsq` moves 8 bytes an instruction, so its count registers are right when a fault
 * interrupts it and it simply goes on.
 *
 * int usercopy_*(void *target, const void *source, size_t length)   0 or -EFAULT; addresses already checked (usercopy.c)
 */
	.macro ACCESS code
661:	.byte 0x0f, 0x1f, 0x00
	.pushsection .patch.access, "a"
	.quad 661b, \code
	.popsection
	.endm
	.macro FIXUP instruction target sleeps
	.pushsection .fixup, "a"
	.quad \instruction, \target, \sleeps
	.popsection
	.endm
	.macro COPY name sleeps
	.globl \name
	.align 16
\name:
	ACCESS 0xcb
	movq %rdx, %rcx
	shrq $3, %rcx
	jz 2f
1:	rep movsq
2:	andl $7, %edx
	jz 4f
	movl %edx, %ecx
3:	rep movsb
4:	ACCESS 0xca
	xorl %eax, %eax
	ret
	FIXUP 1b, copy_failed, \sleeps
	FIXUP 3b, copy_failed, \sleeps
	.endm

	.text
	COPY usercopy_sleeping, 1
	COPY usercopy_present, 0

	/* int usercopy_load32(const uint32_t *source, uint32_t *value) */
	.globl usercopy_load32
usercopy_load32:
	ACCESS 0xcb
1:	movl (%rdi), %eax
	ACCESS 0xca
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
	FIXUP 1b, copy_failed, 0

	/* int usercopy_store32(uint32_t *target, uint32_t value) */
	.globl usercopy_store32
usercopy_store32:
	ACCESS 0xcb
1:	movl %esi, (%rdi)
	ACCESS 0xca
	xorl %eax, %eax
	ret
	FIXUP 1b, copy_failed, 1

copy_failed:
	ACCESS 0xca
	movl $-14, %eax                 /* -EFAULT */
	ret
	.section .note.GNU-stack, "", @progbits
