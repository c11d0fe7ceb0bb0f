/*
 * Packet channels and selects between processes: two selects that meet on unbuffered channels, prepared ones, partners that are killed or interrupted while they wait, closed
 * channels, handles in packets. The partner is a clone of this process; it tells what it saw by its exit status.
 */
#include <string.h>
#include "carillon/channel.h"
#include "tests/ipc/native/ipc.h"

#define CHANNELS 6
#define ROUNDS 300u

static struct channel_ends ends[CHANNELS], answers;
static handle_t waiting; /* a partner that a test kills */

static void channels_open(uint64_t capacity)
{
	for (int i = 0; i < CHANNELS; i++)
		CHECK(channel_create(CHANNEL_PACKET, capacity, &ends[i]) == 0);
	CHECK(channel_create(CHANNEL_PACKET, 2, &answers) == 0);
}

static void channels_close(void)
{
	for (int i = 0; i < CHANNELS; i++) {
		handle_close(ends[i].sender);
		handle_close(ends[i].receiver);
	}
	handle_close(answers.sender);
	handle_close(answers.receiver);
}

static uint64_t soon(uint64_t milliseconds)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + milliseconds * MILLISECOND;
}

static void cases_fill(struct select_case *cases, bool send)
{
	for (int i = 0; i < CHANNELS; i++)
		cases[i].channel = send ? ends[i].sender : ends[i].receiver;
}

/* Sends 1 .. ROUNDS, each by a select over all channels. */
static void partner_sends(void)
{
	struct select_case cases[CHANNELS];
	static struct message messages[CHANNELS];
	cases_fill(cases, true);
	for (uint64_t n = 1; n <= ROUNDS; n++) {
		for (int i = 0; i < CHANNELS; i++)
			messages[i].word[0] = n;
		int64_t i = channel_select(cases, messages, CHANNELS, soon(5000));
		if (i < 0 || messages[i].reply_status)
			process_exit(1);
	}
	process_exit(0);
}

static struct message messages_in[CHANNELS];

static void receive_all(int64_t (*wait)(struct message *messages))
{
	struct message *messages = messages_in;
	unsigned seen = 0;
	for (uint64_t n = 1; n <= ROUNDS; n++) {
		int64_t i = wait(messages);
		CHECK(i >= 0 && messages[i].reply_status == 0 && messages[i].word[0] == n);
		seen |= 1u << i;
	}
	CHECK(seen == (1u << CHANNELS) - 1); /* by chance one of six is left out once in 10^23 runs */
}

static int64_t select_new(struct message *messages)
{
	struct select_case cases[CHANNELS];
	cases_fill(cases, false);
	return channel_select(cases, messages, CHANNELS, soon(5000));
}

void test_select_rendezvous(void)
{
	channels_open(0);
	handle_t process = partner_start(partner_sends, 0);
	receive_all(select_new);
	CHECK(partner_status(process) == 0);
	channels_close();
}

static handle_t prepared;
static int64_t select_again(struct message *messages)
{
	struct select_case cases[CHANNELS];
	if (prepared == HANDLE_NONE) {
		cases_fill(cases, false);
		prepared = (handle_t)channel_select_create(cases, messages, CHANNELS);
		CHECK(prepared >= 0);
	}
	return channel_select_wait(prepared, soon(5000));
}

void test_select_prepared(void)
{
	for (uint64_t capacity = 0; capacity < 3; capacity++) {
		struct message message = { .handle_count = 1 };
		channels_open(capacity);
		prepared = HANDLE_NONE;
		handle_t process = partner_start(partner_sends, 0);
		if (capacity == 0)
			receive_all(select_again);
		else /* in what order is chance */
			for (unsigned n = 0; n < ROUNDS; n++)
				CHECK(select_again(messages_in) >= 0);
		CHECK(partner_status(process) == 0);
		if (prepared != HANDLE_NONE) { /* it cannot travel */
			message.handle[0] = prepared;
			CHECK(channel_send(answers.sender, &message, CHANNEL_NON_BLOCKING, 0) == -EACCES);
			CHECK(channel_select_wait(prepared, 0) == -ETIMEDOUT);
			handle_close(prepared);
		}
		channels_close();
	}
}

static void partner_waits(void)
{
	struct select_case cases[CHANNELS];
	static struct message messages[CHANNELS];
	cases_fill(cases, true);
	cases[0].channel = ends[0].receiver;
	messages[1].handle[0] = answers.sender, messages[1].handle_count = 1;
	(void)channel_select(cases, messages, CHANNELS, DEADLINE_NEVER);
	process_exit(0);
}

