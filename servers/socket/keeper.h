/*
 * What outlives this server: a packet channel whose ends init holds, too, with a packet for each socket: its id, name, and the handles that links have the
 * other side of. A server that starts finds there what its predecessor knew, so names stay bound and listeners go on; connections do not
 * concern it. Only those who waited to be accepted are lost: their ends died with the server, and they see the end of the connection.
 *
 * A later packet about a socket replaces an earlier one; when the channel is full it is written anew. It holds BOOT_KEEPER_ROOM
 * packets: sockets beyond that would not be found again.
 */
#ifndef SOCKET_KEEPER_H
#define SOCKET_KEEPER_H
#include "socket.h"

/* Takes the ends and brings the sockets back that are told of. */
void keeper_start(handle_t sender, handle_t receiver);
/* The socket is new or has changed. */
void keeper_keep(const struct socket *socket);
/* Drops all packets that are no longer true. */
void keeper_begin_again(void);
/* It goes. */
void keeper_forget(const struct socket *socket);
#endif
