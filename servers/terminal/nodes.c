/*
 * The two directories the terminal server exports, and the requests on their nodes. A port's data word is FILE_PORT_ROOT or FILE_PORT_SYSTEM (the
 * first directory), FILE_PORT_PSEUDO (the second, /dev/pts), or made of
 *   bits 0-15 the node, 16-27 0 for the console or a pseudo terminal's number + 1, 28-59 a generation (of pseudo terminals), 60-61 NODE or OPEN
 * so it stands for nothing that could move. Opens of a pseudo terminal are counted, and end with NOTIFY_CLOSE; a word whose generation is
 * not the current one is of an open that was hung up, or of one made by an earlier run of this server.
 * The node tty is whichever terminal controls the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
#define WORD_NODE(word) ((word) & 0xffff)
#define WORD_NUMBER(word) ((uint32_t)((word) >> 16 & 0xfff)) /* + 1 */
#define WORD_GENERATION(word) ((uint32_t)((word) >> 28))
#define WORD(kind, node, number, generation) ((kind) | (node) | (uint64_t)(number) << 16 | (uint64_t)(generation) << 28)
#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define DEVICE_MAGIC 0x1373u
#define PSEUDO_MAGIC 0x1cd1u
#define PSEUDO_FILES_DEVICE (terminal_device_number + 16) /* st_dev in /dev/pts */

handle_t terminal_listener;
uint64_t terminal_device_number = 3;

enum { NODE_ROOT = 1, NODE_CONSOLE, NODE_TTY, NODE_TTY0, NODE_TTY1, NODE_PTMX, NODE_PTS, NODE_PTS_PTMX, NODES, NODE_PSEUDO = 0x100 /* + number */ };
static struct node { const char *name; uint64_t device; uint32_t mode; } nodes[] = {
	[NODE_ROOT] = { "", 0, S_IFDIR | 0755 },
	[NODE_CONSOLE] = { "console", TERMINAL_DEVICE_CONSOLE, S_IFCHR | 0600 },
	[NODE_TTY] = { "tty", TERMINAL_DEVICE_TTY, S_IFCHR | 0666 },
	[NODE_TTY0] = { "tty0", TERMINAL_DEVICE_VIRTUAL(0), S_IFCHR | 0620 },
	[NODE_TTY1] = { "tty1", TERMINAL_DEVICE_VIRTUAL(1), S_IFCHR | 0620 },
	[NODE_PTMX] = { "ptmx", TERMINAL_DEVICE_MULTIPLEXER, S_IFCHR | 0666 },
	[NODE_PTS] = { "", 0, S_IFDIR | 0755 },
	[NODE_PTS_PTMX] = { "ptmx", TERMINAL_DEVICE_MULTIPLEXER, S_IFCHR },
};

static bool in_pts(uint64_t node)
{
	return node >= NODE_PTS;
}

/* The pseudo terminal a node is the name of; it has one while its master is open. */
static struct terminal *named(uint64_t node)
{
	struct terminal *terminal = node >= NODE_PSEUDO ? pseudo_find((uint32_t)(node - NODE_PSEUDO)) : NULL;
	return terminal && terminal->pseudo->master_open ? terminal : NULL;
}

static int lookup_number(const char *name, size_t length, uint64_t *child)
{
	uint64_t number = 0;
	if (length == 0 || length > 4 || (name[0] == '0' && length > 1))
		return -ENOENT;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -ENOENT;
		number = number * 10 + (uint64_t)(name[i] - '0');
	}
	*child = NODE_PSEUDO + number;
	return named(*child) ? 0 : -ENOENT;
}

