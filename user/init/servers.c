/*
 * The table of servers and what is done when one dies. The table says which file it is, whether it has a listener, and what its death means;
 * which handles each gets is said where they are made (streams.c, devices.c, names.c) under the names of boot_names.h.
 *
 * What outlives a server. If it keeps handles, its table is shared with a process without threads, the holder, so its successor finds every handle that
 * it had under the same number; and its state is a memory object (BOOT_NAME_STATE). Others get what init gave the first one. Calls in flight fail at once; new ones wait on the listener. A server
 * that has died DEATHS_MAX times within DEATHS_TIME is given up: its holder and its listener go, so that all that wait for it get an error at once.
 */
#include <string.h>
#include "abi/errors.h"
#include "abi/process.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "user/init/init.h"

#define DEATHS_MAX 6u
#define DEATHS_TIME 10000000000ul
#define SIGNAL_KILL 9u

enum policy {
	POLICY_END,     /* it cannot start again: the run ends (main.c, run_lost) */
	POLICY_RESTART, /* it starts again; given up, the run ends */
	POLICY_SPARE,   /* it starts again; given up, the run goes on without it */
};

static struct supervised {
	const char *name, *file;
	bool has_listener;
	enum policy policy;
	uint32_t listener_options;
	bool keeps_handles;
	uint64_t state_size; /* bytes of BOOT_NAME_STATE, of which only those pages exist that were written; 0: none */
	/* state */
	handle_t listener, process, holder;
	bool started, killed; /* killed: its death is on purpose, and does not count */
	uint64_t death[DEATHS_MAX]; /* when it died last; a ring */
	unsigned deaths, starts; /* deaths that count; times it was started again */
	struct native_handle handle[RECORD_NAMES];
	bool given_away[RECORD_NAMES]; /* init's own handle is closed once the server has it, unless it may have to be given again */
	size_t handle_count;
} servers[SERVERS] = {
	[SERVER_CONSOLE] = { "console", "system/console", false, POLICY_RESTART, .keeps_handles = true, .state_size = CONSOLE_STATE_SIZE },
	[SERVER_FS] = { "fs", "system/fs", true, POLICY_RESTART, .listener_options = LISTENER_INTERRUPTS, .keeps_handles = true,
		.state_size = FS_STATE_SIZE },
	[SERVER_PROC] = { "proc", "system/proc", true, POLICY_END },
	[SERVER_SOCKET] = { "socket", "system/socket", true, POLICY_SPARE, .listener_options = LISTENER_INTERRUPTS },
	[SERVER_TERMINAL] = { "terminal", "system/terminal", true, POLICY_RESTART, .listener_options = LISTENER_INTERRUPTS, .state_size = PAGE_SIZE },
};

static handle_t deaths = HANDLE_NONE; /* client of init's listener that death notices come through */

/* A process that never runs, for its handle table */
static handle_t holder_create(void)
{
	static handle_t space = HANDLE_NONE;
	if (space == HANDLE_NONE)
		space = (handle_t)space_create(0);
	int64_t holder = space < 0 ? space : process_create(space, HANDLE_SELF_BUDGET, 0, HANDLE_NONE);
	if (holder < 0)
		server_fail("cannot make a handle table: error %d", (int)-holder);
	return (handle_t)holder;
}

static void state_give(enum server server)
{
	int64_t state = memobj_create(servers[server].state_size, 0);
	if (state < 0)
		server_fail("no memory for the state of %s: error %d", servers[server].name, (int)-state);
	server_give_away(server, BOOT_NAME_STATE, (handle_t)state, servers[server].state_size);
}

void servers_prepare(void)
{
	int64_t client = client_create(init_listener, 0);
	if (client < 0)
		server_fail("cannot make a port: error %d", (int)-client);
	deaths = (handle_t)client;
	for (enum server i = 0; i < SERVERS; i++) {
		servers[i].process = servers[i].listener = HANDLE_NONE;
		servers[i].holder = servers[i].keeps_handles ? holder_create() : HANDLE_NONE;
		if (servers[i].state_size)
			state_give(i);
		if (boot.verbose)
			server_give(i, "verbose", HANDLE_NONE, 0, 1);
		if (!servers[i].has_listener)
			continue;
		int64_t listener = listener_create(servers[i].listener_options);
		if (listener < 0)
			server_fail("cannot make a listener: error %d", (int)-listener);
		servers[i].listener = (handle_t)listener;
		server_give(i, BOOT_NAME_LISTENER, servers[i].listener, 0, 0);
	}
}

void server_give(enum server server, const char *name, handle_t handle, uint32_t rights, uint64_t value)
{
	struct supervised *s = &servers[server];
	if (s->handle_count == RECORD_NAMES)
		server_fail("too many handles for %s", s->name);
	s->handle[s->handle_count++] = (struct native_handle){ .name = name, .handle = handle, .rights = rights, .value = value };
}

void server_set_value(enum server server, const char *name, uint64_t value)
{
	struct supervised *s = &servers[server];
	for (size_t i = 0; i < s->handle_count; i++)
		if (!strcmp(s->handle[i].name, name))
			s->handle[i].value = value;
}

