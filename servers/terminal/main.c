/* The terminal server: the console as a terminal. Record names: boot_names.h. */
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/terminal_protocol.h"
#include "terminal.h"

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

	int error = terminal_start(&terminals[0], 0, TERMINAL_DEVICE_CONSOLE, record_handle_required(BOOT_NAME_CONSOLE_INPUT),
		record_handle_required(BOOT_NAME_CONSOLE_OUTPUT));
	if (error < 0)
		server_fail("cannot use the console's channels: error %d", -error);
	terminals[0].window.rows = (uint16_t)record_value(BOOT_NAME_ROWS, 0);
	terminals[0].window.columns = (uint16_t)record_value(BOOT_NAME_COLUMNS, 0);

	static const struct server_port_operations operations = { .request = terminal_request };
	error = server_add_listener(terminal_listener, &operations, NULL);
	if (error < 0)
		server_fail("cannot serve: error %d", -error);
	server_run();
}
