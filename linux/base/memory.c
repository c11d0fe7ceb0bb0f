/* Bytes and strings for the freestanding image (base.h). Native programs have these from their C library. memcpy and memset are each port's own. */
#include "linux/base/base.h"

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *target = to;
	const uint8_t *source = from;
	if (target <= source || target >= source + size)
		return memcpy(to, from, size);
	while (size--) {
		target[size] = source[size];
		__asm__ volatile("" : : : "memory"); /* or the compiler makes a call of memmove of this loop */
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *left = a, *right = b;
	for (; size; size--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

void *memchr(const void *bytes, int value, size_t size)
{
	for (const uint8_t *at = bytes; size--; at++)
		if (*at == (uint8_t)value)
			return (void *)(uintptr_t)at;
	return NULL;
}

size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length]) {
		length++;
		__asm__ volatile("" : "+r"(length));
	}
	return length;
}

size_t strnlen(const char *text, size_t size)
{
	size_t length = 0;
	while (length < size && text[length])
		length++;
	return length;
}

int strcmp(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t size)
{
	for (; size && *a && *a == *b; a++, b++, size--)
		;
	return size ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *strchr(const char *text, int character)
{
	for (;; text++) {
		if (*text == (char)character)
			return (char *)(uintptr_t)text;
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int character)
{
	const char *found = NULL;
	do
		if (*text == (char)character)
			found = text;
	while (*text++);
	return (char *)(uintptr_t)found;
}
