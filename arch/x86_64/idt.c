/* The interrupt descriptor table: every vector leads to its stub in entry.S; programs may raise only 3 (breakpoint) and 4 (overflow). */
#include "x86.h"

struct gate { uint16_t offset0, selector; uint8_t stack, type; uint16_t offset1; uint32_t offset2, reserved; };
static struct gate gates[256] __attribute__((aligned(16)));

void idt_init(void)
{
	for (unsigned i = 0; i < array_count(gates); i++) {
		uint64_t stub = (uint64_t)entry_table + 16 * i;
		unsigned stack = i == VECTOR_NMI ? 1 : i == VECTOR_DOUBLE_FAULT ? 2 : i == VECTOR_MACHINE_CHECK ? 3 : 0;
		gates[i] = (struct gate){ .offset0 = (uint16_t)stub, .selector = SELECTOR_KERNEL_CODE, .stack = (uint8_t)stack,
			.type = i == 3 || i == 4 ? 0xee : 0x8e, .offset1 = (uint16_t)(stub >> 16), .offset2 = (uint32_t)(stub >> 32) };
	}
}

void idt_load(void)
{
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) pointer = { sizeof(gates) - 1, (uint64_t)gates };
	__asm__ volatile("lidt %0" :: "m"(pointer));
}
