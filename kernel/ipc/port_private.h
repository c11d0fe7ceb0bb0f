/* Inside of ports, shared by port.c (objects), call.c (callers), receive.c (servers) and reply.c (answers). Rules: port.h. */
#ifndef KERNEL_PORT_PRIVATE_H
#define KERNEL_PORT_PRIVATE_H
#include "kernel/ipc/port.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define CALL_INLINE 512u                              /* longer ranges are pinned */
#define CALL_PAGES (MESSAGE_RANGE_MAX / PAGE_SIZE + 1) /* an unaligned range touches one page more */

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
	/* port->lock */
	uint8_t state;
	bool busy;                 /* a server copies handles or ranges; abandoning leaves the resources to it */
	bool delivered;            /* a server has it: moved handles are gone */
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

void port_ref(struct port *port);
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
/* Queues a notification; port->lock held, port not dead. */
void port_post_locked(struct port *port, struct notification *notification);
/* Ends a call with error; port->lock held; state QUEUED or BOUND. */
void call_fail_locked(struct call *call, int error);

/* Reserves a free slot of the current process: its number or 0 (no memory). */
uint16_t reply_slot_reserve(struct process *process) must_check;
void reply_slot_release(struct process *process, uint16_t slot);
/* Puts a call (one reference moves in) into a reserved slot: the reply's number. */
uint32_t reply_slot_fill(struct process *process, uint16_t slot, struct call *call);
/* Answers; the message's ranges and handles are the current thread's. *woken: the caller, good until this thread sleeps. */
int64_t port_reply_message(uint32_t number, const struct message *message, struct thread **woken) must_check;
/* prefer: the thread that a reply just woke, which runs next if this one has to wait; NULL none. */
int64_t port_receive_message(struct port *port, struct message *message, uint64_t deadline, struct thread *prefer) must_check;
#endif
