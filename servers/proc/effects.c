/* effects.h, done by the kernel. */
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/server.h"
#include "effects.h"

void effect_interrupt(struct process *process)
{
	if (process->handle != HANDLE_NONE)
		process_interrupt(process->handle, 0);
}

void effect_times(struct process *process, uint64_t *user, uint64_t *system)
{
	struct process_info info;
	*user = process->user_time;
	*system = process->system_time;
	if (process->handle != HANDLE_NONE && process_get(process->handle, &info) >= 0) {
		*user = info.user_time;
		*system = info.system_time;
	}
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
