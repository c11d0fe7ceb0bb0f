/*
 * The standard streams of a run. Each of the three is a plain stream (p: a channel straight between program and console driver, no server between)
 * or the terminal (t: the program opens the terminal server's console, whose other side is a channel to the driver).
 *
 *   input   p: driver -> channel -> descriptor 0        t: driver -> channel -> terminal server
 *   output  p: descriptor 1 -> channel -> driver        t: terminal server -> channel -> driver (of output if that is t, else of error)
 *   error   p: descriptor 2 -> channel -> driver        s: the output's descriptor, also called 2
 * A terminal for input only shows nothing: its screen is a null description.
 */
#include <stdarg.h>
#include <string.h>
#include "abi/description.h"
#include "abi/errors.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "user/init/init.h"

#define STREAM_CAPACITY 65536u
#define PACKET_CAPACITY 64u
#define OPEN_READ 0u  /* Linux's O_RDONLY, O_WRONLY, O_RDWR */
#define OPEN_WRITE 1u
#define OPEN_READ_WRITE 2u

struct streams streams;

bool streams_use_terminal(void)
{
	return boot.is_terminal[0] || boot.is_terminal[1] || boot.is_terminal[2];
}

static struct channel_ends channel_make(uint32_t options, uint64_t capacity)
{
	struct channel_ends ends;
	int64_t error = channel_create(options, capacity, &ends);
	if (error < 0)
		server_fail("cannot make a channel: error %d", (int)-error);
	return ends;
}

static handle_t flow_make(handle_t sender, handle_t receiver, uint32_t flags, uint32_t rights, uint64_t cookie)
{
	struct description_request request = {
		.kind = sender == HANDLE_NONE && receiver == HANDLE_NONE ? DESCRIPTION_NULL : DESCRIPTION_FLOW,
		.flags = flags,
		.memobj = HANDLE_NONE,
		.sender = sender,
		.receiver = receiver,
		.control = HANDLE_NONE,
		.event = HANDLE_NONE,
		.rights = rights,
		.cookie = cookie,
	};
	int64_t description = description_create(&request);
	if (description < 0)
		server_fail("cannot make a stream: error %d", (int)-description);
	/* what init keeps lies in the high range; it runs no Linux calls on them */
	int64_t high = handle_duplicate((handle_t)description, HANDLE_HIGH, 0, 0);
	if (high < 0)
		server_fail("cannot keep a stream: error %d", (int)-high);
	handle_close((handle_t)description);
	return (handle_t)high;
}

static handle_t reader_make(handle_t receiver, uint32_t flags)
{
	return flow_make(HANDLE_NONE, receiver, flags, RIGHT_READ, FILE_COOKIE(FILE_KIND_PIPE, OPEN_READ));
}

static handle_t writer_make(handle_t sender, uint32_t flags)
{
	return flow_make(sender, HANDLE_NONE, flags, RIGHT_WRITE, FILE_COOKIE(FILE_KIND_PIPE, OPEN_WRITE));
}

static void input_prepare(void)
{
	struct channel_ends ends = channel_make(CHANNEL_STREAM, STREAM_CAPACITY);
	server_give_away(SERVER_CONSOLE, "input", writer_make(ends.sender, DESCRIPTION_NON_BLOCKING), 0);
	if (boot.is_terminal[0]) {
		server_give_away(SERVER_TERMINAL, BOOT_NAME_CONSOLE_INPUT, reader_make(ends.receiver, DESCRIPTION_NON_BLOCKING), 0);
		return;
	}
	streams.standard[0] = reader_make(ends.receiver, 0);
	/* nobody types at the terminal: a channel whose writing end init keeps for ever */
	struct channel_ends silent = channel_make(CHANNEL_STREAM, STREAM_CAPACITY);
	server_give_away(SERVER_TERMINAL, BOOT_NAME_CONSOLE_INPUT, reader_make(silent.receiver, DESCRIPTION_NON_BLOCKING), 0);
}

/* proc tells the ends that a program's own library cannot. It never waits for the stream, and not for a terminal's, whose server calls proc. */
static void trace_proc_prepare(handle_t sender)
{
	int64_t again = handle_duplicate(sender, HANDLE_HIGH, 0, 0);
	if (again >= 0)
		server_give_away(SERVER_PROC, BOOT_NAME_TRACE, writer_make((handle_t)again, DESCRIPTION_NON_BLOCKING), 0);
}

/* For the trace too, when this stream is the standard error. */
static void plain_prepare(unsigned stream, handle_t sender)
{
	bool traced = boot.trace && stream == (boot.error_is_output ? 1 : 2);
	if (traced)
		trace_proc_prepare(sender);
	int64_t again = traced ? handle_duplicate(sender, HANDLE_HIGH, 0, 0) : HANDLE_NONE;
	if (again >= 0) /* flags the program sets on its descriptor must not change the trace's */
		streams.trace = writer_make((handle_t)again, 0);
	streams.standard[stream] = writer_make(sender, 0);
}

