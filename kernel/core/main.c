/*
 * From the arch start code to the first process: memory, clock page, objects, then the archive's member BOOT_INIT.
 *
 * The first process is the only one the kernel starts. It gets authority over the machine (the resource handle), the archive, the
 * root budget and a page that describes the machine; everything else is its business. Without it there is no system: its death is the
 * end of the run.
 */
#include "abi/boot.h"
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/processors.h"
#include "kernel/core/start.h"
#include "kernel/core/wait.h"
#include "kernel/debug/check.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/futex.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"
#include "kernel/obj/random.h"
#include "kernel/obj/system.h"
#include "kernel/obj/upcall.h"
#include "kernel/vm/space.h"
#include "lib/cpio/cpio.h"
#include "lib/elf/elf.h"

#define INIT_STACK_TOP (LIBRARY_START - (8ul << 30))
#define INIT_STACK_SIZE (64ul * 1024)
#define INIT_INFO (INIT_STACK_TOP + PAGE_SIZE) /* where boot_info is mapped */
#define MEMORY_MIN (6ul << 20)

static struct start_info *start_info;
static struct process *first_process;
static const char *first_image; /* in the archive, for backtraces */
static uint64_t first_image_size;

/* The first process has died: nothing can go on. Runs with no locks held, in the context of its last thread. */
void kernel_first_process_died(struct process *process)
{
	if (process == first_process)
		panic("the first process ended, status %#x; the system cannot go on", process->status);
}

const char *kernel_first_process_symbol(struct process *process, uint64_t address, uint64_t *offset)
{
	return process == first_process ? elf_symbol(first_image, first_image_size, address, offset) : NULL;
}

static void map_or_panic(struct space *space, struct map_request *request, struct memobj *memobj, uint32_t most)
{
	int error = space_map(space, request, memobj, most);

	if (error)
		panic("first process: cannot map %#llx: error %d", (unsigned long long)request->address, error);
}

/* A segment: file pages mapped privately from the archive, zero memory behind them. */
static void segment_map(struct space *space, struct memobj *archive, uint64_t member, const struct elf_segment *segment)
{
	uint64_t start = align_down(segment->address, PAGE_SIZE);
	uint64_t file_end = segment->address + segment->file_size, end = align_up(segment->address + segment->memory_size, PAGE_SIZE);
	uint64_t file_pages = segment->file_size ? align_up(file_end, PAGE_SIZE) - start : 0;
	struct map_request request = { .protection = segment->protection };

	if ((segment->address - segment->offset) % PAGE_SIZE)
		panic("first process: segment is not aligned to pages");
	if (file_pages) {
		request.address = start;
		request.length = file_pages;
		request.offset = member + align_down(segment->offset, PAGE_SIZE);
		request.flags = MAP_FIXED_NEW | MAP_PRIVATE_COPY;
		map_or_panic(space, &request, archive, PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE);
	}
	if (start + file_pages < end) {
		request = (struct map_request){ .protection = segment->protection };
		request.address = start + file_pages;
		request.length = end - request.address;
		request.flags = MAP_FIXED_NEW;
		map_or_panic(space, &request, NULL, PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE);
	}
	if (segment->memory_size > segment->file_size && file_end % PAGE_SIZE) { /* the file's page reaches into the zero part */
		char zero[256] = { 0 };
		for (uint64_t at = file_end; at < align_up(file_end, PAGE_SIZE); ) {
			uint64_t part = min(sizeof(zero), align_up(file_end, PAGE_SIZE) - at);
			if (space_copy(space, at, zero, part, true, true) != (int64_t)part)
				panic("first process: no memory");
			at += part;
		}
	}
}

static struct memobj *boot_info_object(void)
{
	struct memobj *object = memobj_create(align_up(sizeof(struct boot_info), PAGE_SIZE), 0, budget_root);
	struct boot_info *boot = heap_alloc(sizeof(*boot));

	if (!object || !boot)
		panic("first process: no memory");
	boot->archive_size = start_info->archive_size;
	boot->user_top = USER_TOP;
	boot->device_count = start_info->device_count;
	boot->processors = start_info->processors;
	boot->vector_bytes = start_info->vector_bytes;
	memcpy(boot->device, start_info->device, sizeof(boot->device));
	size_t length = strlen(start_info->command_line);
	memcpy(boot->command_line, start_info->command_line, min(length, sizeof(boot->command_line) - 1));
	if (memobj_write_kernel(object, 0, boot, sizeof(*boot)) != (int64_t)sizeof(*boot))
		panic("first process: no memory");
	heap_free(boot, sizeof(*boot));
	return object;
}

