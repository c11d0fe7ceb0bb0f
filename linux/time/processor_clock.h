/*
 * Clocks of processor time: the two fixed ones, and those made of a process's or thread's id, ~id << 3 | 4 for a thread | which: 0 and 2 user and
 * system time, 1 user time.
 */
#ifndef LINUX_PROCESSOR_CLOCK_H
#define LINUX_PROCESSOR_CLOCK_H
#include "linux/linux.h"

struct processor_clock {
	bool thread, user;  /* of a thread of this process; user time only */
	uint32_t id;        /* 0: the caller's */
	uint64_t number;    /* of a thread of this process: the kernel's */
};
/* 0, or -EINVAL: no such clock, or nobody of that id. Threads are found in the caller's process only. for_value: the caller's thread id names its process too. */
int processor_clock(struct linux_thread *t, int clock, bool for_value, struct processor_clock *found);
/* Nanoseconds. 0, or -EINVAL: it has ended. */
int processor_clock_value(struct linux_thread *t, const struct processor_clock *clock, uint64_t *value);
#endif
