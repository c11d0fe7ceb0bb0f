/*
 * cpio: members found, damaged archives refused.
 * host-test: lib/cpio/cpio.c
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/cpio/cpio.h"

static char archive[4096];
static size_t used;

static void add(const char *name, const char *content, size_t size)
{
	used = (used + 3) & ~3ul;
	used += (size_t)sprintf(archive + used, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", 7, 0100644, 1, 2, 1, 1234, size, 0, 0, 5, 1,
		strlen(name) + 1, 0);
	strcpy(archive + used, name);
	used = (used + strlen(name) + 1 + 3) & ~3ul;
	memcpy(archive + used, content, size);
	used += size;
}

int main(void)
{
	struct cpio_member member;
	size_t position = 0;
	add("a", "hello", 5);
	add("./dir/file", "xyz", 3);
	size_t before_trailer = used;
	add("TRAILER!!!", "", 0);
	assert(cpio_next(archive, used, &position, &member) == 1 && !strcmp(member.name, "a") && member.size == 5);
	assert(!memcmp(archive + member.offset, "hello", 5) && member.mode == 0100644 && member.modified == 1234 && member.device_major == 5);
	assert(cpio_next(archive, used, &position, &member) == 1 && member.size == 3);
	assert(cpio_next(archive, used, &position, &member) == 0);
	assert(cpio_find(archive, used, "dir/file", &member) == 1 && !memcmp(archive + member.offset, "xyz", 3));
	assert(cpio_find(archive, used, "dir", &member) == 0);
	/* every truncation and every single damaged byte ends well: nothing outside is read (address sanitizer) */
	for (size_t size = 0; size <= used; size++) {
		char *copy = malloc(size ? size : 1);
		memcpy(copy, archive, size);
		cpio_find(copy, size, "none", &member);
		free(copy);
	}
	for (size_t at = 0; at < before_trailer; at++)
		for (unsigned value = 0; value < 256; value += 15) {
			char *copy = malloc(used);
			memcpy(copy, archive, used);
			copy[at] = (char)value;
			cpio_find(copy, used, "none", &member);
			free(copy);
		}
	position = 0;
	archive[3] = 'x';
	assert(cpio_next(archive, used, &position, &member) < 0);
	return 0;
}
