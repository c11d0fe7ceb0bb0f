/*
 * Building a native process; see carillon/spawn.h. What the program finds:
 *
 *   its segments     mapped privately from the object, so text is shared by all that run it; zero pages where the file has no bytes
 *   STACK_TOP        end of the stack; an unmapped gap lies below it
 *   LIBRARY_RECORD   its record, followed by the strings of arguments and environment
 *   HANDLE_HIGH + i  the handle named by record.name[i]
 *
 * Everything is made before the thread is started; closing the space and process handles undoes all of it.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "abi/errors.h"
#include "abi/machine.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/record.h"
#include "carillon/spawn.h"
#include "lib/elf/elf.h"

#define STACK_TOP 0x40000000ul
#define STACK_ROOM 0x100000ul /* user/start/memory.c places nothing in the megabyte below STACK_TOP */
#define STACK_DEFAULT 0x40000ul

static uint64_t page_down(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
	return page_down(value + PAGE_SIZE - 1);
}

static int64_t map_zero(handle_t space, uint64_t start, uint64_t end, uint32_t protection)
{
	struct map_request map = {
		.address = start,
		.length = end - start,
		.memobj = HANDLE_NONE,
		.protection = protection,
		.flags = MAP_FIXED_NEW,
	};
	int64_t result = space_map(space, &map);
	return result < 0 ? result : 0;
}

/* Writes all bytes or fails. */
static int64_t space_fill(handle_t space, uint64_t address, const void *bytes, size_t size)
{
	int64_t written = space_write(space, address, bytes, size);
	if (written < 0)
		return written;
	return (size_t)written == size ? 0 : -EFAULT;
}

static int64_t segment_map(handle_t space, const struct native_spawn *request, const struct elf_segment *segment)
{
	static const char zero[PAGE_SIZE];
	uint64_t start = page_down(segment->address);
	uint64_t file_end = segment->address + segment->file_size, end = page_up(segment->address + segment->memory_size);
	uint64_t mapped_end = segment->file_size ? page_up(file_end) : start;
	if (mapped_end > start) {
		struct map_request map = {
			.address = start,
			.length = mapped_end - start,
			.offset = request->memobj_offset + page_down(segment->offset),
			.memobj = request->memobj,
			.protection = segment->protection,
			.flags = MAP_FIXED_NEW | MAP_PRIVATE_COPY,
		};
		int64_t error = space_map(space, &map);
		if (error < 0)
			return error;
		/* the file's last page goes on with other bytes: what the program takes for zero must be zero */
		if (segment->memory_size > segment->file_size && file_end < mapped_end) {
			error = space_fill(space, file_end, zero, mapped_end - file_end);
			if (error)
				return error;
		}
	}
	if (end > mapped_end)
		return map_zero(space, mapped_end, end, segment->protection);
	return 0;
}

static size_t strings_size(const char *const *list, uint32_t *count)
{
	size_t size = 0;
	for (*count = 0; list && list[*count]; (*count)++)
		size += strlen(list[*count]) + 1 + sizeof(uint32_t);
	return size;
}

static uint32_t strings_write(struct process_record *record, uint32_t *at, const char *const *list, uint32_t count)
{
	uint32_t table = (*at + 3) & ~3u;
	uint32_t *offset = (uint32_t *)((char *)record + table);
	*at = table + count * (uint32_t)sizeof *offset;
	for (uint32_t i = 0; i < count; i++) {
		size_t length = strlen(list[i]) + 1;
		memcpy((char *)record + *at, list[i], length);
		offset[i] = *at;
		*at += (uint32_t)length;
	}
	return table;
}

