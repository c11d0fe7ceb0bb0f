/*
 * The keeper: a packet channel that outlives this server, because init holds both of its ends, and in it the events by which descriptions of
 * terminals know their readiness. Without it, whoever polls a terminal of a server that has died would wait for ever.
 */
#include "abi/errors.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "terminal.h"

enum { KEPT_CONSOLE = 1, KEPT_PSEUDO };

static handle_t sender = HANDLE_NONE, receiver = HANDLE_NONE;

static unsigned packets; /* in the channel */

static bool send(handle_t event, bool is_console)
{
	struct message message = { .word = { is_console ? KEPT_CONSOLE : KEPT_PSEUDO }, .handle = { event }, .handle_count = 1 };
	if (channel_send(sender, &message, CHANNEL_NON_BLOCKING, 0) < 0)
		return false;
	packets++;
	return true;
}

/* The next packet's event, or HANDLE_NONE; *kind: whose it is */
static handle_t take(uint64_t *kind)
{
	struct message message = { .handle_minimum = 0 };
	if (channel_receive(receiver, &message, CHANNEL_NON_BLOCKING, 0) < 0 || message.handle_count < 1)
		return HANDLE_NONE;
	packets -= packets > 0; /* a predecessor's were not counted */
	*kind = message.word[0];
	return message.handle[0];
}

handle_t keeper_start(handle_t sender_end, handle_t receiver_end)
{
	handle_t event, found = HANDLE_NONE;
	uint64_t kind;
	sender = sender_end;
	receiver = receiver_end;
	while ((event = take(&kind)) != HANDLE_NONE) {
		if (kind == KEPT_CONSOLE && found == HANDLE_NONE) {
			found = event;
			continue;
		}
		event_update(event, ~0u, READY_IN | READY_OUT | READY_ERROR | READY_HANGUP);
		handle_close(event);
	}
	return found;
}

static bool send_all(void)
{
	for (const struct terminal *terminal = terminal_next(NULL); terminal; terminal = terminal_next(terminal))
		if (!send(terminal->event, !terminal->pseudo) || (terminal->pseudo && !send(terminal->pseudo->event, false)))
			return false;
	return true;
}

void keeper_begin_again(void)
{
	handle_t event;
	uint64_t kind;
	unsigned old = packets;
	bool sent = send_all();
	while ((!sent || old-- > 0) && (event = take(&kind)) != HANDLE_NONE)
		handle_close(event);
	if (!sent)
		(void)send_all();
}

void keeper_keep(handle_t event, bool is_console)
{
	if (!send(event, is_console))
		keeper_begin_again(); /* it is full, mostly of events that nobody needs any more; this one is among those that are in use */
}
