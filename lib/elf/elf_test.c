/*
 * elf: this very program is parsed; damaged copies of its headers never lead outside the image.
 * host-test: lib/elf/elf.c
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/elf/elf.h"

int main(int count, char **argument)
{
	(void)count;
	FILE *file = fopen(argument[0], "r");
	assert(file);
	fseek(file, 0, SEEK_END);
	size_t size = (size_t)ftell(file);
	rewind(file);
	char *image = malloc(size);
	assert(fread(image, 1, size, file) == size);
	fclose(file);

	struct elf_info info;
	assert(elf_image_parse(image, size, &info) == 0 && info.machine == ELF_MACHINE_X86_64 && info.segment_count >= 2 && info.entry);
	assert(info.has_interpreter && info.header_address);
	for (unsigned i = 0; i < info.segment_count; i++)
		assert(info.segment[i].address >= info.low && info.segment[i].address + info.segment[i].memory_size <= info.high);
	uint64_t offset;
	const char *name = elf_symbol(image, size, info.entry + 1, &offset);
	assert(name && !strcmp(name, "_start") && offset == 1);

	assert(elf_image_parse(image, 63, &info) < 0);
	for (size_t at = 0; at < 1024; at++)
		for (unsigned bit = 0; bit < 8; bit += 3) {
			image[at] ^= (char)(1 << bit);
			if (elf_image_parse(image, size, &info) == 0)
				for (unsigned i = 0; i < info.segment_count; i++)
					assert(info.segment[i].offset + info.segment[i].file_size <= size);
			if (at < 64)
				elf_symbol(image, size, info.entry, &offset);
			image[at] ^= (char)(1 << bit);
		}
	/* exact allocation: reading one byte too many is seen */
	char *short_image = malloc(4096);
	memcpy(short_image, image, 4096);
	elf_image_parse(short_image, 4096, &info);
	elf_symbol(short_image, 4096, info.entry, &offset);
	free(short_image);
	free(image);
	return 0;
}
