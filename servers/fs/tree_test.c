/*
 * Unit test of the tree: names, links, rename's rules, cookies, and the walk over it.
 * host-test: servers/fs/tree.c servers/fs/tree_recover.c servers/fs/store.c user/files/walk.c user/files/entries.c -Iuser/include
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include "carillon/boot_names.h"
#include "user/files/walk.h"
#include "servers/fs/tree.h"

static unsigned released;
void tree_watches_release(struct node *node) { (void)node; }
void tree_content_release(struct node *node) { (void)node; released++; }
void store_handle_close(handle_t handle) { (void)handle; }
bool tree_content_is_sound(const struct node *node) { (void)node; return true; }
uint64_t tree_now(void) { static uint64_t time; return ++time; }

static struct node *make(struct node *directory, const char *name, uint32_t mode)
{
	int error;
	struct node *node = node_create(mode, &error);
	assert(node);
	assert(tree_link(directory, name, strlen(name), node) == 0);
	return node;
}

static struct node *find(struct node *directory, const char *name)
{
	struct node *node;
	return tree_lookup(directory, name, strlen(name), &node) ? NULL : node;
}

static int rename_to(struct node *from, const char *old, struct node *to, const char *new, uint32_t flags)
{
	return tree_rename(from, old, strlen(old), to, new, strlen(new), flags);
}

static int lookup(void *c, uint64_t d, const char *n, size_t l, uint64_t *child)
{
	(void)c;
	struct node *node;
	int error = tree_lookup((struct node *)d, n, l, &node);
	if (!error)
		*child = (uint64_t)node;
	return error;
}
static uint64_t parent(void *c, uint64_t d) { (void)c; return (uint64_t)((struct node *)d)->content.directory.parent; }
static uint32_t mode(void *c, uint64_t n) { (void)c; return ((struct node *)n)->mode; }
static uint64_t qid(void *c, uint64_t n) { (void)c; return ((struct node *)n)->inode; }
static const struct walk_operations operations = { lookup, parent, mode, qid };

static struct walk_result place;
static int walk(struct node *start, const char *path, enum walk_intent intent, uint64_t stop)
{
	struct file_path_request request = { .stops = (unsigned char *)&stop, .stop_count = stop != 0 };
	return file_walk(&operations, NULL, (uint64_t)tree_root(), (uint64_t)start, path, strlen(path), &request, intent, &place);
}

static void test_links(struct node *root)
{
	uint64_t nodes = tree_node_count();
	struct node *a = make(root, "a", S_IFDIR | 0755), *f = make(a, "f", S_IFREG | 0644);
	assert(root->links == 3 && a->links == 2 && f->links == 1);
	assert(tree_link(root, "g", 1, f) == 0 && f->links == 2);
	assert(tree_remove_directory(root, "a", 1) == -ENOTEMPTY && tree_unlink(root, "a", 1) == -EISDIR);
	assert(tree_remove_directory(root, "g", 1) == -ENOTDIR && tree_unlink(root, "x", 1) == -ENOENT);
	uint64_t id = node_id(f);
	node_get(f); /* an open file */
	assert(tree_unlink(root, "g", 1) == 0 && tree_unlink(a, "f", 1) == 0 && f->links == 0);
	assert(node_find(id) == f && released == 0);
	node_put(f);
	assert(!node_find(id) && released == 1);
	node_get(a); /* a working directory that is removed */
	assert(tree_remove_directory(root, "a", 1) == 0 && root->links == 2);
	struct node *lost = NULL;
	int error;
	lost = node_create(S_IFREG, &error);
	assert(tree_link(a, "x", 1, lost) == -ENOENT);
	node_discard(lost);
	assert(walk(a, "..", WALK_FOLLOW, 0) == 0 && walk(a, ".", WALK_FOLLOW, 0) == 0);
	node_put(a);
	assert(tree_node_count() == nodes);
}

