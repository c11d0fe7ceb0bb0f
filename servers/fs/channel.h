/*
 * /chan: channels that are published under names. A name in that directory is a packet channel of the kernel; this server keeps both of its ends, so that
 * anybody can connect, and only it can close it. All else about a name (listing, attributes, watches, removal) is a file's.
 *
 *   publish   open with O_CREAT: the one who creates the name is the publisher, as long as a descriptor of that open object is left
 *   connect   open: O_RDONLY receives, O_WRONLY sends, O_RDWR both. The descriptor is a description of the channel's ends: no packet passes this server
 *   withdraw  unlink: the channel is closed; what is queued can still be received, then comes the end
 *   death     the publisher's last descriptor goes with the name still there: the name goes, and the channel is closed with EOWNERDEAD
 *
 * A name may be opened with options behind it, "NAME,type=HEX,capacity=N,patience=N": type is a number (not 0) that all who give one must agree on (EPROTOTYPE); capacity, in
 * packets, is the publisher's to choose (CHANNEL_CAPACITY; 0: unbuffered); patience is of this descriptor: nanoseconds (at most a second) that a non-blocking read or write waits
 * before it says EAGAIN, for who would rather wait a little than ask twice. The options are no part of the name, which cannot contain a comma.
 *
 * Channels outlive this server, being nodes with two handles. A publisher that died with it is found by its port.
 */
#ifndef FS_CHANNEL_H
#define FS_CHANNEL_H
#include "carillon/server.h"
#include "tree.h"

#define CHANNEL_CAPACITY 16u

/* Is it the directory? Nothing but channels is made in it. */
bool channel_directory(const struct node *node);
/* The directory, once it is in the tree. */
void channel_set_directory(struct node *node);
/* How much of a last component that is looked up there is the name. */
size_t channel_name_length(const char *name, size_t length);

/* FILE_OPEN of a name that is new in the directory (text: with its options), or of a channel. */
int64_t channel_publish(struct server_request *request, struct node *directory, const char *text, size_t length, uint32_t flags, uint32_t mode);
int64_t channel_connect(struct server_request *request, struct node *node, const char *text, size_t length, uint32_t flags);
/* Its last name was removed. */
void channel_withdraw(struct node *node);
/* The publisher's port has gone. */
void channel_publisher_gone(uint64_t id);
/* After a predecessor's death, for each node: closes channels whose publisher's port has gone. */
void channel_recover(struct node *node);
#endif
