/* The table of sockets and the abstract names; socket.h has the rules. */
#include <stdlib.h>
#include <string.h>
#include "socket.h"

#define BUCKETS 256
#define SOCKETS_MAX 0x100000u
#define EPOCH_SHIFT 31
#define INDEX_BITS 24

static struct socket **sockets;
static uint64_t *generations, epoch_base;
static uint32_t room, lowest;
static struct socket *bucket[BUCKETS];
static size_t total;

static size_t bucket_of(const uint8_t *address, size_t length)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ address[i]) * 16777619u;
	return hash % BUCKETS;
}

void socket_start(uint32_t epoch) { epoch_base = (uint64_t)epoch << EPOCH_SHIFT; }

uint64_t socket_id(const struct socket *socket) { return socket->generation << INDEX_BITS | socket->index; }

struct socket *socket_find(uint64_t id)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	return index < room && sockets[index] && generations[index] == id >> INDEX_BITS ? sockets[index] : NULL;
}

static bool table_grow(void)
{
	uint32_t wanted = room ? room * 2 : 32;
	if (wanted > SOCKETS_MAX)
		return false;
	struct socket **more = realloc(sockets, wanted * sizeof *more);
	if (!more)
		return false;
	sockets = more;
	uint64_t *more_generations = realloc(generations, wanted * sizeof *more_generations);
	if (!more_generations)
		return false;
	generations = more_generations;
	memset(sockets + room, 0, (wanted - room) * sizeof *sockets);
	memset(generations + room, 0, (wanted - room) * sizeof *generations);
	room = wanted;
	return true;
}

/* A new one in a free place. */
static struct socket *socket_place(uint32_t index, uint64_t generation, uint32_t type)
{
	struct socket *socket = calloc(1, sizeof *socket);
	if (!socket)
		return NULL;
	generations[index] = generation;
	*socket = (struct socket){ .index = index, .generation = generation, .type = type, .entry = HANDLE_NONE, .event = HANDLE_NONE,
		.room = HANDLE_NONE };
	socket->queue.end = &socket->queue.first;
	socket->late.end = &socket->late.first;
	sockets[index] = socket;
	total++;
	return socket;
}

struct socket *socket_create(uint32_t type)
{
	while (lowest < room && sockets[lowest])
		lowest++;
	if (lowest == room && !table_grow())
		return NULL;
	return socket_place(lowest, epoch_base | ((generations[lowest] + 1) & ((1ul << EPOCH_SHIFT) - 1)), type);
}

struct socket *socket_restore(uint64_t id, uint32_t type)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	struct socket *there = socket_find(id);
	while (index >= room)
		if (!table_grow())
			return NULL;
	return there || sockets[index] ? there : socket_place(index, id >> INDEX_BITS, type);
}

size_t socket_count(void) { return total; }

struct socket *socket_next(const struct socket *socket)
{
	uint32_t index = socket ? socket->index + 1 : 0;
	while (index < room && !sockets[index])
		index++;
	return index < room ? sockets[index] : NULL;
}

void socket_destroy(struct socket *socket)
{
	if (socket->abstract) {
		struct socket **place = &bucket[bucket_of(socket->label.address, socket->label.length)];
		while (*place != socket)
			place = &(*place)->next;
		*place = socket->next;
	}
	if (socket->entry != HANDLE_NONE)
		socket_handle_close(socket->entry);
	if (socket->event != HANDLE_NONE)
		socket_handle_close(socket->event);
	if (socket->room != HANDLE_NONE)
		socket_handle_close(socket->room);
	sockets[socket->index] = NULL;
	total--;
	if (socket->index < lowest)
		lowest = socket->index;
	free(socket);
}

/* -- abstract names */

struct socket *socket_by_name(const void *address, size_t length)
{
	struct socket *socket = bucket[bucket_of(address, length)];
	while (socket && (socket->label.length != length || memcmp(socket->label.address, address, length)))
		socket = socket->next;
	return socket;
}

void socket_publish(struct socket *socket)
{
	struct socket **place = &bucket[bucket_of(socket->label.address, socket->label.length)];
	socket->next = *place;
	socket->abstract = true;
	*place = socket;
}

/* -- those who wait */

void waiting_add(struct waiting_list *list, struct waiting *waiting)
{
	waiting->next = NULL;
	*list->end = waiting;
	list->end = &waiting->next;
	list->count++;
}

struct waiting *waiting_take(struct waiting_list *list)
{
	struct waiting *waiting = list->first;
	if (!waiting)
		return NULL;
	list->first = waiting->next;
	if (!list->first)
		list->end = &list->first;
	list->count--;
	return waiting;
}

struct waiting *waiting_take_reply(struct waiting_list *list, uint32_t reply)
{
	struct waiting **place = &list->first, *waiting;
	while ((waiting = *place) && waiting->reply != reply)
		place = &waiting->next;
	if (!waiting)
		return NULL;
	*place = waiting->next;
	if (list->end == &waiting->next)
		list->end = place;
	list->count--;
	return waiting;
}

void waiting_free(struct waiting *waiting)
{
	socket_handle_close(waiting->sender);
	socket_handle_close(waiting->receiver);
	free(waiting);
}
