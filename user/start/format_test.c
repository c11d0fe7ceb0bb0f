/*
 * format_text says what snprintf says, for all it knows.
 * host-test: user/start/format.c -Iuser/include -Wno-format
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>
#include "carillon/runtime.h"

static int format(char *buffer, size_t size, const char *text, ...)
{
	va_list arguments;
	va_start(arguments, text);
	int result = format_text(buffer, size, text, arguments);
	va_end(arguments);
	return result;
}

#define SAME(...) do { \
	char ours[256], theirs[256]; \
	for (size_t size = 1; size < sizeof ours; size += 7) { \
		int a = format(ours, size, __VA_ARGS__), b = snprintf(theirs, size, __VA_ARGS__); \
		assert(a == b && !strcmp(ours, theirs)); \
	} \
} while (0)

int main(void)
{
	SAME("plain");
	SAME("%d %i %u %x %X %o", -5, 7, 3000000000u, 0xabcu, 0xabcu, 8u);
	SAME("%ld %lu %lx %zu", -9000000000l, 18000000000000000000ul, 0xdeadbeefcafel, (size_t)77);
	SAME("[%5d] [%-5d] [%05d] [%05d] [%.3d]", 42, 42, 42, -42, 7);
	SAME("[%8s] [%-8s] [%.2s] [%.*s] [%*d]", "abc", "abc", "abc", 1, "abc", 6, 12);
	SAME("%c%c%%", 'x', 'y');
	SAME("%016lx %p", 0x1234ul, (void *)0x4321);
	SAME("%#lx %#x %#10x", 0x1234ul, 0, 0xabcd);
	SAME("%d", -2147483647 - 1);
	SAME("%ld", -9223372036854775807l - 1);
	return 0;
}
