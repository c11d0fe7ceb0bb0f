/*
 * The vDSO: a small shared object in the memory of every unmodified program, found through AT_SYSINFO_EHDR, that reads clocks and the
 * processor's number without entering the kernel or the library. C libraries and Go look its functions up by name and version.
 *
 * It runs as part of the program: on the program's stack, outside the library's upcall range (so a signal may arrive in it), with no variables and no
 * relocation. What it cannot answer becomes an ordinary system call. linux/image.ld places it behind the library; vdso.ld links it.
 */
#include "linux/calls.h"
#include "linux/time/time_page.h"
#include "processor.h"

#define EXPORT __attribute__((visibility("default")))
#define BILLION 1000000000ul
#define COARSE_RESOLUTION 4000000

static inline const volatile struct time_page *time_page(void)
{
	return (const volatile struct time_page *)LIBRARY_TIME_PAGE;
}

#define CLOCKS_REALTIME (1u << LINUX_CLOCK_REALTIME | 1u << LINUX_CLOCK_REALTIME_COARSE | 1u << LINUX_CLOCK_REALTIME_ALARM | 1u << LINUX_CLOCK_TAI)
#define CLOCKS_MONOTONIC (1u << LINUX_CLOCK_MONOTONIC | 1u << LINUX_CLOCK_MONOTONIC_RAW | 1u << LINUX_CLOCK_MONOTONIC_COARSE | \
	1u << LINUX_CLOCK_BOOTTIME | 1u << LINUX_CLOCK_BOOTTIME_ALARM)
#define CLOCKS_COARSE (1u << LINUX_CLOCK_REALTIME_COARSE | 1u << LINUX_CLOCK_MONOTONIC_COARSE)

/* As clock_gettime(2): 0 or a negative error. Clocks of processors' time and of other processes go through the system call. */
EXPORT int __vdso_clock_gettime(int clock, struct linux_timespec *time)
{
	uint64_t offset, now;
	if ((unsigned)clock >= 32 || !(1u << clock & (CLOCKS_REALTIME | CLOCKS_MONOTONIC)))
		return (int)processor_system_call(LINUX_CALL_CLOCK_GETTIME, (uint64_t)clock, (uint64_t)(uintptr_t)time);
	now = time_page_read(time_page(), &offset);
	if (1u << clock & CLOCKS_REALTIME)
		now += offset;
	time->seconds = (int64_t)(now / BILLION);
	time->nanoseconds = (int64_t)(now % BILLION);
	return 0;
}

EXPORT int __vdso_clock_getres(int clock, struct linux_timespec *resolution)
{
	if ((unsigned)clock >= 32 || !(1u << clock & (CLOCKS_REALTIME | CLOCKS_MONOTONIC)))
		return (int)processor_system_call(LINUX_CALL_CLOCK_GETRES, (uint64_t)clock, (uint64_t)(uintptr_t)resolution);
	if (resolution) {
		resolution->seconds = 0;
		resolution->nanoseconds = 1u << clock & CLOCKS_COARSE ? COARSE_RESOLUTION : 1;
	}
	return 0;
}

EXPORT int __vdso_gettimeofday(struct linux_timeval *time, int32_t zone[2])
{
	if (time) {
		uint64_t offset, now = time_page_read(time_page(), &offset);
		now += offset;
		time->seconds = (int64_t)(now / BILLION);
		time->microseconds = (int64_t)(now % BILLION / 1000);
	}
	if (zone)
		zone[0] = zone[1] = 0;
	return 0;
}

EXPORT int64_t __vdso_time(int64_t *result)
{
	uint64_t offset, now = time_page_read(time_page(), &offset);
	int64_t seconds = (int64_t)((now + offset) / BILLION);
	if (result)
		*result = seconds;
	return seconds;
}

EXPORT int64_t __vdso_getcpu(uint32_t *processor, uint32_t *node, void *unused)
{
	(void)unused;
	if (processor)
		*processor = processor_number();
	if (node)
		*node = 0;
	return 0;
}

#define ALIAS(name, target) extern __typeof__(target) name __attribute__((weak, alias(#target), visibility("default")))
ALIAS(clock_gettime, __vdso_clock_gettime);
ALIAS(clock_getres, __vdso_clock_getres);
ALIAS(gettimeofday, __vdso_gettimeofday);
ALIAS(time, __vdso_time);
ALIAS(getcpu, __vdso_getcpu);
