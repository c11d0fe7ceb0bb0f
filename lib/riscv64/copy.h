/*
 * Copying as few instructions as there are: words in runs of eight where both sides are aligned alike; else aligned words of the source are
 * shifted together (an unaligned load may be a trap on real processors); bytes for what is left.
 * COPY: a0 target, a1 source, a2 length; leaves a0 at the end of the target; uses a1-a7, t0-t6. Aligned words that are read hold at least one wanted byte,
 * so nothing is touched outside the pages of the range.
 */
	.macro COPY
	li t0, 16
	bltu a2, t0, 9f
	xor t1, a0, a1
	andi t1, t1, 7
	neg t2, a0
	andi t2, t2, 7          /* bytes until the target is aligned */
	sub a2, a2, t2
	beqz t2, 2f
1:	lbu t3, 0(a1)
	addi a1, a1, 1
	sb t3, 0(a0)
	addi a0, a0, 1
	addi t2, t2, -1
	bnez t2, 1b
2:	bnez t1, 5f
	li t0, 64
	bltu a2, t0, 4f
3:	ld t1, 0(a1)
	ld t2, 8(a1)
	ld t3, 16(a1)
	ld t4, 24(a1)
	ld t5, 32(a1)
	ld t6, 40(a1)
	ld a3, 48(a1)
	ld a4, 56(a1)
	addi a1, a1, 64
	sd t1, 0(a0)
	sd t2, 8(a0)
	sd t3, 16(a0)
	sd t4, 24(a0)
	sd t5, 32(a0)
	sd t6, 40(a0)
	sd a3, 48(a0)
	sd a4, 56(a0)
	addi a2, a2, -64
	addi a0, a0, 64
	bgeu a2, t0, 3b
4:	beqz a2, 8f
	andi t0, a2, 32
	beqz t0, 7f
	ld t1, 0(a1)
	ld t2, 8(a1)
	ld t3, 16(a1)
	ld t4, 24(a1)
	addi a1, a1, 32
	sd t1, 0(a0)
	sd t2, 8(a0)
	sd t3, 16(a0)
	sd t4, 24(a0)
	addi a0, a0, 32
7:	andi t0, a2, 16
	beqz t0, 11f
	ld t1, 0(a1)
	ld t2, 8(a1)
	addi a1, a1, 16
	sd t1, 0(a0)
	sd t2, 8(a0)
	addi a0, a0, 16
11:	andi t0, a2, 8
	beqz t0, 12f
	ld t1, 0(a1)
	addi a1, a1, 8
	sd t1, 0(a0)
	addi a0, a0, 8
12:	andi a2, a2, 7
	bnez a2, 9f
	j 8f
	/* the source is at another distance from a word */
5:	li t0, 8
	bltu a2, t0, 9f
	andi t1, a1, 7
	sub a1, a1, t1          /* its word */
	slli t2, t1, 3          /* bits of it that are not wanted */
	neg t3, t2              /* shifts take the low six bits */
	ld t4, 0(a1)
6:	ld t5, 8(a1)
	srl t4, t4, t2
	sll t6, t5, t3
	or t4, t4, t6
	addi a1, a1, 8
	sd t4, 0(a0)
	mv t4, t5
	addi a2, a2, -8
	addi a0, a0, 8
	bgeu a2, t0, 6b
	add a1, a1, t1
9:	li t0, 4
	bltu a2, t0, 13f
10:	lbu t1, 0(a1)
	lbu t2, 1(a1)
	lbu t3, 2(a1)
	lbu t4, 3(a1)
	addi a1, a1, 4
	sb t1, 0(a0)
	sb t2, 1(a0)
	sb t3, 2(a0)
	sb t4, 3(a0)
	addi a2, a2, -4
	addi a0, a0, 4
	bgeu a2, t0, 10b
13:	beqz a2, 8f
14:	lbu t3, 0(a1)
	addi a1, a1, 1
	sb t3, 0(a0)
	addi a0, a0, 1
	addi a2, a2, -1
	bnez a2, 14b
8:
	.endm
/* FILL: a0 target, a1 value (a byte), a2 length; leaves a0 at the end; uses a1, a2, t0-t2. */
	.macro FILL
	li t0, 16
	bltu a2, t0, 14f
	andi a1, a1, 255
	slli t1, a1, 8
	or a1, a1, t1
	slli t1, a1, 16
	or a1, a1, t1
	slli t1, a1, 32
	or a1, a1, t1
	neg t2, a0
	andi t2, t2, 7
	sub a2, a2, t2
	beqz t2, 2f
1:	sb a1, 0(a0)
	addi a0, a0, 1
	addi t2, t2, -1
	bnez t2, 1b
2:	li t0, 64
	bltu a2, t0, 6f
3:	sd a1, 0(a0)
	sd a1, 8(a0)
	sd a1, 16(a0)
	sd a1, 24(a0)
	sd a1, 32(a0)
	sd a1, 40(a0)
	sd a1, 48(a0)
	sd a1, 56(a0)
	addi a2, a2, -64
	addi a0, a0, 64
	bgeu a2, t0, 3b
6:	li t0, 8
	bltu a2, t0, 14f
7:	sd a1, 0(a0)
	addi a2, a2, -8
	addi a0, a0, 8
	bgeu a2, t0, 7b
14:	beqz a2, 8f
5:	sb a1, 0(a0)
	addi a0, a0, 1
	addi a2, a2, -1
	bnez a2, 5b
8:
	.endm
