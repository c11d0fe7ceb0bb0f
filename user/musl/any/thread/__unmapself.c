/* A detached thread ends and frees the stack it runs on: one native call does both. */
#include "pthread_impl.h"

_Noreturn void __carillon_unmap_self(void *base, size_t size);

void __unmapself(void *base, size_t size)
{
	__carillon_unmap_self(base, size);
}
