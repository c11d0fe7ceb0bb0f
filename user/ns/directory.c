/* The working directory, its physical path, and the state that walks share. */
#include "private.h"

#define ENTRIES_PER_CLIMB_MAX 1000000u /* a hostile server's directory must not hold us for ever */
#define CLIMB_MAX 2048

void ns_lock(struct ns *ns)
{
	uint32_t expected = 0;
	if (__atomic_compare_exchange_n(&ns->lock, &expected, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return;
	/* an interrupt makes futex_wait return at once until it is handled, which is after this: yield then */
	while (__atomic_exchange_n(&ns->lock, 2, __ATOMIC_ACQUIRE) != 0)
		if (futex_wait((uintptr_t)&ns->lock, 2, DEADLINE_NEVER, FUTEX_ANY_BITS, 0) == -EINTR)
			thread_yield();
}

void ns_unlock(struct ns *ns)
{
	if (__atomic_exchange_n(&ns->lock, 0, __ATOMIC_RELEASE) == 2)
		futex_wake((uintptr_t)&ns->lock, 1, FUTEX_ANY_BITS, 0);
}

/* -- records */

static int text_bounded(const char *text, size_t size)
{
	return memchr(text, 0, size) != NULL;
}

int64_t ns_start(struct ns *ns, const struct process_record *record)
{
	uint32_t count = record->mount_count;
	if (count > RECORD_MOUNTS || !text_bounded(record->directory_path, sizeof record->directory_path))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		const struct record_mount *mount = &record->mount[i];
		if (mount->parent >= (int32_t)count || (i > 0 && mount->parent < 0) || !text_bounded(mount->path, sizeof mount->path) ||
			!text_bounded(mount->type, sizeof mount->type))
			return -EINVAL;
	}
	if (record->directory_mount >= (int32_t)count && record->directory_port >= HANDLE_HIGH)
		return -EINVAL;
	ns->lock = ns->walkers = ns->retired_count = 0;
	ns->mount_count = count;
	memcpy(ns->mount, record->mount, count * sizeof ns->mount[0]);
	if (count == 0) { /* servers start with an empty namespace: every walk from the root then fails with EBADF */
		ns->mount[0] = (struct record_mount){ .port = HANDLE_NONE, .parent = -1, .parent_port = HANDLE_NONE };
		ns->mount_count = 1;
	}
	ns->directory_port = record->directory_port;
	/* zero stands for "none" in a record that nobody filled in: no port has a number below HANDLE_HIGH */
	if (ns->directory_port < HANDLE_HIGH)
		ns->directory_port = HANDLE_NONE;
	ns->directory_mount = ns->directory_port < 0 ? 0 : record->directory_mount;
	ns->directory_qid = 0;
	ns->directory_qid_known = 0;
	memcpy(ns->directory_path, record->directory_path, sizeof ns->directory_path);
	if (ns->directory_port < 0 || ns->directory_path[0] != '/') {
		ns->directory_path[0] = ns->directory_port < 0 ? '/' : 0;
		ns->directory_path[1] = 0;
	}
	return 0;
}

void ns_record_write(struct ns *ns, struct process_record *record)
{
	ns_lock(ns);
	record->directory_port = ns->directory_port;
	record->directory_mount = ns->directory_mount;
	memcpy(record->directory_path, ns->directory_path, sizeof record->directory_path);
	record->mount_count = ns->mount[0].port < 0 ? 0 : ns->mount_count;
	memcpy(record->mount, ns->mount, sizeof record->mount);
	ns_unlock(ns);
}

void ns_fork_prepare(struct ns *ns) { ns_lock(ns); }
void ns_fork_parent(struct ns *ns) { ns_unlock(ns); }

void ns_fork_child(struct ns *ns)
{
	/* the copied table holds the retired ports too, and nobody walks here */
	ns->lock = 0;
	ns->walkers = 0;
	while (ns->retired_count)
		handle_close(ns->retired[--ns->retired_count]);
}

/* -- the working directory */

int64_t ns_set_directory(struct ns *ns, struct ns_walk *walk, uint64_t qid)
{
	char text[RECORD_PATH];
	int temporary = 0;
	int32_t port = walk->owned;

	if (walk->described || walk->base != walk->owned || port < 0) {
		/* the base is someone else's: take a reference of our own */
		int64_t own = ns_walk_port(walk, &temporary);
		if (own >= 0 && !temporary)
			own = handle_duplicate((int32_t)own, HANDLE_HIGH, 0, 0);
		if (own < 0)
			return own;
		port = (int32_t)own;
		temporary = 1;
	}
	if (ns_walk_text(walk, text, sizeof text) < 0)
		text[0] = 0;
	ns_lock(ns);
	int32_t old = ns->directory_port;
	if (old >= 0 && ns->walkers) {
		if (ns->retired_count == NS_RETIRED_MAX) {
			ns_unlock(ns);
			if (temporary)
				handle_close(port);
			return -ENOMEM;
		}
		ns->retired[ns->retired_count++] = old;
		old = HANDLE_NONE;
	}
	ns->directory_port = port;
	ns->directory_mount = walk->mount;
	ns->directory_qid = qid;
	ns->directory_qid_known = 1;
	memcpy(ns->directory_path, text, sizeof ns->directory_path);
	ns_unlock(ns);
	if (!temporary) {
		walk->owned = HANDLE_NONE;
		walk->base = HANDLE_NONE;
	}
	if (old >= 0)
		handle_close(old);
	return 0;
}

/* Does text still lead to the node with this identity? One message for most. */
static int text_leads_to(struct ns *ns, struct ns_walk *walk, const char *text, uint64_t device, uint64_t qid)
{
	struct message message = { .word = { FILE_GETATTR } };
	const struct file_attributes *attributes = (const struct file_attributes *)walk->reply;
	int64_t result = ns_walk_begin(ns, walk, NS_WORKING_DIRECTORY, text, strlen(text), FILE_NO_FOLLOW, 0);

	if (result == 0)
		result = ns_walk_call(walk, &message, 0);
	int same = result == 0 && message.receive_size == sizeof *attributes && attributes->device == device && attributes->qid == qid;
	ns_walk_end(walk);
	return same;
}

int64_t ns_get_directory(struct ns *ns, struct ns_walk *scratch, char *buffer, size_t size)
{
	char text[RECORD_PATH];
	struct file_attributes attributes;

	int64_t result = ns_walk_begin(ns, scratch, NS_WORKING_DIRECTORY, "", 0, 0, 1);
	if (result == 0)
		result = ns_attributes(scratch->base, 0, &attributes);
	ns_lock(ns);
	memcpy(text, ns->directory_path, sizeof text);
	ns_unlock(ns);
	ns_walk_end(scratch);
	if (result < 0)
		return result;
	if (attributes.links == 0)
		return -ENOENT;
	if (text[0] == '/' && (text[1] == 0 || text_leads_to(ns, scratch, text, attributes.device, attributes.qid))) {
		size_t length = strlen(text);
		if (length >= size)
			return -ERANGE;
		memcpy(buffer, text, length + 1);
		return (int64_t)length;
	}
	result = ns_walk_begin(ns, scratch, NS_WORKING_DIRECTORY, "", 0, 0, 1);
	if (result == 0)
		result = ns_climb(scratch, buffer, size);
	ns_walk_end(scratch);
	return result;
}

/* Finds the name of node qid in the directory behind port. name holds 256 bytes. Its length or an error. */
static int64_t name_in(int32_t port, uint64_t qid, uint8_t *entries, size_t entries_size, char *name)
{
	uint64_t cookie = 0;
	for (uint32_t seen = 0; seen < ENTRIES_PER_CLIMB_MAX;) {
		struct message message = { .word = { FILE_READDIR, cookie }, .receive_address = (uintptr_t)entries, .receive_size = entries_size };
		int64_t result = ns_message(port, 0, &message);
		if (result < 0)
			return result;
		size_t bytes = message.word[1];
		if (bytes == 0)
			return -ENOENT;
		if (bytes > entries_size || bytes > message.receive_size)
			return -EIO;
		for (size_t at = 0; at < bytes; seen++) {
			const struct file_entry *entry = (const struct file_entry *)(entries + at);
			if (bytes - at < sizeof *entry || entry->record_length < sizeof *entry || entry->record_length > bytes - at ||
				entry->record_length % 8 || entry->name_length > entry->record_length - sizeof *entry || entry->name_length > 255)
				return -EIO;
			int dots = entry->name[0] == '.' && (entry->name_length == 1 || (entry->name_length == 2 && entry->name[1] == '.'));
			if (entry->qid == qid && !dots && entry->name_length) {
				memcpy(name, entry->name, entry->name_length);
				return entry->name_length;
			}
			cookie = entry->cookie;
			at += entry->record_length;
		}
	}
	return -EIO;
}

int64_t ns_climb(struct ns_walk *walk, char *buffer, size_t size)
{
	const struct ns *ns = walk->ns;
	struct file_attributes attributes;
	size_t start = size; /* names are collected from the buffer's end */

	int64_t result = ns_walk_identify(walk);
	if (result == 0)
		result = ns_attributes(walk->base, walk->described, &attributes);
	if (result < 0)
		return result;
	uint64_t qid = attributes.qid;
	if (size < 2)
		return -ERANGE;
	buffer[--start] = 0;
	for (int depth = 0; depth < CLIMB_MAX; depth++) {
		char name[256];
		int32_t mount = walk->mount;
		if (mount < 0)
			return -ENOENT;
		int at_root = ns->mount[mount].root_qid == qid;
		if (at_root && mount == 0) {
			if (buffer[start] == 0)
				buffer[--start] = '/';
			memmove(buffer, buffer + start, size - start);
			return (int64_t)(size - start - 1);
		}
		uint64_t wanted = at_root ? ns->mount[mount].qid : qid;
		walk->at_root = (uint8_t)at_root;
		memcpy(walk->path, "..", 3);
		walk->path_length = 2;
		walk->empty = 0;
		result = ns_walk_to_node(walk, &qid, NULL);
		if (result < 0)
			return result;
		int64_t length = name_in(walk->base, wanted, walk->reply, sizeof walk->reply, name);
		if (length < 0)
			return length;
		if ((size_t)length + 1 > start)
			return -ERANGE;
		start -= (size_t)length;
		memcpy(buffer + start, name, (size_t)length);
		buffer[--start] = '/';
	}
	return -ELOOP;
}
