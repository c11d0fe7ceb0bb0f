/* Self checks on the real machine, for every port: run instead of the first process when the command line has the word `check`. */
#ifndef KERNEL_CHECK_H
#define KERNEL_CHECK_H
#include "kernel/core/types.h"
/* A kernel thread's function: prints one line for each check and powers off, status 0 if all passed, else 1. Only the kernel that checks itself has it. */
__attribute__((weak)) void check_run(void *argument);
#endif
