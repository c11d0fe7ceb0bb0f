/*
 * A call that is a cancellation point. A cancellation that arrives after the test but before the call blocks is acted upon at the
 * next cancellation point, or when its signal interrupts the call: pthread_cancel.c compares the interrupted instruction with
 * the labels below, and never finds it between them.
 */
#include "pthread_impl.h"
#include "syscall.h"

hidden long __cancel(void);
hidden long __syscall_cp_asm(volatile void *, syscall_arg_t, syscall_arg_t, syscall_arg_t, syscall_arg_t, syscall_arg_t, syscall_arg_t,
	syscall_arg_t);

hidden extern const char __cp_begin[1], __cp_end[1], __cp_cancel[1];
const char __cp_begin[1], __cp_end[1], __cp_cancel[1];

long __syscall_cp_asm(volatile void *cancel, syscall_arg_t number, syscall_arg_t a, syscall_arg_t b, syscall_arg_t c, syscall_arg_t d,
	syscall_arg_t e, syscall_arg_t f)
{
	if (*(volatile int *)cancel)
		return __cancel();
	return __syscall(number, a, b, c, d, e, f);
}
