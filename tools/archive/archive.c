/* Boot archives in memory; see archive.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/archive/archive.h"

#define HEADER_SIZE 110
#define TRAILER "TRAILER!!!"

static void *must_have(void *memory)
{
	if (!memory) {
		fprintf(stderr, "carillon: out of memory\n");
		exit(125);
	}
	return memory;
}
static void *must_allocate(void *old, size_t size) { return must_have(realloc(old, size ? size : 1)); }

void archive_init(struct archive *archive)
{
	memset(archive, 0, sizeof *archive);
}

void archive_free(struct archive *archive)
{
	for (size_t i = 0; i < archive->member_count; i++)
		free(archive->member[i].path);
	free(archive->member);
	free(archive->index);
	free(archive->data);
	archive_init(archive);
}

/* -- the index of paths */

static size_t hash_path(const char *path)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 0x100000001b3u;
	return (size_t)(hash ^ hash >> 32);
}

static size_t *index_slot(const struct archive *archive, const char *path)
{
	size_t i = hash_path(path) & (archive->index_size - 1);
	while (archive->index[i] && strcmp(archive->member[archive->index[i] - 1].path, path))
		i = (i + 1) & (archive->index_size - 1);
	return &archive->index[i];
}

const struct archive_member *archive_find(const struct archive *archive, const char *path)
{
	if (!archive->index_size)
		return NULL;
	size_t number = *index_slot(archive, path);
	return number ? &archive->member[number - 1] : NULL;
}

static void index_grow(struct archive *archive)
{
	archive->index_size = archive->index_size ? archive->index_size * 2 : 1024;
	archive->index = must_allocate(archive->index, archive->index_size * sizeof *archive->index);
	memset(archive->index, 0, archive->index_size * sizeof *archive->index);
	for (size_t i = 0; i < archive->member_count; i++)
		*index_slot(archive, archive->member[i].path) = i + 1;
}

static void remember(struct archive *archive, const char *path, size_t offset, uint32_t mode)
{
	if (archive->index_size < 2 * (archive->member_count + 1))
		index_grow(archive);
	size_t *slot = index_slot(archive, path);
	if (*slot) {
		archive->member[*slot - 1].offset = offset;
		archive->member[*slot - 1].mode = mode;
		return;
	}
	if (archive->member_count == archive->member_capacity) {
		archive->member_capacity = archive->member_capacity ? archive->member_capacity * 2 : 512;
		archive->member = must_allocate(archive->member, archive->member_capacity * sizeof *archive->member);
	}
	archive->member[archive->member_count] = (struct archive_member){ must_have(strdup(path)), offset, mode };
	*slot = ++archive->member_count;
}

/* -- writing members */

static unsigned char *extend(struct archive *archive, size_t size)
{
	if (!archive->data || archive->capacity - archive->size < size) {
		archive->capacity = (archive->size + size) * 3 / 2 + 65536;
		archive->data = must_allocate(archive->data, archive->capacity);
	}
	unsigned char *room = archive->data + archive->size;
	memset(room, 0, size);
	archive->size += size;
	return room;
}

static void put_field(unsigned char *header, int field, uint64_t value)
{
	char text[9];
	snprintf(text, sizeof text, "%08X", (unsigned)value);
	memcpy(header + 6 + 8 * field, text, 8);
}

/* Adds header, name and room for the body; returns the body. */
static unsigned char *put_member(struct archive *archive, const char *path, uint32_t mode, int64_t time, size_t size)
{
	size_t start = archive->size, name_size = strlen(path) + 1;
	size_t body = (start + HEADER_SIZE + name_size + 3) & ~(size_t)3;
	if (S_ISREG(mode) && size) {
		body = (body + ARCHIVE_PAGE - 1) & ~(size_t)(ARCHIVE_PAGE - 1);
		name_size = body - start - HEADER_SIZE;
	}
	size_t end = (body + size + 3) & ~(size_t)3;
	extend(archive, end - start);
	unsigned char *header = archive->data + start;
	memcpy(header, "070701", 6);
	const uint64_t field[13] = { archive->member_count + 1, mode, 0, 0, S_ISDIR(mode) ? 2 : 1, (uint64_t)time, size, 0, 0, 0, 0, name_size, 0 };
	for (int i = 0; i < 13; i++)
		put_field(header, i, field[i]);
	memcpy(header + HEADER_SIZE, path, strlen(path));
	return archive->data + body;
}

