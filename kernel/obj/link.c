/*
 * Links: open file descriptions whose two directions are queues of segments or messages (kernel/ipc/segment.c), and whose ends may be attached
 * after the description was made, because dup, fork and descriptor passing may have shared it by then. They are in the kernel for the reason
 * that flows are: what two programs say to each other passes no server. link_call.c has the calls.
 *
 *   made --attach sender, receiver--> connected          stream, messages: the two ends of a connection
 *     |                                                  datagrams: the receiver is its own from the start, the sender may be replaced
 *     +----attach event---> the event tells readiness    (whoever listens; the server behind the control port keeps the queue)
 *
 * The end of a connection, as either side sees it: writing fails with EPIPE, reading gives what is there and then the end; once the error
 * ECONNRESET instead if the peer went without reading everything. A datagram whose receiver has gone fails with ECONNREFUSED and detaches the sender.
 *
 * Locks: description->lock for what changes; the ends are used with references of the caller's, never under it, but while ends change it is held
 * together with observer_lock, so that observers follow. The receiver, control and event are set once and then read without.
 */
#include "kernel/obj/link.h"
#include "kernel/core/heap.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/link_private.h"
#include "kernel/obj/process.h"

int link_create(struct description *description, uint32_t mode)
{
	struct channel *own = NULL;
	if (mode != LINK_STREAM && mode != LINK_MESSAGES && mode != LINK_DATAGRAMS)
		return -EINVAL;
	if (mode == LINK_DATAGRAMS && description->receiver)
		return -EINVAL;
	if (!link_ends_fit(mode, description->sender, description->receiver))
		return -EINVAL;
	struct link *link = heap_alloc(sizeof(*link));
	if (!link)
		return -ENOMEM;
	if (mode == LINK_DATAGRAMS) {
		int error = channel_create(CHANNEL_MESSAGES, 0, &own);
		if (error) {
			heap_free(link, sizeof(*link));
			return error;
		}
		link->entry = &own->sender;
		description->receiver = &own->receiver;
	}
	if (description->receiver)
		description->receiver->channel->adopted = true;
	flight_init(&link->flight, description);
	link->mode = mode;
	link->send_limit = LINK_LIMIT;
	description->link = link;
	return 0;
}

/* The description's ends have been dropped. */
void link_destroy(struct description *description)
{
	struct link *link = description->link;
	if (link->entry)
		object_unref(&link->entry->object);
	label_unref(link->label[LINK_LABEL_OWN]);
	label_unref(link->label[LINK_LABEL_PEER]);
	heap_free(link, sizeof(*link));
	if (flights_due())
		flights_collect();
}

bool link_ends_fit(uint32_t mode, const struct channel_end *sender, const struct channel_end *receiver)
{
	bool messages = mode != LINK_STREAM;
	return (!sender || (sender->channel->segments && sender->channel->messages == messages)) &&
		(!receiver || (receiver->channel->segments && receiver->channel->messages == messages));
}

struct channel_end *link_sender_ref(struct description *description)
{
	spin_lock(&description->lock);
	struct channel_end *sender = description->sender;
	if (sender)
		object_ref(&sender->object);
	spin_unlock(&description->lock);
	return sender;
}

/* Did the peer go without reading all that this side sent? Told once if take is set. */
static bool link_reset(struct description *description, const struct channel_end *sender, bool take)
{
	struct link *link = description->link;
	if (link->mode == LINK_DATAGRAMS || !sender || !__atomic_load_n(&sender->channel->lost, __ATOMIC_ACQUIRE))
		return false;
	spin_lock(&description->lock);
	bool reset = !link->reset_taken;
	if (take)
		link->reset_taken = true;
	spin_unlock(&description->lock);
	return reset;
}

int link_error(struct description *description, bool take)
{
	struct channel_end *sender = link_sender_ref(description);
	bool reset = link_reset(description, sender, take);
	object_unref(sender ? &sender->object : NULL);
	return reset ? -ECONNRESET : 0;
}

static uint32_t end_ready(struct channel_end *end)
{
	return end->object.operations->ready(&end->object);
}

