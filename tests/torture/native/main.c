/*
 * Many processes talk at random, are interrupted, stopped and killed at random, on as many processors as there are; nothing may get lost, come twice, out of its
 * order, or be left behind. In init's place. Command line: torture=SEED seconds=COUNT. Ends the machine with status 0, or 1 after a line "torture: FAIL seed ...".
 *
 * A round: workers send and receive packets of words through channels of several capacities, by themselves and by selects new and prepared, and call ports with words or ranges; servers answer. All are clones
 * of this process with one thread, which share memory with it. A packet is (worker, its number on the channel); a number is used until it is sent, and who
 * receives counts it. A call is (worker, its number); its server counts it, then answers, and the caller looks at both. The supervisor interrupts, suspends
 * and kills, and starts who was killed again, who goes on with the numbers. At the end it empties the channels and compares:
 * - no packet and no call was counted twice; no packet was counted that nobody sent; a caller gets the answer to its call;
 * - who receives sees the packets of one sender in their order;
 * - packets that were sent and not counted are at most as many as receivers were killed (with one in their hands each);
 * - what the machine holds is what it held before.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "abi/boot.h"
#include "abi/memory.h"
#include "abi/message.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"

#define WORKERS 8u
#define SERVERS 3u
#define PARTNERS (WORKERS + SERVERS)
#define CHANNELS 4u
#define PORTS 2u
#define NUMBERS 8192u                  /* of one worker on one channel, or of its calls, in a round */
#define ROUND_TIME (300 * MILLISECOND)
#define RANGE 3000u
#define STACK_SIZE 65536u
#define MILLISECOND 1000000ull
#define KILLED 0x109u

struct shared {
	volatile uint32_t stop;
	uint32_t next[WORKERS][CHANNELS];     /* the number that is sent next */
	uint32_t calls[WORKERS];
	uint8_t counted[WORKERS][CHANNELS][NUMBERS];
	uint8_t served[WORKERS][NUMBERS];
	uint32_t highest[WORKERS][WORKERS][CHANNELS]; /* 1 + what that receiver saw last of that sender */
	uint64_t done[3];                     /* packets sent, received, calls answered: told at the end */
	volatile uint32_t wrong;              /* the first check that failed: a line of this file */
};

static const struct boot_info *boot;
static struct shared *shared;
static uint64_t seed, state;
static unsigned me;                        /* of a partner */
static handle_t listener[PORTS], client[PORTS];
static struct channel_ends channel[CHANNELS];
static uint8_t stack[STACK_SIZE] __attribute__((aligned(16)));
static uint8_t bytes[2][RANGE];

static _Noreturn void power_off(unsigned status)
{
	for (;;)
		system_power(BOOT_HANDLE_RESOURCE, POWER_OFF, status);
}

#define FAIL(...) (server_log("torture: FAIL seed %lu:", seed), server_log(__VA_ARGS__), power_off(1))
#define MUST(condition) ((condition) ? (void)0 : FAIL("line %d: %s", __LINE__, #condition))
/* Of a partner: the supervisor tells. */
#define WANT(condition) ((condition) ? (void)0 : wrong(__LINE__))

static void wrong(uint32_t line)
{
	uint32_t nothing = 0;
	__atomic_compare_exchange_n(&shared->wrong, &nothing, line, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	process_exit(1);
}

static uint64_t now(void)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
}

static uint64_t below(uint64_t n) /* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 11) % n;
}

static void sleep_for(uint64_t nanoseconds)
{
	static uint32_t never;
	futex_wait((uint64_t)(uintptr_t)&never, 0, now() + nanoseconds, FUTEX_ANY_BITS, 0);
}

/* --- workers */

