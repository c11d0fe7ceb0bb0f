/*
 * Processes: references to a space, a handle table and a budget; threads; upcall configuration; the corpse that is left at the end.
 *
 *   created (no threads) --thread_create--> running <--suspend/resume--> suspended
 *        |                                     | process_end: status fixed, threads told to end
 *        +------------- process_end ---------->+--last thread gone--> corpse: handles closed, calls answered with EPIPE, watcher told;
 *                                                the space stays readable until the last reference goes
 *
 * Every thread holds a reference to its process. Lock: process->lock (RANK_PROCESS) unless a field says otherwise.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H
#include "kernel/obj/handle.h"
#include "kernel/obj/thread.h"
#include "kernel/ipc/port.h"

struct space;
struct budget;

/*
 * Directly routed calls: an immutable, shared table. A route is plain if the entry code of a port can take it without call_dispatch: its native call has
 * the handle first, or none, and takes the arguments as they are, at most the third guarded; or it has no handle, and the body sees to order and guards.
 */
struct plain_route {
	const void *body;            /* int64_t (const uint64_t argument[6], const struct plain_route *); NULL: the route is not plain */
	uint64_t mask, value;        /* third argument & mask == value */
	uint32_t first_most;         /* the low half of the first argument is at most that */
	uint32_t alternatives;       /* routes of this number, this one included */
	const struct route *route;
};
struct route_table {
	uint32_t references;         /* atomic */
	uint32_t count;
	struct route_table *before;  /* what it replaced, while another thread may use that; with a reference */
	uint16_t by_number[ROUTE_NUMBERS]; /* 1 + index of the first route of a number, 0: none */
	struct plain_route *plain;   /* by what by_number says, the one of 0 is not plain; behind the routes */
	struct route route[];        /* sorted by number; several with one number are tried in order */
};

/*
 * What the entry code of a port may decide by itself, without call_dispatch; derived from upcall and routes by call_gate_update. A call whose
 * next instruction lies in (native_start, native_end] is native; one at or below native_start whose number is `reflected` goes
 * to call_entry, as upcall_call does it; one whose first route in `routes` is plain and holds is that route's, to be ended by call_route_ended if it
 * is negative. Everything else, and whatever fails on the way, is call_dispatch's.
 */
struct call_gate {
	uint64_t native_start, native_end, call_entry;
	const struct route_table *routes; /* NULL: none that the entry code may take */
	bool reflected[ROUTE_NUMBERS];
};

struct process {
	struct object object;
	struct spinlock lock;
	struct list threads;
	uint32_t thread_count;
	bool ending;                 /* no new threads; threads are told to end */
	bool exec_pending;           /* one thread replaces the image and waits for the others to end */
	bool suspended;
	bool corpse;                 /* all threads gone and everything but the space released */
	uint32_t status;
	struct wait_queue changed;   /* threads ended, or suspension ended */

	/* changed by the process itself only (exec, process_unshare), when it has one thread; read by its threads without the lock */
	struct space *space;
	struct arch_space *arch_space; /* of space: for switches of threads */
	struct handles handles;      /* none of a corpse; under the lock for others than its threads */
	struct upcall_config upcall; /* image_start == image_end: none */
	struct route_table *routes;
	struct call_gate gate;

	struct budget *budget;       /* constant */
	struct list all_link;        /* process_list.c */
	volatile uint64_t badge;
	char name[16];               /* what the log and the trace call it; NUL-terminated, for people only */
	uint64_t start_time;
	struct usage usage;          /* of ended threads */
	struct usage_told usage_told;
	uint64_t faults;
	uint64_t fault_address, fault_instruction, fault_thread;
	uint32_t fault_cause;
	struct registers fault_registers;

	struct client *watcher;      /* told of the death */
	bool watching;               /* one watch in a process's life */
	uint64_t watch_word;
	struct notification watch_notification;

	struct reply_table replies;  /* its own lock */
	uint64_t fail_allocation;    /* kernel/debug/failure.h: the how many-th from now on fails; 0: none */
	uint64_t unknown_calls[8];   /* bits of native numbers already complained about */
};

/* A process without threads; takes its own references to space, handles and budget. */
struct process *process_create(struct space *space, const struct handles *handles, struct budget *budget) must_check;
static inline struct process *process_current(void) { return thread_current()->process; }
/* The space of the current process; not referenced (the thread keeps it). NULL for kernel threads. Its budget: budget.h. */
struct space *space_current(void);
/* Begins the end of a process: the first status given counts. Its threads end when they would return to user mode. -ESRCH: already a corpse. */
int process_end(struct process *process, uint32_t status);
/* The same for the current process. Returns; the calling thread ends in thread_return_to_user. */
void process_kill_current(uint32_t status);
/* The last thread has gone, or none ever ran and `corpse` was just set: releases all but the space and tells the watcher. No locks. */
void process_finish(struct process *process);
/* For exec: ends all threads but the calling one and waits for them. -EINTR: the process is ending, or another thread does the same. */
int process_end_other_threads(struct process *process) must_check;
/* One NOTIFY_DEATH with word to client's listener; at once for a corpse. -EBUSY: it has been watched before. */
int process_watch(struct process *process, struct client *client, uint64_t word) must_check;
int process_suspend(struct process *process) must_check;
int process_resume(struct process *process) must_check;
/* What it has used so far, ended threads included, and its time divided. The process's lock is not held. */
struct usage process_usage(struct process *process, uint64_t *user, uint64_t *system);
/* Is the address in a library of its own, that is, not in a program that is its own library? */
static inline bool process_in_library(const struct process *process, uint64_t address)
{
	return address >= LIBRARY_START && address >= process->upcall.image_start && address < process->upcall.image_end;
}
/* The thread with that number, referenced, or NULL. */
struct thread *process_find_thread(struct process *process, uint64_t number);
/* The handle tables with references of their own; -ESRCH: the process is a corpse. */
int process_handles_ref(struct process *process, struct handles *handles) must_check;
/* kernel/core/main.c: called for every process that has become a corpse; stops the machine if it is the first one. */
void kernel_first_process_died(struct process *process);
/* The function of the first process that address lies in, with the offset from its start; NULL: another process, or not known. kernel/core/main.c. */
const char *kernel_first_process_symbol(struct process *process, uint64_t address, uint64_t *offset);
void route_table_unref(struct route_table *routes);
static inline uint64_t route_table_size(uint64_t count)
{
	return sizeof(struct route_table) + count * sizeof(struct route) + (count + 1) * sizeof(struct plain_route);
}
uint32_t process_count(void), thread_count(void);

/* What a user thread is made of */
struct user_thread {
	struct thread thread;
	struct thread_ipc ipc;
};

/* Creates a user thread in process (state NEW, linked). The caller readies it with thread_start_running. NULL and *error. */
struct thread *thread_create(struct process *process, const struct thread_start *start, int *error) must_check;
void thread_start_running(struct thread *thread);
/* Ends the current thread; with the last thread the process becomes a corpse. */
noreturn void thread_exit_current(void);
/* Interrupts a thread: an upcall, or EINTR from an interruptible call. */
void thread_interrupt(struct thread *thread);
#endif
