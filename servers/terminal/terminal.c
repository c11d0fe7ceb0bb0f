/* Terminals; terminal.h has the rules. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "carillon/calls.h"
#include "terminal.h"

#define TENTH 100000000ul /* of a second, VTIME's unit */

struct terminal console;
static uint8_t read_buffer[INPUT_MAX];

static bool canonical(const struct terminal *terminal)
{
	return terminal->discipline.attributes.local & T_ICANON;
}

static uint64_t now(void)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
}

struct terminal_wait *terminal_wait_add(struct terminal *terminal, enum terminal_wait_kind kind, size_t bytes)
{
	struct terminal_wait *wait = calloc(1, sizeof *wait + bytes);
	if (!wait)
		return NULL;
	wait->kind = kind;
	wait->deadline = DEADLINE_NEVER;
	struct terminal_wait **place = &terminal->waits;
	while (*place)
		place = &(*place)->next;
	*place = wait;
	return wait;
}

/* -- reading */

/* Whether the read at the head can be answered now */
static bool read_ready(struct terminal *terminal, struct terminal_wait *wait)
{
	struct discipline *discipline = &terminal->discipline;
	if (terminal->hung_up)
		return true;
	if (canonical(terminal))
		return discipline_readable(discipline, 1) || terminal->input_ended;
	size_t available = discipline_available(discipline), minimum = discipline->attributes.character[C_MIN];
	uint64_t interval = discipline->attributes.character[C_TIME] * TENTH;
	if (available >= (minimum && minimum < wait->length ? minimum : wait->length) || (minimum && available >= minimum) || terminal->input_ended)
		return true;
	if (!interval)
		return minimum == 0;
	if (!minimum && available)
		return true;
	/* with VMIN the clock runs between bytes, so it starts with the first one; without, from the start */
	if (minimum ? available > wait->seen : wait->deadline == DEADLINE_NEVER)
		wait->deadline = now() + interval;
	wait->seen = available;
	return wait->deadline != DEADLINE_NEVER && now() >= wait->deadline;
}

static bool answer_read(struct terminal *terminal, struct terminal_wait *wait)
{
	size_t elements = 0, count = 0;
	if (!terminal->hung_up)
		count = discipline_peek(&terminal->discipline, read_buffer, wait->length < INPUT_MAX ? wait->length : INPUT_MAX, &elements);
	if (server_answer(wait->reply, (int64_t)count, NULL, read_buffer, count) < 0)
		return false;
	discipline_consume(&terminal->discipline, elements);
	return true;
}

int64_t terminal_read(struct terminal *terminal, struct server_request *request)
{
	size_t length = request->word[2] < request->room ? request->word[2] : request->room;
	if (terminal->hung_up || length == 0)
		return 0;
	int64_t error = job_check(terminal, request->badge, SIGTTIN, JOB_BLOCKED_UNKNOWN);
	if (error)
		return error;
	struct discipline *discipline = &terminal->discipline;
	if ((request->word[3] & DESCRIPTION_NON_BLOCKING) && !discipline_readable(discipline, 1) && !terminal->input_ended &&
		(canonical(terminal) || discipline->attributes.character[C_MIN] || discipline->attributes.character[C_TIME]))
		return -EAGAIN;
	struct terminal_wait *wait = terminal_wait_add(terminal, WAIT_READ, 0);
	if (!wait)
		return -ENOMEM;
	wait->reply = server_defer(request);
	wait->length = length;
	if (request->word[3] & DESCRIPTION_NON_BLOCKING)
		wait->deadline = 0; /* there is something: answered by the update, whatever VMIN says */
	terminal_update(terminal);
	return SERVER_DEFERRED;
}

/* -- writing */

int64_t terminal_write(struct terminal *terminal, struct server_request *request)
{
	if (terminal->hung_up || (!terminal->pseudo && terminal->output == HANDLE_NONE))
		return -EIO;
	if (terminal->discipline.attributes.local & T_TOSTOP) {
		int64_t error = job_check(terminal, request->badge, SIGTTOU, JOB_BLOCKED_UNKNOWN);
		if (error)
			return error;
	}
	size_t done = 0;
	bool queued = false;
	for (struct terminal_wait *wait = terminal->waits; wait; wait = wait->next)
		queued = queued || wait->kind == WAIT_WRITE;
	if (!queued)
		done = discipline_write(&terminal->discipline, request->data, request->size);
	while (done < request->size && !queued) { /* what has left makes room at once, as a rule */
		terminal_update(terminal);
		size_t more = discipline_write(&terminal->discipline, request->data + done, request->size - done);
		if (!more)
			break;
		done += more;
	}
	int64_t result = (int64_t)done;
	if (done < request->size && (request->word[3] & DESCRIPTION_NON_BLOCKING))
		result = done ? (int64_t)done : -EAGAIN;
	else if (done < request->size) {
		struct terminal_wait *wait = terminal_wait_add(terminal, WAIT_WRITE, request->size);
		if (!wait)
			return done ? (int64_t)done : -ENOMEM;
		memcpy(wait->data, request->data, request->size);
		wait->reply = server_defer(request);
		wait->length = request->size;
		wait->done = done;
		result = SERVER_DEFERRED;
	}
	terminal_update(terminal);
	return result;
}

