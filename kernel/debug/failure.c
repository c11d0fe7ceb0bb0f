/* Failing allocations on purpose: failure.h. */
#include "kernel/debug/failure.h"
#include "kernel/calls.h"
#include "kernel/ipc/port.h"
#include "kernel/obj/process.h"

#ifdef KERNEL_DEBUG
#define CHAIN_MAX 8u /* calls that serve calls */

bool failure_due(void)
{
	struct thread *thread = thread_current();
	for (unsigned depth = 0; thread && thread->process && depth < CHAIN_MAX; depth++, thread = port_thread_served(thread)) {
		struct process *process = thread->process;
		if (process->fail_allocation)
			return --process->fail_allocation == 0;
	}
	return false;
}

static int64_t heap_bytes;

int64_t failure_heap_bytes(void)
{
	return heap_bytes;
}

int64_t sys_debug_count_allocation(int64_t bytes)
{
	if (bytes >= 0 && failure_due())
		return 1;
	__atomic_add_fetch(&heap_bytes, bytes, __ATOMIC_RELAXED);
	return 0;
}

int64_t sys_debug_fail_allocation(handle_t handle, uint64_t count)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	if (count >> 32) {
		object_unref(object);
		return -EINVAL;
	}
	struct process *process = container_of(object, struct process, object);
	int64_t left = (int64_t)process->fail_allocation;
	process->fail_allocation = count;
	object_unref(object);
	return left;
}
#else
int64_t sys_debug_fail_allocation(handle_t handle, uint64_t count)
{
	(void)handle, (void)count;
	return -ENOSYS;
}

int64_t sys_debug_count_allocation(int64_t bytes)
{
	(void)bytes;
	return -ENOSYS;
}
#endif
