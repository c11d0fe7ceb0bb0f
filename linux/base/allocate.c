/*
 * Memory of the library. Blocks of powers of two from chunks of 256 KiB, one list of free blocks a size; larger ones are mappings of
 * their own. All lies in the library's range and belongs to one struct linux_process; process_release frees all of it (vfork).
 */
#include "linux/linux.h"
#include "linux/process/process.h"

#define CHUNK_SIZE (256ul << 10)
#define UNMAP_TRIES 20u
#define UNMAP_NAP 1000000ul /* nanoseconds */
#define CLASS_SMALLEST 4 /* 16 bytes */
#define CLASS_LARGEST (1ul << (CLASS_SMALLEST + LINUX_SIZE_CLASSES - 1))

struct linux_chunk {
	struct linux_chunk *next, **link;
	uint64_t size, reserved;
};

void *linux_map_pages(size_t size)
{
	struct map_request request = {
		.length = page_round_up(size), .low = LIBRARY_PRIVATE, .high = LIBRARY_END, .memobj = HANDLE_NONE,
		.protection = PROTECT_READ | PROTECT_WRITE, .tag = LINUX_REGION_LIBRARY,
	};
	if (!size || request.length < size)
		return NULL;
	int64_t result = space_map(HANDLE_SELF_SPACE, &request);
	return result < 0 ? NULL : (void *)(uintptr_t)request.address;
}

/* Even this may need memory: it waits a moment for some to come back, as faults do. */
void linux_unmap_pages(void *pointer, size_t size)
{
	static const uint32_t never;
	if (!pointer)
		return;
	for (unsigned tries = 0; tries < UNMAP_TRIES; tries++) {
		if (space_unmap(HANDLE_SELF_SPACE, (uint64_t)(uintptr_t)pointer, page_round_up(size)) != -ENOMEM)
			return;
		if (tries)
			(void)futex_wait((uint64_t)(uintptr_t)&never, 0, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + UNMAP_NAP, FUTEX_ANY_BITS, 0);
	}
}

static unsigned class_of(size_t size)
{
	unsigned class = 0;
	while ((1ul << (CLASS_SMALLEST + class)) < size)
		class++;
	return class;
}

/* process->lock held. */
static struct linux_chunk *chunk_add(struct linux_process *p, size_t size)
{
	struct linux_chunk *chunk = linux_map_pages(size);
	if (!chunk)
		return NULL;
	chunk->size = page_round_up(size);
	chunk->next = p->chunks;
	chunk->link = &p->chunks;
	if (p->chunks)
		p->chunks->link = &chunk->next;
	p->chunks = chunk;
	return chunk;
}

void *linux_alloc(struct linux_process *p, size_t size)
{
	void *block = NULL;
	if (size > CLASS_LARGEST) {
		if (size + sizeof(struct linux_chunk) < size)
			return NULL;
		lock_take(&p->lock);
		struct linux_chunk *chunk = chunk_add(p, size + sizeof(struct linux_chunk));
		lock_release(&p->lock);
		return chunk ? chunk + 1 : NULL;
	}
	unsigned class = class_of(size);
	uint64_t length = 1ul << (CLASS_SMALLEST + class);
	lock_take(&p->lock);
	if (p->free[class]) {
		block = p->free[class];
		p->free[class] = *(void **)block;
	} else {
		if (p->fill_end - p->fill < length) {
			/* The rest of the old chunk is given up: at most a quarter of it. */
			struct linux_chunk *chunk = chunk_add(p, CHUNK_SIZE);
			if (chunk) {
				p->fill = (uint64_t)(uintptr_t)(chunk + 1);
				p->fill_end = (uint64_t)(uintptr_t)chunk + CHUNK_SIZE;
			}
		}
		if (p->fill_end - p->fill >= length) {
			block = (void *)(uintptr_t)p->fill;
			p->fill += length;
		}
	}
	lock_release(&p->lock);
	return block;
}

void linux_free(struct linux_process *p, void *pointer, size_t size)
{
	if (!pointer)
		return;
	lock_take(&p->lock);
	if (size > CLASS_LARGEST) {
		struct linux_chunk *chunk = (struct linux_chunk *)pointer - 1;
		*chunk->link = chunk->next;
		if (chunk->next)
			chunk->next->link = chunk->link;
		linux_unmap_pages(chunk, chunk->size);
	} else {
		unsigned class = class_of(size);
		*(void **)pointer = p->free[class];
		p->free[class] = pointer;
	}
	lock_release(&p->lock);
}

void allocate_release(struct linux_process *p)
{
	while (p->chunks) {
		struct linux_chunk *chunk = p->chunks;
		p->chunks = chunk->next;
		linux_unmap_pages(chunk, chunk->size);
	}
}
