/*
 * Calls with words in registers, each in the company that the short way of ports (kernel/ipc/port.h) has to notice: messages with ranges, replies set
 * aside and answered by others, deaths of either side, kills, interrupts, priorities. In init's place; partners are clones of this process with one
 * thread, which tell what they saw by their exit status. tests/ipc/run boots it with and without the short way. channels.c has the tests of channels,
 * urgency.c of priorities.
 */
#include <string.h>
#include "tests/ipc/native/ipc.h"

#define STACK_SIZE 65536
#define ROUNDS 200

static handle_t listener, client, other_client;
static uint8_t stack[2][STACK_SIZE] __attribute__((aligned(16)));
static uint8_t bytes[1000];
const char *test;

_Noreturn void power_off(unsigned status)
{
	for (;;)
		system_power(BOOT_HANDLE_RESOURCE, POWER_OFF, status);
}

void sleep_for(uint64_t nanoseconds)
{
	static uint32_t never;
	futex_wait((uint64_t)(uintptr_t)&never, 0, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + nanoseconds, FUTEX_ANY_BITS, 0);
}

/* --- partners */

handle_t partner_start(void (*function)(void), uint32_t priority)
{
	int64_t space = space_clone(HANDLE_SELF_SPACE);
	int64_t process = process_create((handle_t)space, HANDLE_SELF_BUDGET, PROCESS_COPY_HANDLES, HANDLE_SELF_PROCESS);
	struct thread_start start = { .entry = (uintptr_t)function, .stack = (uintptr_t)stack[0] + STACK_SIZE - 8, .priority = priority };
	CHECK(process >= 0 && thread_create((handle_t)process, &start) > 0);
	handle_close((handle_t)space);
	return (handle_t)process;
}

/* A partner that serves, and does so: while this thread is the last that has received, a call of its own would be one to itself (EDEADLK). */
static handle_t server_start(void (*function)(void))
{
	handle_t process = partner_start(function, 0);
	sleep_for(MILLISECOND);
	return process;
}

/* Waits for its end; the status it gave. */
uint32_t partner_status(handle_t process)
{
	struct process_info info;
	struct poll_item item = { process, READY_IN, 0 };
	CHECK(description_poll(&item, 1, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 2000 * MILLISECOND, 0) == 1);
	CHECK(process_get(process, &info) == 0 && info.state == PROCESS_CORPSE);
	handle_close(process);
	return info.status;
}

static void words_fill(uint64_t word[MESSAGE_WORDS], uint64_t seed)
{
	for (unsigned i = 0; i < MESSAGE_WORDS; i++)
		word[i] = seed * 0x9e3779b97f4a7c15ull + i;
}

static bool words_are(const uint64_t word[MESSAGE_WORDS], uint64_t seed)
{
	uint64_t wanted[MESSAGE_WORDS];
	words_fill(wanted, seed);
	return !memcmp(word, wanted, sizeof wanted);
}

/* Calls through `port` with seeds first .., each answered with seed + 1000. 0, or which failed. */
static uint64_t calls_make(handle_t port, uint64_t first, uint64_t count)
{
	for (uint64_t seed = first; seed < first + count; seed++) {
		uint64_t word[MESSAGE_WORDS];
		words_fill(word, seed);
		if (port_call_words(port, word) != 0 || !words_are(word, seed + 1000))
			return seed;
	}
	return 0;
}

static void partner_calls(void)
{
	process_exit((uint32_t)calls_make(client, 1, ROUNDS));
}

static void partner_calls_other(void)
{
	process_exit((uint32_t)calls_make(other_client, 5001, ROUNDS));
}

/* Words, a message of words, a message with a range, a range that a caller of words takes none of. */
static void partner_mixes(void)
{
	for (unsigned i = 1; i <= ROUNDS; i++) {
		if (calls_make(client, i, 1))
			process_exit(1);
		struct message message = { .send_address = (uintptr_t)bytes, .send_size = i % 3 ? i : 0, .receive_address = (uintptr_t)bytes, .receive_size = i % 5 ? 100 : 0 };
		words_fill(message.word, i);
		memset(bytes, (int)i, sizeof bytes);
		if (port_call(client, &message, 0) || !words_are(message.word, i + 1000))
			process_exit(2);
		if (message.receive_size != (i % 5 ? 100 : 0) || (message.receive_size && bytes[99] != (uint8_t)(i + 1)))
			process_exit(3);
	}
	process_exit(0);
}

