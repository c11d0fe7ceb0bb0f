/* ELF program headers and script lines (elf.h). */
#include "abi/errors.h"
#include "abi/memory.h"
#include "linux/base/base.h"
#include "linux/process/elf.h"

struct elf_header {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, program_offset, section_offset;
	uint32_t flags;
	uint16_t header_size, program_size, program_count, section_size, section_count, section_names;
};
struct elf_program {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};
_Static_assert(sizeof(struct elf_header) == 64 && sizeof(struct elf_program) == 56, "ELF");
#define ELF_LOAD 1u
#define ELF_INTERPRETER 3u
#define ELF_PROGRAM_HEADERS 6u
#define ELF_GNU_STACK 0x6474e551u
#define ELF_EXECUTE 1u
#define ELF_WRITE 2u
#define ELF_READ 4u

static int segment_add(struct elf_image *image, const struct elf_program *program, uint64_t file_size)
{
	uint64_t end = program->address + program->memory_size, previous = image->segment_count ? image->high : 0;
	if (!program->memory_size)
		return 0;
	if (image->segment_count == ELF_SEGMENTS || program->file_size > program->memory_size)
		return -ENOEXEC;
	if (end < program->address || end >= USER_TOP_MAX || program->offset > file_size || program->file_size > file_size - program->offset)
		return -ENOEXEC;
	if ((program->address ^ program->offset) & (PAGE_SIZE - 1))
		return -ENOEXEC;
	/* In ascending order; two segments may meet in one page only if the later one replaces it, which no linker makes. */
	if (page_round_down(program->address) < previous)
		return -ENOEXEC;
	struct elf_segment *segment = &image->segment[image->segment_count++];
	*segment = (struct elf_segment){
		.address = program->address, .memory_size = program->memory_size, .offset = program->offset, .file_size = program->file_size,
		.protection = (program->flags & ELF_READ ? PROTECT_READ : 0) | (program->flags & ELF_WRITE ? PROTECT_WRITE : 0) |
			(program->flags & ELF_EXECUTE ? PROTECT_EXECUTE : 0),
	};
	if (image->segment_count == 1)
		image->low = page_round_down(program->address);
	image->high = page_round_up(end);
	if (program->alignment > image->alignment && !(program->alignment & (program->alignment - 1)) && program->alignment <= 1ul << 30)
		image->alignment = program->alignment;
	return 0;
}

int elf_parse(struct elf_image *image, const void *bytes, size_t size, uint64_t file_size, unsigned machine)
{
	struct elf_header header;
	static const uint8_t ident[7] = { 0x7f, 'E', 'L', 'F', 2, 1, 1 };
	memset(image, 0, sizeof *image);
	image->alignment = PAGE_SIZE;
	if (size < sizeof header)
		return -ENOEXEC;
	memcpy(&header, bytes, sizeof header);
	if (memcmp(header.ident, ident, sizeof ident) || header.machine != machine || (header.type != 2 && header.type != 3))
		return -ENOEXEC;
	uint64_t table = (uint64_t)header.program_count * sizeof(struct elf_program);
	if (header.program_size != sizeof(struct elf_program) || !header.program_count || header.program_offset > size ||
		table > size - header.program_offset)
		return -ENOEXEC;
	image->relocatable = header.type == 3;
	image->entry = header.entry;
	image->header_count = header.program_count;
	for (unsigned i = 0; i < header.program_count; i++) {
		struct elf_program program;
		memcpy(&program, (const uint8_t *)bytes + header.program_offset + i * sizeof program, sizeof program);
		switch (program.type) {
		case ELF_LOAD: {
			int error = segment_add(image, &program, file_size);
			if (error)
				return error;
			if (!image->headers && header.program_offset >= program.offset &&
				header.program_offset - program.offset + table <= program.file_size)
				image->headers = program.address + header.program_offset - program.offset;
			break;
		}
		case ELF_PROGRAM_HEADERS:
			image->headers = program.address;
			break;
		case ELF_INTERPRETER:
			if (image->interpreter_size || program.file_size < 2 || program.file_size > 4096 || program.offset > file_size ||
				program.file_size > file_size - program.offset)
				return -ENOEXEC;
			image->interpreter_offset = program.offset;
			image->interpreter_size = program.file_size;
			break;
		case ELF_GNU_STACK:
			image->executable_stack = program.flags & ELF_EXECUTE;
			break;
		}
	}
	if (!image->segment_count)
		return -ENOEXEC;
	if (!image->relocatable && image->low < USER_BOTTOM)
		return -ENOEXEC;
	return 0;
}

static bool blank(char character)
{
	return character == ' ' || character == '\t';
}

int script_parse(char *bytes, size_t size, char **interpreter, char **argument)
{
	if (size < 3 || bytes[0] != '#' || bytes[1] != '!')
		return -ENOEXEC;
	size_t limit = MINIMUM(size, 256ul);
	char *end = memchr(bytes, '\n', limit);
	if (!end) {
		if (size >= 256) /* cut off: refuse rather than run another name */
			return -ENOEXEC;
		end = bytes + size;
	}
	char *at = bytes + 2;
	while (end > at && blank(end[-1]))
		end--;
	*end = 0;
	while (at < end && blank(*at))
		at++;
	if (at == end)
		return -ENOEXEC;
	*interpreter = at;
	while (at < end && !blank(*at))
		at++;
	*argument = NULL;
	if (at < end) {
		*at++ = 0;
		while (at < end && blank(*at))
			at++;
		if (at < end)
			*argument = at;
	}
	return 0;
}
