/* System calls on processes (50-62), but exec. What they do is in process.c. */
#include "arch/usercopy.h"
#include "abi/calls.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/upcall.h"
#include "kernel/vm/space.h"

#define RIGHTS_PROCESS (RIGHT_READ | RIGHT_WRITE | RIGHT_MANAGE | RIGHT_DUPLICATE | RIGHT_TRANSFER)
#define ROUTES_MAX 1024u

static int process_lookup(handle_t handle, uint32_t rights, struct process **process)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_PROCESS, rights, &object);
	*process = error ? NULL : container_of(object, struct process, object);
	return error;
}

/* The tables the new process gets, with references for the caller. 0, -ENOMEM, or what is wrong with the process named. */
static int handles_for(uint32_t options, handle_t source, struct handles *handles)
{
	struct process *process;
	struct handles own;
	if (!(options & (PROCESS_SHARE_HANDLES | PROCESS_COPY_HANDLES)))
		return handles_create(handles);
	int error = process_lookup(source, RIGHT_MANAGE, &process);
	if (error)
		return error;
	error = process_handles_ref(process, &own);
	object_unref(&process->object);
	if (error)
		return error;
	if (options & PROCESS_SHARE_HANDLES) {
		*handles = own;
		return 0;
	}
	error = handles_copy(handles, &own, options & PROCESS_SHARE_LOW_HANDLES);
	handles_unref(&own);
	return error;
}

int64_t sys_process_create(handle_t space_handle, handle_t budget_handle, uint32_t options, handle_t source)
{
	struct object *space, *budget;
	struct process *parent = process_current();
	if (options & ~(PROCESS_COPY_HANDLES | PROCESS_SHARE_HANDLES | PROCESS_SHARE_LOW_HANDLES | PROCESS_COPY_UPCALL))
		return -EINVAL;
	if ((options & PROCESS_COPY_HANDLES) ? options & PROCESS_SHARE_HANDLES : options & PROCESS_SHARE_LOW_HANDLES)
		return -EINVAL;
	int error = handle_lookup(space_handle, KIND_SPACE, RIGHT_MANAGE, &space);
	if (error)
		return error;
	error = handle_lookup(budget_handle, KIND_BUDGET, 0, &budget);
	if (error) {
		object_unref(space);
		return error;
	}
	/* A process made here after the budget's end would outlive it; a limit pays for nothing. */
	bool destroyed = budget_is_destroyed(container_of(budget, struct budget, object));
	bool limit = budget_is_limit(container_of(budget, struct budget, object));
	struct handles handles;
	struct process *process = NULL;
	error = limit ? -EINVAL : destroyed ? -ENOMEM : handles_for(options, source, &handles);
	if (!error) {
		process = process_create(space_of_object(space), &handles, container_of(budget, struct budget, object));
		handles_unref(&handles);
	}
	object_unref(budget);
	object_unref(space);
	if (!process)
		return error ? error : -ENOMEM;
	if (options & PROCESS_COPY_UPCALL) {
		process->upcall = parent->upcall;
		process->routes = parent->routes;
		if (process->routes)
			__atomic_add_fetch(&process->routes->references, 1, __ATOMIC_RELAXED);
		process->gate = parent->gate;
	}
	return handle_install_new(&process->object, RIGHTS_PROCESS, 0, HANDLE_HIGH);
}

int64_t sys_process_unshare(void)
{
	struct process *process = process_current();
	struct handles own, before = process->handles;
	if (!handles_shared(&before))
		return 0;
	if (handles_copy(&own, &before, false))
		return -ENOMEM;
	spin_lock(&process->lock);
	process->handles = own;
	spin_unlock(&process->lock);
	handles_unref(&before);
	return 0;
}

int64_t sys_process_exit(uint32_t status)
{
	process_kill_current(status);
	thread_exit_current();
}

int64_t sys_process_kill(handle_t handle, uint32_t status)
{
	struct process *process;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	error = process_end(process, status);
	object_unref(&process->object);
	return error;
}

