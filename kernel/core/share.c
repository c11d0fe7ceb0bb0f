/* Shares: see share.h. */
#include "kernel/core/share.h"
#include "kernel/core/log.h"

void share_init(struct share *share, struct share *parent)
{
	for (unsigned i = 0; i < PRIORITY_COUNT; i++) {
		struct share_queue *queue = &share->queue[i];
		*queue = (struct share_queue){ .turn.queue = queue, .above = parent ? &parent->queue[i] : NULL, .queued = !parent };
		list_init(&queue->ready);
		list_init(&queue->turn.link);
	}
}

void share_leave(struct share *share)
{
	for (unsigned i = 0; i < PRIORITY_COUNT; i++) {
		assert(list_empty(&share->queue[i].ready));
		list_remove(&share->queue[i].turn.link);
		share->queue[i].queued = false;
	}
}

void share_enqueue(struct share_queue *queue)
{
	for (; !queue->queued; queue = queue->above) {
		queue->queued = true;
		list_add_first(&queue->above->ready, &queue->turn.link);
	}
}

struct share_queue *share_dequeue(struct share_queue *queue)
{
	assert(queue->above);
	list_remove(&queue->turn.link);
	queue->queued = false;
	return queue->above;
}

void share_rotate(struct share_queue *queue, uint64_t slice, bool given_up)
{
	for (; queue->above; queue = queue->above) {
		if (!given_up && queue->used < slice)
			continue;
		queue->used = 0;
		if (!queue->queued)
			continue;
		list_remove(&queue->turn.link);
		list_add_last(&queue->above->ready, &queue->turn.link);
	}
}
