/*
 * Packets: the queue of a packet channel. Rules: channel.h. A channel of capacity 0 hands each packet over: the sender waits until a receiver
 * has taken it.
 * A select over several channels is only a model yet: tests/model/select.pml.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/channel.h"
#include "kernel/ipc/flight.h"
#include "kernel/obj/description.h"
#include "kernel/obj/process.h"

struct packet {
	struct list link;
	uint32_t references;       /* channel lock: the queue's, a waiting sender's */
	bool taken;
	uint64_t word[MESSAGE_WORDS];
	struct carried_handle handle[MESSAGE_HANDLES];
	uint32_t handle_count, nested;
	uint32_t size;
	uint8_t bytes[];
};

struct spinlock channel_nesting_lock = SPINLOCK_INIT("channel nesting", RANK_LISTENER);

static void packet_free(struct packet *packet)
{
	message_drop_handles(packet->handle, packet->handle_count);
	heap_free(packet, sizeof(*packet) + packet->size);
}

void channel_drop_packets(struct channel *channel)
{
	spin_lock(&channel->lock);
	while (!list_empty(&channel->queue)) {
		struct packet *packet = list_first(&channel->queue, struct packet, link);
		list_remove(&packet->link);
		channel->count--;
		channel->nested -= packet->nested;
		bool last = --packet->references == 0;
		spin_unlock(&channel->lock);
		if (last)
			packet_free(packet);
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

static int packet_make(const struct message *message, struct packet **result)
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
		packet_free(packet);
		return error;
	}
	packet->handle_count = message->handle_count;
	*result = packet;
	return 0;
}

static bool packet_has_room(const struct channel *channel)
{
	return channel->receiver_gone || channel->count < max(channel->capacity, (uint64_t)1);
}

/* Waits for room and queues the packet. On return 0 it belongs to the queue. */
static int packet_queue(struct channel *channel, struct packet *packet, bool non_blocking, uint64_t deadline)
{
	bool nesting = packet->handle_count;
	for (;;) {
		if (nesting)
			spin_lock(&channel_nesting_lock);
		spin_lock(&channel->lock);
		int error = channel->receiver_gone ? -EPIPE : channel_nesting_check(channel, packet->handle, packet->handle_count, &packet->nested);
		bool room = packet_has_room(channel);
		if (!error && !room && (non_blocking || !deadline))
			error = non_blocking ? -EAGAIN : -ETIMEDOUT;
		if (!error && !channel->capacity && non_blocking && !channel->readers_waiting)
			error = -EAGAIN;
		if (!error && room) {
			list_add_last(&channel->queue, &packet->link);
			packet->references++;
			channel->count++;
			channel->nested += packet->nested;
			trace(TRACE_WRITE, channel, packet->size, channel->count, 0, 0, 0);
			wait_wake_one(&channel->readers, 0);
			object_notify(&channel->receiver.object, READY_IN);
		}
		if (nesting)
			spin_unlock(&channel_nesting_lock);
		if (error || room) {
			spin_unlock(&channel->lock);
			return error;
		}
		error = wait_on(&channel->writers, &channel->lock, deadline, WAIT_INTERRUPTIBLE);
		if (error)
			return error;
	}
}

/* Unbuffered: waits until the packet was taken, else takes it back. While a receiver copies it, it is in no list: that is waited for in any case. */
static int packet_hand_over(struct channel *channel, struct packet *packet, uint64_t deadline)
{
	int error = 0;
	spin_lock(&channel->lock);
	while (!packet->taken) {
		bool queued = !list_empty(&packet->link);
		if (queued && (error || channel->receiver_gone)) {
			list_remove(&packet->link);
			packet->references--;
			channel->count--;
			channel->nested -= packet->nested;
			wait_wake_all(&channel->writers, 0);
			break;
		}
		if (!queued && channel->receiver_gone)
			break;
		int result = wait_on(&channel->writers, &channel->lock, queued ? deadline : DEADLINE_NEVER,
				     queued ? WAIT_INTERRUPTIBLE : WAIT_UNINTERRUPTIBLE);
		error = error ? error : result;
		spin_lock(&channel->lock);
	}
	bool taken = packet->taken;
	spin_unlock(&channel->lock);
	return taken ? 0 : error ? error : -EPIPE;
}

static void packet_unref(struct channel *channel, struct packet *packet)
{
	spin_lock(&channel->lock);
	bool last = --packet->references == 0;
	spin_unlock(&channel->lock);
	if (last)
		packet_free(packet);
}

