/* printf's language, as far as the kernel speaks it: %d %i %u %x %X %p %s %c %% with l ll z, width, precision of strings, 0 - # +. */
#ifndef KERNEL_FORMAT_H
#define KERNEL_FORMAT_H
#include <stdarg.h>
#include "kernel/core/types.h"
/* Writes at most size bytes, the terminating NUL included; returns the length the whole text would have. */
int format_arguments(char *buffer, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));
#endif
