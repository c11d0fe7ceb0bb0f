/*
 * exec: the new space is built completely beside the old one; only then process_exec replaces the caller, so a failing exec leaves it intact.
 *
 *   strings copied -> file opened, scripts followed -> ELF parsed -> space: program, interpreter, stack, record, library, first
 *   thread's memory -> process_exec. From there the library's start code in the new space goes on (start.c).
 *
 * Layout of a program's space: fixed programs where they want to be; others at place_program; interpreter and mappings downward from
 * place_mappings; the stack below program_top (mm.h), mapped whole (its pages come with use).
 */
#include "abi/description.h"
#include "carillon/file_protocol.h"
#include "linux/calls.h"
#include "linux/fd/descriptor.h"
#include "linux/mm/mm.h"
#include "linux/process/exec.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"
#include "machine.h"
#include "abi/machine.h"
#include "user/ns/ns.h"


/* As Linux has it: a quarter of the stack's limit at most, but not more than 6 MiB and never less than 128 KiB; pointers count too. */
static uint64_t arguments_room(struct linux_thread *t)
{
	uint64_t quarter = t->process->limits[LINUX_RLIMIT_STACK][0] / 4;
	return MAXIMUM(MINIMUM(quarter, EXEC_STRINGS), 128ul << 10);
}

int exec_string_add(struct exec_strings *strings, const char *text, size_t length, uint32_t *offset)
{
	if (length >= EXEC_STRING || strings->used + length + 1 > EXEC_STRINGS)
		return -E2BIG;
	*offset = (uint32_t)strings->used;
	memcpy(strings->text + strings->used, text, length);
	strings->text[strings->used + length] = 0;
	strings->used += length + 1;
	return 0;
}

/* A NULL-terminated array of pointers to strings in user memory, appended. */
static int64_t strings_copy(struct linux_thread *t, struct exec_strings *strings, uint64_t array, uint32_t first, uint32_t *count)
{
	uint64_t most = arguments_room(t);
	*count = 0;
	for (; array; array += 8, ++*count) {
		uint64_t pointer;
		if (user_read(t, &pointer, array, sizeof pointer))
			return -EFAULT;
		if (!pointer)
			break;
		if (first + *count >= EXEC_POINTERS)
			return -E2BIG;
		uint64_t room = MINIMUM(EXEC_STRING, EXEC_STRINGS - strings->used);
		int64_t length = user_string(t, strings->text + strings->used, pointer, room);
		if (length < 0)
			return length == -ENAMETOOLONG ? -E2BIG : length;
		strings->offset[first + *count] = (uint32_t)strings->used;
		strings->used += (uint64_t)length + 1;
		if (strings->used + 8ul * (first - EXEC_FRONT + *count + 1) + strlen(strings->path) + 1 > most)
			return -E2BIG;
	}
	return 0;
}

/* The memory object of an executable file; *size. The file's handle stays the caller's. */
static int64_t program_memobj(handle_t file, uint64_t *size)
{
	struct file_attributes attributes;
	struct file_path path = { 0 };
	struct memobj_info info;
	struct message message = {
		.word = { FILE_GETATTR }, .send_address = (uint64_t)(uintptr_t)&path, .send_size = sizeof path,
		.receive_address = (uint64_t)(uintptr_t)&attributes, .receive_size = sizeof attributes,
	};
	int64_t result = ns_call(file, 1, &message, 0);
	if (result < 0)
		return result == -ENOTCONN ? -EACCES : result;
	if ((int64_t)message.word[0] < 0)
		return (int64_t)message.word[0];
	if (message.receive_size < sizeof attributes)
		return -EIO;
	if ((attributes.mode & LINUX_S_IFMT) != LINUX_S_IFREG || !(attributes.mode & 0111))
		return -EACCES;
	int64_t memobj = description_memobj(file);
	if (memobj < 0)
		return memobj == -ENODEV ? -EACCES : memobj;
	result = memobj_get((handle_t)memobj, &info);
	if (result < 0) {
		(void)handle_close((handle_t)memobj);
		return result;
	}
	*size = info.size;
	return memobj;
}

