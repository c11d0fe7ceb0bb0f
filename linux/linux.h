/*
 * The Linux personality: what its parts share.
 *
 * The library has no global variables. Everything hangs off struct linux_thread, which begins with the kernel's struct thread_block and is
 * found through a register of its own (processor_block: gs on x86_64, gp on riscv64); struct linux_process is reached from it. Two processes may share one address space (vfork), each
 * with its own struct linux_process; so nothing may be keyed by address alone.
 *
 * Rules for a function behind a Linux call (linux_call):
 *  - user memory is reached by user_read, user_write, user_string only, or by handing the address to a native call;
 *  - linux/calls.tbl names it: linux_NAME of the Linux call; prototypes and the dispatch table are generated from there;
 *  - argument values are 64-bit and unchecked; int arguments are to be truncated by the callee ((int)argument[0]);
 *  - a native call that returns -EINTR: when interrupt_deliverable(t) is true return -EINTR at once (linux/calls.tbl says whether the
 *    dispatcher restarts the call), else call again. wait_again(t, result) says both in one;
 *  - -EPIPE raises SIGPIPE only where the function calls signal_raise; see linux/signal/signal.h.
 * Locks: process->lock (threads, heap bounds, limits, allocator) is a leaf except that process->signal_lock may not be held with it.
 * process->fork_lock is outermost (fork, vfork, clone, exec). Locks of user/ns and of linux/fd lie between the two.
 */
#ifndef LINUX_LINUX_H
#define LINUX_LINUX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/errors.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "abi/types.h"
#include "carillon/calls.h"
#include "carillon/process_protocol.h"
#include "carillon/record.h"
#include "linux/base/base.h"
#include "linux/base/lock.h"
#include "layout.h"
#include "linux/constants.h"
#include "processor.h"

struct linux_thread;
struct linux_process;
struct linux_fs;    /* working directory and mounts: user/ns */
struct linux_files; /* descriptors' library-side state: linux/fd; may stay NULL */

#define LINUX_SIZE_CLASSES 13 /* 16 bytes .. 64 KiB */
#define LINUX_TIMERS 1024     /* POSIX timers of a process */
#define LINUX_NOTED_WORDS 8   /* bit map of calls already reported as absent */

struct linux_process {
	struct process_record *record;            /* at LIBRARY_RECORD; a vfork child has a copy in its own memory */
	const volatile struct process_slot *slot; /* own slot of the process table; NULL without a proc server */
	const volatile struct time_page *time;    /* NULL where no clock page is mapped (clock_get is used) */
	uint32_t pid;
	uint32_t flags;                           /* LINUX_PROCESS_* */
	struct linux_process *memory;             /* whose heap bounds hold: its own; in a space that it shares, those of the process that was there first */
	handle_t vfork_sender, vfork_receiver;    /* a child that shares memory or is waited for: its handles of that channel; 0: none */
	struct linux_process *companions;         /* children that run in this space beside this process, not waited for (clone.c); fork_lock */
	struct linux_process *next_companion;
	struct linux_thread *first_thread;        /* of a companion: to be freed with it */
	handle_t companion_receiver;              /* the parent's handle: nobody sends any more when the companion has left the space */

	struct linux_fs *fs;                      /* owner: user/ns */
	struct linux_files *files;                /* owner: linux/fd */
	uint32_t umask;                           /* atomic; owner: linux/fs */

	struct linux_lock fork_lock;              /* one fork, vfork, clone or exec at a time */

	struct linux_lock lock;                   /* what follows up to the next lock */
	struct linux_thread *threads;             /* linked by next */
	struct linux_thread *main_thread;         /* whose id is the pid; NULL once it has ended */
	uint32_t thread_count;
	uint32_t thread_counter;                  /* last thread id handed out */
	uint64_t heap_start, heap_end;            /* brk, through `memory`; heap_end as the program set it, atomic */
	uint64_t limits[16][2];                   /* RLIMIT_*: soft, hard */
	struct linux_mapped *mapped;              /* names of mapped files, for /proc/PID/maps; only grows */
	struct linux_chunk *chunks;               /* allocator: every mapping made for it */
	void *free[LINUX_SIZE_CLASSES];           /* allocator: free blocks by size class */
	uint64_t fill, fill_end;                  /* allocator: unused rest of the newest chunk */

	struct linux_lock signal_lock;            /* action */
	struct linux_action action[64];
	uint32_t queued;                          /* real-time signals that wait in threads of this process; atomic */
	uint64_t ignored_told;                    /* the mask of dropped signals as proc last heard it */
	uint64_t kept_signals;                    /* ignored by default, but a program means to wait for them */
	struct linux_signalfd *signalfds;         /* lock: whose readiness this process tells (linux/signal/descriptor.c) */
	uint64_t realtime_timers[LINUX_TIMERS / 64]; /* atomic bit map: POSIX timers whose absolute times are of the real-time clock */
	uint32_t children_rule, personality;      /* PROC_CHILDREN_* as told to proc; personality(2) */

