/*
 * The child: threads that make random calls until the supervisor ends them. It may lose its memory, its handles or its threads on the way; the next
 * round has a new one.
 */
#include <string.h>
#include "abi/call.h"
#include "abi/calls.h"
#include "abi/memory.h"
#include "abi/message.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "tests/fuzz/native/fuzz.h"
#include "trace/calls.h"

#define CALLS (sizeof trace_calls / sizeof *trace_calls)
#define STACK_SIZE 16384
#define CREATED_LIMIT 300 /* calls of a thread made at random */

static struct fuzz_thread threads[THREADS + SLOTS];
static uint8_t stacks[THREADS + SLOTS][STACK_SIZE] __attribute__((aligned(16)));
static uint32_t slot_busy[SLOTS];
static uint32_t slots_used;
static struct shared *shared;
/* for each argument that is a handle, the last one that was not refused for its kind */
static int32_t fitting[CALLS][6];

/* Calls that end or cripple the child are rare, or a round would be over at once. */
static unsigned rarity(unsigned call)
{
	switch (call) {
	case CALL_PROCESS_EXIT:
	case CALL_PROCESS_EXEC:
	case CALL_UPCALL_RETURN:
	case CALL_BUDGET_DESTROY:
	case CALL_PROCESS_SET_UPCALL:
		return 200;
	case CALL_PROCESS_SET_ROUTES:
	case CALL_PROCESS_SUSPEND:
	case CALL_PROCESS_KILL:
	case CALL_THREAD_EXIT:
	case CALL_HANDLE_CLOSE_RANGE:
	case CALL_LOG_WRITE:
	case CALL_HANDLE_LIMIT:
		return 20;
	case CALL_HANDLE_CLOSE:
	case CALL_SPACE_UNMAP:
	case CALL_SPACE_PROTECT:
	case CALL_THREAD_SET_REGISTERS:
	case CALL_THREAD_CREATE:
	case CALL_PORT_CALL:
	case CALL_DESCRIPTION_CALL:
		return 3;
	}
	return 1;
}

bool child_thread_start(struct fuzz_thread *thread, void *start)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		if (__atomic_exchange_n(&slot_busy[i], 1, __ATOMIC_RELAXED))
			continue;
		__atomic_add_fetch(&slots_used, 1, __ATOMIC_RELAXED);
		struct fuzz_thread *slot = &threads[THREADS + i];
		slot->random.state = random_next(&thread->random);
		slot->limit = CREATED_LIMIT;
		*(struct thread_start *)start = (struct thread_start){
			.entry = (uint64_t)native_thread_entry,
			.stack = (uint64_t)(stacks[THREADS + i] + STACK_SIZE),
			.argument = { (uint64_t)child_thread, THREADS + i },
			.options = chance(&thread->random, 8) ? (uint32_t)random_below(&thread->random, 4) : 0,
			.priority = chance(&thread->random, 4) ? (uint32_t)random_below(&thread->random, 33) : 0,
		};
		return true;
	}
	return false;
}

static const char *argument_wants(unsigned call, unsigned i)
{
	const char *name = trace_calls[call].argument[i];
	if (strcmp(name, "channel") == 0)
		return call == CALL_CHANNEL_SEND || call == CALL_CHANNEL_CLOSE ? "sender" : "receiver";
	if (strcmp(name, "parent") == 0)
		return "budget";
	return strcmp(name, "source") == 0 || strcmp(name, "target") == 0 ? "memobj" : name;
}

