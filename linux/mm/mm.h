/* Where a program's mappings go: highest free gap between the value space and the stack; never into the library's range. */
#ifndef LINUX_MM_H
#define LINUX_MM_H
#include "linux/linux.h"
#define STACK_ROOM (1ul << 30) /* the most that RLIMIT_STACK gives */
#define PLACE_MAPPINGS (LIBRARY_START - STACK_ROOM - (1ul << 20)) /* below the stack and a gap */
#define PLACE_MAPPINGS_LOW VALUE_SPACE_END
/* The size of a program's stack under a limit: it is mapped whole, because the kernel's copies to what lies below its pages must succeed as on Linux. */
static inline uint64_t stack_size(uint64_t limit)
{
	const uint64_t least = 128ul << 10; /* for arguments, whatever the limit */
	return (MAXIMUM(MINIMUM(limit, STACK_ROOM), least) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}
/* RLIMIT_STACK has changed: the program's stack becomes longer or, below what the only thread uses of it, shorter. */
void stack_limit(struct linux_thread *t, uint64_t limit);
/* Would so many bytes more exceed RLIMIT_AS? */
bool memory_exceeds(struct linux_thread *t, uint64_t more);
/* A fault below a MAP_GROWSDOWN mapping: extends it down to the address. False: it is no such fault, or the mapping may not grow so far. */
bool memory_grow(struct linux_thread *t, uint64_t address);
#define PLACE_LOW_TOP 0x80000000ul /* MAP_32BIT */
#endif
