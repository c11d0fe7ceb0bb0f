/*
 * process_exec: a new image in place of the old one. The caller has built the new space beside the old; here everything that can fail
 * happens before the other threads are told to end, and after that nothing fails.
 */
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/log.h"
#include "kernel/obj/upcall.h"
#include "kernel/vm/space.h"

/* Tables of its own: what it shares with other processes is copied first. -ENOMEM. */
static int handles_own(struct process *process, struct handles *own)
{
	if (handles_shared(&process->handles))
		return handles_copy(own, &process->handles, false);
	*own = process->handles;
	handles_ref(own);
	return 0;
}

/* Nothing fails from here. */
static void image_replace(struct process *process, struct space *space, const struct handles *handles)
{
	spin_lock(&process->lock);
	struct space *old_space = process->space;
	struct handles old_handles = process->handles;
	struct route_table *old_routes = process->routes;
	process->space = space;
	process->arch_space = space_arch(space);
	process->handles = *handles;
	process->routes = NULL;
	process->upcall = (struct upcall_config){ 0 };
	call_gate_update(process);
	spin_unlock(&process->lock);
	arch_space_activate(space_arch(space));
	object_unref(space_object(old_space));
	handles_unref(&old_handles);
	route_table_unref(old_routes);
	handle_table_close_on_exec(handles);
}

int64_t sys_process_exec(handle_t space_handle, user_t user_start)
{
	struct thread_start start;
	struct object *space;
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	if (copy_from_user(&start, user_start, sizeof(start)))
		return -EFAULT;
	if (start.options & ~THREAD_INHERIT_FLOAT || start.priority >= PRIORITY_COUNT || start.tls >= USER_TOP || start.block >= USER_TOP)
		return -EINVAL;
	int error = handle_lookup(space_handle, KIND_SPACE, RIGHT_MANAGE, &space);
	if (error)
		return error;
	struct handles handles;
	error = handles_own(process, &handles);
	if (!error) {
		error = process_end_other_threads(process);
		if (error)
			handles_unref(&handles);
	}
	if (error) {
		object_unref(space);
		return error;
	}
	image_replace(process, space_of_object(space), &handles);
	arch_thread_reset(thread, &start);
	return CALL_FRAME_CHANGED;
}
