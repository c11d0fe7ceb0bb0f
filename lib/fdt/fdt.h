/*
 * Reading a flattened device tree (Devicetree Specification 0.4, chapter 5): one walk over its tokens, in order, without memory of its own. Nothing
 * in the tree is believed: every offset and length is checked against the size of the whole.
 */
#ifndef FDT_H
#define FDT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FDT_SIZE_MAX (2u << 20) /* larger ones are taken for damaged */

struct fdt {
	const uint8_t *bytes;
	uint32_t size;
	uint32_t structure, structure_end, strings, strings_end, reservations;
};

enum fdt_token { FDT_BEGIN, FDT_END, FDT_PROPERTY, FDT_FINISHED, FDT_DAMAGED };
struct fdt_walk {
	const struct fdt *tree;
	uint32_t at;            /* of the next token in the tree */
	uint32_t depth;         /* of open nodes */
	const char *name;       /* of the node that begins, or of the property */
	const uint8_t *value;   /* of the property */
	uint32_t length;
};

/* NULL, or what is wrong with the header. bytes is 8-byte aligned; as much of it is read as its header says, at most FDT_SIZE_MAX. */
const char *fdt_open(struct fdt *tree, const void *bytes);
void fdt_walk_start(struct fdt_walk *walk, const struct fdt *tree);
/* The next token: its name and value in walk. Ends with FDT_FINISHED, or with FDT_DAMAGED from the first wrong token on. */
enum fdt_token fdt_walk_next(struct fdt_walk *walk);
/* Memory reservation number index (from 0): false at the end of their list. */
bool fdt_reservation(const struct fdt *tree, unsigned index, uint64_t *address, uint64_t *size);

/* Big-endian number of 1 or 2 cells (4 bytes each) at cell `index` of a value; false when the value is too short or cells is something else. */
bool fdt_number(const uint8_t *value, uint32_t length, uint32_t index, uint32_t cells, uint64_t *number);
/* Is text in a list of NUL-terminated strings? */
bool fdt_list_has(const uint8_t *value, uint32_t length, const char *text);
/* The value as one NUL-terminated string, or NULL. */
const char *fdt_text(const uint8_t *value, uint32_t length);
#endif
