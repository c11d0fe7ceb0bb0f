/* The table of open objects; opened.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include "lock.h"
#include "opened.h"
#include "place.h"
#include "watch.h"

#define INDEX_BITS 28
#define NO_SLOT UINT32_MAX

static struct opened *table;
static uint32_t table_room, free_head = NO_SLOT;

static bool table_grow(void)
{
	uint32_t room = table_room ? table_room * 2 : 256;
	struct opened *more = room < (1u << INDEX_BITS) ? realloc(table, room * sizeof *more) : NULL;
	if (!more)
		return false;
	memset(more + table_room, 0, (room - table_room) * sizeof *more);
	for (uint32_t i = room; i-- > table_room;) {
		more[i].next_free = free_head;
		free_head = i;
	}
	table = more;
	table_room = room;
	return true;
}

uint64_t opened_create(struct node *node, uint32_t flags)
{
	if (free_head == NO_SLOT && !table_grow())
		return 0;
	uint32_t index = free_head;
	struct opened *opened = &table[index];
	free_head = opened->next_free;
	*opened = (struct opened){ .node = node, .generation = opened->generation + 1, .flags = flags };
	if (!opened->generation)
		opened->generation = 1; /* so that no id is 0 */
	node_get(node);
	if ((flags & O_ACCMODE) != O_RDONLY && ++node->writers && watch_total)
		watch_writers(node);
	return (uint64_t)opened->generation << INDEX_BITS | index;
}

struct opened *opened_find(uint64_t id)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	if (index >= table_room || !table[index].node || table[index].generation != (uint32_t)(id >> INDEX_BITS))
		return NULL;
	return &table[index];
}

void opened_close(uint64_t id)
{
	struct opened *opened = opened_find(id);
	if (!opened)
		return;
	struct node *node = opened->node;
	if (opened->locks)
		lock_opened_gone(id, node);
	bool writing = (opened->flags & O_ACCMODE) != O_RDONLY;
	if (writing && --node->writers == 0)
		watch_writers(node); /* a last look at what was written */
	if (!opened->place)
		watch_node(node, writing ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (opened->place)
		place_closed(node);
	opened->node = NULL;
	opened->next_free = free_head;
	free_head = (uint32_t)(opened - table);
	node_put(node);
}
