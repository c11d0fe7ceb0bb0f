/*
 * The program of a run: started as a Linux process below pid 1 in its own session, with the terminal as its controlling terminal if it has one,
 * and waited for.
 *
 * proc answers PROC_WATCH_EXIT only when the program has died, so a thread of its own makes that call and posts the status as an event.
 * It uses nothing but native calls: it has neither TLS nor a place in libc's list of threads.
 */
#include <errno.h>
#include <string.h>
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/linux.h"
#include "carillon/process_protocol.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "carillon/terminal_protocol.h"
#include "user/init/init.h"

#define TERMINAL_CONSOLE 0u
#define SIGNAL_KILL 9u
#define RESERVE_PART 7u     /* of memory is kept for the servers, */
#define RESERVE_MIN 2048u   /* but at least so many pages */

static struct {
	uint32_t pid;
	bool running;
	_Alignas(16) unsigned char stack[8192]; /* of the waiting thread */
} program;

extern void native_thread_entry(void);

unsigned program_exit_status(uint32_t wait_status)
{
	unsigned signal = wait_status & 0x7f;
	return signal ? 128 + signal : wait_status >> 8 & 0xff;
}

/* In the waiting thread */
static int wait_for_exit(void *argument)
{
	(void)argument;
	struct message message;
	int64_t result;
	do {
		message = (struct message){ .word = { PROC_WATCH_EXIT, program.pid } };
		result = port_call(ports.proc_system, &message, 0);
	} while (result == -EINTR);
	if (result >= 0) /* else proc has died, which the supervisor deals with */
		event_post(EVENT_PROGRAM_ENDED, (int64_t)message.word[0] < 0 ? SIGNAL_KILL : message.word[1]);
	for (;;)
		thread_exit(0, 0, 0);
	return 0;
}

/* Is the thread in its call? */
static bool thread_waits(uint64_t number)
{
	struct thread_info info[16];
	int64_t count = thread_list(HANDLE_SELF_PROCESS, info, 16);
	for (int64_t i = 0; i < count && i < 16; i++)
		if (info[i].number == number)
			return info[i].state == THREAD_STATE_WAITING || info[i].state == THREAD_STATE_WAITING_KILLABLE;
	return true; /* it is over, so it has had its answer */
}

/* Before the program runs: proc must hear of the watch before it can hear of the death, or it has forgotten the program by then. */
static void watch_start(void)
{
	struct thread_start start = {
		.entry = (uint64_t)native_thread_entry,
		.stack = (uint64_t)(program.stack + sizeof program.stack),
		.argument = { (uint64_t)wait_for_exit, 0 },
	};
	int64_t thread = thread_create(HANDLE_SELF_PROCESS, &start);
	if (thread < 0)
		server_fail("cannot start the thread that waits for the program: error %d", (int)-thread);
	while (!thread_waits((uint64_t)thread))
		thread_yield();
}

/* proc knows the program and it does not run yet: give it the terminal. */
static void program_registered(void *context, uint32_t pid)
{
	(void)context;
	program.pid = pid;
	program.running = true;
	watch_start();
	if (!streams_use_terminal())
		return;
	uint64_t words[] = { TERMINAL_ATTACH, TERMINAL_CONSOLE, pid };
	int64_t result = server_call(ports.terminal_system, words, 3, NULL, 0, NULL, 0, NULL);
	if (result < 0)
		server_log("the program has no controlling terminal: error %d", (int)-result);
}

uint64_t servers_reserve(void)
{
	struct system_info info = { 0 };
	system_get(&info);
	return info.pages_total / RESERVE_PART > RESERVE_MIN ? info.pages_total / RESERVE_PART : RESERVE_MIN;
}

/* A budget for programs (HANDLE_NONE: init's own): what is free, less a part kept for the servers, so that a program that takes everything meets its own limit first. */
static handle_t program_budget(void)
{
	struct system_info info;
	if (system_get(&info) < 0)
		return HANDLE_NONE;
	uint64_t kept = servers_reserve();
	int64_t budget = info.pages_free > 2 * kept ? budget_create(HANDLE_SELF_BUDGET, info.pages_free - kept) : -ENOMEM;
	return budget < 0 ? HANDLE_NONE : (handle_t)budget;
}

int64_t program_start(void)
{
	struct process_record *record = process_record();
	int64_t error = linux_native_start(record);
	if (error < 0) {
		streams_complain("carillon: the Linux library does not start: %s", strerror((int)-error));
		return error;
	}
	struct linux_spawn options = {
		.descriptor = { streams.standard[0], streams.standard[1], streams.standard[2] },
		.process_port = ports.proc_ordinary,
		.system_port = ports.proc_system,
		.socket_port = ports.socket_ordinary,
		.library_image = record->library_image,
		.process_table = record->process_table,
		.time_page = record->time_page,
		.budget = program_budget(),
		.parent = 1,
		.flags = boot.trace ? RECORD_TRACE : 0,
		.trace_stream = streams.trace,
		.directory = boot.directory,
		.registered = program_registered,
	};
	int64_t pid = linux_spawn(linux_native_thread(), boot.path, boot.arguments, boot.environment, &options);
	if (pid < 0) {
		program.running = false;
		streams_complain("carillon: cannot run %s: %s", boot.path, strerror((int)-pid));
		return pid;
	}
	streams_release();
	return 0;
}

void program_signal(unsigned signal)
{
	if (!program.running)
		return;
	uint64_t words[] = { PROC_KILL, program.pid, signal };
	int64_t result = server_call(ports.proc_system, words, 3, NULL, 0, NULL, 0, NULL);
	if (result < 0 && result != -ESRCH)
		server_log("signal %u could not be sent: error %d", signal, (int)-result);
}
