/* The first serial port: the kernel log goes out here, polled. A machine without one swallows the text. */
#include "arch/x86_64/x86.h"

#define COM1 0x3f8
#define LINE_STATUS 5
#define TRANSMITTER_EMPTY 0x20

static bool present;

void serial_start(void)
{
	out8(COM1 + 1, 0);    /* no interrupts */
	out8(COM1 + 3, 0x80); /* divisor */
	out8(COM1 + 0, 1);    /* 115200 */
	out8(COM1 + 1, 0);
	out8(COM1 + 3, 3);    /* 8 bits, no parity */
	out8(COM1 + 2, 7);    /* queues, emptied */
	out8(COM1 + 4, 3);
	present = in8(COM1 + LINE_STATUS) != 0xff;
}

void arch_console_write(const char *text, size_t length)
{
	if (!present)
		return;
	for (size_t i = 0; i < length; i++) {
		for (unsigned wait = 0; wait < 100000 && !(in8(COM1 + LINE_STATUS) & TRANSMITTER_EMPTY); wait++)
			;
		out8(COM1, (uint8_t)text[i]);
	}
}
