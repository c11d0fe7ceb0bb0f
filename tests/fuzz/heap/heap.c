/*
 * The heap of servers that tests/fuzz links for itself, in place of libc's. Blocks are powers of two, and the one freed last is given first, so that a server
 * which holds the same blocks as before uses the same pages as before: what tests then find more of is a leak, not a heap's habit.
 * Each allocation is told to the kernel, which says whether it is to fail (debug_count_allocation): so those that a server makes for a program's call count as the program's.
 * Servers have one thread.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "carillon/calls.h"

#define ROOM (128ul << 20) /* address space; pages are used once touched */
#define CLASSES 27u
#define HEADER 16u /* what of a block is not the caller's: all of struct block until it is free */

struct block { uint32_t class, size; struct block *next; };

static _Alignas(4096) unsigned char room[ROOM];
static size_t used;
static struct block *free_blocks[CLASSES];

/* Not malloc itself, or the compiler would make a call of calloc of what calloc does. */
static void *take(size_t size)
{
	unsigned class = 5;
	if (size > ROOM / 2 || debug_count_allocation((int64_t)size) == 1) {
		errno = ENOMEM;
		return NULL;
	}
	while ((1ul << class) < size + HEADER)
		class++;
	struct block *block = free_blocks[class];
	if (block) {
		free_blocks[class] = block->next;
	} else if (ROOM - used >= 1ul << class) {
		block = (struct block *)(room + used);
		used += 1ul << class;
	} else {
		debug_count_allocation(-(int64_t)size);
		errno = ENOMEM;
		return NULL;
	}
	block->class = class;
	block->size = (uint32_t)size;
	return (unsigned char *)block + HEADER;
}

void *malloc(size_t size)
{
	return take(size);
}

void free(void *memory)
{
	if (!memory)
		return;
	struct block *block = (struct block *)((unsigned char *)memory - HEADER);
	debug_count_allocation(-(int64_t)block->size);
	block->next = free_blocks[block->class];
	free_blocks[block->class] = block;
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *memory = __builtin_mul_overflow(count, size, &bytes) ? NULL : take(bytes);
	return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *memory, size_t size)
{
	void *more = take(size);
	if (!more || !memory)
		return more;
	size_t had = ((struct block *)((unsigned char *)memory - HEADER))->size;
	memcpy(more, memory, had < size ? had : size);
	free(memory);
	return more;
}