static void partner_serves_one(void)
{
	struct message_received words = { 0 };
	struct message message = { 0 };
	(void)port_reply_receive_words(listener, &words, &message);
	sleep_for(5000 * MILLISECOND);
	process_exit(1);
}

static void partner_serves(void)
{
	struct message_received words = { 0 };
	struct message message = { 0 };
	uint64_t interrupts = 0;
	for (;;) {
		int64_t result = port_reply_receive_words(listener, &words, &message);
		if (result == -EINTR) {
			interrupts++;
			words.reply = REPLY_NONE;
			continue;
		}
		if (words.word[0] == 0) { /* tell, and end */
			words.word[0] = interrupts;
			struct message answer = { .word = { interrupts } };
			(void)port_reply(words.reply, &answer);
			process_exit(0);
		}
		if (words.word[0] == 1) /* it is to be interrupted before it waits again */
			(void)process_interrupt(HANDLE_SELF_PROCESS, 0);
		for (unsigned i = 0; i < MESSAGE_WORDS; i++)
			words.word[i] += 1000 * 0x9e3779b97f4a7c15ull;
	}
}

static void partner_kills(void)
{
	sleep_for(5 * MILLISECOND);
	process_exit((uint32_t)process_kill(HANDLE_HIGH + 100, 7));
}

/* --- serving in this process */

static struct message_received words;
static struct message message;

static int64_t receive(void)
{
	message = (struct message){ .receive_address = (uintptr_t)bytes, .receive_size = sizeof bytes };
	return port_reply_receive_words(listener, &words, &message);
}

/* The next call, which has words only. */
static uint32_t receive_words(void)
{
	int64_t result = receive();
	CHECK(result == 0 && words.reply != REPLY_NONE);
	return words.reply;
}

static void answer_add(uint64_t by)
{
	for (unsigned i = 0; i < MESSAGE_WORDS; i++)
		words.word[i] += by * 0x9e3779b97f4a7c15ull;
}

static void answer_last(void)
{
	struct message last = { 0 };
	memcpy(last.word, words.word, sizeof last.word);
	CHECK(port_reply(words.reply, &last) == 0);
	words.reply = REPLY_NONE;
}

static void serve(unsigned count, uint64_t data)
{
	for (unsigned i = 0; i < count; i++) {
		receive_words();
		CHECK(!data || words.data == data);
		answer_add(1000);
	}
	answer_last();
}

/* --- the tests */

static void test_plain(void)
{
	handle_t process = partner_start(partner_calls, 0);
	serve(ROUNDS, 77);
	CHECK(partner_status(process) == 0);
}

static void test_priorities(void)
{
	for (uint32_t priority = 10; priority <= 22; priority += 6) {
		handle_t process = partner_start(partner_calls, priority);
		serve(ROUNDS, 77);
		CHECK(partner_status(process) == 0);
	}
}

static void test_two_callers(void)
{
	handle_t first = partner_start(partner_calls, 0), second = partner_start(partner_calls_other, 0);
	serve(2 * ROUNDS, 0);
	CHECK(partner_status(first) == 0 && partner_status(second) == 0);
}

/* Replies set aside, and answered the other way round. */
static void test_set_aside(void)
{
	handle_t first = partner_start(partner_calls, 0), second = partner_start(partner_calls_other, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct message_received held[2];
		for (unsigned k = 0; k < 2; k++) {
			words.reply = REPLY_NONE;
			receive_words();
			held[k] = words;
		}
		CHECK(held[0].reply != held[1].reply && held[0].data != held[1].data);
		for (unsigned k = 2; k-- > 0;) {
			words = held[k];
			answer_add(1000);
			uint32_t number = words.reply;
			answer_last();
			struct message again = { 0 };
			CHECK(port_reply(number, &again) == -ESRCH);
		}
	}
	CHECK(partner_status(first) == 0 && partner_status(second) == 0);
}

