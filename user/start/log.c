/* Lines for the kernel log, and what a program writes to its standard output while nobody has given it one. */
#include <stdbool.h>
#include <string.h>
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "user/start/internal.h"

#define LINE_MAX_BYTES 240

static const char *program_name(void)
{
	const char *path = process_record()->executable;
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

static void log_line(const char *format, va_list arguments)
{
	char line[LINE_MAX_BYTES];
	size_t used = 0;
	for (const char *name = program_name(); *name && used < 32; name++)
		line[used++] = *name;
	line[used++] = ':';
	line[used++] = ' ';
	int length = format_text(line + used, sizeof line - used, format, arguments);
	used += (size_t)length < sizeof line - used ? (size_t)length : sizeof line - used - 1;
	while (used > 0 && line[used - 1] == '\n')
		used--;
	log_write(line, used);
}

void server_log(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	log_line(format, arguments);
	va_end(arguments);
}

void server_log_verbose(const char *format, ...)
{
	if (!record_value("verbose", 0))
		return;
	va_list arguments;
	va_start(arguments, format);
	log_line(format, arguments);
	va_end(arguments);
}

_Noreturn void server_fail(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	log_line(format, arguments);
	va_end(arguments);
	for (;;)
		process_exit(1 << 8);
}

void log_bytes(const char *text, size_t size)
{
	static char line[LINE_MAX_BYTES];
	static size_t used;
	for (size_t i = 0; i < size; i++) {
		if (text[i] != '\n')
			line[used++] = text[i];
		if (text[i] == '\n' || used == sizeof line) {
			server_log("%.*s", (int)used, line);
			used = 0;
		}
	}
}
