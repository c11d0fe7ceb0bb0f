/*
 * Boot archives: cpio "newc" files whose regular members' contents begin at page boundaries, so that the guest can map them where
 * they lie. The padding is NUL bytes at the end of the member's name, which every reader of the format skips.
 *
 * An archive is built in memory and written once. A path is relative to the guest's root, without leading or doubled slashes. Adding a path
 * that is there already replaces it; missing parent directories are added. Functions end the program with a message when memory
 * runs out; other failures return -1 with errno set.
 */
#ifndef TOOLS_ARCHIVE_H
#define TOOLS_ARCHIVE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARCHIVE_PAGE 4096

struct archive_member {
	char *path;
	size_t offset;      /* of the header in data */
	uint32_t mode;
};
struct archive {
	unsigned char *data;
	size_t size, capacity;
	struct archive_member *member;
	size_t member_count, member_capacity;
	size_t *index;      /* hash table of member numbers + 1, a power of two */
	size_t index_size;
	int64_t time;       /* modification time of members that have no file behind them */
};

void archive_init(struct archive *archive);
void archive_free(struct archive *archive);
/* Begins with the members of the archive in a file. EINVAL when it is not one of ours. */
int archive_load(struct archive *archive, const char *path);
/* Mode holds permission bits only; the kind is in the function's name. */
void archive_add_directory(struct archive *archive, const char *path, uint32_t mode);
void archive_add_link(struct archive *archive, const char *path, const char *target);
void archive_add_bytes(struct archive *archive, const char *path, const void *bytes, size_t size, uint32_t mode, int64_t time);
/* A regular file of this machine; mode -1 takes the file's own. ELOOP never: symbolic links are followed. */
int archive_add_file(struct archive *archive, const char *path, const char *host_path, int mode);
/* A file or a whole tree. Below the top, symbolic links stay links; sockets, devices and FIFOs are left out. */
int archive_add_tree(struct archive *archive, const char *path, const char *host_path);
const struct archive_member *archive_find(const struct archive *archive, const char *path);
/* Adds the trailer and writes everything. */
int archive_write(struct archive *archive, int descriptor);

/* Makes a path relative and plain in place-sized memory (at least strlen + 1): no leading, doubled or trailing slashes, no "." and "..". */
void archive_plain_path(char *target, const char *path);
#endif
