/*
 * Walking a cpio archive of the "newc" format that lies in memory. Nothing in it is trusted. Carillon's boot archive is such a file
 * in which the content of every member starts at a multiple of 4096 (tools/archive pads the names with NULs).
 */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H
#include <stddef.h>
#include <stdint.h>

struct cpio_member {
	const char *name;      /* NUL-terminated, inside the archive */
	uint64_t offset, size; /* of the content, from the archive's start */
	uint64_t inode, modified; /* modified: seconds since 1970 */
	uint32_t mode, user, group, links;
	uint32_t device_major, device_minor; /* of a device node */
};

/*
 * The member at *position (0 first), which is moved on: 1; 0 at the end (trailer or end of the data); -EINVAL when the archive is damaged.
 */
int cpio_next(const void *archive, size_t size, size_t *position, struct cpio_member *member);
/* The member of that name: 1, 0 when there is none, -EINVAL. A leading "./" or "/" of a member's name does not count. */
int cpio_find(const void *archive, size_t size, const char *name, struct cpio_member *member);
#endif
