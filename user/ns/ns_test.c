/*
 * Host test of user/ns: the library's sources against servers of the file protocol played in this process. The native calls are replaced by
 * functions here (the guard keeps the generated stubs out), so every walk, port and handle is counted.
 * host-test: -Iuser/include
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/message.h"
#include "abi/types.h"

#define GENERATED_STUBS_CALLS_H
static int64_t handle_close(int32_t handle);
static int64_t handle_duplicate(int32_t handle, uint32_t minimum, uint32_t rights, uint32_t options);
static int64_t port_call(int32_t client, struct message *message, uint32_t options);
static int64_t description_call(int32_t description, struct message *message, uint32_t options);
static int64_t description_client(int32_t description);
static int64_t futex_wait(uint64_t address, uint32_t expected, uint64_t deadline, uint32_t bits, uint32_t options)
{
	(void)address, (void)expected, (void)deadline, (void)bits, (void)options;
	abort(); /* one thread: the lock is never waited for */
}
static int64_t futex_wake(uint64_t address, uint32_t count, uint32_t bits, uint32_t options)
{
	(void)address, (void)count, (void)bits, (void)options;
	return 0;
}
static int64_t thread_yield(void) { return 0; }

#include "call.c"
#include "directory.c"
#include "resolve.c"
#include "table.c"

/* -- the fake servers: a node's server is its device; node numbers are qids, and both devices use the same numbers */
enum { DIRECTORY, FILE_NODE, LINK };
struct node { uint64_t device, qid; int type, parent; char name[300]; const char *target; int removed; };
static struct node nodes[64];
static int node_count;
static int port_node[256], port_used[256], port_described[256]; /* index: handle - HANDLE_HIGH, or the number itself for descriptions */
static int messages, passed, failed;
static int hostile;

