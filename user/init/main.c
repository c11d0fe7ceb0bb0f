/*
 * The first process, and the story of a run:
 *
 *   read what was told --> make listeners, channels, ports --> start console, fs, proc, terminal --> build the namespace
 *     --> start the program --> events --> the program has ended --> kill what is left, hand over all output, tell the status, power off
 *
 * Two threads. The first is the supervisor: it waits for death notices only and calls no server, so it can start one again while others
 * wait for it. The second tells the story: it calls servers, and may wait for one that is being started again. A third waits for the
 * program (program.c). What the second hears comes through one packet channel: from the console driver, and from the other two.
 */
#include <pthread.h>
#include <string.h>
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/console_protocol.h"
#include "carillon/process_protocol.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "carillon/terminal_protocol.h"
#include "user/init/init.h"

#define STATUS_FAILED 125u
#define TERMINAL_CONSOLE 0u
#define TERMINAL_EVENTS 256u /* packets */

handle_t init_listener = HANDLE_NONE;

static struct {
	bool ending;
	bool failed; /* a server that nothing goes on without has died */
	unsigned status;
} run;

_Noreturn void power_off(unsigned status)
{
	for (;;)
		system_power(BOOT_HANDLE_RESOURCE, POWER_OFF, status);
}

static void exit_command(void)
{
	struct message command = { .word = { CONSOLE_COMMAND_EXIT, run.status, run.failed } };
	if (channel_send(streams.commands, &command, CHANNEL_NON_BLOCKING, 0) < 0)
		power_off(run.status);
}

void run_end(unsigned status)
{
	if (run.ending)
		return;
	run.ending = true;
	run.status = status;
	server_log_verbose("the run ends with status %u", status);
	if (server_alive(SERVER_PROC)) {
		uint64_t words[] = { PROC_KILL_ALL };
		server_call(ports.proc_system, words, 1, NULL, 0, NULL, 0, NULL);
	}
	if (streams_use_terminal() && server_alive(SERVER_TERMINAL)) {
		uint64_t words[] = { TERMINAL_DRAIN, TERMINAL_CONSOLE };
		server_call(ports.terminal_system, words, 2, NULL, 0, NULL, 0, NULL);
	}
	streams_release();
	killer_count("at the end");
	exit_command();
}

void run_lost(enum server server)
{
	if (boot.restarts) {
		server_log("the system starts anew");
		for (;;)
			system_power(BOOT_HANDLE_RESOURCE, POWER_RESTART, STATUS_FAILED);
	}
	if (server == SERVER_CONSOLE)
		power_off(STATUS_FAILED);
	event_post(EVENT_RUN_ENDS, STATUS_FAILED);
}

/* -- events */

static void terminal_tell(uint64_t operation, uint64_t first, uint64_t second)
{
	if (!streams_use_terminal() || !server_alive(SERVER_TERMINAL))
		return;
	uint64_t words[] = { operation, TERMINAL_CONSOLE, first, second };
	server_call(ports.terminal_system, words, 4, NULL, 0, NULL, 0, NULL);
}

static void event_handle(const uint64_t *word)
{
	switch (word[0]) {
	case EVENT_PROGRAM_ENDED:
		run_end(program_exit_status((uint32_t)word[1]));
		break;
	case EVENT_CONSOLE_AGAIN:
		if (run.ending)
			exit_command();
		break;
	case EVENT_RUN_ENDS:
		run.failed = true;
		run_end((unsigned)word[1]);
		break;
	case CONSOLE_EVENT_WINDOW:
		server_set_value(SERVER_TERMINAL, BOOT_NAME_ROWS, word[1]);
		server_set_value(SERVER_TERMINAL, BOOT_NAME_COLUMNS, word[2]);
		terminal_tell(TERMINAL_SET_WINDOW, word[1], word[2]);
		break;
	case CONSOLE_EVENT_INPUT_ENDED:
		if (boot.is_terminal[0])
			terminal_tell(TERMINAL_INPUT_END, 0, 0);
		break;
	case CONSOLE_EVENT_HANGUP:
		/* the terminal's screen is the first of output and error that is a terminal */
		if ((word[1] == 1 && boot.is_terminal[1]) || (word[1] == 2 && boot.is_terminal[2] && !boot.is_terminal[1]))
			terminal_tell(TERMINAL_HANGUP, 0, 0);
		break;
	case CONSOLE_EVENT_INTERRUPT:
		program_signal((unsigned)word[1]);
		break;
	case CONSOLE_EVENT_EXITED:
		if (run.ending)
			power_off(run.status);
		break;
	}
}

