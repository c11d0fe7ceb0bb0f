/* FILE_OPEN: one message, and for an ordinary file a slot in the table of open objects and three kernel calls: a port, a description, and the close of
 * the port's own handle. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "user/files/walk.h"
#include "channel.h"
#include "content.h"
#include "fifo.h"
#include "opened.h"
#include "watch.h"
#include "request.h"

#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#ifndef O_TMPFILE
#define O_TMPFILE 020200000
#endif

static enum file_kind kind_of(const struct node *node, uint32_t flags)
{
	if (flags & O_PATH)
		return FILE_KIND_PATH;
	if (S_ISDIR(node->mode))
		return FILE_KIND_DIRECTORY;
	return S_ISREG(node->mode) ? FILE_KIND_REGULAR : FILE_KIND_DEVICE;
}

static uint32_t device_kind(const struct node *node)
{
	switch (node->content.device) {
	case FS_DEVICE_NULL: return DESCRIPTION_NULL;
	case FS_DEVICE_ZERO: return DESCRIPTION_ZERO;
	case FS_DEVICE_FULL: return DESCRIPTION_FULL;
	default: return DESCRIPTION_SERVICE;
	}
}

/* Makes the description of an existing node and puts it into the reply */
static int64_t reply_description(struct server_request *request, struct node *node, uint32_t flags)
{
	uint32_t access = flags & O_ACCMODE;
	enum file_kind kind = kind_of(node, flags);
	struct description_request create = {
		.kind = DESCRIPTION_SERVICE, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .event = HANDLE_NONE,
		.flags = (flags & O_APPEND ? DESCRIPTION_APPEND : 0) | (flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0),
		.rights = (access != O_WRONLY ? RIGHT_READ : 0) | (access != O_RDONLY ? RIGHT_WRITE : 0),
		.cookie = FILE_COOKIE(kind, flags & ~NOT_KEPT),
	};
	if (kind == FILE_KIND_PATH || kind == FILE_KIND_DIRECTORY) {
		create.flags = DESCRIPTION_NO_IO | (kind == FILE_KIND_DIRECTORY ? DESCRIPTION_SEEKABLE : 0);
		create.rights = RIGHT_READ;
	} else if (kind == FILE_KIND_REGULAR) {
		create.kind = DESCRIPTION_PLACE;
		create.memobj = node->content.memobj;
	} else
		create.kind = device_kind(node);

	/* both go when the port's close message comes */
	uint64_t id = kind == FILE_KIND_PATH ? node_id(node) : opened_create(node, flags, request->badge);
	if (!id)
		return -ENFILE;
	int64_t control = client_create(fs_listener, WORD(kind == FILE_KIND_PATH ? WORD_NODE : WORD_OPEN, id));
	if (control < 0) {
		if (kind != FILE_KIND_PATH)
			opened_close(id);
		return control;
	}
	if (kind == FILE_KIND_PATH)
		node_get(node);
	create.control = (handle_t)control;
	int64_t description = description_create(&create);
	handle_close((handle_t)control);
	if (description < 0)
		return description;
	server_reply_handle(request, (handle_t)description, true);
	request->reply_word[1] = node->inode;
	request->reply_word[2] = node->mode;
	request->reply_word[3] = kind;
	if (kind != FILE_KIND_PATH)
		watch_node(node, IN_OPEN);
	return 0;
}

static int64_t create_and_open(struct server_request *request, const struct walk_result *place, uint32_t flags, uint32_t mode)
{
	if (place->trailing_slash)
		return -EISDIR;
	int error;
	struct node *node = content_create_file(mode, &error);
	if (!node)
		return error;
	struct node *parent = (struct node *)place->parent;
	error = tree_link(parent, place->name, place->name_length, node);
	if (error) {
		node_discard(node);
		return error;
	}
	watch_name(parent, place->name, place->name_length, IN_CREATE, false);
	int64_t result = reply_description(request, node, flags);
	if (result < 0) {
		tree_unlink(parent, place->name, place->name_length);
		watch_name(parent, place->name, place->name_length, IN_DELETE, false);
	}
	return result;
}