int64_t terminal_drain(struct terminal *terminal, struct server_request *request, const struct terminal_attributes *attributes, bool flush)
{
	if (terminal->pseudo) { /* as on Linux: what the other side can read has left */
		if (flush)
			terminal_flush_input(terminal);
		if (attributes)
			terminal_set_attributes(terminal, attributes);
		terminal_update(terminal);
		return 0;
	}
	struct terminal_wait *wait = terminal_wait_add(terminal, WAIT_DRAIN, sizeof *attributes);
	if (!wait)
		return -ENOMEM;
	wait->reply = server_defer(request);
	wait->flush_input = flush;
	if (attributes) {
		wait->set_attributes = true;
		memcpy(wait->data, attributes, sizeof *attributes);
	}
	terminal_update(terminal);
	return SERVER_DEFERRED;
}

void terminal_set_attributes(struct terminal *terminal, const struct terminal_attributes *attributes)
{
	struct terminal_attributes old = terminal->discipline.attributes, set = *attributes;
	if (terminal->pseudo)
		set.control = (set.control & ~(T_CSIZE | T_PARENB)) | T_CS8 | T_CREAD; /* there is no line that it could be otherwise on */
	discipline_set_attributes(&terminal->discipline, &set);
	kept_save(terminal);
	if (!terminal->pseudo)
		return;
	bool old_flow = (old.input & T_IXON) && old.character[C_STOP] == 19 && old.character[C_START] == 17;
	bool new_flow = (set.input & T_IXON) && set.character[C_STOP] == 19 && set.character[C_START] == 17;
	bool external = (old.local | set.local) & T_EXTPROC;
	if (old_flow != new_flow || external)
		pseudo_tell_status(terminal, PACKET_DO_STOP | PACKET_NO_STOP,
			(new_flow ? PACKET_DO_STOP : PACKET_NO_STOP) | (external ? PACKET_IOCTL : 0));
}

void terminal_flush_input(struct terminal *terminal)
{
	discipline_flush_input(&terminal->discipline);
	if (!terminal->pseudo)
		return;
	pseudo_flush_queue(terminal);
	pseudo_tell_status(terminal, 0, PACKET_FLUSH_READ);
}

/* Sends what the console takes. True if anything went out. */
static bool pump(struct terminal *terminal)
{
	const uint8_t *bytes;
	size_t length;
	bool moved = false, full = false;
	if (terminal->pseudo)
		return false;
	while (terminal->output != HANDLE_NONE && !full && (length = discipline_pending_output(&terminal->discipline, &bytes))) {
		int64_t sent = description_write(terminal->output, bytes, length);
		if (sent > 0) {
			discipline_sent(&terminal->discipline, (size_t)sent);
			moved = true;
		} else if (sent == -EAGAIN || sent == -EINTR || sent == 0)
			full = true;
		else { /* the console has gone */
			server_remove_source(terminal->output_source);
			handle_close(terminal->output);
			terminal->output = HANDLE_NONE;
			discipline_flush_output(&terminal->discipline);
		}
	}
	if (terminal->output != HANDLE_NONE)
		server_change_source(terminal->output_source, full ? READY_OUT : 0);
	return moved;
}

/* Answers one waiting call if it can be. True: it is finished. */
static bool serve(struct terminal *terminal, struct terminal_wait *wait)
{
	struct discipline *discipline = &terminal->discipline;
	switch (wait->kind) {
	case WAIT_READ:
		if (!read_ready(terminal, wait) && wait->deadline != 0)
			return false;
		answer_read(terminal, wait);
		return true;
	case WAIT_WRITE:
		if (terminal->hung_up || (!terminal->pseudo && terminal->output == HANDLE_NONE)) {
			server_answer(wait->reply, wait->done ? (int64_t)wait->done : -EIO, NULL, NULL, 0);
			return true;
		}
		wait->done += discipline_write(discipline, wait->data + wait->done, wait->length - wait->done);
		if (wait->done < wait->length)
			return false;
		server_answer(wait->reply, (int64_t)wait->length, NULL, NULL, 0);
		return true;
	case WAIT_MASTER_READ:
	case WAIT_MASTER_WRITE:
		return pseudo_serve(terminal, wait);
	default:
		if (discipline->output_count && !terminal->hung_up)
			return false;
		if (wait->flush_input)
			discipline_flush_input(discipline);
		if (wait->set_attributes) {
			struct terminal_attributes attributes;
			memcpy(&attributes, wait->data, sizeof attributes);
			terminal_set_attributes(terminal, &attributes);
		}
		server_answer(wait->reply, 0, NULL, NULL, 0);
		return true;
	}
}

