/* riscv_flush_icache: what was stored becomes what is fetched. One processor runs programs so far, so this one's fence is all there is to do. */
#include "linux/calls.h"

#define FLUSH_LOCAL 1ul

int64_t linux_riscv_flush_icache(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t;
	if (argument[2] & ~FLUSH_LOCAL)
		return -EINVAL;
	__asm__ volatile("fence.i" : : : "memory");
	return 0;
}
