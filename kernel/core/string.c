/*
 * Memory and string functions that the compiler expects of a freestanding program, and a few more. Long runs are left to the compiler's
 * word-sized loops; a port may replace a function by one of its own: these are weak.
 */
#include "kernel/core/log.h"

#define replaceable __attribute__((weak, optimize("no-tree-loop-distribute-patterns")))

typedef uint64_t __attribute__((may_alias, aligned(1))) word;

replaceable void *memcpy(void *restrict target, const void *restrict source, size_t length)
{
	uint8_t *t = target;
	const uint8_t *s = source;
	for (; length >= 8; length -= 8, t += 8, s += 8)
		*(word *)t = *(const word *)s;
	while (length--)
		*t++ = *s++;
	return target;
}

replaceable void *memmove(void *target, const void *source, size_t length)
{
	uint8_t *t = target;
	const uint8_t *s = source;
	if (t <= s || t >= s + length) {
		/* forward, bytes of a word are read before any is written */
		for (; length >= 8; length -= 8, t += 8, s += 8)
			*(word *)t = *(const word *)s;
		while (length--)
			*t++ = *s++;
		return target;
	}
	while (length >= 8) {
		length -= 8;
		*(word *)(t + length) = *(const word *)(s + length);
	}
	while (length--)
		t[length] = s[length];
	return target;
}

replaceable void *memset(void *target, int value, size_t length)
{
	uint8_t *t = target;
	uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;
	for (; length >= 8; length -= 8, t += 8)
		*(word *)t = pattern;
	while (length--)
		*t++ = (uint8_t)value;
	return target;
}

replaceable int memcmp(const void *left, const void *right, size_t length)
{
	const uint8_t *l = left, *r = right;
	for (; length; length--, l++, r++)
		if (*l != *r)
			return *l < *r ? -1 : 1;
	return 0;
}

replaceable size_t strlen(const char *text)
{
	size_t length = 0;
	while (text[length])
		length++;
	return length;
}

int strcmp(const char *left, const char *right)
{
	while (*left && *left == *right)
		left++, right++;
	return (uint8_t)*left - (uint8_t)*right;
}

int strncmp(const char *left, const char *right, size_t length)
{
	for (; length; length--, left++, right++)
		if (*left != *right || !*left)
			return (uint8_t)*left - (uint8_t)*right;
	return 0;
}
