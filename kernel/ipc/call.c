/*
 * The caller's side of ports: the call record, pinning, queueing or handing the call straight to a waiting server thread, giving up.
 * Model: tests/model/call.pml.
 */
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/obj/budget.h"
#include "kernel/core/log.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/port_private.h"
#include "kernel/vm/space.h"

#define CHAIN_MAX 16 /* calls followed when looking for a cycle */

void thread_ipc_init(struct thread_ipc *ipc, struct thread *thread)
{
	ipc->thread = thread;
	spin_init(&ipc->lock, "thread ipc", RANK_LISTENER);
	list_init(&ipc->receiver_link);
	wait_queue_init(&ipc->wait);
}

void thread_ipc_release(struct thread_ipc *ipc)
{
	if (ipc->served)
		reply_put_aside(ipc);
	if (ipc->billed)
		call_unref(ipc->billed);
	if (ipc->reserved_slot)
		reply_slot_release(ipc);
	spin_lock(&ipc->lock);
	struct call *call = ipc->call;
	struct port *port = ipc->calling;
	ipc->call = NULL;
	ipc->calling = NULL;
	spin_unlock(&ipc->lock);
	if (call)
		call_unref(call);
	port_unref(port);
}

void call_unref(struct call *call)
{
	if (__atomic_sub_fetch(&call->references, 1, __ATOMIC_ACQ_REL))
		return;
	call_release_contents(call);
	port_unref(call->port);
	struct budget *payer = call->payer;
	heap_free(call, sizeof(*call));
	object_unref(&payer->object);
}

struct budget *call_payer(const struct call *call)
{
	return call->payer;
}

static struct call *call_record(struct thread_ipc *ipc)
{
	if (ipc->call)
		return ipc->call;
	struct call *call = heap_alloc_own(sizeof(*call));
	if (!call)
		return NULL;
	call->references = 1;
	call->payer = budget_own();
	object_ref(&call->payer->object);
	list_init(&call->link);
	list_init(&call->interrupt.link);
	wait_queue_init(&call->done);
	call->thread = ipc->thread;
	ipc->call = call;
	return call;
}

/* --- ranges --- */

static int send_pin(struct call_range *range)
{
	int count = space_pin(space_current(), range->address, range->size, false, range->pages, CALL_PAGES);
	if (count < 0)
		return count;
	range->page_count = (uint32_t)count;
	return 0;
}

/* The reply is written there when it comes; the space stays until then, even if its process executes another program. */
static int receive_pin(struct call *call)
{
	struct space *space = space_current();
	struct call_range *range = &call->receive;
	call->receive_pin = (struct space_pin){ .pages = range->pages, .room = CALL_PAGES };
	int error = space_pin_written(space, range->address, range->size, &call->receive_pin);
	if (error)
		return error;
	range->page_count = call->receive_pin.count;
	call->receive_space = space;
	object_ref(space_object(space));
	return 0;
}

static void send_unpin(struct call_range *range)
{
	for (unsigned i = 0; i < range->page_count; i++)
		page_unref(range->pages[i]);
	range->page_count = 0;
}

static void receive_unpin(struct call *call)
{
	space_unpin_written(call->receive_space, &call->receive_pin);
	object_unref(space_object(call->receive_space));
	call->receive_space = NULL;
	call->receive.page_count = 0;
}

/* Copies pieces of user memory into the record, or into pages made for it. */
static int range_gather(struct call *call, const struct io_vector *vector, unsigned count)
{
	struct call_range *range = &call->send;
	range->page_count = 0;
	range->address = 0; /* the pages are filled from their start */
	uint32_t done = 0;
	for (unsigned i = 0; i < count; i++) {
		for (uint64_t offset = 0; offset < vector[i].length;) {
			char *target = (char *)call->inline_bytes + done;
			uint64_t chunk = vector[i].length - offset;
			if (range->size > CALL_INLINE) {
				if (done % PAGE_SIZE == 0) {
					struct page *page = budget_page_alloc(budget_current(), 0, 0);
					if (!page)
						return -ENOMEM;
					range->pages[range->page_count++] = page;
				}
				target = (char *)page_address(range->pages[done / PAGE_SIZE]) + done % PAGE_SIZE;
				chunk = min(chunk, PAGE_SIZE - done % PAGE_SIZE);
			}
			if (copy_from_user(target, vector[i].address + offset, chunk))
				return -EFAULT;
			done += (uint32_t)chunk;
			offset += chunk;
		}
	}
	return 0;
}

