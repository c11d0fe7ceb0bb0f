/*
 * Packet channels from within: packets, and who waits at an end (packet.c, select.c).
 *
 * Whoever waits at channels is a `select`, a plain send or receive too: of one case. At each channel of its cases it has a `waiter` in the list of
 * that end. The claim word decides by which case a select ends: the other side wins the word by compare and swap, under the channel's lock, hands
 * the packet over and wakes the sleeper. So a packet goes straight to a receiver that waits, and a waiting sender's straight into the room that a
 * receiver made; nobody who was woken has to try again.
 *
 *   CLAIM_IDLE      nobody waits (a prepared select between two waits)
 *   CLAIM_LOOKING   its thread looks round and can be won by nobody
 *   CLAIM_FREE      may be won
 *   CLAIM_TAKEN     one side of a match that is being made; for a few instructions, under a channel's lock
 *   CLAIM_WON + n   ended by case n
 *
 * A select that may be won itself takes two words to match, the one at the lower address first. A word that is TAKEN is waited for, which
 * ends, because whoever has it waits for higher ones only.
 *
 * Invariants, under the channel's lock: packets are queued only while no receiver could be won, senders wait only while there is no room. A packet counts in
 * channel->nested from when its sender waits or it is queued or handed over until a receiver has it, or its sender has it back.
 *
 * A prepared select's waiters stay in the lists. For each it has a bit, its hint: set whenever something may have become possible there, before its word
 * is tried; cleared only under the channel's lock when nothing is possible. At an unbuffered channel it is always set.
 * Model: tests/model/select.pml.
 */
#ifndef KERNEL_PACKET_H
#define KERNEL_PACKET_H
#include "kernel/ipc/channel.h"

#define CLAIM_IDLE 0u
#define CLAIM_LOOKING 1u
#define CLAIM_FREE 2u
#define CLAIM_TAKEN 3u
#define CLAIM_WON 4u

struct packet {
	struct list link;
	uint32_t references;       /* atomic */
	uint32_t move;             /* handles that the sender loses */
	uint64_t word[MESSAGE_WORDS];
	struct carried_handle handle[MESSAGE_HANDLES];
	uint32_t handle_count, nested;
	uint32_t size;
	uint8_t bytes[];
};
struct select {
	uint32_t claim;            /* atomic */
	struct thread *thread;     /* that waits */
	struct wait_queue queue;   /* where it alone sleeps */
	uint64_t *hints;           /* atomic words, prepared only */
};
struct waiter {
	struct list link;          /* channel lock */
	struct select *select;
	struct packet *packet;     /* send: what is offered, NULL once it was taken; receive: what came */
	uint32_t index;            /* of the case */
};

/* What offering and accepting return beside 0 and errors. */
#define PACKET_WAIT 1          /* not possible now */
#define PACKET_LOST 2          /* the caller's select was won meanwhile by another case */

/* A select of the current thread that nobody can win yet. */
void select_begin(struct select *select);
/* Sleeps until it is won: 0, or -EINTR, -ETIMEDOUT, after which it may have been won all the same (select_close). */
int select_sleep(struct select *select, uint64_t deadline) must_check;
/* From now on nobody wins it: CLAIM_LOOKING, or by which case it was won. */
uint32_t select_close(struct select *select);

/* Copies a packet from a message of the current process, handles with references. 0, -EMSGSIZE, -ENOMEM, -EFAULT or as message_take_handles. */
int packet_make(const struct message *message, struct packet **packet) must_check;
void packet_unref(struct packet *packet);
/* The packet has been taken: closes the handles that the sender gave away, and drops the sender's reference. */
void packet_sent(struct packet *packet);

/*
 * The next three: channel->lock held, and when packet->handle_count channel_nesting_lock. own: the caller's select, in `own_open` one that can be won by
 * others; when they return 0 or an error, it has been won for case `index`.
 */
int packet_offer_locked(struct channel *channel, struct packet *packet, struct select *own, bool own_open, uint32_t index) must_check;
/* A packet of more than `room` bytes is left in the queue (-EMSGSIZE). */
int packet_accept_locked(struct channel *channel, uint64_t room, struct select *own, bool own_open, uint32_t index, struct packet **packet) must_check;
/* A waiter that is in its list begins to wait, or ends that; sends: with waiter->packet. */
void packet_wait_begin_locked(struct channel *channel, struct waiter *waiter, bool sends);
void packet_wait_end_locked(struct channel *channel, struct waiter *waiter, bool sends);
/* The error that a channel gives whose other side has gone, or that was closed. */
int packet_closed_error(struct channel *channel) must_check;
/* Is there one that could be won? Lock held. */
bool packet_waiter_free(const struct list *waiters) must_check;
/* Says whether nothing can be done at the ends (struct object, quiet). Lock held. */
void packet_quiet_locked(struct channel *channel);
/* Ends everybody who waits in the list. Lock held. */
void packet_waiters_end_locked(struct list *waiters);

/*
 * Gives a packet that was taken from channel to the current process: into message and from there to user_message. The packet is dropped; or, with -EMSGSIZE, -EFAULT,
 * -EMFILE, -ENOMEM, goes to the next receiver.
 */
int packet_deliver(struct channel *channel, struct packet *packet, struct message *message, user_t user_message) must_check;
/* A packet that was taken and that nobody got: it goes to the next receiver, or back to the head of the queue. */
void packet_return(struct channel *channel, struct packet *packet);
/* Send and receive at an end, as sys_channel_send and sys_channel_receive. */
int packet_send(struct channel *channel, user_t user_message, bool non_blocking, uint64_t deadline) must_check;
int packet_receive(struct channel *channel, user_t user_message, bool non_blocking, uint64_t deadline) must_check;
#endif
