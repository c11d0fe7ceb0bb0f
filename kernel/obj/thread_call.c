/* System calls on threads (65-75). */
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/futex.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define LIST_MAX 4096u

static uint8_t priority_of(struct thread *thread)
{
	return ((struct thread_ipc *)thread->ipc)->base_priority;
}

int64_t sys_thread_create(handle_t handle, user_t user_start)
{
	struct thread_start start;
	struct object *object;
	int error;
	if (copy_from_user(&start, user_start, sizeof(start)))
		return -EFAULT;
	if (start.options & ~(THREAD_INHERIT_FLOAT | THREAD_SUSPENDED) || start.priority >= PRIORITY_COUNT)
		return -EINVAL;
	error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	/* Nobody starts threads above its own priority. */
	start.priority = max(start.priority, (uint32_t)priority_of(thread_current()));
	struct thread *thread = thread_create(container_of(object, struct process, object), &start, &error);
	int64_t result = error;
	if (thread) {
		result = (int64_t)thread->number;
		thread_start_running(thread);
	}
	object_unref(object);
	return result;
}

int64_t sys_thread_exit(user_t clear, user_t unmap, uint64_t length)
{
	if (length && space_unmap(space_current(), unmap, length))
		log_info("thread %lu: its stack could not be unmapped", thread_current()->number);
	if (clear && !user_store32(clear, 0)) {
		/* Whoever joins the thread may wait with either kind of key. */
		(void)futex_wake_address(clear, UINT32_MAX, FUTEX_ANY_BITS, FUTEX_SHARED);
		(void)futex_wake_address(clear, UINT32_MAX, FUTEX_ANY_BITS, 0);
	}
	thread_exit_current();
}

int64_t sys_thread_yield(void)
{
	scheduler_yield();
	return 0;
}

int64_t sys_thread_set_pointer(uint32_t which, uint64_t value)
{
	if (which > THREAD_POINTER_BLOCK || value >= USER_TOP)
		return -EINVAL;
	arch_thread_set_pointer(thread_current(), which, value);
	return 0;
}

int64_t sys_thread_clear_interrupt(void)
{
	return __atomic_exchange_n(&thread_current()->interrupt_pending, false, __ATOMIC_ACQ_REL);
}

int64_t sys_thread_self(void)
{
	return (int64_t)thread_current()->number;
}

/* May the thread's frame be looked at from outside? Process lock held. */
static bool frame_is_still(const struct thread *thread)
{
	return thread->parked || (thread->suspend_pending && thread->state == THREAD_SLEEPING) || thread->state == THREAD_NEW;
}

int64_t sys_thread_get_registers(handle_t handle, uint64_t number, user_t user_registers)
{
	struct object *object;
	struct registers registers;
	struct thread *thread;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_READ, &object);
	if (error)
		return error;
	struct process *process = container_of(object, struct process, object);
	error = -ESRCH;
	spin_lock(&process->lock);
	if (process->corpse && number && number == process->fault_thread) {
		registers = process->fault_registers;
		error = 0;
	}
	list_for_each(thread, &process->threads, process_link) {
		if (thread->number != number)
			continue;
		error = frame_is_still(thread) ? 0 : -EBUSY;
		if (!error)
			arch_frame_get(arch_thread_frame(thread), &registers);
		break;
	}
	spin_unlock(&process->lock);
	object_unref(object);
	if (!error && copy_to_user(user_registers, &registers, sizeof(registers)))
		return -EFAULT;
	return error;
}

int64_t sys_thread_set_registers(handle_t handle, uint64_t number, user_t user_registers)
{
	struct object *object;
	struct registers registers;
	struct thread *thread;
	if (copy_from_user(&registers, user_registers, sizeof(registers)))
		return -EFAULT;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct process *process = container_of(object, struct process, object);
	error = -ESRCH;
	spin_lock(&process->lock);
	list_for_each(thread, &process->threads, process_link) {
		if (thread->number != number)
			continue;
		/* Only on the very way to user mode: the result of a call under way would overwrite registers. */
		error = thread->parked ? 0 : -EBUSY;
		if (!error)
			arch_frame_set(arch_thread_frame(thread), &registers);
		break;
	}
	spin_unlock(&process->lock);
	object_unref(object);
	return error;
}