void call_release_contents(struct call *call)
{
	if (call->send.page_count)
		send_unpin(&call->send);
	if (call->receive.page_count)
		receive_unpin(call);
	if (call->handle_count)
		message_drop_handles(call->handle, call->handle_count);
	if (call->reply_handle_count)
		message_drop_handles(call->reply_handle, call->reply_handle_count);
	call->handle_count = call->reply_handle_count = 0;
}

void call_fail_locked(struct call *call, int error)
{
	call_untell_locked(call);
	call_unlink(call->port, call);
	call->state = CALL_DONE;
	call->result = error;
	call_wake(call);
}

/* --- interrupts --- */

static void interrupt_release(struct notification *notification)
{
	call_unref(container_of(notification, struct call, interrupt));
}

void call_interrupt_locked(struct port *port, struct call *call)
{
	call->interrupted = true;
	if (!call->number)
		return; /* reply_number does it as soon as there is a number to tell */
	call->interrupt.word[0] = NOTIFY_INTERRUPT;
	call->interrupt.word[1] = call->number;
	call->interrupt.data = call->data;
	call->interrupt.release = interrupt_release;
	__atomic_add_fetch(&call->references, 1, __ATOMIC_RELAXED);
	port_post_locked(port, &call->interrupt);
}

void call_untell_locked(struct call *call)
{
	if (list_empty(&call->interrupt.link))
		return;
	list_remove(&call->interrupt.link);
	__atomic_sub_fetch(&call->references, 1, __ATOMIC_RELEASE); /* the caller's or the table's remains */
}

