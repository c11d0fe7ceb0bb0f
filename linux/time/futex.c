/* futex. The kernel's futexes do the work; this decodes Linux's operations and timeouts. WAKE_OP changes the word here, by compare and swap. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/x86_64/machine.h"

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET };
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
	if ((operation & CLOCK_REALTIME_FLAG) && command != WAIT_BITSET && command != WAIT)
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
	default:
		return -ENOSYS;
	}
}