#define CHECK(condition) do { \
	if (condition) passed++; else { failed++; printf("ns_test.c:%d: %s\n", __LINE__, #condition); } } while (0)

static int node_add(int parent, const char *name, int type, const char *target)
{
	struct node *n = &nodes[node_count];
	n->device = parent < 0 ? (uint64_t)(node_count + 100) : nodes[parent].device;
	n->qid = 1;
	for (int i = 0; i < node_count; i++)
		n->qid += nodes[i].device == n->device;
	n->type = type;
	n->parent = parent < 0 ? node_count : parent;
	snprintf(n->name, sizeof n->name, "%s", name);
	n->target = target;
	return node_count++;
}
static int32_t port_new(int node, int described)
{
	for (int i = described ? 3 : 40; i < 256; i++)
		if (!port_used[i]) {
			port_used[i] = 1;
			port_node[i] = node;
			port_described[i] = described;
			return described ? i : HANDLE_HIGH + i;
		}
	abort();
}
static int ports_open(void)
{
	int count = 0;
	for (int i = 0; i < 256; i++)
		count += port_used[i];
	return count;
}
static int slot(int32_t handle) { return handle >= HANDLE_HIGH ? handle - HANDLE_HIGH : handle; }
static int64_t handle_close(int32_t handle)
{
	if (handle < 0 || slot(handle) > 255 || !port_used[slot(handle)]) {
		CHECK(!"closing a stale handle");
		return -EBADF;
	}
	port_used[slot(handle)] = 0;
	return 0;
}
static int64_t handle_duplicate(int32_t handle, uint32_t minimum, uint32_t rights, uint32_t options)
{
	(void)minimum, (void)rights, (void)options;
	return port_new(port_node[slot(handle)], 0);
}
static int64_t description_client(int32_t description) { return port_new(port_node[description], 0); }

static int child_find(int parent, const char *name, size_t length)
{
	for (int i = 0; i < node_count; i++)
		if (nodes[i].parent == parent && i != parent && !nodes[i].removed && strlen(nodes[i].name) == length && !memcmp(nodes[i].name, name, length))
			return i;
	return -1;
}

/* The server's walk. Returns 0 with *result, or FILE_WALK_STOPPED with the reply filled, or an error; *missing is a last name that is not there. */
static int64_t server_walk(int from, const char *path, size_t length, uint32_t flags, const uint64_t *stop, uint32_t stops,
	struct message *message, int *result, const char **missing, size_t *missing_length)
{
	int at = from;
	size_t i = 0;
	*missing = NULL;
	while (i < length) {
		size_t start, end;
		while (i < length && path[i] == '/')
			i++;
		start = i;
		while (i < length && path[i] != '/')
			i++;
		end = i;
		if (start == end)
			break;
		if (nodes[at].type != DIRECTORY)
			return -ENOTDIR;
		if (end - start > 255)
			return -ENAMETOOLONG;
		if (end - start == 1 && path[start] == '.')
			continue;
		if (end - start == 2 && path[start] == '.' && path[start + 1] == '.') {
			if (nodes[at].parent == at) {
				message->word[1] = FILE_STOP_ROOT;
				message->word[2] = start;
				return FILE_WALK_STOPPED;
			}
			at = nodes[at].parent;
		} else {
			int child = child_find(at, path + start, end - start);
			size_t slash = end;
			while (slash < length && path[slash] == '/')
				slash++;
			if (child < 0) {
				if (slash < length)
					return -ENOENT;
				*missing = path + start;
				*missing_length = end - start;
				*result = at;
				return -ENOENT;
			}
			if (nodes[child].type == LINK && (end < length || !(flags & FILE_NO_FOLLOW))) {
				message->word[1] = FILE_STOP_LINK;
				message->word[2] = start;
				message->receive_size = strlen(nodes[child].target);
				memcpy((void *)message->receive_address, nodes[child].target, message->receive_size);
				return FILE_WALK_STOPPED;
			}
			at = child;
		}
		for (uint32_t s = 0; s < stops; s++)
			if (stop[s] == nodes[at].qid) {
				message->word[1] = FILE_STOP_MOUNT;
				message->word[2] = end;
				message->word[3] = stop[s];
				return FILE_WALK_STOPPED;
			}
	}
	if (length && path[length - 1] == '/' && nodes[at].type != DIRECTORY)
		return -ENOTDIR;
	*result = at;
	return 0;
}

static int64_t server_call(int node, struct message *message)
{
	const uint8_t *range = (const uint8_t *)message->send_address;
	struct file_path header;
	uint64_t stop[FILE_STOPS_MAX];
	uint64_t operation = message->word[0];
	int found = node;
	const char *missing;
	size_t missing_length;

	messages++;
	message->handle_count = 0;
	if (hostile == 1) { /* nonsense stops */
		message->word[0] = FILE_WALK_STOPPED;
		message->word[1] = (uint64_t)(messages % 5);
		message->word[2] = messages % 3 ? 5000 : 0;
		message->word[3] = 77;
		return 0;
	}
	if (operation == FILE_READDIR) {
		uint8_t *out = (uint8_t *)message->receive_address;
		size_t bytes = 0;
		int i = (int)message->word[1];
		for (; i < node_count && bytes + 320 < message->receive_size; i++) {
			if (nodes[i].parent != node || i == node || nodes[i].removed)
				continue;
			struct file_entry entry = { .qid = nodes[i].qid, .cookie = (uint64_t)i + 1, .name_length = (uint16_t)strlen(nodes[i].name) };
			entry.record_length = (uint16_t)((sizeof entry + entry.name_length + 8) & ~7u);
			memcpy(out + bytes, &entry, sizeof entry);
			memcpy(out + bytes + sizeof entry, nodes[i].name, entry.name_length + 1u);
			bytes += entry.record_length;
		}
		message->word[0] = 0;
		message->word[1] = message->receive_size = bytes;
		return 0;
	}
	memcpy(&header, range, sizeof header);
	CHECK(header.stop_count <= FILE_STOPS_MAX);
	CHECK(message->send_size == sizeof header + 8 * header.stop_count + header.path_length + header.second_length);
	memcpy(stop, range + sizeof header, 8 * header.stop_count);
	const char *path = (const char *)range + sizeof header + 8 * header.stop_count;
	size_t room = message->receive_size;
	message->receive_size = 0;
	message->receive_size = 0;
	int64_t result = server_walk(node, path, header.path_length, header.flags, stop, header.stop_count, message, &found, &missing, &missing_length);
	if (operation == FILE_MAKE_DIRECTORY && result == -ENOENT && missing) {
		char name[256];
		memcpy(name, missing, missing_length);
		name[missing_length] = 0;
		node_add(found, name, DIRECTORY, NULL);
		result = 0;
	} else if (operation == FILE_MAKE_DIRECTORY && result == 0) {
		result = -EEXIST;
	} else if (result == 0 && operation == FILE_WALK) {
		message->handle[0] = port_new(found, 0);
		message->handle_count = 1;
		message->word[1] = nodes[found].qid;
		message->word[2] = nodes[found].type == DIRECTORY ? 0040755 : nodes[found].type == LINK ? 0120777 : 0100644;
	} else if (result == 0 && operation == FILE_GETATTR) {
		struct file_attributes a = { .device = nodes[found].device, .qid = nodes[found].qid, .links = !nodes[found].removed };
		CHECK(room >= sizeof a);
		memcpy((void *)message->receive_address, &a, sizeof a);
		message->receive_size = sizeof a;
	}
	message->word[0] = (uint64_t)result;
	return 0;
}
static int64_t port_call(int32_t client, struct message *message, uint32_t options)
{
	(void)options;
	if (client < HANDLE_HIGH || slot(client) > 255 || !port_used[slot(client)])
		return -EBADF;
	return server_call(port_node[slot(client)], message);
}
static int64_t description_call(int32_t description, struct message *message, uint32_t options)
{
	(void)options;
	CHECK(description < 40 && port_used[description] && port_described[description]);
	return server_call(port_node[description], message);
}

/* -- tests */
static struct ns ns;
static struct ns_walk *walk;

/* The node that path leads to from directory, or an error. */
static int64_t lookup(int32_t directory, const char *path, uint32_t flags)
{
	struct message message = { .word = { FILE_GETATTR } };
	int64_t result = ns_walk_begin(&ns, walk, directory, path, strlen(path), flags, 0);
	if (result == 0)
		result = ns_walk_call(walk, &message, 0);
	if (result == 0) {
		struct file_attributes a;
		memcpy(&a, walk->reply, sizeof a);
		result = -1000;
		for (int i = 0; i < node_count; i++)
			if (nodes[i].device == a.device && nodes[i].qid == a.qid)
				result = i;
	}
	ns_walk_end(walk);
	return result;
}
static int64_t change(int32_t directory, const char *path)
{
	uint64_t qid;
	int64_t result = ns_walk_begin(&ns, walk, directory, path, strlen(path), 0, 0);
	if (result == 0)
		result = ns_walk_to_node(walk, &qid, NULL);
	if (result == 0)
		result = ns_set_directory(&ns, walk, qid);
	ns_walk_end(walk);
	return result;
}
static const char *working(void)
{
	static char buffer[4096];
	int64_t result = ns_get_directory(&ns, walk, buffer, sizeof buffer);
	if (result < 0)
		snprintf(buffer, sizeof buffer, "error %d", (int)result);
	else
		CHECK((size_t)result == strlen(buffer));
	return buffer;
}
#define IS(path, node) CHECK(lookup(NS_WORKING_DIRECTORY, path, 0) == (node))
#define WORKING(text) do { const char *w = working(); CHECK(!strcmp(w, text)); if (strcmp(w, text)) printf("  got %s\n", w); } while (0)

int main(void)
{
	walk = malloc(sizeof *walk);
	memset(walk, 0xa5, sizeof *walk);
	/* device 100: the root */
	int root = node_add(-1, "", DIRECTORY, NULL);
	int a = node_add(root, "a", DIRECTORY, NULL);
	int b = node_add(a, "b", DIRECTORY, NULL);
	int f = node_add(b, "f", FILE_NODE, NULL);
	int mnt = node_add(root, "mnt", DIRECTORY, NULL);
	node_add(root, "up", LINK, "a/b");
	node_add(a, "abs", LINK, "/mnt/in");
	node_add(b, "dots", LINK, "../../mnt");
	node_add(root, "loop", LINK, "loop2");
	node_add(root, "loop2", LINK, "/loop");
	int dangling = node_add(root, "dangling", LINK, "nothing");
	int bound = node_add(root, "bound", DIRECTORY, NULL);
	int console = node_add(root, "console", FILE_NODE, NULL);
	/* a second device whose qids collide with the first's */
	int other = node_add(-1, "", DIRECTORY, NULL);
	int in = node_add(other, "in", DIRECTORY, NULL);
	node_add(other, "back", LINK, "../a");
	int deep = node_add(in, "deep", DIRECTORY, NULL);
	for (int i = 0; i < 10; i++) { char name[16]; snprintf(name, sizeof name, "x%d", i); node_add(deep, name, FILE_NODE, NULL); }
	/* a third: one file, the terminal */
	int terminal = node_add(-1, "", FILE_NODE, NULL);

	struct process_record *record = calloc(1, sizeof *record);
	CHECK(ns_start(&ns, record) == 0);
	CHECK(lookup(NS_WORKING_DIRECTORY, "/", 0) == -EBADF);
	CHECK(ns_mount(&ns, walk, "/", port_new(root, 0), "tmpfs", 0, 0) == 0);
	CHECK(ns_mount(&ns, walk, "/mnt", port_new(other, 0), "other", 0, 0) == 0);
	CHECK(ns_mount(&ns, walk, "/console", port_new(terminal, 0), "terminal", 0, 0) == 0);
	int before = ports_open();

	/* one message for the ordinary path */
	messages = 0;
	IS("/a/b/f", f);
	CHECK(messages == 1);
	IS("/", root); IS("//", root); IS("/.", root); IS("/..", root); IS("/../../a", a); IS("a//b/", b); IS("a/./b/../b", b);
	IS("/nothing", -ENOENT); IS("", -ENOENT); IS("/a/b/f/", -ENOTDIR); IS("/a/b/f/x", -ENOTDIR);
	/* links */
	IS("/up/f", f); IS("/up", b); IS("/up/", b); IS("/up/../b/f", f); IS("/loop", -ELOOP); IS("/dangling", -ENOENT);
	CHECK(lookup(NS_WORKING_DIRECTORY, "/dangling", FILE_NO_FOLLOW) == dangling);
	CHECK(lookup(NS_WORKING_DIRECTORY, "/up/", FILE_NO_FOLLOW) == b);
	/* mounts */
	messages = 0;
	IS("/mnt", other);
	CHECK(messages == 2);
	IS("/mnt/", other); IS("/mnt/in/deep", deep); IS("/a/abs/deep", deep); IS("/a/b/dots/in", in);
	IS("/mnt/..", root); IS("/mnt/../a", a); IS("/mnt/in/../../a/b", b); IS("/mnt/back/b", b); IS("/mnt/in/deep/../../../mnt/in", in);
	IS("/console", terminal); IS("/console/", -ENOTDIR); IS("/console/x", -ENOTDIR);
	CHECK(lookup(NS_WORKING_DIRECTORY, "/mnt/in/nothing", 0) == -ENOENT);
	(void)console, (void)mnt;
	CHECK(ports_open() == before);

	/* the working directory, physically */
	WORKING("/");
	CHECK(change(NS_WORKING_DIRECTORY, "up") == 0); WORKING("/a/b"); IS("f", f); IS("..", a); IS("../../mnt/in", in);
	CHECK(change(NS_WORKING_DIRECTORY, "dots/in/./deep/") == 0); WORKING("/mnt/in/deep"); IS("../../../a", a); IS("x3", deep + 4);
	CHECK(change(NS_WORKING_DIRECTORY, "../../back/b") == 0); WORKING("/a/b");
	CHECK(change(NS_WORKING_DIRECTORY, "nothing") == -ENOENT); WORKING("/a/b");
	CHECK(change(NS_WORKING_DIRECTORY, "/mnt") == 0); WORKING("/mnt"); IS("..", root); IS("../a", a); IS(".", other);
	CHECK(change(NS_WORKING_DIRECTORY, "..") == 0); WORKING("/");
	CHECK(ports_open() == before + 1);
	/* renamed and removed under us */
	CHECK(change(NS_WORKING_DIRECTORY, "/a/b") == 0);
	strcpy(nodes[a].name, "renamed");
	WORKING("/renamed/b");
	strcpy(nodes[a].name, "a");
	nodes[b].removed = 1;
	WORKING("error -2");
	nodes[b].removed = 0;
	/* by descriptor: no text, found by climbing; the mount is identified when needed */
	int32_t fd = port_new(deep, 1);
	messages = 0;
	CHECK(lookup(fd, "x1", 0) == deep + 2);
	CHECK(lookup(fd, "..", 0) == in);
	CHECK(lookup(fd, "../../..", 0) == root);
	CHECK(lookup(fd, "../../../a/b/f", 0) == f);
	CHECK(lookup(fd, "/a", 0) == a);
	CHECK(ns_walk_begin(&ns, walk, fd, "", 0, 0, 1) == 0);
	CHECK(ns_walk_identify(walk) == 0 && walk->mount == 1);
	CHECK(ns_set_directory(&ns, walk, nodes[deep].qid) == 0);
	ns_walk_end(walk);
	WORKING("/mnt/in/deep");
	IS("../../..", root);
	CHECK(change(NS_WORKING_DIRECTORY, "..") == 0); WORKING("/mnt/in");
	handle_close(fd);

	/* creation and removal at places that exist */
	struct message make = { .word = { FILE_MAKE_DIRECTORY, 0755 } };
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, "/mnt", 4, FILE_NO_FOLLOW, 0) == 0 && ns_walk_call(walk, &make, 0) == -EEXIST);
	ns_walk_end(walk);
	make.word[0] = FILE_UNLINK, make.word[1] = 1;
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, "/mnt/", 5, FILE_NO_FOLLOW, 0) == 0);
	ns_walk_end(walk);
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, "/mnt", 4, FILE_NO_FOLLOW, 0) == 0 && ns_walk_call(walk, &make, 0) == -EBUSY);
	ns_walk_end(walk);
	make.word[0] = FILE_MAKE_DIRECTORY, make.word[1] = 0755;
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, "/up/new", 7, FILE_NO_FOLLOW, 0) == 0 && ns_walk_call(walk, &make, 0) == 0);
	ns_walk_end(walk);
	IS("/a/b/new", node_count - 1);
	/* the parent alone */
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, "/up/dots/in/name/", 17, FILE_NO_FOLLOW, 0) == 0 && ns_walk_to_parent(walk) == 0);
	CHECK(walk->mount == 1 && !strcmp(walk->path, "name/"));
	ns_walk_end(walk);

	/* a bound directory: ".." ends at its root, wherever one comes from */
	CHECK(ns_mount(&ns, walk, "/bound", port_new(in, 0), "bind", 1, 0) == 0);
	IS("/bound", in); IS("/bound/deep/x0", deep + 1); IS("/bound/..", root); IS("/bound/deep/../../a", a); IS("/bound/deep/..", in);
	CHECK(change(NS_WORKING_DIRECTORY, "/bound/deep") == 0); WORKING("/bound/deep"); IS("..", in); IS("../..", root); IS("../../a/b", b);
	IS("../deep/../../mnt/in/..", other);
	(void)bound;

	/* through a record */
	ns_record_write(&ns, record);
	static struct ns second;
	CHECK(ns_start(&second, record) == 0 && second.mount_count == 4 && !strcmp(second.directory_path, "/bound/deep"));
	record->mount[2].parent = 9;
	CHECK(ns_start(&second, record) == -EINVAL);
	record->mount[2].parent = 0;
	record->mount_count = 1000;
	CHECK(ns_start(&second, record) == -EINVAL);

	/* replace, unmount */
	CHECK(ns_unmount(&ns, walk, "/bound") == -EBUSY);
	CHECK(change(NS_WORKING_DIRECTORY, "/") == 0);
	CHECK(ns_unmount(&ns, walk, "/bound") == 0); IS("/bound", bound);
	CHECK(ns_unmount(&ns, walk, "/a") == -EINVAL && ns_unmount(&ns, walk, "/") == -EBUSY);
	CHECK(ns_mount(&ns, walk, "/mnt", port_new(in, 0), "other", 1, 1) == 0); IS("/mnt/deep", deep);
	CHECK(ns_mount(&ns, walk, "/mnt", port_new(root, 0), "again", 0, 0) == 0); IS("/mnt", root); IS("/mnt/a/b/f", f); 

	/* limits */
	char *text = malloc(FILE_PATH_MAX + 10);
	memset(text, 'n', FILE_PATH_MAX + 9);
	text[0] = '/';
	CHECK(ns_walk_begin(&ns, walk, NS_WORKING_DIRECTORY, text, FILE_PATH_MAX, 0, 0) == -ENAMETOOLONG);
	ns_walk_end(walk);
	text[300] = 0;
	IS(text, -ENAMETOOLONG);
	for (int i = 0; i < 4095; i++)
		text[i] = i % 2 ? '.' : '/';
	text[4095] = 0;
	IS(text, root);
	for (int i = 0; i + 3 <= 4095; i += 3)
		memcpy(text + i, "/..", 3);
	IS(text, root);

	/* servers that lie */
	hostile = 1;
	for (int i = 0; i < 50; i++) {
		int64_t result = lookup(NS_WORKING_DIRECTORY, i % 2 ? "/a/b" : "/mnt/in/x", 0);
		CHECK(result < 0);
	}
	hostile = 0;
	free(text);
	free(record);
	free(walk);
	printf("ns: %d passed, %d failed\n", passed, failed);
	return failed != 0;
}
