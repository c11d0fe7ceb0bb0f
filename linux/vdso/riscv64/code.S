/*
 * What only riscv64 has in its vDSO. Handlers return to __vdso_rt_sigreturn (linux/riscv64/frame.c finds it as the entry point), which unwinders
 * know by its two instructions. The fence orders the instructions that this processor fetches after what was stored: one runs programs so far.
 */
	.text
	.globl __vdso_rt_sigreturn, __vdso_flush_icache
	.type __vdso_rt_sigreturn, @function
	.type __vdso_flush_icache, @function
	nop                     /* unwinders look up the address before the one returned to */
__vdso_rt_sigreturn:
	li a7, 139
	ecall
	.size __vdso_rt_sigreturn, . - __vdso_rt_sigreturn
__vdso_flush_icache:
	fence.i
	li a0, 0
	ret
	.size __vdso_flush_icache, . - __vdso_flush_icache
	.section .note.GNU-stack, "", @progbits
