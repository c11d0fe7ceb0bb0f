/*
 * Starts function(argument) on another stack, in a new thread or process as flags say. As a function call clone cannot return
 * twice, so the whole request goes to the library, which starts the thread at function by itself.
 */
#include <stdarg.h>
#include "pthread_impl.h"

int __carillon_clone(int (*function)(void *), void *stack, int flags, void *argument, int *parent_tid, void *tls, int *child_tid);

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	va_list list;
	va_start(list, argument);
	int *parent_tid = va_arg(list, int *);
	void *tls = va_arg(list, void *);
	int *child_tid = va_arg(list, int *);
	va_end(list);
	return __carillon_clone(function, stack, flags, argument, parent_tid, tls, child_tid);
}