void event_post(uint64_t event, uint64_t value)
{
	struct message message = { .word = { event, value } };
	if (channel_send(streams.events_sender, &message, CHANNEL_NON_BLOCKING, 0) < 0)
		power_off(STATUS_FAILED);
}

/* -- the supervisor's listener: nothing but death notices */

static int64_t handle_request(void *context, struct server_request *request)
{
	(void)context;
	(void)request;
	return -ENOSYS;
}

static void handle_death(void *context, uint64_t port_data, uint64_t word, uint32_t status)
{
	(void)context;
	(void)port_data;
	server_died(word, status);
}

/* -- starting */

/* The library image as an object of its own, so that programs that map it see the image and no other member of the archive. */
static handle_t library_image(void)
{
	size_t size;
	uint64_t offset;
	const void *bytes = boot_member("system/library", &size, &offset);
	if (!bytes) {
		server_log("system/library is not in the boot archive: no Linux program can run");
		return HANDLE_NONE;
	}
	int64_t image = memobj_clone(BOOT_HANDLE_ARCHIVE, offset, (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1));
	if (image == -EINVAL) { /* an archive that lies where the boot loader put it cannot be cloned */
		image = memobj_create(size, 0);
		for (size_t at = 0; image >= 0 && at < size;) {
			int64_t count = memobj_write((handle_t)image, at, (const char *)bytes + at, size - at);
			if (count <= 0)
				server_fail("cannot copy the library image: error %d", (int)-count);
			at += (size_t)count;
		}
	}
	if (image < 0)
		server_fail("cannot share the library image: error %d", (int)-image);
	return (handle_t)image;
}

static void record_prepare(struct process_record *record, handle_t process_table)
{
	record->process_port = HANDLE_NONE;
	record->process_table = process_table;
	int64_t time = memobj_time();
	record->time_page = time < 0 ? HANDLE_NONE : (handle_t)time;
	record->library_image = library_image();
	for (unsigned i = 0; i < 16; i++)
		record->limits[i][0] = record->limits[i][1] = UINT64_MAX;
	record->limits[3][0] = 8ul << 20;   /* RLIMIT_STACK */
	record->limits[4][0] = 0;           /* RLIMIT_CORE */
	record->limits[7][0] = 1024;        /* RLIMIT_NOFILE */
	record->limits[7][1] = 65536;
}

/* What a terminal server leaves to its successor; init keeps both ends. */
static void terminal_keeper_give(void)
{
	struct channel_ends events;
	if (channel_create(CHANNEL_PACKET, TERMINAL_EVENTS, &events) < 0)
		server_fail("cannot make the terminal's channel");
	server_give(SERVER_TERMINAL, BOOT_NAME_EVENTS_IN, events.receiver, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_EVENTS_OUT, events.sender, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_ROWS, HANDLE_NONE, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_COLUMNS, HANDLE_NONE, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_UTF8, HANDLE_NONE, 0, boot.utf8);
}

/* What a socket server leaves to its successor. */
static void socket_keeper_give(void)
{
	struct channel_ends keeper;
	if (channel_create(CHANNEL_PACKET, BOOT_KEEPER_ROOM, &keeper) < 0)
		server_fail("cannot make the socket server's channel");
	server_give(SERVER_SOCKET, BOOT_NAME_KEEPER_IN, keeper.receiver, 0, 0);
	server_give(SERVER_SOCKET, BOOT_NAME_KEEPER_OUT, keeper.sender, 0, 0);
	server_give(SERVER_SOCKET, BOOT_NAME_EPOCH, HANDLE_NONE, 0, 0);
}

