/* What tests must say in the machine's own words. */
#include <string.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <ucontext.h>

#define VDSO_VERSION "LINUX_4.15" /* of its symbols */
#define VDSO_TIME 0         /* is there __vdso_time? */
#define MACHINE_42 { 0x13, 0x05, 0xa0, 0x02, 0x67, 0x80, 0, 0 } /* li a0, 42; ret */
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

/* Bytes of all vector registers; 0: there are none. */
static inline size_t machine_vector_size(void)
{
	unsigned long bytes = 0;
	if (getauxval(AT_HWCAP) & 1ul << ('v' - 'a'))
		__asm__ volatile(".option push\n\t.option arch, +v\n\tcsrr %0, vlenb\n\t.option pop" : "=r"(bytes));
	return 32 * bytes;
}
/* Holds a pattern in all vector registers for so many rounds of a loop; what they are then is found. */
static inline void machine_vector_hold(const void *pattern, void *found, long rounds)
{
	const void *from = pattern;
	void *to = found;
	__asm__ volatile(".option push\n\t.option arch, +v\n\tvsetvli t0, zero, e8, m8, ta, ma\n\t"
		"vle8.v v0, (%0)\n\tadd %0, %0, t0\n\tvle8.v v8, (%0)\n\tadd %0, %0, t0\n\tvle8.v v16, (%0)\n\tadd %0, %0, t0\n\tvle8.v v24, (%0)\n"
		"1:\taddi %2, %2, -1\n\tbgtz %2, 1b\n\t"
		"vse8.v v0, (%1)\n\tadd %1, %1, t0\n\tvse8.v v8, (%1)\n\tadd %1, %1, t0\n\tvse8.v v16, (%1)\n\tadd %1, %1, t0\n\tvse8.v v24, (%1)\n\t.option pop"
		: "+&r"(from), "+&r"(to), "+&r"(rounds) : : "t0", "memory");
}
/* Where a signal frame has the vector registers, or NULL. */
static inline uint8_t *machine_vector_in_frame(ucontext_t *context)
{
	const uint32_t *header = (const uint32_t *)((const char *)&context->uc_mcontext + 776);
	const uint64_t *state = (const uint64_t *)(header + 2);
	const uint32_t *next = (const uint32_t *)((const char *)header + header[1]);
	if (header[0] != 0x53465457)
		return NULL;
	if (header[1] != 8 + 48 + 32 * state[4] || state[5] != (uint64_t)(state + 6) || next[0] || next[1])
		return (uint8_t *)-1; /* not as it must be */
	return (uint8_t *)state[5];
}
