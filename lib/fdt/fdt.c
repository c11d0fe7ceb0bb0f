/* See fdt.h. */
#include "lib/fdt/fdt.h"

enum { HEADER_MAGIC = 0, HEADER_SIZE = 4, HEADER_STRUCTURE = 8, HEADER_STRINGS = 12, HEADER_RESERVATIONS = 16, HEADER_COMPATIBLE = 24,
	HEADER_STRINGS_SIZE = 32, HEADER_STRUCTURE_SIZE = 36, HEADER_LENGTH = 40 };
enum { TOKEN_BEGIN = 1, TOKEN_END = 2, TOKEN_PROPERTY = 3, TOKEN_NOTHING = 4, TOKEN_FINISHED = 9 };
#define MAGIC 0xd00dfeedu
#define VERSION 16u /* the layout that all trees of the last decades can be read by */

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

const char *fdt_open(struct fdt *tree, const void *bytes)
{
	const uint8_t *header = bytes;
	if (word(header + HEADER_MAGIC) != MAGIC)
		return "it does not begin with the magic number";
	uint32_t size = word(header + HEADER_SIZE), structure = word(header + HEADER_STRUCTURE), strings = word(header + HEADER_STRINGS);
	uint32_t structure_size = word(header + HEADER_STRUCTURE_SIZE), strings_size = word(header + HEADER_STRINGS_SIZE);
	uint32_t reservations = word(header + HEADER_RESERVATIONS);
	if (size < HEADER_LENGTH || size > FDT_SIZE_MAX)
		return "its size is impossible";
	if (word(header + HEADER_COMPATIBLE) > VERSION)
		return "its version is unknown";
	if (structure % 4 || structure > size || structure_size > size - structure || strings > size || strings_size > size - strings ||
	    reservations % 8 || reservations > size)
		return "its parts lie outside of it";
	*tree = (struct fdt){ header, size, structure, structure + structure_size, strings, strings + strings_size, reservations };
	return NULL;
}

void fdt_walk_start(struct fdt_walk *walk, const struct fdt *tree)
{
	*walk = (struct fdt_walk){ .tree = tree, .at = tree->structure };
}

/* The length of the NUL-terminated text at an offset, or -1 when it does not end before `end`. */
static int64_t text_length(const struct fdt *tree, uint32_t at, uint32_t end)
{
	for (uint32_t i = at; i < end; i++)
		if (!tree->bytes[i])
			return i - at;
	return -1;
}

static enum fdt_token damaged(struct fdt_walk *walk)
{
	walk->at = walk->tree->structure_end;
	return FDT_DAMAGED;
}

static enum fdt_token property(struct fdt_walk *walk)
{
	const struct fdt *tree = walk->tree;
	if (tree->structure_end - walk->at < 8 || !walk->depth)
		return damaged(walk);
	uint32_t length = word(tree->bytes + walk->at), name = word(tree->bytes + walk->at + 4);
	walk->at += 8;
	if (length > tree->structure_end - walk->at || name >= tree->strings_end - tree->strings ||
	    text_length(tree, tree->strings + name, tree->strings_end) < 0)
		return damaged(walk);
	walk->name = (const char *)tree->bytes + tree->strings + name;
	walk->value = tree->bytes + walk->at;
	walk->length = length;
	uint32_t padded = (length + 3) & ~3u; /* length is at most FDT_SIZE_MAX: no overflow */
	walk->at = padded > tree->structure_end - walk->at ? tree->structure_end : walk->at + padded;
	return FDT_PROPERTY;
}

enum fdt_token fdt_walk_next(struct fdt_walk *walk)
{
	const struct fdt *tree = walk->tree;
	while (walk->at <= tree->structure_end && tree->structure_end - walk->at >= 4) {
		uint32_t token = word(tree->bytes + walk->at);
		walk->at += 4;
		switch (token) {
		case TOKEN_NOTHING:
			continue;
		case TOKEN_BEGIN: {
			int64_t length = text_length(tree, walk->at, tree->structure_end);
			if (length < 0)
				return damaged(walk);
			walk->name = (const char *)tree->bytes + walk->at;
			uint32_t padded = ((uint32_t)length + 4) & ~3u;
			walk->at = padded > tree->structure_end - walk->at ? tree->structure_end : walk->at + padded;
			walk->depth++;
			return FDT_BEGIN;
		}
		case TOKEN_END:
			if (!walk->depth)
				return damaged(walk);
			walk->depth--;
			return FDT_END;
		case TOKEN_PROPERTY:
			return property(walk);
		case TOKEN_FINISHED:
			return walk->depth ? damaged(walk) : FDT_FINISHED;
		default:
			return damaged(walk);
		}
	}
	return damaged(walk);
}

bool fdt_reservation(const struct fdt *tree, unsigned index, uint64_t *address, uint64_t *size)
{
	uint64_t at = tree->reservations + 16ul * index;
	if (at + 16 > tree->size)
		return false;
	const uint8_t *entry = tree->bytes + at;
	*address = (uint64_t)word(entry) << 32 | word(entry + 4);
	*size = (uint64_t)word(entry + 8) << 32 | word(entry + 12);
	return *address || *size;
}

bool fdt_number(const uint8_t *value, uint32_t length, uint32_t index, uint32_t cells, uint64_t *number)
{
	if (cells < 1 || cells > 2 || length / 4 < cells || index > length / 4 - cells)
		return false;
	*number = word(value + 4 * index);
	if (cells == 2)
		*number = *number << 32 | word(value + 4 * index + 4);
	return true;
}

bool fdt_list_has(const uint8_t *value, uint32_t length, const char *text)
{
	for (uint32_t start = 0; start < length; ) {
		uint32_t i = 0;
		while (start + i < length && value[start + i] && value[start + i] == (uint8_t)text[i])
			i++;
		if (start + i < length && !value[start + i] && !text[i])
			return true;
		while (start < length && value[start])
			start++;
		start++;
	}
	return false;
}

const char *fdt_text(const uint8_t *value, uint32_t length)
{
	return length && !value[length - 1] ? (const char *)value : NULL;
}
