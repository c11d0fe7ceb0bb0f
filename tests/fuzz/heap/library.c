/*
 * The Linux library's allocations told to the kernel, which says whether one is to fail: linked around linux_alloc (-Wl,--wrap) in the image that tests/fuzz uses.
 * As the server's heap, heap.c.
 */
#include "carillon/calls.h"
#include "linux/linux.h"

void *__real_linux_alloc(struct linux_process *process, size_t size);
void *__wrap_linux_alloc(struct linux_process *process, size_t size);

void *__wrap_linux_alloc(struct linux_process *process, size_t size)
{
	return debug_count_allocation(0) == 1 ? NULL : __real_linux_alloc(process, size);
}
