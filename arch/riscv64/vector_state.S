/*
 * The vector registers, with the unit on.
 *   void vector_save(void *area)         vstart, vl, vtype, vcsr, then 32 registers
 *   void vector_load(const void *area)
 * Moves of whole registers depend on vstart only. A load of vtype makes vl what it was: it was at most what that type allows.
 */
	.text
	.option arch, +v
	.globl vector_save, vector_load
	.align 2
vector_save:
	csrr t0, vstart
	csrr t1, vl
	csrr t2, vtype
	csrr t3, vcsr
	csrr t4, vlenb
	sd t0, 0(a0)
	sd t1, 8(a0)
	sd t2, 16(a0)
	sd t3, 24(a0)
	slli t4, t4, 3
	addi a0, a0, 32
	csrw vstart, zero
	vs8r.v v0, (a0)
	add a0, a0, t4
	vs8r.v v8, (a0)
	add a0, a0, t4
	vs8r.v v16, (a0)
	add a0, a0, t4
	vs8r.v v24, (a0)
	csrw vstart, t0
	ret
vector_load:
	ld t0, 0(a0)
	ld t1, 8(a0)
	ld t2, 16(a0)
	ld t3, 24(a0)
	csrr t4, vlenb
	slli t4, t4, 3
	addi a0, a0, 32
	csrw vstart, zero
	vl8re8.v v0, (a0)
	add a0, a0, t4
	vl8re8.v v8, (a0)
	add a0, a0, t4
	vl8re8.v v16, (a0)
	add a0, a0, t4
	vl8re8.v v24, (a0)
	vsetvl zero, t1, t2
	csrw vcsr, t3
	csrw vstart, t0
	ret
	.section .note.GNU-stack, "", @progbits
