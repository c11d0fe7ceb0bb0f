/* memcpy and memset with the string instructions, which have no loop around them. */
#include "linux/base/base.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *result = to;
	size_t words = size >> 3, rest = size & 7;
	__asm__ volatile("rep movsq\n\tmovq %3, %%rcx\n\trep movsb" : "+&D"(to), "+&S"(from), "+&c"(words) : "r"(rest) : "memory");
	return result;
}

void *memset(void *to, int value, size_t size)
{
	void *result = to;
	uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;
	size_t words = size >> 3, rest = size & 7;
	__asm__ volatile("rep stosq\n\tmovq %3, %%rcx\n\trep stosb" : "+&D"(to), "+&c"(words) : "a"(pattern), "r"(rest) : "memory");
	return result;
}
