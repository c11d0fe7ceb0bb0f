/*
 * Time: the time-stamp counter scaled to nanoseconds, and the one-shot timer on the local APIC.
 * Frequencies, best source first: the processor or the hypervisor tells them (CPUID); an emulator or KVM has a 1 GHz APIC timer by
 * definition, and the counter is measured against it while start-up does other work; on bare hardware both are measured against the PIT.
 */
#include "x86.h"
#include "arch/mmu.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"

#define SHIFT 32u
#define NANOSECONDS 1000000000ul
#define CALIBRATION_TICKS 100000u /* least of the APIC timer: 100 us at 1 GHz */
#define TIMER_LONGEST (2 * NANOSECONDS) /* at 1 GHz the 32-bit count reaches 4.29 s; a wake-up too early only re-arms */

static uint64_t counter_base, counter_frequency, apic_frequency;
static uint64_t multiplier;       /* nanoseconds per count << SHIFT */
static uint64_t apic_multiplier;  /* APIC ticks per nanosecond << SHIFT */

struct sample { uint64_t counter; uint32_t ticks; };
bool pit_measure(uint64_t *counter, uint64_t *apic_ticks, uint64_t *microseconds);

static struct sample first;

/* Both clocks at one moment: the tightest of some readings, since an interruption of the emulator can come between. */
static struct sample sample_take(void)
{
	struct sample best = { 0, 0 };
	uint64_t best_width = UINT64_MAX;
	for (unsigned i = 0; i < 5; i++) {
		uint64_t before = read_counter();
		uint32_t left = apic_timer_left();
		uint64_t width = read_counter() - before;
		if (width < best_width) {
			best_width = width;
			best = (struct sample){ before + width / 2, UINT32_MAX - left };
		}
	}
	return best;
}

static void frequencies_known(void)
{
	uint32_t last = cpuid(0, 0).a;
	if (cpu_features.hypervisor[0] && cpuid(0x40000000, 0).a >= 0x40000010) {
		struct cpuid_result r = cpuid(0x40000010, 0);
		counter_frequency = r.a * 1000ul;
		apic_frequency = r.b * 1000ul;
	}
	if (!counter_frequency && last >= 0x15) {
		struct cpuid_result r = cpuid(0x15, 0);
		if (r.a && r.b && r.c) {
			counter_frequency = (uint64_t)r.c * r.b / r.a;
			apic_frequency = r.c;
		}
	}
	if (!apic_frequency && (!strcmp(cpu_features.hypervisor, "TCGTCGTCGTCG") || !strcmp(cpu_features.hypervisor, "KVMKVMKVM")))
		apic_frequency = NANOSECONDS;
}

void clock_start_calibration(void)
{
	frequencies_known();
	apic_timer_count(UINT32_MAX);
	first = sample_take();
	counter_base = first.counter;
}

void clock_finish_calibration(void)
{
	if (!apic_frequency) {
		uint64_t counter, ticks, microseconds;
		if (!pit_measure(&counter, &ticks, &microseconds))
			panic("no clock: neither CPUID nor a hypervisor nor a PIT tells a frequency");
		apic_frequency = ticks * 1000000 / microseconds;
		if (!counter_frequency)
			counter_frequency = counter * 1000000 / microseconds;
	}
	if (!counter_frequency) {
		struct sample last;
		do
			last = sample_take();
		while (last.ticks - first.ticks < CALIBRATION_TICKS);
		counter_frequency = scale(last.counter - first.counter, apic_frequency, last.ticks - first.ticks);
	}
	multiplier = scale(NANOSECONDS, 1ul << SHIFT, counter_frequency);
	apic_multiplier = scale(apic_frequency, 1ul << SHIFT, NANOSECONDS);
	apic_timer_count(0);
	apic_timer_unmask();
	log_info("clock: counter %lu kHz, timer %lu kHz", counter_frequency / 1000, apic_frequency / 1000);
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
	if (when == UINT64_MAX) {
		apic_timer_count(0);
		return;
	}
	uint64_t now = arch_time_now(), wait = when > now ? min(when - now, TIMER_LONGEST) : 0;
	uint64_t ticks = (uint64_t)((unsigned __int128)wait * apic_multiplier >> SHIFT) + 1;
	apic_timer_count((uint32_t)min(ticks, (uint64_t)UINT32_MAX));
}
