/* No trace on the host. */
#ifndef ARCH_TRACE_POINT_H
#define ARCH_TRACE_POINT_H
#include <stdbool.h>
static inline bool trace_active(void) { return false; }
#define trace_call(...) ((void)0)
#endif
