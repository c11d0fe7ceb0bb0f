/*
 * The process server. Record names: boot_names.h. Everything that arrives on its one listener is told apart by the port's data word: processes
 * (ordinary or privileged), death notices, and the files of /proc.
 */
#include <errno.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "files.h"
#include "job.h"
#include "operations.h"
#include "process.h"

#define PROCESS_EXTRA 256u /* bytes of a process beside its structure: path, job, what malloc adds */

static int64_t request(void *context, struct server_request *request)
{
	(void)context;
	switch (request->port_data) {
	case PROCESS_PORT_ORDINARY:
	case PROCESS_PORT_SYSTEM:
		return proc_request(request);
	case PROCESS_PORT_WATCH:
		return -EPERM;
	default:
		return request->port_data == PROCESS_PORT_FILES || (request->port_data & FILES_WORD) ? files_request(request) : -EPERM;
	}
}

static void death(void *context, uint64_t port_data, uint64_t word, uint32_t status)
{
	(void)context;
	if (port_data == PROCESS_PORT_WATCH)
		proc_death(word, status);
}

int main(void)
{
	proc_listener = record_handle_required(BOOT_NAME_LISTENER);
	handle_t table = record_handle_required(BOOT_NAME_PROCESS_TABLE);
	files_device = record_value(BOOT_NAME_DEVICE, 2);
	for (uint32_t limit = 1u << 24; limit > 1024 && handle_limit(limit) < 0;)
		limit /= 2;

	struct map_request map = {
		.length = PROCESS_SLOTS * sizeof(struct process_slot), .memobj = table, .protection = PROTECT_READ | PROTECT_WRITE,
		.low = 0x100000000ul, .high = VALUE_SPACE_START,
	};
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		server_fail("cannot map the process table: error %d", (int)-address);
	process_slots = (struct process_slot *)address;
	uint64_t memory = record_value(BOOT_NAME_MEMORY, 0);
	if (memory) { /* of which an eighth is left for whatever is asked at the moment */
		job_limit(memory / 2 / (sizeof(struct process) + PROCESS_EXTRA));
		process_command_limit(memory / 4);
		extra_limit(memory / 8);
	}
	if (!process_table_start((uint64_t)clock_get(CLOCK_MONOTONIC_ID)))
		server_fail("no memory for the first process");
	int64_t watch = client_create(proc_listener, PROCESS_PORT_WATCH);
	if (watch < 0)
		server_fail("cannot make a port for death notices: error %d", (int)-watch);
	proc_watch_port = (handle_t)watch;
	text_start();
	files_start();

	static const struct server_port_operations operations = { .request = request, .death = death };
	int error = server_add_listener(proc_listener, &operations, NULL);
	if (error < 0)
		server_fail("cannot serve: error %d", -error);
	proc_set_alarm();
	server_run();
}
