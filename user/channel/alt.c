/* Sending, receiving and choosing: each is a select of the kernel, with a message for each operation. carillon/channel.h has the rules. */
#include <stdbool.h>
#include <stdlib.h>
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/calls.h"
#include "carillon/channel.h"

#define FEW 8u /* operations whose messages lie on the stack */

struct alt_loop {
	struct alt *alts;
	handle_t select;
	unsigned count;
	struct message message[];
};

int chan_create(struct chan *chan, size_t size, uint64_t capacity)
{
	struct channel_ends ends;
	if (size > MESSAGE_RANGE_MAX)
		return -EINVAL;
	int64_t error = channel_create(CHANNEL_PACKET, capacity, &ends);
	if (error < 0)
		return (int)error;
	*chan = (struct chan){ .sender = ends.sender, .receiver = ends.receiver, .publisher = HANDLE_NONE, .size = size };
	return 0;
}

void chan_free(struct chan *chan)
{
	handle_t *handles[] = { &chan->sender, &chan->receiver, &chan->publisher };
	for (unsigned i = 0; i < 3; i++) {
		if (*handles[i] != HANDLE_NONE)
			handle_close(*handles[i]);
		*handles[i] = HANDLE_NONE;
	}
}

static void message_fill(struct message *message, const struct alt *one)
{
	size_t size = one->chan ? one->chan->size : 0;
	*message = (struct message){ .handle_count = 0 };
	if (one->operation == ALT_SEND) {
		message->send_address = (uintptr_t)one->value;
		message->send_size = size;
	} else {
		message->receive_address = (uintptr_t)one->value;
		message->receive_size = one->value ? size : 0;
	}
}

/* What came of a receive whose message says it was done. */
static int received(const struct chan *chan, const struct message *message)
{
	for (unsigned i = 0; i < message->handle_count; i++) /* a value has none */
		handle_close(message->handle[i]);
	return message->receive_size == chan->size ? 0 : -EMSGSIZE;
}

static int outcome(const struct alt *one, const struct message *message)
{
	if (message->reply_status || one->operation == ALT_SEND || !one->value)
		return message->reply_status;
	return received(one->chan, message);
}

/* The cases of the array. How many; -EINVAL: too many. */
static int64_t cases_make(const struct alt *alts, struct select_case *cases)
{
	unsigned count = 0;
	for (; alts[count].operation != ALT_END; count++) {
		const struct alt *one = &alts[count];
		if (count == SELECT_CASES_MAX)
			return -EINVAL;
		bool never = !one->chan || one->operation == ALT_NEVER;
		handle_t end = never ? HANDLE_NONE : one->operation == ALT_SEND ? one->chan->sender : one->chan->receiver;
		cases[count].channel = never || end != HANDLE_NONE ? end : HANDLE_NONE - 1; /* an end it has not is no channel, which is told */
	}
	return count;
}

int64_t alt(struct alt *alts, uint64_t deadline)
{
	struct select_case cases[SELECT_CASES_MAX];
	struct message few[FEW], *messages = few;
	int64_t count = cases_make(alts, cases);
	if (count < 0)
		return count;
	if (count > FEW)
		messages = malloc((size_t)count * sizeof *messages);
	if (!messages)
		return -ENOMEM;
	for (int64_t i = 0; i < count; i++)
		message_fill(&messages[i], &alts[i]);
	int64_t index = channel_select(cases, messages, (uint64_t)count, deadline);
	if (index >= 0)
		alts[index].error = outcome(&alts[index], &messages[index]);
	if (messages != few)
		free(messages);
	return index;
}

int alt_prepare(struct alt *alts, struct alt_loop **result)
{
	struct select_case cases[SELECT_CASES_MAX];
	int64_t count = cases_make(alts, cases);
	if (count < 0)
		return (int)count;
	struct alt_loop *loop = calloc(1, sizeof *loop + (size_t)count * sizeof loop->message[0]);
	if (!loop)
		return -ENOMEM;
	loop->alts = alts;
	loop->count = (unsigned)count;
	for (unsigned i = 0; i < loop->count; i++)
		message_fill(&loop->message[i], &alts[i]);
	int64_t select = channel_select_create(cases, loop->message, (uint64_t)count);
	if (select < 0) {
		free(loop);
		return (int)select;
	}
	loop->select = (handle_t)select;
	*result = loop;
	return 0;
}

int64_t alt_wait(struct alt_loop *loop, uint64_t deadline)
{
	int64_t index = channel_select_wait(loop->select, deadline);
	if (index < 0)
		return index;
	struct alt *one = &loop->alts[index];
	one->error = outcome(one, &loop->message[index]);
	message_fill(&loop->message[index], one); /* a receive has changed it */
	return index;
}

void alt_end(struct alt_loop *loop)
{
	handle_close(loop->select);
	free(loop);
}

int chan_send(struct chan *chan, const void *value, uint64_t deadline)
{
	struct message message = { .send_address = (uintptr_t)value, .send_size = chan->size };
	return (int)channel_send(chan->sender, &message, 0, deadline);
}

int chan_receive(struct chan *chan, void *value, uint64_t deadline)
{
	struct message message = { .receive_address = (uintptr_t)value, .receive_size = value ? chan->size : 0 };
	int error = (int)channel_receive(chan->receiver, &message, 0, deadline);
	return error || !value ? error : received(chan, &message);
}