int64_t sys_process_suspend(handle_t handle)
{
	struct process *process;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	error = process_suspend(process);
	object_unref(&process->object);
	return error;
}

int64_t sys_process_resume(handle_t handle)
{
	struct process *process;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	error = process_resume(process);
	object_unref(&process->object);
	return error;
}

/* A thread that would notice: one that sleeps interruptibly, else the oldest one that has no interrupt pending, else the oldest. */
static struct thread *interrupt_target(struct process *process, uint64_t number)
{
	struct thread *thread, *best = NULL;
	unsigned best_score = 0;
	if (number)
		return process_find_thread(process, number);
	spin_lock(&process->lock);
	list_for_each(thread, &process->threads, process_link) {
		bool sleeping = thread->waiting_on && thread->wait_how == WAIT_INTERRUPTIBLE;
		unsigned score = 1 + (thread->interrupt_pending ? 0 : sleeping ? 2 : 1);
		if (score > best_score) {
			best = thread;
			best_score = score;
		}
	}
	if (best)
		object_ref(&best->object);
	spin_unlock(&process->lock);
	return best;
}

int64_t sys_process_interrupt(handle_t handle, uint64_t number)
{
	struct process *process;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	struct thread *thread = interrupt_target(process, number);
	if (thread) {
		thread_interrupt(thread);
		object_unref(&thread->object);
	}
	object_unref(&process->object);
	return thread ? 0 : -ESRCH;
}

int64_t sys_process_set_badge(handle_t handle, uint64_t badge)
{
	struct process *process;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	process->badge = badge;
	trace_process(process);
	object_unref(&process->object);
	return 0;
}

int64_t sys_process_set_name(handle_t handle, user_t user_name, uint64_t length)
{
	char name[sizeof(((struct process *)0)->name)] = { 0 };
	struct process *process;
	if (copy_from_user(name, user_name, min(length, sizeof(name) - 1)))
		return -EFAULT;
	for (char *c = name; *c; c++) /* no control sequences reach a terminal */
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	spin_lock(&process->lock);
	memcpy(process->name, name, sizeof(name));
	spin_unlock(&process->lock);
	trace_process(process);
	object_unref(&process->object);
	return 0;
}

int64_t sys_process_watch(handle_t handle, handle_t client_handle, uint64_t word)
{
	struct process *process;
	struct object *client;
	int error = process_lookup(handle, RIGHT_MANAGE, &process);
	if (error)
		return error;
	error = handle_lookup(client_handle, KIND_CLIENT, RIGHT_SEND, &client);
	if (!error) {
		error = process_watch(process, client_of_object(client), word);
		object_unref(client);
	}
	object_unref(&process->object);
	return error;
}

int64_t sys_process_get(handle_t handle, user_t user_info)
{
	struct process *process;
	struct process_info info = { 0 };
	int error = process_lookup(handle, RIGHT_READ, &process);
	if (error)
		return error;
	scheduler_account();
	struct usage usage = process_usage(process, &info.user_time, &info.system_time);
	spin_lock(&process->lock);
	info.state = process->corpse ? PROCESS_CORPSE : process->suspended ? PROCESS_SUSPENDED : PROCESS_RUNNING;
	info.status = process->status;
	info.threads = process->thread_count;
	info.handles = process->handles.table[0] ? handle_table_count(&process->handles) : 0;
	info.page_faults = usage.page_faults;
	info.waits = usage.waits;
	info.preemptions = usage.preemptions;
	info.badge = process->badge;
	info.start_time = process->start_time;
	info.faults = process->faults;
	info.fault_address = process->fault_address;
	info.fault_instruction = process->fault_instruction;
	info.fault_cause = process->fault_cause;
	info.fault_thread = process->fault_thread;
	spin_unlock(&process->lock);
	object_unref(&process->object);
	return copy_to_user(user_info, &info, sizeof(info)) ? -EFAULT : 0;
}

