/*
 * Ports: calls from clients to listeners, and notifications made by the kernel.
 *
 * A listener object owns a struct port that lives on, dead, until its clients and calls have let go of it.
 *
 *   IDLE --port_call--> QUEUED --received--> BOUND --replied--> DONE     (DONE with -EPIPE: listener or server process died)
 *                          |                   |
 *                          +-------------------+--caller killed or interrupted--> ABANDONED (the reply gets ESRCH)
 *
 * On a listener with LISTENER_INTERRUPTS a BOUND call whose caller is interrupted stays BOUND: the server gets NOTIFY_INTERRUPT and answers early.
 *
 * A call record belongs to its calling thread and is used again for its next call; while a server holds it (a slot in its reply table, a copy under
 * way) it holds a reference too, so a caller that gives up leaves the record behind and takes a new one the next time.
 * Byte ranges: up to CALL_INLINE bytes travel through the record; longer ones through pages pinned in the caller's context.
 *
 * The short way. A call of words in registers (words.c) to a thread that waits for one, and its answer by a thread that then waits again, may be made
 * by the port's entry code without any of these functions: it does what they would do and goes straight to the partner. It is possible because such
 * sleepers leave nothing to be done on their kernel stacks:
 *   - port->words_receiver is a thread that sleeps in port_reply_receive_words and is not in `receivers`; it holds its listener (thread_ipc.held);
 *   - port->words_bound is a BOUND call that is not in `bound`;
 *   - call->words tells a caller that sleeps in port_call_words and holds its client (held);
 *   - a reply is kept by the thread that received (served, served_number), not in the table, until another thread answers it or it waits again;
 *   - both sleep with wait_alone, so no queue links them;
 *   - a thread that runs above its own priority keeps no reply, so it answers the long way, where its priority is looked after;
 *   - an idle call record has no ranges and no handles, and words_port names the port that it and `calling` stand for.
 * Every condition that is not so is left to the functions here, with the same meaning (boot option "slow": all of it).
 *
 * Locks: port->lock (RANK_LISTENER) covers the port and the state of all its calls; reply_table->lock (RANK_LISTENER) is never held together
 * with it. thread_ipc->lock (RANK_LISTENER too) covers `calling`, the replacement of `call` and a thread's leaving its process, and is never held together with either.
 */
#ifndef KERNEL_PORT_H
#define KERNEL_PORT_H
#include "abi/message.h"
#include "kernel/core/page.h"
#include "kernel/core/wait.h"
#include "kernel/obj/object.h"

struct process;
struct port;
struct client;
struct call;
struct thread;
struct arch_frame;

/* A message made by the kernel, embedded in what it tells of; release is called once, with no lock, when it was received or cannot be. */
struct notification {
	struct list link;
	uint64_t word[3];
	uint64_t data;
	void (*release)(struct notification *);
};

/* --- replies waiting to be given, numbered per process --- */
struct reply_slot {
	struct call *call;     /* holds a reference; NULL while reserved or free */
	struct thread_ipc *owner; /* who has reserved it, and keeps the reply while `served` is set */
	uint32_t generation;
	uint16_t next_free;
	bool replying;         /* a thread is answering */
};
struct reply_table {
	struct spinlock lock;
	struct reply_slot *slots;
	uint32_t capacity;
	uint16_t first_free;   /* 0: none; slot 0 is never used */
	bool closed;
};
void reply_table_init(struct reply_table *table);
/* Ends all calls in the table with -EPIPE; the table takes no more. */
void reply_table_close(struct reply_table *table);

/* --- per thread --- */
struct thread_ipc {
	struct spinlock lock;
	struct thread *thread;
	struct port *calling;         /* lock: the port of the last call, perhaps still in progress; holds a reference */
	struct call *call;            /* the thread's record; NULL until first used */
	struct call *delivered;       /* port lock: handed to this thread while it waits */
	struct list receiver_link;    /* port lock */
	struct wait_queue wait;
	struct process *process;      /* of the reserved slot */
	uint16_t reserved_slot;       /* 0: none */
	uint32_t served_number;       /* the number of the reply that the reserved slot stands for */
	struct call *served;          /* reply table's lock: received and not answered, under served_number; with a reference */
	/* As `served` for who pays, with a reference, until the thread receives again: a reply that others put aside, or that it may not keep as it runs at a
	   raised priority. Set before `served` becomes NULL, under the reply table's lock, and dropped by the thread alone, which so may look at both without. */
	struct call *billed;
	struct port *serves;          /* under that port's lock: received from last. Only compared: it may be gone */
	struct call *serves_call;     /* the same: what was received last, or before it the short way */
	struct object *held;          /* the listener or client of the call with words in registers that the thread sleeps in; referenced */
	struct port *words_port;      /* the port that `call`, idle, and `calling` name; NULL otherwise */
	uint8_t base_priority;        /* its own */
	uint8_t lent;                 /* `serves`' lock: that of the call it serves, if more urgent; what it runs at if nobody more urgent waits (urgency.c) */
};
void thread_ipc_init(struct thread_ipc *ipc, struct thread *thread);
/* The thread ends: gives back what it holds. */
void thread_ipc_release(struct thread_ipc *ipc);
struct budget *call_payer(const struct call *call);
#define PORT_ACQUIRE (PROCESSORS_MAX > 1 ? __ATOMIC_ACQUIRE : __ATOMIC_RELAXED) /* one processor sees what it did in order */
/* The budget of the process whose call the current thread serves: received last and not answered, or set aside. NULL: none. */
static inline struct budget *port_caller_budget(const struct thread_ipc *ipc)
{
	const struct call *call = __atomic_load_n(&ipc->served, PORT_ACQUIRE);
	if (!call)
		call = ipc->billed;
	return call ? call_payer(call) : NULL;
}

/* A thread that the short way put to sleep was woken by something else: completes its call. The result is in the frame. */
void port_call_resume(struct arch_frame *frame);
void port_receive_resume(struct arch_frame *frame);

/* Whose call the current or a waiting thread serves (as port_caller_budget): not referenced, it waits meanwhile. NULL: nobody's, or several processors run. */
struct thread *port_thread_served(const struct thread *thread);

/* --- objects --- */
struct client *client_of_object(struct object *object);
struct object *client_object(struct client *client);
/* Queues a notification to the client's listener, with the client's data word; released at once if the listener is dead. */
void client_notify(struct client *client, struct notification *notification);
/*
 * Sends message (kernel memory; ranges and handles are the current thread's) and waits for the reply, which replaces it, handles installed.
 * options: CALL_INTERRUPTIBLE. 0 or an error as port_call's.
 */
int64_t port_call_message(struct client *client, struct message *message, uint32_t options) must_check;

/* The same with a send range gathered from `count` pieces of the current thread's memory; message->send_size is their total. */
int64_t port_call_gather(struct client *client, struct message *message, uint32_t options, const struct io_vector *vector, unsigned count) must_check;

/* --- handles in messages, shared with channels --- */
struct carried_handle { struct object *object; uint32_t rights; int32_t number; };
/* References the current process's handles named by message. 0 or -EBADF, -EACCES, -EINVAL (more than MESSAGE_HANDLES). */
int message_take_handles(const struct message *message, struct carried_handle *carried) must_check;
void message_drop_handles(struct carried_handle *carried, unsigned count);
/* Closes the current process's handles that were moved. */
void message_close_moved(const struct message *message, const struct carried_handle *carried);
/* Installs references for the current process; numbers go to message. All or none: on error nothing was installed and the references stay. */
int message_install_handles(struct message *message, const struct carried_handle *carried, unsigned count) must_check;
#endif
