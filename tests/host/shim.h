/*
 * What the unit tests of kernel files stand on. It checks as it goes:
 * - locks: rank order, never taken twice, none held when memory is copied with faults, or objects die in the wrong place;
 * - pages: poisoned when free (address sanitizer), never freed while translated anywhere, references never below 0;
 * - heap: size at free as at allocation.
 * shim_leaks() counts what is still allocated.
 */
#ifndef HOST_SHIM_H
#define HOST_SHIM_H
#include "kernel/core/page.h"
#include "kernel/obj/object.h"
struct space;
extern int64_t shim_fail_in;        /* the n-th next allocation (page or heap, 0: the next) fails once; < 0: none */
extern struct space *shim_space;    /* user memory is that of this space */
extern unsigned shim_drop_chance;   /* copies with faults drop all translations of the space with chance 1 in n; 0: never */
uint64_t shim_pages_used(void), shim_heap_used(void);
uint64_t shim_random(void);
static inline uint64_t shim_below(uint64_t n) { return shim_random() % n; }
void shim_seed(uint64_t seed);
#define CHECK(condition) ((condition) ? (void)0 : panic("%s:%d: %s", __FILE__, __LINE__, #condition))
#endif
