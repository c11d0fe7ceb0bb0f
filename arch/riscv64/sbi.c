/* Calls of the firmware: console, timer, power. Source: RISC-V Supervisor Binary Interface Specification 2.0. */
#include "riscv.h"
#include "kernel/core/log.h"

#define EXTENSION_BASE 0x10ul
#define BASE_PROBE 3ul
#define EXTENSION_TIMER 0x54494d45ul
#define EXTENSION_RESET 0x53525354ul
#define EXTENSION_CONSOLE 0x4442434eul
#define LEGACY_PUT 1ul
#define CONSOLE_WRITE 0ul
#define CONSOLE_PIECE 256u

static bool console;

struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t p0, uint64_t p1, uint64_t p2)
{
	register uint64_t a0 __asm__("a0") = p0;
	register uint64_t a1 __asm__("a1") = p1;
	register uint64_t a2 __asm__("a2") = p2;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;
	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){ (int64_t)a0, (int64_t)a1 };
}

static bool sbi_has(uint64_t extension)
{
	struct sbi_result result = sbi_call(EXTENSION_BASE, BASE_PROBE, extension, 0, 0);
	return result.error == 0 && result.value != 0;
}

void sbi_start(void)
{
	console = sbi_has(EXTENSION_CONSOLE);
}

void sbi_timer(uint64_t when)
{
	(void)sbi_call(EXTENSION_TIMER, 0, when, 0, 0);
}

/* action: POWER_OFF or POWER_RESTART. Firmware without the call leaves the machine standing. */
void sbi_power(uint32_t action)
{
	(void)sbi_call(EXTENSION_RESET, 0, action == POWER_RESTART ? 1 : 0, 0, 0);
	arch_halt();
}

/* The text may lie anywhere in the kernel; the firmware wants physical memory. */
void arch_console_write(const char *text, size_t length)
{
	static char piece[CONSOLE_PIECE];
	while (console && length) {
		size_t part = min(length, sizeof(piece));
		memcpy(piece, text, part);
		struct sbi_result result = sbi_call(EXTENSION_CONSOLE, CONSOLE_WRITE, part, (uint64_t)piece - IMAGE_OFFSET, 0);
		if (result.error || result.value <= 0)
			return;
		text += result.value;
		length -= (size_t)result.value;
	}
	for (size_t i = 0; i < length; i++)
		(void)sbi_call(LEGACY_PUT, 0, (uint8_t)text[i], 0, 0);
}
