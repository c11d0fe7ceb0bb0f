/*
 * Puts the archive's members into the tree. Whole pages of a file are shared with the archive, copy on write; the last partial page is
 * copied, because what follows it in the archive must not show when the file grows. Missing parent directories are made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "lib/cpio/cpio.h"
#include "archive.h"
#include "content.h"

/* Hard links of the archive: members with one inode number share a node */
struct inode_map { uint64_t inode; struct node *node; };
static struct inode_map *inode_maps;
static size_t inode_map_count, inode_map_room;

static struct node *inode_find(uint64_t inode)
{
	for (size_t i = 0; i < inode_map_count; i++)
		if (inode_maps[i].inode == inode)
			return inode_maps[i].node;
	return NULL;
}

static void inode_remember(uint64_t inode, struct node *node)
{
	if (inode_map_count == inode_map_room) {
		size_t room = inode_map_room ? inode_map_room * 2 : 32;
		struct inode_map *more = realloc(inode_maps, room * sizeof *more);
		if (!more)
			return; /* the next link becomes a copy */
		inode_maps = more;
		inode_map_room = room;
	}
	inode_maps[inode_map_count++] = (struct inode_map){ inode, node };
}

/* The directory path names, made where missing. NULL and *error. */
static struct node *directory_at(const char *path, size_t length, int *error)
{
	struct node *directory = tree_root();
	for (size_t position = 0; position < length;) {
		size_t end = position;
		while (end < length && path[end] != '/')
			end++;
		struct node *child;
		if (end > position && tree_lookup(directory, path + position, end - position, &child) < 0) {
			child = node_create(S_IFDIR | 0755, error);
			if (!child)
				return NULL;
			*error = tree_link(directory, path + position, end - position, child);
			if (*error) {
				node_discard(child);
				return NULL;
			}
		}
		if (end > position) {
			if (!S_ISDIR(child->mode)) {
				*error = -ENOTDIR;
				return NULL;
			}
			directory = child;
		}
		position = end + 1;
	}
	return directory;
}

static int fill_file(struct node *node, handle_t archive, const unsigned char *bytes, const struct cpio_member *member)
{
	int64_t error = memobj_resize(node->content.memobj, member->size);
	uint64_t whole = member->offset % PAGE_SIZE ? 0 : member->size & ~(uint64_t)(PAGE_SIZE - 1);
	if (error >= 0 && whole)
		error = memobj_share(archive, member->offset, node->content.memobj, 0, whole);
	for (uint64_t done = whole; error >= 0 && done < member->size;) {
		int64_t part = memobj_write(node->content.memobj, done, bytes + member->offset + done, member->size - done);
		if (part <= 0)
			error = part < 0 ? part : -EIO;
		done += (uint64_t)(part > 0 ? part : 0);
	}
	return error < 0 ? (int)error : 0;
}

static struct node *make_node(handle_t archive, const unsigned char *bytes, const struct cpio_member *member, int *error)
{
	struct node *node;
	switch (member->mode & S_IFMT) {
	case S_IFDIR:
		return node_create(S_IFDIR | (member->mode & 07777), error);
	case S_IFLNK:
		return content_create_link((const char *)bytes + member->offset, member->size, error);
	case S_IFIFO:
	case S_IFSOCK:
		return node_create(member->mode & (S_IFMT | 07777), error);
	case S_IFREG:
		node = content_create_file(member->mode, error);
		if (node && (*error = fill_file(node, archive, bytes, member))) {
			node_discard(node);
			return NULL;
		}
		return node;
	default:
		*error = -EPERM;
		return NULL;
	}
}

static void set_attributes(struct node *node, const struct cpio_member *member)
{
	uint64_t time = member->modified * 1000000000ull;
	struct file_setattr set = {
		.valid = FILE_SET_MODE | FILE_SET_USER | FILE_SET_GROUP | FILE_SET_ACCESS_TIME | FILE_SET_MODIFY_TIME,
		.mode = member->mode, .user = member->user, .group = member->group, .access_time = time, .modify_time = time,
	};
	content_set_attributes(node, &set);
}

static int load_member(handle_t archive, const unsigned char *bytes, const struct cpio_member *member)
{
	int error = 0;
	const char *path = member->name;
	while (path[0] == '/' || (path[0] == '.' && (path[1] == '/' || path[1] == 0)))
		path++;
	size_t base = strlen(path);
	while (base && path[base - 1] == '/')
		base--;
	size_t end = base;
	while (base && path[base - 1] != '/')
		base--;
	if (end == base) { /* the root itself */
		set_attributes(tree_root(), member);
		return 0;
	}
	if (end - base > 255)
		return -ENAMETOOLONG;
	struct node *directory = directory_at(path, base, &error);
	if (!directory)
		return error;
	const char *name = path + base;
	struct node *node;
	if (tree_lookup(directory, name, end - base, &node) == 0) {
		if (S_ISDIR(node->mode) && S_ISDIR(member->mode)) { /* made earlier as a parent */
			set_attributes(node, member);
			return 0;
		}
		if (S_ISDIR(node->mode))
			return -EISDIR;
		tree_unlink(directory, name, end - base); /* a later member replaces an earlier one */
	}
	bool shared = S_ISREG(member->mode) && member->links > 1;
	node = shared ? inode_find(member->inode) : NULL;
	if (node) {
		if (member->size && (error = fill_file(node, archive, bytes, member))) /* newc keeps the content with the last link */
			return error;
		return tree_link(directory, name, end - base, node);
	}
	node = make_node(archive, bytes, member, &error);
	if (!node)
		return error;
	error = tree_link(directory, name, end - base, node);
	if (error) {
		node_discard(node);
		return error;
	}
	set_attributes(node, member);
	if (shared) {
		node_get(node); /* until the end of loading */
		inode_remember(member->inode, node);
	}
	return 0;
}

int archive_load(handle_t archive, uint64_t size)
{
	struct map_request map = { .length = size, .memobj = archive, .protection = PROTECT_READ, .low = 0x100000000ul, .high = VALUE_SPACE_START };
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		return (int)address;
	const unsigned char *bytes = (const unsigned char *)address;
	struct cpio_member member;
	size_t position = 0;
	int more, error = 0;
	while ((more = cpio_next(bytes, size, &position, &member)) > 0) {
		int failure = load_member(archive, bytes, &member);
		store_commit();
		if (failure) {
			server_log("archive: %s: error %d", member.name, -failure);
			error = failure;
		}
	}
	for (size_t i = 0; i < inode_map_count; i++)
		node_put(inode_maps[i].node);
	free(inode_maps);
	inode_maps = NULL;
	inode_map_count = inode_map_room = 0;
	space_unmap(HANDLE_SELF_SPACE, (uint64_t)address, size);
	return more < 0 ? more : error;
}
