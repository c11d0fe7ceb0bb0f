/*
 * Open objects of everything but FIFOs: what the control port of a description stands for. One slot of a table each, so that an ordinary open
 * allocates nothing. An open object holds a reference to its node and goes with its port's close message.
 */
#ifndef FS_OPENED_H
#define FS_OPENED_H
#include "tree.h"

struct opened {
	struct node *node;   /* NULL: a free slot */
	uint32_t generation, next_free;
	uint32_t flags;      /* Linux's open flags */
	bool place;          /* of a place to lock (place.h), not of a file */
	uint32_t locks;      /* locks and waits of lock.c that name this open object */
};

/* A new open object of node: its id (below 2^60), or 0: no memory. */
uint64_t opened_create(struct node *node, uint32_t flags);
/* NULL: gone. Valid until the next opened_create. */
struct opened *opened_find(uint64_t id);
/* Its port has gone: drops its locks and its node. */
void opened_close(uint64_t id);
#endif
