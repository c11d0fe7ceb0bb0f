/* Changing the mount table; see ns.h for who may. */
#include "private.h"

static void text_set(char *to, const char *text, size_t size)
{
	size_t length = strnlen(text, size - 1);
	memcpy(to, text, length);
	to[length] = 0;
}

/* Fills in the first mount: the root of everything. */
static int64_t mount_root(struct ns *ns, int32_t port, const char *type, int bind)
{
	struct file_attributes attributes;
	int64_t result = ns_attributes(port, 0, &attributes);
	if (result < 0)
		return result;
	int32_t old = ns->mount[0].port;
	ns->mount[0] = (struct record_mount){ .root_device = attributes.device, .root_qid = attributes.qid, .port = port, .parent = -1,
		.parent_port = HANDLE_NONE, .flags = bind ? NS_MOUNT_BIND : 0, .path = "/" };
	text_set(ns->mount[0].type, type, sizeof ns->mount[0].type);
	if (ns->mount_count == 0)
		ns->mount_count = 1;
	if (old >= 0 && old != port)
		handle_close(old);
	return 0;
}

/* The last component of a physical path: where it starts. */
static size_t name_start(const char *text)
{
	size_t start = strlen(text);
	while (start && text[start - 1] != '/')
		start--;
	return start;
}

int64_t ns_mount(struct ns *ns, struct ns_walk *scratch, const char *path, int32_t port, const char *type, int bind, int replace)
{
	struct file_attributes place, root;
	char text[RECORD_PATH];

	if (path[0] == '/' && path[1] == 0 && (ns->mount[0].port < 0 || replace))
		return mount_root(ns, port, type, bind);
	int64_t result = ns_attributes(port, 0, &root);
	if (result < 0)
		return result;
	result = ns_walk_begin(ns, scratch, NS_WORKING_DIRECTORY, path, strlen(path), 0, 0);
	if (result == 0)
		result = ns_walk_to_node(scratch, NULL, NULL);
	if (result == 0)
		result = ns_attributes(scratch->base, 0, &place);
	if (result == 0)
		result = ns_walk_text(scratch, text, sizeof text);
	int32_t standing = scratch->mount;
	int at_root = standing >= 0 && ns_is_root(ns, standing, place.device, place.qid);
	ns_walk_end(scratch);
	if (result < 0)
		return result;
	if (standing < 0)
		return -EINVAL;
	if (replace && at_root && standing > 0) {
		struct record_mount *mount = &ns->mount[standing];
		int32_t old = mount->port;
		/* mounts inside the replaced tree are known by identity: they show again if the new server has these nodes */
		for (uint32_t i = 0; i < ns->mount_count; i++)
			if (ns->mount[i].parent == standing && ns->mount[i].parent_port == old)
				ns->mount[i].parent_port = port;
		mount->root_device = root.device;
		mount->root_qid = root.qid;
		mount->port = port;
		mount->flags = bind ? NS_MOUNT_BIND : 0;
		text_set(mount->type, type, sizeof mount->type);
		if (old != port)
			handle_close(old);
		return 0;
	}
	if (ns->mount_count == RECORD_MOUNTS)
		return -ENOSPC;

	struct record_mount *mount = &ns->mount[ns->mount_count];
	*mount = (struct record_mount){ .device = place.device, .qid = place.qid, .root_device = root.device, .root_qid = root.qid,
		.port = port, .parent = standing, .parent_port = HANDLE_NONE, .flags = bind ? NS_MOUNT_BIND : 0 };
	text_set(mount->path, text, sizeof mount->path);
	text_set(mount->type, type, sizeof mount->type);
	if (at_root) {
		/* on top of another mount's root (or the root): ".." from here is ".." from there */
		mount->parent = ns->mount[standing].parent;
		mount->parent_port = ns->mount[standing].parent_port;
		if (mount->parent < 0) {
			mount->parent = 0;
			mount->parent_port = ns->mount[0].port;
		}
		if (mount->parent_port >= 0 && mount->parent_port != ns->mount[mount->parent].port) {
			result = handle_duplicate(mount->parent_port, HANDLE_HIGH, 0, 0);
			if (result < 0)
				return result;
			mount->parent_port = (int32_t)result;
		}
		ns->mount_count++;
		return 0;
	}
	/* the directory that holds the place, by its physical path */
	size_t start = name_start(text);
	result = ns_walk_begin(ns, scratch, NS_WORKING_DIRECTORY, text, start, 0, 0);
	uint64_t qid = 0;
	if (result == 0)
		result = ns_walk_to_node(scratch, &qid, NULL);
	if (result == 0) {
		mount->parent = scratch->mount;
		if (scratch->mount >= 0 && ns->mount[scratch->mount].root_qid == qid) {
			mount->parent_port = ns->mount[scratch->mount].port; /* shared: see ns_unmount */
		} else {
			mount->parent_port = scratch->base;
			scratch->owned = scratch->base = HANDLE_NONE;
		}
	}
	ns_walk_end(scratch);
	if (result < 0)
		return result;
	if (mount->parent < 0)
		return -EINVAL;
	ns->mount_count++;
	return 0;
}

int64_t ns_unmount(struct ns *ns, struct ns_walk *scratch, const char *path)
{
	struct file_attributes attributes;
	int64_t result = ns_walk_begin(ns, scratch, NS_WORKING_DIRECTORY, path, strlen(path), 0, 0);
	if (result == 0)
		result = ns_walk_to_node(scratch, NULL, NULL);
	if (result == 0)
		result = ns_attributes(scratch->base, 0, &attributes);
	int32_t index = scratch->mount;
	ns_walk_end(scratch);
	if (result < 0)
		return result;
	if (index < 0 || !ns_is_root(ns, index, attributes.device, attributes.qid))
		return -EINVAL;
	if (index == 0 || ns->directory_mount == index)
		return -EBUSY;
	for (uint32_t i = 1; i < ns->mount_count; i++)
		if ((int32_t)i != index && (ns->mount[i].parent == index ||
			(ns->mount[i].device == attributes.device && ns->mount[i].qid == attributes.qid)))
			return -EBUSY;
	struct record_mount *mount = &ns->mount[index];
	if (mount->parent_port >= 0 && mount->parent_port != ns->mount[mount->parent].port)
		handle_close(mount->parent_port);
	handle_close(mount->port);
	for (uint32_t i = (uint32_t)index; i + 1 < ns->mount_count; i++)
		ns->mount[i] = ns->mount[i + 1];
	ns->mount_count--;
	for (uint32_t i = 1; i < ns->mount_count; i++)
		if (ns->mount[i].parent > index)
			ns->mount[i].parent--;
	if (ns->directory_mount > index)
		ns->directory_mount--;
	return 0;
}
