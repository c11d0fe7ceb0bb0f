/*
 * Segments: the queue of a channel in segment mode. A segment is the bytes of one write with what came with them: handles, the sender's label
 * and badge. Rules: channel.h. It is in the kernel because handles are, and so that sockets' data needs no server in between.
 *
 * As a stream, a read takes parts of segments and goes on from one to the next; when it takes the first byte of one with handles it takes
 * them too, and ends no later than that segment. In message mode a read takes one segment whole.
 *
 * Urgent bytes (MSG_OOB of streams). Each is a segment of its own. The last one that was not read yet can be taken out of its order; its empty segment
 * stays as a mark. A read that has bytes ends before either; one that begins there goes over it, and without in_line drops an urgent byte unread.
 * Those that a later one has replaced are ordinary bytes. As Linux has it since 5.15.
 *
 * Copies to the reader happen under the channel's lock from the segment at the head, so readers need no turns; a page that is missing is made
 * present without the lock, and then everything is looked at again. What a segment costs is its bytes, its handles and SEGMENT_COST;
 * the queue's cost, in pages, is charged to who pays for the receiver.
 *
 * Segments that are dropped unread may hold the last reference to a channel that holds such segments: that would be a recursion of any depth.
 * So they are buried, and whoever finds nobody digging empties the grave in a loop. Sockets that hold only each other in this way: flight.h.
 */
#include "abi/link.h"
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/flight.h"
#include "kernel/ipc/vector.h"
#include "kernel/obj/budget.h"

#define SEGMENT_COST 576u
#define SEGMENT_PIECE (32768u - sizeof(struct segment)) /* longer writes of a stream are cut */
#define SEGMENT_SMALL (2048u - sizeof(struct segment))
#define CHARGE_SPARE 4u                                 /* pages that stay charged, so that one message after the other costs nothing */
#define MESSAGE_SPARE 32u                               /* a message is shorter than the limit by this much */

struct segment {
	struct list link;
	struct label *label;             /* may be NULL */
	uint64_t badge;
	struct carried_handle *handles;  /* NULL: none, or taken */
	uint32_t handle_count, nested;
	uint32_t size, taken;
	uint64_t cost;
	uint8_t bytes[];
};

static struct list grave = { &grave, &grave }; /* channel_nesting_lock, as the next */
static bool grave_open; /* somebody empties it */

/* --- labels and handles --- */

struct label *label_create(uint32_t size)
{
	struct label *label = heap_alloc(sizeof(*label) + size);
	if (label) {
		label->references = 1;
		label->size = size;
	}
	return label;
}

void label_ref(struct label *label)
{
	if (label)
		__atomic_add_fetch(&label->references, 1, __ATOMIC_RELAXED);
}

void label_unref(struct label *label)
{
	if (label && __atomic_sub_fetch(&label->references, 1, __ATOMIC_ACQ_REL) == 0)
		heap_free(label, sizeof(*label) + label->size);
}

void carried_handles_free(struct carried_handle *handles, unsigned count)
{
	if (!handles)
		return;
	bool suspect = false;
	for (unsigned i = 0; i < count; i++)
		suspect |= flight_suspect(handles[i].object, count);
	message_drop_handles(handles, count);
	heap_free(handles, count * sizeof(*handles));
	if (suspect)
		flights_collect();
}

/* --- segments --- */

static void segment_free(struct segment *segment)
{
	carried_handles_free(segment->handles, segment->handle_count);
	label_unref(segment->label);
	heap_free(segment, sizeof(*segment) + segment->size);
}

/* Copies the next `size` bytes of the sender's memory into a new segment. No locks. */
static int segment_make(const struct segment_source *source, struct vector_position *position, uint32_t size, struct segment **result)
{
	struct segment *segment = heap_alloc(sizeof(*segment) + size);
	if (!segment)
		return -ENOMEM;
	segment->size = size;
	for (uint32_t at = 0; at < size;) {
		uint64_t length = size - at;
		user_t address = position_address(position, &length);
		if (copy_from_user(segment->bytes + at, address, length)) {
			heap_free(segment, sizeof(*segment) + size);
			return -EFAULT;
		}
		position->offset += length;
		at += (uint32_t)length;
	}
	list_init(&segment->link);
	label_ref(source->label);
	segment->label = source->label;
	segment->badge = source->badge;
	*result = segment;
	return 0;
}

