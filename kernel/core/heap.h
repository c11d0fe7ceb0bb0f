/*
 * Kernel memory for objects: size classes carved from pages, larger sizes from the buddy allocator.
 * Memory comes zeroed. NULL when there is none; nothing blocks. heap_fail_after makes the n-th next allocation fail (tests).
 */
#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H
#include "kernel/core/types.h"
void *heap_alloc(size_t size) must_check;
/* The same, paid for by the current process, whoever it works for (budget_own). */
void *heap_alloc_own(size_t size) must_check;
void heap_free(void *pointer, size_t size); /* NULL is allowed; size as allocated */
uint64_t heap_bytes_used(void), heap_pages_used(void);
void heap_fail_after(int64_t allocations); /* < 0: never */
#endif
