/*
 * The directory the terminal server exports, and the requests on its nodes. A port's data word is FILE_PORT_ROOT or FILE_PORT_SYSTEM (the
 * directory), or NODE_WORD | node, or OPEN_WORD | node | terminal << 8 for an open terminal: all stable, so nothing has to be counted or closed.
 * The node tty is whichever terminal controls the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "carillon/terminal_protocol.h"
#include "user/files/walk.h"
#include "terminal.h"

#define NODE_WORD (1ul << 60)
#define OPEN_WORD (2ul << 60)
#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define DEVICE_MAGIC 0x1373u

handle_t terminal_listener;
uint64_t terminal_device_number = 3;

enum { NODE_ROOT = 1, NODE_CONSOLE, NODE_TTY, NODE_TTY0, NODE_TTY1 };
static struct node { const char *name; uint64_t device; uint32_t mode; } nodes[] = {
	[NODE_ROOT] = { "", 0, S_IFDIR | 0755 },
	[NODE_CONSOLE] = { "console", TERMINAL_DEVICE_CONSOLE, S_IFCHR | 0600 },
	[NODE_TTY] = { "tty", TERMINAL_DEVICE_TTY, S_IFCHR | 0666 },
	[NODE_TTY0] = { "tty0", TERMINAL_DEVICE_VIRTUAL(0), S_IFCHR | 0620 },
	[NODE_TTY1] = { "tty1", TERMINAL_DEVICE_VIRTUAL(1), S_IFCHR | 0620 },
};
#define NODES (sizeof nodes / sizeof *nodes)

static int walk_lookup(void *context, uint64_t directory, const char *name, size_t length, uint64_t *child)
{
	(void)context, (void)directory;
	for (uint64_t i = NODE_CONSOLE; i < NODES; i++)
		if (strlen(nodes[i].name) == length && !memcmp(nodes[i].name, name, length)) {
			*child = i;
			return 0;
		}
	return -ENOENT;
}

static uint64_t walk_parent(void *context, uint64_t directory) { (void)context; return directory; }
static uint32_t walk_mode(void *context, uint64_t node) { (void)context; return nodes[node].mode; }
static uint64_t walk_qid(void *context, uint64_t node) { (void)context; return node; }
static const struct walk_operations operations = { walk_lookup, walk_parent, walk_mode, walk_qid };

static int64_t walk(struct server_request *request, uint64_t start, enum walk_intent intent, struct file_path_request *path, struct walk_result *place)
{
	int error = file_path_parse(request->data, request->size, path);
	if (error)
		return error;
	error = file_walk(&operations, NULL, NODE_ROOT, start, path->path, path->path_length, path, intent, place);
	if (error == FILE_WALK_STOPPED) {
		request->reply_word[1] = place->stop;
		request->reply_word[2] = place->consumed;
		request->reply_word[3] = place->stop_qid;
	}
	return error;
}

/* The terminal a node stands for, for this caller; NULL: it has none */
static struct terminal *terminal_of(uint64_t node, uint64_t badge)
{
	if (node != NODE_TTY)
		return &terminals[0];
	const struct process_slot *caller = job_caller(badge);
	for (unsigned i = 0; caller && caller->terminal && i < TERMINALS; i++)
		if (terminals[i].device == caller->terminal)
			return &terminals[i];
	return NULL;
}

