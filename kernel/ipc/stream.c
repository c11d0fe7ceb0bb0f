/*
 * Byte streams: the queue of a stream channel. Rules: channel.h.
 *
 * A write of at most CHANNEL_ATOMIC bytes is copied completely before any of it counts, so a reader sees all of it or nothing and
 * writers do not mix. Longer writes count page by page.
 *
 * Packets (pipes with O_DIRECT). The bytes of a packet lie in the ring like all others; `runs` tells, in order, how many bytes are a packet of
 * their own or were written as a stream. A packet takes a page's room, so there are never more runs than twice the ring's pages. Bytes
 * alone need no runs: they come with the first packet and go when the ring is empty.
 */
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/channel.h"
#include "kernel/ipc/vector.h"
#include "kernel/obj/budget.h"

struct stream_runs {
	unsigned first, count, room;
	struct stream_run { uint32_t length; bool packet; } run[];
};

static struct stream_run *run_at(struct stream_runs *runs, unsigned index)
{
	return &runs->run[(runs->first + index) % runs->room];
}

static void runs_free(struct stream_runs *runs)
{
	if (runs)
		heap_free(runs, sizeof(*runs) + runs->room * sizeof(runs->run[0]));
}

static struct stream_runs *runs_create(uint64_t capacity)
{
	unsigned room = (unsigned)(capacity / PAGE_SIZE) * 2 + 2;
	struct stream_runs *runs = heap_alloc(sizeof(*runs) + room * sizeof(runs->run[0]));
	if (runs) {
		runs->first = runs->count = 0;
		runs->room = room;
	}
	return runs;
}

/* Before a packet goes in. -ENOMEM. */
static int runs_begin(struct channel *channel)
{
	if (channel->runs)
		return 0;
	channel->runs = runs_create(channel->capacity);
	if (!channel->runs)
		return -ENOMEM;
	if (channel->count)
		channel->runs->run[channel->runs->count++] = (struct stream_run){ (uint32_t)channel->count, false };
	return 0;
}

/* length bytes have gone in. */
static __attribute__((noinline)) void runs_add(struct channel *channel, uint64_t length, bool packet)
{
	struct stream_runs *runs = channel->runs;
	struct stream_run *last = runs->count ? run_at(runs, runs->count - 1) : NULL;
	if (last && !packet && !last->packet) {
		last->length += (uint32_t)length;
		return;
	}
	assert(runs->count < runs->room);
	*run_at(runs, runs->count++) = (struct stream_run){ (uint32_t)length, packet };
	if (packet)
		channel->waste += PAGE_SIZE - length;
}

/* As on Linux, a short packet behind a stream's bytes joins them where their page has room. */
static bool packet_joins(const struct channel *channel, uint64_t length)
{
	struct stream_runs *runs = channel->runs;
	uint64_t used = (channel->head + channel->count) % PAGE_SIZE;
	return channel->count && !(runs && run_at(runs, runs->count - 1)->packet) && used && length < PAGE_SIZE && used + length <= PAGE_SIZE;
}

/* length bytes of the first run, a packet whole, have been taken. */
static __attribute__((noinline)) void runs_take(struct channel *channel, uint64_t length)
{
	struct stream_runs *runs = channel->runs;
	struct stream_run *first = run_at(runs, 0);
	if (first->packet)
		channel->waste -= PAGE_SIZE - length;
	first->length -= (uint32_t)length;
	if (!first->length) {
		runs->first = (runs->first + 1) % runs->room;
		runs->count--;
	}
}

/* Bytes that one copy may take, and whether they are a packet. */
static uint64_t run_next(struct channel *channel, bool *packet)
{
	*packet = channel->runs && run_at(channel->runs, 0)->packet;
	return channel->runs ? run_at(channel->runs, 0)->length : channel->count;
}

void channel_stream_free(struct channel *channel)
{
	runs_free(channel->runs);
}

static int ring_page(struct channel *channel, uint64_t index)
{
	if (channel->pages[index])
		return 0;
	struct budget *payer = channel->sender.object.payer;
	if (payer && budget_charge(payer, 1))
		return -ENOMEM;
	struct page *page = page_alloc(0, 0);
	if (!page) {
		if (payer)
			budget_uncharge(payer, 1);
		return -ENOMEM;
	}
	page->payer = payer;
	channel->pages[index] = page;
	return 0;
}

/* Frees all pages but the first, and the runs. */
static __attribute__((noinline)) void ring_shrink(struct channel *channel)
{
	runs_free(channel->runs);
	channel->runs = NULL;
	for (uint64_t i = 1; i < channel->capacity / PAGE_SIZE && channel->pages[i]; i++) {
		page_unref(channel->pages[i]);
		channel->pages[i] = NULL;
	}
}