int64_t sys_process_space(handle_t handle)
{
	struct object *object;
	uint32_t rights;
	int error = handle_lookup_rights(handle, KIND_PROCESS, RIGHT_READ, &object, &rights);
	if (error)
		return error;
	struct process *process = container_of(object, struct process, object);
	spin_lock(&process->lock);
	struct object *space = space_object(process->space);
	object_ref(space);
	spin_unlock(&process->lock);
	object_unref(object);
	/* Who may control the process may do everything with its space. */
	uint32_t common = RIGHT_DUPLICATE | RIGHT_TRANSFER;
	return handle_install_new(space, rights & RIGHT_MANAGE ? RIGHT_READ | RIGHT_WRITE | RIGHT_MANAGE | common : RIGHT_READ | common, 0, HANDLE_HIGH);
}

/* --- upcalls and routes --- */

int64_t sys_process_set_upcall(user_t user_config)
{
	struct upcall_config config;
	if (copy_from_user(&config, user_config, sizeof(config)))
		return -EFAULT;
	if (config.image_start > config.image_end || config.image_end > USER_TOP || config.restart_start > config.restart_end ||
	    config.copy_start > config.copy_end)
		return -EINVAL;
	process_current()->upcall = config;
	call_gate_update(process_current());
	return 0;
}

static bool route_is_valid(const struct route *route)
{
	unsigned arguments;
	if (route->number >= ROUTE_NUMBERS || !call_is_native(route->native, &arguments))
		return false;
	/* Calls that load registers make no sense below a foreign caller's conventions. */
	if (route->native == CALL_PROCESS_EXEC || route->native == CALL_UPCALL_RETURN || route->native == CALL_PORT_CALL_WORDS ||
	    route->native == CALL_PORT_REPLY_RECEIVE_WORDS)
		return false;
	for (unsigned i = 0; i < arguments; i++)
		if ((route->order >> 4 * i & 15) > ROUTE_ONES)
			return false;
	for (unsigned i = 0; i < 2; i++)
		if (route->guard_argument[i] > 5 && route->guard_argument[i] != ROUTE_NO_GUARD)
			return false;
	return true;
}

/* Sorts by number, keeping the order of routes of one number (insertion: tables are short and mostly sorted), and fills the index. */
static bool routes_index(struct route_table *table)
{
	for (uint32_t i = 0; i < table->count; i++) {
		if (!route_is_valid(&table->route[i]))
			return false;
		struct route route = table->route[i];
		uint32_t k = i;
		for (; k && table->route[k - 1].number > route.number; k--)
			table->route[k] = table->route[k - 1];
		table->route[k] = route;
	}
	table->plain = (struct plain_route *)&table->route[table->count];
	for (uint32_t i = table->count; i-- > 0;) {
		table->by_number[table->route[i].number] = (uint16_t)(i + 1);
		table->plain[i + 1] = call_plain_route(&table->route[i], table->count - i);
	}
	return true;
}

int64_t sys_process_set_routes(user_t user_routes, uint64_t count)
{
	struct process *process = process_current();
	struct route_table *table = NULL;
	if (count > ROUTES_MAX)
		return -EINVAL;
	if (count || process->thread_count > 1) {
		table = heap_alloc(route_table_size(count));
		if (!table)
			return -ENOMEM;
		table->references = 1;
		table->count = (uint32_t)count;
		bool copied = !copy_from_user(table->route, user_routes, count * sizeof(struct route));
		if (!copied || !routes_index(table)) {
			route_table_unref(table);
			return copied ? -EINVAL : -EFAULT;
		}
	}
	spin_lock(&process->lock);
	struct route_table *old = process->routes;
	/* A table is used from the entry of a call to the body of the native one without a lock: if there are other threads, it stays as long as the new one. */
	if (table && process->thread_count > 1) {
		table->before = old;
		old = NULL;
	}
	__atomic_store_n(&process->routes, table, __ATOMIC_RELEASE);
	call_gate_update(process);
	spin_unlock(&process->lock);
	route_table_unref(old);
	return 0;
}
