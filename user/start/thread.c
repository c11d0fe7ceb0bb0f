/*
 * Threads and futexes of programs without a Linux library. musl's pthread_create comes here through __carillon_clone. Such threads take no
 * signals and have no thread block; when they end, the kernel clears the word musl waits on (its thread list lock) by itself.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <time.h>
#include "abi/errors.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "user/start/internal.h"

void native_thread_entry(void);

/* the same for all threads: musl gives the address of its thread list lock for each of them */
static int *clear_word;

int __carillon_clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent_tid, void *tls, int *child_tid)
{
	const int needed = CLONE_VM | CLONE_FILES | CLONE_THREAD | CLONE_SETTLS;
	if ((flags & needed) != needed)
		return -ENOSYS; /* a process: the Linux library's work */
	clear_word = child_tid;
	struct thread_start start = {
		.entry = (uint64_t)native_thread_entry,
		.stack = (uint64_t)stack & ~15ul,
		.argument = { (uint64_t)function, (uint64_t)argument },
		.tls = (uint64_t)tls,
	};
	/* the new thread does not read *parent_tid before musl's thread list lock is released, which the caller holds */
	int64_t number = thread_create(HANDLE_SELF_PROCESS, &start);
	if (number < 0)
		return (int)number;
	if (flags & CLONE_PARENT_SETTID)
		*parent_tid = (int)number;
	return (int)number;
}

_Noreturn void native_thread_finish(int status)
{
	(void)status;
	for (;;)
		thread_exit((uint64_t)clear_word, 0, 0);
}

_Noreturn void __carillon_unmap_self(void *base, size_t size)
{
	for (;;)
		thread_exit((uint64_t)clear_word, (uint64_t)base, size);
}

#define OPERATION_WAIT 0
#define OPERATION_WAKE 1
#define OPERATION_REQUEUE 3
#define OPERATION_COMPARE_REQUEUE 4
#define OPERATION_WAIT_BITS 9
#define OPERATION_PRIVATE 128
#define OPERATION_REALTIME 256

int64_t thread_futex(uint64_t address, uint64_t operation, uint64_t value, uint64_t timeout, uint64_t target, uint64_t value3)
{
	uint32_t options = operation & OPERATION_PRIVATE ? 0 : FUTEX_SHARED;
	unsigned command = operation & 127;
	switch (command) {
	case OPERATION_WAIT:
	case OPERATION_WAIT_BITS: {
		uint64_t deadline = DEADLINE_NEVER;
		const struct timespec *time = (const struct timespec *)timeout;
		if (time) {
			deadline = (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
			uint64_t now = (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
			if (command == OPERATION_WAIT) {
				deadline += now;
			} else if (operation & OPERATION_REALTIME) {
				uint64_t real = (uint64_t)clock_get(CLOCK_REALTIME_ID);
				deadline = deadline > real ? now + (deadline - real) : now;
			}
		}
		return futex_wait(address, (uint32_t)value, deadline, command == OPERATION_WAIT ? FUTEX_ANY_BITS : (uint32_t)value3, options);
	}
	case OPERATION_WAKE:
		return futex_wake(address, (uint32_t)value, FUTEX_ANY_BITS, options);
	case OPERATION_REQUEUE:
		return futex_requeue(address, (uint32_t)value, (uint32_t)timeout, target, 0, options);
	case OPERATION_COMPARE_REQUEUE:
		return futex_requeue(address, (uint32_t)value, (uint32_t)timeout, target, (uint32_t)value3, options | FUTEX_COMPARE);
	}
	return -ENOSYS;
}
