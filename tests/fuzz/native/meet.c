/*
 * The same as exhaust.c for calls that wait for somebody: two processes, this one and a partner that shares its memory and handles, meet in a call, and the allocations of
 * either are made to fail in turn, with either coming first. Who is told ENOMEM does it again, once, and then both come through with what
 * was sent; nothing is left behind and nobody waits for ever.
 */
#include <errno.h>
#include <string.h>
#include "abi/boot.h"
#include "abi/link.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "tests/fuzz/native/fuzz.h"

#define LARGE 20000u
#define MILLISECOND 1000000ull
#define PATIENCE (5000 * MILLISECOND)
#define STOP 99u /* word of the last call to a server */
#define CARRIES 101u /* a call with handles */
#define PLAIN 102u
#define ITEMS 100u

struct meeting {
	const char *name;
	void (*prepare)(void);
	void (*one)(void);   /* by this process */
	void (*other)(void); /* by the partner */
	void (*clean)(void);
};

static const struct meeting *now;
static uint64_t number; /* of the allocation that fails; 0: none */
static unsigned refused;
static handle_t partner, listener, client, event, memobj, made, made_too, waitset;
static struct channel_ends ends;
static uint8_t from[LARGE], to[LARGE], served[LARGE];
static uint8_t stack[65536] __attribute__((aligned(16)));
static uint32_t posted, done;
static bool delayed;

static _Noreturn void fail(const char *why, int64_t figure)
{
	exhaust_fail(now->name, why, number, figure);
}

/* Does a call, again if it was refused; both sides together may be so once. */
#define INSIST(call) insist_result(({ int64_t result_ = (call); insist_again(result_) ? (call) : result_; }))
static bool insist_again(int64_t result)
{
	if (result != -ENOMEM || !number)
		return false;
	if (++refused > 1)
		fail("refused twice", refused);
	return true;
}

static int64_t insist_result(int64_t result)
{
	if (result < 0)
		fail("an error", result);
	return result;
}

static uint64_t time_in(uint64_t nanoseconds)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + nanoseconds;
}

static void nap(void)
{
	static uint32_t never;
	futex_wait((uint64_t)&never, 0, time_in(MILLISECOND), FUTEX_ANY_BITS, 0);
}

static void bytes_check(const uint8_t *bytes, size_t size)
{
	if (memcmp(bytes, from, size))
		fail("other bytes than were sent", (int64_t)size);
}

static void handles_take(const struct message *message, uint32_t count)
{
	if (message->handle_count != count)
		fail("other handles than were sent", message->handle_count);
	for (uint32_t i = 0; i < count; i++)
		if (handle_close(message->handle[i]) < 0)
			fail("a handle that is none", message->handle[i]);
}

/* -- ports */

static void answer_make(const struct message *request, struct message *answer)
{
	*answer = (struct message){ .word = { request->word[0] == SERVICE_WRITE ? request->send_size : 5 }, .send_address = (uint64_t)from, .send_size = request->room };
	if (request->word[0] == CARRIES) {
		answer->handle[0] = event, answer->handle[1] = memobj;
		answer->handle_count = 2;
	}
}

static void request_check(const struct message *message)
{
	bytes_check(served, message->receive_size);
	handles_take(message, message->word[0] == CARRIES ? 2 : 0);
}

static void receive_prepare(struct message *message)
{
	message->receive_address = (uint64_t)served;
	message->receive_size = LARGE;
	message->handle_minimum = 0;
}

static void serve_apart(void)
{
	struct message message = { 0 }, answer;
	do {
		receive_prepare(&message);
		INSIST(port_receive(listener, &message, DEADLINE_NEVER));
		request_check(&message);
		answer_make(&message, &answer);
		INSIST(port_reply(message.reply, &answer));
	} while (message.word[0] != STOP);
}

static void serve_together(void)
{
	struct message message = { 0 }, answer;
	receive_prepare(&message);
	INSIST(port_receive(listener, &message, DEADLINE_NEVER));
	while (message.word[0] != STOP) {
		request_check(&message);
		answer_make(&message, &answer);
		uint32_t reply = message.reply;
		message = answer;
		receive_prepare(&message);
		int64_t result = port_reply_receive(listener, reply, &message, DEADLINE_NEVER);
		if (message.reply_status < 0)
			fail("an answer is refused", message.reply_status);
		if (insist_again(result)) {
			receive_prepare(&message);
			result = port_receive(listener, &message, DEADLINE_NEVER);
		}
		insist_result(result);
	}
	INSIST(port_reply(message.reply, &(struct message){ .word = { 5 } }));
}