/* Brings what is charged for the queue in line with its cost as it will be, up to `spare` pages more. Lock held. -ENOMEM: it stays as it is. */
static int channel_charge(struct channel *channel, uint64_t cost, uint64_t spare)
{
	uint64_t pages = (cost + PAGE_SIZE - 1) / PAGE_SIZE;
	struct budget *payer = channel->receiver.object.payer;
	if (payer && pages > channel->charged && budget_charge(payer, pages - channel->charged))
		return -ENOMEM;
	if (payer && channel->charged > pages + spare)
		budget_uncharge(payer, channel->charged - pages);
	if (pages > channel->charged || channel->charged > pages + spare)
		channel->charged = pages;
	channel->count = cost;
	return 0;
}

/* Less never fails. */
static void channel_uncharge(struct channel *channel, uint64_t cost, uint64_t spare)
{
	int error = channel_charge(channel, channel->count - cost, spare);
	assert(!error);
}

void channel_drop_segments(struct channel *channel)
{
	spin_lock(&channel_nesting_lock);
	spin_lock(&channel->lock);
	while (!list_empty(&channel->queue)) {
		struct segment *segment = list_first(&channel->queue, struct segment, link);
		list_remove(&segment->link);
		channel->urgent = NULL;
		flights_end(segment->handles, segment->handle_count);
		list_add_last(&grave, &segment->link);
	}
	channel_uncharge(channel, channel->count, 0);
	channel->bytes = channel->nested = 0;
	spin_unlock(&channel->lock);
	if (!grave_open) {
		grave_open = true;
		while (!list_empty(&grave)) {
			struct segment *segment = list_first(&grave, struct segment, link);
			list_remove(&segment->link);
			spin_unlock(&channel_nesting_lock);
			segment_free(segment);
			spin_lock(&channel_nesting_lock);
		}
		grave_open = false;
	}
	spin_unlock(&channel_nesting_lock);
}

void channel_visit_handles(struct channel *channel, void (*visit)(const struct carried_handle *handles, unsigned count, void *context), void *context)
{
	struct segment *segment;
	spin_lock(&channel->lock);
	list_for_each(segment, &channel->queue, link)
		visit(segment->handles, segment->handle_count, context);
	spin_unlock(&channel->lock);
}

uint64_t channel_next(struct channel *channel)
{
	spin_lock(&channel->lock);
	uint64_t size = 0;
	if (channel->segments && !list_empty(&channel->queue)) {
		struct segment *segment = list_first(&channel->queue, struct segment, link);
		size = segment->size - segment->taken;
	}
	spin_unlock(&channel->lock);
	return size;
}

void channel_shut(struct channel *channel)
{
	spin_lock(&channel->lock);
	channel->shut = true;
	wait_wake_all(&channel->readers, 0);
	wait_wake_all(&channel->writers, 0);
	if (!channel->sender_gone)
		object_notify(&channel->sender.object, channel_sender_ready_locked(channel));
	if (!channel->receiver_gone)
		object_notify(&channel->receiver.object, channel_receiver_ready_locked(channel));
	spin_unlock(&channel->lock);
}

/* --- writing --- */

static int segment_state(const struct channel *channel)
{
	return channel->receiver_gone ? -ECONNREFUSED : channel->shut ? -EPIPE : 0;
}