static int walk_lookup(void *context, uint64_t directory, const char *name, size_t length, uint64_t *child)
{
	(void)context;
	uint64_t first = directory == NODE_PTS ? NODE_PTS_PTMX : NODE_CONSOLE, end = directory == NODE_PTS ? NODES : NODE_PTS;
	for (uint64_t i = first; i < end; i++)
		if (strlen(nodes[i].name) == length && !memcmp(nodes[i].name, name, length)) {
			*child = i;
			return 0;
		}
	return directory == NODE_PTS ? lookup_number(name, length, child) : -ENOENT;
}

static uint32_t node_mode(uint64_t node)
{
	struct terminal *terminal = named(node);
	return node < NODES ? nodes[node].mode : terminal ? S_IFCHR | terminal->pseudo->mode : S_IFCHR;
}

/* Linux's inode numbers in devpts: 1, 2, and number + 3 */
static uint64_t node_qid(uint64_t node)
{
	return !in_pts(node) ? node : node < NODES ? node - NODE_PTS + 1 : node - NODE_PSEUDO + 3;
}

static uint64_t walk_parent(void *context, uint64_t directory) { (void)context; return directory; }
static uint32_t walk_mode(void *context, uint64_t node) { (void)context; return node_mode(node); }
static uint64_t walk_qid(void *context, uint64_t node) { (void)context; return node_qid(node); }
static const struct walk_operations operations = { walk_lookup, walk_parent, walk_mode, walk_qid };

static int64_t walk(struct server_request *request, uint64_t start, enum walk_intent intent, struct file_path_request *path, struct walk_result *place)
{
	int error = file_path_parse(request->data, request->size, path);
	if (error)
		return error;
	error = file_walk(&operations, NULL, in_pts(start) ? NODE_PTS : NODE_ROOT, start, path->path, path->path_length, path, intent, place);
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
	if (node >= NODE_PSEUDO)
		return named(node);
	if (node != NODE_TTY)
		return &console;
	const struct process_slot *caller = job_caller(badge);
	for (struct terminal *terminal = terminal_next(NULL); caller && caller->terminal && terminal; terminal = terminal_next(terminal))
		if (terminal->device == caller->terminal)
			return terminal;
	return NULL;
}

static struct description_request description_of(uint32_t flags, handle_t event)
{
	uint32_t access = flags & O_ACCMODE;
	return (struct description_request){
		.kind = DESCRIPTION_SERVICE, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .event = event,
		.flags = DESCRIPTION_INTERRUPTIBLE | (flags & O_NONBLOCK ? DESCRIPTION_NON_BLOCKING : 0),
		.rights = (access != O_WRONLY ? RIGHT_READ : 0) | (access != O_RDONLY ? RIGHT_WRITE : 0),
		.cookie = FILE_COOKIE(FILE_KIND_TERMINAL, flags & ~(uint32_t)NOT_KEPT),
	};
}

/* Makes the description on a port with this word and replies with it. 0 or an error (then the port, if any, has been closed). */
static int64_t reply_open(struct server_request *request, struct description_request *create, uint64_t word)
{
	create->control = HANDLE_NONE;
	int64_t control = client_create(terminal_listener, word);
	if (control < 0)
		return control;
	create->control = (handle_t)control;
	int64_t description = description_create(create);
	handle_close((handle_t)control);
	if (description < 0)
		return description;
	server_reply_handle(request, (handle_t)description, true);
	return 0;
}

/* From the reply on, opens end with NOTIFY_CLOSE, also when the reply is not delivered; so they are counted before. */
static int64_t open_terminal(struct terminal *terminal, uint64_t node, struct server_request *request, uint32_t flags)
{
	const struct process_slot *caller = job_caller(request->badge);
	if (terminal->hung_up)
		return -EIO;
	if (terminal->pseudo && pseudo_open_check(terminal))
		return -EIO;
	/* a session leader without a terminal gets this one, as on Linux (but never the console) */
	job_check_session(terminal);
	if (node >= NODE_TTY0 && !(flags & O_NOCTTY) && (flags & O_ACCMODE) != O_WRONLY && caller && (caller->flags & PROCESS_SLOT_LEADER) &&
		!caller->terminal && !terminal->session)
		job_attach(terminal, caller->session);
	struct description_request create = description_of(flags, terminal->event);
	if (!terminal->pseudo)
		return reply_open(request, &create, WORD(OPEN_WORD, node, 0, 0));
	pseudo_opened(terminal);
	int64_t error = reply_open(request, &create, WORD(OPEN_WORD, node, terminal->pseudo->number + 1, terminal->generation));
	if (error < 0 && create.control == HANDLE_NONE) /* there was never a port */
		pseudo_closed(terminal, false);
	return error;
}

