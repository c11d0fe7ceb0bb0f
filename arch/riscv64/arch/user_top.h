/* Where user addresses end: the processor's translation says it (mmu.c), before anything of user space exists. */
#ifndef ARCH_USER_TOP_H
#define ARCH_USER_TOP_H
extern uint64_t user_top;
#define USER_TOP user_top
#endif
