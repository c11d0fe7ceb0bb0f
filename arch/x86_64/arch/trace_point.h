/* A trace point: five bytes that do nothing, which arch_trace_begin (patch.c) makes into a jump. */
#ifndef ARCH_TRACE_POINT_H
#define ARCH_TRACE_POINT_H
#include <stdbool.h>
#include <stdint.h>
static inline __attribute__((always_inline)) bool trace_active(void)
{
	__asm__ goto("1: .byte 0x0f, 0x1f, 0x44, 0x00, 0x00\n\t" /* nopl 0(%rax,%rax) */
		".pushsection .patch.trace, \"a\"\n\t.quad 1b, %l[active]\n\t.popsection" : : : : active);
	return false;
active: __attribute__((cold));
	return true;
}
/*
 * trace_record(event, 0, a ... f), as if it changed no register and no memory: what a trace point needs for it is kept nowhere while there is no
 * trace.
 */
static inline __attribute__((always_inline)) void trace_call(uint64_t event, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	__asm__ volatile("pushq %6\n\tpushq %5\n\tpushq %4\n\tpushq %3\n\tpushq %2\n\tpushq %1\n\tpushq %0\n\tcall trace_call_quiet" /* trace_call.S takes them */
		:: "re"(event), "re"(a), "re"(b), "re"(c), "re"(d), "re"(e), "re"(f));
}
#endif
