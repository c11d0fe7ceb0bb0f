/*
 * Memory that is used up at every allocation in turn: each attempt is one system call in a use that succeeds. It is repeated with its first allocation made to
 * fail, then its second, and so on, until it comes through untouched. A call that meets a failure either says ENOMEM and has changed nothing, or does without; then what it made
 * is undone, and the machine's figures and this process's handles must be as before each time.
 *
 * Calls that wait for others are meet.c's. Those that end the caller or only look at a value are not here; they allocate nothing of their own.
 */
#include <errno.h>
#include <string.h>
#include "abi/boot.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "tests/fuzz/native/fuzz.h"
#include "trace/calls.h"

#define LARGE 20000u /* bytes: several pages, and past what travels inside a message */
#define PLACE 0x3000000000ul
#define NUMBER_HIGH (HANDLE_HIGH + 3000) /* in a table that has to grow for it */

struct attempt {
	const char *name;
	int64_t (*prepare)(void); /* before the failing time; NULL: nothing */
	int64_t (*run)(void);
	void (*undo)(int64_t result);  /* after success */
	void (*clean)(void);           /* after either, what prepare made */
};

/* What attempts use. */
static handle_t memobj, space, process, event, counter, timer, waitset, listener, client, place, flow_in, flow_out, link_one, link_two, datagrams;
static struct channel_ends bytes, packets;
static handle_t made, made_too;
static uint8_t buffer[LARGE], more[LARGE];

static int64_t keep(int64_t handle, handle_t *place_for)
{
	*place_for = handle < 0 ? HANDLE_NONE : (handle_t)handle;
	return handle;
}

static void undo_close(int64_t handle)
{
	handle_close((handle_t)handle);
}

static void clean_made(void)
{
	handle_close(made);
}

static void clean_both(void)
{
	handle_close(made);
	handle_close(made_too);
}

/* -- handles and objects that one call makes */

static int64_t run_duplicate(void) { return handle_duplicate(memobj, HANDLE_HIGH, 0, 0); }
static int64_t prepare_process(void) { return keep(process_create(space, HANDLE_SELF_BUDGET, 0, HANDLE_SELF_PROCESS), &made); }
static int64_t run_install(void) { return handle_install(made, memobj, NUMBER_HIGH, 0); }
static int64_t run_install_low(void) { return handle_install(made, memobj, 700, 0); }
static int64_t prepare_fetch(void) { int64_t result = prepare_process(); return result < 0 ? result : handle_install((handle_t)result, memobj, 5, 0); }
static int64_t run_fetch(void) { struct handle_found found; int64_t result = handle_fetch(made, 0, &found); return result < 0 ? result : found.handle; }
static int64_t run_memobj(void) { return memobj_create(LARGE, 0); }
static int64_t run_contiguous(void) { struct physical_range range; return memobj_create_contiguous(BOOT_HANDLE_RESOURCE, LARGE, &range); }
static int64_t run_physical(void) { return memobj_create_physical(BOOT_HANDLE_RESOURCE, 0xfee00000, 4096, 0); }
static int64_t run_clone(void) { return memobj_clone(memobj, 0, 8192); }
static int64_t run_space(void) { return space_create(0); }
static int64_t run_space_clone(void) { return space_clone(space); }
static int64_t run_process(void) { return process_create(space, HANDLE_SELF_BUDGET, 0, HANDLE_SELF_PROCESS); }
static int64_t run_process_copy(void) { return process_create(space, HANDLE_SELF_BUDGET, PROCESS_COPY_HANDLES, HANDLE_SELF_PROCESS); }
static int64_t run_process_space(void) { return process_space(process); }
static int64_t run_listener(void) { return listener_create(0); }
static int64_t run_client(void) { return client_create(listener, 7); }
static void undo_client(int64_t result) /* its memory is the notification of its end, until that is received */
{
	struct message message = { .handle_count = 0 };
	handle_close((handle_t)result);
	port_receive(listener, &message, 0);
}
static int64_t run_waitset(void) { return waitset_create(); }
static int64_t run_event(void) { return event_create(0, EVENT_MASK); }
static int64_t run_timer(void) { return timer_object_create(0); }
static int64_t run_budget(void) { return budget_create(BOOT_HANDLE_BUDGET, 100); }
static int64_t run_interrupt(void) { return interrupt_create(BOOT_HANDLE_RESOURCE, 5, 0); }
static int64_t run_time(void) { return memobj_time(); }
static int64_t run_place(void)
{
	struct description_request request = { .kind = DESCRIPTION_PLACE, .memobj = memobj, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = client, .event = HANDLE_NONE, .rights = RIGHT_READ | RIGHT_WRITE };
	return description_create(&request);
}
static int64_t link_make(uint32_t flags)
{
	struct description_request request = { .kind = DESCRIPTION_LINK, .flags = flags, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_READ | RIGHT_WRITE };
	return description_create(&request);
}
static int64_t run_link(void) { return link_make(LINK_STREAM); }
static int64_t run_datagrams(void) { return link_make(LINK_DATAGRAMS); }
static int64_t run_entry(void) { return link_entry(datagrams); }
static int64_t run_description_memobj(void) { return description_memobj(place); }
static int64_t run_description_client(void) { return description_client(place); }
static int64_t run_channel(void) { return keep(channel_create(CHANNEL_STREAM, 65536, &bytes), &made_too); }
static int64_t run_packets(void) { return keep(channel_create(CHANNEL_PACKET, 8, &bytes), &made_too); }
static void undo_channel(int64_t result) { (void)result; handle_close(bytes.sender); handle_close(bytes.receiver); }

