/* What arch start code hands to kernel_main. */
#ifndef KERNEL_START_H
#define KERNEL_START_H
#include "kernel/core/types.h"
#include "abi/boot.h"
struct start_info {
	struct { physical_t start, end; } memory[64]; /* usable RAM; the kernel image, archive and tables already excluded */
	unsigned memory_count;
	physical_t archive_start;   /* page-aligned */
	uint64_t archive_size;
	const char *command_line;
	struct boot_device device[BOOT_DEVICES];
	unsigned device_count, processors;
};
/* Single processor, interrupts disabled, direct map and heap not yet set up: calls page_add_range, then starts everything. Never returns. */
noreturn void kernel_main(struct start_info *info);
#endif
