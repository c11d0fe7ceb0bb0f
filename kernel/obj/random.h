/* Random bytes: see random.c. */
#ifndef KERNEL_RANDOM_H
#define KERNEL_RANDOM_H
#include "kernel/core/types.h"
void random_init(void);
/* Fills at most 4096 bytes. Never blocks. */
void random_fill(void *buffer, size_t length);
#endif
