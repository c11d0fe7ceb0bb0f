/*
 * profile [--between SYMBOL] OWNER=FILE...: instructions by symbol, from the emulator's trace on standard input.
 *
 * The trace is QEMU's `-d in_asm,exec,nochain`: each block of code is listed when it is translated, and one line tells each execution of a block.
 * A block's instructions times its executions, added up by the symbol that the block begins in, is what the symbol took.
 * What is not exact: a block left early by a fault counts whole, and a block that runs across a symbol's end counts for its first.
 *
 * FILEs are ELF files at addresses of their own (the Makefile links native programs so), so that an address tells whose it is without the page tables.
 * With --between only what ran from the first entry to the function SYMBOL until the next counts.
 *
 * Output, a line a symbol: OWNER SYMBOL INSTRUCTIONS ENTRIES, tabs between.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbol {
	uint64_t start;
	const char *owner, *name;
	uint64_t instructions, entries;
};
/* A translated block, by the emulator's own address of it. */
struct block {
	uint64_t key;
	struct symbol *symbol;
	uint32_t instructions;
	bool entry;
};

static struct symbol *symbols;
static size_t symbol_count, symbol_room;
static struct block *blocks;
static size_t block_room = 1 << 16, block_count;
static struct symbol elsewhere = { .owner = "elsewhere", .name = "(no file)" };

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "profile: %s: %s\n", what, why);
	exit(1);
}

static void symbol_add(uint64_t start, const char *owner, const char *name)
{
	if (symbol_count == symbol_room) {
		symbol_room = symbol_room ? symbol_room * 2 : 4096;
		symbols = realloc(symbols, symbol_room * sizeof *symbols);
		if (!symbols)
			fail("symbols", strerror(errno));
	}
	symbols[symbol_count++] = (struct symbol){ .start = start, .owner = owner, .name = name };
}

/* Functions and labels of executable segments; each segment's begin and end too, so that what has no symbol is told apart. */
static void file_read(const char *owner, const char *path)
{
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	if (descriptor < 0 || fstat(descriptor, &status) < 0)
		fail(path, strerror(errno));
	const char *file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (file == MAP_FAILED)
		fail(path, strerror(errno));
	close(descriptor);
	const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
	const Elf64_Shdr *section = (const Elf64_Shdr *)(file + header->e_shoff);
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (section[i].sh_flags & SHF_EXECINSTR) {
			symbol_add(section[i].sh_addr, owner, "(no symbol)");
			symbol_add(section[i].sh_addr + section[i].sh_size, NULL, NULL);
		}
		if (section[i].sh_type != SHT_SYMTAB)
			continue;
		const Elf64_Sym *symbol = (const Elf64_Sym *)(file + section[i].sh_offset);
		const char *names = file + section[section[i].sh_link].sh_offset;
		for (size_t k = 0; k < section[i].sh_size / sizeof *symbol; k++) {
			unsigned type = ELF64_ST_TYPE(symbol[k].st_info), place = symbol[k].st_shndx;
			if ((type == STT_FUNC || type == STT_NOTYPE) && place < header->e_shnum && section[place].sh_flags & SHF_EXECINSTR && names[symbol[k].st_name] &&
				names[symbol[k].st_name] != '$') /* of the assembler: what follows is code */
				symbol_add(symbol[k].st_value, owner, names + symbol[k].st_name);
		}
	}
}

static int symbol_compare(const void *left, const void *right)
{
	const struct symbol *a = left, *b = right;
	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	/* of several at one address the last is found: a real name after an end or a section's start */
	int rank_a = a->owner ? 1 + (a->name[0] != '(') : 0, rank_b = b->owner ? 1 + (b->name[0] != '(') : 0;
	return rank_a - rank_b;
}