uint32_t link_ready(struct description *description)
{
	struct link *link = description->link;
	struct object *event = __atomic_load_n(&description->event, __ATOMIC_ACQUIRE);
	struct channel_end *receiver = __atomic_load_n(&description->receiver, __ATOMIC_ACQUIRE);
	if (event)
		return event->operations->ready(event);
	struct channel_end *sender = link_sender_ref(description);
	uint32_t in = receiver ? end_ready(receiver) : 0, out = sender ? end_ready(sender) : READY_OUT, ready = (in & (READY_IN | READY_PRIORITY)) | (out & READY_OUT);
	bool datagrams = link->mode == LINK_DATAGRAMS, read_shut, write_shut;
	read_shut = link->shut & LINK_SHUT_READ || in & READY_HANGUP;
	write_shut = link->shut & LINK_SHUT_WRITE || (!datagrams && out & READY_ERROR);
	if (read_shut)
		ready |= READY_IN | READY_READ_HANGUP;
	if ((read_shut && write_shut) || (!datagrams && !receiver))
		ready |= READY_HANGUP;
	if (link_reset(description, sender, false))
		ready |= READY_ERROR;
	object_unref(sender ? &sender->object : NULL);
	return ready;
}

static uint64_t link_deadline(uint64_t timeout)
{
	return timeout ? time_now() + timeout : DEADLINE_NEVER;
}

/* The datagrams' receiver has gone: the sender is no longer connected, and as on Linux what came from it is forgotten with all else. */
static void link_disconnect(struct description *description, struct channel_end *sender)
{
	bool mine = false;
	spin_lock(&description->lock);
	if (description->sender == sender) {
		spin_lock(&observer_lock);
		bool observed = !list_empty(&description->object.observers);
		if (observed)
			description_forward_locked(description, false);
		description->sender = NULL;
		if (observed)
			description_forward_locked(description, true);
		spin_unlock(&observer_lock);
		mine = true;
	}
	spin_unlock(&description->lock);
	if (!mine)
		return;
	channel_drop_segments(description->receiver->channel);
	object_unref(&sender->object);
}

int64_t link_send(struct description *description, struct segment_source *source, struct channel_end *target)
{
	struct link *link = description->link;
	bool datagrams = link->mode == LINK_DATAGRAMS;
	if (link->mode == LINK_MESSAGES) {
		int error = link_error(description, true);
		if (error)
			return error;
	}
	spin_lock(&description->lock);
	struct channel_end *sender = target ? target : description->sender;
	if (sender)
		object_ref(&sender->object);
	source->label = link->label[LINK_LABEL_OWN];
	label_ref(source->label);
	source->limit = link->send_limit;
	source->deadline = link_deadline(link->timeout[1]);
	bool shut = link->shut & LINK_SHUT_WRITE;
	spin_unlock(&description->lock);
	source->badge = process_current()->badge;
	int64_t result = shut ? -EPIPE : -ENOTCONN;
	if (sender && !shut)
		result = channel_segment_write(sender->channel, source);
	if (result == -ECONNREFUSED && !datagrams)
		result = -EPIPE;
	else if (result == -ECONNREFUSED && !target)
		link_disconnect(description, sender);
	label_unref(source->label);
	object_unref(sender ? &sender->object : NULL);
	return result;
}

int64_t link_receive(struct description *description, struct segment_sink *sink, bool urgent)
{
	struct link *link = description->link;
	struct channel_end *receiver = __atomic_load_n(&description->receiver, __ATOMIC_ACQUIRE);
	if (!receiver)
		return link->mode == LINK_STREAM ? -EINVAL : -ENOTCONN;
	if (link->mode == LINK_MESSAGES) {
		int error = link_error(description, true);
		if (error)
			return error;
	}
	sink->deadline = link_deadline(link->timeout[0]);
	sink->in_line = link->urgent_in_line;
	int64_t result = urgent ? channel_segment_urgent(receiver->channel, sink) : channel_segment_read(receiver->channel, sink);
	if (sink->ended && link->mode == LINK_DATAGRAMS && sink->non_blocking)
		return -EAGAIN;
	if (sink->ended)
		return link_error(description, true);
	return result;
}

int64_t link_transfer(struct description *description, const struct io_vector *vector, unsigned count, uint64_t total, uint32_t flags, bool write)
{
	bool non_blocking = flags & DESCRIPTION_NON_BLOCKING;
	if (write) {
		struct segment_source source = { .vector = vector, .count = count, .total = total, .non_blocking = non_blocking };
		return link_send(description, &source, NULL);
	}
	if (!total)
		return 0;
	struct segment_sink sink = { .vector = vector, .count = count, .total = total, .non_blocking = non_blocking };
	int64_t result = link_receive(description, &sink, false);
	label_unref(sink.label);
	carried_handles_free(sink.handles, sink.handle_count);
	return result;
}
