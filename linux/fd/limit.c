/*
 * RLIMIT_FSIZE. While a process has such a limit its writes are not routed (routes.c), so that all of them come through here: one that starts
 * below the limit is cut to it, one at or beyond it is EFBIG with SIGXFSZ. Only files have sizes.
 */
#include "linux/fd/descriptor.h"

static uint64_t limit_of(const struct linux_process *p)
{
	return p->limits[LINUX_RLIMIT_FSIZE][0];
}

bool size_limited(const struct linux_process *p)
{
	return limit_of(p) != LINUX_RLIM_INFINITY;
}

static int64_t exceeded(struct linux_thread *t)
{
	signal_raise(t, LINUX_SIGXFSZ, LINUX_SI_USER);
	return -EFBIG;
}

int64_t size_allow(struct linux_thread *t, int fd, const int64_t *offset, uint64_t *length)
{
	struct description_info info;
	if (!*length || !size_limited(t->process) || description_get(fd, &info) < 0 || info.kind != DESCRIPTION_PLACE)
		return 0;
	uint64_t position = (uint64_t)(offset ? *offset : info.cursor), limit = limit_of(t->process);
	if (info.flags & DESCRIPTION_APPEND) {
		struct memobj_info memory;
		int64_t memobj = description_memobj(fd);
		if (memobj >= 0) {
			if (memobj_get((handle_t)memobj, &memory) >= 0)
				position = memory.size;
			(void)handle_close((handle_t)memobj);
		}
	}
	if (position >= limit)
		return exceeded(t);
	*length = MINIMUM(*length, limit - position);
	return 0;
}

int64_t size_check(struct linux_thread *t, uint64_t old, uint64_t new)
{
	return new > old && new > limit_of(t->process) ? exceeded(t) : 0;
}
