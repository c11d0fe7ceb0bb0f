/*
 * Floating-point and vector state, lazily: the kernel uses none of it (-mgeneral-regs-only). The unit holds the state of processor->float_owner.
 * Switching to any other thread sets CR0.TS; its first such instruction traps here, the owner's state is saved and its own is
 * loaded. A thread that never uses the unit has no area and pays one comparison a switch.
 * The area is in the standard (not compacted) XSAVE format, or FXSAVE's on processors without.
 * With more processors running, a thread's owner processor will have to save before the thread can move; threads do not move now.
 */
#include "x86.h"
#include "arch/thread.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

#define AREA_CONTROL 0      /* offsets in the legacy part of the area */
#define AREA_VECTOR_CONTROL 24
#define AREA_HEADER 512

void float_start(void)
{
	if (cpu_features.xsave) {
		__asm__ volatile("xsetbv" :: "c"(0), "a"((uint32_t)cpu_features.float_components), "d"((uint32_t)(cpu_features.float_components >> 32)));
		cpu_features.float_size = cpuid(0xd, 0).b;
	}
	WRITE_CONTROL(0, READ_CONTROL(0) | CR0_TASK_SWITCHED);
	this_arch()->float_disabled = true;
}

static void unit_enable(void)
{
	if (this_arch()->float_disabled) {
		__asm__ volatile("clts");
		this_arch()->float_disabled = false;
	}
}

static void unit_disable(void)
{
	if (!this_arch()->float_disabled) {
		WRITE_CONTROL(0, READ_CONTROL(0) | CR0_TASK_SWITCHED);
		this_arch()->float_disabled = true;
	}
}

static void state_save(void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" :: "r"(area) : "memory");
}

static void state_load(void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" :: "r"(area) : "memory");
}

/* The initial state of the architecture; the memory is zero, which with XSAVE says "all components initial". */
static void area_init(uint8_t *area)
{
	memset(area, 0, cpu_features.float_size);
	*(uint16_t *)(area + AREA_CONTROL) = 0x37f;
	*(uint32_t *)(area + AREA_VECTOR_CONTROL) = 0x1f80;
}

static int area_allocate(struct thread *thread)
{
	if (thread->arch.float_area)
		return 0;
	/* at least 512, so the size class is a multiple of 64, as XSAVE needs */
	thread->arch.float_area = heap_alloc(align_up(cpu_features.float_size, 64u));
	if (!thread->arch.float_area)
		return -ENOMEM;
	area_init(thread->arch.float_area);
	return 0;
}

/* The first use of the unit since it was taken away. User mode only. Without memory for the area the thread gets an exception. */
void float_device_not_available(struct arch_frame *frame)
{
	struct processor *processor = this_processor();
	struct thread *current = processor->current;
	if (area_allocate(current)) {
		exception_handle(frame, EXCEPTION_OTHER, 0, frame->rip);
		return;
	}
	unit_enable();
	if (processor->float_owner == current)
		return;
	if (processor->float_owner)
		state_save(processor->float_owner->arch.float_area);
	state_load(current->arch.float_area);
	processor->float_owner = current;
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
		heap_free(thread->arch.float_area, align_up(cpu_features.float_size, 64u));
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
		bool disabled = this_arch()->float_disabled;
		unit_enable();
		state_save(source->arch.float_area);
		if (disabled)
			unit_disable();
	}
	memcpy(target->arch.float_area, source->arch.float_area, cpu_features.float_size);
	return 0;
}