/* The ring is empty: start from its first page again and keep only that one. */
static inline void ring_reset(struct channel *channel)
{
	channel->head = 0;
	if (channel->runs || (channel->capacity > PAGE_SIZE && channel->pages[1]))
		ring_shrink(channel);
}

/*
 * Copies up to length bytes between the ring at `offset` and the position, which is moved on. Stops at the end of a page of the ring or
 * of a piece. Bytes copied; -EFAULT with *fault and *fault_length to be made present; -ENOMEM.
 */
static int64_t ring_copy(struct channel *channel, uint64_t offset, struct vector_position *position, uint64_t length, bool in,
			 user_t *fault, uint64_t *fault_length)
{
	offset %= channel->capacity;
	length = min(length, PAGE_SIZE - offset % PAGE_SIZE);
	user_t address = position_address(position, &length);
	if (in && ring_page(channel, offset / PAGE_SIZE))
		return -ENOMEM;
	char *bytes = (char *)page_address(channel->pages[offset / PAGE_SIZE]) + offset % PAGE_SIZE;
	int error = in ? copy_from_user_present(bytes, address, length) : copy_to_user_present(address, bytes, length);
	if (error) {
		*fault = address;
		*fault_length = length;
		return -EFAULT;
	}
	position->offset += length;
	return (int64_t)length;
}

static inline void wake_writers(struct channel *channel)
{
	if (wait_queue_empty(&channel->writers) && object_unobserved(&channel->sender.object))
		return; /* the usual case */
	uint32_t ready = channel_sender_ready_locked(channel);
	if (!ready || channel->sender_gone)
		return;
	wait_wake_all(&channel->writers, 0);
	object_notify(&channel->sender.object, ready);
}

static inline void wake_readers(struct channel *channel)
{
	if (!wait_queue_empty(&channel->readers))
		wait_wake_all(&channel->readers, 0);
	if (!object_unobserved(&channel->receiver.object))
		object_notify(&channel->receiver.object, READY_IN);
}

/* Resolves a fault with the lock given up meanwhile. -EFAULT: the memory is bad, or is gone again every time. */
static int fault_resolve(struct channel *channel, user_t fault, uint64_t length, bool write, unsigned *retries)
{
	spin_unlock(&channel->lock);
	int error = (*retries)++ < FAULT_RETRIES ? user_make_present(fault, length, write) : -EFAULT;
	spin_lock(&channel->lock);
	return error;
}

/* Bytes have been taken from the head of the ring. */
static inline __attribute__((always_inline)) void stream_take(struct channel *channel, uint64_t length)
{
	channel->taken += length;
	if (channel->runs)
		runs_take(channel, length);
	channel->count -= length;
	if (channel->count)
		channel->head = (channel->head + length) % channel->capacity;
	else
		ring_reset(channel);
}

/*
 * Takes the packet at the head, of which up to `room` bytes are copied: how many. -EAGAIN: the lock was given up for a fault and nothing was
 * taken; or -EFAULT.
 */
static int64_t packet_get(struct channel *channel, struct vector_position *position, uint64_t room, unsigned *retries)
{
	struct vector_position next = *position;
	bool packet;
	uint64_t size = run_next(channel, &packet), length = min(room, size);
	for (uint64_t at = 0; at < length;) {
		user_t fault;
		uint64_t fault_length;
		int64_t chunk = ring_copy(channel, channel->head + at, &next, length - at, false, &fault, &fault_length);
		if (chunk < 0) {
			int error = fault_resolve(channel, fault, fault_length, true, retries);
			return error ? error : -EAGAIN;
		}
		at += (uint64_t)chunk;
	}
	*position = next;
	stream_take(channel, size);
	return (int64_t)length;
}

