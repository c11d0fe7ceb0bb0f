/*
 * Answers: the per-process table of calls that wait for one, and giving it.
 *
 * A reply's number is generation << 12 | slot. Slots are reserved before a thread waits for a call, so that every call received can
 * be set aside. Generations make a number that was answered before useless.
 * Model: tests/model/call.pml.
 */
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/port_private.h"

#define SLOT_BITS 12
#define SLOTS_MAX REPLY_SLOTS_MAX
_Static_assert(SLOTS_MAX == 1u << SLOT_BITS, "slot bits");
#define SLOTS_START 16u

void reply_table_init(struct reply_table *table)
{
	spin_init(&table->lock, "replies", RANK_LISTENER);
}

static int table_grow(struct reply_table *table)
{
	uint32_t capacity = table->capacity ? table->capacity * 2 : SLOTS_START;
	if (capacity > SLOTS_MAX)
		return -ENOMEM;
	struct reply_slot *slots = heap_alloc_own(capacity * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	if (table->capacity)
		memcpy(slots, table->slots, table->capacity * sizeof(*slots));
	/* Slot 0 stays unused, so that no number is REPLY_NONE. Lower numbers come first. */
	for (uint32_t i = capacity; i-- > max(table->capacity, 1u);) {
		slots[i].next_free = table->first_free;
		table->first_free = (uint16_t)i;
	}
	heap_free(table->slots, table->capacity * sizeof(*slots));
	table->slots = slots;
	table->capacity = capacity;
	return 0;
}

int reply_slot_reserve(struct thread_ipc *ipc)
{
	struct process *process = ipc->thread->process;
	struct reply_table *table = &process->replies;
	spin_lock(&table->lock);
	if (!table->closed && (table->first_free || !table_grow(table))) {
		uint32_t slot = table->first_free;
		table->first_free = table->slots[slot].next_free;
		table->slots[slot].owner = ipc;
		ipc->process = process;
		ipc->reserved_slot = (uint16_t)slot;
		ipc->served_number = table->slots[slot].generation << SLOT_BITS | slot;
	}
	spin_unlock(&table->lock);
	return ipc->reserved_slot ? 0 : -ENOMEM;
}

static void slot_free_locked(struct reply_table *table, uint32_t slot)
{
	table->slots[slot].call = NULL;
	table->slots[slot].owner = NULL;
	table->slots[slot].replying = false;
	table->slots[slot].generation++;
	table->slots[slot].next_free = table->first_free;
	table->first_free = (uint16_t)slot;
}

void reply_slot_release(struct thread_ipc *ipc)
{
	struct reply_table *table = &ipc->process->replies;
	spin_lock(&table->lock);
	if (!table->closed && ipc->reserved_slot) {
		table->slots[ipc->reserved_slot].generation = ipc->served_number >> SLOT_BITS;
		slot_free_locked(table, ipc->reserved_slot);
	}
	ipc->reserved_slot = 0;
	spin_unlock(&table->lock);
}

/* The thread looks at `served` and then at `billed` without the lock, for who pays: unless it puts aside by itself it must find one of them, with a reference. */
static void put_aside_locked(struct reply_table *table, struct thread_ipc *ipc, bool billed)
{
	struct reply_slot *slot = &table->slots[ipc->reserved_slot];
	if (billed) {
		__atomic_add_fetch(&ipc->served->references, 1, __ATOMIC_RELAXED);
		ipc->billed = ipc->served;
	}
	slot->call = ipc->served;
	slot->generation = ipc->served_number >> SLOT_BITS;
	slot->owner = NULL;
	__atomic_store_n(&ipc->served, NULL, __ATOMIC_RELEASE); /* after `billed`, and the last that a thread that receives again waits for */
	ipc->reserved_slot = 0;
}

void reply_put_aside(struct thread_ipc *ipc)
{
	struct reply_table *table = &ipc->process->replies;
	spin_lock(&table->lock);
	if (ipc->served) /* another thread that answers it may have been faster */
		put_aside_locked(table, ipc, false);
	spin_unlock(&table->lock);
}

void reply_not_kept(struct thread_ipc *ipc)
{
	struct reply_table *table = &ipc->process->replies;
	spin_lock(&table->lock);
	if (ipc->served)
		put_aside_locked(table, ipc, true);
	spin_unlock(&table->lock);
}

/* The slot of a number that can be answered now, or NULL. Table locked. What a thread keeps comes into the table first. */
static struct reply_slot *slot_find_locked(struct reply_table *table, uint32_t number)
{
	uint32_t index = number % SLOTS_MAX;
	if (index >= table->capacity)
		return NULL;
	struct reply_slot *slot = &table->slots[index];
	if (slot->owner && slot->owner->served && slot->owner->served_number == number)
		put_aside_locked(table, slot->owner, slot->owner != thread_current()->ipc);
	return slot->call && !slot->replying && slot->generation << SLOT_BITS == (number & ~(SLOTS_MAX - 1)) ? slot : NULL;
}

void reply_table_close(struct reply_table *table)
{
	spin_lock(&table->lock);
	table->closed = true;
	struct reply_slot *slots = table->slots;
	uint32_t capacity = table->capacity;
	table->slots = NULL;
	table->capacity = 0;
	table->first_free = 0;
	spin_unlock(&table->lock);
	for (uint32_t i = 0; i < capacity; i++) {
		struct call *call = slots[i].call;
		if (!call)
			continue;
		struct port *port = call->port;
		spin_lock(&port->lock);
		if (call->state == CALL_BOUND)
			call_fail_locked(call, -EPIPE);
		spin_unlock(&port->lock);
		call_unref(call);
	}
	heap_free(slots, capacity * sizeof(*slots));
}

/* The call behind a number, claimed so that no other thread answers it; NULL: there is none. */
static struct call *reply_claim(struct reply_table *table, uint32_t number)
{
	struct call *call = NULL;
	spin_lock(&table->lock);
	struct reply_slot *slot = slot_find_locked(table, number);
	if (slot) {
		call = slot->call;
		slot->replying = true;
	}
	spin_unlock(&table->lock);
	return call;
}

/* Ends a claim: the call can be answered again, or the slot is free. */
static void reply_unclaim(struct reply_table *table, uint32_t number, bool answered)
{
	uint32_t slot = number % SLOTS_MAX;
	spin_lock(&table->lock);
	if (answered)
		slot_free_locked(table, slot);
	else
		table->slots[slot].replying = false;
	spin_unlock(&table->lock);
}

/* Copies the reply's range from the server's memory to the record or to the caller's pinned pages. */
static int range_answer(struct port *port, struct call *call, const struct message *message)
{
	uint32_t size = (uint32_t)message->send_size;
	if (size <= CALL_INLINE)
		return copy_from_user(call->inline_bytes, message->send_address, size);
	spin_lock(&port->lock);
	bool alive = call->state == CALL_BOUND;
	call->busy = alive;
	spin_unlock(&port->lock);
	if (!alive)
		return 0; /* found out again, for good, by the caller */
	uint64_t address = message->send_address;
	uint32_t offset = call->receive.address % PAGE_SIZE;
	int error = 0;
	for (unsigned i = 0; size && !error; i++) {
		uint32_t chunk = min(size, (uint32_t)PAGE_SIZE - offset);
		error = copy_from_user((char *)page_address(call->receive.pages[i]) + offset, address, chunk);
		address += chunk;
		size -= chunk;
		offset = 0;
	}
	return error;
}

/* Ends a BOUND call with the message's words; port lock held. The reference is given up before the wake, so that the caller, which
 * still waits and has one, finds the record its own. */
static void call_answer_locked(struct call *call, const struct message *message, struct thread **woken)
{
	trace(TRACE_REPLY, call, call->port, message->word[0], message->send_size, message->handle_count, 0);
	memcpy(call->word, message->word, sizeof(call->word));
	if (call->interrupted)
		call_untell_locked(call);
	call->state = CALL_DONE;
	call->result = 0;
	call_unlink(call->port, call);
	struct thread *caller = call->thread;
	__atomic_sub_fetch(&call->references, 1, __ATOMIC_RELEASE);
	*woken = wait_take(&call->done, caller, 0) ? caller : NULL;
}

/*
 * An answer of words only cannot fail, so there is nothing to claim: the call leaves the thread, or the table, at once. The slot of one that the thread
 * kept stays reserved, under the next number, which saves the next receive the trouble.
 */
static int64_t reply_words(struct process *process, uint32_t number, const struct message *message, struct thread **woken)
{
	struct reply_table *table = &process->replies;
	struct thread_ipc *ipc = thread_current()->ipc;
	struct call *call = NULL;
	spin_lock(&table->lock);
	if (ipc->served && ipc->served_number == number) {
		call = ipc->served;
		ipc->served = NULL;
		ipc->served_number += SLOTS_MAX;
	} else {
		struct reply_slot *slot = slot_find_locked(table, number);
		if (slot) {
			call = slot->call;
			slot_free_locked(table, number % SLOTS_MAX);
		}
	}
	spin_unlock(&table->lock);
	if (!call)
		return -ESRCH;
	struct port *port = call->port;
	spin_lock(&port->lock);
	bool alive = call->state == CALL_BOUND;
	if (alive)
		call_answer_locked(call, message, woken);
	spin_unlock(&port->lock);
	if (alive)
		return 0;
	call_unref(call);
	return -ESRCH;
}

int64_t port_reply_message(uint32_t number, const struct message *message, struct thread **woken)
{
	struct process *process = process_current();
	struct reply_table *table = &process->replies;
	struct carried_handle carried[MESSAGE_HANDLES];
	*woken = NULL;
	if (!message->send_size && !message->handle_count)
		return reply_words(process, number, message, woken);
	struct call *call = reply_claim(table, number);
	if (!call)
		return -ESRCH;
	struct port *port = call->port;
	int error = 0;
	if (message->send_size > call->receive.size || (call->words && message->handle_count))
		error = -EMSGSIZE;
	if (!error)
		error = message_take_handles(message, carried);
	if (error) {
		reply_unclaim(table, number, false);
		return error;
	}
	if (message->send_size)
		error = range_answer(port, call, message);

	spin_lock(&port->lock);
	call->busy = false;
	bool alive = call->state == CALL_BOUND;
	if (alive && !error) {
		memcpy(call->reply_handle, carried, message->handle_count * sizeof(*carried));
		call->reply_handle_count = message->handle_count;
		call->reply_size = (uint32_t)message->send_size;
		if (message->move)
			for (unsigned i = 0; i < message->handle_count; i++)
				object_ref(carried[i].object); /* for message_close_moved below */
		call_answer_locked(call, message, woken);
	}
	spin_unlock(&port->lock);

	if (alive && error) {
		message_drop_handles(carried, message->handle_count);
		reply_unclaim(table, number, false);
		return error;
	}
	reply_unclaim(table, number, true);
	if (!alive) {
		message_drop_handles(carried, message->handle_count);
		call_unref(call);
		return -ESRCH;
	}
	if (message->move) {
		message_close_moved(message, carried);
		message_drop_handles(carried, message->handle_count);
	}
	return 0;
}
