/* A check gives NULL, or the condition that did not hold. They run one after the other in one kernel thread, with interrupts disabled as ever. */
#ifndef ARCH_TEST_H
#define ARCH_TEST_H
#include "kernel/core/types.h"
#define MILLISECOND 1000000ul
#define expect(condition) do { if (!(condition)) return #condition; } while (0)

const char *test_time(void);       /* time.c */
const char *test_interrupts(void); /* interrupts.c */
const char *test_timer(void);
const char *test_copies(void);     /* space.c */
const char *test_protection(void);
const char *test_forgetting(void);
const char *test_spaces(void);
const char *test_switches(void);   /* threads.c */
const char *test_frames(void);     /* user.c */
const char *test_faults(void);
const char *test_registers(void);
const char *test_changes(void);
#endif
