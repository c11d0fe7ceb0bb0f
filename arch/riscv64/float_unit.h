/*
 * The floating-point unit, for arch/float.c: off is sstatus.FS, with which its instructions are illegal.
 * Vector state is not offered: the vector unit stays off (sstatus.VS), and programs are not told of one (AT_HWCAP).
 */
#ifndef FLOAT_UNIT_H
#define FLOAT_UNIT_H
#include "riscv.h"
#include "kernel/core/log.h" /* memset */

static inline bool float_unit_enabled(void)
{
	return CSR_READ(sstatus) & STATUS_FS;
}
static inline void float_unit_enable(void)
{
	CSR_SET(sstatus, STATUS_FS_INITIAL);
}
static inline void float_unit_disable(void)
{
	CSR_CLEAR(sstatus, STATUS_FS);
}
void float_save(void *area); /* entry.S */
void float_load(const void *area);
static inline void float_unit_save(void *area)
{
	float_save(area);
}
static inline void float_unit_load(const void *area)
{
	float_load(area);
}
static inline uint32_t float_area_size(void)
{
	return 264; /* float_save */
}
static inline void float_area_init(void *area)
{
	memset(area, 0, float_area_size());
}
#endif