static void test_rename(struct node *root)
{
	struct node *a = make(root, "a", S_IFDIR), *b = make(a, "b", S_IFDIR), *f = make(root, "f", S_IFREG), *g = make(root, "g", S_IFREG);
	assert(rename_to(root, "a", b, "c", 0) == -EINVAL && rename_to(root, "a", a, "c", 0) == -EINVAL);
	assert(rename_to(a, "b", root, "a", 0) == -ENOTEMPTY);
	assert(rename_to(root, "f", root, "a", 0) == -EISDIR && rename_to(root, "a", root, "f", 0) == -ENOTDIR);
	assert(rename_to(root, "f", root, "g", RENAME_NO_REPLACE) == -EEXIST && rename_to(root, "f", root, "h", RENAME_SWAP) == -ENOENT);
	assert(rename_to(root, "f", root, "g", RENAME_SWAP | RENAME_NO_REPLACE) == -EINVAL);
	assert(rename_to(root, "f", root, "g", RENAME_SWAP) == 0 && find(root, "f") == g && find(root, "g") == f);
	unsigned before = released;
	assert(rename_to(root, "g", root, "f", 0) == 0 && find(root, "f") == f && !find(root, "g") && released == before + 1);
	assert(rename_to(root, "f", root, "f", 0) == 0 && find(root, "f") == f);
	assert(tree_link(root, "k", 1, f) == 0 && rename_to(root, "k", root, "f", 0) == 0 && find(root, "k") == f);
	assert(rename_to(a, "b", root, "b", 0) == 0 && b->content.directory.parent == root && a->links == 2 && root->links == 4);
	assert(rename_to(root, "b", root, "a", 0) == 0 && find(root, "a") == b && root->links == 3);
	assert(rename_to(root, "f", b, "f", RENAME_NO_REPLACE) == 0 && find(b, "f") == f);
	assert(rename_to(root, "k", root, "a", RENAME_SWAP) == 0 && find(root, "k") == b && root->links == 3);
	assert(rename_to(b, "f", root, "k", 0) == -ENOTEMPTY && rename_to(b, "f", root, "a", 0) == 0);
	assert(tree_unlink(b, "f", 1) == 0 && tree_unlink(root, "a", 1) == 0 && tree_remove_directory(root, "k", 1) == 0);
	assert(root->links == 2 && root->content.directory.count == 0);
}

/* Names come and go while the directory is read: what stood all the while is seen once */
static void test_cookies(struct node *root)
{
	struct node *d = make(root, "d", S_IFDIR);
	char name[16];
	bool seen[3000] = { 0 };
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof name, "%d", i);
		make(d, name, S_IFREG);
	}
	uint64_t cookie = COOKIE_DOT_DOT;
	const struct entry *entry;
	int next = 1000;
	while ((entry = tree_next_entry(d, cookie))) {
		cookie = entry->cookie;
		int number = atoi(entry->name);
		assert(!seen[number]);
		seen[number] = true;
		if (number % 2 && number < 1000)
			assert(tree_unlink(d, entry->name, entry->length) == 0);
		if (number % 3 == 0 && next < 1300) {
			snprintf(name, sizeof name, "%d", next++);
			make(d, name, S_IFREG);
		}
	}
	for (int i = 0; i < 1000; i++)
		assert(seen[i]);
	for (int i = 0; i < next; i++) {
		snprintf(name, sizeof name, "%d", i);
		assert(tree_unlink(d, name, strlen(name)) == (i % 2 && i < 1000 ? -ENOENT : 0));
	}
	assert(!tree_next_entry(d, 0) && tree_remove_directory(root, "d", 1) == 0);
}