/* -- contents */

static int64_t prepare_empty(void) { return keep(memobj_create(1 << 20, 0), &made); }
static int64_t run_write(void) { return memobj_write(made, 5000, buffer, LARGE); }
static int64_t run_resize(void) { return memobj_resize(made, 4ul << 30); }
static int64_t run_share(void) { return memobj_share(memobj, 0, made, 0, 16384); }
static int64_t prepare_shared(void) { int64_t result = keep(memobj_clone(memobj, 0, 16384), &made); return result; }
static int64_t run_write_shared(void) { return memobj_write(made, 100, buffer, 9000); }
static int64_t run_zero(void) { return memobj_zero(made, 4096, 4096); }
static int64_t run_shrink(void) { return memobj_resize(made, 5000); }
static int64_t run_pwrite(void) { return description_pwrite(place, buffer, 3000, 8192); }
static int64_t run_pread(void) { return description_pread(place, more, LARGE, 0); }

/* -- spaces */

static int64_t prepare_space(void)
{
	struct map_request request = { .address = PLACE, .length = 16 * PAGE_SIZE, .memobj = HANDLE_NONE, .protection = PROTECT_READ | PROTECT_WRITE, .flags = MAP_FIXED_NEW };
	int64_t result = keep(space_create(0), &made);
	if (result >= 0)
		result = space_map(made, &request);
	return result < 0 ? result : space_write(made, PLACE, buffer, LARGE);
}
static int64_t run_map(void)
{
	struct map_request request = { .address = 2 * PLACE, .length = 8 * PAGE_SIZE, .memobj = memobj, .protection = PROTECT_READ, .flags = MAP_FIXED_NEW | MAP_PRIVATE_COPY };
	return space_map(made, &request);
}
static int64_t run_unmap(void) { return space_unmap(made, PLACE + 2 * PAGE_SIZE, 3 * PAGE_SIZE); }
static int64_t run_protect(void) { return space_protect(made, PLACE + 2 * PAGE_SIZE, 3 * PAGE_SIZE, PROTECT_READ); }
static int64_t run_discard(void) { return space_discard(made, PLACE + PAGE_SIZE, 2 * PAGE_SIZE); }
static int64_t run_move(void)
{
	struct move_request request = { .address = PLACE + PAGE_SIZE, .length = 4 * PAGE_SIZE, .new_length = 8 * PAGE_SIZE, .low = PLACE, .high = 2 * PLACE, .flags = MOVE_MAY_MOVE };
	return space_move(made, &request);
}
static int64_t run_space_write(void) { return space_write(made, PLACE + 8 * PAGE_SIZE, buffer, LARGE); }
static int64_t run_space_read(void) { return space_read(made, PLACE, more, LARGE); }
static int64_t prepare_cloned(void)
{
	int64_t result = prepare_space();
	return result < 0 ? result : keep(space_clone(made), &made_too);
}
static int64_t run_write_cloned(void) { return space_write(made_too, PLACE + 100, buffer, 9000); }
static int64_t run_unmap_cloned(void) { return space_unmap(made_too, PLACE + PAGE_SIZE, PAGE_SIZE); }

