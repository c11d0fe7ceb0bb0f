/* The local interrupt controller of a processor: end of interrupt, the one-shot timer. x2APIC by registers, else through memory. */
#include "x86.h"
#include "arch/mmu.h"
#include "kernel/core/log.h"

#define APIC_IDENTIFIER 0x20
#define APIC_PRIORITY 0x80
#define APIC_END 0xb0
#define APIC_SPURIOUS 0xf0
#define APIC_COMMAND 0x300
#define APIC_COMMAND_HIGH 0x310
#define APIC_TIMER 0x320
#define APIC_PERFORMANCE 0x340
#define APIC_LINE0 0x350
#define APIC_LINE1 0x360
#define APIC_ERROR 0x370
#define APIC_TIMER_INITIAL 0x380
#define APIC_TIMER_CURRENT 0x390
#define APIC_TIMER_DIVIDE 0x3e0
#define APIC_MASKED 0x10000u
#define APIC_ENABLED 0x100u
#define APIC_PENDING 0x1000u
#define APIC_BASE_X2APIC 0x400ul
#define APIC_BASE_ENABLED 0x800ul

static volatile uint8_t *registers; /* NULL: x2APIC */

static uint32_t apic_read(unsigned offset)
{
	return registers ? *(volatile uint32_t *)(registers + offset) : (uint32_t)read_msr(0x800 + offset / 16);
}

static void apic_write(unsigned offset, uint32_t value)
{
	if (registers)
		*(volatile uint32_t *)(registers + offset) = value;
	else
		write_msr(0x800 + offset / 16, value);
}

void apic_start(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE) | APIC_BASE_ENABLED;
	if (cpu_features.x2apic)
		base |= APIC_BASE_X2APIC;
	else
		registers = arch_map_device(base & 0xffffffffff000ul, PAGE_SIZE);
	write_msr(MSR_APIC_BASE, base);
	apic_write(APIC_PRIORITY, 0);
	apic_write(APIC_LINE0, APIC_MASKED);
	apic_write(APIC_LINE1, 0x400); /* non-maskable interrupts */
	apic_write(APIC_ERROR, APIC_MASKED);
	apic_write(APIC_PERFORMANCE, APIC_MASKED);
	apic_write(APIC_TIMER, APIC_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_DIVIDE, 0xb); /* by 1 */
	apic_write(APIC_SPURIOUS, APIC_ENABLED | VECTOR_SPURIOUS);
}

void apic_end_of_interrupt(void)
{
	apic_write(APIC_END, 0);
}

uint32_t apic_identifier(void)
{
	return registers ? apic_read(APIC_IDENTIFIER) >> 24 : apic_read(APIC_IDENTIFIER);
}

void apic_send(uint32_t apic, uint32_t command)
{
	if (!registers) {
		write_msr(0x800 + APIC_COMMAND / 16, (uint64_t)apic << 32 | command);
		return;
	}
	apic_write(APIC_COMMAND_HIGH, apic << 24);
	apic_write(APIC_COMMAND, command);
	while (apic_read(APIC_COMMAND) & APIC_PENDING)
		__asm__ volatile("pause");
}

void apic_timer_count(uint32_t ticks)
{
	apic_write(APIC_TIMER_INITIAL, ticks);
}

void apic_timer_unmask(void)
{
	apic_write(APIC_TIMER, VECTOR_TIMER);
}

uint32_t apic_timer_left(void)
{
	return apic_read(APIC_TIMER_CURRENT);
}
