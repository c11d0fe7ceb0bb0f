/*
 * Memory objects: sparse, resizable arrays of pages in a persistent radix tree (reference-counted nodes, copied on write node by
 * node), so that clone and snapshot cost one reference. States of a page and of the object: see memobj.c.
 */
#ifndef KERNEL_MEMOBJ_H
#define KERNEL_MEMOBJ_H
#include "abi/memory.h"
#include "kernel/core/page.h"
#include "kernel/obj/object.h"

struct memobj; /* defined in memobj.c's private header; begins with struct object */
struct object *memobj_object(struct memobj *memobj);
struct memobj *memobj_of_object(struct object *object);

struct memobj *memobj_create(uint64_t size, uint32_t options, struct budget *payer) must_check;
/* The same, whose pages count against limit too (NULL: nothing). */
struct memobj *memobj_create_limited(uint64_t size, uint32_t options, struct budget *limit) must_check;
struct memobj *memobj_create_physical(physical_t start, uint64_t size, uint32_t options, struct budget *payer) must_check;
struct memobj *memobj_create_contiguous(uint64_t size, struct budget *payer, physical_t *start) must_check;
/* An object over pages that already hold content (the boot archive); their references move into it. */
struct memobj *memobj_create_from_pages(physical_t start, uint64_t size) must_check;
struct memobj *memobj_clone(struct memobj *memobj, uint64_t offset, uint64_t length, struct budget *payer) must_check;
int memobj_share(struct memobj *source, uint64_t source_offset, struct memobj *target, uint64_t target_offset, uint64_t length) must_check;
int memobj_resize(struct memobj *memobj, uint64_t size) must_check;
int memobj_zero(struct memobj *memobj, uint64_t offset, uint64_t length) must_check;
/* Adds SEAL_*. -EPERM: there is SEAL_SEALS; -EBUSY: SEAL_WRITE, and a shared mapping may be written; -EINVAL. */
int memobj_seal(struct memobj *memobj, uint32_t seals) must_check;
void memobj_get_info(struct memobj *memobj, struct memobj_info *info);
uint64_t memobj_size(struct memobj *memobj);
/* From offset on: the first byte of a page that is there, or (hole) that is not; the end is a hole. -ENXIO: none, or offset is not below the size. */
int64_t memobj_find(struct memobj *memobj, uint64_t offset, bool hole) must_check;
/*
 * Copy between the object and user memory of the current thread. They may sleep. Return bytes done, short at the object's size (read) or at
 * the first error; a negative error if nothing was done (-EFAULT, -ENOMEM, -EPERM sealed, -EFBIG beyond limit or size).
 * memobj_write grows the object only if it was created with MEMOBJ_GROW; limit 0: none. With append the offset is the size, taken
 * atomically with the write; *offset tells where the bytes went. User pages are made present before the lock is taken.
 */
int64_t memobj_read_user(struct memobj *memobj, uint64_t offset, user_t buffer, uint64_t length) must_check;
int64_t memobj_write_user(struct memobj *memobj, uint64_t *offset, user_t buffer, uint64_t length, bool append, uint64_t limit) must_check;
/* The same with kernel memory, for start-up and tests. */
int64_t memobj_read_kernel(struct memobj *memobj, uint64_t offset, void *buffer, uint64_t length) must_check;
int64_t memobj_write_kernel(struct memobj *memobj, uint64_t offset, const void *buffer, uint64_t length) must_check;
#endif
