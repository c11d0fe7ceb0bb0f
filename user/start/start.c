/*
 * From the kernel's thread_start to main().
 *
 * A program finds its process record at LIBRARY_RECORD. The first process (init) has none: it gets the address of boot_info instead, and
 * makes itself an empty record in which the value "boot" is that address. The stack that musl expects (argv, envp, auxiliary vector) is built
 * here from the record; TLS is set up by musl from the program headers.
 */
#include <elf.h>
#include <stdbool.h>
#include "abi/boot.h"
#include "abi/memory.h"
#include "abi/types.h"
#include "carillon/calls.h"
#include "carillon/record.h"
#include "carillon/runtime.h"
#include "user/start/internal.h"

int main(int argument_count, char **arguments, char **environment);
int __libc_start_main(int (*main_function)(int, char **, char **), int argument_count, char **arguments, void (*init)(void), void (*fini)(void),
	void (*dynamic)(void));
extern const Elf64_Ehdr __ehdr_start;
extern const char __executable_start[], etext[];

static struct process_record *const record = (struct process_record *)LIBRARY_RECORD;

static void boot_record_create(uint64_t boot_info)
{
	struct map_request map = {
		.address = LIBRARY_RECORD,
		.length = sizeof *record,
		.memobj = HANDLE_NONE,
		.protection = PROTECT_READ | PROTECT_WRITE,
		.flags = MAP_FIXED_NEW,
	};
	if (space_map(HANDLE_SELF_SPACE, &map) < 0)
		process_exit(1 << 8);
	*record = (struct process_record){
		.version = RECORD_VERSION,
		.size = sizeof *record,
		.total_size = sizeof *record,
		.pid = 1,
		.process_port = HANDLE_NONE,
		.socket_port = HANDLE_NONE,
		.library_image = HANDLE_NONE,
		.process_table = HANDLE_NONE,
		.time_page = HANDLE_NONE,
		.budget = HANDLE_NONE,
		.trace_stream = HANDLE_NONE,
		.umask = 022,
		.directory_port = HANDLE_NONE,
		.directory_mount = -1,
		.directory_path = "/",
		.name_count = 1,
		.name[0] = { .name = "boot", .handle = HANDLE_NONE, .value = boot_info },
		.executable = "system/init",
		.user_top = ((const struct boot_info *)boot_info)->user_top,
		.vector_bytes = ((const struct boot_info *)boot_info)->vector_bytes,
	};
}

static uint64_t pairs_write(uint64_t *vector, const void *random_bytes)
{
	uint64_t at = 0;
	const uint64_t pairs[][2] = {
		{ AT_PHDR, (uint64_t)&__ehdr_start + __ehdr_start.e_phoff },
		{ AT_PHENT, __ehdr_start.e_phentsize },
		{ AT_PHNUM, __ehdr_start.e_phnum },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_RANDOM, (uint64_t)random_bytes },
		{ AT_NULL, 0 },
	};
	for (unsigned i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		vector[at++] = pairs[i][0];
		vector[at++] = pairs[i][1];
	}
	return at;
}

_Noreturn void native_start(uint64_t argument)
{
	if (argument != LIBRARY_RECORD)
		boot_record_create(argument);
	if (!record->image_base_set) {
		record->image_start = (uint64_t)__executable_start;
		record->image_end = (uint64_t)etext;
		record->image_base_set = 1;
	}

	if (library_start(record))
		process_exit(1 << 8);

	uint8_t random_bytes[16];
	if (random_get(random_bytes, sizeof random_bytes) < 0)
		__builtin_memset(random_bytes, 0, sizeof random_bytes);
	/* the strings were written by whoever spawned this program: its own supervisor, trusted like the text itself */
	uint32_t arguments = record->argument_count, variables = record->environment_count;
	const uint32_t *argument_offset = (const uint32_t *)((char *)record + record->argument_offset);
	const uint32_t *variable_offset = (const uint32_t *)((char *)record + record->environment_offset);
	uint64_t vector[arguments + variables + 2 + 16];
	uint64_t at = 0;
	for (uint32_t i = 0; i < arguments; i++)
		vector[at++] = (uint64_t)record + argument_offset[i];
	vector[at++] = 0;
	for (uint32_t i = 0; i < variables; i++)
		vector[at++] = (uint64_t)record + variable_offset[i];
	vector[at++] = 0;
	pairs_write(vector + at, random_bytes);
	__libc_start_main(main, (int)arguments, (char **)vector, NULL, NULL, NULL);
	process_exit(0);
	__builtin_unreachable();
}
