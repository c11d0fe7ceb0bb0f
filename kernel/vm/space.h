/*
 * Address spaces: a persistent map of regions, one anonymous memory object for all private memory (indexed by virtual address), and page
 * tables (struct arch_space) that are only a cache of both.
 */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H
#include "abi/memory.h"
#include "kernel/vm/memobj.h"

struct space;
struct arch_space;
struct object *space_object(struct space *space);
struct space *space_of_object(struct object *object);
struct arch_space *space_arch(struct space *space);

struct space *space_create(struct budget *payer) must_check;
struct space *space_clone(struct space *space, struct budget *payer) must_check;
/* memobj may be NULL (private zero memory); max_protection bounds later space_protect. request->address is the result. */
int space_map(struct space *space, struct map_request *request, struct memobj *memobj, uint32_t max_protection) must_check;
int space_unmap(struct space *space, uint64_t address, uint64_t length) must_check;
int space_protect(struct space *space, uint64_t address, uint64_t length, uint32_t protection) must_check;
int space_discard(struct space *space, uint64_t address, uint64_t length) must_check;
int space_move(struct space *space, struct move_request *request) must_check;
int space_query(struct space *space, uint64_t address, struct region_info *info) must_check;
void space_get_info(struct space *space, struct space_info *info);
/* Frees all mappings and private memory now (a process that died or replaced its space); the object lives on, empty. Corpses keep theirs. */
void space_clear(struct space *space);

/*
 * Fault: makes the page at address accessible (PROTECT_ bits of the access wanted). Thread context, may sleep.
 * 0: retry the instruction; -EFAULT unmapped, -EACCES protection, -ENXIO beyond the object's end (SIGBUS), -ENOMEM.
 */
int space_fault(struct space *space, uint64_t address, uint32_t access) must_check;
/*
 * Pins the pages under [address, address+length) for reading or writing: pages[] gets one referenced page for each page touched
 * (at most count, else -EMSGSIZE). Returns the number of pages. Unpin with page_unref. space may be any space.
 */
int space_pin(struct space *space, uint64_t address, uint64_t length, bool write, struct page **pages, unsigned count) must_check;
/*
 * The same for writing later, at any time until space_unpin_written. A clone of the space made meanwhile gets copies of the private pages among them as they are then, so what is
 * written comes to this space alone. pin->pages and pin->room are the caller's; the space must outlive the pin. Error: nothing is pinned.
 */
struct space_pin {
	struct list link;     /* the space's lock, as all below */
	uint64_t first;       /* page number */
	unsigned count, room; /* pages pinned so far; at most */
	struct page **pages;
};
int space_pin_written(struct space *space, uint64_t address, uint64_t length, struct space_pin *pin) must_check;
void space_unpin_written(struct space *space, struct space_pin *pin);
/* The identity of a word for futexes: (object, offset) for shared memory, (space, address) for private. Returns 0 or -EFAULT. */
struct futex_key { const void *object; uint64_t offset; };
int space_futex_key(struct space *space, uint64_t address, bool shared, struct futex_key *key) must_check;
/* Copies to or from any space, not only the current one; force ignores write protection of private pages. Count done or error. */
int64_t space_copy(struct space *space, uint64_t address, void *kernel_buffer, uint64_t length, bool write, bool force) must_check;
#endif
