/* Places to lock without a file; place.h has the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include "abi/description.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "lock.h"
#include "place.h"
#include "request.h"

enum place_kind { PLACE_CONTENT, PLACE_DESCRIPTION, PLACE_ANONYMOUS, PLACE_FILE };

struct place {
	struct place *next;
	enum place_kind kind;
	uint64_t key[2];
	struct node *node;
	uint32_t opens;
};

static struct place *places;

/* Has the description's object a server that can tell its file? */
static bool has_server(handle_t description)
{
	int64_t port = description_client(description);
	if (port >= 0)
		handle_close((handle_t)port);
	return port >= 0;
}

/* What the description is a description of, as Linux's inodes would have it. */
static struct place place_of(handle_t description, const struct description_info *info, const uint64_t file[2])
{
	switch (info->kind) {
	case DESCRIPTION_EVENT:
	case DESCRIPTION_TIMER:
	case DESCRIPTION_LIBRARY: /* all of these share one inode there */
		return (struct place){ .kind = PLACE_ANONYMOUS };
	case DESCRIPTION_LINK:
		return (struct place){ .kind = PLACE_DESCRIPTION, .key = { info->identity } };
	default:
		if (info->content && !has_server(description))
			return (struct place){ .kind = PLACE_CONTENT, .key = { info->content } };
		if (FILE_COOKIE_KIND(info->cookie) == FILE_KIND_WATCH)
			return (struct place){ .kind = PLACE_ANONYMOUS };
		return (struct place){ .kind = PLACE_FILE, .key = { file[0], file[1] } };
	}
}

static struct place *place_find(const struct place *wanted)
{
	struct place *place = places;
	while (place && (place->kind != wanted->kind || place->key[0] != wanted->key[0] || place->key[1] != wanted->key[1]))
		place = place->next;
	return place;
}

static struct place *place_create(const struct place *wanted)
{
	int error;
	struct place *place = malloc(sizeof *place);
	struct node *node = place ? node_create(0, &error) : NULL;
	if (!node) {
		free(place);
		return NULL;
	}
	/* what a successor knows it by: a node without type has no use for times */
	node->special_device = wanted->kind;
	node->access_time = wanted->key[0];
	node->modify_time = wanted->key[1];
	*place = *wanted;
	place->node = node;
	place->next = places;
	places = place;
	return place;
}

static void place_forget(struct place *place)
{
	struct place **at = &places;
	while (*at != place)
		at = &(*at)->next;
	*at = place->next;
	free(place);
}

/* One more open object of the place, and its port in the reply. */
static int64_t place_open(struct server_request *request, struct place *place, uint32_t rights)
{
	uint32_t access = !(rights & RIGHT_WRITE) ? O_RDONLY : rights & RIGHT_READ ? O_RDWR : O_WRONLY;
	uint64_t id = opened_create(place->node, access, request->badge);
	if (!id)
		return -ENOLCK;
	opened_find(id)->place = true;
	place->opens++;
	int64_t port = client_create(fs_listener, WORD(WORD_OPEN, id));
	if (port < 0) {
		opened_close(id);
		return -ENOLCK;
	}
	server_reply_handle(request, (handle_t)port, true);
	return 0;
}

int64_t place_request(struct server_request *request)
{
	struct description_info info;
	if (request->handle_count < 1 || description_get(request->handle[0], &info) < 0)
		return -EBADF;
	struct place wanted = place_of(request->handle[0], &info, request->word + 1), *place = place_find(&wanted);
	if (request->word[3]) {
		if (place)
			lock_release_node(place->node, request->badge);
		return 0;
	}
	bool fresh = !place;
	if (fresh)
		place = place_create(&wanted);
	if (!place)
		return -ENOLCK;
	struct node *node = place->node;
	int64_t error = place_open(request, place, info.rights);
	if (error && fresh && place_find(&wanted)) { /* no open object was made: nothing else holds the node */
		place_forget(place);
		node_discard(node);
	}
	return error;
}

void place_closed(struct node *node)
{
	struct place *place = places;
	while (place->node != node)
		place = place->next;
	if (--place->opens == 0)
		place_forget(place);
}

void place_recover(struct node *node)
{
	if (node->mode || !node->references)
		return;
	struct place *place = malloc(sizeof *place);
	if (!place)
		abort();
	*place = (struct place){ .next = places, .kind = (enum place_kind)node->special_device, .key = { node->access_time, node->modify_time }, .node = node,
		.opens = node->references };
	places = place;
}
