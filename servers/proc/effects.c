/* effects.h, done by the kernel. */
#include <stdlib.h>
#include "abi/errors.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/server.h"
#include "effects.h"

void effect_interrupt(struct process *process)
{
	if (process->handle != HANDLE_NONE)
		process_interrupt(process->handle, 0);
}

void effect_used(struct process *process, struct used *used)
{
	struct process_info info;
	*used = process->used;
	if (process->handle == HANDLE_NONE || process_get(process->handle, &info) < 0)
		return;
	*used = (struct used){ info.user_time, info.system_time, info.page_faults, info.waits, info.preemptions, 0 };
}

bool effect_thread_used(struct process *process, uint64_t number, struct used *used)
{
	int64_t count = process->handle == HANDLE_NONE ? 0 : thread_list(process->handle, NULL, 0);
	struct thread_info *list = count > 0 ? calloc((size_t)count, sizeof *list) : NULL;
	bool found = false;
	int64_t filled = list ? thread_list(process->handle, list, (uint64_t)count) : 0;
	for (int64_t i = 0; i < filled && i < count && !found; i++)
		if ((found = list[i].number == number))
			*used = (struct used){ .user = list[i].user_time, .system = list[i].system_time };
	free(list);
	return found;
}

uint64_t effect_peak(struct process *process)
{
	struct space_info info = { 0 };
	int64_t space = process->handle == HANDLE_NONE ? -1 : process_space(process->handle);
	if (space < 0)
		return 0;
	(void)space_get((handle_t)space, &info);
	handle_close((handle_t)space);
	return info.resident + info.private_peak - info.private_pages;
}

void effect_slice(struct process *process)
{
	struct thread_info first;
	if (process->handle != HANDLE_NONE && thread_list(process->handle, &first, 1) > 0)
		(void)thread_set_slice(process->handle, first.number, nice_slice(process->nice));
}

int64_t effect_processors(struct process *process, uint64_t mask)
{
	struct thread_info first;
	if (process->handle == HANDLE_NONE || thread_list(process->handle, &first, 1) <= 0)
		return 0;
	int64_t result = thread_set_processors(process->handle, first.number, mask);
	return result == -ESRCH ? 0 : result; /* it ended meanwhile */
}

void effect_suspend(struct process *process)
{
	if (process->handle != HANDLE_NONE)
		process_suspend(process->handle);
}

void effect_resume(struct process *process)
{
	if (process->handle != HANDLE_NONE)
		process_resume(process->handle);
}

void effect_kill(struct process *process, uint32_t status)
{
	if (process->handle != HANDLE_NONE)
		process_kill(process->handle, status);
}

bool effect_has_threads(struct process *process)
{
	struct process_info info;
	return process->handle == HANDLE_NONE || process_get(process->handle, &info) < 0 || info.threads || info.state == PROCESS_CORPSE;
}

void effect_release(struct process *process)
{
	if (process->handle != HANDLE_NONE)
		handle_close(process->handle);
	process->handle = HANDLE_NONE;
}

int effect_answer(uint32_t reply, int64_t word0, const uint64_t *words)
{
	return server_answer(reply, word0, words, NULL, 0);
}
