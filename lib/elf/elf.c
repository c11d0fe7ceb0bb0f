/* Reading ELF64 images; see elf.h. Fields are read through bytes, so an image needs no alignment. */
#include "lib/elf/elf.h"
#include "abi/errors.h"

#define PT_LOAD 1u
#define PT_INTERP 3u
#define PT_PHDR 6u
#define SHT_SYMTAB 2u
#define STT_FUNCTION 2u
#define STT_NOTYPE 0u

#define HEADER_SIZE 64u
#define PROGRAM_HEADER_SIZE 56u
#define SECTION_HEADER_SIZE 64u
#define SYMBOL_SIZE 24u
#define PAGE 4096ul

static uint64_t field(const uint8_t *at, unsigned bytes)
{
	uint64_t value = 0;
	while (bytes-- > 0)
		value = value << 8 | at[bytes];
	return value;
}

/* Does [offset, offset + length) lie in an image of size bytes? */
static bool inside(size_t size, uint64_t offset, uint64_t length)
{
	return offset <= size && length <= size - offset;
}

static bool header_valid(const uint8_t *image, size_t size)
{
	static const uint8_t magic[7] = { 0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little endian */, 1 /* version */ };
	if (size < HEADER_SIZE)
		return false;
	for (unsigned i = 0; i < sizeof magic; i++)
		if (image[i] != magic[i])
			return false;
	return true;
}

static int segment_add(struct elf_info *info, const uint8_t *header, size_t size)
{
	uint32_t flags = (uint32_t)field(header + 4, 4);
	struct elf_segment segment = {
		.offset = field(header + 8, 8),
		.address = field(header + 16, 8),
		.file_size = field(header + 32, 8),
		.memory_size = field(header + 40, 8),
		.protection = (flags & 4 ? ELF_READ : 0) | (flags & 2 ? ELF_WRITE : 0) | (flags & 1 ? ELF_EXECUTE : 0),
	};
	if (segment.memory_size == 0)
		return 0;
	if (segment.file_size > segment.memory_size || !inside(size, segment.offset, segment.file_size))
		return -ENOEXEC;
	if (segment.address + segment.memory_size < segment.address || segment.address + segment.memory_size > UINT64_MAX - PAGE)
		return -ENOEXEC;
	/* a segment is mapped from the file page by page */
	if (segment.offset % PAGE != segment.address % PAGE)
		return -ENOEXEC;
	if (info->segment_count == ELF_SEGMENTS)
		return -E2BIG;
	if (info->segment_count > 0) {
		const struct elf_segment *last = &info->segment[info->segment_count - 1];
		if (segment.address < last->address + last->memory_size)
			return -ENOEXEC;
	}
	info->segment[info->segment_count++] = segment;
	return 0;
}

int elf_image_parse(const void *start, size_t size, struct elf_info *info)
{
	const uint8_t *image = start;
	if (!header_valid(image, size))
		return -ENOEXEC;
	uint16_t type = (uint16_t)field(image + 16, 2);
	uint64_t table = field(image + 32, 8);
	uint16_t entry_size = (uint16_t)field(image + 54, 2), count = (uint16_t)field(image + 56, 2);
	if ((type != 2 && type != 3) || entry_size != PROGRAM_HEADER_SIZE || !inside(size, table, (uint64_t)count * PROGRAM_HEADER_SIZE))
		return -ENOEXEC;
	*info = (struct elf_info){
		.entry = field(image + 24, 8),
		.machine = (uint16_t)field(image + 18, 2),
		.header_count = count,
		.position_independent = type == 3,
	};
	for (unsigned i = 0; i < count; i++) {
		const uint8_t *header = image + table + i * PROGRAM_HEADER_SIZE;
		uint32_t kind = (uint32_t)field(header, 4);
		if (kind == PT_INTERP)
			info->has_interpreter = true;
		if (kind == PT_PHDR)
			info->header_address = field(header + 16, 8);
		if (kind != PT_LOAD)
			continue;
		int error = segment_add(info, header, size);
		if (error)
			return error;
	}
	if (info->segment_count == 0)
		return -ENOEXEC;
	const struct elf_segment *last = &info->segment[info->segment_count - 1];
	info->low = info->segment[0].address & ~(PAGE - 1);
	info->high = (last->address + last->memory_size + PAGE - 1) & ~(PAGE - 1);
	for (unsigned i = 0; info->header_address == 0 && i < info->segment_count; i++) {
		const struct elf_segment *segment = &info->segment[i];
		if (table >= segment->offset && table - segment->offset < segment->file_size)
			info->header_address = segment->address + (table - segment->offset);
	}
	return 0;
}

/* A name in a string table, or NULL when it is not terminated inside. */
static const char *name_checked(const uint8_t *image, uint64_t table, uint64_t table_size, uint64_t name)
{
	for (uint64_t i = name; i < table_size; i++)
		if (image[table + i] == 0)
			return (const char *)image + table + name;
	return NULL;
}

const char *elf_symbol(const void *start, size_t size, uint64_t address, uint64_t *offset)
{
	const uint8_t *image = start;
	if (!header_valid(image, size))
		return NULL;
	uint64_t sections = field(image + 40, 8);
	uint64_t count = field(image + 60, 2);
	if (field(image + 58, 2) != SECTION_HEADER_SIZE || !inside(size, sections, count * SECTION_HEADER_SIZE))
		return NULL;
	for (uint64_t i = 0; i < count; i++) {
		const uint8_t *section = image + sections + i * SECTION_HEADER_SIZE;
		if (field(section + 4, 4) != SHT_SYMTAB)
			continue;
		uint64_t symbols = field(section + 24, 8), symbols_size = field(section + 32, 8), link = field(section + 40, 4);
		if (link >= count || !inside(size, symbols, symbols_size))
			return NULL;
		const uint8_t *strings = image + sections + link * SECTION_HEADER_SIZE;
		uint64_t names = field(strings + 24, 8), names_size = field(strings + 32, 8);
		if (!inside(size, names, names_size))
			return NULL;
		/* The nearest function at or below; sizes of hand-written functions are often 0, so the size is not asked for. */
		const uint8_t *best = NULL;
		uint64_t best_value = 0;
		for (uint64_t s = 0; s + SYMBOL_SIZE <= symbols_size; s += SYMBOL_SIZE) {
			const uint8_t *symbol = image + symbols + s;
			unsigned kind = symbol[4] & 0xf;
			uint64_t value = field(symbol + 8, 8);
			if ((kind != STT_FUNCTION && kind != STT_NOTYPE) || field(symbol + 6, 2) == 0 || field(symbol, 4) == 0)
				continue;
			if (value <= address && (!best || value > best_value || (value == best_value && kind == STT_FUNCTION))) {
				best = symbol;
				best_value = value;
			}
		}
		if (!best)
			return NULL;
		*offset = address - best_value;
		return name_checked(image, names, names_size, field(best, 4));
	}
	return NULL;
}