static void serve_words(void)
{
	struct message_received words = { .reply = REPLY_NONE };
	struct message message = { 0 };
	do {
		receive_prepare(&message);
		INSIST(port_reply_receive_words(listener, &words, &message));
	} while (words.word[0] != STOP);
	INSIST(port_reply(words.reply, &(struct message){ .word = { 5 } }));
}

static void stop(void)
{
	struct message message = { .word = { STOP } };
	INSIST(port_call(client, &message, 0));
}

static void call_plain(void)
{
	struct message message = { .word = { PLAIN } };
	INSIST(port_call(client, &message, 0));
	handles_take(&message, 0);
	stop();
}

static void call_everything(void)
{
	const struct message request = { .word = { CARRIES }, .send_address = (uint64_t)from, .send_size = LARGE, .receive_address = (uint64_t)to, .receive_size = LARGE, .handle = { event, memobj }, .handle_count = 2 };
	struct message message = request;
	INSIST((message = request, port_call(client, &message, 0)));
	if (message.word[0] != 5 || message.receive_size != LARGE)
		fail("another answer", (int64_t)message.receive_size);
	bytes_check(to, LARGE);
	handles_take(&message, 2);
	stop();
}

static void call_words(void)
{
	uint64_t words[MESSAGE_WORDS] = { PLAIN };
	INSIST(port_call_words(client, words));
	stop();
}

static void prepare_service(void)
{
	struct description_request request = { .kind = DESCRIPTION_SERVICE, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .control = client, .event = HANDLE_NONE, .rights = RIGHT_READ | RIGHT_WRITE };
	made = (handle_t)insist_result(description_create(&request));
}

static void use_service(void)
{
	if (INSIST(description_write(made, from, LARGE)) != LARGE || INSIST(description_read(made, to, LARGE)) != LARGE)
		fail("a short answer", 0);
	bytes_check(to, LARGE);
	struct io_vector vector[] = { { (uint64_t)from, 9000 }, { (uint64_t)from + 9000, 5000 } };
	if (INSIST(description_writev(made, vector, 2)) != 14000)
		fail("a short answer", 0);
	stop();
}

static void call_description(void)
{
	const struct message request = { .word = { CARRIES }, .send_address = (uint64_t)from, .send_size = 100, .receive_address = (uint64_t)to, .receive_size = 100, .handle = { event, memobj }, .handle_count = 2 };
	struct message message = request;
	INSIST((message = request, description_call(made, &message, 0)));
	bytes_check(to, 100);
	handles_take(&message, 2);
	stop();
}

static void clean_made(void)
{
	handle_close(made);
}

/* -- channels, flows, links */

static void prepare_packets(void) { insist_result(channel_create(CHANNEL_PACKET, 1, &ends)); }
static void prepare_rendezvous(void) { insist_result(channel_create(CHANNEL_PACKET, 0, &ends)); }
static void clean_ends(void) { handle_close(ends.sender); handle_close(ends.receiver); }

static void packet_send(void)
{
	struct message message = { .word = { 1 }, .send_address = (uint64_t)from, .send_size = LARGE, .handle = { event, memobj }, .handle_count = 2 };
	INSIST(channel_send(ends.sender, &message, 0, DEADLINE_NEVER));
}

static void packet_receive(void)
{
	struct message message;
	INSIST((message = (struct message){ .receive_address = (uint64_t)to, .receive_size = LARGE }, channel_receive(ends.receiver, &message, 0, DEADLINE_NEVER)));
	bytes_check(to, message.receive_size);
	handles_take(&message, 2);
}

static void packets_send(void) { packet_send(); packet_send(); packet_send(); }
static void packets_receive(void) { packet_receive(); packet_receive(); packet_receive(); }

static void prepare_flow(void)
{
	insist_result(channel_create(CHANNEL_STREAM, 65536, &ends));
	struct description_request request = { .kind = DESCRIPTION_FLOW, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = ends.receiver, .control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_READ };
	made = (handle_t)insist_result(description_create(&request));
	request.sender = ends.sender, request.receiver = HANDLE_NONE, request.rights = RIGHT_WRITE;
	made_too = (handle_t)insist_result(description_create(&request));
}

static void clean_flow(void)
{
	clean_ends();
	handle_close(made);
	handle_close(made_too);
}

static void flow_write(void) /* more than there is room for; refused in the middle it says how much it has taken */
{
	for (unsigned i = 0; i < 5; i++)
		for (uint64_t at = 0; at < LARGE;)
			at += (uint64_t)INSIST(description_write(made_too, from + at, LARGE - at));
}