static int64_t map_at(handle_t space, uint64_t address, uint64_t length, handle_t memobj, uint64_t offset, uint32_t protection,
	uint32_t flags, uint32_t tag)
{
	struct map_request request = {
		.address = address, .length = length, .offset = offset, .memobj = memobj, .protection = protection,
		.flags = flags | MAP_FIXED_NEW, .tag = tag,
	};
	int64_t result = space_map(space, &request);
	return result < 0 ? result : 0;
}

/* Map all segments, displaced by bias. */
static int64_t image_map(handle_t space, const struct elf_image *image, handle_t memobj, uint64_t bias)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segment[i];
		uint64_t start = segment->address + bias, page = page_round_down(start);
		uint64_t file_end = start + segment->file_size, file_pages = page_round_up(file_end), end = page_round_up(start + segment->memory_size);
		int64_t result = 0;
		if (segment->file_size) {
			result = map_at(space, page, file_pages - page, memobj, page_round_down(segment->offset), segment->protection,
				MAP_PRIVATE_COPY, LINUX_REGION_IMAGE);
			/* Zeros follow the file's bytes to the end of their last page; loaders allocate from what lies behind the segment there. */
			static const uint8_t zeros[PAGE_SIZE];
			uint64_t rest = segment->memory_size > segment->file_size ? file_pages - file_end : 0;
			if (!result && rest && (segment->protection & PROTECT_WRITE)) {
				int64_t written = space_write(space, file_end, zeros, rest);
				result = written < 0 ? written : written < (int64_t)rest ? -ENOMEM : 0;
			}
		} else {
			file_pages = page;
		}
		if (!result && end > file_pages)
			result = map_at(space, file_pages, end - file_pages, HANDLE_NONE, 0, segment->protection, 0, LINUX_REGION_IMAGE);
		if (result)
			return result == -EEXIST ? -ENOEXEC : result;
	}
	return 0;
}

/* The library, its tables and the first thread's memory. *vdso: where the program finds its vDSO; 0 without clock page, which that reads. */
static int64_t library_map(handle_t space, const struct process_record *record, handle_t record_memobj, uint64_t record_size,
	uint64_t *entry, uint64_t *vdso)
{
	struct { uint8_t header[64]; uint64_t program[7], vdso[7]; } head;
	struct { uint64_t entry, program_offset; } fields;
	int64_t result = memobj_read(record->library_image, 0, &head, sizeof head);
	if (result < 0)
		return result;
	memcpy(&fields, head.header + 24, sizeof fields);
	/* linux/image.ld: one segment, headers included, at LIBRARY_IMAGE; behind it the vDSO. Both: type and flags, offset, address, _, size ... */
	if (result < (int64_t)sizeof head || memcmp(head.header, "\177ELF", 4) || fields.program_offset != 64 || head.program[2] != LIBRARY_IMAGE ||
		fields.entry - LIBRARY_IMAGE >= head.program[4])
		return -ENOEXEC;
	*entry = fields.entry;
	result = map_at(space, LIBRARY_IMAGE, page_round_up(head.program[4]), record->library_image, 0, PROTECT_READ | PROTECT_EXECUTE, 0,
		LINUX_REGION_LIBRARY);
	*vdso = 0;
	if (!result && record->time_page != HANDLE_NONE) {
		*vdso = head.vdso[2];
		result = map_at(space, *vdso, page_round_up(head.vdso[4]), record->library_image, head.vdso[1], PROTECT_READ | PROTECT_EXECUTE, 0,
			LINUX_REGION_VDSO);
	}
	if (!result && record->process_table != HANDLE_NONE)
		result = map_at(space, LIBRARY_PROCESS_TABLE, PROCESS_SLOTS * sizeof(struct process_slot), record->process_table, 0, PROTECT_READ,
			0, LINUX_REGION_LIBRARY);
	if (!result && record->time_page != HANDLE_NONE)
		result = map_at(space, LIBRARY_TIME_PAGE, PAGE_SIZE, record->time_page, 0, PROTECT_READ, 0, LINUX_REGION_LIBRARY);
	if (!result)
		result = map_at(space, LIBRARY_RECORD, record_size, record_memobj, 0, PROTECT_READ | PROTECT_WRITE, MAP_PRIVATE_COPY,
			LINUX_REGION_LIBRARY);
	if (!result)
		result = map_at(space, START_STACK_BASE, START_MEMORY, HANDLE_NONE, 0, PROTECT_READ | PROTECT_WRITE, 0, LINUX_REGION_LIBRARY);
	return result;
}

