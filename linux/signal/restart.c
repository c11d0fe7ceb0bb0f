/* restart_syscall: programs do not make it themselves; calls are restarted inside the library. */
#include "linux/calls.h"

int64_t linux_restart_syscall(struct linux_thread *t, const uint64_t argument[6])
{
	(void)t, (void)argument;
	return -EINTR;
}
