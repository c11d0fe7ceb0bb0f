/* Directory entries as FILE_READDIR replies carry them. */
#include <string.h>
#include <sys/stat.h>
#include "user/files/walk.h"

bool file_entry_append(unsigned char *buffer, size_t capacity, size_t *used, uint64_t qid, uint64_t next_cookie, uint32_t mode,
	const char *name, size_t name_length)
{
	size_t length = (offsetof(struct file_entry, name) + name_length + 1 + 7) & ~(size_t)7;
	if (length > capacity - *used)
		return false;
	struct file_entry entry = {
		.qid = qid, .cookie = next_cookie, .record_length = (uint16_t)length, .name_length = (uint16_t)name_length,
		.type = (mode & S_IFMT) >> 12, /* DT_ values are the type bits of the mode */
	};
	unsigned char *place = buffer + *used;
	memset(place, 0, length);
	memcpy(place, &entry, offsetof(struct file_entry, name));
	memcpy(place + offsetof(struct file_entry, name), name, name_length);
	*used += length;
	return true;
}