struct port *port_waited_for(struct thread_ipc *ipc, struct call **waiting)
{
	spin_lock(&ipc->lock);
	struct port *port = ipc->calling;
	struct call *call = ipc->call;
	if (port && call) {
		port_ref(port);
		__atomic_add_fetch(&call->references, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&ipc->lock);
	if (!port || !call)
		return NULL;
	spin_lock(&port->lock);
	bool waits = call->port == port && (call->state == CALL_QUEUED || call->state == CALL_BOUND);
	spin_unlock(&port->lock);
	if (waits && waiting)
		*waiting = call;
	else
		call_unref(call);
	if (waits)
		return port;
	port_unref(port);
	return NULL;
}

/*
 * Would this call wait for ever because the thread that receives on port waits, through calls of others, for the caller? Only a process with a
 * single thread can be sure of that: another of its threads might answer.
 */
static bool call_is_circular(struct port *start, struct thread *caller)
{
	struct port *port = start;
	port_ref(port);
	bool circular = false;
	for (unsigned depth = 0; port && depth < CHAIN_MAX && !circular; depth++) {
		spin_lock(&port->lock);
		struct thread *receiver = port->several_receivers ? NULL : port->receiver;
		if (receiver)
			object_ref(&receiver->object);
		spin_unlock(&port->lock);
		port_unref(port);
		port = NULL;
		if (!receiver)
			return false;
		circular = receiver == caller;
		if (!circular) {
			port = port_waited_for(receiver->ipc, NULL);
		}
		object_unref(&receiver->object);
	}
	port_unref(port);
	return circular;
}

/* Queues by priority (0 is the highest), first come first served among equals. */
void queue_insert(struct port *port, struct call *call)
{
	struct list *position = &port->queue;
	while (position->previous != &port->queue && list_entry(position->previous, struct call, link)->priority > call->priority)
		position = position->previous;
	list_insert_before(position, &call->link);
}

/* Resolves everything the message needs; on error nothing is held. */
static int call_prepare(struct call *call, const struct message *message, const struct io_vector *vector, unsigned count)
{
	if (message->send_size > MESSAGE_RANGE_MAX || message->receive_size > MESSAGE_RANGE_MAX)
		return -EMSGSIZE;
	memcpy(call->word, message->word, sizeof(call->word));
	call->send.address = message->send_address;
	call->send.size = (uint32_t)message->send_size;
	call->receive.address = message->receive_address;
	call->receive.size = (uint32_t)message->receive_size;
	if (message->handle_count) {
		int error = message_take_handles(message, call->handle);
		if (error)
			return error;
	}
	call->handle_count = message->handle_count;
	call->reply_handle_count = 0;
	call->reply_size = 0;
	int error = 0;
	if (vector)
		error = range_gather(call, vector, count);
	else if (call->send.size && call->send.size <= CALL_INLINE)
		error = copy_from_user(call->inline_bytes, call->send.address, call->send.size);
	else if (call->send.size)
		error = send_pin(&call->send);
	if (!error && call->receive.size > CALL_INLINE)
		error = receive_pin(call);
	if (error)
		call_release_contents(call);
	return error;
}

/* Gives the call to a waiting server thread, which is returned and is to run next, or queues it. Port lock held. */
static struct thread *call_submit(struct port *port, struct call *call)
{
	trace(TRACE_SEND, call, port, call->data, call->word[0], call->send.size, call->handle_count);
	if (!port_has_receiver(port)) {
		call->state = CALL_QUEUED;
		queue_insert(port, call);
		object_notify(port->listener, READY_IN);
		return NULL;
	}
	struct thread_ipc *server = port_take_receiver(port);
	call->state = CALL_BOUND;
	call->busy = call_needs_copy(call); /* until the server has copied it */
	__atomic_add_fetch(&call->references, 1, __ATOMIC_RELAXED);
	if (port->words_bound)
		list_add_last(&port->bound, &call->link);
	else
		port->words_bound = call;
	server->delivered = call;
	if (server->thread->priority > call->priority) /* it runs to take the call over at the caller's priority already */
		priority_lend_locked(port, server, call);
	return wait_take(&server->wait, server->thread, 0) ? server->thread : NULL;
}

/* The reply becomes the message: handles installed, inline bytes copied out. */
static int reply_accept(struct call *call, struct message *message)
{
	int error = 0;
	memcpy(message->word, call->word, sizeof(message->word));
	if (call->reply_size && call->reply_size <= CALL_INLINE)
		error = copy_to_user(call->receive.address, call->inline_bytes, call->reply_size);
	if (!error && call->reply_handle_count)
		error = message_install_handles(message, call->reply_handle, call->reply_handle_count);
	else
		message->handle_count = 0;
	message->receive_size = call->reply_size;
	return error;
}

/* Makes port the one that the record and the thread name; usually it is already. */
static void calling_set(struct thread_ipc *ipc, struct call *call, struct port *port)
{
	if (call->port != port) {
		port_ref(port);
		port_unref(call->port);
		call->port = port;
	}
	if (ipc->calling == port)
		return;
	port_ref(port);
	spin_lock(&ipc->lock);
	struct port *old = ipc->calling;
	ipc->calling = port;
	spin_unlock(&ipc->lock);
	port_unref(old);
}

/*
 * Waits until the call, which was submitted to `server` or queued, is over, and takes its reply. Port lock held; released. wait_result: what ended the
 * sleep that the short way made, or 0.
 */
static int64_t call_complete(struct thread_ipc *ipc, struct call *call, struct message *message, uint32_t options, struct thread *server,
			     int wait_result)
{
	struct port *port = call->port;
	unsigned how = options & CALL_INTERRUPTIBLE ? WAIT_INTERRUPTIBLE : WAIT_KILLABLE;
	bool given_up = false;
	while (call->state != CALL_DONE) {
		if (wait_result) {
			if (port->tells_interrupts && call->state == CALL_BOUND && !call->interrupted)
				call_interrupt_locked(port, call);
			if (!call->interrupted || thread_current()->kill_pending) {
				given_up = call->state == CALL_QUEUED;
				call_unlink(port, call);
				call->state = CALL_ABANDONED;
				call->result = wait_result;
				break;
			}
			how = WAIT_KILLABLE; /* for the server's answer to that */
		}
		wait_result = wait_alone_for(&call->done, &port->lock, DEADLINE_NEVER, how, server);
		server = NULL;
		spin_lock(&port->lock);
	}
	int64_t error = call->result;
	bool busy = call->busy, delivered = call->delivered;
	if (busy)
		call->state = CALL_ABANDONED;
	spin_unlock(&port->lock);
	if (given_up)
		port_urgency_changed(port);

	if (delivered && message->move)
		message_close_moved(message, call->handle);
	if (error) { /* two trace points, so that the compiler can take the paths apart */
		trace(TRACE_ANSWERED, call, port, error, 0, 0, 0);
	} else {
		trace(TRACE_ANSWERED, call, port, 0, 0, 0, 0);
		error = reply_accept(call, message);
	}
	if (__atomic_load_n(&call->references, __ATOMIC_ACQUIRE) > 1) {
		/* A server still holds the record (and finds the port through it): leave it behind, with its contents if a copy is under way. */
		if (!busy)
			call_release_contents(call);
		spin_lock(&ipc->lock);
		ipc->call = NULL;
		ipc->words_port = NULL;
		spin_unlock(&ipc->lock);
		call_unref(call);
	} else {
		call_release_contents(call);
		call->send.size = call->receive.size = call->reply_size = 0;
		call->state = CALL_IDLE;
		ipc->words_port = port;
	}
	return error;
}

/* words: the caller takes words only, and holds its client in ipc->held. */
static int64_t call_make(struct client *client, struct message *message, uint32_t options, const struct io_vector *vector, unsigned count, bool words)
{
	struct thread *thread = thread_current();
	struct thread_ipc *ipc = thread->ipc;
	struct port *port = client->port;
	struct call *call = call_record(ipc);
	if (!call)
		return -ENOMEM;
	ipc->words_port = NULL;
	int error = call_prepare(call, message, vector, count);
	if (error)
		return error;
	call->badge = thread->process->badge;
	call->data = client->data;
	call->priority = thread->priority;
	call->busy = call->delivered = call->interrupted = false;
	call->number = 0;
	call->words = words;
	call->result = 0;

	if (!port_has_receiver(port) && thread->process->thread_count == 1 && call_is_circular(port, thread)) {
		call_release_contents(call);
		return -EDEADLK;
	}
	calling_set(ipc, call, port);
	spin_lock(&port->lock);
	if (port->dead) {
		spin_unlock(&port->lock);
		call_release_contents(call);
		return -EPIPE;
	}
	if (words) /* it may be answered the short way, and not come back here */
		ipc->words_port = port;
	struct thread *server = call_submit(port, call);
	if (call->state == CALL_QUEUED && port_urgency_differs(port, call)) {
		spin_unlock(&port->lock);
		port_urgency_changed(port);
		spin_lock(&port->lock);
	}
	return call_complete(ipc, call, message, options, server, 0);
}

int64_t port_call_gather(struct client *client, struct message *message, uint32_t options, const struct io_vector *vector, unsigned count)
{
	return call_make(client, message, options, vector, count, false);
}

int64_t port_call_message(struct client *client, struct message *message, uint32_t options)
{
	return call_make(client, message, options, NULL, 0, false);
}

/* Whoever slept in here has given up nothing but what it held in ipc->held. */
static int64_t held_release(struct thread_ipc *ipc, int64_t result)
{
	struct object *held = ipc->held;
	ipc->held = NULL;
	object_unref(held);
	return result;
}

int64_t port_call_message_words(struct client *client, struct message *message)
{
	struct thread_ipc *ipc = thread_current()->ipc;
	ipc->held = &client->object;
	return held_release(ipc, call_make(client, message, 0, NULL, 0, true));
}

int64_t port_call_go_on(struct message *message, int wait_result)
{
	struct thread_ipc *ipc = thread_current()->ipc;
	struct call *call = ipc->call;
	spin_lock(&call->port->lock);
	return held_release(ipc, call_complete(ipc, call, message, 0, NULL, wait_result));
}
