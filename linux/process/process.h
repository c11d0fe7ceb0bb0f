/*
 * Processes and threads inside the personality: what process/, mm/, signal/ and time/ share with each other but not with linux/fd and linux/fs.
 *
 * Life of a thread's memory: one mapping [library stack | struct linux_thread | queued signals], made by thread_create_memory, unmapped by the kernel
 * when the thread exits (thread_exit), by the parent for a vfork child, and left behind with the whole space by exec and exit.
 */
#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H
#include "linux/linux.h"

#define LIBRARY_STACK (64ul << 10)
/* Addresses that exec and spawn choose in a new space */
#define START_STACK_BASE LIBRARY_PRIVATE                   /* library stack, then the first thread's structure */
#define START_THREAD (START_STACK_BASE + LIBRARY_STACK)
#define THREAD_MEMORY_SIZE 4096ul                          /* struct linux_thread, rounded up */
#define THREAD_QUEUE_SIZE 4096ul                           /* then t->queued */
#define START_MEMORY (LIBRARY_STACK + THREAD_MEMORY_SIZE + THREAD_QUEUE_SIZE)
_Static_assert(sizeof(struct linux_thread) <= THREAD_MEMORY_SIZE && sizeof(struct linux_siginfo) * 32 == THREAD_QUEUE_SIZE, "thread memory");
#define PROGRAM_STACK_SIZE (8ul << 20)                     /* RLIMIT_STACK of the first program */
#define THREAD_ID_BASE (1u << 22)
#define THREAD_ID_ROOM (1u << 16)

/* A new thread's memory with self, stack, process and queued set; NULL: no memory. Not yet in the process's list. */
struct linux_thread *thread_memory_create(struct linux_process *owner);
void thread_memory_free(struct linux_thread *thread);
/* List and id. process->lock is taken. 0 or -EAGAIN. */
int thread_add(struct linux_process *p, struct linux_thread *thread);
void thread_remove(struct linux_process *p, struct linux_thread *thread);
/* A process as a descriptor names it. */
struct process_name { uint32_t pid, serial; bool non_blocking; };
/* A new descriptor of a process, close-on-exec. flags: O_NONBLOCK. */
int64_t process_descriptor_create(struct linux_thread *t, uint32_t pid, uint32_t flags);
/* 0 or -EBADF: it is no descriptor of a process. */
int64_t process_descriptor(int fd, struct process_name *name);
/* Has this process a thread of that id? */
bool thread_exists(struct linux_thread *t, uint32_t id);
/* Another process has changed these limits (mask) of this one. */
void limits_changed(struct linux_thread *t, uint64_t resources);
/* What the kernel tells of a thread of this process by its number: 0, -ESRCH or -ENOMEM. */
int64_t thread_find(struct linux_thread *t, uint64_t number, struct thread_info *info);
/* What is done for a thread's robust list and clear_tid word when it ends. */
void thread_end_words(struct linux_thread *t, bool wake_tid);

void allocate_release(struct linux_process *p);
/* Fills a fresh struct linux_process from a record that is mapped in this space. */
int process_start(struct linux_process *p, struct linux_thread *t, struct process_record *record);
/* End the process with a Linux wait status. */
_Noreturn void process_end(struct linux_thread *t, uint32_t status);

/* The C side of entry.S */
bool linux_enter_call(struct linux_thread *t, const uint64_t argument[6]);
void linux_enter_exception(struct linux_thread *t);
void linux_enter_interrupt(struct linux_thread *t);
void linux_start(struct linux_thread *t, uint64_t entry, uint64_t stack);
void linux_thread_begin(struct linux_thread *t);
void linux_fork_begin(struct linux_thread *t);

/* One line a process and call in the kernel log. */
void call_note_absent(struct linux_thread *t, uint32_t number);
int64_t linux_absent(struct linux_thread *t, const uint64_t argument[6]);
/* The call of a name in the table, NULL beyond it. */
const char *call_name(uint32_t number);

/* routes.c: registers the direct routes of this process. */
void routes_set(struct linux_process *p);
#endif
