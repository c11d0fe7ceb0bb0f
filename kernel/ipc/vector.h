/* Positions in lists of pieces of user memory, for copies that stop and go on. */
#ifndef KERNEL_IPC_VECTOR_H
#define KERNEL_IPC_VECTOR_H
#include "abi/types.h"
#include "kernel/core/types.h"

#define FAULT_RETRIES 64 /* a page made present can be gone again; after so many times the memory counts as bad */

/* A position in a list of pieces of user memory. */
struct vector_position { const struct io_vector *vector; unsigned count, index; uint64_t offset; };

static inline void position_skip_empty(struct vector_position *position)
{
	while (position->index < position->count && position->offset == position->vector[position->index].length) {
		position->index++;
		position->offset = 0;
	}
}

/* Where the next bytes lie and how many there are in one piece, at most *length; there must be some left. */
static inline user_t position_address(struct vector_position *position, uint64_t *length)
{
	position_skip_empty(position);
	const struct io_vector *piece = &position->vector[position->index];
	*length = min(*length, piece->length - position->offset);
	return piece->address + position->offset;
}
#endif