static void count_packet(unsigned receiver, const uint64_t word[MESSAGE_WORDS], unsigned on)
{
	uint64_t sender = word[0], number = word[1];
	WANT(sender < WORKERS && number < NUMBERS && word[2] == on && word[7] == sender * number + on);
	WANT(__atomic_fetch_add(&shared->counted[sender][on][number], 1, __ATOMIC_SEQ_CST) == 0);
	if (receiver == WORKERS)
		return; /* the supervisor, at the end */
	uint32_t *highest = &shared->highest[receiver][sender][on];
	WANT(*highest <= number);
	*highest = (uint32_t)number + 1;
	__atomic_fetch_add(&shared->done[1], 1, __ATOMIC_RELAXED);
}

static void send_one(void)
{
	unsigned on = (unsigned)below(CHANNELS);
	uint32_t *next = &shared->next[me][on];
	if (*next == NUMBERS)
		return;
	struct message message = { .word = { me, *next, on, [7] = me * *next + on } };
	int64_t result = channel_send(channel[on].sender, &message, below(3) ? 0 : CHANNEL_NON_BLOCKING, below(5) ? now() + below(MILLISECOND) : DEADLINE_NEVER);
	WANT(result == 0 || result == -EINTR || result == -EAGAIN || result == -ETIMEDOUT);
	if (result == 0) {
		/* after a kill before this line the number is left out: partner_kill */
		__atomic_store_n(next, *next + 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&shared->done[0], 1, __ATOMIC_RELAXED);
	}
}

static void receive_one(void)
{
	unsigned on = (unsigned)below(CHANNELS);
	struct message message = { 0 };
	int64_t result = channel_receive(channel[on].receiver, &message, below(3) ? 0 : CHANNEL_NON_BLOCKING, now() + below(MILLISECOND));
	WANT(result == 0 || result == -EINTR || result == -EAGAIN || result == -ETIMEDOUT);
	if (result == 0)
		count_packet(me, message.word, on);
}

/* One of several sends and receives, at most one of each on a channel; or always the same ones, prepared. */
static void select_one(bool again)
{
	static struct message prepared_messages[CHANNELS + 1];
	static handle_t prepared = HANDLE_NONE;
	static unsigned prepared_on; /* where it sends */
	struct message own[2 * CHANNELS], *messages = again ? prepared_messages : own;
	struct select_case cases[2 * CHANNELS] = { 0 };
	unsigned on[2 * CHANNELS], count = again ? CHANNELS + 1 : 2 * CHANNELS;
	if (prepared == HANDLE_NONE)
		prepared_on = (unsigned)below(CHANNELS);
	for (unsigned i = 0; i < count; i++) { /* the first CHANNELS receive */
		on[i] = i == CHANNELS && again ? prepared_on : i % CHANNELS;
		bool sends = i >= CHANNELS, wanted = again || below(2);
		uint32_t number = shared->next[me][on[i]];
		if (sends && number == NUMBERS) {
			if (again)
				return;
			wanted = false;
		}
		cases[i].channel = !wanted ? HANDLE_NONE : sends ? channel[on[i]].sender : channel[on[i]].receiver;
		messages[i] = (struct message){ 0 };
		if (sends)
			messages[i] = (struct message){ .word = { me, number, on[i], [7] = me * number + on[i] } };
	}
	if (again && prepared == HANDLE_NONE) {
		prepared = (handle_t)channel_select_create(cases, messages, count);
		WANT(prepared >= 0);
	}
	uint64_t deadline = below(3) ? now() + below(MILLISECOND) : 0;
	int64_t i = again ? channel_select_wait(prepared, deadline) : channel_select(cases, messages, count, deadline);
	WANT((i >= 0 && i < count) || i == -EINTR || i == -ETIMEDOUT);
	if (i < 0)
		return;
	WANT(messages[i].reply_status == 0 && cases[i].channel != HANDLE_NONE);
	if (i >= CHANNELS) {
		__atomic_store_n(&shared->next[me][on[i]], shared->next[me][on[i]] + 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&shared->done[0], 1, __ATOMIC_RELAXED);
	} else {
		count_packet(me, messages[i].word, on[i]);
	}
}

