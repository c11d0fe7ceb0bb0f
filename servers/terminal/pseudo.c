/*
 * Pseudo terminals; terminal.h has their states. What Linux's pty.c and n_tty.c do is followed call by call: a master's read of a pair
 * whose slave was open and is closed fails with EIO once everything is read, one whose slave was never opened waits; a slave whose master is gone is
 * hung up. A master's write never waits for a reader as long as its queue has room.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "carillon/calls.h"
#include "carillon/terminal_protocol.h"
#include "terminal.h"

#define PACKET_DATA 0

uint32_t pseudo_end;
static struct terminal *pseudos[PSEUDO_MAX];
static uint32_t first_generation, last_generation;
static uint8_t read_buffer[OUTPUT_MAX + 1];

void pseudo_start(void)
{
	/* milliseconds since boot: a server that starts later, and has made fewer than one a millisecond, begins above */
	first_generation = last_generation = (uint32_t)((uint64_t)clock_get(CLOCK_MONOTONIC_ID) / 1000000);
}

bool pseudo_generation_known(uint32_t generation)
{
	return generation - first_generation <= last_generation - first_generation;
}

uint32_t pseudo_generation_new(void)
{
	return ++last_generation;
}

struct terminal *pseudo_find(uint32_t number)
{
	return number < PSEUDO_MAX ? pseudos[number] : NULL;
}

/* -- life */

static handle_t make_event(uint64_t ready, int *error)
{
	int64_t event = event_create(ready, EVENT_MASK);
	if (event < 0)
		*error = (int)event;
	return event < 0 ? HANDLE_NONE : (handle_t)event;
}

static void drop(struct terminal *terminal)
{
	uint32_t number = terminal->pseudo->number;
	while (terminal->waits) { /* of callers that were killed: nobody is answered */
		struct terminal_wait *wait = terminal->waits;
		terminal->waits = wait->next;
		if (wait->reply != REPLY_NONE)
			server_answer(wait->reply, -EIO, NULL, NULL, 0);
		free(wait);
	}
	if (terminal->event != HANDLE_NONE)
		handle_close(terminal->event);
	if (terminal->pseudo->event != HANDLE_NONE)
		handle_close(terminal->pseudo->event);
	free(terminal->pseudo);
	free(terminal);
	pseudos[number] = NULL;
	while (pseudo_end > 0 && !pseudos[pseudo_end - 1])
		pseudo_end--;
}

struct terminal *pseudo_create(uint32_t user, int *error)
{
	uint32_t number = 0;
	while (number < PSEUDO_MAX && pseudos[number])
		number++;
	*error = number == PSEUDO_MAX ? -ENOSPC : -ENOMEM;
	struct terminal *terminal = number < PSEUDO_MAX ? calloc(1, sizeof *terminal) : NULL;
	struct pseudo *pseudo = terminal ? calloc(1, sizeof *pseudo) : NULL;
	if (!pseudo) {
		free(terminal);
		return NULL;
	}
	*pseudo = (struct pseudo){
		.number = number, .generation = pseudo_generation_new(), .master_open = true, .locked = true, .mode = 0620, .user = user, .group = 5 /* tty */,
	};
	terminal->pseudo = pseudo;
	terminal->device = TERMINAL_DEVICE_PSEUDO(number);
	terminal->generation = pseudo->generation;
	terminal->input = terminal->output = HANDLE_NONE;
	terminal->input_source = terminal->output_source = -1;
	terminal_discipline_start(terminal);
	pseudos[number] = terminal;
	if (number >= pseudo_end)
		pseudo_end = number + 1;
	terminal->event = make_event(READY_OUT, error);
	pseudo->event = make_event(READY_OUT, error);
	if (terminal->event == HANDLE_NONE || pseudo->event == HANDLE_NONE) {
		drop(terminal);
		return NULL;
	}
	keeper_keep(terminal->event, false);
	keeper_keep(pseudo->event, false);
	return terminal;
}

