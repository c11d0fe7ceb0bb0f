/* libc makes no call that only riscv64 has: thread-local storage is a register that it sets itself. */
#include "abi/errors.h"
#include "user/start/internal.h"

int64_t native_call_port(uint64_t number, uint64_t a, uint64_t b)
{
	(void)number;
	(void)a;
	(void)b;
	return -ENOSYS;
}
