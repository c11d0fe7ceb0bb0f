/* Walking a cpio archive; see cpio.h. */
#include "lib/cpio/cpio.h"
#include <stdbool.h>
#include "abi/errors.h"

#define HEADER_SIZE 110u /* 6 bytes magic and 13 fields of 8 hexadecimal digits */

enum field { INODE, MODE, USER, GROUP, LINKS, MODIFIED, SIZE, DEVICE_MAJOR, DEVICE_MINOR, SPECIAL_MAJOR, SPECIAL_MINOR, NAME_SIZE };

static bool field_read(const uint8_t *header, enum field number, uint32_t *value)
{
	const uint8_t *digit = header + 6 + 8 * number;
	*value = 0;
	for (unsigned i = 0; i < 8; i++) {
		uint8_t c = digit[i];
		unsigned nibble;
		if (c >= '0' && c <= '9')
			nibble = c - '0';
		else if (c >= 'a' && c <= 'f')
			nibble = c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			nibble = c - 'A' + 10;
		else
			return false;
		*value = *value << 4 | nibble;
	}
	return true;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

int cpio_next(const void *archive, size_t size, size_t *position, struct cpio_member *member)
{
	static const char magic[6] = { '0', '7', '0', '7', '0', '1' };
	size_t at = (*position + 3) & ~(size_t)3;
	if (at >= size || size - at < HEADER_SIZE)
		return 0;
	const uint8_t *header = (const uint8_t *)archive + at;
	bool zero = true;
	for (unsigned i = 0; i < sizeof magic; i++) {
		zero = zero && header[i] == 0;
		if (header[i] != (uint8_t)magic[i] && !zero)
			return -EINVAL;
	}
	if (zero) /* padding after an archive without trailer */
		return 0;
	uint32_t value[NAME_SIZE + 1];
	for (unsigned i = 0; i <= NAME_SIZE; i++)
		if (!field_read(header, i, &value[i]))
			return -EINVAL;
	if (value[NAME_SIZE] == 0 || value[NAME_SIZE] > size - at - HEADER_SIZE)
		return -EINVAL;
	const char *name = (const char *)header + HEADER_SIZE;
	if (name[value[NAME_SIZE] - 1] != '\0')
		return -EINVAL;
	size_t content = (at + HEADER_SIZE + value[NAME_SIZE] + 3) & ~(size_t)3;
	if (content > size || value[SIZE] > size - content)
		return -EINVAL;
	if (same(name, "TRAILER!!!"))
		return 0;
	*member = (struct cpio_member){
		.name = name,
		.offset = content,
		.size = value[SIZE],
		.inode = value[INODE],
		.modified = value[MODIFIED],
		.mode = value[MODE],
		.user = value[USER],
		.group = value[GROUP],
		.links = value[LINKS],
		.device_major = value[SPECIAL_MAJOR],
		.device_minor = value[SPECIAL_MINOR],
	};
	*position = content + value[SIZE];
	return 1;
}

int cpio_find(const void *archive, size_t size, const char *name, struct cpio_member *member)
{
	size_t position = 0;
	int result;
	while ((result = cpio_next(archive, size, &position, member)) == 1) {
		const char *found = member->name;
		if (found[0] == '.' && found[1] == '/')
			found += 2;
		while (*found == '/')
			found++;
		if (same(found, name))
			return 1;
	}
	return result;
}
