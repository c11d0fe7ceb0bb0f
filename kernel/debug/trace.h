/*
 * ktrace: what the kernel does, recorded (abi/trace.h) when the command line asks for it.
 *
 * A trace point costs one instruction that does nothing while there is no trace: trace_active() is a place in the code that the port makes into a
 * jump when a trace begins, which is before the first process and for good. System calls cost nothing at all: their entry is turned to
 * call_dispatch_traced instead. A point where
 * paths meet keeps the compiler from taking them apart: put it on one of them (decision 0051 has figures).
 */
#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H
#include "abi/trace.h"
#include "arch/trace_point.h" /* static inline bool trace_active(void); trace_call(event, a, b, c, d, e, f) */
#include "kernel/core/types.h"

struct thread;
struct process;
/* Begins the trace of so many processors in [start, start + size), memory that nothing else uses. False: it is too small. */
bool trace_start(physical_t start, uint64_t size, unsigned processors) must_check;
/* Writes a record for the current thread; only when trace_active(). Any context, any locks. */
__attribute__((cold)) void trace_record(enum trace_event event, uint16_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);

/* A trace point. What the arguments cost is paid only when there is a trace. */
#define trace(event, a, b, c, d, e, f) \
	do { \
		if (__builtin_expect(trace_active(), false)) \
			trace_call(event, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)); \
	} while (0)

/* A process is there, or goes by another name or badge. */
void trace_process(struct process *process);
#endif
