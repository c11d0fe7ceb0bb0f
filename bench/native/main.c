/*
 * Carillon's own calls in guest instructions an operation (one instruction is one nanosecond, -icount shift=0): the native counterpart of
 * bench/microbench.c, in init's place. Prints its lines to the kernel's log: "bench: NAME MEDIAN BEST OPERATIONS IDLE", the best and the
 * median of BATCHES batches. Command line: only=PREFIX measures the lines that begin so.
 *
 * The partner is another process: a clone of this one's space with a copy of its handles and one thread.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "abi/boot.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"

#define BATCHES 5
#define STACK_SIZE 65536
#define RANGE 4096

static const struct boot_info *boot;
static handle_t listener, client, sender[2], receiver[2];
static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static uint8_t range_out[RANGE] __attribute__((aligned(PAGE_SIZE))), range_in[RANGE] __attribute__((aligned(PAGE_SIZE)));
static uint8_t server_out[RANGE] __attribute__((aligned(PAGE_SIZE))), server_in[RANGE] __attribute__((aligned(PAGE_SIZE)));

static uint64_t counter(void)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
}

static _Noreturn void power_off(unsigned status)
{
	for (;;)
		system_power(BOOT_HANDLE_RESOURCE, POWER_OFF, status);
}

#define REQUIRE(condition) ((condition) ? (void)0 : (server_log("FAIL %s", #condition), power_off(1)))

/* --- partners; never return */

static _Noreturn void serve_words(void)
{
	struct message_received words = { 0 };
	struct message message = { 0 };
	for (;;)
		(void)port_reply_receive_words(listener, &words, &message);
}

static _Noreturn void serve_messages(void)
{
	struct message message = { .receive_address = (uintptr_t)server_in, .receive_size = sizeof server_in };
	uint32_t reply = REPLY_NONE;
	for (;;) {
		(void)port_reply_receive(listener, reply, &message, DEADLINE_NEVER);
		reply = message.reply;
		bool range = message.receive_size;
		message.receive_size = sizeof server_in;
		message.send_address = (uintptr_t)server_out;
		message.send_size = range ? sizeof server_out : 0;
		message.handle_count = 0;
	}
}

static _Noreturn void serve_packets(void)
{
	for (;;) {
		struct message message = { .receive_address = (uintptr_t)server_in, .receive_size = 64 };
		(void)channel_receive(receiver[0], &message, 0, DEADLINE_NEVER);
		struct message answer = { .send_address = (uintptr_t)server_out, .send_size = 64 };
		(void)channel_send(sender[1], &answer, 0, DEADLINE_NEVER);
	}
}

static handle_t partner_start(void (*function)(void))
{
	int64_t space = space_clone(HANDLE_SELF_SPACE);
	REQUIRE(space >= 0);
	int64_t process = process_create((handle_t)space, HANDLE_SELF_BUDGET, PROCESS_COPY_HANDLES, HANDLE_SELF_PROCESS);
	REQUIRE(process >= 0);
	struct thread_start start = { .entry = (uintptr_t)function, .stack = (uintptr_t)stack + STACK_SIZE - 8 };
	REQUIRE(thread_create((handle_t)process, &start) > 0);
	handle_close((handle_t)space);
	return (handle_t)process;
}

static void partner_end(handle_t process)
{
	(void)process_kill(process, 0);
	handle_close(process);
	for (int i = 0; i < 3; i++)
		(void)thread_yield();
}

/* --- operations */

static void null(long n)
{
	while (n--)
		(void)thread_self();
}

