/* A trace point: an instruction that does nothing, which arch_trace_begin (patch.c) makes into a jump. */
#ifndef ARCH_TRACE_POINT_H
#define ARCH_TRACE_POINT_H
#include <stdbool.h>
static inline __attribute__((always_inline)) bool trace_active(void)
{
	__asm__ goto("1: nop\n\t.pushsection .patch.trace, \"a\"\n\t.quad 1b, %l[active]\n\t.popsection" : : : : active);
	return false;
active: __attribute__((cold));
	return true;
}
#endif
