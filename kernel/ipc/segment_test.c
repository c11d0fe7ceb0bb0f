/*
 * Channels in segment mode: random writes and reads that do not block, with labels, badges, handles, peeking and reads that end where the sender
 * changes, against a list of what was written; bytes of a stream and whole messages; bad addresses, missing pages, failing allocations. With
 * "threads", writers and readers that block and are interrupted: each message whose write succeeded arrives exactly once.
 * host-test: kernel/ipc/segment.c kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 * host-threads: kernel/ipc/segment.c kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "shim.h"
#include "task.h"

#define BYTES_MOST 100000u
#define PIECES 4
#define DEPTH 400u
#define TOKENS 4
#define HANDLES_MOST 3u

struct token { struct object object; bool gone; };
static struct token token[TOKENS];
static void token_destroy(struct object *object)
{
	container_of(object, struct token, object)->gone = true;
}
static const struct object_operations token_operations = { .kind = KIND_EVENT, .name = "token", .destroy = token_destroy };

/* One write that was taken, whole or in part. */
struct written { uint8_t *bytes; uint32_t size, taken, handle_count; struct object *object[HANDLES_MOST]; struct label *label; uint64_t badge; };
static struct written queue[DEPTH];
static unsigned queued;
static struct channel *channel;
static struct process *process;
static bool messages, shut, sender_there, receiver_there, failing;
static uint8_t memory[BYTES_MOST];
static struct label *labels[2];

static unsigned pieces_make(struct io_vector *vector, uint64_t total, uint64_t *good)
{
	unsigned count = 1 + shim_below(PIECES);
	uint64_t at = 0;
	*good = total;
	for (unsigned i = 0; i < count; i++) {
		uint64_t length = i + 1 == count ? total - at : shim_below(total - at + 1);
		vector[i] = (struct io_vector){ user_of(memory + at), length };
		if (length && *good == total && shim_below(60) == 0) {
			*good = at;
			vector[i].address = shim_below(2) ? USER_TOP : 8;
		}
		at += length;
	}
	return count;
}

static uint64_t length_any(void)
{
	return shim_below(4) ? shim_below(200) : shim_below(3) ? shim_below(3 * PAGE_SIZE) : shim_below(BYTES_MOST);
}

static struct carried_handle *handles_make(unsigned count)
{
	struct carried_handle *handles = count ? heap_alloc(count * sizeof(*handles)) : NULL;
	for (unsigned i = 0; i < count; i++) {
		handles[i] = (struct carried_handle){ &token[shim_below(TOKENS)].object, RIGHT_ALL, -1 };
		object_ref(handles[i].object);
	}
	return handles;
}

static void write_some(void)
{
	struct io_vector vector[PIECES];
	/* A long write of a stream is cut into segments of which the first has the handles, and a read ends behind those. */
	unsigned handle_count = shim_below(4) ? 0 : 1 + (unsigned)shim_below(HANDLES_MOST);
	uint64_t total = handle_count && !messages ? shim_below(1900) : length_any(), good;
	struct segment_source source = { .vector = vector, .total = total, .non_blocking = true, .deadline = DEADLINE_NEVER,
		.badge = shim_below(2), .label = shim_below(3) ? labels[shim_below(2)] : NULL, .limit = shim_below(4) ? 212992 : 4096 };
	int64_t saved = shim_fail_in;
	shim_fail_in = -1;
	source.handle_count = handle_count;
	source.handles = handles_make(handle_count);
	shim_fail_in = saved;
	struct written new = { .handle_count = source.handle_count, .label = source.label, .badge = source.badge };
	for (unsigned i = 0; i < source.handle_count; i++)
		new.object[i] = source.handles[i].object;
	source.count = pieces_make(vector, total, &good);
	for (uint64_t i = 0; i < total; i++)
		memory[i] = (uint8_t)shim_random();
	uint64_t limit = min(channel->capacity, source.limit), before = channel->count;
	int64_t done = queued == DEPTH ? -EAGAIN : channel_segment_write(channel, &source);
	if (queued == DEPTH)
		;
	else if (!receiver_there)
		CHECK(done == -ECONNREFUSED);
	else if (shut)
		CHECK(done == -EPIPE);
	else if (messages && total > source.limit - 32)
		CHECK(done == -EMSGSIZE);
	else if (done == -EFAULT)
		CHECK(good < total);
	else if (done == -ENOMEM)
		CHECK(failing);
	else if (before >= limit)
		CHECK(done == -EAGAIN || (done == 0 && !total && !messages));
	else if (messages)
		CHECK(done == (int64_t)total && good == total);
	else
		CHECK(done >= 0 && (uint64_t)done <= good && ((uint64_t)done == total || channel->count >= limit || good < total || failing));
	bool taken = done > 0 || (!done && messages);
	CHECK(taken == !source.handles || !new.handle_count);
	if (taken) {
		new.size = (uint32_t)done;
		new.bytes = memcpy(malloc((size_t)done + 1), memory, (size_t)done);
		queue[queued++] = new;
	}
	carried_handles_free(source.handles, source.handle_count);
}

