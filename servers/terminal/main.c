/* The terminal server: the console and pseudo terminals. Record names: boot_names.h. */
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/terminal_protocol.h"
#include "terminal.h"

static void interrupted(void *context, uint32_t reply)
{
	(void)context;
	terminal_interrupt(reply);
}

int main(void)
{
	terminal_listener = record_handle_required(BOOT_NAME_LISTENER);
	terminal_proc = record_handle_required(BOOT_NAME_PROC);
	terminal_device_number = record_value(BOOT_NAME_DEVICE, 3);
	handle_t table = record_handle(BOOT_NAME_PROCESS_TABLE);
	if (table == HANDLE_NONE)
		table = process_record()->process_table;
	struct map_request map = {
		.length = PROCESS_SLOTS * sizeof(struct process_slot), .memobj = table, .protection = PROTECT_READ,
		.low = 0x100000000ul, .high = VALUE_SPACE_START,
	};
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		server_fail("cannot map the process table: error %d", (int)-address);
	terminal_slots = (const struct process_slot *)address;

	handle_t event = keeper_start(record_handle_required(BOOT_NAME_EVENTS_OUT), record_handle_required(BOOT_NAME_EVENTS_IN));
	if (event == HANDLE_NONE) {
		int64_t created = event_create(READY_OUT, EVENT_MASK);
		if (created < 0)
			server_fail("no event for the console: error %d", (int)-created);
		event = (handle_t)created;
	}
	pseudo_start();
	int error = terminal_start(&console, TERMINAL_DEVICE_CONSOLE, event, record_handle_required(BOOT_NAME_CONSOLE_INPUT),
		record_handle_required(BOOT_NAME_CONSOLE_OUTPUT));
	if (error < 0)
		server_fail("cannot use the console's channels: error %d", -error);
	if (!kept_start(&console) && record_value(BOOT_NAME_UTF8, 0))
		console.discipline.attributes.input |= T_IUTF8;
	keeper_keep(event, true);
	job_adopt(&console);
	console.window.rows = (uint16_t)record_value(BOOT_NAME_ROWS, 0);
	console.window.columns = (uint16_t)record_value(BOOT_NAME_COLUMNS, 0);

	keyboard_start(record_handle_required(BOOT_NAME_FILES));

	static const struct server_port_operations operations = { .request = terminal_request, .closed = terminal_port_closed, .interrupted = interrupted };
	error = server_add_listener(terminal_listener, &operations, NULL);
	terminal_update(&console);
	if (error < 0)
		server_fail("cannot serve: error %d", -error);
	server_run();
}
