/* The requests of the socket protocol (request.c). */
#ifndef SOCKET_REQUEST_H
#define SOCKET_REQUEST_H
#include "carillon/server.h"
#include "socket.h"

extern handle_t socket_listener;
int64_t socket_request(void *context, struct server_request *request);
/* Tells those who wait how a socket of an earlier run of this server stands now. */
void socket_restored(struct socket *socket);
/* Whoever waits in that call for room in a queue gives up, or is dead. */
void socket_interrupted(void *context, uint32_t reply);
void socket_closed(void *context, uint64_t port_data);
#endif
