/* Basic types and helpers of the kernel. */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>
#include "abi/types.h"
#include "abi/errors.h" /* generated from abi/errors.tbl */
#include "arch/user_top.h" /* USER_TOP, where user addresses end: at most USER_TOP_MAX */

/* Processors that the kernel is built for (Makefile): kernel/core/processors.h. */
#ifndef PROCESSORS_MAX
#define PROCESSORS_MAX 1u
#endif

typedef uint64_t physical_t;  /* a physical address */
typedef uint64_t user_t;      /* an address in user space: never dereferenced, only passed to copy functions */

#define container_of(pointer, type, member) ((type *)((char *)(pointer) - offsetof(type, member)))
#define array_count(a) (sizeof(a) / sizeof((a)[0]))
#define align_up(x, a) (((x) + (a) - 1) & ~((__typeof__(x))(a) - 1))
#define align_down(x, a) ((x) & ~((__typeof__(x))(a) - 1))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define must_check __attribute__((warn_unused_result))
#define noreturn __attribute__((noreturn))
#endif
