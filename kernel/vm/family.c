/* Lineages of spaces and the objects that they map: see family.h. */
#include "kernel/vm/family.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"

struct lineage {
	struct list spaces;   /* struct family_space, ascending by number */
	struct list members;  /* struct member */
};
struct member {
	struct list family_link, lineage_link;
	struct family *family;
	struct lineage *lineage;
};

/* Protects every list here and next_number. */
static struct spinlock family_lock = SPINLOCK_INIT("family", RANK_FAMILY);
static uint64_t next_number;

int family_space_init(struct family_space *space, struct object *object, struct family_space *parent)
{
	struct lineage *founded = 0;
	if (!parent) {
		founded = heap_alloc_own(sizeof(*founded));
		if (!founded)
			return -ENOMEM;
		list_init(&founded->spaces);
		list_init(&founded->members);
	}
	spin_lock(&family_lock);
	space->object = object;
	space->lineage = parent ? parent->lineage : founded;
	space->number = ++next_number;
	list_add_last(&space->lineage->spaces, &space->link);
	spin_unlock(&family_lock);
	return 0;
}

static void member_free(struct member *member)
{
	list_remove(&member->family_link);
	list_remove(&member->lineage_link);
	heap_free(member, sizeof(*member));
}

void family_space_destroy(struct family_space *space)
{
	struct lineage *lineage = space->lineage;
	if (!lineage)
		return;
	spin_lock(&family_lock);
	list_remove(&space->link);
	space->lineage = 0;
	if (list_empty(&lineage->spaces)) {
		while (!list_empty(&lineage->members))
			member_free(list_first(&lineage->members, struct member, lineage_link));
		heap_free(lineage, sizeof(*lineage));
	}
	spin_unlock(&family_lock);
}

void family_init(struct family *family)
{
	list_init(&family->members);
}

void family_destroy(struct family *family)
{
	spin_lock(&family_lock);
	while (!list_empty(&family->members))
		member_free(list_first(&family->members, struct member, family_link));
	spin_unlock(&family_lock);
}

bool family_empty(struct family *family)
{
	spin_lock(&family_lock);
	bool empty = list_empty(&family->members);
	spin_unlock(&family_lock);
	return empty;
}

static bool member_exists(struct family *family, struct lineage *lineage)
{
	struct member *member;
	list_for_each(member, &lineage->members, lineage_link)
		if (member->family == family)
			return true;
	return false;
}

int family_add(struct family *family, struct family_space *space)
{
	spin_lock(&family_lock);
	bool exists = member_exists(family, space->lineage);
	spin_unlock(&family_lock);
	if (exists)
		return 0;
	struct member *member = heap_alloc_own(sizeof(*member));
	if (!member)
		return -ENOMEM;
	spin_lock(&family_lock);
	exists = member_exists(family, space->lineage); /* another thread may have been faster */
	if (!exists) {
		member->family = family;
		member->lineage = space->lineage;
		list_add_last(&family->members, &member->family_link);
		list_add_last(&space->lineage->members, &member->lineage_link);
	}
	spin_unlock(&family_lock);
	if (exists)
		heap_free(member, sizeof(*member));
	return 0;
}

struct object *family_next(struct family *family, uint64_t *cursor)
{
	struct object *found = 0;
	spin_lock(&family_lock);
	while (!found) {
		struct family_space *next = 0, *space;
		struct member *member;
		list_for_each(member, &family->members, family_link)
			list_for_each(space, &member->lineage->spaces, link)
				if (space->number > *cursor) {
					if (!next || space->number < next->number)
						next = space;
					break; /* ascending: the rest of this lineage is later */
				}
		if (!next)
			break;
		*cursor = next->number;
		if (object_try_ref(next->object))
			found = next->object;
	}
	spin_unlock(&family_lock);
	return found;
}
