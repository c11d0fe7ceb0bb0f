/* Futexes: see futex.c. */
#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H
#include "kernel/core/types.h"
void futex_init(void);
/* Wakes up to count sleepers on the word at address of the current space whose bits match. How many, or -EFAULT. No locks held; never sleeps. */
int64_t futex_wake_address(user_t address, uint32_t count, uint32_t bits, uint32_t options);
#endif
