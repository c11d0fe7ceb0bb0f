/*
 * What the kernel wants to know of a board, from its device tree. One walk: the properties of each open node are kept on a stack, and a
 * node is looked at when its last property has been seen, that is at its first child or its end.
 *
 * Only devices whose addresses are those of the processor are taken: below the root, and below buses whose `ranges` is empty.
 */
#include "arch/riscv64/board.h"
#include "kernel/core/log.h"
#include "lib/fdt/fdt.h"

#define DEPTH_MAX 12u
#define CONTEXTS 15872u         /* of a PLIC, at most */
#define CONTEXT_SUPERVISOR 9u /* of interrupts-extended: the external interrupt of supervisor mode */

struct value { const uint8_t *bytes; uint32_t length; };
struct node {
	const char *name;
	struct value compatible, reg, interrupts, device_type, status, phandle, extended;
	uint32_t address_cells, size_cells; /* of its children */
	bool same_addresses;                /* its children's addresses are the processor's */
	bool enabled;
	bool seen;
};

struct reading {
	struct board *board;
	struct node stack[DEPTH_MAX];
	uint64_t hart;
	uint32_t controller;       /* phandle of this hart's interrupt controller; 0: not seen */
	struct value extended;     /* of the PLIC */
};

static bool name_is(const char *name, const char *wanted)
{
	size_t length = strlen(wanted);
	return !strncmp(name, wanted, length) && (!name[length] || name[length] == '@');
}

static bool value_is(struct value value, const char *text)
{
	return fdt_list_has(value.bytes, value.length, text);
}

static uint64_t value_number(struct value value)
{
	uint64_t number = 0;
	if (!fdt_number(value.bytes, value.length, 0, value.length / 4, &number))
		return 0;
	return number;
}

/* Range number index of the node's reg. */
static bool node_range(const struct node *parent, const struct node *node, unsigned index, uint64_t *address, uint64_t *size)
{
	uint32_t step = parent->address_cells + parent->size_cells;
	return fdt_number(node->reg.bytes, node->reg.length, index * step, parent->address_cells, address) &&
	       fdt_number(node->reg.bytes, node->reg.length, index * step + parent->address_cells, parent->size_cells, size) &&
	       *address + *size >= *address;
}

static void range_add(physical_t (*ranges)[2], unsigned *count, uint64_t address, uint64_t size)
{
	if (*count == 16 || address + size <= address)
		return;
	ranges[*count][0] = address;
	ranges[(*count)++][1] = address + size;
}

static void device_take(struct board *board, const struct node *node, uint64_t address, uint64_t size)
{
	if (value_is(node->compatible, "virtio,mmio")) {
		uint64_t interrupt;
		if (board->device_count < BOOT_DEVICES && fdt_number(node->interrupts.bytes, node->interrupts.length, 0, 1, &interrupt))
			board->device[board->device_count++] = (struct boot_device){ address, size, (uint32_t)interrupt, 0 };
	} else if (value_is(node->compatible, "sifive,test0")) {
		board->finisher = address;
	} else if (value_is(node->compatible, "google,goldfish-rtc")) {
		board->clock = address;
	}
}

static void controller_take(struct reading *r, const struct node *node, uint64_t address)
{
	if (value_is(node->compatible, "riscv,plic0") || value_is(node->compatible, "sifive,plic-1.0.0")) {
		r->board->interrupts = address;
		r->extended = node->extended;
	}
}

/* The node at depth has all its properties. */
static void node_take(struct reading *r, uint32_t depth)
{
	struct node *node = &r->stack[depth], *parent = depth ? &r->stack[depth - 1] : NULL;
	uint64_t address, size;
	if (node->seen)
		return;
	node->seen = true;
	node->enabled = (!parent || parent->enabled) && (!node->status.length || value_is(node->status, "okay") || value_is(node->status, "ok"));
	if (!parent || !node->enabled)
		return;
	if (value_is(node->device_type, "memory") && depth == 1) {
		for (unsigned i = 0; node_range(parent, node, i, &address, &size); i++)
			range_add(r->board->memory, &r->board->memory_count, address, size);
	} else if (name_is(parent->name, "reserved-memory") && depth == 2) {
		for (unsigned i = 0; node_range(parent, node, i, &address, &size); i++)
			range_add(r->board->reserved, &r->board->reserved_count, address, size);
	} else if (value_is(node->compatible, "riscv,cpu-intc")) {
		uint64_t hart;
		if (fdt_number(parent->reg.bytes, parent->reg.length, 0, parent->reg.length / 4, &hart) && hart == r->hart) {
			r->controller = (uint32_t)value_number(node->phandle);
			r->board->processor_found = true;
		}
	} else if (parent->same_addresses && node_range(parent, node, 0, &address, &size)) {
		device_take(r->board, node, address, size);
		controller_take(r, node, address);
	}
}