/* What a read of `total` bytes takes from the queue: bytes to memory, the rest to *expect. It is taken out unless `peek`. */
struct expectation { uint64_t done, length; struct label *label; uint64_t badge; struct object *object[HANDLES_MOST]; unsigned handle_count; bool began; };
static uint8_t expected[BYTES_MOST];

static void expect_begin(struct expectation *expect, struct written *from, bool peek)
{
	if (!expect->began) {
		expect->label = from->label;
		expect->badge = from->badge;
	}
	expect->began = true;
	if (!from->handle_count)
		return;
	memcpy(expect->object, from->object, sizeof(expect->object));
	expect->handle_count = from->handle_count;
	if (!peek)
		from->handle_count = 0;
}

static struct expectation model_read(uint64_t total, bool peek, bool by_sender)
{
	struct expectation expect = { 0 };
	unsigned at = 0, gone = 0;
	while (at < queued && (messages ? !expect.began : expect.done < total)) {
		struct written *from = &queue[at];
		if (expect.began && ((by_sender && from->badge != expect.badge) || (expect.handle_count && from->handle_count)))
			break;
		uint64_t length = min(total - expect.done, (uint64_t)from->size - from->taken);
		memcpy(expected + expect.done, from->bytes + from->taken, length);
		expect_begin(&expect, from, peek);
		expect.done += length;
		expect.length = messages ? from->size : expect.done;
		at++;
		if (!peek) {
			from->taken += (uint32_t)length;
			if (!messages && from->taken < from->size)
				break;
			free(from->bytes);
			gone++;
		}
		if (expect.handle_count)
			break;
	}
	memmove(queue, queue + gone, (queued - gone) * sizeof(*queue));
	queued -= gone;
	return expect;
}

static void read_some(void)
{
	struct io_vector vector[PIECES];
	uint64_t total = length_any(), good;
	struct segment_sink sink = { .vector = vector, .total = total, .non_blocking = true, .deadline = DEADLINE_NEVER, .peek = shim_below(4) == 0,
		.wait_all = shim_below(4) == 0, .by_sender = shim_below(3) == 0 };
	sink.count = pieces_make(vector, total, &good);
	int64_t done = channel_segment_read(channel, &sink);
	if (done < 0) {
		CHECK(done == -EAGAIN ? !queued && sender_there && !shut : done == -EFAULT ? queued && good < total : done == -ENOMEM && failing);
		CHECK(!sink.handles && !sink.label);
		return;
	}
	if (!queued || (!total && !messages)) {
		CHECK(done == 0 && !sink.handles && !sink.label && (sink.ended || !total));
		return;
	}
	/* cut short by a fault or for lack of memory, a read ends at the end of a segment: the same read of fewer bytes */
	uint64_t wanted = !messages && (good < total || failing) ? (uint64_t)done : total;
	struct expectation expect = model_read(wanted, sink.peek, sink.by_sender);
	CHECK((uint64_t)done == expect.done && (uint64_t)done <= good && sink.length == expect.length && !sink.ended);
	CHECK(!memcmp(memory, expected, expect.done) && sink.label == expect.label && sink.badge == expect.badge);
	CHECK(sink.handle_count == expect.handle_count);
	for (unsigned i = 0; i < sink.handle_count; i++)
		CHECK(sink.handles[i].object == expect.object[i]);
	label_unref(sink.label);
	carried_handles_free(sink.handles, sink.handle_count);
}

static void check(void)
{
	uint64_t bytes = 0;
	for (unsigned i = 0; i < queued; i++)
		bytes += queue[i].size - queue[i].taken;
	CHECK(channel_available(channel) == bytes && !channel->count == !queued);
	if (queued && messages)
		CHECK(channel_next(channel) == queue[0].size);
	if (receiver_there)
		CHECK(channel->receiver.object.operations->ready(&channel->receiver.object) ==
		      ((queued ? READY_IN : 0) | (sender_there && !shut ? 0 : READY_HANGUP)));
}

