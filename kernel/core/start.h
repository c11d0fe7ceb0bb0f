/* What arch start code hands to kernel_main. */
#ifndef KERNEL_START_H
#define KERNEL_START_H
#include "kernel/core/types.h"
#include "abi/boot.h"
#define START_RANGES 64
struct start_info {
	struct { physical_t start, end; } memory[START_RANGES]; /* usable RAM; the kernel image, archive and tables already excluded */
	unsigned memory_count;
	physical_t archive_start;   /* page-aligned */
	uint64_t archive_size;
	const char *command_line;
	physical_t trace_start;     /* memory set aside for a trace (abi/trace.h) */
	uint64_t trace_size;        /* 0: none */
	struct boot_device device[BOOT_DEVICES];
	unsigned device_count, processors;
	uint32_t vector_bytes;      /* as in struct boot_info */
};
/* For arch start code, in this order: all usable memory is added, what lies in it excluded, then pieces taken for tables, then pages set up. */
void start_memory_add(struct start_info *info, physical_t start, physical_t end); /* whole pages of it */
void start_memory_exclude(struct start_info *info, physical_t start, physical_t end);
void start_archive_exclude(struct start_info *info); /* archive_start, archive_size; panics if it does not begin on a page */
void start_trace_exclude(struct start_info *info);   /* trace_start, trace_size: what "ktrace=" in command_line names, if it is all usable */
/* size bytes from the start of the first range that has them below limit; panics when there are none. */
physical_t start_memory_take(struct start_info *info, uint64_t size, physical_t limit) must_check;
/* Makes the array of pages for ram (all of it, also what was excluded), which the direct map reaches by now. */
void start_pages(struct start_info *info, const physical_t (*ram)[2], unsigned count);
/* What follows `name` in the word of command_line that begins with it, or NULL. */
const char *start_command_value(const struct start_info *info, const char *name);
/* Is there such a word in command_line? */
bool start_command_has(const struct start_info *info, const char *word);
/* Single processor, interrupts disabled, direct map and heap not yet set up: calls page_add_range, then starts everything. Never returns. */
noreturn void kernel_main(struct start_info *info);
#endif
