/* brk, limits of memory, and mappings that grow. The heap grows behind the program's data; a page further than asked costs nothing, since pages come with use. */
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"
#include "machine.h"

#define GROW_GAP (256 * PAGE_SIZE) /* what stays free below a mapping that grows */

#define STACK_COUNTED (132ul << 10)

void stack_limit(struct linux_thread *t, uint64_t limit)
{
	struct linux_process *p = t->process;
	uint64_t size = stack_size(limit), old = p->stack_size, top = program_top(p->record), pointer = *machine_stack(&t->block.registers);
	struct region_info region;
	if (p->memory != p || p->companions || !old || space_query(HANDLE_SELF_SPACE, top - PAGE_SIZE, &region) < 0 || region.tag != LINUX_REGION_STACK)
		return; /* another process's stack, or no stack any more */
	if (size > old) {
		struct map_request request = {
			.address = top - size, .length = size - old, .memobj = HANDLE_NONE, .protection = region.protection, .flags = MAP_FIXED_NEW,
			.tag = LINUX_REGION_STACK,
		};
		if (space_map(HANDLE_SELF_SPACE, &request) < 0)
			return; /* the program has put something there: the stack ends where it did */
	} else {
		if (p->thread_count > 1 || pointer < top - old || pointer > top)
			return; /* nobody knows what is used of it */
		size = MAXIMUM(size, page_round_up(top - pointer) + 4 * PAGE_SIZE);
		if (size >= old || space_unmap(HANDLE_SELF_SPACE, top - old, old - size) < 0)
			return;
	}
	p->stack_size = size;
}

bool memory_exceeds(struct linux_thread *t, uint64_t more)
{
	uint64_t limit = t->process->limits[LINUX_RLIMIT_AS][0];
	struct space_info info;
	if (limit == LINUX_RLIM_INFINITY || space_get(HANDLE_SELF_SPACE, &info) < 0)
		return false;
	/* Of the stack Linux counts only what has been used; here is told what a program has at first. */
	uint64_t mapped = info.mapped * PAGE_SIZE - t->process->memory->stack_size + STACK_COUNTED;
	return more > limit || mapped > limit - more;
}

bool memory_grow(struct linux_thread *t, uint64_t address)
{
	struct region_info region, first;
	uint64_t page = page_round_down(address);
	if (page < USER_BOTTOM + GROW_GAP || space_query(HANDLE_SELF_SPACE, page, &region) < 0 || region.tag != LINUX_REGION_GROWS)
		return false;
	if (!program_range(t, page, region.end - page))
		return false;
	if (region.start <= page)
		return true; /* another thread has extended it meanwhile */
	if (space_query(HANDLE_SELF_SPACE, page - GROW_GAP, &first) < 0 || first.start != region.start)
		return false; /* something lies too near below */
	if (region.end - page > t->process->limits[LINUX_RLIMIT_STACK][0] || memory_exceeds(t, region.start - page))
		return false;
	struct map_request request = {
		.address = page, .length = region.start - page, .memobj = HANDLE_NONE, .protection = region.protection,
		.flags = MAP_FIXED_NEW, .tag = LINUX_REGION_GROWS,
	};
	int64_t result = space_map(HANDLE_SELF_SPACE, &request);
	return result >= 0 || result == -EEXIST;
}

int64_t linux_brk(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_process *p = t->process, *memory = p->memory;
	uint64_t wanted = argument[0];
	lock_take(&p->lock);
	uint64_t old = __atomic_load_n(&memory->heap_end, __ATOMIC_ACQUIRE), top = page_round_up(old), limit = page_round_up(wanted);
	if (wanted < memory->heap_start || wanted >= program_top(p->record) || wanted - memory->heap_start > p->limits[LINUX_RLIMIT_DATA][0])
		goto out;
	if (limit > top && memory_exceeds(t, limit - top))
		goto out;
	if (limit > top) {
		struct map_request request = {
			.address = top, .length = limit - top, .memobj = HANDLE_NONE, .protection = PROTECT_READ | PROTECT_WRITE,
			.flags = MAP_FIXED_NEW, .tag = LINUX_REGION_HEAP,
		};
		/* Linux keeps a gap of a page to what lies above; a neighbour in the way is reason enough to refuse here. */
		if (space_map(HANDLE_SELF_SPACE, &request) < 0)
			goto out;
	} else if (limit < top) {
		if (space_unmap(HANDLE_SELF_SPACE, limit, top - limit) < 0)
			goto out;
	}
	/* A process that shares the space takes another lock: where both grow the heap, one has met the other's pages above and failed. */
	(void)__atomic_compare_exchange_n(&memory->heap_end, &old, wanted, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
out:
	wanted = __atomic_load_n(&memory->heap_end, __ATOMIC_ACQUIRE);
	lock_release(&p->lock);
	return (int64_t)wanted;
}