static void call_one(void)
{
	uint32_t number = shared->calls[me];
	if (number == NUMBERS)
		return;
	shared->calls[me] = number + 1; /* used, whatever comes of it */
	handle_t port = client[below(PORTS)];
	uint64_t word[MESSAGE_WORDS] = { me, number };
	int64_t result;
	if (below(2)) {
		result = port_call_words(port, word);
	} else {
		struct message message = { .word = { me, number }, .send_address = (uintptr_t)bytes[0], .send_size = below(RANGE), .receive_address = (uintptr_t)bytes[1],
			.receive_size = RANGE };
		memset(bytes[0], (int)number, sizeof bytes[0]);
		uint64_t size = message.send_size;
		result = port_call(port, &message, below(2) ? CALL_INTERRUPTIBLE : 0);
		memcpy(word, message.word, sizeof word);
		if (result == 0) {
			WANT(message.receive_size == size);
			for (uint64_t i = 0; i < size; i += 97)
				WANT(bytes[1][i] == (uint8_t)(number + 1));
		}
	}
	WANT(result == 0 || result == -EINTR || result == -EPIPE);
	if (result)
		return;
	WANT(word[0] == number * 3 + me && word[1] == number);
	WANT(__atomic_load_n(&shared->served[me][number], __ATOMIC_SEQ_CST) == 1);
	__atomic_fetch_add(&shared->done[2], 1, __ATOMIC_RELAXED);
}

static void worker(void)
{
	while (!shared->stop) {
		switch (below(11)) {
		case 0: case 1: case 2:
			send_one();
			break;
		case 3: case 4: case 5:
			receive_one();
			break;
		case 6: case 7:
			select_one(false);
			break;
		case 8:
			select_one(true);
			break;
		default:
			call_one();
		}
	}
	process_exit(0);
}

/* --- servers */

static void server(void)
{
	struct message_received words = { .reply = REPLY_NONE };
	handle_t port = listener[me % PORTS];
	for (;;) {
		struct message message = { .receive_address = (uintptr_t)bytes[0], .receive_size = RANGE };
		int64_t result = port_reply_receive_words(port, &words, &message);
		if (result == -EINTR) {
			words.reply = REPLY_NONE;
			continue;
		}
		WANT(result >= 0);
		bool range = result & WORDS_IN_MESSAGE;
		const uint64_t *word = range ? message.word : words.word;
		uint64_t caller = word[0], number = word[1];
		WANT(caller < WORKERS && number < NUMBERS);
		WANT(__atomic_fetch_add(&shared->served[caller][number], 1, __ATOMIC_SEQ_CST) == 0);
		if (below(50) == 0)
			sleep_for(below(MILLISECOND));
		if (!range) {
			memset(words.word, 0, sizeof words.word);
			words.word[0] = number * 3 + caller;
			words.word[1] = number;
			continue;
		}
		uint64_t size = message.receive_size;
		for (uint64_t i = 0; i < size; i += 97)
			WANT(bytes[0][i] == (uint8_t)number);
		memset(bytes[0], (int)number + 1, sizeof bytes[0]);
		struct message answer = { .word = { number * 3 + caller, number }, .send_address = (uintptr_t)bytes[0], .send_size = size };
		result = port_reply(message.reply, &answer);
		WANT(result == 0 || result == -ESRCH || result == -EINTR);
		words.reply = REPLY_NONE;
	}
}

/* --- the supervisor */

static handle_t partner_start(unsigned number, handle_t budget)
{
	me = number < WORKERS ? number : number - WORKERS; /* the clone's; and its own state of chance */
	state ^= (number + 1) * 0x9e3779b97f4a7c15ull;
	int64_t space = space_clone(HANDLE_SELF_SPACE);
	int64_t process = space < 0 ? space : process_create((handle_t)space, budget, PROCESS_COPY_HANDLES, HANDLE_SELF_PROCESS);
	struct thread_start start = { .entry = (uintptr_t)(number < WORKERS ? worker : server), .stack = (uintptr_t)stack + STACK_SIZE - 8, .priority = (uint32_t)(17 + below(3)) };
	MUST(process >= 0 && thread_create((handle_t)process, &start) > 0);
	handle_close((handle_t)space);
	return (handle_t)process;
}