static void test_mixed(void)
{
	handle_t process = partner_start(partner_mixes, 0);
	for (unsigned i = 1; i <= ROUNDS; i++) {
		receive_words();
		CHECK(words_are(words.word, i));
		answer_add(1000);
		if (i % 2) { /* a caller of words takes no range: the reply stays to be given */
			struct message range = { .send_address = (uintptr_t)bytes, .send_size = 1 };
			CHECK(port_reply(words.reply, &range) == -EMSGSIZE);
		}
		int64_t result = receive();
		uint64_t sent = i % 3 ? i : 0, room = i % 5 ? 100 : 0;
		CHECK(result == (sent || room ? WORDS_IN_MESSAGE : 0));
		if (result) {
			CHECK(words_are(message.word, i) && message.receive_size == sent && message.room == room && message.reply == words.reply && message.data == 77);
			CHECK(!sent || bytes[sent - 1] == (uint8_t)i);
		}
		struct message answer = { .send_address = (uintptr_t)bytes, .send_size = room };
		words_fill(answer.word, i + 1000);
		memset(bytes, (int)(i + 1), sizeof bytes);
		CHECK(port_reply(words.reply, &answer) == 0);
		words.reply = REPLY_NONE;
	}
	CHECK(partner_status(process) == 0);
}

/* The caller is killed while we serve it, at its first call and after some the short way. */
static void test_caller_killed(void)
{
	for (unsigned before = 0; before < 4; before++) {
		handle_t process = partner_start(partner_calls, 0);
		words.reply = REPLY_NONE;
		for (unsigned i = 0; i < before; i++) {
			receive_words();
			answer_add(1000);
		}
		receive_words();
		CHECK(process_kill(process, 9) == 0 && partner_status(process) == 9);
		handle_t next = partner_start(partner_calls, 0);
		answer_add(1000);
		int64_t result = receive();
		CHECK(result == WORDS_NOT_ANSWERED && words_are(words.word, 1));
		answer_add(1000);
		serve(ROUNDS - 1, 77);
		CHECK(partner_status(next) == 0);
	}
}

/* The server is killed while it serves us; while it waits nothing is lost. */
static void test_server_killed(void)
{
	uint64_t word[MESSAGE_WORDS] = { 1 };
	handle_t server = server_start(partner_serves_one);
	CHECK(handle_duplicate(server, HANDLE_HIGH + 100, 0, 0) == HANDLE_HIGH + 100);
	handle_t killer = partner_start(partner_kills, 0);
	CHECK(port_call_words(client, word) == -EPIPE);
	CHECK(partner_status(killer) == 0 && partner_status(server) == 7);
	handle_close(HANDLE_HIGH + 100);

	server = server_start(partner_serves);
	CHECK(calls_make(client, 1, ROUNDS) == 0);
	CHECK(process_kill(server, 7) == 0 && partner_status(server) == 7);
	server = server_start(partner_serves);
	CHECK(calls_make(client, 1, ROUNDS) == 0);
	CHECK(process_kill(server, 7) == 0 && partner_status(server) == 7);
}

static void test_interrupts(void)
{
	handle_t server = server_start(partner_serves);
	uint64_t word[MESSAGE_WORDS] = { 0 };
	for (unsigned i = 0; i < ROUNDS; i++) {
		CHECK(calls_make(client, 1, 3) == 0);
		CHECK(process_interrupt(server, 0) == 0);
		(void)thread_yield();
	}
	CHECK(port_call_words(client, word) == 0 && word[0] > 0 && word[0] <= ROUNDS);
	CHECK(partner_status(server) == 0);
}

