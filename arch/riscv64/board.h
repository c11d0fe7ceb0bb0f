/* What the port wants to know of a board; plat/virt/board.c finds it in the device tree. */
#ifndef BOARD_H
#define BOARD_H
#include "abi/boot.h"
#include "kernel/core/types.h"

/* What the device tree told; addresses are physical, 0 where there is none. */
struct board {
	physical_t memory[16][2], reserved[16][2]; /* ranges: start, end */
	unsigned memory_count, reserved_count;
	physical_t archive_start, archive_end;
	const char *command_line;  /* in the tree */
	const char *model;         /* of the board; never NULL */
	bool processor_found;      /* the tree tells of the hart that reads it, and of its interrupt controller */
	uint64_t counter_frequency;
	bool counter_compare;      /* the processor has a timer of its own for this mode (Sstc) */
	bool floats;               /* it has double floating-point */
	bool vectors;              /* ... and vectors */
	uint32_t vector_bytes;     /* of a vector register (vector.c); 0: none */
	physical_t interrupts;     /* the PLIC */
	uint32_t interrupt_lines, interrupt_context;
	bool interrupt_context_found;
	physical_t finisher, clock;/* "sifive,test0", "google,goldfish-rtc" */
	uint8_t seed[32];
	unsigned seed_size;
	struct boot_device device[BOOT_DEVICES];
	unsigned device_count;
};
/* Fills board from the tree, whose text it refers to. hart: of this processor. NULL, or what is wrong with it. */
const char *board_read(struct board *board, const void *tree, uint64_t hart);
extern struct board board;
#endif
