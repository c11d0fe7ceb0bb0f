/*
 * Channels: bounded one-way queues, of bytes (stream) or of messages (packet).
 *
 * A channel has two ends, each an object. The receiver sees the end of the stream once the last reference to the sender end has gone and the queue is
 * empty; the sender gets -EPIPE once the last reference to the receiver end has gone. The memory goes with the second end.
 *
 * Channel ends can travel in packets, but not if their own channel holds a packet with channel ends or flows (-ELOOP): a cycle of channels that
 * keep each other alive would need such a step. channel_nesting_lock makes the test and the queueing one step.
 *
 * Locks: channel_nesting_lock (RANK_LISTENER, never held together with a port's), then channel->lock (RANK_CHANNEL). Copies to and from user memory
 * under the lock use only the variants that do not fault; a fault is resolved without the lock and the copy tried again.
 */
#ifndef KERNEL_CHANNEL_H
#define KERNEL_CHANNEL_H
#include "abi/message.h"
#include "kernel/core/page.h"
#include "kernel/core/wait.h"
#include "kernel/ipc/port.h"
#include "kernel/obj/object.h"

#define CHANNEL_ATOMIC 4096u                /* writes up to this are never split (PIPE_BUF) */
#define CHANNEL_STREAM_DEFAULT 65536u       /* capacity 0 stands for this */
#define CHANNEL_STREAM_MAX (1u << 20)
#define CHANNEL_PACKETS_MAX 1024u

struct channel;
struct channel_end {
	struct object object;
	struct channel *channel;
};
struct packet;
struct channel {
	struct channel_end sender, receiver;
	struct spinlock lock;
	bool packets;                 /* packet mode; constant */
	uint8_t ends;                 /* ends whose destruction has not finished; the channel is freed at 0 */
	bool sender_gone, receiver_gone;
	uint64_t capacity;            /* bytes or packets; 0: packets are handed over directly */
	uint64_t count;
	struct wait_queue readers, writers;
	unsigned readers_waiting;
	/* stream: a ring of capacity bytes in pages that are allocated when first written and freed when the ring is empty */
	uint64_t head;                /* offset of the first byte */
	struct page **pages;
	/* packet */
	struct list queue;
	unsigned nested;              /* queued handles of channel ends and flows */
};

int channel_create(uint32_t options, uint64_t capacity, struct channel **channel) must_check;
struct channel_end *channel_end_of_object(struct object *object);
/*
 * Stream read and write by the current thread, to and from `count` pieces of user memory of `total` bytes. They sleep interruptibly
 * unless non_blocking. Bytes done, 0 at the end of the stream; -EAGAIN, -EINTR, -EPIPE, -EFAULT, -ENOMEM if nothing was done.
 */
int64_t channel_stream_read(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking) must_check;
int64_t channel_stream_write(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking) must_check;
/* Resolves the faults that a copy of user memory would meet: 0 or -EFAULT. No locks. */
int user_make_present(user_t address, uint64_t length, bool write) must_check;
/* Readiness of the ends; channel->lock held. */
uint32_t channel_sender_ready_locked(const struct channel *channel);
uint32_t channel_receiver_ready_locked(const struct channel *channel);
/* Drops all queued packets; the receiver is gone, no lock held. */
void channel_drop_packets(struct channel *channel);
/* Counts of a flow for description_get. */
uint64_t channel_available(struct channel *channel);
#endif
