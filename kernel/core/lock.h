/*
 * Spin locks, each with a rank: a processor takes locks in increasing rank only (checked when KERNEL_DEBUG is set).
 * The kernel runs with interrupts disabled except in the idle loop, so a lock is never contended by an interrupt on the same
 * processor. Nobody sleeps or touches user memory while holding one: see docs/locking.md for the order.
 *
 * On one processor a lock is free whenever it is taken, so the kernel that is built for one (PROCESSORS_MAX 1, without KERNEL_DEBUG) leaves only what keeps
 * the compiler from moving memory accesses across. The kernel for several takes them; the one with KERNEL_DEBUG, which tests run, checks the order too.
 */
#ifndef KERNEL_LOCK_H
#define KERNEL_LOCK_H
#include "kernel/core/types.h"

enum lock_rank {
	RANK_NONE,
	RANK_PROCESS,     /* process: threads, state */
	RANK_HANDLES,     /* handle table */
	RANK_SPACE,       /* address space map */
	RANK_DESCRIPTION,
	RANK_LISTENER,    /* ports: listener queue, clients, replies */
	RANK_CHANNEL,
	RANK_OBSERVERS,   /* an object's observer list */
	RANK_WAITSET,     /* which waitsets contain which */
	RANK_EVENT,       /* a waitset's entries; event, timer, interrupt objects */
	RANK_MEMOBJ,
	RANK_FAMILY,      /* who maps which memory object (kernel/vm/family.c) */
	RANK_ARCH_SPACE,  /* page tables */
	RANK_FUTEX,
	RANK_BUDGET,
	RANK_WAIT,        /* wait queues */
	RANK_TIMERS,
	RANK_SCHEDULER,   /* run queues */
	RANK_HEAP,
	RANK_PAGES,
	RANK_BOARD,       /* registers of the interrupt controller */
	RANK_LOG,
	RANK_COUNT,
};

struct spinlock {
	volatile uint32_t held;
	uint16_t rank;
	int16_t processor; /* holder, -1 none */
	const char *name;
};
#define SPINLOCK_INIT(name_, rank_) { 0, rank_, -1, name_ }
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank);
#if defined(KERNEL_DEBUG) || PROCESSORS_MAX > 1
void spin_lock(struct spinlock *lock);
/* For two locks of one rank: take the one with the lower address first, the other with this. */
void spin_lock_second(struct spinlock *lock);
void spin_unlock(struct spinlock *lock);
bool spin_held(const struct spinlock *lock); /* by this processor */
#else
static inline void spin_lock(struct spinlock *lock) { (void)lock; __asm__ volatile("" ::: "memory"); }
static inline void spin_lock_second(struct spinlock *lock) { spin_lock(lock); }
static inline void spin_unlock(struct spinlock *lock) { spin_lock(lock); }
static inline bool spin_held(const struct spinlock *lock) { (void)lock; return false; }
#endif
#endif
