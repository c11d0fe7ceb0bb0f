/* Arguments: mostly such as get past the first checks, sometimes wild. */
#include <string.h>
#include "abi/description.h"
#include "abi/memory.h"
#include "abi/message.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "tests/fuzz/native/fuzz.h"

uint64_t random_next(struct random *random)
{
	/* splitmix64 */
	uint64_t z = (random->state += 0x9e3779b97f4a7c15ull);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

uint64_t value_any(struct random *random)
{
	switch (random_below(random, 12)) {
	case 0: return 0;
	case 1: return 1;
	case 2: return random_below(random, 64);
	case 3: return random_below(random, 64) * PAGE_SIZE;
	case 4: return 1ull << random_below(random, 64);
	case 5: return (1ull << random_below(random, 64)) - 1;
	case 6: return (1ull << random_below(random, 64)) + random_below(random, 17) - 8;
	case 7: return -random_below(random, 16);
	case 8: return INT64_MAX - random_below(random, 3);
	case 9: return random_next(random);
	case 10: return PAGE_SIZE + random_below(random, 9) - 4;
	default: return random_below(random, 4096);
	}
}

uint64_t value_handle(struct random *random)
{
	switch (random_below(random, 16)) {
	case 0: return random_below(random, 16);
	case 1: return (uint64_t)HANDLE_SELF_SPACE;
	case 2: return (uint64_t)HANDLE_SELF_PROCESS;
	case 3: return (uint64_t)HANDLE_SELF_BUDGET;
	case 4: return value_any(random);
	default: return HANDLE_HIGH + random_below(random, 40);
	}
}

static const char *const kinds[] = { "memobj", "space", "process", "listener", "client", "sender", "receiver", "description", "waitset", "event", "timer", "budget", "select" };
#define KINDS (sizeof kinds / sizeof *kinds)
#define MADE 8
static int32_t made[KINDS][MADE];
static uint8_t made_next[KINDS];

static unsigned kind_find(const char *what)
{
	unsigned kind = 0;
	while (kind < KINDS && strcmp(kinds[kind], what) != 0)
		kind++;
	return kind;
}

void value_note(const char *what, int64_t handle)
{
	unsigned kind = kind_find(what);
	if (kind < KINDS)
		made[kind][made_next[kind]++ % MADE] = (int32_t)handle;
}

uint64_t value_made(struct random *random, const char *what)
{
	unsigned kind = kind_find(what);
	return kind == KINDS || chance(random, 5) ? value_handle(random) : (uint64_t)made[kind][random_below(random, MADE)];
}

uint64_t value_address(struct random *random)
{
	static const uint64_t wild[] = { 0, 1, 8, USER_BOTTOM - 1, VALUE_SPACE_START, VALUE_SPACE_END, LIBRARY_START, LIBRARY_END, USER_TOP_MAX - 8, USER_TOP_MAX, USER_TOP_MAX + 1,
		0x800000000000ul, 0xffff800000000000ul, 0xffffffff80000000ul, 0xffffffffffffffffull, SCRATCH - 1, SCRATCH + SCRATCH_SIZE };
	uint64_t page = SCRATCH + random_below(random, SCRATCH_SIZE / PAGE_SIZE) * PAGE_SIZE;
	switch (random_below(random, 8)) {
	case 0: return wild[random_below(random, sizeof wild / sizeof *wild)];
	case 1: return page + random_below(random, PAGE_SIZE);
	case 2: return page + PAGE_SIZE - random_below(random, 64);
	case 3: return chance(random, 8) ? value_any(random) : page;
	default: return page;
	}
}

uint64_t value_deadline(struct random *random)
{
	uint64_t n = random_below(random, 100);
	if (n < 60)
		return 0;
	if (n < 96)
		return (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + random_below(random, 300000);
	return n < 98 ? DEADLINE_NEVER : value_any(random);
}

static uint64_t length_any(struct random *random)
{
	return chance(random, 4) ? value_any(random) : random_below(random, 16) * (chance(random, 2) ? PAGE_SIZE : 8);
}

static void message_fill(struct fuzz_thread *thread, struct message *message)
{
	struct random *random = &thread->random;
	if (chance(random, 2)) { /* plain words */
		memset(message->handle, 0xff, sizeof message->handle);
		message->send_size = message->receive_size = message->handle_count = message->handle_minimum = message->move = 0;
		return;
	}
	message->send_address = value_address(random);
	message->send_size = chance(random, 2) ? 0 : length_any(random);
	message->receive_address = value_address(random);
	message->receive_size = length_any(random);
	message->handle_count = chance(random, 2) ? 0 : (uint32_t)random_below(random, chance(random, 20) ? 9 : 5);
	for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
		message->handle[i] = (handle_t)value_handle(random);
	message->handle_minimum = chance(random, 4) ? (uint32_t)value_any(random) : 0;
	message->move = chance(random, 4) ? (uint32_t)random_below(random, 32) : 0;
}

static void map_fill(struct random *random, struct map_request *request)
{
	request->address = value_address(random);
	request->length = length_any(random);
	request->offset = chance(random, 2) ? 0 : chance(random, 4) ? value_any(random) : random_below(random, 8) * PAGE_SIZE;
	request->low = SCRATCH;
	request->high = SCRATCH + (chance(random, 8) ? value_any(random) : SCRATCH_SIZE * 4);
	request->memobj = chance(random, 2) ? HANDLE_NONE : (handle_t)value_made(random, "memobj");
	request->protection = (uint32_t)random_below(random, chance(random, 16) ? 16 : 8);
	request->flags = chance(random, 16) ? (uint32_t)value_any(random) : (uint32_t)random_below(random, 32);
	/* over the program itself only rarely */
	if (request->flags & MAP_FIXED && request->address < SCRATCH && !chance(random, 50))
		request->address = SCRATCH;
}

static void description_fill(struct random *random, struct description_request *request)
{
	request->kind = (uint32_t)random_below(random, chance(random, 8) ? 20 : DESCRIPTION_LIBRARY + 1);
	if (chance(random, 10))
		request->kind = DESCRIPTION_CHANNEL;
	request->flags = (uint32_t)random_below(random, chance(random, 8) ? 256 : 64);
	int32_t *handle[] = { &request->memobj, &request->sender, &request->receiver, &request->control, &request->event };
	static const char *const what[] = { "memobj", "sender", "receiver", "client", "event" };
	static const uint8_t parts[] = { [DESCRIPTION_PLACE] = 1, [DESCRIPTION_FLOW] = 6, [DESCRIPTION_SERVICE] = 24, [DESCRIPTION_EVENT] = 16, [DESCRIPTION_TIMER] = 16,
		[DESCRIPTION_LIBRARY] = 16, [DESCRIPTION_CHANNEL] = 6 };
	unsigned wanted = request->kind < sizeof parts && !chance(random, 6) ? parts[request->kind] : (unsigned)random_below(random, 32);
	for (unsigned i = 0; i < 5; i++)
		*handle[i] = !(wanted >> i & 1) || chance(random, 8) ? HANDLE_NONE :
			(handle_t)value_made(random, i == 4 && request->kind == DESCRIPTION_TIMER ? "timer" : what[i]);
	if (request->kind == DESCRIPTION_SERVICE)
		request->flags |= DESCRIPTION_INTERRUPTIBLE; /* nobody answers: let interrupts end it */
	request->rights = (uint32_t)random_below(random, 8);
	request->limit = chance(random, 2) ? 0 : value_any(random);
	if (request->kind == DESCRIPTION_CHANNEL && !chance(random, 50))
		request->limit %= 1000000;
}

void value_structure(struct fuzz_thread *thread, const char *name, void *buffer, unsigned size)
{
	struct random *random = &thread->random;
	uint64_t *word = buffer;
	for (unsigned i = 0; i < 48 && i < size / 8; i++)
		word[i] = value_any(random);
	bool start = name && strcmp(name, "thread_start") == 0;
	if (!name || (!start && chance(random, 16)))
		return;
	if (strcmp(name, "message") == 0) {
		message_fill(thread, buffer);
	} else if (strcmp(name, "map_request") == 0) {
		map_fill(random, buffer);
	} else if (strcmp(name, "description_request") == 0) {
		description_fill(random, buffer);
	} else if (strcmp(name, "move_request") == 0) {
		struct move_request *request = buffer;
		*request = (struct move_request){ SCRATCH + random_below(random, 256) * PAGE_SIZE, length_any(random), SCRATCH + random_below(random, 512) * PAGE_SIZE,
			length_any(random), SCRATCH, SCRATCH + 4 * SCRATCH_SIZE, (uint32_t[]){ 0, MAP_FIXED, MOVE_MAY_MOVE, MOVE_MAY_MOVE | MAP_FIXED }[random_below(random, 4)], 0 };
	} else if (start) {
		if (chance(random, 50) || !child_thread_start(thread, buffer))
			((struct thread_start *)buffer)->entry = VALUE_SPACE_START; /* dies at once, and its process with it */
	} else if (strcmp(name, "waitset_entry") == 0) {
		*(struct waitset_entry *)buffer = (struct waitset_entry){ (uint32_t)random_below(random, 64), (uint32_t)random_below(random, 4), random_next(random) };
	} else if (strcmp(name, "poll_item") == 0) {
		struct poll_item *item = buffer;
		for (unsigned i = 0; i < 8; i++)
			item[i] = (struct poll_item){ (handle_t)value_handle(random), (int16_t)random_below(random, 64), 0 };
	} else if (strcmp(name, "select_case") == 0) {
		struct select_case *cases = buffer;
		for (unsigned i = 0; i < 64; i++)
			cases[i].channel = chance(random, 8) ? HANDLE_NONE : (handle_t)value_made(random, chance(random, 2) ? "sender" : "receiver");
	} else if (strcmp(name, "io_vector") == 0) {
		struct io_vector *vector = buffer;
		for (unsigned i = 0; i < 8; i++)
			vector[i] = (struct io_vector){ value_address(random), length_any(random) };
	} else if (strcmp(name, "route") == 0) {
		struct route *route = buffer;
		for (unsigned i = 0; i < 8; i++)
			route[i] = (struct route){ (uint32_t)random_below(random, ROUTE_NUMBERS), (uint32_t)random_below(random, 170), (uint32_t)random_next(random),
				{ ROUTE_NO_GUARD, (uint8_t)random_below(random, 8) }, { 0 }, { value_any(random) }, { value_any(random) } };
	}
}