static int64_t do_open(struct server_request *request, uint64_t start)
{
	uint32_t flags = (uint32_t)request->word[1], access = flags & O_ACCMODE;
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, flags & O_CREAT ? WALK_CREATE : WALK_FOLLOW, &path, &place);
	if (error)
		return error;
	if (place.node == NODE_NONE)
		return -EACCES;
	if (access == O_ACCMODE)
		return -EINVAL;
	bool directory = place.node == NODE_ROOT, path_only = flags & O_PATH;
	if (!path_only && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (directory && !path_only && (access != O_RDONLY || (flags & O_CREAT)))
		return -EISDIR;
	if (!directory && (flags & O_DIRECTORY))
		return -ENOTDIR;

	struct description_request create = {
		.kind = DESCRIPTION_SERVICE, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .event = HANDLE_NONE,
	};
	uint64_t word = NODE_WORD | place.node;
	enum file_kind kind = path_only ? FILE_KIND_PATH : directory ? FILE_KIND_DIRECTORY : FILE_KIND_TERMINAL;
	if (kind == FILE_KIND_TERMINAL) {
		struct terminal *terminal = terminal_of(place.node, request->badge);
		if (!terminal)
			return -ENXIO;
		if (terminal->hung_up)
			return -EIO;
		/* a session leader without a terminal gets this one, as on Linux (but never the console) */
		const struct process_slot *caller = job_caller(request->badge);
		job_check_session(terminal);
		if (place.node >= NODE_TTY0 && !(flags & O_NOCTTY) && access != O_WRONLY && caller && (caller->flags & PROCESS_SLOT_LEADER) &&
			!caller->terminal && !terminal->session)
			job_attach(terminal, caller->session);
		word = OPEN_WORD | place.node | (uint64_t)terminal->number << 8;
		create.event = terminal->event;
		create.flags = DESCRIPTION_INTERRUPTIBLE | (flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0);
		create.rights = (access != O_WRONLY ? RIGHT_READ : 0) | (access != O_RDONLY ? RIGHT_WRITE : 0);
	} else {
		create.flags = DESCRIPTION_NO_IO;
		create.rights = RIGHT_READ;
	}
	create.cookie = FILE_COOKIE(kind, flags & ~NOT_KEPT);
	int64_t control = client_create(terminal_listener, word);
	if (control < 0)
		return control;
	create.control = (handle_t)control;
	int64_t description = description_create(&create);
	handle_close((handle_t)control);
	if (description < 0)
		return description;
	server_reply_handle(request, (handle_t)description, true);
	request->reply_word[1] = place.node;
	request->reply_word[2] = nodes[place.node].mode;
	request->reply_word[3] = kind;
	return 0;
}

static int64_t do_walk(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, WALK_FOLLOW, &path, &place);
	if (error)
		return error;
	int64_t port = client_create(terminal_listener, NODE_WORD | place.node);
	if (port < 0)
		return port;
	server_reply_handle(request, (handle_t)port, true);
	request->reply_word[1] = place.node;
	request->reply_word[2] = nodes[place.node].mode;
	return 0;
}

static int64_t do_getattr(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	int64_t error = walk(request, start, WALK_FOLLOW, &path, &place);
	if (error)
		return error;
	uint64_t time = (uint64_t)clock_get(CLOCK_REALTIME_ID);
	struct file_attributes attributes = {
		.device = terminal_device_number, .qid = place.node, .mode = nodes[place.node].mode, .links = place.node == NODE_ROOT ? 2 : 1,
		.special_device = nodes[place.node].device, .block_size = 1024,
		.access_time = time, .modify_time = time, .change_time = time, .birth_time = time,
	};
	memcpy(request->reply_buffer, &attributes, sizeof attributes);
	server_reply_bytes(request, request->reply_buffer, sizeof attributes);
	return 0;
}

static int64_t do_setattr(struct server_request *request, uint64_t start)
{
	struct file_path_request path;
	struct walk_result place;
	struct file_setattr set;
	int64_t error = walk(request, start, WALK_FOLLOW, &path, &place);
	if (error)
		return error;
	if (path.second_length != sizeof set)
		return -EINVAL;
	memcpy(&set, path.second, sizeof set);
	if (set.valid & FILE_SET_SIZE)
		return place.node == NODE_ROOT ? -EISDIR : -EINVAL;
	if (set.valid & FILE_SET_MODE)
		nodes[place.node].mode = (nodes[place.node].mode & S_IFMT) | (set.mode & 07777);
	return 0; /* owners and times are not kept */
}

