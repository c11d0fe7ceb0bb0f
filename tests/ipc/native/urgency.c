/*
 * At whose priority servers run (kernel/ipc/urgency.c). The most urgent caller is this thread; a server that is the least urgent but one serves the least urgent caller
 * when a hog, more urgent than both, begins. All stay on one processor, where they compete. Nothing here is timed but the moment at which the server is at work: who ends first depends on priorities alone.
 */
#include <string.h>
#include "tests/ipc/native/ipc.h"

enum { URGENT = 17, HOG = 20, SERVER = 24, LOW = 26 };
#define REQUEST_TURNS 6000000u          /* of a loop: some ten milliseconds */
#define HOG_TURNS (6 * REQUEST_TURNS)

static handle_t listeners[2], clients[2];
static uint32_t turns, hog_turns;       /* what partners started from now on shall do */
static handle_t server, between, low, hog;

static void spin(uint32_t count)
{
	for (volatile uint32_t i = 0; i < count; i++)
		;
}

/* Answers with how many requests it has done; word 1 asks it to end instead. By words or by messages, which go different ways. */
static void serve(handle_t listener, handle_t next, bool by_words)
{
	struct message_received words = { .reply = REPLY_NONE };
	struct message message = { 0 };
	for (uint64_t done = 1;; done++) {
		if (by_words ? port_reply_receive_words(listener, &words, &message) : port_receive(listener, &message, DEADLINE_NEVER))
			process_exit(1);
		uint64_t *word = by_words ? words.word : message.word;
		uint64_t forward[MESSAGE_WORDS] = { word[0], word[1] };
		if (next != HANDLE_NONE && port_call_words(next, forward))
			process_exit(2);
		spin((uint32_t)word[0]);
		if (word[1])
			process_exit(0);
		word[0] = done;
		if (!by_words && port_reply(message.reply, &message))
			process_exit(3);
	}
}

static void partner_serves_words(void) { serve(listeners[0], HANDLE_NONE, true); }
static void partner_serves_messages(void) { serve(listeners[0], HANDLE_NONE, false); }
static void partner_serves_inside(void) { serve(listeners[1], HANDLE_NONE, true); }
static void partner_serves_through(void) { serve(listeners[0], clients[1], true); }

static void partner_asks(void)
{
	uint64_t word[MESSAGE_WORDS] = { turns, 0 };
	process_exit(port_call_words(clients[0], word) == 0 ? 0 : 1);
}

static void partner_ends_server(void)
{
	uint64_t word[MESSAGE_WORDS] = { turns, 1 };
	process_exit(port_call_words(clients[0], word) == -EPIPE ? 0 : 1);
}

static void partner_spins(void)
{
	spin(hog_turns);
	process_exit(0);
}

static bool is_over(handle_t process)
{
	struct process_info info;
	CHECK(process_get(process, &info) == 0);
	return info.state == PROCESS_CORPSE;
}

/* This thread, and those that it starts from now on, may run on these processors. */
static void processors_set(uint64_t mask)
{
	CHECK(thread_set_processors(HANDLE_SELF_PROCESS, (uint64_t)thread_self(), mask) > 0);
}

static void ports_open(void)
{
	processors_set(1);
	for (unsigned i = 0; i < 2; i++) {
		listeners[i] = (handle_t)listener_create(0);
		clients[i] = (handle_t)client_create(listeners[i], 1);
		CHECK(listeners[i] >= 0 && clients[i] >= 0);
	}
}

static void ports_close(void)
{
	processors_set(UINT64_MAX);
	for (unsigned i = 0; i < 2; i++) {
		handle_close(listeners[i]);
		handle_close(clients[i]);
	}
}

static handle_t started(void (*function)(void), uint32_t priority)
{
	handle_t process = partner_start(function, priority);
	sleep_for(2 * MILLISECOND); /* it runs until it waits, or is in the middle of its work */
	return process;
}

