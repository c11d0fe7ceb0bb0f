/*
 * Byte channels: random reads, writes, peeks and changes of capacity that do not block, of bytes and of packets, against a byte array and a list of
 * runs, with pages that are not present, bad addresses and failing allocations. With "threads", writers and a reader that block, and in every other round are interrupted: every byte arrives once and in
 * order, and records of at most CHANNEL_ATOMIC bytes are never mixed.
 * host-test: kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/packet.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 * host-threads: kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/packet.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "kernel/ipc/vector.h"
#include "shim.h"
#include "task.h"

#define CAPACITY_MOST (20 * PAGE_SIZE)
#define PIECES 5

static struct process *process;
static struct channel *channel;
static bool sender_there, receiver_there, failing, packets_used;
static uint8_t model[CAPACITY_MOST];
static uint64_t model_count, capacity;
static uint8_t memory[3 * CAPACITY_MOST];

/* Cuts memory[0, total) into pieces, some empty; with *good less than total the piece from there on is bad. */
static unsigned pieces_make(struct io_vector *vector, uint8_t *base, uint64_t total, uint64_t *good)
{
	unsigned count = 1 + shim_below(PIECES);
	uint64_t at = 0;
	*good = total;
	for (unsigned i = 0; i < count; i++) {
		uint64_t length = i + 1 == count ? total - at : shim_below(3) ? shim_below(total - at + 1) : 0;
		vector[i] = (struct io_vector){ user_of(base + at), length };
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
	switch (shim_below(6)) {
	case 0: return shim_below(20);
	case 1: return CHANNEL_ATOMIC + shim_below(3) - 1;
	case 2: return capacity - model_count + shim_below(3);
	case 3: return shim_below(sizeof(memory));
	default: return shim_below(3 * PAGE_SIZE);
	}
}

/* --- the model: what waits, in runs of bytes written as a stream and packets --- */

struct run { uint64_t length; bool packet; };
static struct run run[64];
static unsigned runs;

static uint64_t waste(void)
{
	uint64_t sum = 0;
	for (unsigned i = 0; i < runs; i++)
		sum += run[i].packet ? PAGE_SIZE - run[i].length : 0;
	return sum;
}

static uint64_t room(void)
{
	return capacity - model_count - waste();
}

static bool joins(uint64_t length)
{
	uint64_t used = (channel->head + model_count) % PAGE_SIZE;
	return model_count && !run[runs - 1].packet && used && length < PAGE_SIZE && used + length <= PAGE_SIZE;
}

/* Writes `total` bytes, stopping behind `most`. Bytes done. */
static uint64_t model_write(uint64_t total, bool packets, uint64_t most, bool commit)
{
	struct run saved[array_count(run)];
	unsigned saved_runs = runs;
	uint64_t saved_count = model_count, done = 0;
	bool atomic = total <= min(capacity, (uint64_t)CHANNEL_ATOMIC);
	memcpy(saved, run, sizeof(run));
	while (done < total && done < most) {
		bool packet = packets && !joins(total - done);
		if (room() < (packet ? PAGE_SIZE : atomic ? total : 1))
			break;
		uint64_t length = min(room(), total - done);
		length = atomic ? length : min(length, PAGE_SIZE);
		if (runs && !packet && !run[runs - 1].packet)
			run[runs - 1].length += length;
		else
			run[runs++] = (struct run){ length, packet };
		memcpy(model + model_count, memory + done, length);
		model_count += length;
		done += length;
	}
	if (!commit) {
		memcpy(run, saved, sizeof(run));
		runs = saved_runs;
		model_count = saved_count;
	}
	return done;
}

/* Takes up to `total` bytes out: how many. A packet is the last, and goes whole. */
static uint64_t model_read(uint8_t *target, uint64_t total, bool commit)
{
	uint64_t done = 0, gone = 0;
	unsigned at = 0;
	bool packet = false;
	struct run first = { 0 };
	while (at < runs && done < total && !packet) {
		first = run[at];
		uint64_t length = min(first.length, total - done);
		memcpy(target + done, model + gone, length);
		done += length;
		packet = first.packet;
		gone += packet ? first.length : length;
		first.length -= packet ? first.length : length;
		at++;
	}
	if (!commit)
		return done;
	if (at)
		run[--at] = first;
	if (runs && !run[at].length)
		at++;
	memmove(run, run + at, (runs - at) * sizeof(*run));
	runs -= at;
	model_count -= gone;
	memmove(model, model + gone, model_count);
	return done;
}

static void write_some(void)
{
	struct io_vector vector[PIECES];
	uint64_t total = min(length_any(), sizeof(memory)), good;
	bool packets = packets_used && shim_below(2);
	unsigned count = pieces_make(vector, memory, total, &good);
	for (uint64_t i = 0; i < total; i++)
		memory[i] = (uint8_t)shim_random();
	int64_t done = count == 1 && shim_below(2) ? channel_stream_write_piece(channel, vector->address, total, true, packets) :
		channel_stream_write(channel, vector, count, total, true, packets);
	uint64_t most = model_write(total, packets, total, false);
	int64_t expect = !total ? 0 : !receiver_there ? -EPIPE : most ? (int64_t)most : -EAGAIN;
	if (expect > 0 && done != expect) {
		/* cut short, at the end of what counts together, by a fault or for want of a page */
		CHECK((good < (uint64_t)expect && done >= 0 && (uint64_t)done <= good) || (good < total && done == -EFAULT) || (failing && (done == -ENOMEM || done > 0)));
		expect = done > 0 ? (int64_t)model_write(total, packets, (uint64_t)done, false) : done;
	}
	CHECK(done == expect && (done < 0 || (uint64_t)done <= good));
	if (done > 0)
		model_write(total, packets, (uint64_t)done, true);
}

static void read_some(void)
{
	static uint8_t expected[sizeof(memory)];
	struct io_vector vector[PIECES];
	uint64_t total = min(length_any(), sizeof(memory)), good = total;
	bool peek = shim_below(4) == 0;
	unsigned count = peek ? 0 : pieces_make(vector, memory, total, &good);
	int64_t done = peek ? channel_stream_peek(channel, user_of(memory), total, true) :
		count == 1 && shim_below(2) ? channel_stream_read_piece(channel, vector->address, total, true) : channel_stream_read(channel, vector, count, total, true);
	uint64_t most = peek ? min(total, runs ? run[0].length : 0) : model_read(expected, total, false);
	int64_t expect = !total ? 0 : most ? (int64_t)most : sender_there ? -EAGAIN : 0;
	if (expect > 0 && done != expect) {
		CHECK(!peek && good < (uint64_t)expect && (done == -EFAULT || (done > 0 && (uint64_t)done <= good)));
		if (done < 0)
			return;
		expect = (int64_t)model_read(expected, (uint64_t)done, false);
	}
	CHECK(done == expect);
	if (done <= 0)
		return;
	CHECK(!memcmp(memory, model, peek ? (size_t)done : 0));
	if (peek)
		return;
	model_read(expected, (uint64_t)done < most ? (uint64_t)done : total, true);
	CHECK(!memcmp(memory, expected, (size_t)done));
}

static void resize(void)
{
	uint64_t wanted = shim_below(10) ? shim_below(CAPACITY_MOST) + 1 : shim_below(2) ? 0 : CHANNEL_STREAM_MAX + 1;
	uint64_t rounded = align_up(wanted, PAGE_SIZE);
	int64_t result = channel_stream_resize(channel, wanted);
	if (!wanted || wanted > CHANNEL_STREAM_MAX) {
		CHECK(result == -EINVAL);
		return;
	}
	if (result == -ENOMEM) {
		CHECK(failing);
		return;
	}
	CHECK(result == (int64_t)rounded || (result == -EBUSY && model_count && model_count + waste() + PAGE_SIZE > min(rounded, capacity)));
	CHECK(result < 0 || model_count + waste() <= rounded);
	if (result > 0)
		capacity = (uint64_t)result;
}

static void check(void)
{
	CHECK(channel_available(channel) == model_count);
	if (receiver_there)
		CHECK(channel->receiver.object.operations->ready(&channel->receiver.object) ==
		      ((model_count ? READY_IN : 0) | (sender_there ? 0 : READY_HANGUP)));
	if (sender_there && receiver_there)
		CHECK(channel->sender.object.operations->ready(&channel->sender.object) ==
		      (room() >= min(capacity, (uint64_t)CHANNEL_ATOMIC) ? READY_OUT : 0));
	if (sender_there && !receiver_there)
		CHECK(channel->sender.object.operations->ready(&channel->sender.object) == (READY_OUT | READY_ERROR));
}

/* A write may find more pages missing than it would try for one: what counts is that it goes on. */
static void missing_pages(void)
{
	enum { MANY = 2 * FAULT_RETRIES };
	char *from = aligned_alloc(PAGE_SIZE, MANY * PAGE_SIZE);
	struct io_vector vector = { user_of(from), MANY * PAGE_SIZE };
	process = task_process();
	task_start(process);
	memset(from, 'x', MANY * PAGE_SIZE);
	CHECK(!channel_create(CHANNEL_STREAM, MANY * PAGE_SIZE, &channel));
	task_absent_chance = task_present_next = 1; /* each page is missing at first */
	CHECK(channel_stream_write(channel, &vector, 1, MANY * PAGE_SIZE, true, false) == MANY * PAGE_SIZE);
	task_absent_chance = task_present_next = 0;
	CHECK(channel->count == MANY * PAGE_SIZE);
	object_unref(&channel->sender.object);
	object_unref(&channel->receiver.object);
	free(from);
	task_end();
	task_process_free(process);
}

static void run_random(void)
{
	missing_pages();
	for (unsigned round = 0, rounds = shim_rounds(60); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		capacity = shim_below(3) ? align_up(1 + shim_below(CAPACITY_MOST), PAGE_SIZE) : CHANNEL_STREAM_DEFAULT;
		CHECK(!channel_create(CHANNEL_STREAM, capacity == CHANNEL_STREAM_DEFAULT ? 0 : capacity, &channel));
		sender_there = receiver_there = true;
		model_count = runs = 0;
		packets_used = shim_below(2);
		for (unsigned n = 0; n < 400; n++) {
			failing = shim_below(4) == 0;
			shim_fail_in = failing ? (int64_t)shim_below(6) : -1;
			task_absent_chance = shim_below(3) ? 0 : 3;
			unsigned what = shim_below(20);
			if (what == 0)
				resize();
			else if (what < 10 && sender_there)
				write_some();
			else if (receiver_there)
				read_some();
			shim_fail_in = -1;
			task_absent_chance = 0;
			if (n > 300 && sender_there && receiver_there && shim_below(100) == 0) {
				bool which = shim_below(2);
				object_unref(which ? &channel->sender.object : &channel->receiver.object);
				*(which ? &sender_there : &receiver_there) = false;
			}
			if (sender_there || receiver_there)
				check();
		}
		if (sender_there)
			object_unref(&channel->sender.object);
		if (receiver_there)
			object_unref(&channel->receiver.object);
		task_end();
		task_process_free(process);
		CHECK(shim_heap_used() == 0 && shim_pages_used() == 0);
	}
}

/* --- threads --- */

#define WRITERS 3
#define RECORDS 150u
#define RECORD_MOST 3000u
struct record { uint32_t writer, sequence, size, first; };
static bool calm; /* nobody is interrupted and everybody blocks: a lost wake-up is a hang */

static void record_fill(uint8_t *at, struct record record)
{
	memcpy(at, &record, sizeof(record));
	for (uint32_t i = sizeof(record); i < record.size; i++)
		at[i] = (uint8_t)(record.first + i);
}

static void write_records(unsigned writer)
{
	uint8_t record[RECORD_MOST];
	for (uint32_t n = 0; n < RECORDS; n++) {
		uint32_t size = (uint32_t)(sizeof(struct record) + shim_below(RECORD_MOST - sizeof(struct record)));
		record_fill(record, (struct record){ writer, n, size, (uint32_t)shim_random() });
		struct io_vector piece = { user_of(record), size };
		int64_t done;
		while ((done = shim_below(2) ? channel_stream_write_piece(channel, piece.address, size, !calm && shim_below(4) == 0, false) :
			channel_stream_write(channel, &piece, 1, size, !calm && shim_below(4) == 0, false)) < 0) {
			CHECK(done == -EINTR || done == -EAGAIN);
			if (done == -EINTR)
				task_calm();
			else
				sched_yield();
		}
		CHECK((uint64_t)done == size);
	}
	object_unref(&channel->sender.object);
}

/* The next `size` bytes, or false at the end. */
static bool read_all(uint8_t *target, uint64_t size)
{
	for (uint64_t at = 0; at < size;) {
		struct io_vector piece = { user_of(target + at), 1 + shim_below(size - at) };
		bool non_blocking = !calm && shim_below(4) == 0;
		int64_t done = shim_below(2) ? channel_stream_read_piece(channel, piece.address, piece.length, non_blocking) :
			channel_stream_read(channel, &piece, 1, piece.length, non_blocking);
		if (done == 0)
			return at != 0 ? (panic("the stream ends in a record"), false) : false;
		CHECK(done > 0 || done == -EINTR || done == -EAGAIN);
		if (done == -EINTR)
			task_calm();
		else if (done == -EAGAIN)
			sched_yield();
		else
			at += (uint64_t)done;
	}
	return true;
}

static void read_records(void)
{
	uint32_t next[WRITERS] = { 0 };
	uint8_t found[RECORD_MOST], expect[RECORD_MOST];
	while (read_all(found, sizeof(struct record))) {
		struct record record;
		memcpy(&record, found, sizeof(record));
		CHECK(record.writer < WRITERS && record.sequence == next[record.writer]++ && record.size >= sizeof(record) && record.size < RECORD_MOST);
		CHECK(record.size == sizeof(record) || read_all(found + sizeof(record), record.size - sizeof(record)));
		record_fill(expect, record);
		CHECK(!memcmp(found, expect, record.size));
	}
	for (unsigned i = 0; i < WRITERS; i++)
		CHECK(next[i] == RECORDS);
	object_unref(&channel->receiver.object);
}

static void work(unsigned number)
{
	if (number < WRITERS)
		write_records(number);
	else
		read_records();
}

/* A reader that sleeps on an empty channel learns of what a write left that failed half way, and of the first part of one that does not fit. */
#define ROOM (4 * PAGE_SIZE)
static struct thread *sleepy;
static char *large; /* 2 * ROOM */

static void part_read(void)
{
	static char into[2 * ROOM];
	__atomic_store_n(&sleepy, thread_current(), __ATOMIC_RELEASE);
	for (uint64_t got = 0; got < PAGE_SIZE + 2 * ROOM; ) {
		struct io_vector vector = { user_of(into), sizeof(into) };
		int64_t done = channel_stream_read(channel, &vector, 1, sizeof(into), false);
		CHECK(done > 0);
		got += (uint64_t)done;
	}
}

static void part_write(void)
{
	struct io_vector half[2] = { { user_of(large), PAGE_SIZE }, { 8, 3 * PAGE_SIZE } }, whole = { user_of(large), 2 * ROOM };
	struct thread *reader;
	while (!(reader = __atomic_load_n(&sleepy, __ATOMIC_ACQUIRE)) || !task_sleeps(reader))
		sched_yield();
	CHECK(channel_stream_write(channel, half, 2, 4 * PAGE_SIZE, false, false) == PAGE_SIZE);
	do {
		spin_lock(&channel->lock);
		bool empty = !channel->count;
		spin_unlock(&channel->lock);
		if (empty && task_sleeps(reader))
			break;
		sched_yield();
	} while (1);
	CHECK(channel_stream_write(channel, &whole, 1, 2 * ROOM, false, false) == 2 * ROOM);
}

static void part(unsigned number)
{
	if (number)
		part_write();
	else
		part_read();
}

static void run_threads(void)
{
	process = task_process();
	large = calloc(2, ROOM);
	CHECK(!channel_create(CHANNEL_STREAM, ROOM, &channel));
	task_threads(process, 2, 0, false, part);
	object_unref(&channel->sender.object);
	object_unref(&channel->receiver.object);
	task_process_free(process);
	free(large);
	for (unsigned round = 0, rounds = shim_rounds(4); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		CHECK(!channel_create(CHANNEL_STREAM, (1 + shim_below(3)) * PAGE_SIZE, &channel));
		for (unsigned i = 1; i < WRITERS; i++)
			object_ref(&channel->sender.object);
		calm = round % 2 == 0;
		task_threads(process, WRITERS + 1, 10, !calm, work);
		task_process_free(process);
		CHECK(shim_heap_used() == 0 && shim_pages_used() == 0);
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
