/*
 * Links (calls 180-189): descriptions that carry bytes or messages together with handles, the sender's label and badge. Unlike those of a
 * flow, the ends of a link may come after it was made, and go. What they mean to Linux programs (sockets) is the library's affair.
 *
 *   stream      LINK_STREAM       a read takes what is there, up to the first message with handles and no further than its end
 *   messages    LINK_MESSAGES     a read takes one message; what does not fit is lost
 *   datagrams   LINK_DATAGRAMS    the same; the link owns its receiving queue from the start, many may send into it (link_entry), and it never ends
 */
#ifndef ABI_LINK_H
#define ABI_LINK_H
#include "abi/types.h"

/* description_request.flags of kind DESCRIPTION_LINK, beside the status flags; none of the two: a stream */
#define LINK_STREAM 0u
#define LINK_MESSAGES 0x100u
#define LINK_DATAGRAMS 0x300u

#define LINK_HANDLES 253u      /* in one message */
#define LINK_LABEL_MAX 256u
#define LINK_LIMIT 212992u     /* default of link_state.send_limit; what a message adds beyond its bytes counts too */
#define LINK_LIMIT_MAX (1u << 20)

/* options of link_send and link_receive; DESCRIPTION_NON_BLOCKING of the description holds as well */
#define LINK_NON_BLOCKING 0x1u
#define LINK_PEEK 0x2u         /* leave it there; handles come as copies */
#define LINK_WAIT_ALL 0x4u     /* stream: wait until the buffers are full */
#define LINK_BY_SENDER 0x8u    /* stream: do not join bytes of different badges */
#define LINK_CLOSE_ON_EXEC 0x10u
#define LINK_URGENT 0x20u      /* stream: send: the last byte is urgent; receive: only the urgent byte (EINVAL: there is none, or it comes in line) */
/* link_receive: in message.flags afterwards */
#define LINK_CUT 0x1u          /* the message was longer than the buffers */
#define LINK_HANDLES_CUT 0x2u  /* there were more handles than room or free numbers */

struct link_message {
	uint64_t vector, count;    /* struct io_vector[] */
	uint64_t handles;          /* int32_t[handle_count]: low handles; received ones get the lowest free numbers */
	uint32_t handle_count;     /* send: how many; receive: room, then how many came */
	uint32_t flags;            /* receive: LINK_CUT, LINK_HANDLES_CUT */
	uint64_t label;            /* receive: label_size bytes of room for the sender's label as it was then */
	uint32_t label_size;       /* receive: its true size afterwards, 0: it had none */
	int32_t target;            /* send: sender end of another queue, used instead of the link's own; HANDLE_NONE */
	uint64_t badge;            /* receive: the sending process's */
	uint64_t length;           /* receive: bytes of the whole message */
};

/* link_attach: each HANDLE_NONE or moved into the link */
struct link_parts {
	int32_t sender, receiver;  /* of channels in the link's mode; a datagram link's sender may be replaced */
	int32_t control;           /* client port that description_call uses, once */
	int32_t event;             /* of kind EVENT_MASK: from now on it alone tells readiness, once */
	uint32_t options, reserved;
};
#define LINK_DETACH 0x1u       /* the sender end goes (before another comes) */

enum link_label { LINK_LABEL_OWN, LINK_LABEL_PEER };
/* link_set */
enum link_value { LINK_READ_TIMEOUT, LINK_WRITE_TIMEOUT, LINK_SEND_LIMIT, LINK_URGENT_IN_LINE, LINK_WORD };
#define LINK_WORDS 4

struct link_state {
	uint64_t available, next;  /* bytes waiting to be read; in the first message */
	uint64_t outgoing;         /* what waits in the queue that it sends into */
	uint64_t read_timeout, write_timeout; /* nanoseconds a call may wait, 0: for ever; then EAGAIN */
	uint64_t send_limit;
	uint64_t word[LINK_WORDS]; /* the library's own */
	uint32_t mode;             /* LINK_STREAM ... */
	uint32_t parts;            /* LINK_HAS_* */
};
#define LINK_HAS_SENDER 0x1u
#define LINK_HAS_RECEIVER 0x2u
#define LINK_HAS_CONTROL 0x4u
#define LINK_HAS_EVENT 0x8u
#define LINK_HAS_LABEL 0x10u   /* own */
#define LINK_AT_MARK 0x20u     /* what is read next was urgent when it was sent, or comes right behind such a byte that was taken */

#define LINK_SHUT_READ 1u
#define LINK_SHUT_WRITE 2u
#endif
