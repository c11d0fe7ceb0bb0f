/*
 * Channels as objects: creation, ends, readiness. The queues are in stream.c, packet.c and segment.c; rules in channel.h.
 */
#include "kernel/ipc/packet.h"
#include "abi/link.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

struct channel_end *channel_end_of_object(struct object *object)
{
	return container_of(object, struct channel_end, object);
}

uint32_t channel_sender_ready_locked(const struct channel *channel)
{
	if (channel->receiver_gone)
		return READY_OUT | READY_ERROR;
	uint64_t free = channel->capacity > channel->count + channel->waste ? channel->capacity - channel->count - channel->waste : 0;
	if (channel->segments) /* as soon as three quarters are free, as Linux's sockets tell it */
		return (channel->shut ? READY_ERROR : 0) | (channel->count <= channel->capacity / 4 ? READY_OUT : 0);
	if (channel->packets)
		return (channel->closed ? READY_OUT | READY_ERROR : 0) | (free || packet_waiter_free(&channel->receivers) ? READY_OUT : 0);
	return free >= min(channel->capacity, (uint64_t)CHANNEL_ATOMIC) ? READY_OUT : 0;
}

uint32_t channel_receiver_ready_locked(const struct channel *channel)
{
	bool in = channel->count || (channel->packets && packet_waiter_free(&channel->senders));
	return (in ? READY_IN : 0) | (channel->urgent ? READY_PRIORITY : 0) | (channel->sender_gone || channel->shut || channel->closed ? READY_HANGUP : 0);
}

static uint32_t sender_ready(struct object *object)
{
	struct channel *channel = channel_end_of_object(object)->channel;
	spin_lock(&channel->lock);
	uint32_t ready = channel_sender_ready_locked(channel);
	spin_unlock(&channel->lock);
	return ready;
}

static uint32_t receiver_ready(struct object *object)
{
	struct channel *channel = channel_end_of_object(object)->channel;
	spin_lock(&channel->lock);
	uint32_t ready = channel_receiver_ready_locked(channel);
	spin_unlock(&channel->lock);
	return ready;
}

uint64_t channel_available(struct channel *channel)
{
	spin_lock(&channel->lock);
	uint64_t count = channel->segments ? channel->bytes : channel->count;
	spin_unlock(&channel->lock);
	return count;
}

uint64_t channel_moved(struct channel *channel, bool written)
{
	spin_lock(&channel->lock);
	uint64_t moved = channel->taken + (written ? channel->count : 0);
	spin_unlock(&channel->lock);
	return moved;
}

static uint64_t ring_pages(const struct channel *channel)
{
	return channel->packets || channel->segments ? 0 : channel->capacity / PAGE_SIZE;
}

static void channel_free(struct channel *channel)
{
	for (uint64_t i = 0; i < ring_pages(channel); i++)
		if (channel->pages[i])
			page_unref(channel->pages[i]);
	heap_free(channel->pages, ring_pages(channel) * sizeof(*channel->pages));
	channel_stream_free(channel);
	heap_free(channel, sizeof(*channel));
}

/* An end has been taken down completely. */
static void end_finish(struct channel *channel)
{
	spin_lock(&channel->lock);
	bool last = --channel->ends == 0;
	spin_unlock(&channel->lock);
	if (last)
		channel_free(channel);
}

static void sender_destroy(struct object *object)
{
	struct channel *channel = channel_end_of_object(object)->channel;
	spin_lock(&channel->lock);
	channel->sender_gone = true;
	if (!channel->receiver_gone) {
		wait_wake_all(&channel->readers, 0);
		packet_waiters_end_locked(&channel->receivers);
		packet_quiet_locked(channel);
		object_notify(&channel->receiver.object, channel_receiver_ready_locked(channel));
	}
	spin_unlock(&channel->lock);
	end_finish(channel);
}

static void receiver_destroy(struct object *object)
{
	struct channel *channel = channel_end_of_object(object)->channel;
	spin_lock(&channel->lock);
	channel->lost = channel->segments && (!list_empty(&channel->queue) || !channel->adopted);
	channel->receiver_gone = true;
	if (!channel->sender_gone) {
		wait_wake_all(&channel->writers, 0);
		packet_waiters_end_locked(&channel->senders);
		packet_quiet_locked(channel);
		object_notify(&channel->sender.object, READY_OUT | READY_ERROR);
	}
	spin_unlock(&channel->lock);
	/* Packets hold references to other objects, this channel's sender among them. */
	if (channel->segments)
		channel_drop_segments(channel);
	else
		channel_drop_packets(channel);
	end_finish(channel);
}

static const struct object_operations sender_operations = {
	.kind = KIND_SENDER, .name = "sender", .destroy = sender_destroy, .ready = sender_ready,
};
static const struct object_operations receiver_operations = {
	.kind = KIND_RECEIVER, .name = "receiver", .destroy = receiver_destroy, .ready = receiver_ready,
};