/* -- threads of a process that is not started for long */

static int64_t run_thread(void)
{
	struct thread_start start = { .entry = PLACE, .stack = PLACE + 4096, .options = THREAD_SUSPENDED };
	return thread_create(made, &start);
}
static int64_t prepare_stopped(void) { int64_t result = prepare_process(); return result < 0 ? result : process_suspend((handle_t)result); }
static void undo_process(int64_t result) { (void)result; process_kill(made, 0); }

/* -- channels and links */

static int64_t prepare_bytes(void)
{
	int64_t result = keep(channel_create(CHANNEL_STREAM, 65536, &bytes), &made_too);
	struct description_request request = { .kind = DESCRIPTION_FLOW, .memobj = HANDLE_NONE, .sender = bytes.sender, .receiver = HANDLE_NONE, .control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_WRITE };
	if (result >= 0)
		result = keep(description_create(&request), &made);
	made_too = bytes.receiver;
	return result;
}
static int64_t run_flow_write(void) { return description_write(made, buffer, LARGE); }
static int64_t prepare_channel(void)
{
	int64_t result = channel_create(CHANNEL_PACKET, 8, &packets);
	struct description_request request = { .kind = DESCRIPTION_CHANNEL, .memobj = HANDLE_NONE, .sender = packets.sender, .receiver = packets.receiver, .control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_READ | RIGHT_WRITE };
	return result < 0 ? result : keep(description_create(&request), &made);
}
static int64_t run_channel_write(void) { return description_write(made, buffer, LARGE); }
static int64_t run_capacity(void) { return description_set_capacity(made, 1 << 20); }
static int64_t prepare_packets(void)
{
	int64_t result = channel_create(CHANNEL_PACKET, 8, &packets);
	made = packets.sender, made_too = packets.receiver;
	return result;
}
static int64_t run_send(void)
{
	struct message message = { .word = { 1 }, .send_address = (uint64_t)buffer, .send_size = LARGE, .handle = { memobj, event }, .handle_count = 2 };
	return channel_send(made, &message, CHANNEL_NON_BLOCKING, 0);
}
static int64_t prepare_queued(void) { int64_t result = prepare_packets(); return result < 0 ? result : run_send(); }
static int64_t run_receive(void)
{
	struct message message = { .receive_address = (uint64_t)more, .receive_size = LARGE };
	int64_t result = channel_receive(made_too, &message, CHANNEL_NON_BLOCKING, 0);
	for (unsigned i = 0; result >= 0 && i < message.handle_count; i++)
		handle_close(message.handle[i]);
	return result;
}
#define SELECTED 8u /* more than lie on the kernel's stack */
static int64_t run_select(void) /* one that sends; nothing waits */
{
	static struct message messages[SELECTED];
	struct select_case cases[SELECTED] = { { made }, { HANDLE_NONE } };
	for (unsigned i = 1; i < SELECTED; i++)
		cases[i].channel = HANDLE_NONE;
	messages[0] = (struct message){ .send_address = (uint64_t)buffer, .send_size = LARGE, .handle = { memobj }, .handle_count = 1 };
	int64_t result = channel_select(cases, messages, SELECTED, 0);
	return result < 0 ? result : messages[0].reply_status;
}
static int64_t prepare_rendezvous(void)
{
	int64_t result = channel_create(CHANNEL_PACKET, 0, &packets);
	made = packets.sender, made_too = packets.receiver;
	return result;
}
static int64_t run_select_waits(void) /* for sends and receives, for a while; the channel is the same, but nobody meets himself */
{
	static struct message messages[SELECTED];
	struct select_case cases[SELECTED];
	for (unsigned i = 0; i < SELECTED; i++) {
		cases[i].channel = i % 2 ? made : made_too;
		messages[i] = (struct message){ .send_address = (uint64_t)buffer, .send_size = LARGE, .handle = { memobj }, .handle_count = 1 };
	}
	int64_t result = channel_select(cases, messages, SELECTED, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 100000);
	return result >= 0 ? messages[result].reply_status : result == -ETIMEDOUT ? 0 : result;
}
static int64_t run_select_create(void)
{
	static struct message messages[SELECTED];
	struct select_case cases[SELECTED];
	for (unsigned i = 0; i < SELECTED; i++)
		cases[i].channel = i % 2 ? made : made_too;
	return channel_select_create(cases, messages, SELECTED);
}
static int64_t link_pair(void)
{
	struct channel_ends there, back;
	struct link_parts one = { .control = HANDLE_NONE, .event = HANDLE_NONE }, two = one;
	int64_t result = channel_create(CHANNEL_SEGMENTS, LINK_LIMIT, &there);
	if (result >= 0)
		result = channel_create(CHANNEL_SEGMENTS, LINK_LIMIT, &back);
	one.sender = there.sender, one.receiver = back.receiver, two.sender = back.sender, two.receiver = there.receiver;
	if (result >= 0)
		result = keep(link_make(LINK_STREAM), &made);
	if (result >= 0)
		result = keep(link_make(LINK_STREAM), &made_too);
	if (result >= 0)
		result = link_attach(made, &one);
	return result < 0 ? result : link_attach(made_too, &two);
}
static int64_t run_link_send(void)
{
	struct io_vector vector = { (uint64_t)buffer, LARGE };
	int32_t handles[] = { 900, 901 };
	struct link_message message = { .vector = (uint64_t)&vector, .count = 1, .handles = (uint64_t)handles, .handle_count = 2, .target = HANDLE_NONE };
	return link_send(made, &message, LINK_NON_BLOCKING);
}
static int64_t prepare_link_queued(void) { int64_t result = link_pair(); return result < 0 ? result : run_link_send(); }
static int64_t run_link_receive(void)
{
	struct io_vector vector = { (uint64_t)more, LARGE };
	int32_t handles[4];
	struct link_message message = { .vector = (uint64_t)&vector, .count = 1, .handles = (uint64_t)handles, .handle_count = 4 };
	int64_t result = link_receive(made_too, &message, LINK_NON_BLOCKING);
	for (unsigned i = 0; result >= 0 && i < message.handle_count; i++)
		handle_close(handles[i]);
	return result;
}
static int64_t run_label(void) { return link_set_label(made, LINK_LABEL_OWN, "a name", 6); }