int64_t pseudo_open_check(const struct terminal *terminal)
{
	return terminal->pseudo->locked || !terminal->pseudo->master_open ? -EIO : 0;
}

void pseudo_opened(struct terminal *terminal)
{
	terminal->pseudo->slave_opens++;
	terminal->pseudo->slave_closed = false;
	terminal_update(terminal);
}

void pseudo_hang_up(struct terminal *terminal, int64_t read_result)
{
	int error = 0;
	terminal->generation = pseudo_generation_new();
	terminal_abandon_waits(terminal, read_result);
	discipline_reset(&terminal->discipline);
	pseudo_flush_queue(terminal);
	event_update(terminal->event, ~0u, READY_IN | READY_OUT | READY_ERROR | READY_HANGUP);
	if (!terminal->pseudo->master_open)
		return;
	handle_t event = make_event(READY_OUT, &error);
	if (event == HANDLE_NONE)
		return; /* later opens share the old one: they see a hang-up where there is none, and no call of theirs waits wrongly */
	handle_close(terminal->event);
	terminal->event = event;
	keeper_keep(event, false);
}

void pseudo_closed(struct terminal *terminal, bool master)
{
	struct pseudo *pseudo = terminal->pseudo;
	if (master) {
		pseudo->master_open = false;
		terminal->hung_up = true; /* for ever */
		pseudo_hang_up(terminal, -EIO);
		job_hang_up(terminal);
	} else if (pseudo->slave_opens > 0 && --pseudo->slave_opens == 0) {
		pseudo->slave_closed = true;
		terminal->discipline.output_stopped = false;
	}
	if (!pseudo->master_open && pseudo->slave_opens == 0)
		drop(terminal);
	else
		terminal_update(terminal);
}

/* -- the master's side */

static bool master_read_ready(const struct terminal *terminal)
{
	const struct pseudo *pseudo = terminal->pseudo;
	return (pseudo->packet && pseudo->status) || terminal->discipline.output_count || pseudo->slave_closed;
}

/* Puts what a read gets into read_buffer without taking it: count or -EIO; *data: bytes of it that are output. */
static int64_t master_peek(const struct terminal *terminal, size_t length, size_t *data)
{
	const struct pseudo *pseudo = terminal->pseudo;
	size_t used = 0, head = terminal->discipline.output_head, count = terminal->discipline.output_count;
	*data = 0;
	if (pseudo->packet && pseudo->status) {
		read_buffer[0] = pseudo->status;
		return 1;
	}
	if (!terminal->discipline.output_count)
		return -EIO;
	if (pseudo->packet)
		read_buffer[used++] = PACKET_DATA;
	while (used < length && count) {
		size_t piece = OUTPUT_MAX - head;
		piece = piece < count ? piece : count;
		piece = piece < length - used ? piece : length - used;
		memcpy(read_buffer + used, terminal->discipline.output + head, piece);
		head = (head + piece) % OUTPUT_MAX;
		count -= piece;
		used += piece;
		*data += piece;
	}
	return (int64_t)used;
}

static void master_answer_read(struct terminal *terminal, struct terminal_wait *wait)
{
	size_t data;
	int64_t count = master_peek(terminal, wait->length, &data);
	if (server_answer(wait->reply, count, NULL, count > 0 ? read_buffer : NULL, count > 0 ? (size_t)count : 0) < 0 || count < 0)
		return;
	if (data || (terminal->pseudo->packet && count == 1 && read_buffer[0] == PACKET_DATA))
		discipline_sent(&terminal->discipline, data);
	else
		terminal->pseudo->status = 0;
}

int64_t pseudo_master_read(struct terminal *terminal, struct server_request *request)
{
	size_t length = request->word[2] < request->room ? request->word[2] : request->room;
	if (length == 0)
		return 0;
	if ((request->word[3] & DESCRIPTION_NON_BLOCKING) && !master_read_ready(terminal))
		return -EAGAIN;
	struct terminal_wait *wait = terminal_wait_add(terminal, WAIT_MASTER_READ, 0);
	if (!wait)
		return -ENOMEM;
	wait->reply = server_defer(request);
	wait->length = length < OUTPUT_MAX ? length : OUTPUT_MAX;
	terminal_update(terminal);
	return SERVER_DEFERRED;
}

