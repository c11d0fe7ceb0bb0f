/*
 * Floating-point and vector state, lazily: the kernel uses none of it. The unit holds the state of processor->float_owner. For any other thread it is
 * off; its first such instruction traps, and float_take saves the owner's state and loads its own. A thread that never uses the unit has no area and pays one
 * comparison a switch. What the unit is, and how its state is saved, is the port's float_unit.h.
 * With several processors running a thread may go on on another one, so the owner's state is saved when it gives up the processor (float_leave), and nobody
 * owns the unit then.
 */
#include "arch/float.h"
#include "float_unit.h"
#include "arch/thread.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

static int area_allocate(struct thread *thread)
{
	if (thread->arch.float_area)
		return 0;
	thread->arch.float_area = heap_alloc(float_area_size());
	if (!thread->arch.float_area)
		return -ENOMEM;
	float_area_init(thread->arch.float_area);
	return 0;
}

bool float_take(void)
{
	struct processor *processor = this_processor();
	struct thread *current = processor->current;

	if (area_allocate(current))
		return false;
	float_unit_enable(current->arch.float_area);
	if (processor->float_owner == current)
		return true;
	if (processor->float_owner)
		float_unit_save(processor->float_owner->arch.float_area);
	float_unit_load(current->arch.float_area);
	processor->float_owner = current;
	return true;
}

void float_forget(struct thread *thread)
{
	struct processor *processor = this_processor();

	if (processor->float_owner == thread) {
		processor->float_owner = NULL;
		float_unit_disable();
	}
	if (thread->arch.float_area) {
		float_area_end(thread->arch.float_area);
		heap_free(thread->arch.float_area, float_area_size());
	}
	thread->arch.float_area = NULL;
}

void float_leave(struct thread *thread)
{
	struct processor *processor = this_processor();

	if (processor->float_owner != thread)
		return;
	float_unit_enable(thread->arch.float_area);
	float_unit_save(thread->arch.float_area);
	processor->float_owner = NULL;
}

void float_switch(struct thread *to)
{
	if (this_processor()->float_owner == to)
		float_unit_enable(to->arch.float_area);
	else
		float_unit_disable();
}

int arch_thread_copy_float(struct thread *target, struct thread *source)
{
	if (!source->arch.float_area)
		return 0;
	int error = area_allocate(target);
	if (error)
		return error;
	if (this_processor()->float_owner == source) {
		bool enabled = float_unit_enabled();
		float_unit_enable(source->arch.float_area);
		float_unit_save(source->arch.float_area);
		if (!enabled)
			float_unit_disable();
	}
	float_area_copy(target->arch.float_area, source->arch.float_area);
	return 0;
}