/* Who waits everywhere is killed: nothing of it is left in any channel. */
void test_select_killed(void)
{
	struct message message = { .word = { 1 } };
	channels_open(0);
	waiting = partner_start(partner_waits, 0);
	sleep_for(2 * MILLISECOND);
	struct poll_item polled[2] = { { ends[0].sender, READY_OUT, 0 }, { ends[3].receiver, READY_IN, 0 } };
	CHECK(description_poll(polled, 2, 0, 0) == 2);
	CHECK(process_kill(waiting, 9) == 0 && partner_status(waiting) == 9);
	CHECK(description_poll(polled, 2, 0, 0) == 0);
	CHECK(channel_send(ends[0].sender, &message, CHANNEL_NON_BLOCKING, 0) == -EAGAIN);
	for (int i = 1; i < CHANNELS; i++)
		CHECK(channel_receive(ends[i].receiver, &message, CHANNEL_NON_BLOCKING, 0) == -EAGAIN);
	channels_close();
}

static void partner_closes(void)
{
	sleep_for(2 * MILLISECOND);
	process_exit(channel_close(ends[2].receiver, EOWNERDEAD) == 0 ? 0 : 1);
}

/* A close wakes who waits, with its error; a nil channel never; the end of the time; a bad handle. */
void test_select_ends(void)
{
	struct select_case cases[CHANNELS];
	static struct message messages[CHANNELS];
	channels_open(1);
	cases_fill(cases, false);
	CHECK(channel_select(cases, messages, CHANNELS, soon(2)) == -ETIMEDOUT);
	cases[2].channel = ends[2].receiver;
	handle_t process = partner_start(partner_closes, 0);
	CHECK(channel_select(cases, messages, CHANNELS, soon(5000)) == 2 && messages[2].reply_status == -EOWNERDEAD);
	CHECK(partner_status(process) == 0);
	CHECK(channel_send(ends[2].sender, &messages[0], 0, DEADLINE_NEVER) == -EOWNERDEAD);
	cases[2].channel = HANDLE_NONE;
	CHECK(channel_select(cases, messages, CHANNELS, 0) == -ETIMEDOUT);
	cases[4].channel = HANDLE_HIGH + 60000;
	CHECK(channel_select(cases, messages, CHANNELS, DEADLINE_NEVER) == 4 && messages[4].reply_status == -EBADF);
	CHECK(channel_select(cases, messages, SELECT_CASES_MAX + 1, 0) == -EINVAL && channel_select_create(cases, messages, CHANNELS) == -EBADF);
	CHECK(channel_select((void *)8, messages, CHANNELS, 0) == -EFAULT && channel_select(NULL, NULL, 0, 0) == -ETIMEDOUT);
	/* half-closed: the sender has gone, what is queued comes first */
	struct message message = { .word = { 7 } };
	CHECK(channel_send(ends[0].sender, &message, 0, 0) == 0);
	handle_close(ends[0].sender);
	ends[0].sender = HANDLE_NONE;
	cases[4].channel = HANDLE_NONE;
	CHECK(channel_select(cases, messages, CHANNELS, DEADLINE_NEVER) == 0 && messages[0].reply_status == 0 && messages[0].word[0] == 7);
	CHECK(channel_select(cases, messages, CHANNELS, DEADLINE_NEVER) == 0 && messages[0].reply_status == -EPIPE);
	channels_close();
}

static void partner_takes_handle(void)
{
	struct message message = { .handle_count = 0 };
	struct select_case one = { ends[1].receiver };
	if (channel_select(&one, &message, 1, soon(5000)) != 0 || message.reply_status || message.handle_count != 1)
		process_exit(1);
	struct message answer = { .word = { 42 } };
	process_exit(channel_send(message.handle[0], &answer, 0, soon(5000)) == 0 ? 0 : 2);
}

