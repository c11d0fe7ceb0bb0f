/*
 * What threads use of the processor. Time is measured at switches, exactly. How it is divided between a program and the system is sampled, because
 * reading a clock twice in each call would cost more than most calls: every 10 ms of a busy processor the running thread is looked at. It counts as in
 * the system when it is in its library, or when the interrupt had to wait for the end of a system call, in which interrupts are disabled.
 *
 * Faults and interrupts count as the program's time. Servers' work for a program is their own time.
 */
#ifndef KERNEL_USAGE_H
#define KERNEL_USAGE_H
#include "kernel/core/types.h"

struct usage {
	uint64_t run_time;             /* counts of arch_counter */
	uint32_t user_samples, system_samples;
	uint64_t page_faults;          /* resolved by giving a page */
	uint64_t waits, preemptions;   /* switches to others: of its own will (but for the short way of port.h), and not */
};
/* What was told of a thread's or process's times before, so that neither ever goes back. */
struct usage_told { uint64_t user, system; };

void usage_add(struct usage *sum, const struct usage *usage);
/* Divides the run time in proportion to the samples. What was told before changes: under a lock of its own. */
void usage_divide(const struct usage *usage, struct usage_told *told);
#endif
