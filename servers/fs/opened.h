/*
 * Open objects of everything but FIFOs: what the control port of a description stands for. One slot of a table each, so that an ordinary open
 * allocates nothing. An open object holds a reference to its node and goes with its port's close message.
 * The table lies in the store, written in place: a slot counts once it has a node's id, and until it has none.
 */
#ifndef FS_OPENED_H
#define FS_OPENED_H
#include "tree.h"

struct opened {
	uint64_t id_of_node; /* 0: a free slot */
	uint32_t generation, flags; /* Linux's open flags */
	uint32_t locks : 31; /* locks and waits of lock.c that name this open object */
	uint32_t place : 1;  /* of a place to lock (place.h), not of a file */
	uint32_t next_free;  /* in use: the slot of the process that opened it */
	struct node *node;   /* this process's; NULL: a free slot */
};

/*
 * How many there may be. The last sixteenth is for processes that have opened few (OPENED_FEW) of those that are open, so that no process, or handful of
 * them, can keep all others from opening anything.
 */
#define OPENED_FEW 64u
void opened_limit(uint64_t number);
/* A new open object of node for the process of that badge: its id (below 2^60), or 0: no memory, or too many. */
uint64_t opened_create(struct node *node, uint32_t flags, uint64_t badge);
/* NULL: gone. */
struct opened *opened_find(uint64_t id);
/* Its port has gone: drops its locks and its node. */
void opened_close(uint64_t id);
/* Goes on with a predecessor's open objects whose ports live. */
void opened_recover(void);
#endif
