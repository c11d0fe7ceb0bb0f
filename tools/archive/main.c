/*
 * archive: makes and lists boot archives.
 *   archive create OUT <LIST     lines of the list: directory PATH MODE | file PATH HOSTFILE MODE | link PATH TARGET | tree PATH HOSTFOLDER |
 *                                time SECONDS (of members without a file; once, first). Fields are separated by one blank.
 *   archive list FILE            one line a member: mode, offset of the header, path
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "tools/archive/archive.h"

static int fail(const char *what)
{
	fprintf(stderr, "archive: %s: %s\n", what, strerror(errno));
	return 1;
}

static bool add_line(struct archive *archive, char *line)
{
	char *rest = line, *kind = strsep(&rest, " "), *path = strsep(&rest, " ");
	char *value = strsep(&rest, " "), *mode = strsep(&rest, " ");
	errno = EINVAL;
	if (!path)
		return false;
	if (!strcmp(kind, "time")) {
		archive->time = atoll(path);
		return true;
	}
	if (!value)
		return false;
	if (!strcmp(kind, "directory"))
		return archive_add_directory(archive, path, (uint32_t)strtoul(value, NULL, 8)), true;
	if (!strcmp(kind, "link"))
		return archive_add_link(archive, path, value), true;
	if (!strcmp(kind, "tree"))
		return archive_add_tree(archive, path, value) == 0;
	return !strcmp(kind, "file") && mode && archive_add_file(archive, path, value, (int)strtoul(mode, NULL, 8)) == 0;
}

static int create(const char *path)
{
	struct archive archive;
	char line[8192], temporary[4096];
	archive_init(&archive);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		char copy[sizeof line];
		strcpy(copy, line);
		if (*line && *line != '#' && !add_line(&archive, copy))
			return fail(line);
	}
	/* whoever reads the old file meanwhile keeps it */
	snprintf(temporary, sizeof temporary, "%s.%d", path, (int)getpid());
	int descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (descriptor < 0)
		return fail(temporary);
	if (archive_write(&archive, descriptor) < 0 || close(descriptor) < 0 || rename(temporary, path) < 0) {
		fail(path);
		unlink(temporary);
		return 1;
	}
	return 0;
}

static int list(const char *path)
{
	struct archive archive;
	if (archive_load(&archive, path) < 0)
		return fail(path);
	for (size_t i = 0; i < archive.member_count; i++)
		printf("%06o %9zu %s\n", archive.member[i].mode, archive.member[i].offset, archive.member[i].path);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "create"))
		return create(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "list"))
		return list(argv[2]);
	fprintf(stderr, "usage: archive create OUT <LIST | archive list FILE\n");
	return 2;
}
