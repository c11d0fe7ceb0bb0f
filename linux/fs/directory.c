/*
 * Reading directories. The position is the description's cursor, which holds the server's cookie, so dup, fork and lseek behave as they
 * should: rewinddir is lseek to 0 and needs nothing here.
 */
#include "linux/fs/name.h"

#define BUFFER_SIZE 32768u
#define NAME_ROOM 512u /* at least one entry of the protocol */

/* The headers; the name with its NUL follows (in the old form the type is the record's last byte) */
#define ENTRY_HEADER 19u
#define ENTRY_HEADER_OLD 18u

struct entry_new { uint64_t inode; int64_t next; uint16_t length; uint8_t type; } __attribute__((packed));
struct entry_old { uint64_t inode; int64_t next; uint16_t length; } __attribute__((packed));

/*
 * Rewrites the protocol's entries in place as Linux's, which are never longer, until room bytes are used. Returns the bytes used; *next is
 * where to go on. -EINVAL: not even one fits; -EIO: the server's list makes no sense.
 */
static int64_t entries_convert(uint8_t *buffer, size_t bytes, size_t room, bool old, uint64_t *next)
{
	size_t used = 0;
	for (size_t at = 0; at < bytes;) {
		struct file_entry entry;
		if (bytes - at < sizeof entry)
			return -EIO;
		memcpy(&entry, buffer + at, sizeof entry);
		if (entry.record_length % 8 || entry.record_length > bytes - at ||
			entry.record_length < sizeof entry + entry.name_length + 1)
			return -EIO;
		size_t header = old ? ENTRY_HEADER_OLD : ENTRY_HEADER;
		size_t length = (header + entry.name_length + 1 + (old ? 1 : 0) + 7) & ~7ul;
		if (used + length > room)
			return used ? (int64_t)used : -EINVAL;
		uint8_t *out = buffer + used;
		size_t from = at + sizeof entry;
		at += entry.record_length;
		memmove(out + header, buffer + from, entry.name_length);
		memset(out + header + entry.name_length, 0, length - header - entry.name_length);
		if (old) {
			struct entry_old record = { entry.qid, (int64_t)entry.cookie, (uint16_t)length };
			memcpy(out, &record, sizeof record);
			out[length - 1] = (uint8_t)entry.type;
		} else {
			struct entry_new record = { entry.qid, (int64_t)entry.cookie, (uint16_t)length, (uint8_t)entry.type };
			memcpy(out, &record, sizeof record);
		}
		used += length;
		*next = entry.cookie;
	}
	return (int64_t)used;
}

static int64_t entries_read(struct linux_thread *t, int fd, uint64_t address, uint32_t length, bool old)
{
	struct description_info info;
	int64_t result = descriptor_info(fd, &info);
	if (result < 0)
		return result == -EINVAL ? -ENOTDIR : result;
	enum file_kind kind = FILE_COOKIE_KIND(info.cookie);
	if (kind == FILE_KIND_PATH)
		return -EBADF;
	if (kind != FILE_KIND_DIRECTORY)
		return -ENOTDIR;

	size_t room = MINIMUM(MAXIMUM(length, NAME_ROOM), BUFFER_SIZE), bytes = room;
	uint8_t *buffer = linux_alloc(t->process, room);
	if (!buffer)
		return -ENOMEM;
	uint64_t next = (uint64_t)info.cursor;
	struct message message = { .word = { FILE_READDIR, next }, .receive_address = (uintptr_t)buffer, .receive_size = bytes };
	result = ns_call(fd, 1, &message, 0);
	if (result >= 0)
		result = (int64_t)message.word[0];
	if (result >= 0) {
		bytes = message.word[1];
		if (bytes > room || bytes > message.receive_size)
			result = -EIO;
		else if (bytes)
			result = entries_convert(buffer, bytes, length, old, &next);
		else
			result = 0;
	}
	if (result > 0) {
		if (user_write(t, address, buffer, (size_t)result))
			result = -EFAULT;
		else {
			int64_t moved = description_seek(fd, (int64_t)next, 0);
			if (moved < 0)
				result = moved;
		}
	}
	linux_free(t->process, buffer, room);
	return result;
}

int64_t linux_getdents64(struct linux_thread *t, const uint64_t argument[6])
{
	return entries_read(t, (int)argument[0], argument[1], (uint32_t)argument[2], false);
}

int64_t linux_getdents(struct linux_thread *t, const uint64_t argument[6])
{
	return entries_read(t, (int)argument[0], argument[1], (uint32_t)argument[2], true);
}
