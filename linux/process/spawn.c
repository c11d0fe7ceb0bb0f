/*
 * linux_spawn: the first Linux programs, started by init through the same code as exec. The new process has an empty handle table; every handle
 * that its record names is installed there at HANDLE_HIGH and up, and the record tells those numbers.
 */
#include "carillon/file_protocol.h"
#include "carillon/linux.h"
#include "linux/calls.h"
#include "linux/process/exec.h"
#include "linux/process/process.h"

struct spawn_handles {
	handle_t process;
	uint32_t next;
	int64_t error;
};

/* Puts the caller's handle into the new process and replaces its number. */
static void handle_pass(struct spawn_handles *handles, int32_t *handle)
{
	if (*handle == HANDLE_NONE || handles->error < 0)
		return;
	int64_t result = handle_install(handles->process, *handle, handles->next, 0);
	if (result < 0)
		handles->error = result;
	*handle = (int32_t)handles->next++;
}

static void record_pass(struct spawn_handles *handles, struct process_record *record)
{
	handle_pass(handles, &record->process_port);
	handle_pass(handles, &record->socket_port);
	handle_pass(handles, &record->library_image);
	handle_pass(handles, &record->process_table);
	handle_pass(handles, &record->time_page);
	handle_pass(handles, &record->budget);
	handle_pass(handles, &record->trace_stream);
	handle_pass(handles, &record->directory_port);
	for (uint32_t i = 0; i < record->mount_count && i < RECORD_MOUNTS; i++) {
		handle_pass(handles, &record->mount[i].port);
		handle_pass(handles, &record->mount[i].parent_port);
	}
	for (uint32_t i = 0; i < record->name_count && i < RECORD_NAMES; i++)
		handle_pass(handles, &record->name[i].handle);
}

static int64_t strings_add(struct exec_strings *strings, char *const list[], uint32_t first, uint32_t *count)
{
	for (*count = 0; list && list[*count]; ++*count) {
		if (first + *count >= EXEC_POINTERS)
			return -E2BIG;
		int error = exec_string_add(strings, list[*count], strlen(list[*count]), &strings->offset[first + *count]);
		if (error)
			return error;
	}
	return 0;
}

/* A record's default limits, for programs whose parent has none of its own. */
static void limits_default(struct process_record *record)
{
	for (int i = 0; i < LINUX_RLIMITS; i++)
		record->limits[i][0] = record->limits[i][1] = LINUX_RLIM_INFINITY;
	record->limits[LINUX_RLIMIT_STACK][0] = PROGRAM_STACK_SIZE;
	record->limits[LINUX_RLIMIT_CORE][0] = 0;
	record->limits[LINUX_RLIMIT_NICE][0] = record->limits[LINUX_RLIMIT_NICE][1] = 0;
	record->limits[LINUX_RLIMIT_RTPRIO][0] = record->limits[LINUX_RLIMIT_RTPRIO][1] = 0;
	record->limits[LINUX_RLIMIT_SIGPENDING][0] = record->limits[LINUX_RLIMIT_SIGPENDING][1] = 4096; /* SIGNAL_QUEUE_MAX of proc */
	record->limits[LINUX_RLIMIT_NOFILE][0] = 1024;
	record->limits[LINUX_RLIMIT_NOFILE][1] = 1048576;
}

static int64_t spawn_record(struct linux_thread *t, struct process_record *record, const struct linux_spawn *options)
{
	int64_t result = exec_record(t, record);
	if (result < 0)
		return result;
	record->process_port = options->process_port;
	record->socket_port = options->socket_port;
	record->library_image = options->library_image;
	record->process_table = options->process_table;
	record->time_page = options->time_page;
	record->budget = options->budget;
	record->trace_stream = options->trace_stream;
	record->name_count = 0;
	record->umask = 022;
	record->signal_mask = record->signal_ignored = 0;
	record->personality_flags = options->flags;
	record->nice = 0;
	limits_default(record);
	return 0;
}

