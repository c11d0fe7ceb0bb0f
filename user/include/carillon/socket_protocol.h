/*
 * The socket protocol: what the Linux library asks of the socket server, which keeps names, listening queues and rendezvous of local sockets.
 * Data never comes here: it travels through links (abi/link.h). word[0] = operation; in a reply word[0] = negative error, or 0.
 *
 * Three kinds of client port:
 *   ordinary  the one every process has in its record
 *   control   of one socket; its link owns it (description_call), and when it goes the socket has been closed
 *   address   whoever has it may connect to that socket. A file system keeps it in the node that bind made (FILE_MAKE_NODE) and gives copies
 *             to those who reach the node (FILE_SOCKET); so the namespace says who can connect.
 */
#ifndef CARILLON_SOCKET_PROTOCOL_H
#define CARILLON_SOCKET_PROTOCOL_H
#include <stdint.h>
#include "abi/message.h"

#define SOCKET_PORT_ORDINARY 1ul
#define SOCKET_ADDRESS_MAX 112 /* bytes of an address as Linux lays it out, family included */

/* The labels of links: who and under what name. The server fills in pid from the caller's badge. */
struct socket_label {
	uint32_t pid, user, group;
	uint32_t length;           /* of address; 0: unnamed */
	uint8_t address[SOCKET_ADDRESS_MAX];
};

enum socket_operation {
	/* ordinary */
	SOCKET_NEW = 1,  /* word1 = Linux's type; handle[0] = entry of a datagram socket. Reply: handle[0] = control port (moved) */
	SOCKET_FIND,     /* range: an abstract address. Reply: handle[0] = address port. ECONNREFUSED */
	SOCKET_SYNC,     /* what outlives the server is written anew, without what is no longer true */
	/* control */
	SOCKET_ADDRESS,  /* Reply: handle[0] = an address port */
	SOCKET_NAME,     /* range: struct socket_label, what connected peers are told */
	SOCKET_BIND,     /* range: struct socket_label with an abstract address; one of two bytes (the family): any free one. Reply range: the label. EADDRINUSE */
	SOCKET_LISTEN,   /* word1 = greatest number waiting. Reply: handle[0] = event with READY_IN while any waits; again: the same */
	SOCKET_ACCEPT,   /* Reply: handle[0], [1] = sender, receiver; range: the peer's struct socket_label. EAGAIN, EINVAL */
	SOCKET_SHUT,     /* word1 = LINK_SHUT_*: nobody more can connect, accept fails with EINVAL once the queue is empty */
	/* address */
	SOCKET_CONNECT,  /* word1 = type, word2 = SOCKET_WAIT_*; handle[0], [1] = sender, receiver of the accepted side (moved); range: own label.
	                    Reply range: the listener's label. Where the queue is full it waits interruptibly for room, or fails with EAGAIN, or replies
	                    1 with handle[0] = an event that is ready for writing once there may be room. ECONNREFUSED, EPROTOTYPE, EAGAIN */
	SOCKET_TARGET,   /* word1 = type. Reply: handle[0] = sender end of the datagram socket's queue; range: its label. ECONNREFUSED, EPROTOTYPE */
};
enum { SOCKET_WAIT, SOCKET_WAIT_NOT, SOCKET_WAIT_EVENT };
#define SOCKET_TYPE_STREAM 1u
#define SOCKET_TYPE_DATAGRAM 2u
#define SOCKET_TYPE_PACKET 5u
#endif
