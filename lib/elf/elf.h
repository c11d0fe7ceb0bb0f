/*
 * Reading ELF64 images that lie in memory: what to map where, and which symbol an address belongs to.
 * Nothing in the image is trusted: every offset, count and size is checked against the image's size. The image may change while it is
 * read (it can be mapped from a writable object): each field is read once, and results are copies.
 */
#ifndef LIB_ELF_H
#define LIB_ELF_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_SEGMENTS 16
#define ELF_READ 1u    /* = PROTECT_READ ... of abi/memory.h */
#define ELF_WRITE 2u
#define ELF_EXECUTE 4u

#define ELF_MACHINE_X86_64 62u
#define ELF_MACHINE_RISCV 243u

struct elf_segment {
	uint64_t offset;      /* in the file */
	uint64_t address;
	uint64_t file_size, memory_size; /* file_size <= memory_size */
	uint32_t protection;  /* ELF_READ ... */
};
struct elf_info {
	uint64_t entry;
	uint64_t low, high;   /* all segments lie in [low, high) */
	uint64_t header_address; /* where the program headers lie once mapped, 0 when no segment holds them */
	uint16_t machine, header_count;
	bool position_independent; /* ET_DYN */
	bool has_interpreter;
	unsigned segment_count;
	struct elf_segment segment[ELF_SEGMENTS]; /* PT_LOAD with memory_size > 0, ascending, not overlapping */
};

/* 0; -ENOEXEC when it is no ELF64 program of this byte order or anything in it is out of bounds; -E2BIG with too many segments. */
int elf_image_parse(const void *image, size_t size, struct elf_info *info);

/*
 * The function that address lies in, by .symtab: its NUL-terminated name inside the image (length checked) and the offset from its start. NULL: none.
 */
const char *elf_symbol(const void *image, size_t size, uint64_t address, uint64_t *offset);
#endif
