/* System calls on memory objects (10-20): look up, check, call the object. */
#include "abi/memory.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/handle.h"
#include "kernel/obj/process.h"
#include "kernel/vm/memobj_private.h"

static int lookup(handle_t handle, uint32_t rights, struct memobj **memobj)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_MEMOBJ, rights, &object);
	if (!error)
		*memobj = memobj_of_object(object);
	return error;
}

static int64_t done(struct memobj *memobj, int64_t result)
{
	object_unref(memobj_object(memobj));
	return result;
}

static int64_t install(struct memobj *memobj)
{
	return memobj ? handle_install_new(memobj_object(memobj), RIGHT_ALL, 0, HANDLE_HIGH) : -ENOMEM;
}

static int resource_check(handle_t resource)
{
	struct object *object;
	int error = handle_lookup(resource, KIND_RESOURCE, 0, &object);
	if (!error)
		object_unref(object);
	return error;
}

int64_t sys_memobj_create(uint64_t size, uint32_t options)
{
	if (options & ~MEMOBJ_GROW || size > MEMOBJ_SIZE_MAX)
		return -EINVAL;
	return install(memobj_create(size, options, NULL));
}

int64_t sys_memobj_create_limited(uint64_t size, uint32_t options, handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_BUDGET, RIGHT_WRITE, &object);
	if (error)
		return error;
	struct budget *limit = container_of(object, struct budget, object);
	bool valid = !(options & ~MEMOBJ_GROW) && size <= MEMOBJ_SIZE_MAX && budget_is_limit(limit);
	int64_t result = valid ? install(memobj_create_limited(size, options, limit)) : -EINVAL;
	object_unref(object);
	return result;
}

int64_t sys_memobj_create_physical(handle_t resource, uint64_t address, uint64_t size, uint32_t options)
{
	uint64_t end;
	int error = resource_check(resource);
	if (error)
		return error;
	if (options & ~MEMOBJ_UNCACHED || (address | size) & (PAGE_SIZE - 1) || !size || __builtin_add_overflow(address, size, &end)
	    || end > 1ul << 52)
		return -EINVAL;
	/* Memory that the kernel manages is not device memory. */
	for (uint64_t at = address; at < end; at += PAGE_SIZE) {
		if (page_of_physical(at))
			return -EPERM;
		if (at - address >= 1ul << 32)
			break;
	}
	return install(memobj_create_physical(address, size, options, NULL));
}

int64_t sys_memobj_create_contiguous(handle_t resource, uint64_t size, user_t physical)
{
	struct physical_range range;
	int error = resource_check(resource);
	if (error)
		return error;
	if (!size || size > MEMOBJ_SIZE_MAX)
		return -EINVAL;
	struct memobj *memobj = memobj_create_contiguous(size, budget_current(), &range.address);
	if (!memobj)
		return -ENOMEM;
	range.size = align_up(size, PAGE_SIZE);
	error = copy_to_user(physical, &range, sizeof(range));
	return error ? done(memobj, error) : install(memobj);
}

int64_t sys_memobj_read(handle_t handle, uint64_t offset, user_t buffer, uint64_t length)
{
	struct memobj *memobj;
	int error = lookup(handle, RIGHT_READ, &memobj);
	return error ? error : done(memobj, memobj_read_user(memobj, offset, buffer, length));
}

int64_t sys_memobj_write(handle_t handle, uint64_t offset, user_t buffer, uint64_t length)
{
	struct memobj *memobj;
	int error = lookup(handle, RIGHT_WRITE, &memobj);
	if (error)
		return error;
	/* Inside the size, also for objects that grow through descriptions. */
	uint64_t size = memobj_size(memobj);
	if (!size && length)
		return done(memobj, -EFBIG);
	return done(memobj, memobj_write_user(memobj, &offset, buffer, length, false, size));
}

int64_t sys_memobj_resize(handle_t handle, uint64_t size)
{
	struct memobj *memobj;
	int error = lookup(handle, RIGHT_WRITE, &memobj);
	return error ? error : done(memobj, memobj_resize(memobj, size));
}

int64_t sys_memobj_get(handle_t handle, user_t buffer)
{
	struct memobj *memobj;
	struct memobj_info info;
	int error = lookup(handle, 0, &memobj);
	if (error)
		return error;
	memobj_get_info(memobj, &info);
	return done(memobj, copy_to_user(buffer, &info, sizeof(info)));
}

int64_t sys_memobj_clone(handle_t handle, uint64_t offset, uint64_t length)
{
	struct memobj *memobj;
	uint64_t end;
	int error = lookup(handle, RIGHT_READ, &memobj);
	if (error)
		return error;
	if (offset & (PAGE_SIZE - 1) || length > MEMOBJ_SIZE_MAX || __builtin_add_overflow(offset, length, &end)
	    || memobj->kind == MEMOBJ_PHYSICAL || memobj->fixed)
		return done(memobj, -EINVAL);
	struct memobj *clone = memobj_clone(memobj, offset, length, NULL);
	object_unref(memobj_object(memobj));
	return install(clone);
}

int64_t sys_memobj_share(handle_t source_handle, uint64_t source_offset, handle_t target_handle, uint64_t target_offset, uint64_t length)
{
	struct memobj *source, *target;
	int error = lookup(source_handle, RIGHT_READ, &source);
	if (error)
		return error;
	error = lookup(target_handle, RIGHT_WRITE, &target);
	if (error)
		return done(source, error);
	error = memobj_share(source, source_offset, target, target_offset, length);
	object_unref(memobj_object(target));
	return done(source, error);
}

int64_t sys_memobj_zero(handle_t handle, uint64_t offset, uint64_t length)
{
	struct memobj *memobj;
	int error = lookup(handle, RIGHT_WRITE, &memobj);
	return error ? error : done(memobj, memobj_zero(memobj, offset, length));
}

int64_t sys_memobj_seal(handle_t handle, uint32_t seals)
{
	struct memobj *memobj;
	int error = lookup(handle, RIGHT_WRITE, &memobj);
	return error ? error : done(memobj, memobj_seal(memobj, seals));
}
