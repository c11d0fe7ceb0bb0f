/* Floating-point and vector state: what the ports' code calls of float.c. Not for portable code. */
#ifndef FLOAT_H
#define FLOAT_H
#include "kernel/core/types.h"
struct thread;
/* The current thread uses the unit, which is off: it gets it, with its state. False: no memory for the area. */
bool float_take(void) must_check;
/* The thread's state is not wanted any more (it ends or begins a new program); frees the area. */
void float_forget(struct thread *thread);
/* The thread gives up the processor, and may go on on another one. */
void float_leave(struct thread *thread);
/* Called by the context switch. */
void float_switch(struct thread *to);
#endif
