/* Reading a process's library; inside.h. */
#include <stdlib.h>
#include <string.h>
#include "abi/types.h"
#include "carillon/calls.h"
#include "files.h"
#include "inside.h"
#include "linux/linux.h"
#include "user/ns/ns.h"

static bool copy(handle_t space, uint64_t address, void *to, size_t size)
{
	return address && space_read(space, address, to, size) == (int64_t)size;
}

static handle_t space_of(const struct process *process)
{
	int64_t space = process->handle == HANDLE_NONE ? HANDLE_NONE : process_space(process->handle);
	return space < 0 ? HANDLE_NONE : (handle_t)space;
}

struct process_record *inside_record(const struct process *process)
{
	struct process_record *record = malloc(sizeof *record);
	handle_t space = space_of(process);
	bool good = record && space != HANDLE_NONE && copy(space, LIBRARY_RECORD, record, sizeof *record) && record->version == RECORD_VERSION;
	if (space != HANDLE_NONE)
		handle_close(space);
	if (!good) {
		free(record);
		return NULL;
	}
	record->directory_path[sizeof record->directory_path - 1] = 0;
	record->executable[sizeof record->executable - 1] = 0;
	if (record->mount_count > RECORD_MOUNTS)
		record->mount_count = RECORD_MOUNTS;
	for (uint32_t i = 0; i < record->mount_count; i++) {
		record->mount[i].path[sizeof record->mount[i].path - 1] = 0;
		record->mount[i].type[sizeof record->mount[i].type - 1] = 0;
	}
	return record;
}

bool inside_directory(const struct process *process, char path[RECORD_PATH])
{
	struct process_record *record = inside_record(process);
	struct linux_process *state = malloc(sizeof *state);
	handle_t space = record && state ? space_of(process) : HANDLE_NONE;
	bool good = space != HANDLE_NONE && copy(space, record->state, state, sizeof *state) &&
		copy(space, (uint64_t)(uintptr_t)state->fs + offsetof(struct ns, directory_path), path, RECORD_PATH);
	if (space != HANDLE_NONE)
		handle_close(space);
	free(state);
	free(record);
	path[RECORD_PATH - 1] = 0;
	return good && path[0];
}

bool inside_limit(const struct process *process, uint32_t resource, const uint64_t limit[2], uint64_t old[2])
{
	struct process_record *record = inside_record(process);
	handle_t space = record ? space_of(process) : HANDLE_NONE;
	uint32_t pid = 0;
	bool good = space != HANDLE_NONE && resource < LINUX_RLIMITS && record->state;
	uint64_t address = good ? record->state + offsetof(struct linux_process, limits) + resource * sizeof(uint64_t[2]) : 0;
	/* a vfork child's memory is its parent's */
	good = good && copy(space, record->state + offsetof(struct linux_process, pid), &pid, sizeof pid) && pid == process->pid &&
		copy(space, address, old, sizeof(uint64_t[2])) && (!limit || space_write(space, address, limit, sizeof(uint64_t[2])) == (int64_t)sizeof(uint64_t[2]));
	if (space != HANDLE_NONE)
		handle_close(space);
	free(record);
	return good;
}

static void thread_fill(struct inside_thread *thread, const struct linux_thread *from)
{
	thread->id = from->id;
	thread->number = from->number;
	thread->blocked = from->restore_mask ? from->saved_mask : from->mask;
	thread->pending = from->pending;
	memcpy(thread->name, from->name, sizeof thread->name);
	thread->name[sizeof thread->name - 1] = 0;
}

static void state_fill(struct inside *inside, const struct linux_process *from)
{
	inside->known = true;
	inside->umask = from->umask;
	for (int i = 0; i < LINUX_SIGNALS; i++)
		if (from->action[i].handler > LINUX_SIG_IGN)
			inside->caught |= 1ul << i;
		else if (from->action[i].handler == LINUX_SIG_IGN)
			inside->ignored |= 1ul << i;
	inside->mapped = (uint64_t)(uintptr_t)from->mapped;
	inside->heap_start = from->heap_start;
	inside->heap_end = from->heap_end;
	inside->stack_start = from->stack_start;
	inside->vector_start = from->vector_start;
	inside->arguments_start = from->arguments_start;
	inside->arguments_end = from->arguments_end;
	inside->environment_start = from->environment_start;
	inside->environment_end = from->environment_end;
	inside->no_new_privileges = from->no_new_privileges != 0;
	memcpy(inside->limits, from->limits, sizeof inside->limits);
}

