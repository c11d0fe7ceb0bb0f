/* madvise, msync, mincore, mlock: what changes memory's content or only asks about it. */
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"

/* Calls of a range: rounds the length; -EINVAL for a crooked address, -ENOMEM beyond the program's part. */
static int64_t range_check(struct linux_thread *t, uint64_t address, uint64_t size, uint64_t *length)
{
	*length = page_round_up(size);
	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	if (*length < size || !program_range(t, address, *length))
		return -ENOMEM;
	return 0;
}

/* 0 when every page of the range is mapped, else -ENOMEM. */
static int64_t range_mapped(uint64_t address, uint64_t length)
{
	struct region_info region;
	for (uint64_t at = address; at < address + length; at = region.end)
		if (space_query(HANDLE_SELF_SPACE, at, &region) < 0 || region.start > at)
			return -ENOMEM;
	return 0;
}

int64_t linux_madvise(struct linux_thread *t, const uint64_t argument[6])
{
	enum { NORMAL, RANDOM, SEQUENTIAL, WILL_NEED, DONT_NEED, FREE = 8, REMOVE, DONT_FORK, DO_FORK, MERGEABLE, UNMERGEABLE, HUGE_PAGE,
		NO_HUGE_PAGE, DONT_DUMP, DO_DUMP, WIPE_ON_FORK, KEEP_ON_FORK, COLD, PAGE_OUT, POPULATE_READ, POPULATE_WRITE };
	uint64_t address = argument[0], length;
	int64_t result = range_check(t, address, argument[1], &length);
	if (result)
		return result == -ENOMEM ? -EINVAL : result;
	int advice = (int)argument[2];
	switch (advice) {
	case DONT_NEED:
	case FREE:
		if (!length)
			return 0;
		result = range_mapped(address, length);
		if (result)
			return result;
		return MINIMUM(space_discard(HANDLE_SELF_SPACE, address, length), 0);
	case NORMAL: case RANDOM: case SEQUENTIAL: case WILL_NEED: case MERGEABLE: case UNMERGEABLE: case HUGE_PAGE: case NO_HUGE_PAGE:
	case DONT_DUMP: case DO_DUMP: case DO_FORK: case KEEP_ON_FORK: case COLD: case PAGE_OUT: case POPULATE_READ: case POPULATE_WRITE:
		return length ? range_mapped(address, length) : 0;
	default: /* DONT_FORK and WIPE_ON_FORK would change what fork means; REMOVE needs holes in files */
		return -EINVAL;
	}
}

int64_t linux_msync(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t length, flags = argument[2];
	int64_t result = range_check(t, argument[0], argument[1], &length);
	if (flags & ~(uint64_t)(LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC) || (flags & 5) == 5)
		return -EINVAL;
	/* Mappings and descriptions share one object, so there is nothing to bring together. */
	return result ? result : range_mapped(argument[0], length);
}

int64_t linux_mincore(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t length;
	uint8_t resident[256];
	int64_t result = range_check(t, argument[0], argument[1], &length);
	if (!result)
		result = range_mapped(argument[0], length);
	if (result)
		return result;
	memset(resident, 1, sizeof resident);
	for (uint64_t done = 0, pages = length / PAGE_SIZE; done < pages; done += sizeof resident)
		if (user_write(t, argument[2] + done, resident, MINIMUM(pages - done, sizeof resident)))
			return -EFAULT;
	return 0;
}

static int64_t lock_range(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t start = page_round_down(argument[0]), length;
	int64_t result = range_check(t, start, argument[1] + (argument[0] - start), &length);
	return result ? result : range_mapped(start, length);
}

int64_t linux_mlock(struct linux_thread *t, const uint64_t argument[6]) { return lock_range(t, argument); }
int64_t linux_munlock(struct linux_thread *t, const uint64_t argument[6]) { return lock_range(t, argument); }
int64_t linux_mlock2(struct linux_thread *t, const uint64_t argument[6])
{
	return argument[2] & ~1ul ? -EINVAL : lock_range(t, argument);
}
int64_t linux_mlockall(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	return !argument[0] || argument[0] & ~7ul || argument[0] == 4 ? -EINVAL : 0;
}
int64_t linux_munlockall(struct linux_thread *t, const uint64_t argument[6]) { (void)t, (void)argument; return 0; }
