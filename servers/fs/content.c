/*
 * Contents of nodes. A regular file's bytes are a growing memory object, which openers read and write without this server; so size, block
 * count and modification time come from the kernel. A time set by hand holds until the content changes again: content_stamp remembers the
 * object's own stamp at that moment, and a later stamp wins.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "content.h"
#include "fifo.h"

#define TMPFS_MAGIC 0x01021994u

uint64_t content_device_number = 1;
handle_t content_limit = HANDLE_NONE;
static uint64_t real_offset; /* real time - monotonic time */

uint64_t tree_now(void)
{
	return (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + real_offset;
}

void store_handle_close(handle_t handle)
{
	handle_close(handle);
}

static bool handle_is(handle_t handle, uint32_t kind)
{
	struct handle_info info;
	return handle >= 0 && handle_get(handle, &info) == 0 && info.kind == kind;
}

bool tree_content_is_sound(const struct node *node)
{
	if (node->is_device)
		return S_ISCHR(node->mode) && node->content.device >= FS_DEVICE_NULL && node->content.device <= FS_DEVICE_RANDOM;
	if (node->forward)
		return !S_ISDIR(node->mode) && !S_ISLNK(node->mode) && handle_is(node->content.port, KIND_CLIENT);
	if (node->channel)
		return S_ISFIFO(node->mode) && handle_is(node->content.channel.sender, KIND_SENDER) && handle_is(node->content.channel.receiver, KIND_RECEIVER);
	if (S_ISREG(node->mode))
		return handle_is(node->content.memobj, KIND_MEMOBJ);
	return !S_ISSOCK(node->mode) || node->content.port == HANDLE_NONE || handle_is(node->content.port, KIND_CLIENT);
}

void content_start(void)
{
	real_offset = store_word(STORE_REAL_OFFSET); /* a predecessor's: times that were told stay as they were */
	if (!real_offset)
		real_offset = (uint64_t)clock_get(CLOCK_REALTIME_ID) - (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
	store_set_word(STORE_REAL_OFFSET, real_offset);
}

void tree_content_release(struct node *node)
{
	if (node->is_device)
		return;
	if (node->forward || S_ISREG(node->mode) || S_ISSOCK(node->mode)) {
		if (node->content.memobj != HANDLE_NONE)
			store_handle_close_later(node->content.memobj);
	} else if (node->channel) {
		store_handle_close_later(node->content.channel.sender);
		store_handle_close_later(node->content.channel.receiver);
	} else if (S_ISFIFO(node->mode))
		fifo_destroy(node->content.fifo);
}

struct node *content_create_file(uint32_t mode, int *error)
{
	struct node *node = node_create(S_IFREG | (mode & 07777), error);
	if (!node)
		return NULL;
	int64_t memobj = content_limit == HANDLE_NONE ? memobj_create(0, MEMOBJ_GROW) : memobj_create_limited(0, MEMOBJ_GROW, content_limit);
	if (memobj < 0) {
		*error = memobj == -EMFILE ? -ENFILE : -ENOSPC;
		node_discard(node);
		return NULL;
	}
	node->content.memobj = (handle_t)memobj;
	return node;
}

struct node *content_create_link(const char *target, size_t length, int *error)
{
	struct node *node = node_create(S_IFLNK | 0777, error);
	if (!node)
		return NULL;
	*error = node_set_target(node, target, length);
	if (!*error)
		return node;
	node_discard(node);
	return NULL;
}

struct node *content_create_device(uint32_t mode, enum fs_device device, uint64_t special, int *error)
{
	struct node *node = node_create(S_IFCHR | (mode & 07777), error);
	if (!node)
		return NULL;
	node->is_device = true;
	node->content.device = device;
	node->special_device = special;
	return node;
}

static bool memobj_state(const struct node *node, struct memobj_info *info)
{
	memset(info, 0, sizeof *info);
	return S_ISREG(node->mode) && node->content.memobj != HANDLE_NONE && memobj_get(node->content.memobj, info) == 0;
}

int content_resize(struct node *node, uint64_t size)
{
	if (S_ISDIR(node->mode))
		return -EISDIR;
	if (!S_ISREG(node->mode))
		return -EINVAL;
	if (size > INT64_MAX)
		return -EFBIG;
	int64_t error = memobj_resize(node->content.memobj, size);
	return error == -ENOMEM ? -ENOSPC : (int)error;
}

void content_attributes(struct node *node, struct file_attributes *attributes)
{
	memset(attributes, 0, sizeof *attributes);
	attributes->device = content_device_number;
	attributes->qid = node->inode;
	attributes->mode = node->mode;
	attributes->links = node->links;
	attributes->user = node->user;
	attributes->group = node->group;
	attributes->block_size = PAGE_SIZE;
	attributes->special_device = node->special_device;
	attributes->access_time = node->access_time;
	attributes->modify_time = node->modify_time;
	attributes->change_time = node->change_time;
	attributes->birth_time = node->birth_time;
	struct memobj_info info;
	if (memobj_state(node, &info)) {
		attributes->size = info.size;
		attributes->blocks = info.pages * (PAGE_SIZE / 512);
		if (info.modified > node->content_stamp) {
			uint64_t changed = info.modified + real_offset;
			attributes->modify_time = changed;
			if (changed > attributes->change_time)
				attributes->change_time = changed;
		}
	} else if (S_ISLNK(node->mode))
		attributes->size = node->content.symlink.length;
	else if (S_ISDIR(node->mode))
		attributes->size = (node->content.directory.count + 2) * 20;
}

int content_set_attributes(struct node *node, const struct file_setattr *set)
{
	if (set->valid & FILE_SET_SIZE) {
		int error = content_resize(node, set->size);
		if (error)
			return error;
	}
	uint64_t now = tree_now();
	if (set->valid & FILE_SET_MODE)
		node->mode = (node->mode & S_IFMT) | (set->mode & 07777);
	if (set->valid & FILE_SET_USER)
		node->user = set->user;
	if (set->valid & FILE_SET_GROUP)
		node->group = set->group;
	if (set->valid & FILE_SET_ACCESS_TIME)
		node->access_time = set->access_time;
	if (set->valid & FILE_SET_ACCESS_NOW)
		node->access_time = now;
	if (set->valid & (FILE_SET_MODIFY_TIME | FILE_SET_MODIFY_NOW)) {
		struct memobj_info info;
		node->modify_time = set->valid & FILE_SET_MODIFY_NOW ? now : set->modify_time;
		if (memobj_state(node, &info))
			node->content_stamp = info.modified;
	}
	node->change_time = now;
	node_changed(node);
	return 0;
}

void content_system_info(struct file_system_info *info)
{
	struct budget_info limit = {0};
	struct system_info system = {0};
	system_get(&system);
	if (content_limit == HANDLE_NONE || budget_get(content_limit, &limit) < 0)
		limit.pages_limit = limit.pages_used + system.pages_free;
	memset(info, 0, sizeof *info);
	info->type = TMPFS_MAGIC;
	info->block_size = PAGE_SIZE;
	info->blocks = limit.pages_limit;
	info->blocks_free = limit.pages_limit - limit.pages_used;
	if (info->blocks_free > system.pages_free)
		info->blocks_free = system.pages_free;
	/* the bytes kept for nodes and names may end before the number of nodes */
	uint64_t room = store_room() / (store_cost(STORE_NODE) + store_cost(STORE_NAME_SHORT)), nodes = tree_node_limit() - tree_node_count();
	info->files_free = room < nodes ? room : nodes;
	info->files = tree_node_count() + info->files_free;
	info->name_max = 255;
	info->device = content_device_number;
}
