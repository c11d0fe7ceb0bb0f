/* Sets the TLS register of the calling thread. */
#include "pthread_impl.h"
#include "syscall.h"

#define ARCH_SET_FS 0x1002

int __set_thread_area(void *pointer)
{
	return __syscall(SYS_arch_prctl, ARCH_SET_FS, pointer);
}