/* Register with proc and write pid, slot and the record's handle numbers into the new space. */
static int64_t spawn_finish(struct linux_thread *t, handle_t process, handle_t space, struct exec_strings *strings, const char *path,
	const struct linux_spawn *options)
{
	struct process_record *record = &strings->record;
	struct spawn_handles handles = { .process = process, .next = HANDLE_HIGH };
	for (uint32_t i = 0; i < 3; i++) {
		int64_t result = options->descriptor[i] == HANDLE_NONE ? 0 : handle_install(process, options->descriptor[i], i, 0);
		if (result < 0)
			return result;
	}
	record_pass(&handles, record);
	if (handles.error < 0)
		return handles.error;
	record->pid = record->slot = 0;
	if (options->system_port != HANDLE_NONE) {
		const char *name = options->name;
		char text[16] = { 0 };
		if (!name) {
			name = strrchr(path, '/');
			name = name ? name + 1 : path;
		}
		text_copy(text, name, sizeof text);
		int64_t sent = handle_duplicate(process, HANDLE_HIGH, 0, 0);
		if (sent < 0)
			return sent;
		struct message message = {
			.word = { PROC_REGISTER, options->parent }, .handle = { (handle_t)sent }, .handle_count = 1, .move = 1,
		};
		memcpy(&message.word[2], text, sizeof text);
		int64_t result = port_call(options->system_port, &message, 0);
		if (result < 0) {
			(void)handle_close((handle_t)sent);
			return result;
		}
		if ((int64_t)message.word[0] < 0)
			return (int64_t)message.word[0];
		record->pid = (uint32_t)message.word[0];
		record->slot = (uint32_t)message.word[1];
	}
	if (options->registered)
		options->registered(options->context, record->pid);
	(void)t;
	int64_t written = space_write(space, LIBRARY_RECORD, record, sizeof *record);
	return written == (int64_t)sizeof *record ? 0 : written < 0 ? written : -ENOMEM;
}

int64_t linux_spawn(struct linux_thread *t, const char *path, char *const argv[], char *const envp[], const struct linux_spawn *options)
{
	struct exec_result built;
	if (strlen(path) >= FILE_PATH_MAX)
		return -ENAMETOOLONG;
	struct exec_strings *strings = linux_map_pages(sizeof *strings);
	if (!strings)
		return -ENOMEM;
	int64_t result = 0, process;
	if (options->directory) {
		uint64_t argument[6] = { (uint64_t)(uintptr_t)options->directory };
		result = linux_chdir(t, argument);
	}
	text_copy(strings->path, path, sizeof strings->path);
	strings->first = EXEC_FRONT;
	if (result >= 0)
		result = strings_add(strings, argv, strings->first, &strings->argument_count);
	strings->environment_first = strings->first + strings->argument_count;
	if (result >= 0)
		result = strings_add(strings, envp, strings->environment_first, &strings->environment_count);
	if (result >= 0)
		result = spawn_record(t, &strings->record, options);
	if (result >= 0)
		result = linux_exec_build(t, LINUX_AT_FDCWD, HANDLE_NONE, strings, &built);
	if (result < 0)
		goto out;
	result = process = process_create(built.space, options->budget == HANDLE_NONE ? HANDLE_SELF_BUDGET : options->budget, 0, HANDLE_NONE);
	if (process < 0)
		goto out_space;
	result = spawn_finish(t, (handle_t)process, built.space, strings, path, options);
	if (result >= 0)
		result = thread_create((handle_t)process, &built.start);
	if (result < 0)
		(void)process_kill((handle_t)process, LINUX_SIGKILL);
	else
		result = strings->record.pid;
	(void)handle_close((handle_t)process);
out_space:
	(void)handle_close(built.space);
out:
	linux_unmap_pages(strings, sizeof *strings);
	return result;
}
