/*
 * Processes: life and death, suspension, watching. States and locks: process.h. The calls are in process_call.c, exec in exec.c.
 */
#include "kernel/obj/process.h"
#include "arch/mmu.h"
#include "arch/processor.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process_list.h"
#include "kernel/obj/upcall.h"
#include "kernel/vm/space.h"

static uint32_t processes_alive;

uint32_t process_count(void)
{
	return __atomic_load_n(&processes_alive, __ATOMIC_RELAXED);
}

struct space *space_current(void)
{
	struct thread *thread = thread_current();
	return thread && thread->process ? thread->process->space : NULL;
}

struct budget *budget_own(void)
{
	struct thread *thread = thread_current();
	return thread && thread->process ? thread->process->budget : budget_root;
}

struct budget *budget_current(void)
{
	struct thread *thread = thread_current();
	if (!thread || !thread->process)
		return budget_root;
	struct budget *caller = port_caller_budget(thread->ipc);
	return caller ? caller : thread->process->budget;
}

void route_table_unref(struct route_table *routes)
{
	while (routes && !__atomic_sub_fetch(&routes->references, 1, __ATOMIC_ACQ_REL)) {
		struct route_table *before = routes->before;
		heap_free(routes, route_table_size(routes->count));
		routes = before;
	}
}

/* Everything but the space goes. Called once, without locks, when no thread is left (or there never was one). */
static void process_release(struct process *process)
{
	spin_lock(&process->lock);
	struct handles handles = process->handles;
	process->handles = (struct handles){ { NULL, NULL } };
	struct client *watcher = process->watcher;
	process->watcher = NULL;
	spin_unlock(&process->lock);
	reply_table_close(&process->replies);
	handles_unref(&handles);
	route_table_unref(process->routes);
	process->routes = NULL;
	__atomic_sub_fetch(&processes_alive, 1, __ATOMIC_RELAXED);
	if (!watcher)
		return;
	object_ref(&process->object); /* until the notification is received */
	client_notify(watcher, &process->watch_notification);
	object_unref(client_object(watcher));
}

static void watch_notification_release(struct notification *notification)
{
	object_unref(&container_of(notification, struct process, watch_notification)->object);
}

static void process_destroy(struct object *object)
{
	struct process *process = container_of(object, struct process, object);
	process_list_remove(process);
	if (!process->corpse) { /* never had a thread: whoever watches it is told nothing, the notice would need what is being freed */
		struct client *watcher = process->watcher;
		process->watcher = NULL;
		process_release(process);
		if (watcher)
			object_unref(client_object(watcher));
	}
	object_unref(space_object(process->space));
	object_unref(&process->budget->object);
	heap_free(process, sizeof(*process));
}

static uint32_t process_ready(struct object *object)
{
	return container_of(object, struct process, object)->corpse ? READY_IN : 0;
}

static const struct object_operations process_operations = {
	.kind = KIND_PROCESS, .name = "process", .destroy = process_destroy, .ready = process_ready,
};

struct process *process_create(struct space *space, const struct handles *handles, struct budget *budget)
{
	struct process *process = heap_alloc(sizeof(*process));
	if (!process)
		return NULL;
	spin_init(&process->lock, "process", RANK_PROCESS);
	list_init(&process->threads);
	wait_queue_init(&process->changed);
	reply_table_init(&process->replies);
	list_init(&process->watch_notification.link);
	process->watch_notification.release = watch_notification_release;
	process->start_time = time_now();
	process->space = space;
	process->arch_space = space_arch(space);
	process->handles = *handles;
	process->budget = budget;
	call_gate_update(process);
	object_ref(space_object(space));
	handles_ref(handles);
	object_ref(&budget->object);
	object_init(&process->object, &process_operations);
	if (thread_current()->process) /* the child of a fork goes on under its parent's name */
		memcpy(process->name, process_current()->name, sizeof(process->name));
	trace_process(process);
	process_list_add(process);
	__atomic_add_fetch(&processes_alive, 1, __ATOMIC_RELAXED);
	return process;
}

int process_handles_ref(struct process *process, struct handles *handles)
{
	spin_lock(&process->lock);
	*handles = process->handles;
	bool some = handles->table[0];
	if (some)
		handles_ref(handles);
	spin_unlock(&process->lock);
	return some ? 0 : -ESRCH;
}

