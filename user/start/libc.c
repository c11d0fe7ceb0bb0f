/*
 * musl's way into whatever implements Linux for this program (user/musl/README): the Linux library where it is linked and has been started, else
 * the small layer of call.c. The reference is weak, so a program that does not use the library does not get it (docs/decisions/0001).
 */
#include "carillon/linux.h"
#include "user/start/internal.h"

__attribute__((weak)) int64_t linux_native_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
__attribute__((weak)) int64_t linux_native_start(struct process_record *record);

static bool library_started;

int library_start(struct process_record *record)
{
	if (!linux_native_start || record->process_port == HANDLE_NONE)
		return 0;
	int error = (int)linux_native_start(record);
	library_started = !error;
	return error;
}

long __carillon_call(long number, long a, long b, long c, long d, long e, long f)
{
	if (library_started)
		return linux_native_call((uint64_t)number, (uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e, (uint64_t)f);
	return native_call((uint64_t)number, (uint64_t)a, (uint64_t)b, (uint64_t)c, (uint64_t)d, (uint64_t)e, (uint64_t)f);
}
