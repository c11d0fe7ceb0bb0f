/*
 * The way of every system call: native, directly routed, or reflected into the process's library. abi/process.h has the rules.
 *
 * Native: the process has no library, or the instruction lies in it. Routed: the process's table maps the number, and guards hold. All
 * else is reflected. docs: "how a system call travels".
 */
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/call_table.h"
#include "kernel/core/log.h"
#include "kernel/obj/upcall.h"

bool call_entry_decides = true;

/* One line in the log for each unknown number of a process. */
static int64_t call_unknown(struct process *process, uint64_t number)
{
	uint64_t bit = min(number, sizeof(process->unknown_calls) * 8 - 1);
	uint64_t mask = 1ull << bit % 64;
	if (!(__atomic_fetch_or(&process->unknown_calls[bit / 64], mask, __ATOMIC_RELAXED) & mask))
		log_info("process %s (%016lx): unknown system call %lu", process->name, process->badge, number);
	return -ENOSYS;
}

static int64_t call_native(struct thread *thread, uint64_t number, const uint64_t argument[6])
{
	if (number >= array_count(call_table) || !call_table[number].body)
		return call_unknown(thread->process, number);
	return call_table[number].body(argument);
}

static inline bool guards_hold(const struct route *route, const uint64_t argument[6])
{
	for (unsigned i = 0; i < 2; i++)
		if (route->guard_argument[i] != ROUTE_NO_GUARD && (argument[route->guard_argument[i]] & route->mask[i]) != route->value[i])
			return false;
	return true;
}

/* A routed call that ends so is reflected all the same: the library knows what it means. */
static inline bool route_reflects(int64_t result)
{
	return result == -EINTR || result == -EPIPE || result == -EFBIG || result == -EACCES;
}

static inline void route_arguments(const struct route *route, unsigned count, const uint64_t argument[6], uint64_t native[6])
{
	uint32_t order = route->order;
	for (unsigned i = 0; i < count; i++, order >>= 4) {
		unsigned source = order & 15;
		native[i] = source < ROUTE_ZERO ? argument[source] : source == ROUTE_ONES ? UINT64_MAX : 0;
	}
}

#define NO_ROUTE_HOLDS INT64_MIN /* no result of a call */

/* The body of a plain route with an order or guards of its own. */
static int64_t route_run(const uint64_t argument[6], const struct plain_route *plain)
{
	const struct route *route = plain->route;
	for (const struct route *end = route + plain->alternatives; route < end; route++) {
		if (!guards_hold(route, argument))
			continue;
		const struct call_entry *entry = &call_table[route->native];
		uint64_t native[6];
		route_arguments(route, entry->count, argument, native);
		return entry->body(native);
	}
	return NO_ROUTE_HOLDS;
}

/* Runs a routed call; false: reflect it, with *result. */
static bool call_routed(struct thread *thread, const struct route *route, const uint64_t argument[6], int64_t *result)
{
	const struct call_entry *entry = &call_table[route->native];
	uint64_t native[6] = { 0 };
	route_arguments(route, entry->count, argument, native);
	for (unsigned i = 0, mask = entry->handle_mask; mask; i++, mask >>= 1) {
		/* The upper half of a register that holds a descriptor means nothing. Pseudo handles and the library's own are out of reach. */
		if (mask & 1 && (uint32_t)native[i] >= HANDLE_HIGH) {
			*result = -EBADF;
			return true;
		}
	}
	thread->call_routed = true;
	*result = entry->body(native);
	thread->call_routed = false;
	return !route_reflects(*result);
}

static int64_t call_foreign(struct thread *thread, struct arch_frame *frame, uint64_t number, const uint64_t argument[6])
{
	const struct route_table *routes = thread->process->routes;
	int64_t result = CALL_NOT_ROUTED;
	if (routes && number < ROUTE_NUMBERS) {
		for (unsigned i = routes->by_number[number]; i && i <= routes->count && routes->route[i - 1].number == number; i++) {
			if (!guards_hold(&routes->route[i - 1], argument))
				continue;
			if (call_routed(thread, &routes->route[i - 1], argument, &result))
				return result;
			break;
		}
	}
	return upcall_call(thread, frame, result);
}

int64_t call_route_ended(struct arch_frame *frame, int64_t result)
{
	if (result == NO_ROUTE_HOLDS)
		return upcall_call(thread_current(), frame, CALL_NOT_ROUTED);
	return route_reflects(result) ? upcall_call(thread_current(), frame, result) : result;
}

static bool route_is_straight(const struct route *route)
{
	for (unsigned i = 0; i < call_table[route->native].count; i++)
		if ((route->order >> 4 * i & 15) != i)
			return false;
	return (route->guard_argument[0] == 2 || route->guard_argument[0] == ROUTE_NO_GUARD) && route->guard_argument[1] == ROUTE_NO_GUARD;
}

struct plain_route call_plain_route(const struct route *route, uint32_t following)
{
	const struct call_entry *entry = &call_table[route->native];
	struct plain_route plain = { .route = route };
	bool handles = false;
	while (plain.alternatives < following && route[plain.alternatives].number == route->number)
		handles |= call_table[route[plain.alternatives++].native].handle_mask != 0;
	if (entry->handle_mask <= 1 && route_is_straight(route)) {
		plain.body = (const void *)entry->body;
		plain.first_most = entry->handle_mask ? HANDLE_HIGH - 1 : UINT32_MAX;
		plain.mask = route->guard_argument[0] == 2 ? route->mask[0] : 0;
		plain.value = route->guard_argument[0] == 2 ? route->value[0] : 0;
	} else if (!handles) {
		plain.body = (const void *)route_run;
		plain.first_most = UINT32_MAX;
	}
	return plain;
}

int64_t call_dispatch(struct arch_frame *frame, uint64_t number, const uint64_t argument[6])
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	const struct upcall_config *upcall = &process->upcall;
	this_processor()->calls++;
	thread->call_number = number;
	if (upcall_configured(process)) {
		/* The saved instruction follows the call, which may be the image's last. */
		if (address_within(arch_frame_instruction(frame) - 1, upcall->image_start, upcall->image_end))
			return call_native(thread, number, argument);
		return call_foreign(thread, frame, number, argument);
	}
	int64_t result = call_native(thread, number, argument);
	if (result == -EINTR)
		thread->interrupt_pending = false; /* without a library, this is how an interrupt is delivered */
	return result;
}

void call_interrupted(void)
{
	struct thread *thread = thread_current();
	if (!upcall_configured(thread->process))
		thread->interrupt_pending = false;
}

void call_gate_update(struct process *process)
{
	const struct upcall_config *upcall = &process->upcall;
	const struct route_table *routes = process->routes;
	struct call_gate *gate = &process->gate;
	bool configured = upcall_configured(process), early = configured && call_entry_decides && upcall->call_entry < USER_TOP;
	gate->native_start = !call_entry_decides ? UINT64_MAX : configured ? upcall->image_start : 0;
	gate->native_end = configured ? upcall->image_end : UINT64_MAX;
	gate->call_entry = upcall->call_entry;
	gate->routes = early ? routes : NULL;
	memset(gate->reflected, early, sizeof(gate->reflected));
	for (unsigned i = 0; routes && i < routes->count; i++)
		gate->reflected[routes->route[i].number] = false;
}

bool call_is_native(uint64_t number, unsigned *arguments)
{
	if (number >= array_count(call_table) || !call_table[number].body)
		return false;
	*arguments = call_table[number].count;
	return true;
}
