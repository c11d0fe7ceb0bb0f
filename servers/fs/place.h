/*
 * Places to lock that are no files of this server: pipes, memory files, sockets, terminals, files of /proc.
 *
 * A place is a node without a name that only carries locks (lock.h); its open objects are the ports attached to descriptions. It is found by what the
 * kernel says of the description that came with the request, so nobody can lock what he has not opened; only where another server keeps the file
 * is it that server's st_dev and st_ino, as the caller tells them. A place lives as long as one of its open objects.
 */
#ifndef FS_PLACE_H
#define FS_PLACE_H
#include "carillon/server.h"
#include "tree.h"

/* FILE_LOCK_PLACE */
int64_t place_request(struct server_request *request);
/* An open object of a place goes; its locks have gone. */
void place_closed(struct node *node);
/* After a predecessor's death, with no references but those of open objects counted: if it is the node of a place, that is known again. */
void place_recover(struct node *node);
#endif