static uint32_t state_of(const struct thread *thread)
{
	if (thread->parked)
		return THREAD_STATE_SUSPENDED;
	if (thread->state == THREAD_DEAD)
		return THREAD_STATE_DEAD;
	if (thread->state != THREAD_SLEEPING)
		return THREAD_STATE_RUNNING;
	return thread->wait_how == WAIT_INTERRUPTIBLE ? THREAD_STATE_WAITING : THREAD_STATE_WAITING_KILLABLE;
}

int64_t sys_thread_list(handle_t handle, user_t user_threads, uint64_t count)
{
	struct object *object;
	struct thread *thread;
	int64_t total = 0;
	count = min(count, (uint64_t)LIST_MAX);
	struct thread_info *list = count ? heap_alloc(count * sizeof(*list)) : NULL;
	if (count && !list)
		return -ENOMEM;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_READ, &object);
	if (!error) {
		struct process *process = container_of(object, struct process, object);
		scheduler_account();
		spin_lock(&process->lock);
		list_for_each(thread, &process->threads, process_link) {
			if ((uint64_t)total < count) {
				const struct usage *usage = &thread->usage;
				usage_divide(usage, &thread->usage_told);
				list[total] = (struct thread_info){ .number = thread->number, .user_time = thread->usage_told.user,
					.system_time = thread->usage_told.system, .state = state_of(thread), .priority = priority_of(thread),
					.page_faults = usage->page_faults, .waits = usage->waits, .preemptions = usage->preemptions };
			}
			total++;
		}
		spin_unlock(&process->lock);
		object_unref(object);
		uint64_t written = min(count, (uint64_t)total);
		if (written && copy_to_user(user_threads, list, written * sizeof(*list)))
			error = -EFAULT;
	}
	heap_free(list, count * sizeof(*list));
	return error ? error : total;
}

int64_t sys_thread_set_priority(handle_t handle, uint64_t number, uint32_t priority)
{
	struct object *object;
	if (priority >= PRIORITY_COUNT)
		return -EINVAL;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct thread *thread = process_find_thread(container_of(object, struct process, object), number);
	object_unref(object);
	if (!thread)
		return -ESRCH;
	if (priority < priority_of(thread_current()) && priority < priority_of(thread)) {
		error = -EPERM;
	} else {
		struct thread_ipc *ipc = thread->ipc;
		ipc->base_priority = ipc->lent = (uint8_t)priority; /* also while it serves a call, until it next receives */
		scheduler_set_priority(thread, priority);
	}
	object_unref(&thread->object);
	return error;
}

int64_t sys_thread_set_slice(handle_t handle, uint64_t number, uint64_t nanoseconds)
{
	struct object *object;
	if (nanoseconds < SLICE_MIN || nanoseconds > SLICE_MAX)
		return -EINVAL;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct thread *thread = process_find_thread(container_of(object, struct process, object), number);
	object_unref(object);
	if (!thread)
		return -ESRCH;
	scheduler_set_slice(thread, nanoseconds);
	object_unref(&thread->object);
	return 0;
}

int64_t sys_thread_set_processors(handle_t handle, uint64_t number, uint64_t mask)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_PROCESS, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct thread *thread = process_find_thread(container_of(object, struct process, object), number);
	object_unref(object);
	if (!thread)
		return -ESRCH;
	int64_t result = scheduler_set_processors(thread, mask);
	object_unref(&thread->object);
	return result;
}

int64_t sys_upcall_return(user_t user_registers)
{
	struct registers registers;
	struct thread *thread = thread_current();
	if (copy_from_user(&registers, user_registers, sizeof(registers)))
		return -EFAULT;
	arch_frame_set(arch_thread_frame(thread), &registers);
	if (thread->interrupt_pending)
		this_processor()->attention = 1;
	return CALL_FRAME_CHANGED;
}
