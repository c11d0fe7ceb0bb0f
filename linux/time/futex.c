/*
 * futex. The kernel's futexes do the work; this decodes Linux's operations and timeouts. WAKE_OP and the PI operations change the word here, by
 * compare and swap. Locks with priority inheritance are plain locks: all programs run at one priority, so there is nothing to inherit.
 *
 * Requeueing to such a lock (old C libraries' condition variables): who waits on the first word takes the lock itself when it is woken, from
 * whichever word. Sleepers that are moved to the lock's word count as its waiters, so WAITERS is set there first; each sets it again when it takes
 * the lock, because more may sleep behind it.
 */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "machine.h"

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET, WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2 };
#define OWNER_MASK 0x3fffffffu
#define OWNER_DIED 0x40000000u
#define WAITERS 0x80000000u
#define PRIVATE_FLAG 128u
#define CLOCK_REALTIME_FLAG 256u
#define OPERATION_MASK 127u

static int64_t wait(struct linux_thread *t, uint64_t address, uint32_t value, uint64_t deadline, uint32_t bits, uint32_t options, bool relative)
{
	if (!bits)
		return -EINVAL;
	for (;;) {
		int64_t result = futex_wait(address, value, deadline, bits, options);
		if (result == -EINTR) {
			if (!interrupt_deliverable(t))
				continue;
			/* With a relative timeout Linux continues only where no handler ran. */
			return relative ? -(int64_t)LINUX_RESTART_NO_HANDLER : -EINTR;
		}
		return result < 0 ? result : 0;
	}
}

/* FUTEX_WAKE_OP: change the second word, then wake on it if the comparison holds for its old value. */
static int64_t wake_operation(uint64_t first, uint32_t wake_first, uint64_t second, uint32_t wake_second, uint32_t encoded, uint32_t options)
{
	uint32_t operation = encoded >> 28 & 7, comparison = encoded >> 24 & 15, old, new;
	int32_t operand = (int32_t)(encoded << 8) >> 20, compared = (int32_t)(encoded << 20) >> 20;
	bool holds;
	int result;
	if (encoded >> 31)
		operand = (int32_t)(1u << (operand & 31));
	if (operation > 4 || comparison > 5)
		return -ENOSYS;
	if (second & 3)
		return -EINVAL;
	if (!user_range(second, 4) || copy_load32((const uint32_t *)(uintptr_t)second, &old))
		return -EFAULT;
	do {
		uint32_t value = (uint32_t)operand;
		switch (operation) {
		case 0: new = value; break;
		case 1: new = old + value; break;
		case 2: new = old | value; break;
		case 3: new = old & ~value; break;
		default: new = old ^ value; break;
		}
		result = copy_exchange32((uint32_t *)(uintptr_t)second, &old, new);
		if (result < 0)
			return -EFAULT;
	} while (result);
	int32_t before = (int32_t)old;
	switch (comparison) {
	case 0: holds = before == compared; break;
	case 1: holds = before != compared; break;
	case 2: holds = before < compared; break;
	case 3: holds = before <= compared; break;
	case 4: holds = before > compared; break;
	default: holds = before >= compared; break;
	}
	int64_t woken = futex_wake(first, wake_first, FUTEX_ANY_BITS, options);
	if (woken >= 0 && holds) {
		int64_t more = futex_wake(second, wake_second, FUTEX_ANY_BITS, options);
		woken = more < 0 ? more : woken + more;
	}
	return woken;
}

/*
 * The word is the owner's thread id, with WAITERS while somebody may sleep. Who takes the lock after a sleep sets WAITERS, because it does not know
 * whether it was the only one; so an owner that sees the bit wakes one more, perhaps for nothing. others: WAITERS if it has slept already, else 0.
 */
static int64_t lock_inheriting(struct linux_thread *t, uint64_t address, uint64_t deadline, uint32_t options, bool try, uint32_t others)
{
	uint32_t value, taken = t->id | others;
	if (!user_range(address, 4) || copy_load32((const uint32_t *)(uintptr_t)address, &value))
		return -EFAULT;
	for (;;) {
		uint32_t owner = value & OWNER_MASK;
		int result;
		if (owner == t->id)
			return -EDEADLK;
		if (!owner) { /* free, or its owner died */
			result = copy_exchange32((uint32_t *)(uintptr_t)address, &value, taken | (value & (OWNER_DIED | WAITERS)));
			if (result <= 0)
				return result ? -EFAULT : 0;
			continue;
		}
		if (try)
			return -EAGAIN;
		if (!(value & WAITERS)) {
			result = copy_exchange32((uint32_t *)(uintptr_t)address, &value, value | WAITERS);
			if (result < 0)
				return -EFAULT;
			if (result)
				continue;
			value |= WAITERS;
		}
		int64_t slept = wait(t, address, value, deadline, FUTEX_ANY_BITS, options, false);
		if (slept < 0 && slept != -EAGAIN)
			return slept == -EINTR ? -(int64_t)LINUX_RESTART_ALWAYS : slept;
		taken = t->id | WAITERS;
		if (copy_load32((const uint32_t *)(uintptr_t)address, &value))
			return -EFAULT;
	}
}

