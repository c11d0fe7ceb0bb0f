/* System calls on budgets (155-157). The accounts are in budget.c. */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/handle.h"
#include "kernel/obj/process_list.h"

int64_t sys_budget_create(handle_t parent, uint64_t pages)
{
	struct object *object = NULL;
	int error = parent == HANDLE_NONE ? 0 : handle_lookup(parent, KIND_BUDGET, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct budget *above = object ? container_of(object, struct budget, object) : NULL;
	bool deep = above && above->depth >= BUDGET_DEPTH_MAX, limit = above && budget_is_limit(above);
	struct budget *budget = deep || limit ? NULL : budget_create(above, pages);
	object_unref(object);
	if (!budget)
		return deep ? -ELOOP : limit ? -EINVAL : -ENOMEM;
	return handle_install_new(&budget->object, RIGHT_READ | RIGHT_WRITE | RIGHT_MANAGE | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0, HANDLE_HIGH);
}

int64_t sys_budget_get(handle_t handle, user_t user_info)
{
	struct object *object;
	struct budget_info info = { 0 };
	int error = handle_lookup(handle, KIND_BUDGET, RIGHT_READ, &object);
	if (error)
		return error;
	budget_get_info(container_of(object, struct budget, object), &info);
	object_unref(object);
	return copy_to_user(user_info, &info, sizeof(info)) ? -EFAULT : 0;
}

int64_t sys_budget_destroy(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_BUDGET, RIGHT_WRITE, &object);
	if (error)
		return error;
	struct budget *budget = container_of(object, struct budget, object);
	if (budget == budget_root) {
		object_unref(object);
		return -EPERM; /* it pays for the first process */
	}
	budget_mark_destroyed(budget);
	process_end_below(budget, STATUS_BUDGET);
	object_unref(object);
	return 0;
}