static int64_t record_build(handle_t space, const struct native_spawn *request)
{
	const char *const name_alone[] = { request->name, NULL };
	const char *const *arguments = request->arguments ? request->arguments : name_alone;
	uint32_t argument_count, variable_count;
	size_t room = sizeof(struct process_record) + strings_size(arguments, &argument_count) +
		strings_size(request->environment, &variable_count) + 2 * sizeof(uint32_t);
	if (room > 0x40000)
		return -E2BIG;
	struct process_record *record = calloc(1, room);
	if (!record)
		return -ENOMEM;
	record->version = RECORD_VERSION;
	record->size = sizeof *record;
	record->process_port = record->socket_port = record->library_image = record->process_table = record->time_page = record->budget = HANDLE_NONE;
	record->trace_stream = HANDLE_NONE;
	record->umask = 022;
	record->user_top = ((const struct process_record *)LIBRARY_RECORD)->user_top;
	record->directory_port = HANDLE_NONE;
	record->directory_mount = -1;
	strcpy(record->directory_path, "/");
	strncpy(record->executable, request->name, sizeof record->executable - 1);
	record->name_count = (uint32_t)request->handle_count;
	for (size_t i = 0; i < request->handle_count; i++) {
		strncpy(record->name[i].name, request->handles[i].name, sizeof record->name[i].name - 1);
		record->name[i].handle = request->handles[i].handle == HANDLE_NONE ? HANDLE_NONE : HANDLE_HIGH + (handle_t)i;
		record->name[i].value = request->handles[i].value;
	}
	uint32_t at = sizeof *record;
	record->argument_count = argument_count;
	record->argument_offset = strings_write(record, &at, arguments, argument_count);
	record->environment_count = variable_count;
	record->environment_offset = strings_write(record, &at, request->environment, variable_count);
	record->total_size = at;
	int64_t error = map_zero(space, LIBRARY_RECORD, LIBRARY_RECORD + page_up(at), PROTECT_READ | PROTECT_WRITE);
	if (!error)
		error = space_fill(space, LIBRARY_RECORD, record, at);
	free(record);
	return error;
}

static int64_t space_build(handle_t space, const struct native_spawn *request, const struct elf_info *info)
{
	int64_t error = 0;
	for (unsigned i = 0; i < info->segment_count && !error; i++)
		error = segment_map(space, request, &info->segment[i]);
	size_t stack = request->stack_size ? page_up(request->stack_size) : STACK_DEFAULT;
	if (!error)
		error = map_zero(space, STACK_TOP - stack, STACK_TOP, PROTECT_READ | PROTECT_WRITE);
	return error ? error : record_build(space, request);
}

static int64_t handles_give(handle_t process, const struct native_spawn *request)
{
	for (size_t i = 0; i < request->handle_count; i++) {
		const struct native_handle *given = &request->handles[i];
		if (given->handle == HANDLE_NONE)
			continue;
		int64_t error = handle_install(process, given->handle, HANDLE_HIGH + (uint32_t)i, given->rights);
		if (error < 0)
			return error;
	}
	return 0;
}

static int64_t process_build(handle_t space, const struct native_spawn *request, uint64_t entry)
{
	int64_t process = process_create(space, request->budget, request->shares_handles ? PROCESS_SHARE_HANDLES : 0, request->handles_of);
	if (process < 0)
		return process;
	int64_t error = request->successor ? 0 : handles_give((handle_t)process, request);
	struct thread_start start = { .entry = entry, .stack = STACK_TOP, .argument = { LIBRARY_RECORD } };
	const char *slash = strrchr(request->name, '/'), *name = slash ? slash + 1 : request->name;
	if (!error)
		error = process_set_name((handle_t)process, name, strlen(name));
	if (!error)
		error = thread_create((handle_t)process, &start);
	if (error < 0) {
		process_kill((handle_t)process, 0);
		handle_close((handle_t)process);
		return error;
	}
	return process;
}

int64_t native_spawn(const struct native_spawn *request)
{
	struct elf_info info;
	int error = elf_image_parse(request->image, request->image_size, &info);
	if (error)
		return error;
	if (info.machine != ABI_ELF_MACHINE || info.position_independent || info.has_interpreter || info.low < USER_BOTTOM || info.high > STACK_TOP - STACK_ROOM)
		return -ENOEXEC;
	if (request->handle_count > RECORD_NAMES || request->stack_size > STACK_ROOM - PAGE_SIZE || request->memobj_offset % PAGE_SIZE != 0)
		return -EINVAL;
	int64_t space = space_create(0);
	if (space < 0)
		return space;
	int64_t result = space_build((handle_t)space, request, &info);
	if (!result)
		result = process_build((handle_t)space, request, info.entry);
	handle_close((handle_t)space);
	return result;
}
