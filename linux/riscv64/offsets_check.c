/* Compares the offsets that assembly uses with the structures (no code). */
#include "linux/linux.h"
#include "abi/calls.h"
#include "offsets.h"

#define CHECK(name, field) _Static_assert(offsetof(struct thread_block, field) == (name), #name)
CHECK(0, self);
CHECK(BLOCK_CALL_FLAGS, call_flags);
CHECK(BLOCK_PENDING, pending);
CHECK(BLOCK_STACK, stack);
CHECK(BLOCK_REGISTERS, registers);
CHECK(BLOCK_X(1), registers.ra);
CHECK(BLOCK_X(10), registers.a0);
CHECK(BLOCK_X(31), registers.t6);
_Static_assert(CALL_UPCALL_RETURN == 75, "entry.S");
