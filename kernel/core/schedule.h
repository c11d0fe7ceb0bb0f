/* Private between schedule.c, wait.c and deadline.c. */
#ifndef KERNEL_SCHEDULE_H
#define KERNEL_SCHEDULE_H
#include "kernel/core/share.h"
#define SAMPLE_NANOSECONDS 10000000ul
struct arch_frame;
/* The timer must fire at `when` at the latest; cheap when it is set to fire earlier already. */
void timer_request(uint64_t when);
/* Each processor's, by number: */
/* The running thread's time slice ends at this time (UINT64_MAX: nobody waits for it). */
extern uint64_t quantum_end[PROCESSORS_MAX];
/* When scheduler_sample is due (UINT64_MAX: not). It looks at the running thread, whose frame that is, and sets it anew. Interrupt context. */
extern uint64_t sample_at[PROCESSORS_MAX];
void scheduler_sample(const struct arch_frame *frame, uint64_t now);
/*
 * For ports that switch by themselves (port.h), which they do only while one processor runs: bit n: a thread of priority n is ready; the thread that woke last
 * (of the first processor: the array's first), to be forgotten.
 */
struct thread;
extern uint32_t scheduler_ready;
extern struct thread *scheduler_woken[PROCESSORS_MAX];
/* Interrupt context: the slice ended. */
void scheduler_quantum_ended(void);
#endif
