/*
 * The table of servers and what is done when one dies. The table says which file it is, what holds its listener, and whether the system can go on
 * without its state; which handles each gets is said where they are made (streams.c, devices.c, names.c) under the names of boot_names.h.
 */
#include <string.h>
#include "abi/errors.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "user/init/init.h"

#define RESTARTS_MAX 5 /* of one server in one run: a server that keeps dying ends the run */

enum policy {
	POLICY_END,     /* its state dies with it: the run ends with status 125 */
	POLICY_RESTART, /* it starts anew on the same listener; calls in flight fail, new ones wait */
};

static struct supervised {
	const char *name, *file;
	bool has_listener;
	enum policy policy;
	uint32_t listener_options;
	/* state */
	handle_t listener, process;
	unsigned restarts;
	struct native_handle handle[RECORD_NAMES];
	bool given_away[RECORD_NAMES]; /* init's own handle is closed once the server has it, unless it may be started again */
	size_t handle_count;
} servers[SERVERS] = {
	[SERVER_CONSOLE] = { "console", "system/console", false, POLICY_END },
	[SERVER_FS] = { "fs", "system/fs", true, POLICY_END, .listener_options = LISTENER_INTERRUPTS },
	[SERVER_PROC] = { "proc", "system/proc", true, POLICY_END },
	[SERVER_SOCKET] = { "socket", "system/socket", true, POLICY_RESTART, .listener_options = LISTENER_INTERRUPTS },
	[SERVER_TERMINAL] = { "terminal", "system/terminal", true, POLICY_RESTART, .listener_options = LISTENER_INTERRUPTS },
};

static handle_t deaths = HANDLE_NONE; /* client of init's listener that death notices come through */

void servers_prepare(void)
{
	int64_t client = client_create(init_listener, 0);
	if (client < 0)
		server_fail("cannot make a port: error %d", (int)-client);
	deaths = (handle_t)client;
	for (enum server i = 0; i < SERVERS; i++) {
		servers[i].process = servers[i].listener = HANDLE_NONE;
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
	servers[server].given_away[servers[server].handle_count - 1] = servers[server].policy == POLICY_END;
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
	for (size_t i = 0; i < s->handle_count; i++)
		if (s->given_away[i])
			handle_close(s->handle[i].handle);
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
	if (s->policy == POLICY_RESTART && s->restarts++ < RESTARTS_MAX) {
		server_log("starting %s again", s->name);
		server_set_value((enum server)number, BOOT_NAME_EPOCH, s->restarts);
		server_start((enum server)number);
		return;
	}
	server_log("the run ends: nothing goes on without %s", s->name);
	if (number == SERVER_CONSOLE)
		power_off(125);
	handle_close(s->listener); /* whoever waits for it gets an error now */
	event_post(EVENT_RUN_ENDS, 125);
}