static void flow_read(void)
{
	for (unsigned i = 0; i < 5; i++) {
		for (uint64_t at = 0; at < LARGE;)
			at += (uint64_t)INSIST(description_read(made, to + at, LARGE - at));
		bytes_check(to, LARGE);
	}
}

static int64_t link_make(handle_t sender, handle_t receiver)
{
	struct description_request request = { .kind = DESCRIPTION_LINK, .flags = LINK_STREAM, .memobj = HANDLE_NONE, .sender = sender, .receiver = receiver, .control = HANDLE_NONE, .event = HANDLE_NONE, .rights = RIGHT_READ | RIGHT_WRITE };
	return description_create(&request);
}

static void prepare_links(void)
{
	struct channel_ends back;
	insist_result(channel_create(CHANNEL_SEGMENTS, LINK_LIMIT, &ends));
	insist_result(channel_create(CHANNEL_SEGMENTS, LINK_LIMIT, &back));
	made = (handle_t)insist_result(link_make(ends.sender, back.receiver));
	made_too = (handle_t)insist_result(link_make(back.sender, ends.receiver));
	handle_close(back.sender);
	handle_close(back.receiver);
}

static void links_send(void)
{
	struct io_vector vector = { (uint64_t)from, LARGE };
	int32_t handles[] = { 900, 901 };
	struct link_message message = { .vector = (uint64_t)&vector, .count = 1, .handles = (uint64_t)handles, .handle_count = 2, .target = HANDLE_NONE };
	int64_t sent = INSIST(link_send(made, &message, 0));
	while (sent < LARGE) {
		vector = (struct io_vector){ (uint64_t)from + (uint64_t)sent, LARGE - (uint64_t)sent };
		message.handle_count = 0;
		sent += INSIST(link_send(made, &message, 0));
	}
}

static void links_receive(void)
{
	uint32_t handles_seen = 0;
	for (uint64_t at = 0; at < LARGE;) {
		struct io_vector vector = { (uint64_t)to + at, LARGE - at };
		int32_t handles[4];
		struct link_message message;
		at += (uint64_t)INSIST((message = (struct link_message){ .vector = (uint64_t)&vector, .count = 1, .handles = (uint64_t)handles, .handle_count = 4 }, link_receive(made_too, &message, 0)));
		for (unsigned i = 0; i < message.handle_count; i++, handles_seen++)
			handle_close(handles[i]);
	}
	if (handles_seen != 2)
		fail("other handles than were sent", handles_seen);
	bytes_check(to, LARGE);
}

/* -- readiness, time */

static void prepare_waitset(void)
{
	struct waitset_entry entry = { READY_IN, 0, 7 };
	waitset = (handle_t)insist_result(waitset_create());
	insist_result(event_update(event, ~0u, 0));
	insist_result(waitset_control(waitset, WAITSET_ADD, event, &entry));
}
static void clean_waitset(void) { handle_close(waitset); }
static void event_wait(void)
{
	struct waitset_result result;
	if (INSIST(waitset_wait(waitset, &result, 1, time_in(PATIENCE))) != 1 || result.word != 7)
		fail("a waitset tells nothing", 0);
}
static void event_raise(void) { INSIST(event_update(event, 0, READY_IN)); }
static void prepare_event(void) { insist_result(event_update(event, ~0u, 0)); }
static void event_poll(void)
{
	struct poll_item items[ITEMS];
	for (unsigned i = 0; i < ITEMS; i++)
		items[i] = (struct poll_item){ event, READY_IN, 0 };
	if (INSIST(description_poll(items, ITEMS, time_in(PATIENCE), 0)) != ITEMS)
		fail("a poll tells nothing", 0);
}
static uint32_t word;
static void prepare_word(void) { word = 0; }
static void word_wait(void)
{
	while (!__atomic_load_n(&word, __ATOMIC_ACQUIRE)) {
		int64_t result = futex_wait((uint64_t)&word, 0, time_in(PATIENCE), FUTEX_ANY_BITS, 0);
		if (result < 0 && result != -EAGAIN && !insist_again(result))
			fail("an error", result);
	}
}
static void word_wake(void)
{
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	INSIST(futex_wake((uint64_t)&word, 1, FUTEX_ANY_BITS, 0));
}

