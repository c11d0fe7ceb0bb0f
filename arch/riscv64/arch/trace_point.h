/* A trace point: an instruction that does nothing, which arch_trace_begin (patch.c) makes into a jump. */
#ifndef ARCH_TRACE_POINT_H
#define ARCH_TRACE_POINT_H
#include <stdbool.h>
#include <stdint.h>
static inline __attribute__((always_inline)) bool trace_active(void)
{
	__asm__ goto("1: nop\n\t.pushsection .patch.trace, \"a\"\n\t.quad 1b, %l[active]\n\t.popsection" : : : : active);
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
	register uint64_t a0 __asm__("a0") = event;
	register uint64_t a2 __asm__("a2") = a;
	register uint64_t a3 __asm__("a3") = b;
	register uint64_t a4 __asm__("a4") = c;
	register uint64_t a5 __asm__("a5") = d;
	register uint64_t a6 __asm__("a6") = e;
	register uint64_t a7 __asm__("a7") = f;
	__asm__ volatile("jal t0, trace_call_quiet" :: "r"(a0), "r"(a2), "r"(a3), "r"(a4), "r"(a5), "r"(a6), "r"(a7) : "t0"); /* trace_call.S */
}
#endif
