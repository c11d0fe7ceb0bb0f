/* Recovery; recover.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"
#include "channel.h"
#include "fifo.h"
#include "lock.h"
#include "opened.h"
#include "place.h"
#include "recover.h"
#include "request.h"
#include "watch.h"

static uint64_t *ports; /* data words of the client ports that live, sorted */
static size_t port_count;
static handle_t *kept;
static size_t kept_count, kept_room;

static int by_value(const void *a, const void *b)
{
	uint64_t first = *(const uint64_t *)a, second = *(const uint64_t *)b;
	return first < second ? -1 : first > second;
}

static void ports_list(void)
{
	int64_t count = listener_clients(fs_listener, 0, NULL, 0);
	if (count < 0)
		server_fail("cannot list ports: error %d", (int)-count);
	ports = calloc((size_t)count + 1, sizeof *ports);
	/* init makes ports too, so there may be more by now; those are not of what is recovered here */
	int64_t now = ports ? listener_clients(fs_listener, 0, ports, (uint64_t)count * sizeof *ports) : -1;
	if (now < 0)
		server_fail("cannot list ports: error %d", (int)-now);
	port_count = (size_t)(now < count ? now : count);
	qsort(ports, port_count, sizeof *ports, by_value);
}

bool recover_port_lives(uint64_t word)
{
	return bsearch(&word, ports, port_count, sizeof *ports, by_value);
}

void recover_keep(handle_t handle)
{
	if (kept_count == kept_room) {
		kept_room = kept_room ? kept_room * 2 : 256;
		kept = realloc(kept, kept_room * sizeof *kept);
		if (!kept)
			server_fail("no memory to recover");
	}
	kept[kept_count++] = handle;
}

static void content_keep(struct node *node)
{
	if (!node->is_device && (node->forward || S_ISREG(node->mode) || S_ISSOCK(node->mode)) && node->content.memobj != HANDLE_NONE)
		recover_keep(node->content.memobj);
	if (node->channel) {
		recover_keep(node->content.channel.sender);
		recover_keep(node->content.channel.receiver);
	}
}

/* References of node ports, and who has told that its locks end with it */
static void ports_count(void)
{
	for (size_t i = 0; i < port_count; i++) {
		struct node *node = WORD_TYPE(ports[i]) == WORD_NODE || WORD_TYPE(ports[i]) == WORD_CHANNEL ? node_find(WORD_ID(ports[i])) : NULL;
		if (node)
			node_get(node);
		if (WORD_TYPE(ports[i]) == WORD_OWNER)
			lock_owner_recover(WORD_ID(ports[i]));
	}
}

bool recover(void)
{
	struct tree_recovery found;
	bool filled = store_word(STORE_FILLED);
	if (!filled)
		tree_forget();
	if (!filled || !tree_recover(&found)) {
		if (filled)
			server_log("the state of the one before is of no use: all but the archive is lost");
		store_collect_free();
		server_sweep(NULL, 0);
		return false;
	}
	ports_list();
	opened_recover();
	tree_each(place_recover);
	ports_count();
	fifo_recover();
	watch_recover();
	lock_recover();
	store_collect_free();
	tree_each(content_keep);
	server_sweep(kept, kept_count);
	tree_each(fifo_recover_end);
	struct node *channels;
	if (!tree_lookup(tree_root(), "chan", 4, &channels))
		channel_set_directory(channels);
	tree_each(channel_recover);
	tree_recover_end();
	store_commit();
	if (found.bad_nodes || found.bad_names)
		server_log("the state of the one before was damaged: %u files and %u names are lost", found.bad_nodes, found.bad_names);
	server_log_verbose("goes on with %u files, %u names, %u ports", found.nodes, found.names, (unsigned)port_count);
	free(ports);
	free(kept);
	ports = NULL;
	kept = NULL;
	port_count = kept_count = kept_room = 0;
	return true;
}
