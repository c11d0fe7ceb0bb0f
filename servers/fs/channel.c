/* Published channels; channel.h has the rules. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "channel.h"
#include "recover.h"
#include "request.h"
#include "watch.h"

#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)

static uint64_t directory_id;

bool channel_directory(const struct node *node)
{
	return directory_id && node_id(node) == directory_id;
}

void channel_set_directory(struct node *node)
{
	directory_id = node_id(node);
}

size_t channel_name_length(const char *name, size_t length)
{
	const char *comma = memchr(name, ',', length);
	return comma ? (size_t)(comma - name) : length;
}

/* -- options */

#define PATIENCE_MOST 1000000000ul
struct options { uint64_t type, capacity, patience; bool has_capacity; };

/* A number that fills the text. False: it is none. */
static bool number_parse(const char *text, size_t length, unsigned base, uint64_t *number)
{
	*number = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = text[i] >= '0' && text[i] <= '9' ? (unsigned)(text[i] - '0') : text[i] >= 'a' && text[i] <= 'f' ? (unsigned)(text[i] - 'a') + 10 : 99;
		if (digit >= base || *number > (UINT64_MAX - digit) / base)
			return false;
		*number = *number * base + digit;
	}
	return length > 0;
}

static int options_parse(const char *text, size_t length, struct options *options)
{
	size_t at = channel_name_length(text, length);
	*options = (struct options){ .capacity = CHANNEL_CAPACITY };
	while (at < length) {
		const char *option = text + at + 1;
		size_t size = channel_name_length(option, length - at - 1);
		bool good = false;
		if (size > 5 && !memcmp(option, "type=", 5))
			good = number_parse(option + 5, size - 5, 16, &options->type) && options->type;
		else if (size > 9 && !memcmp(option, "capacity=", 9))
			good = options->has_capacity = number_parse(option + 9, size - 9, 10, &options->capacity);
		else if (size > 9 && !memcmp(option, "patience=", 9))
			good = number_parse(option + 9, size - 9, 10, &options->patience) && options->patience <= PATIENCE_MOST;
		if (!good)
			return -EINVAL;
		at += 1 + size;
	}
	return 0;
}

/* -- open objects */

static handle_t copy_for(handle_t end, uint32_t right)
{
	int64_t copy = handle_duplicate(end, HANDLE_HIGH, right | RIGHT_TRANSFER, 0);
	return copy < 0 ? HANDLE_NONE : (handle_t)copy;
}

/* FILE_CHANNEL: the ends themselves, and the publisher's port. */
static int64_t reply_ends(struct server_request *request, struct node *node, uint64_t word)
{
	handle_t end[2] = { copy_for(node->content.channel.sender, RIGHT_SEND | RIGHT_DUPLICATE), copy_for(node->content.channel.receiver, RIGHT_RECEIVE | RIGHT_DUPLICATE) };
	bool publishes = WORD_TYPE(word) == WORD_CHANNEL;
	int64_t control = end[0] == HANDLE_NONE || end[1] == HANDLE_NONE ? -ENOMEM : publishes ? client_create(fs_listener, word) : 0;
	if (control < 0) {
		for (unsigned i = 0; i < 2; i++)
			if (end[i] != HANDLE_NONE)
				handle_close(end[i]);
		return control;
	}
	for (unsigned i = 0; i < 2; i++)
		server_reply_handle(request, end[i], true);
	if (publishes) {
		node_get(node);
		server_reply_handle(request, (handle_t)control, true);
	}
	return 0;
}

