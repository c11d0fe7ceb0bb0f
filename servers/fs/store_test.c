/*
 * Unit test of the store and of the tree's recovery. A child process changes a tree at random and dies at a random word that it writes to the store; the
 * next child must find the tree as it was before the change or after it, and goes on. Then records are damaged: what stands again must be a sound tree.
 * host-test: servers/fs/tree.c servers/fs/tree_recover.c servers/fs/store.c -Iuser/include
 */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "carillon/boot_names.h"
#include "servers/fs/tree_private.h"

#define LIVES 150
#define TEXT 65536
#define HELD 8 /* nodes that are in use, as by a port */

static struct shared {
	char before[TEXT], after[TEXT]; /* the tree around the change under way */
	uint64_t held[HELD];
	unsigned writes_left, changes, deaths_in_commit, found_before, found_after;
	bool started;
} *shared;
static void *memory;
static unsigned closed; /* handles */

void tree_watches_release(struct node *node) { (void)node; }
void tree_content_release(struct node *node)
{
	if (S_ISREG(node->mode))
		store_handle_close_later(node->content.memobj);
}
uint64_t tree_now(void) { static uint64_t time; return ++time; }
void store_handle_close(handle_t handle) { assert(handle == 7); closed++; }
bool tree_content_is_sound(const struct node *node) { return !S_ISREG(node->mode) || node->content.memobj == 7; }

/* -- the tree as text */

static size_t node_print(char *text, size_t used, const struct node *node, unsigned depth)
{
	used += (size_t)snprintf(text + used, TEXT - used, "%*s%lx %o %u %lu %lu %s\n", (int)depth, "", (unsigned long)node->inode, node->mode, node->links,
		(unsigned long)node->change_time, (unsigned long)node_id(node), S_ISLNK(node->mode) ? node->content.symlink.target : "");
	const struct entry *entry;
	for (uint64_t after = COOKIE_DOT_DOT; S_ISDIR(node->mode) && (entry = tree_next_entry(node, after)); after = entry->cookie) {
		assert(!S_ISDIR(entry->node->mode) || entry->node->content.directory.parent == node);
		struct node *found;
		assert(tree_lookup(node, entry->name, entry->length, &found) == 0 && found == entry->node);
		used += (size_t)snprintf(text + used, TEXT - used, "%*s%.*s %lu:\n", (int)depth, "", (int)entry->length, entry->name, (unsigned long)entry->cookie);
		used = node_print(text, used, entry->node, depth + 1);
	}
	assert(used < TEXT);
	return used;
}

static void tree_print(char *text)
{
	size_t used = node_print(text, 0, tree_root(), 0);
	for (unsigned i = 0; i < HELD; i++) {
		struct node *node = shared->held[i] ? node_find(shared->held[i]) : NULL;
		if (node && node->links == 0)
			used = node_print(text, used, node, 0);
	}
	snprintf(text + used, TEXT - used, "%lu nodes\n", (unsigned long)tree_node_count());
}

/* -- random changes */

static struct node *directories[64];
static unsigned directory_count;

static void directories_find(struct node *node)
{
	if (S_ISDIR(node->mode) && directory_count < 64 && node->links)
		directories[directory_count++] = node;
}

static struct node *directory_any(void)
{
	directory_count = 0;
	tree_each(directories_find);
	return directories[(unsigned)rand() % directory_count];
}

static size_t name_any(char *name)
{
	static const size_t lengths[] = { 1, 3, 24, 25, 88, 89, 200, 255 };
	size_t length = lengths[(unsigned)rand() % 8];
	memset(name, 'a' + rand() % 3, length);
	return length;
}

static void change_create(struct node *directory, const char *name, size_t length)
{
	static const uint32_t modes[] = { S_IFREG | 0644, S_IFDIR | 0755, S_IFLNK | 0777, S_IFIFO | 0600 };
	int error;
	struct node *node = tree_node_count() < 60 ? node_create(modes[(unsigned)rand() % 4], &error) : NULL;
	if (!node)
		return;
	if (S_ISREG(node->mode))
		node->content.memobj = 7;
	if (S_ISLNK(node->mode)) {
		static char target[4000];
		memset(target, 't', sizeof target);
		assert(node_set_target(node, target, rand() % 3 ? 1 + (size_t)rand() % 104 : 105 + (size_t)rand() % 3800) == 0);
	}
	struct node *old;
	if (tree_lookup(directory, name, length, &old) == 0 || tree_link(directory, name, length, node))
		node_discard(node);
}

static void hold_change(void)
{
	unsigned i = (unsigned)rand() % HELD;
	struct node *node = shared->held[i] ? node_find(shared->held[i]) : NULL, *directory = directory_any();
	shared->held[i] = 0;
	if (node)
		node_put(node);
	const struct entry *entry = tree_next_entry(directory, COOKIE_DOT_DOT + (unsigned)rand() % 8);
	if (!entry)
		return;
	node_get(entry->node);
	shared->held[i] = node_id(entry->node);
}