static void test_walk(struct node *root)
{
	struct node *a = make(root, "a", S_IFDIR), *b = make(a, "b", S_IFDIR), *f = make(b, "f", S_IFREG), *l = make(a, "l", S_IFLNK);
	char longer[300];
	assert(walk(root, "a/b/f", WALK_FOLLOW, 0) == 0 && place.node == (uint64_t)f && place.parent == (uint64_t)b && place.name_length == 1);
	assert(walk(root, "", WALK_FOLLOW, 0) == 0 && place.node == (uint64_t)root && place.last == WALK_LAST_NONE);
	assert(walk(f, "", WALK_FOLLOW, 0) == 0 && walk(f, "x", WALK_FOLLOW, 0) == -ENOTDIR && walk(f, ".", WALK_FOLLOW, 0) == -ENOTDIR);
	assert(walk(root, "//a///b/../b/./", WALK_FOLLOW, 0) == 0 && place.node == (uint64_t)b && place.last == WALK_LAST_DOT);
	assert(walk(root, "a/b/f/", WALK_FOLLOW, 0) == -ENOTDIR && walk(root, "a/x/y", WALK_CREATE, 0) == -ENOENT);
	assert(walk(root, "a/x", WALK_FOLLOW, 0) == -ENOENT && walk(root, "a/x/", WALK_CREATE, 0) == 0 && !place.node && place.trailing_slash);
	assert(walk(b, "../../../x", WALK_FOLLOW, 0) == FILE_WALK_STOPPED && place.stop == FILE_STOP_ROOT && place.consumed == 6);
	assert(walk(root, "a/l", WALK_FOLLOW, 0) == FILE_WALK_STOPPED && place.stop == FILE_STOP_LINK && place.consumed == 2 && place.link == (uint64_t)l);
	assert(walk(root, "a/l", WALK_NO_FOLLOW, 0) == 0 && place.node == (uint64_t)l && walk(root, "a/l", WALK_REMOVE, 0) == 0);
	assert(walk(root, "a/l/", WALK_NO_FOLLOW, 0) == FILE_WALK_STOPPED && walk(root, "a/l/x", WALK_REMOVE, 0) == FILE_WALK_STOPPED);
	assert(walk(root, "a/l/", WALK_REMOVE, 0) == -ENOTDIR && walk(root, "a/l", WALK_CREATE_FOLLOW, 0) == FILE_WALK_STOPPED);
	assert(walk(root, "a/b/f", WALK_FOLLOW, b->inode) == FILE_WALK_STOPPED && place.stop == FILE_STOP_MOUNT && place.consumed == 3 &&
		place.stop_qid == b->inode);
	assert(walk(root, "a/b", WALK_REMOVE, b->inode) == 0 && place.covered);
	memset(longer, 'n', 256);
	longer[256] = 0;
	assert(walk(root, longer, WALK_CREATE, 0) == -ENAMETOOLONG);
	longer[255] = 0;
	assert(walk(root, longer, WALK_CREATE, 0) == 0);

	struct file_path_request request;
	struct { struct file_path head; char text[16]; } range = { { 3, 2, 0, 0 }, "abcde" };
	assert(file_path_parse(&range, sizeof range.head + 5, &request) == 0 && request.second_length == 2 && request.second[0] == 'd');
	assert(file_path_parse(&range, sizeof range.head + 4, &request) == -EINVAL && file_path_parse(&range, 3, &request) == -EINVAL);
	range.text[1] = 0;
	assert(file_path_parse(&range, sizeof range.head + 5, &request) == -EINVAL);
	range.head = (struct file_path){ 0xffffffff, 0xffffffff, 64, 0 };
	assert(file_path_parse(&range, sizeof range, &request) < 0);
}

int main(void)
{
	void *memory = mmap(NULL, FS_STATE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert(memory != MAP_FAILED);
	tree_store_start();
	assert(!store_start(memory));
	tree_limit(5000);
	struct node *root = tree_create_root();
	assert(root && tree_node_count() == 1);
	test_links(root);
	test_rename(root);
	test_cookies(root);
	assert(tree_node_count() == 1);
	test_walk(root);
	int error;
	tree_limit(tree_node_count());
	assert(!node_create(S_IFREG, &error) && error == -ENOSPC);
	puts("ok");
	return 0;
}