/* Makes the description of an open object whose control port carries `word`, and puts it into the reply. */
static int64_t reply_flow(struct server_request *request, struct node *node, uint32_t flags, uint64_t word, uint64_t patience)
{
	if (request->word[0] == FILE_CHANNEL)
		return reply_ends(request, node, word);
	uint32_t access = flags & O_ACCMODE;
	bool reads = access != O_WRONLY, writes = access != O_RDONLY;
	int64_t control = client_create(fs_listener, word);
	if (control < 0)
		return control;
	node_get(node); /* the port's; it goes with its close message */
	struct description_request create = {
		.kind = DESCRIPTION_CHANNEL, .flags = flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0, .memobj = HANDLE_NONE, .control = (handle_t)control, .event = HANDLE_NONE,
		.sender = writes ? copy_for(node->content.channel.sender, RIGHT_SEND) : HANDLE_NONE,
		.receiver = reads ? copy_for(node->content.channel.receiver, RIGHT_RECEIVE) : HANDLE_NONE,
		.rights = (reads ? RIGHT_READ : 0) | (writes ? RIGHT_WRITE : 0),
		.cookie = FILE_COOKIE(FILE_KIND_OTHER, flags & ~NOT_KEPT), .limit = patience,
	};
	bool whole = (!reads || create.receiver != HANDLE_NONE) && (!writes || create.sender != HANDLE_NONE);
	int64_t description = whole ? description_create(&create) : -ENOMEM;
	handle_close((handle_t)control);
	if (description < 0) {
		if (create.sender != HANDLE_NONE)
			handle_close(create.sender);
		if (create.receiver != HANDLE_NONE)
			handle_close(create.receiver);
		return description;
	}
	server_reply_handle(request, (handle_t)description, true);
	request->reply_word[1] = node->inode;
	request->reply_word[2] = node->mode;
	request->reply_word[3] = FILE_KIND_OTHER;
	watch_node(node, IN_OPEN);
	return 0;
}

static struct node *channel_make(const struct options *options, uint32_t mode, int *error)
{
	struct channel_ends ends;
	struct node *node = node_create(S_IFIFO | (mode & 0777), error);
	if (!node)
		return NULL;
	*error = (int)channel_create(CHANNEL_PACKET, options->capacity, &ends);
	if (*error) {
		node_discard(node);
		return NULL;
	}
	node->channel = true;
	node->content.channel.sender = ends.sender;
	node->content.channel.receiver = ends.receiver;
	node->content_stamp = options->type;
	node_changed(node);
	return node;
}

int64_t channel_publish(struct server_request *request, struct node *directory, const char *text, size_t length, uint32_t flags, uint32_t mode)
{
	struct options options;
	size_t name_length = channel_name_length(text, length);
	int error = options_parse(text, length, &options);
	if (error || !name_length)
		return error ? error : -EINVAL;
	struct node *node = channel_make(&options, mode, &error);
	if (!node)
		return error;
	error = tree_link(directory, text, name_length, node);
	if (error) {
		node_discard(node);
		return error;
	}
	int64_t result = reply_flow(request, node, flags, WORD(WORD_CHANNEL, node_id(node)), options.patience);
	if (result < 0)
		tree_unlink(directory, text, name_length);
	else
		watch_name(directory, text, name_length, IN_CREATE, false);
	return result;
}

int64_t channel_connect(struct server_request *request, struct node *node, const char *text, size_t length, uint32_t flags)
{
	struct options options;
	int error = options_parse(text, length, &options);
	if (error)
		return error;
	if (options.type && node->content_stamp && options.type != node->content_stamp)
		return -EPROTOTYPE;
	return reply_flow(request, node, flags, WORD(WORD_NODE, node_id(node)), options.patience);
}

/* -- ends */

void channel_withdraw(struct node *node)
{
	(void)channel_close(node->content.channel.sender, 0); /* EALREADY: its publisher died before */
}

/* Takes the name away. It is a publisher's that died, so nobody else's wish is in the way. */
static void name_remove(struct node *node)
{
	struct node *directory = node_find(directory_id);
	const struct entry *entry = NULL;
	for (uint64_t cookie = COOKIE_DOT_DOT; directory && (entry = tree_next_entry(directory, cookie)) && entry->node != node;)
		cookie = entry->cookie;
	if (!directory || !entry)
		return;
	char name[256];
	size_t length = entry->length;
	memcpy(name, entry->name, length);
	tree_unlink(directory, name, length);
	watch_name(directory, name, length, IN_DELETE, false);
}

void channel_publisher_gone(uint64_t id)
{
	struct node *node = node_find(id);
	if (!node)
		return;
	if (node->links) {
		(void)channel_close(node->content.channel.sender, EOWNERDEAD);
		name_remove(node);
	}
	node_put(node);
}

void channel_recover(struct node *node)
{
	if (!node->channel || recover_port_lives(WORD(WORD_CHANNEL, node_id(node))))
		return;
	node_get(node); /* as the port did */
	channel_publisher_gone(node_id(node));
}
