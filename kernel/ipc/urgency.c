/*
 * At whose priority a server runs: that of the most urgent call that it serves or that waits behind, so that a call waits for one that is less urgent only
 * as long as that takes by itself, whatever threads of priorities between compete.
 *   - Its own (base_priority), or that of the call it received last, is `lent`: set when a call is delivered or received (priority_lend_locked), given back
 *     when it receives again.
 *   - While calls wait in the port's queue it runs at the first one's priority, if that is more urgent. Whoever comes first into the queue
 *     raises those who serve the port; who leaves without being received lets them fall again. So a call that is received needs no search.
 *   - A server that calls another lends on what it runs at: its call changes its place in that one's queue, and so on along the chain.
 * Who serves a port: the threads of the process that received last which have received from it and do not wait in it (thread_ipc.serves; the short way
 * leaves that as it is). One that waits for many things between its requests counts, and so comes to receive at the first call's priority.
 * When the one that received last has ended nobody is raised, until another receives.
 * A thread that turns to another port meanwhile may keep what it was raised to, until it next receives.
 * Locks: process->lock, then port->lock, under which priorities of servers change (then the scheduler's); nothing is held from one port to the next.
 * Model: tests/model/call.pml has no priorities; tests/ipc has a test of each case.
 */
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/ipc/port_private.h"

#define CHAIN_MAX 16u /* calls followed */

static bool serves(const struct port *port, const struct thread_ipc *ipc)
{
	return ipc->serves == port && port->words_receiver != ipc->thread && list_empty(&ipc->receiver_link);
}

void priority_settle_locked(struct port *port, struct thread_ipc *ipc)
{
	uint8_t priority = ipc->lent;
	if (!list_empty(&port->queue))
		priority = min(priority, list_first(&port->queue, struct call, link)->priority);
	if (ipc->thread->priority != priority)
		scheduler_set_priority(ipc->thread, priority);
}

/* One that serves the port and ran at another priority than it should, referenced; NULL: all run as they should. call: its priority changed; or NULL. */
static struct thread *settle_one(struct process *process, struct port *port, const struct call *call)
{
	struct thread *thread, *found = NULL;
	spin_lock(&process->lock);
	spin_lock(&port->lock);
	list_for_each(thread, &process->threads, process_link) {
		struct thread_ipc *ipc = thread->ipc;
		uint8_t before = thread->priority;
		if (!serves(port, ipc))
			continue;
		/* What came the short way is in `served` only, where other processors could not look: with several it does not come so. */
		const struct call *received = !processors_several() && ipc->served ? ipc->served : ipc->serves_call;
		if (call && call->state == CALL_BOUND && received == call)
			ipc->lent = min(call->priority, ipc->base_priority);
		priority_settle_locked(port, ipc);
		if (thread->priority != before) {
			found = thread;
			object_ref(&thread->object);
			break;
		}
	}
	spin_unlock(&port->lock);
	spin_unlock(&process->lock);
	return found;
}

static void call_urgency_changed(struct thread *thread, unsigned depth);

/* The process of the thread that received from the port last, referenced; NULL: there is none, or the thread has ended. */
static struct process *port_server_process(struct port *port)
{
	spin_lock(&port->lock);
	struct thread *receiver = port->receiver;
	if (receiver)
		object_ref(&receiver->object);
	spin_unlock(&port->lock);
	if (!receiver)
		return NULL;
	struct thread_ipc *ipc = receiver->ipc;
	spin_lock(&ipc->lock); /* thread_exit_current leaves its process under it */
	struct process *process = receiver->process;
	if (process)
		object_ref(&process->object);
	spin_unlock(&ipc->lock);
	object_unref(&receiver->object);
	return process;
}

static void servers_settle(struct port *port, const struct call *call, unsigned depth)
{
	struct process *process = port_server_process(port);
	struct thread *thread;
	if (!process)
		return;
	/* Each is found once: its priority is right from then on. */
	while ((thread = settle_one(process, port, call))) {
		reply_not_kept(thread->ipc); /* it answers the long way */
		call_urgency_changed(thread, depth + 1);
		object_unref(&thread->object);
	}
	object_unref(&process->object);
}

/* The thread runs at another priority: so does its call, if it waits for one. */
static void call_urgency_changed(struct thread *thread, unsigned depth)
{
	struct call *call;
	struct port *port = depth < CHAIN_MAX ? port_waited_for(thread->ipc, &call) : NULL;
	if (!port)
		return;
	spin_lock(&port->lock);
	call->priority = thread->priority;
	if (call->state == CALL_QUEUED) {
		list_remove(&call->link);
		queue_insert(port, call);
	}
	spin_unlock(&port->lock);
	servers_settle(port, call, depth);
	call_unref(call);
	port_unref(port);
}

void port_urgency_changed(struct port *port)
{
	servers_settle(port, NULL, 0);
}
