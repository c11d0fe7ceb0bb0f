/* The one call of x86_64's own that libc makes: the base of fs, where thread-local storage is. */
#include <sys/syscall.h>
#include "abi/errors.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "user/start/internal.h"

#define ARCH_SET_FS 0x1002

int64_t native_call_port(uint64_t number, uint64_t a, uint64_t b)
{
	if (number != SYS_arch_prctl)
		return -ENOSYS;
	return a == ARCH_SET_FS ? thread_set_pointer(THREAD_POINTER_TLS, b) : -EINVAL;
}