static int64_t do_readdir(struct server_request *request, uint64_t start)
{
	if (start != NODE_ROOT)
		return -ENOTDIR;
	size_t used = 0, capacity = request->room < MESSAGE_RANGE_MAX ? request->room : MESSAGE_RANGE_MAX;
	bool fits = true;
	uint64_t cookie = request->word[1];
	if (cookie < 1)
		fits = file_entry_append(request->reply_buffer, capacity, &used, NODE_ROOT, 1, S_IFDIR, ".", 1);
	for (uint64_t i = cookie < 2 ? NODE_ROOT : cookie; fits && i < NODES; i++)
		fits = file_entry_append(request->reply_buffer, capacity, &used, i, i + 1, nodes[i].mode, i == NODE_ROOT ? ".." : nodes[i].name,
			i == NODE_ROOT ? 2 : strlen(nodes[i].name));
	if (!fits && used == 0)
		return -EINVAL;
	server_reply_bytes(request, request->reply_buffer, used);
	request->reply_word[1] = used;
	return 0;
}

/* terminal_protocol.h */
static int64_t privileged(struct server_request *request)
{
	if (request->port_data != FILE_PORT_SYSTEM)
		return -EPERM;
	if (request->word[1] >= TERMINALS)
		return -ENXIO;
	struct terminal *terminal = &terminals[request->word[1]];
	switch (request->word[0]) {
	case TERMINAL_SET_WINDOW: {
		struct window_size window = { .rows = (uint16_t)request->word[2], .columns = (uint16_t)request->word[3] };
		terminal_set_window(terminal, &window);
		return 0;
	}
	case TERMINAL_ATTACH:
		return request->word[2] < UINT32_MAX ? job_attach(terminal, (uint32_t)request->word[2]) : -ESRCH;
	case TERMINAL_HANGUP:
		terminal_hang_up(terminal);
		return 0;
	case TERMINAL_DRAIN:
		return terminal_drain(terminal, request, NULL, false);
	case TERMINAL_INPUT_END:
		terminal->input_ended = true;
		terminal_update(terminal);
		return 0;
	default:
		return -ENOSYS;
	}
}

int64_t terminal_request(void *context, struct server_request *request)
{
	(void)context;
	uint64_t word = request->port_data, start = NODE_ROOT;
	struct terminal *open = NULL;
	if (request->word[0] >= TERMINAL_SET_WINDOW)
		return privileged(request);
	if (word & (NODE_WORD | OPEN_WORD)) {
		start = word & 0xff;
		if (start >= NODES || start < NODE_ROOT)
			return -ESTALE;
		if ((word & OPEN_WORD) && (word >> 8 & 0xff) < TERMINALS)
			open = &terminals[word >> 8 & 0xff];
	}
	switch (request->word[0]) {
	case FILE_READ: return open ? terminal_read(open, request) : -EBADF;
	case FILE_WRITE: return open ? terminal_write(open, request) : -EBADF;
	case FILE_IOCTL: return open ? terminal_control(open, request) : -ENOTTY;
	case FILE_OPEN: return do_open(request, start);
	case FILE_WALK: return do_walk(request, start);
	case FILE_GETATTR: return do_getattr(request, start);
	case FILE_SETATTR: return do_setattr(request, start);
	case FILE_READDIR: return do_readdir(request, start);
	case FILE_SYNC: return 0;
	case FILE_READLINK: return -EINVAL;
	case FILE_STATFS: {
		struct file_system_info info = { .type = DEVICE_MAGIC, .block_size = 4096, .name_max = 255, .device = terminal_device_number };
		memcpy(request->reply_buffer, &info, sizeof info);
		server_reply_bytes(request, request->reply_buffer, sizeof info);
		return 0;
	}
	case FILE_MAKE_DIRECTORY:
	case FILE_MAKE_NODE:
	case FILE_SYMLINK:
	case FILE_LINK:
	case FILE_UNLINK:
	case FILE_RENAME: return -EPERM;
	default: return -ENOSYS;
	}
}
