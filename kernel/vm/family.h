/*
 * Who maps which memory object.
 *
 * A change of an object's pages (resize, zero, share, seal, clone, copy on write) must reach the translations of every space that maps it.
 * Spaces are grouped in lineages: a forked space joins its parent's lineage at the cost of one list link, whatever it maps. A
 * lineage and an object are tied by a member from the first mapping until one of them dies, so a walk may visit a space that no
 * longer maps the object, which is harmless, but never misses one that does.
 *
 * Lock: one global spin lock of RANK_FAMILY; it may be taken under a space's or an object's lock.
 */
#ifndef KERNEL_FAMILY_H
#define KERNEL_FAMILY_H
#include "kernel/obj/object.h"

struct lineage;
/* A space's part; embedded in struct space. */
struct family_space {
	struct list link;        /* in the lineage */
	struct lineage *lineage;
	uint64_t number;         /* ascending by creation, never 0 */
	struct object *object;   /* the space; no reference */
};
/* An object's part; embedded in struct memobj. */
struct family { struct list members; };

/* Joins parent's lineage, or founds one when parent is NULL. 0 or -ENOMEM. */
int family_space_init(struct family_space *space, struct object *object, struct family_space *parent) must_check;
void family_space_destroy(struct family_space *space); /* an uninitialised (zero) one is allowed */
void family_init(struct family *family);
void family_destroy(struct family *family);
/* Ties the object to the space's lineage; made before the first mapping. 0 or -ENOMEM. */
int family_add(struct family *family, struct family_space *space) must_check;
bool family_empty(struct family *family);
/*
 * Walks the spaces that may map the object: the one with the lowest number above *cursor, referenced (the caller drops it, under no lock), and
 * *cursor moved to it; NULL at the end. Spaces created meanwhile may be visited.
 */
struct object *family_next(struct family *family, uint64_t *cursor);
#endif