/* One pass over the waiting calls; each kind in its order. True if any was finished. */
static bool serve_waits(struct terminal *terminal)
{
	bool blocked[WAIT_KINDS] = { false }, any = false;
	for (struct terminal_wait **place = &terminal->waits, *wait; (wait = *place);) {
		if ((blocked[wait->kind] && wait->deadline != 0) || (wait->kind == WAIT_DRAIN && blocked[WAIT_WRITE])) {
			place = &wait->next;
		} else if (serve(terminal, wait)) {
			*place = wait->next;
			free(wait);
			any = true;
		} else {
			blocked[wait->kind] = true;
			place = &wait->next;
		}
	}
	return any;
}

static void tell_readiness(struct terminal *terminal)
{
	struct discipline *discipline = &terminal->discipline;
	const uint8_t *character = discipline->attributes.character;
	uint32_t ready = 0;
	if (discipline_readable(discipline, character[C_TIME] || !character[C_MIN] ? 1 : character[C_MIN]) || terminal->input_ended || terminal->hung_up)
		ready |= READY_IN;
	if (OUTPUT_MAX - discipline->output_count > OUTPUT_RESERVE + 256 && !(terminal->pseudo && discipline->output_stopped))
		ready |= READY_OUT;
	if (terminal->hung_up)
		ready |= READY_HANGUP | READY_ERROR | READY_OUT;
	event_update(terminal->event, ~0u, ready);
	if (terminal->pseudo)
		pseudo_tell_readiness(terminal);
}

struct terminal *terminal_next(const struct terminal *terminal)
{
	struct terminal *next = NULL;
	if (!terminal)
		return &console;
	for (uint32_t number = terminal->pseudo ? terminal->pseudo->number + 1 : 0; !next && number < pseudo_end; number++)
		next = pseudo_find(number);
	return next;
}

static void timers_expired(void *context)
{
	(void)context;
	for (struct terminal *terminal = terminal_next(NULL); terminal; terminal = terminal_next(terminal))
		terminal_update(terminal);
}

static void set_timer(void)
{
	uint64_t deadline = DEADLINE_NEVER;
	for (struct terminal *terminal = terminal_next(NULL); terminal; terminal = terminal_next(terminal))
		for (struct terminal_wait *wait = terminal->waits; wait; wait = wait->next)
			if (wait->deadline < deadline)
				deadline = wait->deadline;
	server_set_alarm(deadline, timers_expired, NULL);
}

void terminal_update(struct terminal *terminal)
{
	bool moved;
	do {
		moved = pump(terminal);
		moved = serve_waits(terminal) || moved;
	} while (moved);
	if (!terminal->pseudo && terminal->input != HANDLE_NONE)
		server_change_source(terminal->input_source, discipline_input_room(&terminal->discipline) ? READY_IN : 0);
	tell_readiness(terminal);
	set_timer();
}

void terminal_abandon_waits(struct terminal *terminal, int64_t read_result)
{
	for (struct terminal_wait **place = &terminal->waits, *wait; (wait = *place);) {
		if (wait->kind == WAIT_MASTER_READ || wait->kind == WAIT_MASTER_WRITE) {
			place = &wait->next;
			continue;
		}
		*place = wait->next;
		int64_t written = wait->done ? (int64_t)wait->done : -EIO;
		server_answer(wait->reply, wait->kind == WAIT_READ ? read_result : wait->kind == WAIT_WRITE ? written : 0, NULL, NULL, 0);
		free(wait);
	}
}

/* Takes the waiting call of reply off the terminal's list; NULL: there is none. */
static struct terminal_wait *wait_take(struct terminal *terminal, uint32_t reply)
{
	for (struct terminal_wait **place = &terminal->waits, *wait; (wait = *place); place = &wait->next)
		if (wait->reply == reply) {
			*place = wait->next;
			return wait;
		}
	return NULL;
}