int64_t terminal_open_peer(struct terminal *terminal, struct server_request *request, uint32_t flags)
{
	return open_terminal(terminal, NODE_PSEUDO + terminal->pseudo->number, request, flags);
}

static int64_t open_master(struct server_request *request, uint64_t node, uint32_t flags)
{
	int error;
	struct terminal *terminal = pseudo_create(0, &error);
	if (!terminal)
		return error;
	struct description_request create = description_of(flags, terminal->pseudo->event);
	int64_t result = reply_open(request, &create, WORD(OPEN_WORD, node, terminal->pseudo->number + 1, terminal->pseudo->generation));
	if (result < 0 && create.control == HANDLE_NONE) /* there was never a port */
		pseudo_closed(terminal, true);
	return result;
}

/* The word of a node's port */
static uint64_t node_word(uint64_t node)
{
	struct terminal *terminal = named(node);
	return terminal ? WORD(NODE_WORD, node, terminal->pseudo->number + 1, terminal->pseudo->generation) : WORD(NODE_WORD, node, 0, 0);
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
	bool directory = S_ISDIR(node_mode(place.node)), path_only = flags & O_PATH;
	if (!path_only && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (directory && !path_only && (access != O_RDONLY || (flags & O_CREAT)))
		return -EISDIR;
	if (!directory && (flags & O_DIRECTORY))
		return -ENOTDIR;

	enum file_kind kind = path_only ? FILE_KIND_PATH : directory ? FILE_KIND_DIRECTORY : FILE_KIND_TERMINAL;
	if (kind == FILE_KIND_TERMINAL && (place.node == NODE_PTMX || place.node == NODE_PTS_PTMX))
		error = open_master(request, place.node, flags);
	else if (kind == FILE_KIND_TERMINAL) {
		struct terminal *terminal = terminal_of(place.node, request->badge);
		error = terminal ? open_terminal(terminal, place.node, request, flags) : -ENXIO;
	} else {
		struct description_request create = {
			.kind = DESCRIPTION_SERVICE, .memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE, .event = HANDLE_NONE,
			.flags = DESCRIPTION_NO_IO | (directory ? DESCRIPTION_SEEKABLE : 0), .rights = RIGHT_READ, .cookie = FILE_COOKIE(kind, flags & ~(uint32_t)NOT_KEPT),
		};
		error = reply_open(request, &create, node_word(place.node));
	}
	if (error < 0)
		return error;
	request->reply_word[1] = node_qid(place.node);
	request->reply_word[2] = node_mode(place.node);
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
	int64_t port = client_create(terminal_listener, node_word(place.node));
	if (port < 0)
		return port;
	server_reply_handle(request, (handle_t)port, true);
	request->reply_word[1] = node_qid(place.node);
	request->reply_word[2] = node_mode(place.node);
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
	struct terminal *terminal = named(place.node);
	struct file_attributes attributes = {
		.device = in_pts(place.node) ? PSEUDO_FILES_DEVICE : terminal_device_number, .qid = node_qid(place.node), .mode = node_mode(place.node),
		.links = S_ISDIR(node_mode(place.node)) ? 2 : 1, .block_size = 1024,
		.special_device = place.node < NODES ? nodes[place.node].device : TERMINAL_DEVICE_PSEUDO(place.node - NODE_PSEUDO),
		.user = terminal ? terminal->pseudo->user : 0, .group = terminal ? terminal->pseudo->group : 0,
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
		return S_ISDIR(node_mode(place.node)) ? -EISDIR : -EINVAL;
	struct terminal *terminal = named(place.node);
	if ((set.valid & FILE_SET_MODE) && place.node < NODES)
		nodes[place.node].mode = (nodes[place.node].mode & S_IFMT) | (set.mode & 07777);
	else if ((set.valid & FILE_SET_MODE) && terminal)
		terminal->pseudo->mode = set.mode & 07777;
	if ((set.valid & FILE_SET_USER) && terminal)
		terminal->pseudo->user = set.user;
	if ((set.valid & FILE_SET_GROUP) && terminal)
		terminal->pseudo->group = set.group;
	return 0; /* times are not kept, owners only of pseudo terminals */
}

/* The node that comes after one in its directory's listing, or NODES */
static uint64_t next_node(uint64_t directory, uint64_t node)
{
	if (directory == NODE_ROOT)
		return node + 1 < NODE_PTS ? node + 1 : NODES;
	if (node < NODE_PTS_PTMX)
		return node + 1;
	for (node = node < NODE_PSEUDO ? NODE_PSEUDO : node + 1; node < NODE_PSEUDO + pseudo_end; node++)
		if (named(node))
			return node;
	return NODES;
}

static int64_t do_readdir(struct server_request *request, uint64_t start)
{
	if (start != NODE_ROOT && start != NODE_PTS)
		return -ENOTDIR;
	size_t used = 0, capacity = request->room < MESSAGE_RANGE_MAX ? request->room : MESSAGE_RANGE_MAX;
	bool fits = true;
	uint64_t cookie = request->word[1]; /* the node told last, 1 after "." */
	if (cookie == 0)
		fits = file_entry_append(request->reply_buffer, capacity, &used, node_qid(start), 1, S_IFDIR, ".", 1);
	if (fits && cookie <= 1) {
		fits = file_entry_append(request->reply_buffer, capacity, &used, node_qid(start), 2, S_IFDIR, "..", 2);
		cookie = 2;
	}
	uint64_t node = cookie > 2 ? cookie - 2 : start;
	while (fits && (node = next_node(start, node)) != NODES) {
		char name[8];
		int length = node < NODES ? snprintf(name, sizeof name, "%s", nodes[node].name) : snprintf(name, sizeof name, "%u", (unsigned)(node - NODE_PSEUDO));
		fits = file_entry_append(request->reply_buffer, capacity, &used, node_qid(node), node + 2, node_mode(node), name, (size_t)length);
	}
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
	if (request->word[1] != 0)
		return -ENXIO;
	struct terminal *terminal = &console;
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

/* An open terminal and how it was opened, from its port's word */
struct open {
	struct terminal *terminal;
	bool master, hung_up;
};

static struct open open_of(uint64_t word)
{
	uint32_t number = WORD_NUMBER(word), generation = WORD_GENERATION(word);
	uint64_t node = WORD_NODE(word);
	if (number == 0)
		return (struct open){ &console, false, false };
	struct terminal *terminal = pseudo_find(number - 1);
	bool master = node == NODE_PTMX || node == NODE_PTS_PTMX, known = terminal && pseudo_generation_known(generation);
	if (master)
		return (struct open){ terminal, true, !known || generation != terminal->pseudo->generation };
	return (struct open){ terminal, false, !known || generation != terminal->generation };
}

void terminal_port_closed(void *context, uint64_t port_data)
{
	(void)context;
	if ((port_data & (NODE_WORD | OPEN_WORD)) != OPEN_WORD || WORD_NUMBER(port_data) == 0)
		return;
	struct open open = open_of(port_data);
	/* a pair lives as long as any open of it, so one of this run that is open belongs to the pair of that number */
	if (open.terminal && pseudo_generation_known(WORD_GENERATION(port_data)) && (!open.master || !open.hung_up))
		pseudo_closed(open.terminal, open.master);
}

static int64_t open_request(struct open open, struct server_request *request)
{
	struct terminal *terminal = open.terminal;
	switch (request->word[0]) {
	case FILE_READ:
		return open.hung_up ? 0 : open.master ? pseudo_master_read(terminal, request) : terminal_read(terminal, request);
	case FILE_WRITE:
		return open.hung_up ? -EIO : open.master ? pseudo_master_write(terminal, request) : terminal_write(terminal, request);
	default:
		if (open.hung_up)
			return request->word[1] == 0x5410 /* TIOCSPGRP */ ? -ENOTTY : -EIO;
		return terminal_control(terminal, request, open.master);
	}
}

static int64_t do_statfs(struct server_request *request, uint64_t start)
{
	struct file_system_info info = {
		.type = in_pts(start) ? PSEUDO_MAGIC : DEVICE_MAGIC, .block_size = 4096, .name_max = 255,
		.device = in_pts(start) ? PSEUDO_FILES_DEVICE : terminal_device_number,
	};
	memcpy(request->reply_buffer, &info, sizeof info);
	server_reply_bytes(request, request->reply_buffer, sizeof info);
	return 0;
}

static int64_t do_name(struct server_request *request, uint64_t node)
{
	char *name = (char *)request->reply_buffer;
	int length = node >= NODE_PSEUDO ? snprintf(name, 64, "/dev/pts/%u", (unsigned)(node - NODE_PSEUDO)) :
		snprintf(name, 64, "/dev%s%s%s", in_pts(node) ? "/pts" : "", nodes[node].name[0] ? "/" : "", nodes[node].name);
	request->reply_word[1] = server_reply_bytes(request, name, (size_t)length);
	return 0;
}

int64_t terminal_request(void *context, struct server_request *request)
{
	(void)context;
	uint64_t word = request->port_data, operation = request->word[0], start = word == FILE_PORT_PSEUDO ? NODE_PTS : NODE_ROOT;
	if (operation >= TERMINAL_SET_WINDOW)
		return privileged(request);
	if (word & (NODE_WORD | OPEN_WORD)) {
		start = WORD_NODE(word);
		if (start < NODE_ROOT || (start >= NODES && (start < NODE_PSEUDO || start >= NODE_PSEUDO + PSEUDO_MAX)))
			return -ESTALE;
		struct terminal *terminal = start >= NODE_PSEUDO ? named(start) : NULL;
		if ((word & NODE_WORD) && start >= NODE_PSEUDO && (!terminal || terminal->pseudo->generation != WORD_GENERATION(word)))
			return -ENOENT; /* the name of a pair that is gone */
	}
	bool is_io = operation == FILE_READ || operation == FILE_WRITE || operation == FILE_IOCTL;
	if ((word & OPEN_WORD) && is_io)
		return open_request(open_of(word), request);
	switch (operation) {
	case FILE_READ:
	case FILE_WRITE: return -EBADF;
	case FILE_IOCTL: return -ENOTTY;
	case FILE_OPEN: return do_open(request, start);
	case FILE_WALK: return do_walk(request, start);
	case FILE_GETATTR: return do_getattr(request, start);
	case FILE_SETATTR: return do_setattr(request, start);
	case FILE_READDIR: return do_readdir(request, start);
	case FILE_STATFS: return do_statfs(request, start);
	case FILE_SYNC: keeper_begin_again(); return 0;
	case FILE_NAME: return do_name(request, start);
	case FILE_READLINK: return -EINVAL;
	case FILE_MAKE_DIRECTORY:
	case FILE_MAKE_NODE:
	case FILE_SYMLINK:
	case FILE_LINK:
	case FILE_UNLINK:
	case FILE_RENAME: return -EPERM;
	default: return -ENOSYS;
	}
}
