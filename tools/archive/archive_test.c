/*
 * host-test: tools/archive/archive.c
 * Bodies lie on pages, paths are unique, parents exist, what is written can be read again.
 */
#define _GNU_SOURCE
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/archive/archive.h"

static uint32_t field(const struct archive *archive, const char *path, int number)
{
	const struct archive_member *member = archive_find(archive, path);
	char text[9] = { 0 };
	assert(member);
	memcpy(text, archive->data + member->offset + 6 + 8 * number, 8);
	return (uint32_t)strtoul(text, NULL, 16);
}
static size_t body(const struct archive *archive, const char *path)
{
	return (archive_find(archive, path)->offset + 110 + field(archive, path, 11) + 3) & ~(size_t)3;
}
static void check_plain(const char *path, const char *wanted)
{
	char result[256];
	archive_plain_path(result, path);
	assert(!strcmp(result, wanted));
}

int main(void)
{
	check_plain("/a/b", "a/b");
	check_plain("./a//b/", "a/b");
	check_plain("../../a/../b", "b");
	check_plain("a/b/../../..", "");
	check_plain("/", "");
	check_plain("a/.../b", "a/.../b");

	struct archive archive, copy;
	char bytes[10000], name[64];
	archive_init(&archive);
	archive.time = 1234;
	memset(bytes, 'x', sizeof bytes);
	archive_add_bytes(&archive, "deep/er/file", bytes, sizeof bytes, 0640, 77);
	archive_add_link(&archive, "link", "deep/er/file");
	archive_add_bytes(&archive, "empty", NULL, 0, 0600, 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof name, "many/%d", i);
		archive_add_bytes(&archive, name, name, strlen(name), 0644, 0);
	}
	assert(S_ISDIR(archive_find(&archive, "deep")->mode) && S_ISDIR(archive_find(&archive, "deep/er")->mode));
	assert(body(&archive, "deep/er/file") % ARCHIVE_PAGE == 0 && body(&archive, "many/2999") % ARCHIVE_PAGE == 0);
	assert(field(&archive, "deep/er/file", 1) == (S_IFREG | 0640) && field(&archive, "deep/er/file", 5) == 77 && field(&archive, "deep/er/file", 6) == 10000);
	/* replacing, and changing a directory's mode */
	size_t members = archive.member_count;
	archive_add_bytes(&archive, "many/7", "new", 3, 0755, 0);
	archive_add_directory(&archive, "deep", 0700);
	assert(archive.member_count == members);
	assert(!memcmp(archive.data + body(&archive, "many/7"), "new", 3) && field(&archive, "deep", 1) == (S_IFDIR | 0700));

	int file = memfd_create("archive", 0);
	assert(archive_write(&archive, file) == 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", file);
	assert(archive_load(&copy, name) == 0);
	assert(archive_find(&copy, "many/2999") && !memcmp(copy.data + body(&copy, "many/7"), "new", 3));
	assert(!strncmp((char *)copy.data + body(&copy, "link"), "deep/er/file", 12));
	/* further members go behind, aligned as before */
	archive_add_bytes(&copy, "later", "later", 5, 0644, 0);
	assert(body(&copy, "later") % ARCHIVE_PAGE == 0);
	archive_free(&copy);
	/* damaged ones are refused */
	assert(ftruncate(file, 5000) == 0 && archive_load(&copy, name) < 0);
	archive_free(&copy);
	assert(ftruncate(file, 0) == 0 && archive_load(&copy, name) < 0);
	archive_free(&copy);
	archive_free(&archive);
	close(file);
	return 0;
}
