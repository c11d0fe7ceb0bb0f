/*
 * Failing allocations on purpose, in the kernel that checks itself: debug_fail_allocation names a process and a number, and that many allocations later, of
 * kernel memory or pages, one that the kernel makes while it runs a thread of that process, or a thread that serves a call of it, is refused, as if memory
 * were used up. Servers built for such tests tell of what they take from their own heap too (debug_count_allocation). Tests count upwards until
 * a call comes through untouched, so they have seen each of its allocations fail. Nothing of it is in the other kernel.
 */
#ifndef KERNEL_FAILURE_H
#define KERNEL_FAILURE_H
#include "kernel/core/types.h"
#ifdef KERNEL_DEBUG
/* Must the allocation about to be made fail? Asked once for each. */
bool failure_due(void);
/* The sum of what debug_count_allocation was told. */
int64_t failure_heap_bytes(void);
#else
static inline bool failure_due(void) { return false; }
static inline int64_t failure_heap_bytes(void) { return 0; }
#endif
#endif