int64_t sys_channel_send(handle_t handle, user_t user_message, uint32_t options, uint64_t deadline)
{
	struct message message;
	struct object *object;
	struct packet *packet;
	if (options & ~CHANNEL_NON_BLOCKING)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = handle_lookup(handle, KIND_SENDER, RIGHT_SEND, &object);
	if (error)
		return error;
	struct channel *channel = channel_end_of_object(object)->channel;
	error = channel->packets ? packet_make(&message, &packet) : -EINVAL;
	if (error) {
		object_unref(object);
		return error;
	}
	bool non_blocking = options & CHANNEL_NON_BLOCKING;
	error = packet_queue(channel, packet, non_blocking, deadline);
	if (!error && !channel->capacity && !non_blocking)
		error = packet_hand_over(channel, packet, deadline);
	if (!error && message.move)
		message_close_moved(&message, packet->handle);
	packet_unref(channel, packet);
	object_unref(object);
	return error;
}

/* Takes the first packet out of the queue once there is one. */
static int packet_take(struct channel *channel, struct message *message, bool non_blocking, uint64_t deadline, struct packet **result)
{
	spin_lock(&channel->lock);
	while (list_empty(&channel->queue)) {
		int error = 0;
		if (channel->sender_gone)
			error = -EPIPE;
		else if (non_blocking)
			error = -EAGAIN;
		else if (!deadline)
			error = -ETIMEDOUT;
		if (error) {
			spin_unlock(&channel->lock);
			return error;
		}
		channel->readers_waiting++;
		if (!channel->capacity)
			object_notify(&channel->sender.object, READY_OUT);
		error = wait_on(&channel->readers, &channel->lock, deadline, WAIT_INTERRUPTIBLE);
		spin_lock(&channel->lock);
		channel->readers_waiting--;
		if (error && list_empty(&channel->queue)) {
			spin_unlock(&channel->lock);
			return error;
		}
	}
	struct packet *packet = list_first(&channel->queue, struct packet, link);
	if (packet->size > message->receive_size) {
		wait_wake_one(&channel->readers, 0);
		spin_unlock(&channel->lock);
		return -EMSGSIZE;
	}
	list_remove(&packet->link);
	channel->count--;
	spin_unlock(&channel->lock);
	*result = packet;
	return 0;
}

int64_t sys_channel_receive(handle_t handle, user_t user_message, uint32_t options, uint64_t deadline)
{
	struct message message;
	struct object *object;
	struct packet *packet;
	if (options & ~CHANNEL_NON_BLOCKING)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = handle_lookup(handle, KIND_RECEIVER, RIGHT_RECEIVE, &object);
	if (error)
		return error;
	struct channel *channel = channel_end_of_object(object)->channel;
	error = channel->packets ? packet_take(channel, &message, options & CHANNEL_NON_BLOCKING, deadline, &packet) : -EINVAL;
	if (error) {
		object_unref(object);
		return error;
	}
	if (packet->size)
		error = copy_to_user(message.receive_address, packet->bytes, packet->size);
	if (!error)
		error = message_install_handles(&message, packet->handle, packet->handle_count);
	if (!error) {
		memcpy(message.word, packet->word, sizeof(message.word));
		message.receive_size = packet->size;
		if (copy_to_user(user_message, &message, sizeof(message))) {
			for (unsigned i = 0; i < message.handle_count; i++)
				(void)handle_table_close(&process_current()->handles, (uint32_t)message.handle[i], packet->handle[i].object);
			error = -EFAULT;
		}
	}
	spin_lock(&channel->lock);
	bool last = false;
	if (error) {
		list_add_first(&channel->queue, &packet->link);
		channel->count++;
		wait_wake_one(&channel->readers, 0);
		wait_wake_all(&channel->writers, 0); /* a sender that hands over may take it back */
	} else {
		packet->taken = true;
		trace(TRACE_READ, channel, packet->size, channel->count, 0, 0, 0);
		channel->nested -= packet->nested;
		last = --packet->references == 0;
		if (!channel->sender_gone) {
			wait_wake_all(&channel->writers, 0);
			object_notify(&channel->sender.object, channel_sender_ready_locked(channel));
		}
	}
	spin_unlock(&channel->lock);
	if (last)
		packet_free(packet);
	object_unref(object);
	return error;
}
