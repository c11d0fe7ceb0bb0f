/*
 * The tree's records: how they are written, and how a tree is built from those of a predecessor that died.
 *
 * Nothing in them is believed because it is there. A record counts if its seal holds and what it says fits the rest: nodes have a type and a content that
 * exists; a name lies in a directory, under a cookie and a spelling of its own; a directory has one name and hangs from the root. The rest is dropped
 * and counted: a name alone, or a node with all its names, never the whole tree.
 *
 *   node records --> nodes --> targets --> names, sorted by cookie --> what hangs from the root stays --> links counted
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tree_private.h"

/* -- words of the records; word 0 is the seal */
enum node_word {
	NODE_GENERATION = 1, /* and flags above; stays when the record is free, so that ids are never given twice */
	NODE_INODE, NODE_MODE_USER, NODE_GROUP_DEVICE, NODE_CONTENT, NODE_SPECIAL, NODE_ACCESSED, NODE_MODIFIED, NODE_CHANGED, NODE_BORN,
	NODE_CONTENT_STAMP, NODE_PARENT, NODE_NEXT_COOKIE, NODE_WORDS
};
#define NODE_FORWARD (1ul << 32)
#define NODE_DEVICE (1ul << 33)
#define NODE_CHANNEL (1ul << 34)
enum name_word { NAME_PARENT = 1, NAME_NODE, NAME_COOKIE, NAME_LENGTH, NAME_TEXT };
enum target_word { TARGET_NODE = 1, TARGET_LENGTH, TARGET_TEXT };
_Static_assert(NODE_WORDS * 8 <= 128, "a node's record");

static uint64_t halves(uint32_t low, uint32_t high) { return low | (uint64_t)high << 32; }

static bool has_handle(const struct node *node)
{
	return node->forward || S_ISREG(node->mode) || S_ISSOCK(node->mode);
}

static void node_compose(const struct stored *stored, uint64_t *word)
{
	const struct node *node = (const struct node *)((const char *)stored - offsetof(struct node, stored));
	word[NODE_GENERATION] = node->generation | (node->forward ? NODE_FORWARD : 0) | (node->is_device ? NODE_DEVICE : 0) | (node->channel ? NODE_CHANNEL : 0);
	word[NODE_INODE] = node->inode;
	word[NODE_MODE_USER] = halves(node->mode, node->user);
	word[NODE_GROUP_DEVICE] = halves(node->group, node->is_device ? (uint32_t)node->content.device : 0);
	word[NODE_CONTENT] = has_handle(node) && !node->is_device ? (uint64_t)(int64_t)node->content.memobj : 0;
	if (node->channel)
		word[NODE_CONTENT] = halves((uint32_t)node->content.channel.sender, (uint32_t)node->content.channel.receiver);
	word[NODE_SPECIAL] = node->special_device;
	word[NODE_ACCESSED] = node->access_time;
	word[NODE_MODIFIED] = node->modify_time;
	word[NODE_CHANGED] = node->change_time;
	word[NODE_BORN] = node->birth_time;
	word[NODE_CONTENT_STAMP] = node->content_stamp;
	if (S_ISDIR(node->mode)) {
		word[NODE_PARENT] = node->content.directory.parent ? node_id(node->content.directory.parent) : 0;
		word[NODE_NEXT_COOKIE] = node->content.directory.next_cookie;
	}
}

static void name_compose(const struct stored *stored, uint64_t *word)
{
	const struct entry *entry = (const struct entry *)((const char *)stored - offsetof(struct entry, stored));
	word[NAME_PARENT] = node_id(entry->parent);
	word[NAME_NODE] = node_id(entry->node);
	word[NAME_COOKIE] = entry->cookie;
	word[NAME_LENGTH] = entry->length;
	memcpy(&word[NAME_TEXT], entry->name, entry->length);
}

static void target_compose(const struct stored *stored, uint64_t *word)
{
	const struct node *node = (const struct node *)((const char *)stored - offsetof(struct node, content.symlink.stored));
	word[TARGET_NODE] = node_id(node);
	word[TARGET_LENGTH] = node->content.symlink.length;
	memcpy(&word[TARGET_TEXT], node->content.symlink.target, node->content.symlink.length);
}

