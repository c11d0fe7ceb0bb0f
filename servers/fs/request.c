/*
 * One function for each operation of the file protocol, and the table that finds it. A request names its node through the data word of the
 * port it came by; nothing of it is believed before it is checked. Everything is decided and reserved before anything is changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "user/files/walk.h"
#include "channel.h"
#include "content.h"
#include "fifo.h"
#include "lock.h"
#include "opened.h"
#include "place.h"
#include "watch.h"
#include "request.h"

handle_t fs_listener, fs_state;

/* -- the tree as the walk sees it: nodes are their addresses */

static int walk_lookup(void *context, uint64_t directory, const char *name, size_t length, uint64_t *child)
{
	(void)context;
	struct node *found;
	if (channel_directory((struct node *)directory))
		length = channel_name_length(name, length);
	int error = tree_lookup((struct node *)directory, name, length, &found);
	if (!error)
		*child = (uint64_t)found;
	return error;
}

static uint64_t walk_parent(void *context, uint64_t directory)
{
	(void)context;
	return (uint64_t)((struct node *)directory)->content.directory.parent;
}

static uint32_t walk_mode(void *context, uint64_t node)
{
	(void)context;
	return ((struct node *)node)->mode;
}

static uint64_t walk_qid(void *context, uint64_t node)
{
	(void)context;
	return ((struct node *)node)->inode;
}

const struct walk_operations fs_walk_operations = { walk_lookup, walk_parent, walk_mode, walk_qid };

static int walk(struct server_request *request, uint64_t start, enum walk_intent intent, struct file_path_request *path, struct walk_result *place)
{
	int error = file_path_parse(request->data, request->size, path);
	if (error)
		return error;
	return file_walk(&fs_walk_operations, NULL, (uint64_t)tree_root(), start, path->path, path->path_length, path, intent, place);
}

/* -- common replies */

int64_t fs_reply_stop(struct server_request *request, const struct walk_result *result)
{
	request->reply_word[1] = result->stop;
	request->reply_word[2] = result->consumed;
	request->reply_word[3] = result->stop_qid;
	if (result->stop == FILE_STOP_LINK) {
		struct node *link = (struct node *)result->link;
		server_reply_bytes(request, link->content.symlink.target, link->content.symlink.length);
	}
	return FILE_WALK_STOPPED;
}

int64_t fs_reply_forward(struct server_request *request, handle_t port, bool move, size_t consumed)
{
	request->reply_word[1] = FILE_STOP_FORWARD;
	request->reply_word[2] = consumed;
	server_reply_handle(request, port, move);
	return FILE_WALK_STOPPED;
}

int64_t fs_reply_node_port(struct server_request *request, struct node *node, unsigned type)
{
	int64_t port = client_create(fs_listener, WORD(type, node_id(node)));
	if (port < 0)
		return port;
	node_get(node);
	server_reply_handle(request, (handle_t)port, true);
	return 0;
}

/* A walk to an existing node for the operations that stop at forwarding nodes. 0 and *node, or what to return. */
static int64_t find(struct server_request *request, uint64_t start, struct file_path_request *path, struct node **node)
{
	struct walk_result place;
	int64_t error = walk(request, start, WALK_FOLLOW, path, &place);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &place);
	if (error)
		return error;
	*node = (struct node *)place.node;
	if ((*node)->forward)
		return fs_reply_forward(request, (*node)->content.port, false, path->path_length);
	return 0;
}

/* A walk to a free name. 0 and *place, or what to return. */
static int64_t find_free(struct server_request *request, uint64_t start, struct file_path_request *path, struct walk_result *place)
{
	int64_t error = walk(request, start, WALK_CREATE, path, place);
	if (error == FILE_WALK_STOPPED)
		return place->stop == FILE_STOP_MOUNT && place->consumed == path->path_length ? -EEXIST : fs_reply_stop(request, place);
	if (error)
		return error;
	if (place->node != NODE_NONE)
		return -EEXIST;
	return channel_directory((struct node *)place->parent) ? -EPERM : 0; /* only channels, which open makes */
}

/* Puts a new node under its name and says what it is; frees it when that fails */
static int64_t place_new(struct server_request *request, const struct walk_result *place, struct node *node)
{
	int error = tree_link((struct node *)place->parent, place->name, place->name_length, node);
	if (error) {
		node_discard(node);
		return error;
	}
	request->reply_word[1] = node->inode;
	request->reply_word[2] = node->mode;
	watch_name((struct node *)place->parent, place->name, place->name_length, IN_CREATE, S_ISDIR(node->mode));
	return 0;
}

