/* System calls on address spaces (30-40): look up, check, call the space. */
#include "abi/memory.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/handle.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

static int lookup(handle_t handle, uint32_t rights, struct space **space)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_SPACE, rights, &object);
	if (!error)
		*space = space_of_object(object);
	return error;
}

static int64_t done(struct space *space, int64_t result)
{
	object_unref(space_object(space));
	return result;
}

static int64_t install(struct space *space)
{
	return space ? handle_install_new(space_object(space), RIGHT_ALL, 0, HANDLE_HIGH) : -ENOMEM;
}

int64_t sys_space_create(uint32_t options)
{
	return options ? -EINVAL : install(space_create(NULL));
}

int64_t sys_space_clone(handle_t handle)
{
	struct space *space;
	int error = lookup(handle, RIGHT_READ, &space);
	if (error)
		return error;
	struct space *clone = space_clone(space, NULL);
	object_unref(space_object(space));
	return install(clone);
}

/*
 * What a mapping may ever be given: reading and executing need the read right. Private copies are the space's own memory, so they may
 * always become writable; shared mappings only with the write right.
 */
static uint32_t protection_of_rights(uint32_t rights, uint32_t flags)
{
	uint32_t protection = 0;
	if (rights & RIGHT_READ)
		protection |= PROTECT_READ | PROTECT_EXECUTE;
	if (rights & RIGHT_WRITE || (protection && flags & MAP_PRIVATE_COPY))
		protection |= PROTECT_WRITE;
	/* Memory that can be written can be read: there is no write-only page. */
	return rights & RIGHT_READ ? protection : 0;
}

int64_t sys_space_map(handle_t handle, user_t buffer)
{
	struct space *space;
	struct map_request request;
	struct object *object = 0;
	uint32_t max_protection = PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE, rights;
	int error = copy_from_user(&request, buffer, sizeof(request));
	if (error)
		return error;
	error = lookup(handle, RIGHT_MANAGE, &space);
	if (error)
		return error;
	if (request.memobj != HANDLE_NONE) {
		error = handle_lookup_rights(request.memobj, KIND_MEMOBJ, 0, &object, &rights);
		if (error)
			return done(space, error);
		max_protection = protection_of_rights(rights, request.flags);
		if (!max_protection)
			error = -EACCES;
	}
	uint64_t address = request.address;
	if (!error)
		error = space_map(space, &request, object ? memobj_of_object(object) : 0, max_protection);
	object_unref(object);
	/* The caller hears of the address by the result too: only the copy into the request may be refused, before or after. */
	if (!error && request.address != address)
		error = copy_to_user(buffer + offsetof(struct map_request, address), &request.address, sizeof(request.address));
	return done(space, error ? error : (int64_t)request.address);
}

int64_t sys_space_unmap(handle_t handle, uint64_t address, uint64_t length)
{
	struct space *space;
	int error = lookup(handle, RIGHT_MANAGE, &space);
	return error ? error : done(space, space_unmap(space, address, length));
}

int64_t sys_space_protect(handle_t handle, uint64_t address, uint64_t length, uint32_t protection)
{
	struct space *space;
	int error = lookup(handle, RIGHT_MANAGE, &space);
	return error ? error : done(space, space_protect(space, address, length, protection));
}

int64_t sys_space_discard(handle_t handle, uint64_t address, uint64_t length)
{
	struct space *space;
	int error = lookup(handle, RIGHT_MANAGE, &space);
	return error ? error : done(space, space_discard(space, address, length));
}

int64_t sys_space_move(handle_t handle, user_t buffer)
{
	struct space *space;
	struct move_request request;
	int error = copy_from_user(&request, buffer, sizeof(request));
	if (error)
		return error;
	error = lookup(handle, RIGHT_MANAGE, &space);
	if (error)
		return error;
	error = space_move(space, &request);
	if (!error)
		error = copy_to_user(buffer + offsetof(struct move_request, new_address), &request.new_address, sizeof(request.new_address));
	return done(space, error ? error : (int64_t)request.new_address);
}

int64_t sys_space_query(handle_t handle, uint64_t address, user_t buffer)
{
	struct space *space;
	struct region_info info;
	int error = lookup(handle, RIGHT_READ, &space);
	if (error)
		return error;
	error = space_query(space, address, &info);
	return done(space, error ? error : copy_to_user(buffer, &info, sizeof(info)));
}

/* Through a kernel page: the caller's buffer may fault, the other space's pages may come and go. */
static int64_t space_transfer(struct space *space, uint64_t address, user_t buffer, uint64_t length, bool write)
{
	struct page *page = page_alloc(0, 0);
	if (!page)
		return -ENOMEM;
	char *bounce = page_address(page);
	uint64_t total = 0;
	int64_t result = 0;
	while (total < length) {
		uint64_t piece = min(length - total, PAGE_SIZE - ((address + total) & (PAGE_SIZE - 1)));
		if (write && (result = copy_from_user(bounce, buffer + total, piece)))
			break;
		result = space_copy(space, address + total, bounce, piece, write, write);
		if (result <= 0)
			break;
		uint64_t moved = result;
		if (!write && (result = copy_to_user(buffer + total, bounce, moved)))
			break;
		total += moved;
	}
	page_unref(page);
	return total ? (int64_t)total : result;
}

int64_t sys_space_read(handle_t handle, uint64_t address, user_t buffer, uint64_t length)
{
	struct space *space;
	int error = lookup(handle, RIGHT_READ, &space);
	return error ? error : done(space, space_transfer(space, address, buffer, length, false));
}

int64_t sys_space_write(handle_t handle, uint64_t address, user_t buffer, uint64_t length)
{
	struct space *space;
	int error = lookup(handle, RIGHT_WRITE, &space);
	return error ? error : done(space, space_transfer(space, address, buffer, length, true));
}

int64_t sys_space_get(handle_t handle, user_t buffer)
{
	struct space *space;
	struct space_info info;
	int error = lookup(handle, RIGHT_READ, &space);
	if (error)
		return error;
	space_get_info(space, &info);
	return done(space, copy_to_user(buffer, &info, sizeof(info)));
}
