/*
 * The floating-point and vector unit, for arch/float.c: off is CR0.TS, with which its instructions trap.
 * An area is in the standard (not compacted) XSAVE format, or FXSAVE's on processors without.
 */
#ifndef FLOAT_UNIT_H
#define FLOAT_UNIT_H
#include "x86.h"
#include "kernel/core/log.h" /* memset */

#define AREA_CONTROL 0      /* offsets in the legacy part of the area */
#define AREA_VECTOR_CONTROL 24

static inline bool float_unit_enabled(void)
{
	return !this_arch()->float_disabled;
}

static inline void float_unit_enable(const void *area)
{
	(void)area;
	if (this_arch()->float_disabled) {
		__asm__ volatile("clts");
		this_arch()->float_disabled = false;
	}
}

static inline void float_unit_disable(void)
{
	if (!this_arch()->float_disabled) {
		WRITE_CONTROL(0, READ_CONTROL(0) | CR0_TASK_SWITCHED);
		this_arch()->float_disabled = true;
	}
}

static inline void float_unit_save(void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xsave64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" :: "r"(area) : "memory");
}

static inline void float_unit_load(void *area)
{
	if (cpu_features.xsave)
		__asm__ volatile("xrstor64 (%0)" :: "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" :: "r"(area) : "memory");
}

/* At least 512, so the size class is a multiple of 64, as XSAVE needs. */
static inline uint32_t float_area_size(void)
{
	return align_up(cpu_features.float_size, 64u);
}

/* The initial state of the architecture; the memory is zero, which with XSAVE says "all components initial". */
static inline void float_area_init(uint8_t *area)
{
	memset(area, 0, float_area_size());
	*(uint16_t *)(area + AREA_CONTROL) = 0x37f;
	*(uint32_t *)(area + AREA_VECTOR_CONTROL) = 0x1f80;
}
static inline void float_area_end(void *area)
{
	(void)area;
}

static inline void float_area_copy(void *target, const void *source)
{
	memcpy(target, source, float_area_size());
}
#endif