struct stack_values {
	uint64_t entry, headers, header_count, interpreter_base, vdso;
};

/* The top of the program's stack: strings, then argc, arguments, environment, auxiliary vector. *pointer: where the stack pointer starts. */
static int64_t stack_write(handle_t space, struct exec_strings *strings, const struct stack_values *values, uint64_t *pointer)
{
	uint32_t path_offset, platform_offset, random_offset;
	uint8_t random[16];
	int64_t result = random_get(random, sizeof random);
	if (result < 0)
		return result;
	/* These three have room of their own behind the limit. */
	path_offset = (uint32_t)strings->used;
	strings->used += text_copy(strings->text + path_offset, strings->path, 4032) + 1;
	platform_offset = (uint32_t)strings->used;
	strings->used += text_copy(strings->text + platform_offset, MACHINE_PLATFORM, 16) + 1;
	random_offset = (uint32_t)strings->used;
	memcpy(strings->text + random_offset, random, sizeof random);
	strings->used += sizeof random;

	uint64_t top = program_top(&strings->record), base = (top - 16 - strings->used) & ~15ul, *out = strings->pointers;
	*out++ = strings->argument_count;
	for (uint32_t i = 0; i < strings->argument_count; i++)
		*out++ = base + strings->offset[strings->first + i];
	*out++ = 0;
	for (uint32_t i = 0; i < strings->environment_count; i++)
		*out++ = base + strings->offset[strings->environment_first + i];
	*out++ = 0;
	const uint64_t vector[][2] = {
		{ values->vdso ? LINUX_AT_SYSINFO_EHDR : LINUX_AT_IGNORE, values->vdso }, { LINUX_AT_HWCAP, machine_capabilities(&strings->record) }, { LINUX_AT_PAGESZ, PAGE_SIZE }, { LINUX_AT_CLKTCK, 100 },
		{ LINUX_AT_PHDR, values->headers }, { LINUX_AT_PHENT, 56 }, { LINUX_AT_PHNUM, values->header_count },
		{ LINUX_AT_BASE, values->interpreter_base }, { LINUX_AT_FLAGS, 0 }, { LINUX_AT_ENTRY, values->entry },
		{ LINUX_AT_UID, 0 }, { LINUX_AT_EUID, 0 }, { LINUX_AT_GID, 0 }, { LINUX_AT_EGID, 0 }, { LINUX_AT_SECURE, 0 },
		{ LINUX_AT_RANDOM, base + random_offset }, { LINUX_AT_HWCAP2, 0 }, { LINUX_AT_EXECFN, base + path_offset },
		{ LINUX_AT_PLATFORM, base + platform_offset }, { LINUX_AT_MINSIGSTKSZ, machine_signal_room(&strings->record) }, { LINUX_AT_NULL, 0 },
	};
	memcpy(out, vector, sizeof vector);
	out += 2 * ARRAY_SIZE(vector);
	uint64_t size = (uint64_t)(out - strings->pointers) * 8;
	*pointer = (base - size) & ~15ul;
	if (top - *pointer > stack_size(strings->record.limits[LINUX_RLIMIT_STACK][0]) - 4 * PAGE_SIZE)
		return -E2BIG;
	int64_t written = space_write(space, base, strings->text, strings->used);
	if (written == (int64_t)strings->used)
		written = space_write(space, *pointer, strings->pointers, size) == (int64_t)size ? 0 : -ENOMEM;
	else
		written = written < 0 ? written : -ENOMEM;
	return written;
}

