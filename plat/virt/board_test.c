/*
 * What board.c makes of a device tree: of QEMU's own, and of ones damaged at random, in bytes, words, tokens, names and lengths. Whatever a tree has become,
 * it is refused with a reason, or what was found keeps within the bounds that start.c relies on. The buffer is as long as the tree, so the sanitizers
 * see each read outside.
 * host-test: plat/virt/board.c lib/fdt/fdt.c tests/host/shim.c kernel/core/share.c -DHOST_OWN_TIME -DHOST_OWN_MEMORY
 */
#include "shim.h"
#include <stdio.h>
#include <stdlib.h>
#include "arch/riscv64/board.h"
#include "kernel/core/log.h"
#include "lib/fdt/fdt.h"

#define TREE "build/riscv64-virt.dtb"
#define TREE_MAX 16384u
#define CHANGES 6u /* at most, at once */

static uint8_t original[TREE_MAX];
static uint32_t original_size;
static unsigned read_well, refused;

static uint32_t word_get(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void word_set(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void tree_load(void)
{
	if (system("qemu-system-riscv64 -no-user-config -nodefaults -display none -M virt,dumpdtb=" TREE " -m 128 -kernel LICENSE -initrd LICENSE -append 'verbose words' >/dev/null 2>&1"))
		panic("QEMU writes no device tree");
	FILE *file = fopen(TREE, "rb");
	CHECK(file && fread(original, 1, sizeof original, file) == sizeof original);
	original_size = word_get(original + 4); /* the file goes on with zeros */
	CHECK(original_size > 1000 && original_size < TREE_MAX);
	fclose(file);
}

/* Text that the tree holds, as start.c reads it: to its end, within the buffer. */
static void text_check(const char *text, const uint8_t *tree, uint32_t size)
{
	if ((const uint8_t *)text >= tree && (const uint8_t *)text < tree + size)
		CHECK((const uint8_t *)text + strlen(text) < tree + size);
}

static void board_check(const struct board *b, const uint8_t *tree, uint32_t size)
{
	CHECK(b->memory_count <= 16 && b->reserved_count <= 16 && b->device_count <= BOOT_DEVICES && b->seed_size <= sizeof b->seed);
	for (unsigned i = 0; i < b->memory_count; i++)
		CHECK(b->memory[i][0] < b->memory[i][1]);
	for (unsigned i = 0; i < b->reserved_count; i++)
		CHECK(b->reserved[i][0] < b->reserved[i][1]);
	CHECK(b->archive_start <= b->archive_end && b->model && b->command_line);
	text_check(b->model, tree, size);
	text_check(b->command_line, tree, size);
}

/* Reads a copy as long as the tree says it is. False: it says more than there is, which only the firmware can know. */
static bool tree_read(const uint8_t *bytes, uint32_t size)
{
	static struct board found;
	if (word_get(bytes) == 0xd00dfeed && word_get(bytes + 4) <= FDT_SIZE_MAX && word_get(bytes + 4) > size)
		return false;
	uint8_t *copy = malloc(size);
	memcpy(copy, bytes, size);
	memset(&found, 0, sizeof found);
	const char *problem = board_read(&found, copy, 0);
	if (problem)
		CHECK(strlen(problem) > 10);
	else
		board_check(&found, copy, size);
	*(problem ? &refused : &read_well) += 1;
	free(copy);
	return true;
}

static void right(void)
{
	static struct board found;
	CHECK(!board_read(&found, original, 0));
	board_check(&found, original, original_size);
	CHECK(found.archive_start < found.archive_end && found.memory_count == 1 && found.memory[0][0] == 0x80000000 && found.memory[0][1] == 0x80000000 + (128ul << 20));
	CHECK(found.counter_frequency == 10000000 && found.floats && found.processor_found && found.interrupts && found.interrupt_context_found && found.interrupt_lines > 30);
	CHECK(found.device_count == 8 && found.finisher && found.clock && !strcmp(found.command_line, "verbose words") && !strcmp(found.model, "riscv-virtio,qemu"));
	memset(&found, 0, sizeof found);
	CHECK(!board_read(&found, original, 7) && !found.interrupt_context_found && !found.processor_found); /* there is no such processor */
}

static uint32_t word_odd(uint32_t before)
{
	switch (shim_below(8)) {
	case 0: return 0;
	case 1: return UINT32_MAX;
	case 2: return 1u << shim_below(32);
	case 3: return (uint32_t)shim_below(10); /* tokens, cells */
	case 4: return before + (uint32_t)shim_below(9) - 4;
	case 5: return 0x7fffffffu;
	case 6: return (uint32_t)-(int32_t)shim_below(64);
	default: return (uint32_t)shim_random();
	}
}

static void change(uint8_t *tree, uint32_t size)
{
	uint32_t at = (uint32_t)shim_below(size), word = at & ~3u, other = (uint32_t)shim_below(size) & ~3u;
	if (word > size - 64 || other > size - 64)
		return;
	switch (shim_below(8)) {
	case 0: tree[at] ^= (uint8_t)(1u << shim_below(8)); break;
	case 1: tree[at] = (uint8_t)shim_random(); break;
	case 2: case 3: word_set(tree + word, word_odd(word_get(tree + word))); break;
	case 4: memmove(tree + word, tree + other, 4 + 4 * shim_below(15)); break; /* a piece twice */
	case 5: memset(tree + word, 0, 4 * shim_below(16)); break;
	case 6: for (uint64_t i = shim_below(16); i; i--) word_set(tree + word + 4 * i - 4, 4); break; /* tokens for nothing */
	default: word = 4 * (uint32_t)shim_below(14); word_set(tree + word, word_odd(word_get(tree + word))); /* the header and the reservations behind it */
	}
}

/* A property of one cell, known by name: cells, phandles, frequencies get any value, and reg any length. */
static void property_change(uint8_t *tree, uint32_t size)
{
	static const char *const names[] = { "#address-cells", "#size-cells", "reg", "phandle", "interrupts", "interrupts-extended", "riscv,ndev", "timebase-frequency", "ranges", "bootargs" };
	const char *wanted = names[shim_below(sizeof names / sizeof *names)];
	uint32_t strings = word_get(original + 12), seen = 0, which = (uint32_t)shim_below(8);
	for (uint32_t at = word_get(original + 8); at + 16 < size && at < strings; at += 4) {
		uint32_t name = word_get(original + at + 8);
		if (word_get(original + at) != 3 || name >= size - strings || strcmp((const char *)original + strings + name, wanted) || seen++ < which)
			continue;
		word_set(tree + at + (shim_below(2) ? 4 : 12), word_odd(word_get(tree + at + 12)));
		return;
	}
}

static void damaged(uint64_t round)
{
	static uint8_t tree[TREE_MAX];
	shim_seed(round);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t size = original_size;
		memcpy(tree, original, size);
		for (uint64_t changes = 1 + shim_below(CHANGES); changes; changes--)
			if (shim_below(2))
				property_change(tree, size);
			else
				change(tree, size);
		if (shim_below(16) == 0) {
			size = 64 + (uint32_t)shim_below(size - 64);
			word_set(tree + 4, size);
		}
		tree_read(tree, size);
	}
}

int main(void)
{
	tree_load();
	right();
	for (uint32_t size = 40; size < original_size; size++) { /* cut short, and saying so */
		static uint8_t tree[TREE_MAX];
		memcpy(tree, original, size);
		word_set(tree + 4, size);
		CHECK(tree_read(tree, size));
	}
	CHECK(!read_well && refused);
	for (uint64_t round = 0, rounds = shim_rounds(10); round < rounds; round++)
		damaged(round);
	printf("%u trees read, %u refused\n", read_well, refused);
	CHECK(read_well > 1000 && refused > 1000);
	return 0;
}