	uint64_t stack_size;                      /* of the program's stack, which ends at program_top (mm.h) */
	uint64_t program_break_floor;             /* end of the program's data: where the heap starts */
	uint64_t image_entry, image_headers;      /* AT_ENTRY and AT_PHDR of the running program */
	uint64_t stack_start, vector_start;       /* the stack pointer a program began with, its auxiliary vector; for /proc */
	uint64_t arguments_start, arguments_end, environment_start, environment_end; /* on the program's stack, for prctl and /proc */
	uint64_t float_mask;                      /* XCR0 parts saved in signal frames; 0: fxsave only */
	uint32_t float_size;                      /* bytes of the saved state */
	uint32_t executable_flags;
	int32_t dumpable, no_new_privileges;
	uint64_t noted[LINUX_NOTED_WORDS];        /* atomic bit map */
};
#define LINUX_PROCESS_NATIVE 0x1u /* a native program calls the library by function */
#define LINUX_PROCESS_VFORK 0x2u
#define LINUX_PROCESS_TRACED 0x4u /* linux/trace */

/* A mapped file: the object's identity as the kernel tells it of regions, one place where it was mapped, and what it was called then */
struct linux_mapped { struct linux_mapped *next; uint64_t identity, address; char name[232]; };
#define LINUX_MAPPED_MAX 64 /* later files are shown without names */

#define LINUX_FLOAT_ROOM 1024 /* x87, SSE and AVX state */

/* In block.pending, where the kernel writes 1: set by this thread itself, so no interrupt waits in the kernel to be forgotten. */
#define LINUX_PENDING_OWN 2u

struct linux_thread {
	struct thread_block block;       /* first: the kernel and gs know it */
	struct linux_process *process;
	struct linux_thread *next;       /* process->lock */
	uint64_t number;                 /* the kernel's thread number */
	uint32_t id;                     /* what gettid tells */
	uint32_t call;                   /* number of the Linux call in progress */
	uint64_t tls;                    /* fs base as the program set it */

	/* signals; changed by the thread itself unless said otherwise */
	uint64_t mask;                   /* blocked */
	uint64_t saved_mask;             /* restored when a handler frame is built or none runs (sigsuspend, ppoll, pselect) */
	bool restore_mask;
	bool restarting;                 /* the call runs again after an interrupt without handler: deadline_relative keeps the old deadline */
	bool exiting;
	bool keep_capabilities;          /* PR_SET_KEEPCAPS */
	uint64_t restart_deadline;
	uint64_t pending;                /* atomic: signals sent to this thread by its own process */
	struct linux_siginfo *queued;    /* [32], allocated with the thread: siginfo of standard signals; process->lock, as pending when set */
	struct linux_queued *queue;      /* real-time signals, oldest first; process->lock */
	uint64_t alternate_stack, alternate_size;
	uint32_t alternate_flags;
	int32_t nice;
	uint32_t policy;                 /* SCHED_*, with SCHED_RESET_ON_FORK; process->lock */

	uint64_t robust_list;            /* address of struct robust_list_head */
	uint64_t clear_tid;              /* word to clear and wake at exit */
	uint64_t allocation, allocation_size; /* mapping that holds this structure and the library stack; 0: not to be unmapped */
	char name[16];
	struct trace_line *trace_line;   /* of the call in progress, on this thread's stack; linux/trace */
	uint64_t fork_pid, fork_slot, fork_space; /* fork: read by the child in its copy, where the parent writes them, in this order */
	uint64_t fork_flags, fork_stack, fork_child_tid, fork_tls;
	handle_t fork_sender, fork_receiver; /* CLONE_VFORK without CLONE_VM; 0: none */
	_Alignas(64) uint8_t float_state[LINUX_FLOAT_ROOM]; /* scratch while a signal frame is built or read */
};

typedef int64_t (*linux_call)(struct linux_thread *t, const uint64_t argument[6]);

/* -- user memory. 0 or -EFAULT; part may have been copied. */
int user_read(struct linux_thread *t, void *to, uint64_t from, size_t size);
int user_write(struct linux_thread *t, uint64_t to, const void *from, size_t size);
int user_zero(struct linux_thread *t, uint64_t to, size_t size);
/* Copies a NUL-terminated string with its NUL: its length without NUL, -EFAULT, or -ENAMETOOLONG when it does not fit in room bytes. */
int64_t user_string(struct linux_thread *t, char *to, uint64_t from, size_t room);
/* Is [address, address+size) below the library's range? (Says nothing of what is mapped.) */
bool user_range(uint64_t address, uint64_t size);