/* -- operations. start is the node of the port the request came by. */

static int64_t do_walk(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct node *node;
	int64_t error = find(request, start, &path, &node);
	if (error)
		return error;
	error = fs_reply_node_port(request, node, WORD_NODE);
	request->reply_word[1] = node->inode;
	request->reply_word[2] = node->mode;
	return error;
}

static int64_t do_getattr(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct node *node;
	int64_t error = find(request, start, &path, &node);
	if (error)
		return error;
	struct file_attributes attributes;
	content_attributes(node, &attributes);
	memcpy(request->reply_buffer, &attributes, sizeof attributes);
	server_reply_bytes(request, request->reply_buffer, sizeof attributes);
	return 0;
}

/* What Linux tells of a change of attributes */
static void tell_set(struct node *node, uint32_t valid)
{
	bool access = valid & (FILE_SET_ACCESS_TIME | FILE_SET_ACCESS_NOW), modify = valid & (FILE_SET_MODIFY_TIME | FILE_SET_MODIFY_NOW);
	if (!watch_total)
		return;
	if (valid & FILE_SET_SIZE)
		watch_resized(node);
	if (valid & (FILE_SET_MODE | FILE_SET_USER | FILE_SET_GROUP) || (access && modify))
		watch_node(node, IN_ATTRIB);
	else if (modify)
		watch_node(node, IN_MODIFY);
}

static int64_t do_setattr(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct node *node;
	int64_t error = find(request, start, &path, &node);
	if (error)
		return error;
	struct file_setattr set;
	if (path.second_length != sizeof set)
		return -EINVAL;
	memcpy(&set, path.second, sizeof set);
	error = content_set_attributes(node, &set);
	if (!error)
		tell_set(node, set.valid);
	return error;
}

static int64_t do_readdir(struct server_request *request, uint64_t start)
{
	struct node *directory = (struct node *)start;
	if (!S_ISDIR(directory->mode))
		return -ENOTDIR;
	uint64_t cookie = request->word[1];
	size_t used = 0, capacity = request->room < MESSAGE_RANGE_MAX ? request->room : MESSAGE_RANGE_MAX;
	bool fits = true;
	struct node *parent = directory->content.directory.parent ? directory->content.directory.parent : directory;
	if (cookie < COOKIE_DOT)
		fits = file_entry_append(request->reply_buffer, capacity, &used, directory->inode, COOKIE_DOT, S_IFDIR, ".", 1);
	if (fits && cookie < COOKIE_DOT_DOT)
		fits = file_entry_append(request->reply_buffer, capacity, &used, parent->inode, COOKIE_DOT_DOT, S_IFDIR, "..", 2);
	if (cookie < COOKIE_DOT_DOT)
		cookie = COOKIE_DOT_DOT;
	const struct entry *entry = NULL;
	while (fits && (entry = tree_next_entry(directory, cookie))) {
		cookie = entry->cookie;
		fits = file_entry_append(request->reply_buffer, capacity, &used, entry->node->inode, cookie, entry->node->mode, entry->name, entry->length);
	}
	if (!fits && used == 0)
		return -EINVAL; /* not even one entry fits */
	server_reply_bytes(request, request->reply_buffer, used);
	request->reply_word[1] = used;
	return 0;
}

static int64_t do_make_directory(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = find_free(request, start, &path, &place);
	if (error)
		return error;
	int failure;
	struct node *node = node_create(S_IFDIR | (request->word[1] & 01777), &failure);
	return node ? place_new(request, &place, node) : failure;
}

static int64_t do_make_node(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = find_free(request, start, &path, &place);
	if (error)
		return error;
	uint32_t mode = (uint32_t)request->word[1];
	if (place.trailing_slash)
		return -ENOENT;
	int failure;
	struct node *node;
	switch (mode & S_IFMT) {
	case 0:
	case S_IFREG:
		node = content_create_file(mode, &failure);
		break;
	case S_IFIFO:
	case S_IFSOCK:
		node = node_create(mode & (S_IFMT | 07777), &failure);
		break;
	case S_IFCHR:
	case S_IFBLK:
		return -EPERM;
	default:
		return -EINVAL;
	}
	if (!node)
		return failure;
	if (S_ISSOCK(mode))
		node->content.port = server_take_handle(request, 0);
	return place_new(request, &place, node);
}

/* Where to connect to a socket's node */
static int64_t do_socket(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct node *node;
	int64_t error = find(request, start, &path, &node);
	if (error)
		return error;
	if (!S_ISSOCK(node->mode) || node->content.port == HANDLE_NONE)
		return -ECONNREFUSED;
	server_reply_handle(request, node->content.port, false);
	return 0;
}

