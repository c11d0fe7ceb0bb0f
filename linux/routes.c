/*
 * Direct routes: Linux calls that the kernel runs as native calls without entering the library. Only calls whose native meaning is exactly
 * Linux's are here; the functions in linux/fd do the same for what is reflected (handles in the library's range, interrupted calls).
 *
 * order gives for each native argument the Linux argument, four bits each, lowest first. Guards keep out what differs.
 * close is routed because descriptors have no state in the library; a process with record locks does without (linux/fd/lock.c).
 */
#include "abi/calls.h"
#include "linux/calls.h"
#include "linux/process/process.h"

#define ORDER(a, b, c, d, e, f) ((a) | (b) << 4 | (c) << 8 | (d) << 12 | (e) << 16 | (uint32_t)(f) << 20)
#define IN_ORDER ORDER(0, 1, 2, 3, 4, 5)
#define NO_GUARDS .guard_argument = { ROUTE_NO_GUARD, ROUTE_NO_GUARD }

/* Lengths that Linux would cut or refuse go to the library. */
#define LENGTH_GUARD .guard_argument = { 2, ROUTE_NO_GUARD }, .mask = { ~0x7ffffffful }, .value = { 0 }
#define LENGTH_OFFSET_GUARDS .guard_argument = { 2, 3 }, .mask = { ~0x7ffffffful, 1ul << 63 }, .value = { 0, 0 }
/* Of seeks only whence 0, 1 and 2: SEEK_DATA and SEEK_HOLE are not native. */
#define WHENCE_GUARD(bits, which) .guard_argument = { 2, ROUTE_NO_GUARD }, .mask = { 0xffffffffu & ~(bits) }, .value = { (which) }

/* Futexes of one process: waits without a time, wakes of one or of all (linux/time/futex.c has the rest). */
#define WAIT_PRIVATE 128u
#define WAKE_PRIVATE 129u
#define WAIT_BITSET_PRIVATE 137u /* by whichever clock */
#define FUTEX_GUARDS(operation, second, wanted) .guard_argument = { 1, second }, \
	.mask = { (operation) == WAIT_BITSET_PRIVATE ? 0xfffffeffu : 0xffffffffu, (second) == 3 ? ~0ul : 0xffffffffu }, .value = { operation, wanted }
#define FUTEX_WAKE_ORDER ORDER(0, 2, ROUTE_ONES, ROUTE_ZERO, 0, 0)

#define WRITING_ROUTES 3 /* at the head of the table; a process with a limit of file sizes does without (linux/fd/limit.c) */

void routes_set(struct linux_process *p)
{
	static const struct route routes[] = {
		{ .number = LINUX_CALL_WRITE, .native = CALL_DESCRIPTION_WRITE, .order = IN_ORDER, LENGTH_GUARD },
		{ .number = LINUX_CALL_WRITEV, .native = CALL_DESCRIPTION_WRITEV, .order = IN_ORDER, NO_GUARDS },
		{ .number = LINUX_CALL_PWRITE64, .native = CALL_DESCRIPTION_PWRITE, .order = IN_ORDER, LENGTH_OFFSET_GUARDS },
		{ .number = LINUX_CALL_READ, .native = CALL_DESCRIPTION_READ, .order = IN_ORDER, LENGTH_GUARD },
		{ .number = LINUX_CALL_READV, .native = CALL_DESCRIPTION_READV, .order = IN_ORDER, NO_GUARDS },
		{ .number = LINUX_CALL_PREAD64, .native = CALL_DESCRIPTION_PREAD, .order = IN_ORDER, LENGTH_OFFSET_GUARDS },
		{ .number = LINUX_CALL_LSEEK, .native = CALL_DESCRIPTION_SEEK, .order = IN_ORDER, WHENCE_GUARD(1u, 0) },
		{ .number = LINUX_CALL_LSEEK, .native = CALL_DESCRIPTION_SEEK, .order = IN_ORDER, WHENCE_GUARD(0u, 2) },
		{ .number = LINUX_CALL_FUTEX, .native = CALL_FUTEX_WAIT, .order = ORDER(0, 2, ROUTE_ONES, ROUTE_ONES, ROUTE_ZERO, 0), FUTEX_GUARDS(WAIT_PRIVATE, 3, 0) },
		{ .number = LINUX_CALL_FUTEX, .native = CALL_FUTEX_WAIT, .order = ORDER(0, 2, ROUTE_ONES, 5, ROUTE_ZERO, 0), FUTEX_GUARDS(WAIT_BITSET_PRIVATE, 3, 0) },
		{ .number = LINUX_CALL_FUTEX, .native = CALL_FUTEX_WAKE, .order = FUTEX_WAKE_ORDER, FUTEX_GUARDS(WAKE_PRIVATE, 2, 1) },
		{ .number = LINUX_CALL_FUTEX, .native = CALL_FUTEX_WAKE, .order = FUTEX_WAKE_ORDER, FUTEX_GUARDS(WAKE_PRIVATE, 2, INT32_MAX) },
		{ .number = LINUX_CALL_SCHED_YIELD, .native = CALL_THREAD_YIELD, .order = IN_ORDER, NO_GUARDS },
		{ .number = LINUX_CALL_CLOSE, .native = CALL_HANDLE_CLOSE, .order = IN_ORDER, NO_GUARDS }, /* the last */
	};
	uint32_t first = size_limited(p) ? WRITING_ROUTES : 0, last = p->record->personality_flags & RECORD_LOCKS ? 1 : 0;
	(void)process_set_routes(routes + first, ARRAY_SIZE(routes) - first - last);
}
