/* The bases of fs and gs: the call that x86_64 has for them. */
#include "linux/calls.h"
#include "linux/process/process.h"

int64_t linux_arch_prctl(struct linux_thread *t, const uint64_t argument[6])
{
	enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };
	switch (argument[0]) {
	case SET_FS: {
		if (argument[1] >= USER_TOP_MAX)
			return -EPERM;
		int64_t result = thread_set_pointer(THREAD_POINTER_TLS, argument[1]);
		if (result >= 0)
			t->tls = argument[1];
		return result;
	}
	case GET_FS:
		return user_write(t, argument[1], &t->tls, sizeof t->tls);
	case SET_GS: /* gs is the library's */
	case GET_GS:
		return -EPERM;
	default:
		return -EINVAL;
	}
}
