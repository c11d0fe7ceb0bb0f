/* The table of open objects; opened.h. */
#include <fcntl.h>
#include <stdlib.h>
#include "carillon/process_protocol.h"
#include "lock.h"
#include "opened.h"
#include "place.h"
#include "recover.h"
#include "request.h"
#include "watch.h"

#define INDEX_BITS 28
#define NO_SLOT UINT32_MAX
_Static_assert(sizeof(struct opened) == 32, "a slot is a record of STORE_OPENED");

static uint32_t used, free_head = NO_SLOT;
static uint64_t open_now, open_most = UINT64_MAX;
static uint32_t open_of[PROCESS_SLOTS]; /* by the slot of who opened them; a later process of that slot starts with what is still open */

void opened_limit(uint64_t number)
{
	open_most = number;
}

static struct opened *slot(uint32_t index)
{
	return (struct opened *)store_record(STORE_OPENED, index);
}

static uint64_t id_of(const struct opened *opened, uint32_t index)
{
	return (uint64_t)opened->generation << INDEX_BITS | index;
}

static bool may_open(uint32_t opener)
{
	return open_now < open_most && (open_now < open_most - open_most / 16 || open_of[opener] < OPENED_FEW);
}

static void count(uint32_t opener, int change)
{
	open_now += (uint64_t)change;
	open_of[opener] += (uint32_t)change;
}

uint64_t opened_create(struct node *node, uint32_t flags, uint64_t badge)
{
	uint32_t index = free_head, opener = PROCESS_BADGE_SLOT(badge) % PROCESS_SLOTS;
	if (!may_open(opener))
		return 0;
	if (index != NO_SLOT)
		free_head = slot(index)->next_free;
	else if (used < store_capacity(STORE_OPENED))
		store_touch(STORE_OPENED, index = used++);
	else
		return 0;
	struct opened *opened = slot(index);
	if (!++opened->generation)
		opened->generation = 1; /* so that no id is 0 */
	opened->flags = flags;
	opened->locks = 0;
	opened->place = false;
	opened->next_free = opener;
	opened->node = node;
	__atomic_store_n(&opened->id_of_node, node_id(node), __ATOMIC_RELEASE);
	node_get(node);
	count(opener, 1);
	if ((flags & O_ACCMODE) != O_RDONLY && ++node->writers && watch_total)
		watch_writers(node);
	return id_of(opened, index);
}

struct opened *opened_find(uint64_t id)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	if (index >= used || !slot(index)->node || slot(index)->generation != (uint32_t)(id >> INDEX_BITS))
		return NULL;
	return slot(index);
}

static void slot_free(uint32_t index)
{
	struct opened *opened = slot(index);
	__atomic_store_n(&opened->id_of_node, 0, __ATOMIC_RELEASE);
	opened->node = NULL;
	opened->next_free = free_head;
	free_head = index;
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
	count(opened->next_free, -1);
	slot_free((uint32_t)(id & ((1u << INDEX_BITS) - 1)));
	node_put(node);
}

void opened_recover(void)
{
	used = store_used(STORE_OPENED);
	for (uint32_t index = used; index-- > 0;) {
		struct opened *opened = slot(index);
		struct node *node = opened->id_of_node ? node_find(opened->id_of_node) : NULL;
		opened->locks = 0;
		if (!node || !recover_port_lives(WORD(WORD_OPEN, id_of(opened, index)))) {
			slot_free(index);
			continue;
		}
		opened->node = node;
		opened->place = !node->mode;
		opened->next_free %= PROCESS_SLOTS;
		count(opened->next_free, 1);
		node_get(node);
		node->writers += (opened->flags & O_ACCMODE) != O_RDONLY;
	}
}
