/*
 * Packets: the queue of a packet channel, who waits at its ends, and plain sends and receives. Rules: packet.h, channel.h. A channel of capacity 0 hands each
 * packet over: a sender waits until a receiver has come.
 *
 * A packet whose receiver cannot take it after all (its memory is bad, its table full, its room too small) goes to the next receiver that waits, or back to
 * the head of the queue, which then may hold one more than it should. So what was sent is never lost by another's mistake.
 * Model: tests/model/select.pml.
 */
#include "kernel/ipc/packet.h"
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/flight.h"
#include "kernel/ipc/vector.h"
#include "kernel/obj/description.h"
#include "kernel/obj/process.h"

struct spinlock channel_nesting_lock = SPINLOCK_INIT("channel nesting", RANK_LISTENER);

/* --- claims --- */

void select_begin(struct select *select)
{
	select->claim = CLAIM_LOOKING;
	select->thread = thread_current();
	select->hints = NULL;
	wait_queue_init(&select->queue);
}

/* FREE to TAKEN; false: it is won, or nobody waits. */
static bool claim_take(struct select *select)
{
	for (;;) {
		uint32_t claim = CLAIM_FREE;
		if (__atomic_compare_exchange_n(&select->claim, &claim, CLAIM_TAKEN, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			return true;
		if (claim != CLAIM_TAKEN)
			return false;
	}
}

static void claim_set(struct select *select, uint32_t claim)
{
	__atomic_store_n(&select->claim, claim, __ATOMIC_SEQ_CST);
}

int select_sleep(struct select *select, uint64_t deadline)
{
	spin_lock(&select->queue.lock);
	if (__atomic_load_n(&select->claim, __ATOMIC_SEQ_CST) < CLAIM_WON)
		return wait_alone(&select->queue, &select->queue.lock, deadline, WAIT_INTERRUPTIBLE);
	spin_unlock(&select->queue.lock);
	return 0;
}

uint32_t select_close(struct select *select)
{
	if (claim_take(select))
		claim_set(select, CLAIM_LOOKING);
	return __atomic_load_n(&select->claim, __ATOMIC_SEQ_CST);
}

/* The caller's own word, if others could win it: is it still to be had? */
static bool own_take(struct select *own, bool own_open)
{
	return !own_open || claim_take(own);
}

static void own_won(struct select *own, bool own_open, uint32_t index)
{
	if (own_open)
		claim_set(own, CLAIM_WON + index);
}

/* The waiter's packet says what came of it. Its select is TAKEN. */
static void waiter_won(struct waiter *waiter)
{
	struct select *select = waiter->select;
	claim_set(select, CLAIM_WON + waiter->index);
	wait_wake_thread(&select->queue, select->thread, 0);
}

static void waiter_hint(const struct waiter *waiter)
{
	if (waiter->select->hints)
		__atomic_fetch_or(&waiter->select->hints[waiter->index / 64], 1ull << waiter->index % 64, __ATOMIC_SEQ_CST);
}

/* Takes the words of a waiter's select and, if it is open, of the caller's: that waiter, or NULL. *lost: the caller's has been won. Channel locked. */
static struct waiter *waiter_take(struct list *waiters, struct select *own, bool own_open, bool *lost)
{
	struct waiter *waiter;
	*lost = false;
	list_for_each(waiter, waiters, link) {
		struct select *other = waiter->select, *first = own_open && own < other ? own : other;
		if (other == own)
			continue;
		waiter_hint(waiter);
		if (!claim_take(first)) {
			*lost = first == own;
			if (*lost)
				return NULL;
			continue;
		}
		if (!own_open)
			return waiter;
		struct select *second = first == own ? other : own;
		if (claim_take(second))
			return waiter;
		claim_set(first, CLAIM_FREE);
		*lost = second == own;
		if (*lost)
			return NULL;
	}
	return NULL;
}

void packet_waiters_end_locked(struct list *waiters)
{
	struct waiter *waiter;
	list_for_each(waiter, waiters, link) {
		waiter_hint(waiter);
		if (claim_take(waiter->select))
			waiter_won(waiter);
	}
}

bool packet_waiter_free(const struct list *waiters)
{
	struct waiter *waiter;
	list_for_each(waiter, waiters, link)
		if (__atomic_load_n(&waiter->select->claim, __ATOMIC_SEQ_CST) == CLAIM_FREE)
			return true;
	return false;
}

void packet_quiet_locked(struct channel *channel)
{
	bool open = !channel->closed;
	bool full = channel->capacity ? channel->count >= channel->capacity : list_empty(&channel->receivers);
	bool empty = !channel->count && (channel->capacity || list_empty(&channel->senders));
	__atomic_store_n(&channel->sender.object.quiet, open && !channel->receiver_gone && full, __ATOMIC_RELAXED);
	__atomic_store_n(&channel->receiver.object.quiet, open && !channel->sender_gone && empty, __ATOMIC_RELAXED);
}

static int closed_error(const struct channel *channel)
{
	return channel->closed ? -channel->closed : -EPIPE;
}

int packet_closed_error(struct channel *channel)
{
	spin_lock(&channel->lock);
	int error = closed_error(channel);
	spin_unlock(&channel->lock);
	return error;
}

/* --- packets --- */

void packet_unref(struct packet *packet)
{
	if (!packet || __atomic_sub_fetch(&packet->references, 1, __ATOMIC_ACQ_REL))
		return;
	message_drop_handles(packet->handle, packet->handle_count);
	heap_free(packet, sizeof(*packet) + packet->size);
}

void packet_sent(struct packet *packet)
{
	for (unsigned i = 0; i < packet->handle_count; i++)
		if (packet->move & 1u << i && packet->handle[i].number >= 0)
			(void)handle_table_close(&process_current()->handles, (uint32_t)packet->handle[i].number, packet->handle[i].object);
	packet_unref(packet);
}

void channel_drop_packets(struct channel *channel)
{
	spin_lock(&channel->lock);
	while (!list_empty(&channel->queue)) {
		struct packet *packet = list_first(&channel->queue, struct packet, link);
		list_remove(&packet->link);
		channel->count--;
		channel->nested -= packet->nested;
		spin_unlock(&channel->lock);
		packet_unref(packet);
		spin_lock(&channel->lock);
	}
	spin_unlock(&channel->lock);
}

/* The queues an object keeps alive: a receiver's (a sender alone holds an empty shell), those a description reads from. */
static unsigned channels_of_object(struct object *object, struct channel *channels[2])
{
	switch (object->operations->kind) {
	case KIND_RECEIVER:
		channels[0] = channel_end_of_object(object)->channel;
		return 1;
	case KIND_DESCRIPTION:
		return description_channels(object, channels);
	default:
		return 0;
	}
}

/* channel_nesting_lock held. *nested counts those that hold channels. */
int channel_nesting_check(struct channel *channel, const struct carried_handle *handles, unsigned handle_count, unsigned *nested)
{
	*nested = 0;
	for (unsigned i = 0; i < handle_count; i++) {
		struct channel *inner[2];
		unsigned count = channels_of_object(handles[i].object, inner);
		bool collected = channel->segments && flight_possible(handles[i].object);
		for (unsigned k = 0; k < count && !collected; k++)
			if (inner[k] == channel || __atomic_load_n(&inner[k]->nested, __ATOMIC_RELAXED))
				return -ELOOP;
		*nested += count != 0;
	}
	return 0;
}

int packet_make(const struct message *message, struct packet **result)
{
	if (message->send_size > MESSAGE_RANGE_MAX)
		return -EMSGSIZE;
	struct packet *packet = heap_alloc(sizeof(*packet) + message->send_size);
	if (!packet)
		return -ENOMEM;
	packet->size = (uint32_t)message->send_size;
	packet->references = 1;
	list_init(&packet->link);
	memcpy(packet->word, message->word, sizeof(packet->word));
	int error = packet->size ? copy_from_user(packet->bytes, message->send_address, packet->size) : 0;
	if (!error)
		error = message_take_handles(message, packet->handle);
	if (error) {
		packet_unref(packet);
		return error;
	}
	packet->handle_count = message->handle_count;
	packet->move = message->move & ((1u << message->handle_count) - 1);
	*result = packet;
	return 0;
}

/* --- matching --- */

static void packet_enqueue_locked(struct channel *channel, struct packet *packet, bool first)
{
	if (first)
		list_add_first(&channel->queue, &packet->link);
	else
		list_add_last(&channel->queue, &packet->link);
	channel->count++;
}

int packet_offer_locked(struct channel *channel, struct packet *packet, struct select *own, bool own_open, uint32_t index)
{
	int error = channel->closed || channel->receiver_gone ? closed_error(channel) : 0;
	if (!error && packet->handle_count)
		error = channel_nesting_check(channel, packet->handle, packet->handle_count, &packet->nested);
	bool lost = false;
	struct waiter *receiver = error || channel->count ? NULL : waiter_take(&channel->receivers, own, own_open, &lost);
	if (lost)
		return PACKET_LOST;
	if (!receiver) {
		if (!error && channel->count >= channel->capacity)
			return PACKET_WAIT;
		if (!own_take(own, own_open))
			return PACKET_LOST;
	}
	own_won(own, own_open, index);
	if (error)
		return error;
	channel->nested += packet->nested;
	trace(TRACE_WRITE, channel, packet->size, channel->count + 1, 0, 0, 0);
	if (receiver) {
		receiver->packet = packet;
		waiter_won(receiver);
		return 0;
	}
	packet_enqueue_locked(channel, packet, false);
	object_notify(&channel->receiver.object, READY_IN);
	packet_quiet_locked(channel);
	return 0;
}

/* A packet has gone out of the queue: a waiting sender's goes in. */
static void packet_refill_locked(struct channel *channel, struct select *own)
{
	bool lost;
	struct waiter *sender = channel->count < channel->capacity ? waiter_take(&channel->senders, own, false, &lost) : NULL;
	if (sender) {
		packet_enqueue_locked(channel, sender->packet, false);
		sender->packet = NULL;
		waiter_won(sender);
	} else if (!channel->sender_gone) {
		object_notify(&channel->sender.object, channel_sender_ready_locked(channel));
	}
}

int packet_accept_locked(struct channel *channel, uint64_t room, struct select *own, bool own_open, uint32_t index, struct packet **result)
{
	bool lost = false, queued = channel->count, ended = channel->closed || channel->sender_gone;
	struct waiter *sender = queued || ended ? NULL : waiter_take(&channel->senders, own, own_open, &lost);
	if (lost)
		return PACKET_LOST;
	if (!sender) {
		if (!queued && !ended)
			return PACKET_WAIT;
		if (!own_take(own, own_open))
			return PACKET_LOST;
	}
	own_won(own, own_open, index);
	if (sender) {
		*result = sender->packet;
		sender->packet = NULL;
		waiter_won(sender);
		return 0;
	}
	if (!queued)
		return closed_error(channel);
	struct packet *packet = list_first(&channel->queue, struct packet, link);
	if (packet->size > room)
		return -EMSGSIZE;
	list_remove(&packet->link);
	channel->count--;
	*result = packet;
	packet_refill_locked(channel, own);
	packet_quiet_locked(channel);
	return 0;
}

void packet_wait_begin_locked(struct channel *channel, struct waiter *waiter, bool sends)
{
	if (sends)
		channel->nested += waiter->packet->nested;
	if (channel->capacity)
		return;
	packet_quiet_locked(channel);
	/* who polls the other end of an unbuffered channel is told that somebody waits */
	if (sends && !channel->receiver_gone)
		object_notify(&channel->receiver.object, READY_IN);
	else if (!sends && !channel->sender_gone)
		object_notify(&channel->sender.object, READY_OUT);
}

void packet_wait_end_locked(struct channel *channel, struct waiter *waiter, bool sends)
{
	if (sends && waiter->packet)
		channel->nested -= waiter->packet->nested;
	if (!channel->capacity)
		packet_quiet_locked(channel);
}

/* --- delivery --- */

void packet_return(struct channel *channel, struct packet *packet)
{
	bool lost;
	spin_lock(&channel->lock);
	struct waiter *receiver = channel->count ? NULL : waiter_take(&channel->receivers, NULL, false, &lost);
	if (receiver) {
		receiver->packet = packet;
		waiter_won(receiver);
	} else {
		packet_enqueue_locked(channel, packet, true);
		object_notify(&channel->receiver.object, READY_IN);
	}
	packet_quiet_locked(channel);
	spin_unlock(&channel->lock);
}

static int packet_copy_out(struct packet *packet, struct message *message, user_t user_message)
{
	if (packet->size > message->receive_size)
		return -EMSGSIZE;
	if (packet->size && copy_to_user(message->receive_address, packet->bytes, packet->size))
		return -EFAULT;
	int error = message_install_handles(message, packet->handle, packet->handle_count);
	if (error)
		return error;
	memcpy(message->word, packet->word, sizeof(message->word));
	message->receive_size = packet->size;
	message->reply_status = 0;
	if (!copy_to_user(user_message, message, sizeof(*message)))
		return 0;
	for (unsigned i = 0; i < message->handle_count; i++)
		(void)handle_table_close(&process_current()->handles, (uint32_t)message->handle[i], packet->handle[i].object);
	return -EFAULT;
}

/* The receiver has it. */
static void packet_done(struct channel *channel, struct packet *packet)
{
	trace(TRACE_READ, channel, packet->size, 0, 0, 0, 0);
	if (packet->nested) {
		spin_lock(&channel->lock);
		channel->nested -= packet->nested;
		spin_unlock(&channel->lock);
	}
	packet_unref(packet);
}

int packet_deliver(struct channel *channel, struct packet *packet, struct message *message, user_t user_message)
{
	int error = packet_copy_out(packet, message, user_message);
	if (error) {
		packet_return(channel, packet);
		return error;
	}
	packet_done(channel, packet);
	return 0;
}

/* --- plain sends and receives --- */

/* Locks as for an offer. */
static void waiter_join_locked(struct channel *channel, struct waiter *waiter, bool sends)
{
	select_begin(waiter->select);
	claim_set(waiter->select, CLAIM_FREE);
	list_add_last(sends ? &channel->senders : &channel->receivers, &waiter->link);
	packet_wait_begin_locked(channel, waiter, sends);
}

/* Sleeps at one channel and leaves it. 0: the packet was taken, or one has come. */
static int waiter_sleep(struct channel *channel, struct waiter *waiter, bool sends, uint64_t deadline)
{
	int error = select_sleep(waiter->select, deadline);
	spin_lock(&channel->lock);
	bool won = select_close(waiter->select) != CLAIM_LOOKING;
	list_remove(&waiter->link);
	packet_wait_end_locked(channel, waiter, sends);
	if (won)
		error = (waiter->packet != NULL) == sends ? closed_error(channel) : 0;
	spin_unlock(&channel->lock);
	return error;
}

/* How a call goes on that could not be done at once. */
static int wait_or_error(int result, bool non_blocking, uint64_t deadline)
{
	if (result != PACKET_WAIT)
		return result;
	return non_blocking ? -EAGAIN : deadline ? PACKET_WAIT : -ETIMEDOUT;
}

/* Takes the packet with its reference, in every case. */
static int packet_put(struct channel *channel, struct packet *packet, bool non_blocking, uint64_t deadline)
{
	struct select select;
	struct waiter waiter = { .select = &select, .packet = packet };
	bool nesting = packet->handle_count, moving = packet->move;
	if (moving)
		packet->references++;
	if (nesting)
		spin_lock(&channel_nesting_lock);
	spin_lock(&channel->lock);
	int error = wait_or_error(packet_offer_locked(channel, packet, &select, false, 0), non_blocking, deadline);
	if (error == PACKET_WAIT)
		waiter_join_locked(channel, &waiter, true);
	spin_unlock(&channel->lock);
	if (nesting)
		spin_unlock(&channel_nesting_lock);
	if (error == PACKET_WAIT)
		error = waiter_sleep(channel, &waiter, true, deadline);
	if (error)
		packet_unref(packet);
	if (moving && error)
		packet_unref(packet);
	else if (moving)
		packet_sent(packet);
	return error;
}

/* Takes a packet that has at most `room` bytes, if it is there already. */
static int packet_get(struct channel *channel, uint64_t room, bool non_blocking, uint64_t deadline, struct packet **result)
{
	struct select select;
	struct waiter waiter = { .select = &select };
	spin_lock(&channel->lock);
	int error = wait_or_error(packet_accept_locked(channel, room, &select, false, 0, result), non_blocking, deadline);
	if (error == PACKET_WAIT)
		waiter_join_locked(channel, &waiter, false);
	spin_unlock(&channel->lock);
	if (error == PACKET_WAIT) {
		error = waiter_sleep(channel, &waiter, false, deadline);
		*result = waiter.packet;
	}
	return error;
}

int packet_send(struct channel *channel, user_t user_message, bool non_blocking, uint64_t deadline)
{
	struct message message;
	struct packet *packet;
	if (!channel->packets)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = packet_make(&message, &packet);
	return error ? error : packet_put(channel, packet, non_blocking, deadline);
}

int packet_receive(struct channel *channel, user_t user_message, bool non_blocking, uint64_t deadline)
{
	struct message message;
	struct packet *packet;
	if (!channel->packets)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = packet_get(channel, message.receive_size, non_blocking, deadline, &packet);
	return error ? error : packet_deliver(channel, packet, &message, user_message);
}

/* --- packets as descriptions read and write them --- */

/* Until when one waits that is non-blocking but patient. */
static uint64_t patience_deadline(bool *non_blocking, uint64_t patience)
{
	if (!*non_blocking || !patience)
		return DEADLINE_NEVER;
	*non_blocking = false;
	return time_now() + patience;
}

int64_t channel_packet_write(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking, uint64_t patience)
{
	struct vector_position position = { vector, count, 0, 0 };
	if (!total)
		return 0;
	if (total > MESSAGE_RANGE_MAX)
		return -EMSGSIZE;
	struct packet *packet = heap_alloc(sizeof(*packet) + total);
	if (!packet)
		return -ENOMEM;
	packet->size = (uint32_t)total;
	packet->references = 1;
	list_init(&packet->link);
	for (uint64_t at = 0; at < total;) {
		uint64_t length = total - at;
		user_t address = position_address(&position, &length);
		if (copy_from_user(packet->bytes + at, address, length)) {
			packet_unref(packet);
			return -EFAULT;
		}
		position.offset += length;
		at += length;
	}
	uint64_t deadline = patience_deadline(&non_blocking, patience);
	int error = packet_put(channel, packet, non_blocking, deadline);
	return error == -ETIMEDOUT ? -EAGAIN : error ? error : (int64_t)total;
}

int64_t channel_packet_read(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking, uint64_t patience)
{
	struct vector_position position = { vector, count, 0, 0 };
	struct packet *packet;
	if (!total)
		return 0;
	uint64_t deadline = patience_deadline(&non_blocking, patience);
	int error = packet_get(channel, total, non_blocking, deadline, &packet);
	if (error)
		return error == -EPIPE ? 0 : error == -ETIMEDOUT ? -EAGAIN : error;
	error = packet->size > total ? -EMSGSIZE : 0;
	uint64_t size = packet->size;
	for (uint64_t at = 0; at < size && !error;) {
		uint64_t length = size - at;
		user_t address = position_address(&position, &length);
		error = copy_to_user(address, packet->bytes + at, length);
		position.offset += length;
		at += length;
	}
	if (error) {
		packet_return(channel, packet);
		return error;
	}
	packet_done(channel, packet);
	return (int64_t)size;
}

int64_t sys_channel_send(handle_t handle, user_t user_message, uint32_t options, uint64_t deadline)
{
	struct object *object;
	if (options & ~CHANNEL_NON_BLOCKING)
		return -EINVAL;
	int error = handle_lookup(handle, KIND_SENDER, RIGHT_SEND, &object);
	if (error)
		return error;
	error = packet_send(channel_end_of_object(object)->channel, user_message, options & CHANNEL_NON_BLOCKING, deadline);
	object_unref(object);
	return error;
}

int64_t sys_channel_receive(handle_t handle, user_t user_message, uint32_t options, uint64_t deadline)
{
	struct object *object;
	if (options & ~CHANNEL_NON_BLOCKING)
		return -EINVAL;
	int error = handle_lookup(handle, KIND_RECEIVER, RIGHT_RECEIVE, &object);
	if (error)
		return error;
	error = packet_receive(channel_end_of_object(object)->channel, user_message, options & CHANNEL_NON_BLOCKING, deadline);
	object_unref(object);
	return error;
}
