/*
 * Floating-point state, lazily: the kernel uses none of it (it is built without these instructions). The unit holds the state of
 * processor->float_owner. For any other thread it is off (sstatus.FS); its first such instruction is illegal and comes here, the owner's state is
 * saved and its own is loaded. A thread that never uses the unit has no area and pays one comparison a switch.
 * Vector state is not offered: the vector unit stays off (sstatus.VS), and programs are not told of one (AT_HWCAP).
 */
#include "riscv.h"
#include "arch/thread.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

#define AREA_SIZE 264u /* float_save */

static bool unit_enabled(void)
{
	return CSR_READ(sstatus) & STATUS_FS;
}

static void unit_enable(void)
{
	CSR_SET(sstatus, STATUS_FS_INITIAL);
}

static void unit_disable(void)
{
	CSR_CLEAR(sstatus, STATUS_FS);
}

static int area_allocate(struct thread *thread)
{
	if (thread->arch.float_area)
		return 0;
	thread->arch.float_area = heap_alloc(AREA_SIZE);
	if (!thread->arch.float_area)
		return -ENOMEM;
	memset(thread->arch.float_area, 0, AREA_SIZE);
	return 0;
}

/* An illegal instruction of user mode. True when the unit was off and is on now; false: it is illegal indeed, or there is no memory for the area. */
bool float_trap(void)
{
	struct processor *processor = this_processor();
	struct thread *current = processor->current;
	if (unit_enabled() || !board.floats || area_allocate(current))
		return false;
	unit_enable();
	if (processor->float_owner == current)
		return true;
	if (processor->float_owner)
		float_save(processor->float_owner->arch.float_area);
	float_load(current->arch.float_area);
	processor->float_owner = current;
	return true;
}

/* The thread's state is not wanted any more (it ends or begins a new program); frees the area. */
void float_forget(struct thread *thread)
{
	struct processor *processor = this_processor();
	if (processor->float_owner == thread) {
		processor->float_owner = NULL;
		unit_disable();
	}
	if (thread->arch.float_area)
		heap_free(thread->arch.float_area, AREA_SIZE);
	thread->arch.float_area = NULL;
}

/* Called by the context switch. */
void float_switch(struct thread *to)
{
	if (this_processor()->float_owner == to)
		unit_enable();
	else
		unit_disable();
}

int arch_thread_copy_float(struct thread *target, struct thread *source)
{
	if (!source->arch.float_area)
		return 0;
	int error = area_allocate(target);
	if (error)
		return error;
	if (this_processor()->float_owner == source) {
		bool enabled = unit_enabled();
		unit_enable();
		float_save(source->arch.float_area);
		if (!enabled)
			unit_disable();
	}
	memcpy(target->arch.float_area, source->arch.float_area, AREA_SIZE);
	return 0;
}
