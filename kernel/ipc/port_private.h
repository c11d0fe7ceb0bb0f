/* Inside of ports, shared by port.c (objects), call.c (callers), receive.c (servers) and reply.c (answers). Rules: port.h. */
#ifndef KERNEL_PORT_PRIVATE_H
#define KERNEL_PORT_PRIVATE_H
#include "kernel/ipc/port.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define CALL_INLINE 512u                              /* longer ranges are pinned */
#define CALL_PAGES (MESSAGE_RANGE_MAX / PAGE_SIZE + 1) /* an unaligned range touches one page more */

#define REPLY_SLOTS_MAX 4096u /* a power of 2: a reply's number is a generation times this + a slot */

struct port {
	struct spinlock lock;
	uint32_t references;       /* atomic */
	bool dead;
	bool tells_interrupts;     /* LISTENER_INTERRUPTS; never changes */
	bool several_receivers;    /* another thread of the receiver's process has received too */
	struct object *listener;   /* not referenced; NULL when dead */
	struct thread *receiver;   /* the last thread that received; referenced. For finding cycles of calls */
	struct list queue;         /* struct call, by priority */
	struct list bound;         /* struct call, received and not answered */
	struct list notifications;
	struct list receivers;     /* struct thread_ipc, waiting */
	struct list clients;       /* struct client, in order of creation, until their NOTIFY_CLOSE is received */
	uint64_t client_count;
	struct thread *words_receiver; /* waits, too: port.h, the short way */
	struct call *words_bound;  /* received and not answered, not in `bound` */
};
struct listener {
	struct object object;
	struct port *port;
};
struct client {
	struct object object;
	struct port *port;
	struct list port_link;      /* port lock */
	uint64_t data;
	struct notification closed; /* NOTIFY_CLOSE: queued when the last reference goes; the memory goes with it */
};

enum call_state { CALL_IDLE, CALL_QUEUED, CALL_BOUND, CALL_DONE, CALL_ABANDONED };
struct call_range {
	uint64_t address;
	uint32_t size;
	uint32_t page_count;       /* 0: travels inline */
	struct page *pages[CALL_PAGES];
};
struct call {
	uint32_t references;       /* atomic: the thread's, the reply table's */
	struct budget *payer;      /* constant: of the thread's process; pays for what servers make for it; referenced */
	/* port->lock */
	uint8_t state;
	bool busy;                 /* a server copies handles or ranges; abandoning leaves the resources to it */
	bool delivered;            /* a server has it: moved handles are gone */
	bool words;                /* the caller takes words only, in registers; these four are stored and compared as one by the short way */
	bool interrupted;          /* the server of a port that tells_interrupts is told or to be told */
	uint8_t priority;
	int result;
	struct list link;
	struct thread *thread;     /* the caller; valid while QUEUED or BOUND */
	struct port *port;         /* referenced; kept from call to call */
	struct wait_queue done;
	uint32_t number;           /* while BOUND on a port that tells_interrupts: the reply's; 0 not known yet */
	struct notification interrupt; /* queued while it holds a reference */

	uint64_t word[MESSAGE_WORDS];
	uint64_t badge, data;
	struct carried_handle handle[MESSAGE_HANDLES];       /* the request's */
	struct carried_handle reply_handle[MESSAGE_HANDLES];
	uint32_t handle_count, reply_handle_count;
	uint32_t reply_size;
	struct call_range send, receive;
	struct space_pin receive_pin;    /* of receive's pages, while receive.page_count is not 0 */
	struct space *receive_space;     /* referenced */
	uint8_t inline_bytes[CALL_INLINE]; /* the request's range until received, then the reply's */
};

/* Is there more to deliver than words? */
static inline bool call_needs_copy(const struct call *call)
{
	return call->send.size || call->handle_count;
}

/* Is a thread waiting to receive? Port lock held, as for all of these. */
static inline bool port_has_receiver(const struct port *port)
{
	return port->words_receiver || !list_empty(&port->receivers);
}
/* Takes one of them out of the port; there is one. It stays asleep. */
static inline struct thread_ipc *port_take_receiver(struct port *port)
{
	struct thread *thread = port->words_receiver;
	if (thread) {
		port->words_receiver = NULL;
		return thread->ipc;
	}
	struct thread_ipc *ipc = list_first(&port->receivers, struct thread_ipc, receiver_link);
	list_remove(&ipc->receiver_link);
	return ipc;
}
/* A thread waits no longer. */
static inline void port_leave_receivers(struct port *port, struct thread_ipc *ipc)
{
	if (port->words_receiver == ipc->thread)
		port->words_receiver = NULL;
	list_remove(&ipc->receiver_link);
}
/* Takes a call out of the queue or from among the bound ones. */
static inline void call_unlink(struct port *port, struct call *call)
{
	if (port->words_bound == call)
		port->words_bound = NULL;
	list_remove(&call->link);
}
/* Wakes the caller, which alone sleeps on `done`. */
static inline void call_wake(struct call *call)
{
	wait_wake_thread(&call->done, call->thread, 0);
}

