/*
 * A page fault of a user thread: resolved, or turned into an exception, or the end of the process. One for which there is
 * no page although the budget is not used up tries again in a moment; only when that did not help, or it is, somebody has to go.
 */
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/process_list.h"
#include "kernel/vm/space.h"

static int fault_resolve(uint64_t address, uint32_t access)
{
	struct space *space = space_current();
	int error = space ? space_fault(space, address, access) : -EFAULT;
	if (error == -ENOMEM && process_wait_for_memory())
		error = space_fault(space, address, access);
	while (error == -ENOMEM && process_out_of_memory())
		error = space_fault(space, address, access);
	return error;
}

void page_fault_handle(struct arch_frame *frame, uint64_t address, uint32_t access, uint64_t code)
{
	int error = fault_resolve(address, access);
	trace(TRACE_FAULT, address, access, arch_frame_instruction(frame), error, 0, 0);
	switch (error) {
	case 0:
		thread_current()->usage.page_faults++;
		return;
	case -ENOMEM: /* the process is ending */
		return;
	case -EACCES:
		exception_handle(frame, EXCEPTION_PROTECTION, code, address);
		return;
	case -ENXIO:
	case -ENOSPC: /* as Linux's tmpfs has it */
		exception_handle(frame, EXCEPTION_BEYOND_OBJECT, code, address);
		return;
	default:
		exception_handle(frame, EXCEPTION_UNMAPPED, code, address);
	}
}

/* A user copy of the kernel faulted: no exception, the copy fails. */
int page_fault_resolve(uint64_t address, uint32_t access)
{
	int error = fault_resolve(address, access);
	trace(TRACE_FAULT, address, access, 0, error, 0, 0);
	return error;
}
