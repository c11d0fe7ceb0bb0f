/*
 * Time: the counter of the board, whose frequency the device tree tells, scaled to nanoseconds; and the one-shot timer: the processor's own
 * compare register where it has one (Sstc), else the firmware's.
 */
#include "riscv.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"

#define SHIFT 32u
#define NANOSECONDS 1000000000ul

static uint64_t counter_base;
static uint64_t multiplier; /* nanoseconds per count << SHIFT */
static uint64_t inverse;    /* counts per nanosecond << SHIFT */

void clock_start(void)
{
	counter_base = read_counter();
	multiplier = scale(NANOSECONDS, 1ul << SHIFT, board.counter_frequency);
	inverse = scale(board.counter_frequency, 1ul << SHIFT, NANOSECONDS);
	CSR_WRITE(scounteren, 2); /* programs read the time, and no other counter */
	arch_timer_set(UINT64_MAX);
	CSR_SET(sie, SIE_TIMER);
	log_info("clock: counter %lu kHz, timer %s", board.counter_frequency / 1000, board.counter_compare ? "of the processor" : "of the firmware");
}

uint64_t arch_counter_span(uint64_t counts)
{
	return (uint64_t)((unsigned __int128)counts * multiplier >> SHIFT);
}

uint64_t arch_counter_time(uint64_t counter)
{
	return arch_counter_span(counter - counter_base);
}

uint64_t arch_time_now(void)
{
	return arch_counter_time(read_counter());
}

void arch_time_page(struct time_page *page)
{
	page->shift = SHIFT;
	page->counter_base = counter_base;
	page->multiplier = multiplier;
	page->base = 0;
}

void arch_timer_set(uint64_t when)
{
	uint64_t at = UINT64_MAX;
	/* rounded up: an interrupt that comes too early would only be set again */
	if (when != UINT64_MAX)
		at = counter_base + (uint64_t)((unsigned __int128)when * inverse >> SHIFT) + 1;
	if (board.counter_compare)
		CSR_WRITE(0x14d, at); /* stimecmp */
	else
		sbi_timer(at);
}
