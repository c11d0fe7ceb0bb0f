/*
 * Watches: inotify's queues of events about nodes of this tree.
 *
 * What happens by a request of this server is told where it happens (the functions below, called by the operations). Writes to a file do not pass
 * here: for as long as a file that somebody watches for IN_MODIFY is open for writing, its memory object is in an edge-triggered waitset, and the
 * object's stamp says whether it changed. Requests look there first (watch_look), so events are queued in the order of what caused them;
 * only a poll that does not wait can come too early. Reads pass nobody: IN_ACCESS is never told.
 * Events about a file reach the watches of every watched directory that has a name for it.
 *
 * A watch holds no reference to its node: when the node goes, so does the watch (IN_DELETE_SELF, IN_IGNORED).
 *
 * Queues and watches outlive this server. Events that nobody has read are lost then: each queue begins again with IN_Q_OVERFLOW.
 */
#ifndef FS_WATCH_H
#define FS_WATCH_H
#include <sys/inotify.h>
#include "carillon/server.h"
#include "tree.h"

extern unsigned watch_total; /* watches there are */

/* Operations: FILE_WATCH_CREATE, and what comes by a queue's port. */
int64_t watch_create(struct server_request *request);
int64_t watch_request(struct server_request *request, uint64_t id);
/* Ends the wait of that call, if it is one for events. */
void watch_interrupted(uint32_t reply);
/* A queue's port has gone. */
void watch_closed(uint64_t id);
/* Before the first queue. */
void watch_start(void);
/* After a predecessor's death: queues whose ports live, and their watches. Open objects come before. */
void watch_recover(void);

void watch_name_event(struct node *directory, const char *name, size_t length, uint32_t mask, uint32_t cookie, bool is_directory);
void watch_node_event(struct node *node, uint32_t mask, bool parents);
void watch_look_now(void);
/* Writers of a regular file have come or gone, or names: looks whether its content is to be observed. */
void watch_writers(struct node *node);
/* A regular file's size was set here: IN_MODIFY, once. */
void watch_resized(struct node *node);
uint32_t watch_cookie(void);

/* Something happened to a name in directory. Free when nobody watches anything, like the next two. */
static inline void watch_name(struct node *directory, const char *name, size_t length, uint32_t mask, bool is_directory)
{
	if (watch_total)
		watch_name_event(directory, name, length, mask, 0, is_directory);
}

/* Something happened to a node: told to its own watches only, or (watch_node) first to its watched parents. */
static inline void watch_self(struct node *node, uint32_t mask)
{
	if (watch_total)
		watch_node_event(node, mask, false);
}

static inline void watch_node(struct node *node, uint32_t mask)
{
	if (watch_total)
		watch_node_event(node, mask, true);
}

/* Queues what has been written up to now. */
static inline void watch_look(void)
{
	if (watch_total)
		watch_look_now();
}
#endif
