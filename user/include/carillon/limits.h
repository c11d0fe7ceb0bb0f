/* Limits of the system that more than one server has to know. */
#ifndef CARILLON_LIMITS_H
#define CARILLON_LIMITS_H
#include "carillon/calls.h"

#define OPEN_FILES_MIN 8192u

/* How many files may be open at once: one for each 2 KiB of memory, but at least OPEN_FILES_MIN. /proc/sys/fs/file-max. */
static inline uint64_t open_files_limit(void)
{
	struct system_info info = { 0 };
	system_get(&info);
	uint64_t files = info.pages_total * (PAGE_SIZE / 1024) / 2;
	return files > OPEN_FILES_MIN ? files : OPEN_FILES_MIN;
}
#endif