/* -- the rest */

static int64_t prepare_waitset(void) { return keep(waitset_create(), &made); }
static int64_t run_watch(void)
{
	struct waitset_entry entry = { READY_IN, 0, 1 };
	return waitset_control(made, WAITSET_ADD, counter, &entry);
}
static int64_t run_poll(void)
{
	struct poll_item items[100];
	for (unsigned i = 0; i < 100; i++)
		items[i] = (struct poll_item){ i ? event : counter, READY_IN, 0 };
	return description_poll(items, 100, 0, 0);
}
static int64_t run_list(void) { static struct thread_info threads[64]; return thread_list(HANDLE_SELF_PROCESS, threads, 64); }
static int64_t prepare_table(void) { return 0; }
static int64_t run_routes(void)
{
	static struct route routes[40];
	for (unsigned i = 0; i < 40; i++)
		routes[i] = (struct route){ .number = i, .native = CALL_HANDLE_CLOSE, .guard_argument = { ROUTE_NO_GUARD, ROUTE_NO_GUARD } };
	return process_set_routes(routes, 40);
}
static void undo_routes(int64_t result) { (void)result; process_set_routes(NULL, 0); }
static int64_t run_timer_set(void) { return timer_set(timer, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 1000000000ull, 0); }
static void undo_timer(int64_t result) { (void)result; timer_set(timer, DEADLINE_NEVER, 0); }
static int64_t run_random(void) { return random_get(buffer, 256); }

