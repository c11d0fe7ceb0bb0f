/* Reading the clock page (struct time_page in abi/types.h) with the processor's counter: shared by the library and the vDSO. */
#ifndef LINUX_TIME_TIME_PAGE_H
#define LINUX_TIME_TIME_PAGE_H
#include <stdint.h>
#include "abi/types.h"
#include "processor.h"

/* Nanoseconds since boot; *offset: nanoseconds to add for the time since 1970. Waits while the kernel changes the page. */
static inline uint64_t time_page_read(const volatile struct time_page *page, uint64_t *offset)
{
	for (;;) {
		uint32_t sequence = __atomic_load_n(&page->sequence, __ATOMIC_ACQUIRE);
		uint64_t delta, value;
		if (__builtin_expect(sequence & 1, 0))
			continue;
		delta = processor_counter() - page->counter_base;
		value = page->base + (uint64_t)((unsigned __int128)delta * page->multiplier >> page->shift);
		*offset = page->realtime_offset;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (__builtin_expect(page->sequence == sequence, 1))
			return value;
	}
}
#endif
