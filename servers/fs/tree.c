/* The tree of names; tree.h has the rules. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "tree_private.h"

#define INDEX_BITS 28
#define LINKS_MAX 65000u

struct tree tree = { .free_head = UINT32_MAX };
static uint64_t node_limit = 1u << 20;

/* -- nodes */

void tree_limit(uint64_t nodes)
{
	node_limit = nodes < store_capacity(STORE_NODE) ? nodes : store_capacity(STORE_NODE);
}

uint64_t tree_node_count(void) { return tree.node_count; }
uint64_t tree_node_limit(void) { return node_limit; }
struct node *tree_root(void) { return tree.root; }

bool tree_table_grow(void)
{
	size_t room = tree.table_room ? tree.table_room * 2 : 256;
	struct node **nodes = realloc(tree.table, room * sizeof *nodes);
	if (!nodes)
		return false;
	tree.table = nodes;
	uint32_t *generations = realloc(tree.table_generation, room * sizeof *generations);
	if (!generations)
		return false;
	tree.table_generation = generations;
	uint32_t *links = realloc(tree.free_next, room * sizeof *links);
	if (!links)
		return false;
	tree.free_next = links;
	tree.table_room = room;
	return true;
}

struct node *node_create(uint32_t mode, int *error)
{
	*error = -ENOSPC;
	if (tree.node_count >= node_limit)
		return NULL;
	if (tree.free_head == UINT32_MAX && tree.table_used == tree.table_room && !tree_table_grow())
		return NULL;
	struct node *node = calloc(1, sizeof *node);
	bool again = tree.free_head != UINT32_MAX;
	if (!node || !stored_take_at(&node->stored, STORE_NODE, again ? tree.free_head : (uint32_t)tree.table_used)) {
		free(node);
		return NULL;
	}
	node->index = node->stored.index;
	if (again) {
		tree.free_head = tree.free_next[tree.free_head];
	} else {
		tree.table_used++;
		tree.table_generation[node->index] = 1;
	}
	tree.table[node->index] = node;
	node->generation = tree.table_generation[node->index];
	node->inode = store_word(STORE_NEXT_INODE) + 1;
	store_set_word(STORE_NEXT_INODE, node->inode);
	node->mode = mode;
	node->access_time = node->modify_time = node->change_time = node->birth_time = tree_now();
	if (S_ISDIR(mode)) {
		node->content.directory.next_cookie = COOKIE_FIRST;
		node->links = 1; /* itself */
	} else if (!S_ISLNK(mode) && !S_ISFIFO(mode))
		node->content.memobj = HANDLE_NONE;
	tree.node_count++;
	*error = 0;
	return node;
}

static void node_free(struct node *node)
{
	struct node *parent = NULL;

	if (node->watches)
		tree_watches_release(node);
	if (S_ISDIR(node->mode)) {
		struct directory *directory = &node->content.directory;
		free(directory->order);
		free(directory->order_cookie);
		free(directory->bucket);
		parent = directory->parent; /* a removed directory's reference */
	} else {
		tree_content_release(node);
		if (S_ISLNK(node->mode)) {
			stored_gone(&node->content.symlink.stored);
			free(node->content.symlink.target);
		}
	}
	stored_gone(&node->stored);
	tree.table[node->index] = NULL;
	tree.table_generation[node->index]++;
	tree.free_next[node->index] = tree.free_head;
	tree.free_head = node->index;
	tree.node_count--;
	free(node);
	if (parent)
		node_put(parent);
}

static void node_check(struct node *node)
{
	if (node->links == 0 && node->references == 0)
		node_free(node);
}

void node_discard(struct node *node)
{
	if (node->references)
		return;
	node->links = 0;
	node_free(node);
}

int node_set_target(struct node *node, const char *target, size_t length)
{
	char *copy = malloc(length + 1);
	size_t short_room = store_record_size(STORE_TARGET) - 3 * sizeof(uint64_t);
	if (!copy || length > store_record_size(STORE_TARGET_LONG) - 3 * sizeof(uint64_t) ||
		!stored_take(&node->content.symlink.stored, length <= short_room ? STORE_TARGET : STORE_TARGET_LONG)) {
		free(copy);
		return -ENOSPC;
	}
	memcpy(copy, target, length);
	copy[length] = 0;
	node->content.symlink.target = copy;
	node->content.symlink.length = length;
	return 0;
}

