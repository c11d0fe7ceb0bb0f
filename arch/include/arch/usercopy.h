/* The only way to user memory of the current thread. They may sleep (faults). 0 or -EFAULT (part may have been copied). No locks held. */
#ifndef ARCH_USERCOPY_H
#define ARCH_USERCOPY_H
#include "kernel/core/types.h"
int copy_from_user(void *target, user_t source, size_t length) must_check;
int copy_to_user(user_t target, const void *source, size_t length) must_check;
/* Like these but fail with -EFAULT instead of resolving a fault: usable under locks. */
int copy_from_user_present(void *target, user_t source, size_t length) must_check;
int copy_to_user_present(user_t target, const void *source, size_t length) must_check;
/* Atomic compare-and-read of an aligned user word, present pages only (futexes): 0 and *value, or -EFAULT. */
int user_load32_present(user_t address, uint32_t *value) must_check;
int user_store32(user_t address, uint32_t value) must_check;
#endif
