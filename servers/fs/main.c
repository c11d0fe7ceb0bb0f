/*
 * The root file system server: fills the tree from the boot archive, adds /dev and the directories every run has, then serves; or, started in place
 * of one that died, goes on with what that one left (recover.h).
 * Record names: see boot_names.h. It needs no other server, so it starts first.
 */
#include <string.h>
#include <sys/stat.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/limits.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "archive.h"
#include "channel.h"
#include "content.h"
#include "fifo.h"
#include "lock.h"
#include "opened.h"
#include "recover.h"
#include "request.h"
#include "watch.h"

/* The directory path (one component below the root or below parent), made if missing */
static struct node *directory_make(struct node *parent, const char *name, uint32_t mode)
{
	struct node *node;
	int error;
	if (tree_lookup(parent, name, strlen(name), &node) == 0) {
		if (S_ISDIR(node->mode))
			node->mode = S_IFDIR | mode;
		return node;
	}
	node = node_create(S_IFDIR | mode, &error);
	if (!node || tree_link(parent, name, strlen(name), node))
		server_fail("cannot make directory %s", name);
	return node;
}

static void place(struct node *parent, const char *name, struct node *node)
{
	struct node *old;
	if (tree_lookup(parent, name, strlen(name), &old) == 0) { /* the archive has one of its own */
		if (node)
			node_discard(node);
		return;
	}
	if (!node || tree_link(parent, name, strlen(name), node))
		server_fail("cannot make %s", name);
}

static void make_devices(struct node *directory)
{
	static const struct { const char *name; enum fs_device device; uint32_t minor; } devices[] = {
		{ "null", FS_DEVICE_NULL, 3 }, { "zero", FS_DEVICE_ZERO, 5 }, { "full", FS_DEVICE_FULL, 7 },
		{ "random", FS_DEVICE_RANDOM, 8 }, { "urandom", FS_DEVICE_RANDOM, 9 },
	};
	static const struct { const char *name, *target; } links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
	};
	int error;
	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		place(directory, devices[i].name, content_create_device(0666, devices[i].device, 1u << 8 | devices[i].minor, &error));
	for (size_t i = 0; i < sizeof links / sizeof *links; i++)
		place(directory, links[i].name, content_create_link(links[i].target, strlen(links[i].target), &error));
	directory_make(directory, "shm", 01777);
}

static void tree_fill(handle_t archive, uint64_t size)
{
	struct node *root = tree_create_root();
	if (!root)
		server_fail("no memory for the root directory");
	if (archive != HANDLE_NONE) {
		int error = archive_load(archive, size);
		if (error)
			server_log("the boot archive is damaged or too large: error %d", -error);
	}
	make_devices(directory_make(root, "dev", 0755));
	directory_make(root, "proc", 0555);
	directory_make(root, "tmp", 01777);
	channel_set_directory(directory_make(root, "chan", 01777));
	store_set_word(STORE_FILLED, 1);
	store_commit();
}

/* True: with what a predecessor left */
static bool state_open(void)
{
	fs_state = record_handle_required(BOOT_NAME_STATE);
	struct map_request map = { .length = FS_STATE_SIZE, .memobj = fs_state, .protection = PROTECT_READ | PROTECT_WRITE, .low = 0x100000000ul,
		.high = VALUE_SPACE_START };
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		server_fail("cannot map the state: error %d", (int)-address);
	tree_store_start();
	lock_start();
	fifo_start();
	watch_start();
	return store_start((void *)address);
}

int main(void)
{
	fs_listener = record_handle_required(BOOT_NAME_LISTENER);
	content_device_number = record_value(BOOT_NAME_DEVICE, 1);
	content_limit = record_handle(BOOT_NAME_PAGES);
	for (uint32_t limit = 1u << 24; limit > 1024 && handle_limit(limit) < 0;) /* every regular file is a handle: as many as there may be */
		limit /= 2;

	bool found = state_open();
	content_start();
	if (!found || !recover())
		tree_fill(record_handle(BOOT_NAME_ARCHIVE), record_value(BOOT_NAME_ARCHIVE_SIZE, 0));
	/* what the archive brings is there anyway; then as many files as Linux would allow, as long as there is memory for their names */
	uint64_t pages = record_value(BOOT_NAME_PAGES, 0);
	tree_limit(pages ? tree_node_count() + pages : 1u << 20);
	store_limit(record_value(BOOT_NAME_MEMORY, 0));
	opened_limit(open_files_limit());

	static const struct server_port_operations operations = { .request = fs_request, .closed = fs_closed, .interrupted = fs_interrupted };
	int error = server_add_listener(fs_listener, &operations, NULL);
	if (error < 0)
		server_fail("cannot serve: error %d", -error);
	server_log_verbose("%u nodes", (unsigned)tree_node_count());
	server_run();
}
