/*
 * Global interrupts: the I/O APIC at its usual address, and the old 8259 pair, masked for good.
 * All lines are level-triggered and active high: in edge mode a device that raises its line while the interrupt is masked (a driver is
 * just serving it) would be forgotten for ever. Every line starts masked; the interrupt path masks it again at each delivery.
 */
#include "arch/mmu.h"
#include "arch/x86_64/x86.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"

#define IOAPIC_ADDRESS 0xfec00000ul
#define IOAPIC_VERSION 1
#define IOAPIC_ENTRY(n) (0x10 + 2 * (n))
#define ENTRY_MASKED 0x10000u
#define ENTRY_LEVEL 0x8000u
#define LINES_MAX (VECTOR_TIMER - VECTOR_GLOBAL)

static volatile uint32_t *registers;
static unsigned lines;
static struct spinlock ioapic_lock = SPINLOCK_INIT("interrupt controller", RANK_BOARD); /* a register is named, then read or written */

static uint32_t ioapic_read(unsigned index)
{
	registers[0] = index;
	return registers[4];
}

static void ioapic_write(unsigned index, uint32_t value)
{
	registers[0] = index;
	registers[4] = value;
}

void ioapic_start(void)
{
	registers = arch_map_device(IOAPIC_ADDRESS, PAGE_SIZE);
	uint32_t version = ioapic_read(IOAPIC_VERSION);
	if (version == UINT32_MAX) {
		log_print("no I/O APIC: no device interrupts");
		return;
	}
	lines = min((version >> 16 & 0xff) + 1, (unsigned)LINES_MAX);
	for (unsigned i = 0; i < lines; i++) {
		ioapic_write(IOAPIC_ENTRY(i) + 1, apic_identifier() << 24);
		ioapic_write(IOAPIC_ENTRY(i), ENTRY_MASKED | ENTRY_LEVEL | (VECTOR_GLOBAL + i));
	}
}

int arch_interrupt_set(uint32_t number, bool enabled)
{
	if (number >= lines)
		return -EINVAL;
	spin_lock(&ioapic_lock);
	ioapic_write(IOAPIC_ENTRY(number), (enabled ? 0 : ENTRY_MASKED) | ENTRY_LEVEL | (VECTOR_GLOBAL + number));
	spin_unlock(&ioapic_lock);
	return 0;
}

void pic_mask_all(void)
{
	out8(0x21, 0xff);
	out8(0xa1, 0xff);
}
