/* Processes, threads, upcalls, routing (calls 50-75). */
#ifndef ABI_PROCESS_H
#define ABI_PROCESS_H
#include "abi/types.h"
#include "abi/registers.h" /* per architecture: abi/x86_64/abi/registers.h */

/* process_create options */
#define PROCESS_COPY_HANDLES 0x1u /* the new table is a copy of the given process's (both ranges); without it, empty */
#define PROCESS_SHARE_HANDLES 0x2u /* the table is that process's: it lives until the last of its processes has died (or gone, without threads) */
#define PROCESS_SHARE_LOW_HANDLES 0x8u /* with COPY_HANDLES: but the low table is that process's own, shared (until one of them executes) */
#define PROCESS_COPY_UPCALL 0x4u /* upcall configuration and routes as the caller's */

/* thread_start: a new thread gets entry, stack and up to four argument registers (in order of the C calling convention). */
#define THREAD_INHERIT_FLOAT 0x1u /* copy the caller's floating-point and vector state */
#define THREAD_SUSPENDED 0x2u     /* starts only when process_resume is called */
struct thread_start {
	uint64_t entry, stack;
	uint64_t argument[4];
	uint64_t tls;         /* THREAD_POINTER_TLS (fs base on x86_64, tp on riscv64) */
	uint64_t block;       /* THREAD_POINTER_BLOCK: struct thread_block (gs base; a kernel-kept word on riscv64) */
	uint32_t options;
	uint32_t priority;    /* 0: as the creator's */
};
#define THREAD_POINTER_TLS 0u
#define THREAD_POINTER_BLOCK 1u

/* Exit status: what process_exit and process_kill gave (Linux's wait status by convention), or made by the kernel: */
#define STATUS_KERNEL 0x80000000u
#define STATUS_FAULT (STATUS_KERNEL | 1u)         /* an exception nobody handles */
#define STATUS_OUT_OF_MEMORY (STATUS_KERNEL | 2u) /* a fault that could not be paid for */
#define STATUS_UPCALL (STATUS_KERNEL | 3u)        /* an upcall could not be delivered */
#define STATUS_BUDGET (STATUS_KERNEL | 4u)        /* its budget was destroyed */

struct process_info {
	uint32_t state;      /* PROCESS_RUNNING ... */
	uint32_t status;     /* exit status of a corpse */
	uint32_t threads;
	uint32_t handles;
	uint64_t badge;
	uint64_t user_time, system_time; /* nanoseconds; together exact, how they are divided is sampled (kernel/obj/usage.h) */
	uint64_t start_time;
	uint64_t faults;     /* exceptions of its threads that were not the kernel's to resolve */
	uint64_t page_faults, waits, preemptions; /* faults resolved by giving a page; times it left the processor to wait, and against its will */
	uint64_t fault_address, fault_instruction; /* of a corpse with STATUS_FAULT */
	uint32_t fault_cause, reserved;
	uint64_t fault_thread;
};
enum { PROCESS_RUNNING, PROCESS_SUSPENDED, PROCESS_CORPSE };

struct thread_info {
	uint64_t number;
	uint64_t user_time, system_time;
	uint32_t state, priority; /* enum thread_wait_state */
	uint64_t page_faults, waits, preemptions;
};
/* thread_set_slice, nanoseconds: how long a thread runs while others of its priority wait; what it gets of the processor is in proportion. */
#define SLICE_DEFAULT 10000000ul
#define SLICE_MIN 100000ul
#define SLICE_MAX 100000000ul
enum { THREAD_STATE_RUNNING, THREAD_STATE_WAITING, THREAD_STATE_WAITING_KILLABLE, THREAD_STATE_SUSPENDED, THREAD_STATE_DEAD };

/*
 * Reflection. A process with an upcall configuration has a library image at [image_start, image_end). A system call from an
 * instruction outside it that is not routed, an exception outside it, and an interrupt outside it enter the library in the same thread:
 * registers saved in the thread's block (address = THREAD_POINTER_BLOCK), control at an entry point. Only the instruction pointer
 * is changed (riscv64: and gp, which is the block); the entry code saves the stack pointer and switches stacks itself through the block's base register.
 *   call:      block->call_instruction and call_flags hold what the call instruction destroyed; all else is still in registers.
 *              riscv64: block->registers, as no register is free to save them with.
 *              block->call_result: CALL_NOT_ROUTED, or -EINTR, -EPIPE, -EFBIG, -EACCES, when a routed call ended so (nothing was transferred).
 *   exception: block->registers, cause, code, address.
 *   interrupt: block->registers.
 * Inside the image: a pending interrupt sets block->pending = 1 (and makes interruptible calls return -EINTR until
 * thread_clear_interrupt); if the instruction lies in [restart_start, restart_end) it is moved back to restart_start.
 * An exception inside [copy_start, copy_end) continues at copy_fixup with all registers kept; elsewhere in the image it kills the process.
 */
#define CALL_NOT_ROUTED 0
#define THREAD_UNIT_VECTOR 1u /* riscv64 */
struct thread_block {
	uint64_t self;             /* own address, first: the library loads it with one instruction */
	uint64_t call_instruction; /* where to go on after a reflected call */
	uint64_t call_flags;       /* x86_64: rflags, riscv64: a0 */
	int64_t call_result;
	uint32_t pending;
	uint32_t cause;            /* enum exception_cause */
	uint64_t code;             /* the hardware's error code */
	uint64_t address;          /* fault address */
	uint64_t stack;            /* the library's stack top for this thread (the library's own business) */
	struct registers registers;
	uint32_t units;            /* THREAD_UNIT_VECTOR, written by the kernel when the thread first uses that unit; the library clears it in a fork's child */
	uint32_t reserved;
	/* the library's own fields follow */
};
enum exception_cause {
	EXCEPTION_NONE, EXCEPTION_UNMAPPED, EXCEPTION_PROTECTION, EXCEPTION_BEYOND_OBJECT /* SIGBUS */, EXCEPTION_ILLEGAL,
	EXCEPTION_BREAKPOINT, EXCEPTION_STEP, EXCEPTION_DIVIDE, EXCEPTION_FLOAT, EXCEPTION_ALIGNMENT, EXCEPTION_OTHER,
};
struct upcall_config {
	uint64_t image_start, image_end; /* both 0: no library, exceptions kill */
	uint64_t call_entry, exception_entry, interrupt_entry;
	uint64_t restart_start, restart_end;
	uint64_t copy_start, copy_end, copy_fixup;
};

/*
 * A route: Linux call `number` is native call `native`. order gives for each native argument the Linux argument (4 bits each, lowest
 * first), ROUTE_ZERO or ROUTE_ONES. Guards: (argument[guard_argument] & mask) must equal value, guard_argument 15: no guard. Handle arguments of
 * the native call must lie below HANDLE_HIGH. Results -EINTR, -EPIPE, -EFBIG, -EACCES are reflected; all others return as they are.
 */
#define ROUTE_NO_GUARD 15u
#define ROUTE_NUMBERS 512u
#define ROUTE_ZERO 6u /* the native argument is 0 */
#define ROUTE_ONES 7u /* has all bits set */
struct route {
	uint32_t number, native;
	uint32_t order;
	uint8_t guard_argument[2];
	uint8_t reserved[2];
	uint64_t mask[2], value[2];
};
#endif
