/*
 * Where a program's parts go: its stack ends at program_top, mappings are the highest free gap below that and a place for the stack; never in the
 * library's range nor the value space. Where addresses end is a property of the machine, which the record tells.
 */
#ifndef LINUX_MM_H
#define LINUX_MM_H
#include "linux/linux.h"
#define STACK_ROOM (1ul << 30) /* the most that RLIMIT_STACK gives */
/* Mappings and stack of a program lie below. */
static inline uint64_t program_top(const struct process_record *record)
{
	return record->user_top > LIBRARY_END ? record->user_top : LIBRARY_START;
}
/* Mappings nobody gave an address: below the stack and a gap ... */
static inline uint64_t place_mappings(const struct process_record *record)
{
	return program_top(record) - STACK_ROOM - (1ul << 20);
}
/* ... and above the value space, where there is one. */
static inline uint64_t place_mappings_low(const struct process_record *record)
{
	return record->user_top > VALUE_SPACE_END ? VALUE_SPACE_END : USER_BOTTOM;
}
/* Is [address, address + length), length rounded, inside the program's part of the space? */
bool program_range(struct linux_thread *t, uint64_t address, uint64_t length);
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
