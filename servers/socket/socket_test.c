/*
 * Unit test of the socket server's table: ids, abstract names, lists of those who wait.
 * host-test: servers/socket/socket.c -Iuser/include
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "servers/socket/socket.h"

static unsigned closed;
void socket_handle_close(handle_t handle) { assert(handle >= 0); closed++; }

static void name(struct socket *socket, const char *text)
{
	socket->label.length = (uint32_t)(3 + strlen(text));
	socket->label.address[0] = 1;
	memcpy(socket->label.address + 3, text, strlen(text));
	socket_publish(socket);
}
static struct socket *find(const char *text)
{
	uint8_t address[SOCKET_ADDRESS_MAX] = { 1 };
	memcpy(address + 3, text, strlen(text));
	return socket_by_name(address, 3 + strlen(text));
}

static void ids(void)
{
	struct socket *list[100];
	uint64_t id[100];
	for (int i = 0; i < 100; i++) {
		list[i] = socket_create(SOCKET_TYPE_STREAM);
		assert(list[i] && list[i]->index == (uint32_t)i);
		id[i] = socket_id(list[i]);
	}
	for (int i = 0; i < 100; i++)
		assert(socket_find(id[i]) == list[i]);
	socket_destroy(list[40]);
	socket_destroy(list[10]);
	assert(!socket_find(id[10]) && !socket_find(id[40]) && socket_find(id[41]) == list[41] && !socket_find(UINT64_MAX >> 4));
	struct socket *again = socket_create(SOCKET_TYPE_PACKET);
	assert(again->index == 10 && socket_id(again) != id[10] && !socket_find(id[10]));
	socket_destroy(again);
	for (int i = 0; i < 100; i++)
		if (i != 10 && i != 40)
			socket_destroy(list[i]);
}

static void names(void)
{
	struct socket *list[600];
	char text[32];
	for (int i = 0; i < 600; i++) {
		list[i] = socket_create(SOCKET_TYPE_DATAGRAM);
		list[i]->entry = i;
		snprintf(text, sizeof text, "name %d", i);
		assert(!find(text));
		name(list[i], text);
	}
	for (int i = 0; i < 600; i += 2)
		socket_destroy(list[i]);
	assert(closed == 300);
	for (int i = 0; i < 600; i++) {
		snprintf(text, sizeof text, "name %d", i);
		assert(find(text) == (i % 2 ? list[i] : NULL));
	}
	assert(!find("name") && !find("name 10"));
	for (int i = 1; i < 600; i += 2)
		socket_destroy(list[i]);
	assert(closed == 600);
}

static void lists(void)
{
	struct socket *socket = socket_create(SOCKET_TYPE_STREAM);
	struct waiting *one = calloc(1, sizeof *one), *two = calloc(1, sizeof *two);
	assert(!waiting_take(&socket->queue));
	for (int i = 0; i < 3; i++) {
		waiting_add(&socket->queue, one);
		waiting_add(&socket->queue, two);
		assert(socket->queue.count == 2 && waiting_take(&socket->queue) == one && waiting_take(&socket->queue) == two);
		assert(!waiting_take(&socket->queue) && socket->queue.count == 0);
		one->reply = 1;
		two->reply = 2;
		waiting_add(&socket->late, one);
		waiting_add(&socket->late, two);
		assert(!waiting_take_reply(&socket->late, 3) && waiting_take_reply(&socket->late, 2) == two && socket->late.count == 1);
		waiting_add(&socket->late, two);
		assert(waiting_take_reply(&socket->late, 1) == one && waiting_take(&socket->late) == two && !socket->late.count);
	}
	closed = 0;
	waiting_free(one);
	waiting_free(two);
	assert(closed == 4);
	socket_destroy(socket);
}

int main(void)
{
	ids();
	names();
	lists();
	return 0;
}