/* Waits for room and queues the segment; its handles (the source's) go with it. On failure the segment stays the caller's. */
static int segment_queue(struct channel *channel, struct segment *segment, struct segment_source *source, bool urgent)
{
	for (;;) {
		bool nesting = source->handle_count;
		if (nesting)
			spin_lock(&channel_nesting_lock);
		spin_lock(&channel->lock);
		int error = segment_state(channel);
		if (!error && nesting)
			error = channel_nesting_check(channel, source->handles, source->handle_count, &segment->nested);
		bool room = channel->count < min(channel->capacity, source->limit);
		if (!error && !room && source->non_blocking)
			error = -EAGAIN;
		if (!error && room) {
			segment->cost = segment->size + source->handle_count * sizeof(*source->handles) + SEGMENT_COST;
			error = channel_charge(channel, channel->count + segment->cost, CHARGE_SPARE);
		}
		if (!error && room) {
			segment->handles = source->handles;
			segment->handle_count = source->handle_count;
			flights_begin(segment->handles, segment->handle_count);
			source->handles = NULL;
			source->handle_count = 0;
			list_add_last(&channel->queue, &segment->link);
			channel->bytes += segment->size;
			channel->nested += segment->nested;
			if (urgent)
				channel->urgent = segment;
			trace(TRACE_WRITE, channel, segment->size, channel->count, 0, 0, 0);
			wait_wake_all(&channel->readers, 0);
			object_notify(&channel->receiver.object, urgent ? READY_IN | READY_PRIORITY : READY_IN);
		}
		if (nesting)
			spin_unlock(&channel_nesting_lock);
		if (error || room) {
			spin_unlock(&channel->lock);
			return error;
		}
		error = wait_on(&channel->writers, &channel->lock, source->deadline, WAIT_INTERRUPTIBLE);
		if (error)
			return error == -ETIMEDOUT ? -EAGAIN : error;
	}
}

int64_t channel_segment_write(struct channel *channel, struct segment_source *source)
{
	struct vector_position position = { source->vector, source->count, 0, 0 };
	uint64_t done = 0;
	spin_lock(&channel->lock);
	int error = segment_state(channel);
	spin_unlock(&channel->lock);
	if (error)
		return error;
	if (channel->messages && source->total > source->limit - MESSAGE_SPARE)
		return -EMSGSIZE;
	while (channel->messages || done < source->total) {
		bool urgent = source->urgent && done == source->total - 1;
		uint64_t ordinary = source->total - done - (source->urgent && !urgent);
		uint64_t size = channel->messages ? source->total : min(ordinary, SEGMENT_PIECE);
		struct segment *segment = NULL;
		error = segment_make(source, &position, (uint32_t)size, &segment);
		if (error == -ENOMEM && !channel->messages && size > SEGMENT_SMALL) { /* no large blocks left: then by small ones */
			size = SEGMENT_SMALL;
			error = segment_make(source, &position, (uint32_t)size, &segment);
		}
		if (!error) {
			error = segment_queue(channel, segment, source, urgent);
			if (error)
				segment_free(segment);
		}
		if (error)
			return done ? (int64_t)done : error;
		done += size;
		if (channel->messages)
			break;
	}
	return (int64_t)done;
}

/* --- reading --- */

struct reader {
	struct channel *channel;
	struct segment_sink *sink;
	struct vector_position position;
	uint64_t done;
	bool began;         /* a segment has been met: label and badge are its */
	bool nesting;       /* channel_nesting_lock is held, too */
	unsigned retries;
};

static void reader_unlock(struct reader *reader)
{
	spin_unlock(&reader->channel->lock);
	if (reader->nesting)
		spin_unlock(&channel_nesting_lock);
	reader->nesting = false;
}

/* Copies up to length bytes at `bytes` out; lock held. -EAGAIN: the lock was given up for a fault. */
static int64_t reader_copy(struct reader *reader, const uint8_t *bytes, uint64_t length)
{
	struct vector_position next = reader->position;
	for (uint64_t at = 0; at < length;) {
		uint64_t chunk = length - at;
		user_t address = position_address(&next, &chunk);
		if (copy_to_user_present(address, bytes + at, chunk)) {
			reader_unlock(reader);
			int error = reader->retries++ < FAULT_RETRIES ? user_make_present(address, chunk, true) : -EFAULT;
			spin_lock(&reader->channel->lock);
			return error ? error : -EAGAIN;
		}
		next.offset += chunk;
		at += chunk;
	}
	reader->position = next;
	return 0;
}

/* A sink's view of a segment it begins to take from. Peeking leaves the segment its handles. -ENOMEM. */
static int reader_begin(struct reader *reader, struct segment *segment)
{
	struct segment_sink *sink = reader->sink;
	if (segment->handles) {
		struct carried_handle *handles = segment->handles;
		if (sink->peek) {
			handles = heap_alloc(segment->handle_count * sizeof(*handles));
			if (!handles)
				return -ENOMEM;
			for (unsigned i = 0; i < segment->handle_count; i++) {
				handles[i] = segment->handles[i];
				object_ref(handles[i].object);
			}
		} else {
			segment->handles = NULL;
			flights_end(handles, segment->handle_count);
			reader->channel->nested -= segment->nested;
			segment->nested = 0;
		}
		sink->handles = handles;
		sink->handle_count = segment->handle_count;
		if (!sink->peek)
			segment->handle_count = 0;
	}
	if (!reader->began) {
		label_ref(segment->label);
		sink->label = segment->label;
		sink->badge = segment->badge;
		reader->began = true;
	}
	return 0;
}

