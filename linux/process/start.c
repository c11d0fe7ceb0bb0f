/* The first instructions of a process inside the library: after exec or spawn in a fresh space, and in native programs. */
#include "carillon/linux.h"
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"
#include "machine.h"

/* From image.ld; absent in native programs, which are not entered by upcalls. */
extern const uint8_t library_image_start[] __attribute__((weak)), library_image_end[] __attribute__((weak));

static void upcall_set(uint64_t image_start, uint64_t image_end)
{
	struct upcall_config config = {
		.image_start = image_start, .image_end = image_end, .call_entry = (uint64_t)(uintptr_t)entry_call,
		.exception_entry = (uint64_t)(uintptr_t)entry_exception, .interrupt_entry = (uint64_t)(uintptr_t)entry_interrupt,
		.restart_start = (uint64_t)(uintptr_t)return_start, .restart_end = (uint64_t)(uintptr_t)return_end,
		.copy_start = (uint64_t)(uintptr_t)copy_start, .copy_end = (uint64_t)(uintptr_t)copy_end,
		.copy_fixup = (uint64_t)(uintptr_t)copy_fixup,
	};
	(void)process_set_upcall(&config);
}

int process_start(struct linux_process *p, struct linux_thread *t, struct process_record *record)
{
	if (record->version != RECORD_VERSION)
		return -EINVAL;
	p->record = record;
	record->state = (uint64_t)(uintptr_t)p;
	p->pid = record->pid;
	p->umask = record->umask;
	p->personality = 0;
	p->dumpable = 1;
	memcpy(p->limits, record->limits, sizeof p->limits);
	p->stack_size = p->flags & LINUX_PROCESS_NATIVE ? 0 : stack_size(p->limits[LINUX_RLIMIT_STACK][0]);
	if (!(p->flags & LINUX_PROCESS_NATIVE)) {
		if (record->process_table != HANDLE_NONE && record->slot < PROCESS_SLOTS && record->pid)
			p->slot = (const volatile struct process_slot *)(uintptr_t)LIBRARY_PROCESS_TABLE + record->slot;
		if (record->time_page != HANDLE_NONE)
			p->time = (const volatile struct time_page *)(uintptr_t)LIBRARY_TIME_PAGE;
	}
	p->memory = p;
	p->threads = p->main_thread = t;
	p->thread_count = 1;
	t->process = p;
	t->id = p->pid;
	t->number = (uint64_t)thread_self();
	t->nice = record->nice;
	t->policy = record->policy;
	record->threads = (struct record_threads){
		.first = (uint64_t)(uintptr_t)&p->threads, .next = offsetof(struct linux_thread, next), .id = offsetof(struct linux_thread, id),
		.lists_head = offsetof(struct linux_thread, robust_list),
	};
	t->block.call_result = CALL_NOT_ROUTED;
	machine_start(p);
	return 0;
}

/* Where a program's arguments are: from its stack as stack_write made it. Also the name, from AT_EXECFN. */
static void arguments_find(struct linux_thread *t, uint64_t stack, char path[256])
{
	struct linux_process *p = t->process;
	uint64_t count, word[2], at = stack;
	path[0] = 0;
	if (user_read(t, &count, at, 8) || user_read(t, &p->arguments_start, at + 8, 8))
		return;
	at += 8 + 8 * (count + 1);
	p->stack_start = stack;
	(void)user_read(t, &p->environment_start, at, 8);
	p->arguments_end = p->environment_start;
	while (!user_read(t, word, at, 8) && word[0]) {
		p->environment_end = word[0];
		at += 8;
	}
	if (p->environment_end) {
		char byte;
		while (!user_read(t, &byte, p->environment_end, 1) && byte)
			p->environment_end++;
		p->environment_end++;
	}
	p->vector_start = at + 8;
	for (at += 8; !user_read(t, word, at, sizeof word) && word[0] != LINUX_AT_NULL; at += 16)
		switch (word[0]) {
		case LINUX_AT_EXECFN:
			(void)user_string(t, path, word[1], 256);
			path[255] = 0;
			if (!p->environment_start)
				p->arguments_end = word[1];
			break;
		case LINUX_AT_ENTRY: p->image_entry = word[1]; break;
		case LINUX_AT_PHDR: p->image_headers = word[1]; break;
		}
}

