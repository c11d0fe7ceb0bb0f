/*
 * Fills the tree from the boot archive (lib/cpio decodes it): directories, links and files, whose pages are shared with the archive instead of copied
 * where their content starts at a page boundary.
 */
#ifndef FS_ARCHIVE_H
#define FS_ARCHIVE_H
#include <stdint.h>
#include "abi/types.h"

/* Loads all of the archive. 0 or a negative error (the members without errors stay). */
int archive_load(handle_t archive, uint64_t size);
#endif
