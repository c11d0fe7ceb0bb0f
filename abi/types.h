/*
 * Types and constants that the kernel and user space share. Included on both sides; no functions here.
 * All structures of abi/ have the same layout on every 64-bit port: no implicit padding, no pointers (addresses are uint64_t).
 */
#ifndef ABI_TYPES_H
#define ABI_TYPES_H

#include <stdint.h>
#include <stddef.h>

typedef int32_t handle_t; /* >= 0: index into the process's table; negative: a pseudo handle or none */

/* Two ranges: numbers below HANDLE_HIGH are what Linux programs see as descriptors; a library keeps its own at HANDLE_HIGH and up. */
#define HANDLE_HIGH 0x40000000
#define HANDLE_RANGE_MAX 65536u /* numbers in either range */
#define HANDLE_NONE (-1)
#define HANDLE_SELF_SPACE (-2)   /* the caller's address space, all rights */
#define HANDLE_SELF_PROCESS (-3) /* the caller's process, all rights */
#define HANDLE_SELF_BUDGET (-4)  /* the caller's budget, all rights but RIGHT_WRITE: a process cannot destroy what pays for others too */

/* Object kinds, as handle_get reports them */
enum object_kind {
	KIND_NONE, KIND_MEMOBJ, KIND_SPACE, KIND_PROCESS, KIND_LISTENER, KIND_CLIENT, KIND_REPLY, KIND_SENDER, KIND_RECEIVER,
	KIND_DESCRIPTION, KIND_WAITSET, KIND_EVENT, KIND_TIMER, KIND_INTERRUPT, KIND_BUDGET, KIND_RESOURCE, KIND_THREAD,
	KIND_SELECT,
};

/* Rights of a handle. Duplicating and sending may only remove rights. */
#define RIGHT_READ 0x01u    /* read content or state; map readable and executable */
#define RIGHT_WRITE 0x02u   /* change content; map writable */
#define RIGHT_MANAGE 0x04u  /* control the object itself (kill, map into, create clients of) */
#define RIGHT_SEND 0x08u    /* call or send */
#define RIGHT_RECEIVE 0x10u /* receive */
#define RIGHT_DUPLICATE 0x20u /* duplicate, or send in a message while keeping it */
#define RIGHT_TRANSFER 0x40u /* send in a message at all */
#define RIGHT_ALL 0x7fu

/* Options of a handle slot */
#define HANDLE_CLOSE_ON_EXEC 0x1u
#define HANDLE_NOT_COPIED 0x2u /* left out when the table is copied for another process: lives and dies with this one */

struct handle_info {
	uint32_t kind; /* enum object_kind */
	uint32_t rights;
	uint32_t options;
	uint32_t references; /* handles and kernel references to the object, for tests and diagnosis */
	uint64_t identity;   /* the same for two handles of one object, else different while both live */
};

/* handle_fetch: the caller's new handle (in the high range), and the options of the one it was made of */
struct handle_found { int32_t handle; uint32_t options; };

#define DEADLINE_NEVER UINT64_MAX

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul

/* Readiness bits: those of Linux's poll and epoll. */
#define READY_IN 0x001u
#define READY_PRIORITY 0x002u
#define READY_OUT 0x004u
#define READY_ERROR 0x008u
#define READY_HANGUP 0x010u
#define READY_INVALID 0x020u
#define READY_LOST 0x1000u         /* description_poll, with READY_INVALID: the handle was closed during the wait */
#define READY_READ_HANGUP 0x2000u
#define READY_READ_NORMAL 0x040u  /* told by polls and waitsets along with READY_IN, where asked for */
#define READY_WRITE_NORMAL 0x100u /* ... with READY_OUT */

/*
 * Layout of user addresses. The port's abi/layout.h says where the personality library, its tables and its threads' stacks are (LIBRARY_START,
 * LIBRARY_END), and above what no address is (USER_TOP_MAX); where user addresses end on this machine the kernel tells (struct boot_info, the process record).
 */
