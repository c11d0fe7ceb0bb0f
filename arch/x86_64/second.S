/*
 * First instructions of a processor beyond the first. processors.c copies second_start to page SECOND_PAGE of low memory and sends the processor there, in
 * 16-bit mode, cs = SECOND_PAGE * 256. It enters protected mode and goes on in the kernel image, as start_pvh of head.S does, with the tables made there, takes
 * a number, and waits on the stack that second_stacks has for it. All processors may come at once.
 */
#include "arch/frame.h"
#if PROCESSORS_MAX > 1
#include "second.h"
#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)
#define COPIED(symbol) ((symbol) - second_start + SECOND_PAGE * 4096)

	.section .rodata
	.globl second_start, second_end
	.code16
second_start:
	cli
	cld
	xorw %ax, %ax
	movw %ax, %ds
	lgdtl COPIED(second_descriptor)
	movl %cr0, %eax
	orl $1, %eax
	movl %eax, %cr0
	ljmpl $SELECTOR_SECOND, $PHYSICAL(second_protected)
	.align 8
second_gdt:                             /* the third is flat 32-bit code */
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0x00cf9b000000ffff
second_descriptor:
	.word 31
	.long COPIED(second_gdt)
second_end:

	.section .text.start, "ax"
	.code32
second_protected:
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl %cr4, %eax
	orl $0x20, %eax                 /* physical address extension */
	movl %eax, %cr4
	movl $PHYSICAL(boot_root), %eax
	movl %eax, %cr3
	movl $0x80000001, %eax
	cpuid
	movl %edx, %edi
	movl $0xc0000080, %ecx          /* EFER, as in head.S */
	rdmsr
	orl $0x101, %eax
	testl $0x100000, %edi
	jz 1f
	orl $0x800, %eax
1:	wrmsr
	movl %cr0, %eax
	andl $0x9fffffff, %eax          /* caches on */
	orl $0x80000001, %eax
	movl %eax, %cr0
	ljmp $SELECTOR_KERNEL_CODE, $PHYSICAL(second_long)
	.code64
second_long:
	movabsq $second_high, %rax
	jmp *%rax
second_high:
	/* the stack may lie beyond what the first tables map */
	movl $PHYSICAL(kernel_root), %eax
	movq %rax, %cr3
	movl $1, %edi
	lock xaddl %edi, second_next    /* its number */
	cmpl second_limit, %edi
	jae 2f
	movq second_stacks(,%rdi,8), %rsp
	xorl %ebp, %ebp
	call second_main
2:	cli
	hlt
	jmp 2b
#endif
	.section .note.GNU-stack, "", @progbits