/* -- memory of the library, in its private range. NULL: no memory. Blocks are 16-byte aligned and not cleared. */
void *linux_alloc(struct linux_process *p, size_t size);
void linux_free(struct linux_process *p, void *pointer, size_t size); /* size as allocated; NULL is allowed */
/* Whole pages of the library's range, zero, private; NULL: no memory. */
void *linux_map_pages(size_t size);
void linux_unmap_pages(void *pointer, size_t size);

/* -- the current thread (native programs and entry points; elsewhere it is passed on) */
static inline struct linux_thread *linux_self(void)
{
	return processor_block();
}

/* -- interrupts and waiting */
/* A signal that this thread does not block and does not ignore is pending. When false, the interrupt has been cleared: wait again. */
bool interrupt_deliverable(struct linux_thread *t);
/* result == -EINTR and nothing to deliver: repeat the native call. */
static inline bool wait_again(struct linux_thread *t, int64_t result)
{
	return result == -EINTR && !interrupt_deliverable(t);
}
/*
 * ppoll, pselect6, epoll_pwait: install a temporary mask read from the program (address 0: none) until the call ends; the dispatcher
 * restores the old one, after the handler when one runs. 0, -EFAULT, -EINVAL (size is not 8).
 */
int signal_mask_temporary(struct linux_thread *t, uint64_t address, uint64_t size);
/* Send a signal to the calling thread itself (SIGPIPE after -EPIPE, SIGXFSZ): delivered when the call ends. */
void signal_raise(struct linux_thread *t, int signal, int code);

/* -- time and deadlines (absolute nanoseconds of the monotonic clock, DEADLINE_NEVER) */
uint64_t time_monotonic(struct linux_thread *t);
uint64_t time_realtime(struct linux_thread *t);
/* now + nanoseconds, saturated; the same deadline again when the call is restarted. */
uint64_t deadline_relative(struct linux_thread *t, uint64_t nanoseconds);
/* struct timespec at address (0: DEADLINE_NEVER), relative. 0, -EFAULT, -EINVAL. */
int deadline_from_timespec(struct linux_thread *t, uint64_t address, uint64_t *deadline);
/* The same of struct timeval. */
int deadline_from_timeval(struct linux_thread *t, uint64_t address, uint64_t *deadline);
/* poll's milliseconds: negative never, 0 at once (deadline 0). */
uint64_t deadline_from_milliseconds(struct linux_thread *t, int64_t milliseconds);
/* Absolute time of a Linux clock (LINUX_CLOCK_*) as a monotonic deadline. 0, -EFAULT, -EINVAL. */
int deadline_from_clock(struct linux_thread *t, uint64_t address, int clock, uint64_t *deadline);
/* What is left until deadline, for select and nanosleep; 0 when past. */
uint64_t deadline_left(struct linux_thread *t, uint64_t deadline);

/* -- the proc server */
/* A call with the words filled in; result: word[0] or the port's error; -ENOSYS without a proc server. Killable. */
int64_t proc_call(struct linux_thread *t, struct message *message, uint32_t options);

/* -- RLIMIT_FSIZE (linux/fd/limit.c) */
bool size_limited(const struct linux_process *p);
/* Before a write at *offset (NULL: at the cursor): cuts *length to what the limit leaves. 0, or -EFBIG with SIGXFSZ raised. */
int64_t size_allow(struct linux_thread *t, int fd, const int64_t *offset, uint64_t *length);
/* Before a file's size changes: 0, or -EFBIG with SIGXFSZ raised. */
int64_t size_check(struct linux_thread *t, uint64_t old, uint64_t new);

/* -- messages for the kernel log: "linux: NAME[PID]: text" */
void linux_note(struct linux_thread *t, const char *text);

/* -- hooks of user/ns and linux/fs, linux/fd (implemented there) */
/* A process starts (or continues after exec): make p->fs and p->files from the record. 0 or an error. */
int fs_start(struct linux_thread *t);
/* vfork only: give child, which runs in the same space, its own copy of t's working directory and mounts (allocate from child). */
int fs_fork(struct linux_thread *t, struct linux_process *child);
/* fork clones the space between prepare and parent (in the caller) or child (in the copy): hold your locks meanwhile. */
void fs_fork_prepare(struct linux_thread *t);
void fs_fork_parent(struct linux_thread *t);
void fs_fork_child(struct linux_thread *t);
/* Write directory, umask and mounts into a new record (exec, spawn). Handles are numbers of t's own table. */
int fs_record_write(struct linux_thread *t, struct process_record *record);
/*
 * Open a path. directory: LINUX_AT_FDCWD or a descriptor; path in library memory, NUL-terminated. The handle is the lowest free
 * number from handle_minimum up. Returns it or an error.
 */
int64_t name_open(struct linux_thread *t, int directory, const char *path, uint32_t flags, uint32_t mode, uint32_t handle_minimum);
/* What an open object is called, NUL-terminated and cut off to fit; "" when it has no name. */
void name_tell(struct linux_thread *t, handle_t description, char *text, size_t size);
#endif