#define USER_BOTTOM 0x10000ul            /* nothing is ever mapped below */
#define VALUE_SPACE_START 0x400000000000ul /* reserved for values (DESIGN: later); never chosen or accepted */
#define VALUE_SPACE_END 0x600000000000ul
#include "abi/layout.h"

/* inside the library's range */
#define LIBRARY_IMAGE (LIBRARY_START)                /* text of the library in unmodified programs */
#define LIBRARY_PROCESS_TABLE (LIBRARY_START + 0x10000000ul) /* read-only table of processes kept by the proc server */
#define LIBRARY_TIME_PAGE (LIBRARY_START + 0x18000000ul)
#define LIBRARY_RECORD (LIBRARY_START + 0x20000000ul) /* the process record */
#define LIBRARY_PRIVATE (LIBRARY_START + 0x30000000ul) /* from here to LIBRARY_END: the library's own allocations */

#define CLOCK_MONOTONIC_ID 0u
#define CLOCK_REALTIME_ID 1u
#define CLOCK_PROCESS_ID 2u
#define CLOCK_THREAD_ID 3u

/*
 * The clock page, mapped read-only. monotonic = base + ((counter - counter_base) * multiplier >> shift), 128-bit product;
 * counter is rdtsc on x86_64, rdtime on riscv64. Readers retry while sequence is odd or has changed.
 */
struct time_page {
	uint32_t sequence;
	uint32_t shift;
	uint64_t counter_base;
	uint64_t multiplier;
	uint64_t base;            /* nanoseconds since boot at counter_base */
	uint64_t realtime_offset; /* nanoseconds to add for the time since 1970 */
};

struct io_vector { uint64_t address, length; };
#define IO_VECTOR_MAX 1024

struct system_info {
	uint64_t pages_total, pages_free;      /* 4 KiB pages */
	uint64_t pages_kernel;                 /* page tables, stacks, heap */
	uint64_t boot_time;                    /* real time at boot, nanoseconds since 1970 */
	uint64_t idle_time, busy_time;         /* nanoseconds, all processors */
	uint64_t context_switches, interrupts, faults, calls;
	uint32_t processors, processes, threads, objects;
	uint64_t kernel_bytes;                 /* of kernel objects, as asked for */
	uint64_t handles;                      /* of all processes; a shared table's count for each that shares it */
	uint64_t pages_servers;                /* private memory and page tables of processes that the root budget pays for */
	uint64_t heap_bytes;                   /* that debug_count_allocation was told of and are not free again */
	char version[64];
	char machine[32];
};

#define POWER_OFF 0u
#define POWER_RESTART 1u

struct poll_item { int32_t handle; int16_t events, ready; }; /* Linux's struct pollfd; a negative handle is skipped; only `ready` is written */
#define POLL_TELL_LOST 0x2u   /* description_poll: READY_LOST is told */
#define POLL_LOW_HANDLES 0x1u /* description_poll: numbers from HANDLE_HIGH up are no handles (READY_INVALID) */

/* waitset_control operations; the modes are bits of entry.options */
#define WAITSET_ADD 1u
#define WAITSET_REMOVE 2u
#define WAITSET_CHANGE 3u
#define WAITSET_EDGE 0x1u
#define WAITSET_ONCE 0x2u
#define WAITSET_FIXED 0x4u /* the entry can be removed but not changed; an entry for no waitset (EPOLLEXCLUSIVE) */
struct waitset_entry { uint32_t events, options; uint64_t word; };
struct waitset_result { uint32_t ready, reserved; uint64_t word; };

/* event_create options */
#define EVENT_MASK 0u    /* the value is a mask of READY_ bits and is the event's readiness */
#define EVENT_COUNTER 1u /* the value is a counter, ready for reading while it is not 0 */

#define FUTEX_SHARED 0x1u  /* the word may be in memory shared with other processes */
#define FUTEX_COMPARE 0x2u
#define FUTEX_ANY_BITS 0xffffffffu

/* timer_get */
struct timer_info { uint64_t deadline, period, expirations; }; /* deadline: DEADLINE_NEVER when not armed */

struct budget_info { uint64_t pages_limit, pages_used, pages_peak, objects; };

struct physical_range { uint64_t address, size; };

#endif