/* Peeking is to begin anew; nothing was taken. */
static void reader_forget(struct reader *reader)
{
	struct segment_sink *sink = reader->sink;
	label_unref(sink->label);
	sink->label = NULL;
	reader->position = (struct vector_position){ sink->vector, sink->count, 0, 0 };
	reader->done = 0;
	reader->began = false;
}

/* The same after a fault; handles that were met are references of its own. Lock held, given up meanwhile. */
static void reader_restart(struct reader *reader)
{
	struct segment_sink *sink = reader->sink;
	struct carried_handle *handles = sink->handles;
	unsigned count = sink->handle_count;
	sink->handles = NULL;
	sink->handle_count = 0;
	reader_forget(reader);
	reader_unlock(reader);
	carried_handles_free(handles, count);
	spin_lock(&reader->channel->lock);
}

/* Handles leave a queue, or are looked at there, only with the other lock. True: both had to be taken anew, so everything is to be looked at again. */
static bool reader_nest(struct reader *reader, const struct segment *segment)
{
	if (!segment->handles || reader->nesting)
		return false;
	spin_unlock(&reader->channel->lock);
	spin_lock(&channel_nesting_lock);
	spin_lock(&reader->channel->lock);
	reader->nesting = true;
	return true;
}

static void segment_remove(struct channel *channel, struct segment *segment)
{
	list_remove(&segment->link);
	if (channel->urgent == segment)
		channel->urgent = NULL;
	channel_uncharge(channel, segment->cost, CHARGE_SPARE);
	segment_free(segment); /* without handles: nothing is destroyed */
}

static bool is_mark(const struct channel *channel, const struct segment *segment)
{
	return segment == channel->urgent || segment->taken == segment->size;
}

/* What a stream's reader does at a mark: true: it goes over it, and *at has moved on; false: it reads it; *stop: it ends before. Lock held. */
static bool reader_mark(struct reader *reader, struct segment *segment, struct list **at, bool *stop)
{
	struct channel *channel = reader->channel;
	bool peek = reader->sink->peek, urgent = segment == channel->urgent;
	*stop = reader->done && (urgent || !channel->urgent);
	if (*stop || (urgent && reader->sink->in_line)) {
		if (!*stop && !peek)
			channel->urgent = NULL; /* read like any other */
		return false;
	}
	*at = (*at)->next;
	if (!peek) {
		channel->bytes -= segment->size - segment->taken;
		segment_remove(channel, segment);
	}
	return true;
}

/* Takes what the queue has. 1: the read is complete; 0: it may wait for more; -EAGAIN: look again; or an error. Lock held. */
static int reader_stream(struct reader *reader)
{
	struct channel *channel = reader->channel;
	struct segment_sink *sink = reader->sink;
	struct list *at = channel->queue.next;
	while (reader->done < sink->total) {
		if (at == &channel->queue)
			return 0;
		struct segment *segment = list_entry(at, struct segment, link);
		bool stop = false;
		if (is_mark(channel, segment) && reader_mark(reader, segment, &at, &stop))
			continue;
		if (stop)
			return 1;
		if (reader->began && ((sink->by_sender && segment->badge != sink->badge) || (sink->handles && segment->handles)))
			return 1;
		if (reader_nest(reader, segment)) {
			if (sink->peek)
				reader_forget(reader);
			return -EAGAIN;
		}
		uint64_t length = min(sink->total - reader->done, (uint64_t)(segment->size - segment->taken));
		int64_t error = reader_copy(reader, segment->bytes + segment->taken, length);
		if (error == -EAGAIN && sink->peek)
			reader_restart(reader);
		if (!error)
			error = reader_begin(reader, segment);
		if (error)
			return (int)error;
		reader->done += length;
		at = at->next;
		if (!sink->peek) {
			segment->taken += (uint32_t)length;
			channel->bytes -= length;
			if (segment->taken < segment->size)
				return 1;
			segment_remove(channel, segment);
		}
		if (sink->handles)
			return 1;
	}
	return 1;
}