void terminal_interrupt(uint32_t reply)
{
	for (struct terminal *terminal = terminal_next(NULL); terminal && reply != REPLY_NONE; terminal = terminal_next(terminal)) {
		struct terminal_wait *wait = wait_take(terminal, reply);
		if (!wait)
			continue;
		size_t written = wait->kind == WAIT_WRITE ? wait->done : wait->kind == WAIT_MASTER_WRITE ? pseudo_take_back(terminal, wait) : 0;
		server_answer(reply, written ? (int64_t)written : -EINTR, NULL, NULL, 0);
		free(wait);
		terminal_update(terminal);
		return;
	}
}

/* -- what the discipline tells */

/* An interrupting character: unless NOFLSH is set, what was typed and shown before it is dropped (a master keeps what it could have read) */
static void input_signal(void *context, int signal)
{
	struct terminal *terminal = context;
	if (!(terminal->discipline.attributes.local & T_NOFLSH)) {
		if (!terminal->pseudo)
			discipline_flush_output(&terminal->discipline);
		else
			pseudo_tell_status(terminal, 0, PACKET_FLUSH_READ | PACKET_FLUSH_WRITE);
	}
	job_signal_foreground(terminal, signal);
}

static void input_flow(void *context, bool stopped)
{
	struct terminal *terminal = context;
	if (terminal->pseudo)
		pseudo_tell_status(terminal, stopped ? PACKET_START : PACKET_STOP, stopped ? PACKET_STOP : PACKET_START);
}

/* -- the console's streams */

static void output_ready(void *context, uint32_t ready)
{
	(void)ready;
	terminal_update(context);
}

static void input_ready(void *context, uint32_t ready)
{
	struct terminal *terminal = context;
	uint8_t bytes[256];
	(void)ready;
	/* as much as is sure to fit, so that nothing typed ahead is dropped while it can wait in the channel */
	size_t used = terminal->discipline.ready_count + terminal->discipline.line_length;
	size_t room = used + sizeof bytes < INPUT_MAX - 2 ? sizeof bytes : 1;
	int64_t count = description_read(terminal->input, bytes, room);
	if (count == -EAGAIN || count == -EINTR)
		return;
	if (count <= 0) {
		server_remove_source(terminal->input_source);
		handle_close(terminal->input);
		terminal->input = HANDLE_NONE;
		terminal->input_ended = true;
	}
	if (count > 0)
		keyboard_keys(bytes, (size_t)count);
	for (int64_t i = 0; i < count; i++)
		discipline_input(&terminal->discipline, bytes[i]);
	terminal_update(terminal);
}

void terminal_discipline_start(struct terminal *terminal)
{
	discipline_start(&terminal->discipline);
	terminal->discipline.signal = input_signal;
	terminal->discipline.flow = input_flow;
	terminal->discipline.context = terminal;
	terminal->discipline.hold_writes = terminal->pseudo != NULL;
}

/* A description to read or write through: what we were given, or a flow over the channel end we were given */
static int64_t make_flow(handle_t handle, bool input)
{
	struct handle_info info;
	int64_t error = handle_get(handle, &info);
	if (error < 0)
		return error;
	if (info.kind == KIND_DESCRIPTION) {
		description_set_flags(handle, DESCRIPTION_NON_BLOCKING, DESCRIPTION_NON_BLOCKING);
		return handle;
	}
	struct description_request create = {
		.kind = DESCRIPTION_FLOW, .flags = DESCRIPTION_NON_BLOCKING, .memobj = HANDLE_NONE, .control = HANDLE_NONE, .event = HANDLE_NONE,
		.sender = input ? HANDLE_NONE : handle, .receiver = input ? handle : HANDLE_NONE, .rights = input ? RIGHT_READ : RIGHT_WRITE,
	};
	return description_create(&create);
}

int terminal_start(struct terminal *terminal, uint64_t device, handle_t event, handle_t input, handle_t output)
{
	terminal_discipline_start(terminal);
	terminal->device = device;
	int64_t in = make_flow(input, true), out = make_flow(output, false);
	if (in < 0 || out < 0)
		return (int)(in < 0 ? in : out);
	terminal->event = event;
	terminal->input = (handle_t)in;
	terminal->output = (handle_t)out;
	terminal->input_source = server_add_source(terminal->input, READY_IN, input_ready, terminal);
	terminal->output_source = server_add_source(terminal->output, 0, output_ready, terminal);
	return terminal->input_source < 0 ? terminal->input_source : terminal->output_source < 0 ? terminal->output_source : 0;
}

void terminal_hang_up(struct terminal *terminal)
{
	terminal->hung_up = true;
	discipline_flush_input(&terminal->discipline);
	job_hang_up(terminal);
	terminal_update(terminal);
}
