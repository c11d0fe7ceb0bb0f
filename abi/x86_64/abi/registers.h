/* The registers of an x86_64 thread as user space sees them. */
#ifndef ABI_REGISTERS_H
#define ABI_REGISTERS_H
#include <stdint.h>

/* A data segment that programs may not load to any use; its limit (lsl) is the number of the processor. */
#define SELECTOR_PROCESSOR 0x43

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip, rflags, rsp;
};

/* Where the caller's frame pointer and the return address lie, from the frame pointer. */
#define ABI_STACK_LINK 0l
#define ABI_STACK_LEAF(frame, caller) ((void)(frame), (void)(caller), 0) /* the return address is always there */
#define ABI_REGISTERS_RETURN(registers) ((void)(registers), (uint64_t)0)
#endif
