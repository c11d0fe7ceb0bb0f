/*
 * A server's event loop: requests from listeners, readiness of other objects, all in one thread.
 *
 *   static int64_t handle_request(void *context, struct server_request *request) { ... return result; }
 *   static const struct server_port_operations operations = { .request = handle_request, .closed = handle_closed };
 *   int main(void)
 *   {
 *           server_add_listener(record_handle_required("listener"), &operations, NULL);
 *           server_add_source(interrupt, READY_IN, device_ready, NULL);
 *           server_run();
 *   }
 *
 * A request handler reads request->word[], request->data/size, request->badge, request->port_data and request->handle[], fills
 * request->reply_word[1..], the reply's range and handles, and returns reply word[0] (negative: an error; the rest is then not sent).
 * Or it returns SERVER_DEFERRED after server_defer(request) and answers later with server_answer.
 * Received handles that the handler has not taken (server_take_handle) are closed after it returns.
 * Everything that request points to is valid only until the handler returns; reply bytes given with server_reply_bytes must stay valid
 * until then too (reply_buffer, static data, or a heap object that is not freed before the next request).
 * Handlers run one at a time and must not call server_run.
 */
#ifndef CARILLON_SERVER_H
#define CARILLON_SERVER_H
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include "abi/message.h"
#include "abi/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define SERVER_DEFERRED INT64_MIN

struct server_request {
	uint64_t word[MESSAGE_WORDS];
	uint64_t badge;             /* of the calling process */
	uint64_t port_data;         /* the data word of the client port it called through */
	const unsigned char *data;  /* the request's byte range */
	size_t size;
	size_t room;                /* bytes the caller takes in the reply's range */
	handle_t handle[MESSAGE_HANDLES];
	uint32_t handle_count;

	/* the reply; all zero when the handler starts. word[0] is what the handler returns. */
	uint64_t reply_word[MESSAGE_WORDS];
	const void *reply_data;
	size_t reply_size;
	handle_t reply_handle[MESSAGE_HANDLES];
	uint32_t reply_handle_count;
	uint32_t reply_move;        /* bit i: reply_handle[i] is moved (closed here also when the reply fails) */
	unsigned char *reply_buffer; /* MESSAGE_RANGE_MAX bytes of scratch for the reply's range */

	uint32_t reply;             /* the kernel's number of the reply; used by server_defer */
};

struct server_port_operations {
	int64_t (*request)(void *context, struct server_request *request);
	/* the last reference to the client port with this data word has gone (NOTIFY_CLOSE); may be NULL */
	void (*closed)(void *context, uint64_t port_data);
	/* a watched process died: word and client's data as given to process_watch; may be NULL */
	void (*death)(void *context, uint64_t port_data, uint64_t word, uint32_t status);
	/*
	 * The caller of a call that was received (and perhaps set aside as reply) was interrupted and waits for an early answer, or was killed (NOTIFY_INTERRUPT;
	 * only listeners made with LISTENER_INTERRUPTS). A reply that is no longer known was answered meanwhile. May be NULL.
	 */
	void (*interrupted)(void *context, uint32_t reply);
};

/* Serves a listener; the handle stays with the loop. Up to SERVER_SOURCES listeners and sources together. 0 or a negative error. */
#define SERVER_SOURCES 64
int server_add_listener(handle_t listener, const struct server_port_operations *operations, void *context);
/* Calls ready(context, bits) whenever handle has one of events (level-triggered). Returns a source number >= 0, or a negative error. */
int server_add_source(handle_t handle, uint32_t events, void (*ready)(void *context, uint32_t ready), void *context);
/* Other events for a source (0: none for now). */
int server_change_source(int source, uint32_t events);
/* Forgets a source; the handle is not closed (do that after). May be called from its own handler. */
void server_remove_source(int source);
/* One alarm for the loop: calls expired(context) once at the absolute monotonic time deadline, DEADLINE_NEVER: none. */
void server_set_alarm(uint64_t deadline, void (*expired)(void *context), void *context);
/* Handles requests and sources for ever. */
_Noreturn void server_run(void);
/* One round: waits until deadline for something and handles it. Returns how many things were handled. For programs with their own loop. */
int server_step(uint64_t deadline);

/* Makes the caller the owner of received handle i (or HANDLE_NONE if there is no such one). */
handle_t server_take_handle(struct server_request *request, unsigned index);
/* The reply carries these bytes; cut to the room the caller has. Returns the number of bytes that fit. */
size_t server_reply_bytes(struct server_request *request, const void *data, size_t size);
/* The reply carries this handle; with move it is given away, whatever comes of the reply. At most MESSAGE_HANDLES. */
void server_reply_handle(struct server_request *request, handle_t handle, bool move);

/* Sets the call aside; the handler must then return SERVER_DEFERRED. The number is for exactly one server_answer. Never 0. */
uint32_t server_defer(struct server_request *request);
/*
 * Answers a call that was set aside. Error or result in word0; words (may be NULL) fill word[1..7]; data may be NULL.
 * 0, or -ESRCH when the caller has gone meanwhile (the number is dead in every case).
 */
int server_answer(uint32_t reply, int64_t word0, const uint64_t words[MESSAGE_WORDS - 1], const void *data, size_t size);
/* The general form: message->word, send_*, handle* and move as port_reply takes them. */
int server_answer_message(uint32_t reply, const struct message *message);

/*
 * A successor's first step (user/init/servers.c): closes every handle of the table it took over but those of its record and keep[0..count), which is
 * sorted by this. On a first start there are no others.
 */
void server_sweep(handle_t *keep, size_t count);

/* -- calling other servers */
/*
 * Calls client with words word[0..count) and an optional range each way. Returns reply word[0] or the negative error of the call.
 * reply (may be NULL) gets the whole message as it came back; received handles belong to the caller, and are closed when reply is NULL.
 */
int64_t server_call(handle_t client, const uint64_t *word, unsigned count, const void *data, size_t size, void *buffer, size_t room,
	struct message *reply);

#ifdef __cplusplus
}
#endif
#endif