/* A sender's handle travels by a select, and is moved only if that case is the one. */
void test_channel_handles(void)
{
	for (unsigned round = 0; round < 2; round++) {
		channels_open(0);
		handle_t process = partner_start(partner_takes_handle, 0);
		if (round)
			sleep_for(2 * MILLISECOND);
		struct select_case cases[2] = { { ends[0].sender }, { ends[1].sender } };
		struct message messages[2] = { { .word = { 1 } }, { .word = { 2 }, .handle = { answers.sender }, .handle_count = 1, .move = 1 } };
		CHECK(channel_select(cases, messages, 2, soon(5000)) == 1 && messages[1].reply_status == 0);
		struct handle_info info;
		CHECK(handle_get(answers.sender, &info) == -EBADF);
		answers.sender = HANDLE_NONE;
		CHECK(channel_receive(answers.receiver, &messages[0], 0, soon(5000)) == 0 && messages[0].word[0] == 42);
		CHECK(partner_status(process) == 0);
		/* the partner has it no more either */
		CHECK(channel_receive(answers.receiver, &messages[0], 0, soon(5000)) == -EPIPE);
		/* a channel into itself: refused, at once or after waiting */
		messages[1] = (struct message){ .handle = { ends[1].receiver }, .handle_count = 1 };
		CHECK(channel_select(cases, messages, 2, soon(5000)) == 1 && messages[1].reply_status == -ELOOP);
		channels_close();
	}
}

static void partner_is_interrupted(void)
{
	struct select_case cases[CHANNELS];
	static struct message messages[CHANNELS];
	cases_fill(cases, false);
	process_exit(channel_select(cases, messages, CHANNELS, soon(5000)) == -EINTR ? 0 : 1);
}

void test_select_interrupted(void)
{
	channels_open(1);
	waiting = partner_start(partner_is_interrupted, 0);
	sleep_for(2 * MILLISECOND);
	CHECK(process_interrupt(waiting, 0) == 0 && partner_status(waiting) == 0);
	channels_close();
}

/* --- alt */

static struct chan numbers, done;

static void partner_counts(void)
{
	for (uint32_t n = 0; n < ROUNDS; n++)
		if (chan_send(&numbers, &n, soon(5000)))
			process_exit(1);
	process_exit(chan_receive(&done, NULL, soon(5000)) ? 2 : 0);
}

/* Receives until all numbers have come, then says so; one-shot or prepared. */
static void alt_loop_run(struct alt *alts, struct alt_loop *loop, const uint32_t *number)
{
	for (uint32_t n = 0; n < ROUNDS; n++) {
		int64_t index = loop ? alt_wait(loop, soon(5000)) : alt(alts, soon(5000));
		CHECK(index == 0 && alts[0].error == 0 && *number == n);
	}
}

void test_alt(void)
{
	static uint32_t number;
	static struct alt alts[] = { { &numbers, &number, ALT_RECEIVE, 0 }, { NULL, NULL, ALT_SEND, 0 }, { &done, NULL, ALT_NEVER, 0 }, { .operation = ALT_END } };
	for (unsigned round = 0; round < 4; round++) {
		struct alt_loop *loop = NULL;
		CHECK(chan_create(&numbers, sizeof number, round / 2 * 3) == 0 && chan_create(&done, 0, 0) == 0);
		if (round % 2)
			CHECK(alt_prepare(alts, &loop) == 0);
		CHECK((loop ? alt_wait(loop, 0) : alt(alts, 0)) == -ETIMEDOUT);
		handle_t process = partner_start(partner_counts, 0);
		alt_loop_run(alts, loop, &number);
		if (loop)
			alt_end(loop);
		struct alt last[] = { { &numbers, &number, ALT_RECEIVE, 0 }, { &done, NULL, ALT_SEND, 0 }, { .operation = ALT_END } };
		CHECK(alt(last, soon(5000)) == 1 && last[1].error == 0 && partner_status(process) == 0);
		/* errors by case */
		handle_close(numbers.sender);
		numbers.sender = HANDLE_NONE;
		CHECK(alt(last, soon(5000)) == 0 && last[0].error == -EPIPE);
		struct alt missing[] = { { &numbers, &number, ALT_SEND, 0 }, { .operation = ALT_END } };
		CHECK(alt(missing, soon(5000)) == 0 && missing[0].error == -EBADF);
		chan_free(&numbers);
		chan_free(&done);
	}
	/* another size */
	struct chan short_one;
	CHECK(chan_create(&numbers, 4, 1) == 0);
	short_one = numbers;
	short_one.size = 2;
	CHECK(chan_send(&short_one, &number, 0) == 0 && chan_receive(&numbers, &number, 0) == -EMSGSIZE);
	CHECK(chan_send(&numbers, &number, 0) == 0 && chan_receive(&short_one, &number, 0) == -EMSGSIZE && chan_receive(&numbers, &number, 0) == 0);
	chan_free(&numbers);
}