/* Waits for its end; false: it does not. */
static bool partner_ended(handle_t process, uint64_t limit, uint32_t *status)
{
	struct process_info info;
	struct poll_item item = { process, READY_IN, 0 };
	if (description_poll(&item, 1, now() + limit, 0) != 1)
		return false;
	MUST(process_get(process, &info) == 0 && info.state == PROCESS_CORPSE);
	*status = info.status;
	handle_close(process);
	return true;
}

static void wrong_check(void)
{
	if (shared->wrong)
		FAIL("a partner's check in line %u", shared->wrong);
}

static void partner_kill(unsigned number, handle_t process)
{
	uint32_t status;
	MUST(process_kill(process, KILLED) == 0 || shared->wrong);
	if (!partner_ended(process, 20000 * MILLISECOND, &status))
		FAIL("partner %u does not die", number);
	wrong_check();
	/* its packet may have gone in with `next` not raised yet: that number is left out */
	for (unsigned on = 0; number < WORKERS && on < CHANNELS; on++)
		if (shared->next[number][on] < NUMBERS)
			shared->next[number][on]++;
}

static void channels_empty(void)
{
	for (unsigned on = 0; on < CHANNELS; on++) {
		for (;;) {
			struct message message = { 0 };
			int64_t result = channel_receive(channel[on].receiver, &message, CHANNEL_NON_BLOCKING, 0);
			if (result)
				break;
			count_packet(WORKERS, message.word, on);
		}
	}
	wrong_check();
}

/* Numbers below `next` that nobody counted, less those that a kill left out. */
static uint64_t packets_missing(void)
{
	uint64_t missing = 0;
	for (unsigned w = 0; w < WORKERS; w++)
		for (unsigned on = 0; on < CHANNELS; on++)
			for (uint32_t number = 0; number < NUMBERS; number++) {
				bool sent = number < shared->next[w][on];
				missing += sent && !shared->counted[w][on][number];
				if (!sent && shared->counted[w][on][number])
					FAIL("worker %u, channel %u: packet %u came and was not sent", w, on, number);
			}
	return missing;
}

static void round_run(void)
{
	static const uint64_t capacity[CHANNELS] = { 0, 1, 4, 16 };
	handle_t process[PARTNERS];
	int64_t budget = budget_create(BOOT_HANDLE_BUDGET, 4000);
	MUST(budget >= 0);
	memset(shared, 0, sizeof *shared);
	for (unsigned i = 0; i < PORTS; i++) {
		listener[i] = (handle_t)listener_create(0);
		client[i] = (handle_t)client_create(listener[i], i);
		MUST(listener[i] >= 0 && client[i] >= 0);
	}
	for (unsigned i = 0; i < CHANNELS; i++)
		MUST(channel_create(CHANNEL_PACKET, capacity[i], &channel[i]) == 0);
	for (unsigned i = 0; i < PARTNERS; i++)
		process[i] = partner_start(i, (handle_t)budget);
	uint64_t worker_kills = 0, end = now() + ROUND_TIME;
	while (now() < end) {
		unsigned number = (unsigned)below(PARTNERS);
		switch (below(12)) {
		case 0: /* it is suspended for a while */
			(void)process_suspend(process[number]);
			sleep_for(below(MILLISECOND));
			(void)process_resume(process[number]);
			break;
		case 1:
			worker_kills += number < WORKERS;
			partner_kill(number, process[number]);
			process[number] = partner_start(number, (handle_t)budget);
			break;
		case 2:
			sleep_for(below(2 * MILLISECOND));
			break;
		default:
			(void)process_interrupt(process[number], 0);
		}
		wrong_check();
	}
	shared->stop = 1;
	/* who waits without a deadline for room gets it, servers go on until the last caller has gone */
	for (unsigned i = 0; i < WORKERS; i++) {
		uint32_t status;
		for (unsigned tries = 0; !partner_ended(process[i], 5 * MILLISECOND, &status); tries++) {
			channels_empty();
			(void)process_interrupt(process[i], 0);
			if (tries > 4000)
				FAIL("worker %u does not end", i);
		}
		wrong_check();
		MUST(status == 0);
	}
	for (unsigned i = WORKERS; i < PARTNERS; i++)
		partner_kill(i, process[i]);
	channels_empty();
	/* a killed worker may have had a packet in its hands; and for each of its channels a number was left out */
	uint64_t missing = packets_missing();
	if (missing > worker_kills * (1 + CHANNELS))
		FAIL("%lu packets are missing, with %lu workers killed", missing, worker_kills);
	for (unsigned i = 0; i < PORTS; i++) {
		handle_close(client[i]);
		handle_close(listener[i]);
	}
	for (unsigned i = 0; i < CHANNELS; i++) {
		handle_close(channel[i].sender);
		handle_close(channel[i].receiver);
	}
	MUST(budget_destroy((handle_t)budget) == 0);
	handle_close((handle_t)budget);
}