/* A file without a name (O_TMPFILE), which lives as long as it is open, or until it gets one. */
static int64_t create_unnamed(struct server_request *request, uint32_t flags, uint32_t mode)
{
	int error;
	struct node *node = content_create_file(mode, &error);
	if (!node)
		return error;
	node->linkable = !(flags & O_EXCL);
	node_get(node);
	int64_t result = reply_description(request, node, flags);
	node_put(node); /* goes unless it was opened */
	return result;
}

int64_t fs_open(struct server_request *request, uint64_t start)
{
	uint32_t flags = (uint32_t)request->word[1], mode = (uint32_t)request->word[2];
	if (flags & O_PATH)
		flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	bool unnamed = (flags & O_TMPFILE) == O_TMPFILE;
	if ((flags & O_ACCMODE) == O_ACCMODE)
		return -EINVAL;
	if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
		return -EINVAL;

	struct file_path_request path;
	int error = file_path_parse(request->data, request->size, &path);
	if (error)
		return error;
	bool exclusive = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	bool follow = !exclusive && !(flags & O_NOFOLLOW) && !(path.flags & FILE_NO_FOLLOW);
	enum walk_intent intent = flags & O_CREAT ? (follow ? WALK_CREATE_FOLLOW : WALK_CREATE) : follow ? WALK_FOLLOW : WALK_NO_FOLLOW;
	struct walk_result place;
	error = file_walk(&fs_walk_operations, NULL, (uint64_t)tree_root(), start, path.path, path.path_length, &path, intent, &place);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &place);
	if (error)
		return error;
	const char *last = path.path + path.path_length;
	while (last > path.path && last[-1] != '/')
		last--;
	size_t last_length = (size_t)(path.path + path.path_length - last);
	if (place.node == NODE_NONE && channel_directory((struct node *)place.parent))
		return last_length ? channel_publish(request, (struct node *)place.parent, last, last_length, flags, mode) : -EISDIR;
	if (request->word[0] == FILE_CHANNEL && (place.node == NODE_NONE || !((struct node *)place.node)->channel))
		return -ENXIO;
	if (place.node == NODE_NONE)
		return create_and_open(request, &place, flags, mode);

	struct node *node = (struct node *)place.node;
	bool writing = (flags & O_ACCMODE) != O_RDONLY;
	if (exclusive)
		return -EEXIST;
	if (unnamed)
		return S_ISDIR(node->mode) ? create_unnamed(request, flags, mode) : -ENOTDIR;
	if (S_ISDIR(node->mode)) {
		if (!(flags & O_PATH) && (writing || (flags & O_CREAT)))
			return -EISDIR;
		return reply_description(request, node, flags);
	}
	if (flags & O_DIRECTORY)
		return -ENOTDIR;
	if (node->forward)
		return fs_reply_forward(request, node->content.port, false, path.path_length);
	if (flags & O_PATH)
		return reply_description(request, node, flags);
	if (S_ISLNK(node->mode))
		return -ELOOP;
	if (S_ISSOCK(node->mode))
		return -ENXIO;
	if (node->channel)
		return channel_connect(request, node, last, last_length, flags);
	if (S_ISFIFO(node->mode)) {
		int64_t result = fifo_open(request, node, flags, path.path_length == 0, fs_listener, WORD(WORD_FIFO, 0));
		if (result != -EWOULDBLOCK)
			return result;
		int64_t port = client_create(fs_listener, WORD(WORD_NODE, node_id(node)));
		if (port < 0)
			return port;
		node_get(node);
		return fs_reply_forward(request, (handle_t)port, true, path.path_length);
	}
	if (S_ISREG(node->mode) && (flags & O_TRUNC)) {
		error = content_resize(node, 0);
		if (error)
			return error;
		if (watch_total)
			watch_resized(node);
	}
	return reply_description(request, node, flags);
}
