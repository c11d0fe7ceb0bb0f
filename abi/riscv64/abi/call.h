/*
 * The raw system call of riscv64: number in a7, arguments in a0 to a5, result in a0; t0-t6, a6 and a7 are lost, every other register is kept. Programs use
 * the stubs of carillon/calls.h, which are made from abi/syscalls.tbl and call these.
 */
#ifndef ABI_CALL_H
#define ABI_CALL_H
#include <stdint.h>
#include "abi/message.h"

#define KERNEL_CALL_LOST "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a6", "memory"

static inline int64_t kernel_call0(uint64_t number)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0");
	__asm__ volatile("ecall" : "=r"(a0), "+r"(a7) : : KERNEL_CALL_LOST);
	return (int64_t)a0;
}

static inline int64_t kernel_call1(uint64_t number, uint64_t p0)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : : KERNEL_CALL_LOST);
	return (int64_t)a0;
}

static inline int64_t kernel_call2(uint64_t number, uint64_t p0, uint64_t p1)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : "r"(a1) : KERNEL_CALL_LOST);
	return (int64_t)a0;
}

static inline int64_t kernel_call3(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : "r"(a1), "r"(a2) : KERNEL_CALL_LOST);
	return (int64_t)a0;
}

static inline int64_t kernel_call4(uint64_t number, uint64_t p0, uint64_t p1, uint64_t p2, uint64_t p3)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	register uint64_t a3 __asm__("a3") = p3;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : "r"(a1), "r"(a2), "r"(a3) : KERNEL_CALL_LOST);
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
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : "r"(a1), "r"(a2), "r"(a3), "r"(a4) : KERNEL_CALL_LOST);
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
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7) : "r"(a1), "r"(a2), "r"(a3), "r"(a4), "r"(a5) : KERNEL_CALL_LOST);
	return (int64_t)a0;
}

/*
 * Words in registers (abi/message.h). The words are a1-a6 t3 t4; handle a0. Receiving: in t5 the reply's number and t6 the address of the struct message;
 * out a7 the client's data, t6 the badge, t5 the reply's number. Every register but sp, gp (which is the thread's block), tp and s0 is dead afterwards, so a compiler saves
 * what it needs and the kernel nothing.
 */
#define KERNEL_CALL_WORDS 1
#define KERNEL_CALL_DEAD "ra", "t0", "t1", "t2", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory"
#define KERNEL_CALL_TAKE_WORDS \
	register uint64_t w0 __asm__("a1") = word[0]; \
	register uint64_t w1 __asm__("a2") = word[1]; \
	register uint64_t w2 __asm__("a3") = word[2]; \
	register uint64_t w3 __asm__("a4") = word[3]; \
	register uint64_t w4 __asm__("a5") = word[4]; \
	register uint64_t w5 __asm__("a6") = word[5]; \
	register uint64_t w6 __asm__("t3") = word[6]; \
	register uint64_t w7 __asm__("t4") = word[7]
#define KERNEL_CALL_WORD_OPERANDS "+r"(w0), "+r"(w1), "+r"(w2), "+r"(w3), "+r"(w4), "+r"(w5), "+r"(w6), "+r"(w7)
static inline int64_t kernel_call_words(uint64_t number, uint64_t handle, uint64_t word[MESSAGE_WORDS])
{
	KERNEL_CALL_TAKE_WORDS;
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = handle;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7), KERNEL_CALL_WORD_OPERANDS : : "t5", "t6", KERNEL_CALL_DEAD);
	word[0] = w0, word[1] = w1, word[2] = w2, word[3] = w3, word[4] = w4, word[5] = w5, word[6] = w6, word[7] = w7;
	return (int64_t)a0;
}

static inline int64_t kernel_call_received(uint64_t number, uint64_t handle, struct message_received *words, uint64_t message)
{
	uint64_t *word = words->word;
	KERNEL_CALL_TAKE_WORDS;
	register uint32_t t5 __asm__("t5") = words->reply;
	register uint64_t t6 __asm__("t6") = message;
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = handle;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a7), "+r"(t5), "+r"(t6), KERNEL_CALL_WORD_OPERANDS : : KERNEL_CALL_DEAD);
	word[0] = w0, word[1] = w1, word[2] = w2, word[3] = w3, word[4] = w4, word[5] = w5, word[6] = w6, word[7] = w7;
	words->data = a7;
	words->badge = t6;
	words->reply = t5;
	return (int64_t)a0;
}
#endif