static struct symbol *symbol_find(uint64_t address)
{
	size_t low = 0, high = symbol_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (symbols[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && symbols[low - 1].owner ? &symbols[low - 1] : &elsewhere;
}

static struct block *block_slot(uint64_t key)
{
	size_t at = (key >> 6) * 0x9e3779b97f4a7c15ull >> 20 & (block_room - 1);
	while (blocks[at].key && blocks[at].key != key)
		at = (at + 1) & (block_room - 1);
	return &blocks[at];
}

static struct block *block_get(uint64_t key)
{
	if (2 * block_count >= block_room) {
		struct block *old = blocks;
		size_t room = block_room;
		block_room *= 2;
		blocks = calloc(block_room, sizeof *blocks);
		if (!blocks)
			fail("blocks", strerror(errno));
		for (size_t i = 0; i < room; i++)
			if (old[i].key)
				*block_slot(old[i].key) = old[i];
		free(old);
	}
	struct block *block = block_slot(key);
	block_count += !block->key;
	block->key = key;
	return block;
}

static uint64_t hex(const char *text, const char **end)
{
	uint64_t value = 0;
	for (;; text++) {
		unsigned digit = *text >= '0' && *text <= '9' ? *text - '0' : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : 16;
		if (digit == 16)
			break;
		value = value << 4 | digit;
	}
	*end = text;
	return value;
}

static void trace_read(const char *between)
{
	char line[4096];
	unsigned listed = 0; /* instructions of the block just listed; its execution comes next */
	unsigned passed = 0; /* entries to `between` */
	bool in_listing = false;
	while (fgets_unlocked(line, sizeof line, stdin)) {
		if (!strncmp(line, "Trace 0: 0x", 11)) {
			const char *at;
			uint64_t key = hex(line + 11, &at);
			struct block *block = block_get(key);
			if (listed) {
				at = strchr(at, '/');
				uint64_t address = at ? hex(at + 1, &at) : 0;
				block->symbol = symbol_find(address);
				block->entry = block->symbol->start == address;
				block->instructions = listed;
				listed = 0;
			}
			if (!block->symbol)
				continue;
			if (between && block->entry && !strcmp(block->symbol->name, between))
				passed++;
			if (!between || passed == 1) {
				block->symbol->instructions += block->instructions;
				block->symbol->entries += block->entry;
			}
			in_listing = false;
		} else if (!strncmp(line, "IN: ", 4)) {
			in_listing = true;
			listed = 0;
		} else if (in_listing && line[0] == '0' && line[1] == 'x') {
			/* ":  " and eight bytes of 3 characters, then the mnemonic; a long instruction goes on in a line of bytes only */
			listed += strlen(line + strcspn(line, ":")) > 3 + 8 * 3 + 1;
		} else if (!strncmp(line, "Stopped execution of TB chain before 0x", 39)) {
			const char *at;
			struct block *block = block_get(hex(line + 39, &at));
			if (block->symbol && (!between || passed == 1)) {
				block->symbol->instructions -= block->instructions;
				block->symbol->entries -= block->entry;
			}
		}
	}
}

int main(int argc, char **argv)
{
	const char *between = NULL;
	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		if (!strcmp(argv[i], "--between") && i + 1 < argc)
			between = argv[++i];
		else if (equals) {
			*equals = 0;
			file_read(argv[i], equals + 1);
		} else
			fail(argv[i], "neither an option nor OWNER=FILE");
	}
	blocks = calloc(block_room, sizeof *blocks);
	if (!blocks)
		fail("blocks", strerror(errno));
	qsort(symbols, symbol_count, sizeof *symbols, symbol_compare);
	setvbuf(stdin, NULL, _IOFBF, 1 << 20);
	trace_read(between);
	symbol_add(0, elsewhere.owner, elsewhere.name);
	symbols[symbol_count - 1] = elsewhere;
	for (size_t i = 0; i < symbol_count; i++)
		if (symbols[i].owner && (symbols[i].instructions || symbols[i].entries))
			printf("%s\t%s\t%lu\t%lu\n", symbols[i].owner, symbols[i].name, symbols[i].instructions, symbols[i].entries);
	return 0;
}
