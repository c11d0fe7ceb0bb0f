/* What arch/test needs to know of x86_64. Shared with programs.S. */
#ifndef TEST_PORT_H
#define TEST_PORT_H
#define TEST_EXIT 52 /* process_exit, in abi/syscalls.tbl */
#define TEST_STATUS_GOOD 7
#define TEST_STATUS_BAD 8
#ifndef __ASSEMBLER__
#include "abi/process.h"
#include "arch/frame.h"
#define TEST_MACHINE "x86_64"
#define TEST_DEVICE 0xfec00000ul /* the I/O APIC */
#define TEST_RESULT rax
/* A program, its argument, and the exception it ends with (EXCEPTION_NONE: TEST_STATUS_GOOD). */
struct test_fault { const char *name, *program; uint64_t address; enum exception_cause cause; };
extern const char test_load[], test_store[], test_jump[], test_illegal[], test_breakpoint[], test_done[], test_hold[], test_watch[];
extern const char test_privileged[], test_divide[], test_step[], test_float[], test_float_fault[], test_port[];
#define TEST_PORT_FAULTS \
	{ "privileged", test_privileged, 0, EXCEPTION_OTHER }, { "port", test_port, 0, EXCEPTION_OTHER }, { "division by zero", test_divide, 0, EXCEPTION_DIVIDE }, \
	{ "single step", test_step, 0, EXCEPTION_STEP }, { "floating-point", test_float, 0, EXCEPTION_NONE }, \
	{ "floating-point fault", test_float_fault, 0, EXCEPTION_FLOAT },
#endif
#endif