void tree_store_start(void)
{
	store_set_composer(STORE_NODE, node_compose);
	for (unsigned kind = STORE_NAME_SHORT; kind <= STORE_NAME_LONG; kind++)
		store_set_composer(kind, name_compose);
	store_set_composer(STORE_TARGET, target_compose);
	store_set_composer(STORE_TARGET_LONG, target_compose);
}

/* -- recovery. No memory: the process gives up, and its successor may have more luck. */

static void *must_have(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

static void number_free(uint32_t index)
{
	tree.table[index] = NULL;
	tree.free_next[index] = tree.free_head;
	tree.free_head = index;
}

/* 0: a node without a name, for locks (place.h) */
static bool mode_is_sound(uint32_t mode)
{
	if (mode == 0)
		return true;
	return mode <= 0177777u && (S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode) || S_ISFIFO(mode) || S_ISSOCK(mode) || S_ISCHR(mode) || S_ISBLK(mode));
}

/* The node of a good record, or NULL: it makes no sense. */
static struct node *node_build(uint32_t index, const uint64_t *word)
{
	struct node *node = must_have(calloc(1, sizeof *node));
	stored_adopt(&node->stored, STORE_NODE, index);
	node->index = index;
	node->generation = (uint32_t)word[NODE_GENERATION];
	node->forward = word[NODE_GENERATION] & NODE_FORWARD;
	node->is_device = word[NODE_GENERATION] & NODE_DEVICE;
	node->channel = word[NODE_GENERATION] & NODE_CHANNEL;
	node->inode = word[NODE_INODE];
	node->mode = (uint32_t)word[NODE_MODE_USER];
	node->user = (uint32_t)(word[NODE_MODE_USER] >> 32);
	node->group = (uint32_t)word[NODE_GROUP_DEVICE];
	node->special_device = word[NODE_SPECIAL];
	node->access_time = word[NODE_ACCESSED];
	node->modify_time = word[NODE_MODIFIED];
	node->change_time = word[NODE_CHANGED];
	node->birth_time = word[NODE_BORN];
	node->content_stamp = word[NODE_CONTENT_STAMP];
	if (S_ISDIR(node->mode))
		node->content.directory.next_cookie = word[NODE_NEXT_COOKIE] < COOKIE_FIRST ? COOKIE_FIRST : word[NODE_NEXT_COOKIE];
	else if (node->is_device)
		node->content.device = (int)(word[NODE_GROUP_DEVICE] >> 32);
	else if (has_handle(node))
		node->content.memobj = (handle_t)word[NODE_CONTENT];
	else if (node->channel) {
		node->content.channel.sender = (handle_t)(uint32_t)word[NODE_CONTENT];
		node->content.channel.receiver = (handle_t)(word[NODE_CONTENT] >> 32);
	}
	if (node->generation && mode_is_sound(node->mode) && (node->forward || node->is_device || !(S_ISCHR(node->mode) || S_ISBLK(node->mode))) &&
		tree_content_is_sound(node))
		return node;
	free(node);
	return NULL;
}

static void nodes_build(struct tree_recovery *recovery)
{
	uint32_t used = store_used(STORE_NODE);
	while (tree.table_room < used)
		if (!tree_table_grow())
			abort();
	tree.table_used = used;
	for (uint32_t index = used; index-- > 0;) {
		uint64_t *word = store_record(STORE_NODE, index);
		enum store_check check = store_check(STORE_NODE, index);
		struct node *node = check == STORE_GOOD ? node_build(index, word) : NULL;
		uint32_t generation = (uint32_t)word[NODE_GENERATION];
		tree.table_generation[index] = node ? generation : generation + 1;
		if (node) {
			tree.table[index] = node;
			tree.node_count++;
			continue;
		}
		number_free(index);
		if (check != STORE_FREE) {
			recovery->bad_nodes++;
			store_drop(STORE_NODE, index);
		}
	}
}

/* Frees a node that nothing leads to yet. */
static void node_drop(struct node *node)
{
	store_drop(STORE_NODE, node->index);
	tree.table_generation[node->index]++;
	number_free(node->index);
	tree.node_count--;
	free(node);
}

static bool target_adopt(enum store_kind kind, uint32_t index)
{
	const uint64_t *word = store_record(kind, index);
	struct node *node = node_find(word[TARGET_NODE]);
	size_t length = word[TARGET_LENGTH];
	if (!node || !S_ISLNK(node->mode) || node->content.symlink.target || !length || length > store_record_size(kind) - TARGET_TEXT * sizeof *word)
		return false;
	node->content.symlink.target = must_have(malloc(length + 1));
	memcpy(node->content.symlink.target, &word[TARGET_TEXT], length);
	node->content.symlink.target[length] = 0;
	node->content.symlink.length = length;
	stored_adopt(&node->content.symlink.stored, kind, index);
	return true;
}