/* An interrupt that comes before the server waits is not lost: its answer is given, and it does not sleep. */
static void test_interrupted_before(void)
{
	handle_t server = server_start(partner_serves);
	for (unsigned i = 0; i < 5; i++) {
		uint64_t word[MESSAGE_WORDS] = { 1 };
		CHECK(calls_make(client, 1, 3) == 0);
		CHECK(port_call_words(client, word) == 0 && word[0] == 1 + 1000 * 0x9e3779b97f4a7c15ull);
	}
	uint64_t word[MESSAGE_WORDS] = { 0 };
	CHECK(port_call_words(client, word) == 0 && word[0] == 5);
	CHECK(partner_status(server) == 0);
}

/* The server is stopped while it waits: the call waits with it. */
static void test_suspended(void)
{
	handle_t server = server_start(partner_serves), caller;
	CHECK(calls_make(client, 1, 3) == 0);
	CHECK(process_suspend(server) == 0);
	caller = partner_start(partner_calls, 0);
	sleep_for(2 * MILLISECOND);
	struct process_info info;
	CHECK(process_get(caller, &info) == 0 && info.state != PROCESS_CORPSE);
	CHECK(process_resume(server) == 0 && partner_status(caller) == 0);
	CHECK(process_kill(server, 7) == 0 && partner_status(server) == 7);
}

static void test_refused(void)
{
	uint64_t word[MESSAGE_WORDS] = { 0 };
	handle_t process = partner_start(partner_calls, 0);
	serve(ROUNDS, 77);
	CHECK(partner_status(process) == 0 && port_call_words(client, word) == -EDEADLK);
	int64_t port = listener_create(0), dead = client_create((handle_t)port, 1);
	CHECK(port >= 0 && dead >= 0);
	CHECK(port_call_words((handle_t)port, word) == -EINVAL && port_call_words(HANDLE_HIGH + 60000, word) == -EBADF);
	handle_close((handle_t)port);
	CHECK(port_call_words((handle_t)dead, word) == -EPIPE);
	handle_close((handle_t)dead);
	words.reply = 12345;
	CHECK(port_reply_receive_words(client, &words, &message) == -EINVAL);
	CHECK(port_reply_receive_words(listener, &words, (struct message *)8) == -EFAULT);
}

static const struct { const char *name; void (*function)(void); } tests[] = {
	{ "plain", test_plain }, { "priorities", test_priorities }, { "two callers", test_two_callers }, { "set aside", test_set_aside }, { "mixed", test_mixed },
	{ "caller killed", test_caller_killed }, { "server killed", test_server_killed }, { "interrupts", test_interrupts }, { "interrupted before", test_interrupted_before }, { "suspended", test_suspended },
	{ "refused", test_refused },
	{ "urgency", test_urgency }, { "urgency chain", test_urgency_chain }, { "urgency returned", test_urgency_returned }, { "urgency undone", test_urgency_undone },
	{ "select rendezvous", test_select_rendezvous }, { "select prepared", test_select_prepared }, { "select killed", test_select_killed }, { "select ends", test_select_ends },
	{ "channel handles", test_channel_handles }, { "select interrupted", test_select_interrupted }, { "alt", test_alt },
};

/* Who refers to the ports: nobody more than before. */
static uint32_t references(void)
{
	uint32_t sum = 0;
	const handle_t handles[] = { listener, client, other_client };
	for (unsigned i = 0; i < 3; i++) {
		struct handle_info info;
		CHECK(handle_get(handles[i], &info) == 0);
		sum += info.references;
	}
	return sum;
}

int main(void)
{
	test = "start";
	listener = (handle_t)listener_create(0);
	client = (handle_t)client_create(listener, 77);
	other_client = (handle_t)client_create(listener, 78);
	CHECK(listener >= 0 && client >= 0 && other_client >= 0);
	for (unsigned round = 0; round < 2; round++) { /* the first one's remains are the process's own */
		struct system_info before, after;
		(void)system_get(&before);
		uint32_t referring = references();
		for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++) {
			test = tests[i].name;
			words.reply = REPLY_NONE;
			tests[i].function();
		}
		test = "remains";
		(void)system_get(&after);
		CHECK(references() == referring);
		CHECK(!round || (after.objects == before.objects && after.threads == before.threads && after.processes == before.processes));
	}
	server_log("ok");
	power_off(0);
}
