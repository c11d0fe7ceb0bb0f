/*
 * What the unit tests of kernel files stand on. It checks as it goes:
 * - locks: rank order, never taken twice, none held when memory is copied with faults, or objects die in the wrong place;
 * - pages: poisoned when free (address sanitizer), never freed while translated anywhere, references never below 0;
 * - heap: size at free as at allocation.
 * shim_pages_used() and shim_heap_used() count what is still allocated.
 * translations.c adds user memory reached through a space, objects.c objects without observers (or link kernel/obj/object.c), task.c processes
 * and host threads that sleep and wake.
 */
#ifndef HOST_SHIM_H
#define HOST_SHIM_H
#include "kernel/core/page.h"
#include "kernel/obj/object.h"
struct space;
extern _Thread_local int64_t shim_fail_in; /* the n-th next allocation of this thread (page or heap, 0: the next) fails once; < 0: none */
bool shim_fail_now(void);           /* for other things that can fail: does this one? */
extern bool shim_tables;            /* pages are page tables, which count no holders */
extern _Thread_local struct space *shim_space; /* this thread's user memory is that of this space */
extern _Thread_local unsigned shim_drop_chance;   /* copies with faults drop all translations of the space with chance 1 in n; 0: never */
uint64_t shim_pages_used(void), shim_heap_used(void);
uint64_t shim_random(void);
static inline uint64_t shim_below(uint64_t n) { return shim_random() % n; }
/*
 * Chance is repeatable: shim_rounds(n) tells how often to repeat (more with --full) and prints the seeds, shim_seed(round) starts a round; a
 * failed CHECK tells the seed. HOST_TEST_SEED is the first round's.
 */
unsigned shim_rounds(unsigned short_rounds);
void shim_seed(uint64_t round);
uint64_t shim_seed_now(void);
unsigned shim_locks_held(void);     /* by this thread */
const struct spinlock *shim_lock_above(unsigned rank); /* one of a higher rank that this thread holds, or NULL */
void shim_translated(physical_t frame, int change);    /* a translation of the frame came or went */
/* Runs function(0) .. function(count - 1) in host threads, each with its own sequence of chance, and waits for all. */
void task_parallel(unsigned count, void (*function)(unsigned number));
/* A lock of the test's own. */
void test_lock(void);
void test_unlock(void);
#define CHECK(condition) ((condition) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #condition))
#endif
