/*
 * Host test of the ELF and script reading that exec trusts: this test's own executable and hostile headers.
 * host-test: linux/process/elf.c -Ilinux/include
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include "abi/errors.h"
#include "abi/memory.h"
#include "linux/base/base.h"
#include "linux/process/elf.h"

static uint8_t file[ELF_HEADER_MAX + 8];

static void test_own_executable(const char *path)
{
	struct elf_image image;
	FILE *stream = fopen(path, "rb");
	assert(stream);
	size_t size = fread(file, 1, ELF_HEADER_MAX, stream);
	fseek(stream, 0, SEEK_END);
	uint64_t length = (uint64_t)ftell(stream);
	fclose(stream);
	assert(elf_parse(&image, file, size, length, 62) == 0);
	assert(image.relocatable && image.segment_count >= 2 && image.headers && image.interpreter_size > 10);
	assert(image.entry > image.low && image.entry < image.high && image.low == 0);
	for (uint32_t i = 0; i < image.segment_count; i++)
		assert(image.segment[i].file_size <= image.segment[i].memory_size);
	/* Every cut and every changed byte of the headers is refused or gives an image that stays inside its bounds. */
	for (size_t cut = 0; cut < size; cut += 7)
		(void)elf_parse(&image, file, cut, length, 62);
	for (size_t at = 0; at < 64 + 56 * 14 && at < size; at++)
		for (unsigned bit = 0; bit < 8; bit++) {
			file[at] ^= (uint8_t)(1u << bit);
			if (!elf_parse(&image, file, size, length, 62)) {
				uint64_t end = 0;
				assert(image.segment_count <= ELF_SEGMENTS && image.high < USER_TOP_MAX + PAGE_SIZE);
				for (uint32_t i = 0; i < image.segment_count; i++) {
					const struct elf_segment *segment = &image.segment[i];
					assert(page_round_down(segment->address) >= end);
					assert(segment->offset <= length && segment->file_size <= length - segment->offset);
					assert(segment->file_size <= segment->memory_size && !((segment->address ^ segment->offset) & 4095));
					end = page_round_up(segment->address + segment->memory_size);
				}
				assert(image.interpreter_size <= 4096 && (!image.interpreter_size || image.interpreter_offset < length));
			}
			file[at] ^= (uint8_t)(1u << bit);
		}
	assert(elf_parse(&image, file, size, length, 243) == -ENOEXEC);
	assert(elf_parse(&image, file, size, 64, 62) == -ENOEXEC);
}

static void expect_script(const char *line, const char *interpreter, const char *argument)
{
	char text[300];
	char *found = NULL, *extra = NULL;
	size_t size = strlen(line);
	memcpy(text, line, size + 1);
	int result = script_parse(text, size, &found, &extra);
	if (!interpreter) {
		assert(result == -ENOEXEC);
		return;
	}
	assert(!result && !strcmp(found, interpreter));
	assert(argument ? extra && !strcmp(extra, argument) : !extra);
}

static void test_scripts(void)
{
	expect_script("#!/bin/sh\necho", "/bin/sh", NULL);
	expect_script("#! /bin/sh -e \nx", "/bin/sh", "-e");
	expect_script("#!\t/usr/bin/env  awk -f\n", "/usr/bin/env", "awk -f");
	expect_script("#!/bin/sh", "/bin/sh", NULL);
	expect_script("#!\n/bin/sh", NULL, NULL);
	expect_script("#!   ", NULL, NULL);
	expect_script("#", NULL, NULL);
	expect_script("\177ELF", NULL, NULL);
	char line[300];
	memset(line, 'x', sizeof line);
	memcpy(line, "#!/", 3);
	line[299] = 0;
	expect_script(line, NULL, NULL);
}

int main(int count, char **arguments)
{
	(void)count;
	test_own_executable(arguments[0]);
	test_scripts();
	puts("elf: ok");
	return 0;
}
