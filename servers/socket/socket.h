/*
 * Sockets as this server knows them: those that were bound or listen. Pure bookkeeping, no messages.
 *
 * A socket is known outside by index and generation, so a port that outlives it finds nothing, also in a later run of this server (epoch). It lives
 * from SOCKET_NEW until its control port goes. Abstract names are kept in a hash table; names in file systems are theirs.
 */
#ifndef SOCKET_SOCKET_H
#define SOCKET_SOCKET_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "carillon/socket_protocol.h"

/* Somebody who wants to be accepted: queued, or (reply not 0) set aside because the queue was full. */
struct waiting {
	struct waiting *next;
	handle_t sender, receiver;
	uint32_t reply;
	struct socket_label label;
};
struct waiting_list { struct waiting *first, **end; size_t count; };

struct socket {
	uint32_t index;
	uint64_t generation;         /* below 2^36 */
	uint32_t type;
	bool listening, abstract;
	uint32_t shut;               /* LINK_SHUT_*, while listening */
	handle_t entry;              /* datagrams; HANDLE_NONE */
	handle_t event;              /* once listening */
	handle_t room;               /* event: there may be room in the queue; once somebody wants to wait for that himself */
	uint32_t backlog;            /* as listen was told: one more may wait */
	struct waiting_list queue, late;
	struct socket_label label;
	struct socket *next;         /* in the hash chain of abstract names */
};

/* Provided by main.c (and by the unit test): closes a handle. */
void socket_handle_close(handle_t handle);

/* Ids given out from now on differ from those of every other epoch, below SOCKET_EPOCHS. Before all else. */
#define SOCKET_EPOCHS 32u
void socket_start(uint32_t epoch);
uint64_t socket_id(const struct socket *socket); /* below 2^60 */
struct socket *socket_find(uint64_t id);         /* NULL: gone */
/* NULL: no memory, or too many. */
struct socket *socket_create(uint32_t type);
/* One with an id of an earlier epoch, or the one that has it; NULL likewise, or its place is taken. */
struct socket *socket_restore(uint64_t id, uint32_t type);
/* How many there are. */
size_t socket_count(void);
/* All one after the other, from NULL to NULL. */
struct socket *socket_next(const struct socket *socket);
/* Forgets it: its name is free, its handles are closed. The lists must be empty. */
void socket_destroy(struct socket *socket);

/* By abstract address (family, NUL, bytes). */
struct socket *socket_by_name(const void *address, size_t length);
/* Gives it the abstract name in its label. */
void socket_publish(struct socket *socket);

void waiting_add(struct waiting_list *list, struct waiting *waiting);
struct waiting *waiting_take(struct waiting_list *list); /* NULL: none */
/* The one with that reply, or NULL. */
struct waiting *waiting_take_reply(struct waiting_list *list, uint32_t reply);
void waiting_free(struct waiting *waiting);             /* closes its handles */
#endif
