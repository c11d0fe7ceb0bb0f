/*
 * Channels: bounded one-way queues, of bytes (stream) or of messages (packet).
 *
 * A channel has two ends, each an object. The receiver sees the end of the stream once the last reference to the sender end has gone and the queue is
 * empty; the sender gets -EPIPE once the last reference to the receiver end has gone. The memory goes with the second end.
 *
 * Channel ends can travel in packets, but a receiver not if its own channel holds a packet with receivers or what has one (-ELOOP): a cycle of channels that
 * keep each other alive would need such a step. channel_nesting_lock makes the test and the queueing one step. Links may be sent into links
 * all the same: such cycles are collected (flight.h).
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
struct segment;
struct channel {
	struct channel_end sender, receiver;
	struct spinlock lock;
	bool packets;                 /* packet mode; constant, as the next two */
	bool segments, messages;      /* segment mode, and whether each segment is a message of its own (segment.c) */
	uint8_t ends;                 /* ends whose destruction has not finished; the channel is freed at 0 */
	bool sender_gone, receiver_gone;
	uint64_t capacity;            /* bytes or packets; 0: packets are handed over directly */
	uint64_t count;
	struct wait_queue readers, writers; /* stream and segment */
	/* stream: a ring of capacity bytes in pages that are allocated when first written and freed when the ring is empty */
	uint64_t head;                /* offset of the first byte */
	uint64_t taken;               /* bytes read of it in all */
	struct page **pages;
	struct stream_runs *runs;     /* how the bytes fall into packets; NULL: there have been none since the ring was empty */
	uint64_t waste;               /* room that packets take beyond their bytes */
	/* packet */
	struct list queue;            /* of packets or segments */
	struct list receivers, senders; /* who waits at packets: packet.h */
	int closed;                   /* the error that channel_close gave, positive; what is queued can still be received */
	unsigned nested;              /* queued handles of channel ends and flows */
	/* segment; count is what the segments cost */
	uint64_t bytes;               /* that wait */
	uint64_t charged;             /* pages, to the receiver's payer */
	struct segment *urgent;       /* the urgent byte, while it is the last one and was not read */
	bool shut;                    /* nothing more goes in; what is there can be read */
	bool lost;                    /* the receiver went with segments unread, or without ever having been part of a link */
	bool adopted;                 /* the receiver belongs to a link */
};

int channel_create(uint32_t options, uint64_t capacity, struct channel **channel) must_check;
struct channel_end *channel_end_of_object(struct object *object);
/*
 * Stream read and write by the current thread, to and from `count` pieces of user memory of `total` bytes. They sleep interruptibly
 * unless non_blocking. Bytes done, 0 at the end of the stream; -EAGAIN, -EINTR, -EPIPE, -EFAULT, -ENOMEM if nothing was done.
 */
int64_t channel_stream_read(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking) must_check;
/* With `packets` the bytes go in as packets of up to CHANNEL_ATOMIC, each of which takes a page's room and is read alone (stream.c). */
int64_t channel_stream_write(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking,
	bool packets) must_check;
/* The same with one piece of user memory, which is done at once where it lies in one page of the ring. */
int64_t channel_stream_read_piece(struct channel *channel, user_t address, uint64_t length, bool non_blocking) must_check;
int64_t channel_stream_write_piece(struct channel *channel, user_t address, uint64_t length, bool non_blocking, bool packets) must_check;
/*
 * Segment mode (segment.c). A label is a shared byte string that is never changed; packets carry references.
 */
