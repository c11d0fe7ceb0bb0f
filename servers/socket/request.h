/* The requests of the socket protocol (request.c). */
#ifndef SOCKET_REQUEST_H
#define SOCKET_REQUEST_H
#include "carillon/server.h"

extern handle_t socket_listener;
int64_t socket_request(void *context, struct server_request *request);
void socket_closed(void *context, uint64_t port_data);
#endif