void server_give_away(enum server server, const char *name, handle_t handle, uint64_t value)
{
	server_give(server, name, handle, 0, value);
	servers[server].given_away[servers[server].handle_count - 1] = servers[server].keeps_handles || servers[server].policy == POLICY_END;
}

handle_t server_port(enum server server, uint64_t data)
{
	int64_t client = client_create(servers[server].listener, data);
	if (client < 0)
		server_fail("cannot make a port of %s: error %d", servers[server].name, (int)-client);
	return (handle_t)client;
}

bool server_alive(enum server server)
{
	return __atomic_load_n(&servers[server].process, __ATOMIC_RELAXED) != HANDLE_NONE;
}

void server_start(enum server server)
{
	struct supervised *s = &servers[server];
	struct native_spawn request = {
		.name = s->file,
		.memobj = BOOT_HANDLE_ARCHIVE,
		.budget = HANDLE_SELF_BUDGET,
		.handles = s->handle,
		.handle_count = s->handle_count,
		.shares_handles = s->keeps_handles,
		.successor = s->keeps_handles && s->started,
		.handles_of = s->holder,
	};
	request.image = boot_member(s->file, &request.image_size, &request.memobj_offset);
	if (!request.image)
		server_fail("%s is not in the boot archive", s->file);
	int64_t process = native_spawn(&request);
	if (process < 0)
		server_fail("cannot start %s: error %d", s->file, (int)-process);
	s->process = (handle_t)process;
	int64_t error = process_watch(s->process, deaths, server);
	if (error < 0)
		server_fail("cannot watch %s: error %d", s->name, (int)-error);
	for (size_t i = 0; i < s->handle_count && !s->started; i++)
		if (s->given_away[i] && s->handle[i].handle != HANDLE_NONE)
			handle_close(s->handle[i].handle);
	s->started = true;
	server_log_verbose("started %s", s->name);
}

void servers_memory_log(void)
{
	for (enum server i = 0; i < SERVERS; i++) {
		struct space_info info;
		int64_t space = process_space(servers[i].process);
		if (space < 0)
			continue;
		if (space_get((handle_t)space, &info) >= 0)
			server_log("%s: %lu KiB of its own, %lu KiB of page tables", servers[i].name, info.private_pages * (PAGE_SIZE / 1024),
				info.page_tables * (PAGE_SIZE / 1024));
		handle_close((handle_t)space);
	}
}

/* Has it died too often? */
static bool death_count(struct supervised *s)
{
	uint64_t now = (uint64_t)clock_get(CLOCK_MONOTONIC_ID), *oldest = &s->death[s->deaths % DEATHS_MAX];
	bool too_often = s->deaths >= DEATHS_MAX - 1 && now - s->death[(s->deaths + 1) % DEATHS_MAX] < DEATHS_TIME;
	*oldest = now;
	s->deaths++;
	return too_often;
}

static void give_up(enum server server)
{
	struct supervised *s = &servers[server];
	if (s->keeps_handles)
		handle_close(s->holder);
	if (s->has_listener)
		handle_close(s->listener);
	if (s->policy == POLICY_SPARE) {
		server_log("the system goes on without %s: what needs it fails", s->name);
		return;
	}
	server_log("nothing goes on without %s", s->name);
	run_lost(server);
}

void server_died(uint64_t number, uint32_t status)
{
	if (number >= SERVERS || servers[number].process == HANDLE_NONE)
		return;
	struct supervised *s = &servers[number];
	size_t size = 0;
	const void *image = boot_member(s->file, &size, NULL);
	report_death(s->name, s->process, status, image, size);
	handle_t corpse = s->process;
	__atomic_store_n(&s->process, HANDLE_NONE, __ATOMIC_RELAXED);
	handle_close(corpse); /* no longer needed */
	if (s->policy == POLICY_END || (!s->killed && death_count(s))) {
		give_up((enum server)number);
		return;
	}
	s->killed = false;
	s->starts++;
	server_log("starting %s again", s->name);
	server_set_value((enum server)number, BOOT_NAME_EPOCH, s->starts);
	server_start((enum server)number);
	if (number == SERVER_CONSOLE)
		event_post(EVENT_CONSOLE_AGAIN, 0);
}

bool server_kill(enum server server)
{
	struct supervised *s = &servers[server];
	size_t size = 0;
	const void *image = boot_member(s->file, &size, NULL);
	if (s->process == HANDLE_NONE)
		return false;
	process_suspend(s->process);
	report_place(s->name, s->process, image, size);
	s->killed = process_kill(s->process, SIGNAL_KILL) == 0;
	return s->killed;
}

const char *server_name(enum server server)
{
	return servers[server].name;
}

unsigned long servers_handle_count(void)
{
	unsigned long count = 0;
	for (enum server i = 0; i < SERVERS; i++) {
		struct process_info info;
		if (servers[i].process != HANDLE_NONE && process_get(servers[i].process, &info) == 0)
			count += info.handles;
	}
	return count;
}
