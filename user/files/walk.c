/* Paths walked with stops; see walk.h for the rules and file_protocol.h for what the caller makes of the result. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "user/files/walk.h"

int file_path_parse(const void *data, size_t size, struct file_path_request *request)
{
	memset(request, 0, sizeof *request);
	if (size == 0) {
		request->path = request->second = "";
		return 0;
	}
	struct file_path header;
	if (size < sizeof header)
		return -EINVAL;
	memcpy(&header, data, sizeof header);
	if (header.stop_count > FILE_STOPS_MAX)
		return -EINVAL;
	size_t stop_bytes = header.stop_count * sizeof(uint64_t);
	if (header.path_length >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	if (size - sizeof header != stop_bytes + header.path_length + (uint64_t)header.second_length)
		return -EINVAL;
	const unsigned char *rest = (const unsigned char *)data + sizeof header;
	request->stops = rest;
	request->stop_count = header.stop_count;
	request->path = (const char *)rest + stop_bytes;
	request->path_length = header.path_length;
	request->second = request->path + header.path_length;
	request->second_length = header.second_length;
	request->flags = header.flags;
	if (memchr(request->path, 0, request->path_length))
		return -EINVAL;
	return 0;
}

static bool is_stop(const struct file_path_request *request, uint64_t qid)
{
	for (uint32_t i = 0; i < request->stop_count; i++) {
		uint64_t stop;
		memcpy(&stop, request->stops + i * sizeof stop, sizeof stop);
		if (stop == qid)
			return true;
	}
	return false;
}

static int stopped(struct walk_result *result, enum file_stop stop, size_t consumed)
{
	result->stop = stop;
	result->consumed = consumed;
	return FILE_WALK_STOPPED;
}

int file_walk(const struct walk_operations *operations, void *context, uint64_t root, uint64_t start,
	const char *path, size_t path_length, const struct file_path_request *request, enum walk_intent intent, struct walk_result *result)
{
	if (intent == WALK_FOLLOW && (request->flags & FILE_NO_FOLLOW))
		intent = WALK_NO_FOLLOW;
	bool may_miss = intent == WALK_CREATE || intent == WALK_CREATE_FOLLOW;
	bool follow = intent == WALK_FOLLOW || intent == WALK_CREATE_FOLLOW;
	memset(result, 0, sizeof *result);
	result->last = WALK_LAST_NONE;

	uint64_t current = start;
	size_t position = 0;
	for (;;) {
		while (position < path_length && path[position] == '/')
			position++;
		if (position == path_length)
			break;
		size_t begin = position;
		while (position < path_length && path[position] != '/')
			position++;
		size_t end = position, length = end - begin;
		size_t after = end;
		while (after < path_length && path[after] == '/')
			after++;
		bool last = after == path_length;
		const char *name = path + begin;
		if (last)
			result->trailing_slash = end < path_length;
		result->parent = NODE_NONE;

		if (!S_ISDIR(operations->mode(context, current)))
			return -ENOTDIR;
		if (length == 1 && name[0] == '.') {
			result->last = WALK_LAST_DOT;
			continue;
		}
		if (length == 2 && name[0] == '.' && name[1] == '.') {
			if (current == root)
				return stopped(result, FILE_STOP_ROOT, begin);
			current = operations->parent(context, current);
			if (current == NODE_NONE)
				return -ENOENT;
			result->last = WALK_LAST_DOT_DOT;
			continue;
		}
		if (length > FILE_NAME_MAX)
			return -ENAMETOOLONG;

		uint64_t child = NODE_NONE;
		int error = operations->lookup(context, current, name, length, &child);
		if (error && !(error == -ENOENT && last && may_miss))
			return error;
		if (last) {
			result->last = WALK_LAST_NAME;
			result->parent = current;
			result->name = name;
			result->name_length = length;
		}
		if (error)
			return 0; /* missing, and may be: result->node is NODE_NONE */
		if (S_ISLNK(operations->mode(context, child)) &&
			(!last || follow || (result->trailing_slash && intent == WALK_NO_FOLLOW))) {
			result->link = child;
			return stopped(result, FILE_STOP_LINK, begin);
		}
		if (request->stop_count && is_stop(request, operations->qid(context, child))) {
			if (last && intent == WALK_REMOVE)
				result->covered = true;
			else {
				result->stop_qid = operations->qid(context, child);
				return stopped(result, FILE_STOP_MOUNT, end);
			}
		}
		current = child;
	}
	if (result->trailing_slash && !S_ISDIR(operations->mode(context, current)))
		return -ENOTDIR;
	result->node = current;
	return 0;
}
