/*
 * The floating-point unit, for arch/float.c: off is sstatus.FS, with which its instructions are illegal. The vector unit (sstatus.VS), where there is
 * one, is on with it for threads that have used it: their area has a second part, made at their first vector instruction (vector.c). So a
 * thread that only computes with floating-point numbers never pays for vector registers.
 */
#ifndef FLOAT_UNIT_H
#define FLOAT_UNIT_H
#include "riscv.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h" /* memset */

struct float_area {
	uint64_t registers[32], control; /* float_save */
	void *vector;                    /* vector_save; NULL: no vector instruction yet */
};

void float_save(void *area); /* entry.S */
void float_load(const void *area);
void vector_save(void *area); /* vector_state.S */
void vector_load(const void *area);
/* Bytes of what vector_save writes. */
static inline uint32_t vector_area_size(void)
{
	return 32 + 32 * board.vector_bytes;
}

static inline bool float_unit_enabled(void)
{
	return CSR_READ(sstatus) & STATUS_FS;
}
static inline void float_unit_enable(const struct float_area *area)
{
	CSR_SET(sstatus, area->vector ? STATUS_FS_INITIAL | STATUS_VS_INITIAL : STATUS_FS_INITIAL);
}
static inline void float_unit_disable(void)
{
	CSR_CLEAR(sstatus, STATUS_FS | STATUS_VS);
}
/* The vector unit stays as it was. */
static inline void float_unit_save(struct float_area *area)
{
	float_save(area);
	if (area->vector) {
		bool enabled = CSR_READ(sstatus) & STATUS_VS;
		CSR_SET(sstatus, STATUS_VS_INITIAL);
		vector_save(area->vector);
		if (!enabled)
			CSR_CLEAR(sstatus, STATUS_VS);
	}
}
static inline void float_unit_load(const struct float_area *area)
{
	float_load(area);
	if (area->vector)
		vector_load(area->vector);
}
static inline uint32_t float_area_size(void)
{
	return sizeof(struct float_area);
}
static inline void float_area_init(struct float_area *area)
{
	memset(area, 0, sizeof(*area));
}
static inline void float_area_end(struct float_area *area)
{
	if (area->vector)
		heap_free(area->vector, vector_area_size());
}
/* A new thread begins without vector state, as Linux has it: it begins behind a call, which keeps none. */
static inline void float_area_copy(struct float_area *target, const struct float_area *source)
{
	memcpy(target, source, offsetof(struct float_area, vector));
}
#endif
