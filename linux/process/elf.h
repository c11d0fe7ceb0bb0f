/* Reading of ELF program headers: pure code on a buffer, trusting nothing in it. Tested on the host (elf_test.c). */
#ifndef LINUX_ELF_H
#define LINUX_ELF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS 16
#define ELF_HEADER_MAX 4096 /* bytes of the file's start that must hold header and program headers */

struct elf_segment {
	uint64_t address, memory_size; /* as linked, not rounded */
	uint64_t offset, file_size;    /* offset and address agree modulo a page */
	uint32_t protection;           /* PROTECT_ */
	uint32_t reserved;
};
struct elf_image {
	uint64_t entry, headers;       /* as linked; headers: address of the program headers, 0 if not loaded */
	uint64_t low, high;            /* page-rounded extent of all segments as linked */
	uint64_t interpreter_offset, interpreter_size; /* text of PT_INTERP with its NUL; size 0: none */
	uint64_t alignment;
	uint32_t header_count, segment_count;
	bool relocatable;              /* ET_DYN: may be placed anywhere */
	bool executable_stack;
	struct elf_segment segment[ELF_SEGMENTS];
};
/* bytes: the first size bytes of a file of file_size bytes. machine: e_machine wanted. 0 or -ENOEXEC. */
int elf_parse(struct elf_image *image, const void *bytes, size_t size, uint64_t file_size, unsigned machine);

/*
 * A script's first line: "#!" interpreter [one argument]. On success bytes is changed: both become NUL-terminated strings in it.
 * The buffer must have one byte more than size. *argument is NULL without one. 0, or -ENOEXEC when it is no script (or the line has no end within size).
 */
int script_parse(char *bytes, size_t size, char **interpreter, char **argument);
#endif
