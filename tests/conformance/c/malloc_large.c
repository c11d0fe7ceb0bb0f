/* Hundreds of megabytes of heap, touched, grown, copied and given back. */
#include "case.h"

static uint64_t mix(uint64_t x) { x ^= x >> 31; x *= 0x9e3779b97f4a7c15u; return x ^ x >> 29; }

int main(void)
{
	size_t size = 400ul << 20;
	uint64_t *large = malloc(size);
	check(large != NULL);
	for (size_t i = 0; i < size / 8; i += 512)
		large[i] = mix(i);
	uint64_t sum = 0;
	size_t wrong = 0, nonzero = 0;
	for (size_t i = 0; i < size / 8; i += 512) {
		wrong += large[i] != mix(i);
		nonzero += large[i + 1] != 0;
		sum += large[i];
	}
	printf("sum %016llx, wrong %zu, nonzero %zu\n", (unsigned long long)sum, wrong, nonzero);
	free(large);
	/* again: it was given back */
	for (int round = 0; round < 4; round++) {
		char *again = malloc(300ul << 20);
		check(again != NULL);
		for (size_t i = 0; i < 300ul << 20; i += 4096 * 16)
			again[i] = (char)round;
		free(again);
	}
	/* growth keeps the content */
	size_t length = 1 << 16;
	uint32_t *growing = malloc(length);
	for (size_t i = 0; i < length / 4; i++)
		growing[i] = (uint32_t)i;
	while (length < 64 << 20) {
		growing = realloc(growing, length * 2);
		for (size_t i = length / 4; i < length / 2; i++)
			growing[i] = (uint32_t)i;
		length *= 2;
	}
	wrong = 0;
	for (size_t i = 0; i < length / 4; i++)
		wrong += growing[i] != i;
	printf("grown to %zu, wrong %zu\n", length, wrong);
	growing = realloc(growing, 1000);
	printf("shrunk: %u\n", growing[249]);
	free(growing);
	/* many small blocks of mixed sizes */
	enum { COUNT = 20000 };
	static unsigned char *block[COUNT];
	static unsigned block_size[COUNT];
	unsigned state = 12345, bad = 0;
	for (int round = 0; round < 5; round++)
		for (int i = 0; i < COUNT; i++) {
			state = state * 1103515245 + 12345;
			if (block[i] && (state >> 16) % 2) {
				bad += block[i][0] != (unsigned char)i || block[i][block_size[i] - 1] != (unsigned char)i;
				free(block[i]);
				block[i] = NULL;
			} else if (!block[i]) {
				block_size[i] = 1 + (state >> 16) % 3000;
				block[i] = malloc(block_size[i]);
				memset(block[i], i, block_size[i]);
			}
		}
	printf("small blocks: %u bad\n", bad);
	unsigned char *clear = calloc(1, 10 << 20);
	size_t dirty = 0;
	for (size_t i = 0; i < 10 << 20; i++)
		dirty += clear[i];
	printf("calloc: %zu\n", dirty);
	volatile size_t absurd = (size_t)-1 / 4;
	errno = 0;
	check(malloc(absurd) == NULL && errno == ENOMEM);
	return 0;
}