static int64_t do_symlink(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = find_free(request, start, &path, &place);
	if (error)
		return error;
	if (place.trailing_slash || path.second_length == 0)
		return -ENOENT;
	if (path.second_length >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	int failure;
	struct node *node = content_create_link(path.second, path.second_length, &failure);
	return node ? place_new(request, &place, node) : failure;
}

/* The node behind a port of this server, or NULL */
static struct node *node_of_word(uint64_t word)
{
	struct opened *opened;
	switch (WORD_TYPE(word)) {
	case WORD_SMALL:
		return tree_root();
	case WORD_NODE:
	case WORD_CHANNEL:
		return node_find(WORD_ID(word));
	case WORD_OPEN:
		opened = opened_find(WORD_ID(word));
		return opened ? opened->node : NULL;
	case WORD_FIFO:
		return fifo_node(WORD_ID(word));
	default:
		return NULL;
	}
}

struct node *fs_received_node(struct server_request *request)
{
	if (request->handle_count < 1)
		return NULL;
	int64_t word = client_data(fs_listener, request->handle[0]);
	if (word < 0)
		return NULL;
	return node_of_word((uint64_t)word);
}

static int64_t do_link(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	struct node *node = fs_received_node(request);
	if (!node)
		return -EXDEV;
	int64_t error = find_free(request, start, &path, &place);
	if (error)
		return error;
	if (S_ISDIR(node->mode) || node->channel)
		return -EPERM;
	if (place.trailing_slash || (node->links == 0 && !node->linkable))
		return -ENOENT;
	error = tree_link((struct node *)place.parent, place.name, place.name_length, node);
	if (!error) {
		node->linkable = false;
		watch_self(node, IN_ATTRIB);
		watch_name((struct node *)place.parent, place.name, place.name_length, IN_CREATE, false);
		if (node->writers)
			watch_writers(node);
	}
	return error;
}

/* What is wrong with removing or renaming a place that ends in no name of its own */
static int64_t check_removable(const struct walk_result *place, int64_t dot, int64_t dot_dot)
{
	if (place->covered || place->last == WALK_LAST_NONE)
		return -EBUSY;
	return place->last == WALK_LAST_DOT ? dot : place->last == WALK_LAST_DOT_DOT ? dot_dot : 0;
}

static int64_t do_unlink(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, WALK_REMOVE, &path, &place);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &place);
	if (error)
		return error;
	bool directory = request->word[1] == 1;
	error = directory ? check_removable(&place, -EINVAL, -ENOTEMPTY) : check_removable(&place, -EISDIR, -EISDIR);
	if (error)
		return error;
	struct node *parent = (struct node *)place.parent, *node = (struct node *)place.node;
	bool is_directory = S_ISDIR(node->mode);
	if (!directory && !is_directory)
		watch_self(node, IN_ATTRIB);
	if (!directory && node->channel)
		channel_withdraw(node);
	error = directory ? tree_remove_directory(parent, place.name, place.name_length) : tree_unlink(parent, place.name, place.name_length);
	if (!error)
		watch_name(parent, place.name, place.name_length, IN_DELETE, is_directory);
	return error;
}

static void tell_move(const struct walk_result *from, const struct walk_result *to, struct node *node)
{
	uint32_t cookie = watch_cookie();
	bool is_directory = S_ISDIR(node->mode);
	watch_name_event((struct node *)from->parent, from->name, from->name_length, IN_MOVED_FROM, cookie, is_directory);
	watch_name_event((struct node *)to->parent, to->name, to->name_length, IN_MOVED_TO, cookie, is_directory);
}

static void tell_rename(const struct walk_result *from, const struct walk_result *to, struct node *source, struct node *target, bool swapped)
{
	tell_move(from, to, source);
	if (target && !swapped)
		watch_self(target, IN_ATTRIB);
	watch_self(source, IN_MOVE_SELF);
	if (target && swapped) {
		tell_move(to, from, target);
		watch_self(target, IN_MOVE_SELF);
	}
	if (source->writers)
		watch_writers(source);
}

