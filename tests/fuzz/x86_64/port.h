/* What the programs of random calls need of x86_64. */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H
#include <elf.h>
#include <stdint.h>
#include <sys/syscall.h>

/* A call that only older ports have under its own number, as linux(2) takes it: its result, or -1 and errno. */
#define OLD_CALL(name, ...) syscall(SYS_##name, __VA_ARGS__)
#define OLD_FORK() syscall(SYS_fork)

/* Code of a program that touches as little as can be: reads a byte and ends with status 7. */
#define TINY_MACHINE EM_X86_64
#define TINY_CODE "xorl %eax, %eax\n xorl %edi, %edi\n leaq -16(%rsp), %rsi\n movl $1, %edx\n syscall\n movl $231, %eax\n movl $7, %edi\n syscall"

/* The raw call; a process or thread that it makes ends at once, without touching the stack, which may be the caller's. */
static inline int64_t raw_call(uint64_t number, const uint64_t *a)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = a[4];
	register uint64_t r9 __asm__("r9") = a[5];
	__asm__ volatile("movq %%rax, %%rbx\n\tsyscall\n\ttestq %%rax, %%rax\n\tjnz 1f\n\tcmpl $56, %%ebx\n\tje 2f\n\tcmpl $57, %%ebx\n\tje 2f\n\t"
		"cmpl $58, %%ebx\n\tje 2f\n\tcmpl $435, %%ebx\n\tjne 1f\n2:\tmovl $60, %%eax\n\txorl %%edi, %%edi\n\tsyscall\n\tjmp 2b\n1:"
		: "=a"(result) : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "rbx", "memory");
	return result;
}
#endif
