/*
 * Channels in themselves: an end that is sent into its own channel, or into one that lies in it, and whose last handle is closed then, would be held by nobody but its own
 * queue. Either the kernel refuses to send it (-ELOOP) or it takes the circle apart: in any case nothing may be left when the handles have gone.
 */
#include <stddef.h>
#include "abi/description.h"
#include "abi/errors.h"
#include "abi/message.h"
#include "carillon/calls.h"
#include "tests/fuzz/native/fuzz.h"

#define ROUNDS 300u
#define CIRCLE 4u

static unsigned sent, refused;

static void send(handle_t into, handle_t what, const char *name)
{
	struct message message = { .handle = { what }, .handle_count = 1 };
	int64_t result = channel_send(into, &message, CHANNEL_NON_BLOCKING, 0);
	if (result < 0 && result != -ELOOP)
		exhaust_fail(name, "a channel cannot be sent", 0, result);
	*(result < 0 ? &refused : &sent) += 1;
}

/* What is sent of a channel: an end, or a description of it. */
static handle_t part_of(const struct channel_ends *ends, unsigned which)
{
	struct description_request flow = { .kind = DESCRIPTION_CHANNEL, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = ends->receiver,
		.control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_READ };
	int64_t made = which == 2 ? description_create(&flow) : handle_duplicate(which ? ends->receiver : ends->sender, HANDLE_HIGH, 0, 0);
	return made < 0 ? HANDLE_NONE : (handle_t)made;
}

static void circle_make(unsigned length, unsigned which, const char *name)
{
	struct channel_ends ends[CIRCLE];
	for (unsigned i = 0; i < length; i++)
		if (channel_create(CHANNEL_PACKET, 4, &ends[i]) < 0)
			exhaust_fail(name, "no channel", i, 0);
	for (unsigned i = 0; i < length; i++) {
		handle_t part = part_of(&ends[(i + 1) % length], which);
		if (part == HANDLE_NONE)
			exhaust_fail(name, "it cannot be made", i, 0);
		send(ends[i].sender, part, name);
		handle_close(part);
	}
	for (unsigned i = 0; i < length; i++) {
		handle_close(ends[i].sender);
		handle_close(ends[i].receiver);
	}
}

unsigned self_run(void)
{
	static const char *const names[] = { "senders in a circle", "receivers in a circle", "descriptions in a circle" };
	circle_make(CIRCLE, 1, names[1]); /* what the first one leaves is the supervisor's own */
	for (unsigned which = 0; which < sizeof names / sizeof *names; which++) {
		struct system_info before = exhaust_figures();
		for (unsigned i = 0; i < ROUNDS; i++)
			circle_make(1 + i % CIRCLE, which, names[which]);
		exhaust_compare(names[which], 0, &before);
	}
	if (!sent || !refused)
		exhaust_fail("circles", "none were sent, or none refused", sent, refused);
	return sent;
}