static int64_t do_rename(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result from, to;
	struct node *directory = fs_received_node(request);
	if (!directory)
		return -EXDEV;
	int64_t error = walk(request, start, WALK_REMOVE, &path, &from);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &from);
	if (error)
		return error;
	error = check_removable(&from, -EBUSY, -EBUSY);
	if (error)
		return error;
	if (path.second_length >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	if (memchr(path.second, 0, path.second_length))
		return -EINVAL;

	error = file_walk(&fs_walk_operations, NULL, (uint64_t)tree_root(), (uint64_t)directory, path.second, path.second_length, &path,
		WALK_CREATE, &to);
	if (error == FILE_WALK_STOPPED) {
		if (to.stop == FILE_STOP_MOUNT && to.consumed == path.second_length)
			return -EBUSY;
		request->reply_word[4] = 1;
		return fs_reply_stop(request, &to);
	}
	if (error)
		return error;
	if (to.last != WALK_LAST_NAME)
		return -EBUSY;
	struct node *source = (struct node *)from.node;
	if (to.trailing_slash && !S_ISDIR(source->mode))
		return -ENOTDIR;
	struct node *target = to.node == NODE_NONE ? NULL : (struct node *)to.node;
	if (source->channel || channel_directory((struct node *)to.parent))
		return -EPERM;
	if (target)
		node_get(target); /* what it says when it goes comes last */
	uint32_t flags = (uint32_t)request->word[1];
	error = tree_rename((struct node *)from.parent, from.name, from.name_length, (struct node *)to.parent, to.name, to.name_length, flags);
	if (!error && watch_total && source != target)
		tell_rename(&from, &to, source, target, flags & RENAME_SWAP);
	if (target)
		node_put(target);
	return error;
}

static int64_t do_readlink(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, WALK_NO_FOLLOW, &path, &place);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &place);
	if (error)
		return error;
	struct node *node = (struct node *)place.node;
	if (!S_ISLNK(node->mode))
		return -EINVAL;
	request->reply_word[1] = server_reply_bytes(request, node->content.symlink.target, node->content.symlink.length);
	return 0;
}

static int64_t do_name(struct server_request *request, uint64_t start)
{
	static const char gone[] = "/ (deleted)";
	int64_t length = tree_path((const struct node *)start, (char *)request->reply_buffer, FILE_PATH_MAX - 1);
	if (length == -ENOENT) { /* Linux would tell the name it had */
		memcpy(request->reply_buffer, gone, sizeof gone);
		length = sizeof gone - 1;
	}
	if (length < 0)
		return length;
	request->reply_word[1] = server_reply_bytes(request, request->reply_buffer, (size_t)length);
	request->reply_word[2] = content_device_number;
	return 0;
}

static int64_t do_statfs(struct server_request *request, uint64_t start)
{
	(void)start;
	struct file_system_info info;
	content_system_info(&info);
	memcpy(request->reply_buffer, &info, sizeof info);
	server_reply_bytes(request, request->reply_buffer, sizeof info);
	return 0;
}

static int64_t do_sync(struct server_request *request, uint64_t start)
{
	(void)request, (void)start;
	return 0; /* memory is all there is */
}

static int64_t do_ioctl(struct server_request *request, uint64_t start)
{
	(void)request, (void)start;
	return -ENOTTY;
}

/* Reads and writes reach the server only from the random devices; other kinds are answered by the kernel */
static int64_t do_read(struct server_request *request, uint64_t start)
{
	struct node *node = (struct node *)start;
	if (!node->is_device || node->content.device != FS_DEVICE_RANDOM || WORD_TYPE(request->port_data) != WORD_OPEN)
		return -EINVAL;
	size_t length = request->word[2] < request->room ? request->word[2] : request->room;
	if (length > MESSAGE_RANGE_MAX)
		length = MESSAGE_RANGE_MAX;
	int64_t error = length ? random_get(request->reply_buffer, length) : 0;
	if (error < 0)
		return error;
	return (int64_t)server_reply_bytes(request, request->reply_buffer, length);
}

static int64_t do_write(struct server_request *request, uint64_t start)
{
	struct node *node = (struct node *)start;
	if (!node->is_device || node->content.device != FS_DEVICE_RANDOM || WORD_TYPE(request->port_data) != WORD_OPEN)
		return -EINVAL;
	return (int64_t)request->size; /* the kernel's generator needs no help */
}

static int64_t do_place_forward(struct server_request *request, uint64_t start)
{
	if (request->port_data != FILE_PORT_SYSTEM)
		return -EPERM;
	if (request->handle_count < 1)
		return -EINVAL;
	uint32_t mode = (uint32_t)request->word[1];
	if (!S_ISCHR(mode) && !S_ISBLK(mode) && !S_ISSOCK(mode))
		return -EINVAL;
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, WALK_CREATE, &path, &place);
	if (error == FILE_WALK_STOPPED)
		return fs_reply_stop(request, &place);
	if (error)
		return error;
	struct node *node = (struct node *)place.node;
	if (node) { /* a restarted server's new port */
		if (!node->forward)
			return -EEXIST;
		store_handle_close_later(node->content.port);
		node->content.port = server_take_handle(request, 0);
		node_changed(node);
		return 0;
	}
	int failure;
	node = node_create(mode & (S_IFMT | 07777), &failure);
	if (!node)
		return failure;
	node->forward = true;
	node->special_device = request->word[2];
	node->content.port = server_take_handle(request, 0);
	return place_new(request, &place, node);
}

