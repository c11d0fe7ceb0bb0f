/*
 * The server's side of paths: struct file_path requests taken apart and walked as file_protocol.h says.
 *
 * A server's nodes are 64-bit words of its own choosing (a pointer, a table index, an inode number); NODE_NONE stands for no node.
 * The walk asks the server four questions about them and changes nothing. It has no state, does not allocate and cannot block.
 */
#ifndef CARILLON_FILES_WALK_H
#define CARILLON_FILES_WALK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "carillon/file_protocol.h"

#define NODE_NONE 0ul
#define FILE_NAME_MAX 255

struct walk_operations {
	/* Finds name in the directory; 0 and *child, or a negative error (-ENOENT). */
	int (*lookup)(void *context, uint64_t directory, const char *name, size_t length, uint64_t *child);
	/* The parent of a directory, NODE_NONE when it has none any more. Not asked for the root. */
	uint64_t (*parent)(void *context, uint64_t directory);
	uint32_t (*mode)(void *context, uint64_t node); /* with type bits */
	uint64_t (*qid)(void *context, uint64_t node);
};

/* A request's range, taken apart; everything points into the range. */
struct file_path_request {
	const char *path;
	size_t path_length;
	const char *second;
	size_t second_length;
	const unsigned char *stops; /* unaligned uint64_t[stop_count] */
	uint32_t stop_count;
	uint32_t flags;
};

/* How a walk treats its last component */
enum walk_intent {
	WALK_FOLLOW,    /* it must exist; a symbolic link stops the walk */
	WALK_NO_FOLLOW, /* it must exist; a symbolic link is the result */
	WALK_CREATE,    /* it may be missing; a link is the result (mkdir, rename's target) */
	WALK_CREATE_FOLLOW, /* it may be missing; a link stops the walk (open with O_CREAT) */
	WALK_REMOVE,    /* it must exist and is about to go: a link is the result, a mount on it does not stop the walk but sets covered */
};
enum walk_last { WALK_LAST_NAME, WALK_LAST_NONE /* empty path */, WALK_LAST_DOT, WALK_LAST_DOT_DOT };

struct walk_result {
	uint64_t node;         /* what the path names, NODE_NONE if it is missing (WALK_CREATE*) */
	uint64_t parent;       /* the directory that holds name; NODE_NONE unless last is WALK_LAST_NAME */
	const char *name;      /* the last component, not terminated */
	size_t name_length;
	enum walk_last last;
	bool trailing_slash;
	bool covered;          /* WALK_REMOVE: something is mounted there */
	/* with FILE_WALK_STOPPED */
	enum file_stop stop;
	size_t consumed;
	uint64_t stop_qid;
	uint64_t link;         /* the symbolic link's node */
};

/*
 * Takes a range apart. An empty range stands for an empty path. 0, -EINVAL (malformed, NUL in a path), -ENAMETOOLONG.
 */
int file_path_parse(const void *data, size_t size, struct file_path_request *request);

/*
 * Walks path from start. 0: *result tells the place. FILE_WALK_STOPPED: stop, consumed and stop_qid (FILE_STOP_MOUNT) or link
 * (FILE_STOP_LINK) are set. Else -ENOENT, -ENOTDIR, -ENAMETOOLONG or what lookup said.
 * With WALK_FOLLOW and request->flags & FILE_NO_FOLLOW it walks as WALK_NO_FOLLOW.
 */
int file_walk(const struct walk_operations *operations, void *context, uint64_t root, uint64_t start,
	const char *path, size_t path_length, const struct file_path_request *request, enum walk_intent intent, struct walk_result *result);

/*
 * Appends a directory entry to a reply of capacity bytes; *used grows. False when it does not fit (nothing is written then).
 * mode's type bits become the entry's DT_ type.
 */
bool file_entry_append(unsigned char *buffer, size_t capacity, size_t *used, uint64_t qid, uint64_t next_cookie, uint32_t mode,
	const char *name, size_t name_length);
#endif