static void end(handle_t process)
{
	CHECK(process_kill(process, 9) == 0 && partner_status(process) == 9);
}

/* The low client's request is being served, more of its kind are queued, and the hog is about to compete. */
static void scene(void (*server_function)(void), void (*inside)(void), void (*low_function)(void))
{
	ports_open();
	between = inside ? started(inside, SERVER) : HANDLE_NONE;
	server = started(server_function, SERVER);
	turns = REQUEST_TURNS;
	low = started(low_function, LOW);
	CHECK(!is_over(low));
	hog = partner_start(partner_spins, HOG);
}

static void scene_end(void)
{
	CHECK(partner_status(hog) == 0);
	if (between != HANDLE_NONE)
		end(between);
	ports_close();
}

/* The hog ends before the one inside does what a low client asks. */
static void inside_is_as_before(void)
{
	low = started(partner_ends_server, LOW);
	CHECK(!is_over(low) && !is_over(between));
	hog_turns = REQUEST_TURNS / 2;
	CHECK(partner_status(partner_start(partner_spins, HOG)) == 0 && !is_over(between));
	CHECK(partner_status(between) == 0 && partner_status(server) == 2 && partner_status(low) == 0);
	between = HANDLE_NONE;
}

/* We wait for one request of the low client's, not for the hog, and not for those of the low ones that came before us. */
static void waits_for_one(void (*server_function)(void), void (*inside)(void))
{
	hog_turns = HOG_TURNS;
	scene(server_function, inside, partner_asks);
	handle_t queued = partner_start(partner_asks, HOG - 1); /* more urgent than the hog, less than we */
	uint64_t word[MESSAGE_WORDS] = { 1000 };
	sleep_for(MILLISECOND);
	CHECK(port_call_words(clients[0], word) == 0 && word[0] == 2);
	CHECK(!is_over(hog) && !is_over(queued));
	/* it runs at the queued one's priority now, and at its own later */
	CHECK(partner_status(queued) == 0 && !is_over(hog));
	word[0] = 1000, word[1] = 0;
	CHECK(partner_status(low) == 0 && is_over(hog));
	CHECK(port_call_words(clients[0], word) == 0 && word[0] == 4);
	end(server);
	scene_end();
}

void test_urgency(void)
{
	waits_for_one(partner_serves_words, NULL);
	waits_for_one(partner_serves_messages, NULL);
}

/* The server waits for another one, which so works at our priority too. */
void test_urgency_chain(void)
{
	waits_for_one(partner_serves_through, partner_serves_inside);
}

/* The same without a hog, so that nothing but the priorities keeps calls from going the short way. */
void test_urgency_returned(void)
{
	hog_turns = 0;
	scene(partner_serves_through, partner_serves_inside, partner_asks);
	uint64_t word[MESSAGE_WORDS] = { 1000 };
	sleep_for(MILLISECOND); /* the hog ends */
	CHECK(!is_over(low) && port_call_words(clients[0], word) == 0 && partner_status(low) == 0);
	inside_is_as_before();
	scene_end();
}

/* Who makes the server more urgent gives up: it is as before, so the hog ends first. */
void test_urgency_undone(void)
{
	hog_turns = REQUEST_TURNS;
	scene(partner_serves_words, NULL, partner_ends_server);
	handle_t urgent = partner_start(partner_asks, URGENT);
	sleep_for(MILLISECOND);
	CHECK(!is_over(server) && !is_over(hog));
	end(urgent);
	struct poll_item item = { hog, READY_IN, 0 };
	CHECK(description_poll(&item, 1, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 5000 * MILLISECOND, 0) == 1);
	CHECK(!is_over(server));
	CHECK(partner_status(server) == 0);
	handle_close(listeners[0]); /* nobody serves it any more: the call ends */
	CHECK(partner_status(low) == 0);
	listeners[0] = (handle_t)listener_create(0);
	scene_end();
}
