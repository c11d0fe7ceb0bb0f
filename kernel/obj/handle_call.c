/* System calls on handles (1-9). The tables are in handle.c. */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/obj/process.h"

/* Rights asked for: 0 stands for all of actual. */
static int rights_choose(uint32_t actual, uint32_t wanted, uint32_t *rights)
{
	*rights = wanted ? wanted : actual;
	return *rights & ~actual ? -EACCES : 0;
}

/* Numbers that a directly routed call may name. */
static bool number_reachable(uint32_t number)
{
	return number < HANDLE_HIGH || !thread_current()->call_routed;
}

int64_t sys_handle_close(handle_t handle)
{
	return handle < 0 ? -EBADF : handle_table_close(&process_current()->handles, (uint32_t)handle, NULL);
}

int64_t sys_handle_duplicate(handle_t handle, uint32_t minimum, uint32_t wanted, uint32_t options)
{
	struct object *object;
	uint32_t actual, rights;
	if (options & ~(HANDLE_CLOSE_ON_EXEC | HANDLE_NOT_COPIED) || !number_reachable(minimum))
		return -EINVAL;
	int error = handle_lookup_rights(handle, KIND_NONE, RIGHT_DUPLICATE, &object, &actual);
	if (error)
		return error;
	error = rights_choose(actual, wanted, &rights);
	if (error) {
		object_unref(object);
		return error;
	}
	return handle_install_new(object, rights, options, minimum);
}

int64_t sys_handle_replace(handle_t handle, uint32_t target, uint32_t options)
{
	struct object *object;
	uint32_t rights;
	if (options & ~HANDLE_CLOSE_ON_EXEC)
		return -EINVAL;
	if (!number_reachable(target))
		return -EBADF;
	int error = handle_lookup_rights(handle, KIND_NONE, RIGHT_DUPLICATE, &object, &rights);
	if (error)
		return error;
	if (handle >= 0 && (uint32_t)handle == target) {
		object_unref(object);
		return target;
	}
	return handle_table_install_at(&process_current()->handles, object, rights, options, target, true);
}

int64_t sys_handle_get(handle_t handle, user_t user_info)
{
	struct handle_info info = { 0 };
	struct object *object;
	int error = handle_lookup_rights(handle, KIND_NONE, 0, &object, &info.rights);
	if (error)
		return error;
	info.kind = object->operations->kind;
	info.options = handle < 0 ? 0 : handle_table_options(&process_current()->handles, (uint32_t)handle);
	info.references = object->references - 1; /* not our own */
	info.identity = (uint64_t)(uintptr_t)object;
	object_unref(object);
	return copy_to_user(user_info, &info, sizeof(info)) ? -EFAULT : 0;
}

int64_t sys_handle_set_options(handle_t handle, uint32_t options)
{
	if (options & ~(HANDLE_CLOSE_ON_EXEC | HANDLE_NOT_COPIED))
		return -EINVAL;
	if (handle < 0)
		return -EBADF;
	return handle_table_mark(&process_current()->handles, (uint32_t)handle, (uint32_t)handle, options, false);
}

int64_t sys_handle_install(handle_t process_handle, handle_t handle, uint32_t target, uint32_t wanted)
{
	struct object *process_object, *object;
	uint32_t actual, rights;
	int64_t error = handle_lookup(process_handle, KIND_PROCESS, RIGHT_MANAGE, &process_object);
	if (error)
		return error;
	struct process *process = container_of(process_object, struct process, object);
	error = handle_lookup_rights(handle, KIND_NONE, RIGHT_TRANSFER | RIGHT_DUPLICATE, &object, &actual);
	if (!error) {
		error = rights_choose(actual, wanted, &rights);
		struct handles handles;
		if (!error)
			error = process_handles_ref(process, &handles);
		if (error) {
			object_unref(object);
		} else {
			error = handle_table_install_at(&handles, object, rights, 0, target, false);
			handles_unref(&handles);
		}
	}
	object_unref(process_object);
	return error;
}

int64_t sys_handle_fetch(handle_t process_handle, uint32_t first, user_t user_found)
{
	struct object *process_object, *object;
	struct handle_found found = { .handle = HANDLE_NONE };
	uint32_t rights;
	int64_t number = handle_lookup(process_handle, KIND_PROCESS, RIGHT_MANAGE, &process_object);
	if (number)
		return number;
	struct handles handles;
	number = process_handles_ref(container_of(process_object, struct process, object), &handles);
	if (!number) {
		number = handle_table_next(&handles, first, &object, &rights, &found.options);
		handles_unref(&handles);
	}
	object_unref(process_object);
	if (number < 0)
		return number;
	int64_t handle = handle_install_new(object, rights, 0, HANDLE_HIGH);
	if (handle < 0)
		return handle;
	found.handle = (handle_t)handle;
	if (copy_to_user(user_found, &found, sizeof(found))) {
		(void)handle_table_close(&process_current()->handles, (uint32_t)handle, NULL);
		return -EFAULT;
	}
	return number;
}

int64_t sys_handle_limit(uint32_t limit)
{
	return handle_table_set_limit(&process_current()->handles, limit);
}

int64_t sys_handle_close_range(uint32_t first, uint32_t last, uint32_t options)
{
	const struct handles *handles = &process_current()->handles;
	if (first > last || options & ~HANDLE_CLOSE_ON_EXEC)
		return -EINVAL;
	if (thread_current()->call_routed)
		last = min(last, HANDLE_HIGH - 1u);
	if (options & HANDLE_CLOSE_ON_EXEC)
		(void)handle_table_mark(handles, first, last, HANDLE_CLOSE_ON_EXEC, true);
	else
		handle_table_close_range(handles, first, last);
	return 0;
}
