/*
 * Device trees, right and damaged: every byte changed, every length cut. The buffer is as long as its header says, so the sanitizers see each read outside.
 * host-test: lib/fdt/fdt.c
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/fdt/fdt.h"

static uint8_t blob[1024];
static uint32_t at;

static void word(uint32_t value)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		blob[at++] = (uint8_t)(value >> shift);
}

static void text(const char *string)
{
	size_t length = strlen(string) + 1;
	memcpy(blob + at, string, length);
	at += (uint32_t)((length + 3) & ~3ul);
}

static void property(uint32_t name, const void *value, uint32_t length)
{
	word(3);
	word(length);
	word(name);
	memcpy(blob + at, value, length);
	at += (length + 3) & ~3u;
}

/* A root with a property, a memory node with a range, an empty node. Returns the size. */
static uint32_t tree_make(void)
{
	static const uint8_t reg[16] = { 0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0 };
	static const char strings[] = "compatible\0reg";
	memset(blob, 0, sizeof blob);
	at = 40;
	word(0); word(0x80000000); word(0); word(0x80000); /* a reservation, and their end */
	word(0); word(0); word(0); word(0);
	uint32_t structure = at;
	word(1); text("");
	property(0, "board,one\0board", 16);
	word(1); text("memory@80000000");
	property(11, reg, sizeof reg);
	word(4);
	word(2);
	word(1); text("empty");
	word(2);
	word(2);
	word(9);
	uint32_t end = at;
	memcpy(blob + at, strings, sizeof strings);
	uint32_t size = at + sizeof strings;
	at = 0;
	word(0xd00dfeed); word(size); word(structure); word(end); word(40); word(17); word(16); word(0); word(sizeof strings); word(end - structure);
	return size;
}

/* Walks to the end; what it met in characters: { } node, = property, . finished, ! damaged. */
static void walk(const uint8_t *bytes, char *seen, size_t room)
{
	struct fdt tree;
	size_t count = 0;
	uint64_t number, address, size;
	seen[0] = 0;
	if (fdt_open(&tree, bytes))
		return;
	for (unsigned i = 0; i < 100 && fdt_reservation(&tree, i, &address, &size); i++)
		;
	struct fdt_walk w;
	fdt_walk_start(&w, &tree);
	for (;;) {
		enum fdt_token token = fdt_walk_next(&w);
		if (count + 1 < room)
			seen[count++] = "{}=.!"[token];
		seen[count] = 0;
		if (token == FDT_FINISHED || token == FDT_DAMAGED)
			break;
		if (token == FDT_BEGIN || token == FDT_PROPERTY)
			(void)strlen(w.name);
		if (token == FDT_PROPERTY) {
			(void)fdt_list_has(w.value, w.length, "board");
			(void)fdt_text(w.value, w.length);
			for (uint32_t i = 0; i < 6; i++)
				(void)fdt_number(w.value, w.length, i, 1 + i % 2, &number);
		}
	}
	assert(fdt_walk_next(&w) == FDT_DAMAGED || count);
}

static void values(void)
{
	static const uint8_t number[8] = { 0, 0, 0, 1, 0x80, 0, 0, 2 };
	uint64_t value;
	assert(fdt_number(number, 8, 0, 1, &value) && value == 1);
	assert(fdt_number(number, 8, 1, 1, &value) && value == 0x80000002);
	assert(fdt_number(number, 8, 0, 2, &value) && value == 0x180000002ul);
	assert(!fdt_number(number, 8, 1, 2, &value) && !fdt_number(number, 8, 2, 1, &value) && !fdt_number(number, 7, 1, 1, &value));
	assert(!fdt_number(number, 8, 0, 0, &value) && !fdt_number(number, 8, 0, 3, &value) && !fdt_number(number, 8, UINT32_MAX, 1, &value));
	const uint8_t *list = (const uint8_t *)"one\0two\0";
	assert(fdt_list_has(list, 8, "one") && fdt_list_has(list, 8, "two") && !fdt_list_has(list, 8, "on") && !fdt_list_has(list, 8, "twoo"));
	assert(!fdt_list_has(list, 7, "two") && !fdt_list_has(list, 0, "one"));
	assert(fdt_text(list, 4) && !fdt_text(list, 3) && !fdt_text(list, 0));
}

int main(void)
{
	char seen[64];
	uint32_t size = tree_make();
	values();
	walk(blob, seen, sizeof seen);
	assert(!strcmp(seen, "{={=}{}}."));

	struct fdt tree;
	uint64_t address, length;
	assert(!fdt_open(&tree, blob));
	assert(fdt_reservation(&tree, 0, &address, &length) && address == 0x80000000 && length == 0x80000 && !fdt_reservation(&tree, 1, &address, &length));

	unsigned damaged = 0;
	for (uint32_t place = 0; place < size; place++)
		for (unsigned change = 1; change < 256; change += place < 40 ? 1 : 7) {
			uint8_t *copy = malloc(size);
			memcpy(copy, blob, size);
			copy[place] ^= (uint8_t)change;
			uint32_t told = (uint32_t)copy[4] << 24 | (uint32_t)copy[5] << 16 | (uint32_t)copy[6] << 8 | copy[7];
			if (told <= size) /* memory behind it is the caller's affair */
				walk(copy, seen, sizeof seen);
			damaged += strcmp(seen, "{={=}{}}.") != 0;
			free(copy);
		}
	assert(damaged > 1000);
	for (uint32_t shorter = 0; shorter < size; shorter++) {
		uint8_t *copy = malloc(shorter > 40 ? shorter : 40);
		memcpy(copy, blob, shorter > 40 ? shorter : 40);
		at = 4;
		copy[4] = copy[5] = 0;
		copy[6] = (uint8_t)(shorter >> 8);
		copy[7] = (uint8_t)shorter;
		walk(copy, seen, sizeof seen);
		assert(strcmp(seen, "{={=}{}}."));
		free(copy);
	}
	return 0;
}