static int64_t unlock_inheriting(struct linux_thread *t, uint64_t address, uint32_t options)
{
	uint32_t value;
	if (!user_range(address, 4) || copy_load32((const uint32_t *)(uintptr_t)address, &value))
		return -EFAULT;
	for (;;) {
		if ((value & OWNER_MASK) != t->id)
			return -EPERM;
		int result = copy_exchange32((uint32_t *)(uintptr_t)address, &value, 0);
		if (result < 0)
			return -EFAULT;
		if (!result)
			break;
	}
	int64_t woken = value & WAITERS ? futex_wake(address, 1, FUTEX_ANY_BITS, options) : 0;
	return woken < 0 ? woken : 0;
}

/* Sleeps on the first word; the lock at `target` is the caller's when this returns 0, and only then. */
static int64_t wait_for_lock(struct linux_thread *t, uint64_t address, uint32_t value, uint64_t deadline, uint64_t target, uint32_t options)
{
	if (address == target || target & 3)
		return -EINVAL;
	int64_t result = wait(t, address, value, deadline, FUTEX_ANY_BITS, options, false);
	if (result < 0)
		return result == -EINTR ? -(int64_t)LINUX_RESTART_ALWAYS : result;
	result = lock_inheriting(t, target, deadline, options, false, WAITERS);
	/* It cannot be restarted, the first word has done its part: the caller is told that nothing was locked, as by Linux. */
	return result == -(int64_t)LINUX_RESTART_ALWAYS ? -EAGAIN : result;
}

/* Wakes the first sleeper to take the lock, and moves at most `move` others to its word. */
static int64_t requeue_to_lock(uint64_t address, uint32_t wake, uint32_t move, uint64_t target, uint32_t expected, uint32_t options)
{
	uint32_t value;
	if (wake != 1 || address == target || target & 3)
		return -EINVAL;
	if (!user_range(target, 4) || copy_load32((const uint32_t *)(uintptr_t)target, &value))
		return -EFAULT;
	int64_t result = futex_requeue(address, 1, 0, target, expected, options | FUTEX_COMPARE);
	if (result < 1 || !move)
		return result;
	/* Before they sleep there; an owner that sees the bit too early wakes nobody. */
	while (!(value & WAITERS)) {
		int failed = copy_exchange32((uint32_t *)(uintptr_t)target, &value, value | WAITERS);
		if (failed < 0)
			return -EFAULT;
		if (!failed)
			break;
	}
	int64_t moved = futex_requeue(address, 0, move, target, 0, options);
	return moved < 0 ? moved : result + moved;
}

int64_t linux_futex(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t address = argument[0], deadline = DEADLINE_NEVER;
	uint32_t operation = (uint32_t)argument[1], value = (uint32_t)argument[2], bits = (uint32_t)argument[5];
	uint32_t command = operation & OPERATION_MASK, options = operation & PRIVATE_FLAG ? 0 : FUTEX_SHARED;
	int error = 0;
	if (address & 3)
		return -EINVAL;
	if (operation & ~(OPERATION_MASK | PRIVATE_FLAG | CLOCK_REALTIME_FLAG))
		return -ENOSYS;
	if ((operation & CLOCK_REALTIME_FLAG) && command != WAIT_BITSET && command != LOCK_PI2 && command != WAIT_REQUEUE_PI)
		return -ENOSYS;
	switch (command) {
	case WAIT:
		error = deadline_from_timespec(t, argument[3], &deadline);
		return error ? error : wait(t, address, value, deadline, FUTEX_ANY_BITS, options, argument[3] != 0);
	case WAIT_BITSET:
		if (argument[3])
			error = deadline_from_clock(t, argument[3], operation & CLOCK_REALTIME_FLAG ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC, &deadline);
		return error ? error : wait(t, address, value, deadline, bits, options, false);
	case WAKE:
		bits = FUTEX_ANY_BITS;
		/* fall through */
	case WAKE_BITSET:
		if (!bits)
			return -EINVAL;
		/* Linux wakes one even when asked for none. */
		return futex_wake(address, (int32_t)value < 1 ? 1 : value, bits, options);
	case REQUEUE:
	case CMP_REQUEUE:
		if ((int32_t)value < 0 || (int32_t)argument[3] < 0 || argument[4] & 3)
			return -EINVAL;
		return futex_requeue(address, value, (uint32_t)argument[3], argument[4], bits, options | (command == CMP_REQUEUE ? FUTEX_COMPARE : 0));
	case WAKE_OP:
		return wake_operation(address, value, argument[4], (uint32_t)argument[3], bits, options);
	case LOCK_PI:
	case LOCK_PI2:
		if (argument[3])
			error = deadline_from_clock(t, argument[3],
				command == LOCK_PI || (operation & CLOCK_REALTIME_FLAG) ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC, &deadline);
		return error ? error : lock_inheriting(t, address, deadline, options, false, 0);
	case TRYLOCK_PI:
		return lock_inheriting(t, address, DEADLINE_NEVER, options, true, 0);
	case WAIT_REQUEUE_PI:
		if (argument[3])
			error = deadline_from_clock(t, argument[3], operation & CLOCK_REALTIME_FLAG ? LINUX_CLOCK_REALTIME : LINUX_CLOCK_MONOTONIC, &deadline);
		return error ? error : wait_for_lock(t, address, value, deadline, argument[4], options);
	case CMP_REQUEUE_PI:
		if ((int32_t)argument[3] < 0)
			return -EINVAL;
		return requeue_to_lock(address, value, (uint32_t)argument[3], argument[4], bits, options);
	case UNLOCK_PI:
		return unlock_inheriting(t, address, options);
	default:
		return -ENOSYS;
	}
}
