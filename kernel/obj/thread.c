/*
 * User threads: creation, the way back to user mode (where they are killed, suspended and interrupted), the end.
 */
#include "kernel/obj/thread.h"
#include "arch/mmu.h"
#include "arch/processor.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"
#include "kernel/obj/upcall.h"
#include "kernel/vm/space.h"

static uint64_t last_number;
static uint32_t threads_alive;

uint32_t thread_count(void)
{
	return __atomic_load_n(&threads_alive, __ATOMIC_RELAXED);
}

struct arch_space *thread_arch_space(const struct thread *thread)
{
	return thread->process ? thread->process->arch_space : NULL;
}

const struct upcall_config *thread_upcall(const struct thread *thread)
{
	return thread->process ? &thread->process->upcall : NULL;
}

static void thread_destroy(struct object *object)
{
	struct thread *thread = container_of(object, struct thread, object);
	arch_thread_destroy(thread);
	heap_free(container_of(thread, struct user_thread, thread), sizeof(struct user_thread));
}

static const struct object_operations thread_operations = {
	.kind = KIND_THREAD, .name = "thread", .destroy = thread_destroy,
};

struct thread *thread_create(struct process *process, const struct thread_start *start, int *error)
{
	struct user_thread *user = heap_alloc(sizeof(*user));
	*error = -ENOMEM;
	if (!user)
		return NULL;
	struct thread *thread = &user->thread;
	list_init(&thread->turn.link);
	list_init(&thread->wait_link);
	list_init(&thread->process_link);
	list_init(&thread->wait_deadline.link);
	thread->ipc = &user->ipc;
	thread->state = THREAD_NEW;
	thread_ipc_init(&user->ipc, thread);
	struct thread *creator = thread_current();
	uint32_t inherited = creator->ipc ? ((struct thread_ipc *)creator->ipc)->base_priority : PRIORITY_DEFAULT;
	user->ipc.lent = user->ipc.base_priority = thread->priority = (uint8_t)(start->priority ? start->priority : inherited);
	thread->slice = creator->slice;
	thread->processors = creator->processors;
	thread->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
	*error = arch_thread_init(thread, start);
	if (*error) {
		heap_free(user, sizeof(*user));
		return NULL;
	}
	object_init(&thread->object, &thread_operations);
	spin_lock(&process->lock);
	if (process->ending || process->exec_pending) {
		spin_unlock(&process->lock);
		object_unref(&thread->object);
		*error = -ESRCH;
		return NULL;
	}
	thread->process = process;
	thread->queue = &budget_share(process->budget)->queue[thread->priority];
	thread->suspend_pending = process->suspended || start->options & THREAD_SUSPENDED;
	list_add_last(&process->threads, &thread->process_link);
	process->thread_count++;
	object_ref(&process->object);
	spin_unlock(&process->lock);
	__atomic_add_fetch(&threads_alive, 1, __ATOMIC_RELAXED);
	trace(TRACE_THREAD, thread->number, process, 0, 0, 0, 0);
	return thread;
}

void thread_start_running(struct thread *thread)
{
	thread_ready(thread);
}

void thread_exit_current(void)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	scheduler_account();
	thread_ipc_release(thread->ipc);
	spin_lock(&process->lock);
	list_remove(&thread->process_link);
	usage_add(&process->usage, &thread->usage);
	bool last = --process->thread_count == 0;
	if (last)
		process->ending = process->corpse = true;
	wait_wake_all(&process->changed, 0);
	spin_unlock(&process->lock);
	trace(TRACE_EXIT, process, last, 0, 0, 0, 0);
	if (last)
		process_finish(process);
	/* The space may go with the process: leave it first. */
	arch_space_activate(NULL);
	struct thread_ipc *ipc = thread->ipc;
	spin_lock(&ipc->lock); /* a port that names it as its server may look: port_server_process */
	thread->process = NULL;
	spin_unlock(&ipc->lock);
	scheduler_leave_process(); /* its share may go with the process's budget */
	object_unref(&process->object);
	__atomic_sub_fetch(&threads_alive, 1, __ATOMIC_RELAXED);
	scheduler_exit();
}

void thread_interrupt(struct thread *thread)
{
	thread->interrupt_pending = true;
	wait_interrupt(thread, false);
	scheduler_draw_attention(thread);
}

/* Waits while the thread is suspended. Its frame may be read and written meanwhile. */
static void thread_park(struct thread *thread)
{
	struct process *process = thread->process;
	spin_lock(&process->lock);
	while (thread->suspend_pending && !thread->kill_pending) {
		thread->parked = true;
		(void)wait_on(&process->changed, &process->lock, DEADLINE_NEVER, WAIT_KILLABLE);
		spin_lock(&process->lock);
	}
	thread->parked = false;
	spin_unlock(&process->lock);
}

void thread_return_to_user(struct arch_frame *frame)
{
	struct thread *thread = thread_current();
	if (thread->suspend_pending && !thread->kill_pending)
		thread_park(thread);
	if (thread->kill_pending)
		thread_exit_current();
	if (thread->interrupt_pending)
		upcall_interrupt(thread, frame);
	if (thread->kill_pending) /* the upcall could not be delivered */
		thread_exit_current();
}
