/* futex call by call: waits that do not sleep, wakes of nobody, waits with every kind of time, on private and shared words. */
#include "case.h"

enum { WAIT, WAKE, WAIT_BITSET = 9, WAKE_BITSET, PRIVATE = 128, REALTIME = 256 };

static uint32_t word = 5;

static void call(const char *what, void *address, int operation, uint32_t value, const struct timespec *time, uint32_t bits)
{
	long result = syscall(SYS_futex, address, operation, value, time, NULL, bits);
	printf("%s, %u, bits %x: %ld %s\n", what, value, bits, result, error_name(result < 0 ? errno : 0));
}

int main(void)
{
	static const struct { const char *name; int flags; } kinds[] = { { "private", PRIVATE }, { "shared", 0 } };
	const struct timespec soon = { 0, 1000 }, bad = { 0, 1000000000 };
	for (unsigned i = 0; i < 2; i++) {
		int flags = kinds[i].flags;
		puts(kinds[i].name);
		static const uint32_t counts[] = { 0, 1, 2, INT32_MAX, (uint32_t)INT32_MAX + 1, UINT32_MAX };
		for (unsigned c = 0; c < sizeof counts / sizeof *counts; c++) {
			call("wake", &word, WAKE | flags, counts[c], NULL, 0);
			call("wake of bits", &word, WAKE_BITSET | flags, counts[c], NULL, 3);
		}
		call("wake of no bits", &word, WAKE_BITSET | flags, 1, NULL, 0);
		call("wait", &word, WAIT | flags, 4, NULL, 0);
		call("wait with a time", &word, WAIT | flags, 4, &soon, 0);
		call("wait that ends", &word, WAIT | flags, 5, &soon, 0);
		call("wait with a bad time", &word, WAIT | flags, 5, &bad, 0);
		call("wait for bits", &word, WAIT_BITSET | flags, 4, NULL, UINT32_MAX);
		call("wait for bits by the other clock", &word, WAIT_BITSET | REALTIME | flags, 4, NULL, 1);
		call("wait for bits that ended long ago", &word, WAIT_BITSET | flags, 5, &soon, 1);
		call("wait for no bits", &word, WAIT_BITSET | flags, 4, NULL, 0);
		call("wait by the other clock", &word, WAIT | REALTIME | flags, 4, NULL, 0);
		call("wake at an odd address", (char *)&word + 1, WAKE | flags, 1, NULL, 0);
		call("wait at an odd address", (char *)&word + 1, WAIT | flags, 5, NULL, 0);
		call("wake at no address", NULL, WAKE | flags, 1, NULL, 0);
		call("wait at no address", NULL, WAIT | flags, 0, NULL, 0);
		call("wait at no user's address", (void *)0xffff800000000000, WAIT | flags, 0, NULL, 0);
		call("no operation", &word, 100 | flags, 0, NULL, 0);
	}
	return 0;
}
