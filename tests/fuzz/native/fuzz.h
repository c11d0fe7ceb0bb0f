/*
 * The native part of the random calls: one program, started twice. As system/init it is the supervisor (main.c), which starts itself again as the child
 * (child.c), round after round, and looks at the system's figures between rounds. values.c makes the arguments.
 */
#ifndef FUZZ_H
#define FUZZ_H
#include <stdbool.h>
#include <stdint.h>
#include "abi/types.h"

#define THREADS 4            /* that make calls all through a round */
#define SLOTS 32             /* threads that those create, at most so many at once */
#define SCRATCH 0x2000000000ul /* the child's memory for random ranges */
#define SCRATCH_SIZE 0x100000ul

/* What child and supervisor share. */
struct shared {
	uint64_t seed;
	volatile uint64_t calls;
	volatile uint64_t counts[256], successes[256]; /* by call number */
};

struct random { uint64_t state; };
uint64_t random_next(struct random *random);
static inline uint64_t random_below(struct random *random, uint64_t n) { return random_next(random) % n; }
static inline bool chance(struct random *random, unsigned one_in) { return random_next(random) % one_in == 0; }

/* One thread's state. */
struct fuzz_thread {
	struct random random;
	struct shared *shared;
	uint64_t thread_number;
	uint64_t limit;              /* calls to make; 0: no limit */
	uint64_t reply;              /* number of a call received */
	uint8_t buffer[6][4096];     /* one for each argument */
};

/* values.c */
uint64_t value_any(struct random *random);
uint64_t value_handle(struct random *random);
/* Handles that calls made, by what the table's arguments call such a thing ("memobj", "sender"); value_made: mostly one of those. */
void value_note(const char *what, int64_t handle);
uint64_t value_made(struct random *random, const char *what);
uint64_t value_address(struct random *random);
/* Fills a buffer as that structure; what is not known gets random words. */
void value_structure(struct fuzz_thread *thread, const char *name, void *buffer, unsigned size);
uint64_t value_deadline(struct random *random);

/* exhaust.c: returns how many allocations were made to fail. */
unsigned exhaust_run(void);
/* self.c: channels sent into themselves leave nothing behind; how many. */
unsigned self_run(void);
/* meet.c: the same. */
unsigned meet_run(void);
/* main.c, for exhaust.c: ends the machine; figures; compares them (a dead process goes a moment later). */
_Noreturn void exhaust_fail(const char *name, const char *why, uint64_t number, int64_t figure);
struct system_info exhaust_figures(void);
void exhaust_settle(void); /* lets what was ended go */
void exhaust_compare(const char *name, uint64_t number, const struct system_info *before);

/* child.c */
int child_main(struct shared *shared);
int child_thread(void *slot);
extern void native_thread_entry(void);
/* Where a thread that is made at random may start, and the slot of its state as the argument; false: no more now. */
bool child_thread_start(struct fuzz_thread *thread, void *thread_start);
#endif
