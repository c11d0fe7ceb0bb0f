/* The walk of a path: see ns.h for the picture. */
#include "private.h"

#define TYPE_MASK 0170000u
#define TYPE_DIRECTORY 0040000u
#define OPEN_CREATE_NEW 0300u /* O_CREAT | O_EXCL */

/* the header and the path, and the path and the operation data, are sent as one range */
_Static_assert(offsetof(struct ns_walk, path) == offsetof(struct ns_walk, head) + sizeof((struct ns_walk *)0)->head, "head before path");
_Static_assert(offsetof(struct ns_walk, tail) == offsetof(struct ns_walk, path) + FILE_PATH_MAX, "tail after path");
_Static_assert(RECORD_MOUNTS < FILE_STOPS_MAX, "stops of all mounts and of a bound root fit");

int ns_covering(const struct ns *ns, uint64_t device, uint64_t qid)
{
	/* the latest mount on a place is the one that shows */
	for (int i = (int)ns->mount_count - 1; i > 0; i--)
		if (ns->mount[i].device == device && ns->mount[i].qid == qid)
			return i;
	return -1;
}

int ns_text_append(char *text, uint32_t *length, size_t size, const char *path, size_t path_length)
{
	size_t at = 0;
	while (at < path_length) {
		if (path[at] == '/') {
			at++;
			continue;
		}
		size_t end = at;
		while (end < path_length && path[end] != '/')
			end++;
		size_t count = end - at;
		if (count == 2 && path[at] == '.' && path[at + 1] == '.') {
			while (*length && text[--*length] != '/')
				;
		} else if (!(count == 1 && path[at] == '.')) {
			if (*length + 1 + count >= size)
				return 0;
			text[(*length)++] = '/';
			memcpy(text + *length, path + at, count);
			*length += (uint32_t)count;
		}
		at = end;
	}
	text[*length] = 0;
	return 1;
}

static void text_advance(struct ns_walk *walk, const char *path, size_t length)
{
	if (walk->text_valid && !ns_text_append(walk->text, &walk->text_length, sizeof walk->text, path, length))
		walk->text_valid = 0;
}

/* -- beginning and end */

static void base_release(struct ns_walk *walk)
{
	if (walk->owned >= 0)
		handle_close(walk->owned);
	walk->owned = HANDLE_NONE;
}

static void base_set(struct ns_walk *walk, int32_t port, int32_t mount, int at_root)
{
	base_release(walk);
	walk->base = port;
	walk->described = 0;
	walk->mount = mount;
	walk->at_root = (uint8_t)at_root;
}

static void base_set_root(struct ns_walk *walk)
{
	base_set(walk, walk->ns->mount[0].port, 0, 1);
	walk->text_valid = 1;
	walk->text_length = 0;
}

static void walk_clear(struct ns *ns, struct ns_walk *walk, uint32_t flags)
{
	walk->ns = ns;
	walk->base = walk->owned = HANDLE_NONE;
	walk->mount = NS_MOUNT_UNKNOWN;
	walk->described = walk->pinned = walk->at_root = walk->empty = 0;
	walk->links = 0;
	walk->flags = flags;
	walk->path_length = walk->second_length = 0;
	walk->second = NULL;
	walk->text_valid = walk->text_length = 0;
}

