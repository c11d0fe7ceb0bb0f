/* Where the direct map of all physical memory begins; for kernel/core/page.c only. */
#ifndef ARCH_DIRECT_MAP_H
#define ARCH_DIRECT_MAP_H
#include "arch/frame.h" /* DIRECT_BASE */
#endif