struct label { uint32_t references, size; uint8_t bytes[]; };
struct label *label_create(uint32_t size) must_check; /* one reference; NULL: no memory */
void label_ref(struct label *label);                  /* NULL is allowed in both */
void label_unref(struct label *label);
struct segment_source {
	const struct io_vector *vector;
	unsigned count;
	uint64_t total;
	struct label *label;             /* the callee takes its own references */
	uint64_t badge;
	struct carried_handle *handles;  /* references; kept by the callee when anything was queued (then handle_count is 0) */
	unsigned handle_count;
	uint64_t limit;                  /* the queue's cost up to which this sender may add */
	bool non_blocking, urgent;       /* urgent: the last byte is */
	uint64_t deadline;
};
struct segment_sink {
	const struct io_vector *vector;
	unsigned count;
	uint64_t total;
	bool non_blocking, peek, wait_all, by_sender, in_line; /* in_line: the urgent byte is read like others */
	uint64_t deadline;
	/* what came: the caller drops label, drops and frees handles */
	struct label *label;
	uint64_t badge, length;
	struct carried_handle *handles;
	unsigned handle_count;
	bool ended;                      /* nothing was there and nothing will come */
};
/* Bytes taken, or -EPIPE (shut), -ECONNREFUSED (receiver gone), -EAGAIN (also at the deadline), -EINTR, -EMSGSIZE, -ELOOP, -EFAULT, -ENOMEM. */
int64_t channel_segment_write(struct channel *channel, struct segment_source *source) must_check;
/* Bytes copied, or -EAGAIN, -EINTR, -EFAULT. */
int64_t channel_segment_read(struct channel *channel, struct segment_sink *sink) must_check;
/* The urgent byte alone, out of its order: 1, 0 (no room), or -EINVAL: there is none; -EFAULT. */
int64_t channel_segment_urgent(struct channel *channel, struct segment_sink *sink) must_check;
/* Is the reader where an urgent byte is or was? */
bool channel_at_mark(struct channel *channel);
void channel_shut(struct channel *channel);
void carried_handles_free(struct carried_handle *handles, unsigned count);
/* Bytes in the first segment; those in all come by channel_available. */
uint64_t channel_next(struct channel *channel);
void channel_drop_segments(struct channel *channel);
/* May these handles go into channel? Held from a successful check (unless there are none) until the queueing: channel_nesting_lock. */
extern struct spinlock channel_nesting_lock;
int channel_nesting_check(struct channel *channel, const struct carried_handle *handles, unsigned count, unsigned *nested) must_check;

/* The same as a read of one piece, leaving the bytes in the stream. Until all is there or the stream has no more now. */
int64_t channel_stream_peek(struct channel *channel, user_t address, uint64_t length, bool non_blocking) must_check;
void channel_stream_free(struct channel *channel);
/* Changes a stream's capacity, rounded up to pages. The capacity; -EBUSY: it holds more, -EINVAL: too large or no stream, -ENOMEM. */
int64_t channel_stream_resize(struct channel *channel, uint64_t capacity) must_check;
/* Resolves the faults that a copy of user memory would meet: 0 or -EFAULT. No locks. */
int user_make_present(user_t address, uint64_t length, bool write) must_check;
/* Is it a stream with nothing to read yet? Then its receiver is ready for nothing. */
static inline bool channel_stream_idle(struct channel *channel)
{
	spin_lock(&channel->lock);
	bool idle = !channel->packets && !channel->segments && !channel->count && !channel->sender_gone;
	spin_unlock(&channel->lock);
	return idle;
}
/* Readiness of the ends; channel->lock held. */
uint32_t channel_sender_ready_locked(const struct channel *channel);
uint32_t channel_receiver_ready_locked(const struct channel *channel);
/*
 * Packet mode, by a description: a write is one packet of up to MESSAGE_RANGE_MAX bytes (-EMSGSIZE), a read takes one whole; one that has no room stays (-EMSGSIZE). Handles
 * that come with a packet are dropped, as are its words. 0 at the end; -EAGAIN, -EINTR, -EPIPE, -EFAULT, -ENOMEM, or the error of channel_close. One that is
 * non_blocking waits all the same for `patience` nanoseconds.
 */
int64_t channel_packet_read(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking, uint64_t patience) must_check;
int64_t channel_packet_write(struct channel *channel, const struct io_vector *vector, unsigned count, uint64_t total, bool non_blocking, uint64_t patience) must_check;
/* Drops all queued packets; the receiver is gone, no lock held. */
void channel_drop_packets(struct channel *channel);
/* Counts of a flow for description_get. */
uint64_t channel_available(struct channel *channel);
/* Bytes that were read of a stream in all, or (written) written to it. */
uint64_t channel_moved(struct channel *channel, bool written);
#endif
