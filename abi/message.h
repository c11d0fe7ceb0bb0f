/*
 * Messages: what travels through ports and packet channels.
 *
 * Call: the caller fills word, send_*, receive_* (room for the reply's range), handle[0..handle_count). After the call word,
 *   receive_size (bytes received), handle[] and handle_count hold the reply's.
 * Receive: the server fills receive_* (room for the request's range) and handle_minimum (received handles get the lowest free
 *   numbers from there); gets word, send_size = bytes the caller sent, receive_size = bytes received here, room = bytes
 *   the caller will take in the reply, badge, data, reply (a number for port_reply; REPLY_NONE for notifications).
 * Reply: word, send_*, handle[].
 * A range longer than the receiver's room: EMSGSIZE to the sender before anything happens (call), or to the replier (reply).
 * Handles are copied unless their bit in move is set; then the sender's is closed when the message is delivered.
 */
#ifndef ABI_MESSAGE_H
#define ABI_MESSAGE_H
#include "abi/types.h"

#define MESSAGE_WORDS 8
#define MESSAGE_HANDLES 4
#define MESSAGE_RANGE_MAX 65536u
#define REPLY_NONE 0u

/* Or-ed into handle_minimum: allows the minimum 0 (a low number from 0 up), which alone stands for HANDLE_HIGH. */
#define MESSAGE_HANDLES_LOW 0x80000000u

struct message {
	uint64_t word[MESSAGE_WORDS];
	uint64_t send_address, send_size;
	uint64_t receive_address, receive_size;
	int32_t handle[MESSAGE_HANDLES];
	uint32_t handle_count;
	uint32_t handle_minimum; /* where received handles are numbered from; 0 stands for HANDLE_HIGH */
	uint32_t move;           /* bit i: handle[i] is moved, not copied */
	uint32_t reply;          /* receive: the reply's number, generation included */
	int32_t reply_status;    /* port_reply_receive: result of the reply part */
	uint32_t room;           /* receive: bytes the caller takes */
	uint64_t badge;          /* receive: the calling process's badge */
	uint64_t data;           /* receive: the client port's word */
};

/*
 * Words in registers: port_call_words and port_reply_receive_words carry the eight words of a message of words only in registers, both ways, which a
 * port may hand over without looking at a scheduler (kernel/ipc/port.h). Such a caller takes no range and no handles in the reply (EMSGSIZE
 * to the replier); a receiver gets calls that have more than words in its struct message, and then WORDS_IN_MESSAGE is in the result.
 */
struct message_received {
	uint64_t word[MESSAGE_WORDS]; /* the reply's; then what was received */
	uint64_t badge, data;
	uint32_t reply, reserved;     /* what is answered (REPLY_NONE: nothing); then the number of what was received */
};
#define WORDS_IN_MESSAGE 0x1u   /* result of port_reply_receive_words: it is in the struct message, with its range and handles */
#define WORDS_NOT_ANSWERED 0x2u /* ... the call that was to be answered had gone */

/* port_call options */
#define CALL_INTERRUPTIBLE 0x1u
#define CALL_ATTACHED 0x2u /* description_call: on the port of description_attach */
/*
 * listener_create options. With INTERRUPTS, an interruptible call that a server has received is not abandoned when its caller is interrupted: the
 * server gets NOTIFY_INTERRUPT and answers early with what it has done, and the caller waits for that (it can be killed). The server also
 * learns so of callers that were killed. Without, such calls end with EINTR at once, and their reply finds ESRCH.
 */
#define LISTENER_INTERRUPTS 0x1u
/* channel options */
#define CHANNEL_STREAM 0u
#define CHANNEL_PACKET 1u
#define CHANNEL_SEGMENTS 2u /* bytes with handles, for stream links (abi/link.h); capacity in bytes */
#define CHANNEL_MESSAGES 3u /* whole messages with handles, for links of messages and datagrams */
#define CHANNEL_NON_BLOCKING 0x100u
struct channel_ends { int32_t sender, receiver; };
#define CHANNEL_ERROR_MAX 4095u /* channel_close: errors are positive numbers up to this; 0 stands for EPIPE */

/*
 * channel_select and channel_select_create: cases[i] is the end of a packet channel, a sender's to send messages[i] or a receiver's to receive into it; HANDLE_NONE is a
 * case that is never possible. They are high handles (HANDLE_HIGH). The call returns the index of the one case that was done; its message's reply_status is 0, or the error that a plain
 * send or receive would have given: EPIPE and others of a closed channel, EBADF of a handle that is none.
 */
#define SELECT_CASES_MAX 256u
struct select_case { int32_t channel; };

/* Notifications: messages made by the kernel. reply is REPLY_NONE, badge 0, data the client port's word. word[0] is: */
#define NOTIFY_CLOSE 0xffffffff00000001ul /* the last reference to that client port has gone */
#define NOTIFY_DEATH 0xffffffff00000002ul /* word[1] as given to process_watch, word[2] the exit status */
#define NOTIFY_INTERRUPT 0xffffffff00000003ul /* word[1]: the reply number of a call whose caller was interrupted or killed (LISTENER_INTERRUPTS) */

/*
 * Calls that the kernel itself makes on behalf of description_read and _write of a service.
 * word[0] op, word[1] offset (cursor or explicit, -1 for none), word[2] length, word[3] the description's flags.
 * READ: the reply's range holds the bytes. WRITE: the send range holds them; reply word[0] is the count taken.
 * In each reply word[0] < 0 is an error. Numbers are part of the file protocol (user/include/carillon/file_protocol.h).
 */
#define SERVICE_READ 1u
#define SERVICE_WRITE 2u
#endif
