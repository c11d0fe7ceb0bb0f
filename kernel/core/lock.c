/*
 * Spin locks, in the kernel for several processors and with KERNEL_DEBUG, taken with one exchange. Whoever waits for one does meanwhile what other processors
 * ask (processors.h): the holder may wait for that.
 * With KERNEL_DEBUG each processor remembers what it holds, and taking a lock of a rank not above all held ones is a panic.
 */
#include "kernel/core/lock.h"
#include "arch/processor.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"

void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	*lock = (struct spinlock){ 0, (uint16_t)rank, -1, name };
}

#if defined(KERNEL_DEBUG) || PROCESSORS_MAX > 1
#ifdef KERNEL_DEBUG
static void held_add(struct spinlock *lock, bool second)
{
	struct processor *p = this_processor();
	for (unsigned i = 0; i < p->lock_depth; i++) {
		const struct spinlock *held = p->locks_held[i];
		if (held->rank > lock->rank || (held->rank == lock->rank && (!second || held > lock)))
			panic("lock %s (rank %u) taken while holding %s (rank %u)", lock->name, lock->rank, held->name, held->rank);
	}
	assert(p->lock_depth < array_count(p->locks_held));
	p->locks_held[p->lock_depth++] = lock;
}

static void held_remove(struct spinlock *lock)
{
	struct processor *p = this_processor();
	unsigned i = p->lock_depth;
	while (i > 0 && p->locks_held[i - 1] != lock)
		i--;
	if (!i)
		panic("lock %s released but not held", lock->name);
	for (p->lock_depth--; i <= p->lock_depth; i++)
		p->locks_held[i - 1] = p->locks_held[i];
}
#else
static inline void held_add(struct spinlock *lock, bool second) { (void)lock, (void)second; }
static inline void held_remove(struct spinlock *lock) { (void)lock; }
#endif

static void take(struct spinlock *lock)
{
	int16_t number = (int16_t)this_processor()->number;
	/* acquire: nothing of the critical section is done before the lock is held */
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
		/* Interrupts are off and holders do not sleep: on the same processor it can only be a second taking. */
		if (lock->processor == number)
			panic("lock %s taken twice", lock->name);
		while (lock->held)
			processors_poll();
	}
	lock->processor = number;
}

void spin_lock(struct spinlock *lock)
{
	held_add(lock, false);
	take(lock);
}

void spin_lock_second(struct spinlock *lock)
{
	held_add(lock, true);
	take(lock);
}

void spin_unlock(struct spinlock *lock)
{
	held_remove(lock);
	lock->processor = -1;
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

bool spin_held(const struct spinlock *lock)
{
	return lock->held && lock->processor == (int16_t)this_processor()->number;
}
#endif
