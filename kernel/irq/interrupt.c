/*
 * Interrupt objects: a driver's view of one global interrupt.
 *
 * The arch code masks an interrupt when it arrives and calls interrupt_deliver; the object is then pending, which wakes the driver. The
 * interrupt stays masked until the driver has served the device and acknowledges. One object a number.
 *
 * Lock: interrupt_lock (RANK_EVENT) covers the table and every object's pending flag.
 */
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/handle.h"

#define INTERRUPT_NUMBERS 256u

struct interrupt {
	struct object object;
	uint32_t number;            /* constant */
	bool pending;
	struct wait_queue waiters;
};

static struct spinlock interrupt_lock = SPINLOCK_INIT("interrupts", RANK_EVENT);
static struct interrupt *interrupt_table[INTERRUPT_NUMBERS];

void interrupt_deliver(uint32_t number)
{
	if (number >= INTERRUPT_NUMBERS)
		return;
	spin_lock(&interrupt_lock);
	struct interrupt *interrupt = interrupt_table[number];
	if (interrupt) {
		interrupt->pending = true;
		wait_wake_all(&interrupt->waiters, 0);
		if (!object_try_ref(&interrupt->object)) /* its end has begun on another processor */
			interrupt = NULL;
	}
	spin_unlock(&interrupt_lock);
	if (interrupt) {
		object_notify(&interrupt->object, READY_IN);
		object_unref(&interrupt->object);
	}
}

static uint32_t interrupt_ready(struct object *object)
{
	struct interrupt *interrupt = container_of(object, struct interrupt, object);

	spin_lock(&interrupt_lock);
	uint32_t ready = interrupt->pending ? READY_IN : 0;
	spin_unlock(&interrupt_lock);
	return ready;
}

static void interrupt_destroy(struct object *object)
{
	struct interrupt *interrupt = container_of(object, struct interrupt, object);

	spin_lock(&interrupt_lock);
	if (interrupt_table[interrupt->number] == interrupt) { /* else it never got its number */
		interrupt_table[interrupt->number] = NULL;
		int error = arch_interrupt_set(interrupt->number, false);
		assert(error == 0); /* it was unmasked when the object was made */
	}
	spin_unlock(&interrupt_lock);
	heap_free(interrupt, sizeof(*interrupt));
}

static const struct object_operations interrupt_operations = {
	.kind = KIND_INTERRUPT, .name = "interrupt", .destroy = interrupt_destroy, .ready = interrupt_ready,
};

int64_t sys_interrupt_create(handle_t resource, uint32_t number, uint32_t options)
{
	struct object *authority;
	int error = handle_lookup(resource, KIND_RESOURCE, RIGHT_MANAGE, &authority);

	if (error)
		return error;
	object_unref(authority);
	if (number >= INTERRUPT_NUMBERS || options != 0)
		return -EINVAL;
	struct interrupt *interrupt = heap_alloc(sizeof(*interrupt));
	if (!interrupt)
		return -ENOMEM;
	object_init(&interrupt->object, &interrupt_operations);
	interrupt->number = number;
	wait_queue_init(&interrupt->waiters);
	spin_lock(&interrupt_lock);
	error = interrupt_table[number] ? -EBUSY : arch_interrupt_set(number, true);
	if (error == 0)
		interrupt_table[number] = interrupt;
	spin_unlock(&interrupt_lock);
	if (error) {
		object_unref(&interrupt->object);
		return error;
	}
	return handle_install_new(&interrupt->object, RIGHT_ALL, 0, HANDLE_HIGH);
}

int64_t sys_interrupt_wait(handle_t handle, uint64_t deadline)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_INTERRUPT, RIGHT_READ, &object);

	if (error)
		return error;
	struct interrupt *interrupt = container_of(object, struct interrupt, object);
	spin_lock(&interrupt_lock);
	if (interrupt->pending) {
		spin_unlock(&interrupt_lock);
	} else {
		error = wait_on(&interrupt->waiters, &interrupt_lock, deadline, WAIT_INTERRUPTIBLE);
	}
	object_unref(object);
	return error;
}

int64_t sys_interrupt_acknowledge(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_INTERRUPT, RIGHT_READ, &object);

	if (error)
		return error;
	struct interrupt *interrupt = container_of(object, struct interrupt, object);
	spin_lock(&interrupt_lock);
	interrupt->pending = false;
	error = arch_interrupt_set(interrupt->number, true);
	spin_unlock(&interrupt_lock);
	object_unref(object);
	return error;
}
