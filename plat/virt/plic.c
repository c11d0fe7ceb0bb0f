/*
 * Global interrupts: the platform-level interrupt controller. Source: RISC-V Platform-Level Interrupt Controller Specification 1.0.
 * An interrupt that has come is claimed, which keeps it away until it is completed: that is how it is masked until its driver has served the
 * device. Completion is ignored for a line that is not enabled, so a line is completed before it is disabled.
 */
#include "arch/mmu.h"
#include "arch/riscv64/riscv.h"
#include "arch/thread.h"
#include "kernel/core/log.h"

#define PRIORITY(line) ((line) * 4ul)
#define ENABLE(context, line) (0x2000ul + (context) * 0x80ul + (line) / 32 * 4)
#define THRESHOLD(context) (0x200000ul + (context) * 0x1000ul)
#define CLAIM(context) (THRESHOLD(context) + 4)
#define LINES_MAX 256u

static volatile uint8_t *registers;
static uint32_t lines;       /* numbers are 1 to lines */
static uint8_t claimed[LINES_MAX + 1];

static volatile uint32_t *plic(uint64_t offset)
{
	return (volatile uint32_t *)(registers + offset);
}

void plic_start(void)
{
	uint32_t context = board.interrupt_context;
	registers = arch_map_device(board.interrupts, CLAIM(context) + 4);
	lines = min(board.interrupt_lines, LINES_MAX);
	for (uint32_t line = 0; line <= lines; line += 32)
		*plic(ENABLE(context, line)) = 0;
	*plic(THRESHOLD(context)) = 0;
	CSR_SET(sie, SIE_EXTERNAL);
}

int arch_interrupt_set(uint32_t number, bool enabled)
{
	if (number == 0 || number > lines)
		return -EINVAL;
	uint32_t context = board.interrupt_context, bit = 1u << number % 32;
	volatile uint32_t *enable = plic(ENABLE(context, number));
	if (enabled) {
		*plic(PRIORITY(number)) = 1;
		*enable |= bit;
	}
	if (claimed[number]) {
		claimed[number] = false;
		*plic(CLAIM(context)) = number;
	}
	if (!enabled)
		*enable &= ~bit;
	return 0;
}

void plic_interrupt(void)
{
	uint32_t number = *plic(CLAIM(board.interrupt_context));
	if (number == 0 || number > lines)
		return; /* it has gone again */
	claimed[number] = true;
	interrupt_deliver(number);
}
