/* What arch/test needs to know of riscv64. Shared with programs.S. */
#ifndef TEST_PORT_H
#define TEST_PORT_H
#define TEST_EXIT 52 /* process_exit, in abi/syscalls.tbl */
#define TEST_STATUS_GOOD 7
#define TEST_STATUS_BAD 8
#ifndef __ASSEMBLER__
#include "abi/process.h"
#include "riscv.h"
#define TEST_MACHINE "riscv64"
#define TEST_DEVICE board.interrupts
#define TEST_RESULT a0
/* A program, its argument, and the exception it ends with (EXCEPTION_NONE: TEST_STATUS_GOOD). */
struct test_fault { const char *name, *program; uint64_t address; enum exception_cause cause; };
extern const char test_load[], test_store[], test_jump[], test_illegal[], test_breakpoint[], test_done[], test_hold[], test_watch[];
extern const char test_privileged[], test_divide[], test_crooked[], test_float[];
#define TEST_PORT_FAULTS \
	{ "privileged", test_privileged, 0, EXCEPTION_ILLEGAL }, { "division by zero", test_divide, 0, EXCEPTION_NONE }, \
	{ "crooked atomic", test_crooked, DATA + 1, EXCEPTION_ALIGNMENT }, { "floating-point", test_float, 0, EXCEPTION_NONE },
#endif
#endif
