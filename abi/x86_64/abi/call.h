/*
 * The raw system call of x86_64: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax; the instruction destroys
 * rcx and r11. Programs use the stubs of carillon/calls.h, which are made from abi/syscalls.tbl and call these.
 */
#ifndef ABI_CALL_H
#define ABI_CALL_H
#include <stdint.h>

static inline int64_t kernel_call0(uint64_t number)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call1(uint64_t number, uint64_t a0)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call2(uint64_t number, uint64_t a0, uint64_t a1)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0), "S"(a1) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call3(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2)
{
	int64_t result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0), "S"(a1), "d"(a2) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call4(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = a3;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call5(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
	return result;
}

static inline int64_t kernel_call6(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5)
{
	int64_t result;
	register uint64_t r10 __asm__("r10") = a3;
	register uint64_t r8 __asm__("r8") = a4;
	register uint64_t r9 __asm__("r9") = a5;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a0), "S"(a1), "d"(a2), "r"(r10), "r"(r8), "r"(r9)
		: "rcx", "r11", "memory");
	return result;
}
#endif