static void targets_build(struct tree_recovery *recovery)
{
	for (unsigned kind = STORE_TARGET; kind <= STORE_TARGET_LONG; kind++)
		for (uint32_t index = 0; index < store_used(kind); index++) {
			enum store_check check = store_check(kind, index);
			if (check != STORE_FREE && !(check == STORE_GOOD && target_adopt(kind, index)))
				store_drop(kind, index);
		}
	for (uint32_t index = 0; index < tree.table_used; index++) {
		struct node *node = tree.table[index];
		if (node && S_ISLNK(node->mode) && !node->content.symlink.target) {
			recovery->bad_nodes++;
			node_drop(node);
		}
	}
}

static bool name_is_sound(const char *name, size_t length)
{
	if (!length || length > 255 || memchr(name, 0, length) || memchr(name, '/', length))
		return false;
	return !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

static bool name_adopt(enum store_kind kind, uint32_t index)
{
	const uint64_t *word = store_record(kind, index);
	struct node *parent = node_find(word[NAME_PARENT]), *node = node_find(word[NAME_NODE]);
	size_t length = word[NAME_LENGTH];
	const char *name = (const char *)&word[NAME_TEXT];
	if (!parent || !node || !S_ISDIR(parent->mode) || !node->mode || node == tree.root || word[NAME_COOKIE] < COOKIE_FIRST ||
		length > store_record_size(kind) - NAME_TEXT * sizeof *word || !name_is_sound(name, length))
		return false;
	struct directory *directory = &parent->content.directory;
	if (entry_place(directory, name, length) || (S_ISDIR(node->mode) && node->content.directory.parent))
		return false;
	struct entry *entry = must_have(entry_create(name, length));
	if (!entries_reserve(directory))
		abort();
	stored_adopt(&entry->stored, kind, index);
	entry->cookie = word[NAME_COOKIE];
	entry_place_in(directory, entry, node);
	if (S_ISDIR(node->mode))
		node->content.directory.parent = parent;
	return true;
}

static int by_cookie(const void *a, const void *b)
{
	const struct entry *first = *(struct entry *const *)a, *second = *(struct entry *const *)b;
	return first->cookie < second->cookie ? -1 : first->cookie > second->cookie;
}

/* Takes an entry out of its directory's hash table, and drops it. */
static void entry_drop(struct directory *directory, struct entry *entry)
{
	struct entry **place = &directory->bucket[entry->hash & (directory->buckets - 1)];
	while (*place != entry)
		place = &(*place)->next;
	*place = entry->next;
	directory->count--;
	if (S_ISDIR(entry->node->mode))
		entry->node->content.directory.parent = NULL;
	store_drop(entry->stored.kind, entry->stored.index);
	free(entry);
}

/* The names came in the order of their records. */
static void order_sort(struct directory *directory, struct tree_recovery *recovery)
{
	size_t used = 0;
	if (directory->order_used)
		qsort(directory->order, directory->order_used, sizeof *directory->order, by_cookie);
	for (size_t i = 0; i < directory->order_used; i++) {
		struct entry *entry = directory->order[i];
		if (used && directory->order_cookie[used - 1] == entry->cookie) {
			entry_drop(directory, entry);
			recovery->bad_names++;
			continue;
		}
		directory->order[used] = entry;
		directory->order_cookie[used++] = entry->cookie;
	}
	directory->order_used = used;
	if (used && directory->next_cookie <= directory->order_cookie[used - 1])
		directory->next_cookie = directory->order_cookie[used - 1] + 1;
}

static void names_build(struct tree_recovery *recovery)
{
	for (unsigned kind = STORE_NAME_SHORT; kind <= STORE_NAME_LONG; kind++)
		for (uint32_t index = 0; index < store_used(kind); index++) {
			enum store_check check = store_check(kind, index);
			if (check == STORE_FREE || (check == STORE_GOOD && name_adopt(kind, index)))
				continue;
			recovery->bad_names++;
			store_drop(kind, index);
		}
	for (uint32_t index = 0; index < tree.table_used; index++)
		if (tree.table[index] && S_ISDIR(tree.table[index]->mode))
			order_sort(&tree.table[index]->content.directory, recovery);
}

/* Directories that hang from the root, in `reached` by index; the rest are circles and what hangs from them. */
static void circles_drop(struct tree_recovery *recovery)
{
	bool *reached = must_have(calloc(tree.table_used, sizeof *reached));
	struct node **queue = must_have(malloc(tree.table_used * sizeof *queue));
	size_t first = 0, last = 0;
	reached[tree.root->index] = true;
	queue[last++] = tree.root;
	while (first < last) {
		struct directory *directory = &queue[first++]->content.directory;
		for (size_t i = 0; i < directory->order_used; i++) {
			struct node *node = directory->order[i]->node;
			if (!S_ISDIR(node->mode) || reached[node->index])
				continue;
			reached[node->index] = true;
			queue[last++] = node;
		}
	}
	for (uint32_t index = 0; index < tree.table_used; index++) {
		struct node *node = tree.table[index];
		if (!node || !S_ISDIR(node->mode) || reached[index])
			continue;
		struct directory *directory = &node->content.directory;
		recovery->bad_names += (unsigned)directory->order_used;
		while (directory->order_used)
			entry_drop(directory, directory->order[--directory->order_used]);
	}
	free(queue);
	free(reached);
}

static void links_count(struct tree_recovery *recovery)
{
	for (uint32_t index = 0; index < tree.table_used; index++) {
		struct node *node = tree.table[index];
		if (node && S_ISDIR(node->mode) && (node == tree.root || node->content.directory.parent))
			node->links += 2; /* its name and itself */
		for (size_t i = 0; node && S_ISDIR(node->mode) && i < node->content.directory.order_used; i++) {
			struct node *child = node->content.directory.order[i]->node;
			if (S_ISDIR(child->mode))
				node->links++;
			else
				child->links++;
			recovery->names++;
		}
	}
	recovery->nodes = (unsigned)tree.node_count;
}

static bool hangs_from(const struct node *directory, const struct node *node)
{
	while (directory && directory != node)
		directory = directory->content.directory.parent;
	return directory;
}

/* A removed directory holds its parent, for who is still in it and leaves by "..". */
static void removed_directories_hang(void)
{
	for (uint32_t index = 0; index < tree.table_used; index++) {
		struct node *node = tree.table[index];
		if (!node || !S_ISDIR(node->mode) || node->links)
			continue;
		struct node *parent = node_find(store_record(STORE_NODE, index)[NODE_PARENT]);
		if (parent && S_ISDIR(parent->mode) && !hangs_from(parent, node)) {
			node->content.directory.parent = parent;
			node_get(parent);
		}
	}
}

/* Without a root nothing leads anywhere: all records are dropped; numbers and generations go on, so that old ids are not taken for new ones. */
void tree_forget(void)
{
	for (unsigned kind = 0; kind < STORE_KINDS; kind++)
		for (uint32_t index = 0; index < store_used(kind); index++)
			store_drop(kind, index);
	while (tree.table_room < store_used(STORE_NODE))
		if (!tree_table_grow())
			abort();
	tree.table_used = store_used(STORE_NODE);
	for (uint32_t index = (uint32_t)tree.table_used; index-- > 0;) {
		tree.table_generation[index] = (uint32_t)store_record(STORE_NODE, index)[NODE_GENERATION] + 1;
		number_free(index);
	}
}

bool tree_recover(struct tree_recovery *recovery)
{
	*recovery = (struct tree_recovery){ 0 };
	if (!store_used(STORE_NODE) || store_check(STORE_NODE, 0) != STORE_GOOD || !S_ISDIR((uint32_t)store_record(STORE_NODE, 0)[NODE_MODE_USER])) {
		tree_forget();
		return false;
	}
	nodes_build(recovery);
	tree.root = tree.table[0];
	targets_build(recovery);
	names_build(recovery);
	circles_drop(recovery);
	links_count(recovery);
	removed_directories_hang();
	node_get(tree.root);
	return true;
}

void tree_each(void (*visit)(struct node *node))
{
	for (uint32_t index = 0; index < tree.table_used; index++)
		if (tree.table[index])
			visit(tree.table[index]);
}

void tree_recover_end(void)
{
	for (uint32_t index = 0; index < tree.table_used; index++)
		if (tree.table[index]) {
			node_get(tree.table[index]);
			node_put(tree.table[index]);
		}
}