static void output_prepare(void)
{
	static const char *const names[] = { NULL, "output", "error" };
	bool terminal_shown = false;
	for (unsigned i = 1; i < 3; i++) {
		if (boot.is_terminal[i] && terminal_shown)
			continue;
		if (i == 2 && boot.error_is_output) {
			streams.standard[2] = streams.standard[1];
			continue;
		}
		struct channel_ends ends = channel_make(CHANNEL_STREAM, STREAM_CAPACITY);
		server_give_away(SERVER_CONSOLE, names[i], reader_make(ends.receiver, DESCRIPTION_NON_BLOCKING), 0);
		if (boot.is_terminal[i]) {
			server_give_away(SERVER_TERMINAL, BOOT_NAME_CONSOLE_OUTPUT, writer_make(ends.sender, DESCRIPTION_NON_BLOCKING), 0);
			terminal_shown = true;
		} else {
			plain_prepare(i, ends.sender);
		}
	}
	if (!terminal_shown)
		server_give_away(SERVER_TERMINAL, BOOT_NAME_CONSOLE_OUTPUT,
			flow_make(HANDLE_NONE, HANDLE_NONE, 0, RIGHT_WRITE, FILE_COOKIE(FILE_KIND_DEVICE, OPEN_WRITE)), 0);
}

void streams_prepare(void)
{
	for (unsigned i = 0; i < 3; i++)
		streams.standard[i] = HANDLE_NONE;
	streams.trace = HANDLE_NONE;
	struct channel_ends events = channel_make(CHANNEL_PACKET, PACKET_CAPACITY), commands = channel_make(CHANNEL_PACKET, PACKET_CAPACITY);
	streams.events = events.receiver;
	int64_t sender = handle_duplicate(events.sender, HANDLE_HIGH, 0, 0);
	if (sender < 0)
		server_fail("cannot keep a channel: error %d", (int)-sender);
	streams.events_sender = (handle_t)sender;
	streams.commands = commands.sender;
	server_give_away(SERVER_CONSOLE, "events", events.sender, 0);
	server_give_away(SERVER_CONSOLE, "commands", commands.receiver, 0);
	input_prepare();
	output_prepare();
}

static handle_t terminal_open(handle_t terminal_root, uint64_t flags)
{
	static const char name[] = "console";
	struct { struct file_path path; char name[sizeof name]; } range = { { .path_length = sizeof name - 1 }, "console" };
	uint64_t words[] = { FILE_OPEN, flags, 0 };
	struct message reply;
	int64_t result = server_call(terminal_root, words, 3, &range, sizeof range.path + sizeof name - 1, NULL, 0, &reply);
	if (result != 0 || reply.handle_count < 1) {
		server_log("cannot open the terminal: error %d", (int)-result);
		return HANDLE_NONE;
	}
	return reply.handle[0];
}

bool streams_open_terminal(handle_t terminal_root)
{
	if (!streams_use_terminal())
		return false;
	handle_t terminal = terminal_open(terminal_root, OPEN_READ_WRITE);
	for (unsigned i = 0; terminal != HANDLE_NONE && i < 3; i++)
		if (boot.is_terminal[i])
			streams.standard[i] = terminal;
	if (boot.trace && boot.is_terminal[2])
		streams.trace = terminal_open(terminal_root, OPEN_WRITE);
	return terminal != HANDLE_NONE;
}

void streams_release(void)
{
	for (unsigned i = 0; i < 3; i++) {
		bool again = false; /* terminal streams share one handle */
		for (unsigned j = 0; j < i; j++)
			again = again || streams.standard[j] == streams.standard[i];
		if (streams.standard[i] != HANDLE_NONE && !again)
			handle_close(streams.standard[i]);
	}
	for (unsigned i = 0; i < 3; i++)
		streams.standard[i] = HANDLE_NONE;
	if (streams.trace != HANDLE_NONE)
		handle_close(streams.trace);
	streams.trace = HANDLE_NONE;
}

void streams_complain(const char *format, ...)
{
	char line[512];
	va_list arguments;
	va_start(arguments, format);
	int length = format_text(line, sizeof line - 1, format, arguments);
	va_end(arguments);
	if (length > (int)sizeof line - 2)
		length = (int)sizeof line - 2;
	server_log("%s", line);
	line[length++] = '\n';
	if (streams.standard[2] != HANDLE_NONE)
		description_write(streams.standard[2], line, (size_t)length);
}
