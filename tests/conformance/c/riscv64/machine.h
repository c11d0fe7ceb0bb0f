/* What tests must say in the machine's own words. */
#include <string.h>
#include <ucontext.h>

#define ILLEGAL "unimp"
#define BREAKPOINT "ebreak"
#define PRIVILEGED "wfi"
/* In a handler: go on behind the illegal instruction, with a result for machine_illegal. */
static inline void machine_step(ucontext_t *context, long result)
{
	context->uc_mcontext.__gregs[REG_PC] += 2; /* c.unimp */
	context->uc_mcontext.__gregs[REG_A0] = result;
}
static inline long machine_illegal(void)
{
	register long result __asm__("a0") = 0;
	__asm__ volatile(".half 0" : "+r"(result));
	return result;
}
/* Changes floating-point registers. */
static inline void machine_spoil(void)
{
	__asm__ volatile("fcvt.d.w ft0, zero\n\tfcvt.d.w fa7, zero\n\tfcvt.d.w fs11, zero\n\tfcvt.d.w ft11, zero\n\tfsrmi 1" ::: "ft0", "fa7", "fs11", "ft11");
}
/* Holds a pattern in such registers for a while; 1 when it changed. */
static inline int machine_registers_change(const unsigned long pattern[4])
{
	unsigned long out[4] = { 0 }, mode;
	__asm__ volatile("fld ft0, 0(%1)\n\tfld fa7, 8(%1)\n\tfld fs11, 16(%1)\n\tfld ft11, 24(%1)\n\tli t0, 200\n1:\taddi t0, t0, -1\n\tbnez t0, 1b\n\t"
		"fsd ft0, 0(%2)\n\tfsd fa7, 8(%2)\n\tfsd fs11, 16(%2)\n\tfsd ft11, 24(%2)\n\tfrrm %0"
		: "=&r"(mode) : "r"(pattern), "r"(out) : "t0", "ft0", "fa7", "fs11", "ft11", "memory");
	return memcmp(out, pattern, 32) != 0 || mode != 0;
}
/* value from a register that getpid was called with */
static inline double machine_keep_over_call(double value)
{
	double kept = 0;
	__asm__ volatile("fld ft5, 0(%0)\n\tli a7, 172\n\tecall\n\tfsd ft5, 0(%1)" : : "r"(&value), "r"(&kept) : "a0", "a7", "ft5", "memory");
	return kept;
}
