/* Open file descriptions as the rest of the kernel sees them: see description.c. */
#ifndef KERNEL_DESCRIPTION_OBJECT_H
#define KERNEL_DESCRIPTION_OBJECT_H
#include "abi/description.h"
#include "kernel/core/wait.h"
#include "kernel/obj/object.h"

struct channel;
struct channel_end;
struct client;
struct memobj;
struct link;
struct description {
	struct object object;
	struct spinlock lock;             /* RANK_DESCRIPTION: flags, cursor, cursor_taken */
	uint32_t kind;                    /* constant, as all without a comment */
	uint32_t flags;
	bool cursor_taken;                /* a thread reads or writes at the cursor; others wait */
	struct wait_queue cursor_waiters;
	int64_t cursor;
	struct memobj *memobj;            /* place */
	struct channel_end *sender, *receiver; /* flow; either may be NULL. Of a link they come later (lock), the receiver and what follows once */
	struct client *control;           /* may be NULL */
	struct client *attached;          /* may be NULL; set once, under the lock */
	struct object *event;             /* service, library, link: may be NULL; event and timer: what it reads */
	struct link *link;                /* link */
	uint64_t cookie;
	uint64_t limit;                   /* atomic for kind library, else constant */
	struct forwarder {
		struct observer observer;
		struct description *description;
	} forward[2];                     /* observer_lock: while the description is observed, they observe what it stands for */
};
struct description *description_of_object(struct object *object);
/* The channels a description keeps alive: how many were written. */
unsigned description_channels(struct object *object, struct channel *channels[2]);
uint32_t description_ready(struct object *object);
struct io_vector;
/* Reads and writes of the kinds event and timer (description_event.c). The count, or -EINVAL, -EAGAIN, -EINTR, -EFAULT. */
int64_t description_count_transfer(struct description *description, const struct io_vector *pieces, unsigned count, uint64_t total, bool write,
	bool non_blocking) must_check;
/* observer_lock held: starts or ends observing what the description stands for. */
void description_forward_locked(struct description *description, bool any);
#endif
