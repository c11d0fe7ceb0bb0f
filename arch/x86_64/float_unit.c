/* The floating-point unit at start, and the trap of its first use: see arch/float.c. */
#include "arch/float.h"
#include "float_unit.h"
#include "arch/thread.h"

void float_start(void)
{
	if (cpu_features.xsave) {
		__asm__ volatile("xsetbv" :: "c"(0), "a"((uint32_t)cpu_features.float_components), "d"((uint32_t)(cpu_features.float_components >> 32)));
		cpu_features.float_size = cpuid(0xd, 0).b;
	}
	WRITE_CONTROL(0, READ_CONTROL(0) | CR0_TASK_SWITCHED);
	this_arch()->float_disabled = true;
}

/* User mode only. Without memory for the area the thread gets an exception. */
void float_device_not_available(struct arch_frame *frame)
{
	if (!float_take())
		exception_handle(frame, EXCEPTION_OTHER, 0, frame->rip);
}