/* Remembers a handle that a call has made. */
static void result_note(struct fuzz_thread *thread, unsigned call, int64_t result)
{
	char name[32];
	if (call == CALL_CHANNEL_CREATE && result == 0) {
		const struct channel_ends *ends = (const struct channel_ends *)thread->buffer[2];
		value_note("sender", ends->sender);
		value_note("receiver", ends->receiver);
	} else if (call == CALL_CHANNEL_SELECT_CREATE) {
		value_note("select", result);
	} else if (call == CALL_PROCESS_SPACE) {
		value_note("space", result);
	} else if (call == CALL_DESCRIPTION_MEMOBJ || call == CALL_DESCRIPTION_CLIENT) {
		value_note(call == CALL_DESCRIPTION_CLIENT ? "client" : "memobj", result);
	} else if ((result >= HANDLE_HIGH || call == CALL_DESCRIPTION_CREATE) && result < HANDLE_HIGH + 65536) {
		size_t length = strcspn(trace_calls[call].name, "_");
		memcpy(name, trace_calls[call].name, length);
		name[length] = '\0';
		value_note(name, result);
	}
}

static uint64_t argument_make(struct fuzz_thread *thread, unsigned call, unsigned i)
{
	const struct trace_call *row = &trace_calls[call];
	struct random *random = &thread->random;
	switch (row->kind[i]) {
	case TRACE_HANDLE:
		return chance(random, 4) ? (uint64_t)(int64_t)fitting[call][i] : value_made(random, argument_wants(call, i));
	case TRACE_FLAGS:
		return chance(random, 16) ? value_any(random) : chance(random, 2) ? 0 : random_below(random, 8);
	case TRACE_DEADLINE:
		return value_deadline(random);
	case TRACE_ADDRESS:
		return chance(random, 200) ? value_any(random) : value_address(random);
	case TRACE_SIZE:
		return chance(random, 8) ? value_any(random) : random_below(random, 8) * (chance(random, 4) ? PAGE_SIZE : 1);
	case TRACE_IN_BYTES:
	case TRACE_OUT_BYTES:
		return value_address(random);
	case TRACE_IN_STRUCT:
	case TRACE_OUT_STRUCT:
	case TRACE_INOUT_STRUCT:
		if (chance(random, 16))
			return value_address(random);
		if (call == CALL_THREAD_CREATE && __atomic_load_n(&slots_used, __ATOMIC_RELAXED) >= SLOTS)
			return 1;
		if (row->kind[i] != TRACE_OUT_STRUCT)
			value_structure(thread, row->structure[i], thread->buffer[i], sizeof thread->buffer[i]);
		return (uint64_t)thread->buffer[i];
	}
	if (strcmp(row->argument[i], "reply") == 0 && !chance(random, 4))
		return thread->reply;
	if (strcmp(row->argument[i], "thread") == 0 && !chance(random, 8))
		return chance(random, 2) ? 0 : thread->thread_number + random_below(random, 9) - 4;
	if (strcmp(row->argument[i], "priority") == 0)
		return random_below(random, 34);
	if (strstr(row->argument[i], "offset") && !chance(random, 3))
		return random_below(random, 16) * PAGE_SIZE;
	if (strcmp(row->argument[i], "length") == 0 && !chance(random, 16))
		return random_below(random, 32) * PAGE_SIZE;
	return value_any(random);
}

/* These two change registers that a compiler counts on, so they are made by their stubs. */
static int64_t words_make(unsigned call, const uint64_t argument[6], struct random *random)
{
	struct message_received words = { .reply = (uint32_t)(chance(random, 2) ? REPLY_NONE : value_any(random)) };
	words.word[0] = argument[1];
	if (call == CALL_PORT_CALL_WORDS)
		return port_call_words((handle_t)argument[0], words.word);
	return port_reply_receive_words((handle_t)argument[0], &words, (struct message *)argument[2]);
}

