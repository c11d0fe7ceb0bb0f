/*
 * The server loop; see carillon/server.h.
 *
 * All listeners and sources are entries of one waitset; its words are the indices of source[]. A program with one listener and nothing
 * else never touches the waitset: it answers and waits in one kernel entry, which is the kernel's fast path.
 *
 *        +--> wait (waitset, or the sole listener) --> source: ready() --+
 *        |                                        \-> listener: receive -> handler -> answer and receive the next --+
 *        +------------------------------------------------------------------------------- nothing more at once <--+
 *
 * An entry removed by a handler may still have a result in the batch being handled: entries carry a generation for that.
 */
#include <string.h>
#include "abi/errors.h"
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"

#define BATCH 16
#define MESSAGES_AT_ONCE 64 /* from one listener before others get their turn */

enum source_kind { SOURCE_FREE, SOURCE_LISTENER, SOURCE_OBJECT };

struct source {
	enum source_kind kind;
	uint32_t generation;
	handle_t handle;
	uint32_t events;
	bool waiting; /* has an entry in the waitset */
	const struct server_port_operations *operations;
	void (*ready)(void *context, uint32_t ready);
	void *context;
};

static struct source source[SERVER_SOURCES];
static unsigned source_count;  /* in use */
static handle_t waitset = HANDLE_NONE;
static struct {
	uint64_t deadline;
	void (*expired)(void *context);
	void *context;
} alarm = { .deadline = DEADLINE_NEVER };

static unsigned char request_buffer[MESSAGE_RANGE_MAX] __attribute__((aligned(PAGE_SIZE)));
static unsigned char reply_buffer[MESSAGE_RANGE_MAX] __attribute__((aligned(PAGE_SIZE)));

static uint64_t source_word(unsigned index)
{
	return (uint64_t)source[index].generation << 32 | index;
}

static int source_watch(unsigned index)
{
	struct source *s = &source[index];
	if (waitset == HANDLE_NONE) {
		int64_t created = waitset_create();
		if (created < 0)
			return (int)created;
		waitset = (handle_t)created;
	}
	struct waitset_entry entry = { .events = s->events, .word = source_word(index) };
	int64_t result = waitset_control(waitset, s->waiting ? WAITSET_CHANGE : WAITSET_ADD, s->handle, &entry);
	if (result < 0)
		return (int)result;
	s->waiting = true;
	return 0;
}

static void source_unwatch(struct source *s)
{
	if (s->waiting) {
		struct waitset_entry none = { 0 };
		waitset_control(waitset, WAITSET_REMOVE, s->handle, &none);
		s->waiting = false;
	}
}

static int source_add(const struct source *wanted)
{
	for (unsigned i = 0; i < SERVER_SOURCES; i++) {
		if (source[i].kind != SOURCE_FREE)
			continue;
		uint32_t generation = source[i].generation + 1;
		source[i] = *wanted;
		source[i].generation = generation;
		source[i].waiting = false;
		if (source[i].events != 0) {
			int error = source_watch(i);
			if (error) {
				source[i].kind = SOURCE_FREE;
				return error;
			}
		}
		source_count++;
		return (int)i;
	}
	return -ENOSPC;
}

int server_add_listener(handle_t listener, const struct server_port_operations *operations, void *context)
{
	int index = source_add(&(struct source){
		.kind = SOURCE_LISTENER, .handle = listener, .events = READY_IN, .operations = operations, .context = context });
	return index < 0 ? index : 0;
}

int server_add_source(handle_t handle, uint32_t events, void (*ready)(void *context, uint32_t ready), void *context)
{
	return source_add(&(struct source){ .kind = SOURCE_OBJECT, .handle = handle, .events = events, .ready = ready, .context = context });
}

int server_change_source(int index, uint32_t events)
{
	if (index < 0 || index >= SERVER_SOURCES || source[index].kind != SOURCE_OBJECT)
		return -EINVAL;
	if (source[index].events == events)
		return 0;
	source[index].events = events;
	if (events == 0) {
		source_unwatch(&source[index]);
		return 0;
	}
	return source_watch((unsigned)index);
}

void server_remove_source(int index)
{
	if (index < 0 || index >= SERVER_SOURCES || source[index].kind != SOURCE_OBJECT)
		return;
	source_unwatch(&source[index]);
	source[index].kind = SOURCE_FREE;
	source_count--;
}

