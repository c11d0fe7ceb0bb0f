/* brk. The heap grows behind the program's data; a page further than asked costs nothing, since pages come with use. */
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"

int64_t linux_brk(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_process *p = t->process;
	uint64_t wanted = argument[0];
	lock_take(&p->lock);
	uint64_t old = p->heap_end, top = page_round_up(old), limit = page_round_up(wanted);
	if (wanted < p->heap_start || wanted >= PROGRAM_TOP || wanted - p->heap_start > p->limits[LINUX_RLIMIT_DATA][0])
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
	p->heap_end = wanted;
out:
	wanted = p->heap_end;
	lock_release(&p->lock);
	return (int64_t)wanted;
}