static int64_t path_take(struct ns_walk *walk, const char *path, size_t length)
{
	if (length >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(walk->path, path, length);
	walk->path[length] = 0;
	walk->path_length = (uint32_t)length;
	return 0;
}

static void base_set_working(struct ns_walk *walk)
{
	struct ns *ns = walk->ns;
	ns_lock(ns);
	if (ns->directory_port < 0) {
		base_set_root(walk);
	} else {
		ns->walkers++;
		walk->pinned = 1;
		base_set(walk, ns->directory_port, ns->directory_mount, 0);
		if (ns->directory_mount >= 0 && ns->directory_qid_known)
			walk->at_root = ns->directory_qid == ns->mount[ns->directory_mount].root_qid;
		walk->text_length = (uint32_t)strlen(ns->directory_path);
		walk->text_valid = walk->text_length > 0;
		if (walk->text_valid) {
			memcpy(walk->text, ns->directory_path, walk->text_length);
			if (walk->text_length == 1) /* "/" */
				walk->text_length = 0;
		}
	}
	ns_unlock(ns);
}

int64_t ns_walk_begin(struct ns *ns, struct ns_walk *walk, int32_t directory, const char *path, size_t length,
	uint32_t flags, int allow_empty)
{
	walk_clear(ns, walk, flags);
	int64_t error = path_take(walk, path, length);
	if (error < 0)
		return error;
	if (length == 0) {
		if (!allow_empty)
			return -ENOENT;
		walk->empty = 1;
	}
	if (length && walk->path[0] == '/') {
		base_set_root(walk);
	} else if (directory == NS_WORKING_DIRECTORY) {
		base_set_working(walk);
	} else {
		walk->base = directory;
		walk->described = 1;
	}
	return 0;
}

int64_t ns_walk_begin_port(struct ns *ns, struct ns_walk *walk, int32_t port, int32_t mount, const char *path, size_t length, uint32_t flags)
{
	walk_clear(ns, walk, flags);
	walk->base = port;
	walk->mount = mount;
	walk->empty = length == 0;
	return path_take(walk, path, length);
}

void ns_walk_end(struct ns_walk *walk)
{
	int32_t retired[NS_RETIRED_MAX];
	uint32_t count = 0;

	base_release(walk);
	if (!walk->pinned)
		return;
	walk->pinned = 0;
	struct ns *ns = walk->ns;
	ns_lock(ns);
	if (--ns->walkers == 0) {
		count = ns->retired_count;
		memcpy(retired, ns->retired, count * sizeof retired[0]);
		ns->retired_count = 0;
	}
	ns_unlock(ns);
	while (count)
		handle_close(retired[--count]);
}

/* -- one step */

static size_t component_end(const char *path, size_t length, size_t at)
{
	while (at < length && path[at] != '/')
		at++;
	return at;
}

static void path_drop(struct ns_walk *walk, size_t count)
{
	walk->path_length -= (uint32_t)count;
	memmove(walk->path, walk->path + count, walk->path_length + 1);
}

int64_t ns_walk_identify(struct ns_walk *walk)
{
	struct file_attributes attributes;

	if (walk->mount != NS_MOUNT_UNKNOWN)
		return 0;
	int64_t result = ns_attributes(walk->base, walk->described, &attributes);
	if (result < 0)
		return result;
	const struct ns *ns = walk->ns;
	walk->mount = NS_MOUNT_FOREIGN;
	for (uint32_t i = 0; i < ns->mount_count; i++)
		if (ns->mount[i].root_device == attributes.device) {
			walk->mount = (int32_t)i;
			walk->at_root = ns->mount[i].root_qid == attributes.qid;
			break;
		}
	return 0;
}

/* base is above what the mount holds: go on in the directory that contains the mounted place. */
static void climb_out(struct ns_walk *walk)
{
	const struct ns *ns = walk->ns;
	text_advance(walk, "..", 2);
	if (walk->mount <= 0) /* the root of all is its own parent; a foreign tree ends at its root */
		return;
	const struct record_mount *mount = &ns->mount[walk->mount];
	int32_t parent = mount->parent;
	if (parent < 0 || mount->parent_port < 0) {
		base_set(walk, ns->mount[0].port, 0, 1);
		return;
	}
	base_set(walk, mount->parent_port, parent, mount->parent_port == ns->mount[parent].port);
}

int64_t ns_walk_prepare(struct ns_walk *walk)
{
	for (;;) {
		size_t skip = 0;
		while (skip < walk->path_length && walk->path[skip] == '/')
			skip++;
		if (skip)
			path_drop(walk, skip);
		/* "." alone stays: the server tells whether the base is a directory */
		if (walk->path_length >= 2 && walk->path[0] == '.' && walk->path[1] == '/' && walk->path_length > 2) {
			size_t next = 1;
			while (next < walk->path_length && walk->path[next] == '/')
				next++;
			if (next < walk->path_length) {
				path_drop(walk, next);
				continue;
			}
		}
		if (!walk->at_root || component_end(walk->path, walk->path_length, 0) != 2 || walk->path[0] != '.' || walk->path[1] != '.')
			return 0;
		path_drop(walk, 2);
		climb_out(walk);
	}
}

/*
 * A mount whose root is not its server's root: a path that would climb above it is cut where it does, so that the server is
 * only asked up to there. Returns the length to send. Links in the part sent stop the walk, so counting names is exact.
 */
static uint32_t bounded_length(const struct ns_walk *walk)
{
	const struct ns *ns = walk->ns;
	if (!walk->at_root || walk->mount < 0 || !(ns->mount[walk->mount].flags & NS_MOUNT_BIND))
		return walk->path_length;
	int depth = 0;
	for (size_t at = 0; at < walk->path_length;) {
		size_t end = component_end(walk->path, walk->path_length, at);
		size_t count = end - at;
		if (count == 2 && walk->path[at] == '.' && walk->path[at + 1] == '.') {
			if (--depth < 0)
				return (uint32_t)at;
		} else if (count && !(count == 1 && walk->path[at] == '.')) {
			depth++;
		}
		at = end + 1;
	}
	return walk->path_length;
}

/* Builds header, stops, path and data as one range; returns where it starts, *size its length. */
static uint8_t *range_build(struct ns_walk *walk, uint32_t path_length, uint64_t *size)
{
	const struct ns *ns = walk->ns;
	struct file_path header = { .path_length = path_length, .second_length = walk->second_length, .flags = walk->flags };
	uint64_t stop[FILE_STOPS_MAX];

	if (walk->mount != NS_MOUNT_FOREIGN)
		for (uint32_t i = 1; i < ns->mount_count; i++)
			if (walk->mount == NS_MOUNT_UNKNOWN || ns->mount[i].device == ns->mount[walk->mount].root_device)
				stop[header.stop_count++] = ns->mount[i].qid;
	if (walk->mount > 0 && !walk->at_root && ns->mount[walk->mount].flags & NS_MOUNT_BIND)
		stop[header.stop_count++] = ns->mount[walk->mount].root_qid;
	size_t stops = header.stop_count * sizeof stop[0];
	uint8_t *start = (uint8_t *)walk + offsetof(struct ns_walk, path) - stops - sizeof header;
	memcpy(start, &header, sizeof header);
	memcpy(start + sizeof header, stop, stops);
	if (walk->second_length)
		memcpy(start + sizeof header + stops + path_length, walk->second, walk->second_length);
	*size = sizeof header + stops + path_length + walk->second_length;
	return start;
}

#define ROOM_SMALL 512u /* what the kernel carries without pinning pages: enough for all but long links and lists */

static int64_t send(struct ns_walk *walk, struct message *message, uint32_t path_length, uint64_t room, uint32_t options)
{
	uint64_t size;
	char kept = walk->path[path_length]; /* operation data may overwrite it; more only behind whole paths */

	uint8_t *start = range_build(walk, path_length, &size);
	message->send_address = (uintptr_t)start;
	message->send_size = size;
	message->receive_address = (uintptr_t)walk->reply;
	message->receive_size = room;
	int64_t result = ns_call(walk->base, walk->described, message, options);
	walk->path[path_length] = kept;
	return result;
}

static void reply_handles_close(struct message *message)
{
	for (uint32_t i = 0; i < message->handle_count && i < MESSAGE_HANDLES; i++)
		if (message->handle[i] >= 0)
			handle_close(message->handle[i]);
	message->handle_count = 0;
}

static int64_t advance_link(struct ns_walk *walk, size_t consumed, const char *target, size_t target_length)
{
	size_t end = component_end(walk->path, walk->path_length, consumed);
	size_t rest = walk->path_length - end;
	if (end == consumed)
		return -EIO;
	if (++walk->links > NS_LINKS_MAX)
		return -ELOOP;
	if (target_length == 0)
		return -ENOENT;
	size_t keep = consumed;
	if (target[0] == '/')
		keep = 0;
	if (keep + target_length + rest >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	memmove(walk->path + keep + target_length, walk->path + end, rest + 1);
	memcpy(walk->path + keep, target, target_length);
	walk->path_length = (uint32_t)(keep + target_length + rest);
	if (target[0] == '/')
		base_set_root(walk);
	return 0;
}

static int64_t advance_mount(struct ns_walk *walk, size_t consumed, uint64_t qid)
{
	const struct ns *ns = walk->ns;
	if (walk->mount < 0 || consumed == 0)
		return -EIO;
	int covering = ns_covering(ns, ns->mount[walk->mount].root_device, qid);
	if (covering < 0) {
		/* back at the root of a bound directory: known ground again */
		if (ns->mount[walk->mount].root_qid != qid)
			return -EIO;
		covering = walk->mount;
	}
	for (;;) { /* what was mounted may be covered itself */
		int next = ns_covering(ns, ns->mount[covering].root_device, ns->mount[covering].root_qid);
		if (next < 0 || next <= covering)
			break;
		covering = next;
	}
	text_advance(walk, walk->path, consumed);
	size_t rest = walk->path_length - consumed;
	path_drop(walk, consumed);
	base_set(walk, ns->mount[covering].port, covering, 1);
	if (rest) {
		size_t name = 0;
		while (name < walk->path_length && walk->path[name] == '/')
			name++;
		if (name == walk->path_length) { /* "place/": the mounted node must be a directory */
			walk->path[0] = '.';
			walk->path[1] = 0;
			walk->path_length = 1;
		}
	}
	return 0;
}

int64_t ns_walk_advance(struct ns_walk *walk, const struct message *message, const void *range, uint32_t range_size)
{
	size_t consumed = message->word[2];
	if (message->word[2] > walk->path_length)
		return -EIO;
	if (message->word[1] == FILE_STOP_LINK)
		return advance_link(walk, consumed, range, range_size);
	if (walk->mount == NS_MOUNT_UNKNOWN)
		return ns_walk_identify(walk); /* now with the right stops */
	if (message->word[1] == FILE_STOP_MOUNT)
		return advance_mount(walk, consumed, message->word[3]);
	if (message->word[1] != FILE_STOP_ROOT)
		return -EIO;
	size_t end = component_end(walk->path, walk->path_length, consumed);
	if (end - consumed != 2 || walk->path[consumed] != '.' || walk->path[consumed + 1] != '.')
		return -EIO;
	if (walk->mount == NS_MOUNT_FOREIGN) {
		/* a foreign tree ends at its root, of which there is no port: leave out this "..", what precedes it leads there */
		memmove(walk->path + consumed, walk->path + end, walk->path_length - end + 1);
		walk->path_length -= 2;
		walk->text_valid = 0;
		return 0;
	}
	text_advance(walk, walk->path, consumed);
	path_drop(walk, end);
	if (walk->mount == 0)
		base_set(walk, walk->ns->mount[0].port, 0, 1);
	climb_out(walk);
	return 0;
}

/*
 * The path ended at a node that another port answers for: ask that one, with an empty path. It may wait for long (a FIFO, a terminal),
 * so interruptibly: nothing has been changed yet.
 */
static int64_t forward(struct ns_walk *walk, struct message *message, const struct message *request)
{
	struct file_path header = { .second_length = walk->second_length, .flags = walk->flags };
	int32_t port = message->handle_count == 1 ? message->handle[0] : HANDLE_NONE;
	if (port < 0) {
		reply_handles_close(message);
		return -EIO;
	}
	uint8_t *start = (uint8_t *)walk + offsetof(struct ns_walk, path) - sizeof header;
	memcpy(start, &header, sizeof header);
	if (walk->second_length)
		memmove(start + sizeof header, walk->second, walk->second_length);
	*message = *request;
	message->send_address = (uintptr_t)start;
	message->send_size = sizeof header + walk->second_length;
	message->receive_address = (uintptr_t)walk->reply;
	message->receive_size = sizeof walk->reply;
	int64_t result = ns_call(port, 0, message, CALL_INTERRUPTIBLE);
	handle_close(port);
	if (result < 0)
		return result;
	if (message->receive_size > sizeof walk->reply || message->word[0] == FILE_WALK_STOPPED) {
		reply_handles_close(message);
		return -EIO;
	}
	return 0;
}

/* What Linux answers when the path names no entry of a directory: the root, or a mount point. */
static int64_t empty_answer(const struct ns_walk *walk, const struct message *message)
{
	if (walk->path_length || walk->empty)
		return 0;
	switch (message->word[0]) {
	case FILE_MAKE_DIRECTORY: case FILE_MAKE_NODE: case FILE_SYMLINK: case FILE_LINK:
		return -EEXIST;
	case FILE_UNLINK:
		return message->word[1] & 1 ? -EBUSY : -EISDIR;
	case FILE_RENAME:
		return -EBUSY;
	case FILE_OPEN:
		return (message->word[1] & OPEN_CREATE_NEW) == OPEN_CREATE_NEW ? -EEXIST : 0;
	default:
		return 0;
	}
}

int64_t ns_walk_step(struct ns_walk *walk, struct message *message, uint32_t options)
{
	int64_t result = ns_walk_prepare(walk);
	if (result < 0)
		return result;
	result = empty_answer(walk, message);
	if (result < 0)
		return result;
	if (walk->second_length >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	uint32_t length = bounded_length(walk);
	if (length < walk->path_length) {
		/* the part that stays inside the bound mount ends at its root again */
		struct message inner = { .word = { FILE_WALK } };
		uint32_t second_length = walk->second_length;
		walk->second_length = 0;
		result = send(walk, &inner, length, sizeof walk->reply, 0);
		walk->second_length = second_length;
		if (result < 0)
			return result;
		reply_handles_close(&inner);
		if ((int64_t)inner.word[0] < 0)
			return (int64_t)inner.word[0];
		if (inner.word[0] == FILE_WALK_STOPPED) {
			result = ns_walk_advance(walk, &inner, walk->reply, (uint32_t)inner.receive_size);
			return result < 0 ? result : 1;
		}
		text_advance(walk, walk->path, length);
		path_drop(walk, length);
		return 1;
	}
	const struct message request = *message;
	int small = request.word[0] == FILE_GETATTR || request.word[0] == FILE_OPEN || request.word[0] == FILE_WALK;
	result = send(walk, message, length, small ? ROOM_SMALL : sizeof walk->reply, options);
	if (result >= 0 && small && message->word[0] == FILE_WALK_STOPPED && message->receive_size == ROOM_SMALL) {
		/* A link's target that may have been cut: again, nothing was changed. */
		reply_handles_close(message);
		*message = request;
		result = send(walk, message, length, sizeof walk->reply, options);
	}
	if (result < 0)
		return result;
	if (message->receive_size > sizeof walk->reply)
		return -EIO;
	if (message->word[0] != FILE_WALK_STOPPED)
		return 0;
	if (message->word[1] == FILE_STOP_FORWARD)
		return forward(walk, message, &request);
	uint64_t range = message->receive_size;
	if (message->word[1] == FILE_STOP_LINK && message->handle_count) { /* a link to what is open somewhere */
		result = ns_name(walk->ns, message->handle[0], (char *)walk->reply, sizeof walk->reply);
		range = result < 0 ? 0 : (uint64_t)result;
	}
	reply_handles_close(message);
	if (request.word[0] == FILE_RENAME && message->word[4] == 1)
		return 2;
	result = ns_walk_advance(walk, message, walk->reply, (uint32_t)range);
	return result < 0 ? result : 1;
}

int64_t ns_walk_call(struct ns_walk *walk, struct message *message, uint32_t options)
{
	struct message request = *message;
	int64_t result;

	while ((result = ns_walk_step(walk, message, options)) > 0) {
		if (result == 2)
			return -EIO;
		*message = request;
	}
	if (result < 0)
		return result;
	result = (int64_t)message->word[0];
	if (result < 0)
		reply_handles_close(message);
	return result;
}

/* -- derived walks */

int64_t ns_walk_to_node(struct ns_walk *walk, uint64_t *qid, uint32_t *mode)
{
	struct message message = { .word = { FILE_WALK } };
	int64_t result = ns_walk_call(walk, &message, 0);

	if (result < 0)
		return result;
	if (message.handle_count != 1 || message.handle[0] < 0) {
		reply_handles_close(&message);
		return -EIO;
	}
	if (qid)
		*qid = message.word[1];
	if (mode)
		*mode = (uint32_t)message.word[2];
	text_advance(walk, walk->path, walk->path_length);
	int at_root = walk->mount >= 0 && walk->ns->mount[walk->mount].root_qid == message.word[1];
	base_set(walk, message.handle[0], walk->mount, at_root);
	walk->owned = message.handle[0];
	walk->path_length = 0;
	walk->path[0] = 0;
	walk->empty = 1;
	return 0;
}

int64_t ns_walk_to_parent(struct ns_walk *walk)
{
	char name[256 + 64];
	int64_t result = ns_walk_prepare(walk);
	if (result < 0)
		return result;
	size_t end = walk->path_length;
	while (end && walk->path[end - 1] == '/')
		end--;
	size_t start = end;
	while (start && walk->path[start - 1] != '/')
		start--;
	size_t length = walk->path_length - start;
	if (start == 0)
		return ns_walk_identify(walk); /* base is the parent */
	if (length >= sizeof name)
		return -ENAMETOOLONG;
	memcpy(name, walk->path + start, length);
	walk->path_length = (uint32_t)start;
	walk->path[start] = 0;
	uint32_t mode;
	result = ns_walk_to_node(walk, NULL, &mode);
	if (result < 0)
		return result;
	if ((mode & TYPE_MASK) != TYPE_DIRECTORY)
		return -ENOTDIR;
	walk->empty = 0;
	path_take(walk, name, length);
	return ns_walk_identify(walk);
}

int64_t ns_walk_port(struct ns_walk *walk, int *temporary)
{
	*temporary = walk->described;
	return walk->described ? description_client(walk->base) : walk->base;
}

int64_t ns_walk_text(const struct ns_walk *walk, char *buffer, size_t size)
{
	uint32_t length = walk->text_length;
	if (!walk->text_valid)
		return -ENOENT;
	if (length >= size)
		return -ERANGE;
	memcpy(buffer, walk->text, length);
	if (!ns_text_append(buffer, &length, size, walk->path, walk->path_length))
		return -ERANGE;
	if (length == 0) {
		if (size < 2)
			return -ERANGE;
		buffer[length++] = '/';
		buffer[length] = 0;
	}
	return length;
}

int64_t ns_name(const struct ns *ns, int32_t description, char *buffer, size_t size)
{
	const struct file_path path = { 0 };
	struct message message = { .word = { FILE_NAME }, .send_address = (uintptr_t)&path, .send_size = sizeof path,
		.receive_address = (uintptr_t)buffer, .receive_size = size };
	int64_t result = ns_message(description, 1, &message);
	if (result < 0)
		return result;
	uint64_t length = message.receive_size, prefix = 0;
	if (!length || length > size || length != message.word[1])
		return -ERANGE;
	for (uint32_t i = 1; i < ns->mount_count && message.word[2]; i++) {
		if (ns->mount[i].root_device != message.word[2] || (ns->mount[i].flags & NS_MOUNT_BIND))
			continue;
		prefix = strnlen(ns->mount[i].path, sizeof ns->mount[i].path);
		if (length == 1)
			length = 0; /* the mounted root itself */
		if (prefix + length > size)
			return -ERANGE;
		memmove(buffer + prefix, buffer, length);
		memcpy(buffer, ns->mount[i].path, prefix);
		break;
	}
	return (int64_t)(prefix + length);
}

int64_t ns_message(int32_t handle, int described, struct message *message)
{
	int64_t result = ns_call(handle, described, message, 0);
	if (result < 0)
		return result;
	reply_handles_close(message);
	return (int64_t)message->word[0];
}

int64_t ns_attributes(int32_t handle, int described, struct file_attributes *attributes)
{
	const struct file_path path = { 0 };
	struct message message = { .word = { FILE_GETATTR }, .send_address = (uintptr_t)&path, .send_size = sizeof path,
		.receive_address = (uintptr_t)attributes, .receive_size = sizeof *attributes };
	int64_t result = ns_message(handle, described, &message);
	if (result < 0)
		return result;
	return message.receive_size == sizeof *attributes ? 0 : -EIO;
}