static void model_clear(void)
{
	while (queued)
		free(queue[--queued].bytes);
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(60); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		for (unsigned i = 0; i < TOKENS; i++) {
			token[i].gone = false;
			object_init(&token[i].object, &token_operations);
		}
		labels[0] = label_create(3);
		labels[1] = label_create(100);
		messages = shim_below(2);
		CHECK(!channel_create(messages ? CHANNEL_MESSAGES : CHANNEL_SEGMENTS, 0, &channel));
		sender_there = receiver_there = true;
		shut = false;
		for (unsigned n = 0; n < 500; n++) {
			failing = shim_below(4) == 0;
			shim_fail_in = failing ? (int64_t)shim_below(4) : -1;
			task_absent_chance = shim_below(3) ? 0 : 3;
			if (sender_there && shim_below(2))
				write_some();
			else if (receiver_there)
				read_some();
			shim_fail_in = -1;
			task_absent_chance = 0;
			if (n > 400 && shim_below(100) == 0 && sender_there && receiver_there) {
				unsigned which = shim_below(3);
				if (which == 0)
					channel_shut(channel);
				else
					object_unref(which == 1 ? &channel->sender.object : &channel->receiver.object);
				shut |= which == 0;
				sender_there &= which != 1;
				receiver_there &= which != 2;
				if (!receiver_there)
					model_clear();
			}
			if (sender_there || receiver_there)
				check();
		}
		if (sender_there)
			object_unref(&channel->sender.object);
		if (receiver_there)
			object_unref(&channel->receiver.object);
		model_clear();
		for (unsigned i = 0; i < TOKENS; i++) {
			CHECK(token[i].object.references == 1 && !token[i].gone);
			object_unref(&token[i].object);
		}
		CHECK(labels[0]->references == 1 && labels[1]->references == 1);
		label_unref(labels[0]);
		label_unref(labels[1]);
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0 && shim_pages_used() == 0);
	}
}

/* --- threads --- */

#define WRITERS 3
#define READERS 2
#define EACH 300u
static bool written[WRITERS][EACH], calm;
static uint32_t arrived[WRITERS][EACH];

static void write_many(unsigned writer)
{
	static _Thread_local uint8_t bytes[3000];
	for (uint32_t n = 0; n < EACH; n++) {
		struct io_vector piece = { user_of(bytes), 8 + shim_below(sizeof(bytes) - 8) };
		struct segment_source source = { .vector = &piece, .count = 1, .total = piece.length, .badge = writer, .limit = 9000,
			.deadline = DEADLINE_NEVER, .non_blocking = !calm && shim_below(4) == 0, .label = labels[0], .handle_count = 1 };
		source.handles = handles_make(1);
		memcpy(bytes, &n, sizeof(n));
		int64_t done = channel_segment_write(channel, &source);
		CHECK(done == (int64_t)piece.length || (!calm && (done == -EAGAIN || done == -EINTR)));
		CHECK(!source.handles == (done > 0));
		if (done == -EINTR)
			task_calm();
		written[writer][n] = done > 0;
		carried_handles_free(source.handles, source.handle_count);
	}
	object_unref(&channel->sender.object);
}

static void read_many(void)
{
	static _Thread_local uint8_t bytes[3000];
	for (;;) {
		struct io_vector piece = { user_of(bytes), sizeof(bytes) };
		struct segment_sink sink = { .vector = &piece, .count = 1, .total = piece.length, .deadline = DEADLINE_NEVER,
			.peek = shim_below(8) == 0, .non_blocking = !calm && shim_below(4) == 0 };
		int64_t done = channel_segment_read(channel, &sink);
		if (done == 0 && sink.ended)
			return;
		CHECK(done > 0 || (!calm && (done == -EAGAIN || done == -EINTR)));
		if (done == -EINTR)
			task_calm();
		if (done < 0) {
			sched_yield();
			continue;
		}
		uint32_t n;
		memcpy(&n, bytes, sizeof(n));
		CHECK((uint64_t)done == sink.length && sink.badge < WRITERS && n < EACH && sink.handle_count == 1 && sink.label == labels[0]);
		if (!sink.peek)
			__atomic_add_fetch(&arrived[sink.badge][n], 1, __ATOMIC_RELAXED);
		label_unref(sink.label);
		carried_handles_free(sink.handles, sink.handle_count);
	}
}

static void work(unsigned number)
{
	if (number < WRITERS)
		write_many(number);
	else
		read_many();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(6); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		for (unsigned i = 0; i < TOKENS; i++)
			object_init(&token[i].object, &token_operations);
		labels[0] = label_create(3);
		memset(arrived, 0, sizeof(arrived));
		calm = round % 2 == 0;
		CHECK(!channel_create(CHANNEL_MESSAGES, 0, &channel));
		for (unsigned i = 1; i < WRITERS; i++)
			object_ref(&channel->sender.object);
		task_threads(process, WRITERS + READERS, 5, !calm, work);
		object_unref(&channel->receiver.object);
		for (unsigned w = 0; w < WRITERS; w++)
			for (unsigned n = 0; n < EACH; n++)
				CHECK(arrived[w][n] == written[w][n]);
		for (unsigned i = 0; i < TOKENS; i++)
			CHECK(token[i].object.references == 1);
		CHECK(labels[0]->references == 1);
		label_unref(labels[0]);
		task_process_free(process);
		CHECK(shim_heap_used() == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