static const struct attempt attempts[] = {
	{ "handle_duplicate", NULL, run_duplicate, undo_close, NULL }, { "handle_install", prepare_process, run_install, NULL, clean_made },
	{ "handle_install low", prepare_process, run_install_low, NULL, clean_made }, { "handle_fetch", prepare_fetch, run_fetch, undo_close, clean_made },
	{ "memobj_create", NULL, run_memobj, undo_close, NULL }, { "memobj_create_contiguous", NULL, run_contiguous, undo_close, NULL },
	{ "memobj_create_physical", NULL, run_physical, undo_close, NULL }, { "memobj_clone", NULL, run_clone, undo_close, NULL },
	{ "memobj_write", prepare_empty, run_write, NULL, clean_made }, { "memobj_write shared", prepare_shared, run_write_shared, NULL, clean_made },
	{ "memobj_resize", prepare_empty, run_resize, NULL, clean_made }, { "memobj_resize shared", prepare_shared, run_shrink, NULL, clean_made },
	{ "memobj_share", prepare_empty, run_share, NULL, clean_made }, { "memobj_zero", prepare_shared, run_zero, NULL, clean_made },
	{ "space_create", NULL, run_space, undo_close, NULL }, { "space_clone", NULL, run_space_clone, undo_close, NULL },
	{ "space_map", prepare_space, run_map, NULL, clean_made }, { "space_unmap", prepare_space, run_unmap, NULL, clean_made },
	{ "space_unmap cloned", prepare_cloned, run_unmap_cloned, NULL, clean_both }, { "space_protect", prepare_space, run_protect, NULL, clean_made },
	{ "space_discard", prepare_space, run_discard, NULL, clean_made }, { "space_move", prepare_space, run_move, NULL, clean_made },
	{ "space_read", prepare_space, run_space_read, NULL, clean_made }, { "space_write", prepare_space, run_space_write, NULL, clean_made },
	{ "space_write cloned", prepare_cloned, run_write_cloned, NULL, clean_both }, { "process_create", NULL, run_process, undo_close, NULL },
	{ "process_create copy", NULL, run_process_copy, undo_close, NULL }, { "process_space", NULL, run_process_space, undo_close, NULL },
	{ "process_set_routes", prepare_table, run_routes, undo_routes, NULL }, { "thread_create", prepare_stopped, run_thread, undo_process, clean_made },
	{ "thread_list", NULL, run_list, NULL, NULL }, { "listener_create", NULL, run_listener, undo_close, NULL }, { "client_create", NULL, run_client, undo_client, NULL },
	{ "channel_create", NULL, run_channel, undo_channel, NULL }, { "channel_create packets", NULL, run_packets, undo_channel, NULL },
	{ "channel_send", prepare_packets, run_send, NULL, clean_both }, { "channel_receive", prepare_queued, run_receive, NULL, clean_both },
	{ "channel_select", prepare_packets, run_select, NULL, clean_both }, { "channel_select waiting", prepare_rendezvous, run_select_waits, NULL, clean_both },
	{ "channel_select_create", prepare_packets, run_select_create, undo_close, clean_both },
	{ "description_create place", NULL, run_place, undo_close, NULL }, { "description_create link", NULL, run_link, undo_close, NULL },
	{ "description_create datagrams", NULL, run_datagrams, undo_close, NULL }, { "description_write flow", prepare_bytes, run_flow_write, NULL, clean_both },
	{ "description_write channel", prepare_channel, run_channel_write, NULL, clean_made }, { "description_set_capacity", prepare_bytes, run_capacity, NULL, clean_both }, { "description_pwrite", NULL, run_pwrite, NULL, NULL },
	{ "description_pread", NULL, run_pread, NULL, NULL }, { "description_memobj", NULL, run_description_memobj, undo_close, NULL },
	{ "description_client", NULL, run_description_client, undo_close, NULL }, { "description_poll", NULL, run_poll, NULL, NULL },
	{ "link_send", link_pair, run_link_send, NULL, clean_both }, { "link_receive", prepare_link_queued, run_link_receive, NULL, clean_both },
	{ "link_set_label", link_pair, run_label, NULL, clean_both }, { "link_entry", NULL, run_entry, undo_close, NULL },
	{ "waitset_create", NULL, run_waitset, undo_close, NULL }, { "waitset_control", prepare_waitset, run_watch, NULL, clean_made },
	{ "event_create", NULL, run_event, undo_close, NULL }, { "timer_create", NULL, run_timer, undo_close, NULL }, { "timer_set", NULL, run_timer_set, undo_timer, NULL },
	{ "budget_create", NULL, run_budget, undo_close, NULL }, { "interrupt_create", NULL, run_interrupt, undo_close, NULL }, { "memobj_time", NULL, run_time, undo_close, NULL },
	{ "random_get", NULL, run_random, NULL, NULL },
};