void node_get(struct node *node) { node->references++; }

void node_put(struct node *node)
{
	if (node->references > 0 && --node->references == 0)
		node_check(node);
}

uint64_t node_id(const struct node *node)
{
	return (uint64_t)node->generation << INDEX_BITS | node->index;
}

struct node *node_find(uint64_t id)
{
	uint32_t index = id & ((1u << INDEX_BITS) - 1);
	if (index >= tree.table_used || !tree.table[index] || tree.table_generation[index] != (uint32_t)(id >> INDEX_BITS))
		return NULL;
	return tree.table[index];
}

struct node *tree_create_root(void)
{
	int error;
	tree.root = node_create(S_IFDIR | 0755, &error);
	if (tree.root) {
		tree.root->links = 2;
		node_get(tree.root);
	}
	return tree.root;
}

/* -- entries of a directory */

static uint32_t name_hash(const char *name, size_t length)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)name[i]) * 16777619u;
	return hash;
}

struct entry **entry_place(const struct directory *directory, const char *name, size_t length)
{
	if (!directory->buckets)
		return NULL;
	uint32_t hash = name_hash(name, length);
	struct entry **place = &directory->bucket[hash & (directory->buckets - 1)];
	for (; *place; place = &(*place)->next)
		if ((*place)->hash == hash && (*place)->length == length && !memcmp((*place)->name, name, length))
			return place;
	return NULL;
}