void server_set_alarm(uint64_t deadline, void (*expired)(void *context), void *context)
{
	alarm.deadline = deadline;
	alarm.expired = expired;
	alarm.context = context;
}

/* -- requests */

handle_t server_take_handle(struct server_request *request, unsigned index)
{
	if (index >= request->handle_count)
		return HANDLE_NONE;
	handle_t handle = request->handle[index];
	request->handle[index] = HANDLE_NONE;
	return handle;
}

size_t server_reply_bytes(struct server_request *request, const void *data, size_t size)
{
	request->reply_data = data;
	request->reply_size = size < request->room ? size : request->room;
	return request->reply_size;
}

void server_reply_handle(struct server_request *request, handle_t handle, bool move)
{
	if (request->reply_handle_count == MESSAGE_HANDLES)
		server_fail("more than %d handles in a reply", MESSAGE_HANDLES);
	if (move)
		request->reply_move |= 1u << request->reply_handle_count;
	request->reply_handle[request->reply_handle_count++] = handle;
}

uint32_t server_defer(struct server_request *request)
{
	return request->reply;
}

static void handles_close(const handle_t *handle, uint32_t count, uint32_t which)
{
	for (uint32_t i = 0; i < count && i < MESSAGE_HANDLES; i++)
		if ((which & (1u << i)) && handle[i] >= 0)
			handle_close(handle[i]);
}

/*
 * After a reply's result is known: a reply that could not be delivered as it is becomes an error, so that the caller does not wait for ever. The
 * handles are those it was to move.
 */
static int reply_settle(uint32_t reply, const handle_t *handle, uint32_t count, uint32_t move, int status)
{
	if (status >= 0)
		return 0;
	handles_close(handle, count, move);
	if (status != -ESRCH) {
		struct message message = { .word[0] = (uint64_t)(int64_t)(status == -EMSGSIZE ? -EIO : status) };
		port_reply(reply, &message);
	}
	return status;
}

int server_answer_message(uint32_t reply, const struct message *message)
{
	return reply_settle(reply, message->handle, message->handle_count, message->move, (int)port_reply(reply, message));
}

int server_answer(uint32_t reply, int64_t word0, const uint64_t words[MESSAGE_WORDS - 1], const void *data, size_t size)
{
	struct message message = { .word[0] = (uint64_t)word0, .send_address = (uint64_t)data, .send_size = data ? size : 0 };
	if (words)
		memcpy(&message.word[1], words, (MESSAGE_WORDS - 1) * sizeof words[0]);
	return server_answer_message(reply, &message);
}

static void receive_prepare(struct message *message)
{
	message->receive_address = (uint64_t)request_buffer;
	message->receive_size = sizeof request_buffer;
	message->handle_minimum = 0;
	message->reply_status = 0;
}

/* Handles one received message. True: *message is now a reply, to be sent to *reply. */
static bool message_handle(const struct source *s, struct message *message, uint32_t *reply)
{
	if (message->reply == REPLY_NONE) {
		handles_close(message->handle, message->handle_count, ~0u);
		if (message->word[0] == NOTIFY_CLOSE && s->operations->closed)
			s->operations->closed(s->context, message->data);
		else if (message->word[0] == NOTIFY_DEATH && s->operations->death)
			s->operations->death(s->context, message->data, message->word[1], (uint32_t)message->word[2]);
		else if (message->word[0] == NOTIFY_INTERRUPT && s->operations->interrupted)
			s->operations->interrupted(s->context, (uint32_t)message->word[1]);
		return false;
	}
	struct server_request request = {
		.badge = message->badge,
		.port_data = message->data,
		.data = request_buffer,
		.size = message->receive_size < sizeof request_buffer ? message->receive_size : sizeof request_buffer,
		.room = message->room,
		.handle_count = message->handle_count < MESSAGE_HANDLES ? message->handle_count : MESSAGE_HANDLES,
		.reply_buffer = reply_buffer,
		.reply = message->reply,
	};
	memcpy(request.word, message->word, sizeof request.word);
	memcpy(request.handle, message->handle, sizeof request.handle);

	int64_t result = s->operations->request(s->context, &request);

	handles_close(request.handle, request.handle_count, ~0u);
	if (result == SERVER_DEFERRED)
		return false;
	*reply = request.reply;
	message->word[0] = (uint64_t)result;
	message->send_size = 0;
	message->handle_count = 0;
	message->move = 0;
	if (result < 0) { /* whose other words say nothing: they are the caller's own */
		handles_close(request.reply_handle, request.reply_handle_count, request.reply_move);
		return true;
	}
	memcpy(&message->word[1], &request.reply_word[1], sizeof message->word - sizeof message->word[0]);
	message->send_address = (uint64_t)request.reply_data;
	message->send_size = request.reply_size;
	memcpy(message->handle, request.reply_handle, sizeof message->handle);
	message->handle_count = request.reply_handle_count;
	message->move = request.reply_move;
	return true;
}

