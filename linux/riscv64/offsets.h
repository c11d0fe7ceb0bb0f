/* Offsets of struct thread_block for assembly; offsets_check.c compares them with the C structure. */
#ifndef LINUX_RISCV64_OFFSETS_H
#define LINUX_RISCV64_OFFSETS_H
#define BLOCK_CALL_FLAGS 16
#define BLOCK_PENDING 32
#define BLOCK_STACK 56
#define BLOCK_REGISTERS 64
#define BLOCK_X(n) (BLOCK_REGISTERS + 8 * (n)) /* x1 .. x31 */
#endif
