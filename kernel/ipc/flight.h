/*
 * Sockets in flight: links (descriptions of sockets) whose handles wait in the queues of other links, and the collector of those that nobody can
 * reach any more, because all that refers to them is queues of their own kind.
 *
 * A link counts its handles that are queued (link->flights); those with any are in one list. All of it is under channel_nesting_lock, which is held
 * while handles go into a queue of segments or leave it.
 *
 * Garbage. A link whose every reference is a queued handle, and whose queue nobody else can read, is a candidate. A candidate that some queue of a
 * candidate does not account for is held from outside; what its queue holds is held with it. The rest hold only each other: their queues are
 * emptied, which destroys them. The idea is Linux's (net/unix/garbage.c), which has it from mark and sweep.
 *
 * It is looked for when a link in flight may have lost its last other reference (a handle closed, a queued one dropped), and for what lost it otherwise
 * (a call that ended) when links die, more rarely the more there is to look through.
 */
#ifndef KERNEL_FLIGHT_H
#define KERNEL_FLIGHT_H
#include "kernel/ipc/channel.h"

struct description;
/* What a link has for it; channel_nesting_lock. */
struct flight {
	struct list link;               /* while count is not 0 */
	struct description *description; /* constant; no reference */
	unsigned count;                 /* queued handles */
	/* during a collection */
	unsigned inside;                /* of these, in queues of candidates */
	bool candidate, held;
	struct flight *next;            /* to be looked through; or garbage */
};
void flight_init(struct flight *flight, struct description *description);
/* Is it a link? */
bool flight_possible(const struct object *object);
/* channel_nesting_lock held: the handles have gone into a queue; they have left it. */
void flights_begin(const struct carried_handle *handles, unsigned count);
void flights_end(const struct carried_handle *handles, unsigned count);
/* Will the object, once `dropped` references to it are gone, be a link that only queues hold? The caller has these references. */
bool flight_suspect(const struct object *object, unsigned dropped);
/* A link dies: is it time to look? */
bool flights_due(void);
/* Finds and destroys garbage. No locks. Called again from what it destroys it does nothing but look once more at the end. */
void flights_collect(void);
/* In segment.c: calls visit for the handles of each queued segment; channel->lock is taken for it, channel_nesting_lock is held. */
void channel_visit_handles(struct channel *channel, void (*visit)(const struct carried_handle *handles, unsigned count, void *context), void *context);
#endif
