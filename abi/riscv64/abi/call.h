/*
 * The raw system call of riscv64: number in a7, arguments in a0 to a5, result in a0; every other register is kept. Programs use the
 * stubs of carillon/calls.h, which are made from abi/syscalls.tbl and call these.
 */
#ifndef ABI_CALL_H
#define ABI_CALL_H
#include <stdint.h>

static inline int64_t kernel_call0(uint64_t number)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0");
	__asm__ volatile("ecall" : "=r"(a0) : "r"(a7) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call1(uint64_t number, uint64_t p0)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call2(uint64_t number, uint64_t p0, uint64_t p1)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call3(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call4(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	register uint64_t a3 __asm__("a3") = p3;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call5(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	register uint64_t a3 __asm__("a3") = p3;
	register uint64_t a4 __asm__("a4") = p4;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4) : "memory");
	return (int64_t)a0;
}

static inline int64_t kernel_call6(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4, uint64_t p5)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	register uint64_t a3 __asm__("a3") = p3;
	register uint64_t a4 __asm__("a4") = p4;
	register uint64_t a5 __asm__("a5") = p5;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a7), "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "memory");
	return (int64_t)a0;
}
#endif
