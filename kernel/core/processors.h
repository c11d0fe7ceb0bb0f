/*
 * The processors of the machine. The kernel is built for one (PROCESSORS_MAX 1: every question below is answered when it is compiled, and locks are
 * nothing) and for several; a kernel for several may run on one all the same, and then takes its locks in vain.
 *
 * While a processor waits for another with interrupts disabled (a lock, a thread that leaves, an answer) it calls processors_poll, so that it still does
 * what others ask of it: else two could wait for each other.
 */
#ifndef KERNEL_PROCESSORS_H
#define KERNEL_PROCESSORS_H
#include "arch/processor.h"

#define processor_bit(number) (1u << (number))

#if PROCESSORS_MAX > 1
/* By number; those from processors_running on are NULL. Set before another than the first runs, for good. */
extern struct processor *processor_table[PROCESSORS_MAX];
extern unsigned processors_running;
static inline bool processors_several(void) { return processors_running > 1; }
static inline unsigned processor_number(void) { return this_processor()->number; }
static inline struct processor *processor_of(unsigned number) { return processor_table[number]; }
static inline void processors_poll(void) { arch_processors_poll(); }
#else
#define processors_running 1u
static inline bool processors_several(void) { return false; }
static inline unsigned processor_number(void) { return 0; }
static inline struct processor *processor_of(unsigned number) { (void)number; return this_processor(); }
static inline void processors_poll(void) { }
#endif
/* Starts as many processors as the machine has, up to `wanted`, before the first process. */
void processors_start(unsigned wanted);
#endif
