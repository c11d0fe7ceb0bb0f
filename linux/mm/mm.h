/* Where a program's mappings go: highest free gap between the value space and the stack; never into the library's range. */
#ifndef LINUX_MM_H
#define LINUX_MM_H
#include "linux/linux.h"
#define PLACE_MAPPINGS (LIBRARY_START - (8ul << 20) - (1ul << 20)) /* below the stack and a gap */
#define PLACE_MAPPINGS_LOW VALUE_SPACE_END
/* Would so many bytes more exceed RLIMIT_AS? */
bool memory_exceeds(struct linux_thread *t, uint64_t more);
/* A fault below a MAP_GROWSDOWN mapping: extends it down to the address. False: it is no such fault, or the mapping may not grow so far. */
bool memory_grow(struct linux_thread *t, uint64_t address);
#define PLACE_LOW_TOP 0x80000000ul /* MAP_32BIT */
#endif
