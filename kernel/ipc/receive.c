/*
 * The server's side of ports: waiting for a call or a notification and taking it over. A call is either delivered completely (range,
 * handles, reply number) or stays at the head of the queue with the error going to the server.
 * Model: tests/model/call.pml.
 */
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/debug/trace.h"
#include "kernel/ipc/port_private.h"

/* Copies the request's range into the server's memory. */
static int range_deliver(struct call *call, uint64_t address)
{
	uint32_t size = call->send.size;
	if (!call->send.page_count)
		return copy_to_user(address, call->inline_bytes, size);
	uint32_t offset = call->send.address % PAGE_SIZE;
	for (unsigned i = 0; size; i++) {
		uint32_t chunk = min(size, (uint32_t)PAGE_SIZE - offset);
		int error = copy_to_user(address, (char *)page_address(call->send.pages[i]) + offset, chunk);
		if (error)
			return error;
		address += chunk;
		size -= chunk;
		offset = 0;
	}
	return 0;
}

void call_requeue_locked(struct port *port, struct call *call)
{
	call->state = CALL_QUEUED;
	call_unlink(port, call);
	list_add_first(&port->queue, &call->link);
}

/* What arrives besides range and handles. Port lock held; the call is BOUND. */
static void words_deliver_locked(struct call *call, struct message *message)
{
	call->delivered = true;
	memcpy(message->word, call->word, sizeof(message->word));
	message->send_size = message->receive_size = call->send.size;
	message->room = call->receive.size;
	message->badge = call->badge;
	message->data = call->data;
}

/*
 * The call's reply gets its number; the reference stays with the thread for now. A thread that was raised for it has to go the long way back, where the
 * priority is looked after.
 */
static void reply_number(struct thread *thread, struct port *port, struct call *call, struct message *message)
{
	struct thread_ipc *ipc = thread->ipc;
	message->reply = ipc->served_number;
	ipc->served = call;
	trace(TRACE_RECEIVE, call, call->port, call->data, call->word[0], ipc->served_number, 0);
	if (port->tells_interrupts) {
		spin_lock(&port->lock);
		if (call->state == CALL_BOUND) {
			call->number = message->reply;
			if (call->interrupted)
				call_interrupt_locked(port, call);
		}
		spin_unlock(&port->lock);
	}
	if (thread->priority != ipc->base_priority)
		reply_not_kept(ipc);
}

/*
 * Takes over a BOUND, busy call of which we hold a reference. 0: delivered. -EAGAIN: the call is over, look for another. Other errors
 * are the server's; the call is queued again.
 */
static int call_deliver(struct thread *thread, struct port *port, struct call *call, struct message *message)
{
	int error = 0;
	bool too_long = call->send.size > message->receive_size;
	if (!too_long && call->send.size)
		error = range_deliver(call, message->receive_address);
	if (!too_long && !error && call->handle_count)
		error = message_install_handles(message, call->handle, call->handle_count);
	else
		message->handle_count = 0;

	spin_lock(&port->lock);
	call->busy = false;
	if (call->state != CALL_BOUND) {
		/* The caller gave up or was failed meanwhile. What was installed goes again. */
		spin_unlock(&port->lock);
		for (unsigned i = 0; !error && i < message->handle_count; i++)
			(void)handle_table_close(&thread->process->handles, (uint32_t)message->handle[i], call->handle[i].object);
		call_unref(call);
		return -EAGAIN;
	}
	if (too_long) {
		call_fail_locked(call, -EMSGSIZE);
		error = -EAGAIN;
	} else if (error) {
		call_requeue_locked(port, call);
	} else {
		words_deliver_locked(call, message);
		priority_lend_locked(port, thread->ipc, call);
	}
	spin_unlock(&port->lock);
	if (error) {
		call_unref(call);
		return error;
	}
	reply_number(thread, port, call, message);
	return 0;
}

/* Without locks, since allocators ask: while one processor runs, nobody changes this under a running thread. With more, nothing keeps the caller alive. */
struct thread *port_thread_served(const struct thread *thread)
{
	const struct thread_ipc *ipc = thread->ipc;
	const struct call *call = !ipc || processors_several() ? NULL : ipc->served ? ipc->served : ipc->billed;
	return call && call->state == CALL_BOUND ? call->thread : NULL;
}

static void notification_deliver(struct notification *notification, struct message *message)
{
	memset(message->word, 0, sizeof(message->word));
	memcpy(message->word, notification->word, sizeof(notification->word));
	message->data = notification->data;
	message->badge = 0;
	message->reply = REPLY_NONE;
	message->room = 0;
	message->send_size = message->receive_size = 0;
	message->handle_count = 0;
	notification->release(notification);
}