int64_t channel_stream_read(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking)
{
	struct vector_position position = { vector, count, 0, 0 };
	uint64_t done = 0;
	int64_t error = 0;
	unsigned retries = 0;
	if (!total)
		return 0;
	spin_lock(&channel->lock);
	while (done < total) {
		if (!channel->count) {
			if (done || channel->sender_gone)
				break;
			error = -EAGAIN;
			if (non_blocking)
				break;
			error = wait_on(&channel->readers, &channel->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
			spin_lock(&channel->lock);
			if (error && !channel->count)
				break;
			error = 0;
			continue;
		}
		user_t fault;
		uint64_t fault_length;
		bool packet = false;
		uint64_t next = channel->count;
		if (channel->runs)
			next = run_next(channel, &packet);
		if (packet) { /* the last thing that this read takes */
			int64_t taken = packet_get(channel, &position, total - done, &retries);
			if (taken == -EAGAIN)
				continue;
			error = min(taken, (int64_t)0);
			done += (uint64_t)max(taken, (int64_t)0);
			break;
		}
		int64_t chunk = ring_copy(channel, channel->head, &position, min(total - done, next), false, &fault, &fault_length);
		if (chunk < 0) {
			error = fault_resolve(channel, fault, fault_length, true, &retries);
			if (error)
				break;
			continue;
		}
		stream_take(channel, (uint64_t)chunk);
		done += (uint64_t)chunk;
	}
	if (done)
		wake_writers(channel);
	trace(TRACE_READ, channel, done, channel->count, 0, 0, 0);
	spin_unlock(&channel->lock);
	return done ? (int64_t)done : error;
}

/* Where `length` bytes lie, or go, one after another in a page that is there; NULL: nowhere, or they are packets. */
static inline char *ring_piece(const struct channel *channel, uint64_t offset, uint64_t length)
{
	if (offset >= channel->capacity)
		offset -= channel->capacity;
	struct page *page = channel->pages[offset / PAGE_SIZE];
	if (!page || channel->runs || offset % PAGE_SIZE + length > PAGE_SIZE)
		return NULL;
	return (char *)page_address(page) + offset % PAGE_SIZE;
}

int64_t channel_stream_read_piece(struct channel *channel, user_t address, uint64_t length, bool non_blocking)
{
	spin_lock(&channel->lock);
	while (!channel->count && !channel->sender_gone && !non_blocking && length) {
		int error = wait_on(&channel->readers, &channel->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
		spin_lock(&channel->lock);
		if (error && !channel->count) {
			spin_unlock(&channel->lock);
			return error;
		}
	}
	uint64_t done = min(length, channel->count);
	const char *bytes = done && !trace_active() ? ring_piece(channel, channel->head, done) : NULL;
	if (bytes && !copy_to_user_present(address, bytes, done)) {
		stream_take(channel, done);
		wake_writers(channel);
		spin_unlock(&channel->lock);
		return (int64_t)done;
	}
	spin_unlock(&channel->lock);
	struct io_vector piece = { address, length };
	return channel_stream_read(channel, &piece, 1, length, non_blocking);
}

int64_t channel_stream_peek(struct channel *channel, user_t address, uint64_t length, bool non_blocking)
{
	int64_t error = 0;
	uint64_t done = 0;
	unsigned retries = 0;
	if (!length)
		return 0;
	spin_lock(&channel->lock);
	while (!channel->count && !channel->sender_gone && !error) {
		error = -EAGAIN;
		if (non_blocking)
			break;
		error = wait_on(&channel->readers, &channel->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
		spin_lock(&channel->lock);
	}
	bool packet;
	while (!error && channel->count && done < min(length, run_next(channel, &packet))) {
		struct io_vector piece = { address + done, length - done };
		struct vector_position position = { &piece, 1, 0, 0 };
		user_t fault;
		uint64_t fault_length;
		int64_t chunk = ring_copy(channel, channel->head + done, &position, min(length, run_next(channel, &packet)) - done, false, &fault, &fault_length);
		if (chunk >= 0) {
			done += (uint64_t)chunk;
			continue;
		}
		spin_unlock(&channel->lock);
		error = retries++ < FAULT_RETRIES ? user_make_present(fault, fault_length, true) : -EFAULT;
		spin_lock(&channel->lock);
		done = 0; /* somebody may have read meanwhile: from the start again */
	}
	spin_unlock(&channel->lock);
	return done ? (int64_t)done : error;
}

int64_t channel_stream_resize(struct channel *channel, uint64_t capacity)
{
	if (channel->packets || !capacity || capacity > CHANNEL_STREAM_MAX)
		return -EINVAL;
	capacity = align_up(capacity, PAGE_SIZE);
	struct page **pages = heap_alloc(capacity / PAGE_SIZE * sizeof(*pages)), **old;
	struct stream_runs *runs = runs_create(capacity);
	if (!pages || !runs) {
		heap_free(pages, capacity / PAGE_SIZE * sizeof(*pages));
		runs_free(runs);
		return -ENOMEM;
	}
	spin_lock(&channel->lock);
	uint64_t old_capacity = channel->capacity, offset = channel->head % PAGE_SIZE, used = 0;
	uint64_t old_pages = old_capacity / PAGE_SIZE, first = channel->head / PAGE_SIZE;
	int64_t result = channel->count + channel->waste + offset > capacity ? -EBUSY : (int64_t)capacity;
	old = channel->pages;
	if (result >= 0) {
		/* the bytes stay in their pages: these come first in the new ring. One that wraps round inside its own page cannot. */
		used = (offset + channel->count + PAGE_SIZE - 1) / PAGE_SIZE;
		if (used > old_pages)
			result = -EBUSY;
	}
	if (result >= 0) {
		for (uint64_t i = 0; i < used; i++) {
			pages[i] = old[(first + i) % old_pages];
			old[(first + i) % old_pages] = NULL;
		}
		channel->pages = pages;
		channel->capacity = capacity;
		channel->head = offset;
		if (channel->runs) {
			while (runs->count < channel->runs->count) {
				runs->run[runs->count] = *run_at(channel->runs, runs->count);
				runs->count++;
			}
			struct stream_runs *before = channel->runs;
			channel->runs = runs;
			runs = before;
		}
		wake_writers(channel);
	}
	spin_unlock(&channel->lock);
	runs_free(runs);
	if (result < 0) {
		heap_free(pages, capacity / PAGE_SIZE * sizeof(*pages));
		return result;
	}
	for (uint64_t i = 0; i < old_pages; i++)
		if (old[i])
			page_unref(old[i]);
	heap_free(old, old_pages * sizeof(*old));
	return result;
}

/*
 * Copies `length` bytes (there is room) into the ring; they count only when all are there. Lock held, and given up for faults, in which case
 * -EAGAIN asks to look at the channel again. The position moves only on success.
 */
static int stream_put(struct channel *channel, struct vector_position *position, uint64_t length, bool packet, unsigned *retries)
{
	struct vector_position next = *position;
	uint64_t copied = 0;
	if (packet && runs_begin(channel))
		return -ENOMEM;
	while (copied < length) {
		user_t fault;
		uint64_t fault_length;
		int64_t chunk = ring_copy(channel, channel->head + channel->count + copied, &next, length - copied, true, &fault, &fault_length);
		if (chunk == -EFAULT) {
			int error = fault_resolve(channel, fault, fault_length, false, retries);
			return error ? error : -EAGAIN;
		}
		if (chunk < 0)
			return (int)chunk;
		copied += (uint64_t)chunk;
	}
	*position = next;
	if (channel->runs)
		runs_add(channel, length, packet);
	channel->count += length;
	return 0;
}

int64_t channel_stream_write(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking, bool packets)
{
	struct vector_position position = { vector, count, 0, 0 };
	uint64_t done = 0;
	int error = 0;
	unsigned retries = 0;
	if (!total)
		return 0;
	bool atomic = total <= min(channel->capacity, (uint64_t)CHANNEL_ATOMIC);
	spin_lock(&channel->lock);
	while (done < total) {
		if (channel->receiver_gone) {
			error = -EPIPE;
			break;
		}
		uint64_t free = channel->capacity - channel->count - channel->waste;
		bool packet = packets && !packet_joins(channel, total - done);
		if (free < (packet ? PAGE_SIZE : atomic ? total : 1)) {
			error = -EAGAIN;
			if (non_blocking)
				break;
			error = wait_on(&channel->writers, &channel->lock, DEADLINE_NEVER, WAIT_INTERRUPTIBLE);
			spin_lock(&channel->lock);
			if (error)
				break;
			continue;
		}
		uint64_t length = min(free, total - done);
		if (!atomic)
			length = min(length, PAGE_SIZE);
		error = stream_put(channel, &position, length, packet, &retries);
		if (error == -EAGAIN)
			continue;
		if (error)
			break;
		retries = 0;
		done += length;
		trace(TRACE_WRITE, channel, length, channel->count, 0, 0, 0); /* here and not at the end, where it would keep the compiler from merging the exits */
		if (done == total || packets || channel->count == channel->capacity)
			wake_readers(channel);
	}
	if (error && done)
		wake_readers(channel);
	spin_unlock(&channel->lock);
	return done ? (int64_t)done : error;
}

int64_t channel_stream_write_piece(struct channel *channel, user_t address, uint64_t length, bool non_blocking, bool packets)
{
	spin_lock(&channel->lock);
	if (length && length <= CHANNEL_ATOMIC && length <= channel->capacity - channel->count && !channel->receiver_gone && !packets && !trace_active()) {
		char *bytes = ring_piece(channel, channel->head + channel->count, length);
		if (bytes && !copy_from_user_present(bytes, address, length)) {
			channel->count += length;
			wake_readers(channel);
			spin_unlock(&channel->lock);
			return (int64_t)length;
		}
	}
	spin_unlock(&channel->lock);
	struct io_vector piece = { address, length };
	return channel_stream_write(channel, &piece, 1, length, non_blocking, packets);
}
