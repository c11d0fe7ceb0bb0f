/* Objects without observers, for tests that do not link kernel/obj/object.c. Checks where objects die. */
#include "kernel/core/log.h"
#include "kernel/obj/object.h"
#include "shim.h"

static uint64_t living;
uint64_t object_count(void)
{
	return __atomic_load_n(&living, __ATOMIC_RELAXED);
}
void object_init(struct object *object, const struct object_operations *operations)
{
	object->operations = operations;
	object->references = 1;
	list_init(&object->observers);
	__atomic_add_fetch(&living, 1, __ATOMIC_RELAXED);
}
void object_notify(struct object *object, uint32_t ready)
{
	(void)object, (void)ready; /* nobody observes here */
}

void object_ref(struct object *object)
{
	CHECK(__atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED));
}
bool object_try_ref(struct object *object)
{
	uint32_t references = __atomic_load_n(&object->references, __ATOMIC_RELAXED);
	while (references)
		if (__atomic_compare_exchange_n(&object->references, &references, references + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}
void object_unref(struct object *object)
{
	if (!object)
		return;
	uint32_t left = __atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL);
	CHECK(left != UINT32_MAX);
	if (left)
		return;
	const struct spinlock *held = shim_lock_above(RANK_PROCESS);
	if (held && object->operations->kind != KIND_BUDGET)
		panic("%s dies under lock %s", object->operations->name, held->name);
	__atomic_sub_fetch(&living, 1, __ATOMIC_RELAXED);
	object->operations->destroy(object);
}