/* Locks are of open objects; start is not needed */
static int64_t do_lock(struct server_request *request, uint64_t start)
{
	(void)start;
	uint64_t id = WORD_ID(request->port_data);
	if (WORD_TYPE(request->port_data) != WORD_OPEN)
		return -ENOLCK;
	switch (request->word[0]) {
	case FILE_LOCK: return lock_request(request, id);
	case FILE_LOCK_REGISTER: return lock_register(request, id);
	case FILE_LOCK_RELEASE: return lock_release(request, id);
	default: return lock_cancel(request, id);
	}
}

static int64_t do_lock_place(struct server_request *request, uint64_t start)
{
	(void)start;
	return place_request(request);
}

static int64_t do_watch_create(struct server_request *request, uint64_t start)
{
	(void)start;
	return watch_create(request);
}

static int64_t (*const operations[])(struct server_request *request, uint64_t start) = {
	[FILE_READ] = do_read, [FILE_WRITE] = do_write, [FILE_OPEN] = fs_open, [FILE_WALK] = do_walk, [FILE_GETATTR] = do_getattr,
	[FILE_SETATTR] = do_setattr, [FILE_READDIR] = do_readdir, [FILE_MAKE_DIRECTORY] = do_make_directory, [FILE_MAKE_NODE] = do_make_node,
	[FILE_SYMLINK] = do_symlink, [FILE_LINK] = do_link, [FILE_UNLINK] = do_unlink, [FILE_RENAME] = do_rename, [FILE_READLINK] = do_readlink,
	[FILE_STATFS] = do_statfs, [FILE_SYNC] = do_sync, [FILE_IOCTL] = do_ioctl, [FILE_LOCK] = do_lock, [FILE_LOCK_REGISTER] = do_lock,
	[FILE_WATCH_CREATE] = do_watch_create, [FILE_LOCK_RELEASE] = do_lock, [FILE_LOCK_CANCEL] = do_lock,
	[FILE_LOCK_PLACE] = do_lock_place, [FILE_NAME] = do_name, [FILE_PLACE_FORWARD] = do_place_forward,
	[FILE_SOCKET] = do_socket, [FILE_CHANNEL] = fs_open,
};

static int64_t handle_request(struct server_request *request)
{
	uint64_t operation = request->word[0], id = WORD_ID(request->port_data);
	watch_look();
	if (WORD_TYPE(request->port_data) == WORD_WATCH)
		return watch_request(request, id);
	if (operation >= sizeof operations / sizeof *operations || !operations[operation])
		return -ENOSYS;
	if (WORD_TYPE(request->port_data) == WORD_FIFO && (operation == FILE_READ || operation == FILE_WRITE || operation == FILE_IOCTL))
		return fifo_request(request, id);
	struct node *start = node_of_word(request->port_data);
	if (!start)
		return -ESTALE;
	if (!(start->mode & S_IFMT) && operations[operation] != do_lock) /* a place to lock (place.h) */
		return -ENOSYS;
	return operations[operation](request, (uint64_t)start);
}

int64_t fs_request(void *context, struct server_request *request)
{
	(void)context;
	int64_t result = handle_request(request);
	store_commit(); /* what the caller is told stands, whatever becomes of this server */
	return result;
}

void fs_closed(void *context, uint64_t port_data)
{
	(void)context;
	unsigned type = WORD_TYPE(port_data);
	watch_look();
	if (type == WORD_WATCH)
		watch_closed(WORD_ID(port_data));
	else if (type == WORD_FIFO)
		fifo_closed(WORD_ID(port_data));
	else if (type == WORD_OPEN)
		opened_close(WORD_ID(port_data));
	else if (type == WORD_CHANNEL)
		channel_publisher_gone(WORD_ID(port_data));
	else if (type == WORD_OWNER)
		lock_owner_gone(WORD_ID(port_data));
	else if (type == WORD_NODE) {
		struct node *node = node_find(WORD_ID(port_data));
		if (node)
			node_put(node);
	}
	store_commit();
}

void fs_interrupted(void *context, uint32_t reply)
{
	(void)context;
	if (!fifo_interrupted(reply) && !lock_interrupted(reply))
		watch_interrupted(reply);
	store_commit();
}