static void handle_give(const struct handles *handles, struct object *object, uint32_t rights, uint32_t number)
{
	if (handle_table_install_at(handles, object, rights, 0, number, false) < 0)
		panic("first process: no memory for handles");
}

static void first_process_start(void)
{
	const char *archive_bytes = page_address(page_of_physical(start_info->archive_start));
	struct cpio_member member;
	struct elf_info elf;

	if (!start_info->archive_size)
		panic("no boot archive (the loader's initrd)");
	if (cpio_find(archive_bytes, start_info->archive_size, BOOT_INIT, &member) != 1)
		panic("the boot archive has no %s", BOOT_INIT);
	if (member.offset % PAGE_SIZE || elf_image_parse(archive_bytes + member.offset, member.size, &elf))
		panic("%s in the boot archive is not a program", BOOT_INIT);

	first_image = archive_bytes + member.offset;
	first_image_size = member.size;
	struct memobj *archive = memobj_create_from_pages(start_info->archive_start, start_info->archive_size);
	struct space *space = space_create(budget_root);
	struct handles handles;
	struct object *resource = resource_create();
	if (!archive || !space || !resource || handles_create(&handles))
		panic("first process: no memory");
	for (unsigned i = 0; i < elf.segment_count; i++)
		segment_map(space, archive, member.offset, &elf.segment[i]);
	struct map_request stack = { .address = INIT_STACK_TOP - INIT_STACK_SIZE, .length = INIT_STACK_SIZE, .flags = MAP_FIXED_NEW,
				     .protection = PROTECT_READ | PROTECT_WRITE };
	map_or_panic(space, &stack, NULL, PROTECT_READ | PROTECT_WRITE);
	struct memobj *boot = boot_info_object();
	struct map_request info = { .address = INIT_INFO, .length = align_up(sizeof(struct boot_info), PAGE_SIZE), .flags = MAP_FIXED_NEW,
				    .protection = PROTECT_READ };
	map_or_panic(space, &info, boot, PROTECT_READ);
	object_unref(memobj_object(boot));

	handle_give(&handles, resource, RIGHT_ALL, BOOT_HANDLE_RESOURCE);
	handle_give(&handles, memobj_object(archive), RIGHT_READ | RIGHT_DUPLICATE | RIGHT_TRANSFER, BOOT_HANDLE_ARCHIVE);
	object_ref(&budget_root->object);
	handle_give(&handles, &budget_root->object, RIGHT_ALL, BOOT_HANDLE_BUDGET);

	int error;
	struct thread_start start = { .entry = elf.entry, .stack = INIT_STACK_TOP, .argument = { INIT_INFO } };
	first_process = process_create(space, &handles, budget_root);
	if (first_process) {
		memcpy(first_process->name, "init", sizeof("init"));
		trace_process(first_process);
	}
	struct thread *thread = first_process ? thread_create(first_process, &start, &error) : NULL;
	if (!thread)
		panic("first process: no memory");
	handles_unref(&handles);
	object_unref(space_object(space));
	log_info("start: first process %s, %llu KiB archive", BOOT_INIT, (unsigned long long)start_info->archive_size / 1024);
	thread_start_running(thread);
}

void kernel_main(struct start_info *info)
{
	uint64_t memory = 0;

	start_info = info;
	for (unsigned i = 0; i < info->memory_count; i++) {
		page_add_range(info->memory[i].start, info->memory[i].end);
		memory += info->memory[i].end - info->memory[i].start;
	}
	log_info("Carillon %s on %s, %llu MiB free, %u processors (%u at most)", CARILLON_VERSION, arch_machine_name(),
		 (unsigned long long)memory >> 20, info->processors, PROCESSORS_MAX);
	if (memory < MEMORY_MIN)
		panic("%llu KiB of memory are too little: at least %lu MiB are needed", (unsigned long long)memory / 1024, MEMORY_MIN >> 20);
	panic_restarts = start_command_has(info, "restart");
	if (info->trace_size && trace_start(info->trace_start, info->trace_size, min(info->processors, PROCESSORS_MAX))) {
		call_entry_decides = false;
		log_info("trace: %llu MiB at %#llx", (unsigned long long)info->trace_size >> 20, (unsigned long long)info->trace_start);
	}
	if (start_command_has(info, "slow"))
		call_entry_decides = false;
	futex_init();
	random_init();
	budget_root = budget_create(NULL, memory / PAGE_SIZE);
	if (!budget_root || system_init())
		panic("no memory for the first objects");
	processors_start(info->processors);
	info->processors = processors_running;
	if (start_command_has(info, "check") && check_run) {
		if (!scheduler_kernel_thread(check_run, NULL, 10))
			panic("no memory for the checks");
	} else {
		first_process_start();
	}
	scheduler_start();
}
