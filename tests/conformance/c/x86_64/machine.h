/* What tests must say in the machine's own words. */
#include <string.h>
#include <ucontext.h>

#define ILLEGAL "ud2"
#define BREAKPOINT "int3"
#define PRIVILEGED "hlt"
/* In a handler: go on behind the illegal instruction, with a result for machine_illegal. */
static inline void machine_step(ucontext_t *context, long result)
{
	context->uc_mcontext.gregs[REG_RIP] += 2;
	context->uc_mcontext.gregs[REG_RAX] = result;
}
static inline long machine_illegal(void)
{
	long result;
	__asm__ volatile("xor %%eax, %%eax; ud2" : "=a"(result));
	return result;
}
/* Changes floating-point and vector registers. */
static inline void machine_spoil(void)
{
	__asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm7, %%xmm7\n\tpxor %%xmm15, %%xmm15\n\tfldz\n\tfstp %%st(0)" ::: "xmm0", "xmm7", "xmm15");
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vzeroall");
}
/* Holds a pattern in such registers for a while; 1 when it changed. */
static inline int machine_registers_change(const unsigned long pattern[4])
{
	unsigned long out[4] = { 0 }, sse[2] = { 0 };
	long double x = 1.25L, y;
	if (__builtin_cpu_supports("avx"))
		__asm__ volatile("vmovdqu %1, %%ymm9\n\tmovl $200, %%ecx\n1:\tpause\n\tdecl %%ecx\n\tjnz 1b\n\tvmovdqu %%ymm9, %0" : "=m"(out)
			: "m"(*(const unsigned long (*)[4])pattern) : "xmm9", "ecx", "memory");
	else
		memcpy(out, pattern, sizeof out);
	__asm__ volatile("movdqu %1, %%xmm15\n\tmovl $200, %%ecx\n1:\tdecl %%ecx\n\tjnz 1b\n\tmovdqu %%xmm15, %0" : "=m"(sse)
		: "m"(*(const unsigned long (*)[4])pattern) : "xmm15", "ecx", "memory");
	__asm__ volatile("fldt %1\n\tmovl $200, %%ecx\n1:\tdecl %%ecx\n\tjnz 1b\n\tfstpt %0" : "=m"(y) : "m"(x) : "ecx", "memory");
	return memcmp(out, pattern, 32) != 0 || memcmp(sse, pattern, 16) != 0 || x != y;
}
/* value from a register that getpid was called with */
static inline double machine_keep_over_call(double value)
{
	double kept = 0;
	__asm__ volatile("movsd %1, %%xmm15\n mov $39, %%eax\n syscall\n movsd %%xmm15, %0" : "=m"(kept) : "m"(value) : "rax", "rcx", "r11", "xmm15", "memory");
	return kept;
}
