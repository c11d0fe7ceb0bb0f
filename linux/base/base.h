/* What a freestanding C program needs of a C library: the compiler's own four and a few on strings. In native programs the C library has them. */
#ifndef LINUX_BASE_H
#define LINUX_BASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
void *memchr(const void *bytes, int value, size_t size);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t size);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int character);
char *strrchr(const char *text, int character);

/* Copies text with its NUL, cut off to fit into room (> 0) bytes; returns the length copied. */
static inline size_t text_copy(char *to, const char *text, size_t room)
{
	size_t length = strnlen(text, room - 1);
	memcpy(to, text, length);
	to[length] = 0;
	return length;
}
/* Writes value in decimal with a NUL into to (at least 21 bytes); returns the length. */
static inline size_t text_decimal(char *to, uint64_t value)
{
	char digits[20];
	size_t count = 0, length = 0;
	do
		digits[count++] = (char)('0' + value % 10);
	while (value /= 10);
	while (count)
		to[length++] = digits[--count];
	to[length] = 0;
	return length;
}

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define MINIMUM(a, b) ((a) < (b) ? (a) : (b))
#define MAXIMUM(a, b) ((a) > (b) ? (a) : (b))
static inline uint64_t page_round_up(uint64_t value) { return (value + 4095) & ~4095ul; }
static inline uint64_t page_round_down(uint64_t value) { return value & ~4095ul; }
#endif