/* A replaced member stays where it is, because moving what follows would break the alignment: it becomes an entry for the root. */
static void forget(struct archive *archive, const char *path)
{
	const struct archive_member *old = archive_find(archive, path);
	if (!old)
		return;
	unsigned char *header = archive->data + old->offset;
	put_field(header, 1, S_IFDIR | 0755);
	header[HEADER_SIZE] = '.';
	memset(header + HEADER_SIZE + 1, 0, strlen(path) - 1);
}

static void add_parents(struct archive *archive, const char *path)
{
	char parent[PATH_MAX];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t length = (size_t)(slash - path);
		if (length >= sizeof parent)
			return;
		memcpy(parent, path, length);
		parent[length] = 0;
		if (!archive_find(archive, parent))
			archive_add_directory(archive, parent, 0755);
	}
}

static unsigned char *add_member(struct archive *archive, const char *path, uint32_t mode, int64_t time, size_t size)
{
	add_parents(archive, path);
	forget(archive, path);
	size_t offset = archive->size;
	unsigned char *body = put_member(archive, path, mode, time, size);
	remember(archive, path, offset, mode);
	return body;
}

void archive_add_directory(struct archive *archive, const char *path, uint32_t mode)
{
	const struct archive_member *old = archive_find(archive, path);
	if (!*path)
		return;
	if (old && S_ISDIR(old->mode)) /* stays before what is in it */
		put_field(archive->data + old->offset, 1, S_IFDIR | mode);
	else
		add_member(archive, path, S_IFDIR | mode, archive->time, 0);
}

void archive_add_link(struct archive *archive, const char *path, const char *target)
{
	memcpy(add_member(archive, path, S_IFLNK | 0777, archive->time, strlen(target)), target, strlen(target));
}

void archive_add_bytes(struct archive *archive, const char *path, const void *bytes, size_t size, uint32_t mode, int64_t time)
{
	unsigned char *body = add_member(archive, path, S_IFREG | mode, time, size);
	if (size)
		memcpy(body, bytes, size);
}

