/*
 * A lock of the library: one futex word, 0 free, 1 held, 2 held with sleepers. Not recursive. Never held across a return to the program.
 * A process killed while it holds one takes the lock with it, except where processes share a space: they share no lock.
 */
#ifndef LINUX_LOCK_H
#define LINUX_LOCK_H
#include <stdint.h>
struct linux_lock { uint32_t word; };

void lock_take_slow(struct linux_lock *lock);
void lock_release_slow(struct linux_lock *lock);
static inline void lock_take(struct linux_lock *lock)
{
	uint32_t expected = 0;
	if (!__atomic_compare_exchange_n(&lock->word, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		lock_take_slow(lock);
}
static inline void lock_release(struct linux_lock *lock)
{
	if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
		lock_release_slow(lock);
}
static inline void lock_reset(struct linux_lock *lock) { lock->word = 0; }
#endif
