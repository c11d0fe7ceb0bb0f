/* Ending: the test device of emulators, which passes a status on, else the firmware, which only turns power off. */
#include "arch/mmu.h"
#include "arch/riscv64/riscv.h"
#include "abi/types.h"

#define FINISHER_FAIL 0x3333u /* the status in the upper half */
#define FINISHER_PASS 0x5555u

static volatile uint32_t *finisher;

void power_start(void)
{
	if (board.finisher)
		finisher = arch_map_device(board.finisher, 4);
}

void arch_power(uint32_t action, uint32_t status)
{
	arch_interrupts_disable();
	volatile uint32_t *device = finisher;
	finisher = NULL; /* where the tree is wrong this faults, and the panic comes back here */
	if (action == POWER_OFF && device)
		*device = status ? status << 16 | FINISHER_FAIL : FINISHER_PASS;
	sbi_power(action);
}
