/* Offsets of struct thread_block for assembly; offsets_check.c compares them with the C structure. */
#ifndef LINUX_X86_64_OFFSETS_H
#define LINUX_X86_64_OFFSETS_H
#define BLOCK_CALL_INSTRUCTION 8
#define BLOCK_CALL_FLAGS 16
#define BLOCK_PENDING 32
#define BLOCK_STACK 56
#define BLOCK_RAX 64
#define BLOCK_RBX 72
#define BLOCK_RCX 80
#define BLOCK_RDX 88
#define BLOCK_RSI 96
#define BLOCK_RDI 104
#define BLOCK_RBP 112
#define BLOCK_R8 120
#define BLOCK_R9 128
#define BLOCK_R10 136
#define BLOCK_R11 144
#define BLOCK_R12 152
#define BLOCK_R13 160
#define BLOCK_R14 168
#define BLOCK_R15 176
#define BLOCK_RIP 184
#define BLOCK_RFLAGS 192
#define BLOCK_RSP 200
#endif
