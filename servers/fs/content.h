/*
 * What nodes of the tree hold: memory objects of regular files, built-in devices, times and sizes as programs see them.
 * Calls the kernel, never another server.
 */
#ifndef FS_CONTENT_H
#define FS_CONTENT_H
#include "carillon/file_protocol.h"
#include "tree.h"

enum fs_device { FS_DEVICE_NULL, FS_DEVICE_ZERO, FS_DEVICE_FULL, FS_DEVICE_RANDOM };

extern uint64_t content_device_number; /* st_dev of everything here */

/* Reads the clocks; before the first node. */
void content_start(void);
/* A regular file with empty content, paid for by the caller that is being served. NULL and *error (-ENOSPC). */
struct node *content_create_file(uint32_t mode, int *error);
/* A symbolic link. NULL and *error. */
struct node *content_create_link(const char *target, size_t length, int *error);
/* A device of this server's own. */
struct node *content_create_device(uint32_t mode, enum fs_device device, uint64_t special, int *error);
/* Sets a regular file's size. 0, -EINVAL (not regular), -EISDIR, -EFBIG, -ENOSPC. */
int content_resize(struct node *node, uint64_t size);
void content_attributes(struct node *node, struct file_attributes *attributes);
/* Applies what attributes->valid names. 0 or a negative error; the size is changed first, so an error changes nothing. */
int content_set_attributes(struct node *node, const struct file_setattr *attributes);
void content_system_info(struct file_system_info *info);
extern handle_t content_limit; /* of the pages of contents; HANDLE_NONE: none */
#endif