void port_ref(struct port *port);
/* The priority becomes the one that the calls behind and the served one ask for. Port lock held. */
void priority_settle_locked(struct port *port, struct thread_ipc *ipc);
/* Puts a QUEUED call where its priority belongs. Port lock held. */
void queue_insert(struct port *port, struct call *call);
void port_unref(struct port *port);
void call_unref(struct call *call);
/* Drops what the record holds of a call: handles and pins. */
void call_release_contents(struct call *call);
/* Puts a call that could not be delivered back, first in the queue. Port lock held; state BOUND. */
void call_requeue_locked(struct port *port, struct call *call);
/* Tells the server that the caller was interrupted or killed, once; port->lock held; state BOUND. */
void call_interrupt_locked(struct port *port, struct call *call);
/* The call is over, so the server need not be told any more; port->lock held. */
void call_untell_locked(struct call *call);
/* The port on which the thread's call waits, referenced, or NULL; *waiting, unless that is NULL, the call, referenced. */
struct port *port_waited_for(struct thread_ipc *ipc, struct call **waiting);
/* Queues a notification; port->lock held, port not dead. */
void port_post_locked(struct port *port, struct notification *notification);
/* Ends a call with error; port->lock held; state QUEUED or BOUND. */
void call_fail_locked(struct call *call, int error);

/* Reserves a free slot of the current process for the current thread: 0 or -ENOMEM. */
int reply_slot_reserve(struct thread_ipc *ipc) must_check;
void reply_slot_release(struct thread_ipc *ipc);
/* The reply that the thread keeps goes into the table, under its number; the slot is the thread's no more. */
void reply_put_aside(struct thread_ipc *ipc);
/* The same, while the thread goes on with the call and its caller pays: it answers by the table. */
void reply_not_kept(struct thread_ipc *ipc);

/* --- at whose priority a server runs (urgency.c) --- */
/* The thread, which receives or is about to be woken for it, serves the call from now on. Port lock held. */
static inline void priority_lend_locked(struct port *port, struct thread_ipc *ipc, const struct call *call)
{
	ipc->serves = port;
	ipc->serves_call = (struct call *)call;
	ipc->lent = min(call->priority, ipc->base_priority);
	if (ipc->thread->priority != ipc->lent || !list_empty(&port->queue))
		priority_settle_locked(port, ipc);
}
/* The thread, which receives, serves nothing and runs at another priority than its own: one to which more is lent does. */
static inline void priority_return(struct thread_ipc *ipc)
{
	ipc->lent = ipc->base_priority;
	scheduler_set_priority(ipc->thread, ipc->lent);
}
/* A call came into the port's queue, or left it without being received: those who serve the port run at another priority. No lock held. */
void port_urgency_changed(struct port *port);
/* Would that change anything for a call that was just queued? Port lock held. */
static inline bool port_urgency_differs(const struct port *port, const struct call *call)
{
	return port->receiver && (port->several_receivers || port->receiver->priority > call->priority);
}

/* Answers; the message's ranges and handles are the current thread's. *woken: the caller, taken off its queue (wait_take), or NULL. */
int64_t port_reply_message(uint32_t number, const struct message *message, struct thread **woken) must_check;
/* next: the thread that a reply just took off its queue (wait_take), which runs next if this one has to wait; NULL none. */
int64_t port_receive_message(struct port *port, struct message *message, uint64_t deadline, struct thread *next) must_check;
/*
 * The same for words in registers: while it waits the thread may be taken the short way, and never comes back here; the reference to the
 * listener is then given up. wait_result: what ended its sleep if it went to sleep the short way, else 0.
 */
int64_t port_receive_words(struct object *listener, struct message *message, struct thread *next, int wait_result) must_check;
/* The port behind a listener object. */
struct port *port_of_listener(struct object *listener);
/* port_call_message for words in registers. The reference to the client is consumed. */
int64_t port_call_message_words(struct client *client, struct message *message) must_check;
/* Goes on with the current thread's call, which sleeps or slept with wait_result. */
int64_t port_call_go_on(struct message *message, int wait_result) must_check;
#endif
