/*
 * Kernel stacks, for the ports' thread.c: KERNEL_STACK_SIZE bytes of the direct map. The frame of user mode is at its top; a thread that does not
 * run has its callee-saved registers (the port's struct switch_frame) where arch.stack_pointer says. Not for portable code.
 */
#ifndef KERNEL_STACK_H
#define KERNEL_STACK_H
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

#define KERNEL_STACK_MARK 0x5afe57ac5afe57acul /* lowest word of a stack; overwritten: it overflowed */

int kernel_stack_allocate(struct thread *thread) must_check; /* 0 or -ENOMEM */
static inline void kernel_stack_check(const struct thread *thread)
{
	if (thread->arch.stack_base && *(uint64_t *)thread->arch.stack_base != KERNEL_STACK_MARK)
		panic("kernel stack overflow of thread %lu", thread->number);
}
#endif
