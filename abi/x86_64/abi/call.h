/*
 * The raw system call of x86_64: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax; the instruction destroys
 * rcx and r11. Programs use the stubs of carillon/calls.h, which are made from abi/syscalls.tbl and call these.
 */
#ifndef ABI_CALL_H
#define ABI_CALL_H
#include <stdint.h>
#include "abi/message.h"

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

/*
 * Words in registers (abi/message.h). The words are rsi r10 r8 r9 rbx r12 r13 r14; handle rdi. Receiving: in r15 the reply's number and rdx the
 * address of the struct message; out rdi the client's data, rdx the badge, r15 the reply's number. Every register but rsp and rbp is
 * dead afterwards, so a compiler saves what it needs and the kernel nothing.
 */
#define KERNEL_CALL_WORDS 1
static inline int64_t kernel_call_words(uint64_t number, uint64_t handle, uint64_t word[MESSAGE_WORDS])
{
	int64_t result;
	uint64_t w0 = word[0], w4 = word[4];
	register uint64_t w1 __asm__("r10") = word[1];
	register uint64_t w2 __asm__("r8") = word[2];
	register uint64_t w3 __asm__("r9") = word[3];
	register uint64_t w5 __asm__("r12") = word[5];
	register uint64_t w6 __asm__("r13") = word[6];
	register uint64_t w7 __asm__("r14") = word[7];
	__asm__ volatile("syscall"
		: "=a"(result), "+D"(handle), "+S"(w0), "+r"(w1), "+r"(w2), "+r"(w3), "+b"(w4), "+r"(w5), "+r"(w6), "+r"(w7)
		: "a"(number) : "rcx", "r11", "rdx", "r15", "memory");
	word[0] = w0, word[1] = w1, word[2] = w2, word[3] = w3, word[4] = w4, word[5] = w5, word[6] = w6, word[7] = w7;
	return result;
}

static inline int64_t kernel_call_received(uint64_t number, uint64_t handle, struct message_received *words, uint64_t message)
{
	int64_t result;
	uint64_t *word = words->word, w0 = word[0], w4 = word[4];
	register uint64_t w1 __asm__("r10") = word[1];
	register uint64_t w2 __asm__("r8") = word[2];
	register uint64_t w3 __asm__("r9") = word[3];
	register uint64_t w5 __asm__("r12") = word[5];
	register uint64_t w6 __asm__("r13") = word[6];
	register uint64_t w7 __asm__("r14") = word[7];
	register uint32_t reply __asm__("r15") = words->reply;
	__asm__ volatile("syscall"
		: "=a"(result), "+D"(handle), "+d"(message), "+r"(reply), "+S"(w0), "+r"(w1), "+r"(w2), "+r"(w3), "+b"(w4), "+r"(w5), "+r"(w6), "+r"(w7)
		: "a"(number) : "rcx", "r11", "memory");
	word[0] = w0, word[1] = w1, word[2] = w2, word[3] = w3, word[4] = w4, word[5] = w5, word[6] = w6, word[7] = w7;
	words->data = handle;
	words->badge = message;
	words->reply = reply;
	return result;
}
#endif
