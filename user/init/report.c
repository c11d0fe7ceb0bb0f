/*
 * How a server died: its status, registers, and a backtrace by frame pointers, read from the corpse, with the symbols of its ELF image.
 * Nothing in the corpse is trusted: the walk goes up the stack only, and ends after a fixed number of frames.
 */
#include "abi/errors.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "lib/elf/elf.h"
#include "user/init/init.h"

#define FRAMES_MAX 32

static const char *cause_name(uint32_t cause)
{
	static const char *const name[] = { "no exception", "unmapped address", "protection", "beyond the end of an object", "illegal instruction",
		"breakpoint", "single step", "division", "floating point", "alignment", "other exception" };
	return cause < sizeof name / sizeof *name ? name[cause] : "unknown";
}

static void status_log(const char *name, uint32_t status, const struct process_info *info)
{
	switch (status) {
	case STATUS_FAULT:
		server_log("%s died: %s at %#lx, instruction %#lx", name, cause_name(info->fault_cause), info->fault_address, info->fault_instruction);
		break;
	case STATUS_OUT_OF_MEMORY:
		server_log("%s died: out of memory", name);
		break;
	case STATUS_UPCALL:
		server_log("%s died: an upcall could not be delivered", name);
		break;
	case STATUS_BUDGET:
		server_log("%s died: its budget was destroyed", name);
		break;
	default:
		if (status & 0x7f)
			server_log("%s died: signal %u", name, status & 0x7f);
		else
			server_log("%s ended: status %u", name, status >> 8 & 0xff);
	}
}

static void frame_log(unsigned number, uint64_t address, const void *image, size_t image_size)
{
	uint64_t offset = 0;
	const char *symbol = image ? elf_symbol(image, image_size, address, &offset) : NULL;
	if (symbol)
		server_log("  #%u %#lx %.80s+%#lx", number, address, symbol, offset);
	else
		server_log("  #%u %#lx", number, address);
}

static void backtrace_log(handle_t space, const struct registers *registers, const void *image, size_t image_size)
{
	uint64_t frame = registers_frame(registers);
	frame_log(0, registers_instruction(registers), image, image_size);
	for (unsigned i = 1; i < FRAMES_MAX; i++) {
		struct { uint64_t next, caller; } link;
		if (frame % 8 != 0 || space_read(space, frame + ABI_STACK_LINK, &link, sizeof link) != sizeof link || link.caller == 0)
			return;
		if (i == 1 && ABI_STACK_LEAF(frame, link.caller)) {
			link.next = link.caller;
			link.caller = ABI_REGISTERS_RETURN(registers);
		}
		/* the call instruction, not the one it returns to: that may be another function's */
		frame_log(i, link.caller - 1, image, image_size);
		if (link.next <= frame)
			return;
		frame = link.next;
	}
}

/* Registers and backtrace of one thread of a corpse or a suspended process */
static void thread_log(handle_t process, uint64_t thread, const void *image, size_t image_size)
{
	struct registers registers;
	int64_t error = thread_get_registers(process, thread, &registers);
	int64_t space = error < 0 ? error : process_space(process);
	if (space < 0) {
		server_log("  its registers cannot be read: error %d", (int)-space);
		return;
	}
	registers_log(&registers);
	backtrace_log((handle_t)space, &registers, image, image_size);
	handle_close((handle_t)space);
}

void report_death(const char *name, handle_t process, uint32_t status, const void *image, size_t image_size)
{
	struct process_info info = { 0 };
	if (process_get(process, &info) < 0) {
		server_log("%s died: status %#x, no corpse", name, status);
		return;
	}
	status_log(name, status, &info);
	if (info.fault_thread)
		thread_log(process, info.fault_thread, image, image_size);
}

void report_place(const char *name, handle_t process, const void *image, size_t image_size)
{
	struct thread_info thread;
	struct registers registers;
	if (thread_list(process, &thread, 1) < 1)
		return;
	while (thread_get_registers(process, thread.number, &registers) == -EBUSY)
		thread_yield(); /* on its way out of the kernel, where it will stop */
	server_log("%s is at:", name);
	thread_log(process, thread.number, image, image_size);
}
