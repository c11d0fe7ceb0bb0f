/*
 * Threads. The scheduler's and the sleeper's fields belong to kernel/core (schedule.c, wait.c); the rest to kernel/obj and kernel/ipc.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H
#include "arch/thread.h"
#include "kernel/core/share.h"
#include "kernel/core/wait.h"
#include "kernel/obj/object.h"
#include "kernel/obj/usage.h"

enum thread_state { THREAD_NEW, THREAD_READY, THREAD_RUNNING, THREAD_SLEEPING, THREAD_SUSPENDED_STATE, THREAD_DEAD };
#define PRIORITY_DEFAULT 16u

struct process;
struct arch_space;
struct thread {
	struct object object;
	struct arch_thread arch;
	uint64_t number;              /* unique, never reused, never 0 */
	struct process *process;      /* NULL for kernel threads */
	struct list process_link;     /* process lock */

	/* scheduler lock */
	enum thread_state state;
	uint8_t priority;
	uint8_t processor;            /* where it runs, or ran last */
	struct turn turn;
	struct share_queue *queue;    /* where it waits for the processor: its budget's, of its priority */
	struct usage usage;
	uint64_t slice, slice_used;   /* nanoseconds of a slice; counts of processor time of the present one, kept while the thread does not run */

	/* wait.c: under the wait queue's lock */
	struct wait_queue *waiting_on;
	struct list wait_link;
	struct deadline wait_deadline;
	int wait_result;
	unsigned wait_how;

	/* attention: set by anyone (atomic), seen by thread_return_to_user and wait_on */
	volatile uint32_t interrupt_pending; /* a word, which every processor can exchange */
	volatile bool kill_pending, suspend_pending;
	bool parked;                  /* process lock: suspended on its way to user mode; its frame may be changed */
	bool nothing;                 /* false: entry code looks at these eight bytes as one */

	struct usage_told usage_told; /* process lock */

	/* kernel/ipc, kernel/obj: see port.c */
	void *ipc;                    /* struct thread_ipc, allocated with the thread */
	uint64_t call_number;         /* system call in progress, for ktrace and panics */
	bool call_routed;             /* it came by direct routing: high handle numbers in arrays are refused too */

	/* several processors: schedule.c */
	volatile bool on_stack;       /* a processor uses its kernel stack; cleared by whoever runs there next */
	bool woken;                   /* scheduler lock: it became ready before it gave its processor up */
	uint32_t processors;          /* scheduler lock: bits of those it may run on */
	uint32_t wakers;              /* wait.c; atomic: who looks at waiting_on without the queue's lock */
};
/* The translation of the thread's process, or NULL (kernel thread). */
struct arch_space *thread_arch_space(const struct thread *thread);
/* Where its process has its library, or NULL (kernel thread). */
const struct upcall_config *thread_upcall(const struct thread *thread);
#endif