struct thread *process_find_thread(struct process *process, uint64_t number)
{
	struct thread *thread, *found = NULL;
	spin_lock(&process->lock);
	list_for_each(thread, &process->threads, process_link) {
		if (thread->number == number) {
			found = thread;
			object_ref(&thread->object);
			break;
		}
	}
	spin_unlock(&process->lock);
	return found;
}

struct usage process_usage(struct process *process, uint64_t *user, uint64_t *system)
{
	struct thread *thread;
	spin_lock(&process->lock);
	struct usage sum = process->usage;
	list_for_each(thread, &process->threads, process_link)
		usage_add(&sum, &thread->usage);
	if (user) {
		usage_divide(&sum, &process->usage_told);
		*user = process->usage_told.user;
		*system = process->usage_told.system;
	}
	spin_unlock(&process->lock);
	return sum;
}

static void thread_kill_locked(struct thread *thread)
{
	thread->kill_pending = true;
	wait_interrupt(thread, true);
	scheduler_draw_attention(thread);
}

int process_end(struct process *process, uint32_t status)
{
	struct thread *thread;
	spin_lock(&process->lock);
	if (process->corpse) {
		spin_unlock(&process->lock);
		return -ESRCH;
	}
	if (!process->ending) {
		process->ending = true;
		process->status = status;
	}
	list_for_each(thread, &process->threads, process_link)
		thread_kill_locked(thread);
	bool empty = process->thread_count == 0;
	if (empty)
		process->corpse = true;
	spin_unlock(&process->lock);
	if (empty)
		process_finish(process);
	return 0;
}

void process_finish(struct process *process)
{
	process->watch_notification.word[0] = NOTIFY_DEATH;
	process->watch_notification.word[1] = process->watch_word;
	process->watch_notification.word[2] = process->status;
	kernel_first_process_died(process);
	process_release(process);
	object_notify(&process->object, READY_IN);
}

void process_kill_current(uint32_t status)
{
	(void)process_end(process_current(), status);
}

int process_end_other_threads(struct process *process)
{
	struct thread *thread, *current = thread_current();
	int error = 0;
	spin_lock(&process->lock);
	if (process->ending || process->exec_pending) {
		spin_unlock(&process->lock);
		return -EINTR;
	}
	process->exec_pending = true;
	list_for_each(thread, &process->threads, process_link)
		if (thread != current)
			thread_kill_locked(thread);
	while (process->thread_count > 1 && !error) {
		error = wait_on(&process->changed, &process->lock, DEADLINE_NEVER, WAIT_KILLABLE);
		spin_lock(&process->lock);
	}
	process->exec_pending = false;
	spin_unlock(&process->lock);
	return error;
}

int process_suspend(struct process *process)
{
	struct thread *thread;
	spin_lock(&process->lock);
	bool corpse = process->corpse;
	process->suspended = true;
	list_for_each(thread, &process->threads, process_link) {
		thread->suspend_pending = true;
		scheduler_draw_attention(thread);
	}
	spin_unlock(&process->lock);
	return corpse ? -ESRCH : 0;
}

int process_resume(struct process *process)
{
	struct thread *thread;
	spin_lock(&process->lock);
	bool corpse = process->corpse;
	process->suspended = false;
	list_for_each(thread, &process->threads, process_link)
		thread->suspend_pending = false;
	wait_wake_all(&process->changed, 0);
	spin_unlock(&process->lock);
	return corpse ? -ESRCH : 0;
}

int process_watch(struct process *process, struct client *client, uint64_t word)
{
	spin_lock(&process->lock);
	if (process->watching) {
		spin_unlock(&process->lock);
		return -EBUSY;
	}
	process->watching = true;
	process->watch_word = word;
	object_ref(client_object(client));
	bool dead = process->corpse;
	if (!dead)
		process->watcher = client;
	spin_unlock(&process->lock);
	if (dead) {
		process->watch_notification.word[0] = NOTIFY_DEATH;
		process->watch_notification.word[1] = word;
		process->watch_notification.word[2] = process->status;
		object_ref(&process->object);
		client_notify(client, &process->watch_notification);
		object_unref(client_object(client));
	}
	return 0;
}