/* As above, one message. */
static int reader_message(struct reader *reader)
{
	struct channel *channel = reader->channel;
	struct segment_sink *sink = reader->sink;
	if (list_empty(&channel->queue))
		return 0;
	struct segment *segment = list_first(&channel->queue, struct segment, link);
	if (reader_nest(reader, segment))
		return -EAGAIN;
	uint64_t length = min(sink->total, (uint64_t)segment->size);
	int64_t error = reader_copy(reader, segment->bytes, length);
	if (!error)
		error = reader_begin(reader, segment);
	if (error)
		return (int)error;
	reader->done = length;
	sink->length = segment->size;
	if (!sink->peek) {
		channel->bytes -= segment->size;
		segment_remove(channel, segment);
	}
	return 1;
}

static void wake_writers(struct channel *channel)
{
	if (channel->sender_gone || channel->count >= channel->capacity)
		return;
	wait_wake_all(&channel->writers, 0);
	uint32_t ready = channel_sender_ready_locked(channel);
	if (ready)
		object_notify(&channel->sender.object, ready);
}

int64_t channel_segment_urgent(struct channel *channel, struct segment_sink *sink)
{
	struct reader reader = { .channel = channel, .sink = sink, .position = { sink->vector, sink->count, 0, 0 } };
	int64_t error;
	spin_lock(&channel->lock);
	do {
		struct segment *segment = channel->urgent;
		error = !segment || sink->in_line ? -EINVAL : sink->total ? reader_copy(&reader, segment->bytes, 1) : 0;
		if (error || sink->peek || !sink->total)
			continue;
		struct segment *before = segment->link.previous == &channel->queue ? NULL : list_entry(segment->link.previous, struct segment, link);
		if (before && before->taken == before->size)
			segment_remove(channel, before); /* one mark is enough */
		channel->urgent = NULL;
		channel->bytes--;
		segment->taken = segment->size;
	} while (error == -EAGAIN);
	spin_unlock(&channel->lock);
	sink->length = 1;
	return error ? error : sink->total != 0;
}

bool channel_at_mark(struct channel *channel)
{
	bool mark = false;
	spin_lock(&channel->lock);
	if (channel->segments && !channel->messages && !list_empty(&channel->queue)) {
		struct segment *first = list_first(&channel->queue, struct segment, link);
		bool next_is_urgent = channel->urgent && first->link.next == &channel->urgent->link;
		mark = first == channel->urgent || (first->taken == first->size && (!channel->urgent || next_is_urgent));
	}
	spin_unlock(&channel->lock);
	return mark;
}

int64_t channel_segment_read(struct channel *channel, struct segment_sink *sink)
{
	struct reader reader = { .channel = channel, .sink = sink, .position = { sink->vector, sink->count, 0, 0 } };
	int error = 0;
	if (!sink->total && !channel->messages)
		return 0;
	spin_lock(&channel->lock);
	for (;;) {
		int state = channel->messages ? reader_message(&reader) : reader_stream(&reader);
		if (state == -EAGAIN)
			continue;
		error = min(state, 0);
		if (state || (reader.done && (!sink->wait_all || sink->peek)))
			break;
		if (channel->sender_gone || channel->shut) {
			sink->ended = !reader.done;
			break;
		}
		error = -EAGAIN;
		if (sink->non_blocking)
			break;
		if (reader.done && !sink->peek)
			wake_writers(channel);
		if (reader.nesting) { /* another reader was faster; nobody sleeps with that lock */
			reader_unlock(&reader);
			spin_lock(&channel->lock);
			continue;
		}
		error = wait_on(&channel->readers, &channel->lock, sink->deadline, WAIT_INTERRUPTIBLE);
		spin_lock(&channel->lock);
		if (error && list_empty(&channel->queue)) {
			error = error == -ETIMEDOUT ? -EAGAIN : error;
			break;
		}
	}
	if (reader.began && !sink->peek)
		wake_writers(channel);
	trace(TRACE_READ, channel, reader.done, channel->count, 0, 0, 0);
	reader_unlock(&reader);
	if (!channel->messages)
		sink->length = reader.done;
	return reader.done || reader.began ? (int64_t)reader.done : error;
}