/* Index of the first place whose cookie is above after */
static size_t order_index(const struct directory *directory, uint64_t after)
{
	size_t low = 0, high = directory->order_used;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (directory->order_cookie[middle] > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

bool entries_reserve(struct directory *directory)
{
	if (directory->order_used == directory->order_room) {
		if (directory->order_room && directory->count < directory->order_room / 2) { /* close the holes instead */
			size_t used = 0;
			for (size_t i = 0; i < directory->order_used; i++)
				if (directory->order[i]) {
					directory->order[used] = directory->order[i];
					directory->order_cookie[used++] = directory->order_cookie[i];
				}
			directory->order_used = used;
		} else {
			size_t room = directory->order_room ? directory->order_room * 2 : 8;
			struct entry **order = realloc(directory->order, room * sizeof *order);
			if (!order)
				return false;
			directory->order = order;
			uint64_t *cookies = realloc(directory->order_cookie, room * sizeof *cookies);
			if (!cookies)
				return false;
			directory->order_cookie = cookies;
			directory->order_room = room;
		}
	}
	if (directory->count >= directory->buckets) {
		size_t buckets = directory->buckets ? directory->buckets * 2 : 8;
		struct entry **bucket = calloc(buckets, sizeof *bucket);
		if (!bucket)
			return directory->buckets != 0; /* longer chains will do */
		for (size_t i = 0; i < directory->order_used; i++) {
			struct entry *entry = directory->order[i];
			if (entry) {
				entry->next = bucket[entry->hash & (buckets - 1)];
				bucket[entry->hash & (buckets - 1)] = entry;
			}
		}
		free(directory->bucket);
		directory->bucket = bucket;
		directory->buckets = buckets;
	}
	return true;
}

struct entry *entry_create(const char *name, size_t length)
{
	struct entry *entry = malloc(sizeof *entry + length);
	if (!entry)
		return NULL;
	memset(entry, 0, sizeof *entry);
	entry->hash = name_hash(name, length);
	entry->length = (uint16_t)length;
	memcpy(entry->name, name, length);
	return entry;
}

void entry_place_in(struct directory *directory, struct entry *entry, struct node *node)
{
	entry->node = node;
	entry->parent = node_of_directory(directory);
	node->home = node_id(entry->parent);
	directory->order[directory->order_used] = entry;
	directory->order_cookie[directory->order_used++] = entry->cookie;
	struct entry **chain = &directory->bucket[entry->hash & (directory->buckets - 1)];
	entry->next = *chain;
	*chain = entry;
	directory->count++;
}

/* A new entry with a record, in no directory yet. NULL: no memory, or no record. */
static struct entry *entry_new(const char *name, size_t length)
{
	static const enum store_kind kinds[] = { STORE_NAME_SHORT, STORE_NAME, STORE_NAME_LONG };
	struct entry *entry = entry_create(name, length);
	for (unsigned i = 0; entry && i < sizeof kinds / sizeof *kinds; i++)
		if (length <= store_record_size(kinds[i]) - 5 * sizeof(uint64_t) && stored_take(&entry->stored, kinds[i]))
			return entry;
	free(entry);
	return NULL;
}

static void entry_discard(struct entry *entry)
{
	if (entry)
		stored_gone(&entry->stored);
	free(entry);
}

static void entry_insert(struct directory *directory, struct entry *entry, struct node *node)
{
	entry->cookie = directory->next_cookie++;
	entry_place_in(directory, entry, node);
}

static void entry_set_node(struct entry *entry, struct node *node)
{
	entry->node = node;
	stored_changed(&entry->stored);
}

static void entry_remove(struct directory *directory, struct entry **place)
{
	struct entry *entry = *place;
	*place = entry->next;
	directory->order[order_index(directory, entry->cookie - 1)] = NULL;
	directory->count--;
	while (directory->order_used && !directory->order[directory->order_used - 1])
		directory->order_used--;
	entry_discard(entry);
}

int tree_lookup(const struct node *directory, const char *name, size_t length, struct node **child)
{
	struct entry **place = entry_place(&directory->content.directory, name, length);
	if (!place)
		return -ENOENT;
	*child = (*place)->node;
	return 0;
}

const struct entry *tree_next_entry(const struct node *node, uint64_t after)
{
	const struct directory *directory = &node->content.directory;
	for (size_t i = order_index(directory, after); i < directory->order_used; i++)
		if (directory->order[i])
			return directory->order[i];
	return NULL;
}

/* -- paths */

static const struct entry *entry_of(const struct node *directory, const struct node *node)
{
	for (size_t i = 0; directory && S_ISDIR(directory->mode) && i < directory->content.directory.order_used; i++)
		if (directory->content.directory.order[i] && directory->content.directory.order[i]->node == node)
			return directory->content.directory.order[i];
	return NULL;
}

/* The directory that holds a name of the node, and that name */
static const struct node *named_in(const struct node *node, const struct entry **entry)
{
	const struct node *directory = S_ISDIR(node->mode) ? node->content.directory.parent : node_find(node->home);
	*entry = entry_of(directory, node);
	for (size_t i = 0; !*entry && !S_ISDIR(node->mode) && i < tree.table_used; i++) {
		directory = tree.table[i];
		*entry = entry_of(directory, node);
	}
	return *entry ? directory : NULL;
}

int64_t tree_path(const struct node *node, char *buffer, size_t size)
{
	size_t used = 0; /* from the end */
	const struct entry *entry;
	while (node != tree.root) {
		node = named_in(node, &entry);
		if (!node)
			return -ENOENT;
		if (used + entry->length + 1 > size)
			return -ENAMETOOLONG;
		used += entry->length + 1u;
		buffer[size - used] = '/';
		memcpy(buffer + size - used + 1, entry->name, entry->length);
	}
	if (!used && size)
		buffer[size - ++used] = '/';
	memmove(buffer, buffer + size - used, used);
	return (int64_t)used;
}

/* -- operations */

static void touch(struct node *directory)
{
	directory->modify_time = directory->change_time = tree_now();
	node_changed(directory);
}

static bool is_removed(const struct node *directory)
{
	return directory->links == 0;
}

int tree_link(struct node *directory, const char *name, size_t length, struct node *node)
{
	if (is_removed(directory))
		return -ENOENT;
	if (node->links >= LINKS_MAX || directory->links >= LINKS_MAX)
		return -EMLINK;
	struct entry *entry = entry_new(name, length);
	if (!entry || !entries_reserve(&directory->content.directory)) {
		entry_discard(entry);
		return -ENOSPC;
	}
	entry_insert(&directory->content.directory, entry, node);
	node->links++;
	if (S_ISDIR(node->mode)) {
		node->content.directory.parent = directory;
		directory->links++;
	}
	touch(directory);
	node->change_time = directory->change_time;
	node_changed(node);
	return 0;
}

static void drop_link(struct node *node)
{
	node->links--;
	node->change_time = tree_now();
	node_changed(node);
	node_check(node);
}

/* An empty directory loses its name and itself. Who still has it open can leave it by "..", so it keeps its parent alive. */
static void drop_directory(struct node *directory, struct node *node)
{
	node_get(directory);
	node->links = 0; /* its record goes on naming its parent */
	directory->links--;
	node_check(node);
}

int tree_unlink(struct node *directory, const char *name, size_t length)
{
	struct entry **place = entry_place(&directory->content.directory, name, length);
	if (!place)
		return -ENOENT;
	struct node *node = (*place)->node;
	if (S_ISDIR(node->mode))
		return -EISDIR;
	entry_remove(&directory->content.directory, place);
	touch(directory);
	drop_link(node);
	return 0;
}

int tree_remove_directory(struct node *directory, const char *name, size_t length)
{
	struct entry **place = entry_place(&directory->content.directory, name, length);
	if (!place)
		return -ENOENT;
	struct node *node = (*place)->node;
	if (!S_ISDIR(node->mode))
		return -ENOTDIR;
	if (node->content.directory.count)
		return -ENOTEMPTY;
	entry_remove(&directory->content.directory, place);
	drop_directory(directory, node);
	touch(directory);
	return 0;
}

/* Whether directory is node or lies below it */
static bool is_below(const struct node *directory, const struct node *node)
{
	for (; directory; directory = directory->content.directory.parent)
		if (directory == node)
			return true;
	return false;
}

static void move_directory(struct node *node, struct node *from, struct node *to)
{
	if (!S_ISDIR(node->mode))
		return;
	from->links--;
	to->links++;
	node->content.directory.parent = to;
	node_changed(node);
}

int tree_rename(struct node *old_directory, const char *old_name, size_t old_length, struct node *new_directory, const char *new_name,
	size_t new_length, uint32_t flags)
{
	if ((flags & ~(RENAME_NO_REPLACE | RENAME_SWAP)) || flags == (RENAME_NO_REPLACE | RENAME_SWAP))
		return -EINVAL;
	struct directory *from = &old_directory->content.directory, *to = &new_directory->content.directory;
	struct entry **old_place = entry_place(from, old_name, old_length);
	if (!old_place)
		return -ENOENT;
	struct entry **new_place = entry_place(to, new_name, new_length);
	struct node *source = (*old_place)->node, *target = new_place ? (*new_place)->node : NULL;

	if (is_removed(new_directory) || (!target && (flags & RENAME_SWAP)))
		return -ENOENT;
	if (target && (flags & RENAME_NO_REPLACE))
		return -EEXIST;
	if (S_ISDIR(source->mode) && is_below(new_directory, source))
		return -EINVAL;
	if (target && S_ISDIR(target->mode) && is_below(old_directory, target))
		return flags & RENAME_SWAP ? -EINVAL : -ENOTEMPTY;
	if (source == target)
		return 0;

	if (flags & RENAME_SWAP) {
		entry_set_node(*old_place, target);
		entry_set_node(*new_place, source);
		move_directory(source, old_directory, new_directory);
		move_directory(target, new_directory, old_directory);
	} else {
		if (target) {
			if (S_ISDIR(source->mode) && !S_ISDIR(target->mode))
				return -ENOTDIR;
			if (!S_ISDIR(source->mode) && S_ISDIR(target->mode))
				return -EISDIR;
			if (S_ISDIR(target->mode) && target->content.directory.count)
				return -ENOTEMPTY;
			entry_set_node(*new_place, source);
		} else {
			struct entry *entry = entry_new(new_name, new_length);
			if (!entry || !entries_reserve(to)) {
				entry_discard(entry);
				return -ENOSPC;
			}
			entry_insert(to, entry, source);
		}
		/* the reservation may have moved the chains, so look again */
		entry_remove(from, entry_place(from, old_name, old_length));
		if (target && S_ISDIR(target->mode))
			drop_directory(new_directory, target);
		else if (target)
			drop_link(target);
		move_directory(source, old_directory, new_directory);
	}
	touch(old_directory);
	touch(new_directory);
	source->change_time = new_directory->change_time;
	node_changed(source);
	return 0;
}
