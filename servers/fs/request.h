/* The requests of the file protocol and the data words of this server's client ports. */
#ifndef FS_REQUEST_H
#define FS_REQUEST_H
#include "carillon/server.h"
#include "tree.h"

/*
 * A port's data word (at most 63 bits): FILE_PORT_ROOT, FILE_PORT_SYSTEM, or a type in bits 60-62 with an id below it.
 * A node port carries the node's id and holds one reference to the node, given back when the kernel tells that the port has gone; an open object
 * carries an id of opened.h (FIFOs: of fifo.c; a published channel's publisher: of the node), the port of FILE_LOCK_REGISTER the process's badge, a queue of watch.h its own.
 */
#define WORD_TYPE(word) ((unsigned)((word) >> 60))
#define WORD_ID(word) ((word) & ((1ul << 60) - 1))
enum { WORD_SMALL, WORD_NODE, WORD_OPEN, WORD_FIFO, WORD_OWNER, WORD_WATCH, WORD_CHANNEL };
#define WORD(type, id) ((uint64_t)(type) << 60 | (id))

extern handle_t fs_listener;
extern handle_t fs_state; /* the memory object behind the store */

int64_t fs_request(void *context, struct server_request *request);
void fs_closed(void *context, uint64_t port_data);
/* The caller of a call that was set aside is to wait no longer, or is dead. */
void fs_interrupted(void *context, uint32_t reply);

/* FILE_OPEN (open.c); may_wait: the path was empty, so the caller is prepared to wait. */
int64_t fs_open(struct server_request *request, uint64_t start);
/* The node behind a node port of this server that came with the request, or NULL. */
struct node *fs_received_node(struct server_request *request);
/* A node port for node as a reply handle. 0 or a negative error. */
int64_t fs_reply_node_port(struct server_request *request, struct node *node, unsigned type);
/* Turns a stopped walk into the reply's words (and bytes, for a link). Returns FILE_WALK_STOPPED. */
struct walk_result;
int64_t fs_reply_stop(struct server_request *request, const struct walk_result *result);
/* FILE_STOP_FORWARD with a copy of port; with move it is given away. */
int64_t fs_reply_forward(struct server_request *request, handle_t port, bool move, size_t consumed);
extern const struct walk_operations fs_walk_operations;
#endif