/* Opens strings->path or takes `file`; follows scripts. The memory object of the program itself, its head in header, *size its size. */
static int64_t program_open(struct linux_thread *t, int directory, handle_t file, struct exec_strings *strings, uint64_t *size, uint64_t *head)
{
	/* strings->interpreter is what is opened; path stays what the caller named. */
	text_copy(strings->interpreter, strings->path, sizeof strings->interpreter);
	for (int scripts = 0;; scripts++) {
		int64_t opened = file, memobj;
		if (file == HANDLE_NONE || scripts)
			opened = name_open(t, scripts ? LINUX_AT_FDCWD : directory, strings->interpreter, LINUX_O_RDONLY | LINUX_O_CLOEXEC, 0, HANDLE_HIGH);
		if (opened < 0)
			return opened;
		memobj = program_memobj((handle_t)opened, size);
		if (memobj >= 0)
			name_tell(t, (handle_t)opened, strings->resolved, sizeof strings->resolved);
		if (opened != file)
			(void)handle_close((handle_t)opened);
		if (memobj < 0)
			return memobj;
		int64_t count = memobj_read((handle_t)memobj, 0, strings->header, ELF_HEADER_MAX);
		char *interpreter, *argument;
		if (count >= 0 && script_parse(strings->header, (size_t)count, &interpreter, &argument)) {
			*head = (uint64_t)count;
			return memobj;
		}
		(void)handle_close((handle_t)memobj);
		if (count < 0)
			return count;
		if (scripts == EXEC_SCRIPTS)
			return -ELOOP;
		/* interpreter [argument] path, instead of argument 0 */
		uint32_t offset;
		int error = exec_string_add(strings, strings->interpreter, strlen(strings->interpreter), &offset);
		if (error)
			return error;
		if (strings->argument_count) {
			strings->first++;
			strings->argument_count--;
		}
		strings->offset[--strings->first] = offset;
		strings->argument_count++;
		if (argument) {
			error = exec_string_add(strings, argument, strlen(argument), &offset);
			strings->offset[--strings->first] = offset;
			strings->argument_count++;
		}
		if (!error)
			error = exec_string_add(strings, interpreter, strlen(interpreter), &offset);
		if (error)
			return error;
		strings->offset[--strings->first] = offset;
		strings->argument_count++;
		text_copy(strings->interpreter, interpreter, sizeof strings->interpreter);
	}
}

/* The program's own path, absolute, for /proc/self/exe. */
static void record_executable(struct process_record *record, const char *path)
{
	size_t length = 0;
	if (path[0] != '/') {
		length = text_copy(record->executable, record->directory_path, sizeof record->executable - 1);
		if (!length || record->executable[length - 1] != '/')
			record->executable[length++] = '/';
		while (path[0] == '.' && path[1] == '/')
			path += 2;
	}
	text_copy(record->executable + length, path, sizeof record->executable - length);
}

static int64_t interpreter_load(struct linux_thread *t, struct exec_strings *strings, handle_t program, handle_t space, uint64_t *base,
	uint64_t *entry)
{
	const struct elf_image *image = &strings->image;
	char *path = strings->interpreter;
	uint64_t size;
	int64_t result = memobj_read(program, image->interpreter_offset, path, image->interpreter_size);
	if (result < (int64_t)image->interpreter_size || path[image->interpreter_size - 1])
		return result < 0 ? result : -ENOEXEC;
	int64_t file = name_open(t, LINUX_AT_FDCWD, path, LINUX_O_RDONLY | LINUX_O_CLOEXEC, 0, HANDLE_HIGH);
	if (file < 0)
		return file;
	int64_t memobj = program_memobj((handle_t)file, &size);
	(void)handle_close((handle_t)file);
	if (memobj < 0)
		return memobj;
	result = memobj_read((handle_t)memobj, 0, strings->header, ELF_HEADER_MAX);
	if (result >= 0)
		result = elf_parse(&strings->interpreter_image, strings->header, (size_t)result, size, ABI_ELF_MACHINE);
	if (!result) {
		const struct elf_image *loader = &strings->interpreter_image;
		uint64_t span = loader->high - loader->low, bias = 0;
		if (loader->relocatable)
			bias = ((place_mappings(&strings->record) - span) & ~(loader->alignment - 1)) - (loader->low & ~(loader->alignment - 1));
		*base = loader->low + bias;
		*entry = loader->entry + bias;
		result = image_map(space, loader, (handle_t)memobj, bias);
	}
	(void)handle_close((handle_t)memobj);
	return result;
}