static void change(void)
{
	char name[255], other[255];
	size_t length = name_any(name), other_length = name_any(other);
	struct node *directory = directory_any(), *node;
	switch (rand() % 8) {
	case 0: case 1: case 2:
		change_create(directory, name, length);
		break;
	case 3:
		if (tree_unlink(directory, name, length))
			tree_remove_directory(directory, name, length);
		break;
	case 4: case 5:
		(void)tree_rename(directory, name, length, directory_any(), other, other_length, rand() % 4 ? 0 : RENAME_SWAP);
		break;
	case 6:
		if (tree_lookup(directory, name, length, &node) == 0 && !S_ISDIR(node->mode) && tree_lookup(directory, other, other_length, &(struct node *){ 0 }))
			(void)tree_link(directory, other, other_length, node);
		break;
	default:
		if (tree_lookup(directory, name, length, &node) == 0) {
			node->mode ^= 0111;
			node->change_time = tree_now();
			node_changed(node);
		}
	}
}

/* -- lives */

static void count_write(void)
{
	if (shared->writes_left-- == 0)
		_exit(77);
}

static void tree_open(void)
{
	tree_store_start();
	bool found = store_start(memory);
	assert(found == shared->started);
	if (!found) {
		assert(tree_create_root());
		store_commit();
		shared->started = true;
		tree_print(shared->before);
		strcpy(shared->after, shared->before);
		return;
	}
	struct tree_recovery recovery;
	assert(tree_recover(&recovery));
	assert(recovery.bad_nodes == 0 && recovery.bad_names == 0);
	for (unsigned i = 0; i < HELD; i++)
		if (shared->held[i] && node_find(shared->held[i]))
			node_get(node_find(shared->held[i]));
	store_collect_free();
	tree_recover_end();
	store_commit();
	static char now[TEXT];
	tree_print(now);
	bool before = !strcmp(now, shared->before), after = !strcmp(now, shared->after);
	if (!before && !after)
		printf("found:\n%s\nbefore:\n%s\nafter:\n%s\n", now, shared->before, shared->after);
	assert(before || after);
	shared->found_before += before && !after;
	shared->found_after += after && !before;
}

static void live(unsigned seed)
{
	srand(seed);
	shared->writes_left = ~0u;
	tree_open();
	shared->writes_left = (unsigned)rand() % 4000;
	for (;;) {
		store_write_hook = NULL;
		hold_change(); /* as when a port comes or goes */
		store_commit();
		tree_print(shared->before);
		strcpy(shared->after, shared->before);
		store_write_hook = count_write;
		change();
		tree_print(shared->after);
		store_commit();
		shared->changes++;
	}
}

static int child(void (*body)(unsigned), unsigned seed)
{
	int status;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		body(seed);
		fflush(stdout);
		_exit(0);
	}
	assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Damages some words of records, sometimes with a seal that holds, and sees that a tree stands that can be used. */
static void damage(unsigned seed)
{
	struct tree_recovery recovery;
	srand(seed);
	tree_store_start();
	assert(store_start(memory));
	for (unsigned i = 0; i < 6; i++) {
		enum store_kind kind = (enum store_kind)((unsigned)rand() % (STORE_TARGET_LONG + 1));
		uint32_t used = store_used(kind), index = used ? 1 + (unsigned)rand() % used : 0;
		if (index < used)
			store_record(kind, index)[(unsigned)rand() % 8] ^= 1ull << rand() % 64;
	}
	assert(tree_recover(&recovery));
	store_collect_free();
	tree_recover_end();
	store_commit();
	tree_print(shared->before);
	for (unsigned i = 0; i < 100; i++) {
		change();
		store_commit();
	}
	tree_print(shared->after);
	shared->changes += recovery.bad_nodes + recovery.bad_names;
}

/* The seal is not there for malice; this is: records that check and make no sense. */
static void circle(unsigned seed)
{
	(void)seed;
	tree_store_start();
	assert(!store_start(memory));
	struct node *root = tree_create_root(), *a, *b;
	int error;
	a = node_create(S_IFDIR | 0755, &error);
	b = node_create(S_IFDIR | 0755, &error);
	assert(!tree_link(root, "a", 1, a) && !tree_link(a, "b", 1, b));
	/* a lies in b, and in nothing else */
	struct entry *entry = *entry_place(&root->content.directory, "a", 1);
	entry->parent = b;
	store_commit();
}

static void circle_found(unsigned seed)
{
	struct tree_recovery recovery;
	(void)seed;
	tree_store_start();
	assert(store_start(memory) && tree_recover(&recovery));
	assert(recovery.bad_names == 2);
	store_collect_free();
	tree_recover_end();
	assert(tree_node_count() == 1);
}

int main(void)
{
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memory = mmap(NULL, FS_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(shared != MAP_FAILED && memory != MAP_FAILED);
	for (unsigned i = 0; i < LIVES; i++)
		if (child(live, i + 1) != 77) {
			printf("life %u ends otherwise\n", i);
			return 1;
		}
	printf("%u changes, found as before %u times, as after %u times\n", shared->changes, shared->found_before, shared->found_after);
	if (shared->changes < 1000 || !shared->found_before || !shared->found_after)
		return 1;
	shared->changes = 0;
	memset(shared->held, 0, sizeof shared->held);
	for (unsigned i = 0; i < 40; i++)
		if (child(damage, i + 1) != 0) {
			printf("damage %u kills\n", i);
			return 1;
		}
	printf("%u damaged records dropped\n", shared->changes);
	if (!shared->changes)
		return 1;
	assert(madvise(memory, FS_STATE_SIZE, MADV_REMOVE) == 0);
	return child(circle, 0) || child(circle_found, 0);
}
