/*
 * Processes and threads for the tests of kernel files above memory: a host thread becomes a thread of a process by task_start and may then run
 * what system calls run. Sleeping and waking (kernel/core/wait.h) are real, between host threads.
 *
 * User memory is the test's own memory, so the sanitizers see every copy. Addresses below USER_BOTTOM and from USER_TOP are bad. With
 * task_absent_chance n, one in n copies that must not fault finds its page missing, and space_fault makes it present; one in n of the others sleeps
 * a while.
 */
#ifndef HOST_TASK_H
#define HOST_TASK_H
#include "kernel/obj/process.h"

/* A process with an empty handle table, a space and a budget to which handles can be made but nothing is charged. */
struct process *task_process(void);
void task_process_free(struct process *process);
/* The calling host thread runs as a thread of the process from now on, until task_end. */
void task_start(struct process *process);
void task_end(void);
/* As thread_interrupt: ends an interruptible wait of the thread, or its next one; task_calm forgets a pending one of the calling thread. */
void task_interrupt(struct thread *thread);
bool task_calm(void);
bool task_sleeps(struct thread *thread);
/*
 * task_parallel as threads of the process, with that task_absent_chance. With interrupts one more interrupts them at random while any of them runs; without, a lost
 * wake-up is a hang.
 */
void task_threads(struct process *process, unsigned count, unsigned absent_chance, bool interrupts, void (*function)(unsigned number));
extern _Thread_local unsigned task_absent_chance;
extern _Thread_local unsigned task_present_next; /* so many copies after a fault find their pages; 0: by chance */
static inline uint64_t user_of(const void *pointer) { return (uint64_t)pointer; }
#endif
