/* The slow halves of the library's locks (lock.h). */
#include "linux/linux.h"

void lock_take_slow(struct linux_lock *lock)
{
	while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE)) {
		int64_t result = futex_wait((uint64_t)(uintptr_t)&lock->word, 2, DEADLINE_NEVER, FUTEX_ANY_BITS, 0);
		/* A pending interrupt would make every wait return at once: forget it in the kernel; block.pending remembers it. */
		if (result == -EINTR)
			(void)thread_clear_interrupt();
	}
}

void lock_release_slow(struct linux_lock *lock)
{
	(void)futex_wake((uint64_t)(uintptr_t)&lock->word, 1, FUTEX_ANY_BITS, 0);
}