/* Types what the discipline takes without dropping any. Returns how many bytes. */
static size_t type(struct terminal *terminal, const uint8_t *bytes, size_t length)
{
	size_t done = 0;
	while (done < length && discipline_input_room(&terminal->discipline))
		discipline_input(&terminal->discipline, bytes[done++]);
	return done;
}

int64_t pseudo_master_write(struct terminal *terminal, struct server_request *request)
{
	struct pseudo *pseudo = terminal->pseudo;
	size_t done = pseudo->queued ? 0 : type(terminal, request->data, request->size), left = request->size - done;
	int64_t result = (int64_t)request->size;
	if (left) {
		size_t room = MASTER_QUEUE_MAX > pseudo->queued ? MASTER_QUEUE_MAX - pseudo->queued : 0;
		bool fits = left <= room, non_blocking = request->word[3] & DESCRIPTION_NON_BLOCKING;
		if (!fits && non_blocking) {
			left = room;
			result = (int64_t)(done + room);
		}
		struct terminal_wait *wait = left ? terminal_wait_add(terminal, WAIT_MASTER_WRITE, left) : NULL;
		if (!wait) {
			terminal_update(terminal);
			return done ? (int64_t)done : left ? -ENOMEM : -EAGAIN;
		}
		memcpy(wait->data, request->data + done, left);
		wait->length = left;
		pseudo->queued += left;
		if (!fits && !non_blocking) {
			wait->reply = server_defer(request);
			wait->seen = request->size; /* what it will have written */
			result = SERVER_DEFERRED;
		}
	}
	terminal_update(terminal);
	return result;
}

size_t pseudo_take_back(struct terminal *terminal, const struct terminal_wait *wait)
{
	size_t left = wait->length - wait->done;
	terminal->pseudo->queued -= left;
	return wait->seen - left;
}

bool pseudo_serve(struct terminal *terminal, struct terminal_wait *wait)
{
	if (wait->kind == WAIT_MASTER_READ) {
		if (!master_read_ready(terminal))
			return false;
		master_answer_read(terminal, wait);
		return true;
	}
	size_t typed = type(terminal, wait->data + wait->done, wait->length - wait->done);
	wait->done += typed;
	terminal->pseudo->queued -= typed;
	if (wait->reply != REPLY_NONE && terminal->pseudo->queued <= MASTER_QUEUE_MAX) {
		server_answer(wait->reply, (int64_t)wait->seen, NULL, NULL, 0);
		wait->reply = REPLY_NONE;
	}
	return wait->done == wait->length;
}

void pseudo_flush_queue(struct terminal *terminal)
{
	for (struct terminal_wait **place = &terminal->waits, *wait; (wait = *place);) {
		if (wait->kind != WAIT_MASTER_WRITE) {
			place = &wait->next;
			continue;
		}
		*place = wait->next;
		terminal->pseudo->queued -= wait->length - wait->done;
		if (wait->reply != REPLY_NONE)
			server_answer(wait->reply, (int64_t)wait->seen, NULL, NULL, 0);
		free(wait);
	}
}

void pseudo_tell_readiness(struct terminal *terminal)
{
	struct pseudo *pseudo = terminal->pseudo;
	uint32_t ready = pseudo->queued < MASTER_QUEUE_MAX ? READY_OUT : 0;
	if (terminal->discipline.output_count)
		ready |= READY_IN;
	if (pseudo->packet && pseudo->status)
		ready |= READY_IN | READY_PRIORITY;
	if (pseudo->slave_closed)
		ready |= READY_HANGUP;
	event_update(pseudo->event, ~0u, ready);
}

void pseudo_tell_status(struct terminal *terminal, uint8_t clear, uint8_t set)
{
	if (terminal->pseudo->packet)
		terminal->pseudo->status = (uint8_t)((terminal->pseudo->status & ~clear) | set);
}