/* Tell proc the new name, path and command line. */
static void proc_executed(struct linux_thread *t)
{
	struct linux_process *p = t->process;
	char text[sizeof p->record->executable + 4096];
	size_t path = text_copy(text, p->record->executable, sizeof p->record->executable);
	uint64_t arguments = p->arguments_end - p->arguments_start;
	if (!p->arguments_start || p->arguments_end < p->arguments_start)
		arguments = 0;
	arguments = MINIMUM(arguments, 4096ul - path);
	if (arguments && user_read(t, text + path, p->arguments_start, arguments))
		arguments = 0;
	struct message message = {
		.word = { PROC_EXECED, 0, 0, path }, .send_address = (uint64_t)(uintptr_t)text, .send_size = path + arguments,
	};
	memcpy(&message.word[1], t->name, sizeof t->name);
	(void)proc_call(t, &message, 0);
}

void linux_start(struct linux_thread *t, uint64_t entry, uint64_t stack)
{
	char path[256];
	t->block.self = (uint64_t)(uintptr_t)t;
	t->block.stack = t->block.self;
	t->queued = (struct linux_siginfo *)(void *)((uint8_t *)t + THREAD_MEMORY_SIZE);
	t->allocation = t->block.self - LIBRARY_STACK;
	t->allocation_size = START_MEMORY;
	upcall_set((uint64_t)(uintptr_t)library_image_start, (uint64_t)(uintptr_t)library_image_end);
	struct process_record *record = (struct process_record *)(uintptr_t)LIBRARY_RECORD;
	struct linux_process *p = linux_map_pages(sizeof *p);
	int error = p ? process_start(p, t, record) : -ENOMEM;
	if (!error)
		error = fs_start(t);
	if (error)
		for (;;)
			(void)process_exit(LINUX_SIGKILL);
	/* The heap begins behind the program, with a page between. */
	p->heap_start = p->heap_end = p->program_break_floor = record->image_end + PAGE_SIZE;
	arguments_find(t, stack, path);
	const char *name = strrchr(path, '/');
	text_copy(t->name, name ? name + 1 : path, sizeof t->name);
	proc_executed(t);
	(void)handle_limit((uint32_t)MINIMUM(p->limits[LINUX_RLIMIT_NOFILE][0], (uint64_t)HANDLE_RANGE_MAX));
	if (record->personality_flags & RECORD_TRACE && record->trace_stream != HANDLE_NONE)
		p->flags |= LINUX_PROCESS_TRACED;
	signal_start(t, record->signal_mask, record->signal_ignored, record->personality_flags & RECORD_SIGNALS_TOLD);
	if (trace_on(t) && !(record->personality_flags & RECORD_SIGNALS_TOLD))
		trace_started(t, path, stack);
	if (!trace_on(t)) /* with it, every call comes to the library */
		routes_set(p);
	machine_program_registers(&t->block.registers, entry, stack);
}

int64_t linux_native_start(struct process_record *record)
{
	struct linux_thread *t = thread_memory_create(NULL);
	struct linux_process *p = linux_map_pages(sizeof *p);
	if (!t || !p)
		return -ENOMEM;
	p->flags = LINUX_PROCESS_NATIVE;
	int64_t error = process_start(p, t, record);
	if (error)
		return error;
	text_copy(t->name, "native", sizeof t->name);
	error = thread_set_pointer(THREAD_POINTER_BLOCK, t->block.self);
	if (error < 0)
		return error;
	processor_block_set(t);
	upcall_set(USER_BOTTOM, record->user_top);
	p->heap_start = p->heap_end = p->program_break_floor = page_round_up(record->image_end) + PAGE_SIZE;
	return fs_start(t);
}

struct linux_thread *linux_native_thread(void)
{
	return linux_self();
}