/* "rv64imafdch_zicsr_..._sstc": single letters behind rv64, then words */
static void isa_take(struct board *board, const char *isa)
{
	const char *at = isa;
	if (strncmp(at, "rv64", 4))
		return;
	for (at += 4; *at && *at != '_'; at++)
		if (*at == 'd' || *at == 'g')
			board->floats = true;
		else if (*at == 'v')
			board->vectors = true;
	while (*at) {
		if (!strncmp(at, "_sstc", 5) && (!at[5] || at[5] == '_'))
			board->counter_compare = true;
		for (at++; *at && *at != '_'; at++)
			;
	}
}

static void chosen_take(struct board *board, const char *name, struct value value)
{
	if (!strcmp(name, "bootargs") && fdt_text(value.bytes, value.length))
		board->command_line = fdt_text(value.bytes, value.length);
	else if (!strcmp(name, "linux,initrd-start"))
		board->archive_start = value_number(value);
	else if (!strcmp(name, "linux,initrd-end"))
		board->archive_end = value_number(value);
	else if (!strcmp(name, "rng-seed")) {
		board->seed_size = min(value.length, (uint32_t)sizeof(board->seed));
		memcpy(board->seed, value.bytes, board->seed_size);
	}
}

static void property_take(struct reading *r, uint32_t depth, const char *name, struct value value)
{
	struct node *node = &r->stack[depth];
	const struct { const char *name; struct value *place; } known[] = {
		{ "compatible", &node->compatible }, { "reg", &node->reg }, { "interrupts", &node->interrupts }, { "device_type", &node->device_type },
		{ "status", &node->status }, { "phandle", &node->phandle }, { "interrupts-extended", &node->extended },
	};
	for (unsigned i = 0; i < array_count(known); i++)
		if (!strcmp(name, known[i].name))
			*known[i].place = value;
	if (!strcmp(name, "#address-cells"))
		node->address_cells = (uint32_t)value_number(value);
	else if (!strcmp(name, "#size-cells"))
		node->size_cells = (uint32_t)value_number(value);
	else if (!strcmp(name, "ranges"))
		node->same_addresses = depth && !value.length && r->stack[depth - 1].same_addresses;
	else if (!strcmp(name, "model") && depth == 0 && fdt_text(value.bytes, value.length))
		r->board->model = fdt_text(value.bytes, value.length);
	else if (!strcmp(name, "timebase-frequency"))
		r->board->counter_frequency = value_number(value);
	else if (!strcmp(name, "riscv,isa") && fdt_text(value.bytes, value.length))
		isa_take(r->board, fdt_text(value.bytes, value.length));
	else if (!strcmp(name, "riscv,ndev"))
		r->board->interrupt_lines = (uint32_t)value_number(value);
	else if (depth == 1 && name_is(node->name, "chosen"))
		chosen_take(r->board, name, value);
}

/* Which of the PLIC's outputs is this hart's in supervisor mode: pairs of a controller's phandle and a number there. */
static void context_find(struct reading *r)
{
	uint64_t controller, number;
	for (uint32_t i = 0; i < CONTEXTS && fdt_number(r->extended.bytes, r->extended.length, 2 * i, 1, &controller) &&
			     fdt_number(r->extended.bytes, r->extended.length, 2 * i + 1, 1, &number); i++)
		if (r->controller && controller == r->controller && number == CONTEXT_SUPERVISOR) {
			r->board->interrupt_context = i;
			r->board->interrupt_context_found = true;
			return;
		}
}

static const char *tree_walk(struct reading *r, const struct fdt *tree)
{
	struct fdt_walk walk;
	fdt_walk_start(&walk, tree);
	for (;;) {
		enum fdt_token token = fdt_walk_next(&walk);
		switch (token) {
		case FDT_BEGIN:
			if (walk.depth > DEPTH_MAX)
				return "its nodes are too deep";
			if (walk.depth > 1)
				node_take(r, walk.depth - 2);
			/* the standard's defaults; the root's children have the processor's addresses */
			r->stack[walk.depth - 1] = (struct node){ .name = walk.name, .address_cells = 2, .size_cells = 1, .same_addresses = walk.depth == 1 };
			break;
		case FDT_PROPERTY:
			property_take(r, walk.depth - 1, walk.name, (struct value){ walk.value, walk.length });
			break;
		case FDT_END:
			node_take(r, walk.depth);
			break;
		case FDT_FINISHED:
			return NULL;
		default:
			return "it has a damaged token";
		}
	}
}

const char *board_read(struct board *result, const void *bytes, uint64_t hart)
{
	static struct reading reading;
	struct fdt tree;
	const char *problem = fdt_open(&tree, bytes);
	if (problem)
		return problem;
	reading = (struct reading){ .board = result, .hart = hart };
	result->command_line = "";
	result->model = "without a name";
	problem = tree_walk(&reading, &tree);
	if (problem)
		return problem;
	uint64_t address, size;
	for (unsigned i = 0; fdt_reservation(&tree, i, &address, &size); i++)
		range_add(result->reserved, &result->reserved_count, address, size);
	if (result->archive_end < result->archive_start)
		result->archive_start = result->archive_end = 0;
	context_find(&reading);
	return NULL;
}