int archive_add_file(struct archive *archive, const char *path, const char *host_path, int mode)
{
	struct stat status;
	int descriptor = open(host_path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return -1;
	if (fstat(descriptor, &status) < 0)
		goto failed;
	if (!S_ISREG(status.st_mode) || status.st_size > UINT32_MAX) { /* the format's sizes have 32 bits */
		errno = S_ISREG(status.st_mode) ? EFBIG : EINVAL;
		goto failed;
	}
	size_t size = (size_t)status.st_size, done = 0;
	unsigned char *body = add_member(archive, path, S_IFREG | (mode < 0 ? status.st_mode & 07777 : (uint32_t)mode), status.st_mtime, size);
	while (done < size) {
		ssize_t count = read(descriptor, body + done, size - done);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			goto failed;
		if (count == 0)
			break; /* it was cut while we read: the rest is zero */
		done += (size_t)count;
	}
	close(descriptor);
	return 0;
failed:;
	int error = errno;
	close(descriptor);
	errno = error;
	return -1;
}

static int compare_names(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static int add_node(struct archive *archive, const char *path, const char *host_path, const struct stat *status);

/* The entries of a directory, in order of names so that the same tree makes the same archive. */
static int add_entries(struct archive *archive, const char *path, const char *host_path)
{
	char **name = NULL;
	size_t count = 0;
	int result = 0, error = 0;
	DIR *directory = opendir(host_path);
	if (!directory)
		return -1;
	for (struct dirent *entry; (entry = readdir(directory)); ) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		name = must_allocate(name, (count + 1) * sizeof *name);
		name[count++] = must_have(strdup(entry->d_name));
	}
	closedir(directory);
	if (count)
		qsort(name, count, sizeof *name, compare_names);
	for (size_t i = 0; i < count; i++) {
		char child[PATH_MAX], host_child[PATH_MAX];
		struct stat status;
		int length = snprintf(child, sizeof child, "%s%s%s", path, *path ? "/" : "", name[i]);
		int host_length = snprintf(host_child, sizeof host_child, "%s/%s", host_path, name[i]);
		if (!result && (length >= (int)sizeof child || host_length >= (int)sizeof host_child)) {
			result = -1;
			error = ENAMETOOLONG;
		}
		if (!result && (lstat(host_child, &status) < 0 || add_node(archive, child, host_child, &status) < 0)) {
			result = -1;
			error = errno;
		}
		free(name[i]);
	}
	free(name);
	errno = error;
	return result;
}

static int add_node(struct archive *archive, const char *path, const char *host_path, const struct stat *status)
{
	if (S_ISDIR(status->st_mode)) {
		archive_add_directory(archive, path, status->st_mode & 07777);
		return add_entries(archive, path, host_path);
	}
	if (S_ISLNK(status->st_mode)) {
		char target[PATH_MAX];
		ssize_t length = readlink(host_path, target, sizeof target - 1);
		if (length < 0)
			return -1;
		target[length] = 0;
		archive_add_link(archive, path, target);
		return 0;
	}
	return S_ISREG(status->st_mode) ? archive_add_file(archive, path, host_path, -1) : 0;
}

int archive_add_tree(struct archive *archive, const char *path, const char *host_path)
{
	struct stat status;
	if (stat(host_path, &status) < 0)
		return -1;
	if (!S_ISDIR(status.st_mode))
		return archive_add_file(archive, path, host_path, -1);
	return add_node(archive, path, host_path, &status);
}

/* -- reading and writing whole archives */

static bool get_field(const unsigned char *header, int field, uint32_t *value)
{
	char text[9], *end;
	memcpy(text, header + 6 + 8 * field, 8);
	text[8] = 0;
	*value = (uint32_t)strtoul(text, &end, 16);
	return end == text + 8;
}

int archive_load(struct archive *archive, const char *path)
{
	struct stat status;
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return -1;
	if (fstat(descriptor, &status) < 0) {
		close(descriptor);
		return -1;
	}
	size_t size = (size_t)status.st_size;
	archive_init(archive);
	archive->time = status.st_mtime;
	ssize_t count = read(descriptor, extend(archive, size), size);
	close(descriptor);
	if (count != (ssize_t)size) {
		if (count >= 0)
			errno = EIO;
		return -1;
	}
	for (size_t offset = 0;;) {
		uint32_t mode, body_size, name_size;
		const unsigned char *header = archive->data + offset;
		if (size - offset < HEADER_SIZE || memcmp(header, "070701", 6) || !get_field(header, 1, &mode) || !get_field(header, 6, &body_size) ||
			!get_field(header, 11, &name_size) || !name_size || size - offset - HEADER_SIZE < name_size || header[HEADER_SIZE + name_size - 1])
			break;
		const char *name = (const char *)header + HEADER_SIZE;
		if (!strcmp(name, TRAILER)) {
			archive->size = offset;
			return 0;
		}
		size_t end = (((offset + HEADER_SIZE + name_size + 3) & ~(size_t)3) + body_size + 3) & ~(size_t)3;
		if (end > size)
			break;
		remember(archive, name, offset, mode);
		offset = end;
	}
	errno = EINVAL;
	return -1;
}

int archive_write(struct archive *archive, int descriptor)
{
	put_member(archive, TRAILER, 0, 0, 0);
	for (size_t done = 0; done < archive->size;) {
		ssize_t count = write(descriptor, archive->data + done, archive->size - done);
		if (count < 0 && errno != EINTR)
			return -1;
		if (count > 0)
			done += (size_t)count;
	}
	return 0;
}

void archive_plain_path(char *target, const char *path)
{
	char *end = target;
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 2 && !memcmp(path, "..", 2)) {
			while (end > target && *--end != '/')
				;
		} else if (length && !(length == 1 && *path == '.')) {
			if (end > target)
				*end++ = '/';
			memmove(end, path, length);
			end += length;
		}
		path += length;
		path += strspn(path, "/");
	}
	*end = 0;
}