void inside_mapped(const struct inside *inside, uint64_t identity, char name[232])
{
	struct linux_mapped entry;
	uint64_t address = inside->mapped;
	name[0] = 0;
	for (unsigned i = 0; i < 2 * LINUX_MAPPED_MAX && address && copy(inside->space, address, &entry, sizeof entry); i++) {
		if (entry.identity == identity) {
			memcpy(name, entry.name, sizeof entry.name);
			name[sizeof entry.name - 1] = 0;
			return;
		}
		address = (uint64_t)(uintptr_t)entry.next;
	}
}

/* The library's list of threads, newest first, turned so that the main thread leads */
static void threads_read(struct process *process, struct inside *inside, uint64_t address)
{
	struct linux_thread *thread = malloc(sizeof *thread);
	size_t count = 0, main = 0;
	while (thread && address && count < INSIDE_THREADS && copy(inside->space, address, thread, sizeof *thread)) {
		if (thread->id == process->pid)
			main = count;
		if (count && !(count & (count - 1))) { /* a power of two: full */
			struct inside_thread *more = realloc(inside->threads, 2 * count * sizeof *more);
			if (!more)
				break;
			memset(more + count, 0, count * sizeof *more);
			inside->threads = more;
		}
		thread_fill(&inside->threads[count++], thread);
		address = (uint64_t)(uintptr_t)thread->next;
	}
	free(thread);
	if (count) {
		struct inside_thread first = inside->threads[main];
		inside->threads[main] = inside->threads[0];
		inside->threads[0] = first;
		inside->thread_count = count;
	}
}

static void threads_join(struct process *process, struct inside *inside)
{
	size_t room = inside->thread_count + 16;
	struct thread_info *list = malloc(room * sizeof *list);
	int64_t count = list ? thread_list(process->handle, list, room) : 0;
	if (count > (int64_t)room)
		count = (int64_t)room;
	for (size_t i = 0; i < inside->thread_count; i++) {
		struct inside_thread *thread = &inside->threads[i];
		thread->info.state = THREAD_STATE_DEAD;
		for (int64_t j = 0; j < count; j++)
			if (list[j].number == thread->number || (inside->thread_count == 1 && count == 1))
				thread->info = list[j];
	}
	free(list);
}

bool inside_get(struct process *process, struct inside *inside)
{
	struct process_record *record;
	struct linux_process *state;
	*inside = (struct inside){ .space = HANDLE_NONE, .thread_count = 1, .threads = calloc(1, sizeof(struct inside_thread)) };
	if (!inside->threads)
		return false;
	inside->threads[0].id = process->pid;
	memcpy(inside->threads[0].name, process->name, sizeof inside->threads[0].name);
	inside->threads[0].info.state = THREAD_STATE_WAITING;
	inside->process.user_time = process->used.user;
	inside->process.system_time = process->used.system;
	inside->process.page_faults = process->used.page_faults;
	if (process->handle == HANDLE_NONE)
		return true;
	process_get(process->handle, &inside->process);
	inside->space = space_of(process);
	if (inside->space == HANDLE_NONE)
		return true;
	space_get(inside->space, &inside->memory);
	record = inside_record(process);
	state = malloc(sizeof *state);
	if (record && state && copy(inside->space, record->state, state, sizeof *state)) {
		/* a vfork child sees its parent's */
		uint32_t pid = state->pid;
		state_fill(inside, state);
		if (pid == process->pid)
			threads_read(process, inside, (uint64_t)(uintptr_t)state->threads);
	}
	free(state);
	free(record);
	threads_join(process, inside);
	return true;
}

void inside_put(struct inside *inside)
{
	if (inside->space != HANDLE_NONE)
		handle_close(inside->space);
	free(inside->threads);
}

const struct inside_thread *inside_thread_find(const struct inside *inside, uint32_t id)
{
	for (size_t i = 0; i < inside->thread_count; i++)
		if (inside->threads[i].id == id)
			return &inside->threads[i];
	return NULL;
}

char inside_state(const struct process *process, const struct inside_thread *thread)
{
	if (process->state != PROCESS_STATE_RUNNING)
		return process->state == PROCESS_STATE_ZOMBIE ? 'Z' : 'T';
	return thread->info.state == THREAD_STATE_RUNNING || (process == files_caller && thread->info.state == THREAD_STATE_WAITING_KILLABLE) ? 'R' : thread->info.state == THREAD_STATE_SUSPENDED ? 'T' : 'S';
}
