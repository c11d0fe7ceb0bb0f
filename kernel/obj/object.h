/* What every kernel object begins with: kind, references, observers. */
#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H
#include "kernel/core/list.h"
#include "kernel/core/lock.h"

struct object;
struct object_operations {
	enum object_kind kind;
	const char *name;
	void (*destroy)(struct object *);        /* last reference gone; frees */
	uint32_t (*ready)(struct object *);      /* READY_ bits now; NULL: the kind cannot be waited for */
	void (*handle_closed)(struct object *);  /* optional: a handle (not another reference) to it is closed: drops the reference itself */
	void (*observed)(struct object *, bool any); /* optional: the first observer came, the last one went; under observer_lock */
};
struct object {
	const struct object_operations *operations;
	uint32_t references;
	bool quiet;                              /* ends of packet channels: nothing can be done there now; only a hint (kernel/ipc/select.c) */
	struct list observers;                   /* struct observer; under observer_lock (one global lock of RANK_OBSERVERS) */
	struct budget *payer;                    /* charged for it; named, not referenced: budget.c */
};
/* An observer is told of readiness changes; used by polls and waitsets. It holds no reference: it is removed when the object dies (died). */
struct observer {
	struct list link;
	struct object *object;
	void (*notify)(struct observer *, uint32_t ready); /* called under the observer lock: may only wake or mark */
	void (*died)(struct observer *);
};
/* references 1. Names budget_current() as payer. */
void object_init(struct object *object, const struct object_operations *operations);
#if __STDC_HOSTED__
void object_ref(struct object *object); /* unit tests count for themselves */
void object_unref(struct object *object);
#else
static inline void object_ref(struct object *object) { __atomic_add_fetch(&object->references, 1, __ATOMIC_RELAXED); }
/* NULL allowed; may destroy; not under a spin lock above RANK_PROCESS unless known not to be the last. */
void object_last_gone(struct object *object);
static inline void object_unref(struct object *object)
{
	if (object && !__atomic_sub_fetch(&object->references, 1, __ATOMIC_ACQ_REL))
		object_last_gone(object);
}
#endif
/* Takes a reference unless the last one has gone. The memory must be known to exist (an observer that has not been told of the death). */
bool object_try_ref(struct object *object) must_check;
void object_observe(struct object *object, struct observer *observer);
void object_unobserve(struct observer *observer);
/* Is nobody told of the object's readiness? Whoever starts to observe looks at the readiness afterwards, so a change that misses the new observer is seen by that look. */
static inline bool object_unobserved(const struct object *object)
{
#if __STDC_HOSTED__
	(void)object; /* no fences for the thread sanitizer: object_notify looks */
	return false;
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return list_empty(&object->observers);
#endif
}
/* Readiness may have become `ready`: tells the observers. Call after releasing the object's own lock, or under locks below RANK_OBSERVERS. */
void object_notify(struct object *object, uint32_t ready);
/* The three below are for objects that pass observers on (descriptions, waitsets): with observer_lock held. */
extern struct spinlock observer_lock;
void object_observe_locked(struct object *object, struct observer *observer);
void object_unobserve_locked(struct observer *observer);
void object_notify_locked(struct object *object, uint32_t ready);
uint64_t object_count(void);
#endif
