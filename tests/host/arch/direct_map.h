/* Physical memory is what the test says (kernel/core/page_test.c). */
#ifndef ARCH_DIRECT_MAP_H
#define ARCH_DIRECT_MAP_H
extern uint64_t host_direct_base;
#define DIRECT_BASE host_direct_base
#endif
