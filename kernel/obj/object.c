/*
 * References and observers of kernel objects.
 *
 * References are counted atomically. The last one detaches every observer and calls the kind's destroy; whoever drops it holds no spin lock
 * (but see object.h). Observers are kept under one global lock, which is taken only when an object is in fact observed: a
 * writer to an unobserved pipe pays one load.
 */
#include "kernel/obj/object.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"

struct spinlock observer_lock = SPINLOCK_INIT("observers", RANK_OBSERVERS);
static uint64_t objects_alive;

void object_init(struct object *object, const struct object_operations *operations)
{
	object->operations = operations;
	object->references = 1;
	object->quiet = false;
	list_init(&object->observers);
	object->payer = NULL;
	__atomic_add_fetch(&objects_alive, 1, __ATOMIC_RELAXED);
	/* A budget is paid for by nobody: it is part of the tree that counts. */
	if (operations->kind == KIND_BUDGET)
		return;
	struct budget *payer = budget_current();
	if (!payer)
		return;
	object->payer = payer;
	budget_object_add(payer);
}

bool object_try_ref(struct object *object)
{
	uint32_t references = __atomic_load_n(&object->references, __ATOMIC_RELAXED);
	while (references)
		if (__atomic_compare_exchange_n(&object->references, &references, references + 1, true, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

static void observers_dismiss(struct object *object)
{
	spin_lock(&observer_lock);
	while (!list_empty(&object->observers)) {
		struct observer *observer = list_first(&object->observers, struct observer, link);
		list_remove(&observer->link);
		observer->object = NULL;
		if (observer->died)
			observer->died(observer);
	}
	spin_unlock(&observer_lock);
}

void object_last_gone(struct object *object)
{
	if (!list_empty(&object->observers))
		observers_dismiss(object);
	struct budget *payer = object->payer;
	object->operations->destroy(object);
	__atomic_sub_fetch(&objects_alive, 1, __ATOMIC_RELAXED);
	if (payer)
		budget_object_remove(payer);
}

void object_observe_locked(struct object *object, struct observer *observer)
{
	bool first = list_empty(&object->observers);
	observer->object = object;
	list_add_last(&object->observers, &observer->link);
	if (first && object->operations->observed)
		object->operations->observed(object, true);
}

void object_unobserve_locked(struct observer *observer)
{
	struct object *object = observer->object;
	if (!object)
		return;
	observer->object = NULL;
	list_remove(&observer->link);
	if (list_empty(&object->observers) && object->operations->observed)
		object->operations->observed(object, false);
}

void object_notify_locked(struct object *object, uint32_t ready)
{
	struct observer *observer;
	list_for_each(observer, &object->observers, link)
		observer->notify(observer, ready);
}

void object_observe(struct object *object, struct observer *observer)
{
	spin_lock(&observer_lock);
	object_observe_locked(object, observer);
	spin_unlock(&observer_lock);
}

void object_unobserve(struct observer *observer)
{
	spin_lock(&observer_lock);
	object_unobserve_locked(observer);
	spin_unlock(&observer_lock);
}

void object_notify(struct object *object, uint32_t ready)
{
	if (object_unobserved(object))
		return;
	spin_lock(&observer_lock);
	object_notify_locked(object, ready);
	spin_unlock(&observer_lock);
}

uint64_t object_count(void)
{
	return __atomic_load_n(&objects_alive, __ATOMIC_RELAXED);
}