/* What part of what is kept for servers (servers_reserve) each may take for its callers; fs may take half as much again for its records. */
static const uint8_t memory_part[SERVERS] = {
	[SERVER_CONSOLE] = 32, [SERVER_FS] = 3, [SERVER_PROC] = 3, [SERVER_SOCKET] = 16, [SERVER_TERMINAL] = 16,
};

static void servers_start(void)
{
	struct system_info info;
	int64_t table = memobj_create(PROCESS_SLOTS * sizeof(struct process_slot), 0);
	if (table < 0)
		server_fail("cannot make the process table: error %d", (int)-table);
	record_prepare(process_record(), (handle_t)table);

	server_give(SERVER_FS, BOOT_NAME_ARCHIVE, BOOT_HANDLE_ARCHIVE, 0, 0);
	server_give(SERVER_FS, BOOT_NAME_ARCHIVE_SIZE, HANDLE_NONE, 0, boot.archive_size);
	if (system_get(&info) < 0)
		server_fail("the system does not tell its memory");
	uint64_t pages = info.pages_free / 2 + boot.archive_size / PAGE_SIZE; /* half of memory, as Linux has it, and what is there already */
	int64_t limit = budget_create(HANDLE_NONE, pages);
	if (limit < 0)
		server_fail("cannot limit files: error %d", (int)-limit);
	server_give(SERVER_FS, BOOT_NAME_PAGES, (handle_t)limit, 0, pages);
	for (enum server i = 0; i < SERVERS; i++)
		server_give(i, BOOT_NAME_MEMORY, HANDLE_NONE, 0, servers_reserve() * PAGE_SIZE / memory_part[i]);
	server_give(SERVER_PROC, BOOT_NAME_PROCESS_TABLE, (handle_t)table, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_PROCESS_TABLE, (handle_t)table, RIGHT_READ | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0);
	terminal_keeper_give();
	socket_keeper_give();
	server_give(SERVER_TERMINAL, BOOT_NAME_PROC, ports.proc_system, 0, 0);
	server_give(SERVER_TERMINAL, BOOT_NAME_FILES, ports.fs_root, 0, 0);

	server_start(SERVER_CONSOLE);
	server_start(SERVER_FS);
	server_start(SERVER_PROC);
	server_start(SERVER_TERMINAL);
	server_start(SERVER_SOCKET);
}

static void program_begin(void)
{
	int64_t error = names_build(process_record());
	if (!error) {
		streams_open_terminal(ports.terminal_root);
		error = program_start();
	} else {
		server_log("no root directory: error %d", (int)-error);
	}
	if (error == -EPIPE || error == -EIO) /* a server is gone, even if its death has not been told yet */
		run.failed = true;
	if (error)
		run_end(STATUS_FAILED);
	else if (boot.verbose)
		servers_memory_log();
	killer_count("at the start");
	killer_program_runs();
}

static void *story(void *argument)
{
	(void)argument;
	program_begin();
	for (;;) {
		struct message message = { 0 };
		int64_t result = channel_receive(streams.events, &message, 0, DEADLINE_NEVER);
		if (result >= 0)
			event_handle(message.word);
		else if (result != -EINTR)
			power_off(STATUS_FAILED);
	}
	return NULL;
}

int main(void)
{
	static const struct server_port_operations operations = { .request = handle_request, .death = handle_death };
	boot_read();
	int64_t listener = listener_create(0);
	if (listener < 0)
		server_fail("cannot make a listener: error %d", (int)-listener);
	init_listener = (handle_t)listener;
	if (server_add_listener(init_listener, &operations, NULL) < 0)
		server_fail("cannot wait");

	servers_prepare();
	names_prepare();
	streams_prepare();
	if (!device_give_console())
		server_fail("no console device");
	servers_start();
	pthread_t thread;
	int error = pthread_create(&thread, NULL, story, NULL);
	if (error)
		server_fail("cannot start the second thread: error %d", error);
	killer_start();
	server_run();
}
