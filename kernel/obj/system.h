/* The system as a whole: see system_call.c. */
#ifndef KERNEL_SYSTEM_H
#define KERNEL_SYSTEM_H
#include "kernel/obj/object.h"
#define CARILLON_VERSION "0.1"
/* Makes the clock page; after the page allocator and the clock work. 0 or -ENOMEM. */
int system_init(void) must_check;
/* A new resource object (authority over devices, interrupts, power, clock), or NULL. Only start-up makes one, for the first process. */
struct object *resource_create(void) must_check;
#endif