static void words_4(long n)
{
	while (n--) {
		uint64_t word[MESSAGE_WORDS] = { 1, 2, 3, 4 };
		(void)port_call_words(client, word);
		__asm__ volatile("" :: "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3]));
	}
}

static void words_8(long n)
{
	while (n--) {
		uint64_t word[MESSAGE_WORDS] = { 1, 2, 3, 4, 5, 6, 7, 8 };
		(void)port_call_words(client, word);
		__asm__ volatile("" :: "r"(word[0]), "r"(word[1]), "r"(word[2]), "r"(word[3]), "r"(word[4]), "r"(word[5]), "r"(word[6]), "r"(word[7]));
	}
}

static void message_words(long n)
{
	while (n--) {
		struct message message = { .word = { 1, 2, 3, 4 } };
		(void)port_call(client, &message, 0);
	}
}

static void message_range(long n)
{
	while (n--) {
		struct message message = { .send_address = (uintptr_t)range_out, .send_size = RANGE, .receive_address = (uintptr_t)range_in, .receive_size = RANGE };
		(void)port_call(client, &message, 0);
	}
}

static void packets(long n)
{
	while (n--) {
		struct message message = { .send_address = (uintptr_t)range_out, .send_size = 64 };
		(void)channel_send(sender[0], &message, 0, DEADLINE_NEVER);
		struct message answer = { .receive_address = (uintptr_t)range_in, .receive_size = 64 };
		(void)channel_receive(receiver[1], &answer, 0, DEADLINE_NEVER);
	}
}

/* Selects over CASES channels, of which one, another each time, has a packet; plain: the same with a receive. */
#define CASES 64
static struct channel_ends many[CASES];
static struct select_case cases[CASES];
static struct message messages[CASES];
static handle_t prepared;

static void many_open(void)
{
	for (int i = 0; i < CASES; i++) {
		REQUIRE(channel_create(CHANNEL_PACKET, 4, &many[i]) >= 0);
		cases[i].channel = many[i].receiver;
	}
}

static void many_send(long n)
{
	struct message message = { .word = { (uint64_t)n } };
	(void)channel_send(many[n % CASES].sender, &message, 0, DEADLINE_NEVER);
}

static void plain(long n)
{
	for (; n; n--) {
		many_send(n);
		(void)channel_receive(many[n % CASES].receiver, &messages[n % CASES], 0, DEADLINE_NEVER);
	}
}

static void select_64(long n)
{
	for (; n; n--) {
		many_send(n);
		REQUIRE(channel_select(cases, messages, CASES, DEADLINE_NEVER) == n % CASES);
	}
}

static void select_64_prepared(long n)
{
	for (; n; n--) {
		many_send(n);
		REQUIRE(channel_select_wait(prepared, DEADLINE_NEVER) == n % CASES);
	}
}

/* A function of its own, so that a profile finds the batches between its calls (bench/profile). */
static __attribute__((noinline)) uint64_t idle_ticks(void)
{
	struct system_info info;
	(void)system_get(&info);
	return info.idle_time / 1000;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static bool wanted(const char *name)
{
	const char *only = strstr(boot->command_line, "only=");
	return !only || !strncmp(name, only + 5, strcspn(only + 5, " "));
}

static void tell(const char *name, uint64_t median, uint64_t best, long n, uint64_t idle)
{
	server_log("%s %lu.%lu %lu.%lu %ld %lu", name, median / 10, median % 10, best / 10, best % 10, n, idle);
}

/* The median in tenths; 0: not wanted. */
static uint64_t run(const char *name, void (*operation)(long), long n, void (*partner)(void))
{
	uint64_t tenths[BATCHES];
	if (!wanted(name))
		return 0;
	handle_t process = partner ? partner_start(partner) : HANDLE_NONE;
	operation(n / 10);
	uint64_t idle = idle_ticks();
	for (int i = 0; i < BATCHES; i++) {
		uint64_t start = counter();
		operation(n);
		tenths[i] = (counter() - start) * 10 / (uint64_t)n;
	}
	idle = idle_ticks() - idle;
	if (process != HANDLE_NONE)
		partner_end(process);
	qsort(tenths, BATCHES, sizeof tenths[0], compare);
	tell(name, tenths[BATCHES / 2], tenths[0], n, idle);
	return tenths[BATCHES / 2];
}

/* What a select costs more than a plain receive. */
static void run_selects(void)
{
	many_open();
	uint64_t receive = run("channel_send_receive", plain, 4000, NULL);
	uint64_t new = run("channel_send_select_64", select_64, 4000, NULL);
	prepared = (handle_t)channel_select_create(cases, messages, CASES);
	REQUIRE(prepared >= 0);
	uint64_t again = run("channel_send_select_64_prepared", select_64_prepared, 4000, NULL);
	if (receive && new && again) {
		tell("channel_select_64_above_receive", new - receive, new - receive, 4000, 0);
		tell("channel_select_64_prepared_above_receive", again - receive, again - receive, 4000, 0);
	}
	handle_close(prepared);
}

int main(void)
{
	boot = (const struct boot_info *)record_value("boot", 0);
	listener = (handle_t)listener_create(0);
	client = (handle_t)client_create(listener, 77);
	REQUIRE(listener >= 0 && client >= 0);
	for (int i = 0; i < 2; i++) {
		struct channel_ends ends;
		REQUIRE(channel_create(CHANNEL_PACKET, 4, &ends) >= 0);
		sender[i] = ends.sender;
		receiver[i] = ends.receiver;
	}
	memset(range_out, 1, sizeof range_out), memset(range_in, 2, sizeof range_in);
	memset(server_out, 3, sizeof server_out), memset(server_in, 4, sizeof server_in);
	run("native_null", null, 100000, NULL);
	run("port_words_4", words_4, 10000, serve_words);
	run("port_words_8", words_8, 10000, serve_words);
	run("port_message_4", message_words, 4000, serve_messages);
	run("port_range_4k_each_way", message_range, 2000, serve_messages);
	run("channel_packet_64", packets, 4000, serve_packets);
	run_selects();
	server_log("ok");
	power_off(0);
}
