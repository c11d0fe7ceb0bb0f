/*
 * Shares: how the processor is divided among budgets. Each budget has a share; shares form the tree that the budgets form, and a thread waits for
 * the processor in the share of the budget that pays for its process.
 *
 *   root: [a server] [a server] [programs]                       a turn each, one after another
 *                                programs: [shell] [job] [job]   the turns of "programs", one after another
 *                                                   job: [thread] [thread] ... [thread]
 *
 * What hangs in one share takes turns, and a share passes its own turn on in the same way. So the processor time of a budget depends neither on
 * how many threads it has nor on how many budgets it makes below itself; and what nobody else wants is divided among those who do.
 * A turn is as much processor time as the slice of the thread that it is used by, however often threads go to sleep meanwhile: a share that sleeps keeps its place in
 * the round, at the front, until it has used it up. A turn can become longer by one slice, because only slices are timed.
 *
 * A share has a queue for each priority, with turns of its own.
 *
 * Invariant: the queue in which a thread waits, and each one above it, is in the one above. A queue whose last thread was taken out stays there
 * until share_pick comes across it or it gets a thread again, so sleeping and waking costs no walk through the tree.
 * Locks: all under the scheduler's lock, but share_init.
 */
#ifndef KERNEL_SHARE_H
#define KERNEL_SHARE_H
#include "kernel/core/list.h"

#define PRIORITY_COUNT 32u

/* A place in a queue. */
struct turn {
	struct list link;
	struct share_queue *queue;  /* whose place it is; NULL: a thread's */
};
struct share_queue {
	struct list ready;          /* struct turn */
	struct turn turn;           /* its own, in the queue above */
	struct share_queue *above;  /* of the budget's parent; NULL: the root's */
	uint64_t used;              /* processor time of the present turn */
	bool queued;                /* in the queue above (the root's: always) */
};
struct share {
	struct share_queue queue[PRIORITY_COUNT];
};
void share_init(struct share *share, struct share *parent); /* NULL: the root */
/* It will not be used again; nothing waits in it. */
void share_leave(struct share *share);
/* Puts a queue that was empty into the one above, and that too. */
void share_enqueue(struct share_queue *queue);
/* Takes the first place of the queue above from one that is empty; the one above. */
struct share_queue *share_dequeue(struct share_queue *queue);

/* A thread waits, at the front or at the end. */
static inline void share_add(struct share_queue *queue, struct turn *turn, bool front)
{
	if (front)
		list_add_first(&queue->ready, &turn->link);
	else
		list_add_last(&queue->ready, &turn->link);
	if (!queue->queued)
		share_enqueue(queue);
}

/* It does not wait any more. */
static inline void share_remove(struct turn *turn)
{
	list_remove(&turn->link);
}

/* The thread whose turn it is, still in its queue. There is one below the root's queue. */
static inline struct turn *share_pick(struct share_queue *queue)
{
	for (;;) {
		while (list_empty(&queue->ready))
			queue = share_dequeue(queue);
		struct turn *turn = list_first(&queue->ready, struct turn, link);
		if (!turn->queue)
			return turn;
		queue = turn->queue;
	}
}

/* A thread of the queue, with slices of that length, ran. True: a turn is over, its own or one above it. */
static inline bool share_account(struct share_queue *queue, uint64_t nanoseconds, uint64_t slice)
{
	bool over = false;
	for (; queue->above; queue = queue->above)
		over |= (queue->used += nanoseconds) >= slice;
	return over;
}

/* Those of the queue and the ones above it whose turn is over (or, given_up, each of them) go to the end of the ones above them. */
void share_rotate(struct share_queue *queue, uint64_t slice, bool given_up);
#endif
