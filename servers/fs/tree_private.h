/* Inside of the tree, shared by tree.c and tree_recover.c. */
#ifndef FS_TREE_PRIVATE_H
#define FS_TREE_PRIVATE_H
#include "tree.h"

struct tree {
	struct node **table;       /* by index; NULL: free */
	uint32_t *table_generation;
	uint32_t *free_next;       /* free list through indices */
	size_t table_room, table_used;
	uint32_t free_head;
	uint64_t node_count;
	struct node *root;
};
extern struct tree tree;

bool tree_table_grow(void);
/* An entry that is in no directory, without record. NULL: no memory. */
struct entry *entry_create(const char *name, size_t length);
/* Makes room for one more entry, so that entry_insert cannot fail. */
bool entries_reserve(struct directory *directory);
/* Puts it into the directory's order and hash table, with the cookie it has. */
void entry_place_in(struct directory *directory, struct entry *entry, struct node *node);
struct entry **entry_place(const struct directory *directory, const char *name, size_t length);
static inline struct node *node_of_directory(struct directory *directory)
{
	return (struct node *)((char *)directory - offsetof(struct node, content.directory));
}
#endif
