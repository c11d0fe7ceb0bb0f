/*
 * Answers: the per-process table of calls that wait for one, and giving it.
 *
 * A reply's number is generation << 12 | slot. Slots are reserved before a thread waits for a call, so that every call received can
 * be set aside. Generations make a number that was answered before useless.
 */
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/port_private.h"

#define SLOT_BITS 12
#define SLOTS_MAX (1u << SLOT_BITS)
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
	struct reply_slot *slots = heap_alloc(capacity * sizeof(*slots));
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

uint16_t reply_slot_reserve(struct process *process)
{
	struct reply_table *table = &process->replies;
	uint16_t slot = 0;
	spin_lock(&table->lock);
	if (!table->closed && (table->first_free || !table_grow(table))) {
		slot = table->first_free;
		table->first_free = table->slots[slot].next_free;
	}
	spin_unlock(&table->lock);
	return slot;
}

static void slot_free_locked(struct reply_table *table, uint32_t slot)
{
	table->slots[slot].call = NULL;
	table->slots[slot].replying = false;
	table->slots[slot].generation++;
	table->slots[slot].next_free = table->first_free;
	table->first_free = (uint16_t)slot;
}

void reply_slot_release(struct process *process, uint16_t slot)
{
	struct reply_table *table = &process->replies;
	spin_lock(&table->lock);
	if (!table->closed)
		slot_free_locked(table, slot);
	spin_unlock(&table->lock);
}

uint32_t reply_slot_fill(struct process *process, uint16_t slot, struct call *call)
{
	struct reply_table *table = &process->replies;
	spin_lock(&table->lock);
	table->slots[slot].call = call;
	uint32_t number = table->slots[slot].generation << SLOT_BITS | slot;
	spin_unlock(&table->lock);
	return number;
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
	uint32_t slot = number % SLOTS_MAX;
	struct call *call = NULL;
	spin_lock(&table->lock);
	if (slot < table->capacity && table->slots[slot].call && !table->slots[slot].replying &&
	    table->slots[slot].generation << SLOT_BITS == (number & ~(SLOTS_MAX - 1))) {
		call = table->slots[slot].call;
		table->slots[slot].replying = true;
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
	list_remove(&call->link);
	*woken = call->thread;
	__atomic_sub_fetch(&call->references, 1, __ATOMIC_RELEASE);
	wait_wake_one(&call->done, 0);
}

/*
 * An answer of words only cannot fail, so there is nothing to claim: the call leaves the table at once. Its slot stays reserved for this thread
 * if it has none, which saves the next receive the trouble.
 */
static int64_t reply_words(struct process *process, uint32_t number, const struct message *message, struct thread **woken)
{
	struct reply_table *table = &process->replies;
	struct thread_ipc *ipc = thread_current()->ipc;
	uint32_t slot = number % SLOTS_MAX;
	struct call *call = NULL;
	spin_lock(&table->lock);
	if (slot < table->capacity && table->slots[slot].call && !table->slots[slot].replying &&
	    table->slots[slot].generation << SLOT_BITS == (number & ~(SLOTS_MAX - 1))) {
		call = table->slots[slot].call;
		if (ipc->reserved_slot) {
			slot_free_locked(table, slot);
		} else {
			table->slots[slot].call = NULL;
			table->slots[slot].generation++;
			ipc->reserved_slot = (uint16_t)slot;
			ipc->process = process;
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
	if (message->send_size > call->receive.size)
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