static bool figures_equal(const struct system_info *a, const struct system_info *b)
{
	return a->objects == b->objects && a->processes == b->processes && a->threads == b->threads && a->kernel_bytes == b->kernel_bytes &&
		a->pages_free + a->pages_kernel == b->pages_free + b->pages_kernel;
}

static void figures_check(const struct system_info *before)
{
	struct system_info figures;
	system_get(&figures);
	for (unsigned tries = 0; !figures_equal(&figures, before); tries++) {
		if (tries == 400)
			FAIL("left behind: %ld objects, %ld processes, %ld threads, %ld kernel bytes, %ld pages", (long)figures.objects - (long)before->objects,
				(long)figures.processes - (long)before->processes, (long)figures.threads - (long)before->threads, (long)figures.kernel_bytes - (long)before->kernel_bytes,
				(long)(before->pages_free + before->pages_kernel) - (long)(figures.pages_free + figures.pages_kernel));
		sleep_for(5 * MILLISECOND);
		system_get(&figures);
	}
}

/* What the first round leaves is the supervisor's own, once all of its processes have gone: on other processors they may still be at that. */
static void figures_first(struct system_info *figures)
{
	system_get(figures);
	for (unsigned tries = 0; tries < 400 && figures->processes > 1; tries++) {
		sleep_for(5 * MILLISECOND);
		system_get(figures);
	}
	sleep_for(5 * MILLISECOND);
	system_get(figures);
}

static uint64_t word_value(const char *name, uint64_t fallback)
{
	const char *found = strstr(boot->command_line, name);
	return found ? strtoull(found + strlen(name), NULL, 10) : fallback;
}

int main(void)
{
	uint64_t done[3] = { 0 };
	boot = (const struct boot_info *)record_value("boot", 0);
	seed = word_value("torture=", 1);
	int64_t memobj = memobj_create(sizeof *shared, 0);
	struct map_request map = { .length = (sizeof *shared + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), .memobj = (handle_t)memobj, .protection = PROTECT_READ | PROTECT_WRITE };
	int64_t address = memobj < 0 ? memobj : space_map(HANDLE_SELF_SPACE, &map);
	MUST(address >= 0);
	shared = (struct shared *)address;
	struct system_info before = { 0 };
	uint64_t end = now() + word_value("seconds=", 5) * 1000 * MILLISECOND;
	for (uint64_t round = 0; round < 2 || now() < end; round++, seed++) {
		state = seed * 0x9e3779b97f4a7c15ull + 1;
		round_run();
		for (unsigned i = 0; i < 3; i++)
			done[i] += shared->done[i];
		if (round)
			figures_check(&before);
		else
			figures_first(&before);
	}
	server_log("torture: ok, %lu packets sent, %lu received, %lu calls, last seed %lu", done[0], done[1], done[2], seed - 1);
	power_off(0);
}
