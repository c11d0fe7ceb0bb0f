/* Ending: QEMU's isa-debug-exit device at port 0xf4 (the emulator exits with status * 2 + 1), else the keyboard controller's reset, else a triple fault. */
#include "arch/x86_64/x86.h"
#include "abi/types.h"

#define DEBUG_EXIT 0xf4
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET 0xfe

void arch_power(uint32_t action, uint32_t status)
{
	arch_interrupts_disable();
	if (action == POWER_OFF)
		out32(DEBUG_EXIT, status);
	out8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	for (unsigned i = 0; i < 1000; i++)
		(void)in8(KEYBOARD_COMMAND);
	/* no interrupt table at all: the exception cannot be delivered, nor the double fault */
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) none = { 0, 0 };
	__asm__ volatile("lidt %0\n\tint3" :: "m"(none));
	arch_halt();
}