/* A program that can be anywhere begins at a third of the addresses there are. */
static uint64_t place_program(const struct process_record *record)
{
	return record->user_top / 3 & ~0xfffful;
}

int64_t linux_exec_build(struct linux_thread *t, int directory, handle_t file, struct exec_strings *strings, struct exec_result *built)
{
	uint64_t size, head, bias = 0, base = 0, pointer, library_entry;
	uint64_t record_size = page_round_up(sizeof strings->record);
	int64_t memobj = program_open(t, directory, file, strings, &size, &head), space = -1, record = -1;
	if (memobj < 0)
		return memobj;
	struct elf_image *image = &strings->image;
	int64_t result = elf_parse(image, strings->header, head, size, ABI_ELF_MACHINE);
	if (result)
		goto out;
	record_executable(&strings->record, strings->resolved[0] ? strings->resolved : strings->interpreter);
	result = space = space_create(0);
	if (space < 0)
		goto out;
	if (image->relocatable)
		bias = ((place_program(&strings->record) + image->alignment - 1) & ~(image->alignment - 1)) - (image->low & ~(image->alignment - 1));
	else if (image->high > program_top(&strings->record) - STACK_ROOM || (image->low < VALUE_SPACE_END && image->high > VALUE_SPACE_START) ||
		(image->low < LIBRARY_END && image->high > LIBRARY_START))
		result = -ENOEXEC;
	if (result >= 0)
		result = image_map((handle_t)space, image, (handle_t)memobj, bias);
	if (result)
		goto out;
	struct stack_values values = {
		.entry = image->entry + bias, .headers = image->headers ? image->headers + bias : 0, .header_count = image->header_count,
	};
	uint64_t entry = values.entry;
	if (image->interpreter_size) {
		result = interpreter_load(t, strings, (handle_t)memobj, (handle_t)space, &base, &entry);
		if (result)
			goto out;
		values.interpreter_base = base;
	}
	strings->record.image_start = image->low + bias;
	strings->record.image_end = image->high + bias;
	result = record = memobj_create(record_size, 0);
	if (record < 0)
		goto out;
	result = memobj_write((handle_t)record, 0, &strings->record, sizeof strings->record);
	if (result >= 0)
		result = library_map((handle_t)space, &strings->record, (handle_t)record, record_size, &library_entry, &values.vdso);
	if (result)
		goto out;
	uint64_t stack = stack_size(strings->record.limits[LINUX_RLIMIT_STACK][0]);
	result = map_at((handle_t)space, program_top(&strings->record) - stack, stack, HANDLE_NONE, 0,
		PROTECT_READ | PROTECT_WRITE | (image->executable_stack ? PROTECT_EXECUTE : 0), 0, LINUX_REGION_STACK);
	if (!result)
		result = stack_write((handle_t)space, strings, &values, &pointer);
	if (result)
		goto out;
	built->space = (handle_t)space;
	built->start = (struct thread_start){
		.entry = library_entry, .stack = START_THREAD, .argument = { entry, pointer, START_THREAD, 0 }, .block = START_THREAD,
	};
	space = -1;
out:
	if (record >= 0)
		(void)handle_close((handle_t)record);
	if (space >= 0)
		(void)handle_close((handle_t)space);
	(void)handle_close((handle_t)memobj);
	return result < 0 ? result : 0;
}