/* Remembers who serves the port, for call_is_circular. Port lock held; the old receiver is returned to be dropped without it. */
static struct thread *receiver_note(struct port *port, struct thread *thread)
{
	struct thread *old = port->receiver;
	if (old == thread)
		return NULL;
	/* Another process that receives has taken the port over (a restarted server, the supervisor before it). */
	port->several_receivers = old && old->process == thread->process;
	port->receiver = thread;
	object_ref(&thread->object);
	return old;
}

/* listener: of a thread that may be taken the short way while it waits; NULL. *next becomes NULL when it was gone to. */
static int64_t receive(struct port *port, struct message *message, uint64_t deadline, struct thread **next, struct object *listener, int wait_result)
{
	struct thread *thread = thread_current();
	struct thread_ipc *ipc = thread->ipc;
	if (ipc->served)
		reply_put_aside(ipc);
	if (ipc->billed) {
		call_unref(ipc->billed);
		ipc->billed = NULL;
	}
	if (thread->priority != ipc->base_priority) /* who raises it from now on does so again below, or it is found when it waits */
		priority_return(ipc);
	if (!ipc->reserved_slot) {
		int error = reply_slot_reserve(ipc);
		if (error)
			return error;
	}
	for (;;) {
		spin_lock(&port->lock);
		if (port->receiver != thread) {
			struct thread *old = receiver_note(port, thread);
			if (old) {
				spin_unlock(&port->lock);
				object_unref(&old->object);
				continue;
			}
		}
		struct call *call = ipc->delivered;
		ipc->delivered = NULL;
		if (!call && !list_empty(&port->notifications)) {
			struct notification *notification = list_first(&port->notifications, struct notification, link);
			list_remove(&notification->link);
			port_leave_receivers(port, ipc);
			spin_unlock(&port->lock);
			trace(TRACE_NOTIFY, port, notification->data, notification->word[0], notification->word[1], notification->word[2], 0);
			notification_deliver(notification, message);
			return 0;
		}
		if (!call && !list_empty(&port->queue)) {
			call = list_first(&port->queue, struct call, link);
			list_remove(&call->link);
			if (port->words_bound)
				list_add_last(&port->bound, &call->link);
			else
				port->words_bound = call;
			call->state = CALL_BOUND;
			call->busy = call_needs_copy(call);
			__atomic_add_fetch(&call->references, 1, __ATOMIC_RELAXED);
		}
		if (call) {
			port_leave_receivers(port, ipc);
			if (!call->busy && call->state == CALL_BOUND) {
				words_deliver_locked(call, message);
				priority_lend_locked(port, ipc, call);
				spin_unlock(&port->lock);
				message->handle_count = 0;
				reply_number(thread, port, call, message);
				return 0;
			}
			spin_unlock(&port->lock);
			int error = call_deliver(thread, port, call, message);
			if (error == -EAGAIN)
				continue;
			return error;
		}
		if (wait_result || !deadline) {
			port_leave_receivers(port, ipc);
			spin_unlock(&port->lock);
			return wait_result ? wait_result : -ETIMEDOUT;
		}
		ipc->serves = port;
		if (thread->priority != ipc->base_priority)
			priority_return(ipc);
		/* A client or a notification takes the thread out before it wakes it. */
		if (listener && !port->words_receiver && !port->tells_interrupts && list_empty(&ipc->receiver_link))
			port->words_receiver = thread;
		else if (port->words_receiver != thread && list_empty(&ipc->receiver_link))
			list_add_first(&port->receivers, &ipc->receiver_link);
		struct thread *to = *next;
		*next = NULL;
		wait_result = wait_alone_for(&ipc->wait, &port->lock, deadline, WAIT_INTERRUPTIBLE, to);
	}
}

int64_t port_receive_message(struct port *port, struct message *message, uint64_t deadline, struct thread *next)
{
	int64_t result = receive(port, message, deadline, &next, NULL, 0);
	if (next)
		thread_ready(next);
	return result;
}

int64_t port_receive_words(struct object *listener, struct message *message, struct thread *next, int wait_result)
{
	struct thread_ipc *ipc = thread_current()->ipc;
	ipc->held = listener;
	int64_t result = receive(port_of_listener(listener), message, DEADLINE_NEVER, &next, listener, wait_result);
	ipc->held = NULL;
	if (next)
		thread_ready(next);
	return result;
}
