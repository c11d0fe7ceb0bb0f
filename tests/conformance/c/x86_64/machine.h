/* What tests must say in the machine's own words. */
#include <string.h>
#include <ucontext.h>

#define VDSO_VERSION "LINUX_2.6" /* of its symbols */
#define VDSO_TIME 1         /* is there __vdso_time? */
#define MACHINE_42 { 0xb8, 42, 0, 0, 0, 0xc3 } /* mov eax, 42; ret */
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

/* Bytes of all vector registers: of AVX where it is there, else SSE. */
static inline size_t machine_vector_size(void)
{
	return __builtin_cpu_supports("avx") ? 16 * 32 : 16 * 16;
}
/* Holds a pattern in all vector registers for so many rounds of a loop; what they are then is found. */
static inline void machine_vector_hold(const void *pattern, void *found, long rounds)
{
	if (machine_vector_size() == 512)
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tvmovdqu 32*\\n(%0), %%ymm\\n\n\t.endr\n1:\tdec %2\n\tjg 1b\n\t"
			".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tvmovdqu %%ymm\\n, 32*\\n(%1)\n\t.endr"
			: "+&r"(pattern), "+&r"(found), "+&r"(rounds) : : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
	else
		__asm__ volatile(".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tmovdqu 16*\\n(%0), %%xmm\\n\n\t.endr\n1:\tdec %2\n\tjg 1b\n\t"
			".irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n\tmovdqu %%xmm\\n, 16*\\n(%1)\n\t.endr"
			: "+&r"(pattern), "+&r"(found), "+&r"(rounds) : : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
			"xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}
/* Where a signal frame has the first vector register's low half. */
static inline uint8_t *machine_vector_in_frame(ucontext_t *context)
{
	return (uint8_t *)context->uc_mcontext.fpregs->_xmm;
}
