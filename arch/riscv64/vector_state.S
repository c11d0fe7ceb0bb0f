/*
 * The vector registers, with the unit on.
 *   void vector_save(void *area)         vstart, vl, vtype, vcsr, then 32 registers
 *   void vector_load(const void *area)
 * Moves of whole registers depend on vstart only. A load of vtype makes vl what it was: it was at most what that type allows.
 */
	.macro ALL_VECTORS instruction  /* to or from where they lie behind the four words at a0 */
	csrr t4, vlenb
	slli t4, t4, 3
	addi a0, a0, 32
	csrw vstart, zero
	\instruction v0, (a0)
	add a0, a0, t4
	\instruction v8, (a0)
	add a0, a0, t4
	\instruction v16, (a0)
	add a0, a0, t4
	\instruction v24, (a0)
	.endm

	.text
	.option arch, +v
	.globl vector_save, vector_load
	.align 2
vector_save:
	csrr t0, vstart
	csrr t1, vl
	csrr t2, vtype
	csrr t3, vcsr
	sd t0, 0(a0)
	sd t1, 8(a0)
	sd t2, 16(a0)
	sd t3, 24(a0)
	ALL_VECTORS vs8r.v
	csrw vstart, t0
	ret
vector_load:
	ld t0, 0(a0)
	ld t1, 8(a0)
	ld t2, 16(a0)
	ld t3, 24(a0)
	ALL_VECTORS vl8re8.v
	vsetvl zero, t1, t2
	csrw vcsr, t3
	csrw vstart, t0
	ret
	.section .note.GNU-stack, "", @progbits