int exec_record(struct linux_thread *t, struct process_record *record)
{
	struct linux_process *p = t->process;
	memcpy(record, p->record, sizeof *record);
	record->version = RECORD_VERSION;
	record->size = record->total_size = sizeof *record;
	record->argument_count = record->environment_count = 0;
	record->signal_mask = t->restore_mask ? t->saved_mask : t->mask;
	record->signal_ignored = signal_ignored_mask(p);
	lock_take(&p->lock);
	memcpy(record->limits, p->limits, sizeof record->limits);
	lock_release(&p->lock);
	record->nice = t->nice;
	record->policy = t->policy;
	return fs_record_write(t, record);
}

static int64_t exec_any(struct linux_thread *t, int directory, uint64_t path, uint64_t arguments, uint64_t environment, uint32_t flags)
{
	struct linux_process *p = t->process;
	struct exec_result built;
	handle_t file = HANDLE_NONE;
	if (p->flags & LINUX_PROCESS_NATIVE || p->record->library_image == HANDLE_NONE)
		return -ENOSYS;
	if (flags & ~LINUX_AT_EMPTY_PATH)
		return -EINVAL;
	struct exec_strings *strings = linux_map_pages(sizeof *strings);
	if (!strings)
		return -ENOMEM;
	int64_t result = user_string(t, strings->path, path, sizeof strings->path);
	if (result < 0)
		goto out;
	if (!result) {
		result = -ENOENT;
		if (!(flags & LINUX_AT_EMPTY_PATH))
			goto out;
		file = directory;
		text_copy(strings->path, "/dev/fd/", sizeof strings->path);
		text_decimal(strings->path + 8, (uint64_t)(uint32_t)directory);
	}
	strings->first = EXEC_FRONT;
	result = strings_copy(t, strings, arguments, strings->first, &strings->argument_count);
	if (result < 0)
		goto out;
	if (!strings->argument_count) { /* as Linux since 5.18: never without argument 0 */
		result = exec_string_add(strings, "", 0, &strings->offset[strings->first]);
		strings->argument_count = 1;
		if (result)
			goto out;
	}
	strings->environment_first = strings->first + strings->argument_count;
	result = strings_copy(t, strings, environment, strings->environment_first, &strings->environment_count);
	if (result < 0)
		goto out;
	result = exec_record(t, &strings->record);
	if (result < 0)
		goto out;
	strings->record.personality_flags |= RECORD_SIGNALS_TOLD;
	result = linux_exec_build(t, directory, file, strings, &built);
	if (result < 0)
		goto out;
	/* The handle of the new space must not survive in its own process. */
	(void)handle_set_options(built.space, HANDLE_CLOSE_ON_EXEC);
	lock_closing_range(t, 0, HANDLE_HIGH - 1, true);
	signal_exec(t);
	signal_exec_queue(t);
	if (trace_on(t))
		trace_executed(t);
	thread_end_words(t, p->flags & LINUX_PROCESS_VFORK);
	if (!(p->flags & LINUX_PROCESS_VFORK)) {
		result = process_exec(built.space, &built.start);
	} else {
		/* The parent's memory stays: give back what this child mapped in it as far as it is not under our feet. */
		linux_unmap_pages(strings, sizeof *strings);
		result = process_exec(built.space, &built.start);
		strings = NULL;
	}
	(void)handle_close(built.space);
out:
	linux_unmap_pages(strings, sizeof *strings);
	return result;
}

int64_t linux_execve(struct linux_thread *t, const uint64_t argument[6])
{
	return exec_any(t, LINUX_AT_FDCWD, argument[0], argument[1], argument[2], 0);
}

int64_t linux_execveat(struct linux_thread *t, const uint64_t argument[6])
{
	return exec_any(t, (int)argument[0], argument[1], argument[2], argument[3], (uint32_t)argument[4]);
}
