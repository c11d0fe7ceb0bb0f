/* Processors, interrupts, time, power: the rest of the arch contract. */
#ifndef ARCH_PROCESSOR_H
#define ARCH_PROCESSOR_H
#include "kernel/core/types.h"
struct thread;
struct processor {            /* per-processor data; this_processor() is one instruction */
	struct processor *self;
	struct thread *current;
	uint64_t kernel_stack;    /* top of the current thread's kernel stack */
	uint64_t scratch;
	struct thread *idle;
	struct thread *float_owner;
	uint32_t number;
	volatile uint32_t attention; /* 1: thread_return_to_user must run before going back to user mode */
	uint32_t lock_depth;
	uint32_t reserved;
	uint64_t saved[4];        /* the entry code's, for its first instructions */
	void *locks_held[16];
	uint64_t busy_since, switches, interrupts, faults, calls;
	void *arch;
	uint64_t counter_mark;    /* arch_counter() at the last switch of threads */
};
#include "arch/this_processor.h" /* static inline struct processor *this_processor(void) */
#if __STDC_HOSTED__
struct thread *thread_current(void);  /* unit tests have their own */
#else
static inline struct thread *thread_current(void) { return this_processor()->current; }
#endif

void arch_interrupts_enable(void);
void arch_interrupts_disable(void);
bool arch_interrupts_enabled(void);
void arch_wait_for_interrupt(void);         /* enables, halts until one came, disables */
void arch_timer_set(uint64_t when);         /* one-shot, absolute monotonic ns; UINT64_MAX: none */
uint64_t arch_time_now(void);               /* monotonic ns */
/* arch_counter(), inline in arch/this_processor.h: what arch_time_now is computed from */
uint64_t arch_counter_time(uint64_t counter); /* monotonic ns at that count */
uint64_t arch_counter_span(uint64_t counts); /* so many counts in ns */
void arch_time_page(struct time_page *page);/* fills multiplier, shift, bases */
uint64_t arch_realtime(void);               /* ns since 1970 from the board's clock, at boot */
int arch_interrupt_set(uint32_t number, bool enabled) must_check; /* mask or unmask a global interrupt; -EINVAL */
void arch_console_write(const char *text, size_t length);   /* polled, the serial port */
noreturn void arch_power(uint32_t action, uint32_t status);
noreturn void arch_halt(void);
bool arch_random_seed(uint64_t seed[4]);    /* hardware entropy if any; mixes the counter otherwise and returns false */
const char *arch_machine_name(void);        /* "x86_64" */
#if PROCESSORS_MAX > 1
/* Starts processors until `count` run or no more come: how many run. The others wait, each on its idle thread (scheduler_idle_create), for processors_running. */
unsigned arch_start_processors(unsigned count) must_check;
struct processor *arch_processor_data(unsigned number); /* of one that was started */
void arch_processor_poke(struct processor *processor);  /* an interrupt that makes it call scheduler_poked */
void arch_processors_poll(void);                        /* does what other processors ask; any context, any locks */
void arch_processors_halt(void);                        /* the end of the kernel: all others print where they are and stop, whatever they do */
#else
static inline void arch_processors_halt(void) { }
#endif
/* From now on trace_active() (arch/trace_point.h) is true, and system calls come by call_dispatch_traced. Before the first process runs. */
void arch_trace_begin(void);
#endif
