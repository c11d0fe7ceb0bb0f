/* What the programs of random calls need of riscv64. */
#ifndef FUZZ_PORT_H
#define FUZZ_PORT_H
#include <elf.h>
#include <stdint.h>

/* A call that only older ports have under its own number: libc makes it of what this port has. Its result, or -1 and errno. */
#define OLD_CALL(name, ...) name(__VA_ARGS__)
#define OLD_FORK() fork()
#define getdents getdents64

/* Code of a program that touches as little as can be: reads a byte and ends with status 7. */
#define TINY_MACHINE EM_RISCV
#define TINY_CODE "li a7, 63\n li a0, 0\n addi a1, sp, -16\n li a2, 1\n ecall\n li a7, 94\n li a0, 7\n ecall"

/* The raw call; a process or thread that it makes ends at once, without touching the stack, which may be the caller's. */
static inline int64_t raw_call(uint64_t number, const uint64_t *a)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = a[0];
	register uint64_t a1 __asm__("a1") = a[1];
	register uint64_t a2 __asm__("a2") = a[2];
	register uint64_t a3 __asm__("a3") = a[3];
	register uint64_t a4 __asm__("a4") = a[4];
	register uint64_t a5 __asm__("a5") = a[5];
	__asm__ volatile("mv t0, a7\n\tecall\n\tbnez a0, 1f\n\tli t1, 220\n\tbeq t0, t1, 2f\n\tli t1, 435\n\tbne t0, t1, 1f\n2:\tli a7, 93\n\tli a0, 0\n\tecall\n\tj 2b\n1:"
		: "+r"(a0), "+r"(a1), "+r"(a7) : "r"(a2), "r"(a3), "r"(a4), "r"(a5) : "t0", "t1", "memory");
	return (int64_t)a0;
}
#endif