static void prepare_all(void)
{
	memset(buffer, 3, sizeof buffer);
	memset(more, 4, sizeof more);
	struct channel_ends ends;
	bool good = keep(memobj_create(8 * PAGE_SIZE, 0), &memobj) >= 0 && memobj_write(memobj, 0, buffer, LARGE) == LARGE;
	good = good && prepare_space() >= 0;
	space = made;
	good = good && keep(process_create(space, HANDLE_SELF_BUDGET, 0, HANDLE_SELF_PROCESS), &process) >= 0 && keep(event_create(0, EVENT_MASK), &event) >= 0 && keep(event_create(1, EVENT_COUNTER), &counter) >= 0;
	good = good && keep(timer_object_create(0), &timer) >= 0 && keep(waitset_create(), &waitset) >= 0 && keep(listener_create(0), &listener) >= 0 && keep(client_create(listener, 1), &client) >= 0;
	good = good && keep(run_place(), &place) >= 0 && keep(link_make(LINK_DATAGRAMS), &datagrams) >= 0 && channel_create(CHANNEL_STREAM, 4096, &ends) >= 0;
	good = good && handle_replace(event, 900, 0) >= 0 && handle_replace(memobj, 901, 0) >= 0;
	(void)flow_in, (void)flow_out, (void)link_one, (void)link_two;
	if (!good)
		exhaust_fail("there is no memory to begin with", "", 0, 0);
}

/* One time: with the allocation of that number made to fail, 0: none. True: it failed, so there may be one more to try. */
static bool attempt_once(const struct attempt *attempt, uint64_t number)
{
	struct system_info before = exhaust_figures();
	int64_t result = attempt->prepare ? attempt->prepare() : 0;
	if (result < 0)
		exhaust_fail(attempt->name, "what it needs cannot be made", number, result);
	uint64_t objects = exhaust_figures().objects;
	if (number)
		debug_fail_allocation(HANDLE_SELF_PROCESS, number);
	result = attempt->run();
	bool failed = number && debug_fail_allocation(HANDLE_SELF_PROCESS, 0) == 0;
	if (result < 0 && !(failed && result == -ENOMEM))
		exhaust_fail(attempt->name, failed ? "another error than ENOMEM" : "an error without reason", number, result);
	if (result < 0 && exhaust_figures().objects != objects)
		exhaust_fail(attempt->name, "an object of the failed call is left", number, (int64_t)exhaust_figures().objects - (int64_t)objects);
	if (result < 0) { /* it can be done again, with success */
		result = attempt->run();
		if (result < 0)
			exhaust_fail(attempt->name, "it fails for ever", number, result);
	}
	if (attempt->undo)
		attempt->undo(result);
	if (attempt->clean)
		attempt->clean();
	exhaust_compare(attempt->name, number, &before);
	return failed;
}

unsigned exhaust_run(void)
{
	unsigned failures = 0;
	prepare_all();
	if (debug_fail_allocation(HANDLE_SELF_PROCESS, 0) < 0)
		exhaust_fail("debug_fail_allocation", "the kernel does not check itself", 0, 0);
	for (unsigned i = 0; i < sizeof attempts / sizeof *attempts; i++) {
		for (unsigned round = 0; round < 2; round++) { /* what the first time leaves (tables that grew) is the process's own */
			struct system_info before = exhaust_figures();
			if (attempts[i].prepare)
				(void)attempts[i].prepare();
			int64_t result = attempts[i].run();
			if (result < 0)
				exhaust_fail(attempts[i].name, "it fails by itself", 0, result);
			if (attempts[i].undo)
				attempts[i].undo(result);
			if (attempts[i].clean)
				attempts[i].clean();
			exhaust_settle();
			if (round)
				exhaust_compare(attempts[i].name, 0, &before);
		}
		uint64_t number = 1;
		while (attempt_once(&attempts[i], number))
			number++, failures++;
	}
	return failures;
}