static const struct meeting meetings[] = {
	{ "port_call", NULL, call_plain, serve_apart, NULL }, { "port_call with all", NULL, call_everything, serve_apart, NULL },
	{ "port_reply_receive", NULL, call_plain, serve_together, NULL }, { "port_reply_receive with all", NULL, call_everything, serve_together, NULL },
	{ "port_call_words", NULL, call_words, serve_words, NULL }, { "words to port_receive", NULL, call_words, serve_apart, NULL },
	{ "service", prepare_service, use_service, serve_apart, clean_made }, { "service, together", prepare_service, use_service, serve_together, clean_made },
	{ "description_call", prepare_service, call_description, serve_apart, clean_made },
	{ "channel_send", prepare_packets, packets_send, packets_receive, clean_ends }, { "channel_send, rendezvous", prepare_rendezvous, packet_send, packet_receive, clean_ends },
	{ "description_write", prepare_flow, flow_write, flow_read, clean_flow }, { "link_send", prepare_links, links_send, links_receive, clean_flow },
	{ "waitset_wait", prepare_waitset, event_wait, event_raise, clean_waitset }, { "description_poll", prepare_event, event_poll, event_raise, NULL },
	{ "futex_wait", prepare_word, word_wait, word_wake, NULL },
};

static void partner_main(void)
{
	for (;;) {
		while (__atomic_load_n(&posted, __ATOMIC_ACQUIRE) == done)
			futex_wait((uint64_t)&posted, done, DEADLINE_NEVER, FUTEX_ANY_BITS, 0);
		if (delayed)
			nap();
		now->other();
		__atomic_store_n(&done, posted, __ATOMIC_RELEASE);
		futex_wake((uint64_t)&done, 1, FUTEX_ANY_BITS, 0);
	}
}

static void prepare_all(void)
{
	static const struct meeting beginning = { .name = "the beginning" };
	now = &beginning;
	memset(stack, 1, sizeof stack);
	for (unsigned i = 0; i < LARGE; i++)
		from[i] = (uint8_t)(i * 7 + i / 256);
	listener = (handle_t)insist_result(listener_create(0));
	client = (handle_t)insist_result(client_create(listener, 1));
	event = (handle_t)insist_result(event_create(0, EVENT_MASK));
	memobj = (handle_t)insist_result(memobj_create(PAGE_SIZE, 0));
	insist_result(handle_replace(event, 900, 0));
	insist_result(handle_replace(memobj, 901, 0));
	partner = (handle_t)insist_result(process_create(HANDLE_SELF_SPACE, HANDLE_SELF_BUDGET, PROCESS_SHARE_HANDLES, HANDLE_SELF_PROCESS));
	struct thread_start start = { .entry = (uint64_t)partner_main, .stack = (uint64_t)stack + sizeof stack - 8 };
	insist_result(thread_create(partner, &start));
}

/* Once. True: an allocation failed. */
static bool meet(const struct meeting *meeting, bool partner_fails, bool partner_waits, uint64_t which, bool compare)
{
	handle_t who = partner_fails ? partner : HANDLE_SELF_PROCESS;
	struct system_info before = exhaust_figures();
	now = meeting;
	number = which;
	refused = 0;
	memset(to, 0, sizeof to);
	if (meeting->prepare)
		meeting->prepare();
	delayed = !partner_waits;
	if (which)
		debug_fail_allocation(who, which);
	__atomic_add_fetch(&posted, 1, __ATOMIC_RELEASE);
	futex_wake((uint64_t)&posted, 1, FUTEX_ANY_BITS, 0);
	if (partner_waits)
		nap();
	meeting->one();
	for (uint32_t last; (last = __atomic_load_n(&done, __ATOMIC_ACQUIRE)) != posted;)
		if (futex_wait((uint64_t)&done, last, time_in(PATIENCE), FUTEX_ANY_BITS, 0) == -ETIMEDOUT)
			fail("the other waits for ever", 0);
	bool failed = which && debug_fail_allocation(who, 0) == 0;
	if (refused && !failed)
		fail("refused without reason", refused);
	if (meeting->clean)
		meeting->clean();
	if (compare)
		exhaust_compare(meeting->name, which, &before);
	return failed;
}

unsigned meet_run(void)
{
	unsigned failures = 0;
	prepare_all();
	for (unsigned i = 0; i < sizeof meetings / sizeof *meetings; i++) {
		for (unsigned how = 0; how < 4; how++) {
			for (unsigned warm = 0; warm < 3; warm++) /* what the first times leave (tables that grew) is kept for the next */
				(void)meet(&meetings[i], false, how & 2, 0, warm == 2);
			for (uint64_t which = 1; meet(&meetings[i], how & 1, how & 2, which, true); which++)
				failures++;
		}
	}
	return failures;
}
