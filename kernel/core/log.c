/*
 * The kernel log: lines go into a ring in memory and to the serial port. log_print and what programs write (log_write_text)
 * always reach the port; log_info only when the command line has `verbose`. Lines longer than the buffer are cut.
 */
#include "kernel/core/log.h"
#include "arch/processor.h"
#include "kernel/core/format.h"
#include "kernel/core/lock.h"

#define RING_SIZE 65536u /* a power of two */
#define LINE_SIZE 512

bool log_verbose, log_alone;
static char ring[RING_SIZE];
static uint64_t ring_written; /* bytes ever */
static struct spinlock log_lock = SPINLOCK_INIT("log", RANK_LOG);

static void line_write(const char *text, size_t length, bool serial)
{
	bool locked = !log_alone && !spin_held(&log_lock); /* a panic while logging still gets out */
	if (locked)
		spin_lock(&log_lock);
	for (size_t i = 0; i < length; i++)
		ring[ring_written++ % RING_SIZE] = text[i];
	if (serial)
		arch_console_write(text, length);
	if (locked)
		spin_unlock(&log_lock);
}

static void line_format(const char *format, va_list arguments, bool serial)
{
	char line[LINE_SIZE];
	size_t length = min((size_t)format_arguments(line, sizeof(line) - 1, format, arguments), sizeof(line) - 2);
	if (!length || line[length - 1] != '\n')
		line[length++] = '\n';
	line_write(line, length, serial);
}

void log_print(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line_format(format, arguments, true);
	va_end(arguments);
}

void log_info(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	line_format(format, arguments, log_verbose);
	va_end(arguments);
}

void log_write_text(const char *text, size_t length)
{
	char line[LINE_SIZE];
	length = min(length, sizeof(line) - 1);
	for (size_t i = 0; i < length; i++) /* nothing that moves a terminal's cursor */
		line[i] = (text[i] >= ' ' && text[i] != 0x7f) || text[i] == '\t' || text[i] == '\n' ? text[i] : '?';
	if (!length || line[length - 1] != '\n')
		line[length++] = '\n';
	line_write(line, length, true);
}

size_t log_read(char *buffer, size_t size)
{
	spin_lock(&log_lock);
	size_t length = min(min((uint64_t)size, ring_written), (uint64_t)RING_SIZE);
	for (size_t i = 0; i < length; i++)
		buffer[i] = ring[(ring_written - length + i) % RING_SIZE];
	spin_unlock(&log_lock);
	return length;
}
