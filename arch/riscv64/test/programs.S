/* Programs for arch/test/user.c, copied to user memory as they are. a0, a1: arguments. They end by process_exit. */
#include "test/port.h"
	.section .rodata
	.globl test_code_start, test_code_end, test_load, test_store, test_jump, test_illegal, test_breakpoint, test_done, test_hold
	.globl test_watch, test_privileged, test_divide, test_crooked, test_float
	.option norvc
	.option arch, +d
	.align 3
test_code_start:
test_load:
	ld t0, 0(a0)
	j test_done
test_store:
	sd a0, 0(a0)
	j test_done
test_jump:
	jr a0
test_illegal:
	.word 0
test_breakpoint:
	ebreak
test_privileged:
	csrr t0, sstatus
test_divide:
	div t0, a0, zero
	j test_done
test_crooked:
	lr.d t0, (a0)
	j test_done
test_float:
	fcvt.d.l fa0, a0
	fdiv.d fa0, fa0, fa0
	j test_done
test_watch:                     /* until the word at a0 is not what it was, at most a1 times */
	lw t0, 0(a0)
1:	lw t1, 0(a0)
	bne t0, t1, test_done
	addi a1, a1, -1
	bnez a1, 1b
	j test_bad
test_done:
	li a0, TEST_STATUS_GOOD
	li a7, TEST_EXIT
	ecall
test_bad:
	li a0, TEST_STATUS_BAD
	li a7, TEST_EXIT
	ecall

	/* a0: a value, a1: how often. Each register xN is value + N, each fN the same, for a while. a2 counts. */
	.altmacro
	.macro SET n
	addi x\n, a0, \n
	.endm
	.macro COMPARE n
	addi x\n, x\n, -\n
	bne x\n, a0, test_bad
	.endm
	.macro SET_FLOAT n
	addi t0, a0, \n
	fmv.d.x f\n, t0
	.endm
	.macro COMPARE_FLOAT n
	fmv.x.d t0, f\n
	addi t0, t0, -\n
	bne t0, a0, test_bad
	.endm
	.macro EACH what, from, to
	number_ = \from
	.rept \to - \from + 1
	\what %number_
	number_ = number_ + 1
	.endr
	.endm
test_hold:
	EACH SET_FLOAT, 0, 31
	EACH SET, 1, 9
	EACH SET, 13, 31
	li a2, 20000
1:	addi a2, a2, -1
	bnez a2, 1b
	EACH COMPARE, 1, 9
	EACH COMPARE, 13, 31
	EACH COMPARE_FLOAT, 0, 31
	addi a1, a1, -1
	bnez a1, test_hold
	j test_done
test_code_end:
	.section .note.GNU-stack, "", @progbits