static void call_make(struct fuzz_thread *thread)
{
	struct random *random = &thread->random;
	unsigned call;
	do
		call = (unsigned)random_below(random, CALLS + 2);
	while (call < CALLS && (!trace_calls[call].name || (rarity(call) > 1 && !chance(random, rarity(call)))));
	uint64_t argument[6];
	for (unsigned i = 0; i < 6; i++)
		argument[i] = call < CALLS && i < trace_calls[call].count ? argument_make(thread, call, i) : value_any(random);
	/* its own memory it may lose only now and then */
	if ((call == CALL_SPACE_UNMAP || call == CALL_SPACE_PROTECT || call == CALL_SPACE_DISCARD) &&
	    (argument[1] < SCRATCH || argument[1] > VALUE_SPACE_START) && !chance(random, 20))
		argument[1] = SCRATCH;
	if (call == CALL_THREAD_EXIT)
		argument[2] = 0;
	if (call == CALL_THREAD_SET_POINTER || call == CALL_PROCESS_EXIT)
		argument[1] &= 0x7fffffffffff;
	if (call < CALLS)
		thread->shared->counts[call]++;
	int64_t result = call == CALL_PORT_CALL_WORDS || call == CALL_PORT_REPLY_RECEIVE_WORDS ? words_make(call, argument, random) :
		kernel_call6(call, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
	__atomic_add_fetch(&thread->shared->calls, 1, __ATOMIC_RELAXED);
	if (call >= CALLS)
		return;
	if (result >= 0) {
		thread->shared->successes[call]++;
		result_note(thread, call, result);
	}
	for (unsigned i = 0; i < trace_calls[call].count; i++)
		if (trace_calls[call].kind[i] == TRACE_HANDLE)
			fitting[call][i] = result == -9 || result == -22 ? (int32_t)value_handle(random) : (int32_t)argument[i];
	if ((call == CALL_PORT_RECEIVE && result == 0) || (call == CALL_PORT_REPLY_RECEIVE && result == 0))
		thread->reply = ((struct message *)thread->buffer[call == CALL_PORT_RECEIVE ? 1 : 2])->reply;
	/* what is done to memory must be possible to do */
	if (chance(random, 4) && call == CALL_SPACE_MAP && result > 0 && (uint64_t)result >= SCRATCH)
		kernel_call4(CALL_SPACE_READ, (uint64_t)HANDLE_SELF_SPACE, (uint64_t)result, (uint64_t)thread->buffer[5], 16);
}

int child_thread(void *slot)
{
	uint64_t number = (uint64_t)slot;
	struct fuzz_thread *thread = &threads[number];
	thread->shared = shared;
	thread->thread_number = (uint64_t)thread_self();
	for (uint64_t i = 0; !thread->limit || i < thread->limit; i++)
		call_make(thread);
	if (number >= THREADS) {
		__atomic_sub_fetch(&slots_used, 1, __ATOMIC_RELAXED);
		__atomic_store_n(&slot_busy[number - THREADS], 0, __ATOMIC_RELAXED);
	}
	for (;;)
		thread_exit(0, 0, 0);
}

int child_main(struct shared *with)
{
	shared = with;
	/* the supervisor must be able to go on */
	if (thread_set_priority(HANDLE_SELF_PROCESS, (uint64_t)thread_self(), 20) < 0)
		server_fail("cannot lower the priority");
	struct map_request map = { .address = SCRATCH, .length = SCRATCH_SIZE, .memobj = HANDLE_NONE, .protection = PROTECT_READ | PROTECT_WRITE, .flags = MAP_FIXED_NEW };
	if (space_map(HANDLE_SELF_SPACE, &map) < 0)
		server_fail("cannot map memory");
	memset(fitting, 0xff, sizeof fitting);
	for (unsigned i = 0; i < THREADS; i++)
		threads[i].random.state = shared->seed * THREADS + i;
	for (unsigned i = 1; i < THREADS; i++) {
		struct thread_start start = { .entry = (uint64_t)native_thread_entry, .stack = (uint64_t)(stacks[i] + STACK_SIZE), .argument = { (uint64_t)child_thread, i } };
		if (thread_create(HANDLE_SELF_PROCESS, &start) < 0)
			server_fail("cannot create a thread");
	}
	return child_thread(NULL);
}
