/*
 * First instructions. The loader (QEMU -kernel, Xen, Firecracker) finds the note, loads the image at 1 MiB and jumps to start_pvh in
 * 32-bit protected mode without paging, ebx = physical address of struct hvm_start_info (start.c).
 * One page directory maps the first GiB three times: identity (left after the jump to the high half), the direct map, the kernel. mmu.c
 * replaces all of it by tables with proper protection.
 */
#include "arch/frame.h"
#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

	.section .note.xen, "a", @note
	.align 4
	.long 4, 8, 18                  /* name size, value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad PHYSICAL(start_pvh)

	.section .text.start, "ax"
	.code32
	.globl start_pvh
start_pvh:
	cli
	cld
	movl $PHYSICAL(boot_stack_top), %esp
	/* 512 pages of 2 MiB */
	movl $PHYSICAL(boot_directory), %edi
	movl $0x83, %eax                /* present, writable, large */
	movl $512, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	decl %ecx
	jnz 1b
	movl $PHYSICAL(boot_directory) + 3, PHYSICAL(boot_low)
	movl $PHYSICAL(boot_directory) + 3, PHYSICAL(boot_high) + 510 * 8
	movl $PHYSICAL(boot_low) + 3, PHYSICAL(boot_root)
	movl $PHYSICAL(boot_low) + 3, PHYSICAL(boot_root) + 256 * 8
	movl $PHYSICAL(boot_high) + 3, PHYSICAL(boot_root) + 511 * 8
	movl %cr4, %eax
	orl $0x20, %eax                 /* physical address extension */
	movl %eax, %cr4
	movl $PHYSICAL(boot_root), %eax
	movl %eax, %cr3
	movl $0x80000001, %eax
	movl %ebx, %esi
	cpuid
	movl %edx, %edi
	movl $0xc0000080, %ecx          /* EFER: long mode, system calls, no-execute where the processor has it */
	rdmsr
	orl $0x101, %eax
	testl $0x100000, %edi
	jz 2f
	orl $0x800, %eax
2:	wrmsr
	movl %cr0, %eax
	orl $0x80000001, %eax
	movl %eax, %cr0
	lgdt PHYSICAL(boot_descriptor)
	ljmp $SELECTOR_KERNEL_CODE, $PHYSICAL(start_long)

	.code64
start_long:
	movabsq $start_high, %rax
	jmp *%rax
start_high:
	movl $SELECTOR_KERNEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movq $boot_stack_top, %rsp
	xorl %ebp, %ebp
	movl %esi, %edi
	call start_kernel
	ud2

	.section .rodata
	.align 8
boot_gdt:
	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_descriptor:
	.word 23
	.long PHYSICAL(boot_gdt)

	.section .bss.tables, "aw", @nobits
	.align 4096
boot_root: .skip 4096
boot_low: .skip 4096
boot_high: .skip 4096
boot_directory: .skip 4096
	.globl boot_stack, boot_stack_top, boot_root /* second.S */
boot_stack: .skip 16384
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
