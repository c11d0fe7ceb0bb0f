/* How a trace point (arch/trace_point.h) calls trace_record: event in a0, its six words in a2 to a7; returns to t0; no other register changes. */
	.section .text.unlikely, "ax"
	.globl trace_call_quiet
trace_call_quiet:
	addi sp, sp, -128
	sd ra, 0(sp)
	sd t1, 8(sp)
	sd t2, 16(sp)
	sd t3, 24(sp)
	sd t4, 32(sp)
	sd t5, 40(sp)
	sd t6, 48(sp)
	sd a0, 56(sp)
	sd a1, 64(sp)
	sd a2, 72(sp)
	sd a3, 80(sp)
	sd a4, 88(sp)
	sd a5, 96(sp)
	sd a6, 104(sp)
	sd a7, 112(sp)
	sd t0, 120(sp)
	li a1, 0
	call trace_record
	ld ra, 0(sp)
	ld t1, 8(sp)
	ld t2, 16(sp)
	ld t3, 24(sp)
	ld t4, 32(sp)
	ld t5, 40(sp)
	ld t6, 48(sp)
	ld a0, 56(sp)
	ld a1, 64(sp)
	ld a2, 72(sp)
	ld a3, 80(sp)
	ld a4, 88(sp)
	ld a5, 96(sp)
	ld a6, 104(sp)
	ld a7, 112(sp)
	ld t0, 120(sp)
	addi sp, sp, 128
	jr t0
