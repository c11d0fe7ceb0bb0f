/*
 * First instructions. The firmware (OpenSBI) jumps to the start of the image, at its physical address in supervisor mode without
 * translation: a0 = number of this processor (hart), a1 = physical address of the device tree.
 * One boot table of pages of 1 GiB maps the first 254 GiB twice: identity in its first half (left after the jump to the high half), in its second half
 * the direct map, and at its end the GiB of the image at IMAGE_OFFSET. That is Sv39, which every processor with translation has; mmu.c replaces it by
 * tables with proper protection, of Sv48 where that is there too.
 */
#include "arch/frame.h"
#define LEAF 0xcf               /* valid, read, write, execute, accessed, dirty */
#define GIGA_STEP 0x10000000    /* of the address in an entry */

	.section .text.start, "ax"
	.globl start
start:
	csrw sie, zero
	csrw sscratch, zero
	lla t0, kernel_zero_start
	lla t1, kernel_end
1:	sd zero, 0(t0)
	sd zero, 8(t0)
	sd zero, 16(t0)
	sd zero, 24(t0)
	addi t0, t0, 32
	bltu t0, t1, 1b
	lla sp, boot_stack_top

	lla s2, boot_root
	mv t0, s2
	li t1, LEAF
	li t2, GIGA_STEP
	li t3, 256
	li t4, 256 * 8
2:	add t5, t0, t4
	sd t1, 0(t0)
	sd t1, 0(t5)
	add t1, t1, t2
	addi t0, t0, 8
	addi t3, t3, -1
	bnez t3, 2b
	lla t1, start           /* the GiB that the image lies in */
	srli t1, t1, 30
	slli t1, t1, 28
	ori t1, t1, LEAF
	li t2, 510 * 8
	add t2, t2, s2
	sd t1, 0(t2)

	sfence.vma
	srli t0, s2, 12
	li t1, 8 << 60          /* Sv39 */
	or t0, t0, t1
	csrw satp, t0
	csrr t1, satp
	bne t0, t1, no_translation
	sfence.vma
	li t1, IMAGE_OFFSET
	lla t0, start_high
	add t0, t0, t1
	add sp, sp, t1
	jr t0
start_high:
	li s0, 0
	call start_kernel
	unimp

	/* A mode that is not there leaves the register as it was. */
no_translation:
	lla s1, no_translation_text
3:	lbu a0, 0(s1)
	beqz a0, 4f
	li a7, 1                /* legacy console */
	ecall
	addi s1, s1, 1
	j 3b
4:	li a7, 0x53525354       /* system reset: shut down, failure */
	li a6, 0
	li a0, 0
	li a1, 1
	ecall
5:	wfi
	j 5b

	.section .rodata
no_translation_text:
	.asciz "PANIC: this processor has no Sv39 translation, which Carillon needs\n"

	.section .bss.tables, "aw", @nobits
	.align 12
boot_root: .skip 4096
	.globl boot_stack, boot_stack_top
boot_stack: .skip 16384
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
