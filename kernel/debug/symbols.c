/*
 * Names of kernel addresses, and backtraces. The table is made by tools/generate/symbols.awk from the first link of a build and
 * added in the second; without it (weak, absent) addresses are printed as numbers.
 */
#include "kernel/core/log.h"
#include "arch/thread.h"

struct symbol { uint32_t offset, name; }; /* from kernel_symbol_base; into kernel_symbol_names */
extern const struct symbol kernel_symbols[] __attribute__((weak));
extern const uint32_t kernel_symbol_count __attribute__((weak));
extern const uint64_t kernel_symbol_base __attribute__((weak));
extern const char kernel_symbol_names[] __attribute__((weak));

#define FRAMES_MAX 32u

void symbol_describe(uint64_t address, char *buffer, size_t size)
{
	extern const char kernel_start[], kernel_text_end[];
	if (!&kernel_symbol_count || !kernel_symbol_count || address < (uint64_t)kernel_start || address >= (uint64_t)kernel_text_end) {
		format_string(buffer, size, "%#lx", address);
		return;
	}
	uint64_t offset = address - kernel_symbol_base;
	unsigned low = 0, high = kernel_symbol_count; /* the last symbol at or below offset lies in [low, high) */
	while (high - low > 1) {
		unsigned middle = (low + high) / 2;
		if (kernel_symbols[middle].offset <= offset)
			low = middle;
		else
			high = middle;
	}
	format_string(buffer, size, "%s+%#lx", kernel_symbol_names + kernel_symbols[low].name, offset - kernel_symbols[low].offset);
}

/* Follows saved frame pointers as long as they lie in a stack and rise. instruction, if not 0, is printed first. */
void backtrace_print(uint64_t frame_pointer, uint64_t instruction)
{
	char text[128];
	if (instruction) {
		symbol_describe(instruction, text, sizeof(text));
		log_print("  at %s", text);
	}
	for (unsigned i = 0; i < FRAMES_MAX && frame_pointer && arch_stack_readable(frame_pointer + ABI_STACK_LINK); i++) {
		const uint64_t *link = (const uint64_t *)(frame_pointer + ABI_STACK_LINK);
		if (!link[1])
			break;
		if (!i && ABI_STACK_LEAF(frame_pointer, link[1])) { /* it was interrupted: who knows its registers prints them */
			frame_pointer = link[1];
			continue;
		}
		symbol_describe(link[1] - 1, text, sizeof(text)); /* a call may be its function's last instruction */
		log_print("  from %s", text);
		if (link[0] <= frame_pointer)
			break;
		frame_pointer = link[0];
	}
}