/* Nothing but one listener to wait for? */
static bool alone(void)
{
	return source_count == 1 && source[0].kind == SOURCE_LISTENER && alarm.deadline == DEADLINE_NEVER;
}

/*
 * Handles messages until none is there at deadline (0 or DEADLINE_NEVER), or MESSAGES_AT_ONCE were handled; waiting for ever ends when there
 * is something else to wait for. Returns how many there were.
 */
static int listener_serve(const struct source *s, uint64_t deadline)
{
	struct message message = { 0 };
	handle_t sent[MESSAGE_HANDLES];
	uint32_t reply = REPLY_NONE;
	int count = 0;
	for (;;) {
		int64_t result;
		bool last = deadline == DEADLINE_NEVER ? !alone() : count >= MESSAGES_AT_ONCE;
		if (reply == REPLY_NONE) {
			if (last)
				return count;
			receive_prepare(&message);
			result = port_receive(s->handle, &message, deadline);
		} else if (last) {
			server_answer_message(reply, &message);
			return count;
		} else {
			uint32_t answered = reply, sent_count = message.handle_count, sent_move = message.move;
			for (uint32_t i = 0; i < sent_count; i++)
				sent[i] = message.handle[i];
			receive_prepare(&message);
			result = port_reply_receive(s->handle, answered, &message, deadline);
			reply_settle(answered, sent, sent_count, sent_move, message.reply_status);
			reply = REPLY_NONE;
		}
		if (result == -ETIMEDOUT || result == -EAGAIN)
			return count;
		if (result < 0) {
			if (result != -EINTR && result != -ENOMEM && result != -EMFILE)
				server_fail("receiving failed: error %d", (int)-result);
			continue;
		}
		count++;
		if (!message_handle(s, &message, &reply))
			reply = REPLY_NONE;
	}
}

static int alarm_check(void)
{
	if (alarm.deadline == DEADLINE_NEVER || (uint64_t)clock_get(CLOCK_MONOTONIC_ID) < alarm.deadline)
		return 0;
	alarm.deadline = DEADLINE_NEVER;
	alarm.expired(alarm.context);
	return 1;
}

int server_step(uint64_t deadline)
{
	struct waitset_result ready[BATCH];
	if (waitset == HANDLE_NONE) {
		int64_t created = waitset_create();
		if (created < 0)
			server_fail("no waitset: error %d", (int)-created);
		waitset = (handle_t)created;
	}
	int64_t count = waitset_wait(waitset, ready, BATCH, alarm.deadline < deadline ? alarm.deadline : deadline);
	if (count < 0 && count != -EINTR && count != -ETIMEDOUT)
		server_fail("waiting failed: error %d", (int)-count);
	int handled = 0;
	for (int64_t i = 0; i < count && i < BATCH; i++) {
		unsigned index = (uint32_t)ready[i].word;
		if (index >= SERVER_SOURCES || source[index].kind == SOURCE_FREE || source_word(index) != ready[i].word)
			continue;
		struct source *s = &source[index];
		if (s->kind == SOURCE_LISTENER) {
			handled += listener_serve(s, 0);
		} else if (s->events != 0) {
			s->ready(s->context, ready[i].ready);
			handled++;
		}
	}
	return handled + alarm_check();
}

_Noreturn void server_run(void)
{
	server_memory_limit(record_value(BOOT_NAME_MEMORY, 0)); /* what was needed to start does not count */
	for (;;) {
		if (alone())
			listener_serve(&source[0], DEADLINE_NEVER);
		else
			server_step(DEADLINE_NEVER);
	}
}