int channel_create(uint32_t options, uint64_t capacity, struct channel **result)
{
	bool packets = options == CHANNEL_PACKET, segments = options == CHANNEL_SEGMENTS || options == CHANNEL_MESSAGES;
	if (options > CHANNEL_MESSAGES || (packets ? capacity > CHANNEL_PACKETS_MAX : capacity > CHANNEL_STREAM_MAX))
		return -EINVAL;
	if (segments)
		capacity = capacity ? capacity : LINK_LIMIT;
	else if (!packets)
		capacity = capacity ? align_up(capacity, PAGE_SIZE) : CHANNEL_STREAM_DEFAULT;
	struct channel *channel = heap_alloc(sizeof(*channel));
	if (!channel)
		return -ENOMEM;
	channel->ends = 2;
	channel->packets = packets;
	channel->segments = segments;
	channel->messages = options == CHANNEL_MESSAGES;
	channel->capacity = capacity;
	if (!packets && !segments) {
		channel->pages = heap_alloc(ring_pages(channel) * sizeof(*channel->pages));
		if (!channel->pages) {
			heap_free(channel, sizeof(*channel));
			return -ENOMEM;
		}
	}
	spin_init(&channel->lock, "channel", RANK_CHANNEL);
	wait_queue_init(&channel->readers);
	wait_queue_init(&channel->writers);
	list_init(&channel->queue);
	list_init(&channel->receivers);
	list_init(&channel->senders);
	channel->sender.channel = channel->receiver.channel = channel;
	object_init(&channel->sender.object, &sender_operations);
	object_init(&channel->receiver.object, &receiver_operations);
	if (packets)
		packet_quiet_locked(channel);
	*result = channel;
	return 0;
}

static int channel_close(struct channel *channel, uint32_t error)
{
	if (!channel->packets)
		return -EINVAL;
	spin_lock(&channel->lock);
	bool first = !channel->closed;
	if (first) {
		channel->closed = error ? (int)error : EPIPE;
		packet_waiters_end_locked(&channel->receivers);
		packet_waiters_end_locked(&channel->senders);
		packet_quiet_locked(channel);
		if (!channel->receiver_gone)
			object_notify(&channel->receiver.object, channel_receiver_ready_locked(channel));
		if (!channel->sender_gone)
			object_notify(&channel->sender.object, channel_sender_ready_locked(channel));
	}
	spin_unlock(&channel->lock);
	return first ? 0 : -EALREADY;
}

int64_t sys_channel_close(handle_t handle, uint32_t error)
{
	struct object *object;
	if (error > CHANNEL_ERROR_MAX)
		return -EINVAL;
	int result = handle_lookup(handle, KIND_NONE, RIGHT_MANAGE, &object);
	if (result)
		return result;
	bool end = object->operations->kind == KIND_SENDER || object->operations->kind == KIND_RECEIVER;
	result = end ? channel_close(channel_end_of_object(object)->channel, error) : -EINVAL;
	object_unref(object);
	return result;
}

int user_make_present(user_t address, uint64_t length, bool write)
{
	if (!length)
		return 0;
	if (address >= USER_TOP || length > USER_TOP - address)
		return -EFAULT;
	for (user_t page = align_down(address, PAGE_SIZE); page < address + length; page += PAGE_SIZE)
		if (space_fault(space_current(), page, write ? PROTECT_WRITE : PROTECT_READ))
			return -EFAULT;
	return 0;
}

int64_t sys_channel_create(uint32_t options, uint64_t capacity, user_t user_ends)
{
	struct channel *channel;
	int error = channel_create(options, capacity, &channel);
	if (error)
		return error;
	struct channel_ends ends;
	uint32_t common = RIGHT_DUPLICATE | RIGHT_TRANSFER | RIGHT_MANAGE;
	int64_t sender = handle_install_new(&channel->sender.object, RIGHT_SEND | common, 0, HANDLE_HIGH);
	if (sender < 0) {
		object_unref(&channel->receiver.object);
		return sender;
	}
	int64_t receiver = handle_install_new(&channel->receiver.object, RIGHT_RECEIVE | common, 0, HANDLE_HIGH);
	if (receiver < 0) {
		(void)handle_table_close(&process_current()->handles, (uint32_t)sender, NULL);
		return receiver;
	}
	ends.sender = (int32_t)sender;
	ends.receiver = (int32_t)receiver;
	if (!copy_to_user(user_ends, &ends, sizeof(ends)))
		return 0;
	(void)handle_table_close(&process_current()->handles, (uint32_t)sender, NULL);
	(void)handle_table_close(&process_current()->handles, (uint32_t)receiver, NULL);
	return -EFAULT;
}
