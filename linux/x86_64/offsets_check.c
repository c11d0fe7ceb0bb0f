/* Compares the offsets that assembly uses with the structures (no code). */
#include "linux/linux.h"
#include "offsets.h"

#define CHECK(name, field) _Static_assert(offsetof(struct thread_block, field) == (name), #name)
CHECK(0, self);
CHECK(BLOCK_CALL_INSTRUCTION, call_instruction);
CHECK(BLOCK_CALL_FLAGS, call_flags);
CHECK(BLOCK_PENDING, pending);
CHECK(BLOCK_STACK, stack);
CHECK(BLOCK_RAX, registers.rax);
CHECK(BLOCK_RBX, registers.rbx);
CHECK(BLOCK_RCX, registers.rcx);
CHECK(BLOCK_RDX, registers.rdx);
CHECK(BLOCK_RSI, registers.rsi);
CHECK(BLOCK_RDI, registers.rdi);
CHECK(BLOCK_RBP, registers.rbp);
CHECK(BLOCK_R8, registers.r8);
CHECK(BLOCK_R9, registers.r9);
CHECK(BLOCK_R10, registers.r10);
CHECK(BLOCK_R11, registers.r11);
CHECK(BLOCK_R12, registers.r12);
CHECK(BLOCK_R13, registers.r13);
CHECK(BLOCK_R14, registers.r14);
CHECK(BLOCK_R15, registers.r15);
CHECK(BLOCK_RIP, registers.rip);
CHECK(BLOCK_RFLAGS, registers.rflags);
CHECK(BLOCK_RSP, registers.rsp);
