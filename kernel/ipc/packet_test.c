/*
 * Packet channels through their system calls: random sends and receives that do not block against a queue of what was sent, handles included, with
 * small rooms, bad addresses and failing allocations. With "threads", senders and receivers that block, and in half of the rounds are interrupted, on buffered
 * and unbuffered channels: a packet whose send returned 0 arrives exactly once, one whose send failed never.
 * host-test: kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 * host-threads: kernel/ipc/packet.c kernel/ipc/stream.c kernel/ipc/channel.c kernel/ipc/segment.c kernel/ipc/message.c kernel/obj/handle.c kernel/obj/handle_call.c kernel/obj/budget.c kernel/core/share.c tests/host/shim.c tests/host/objects.c tests/host/task.c tests/host/channels.c
 */
#include <sched.h>
#include <string.h>
#include "kernel/calls.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "shim.h"
#include "task.h"

#define BYTES_MOST 300u
#define TOKENS 5
#define DEPTH 12u

static struct process *process;
static struct channel_ends ends, inner;  /* handles; inner: of another channel, to be sent */
static uint64_t capacity;
static bool failing;

/* --- things to send --- */
struct token { struct object object; bool gone; };
static struct token token[TOKENS];
static void token_destroy(struct object *object)
{
	container_of(object, struct token, object)->gone = true;
}
static const struct object_operations token_operations = { .kind = KIND_EVENT, .name = "token", .destroy = token_destroy };

static handle_t token_handle(unsigned i, uint32_t rights)
{
	object_ref(&token[i].object);
	return (handle_t)handle_install_new(&token[i].object, rights, 0, HANDLE_HIGH);
}

static bool handle_there(handle_t handle)
{
	struct object *object;
	if (handle_lookup(handle, KIND_NONE, 0, &object))
		return false;
	object_unref(object);
	return true;
}

/* --- the model --- */
struct sent { uint64_t word[MESSAGE_WORDS]; uint8_t bytes[BYTES_MOST]; uint32_t size, count, rights[MESSAGE_HANDLES]; struct object *object[MESSAGE_HANDLES]; };
static struct sent queue[DEPTH];
static unsigned queued;
static bool sender_there, receiver_there;

static void send_one(void)
{
	static uint8_t bytes[BYTES_MOST];
	struct sent sent = { .size = shim_below(3) ? shim_below(BYTES_MOST) : 0, .count = shim_below(3) ? 0 : 1 + (uint32_t)shim_below(MESSAGE_HANDLES) };
	struct message message = { .send_address = user_of(bytes), .send_size = sent.size, .handle_count = sent.count, .move = (uint32_t)shim_below(16) };
	bool bad = shim_below(20) == 0 && sent.size, channel_end = false, right_missing = false;
	int64_t saved = shim_fail_in;
	shim_fail_in = -1;
	for (unsigned i = 0; i < MESSAGE_WORDS; i++)
		message.word[i] = sent.word[i] = shim_random();
	for (unsigned i = 0; i < sent.size; i++)
		bytes[i] = sent.bytes[i] = (uint8_t)shim_random();
	for (unsigned i = 0; i < sent.count; i++) {
		unsigned t = shim_below(TOKENS);
		sent.rights[i] = RIGHT_READ | RIGHT_TRANSFER | (shim_below(4) ? RIGHT_DUPLICATE : 0);
		sent.object[i] = &token[t].object;
		message.handle[i] = token_handle(t, sent.rights[i]);
	}
	if (sent.count && receiver_there && shim_below(12) == 0) { /* the channel's own receiver: refused, a cycle */
		channel_end = true;
		(void)sys_handle_close(message.handle[0]);
		message.handle[0] = ends.receiver;
		message.move &= ~1u;
	}
	for (unsigned i = channel_end; i < sent.count; i++)
		right_missing |= !(sent.rights[i] & RIGHT_DUPLICATE) && !(message.move & 1u << i);
	shim_fail_in = saved;
	if (bad)
		message.send_address = 16;
	int64_t result = sys_channel_send(ends.sender, user_of(&message), CHANNEL_NON_BLOCKING, DEADLINE_NEVER);
	if (result == -ENOMEM)
		CHECK(failing);
	else if (bad)
		CHECK(result == -EFAULT);
	else if (right_missing)
		CHECK(result == -EACCES);
	else if (!receiver_there)
		CHECK(result == -EPIPE);
	else if (channel_end)
		CHECK(result == -ELOOP);
	else if (queued >= max(capacity, 1ul) || !capacity)
		CHECK(result == -EAGAIN);
	else
		CHECK(result == 0);
	shim_fail_in = -1;
	for (unsigned i = 0; i < sent.count; i++) {
		if (channel_end && i == 0)
			continue;
		bool moved = !result && message.move & 1u << i;
		CHECK(handle_there(message.handle[i]) == !moved);
		if (!moved)
			(void)sys_handle_close(message.handle[i]);
	}
	if (!result)
		queue[queued++] = sent;
}

static void receive_one(void)
{
	static uint8_t bytes[BYTES_MOST];
	struct sent *first = &queue[0];
	uint64_t room = shim_below(4) ? BYTES_MOST : shim_below(BYTES_MOST);
	bool bad = shim_below(20) == 0;
	struct message message = { .receive_address = bad ? 16 : user_of(bytes), .receive_size = room };
	memset(bytes, 0, sizeof(bytes));
	int64_t result = sys_channel_receive(ends.receiver, user_of(&message), CHANNEL_NON_BLOCKING, DEADLINE_NEVER);
	if (!queued) {
		CHECK(result == (sender_there ? -EAGAIN : -EPIPE));
		return;
	}
	if (room < first->size) {
		CHECK(result == -EMSGSIZE);
		return;
	}
	if (bad && first->size) {
		CHECK(result == -EFAULT);
		return;
	}
	if (result == -ENOMEM) {
		CHECK(failing);
		return;
	}
	CHECK(result == 0 && message.receive_size == first->size && message.handle_count == first->count);
	CHECK(!memcmp(message.word, first->word, sizeof(message.word)) && !memcmp(bytes, first->bytes, first->size));
	for (unsigned i = 0; i < MESSAGE_HANDLES; i++) {
		struct object *object;
		uint32_t rights;
		if (i >= first->count) {
			CHECK(message.handle[i] == HANDLE_NONE);
			continue;
		}
		CHECK(!handle_lookup_rights(message.handle[i], KIND_NONE, 0, &object, &rights) && object == first->object[i] && rights == first->rights[i]);
		object_unref(object);
		(void)sys_handle_close(message.handle[i]);
	}
	queued--;
	memmove(queue, queue + 1, queued * sizeof(*queue));
}

/* A receiver in a channel keeps its own alive; that of a channel which holds receivers is refused. */
static void nest(void)
{
	CHECK(!sys_channel_create(CHANNEL_PACKET, 4, user_of(&inner)));
	struct message message = { .handle = { inner.receiver }, .handle_count = 1, .move = 1 };
	if (queued < capacity && receiver_there) {
		CHECK(!sys_channel_send(ends.sender, user_of(&message), CHANNEL_NON_BLOCKING, DEADLINE_NEVER));
		/* now ends' channel holds a receiver: its own may not go into another */
		struct message other = { .handle = { ends.receiver }, .handle_count = 1 };
		CHECK(sys_channel_send(inner.sender, user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER) == -ELOOP);
		other.handle_count = 0;
		CHECK(!sys_channel_send(inner.sender, user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER));
		static uint8_t bytes[BYTES_MOST];
		while (queued--) {
			struct message drop = { .receive_address = user_of(bytes), .receive_size = BYTES_MOST };
			CHECK(!sys_channel_receive(ends.receiver, user_of(&drop), CHANNEL_NON_BLOCKING, DEADLINE_NEVER));
			for (unsigned i = 0; i < drop.handle_count; i++)
				(void)sys_handle_close(drop.handle[i]);
		}
		queued = 0;
		struct message back = { .word = { 0 } };
		if (shim_below(2)) {
			CHECK(!sys_channel_receive(ends.receiver, user_of(&back), CHANNEL_NON_BLOCKING, DEADLINE_NEVER) && back.handle_count == 1);
			CHECK(!sys_channel_receive(back.handle[0], user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER));
			other = (struct message){ .handle = { ends.receiver }, .handle_count = 1 }; /* it holds none any more */
			CHECK(!sys_channel_send(inner.sender, user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER));
			(void)sys_handle_close(back.handle[0]);
			CHECK(sys_channel_send(inner.sender, user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER) == -EPIPE);
		} else { /* the end goes with the channel that holds it */
			(void)sys_handle_close(ends.receiver);
			receiver_there = false;
			CHECK(sys_channel_send(inner.sender, user_of(&other), CHANNEL_NON_BLOCKING, DEADLINE_NEVER) == -EPIPE);
		}
	} else {
		(void)sys_handle_close(inner.receiver);
	}
	(void)sys_handle_close(inner.sender);
}

static void run_random(void)
{
	for (unsigned round = 0, rounds = shim_rounds(100); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		for (unsigned i = 0; i < TOKENS; i++) {
			token[i].gone = false;
			object_init(&token[i].object, &token_operations);
		}
		capacity = shim_below(8) ? 1 + shim_below(DEPTH) : 0;
		queued = 0;
		CHECK(!sys_channel_create(CHANNEL_PACKET, capacity, user_of(&ends)));
		sender_there = receiver_there = true;
		for (unsigned n = 0; n < 150; n++) {
			failing = shim_below(4) == 0;
			shim_fail_in = failing ? (int64_t)shim_below(4) : -1;
			if (sender_there && shim_below(2))
				send_one();
			else if (receiver_there)
				receive_one();
			shim_fail_in = -1;
			if (n > 120 && sender_there && receiver_there && shim_below(50) == 0) {
				bool which = shim_below(2);
				(void)sys_handle_close(which ? ends.sender : ends.receiver);
				*(which ? &sender_there : &receiver_there) = false;
			}
		}
		if (sender_there && receiver_there && shim_below(2))
			nest();
		if (sender_there)
			(void)sys_handle_close(ends.sender);
		if (receiver_there)
			(void)sys_handle_close(ends.receiver);
		task_end();
		task_process_free(process);
		for (unsigned i = 0; i < TOKENS; i++) {
			CHECK(token[i].object.references == 1 && !token[i].gone);
			object_unref(&token[i].object);
		}
		CHECK(shim_heap_used() == 0 && shim_pages_used() == 0);
	}
}

/* --- threads --- */

#define SENDERS 3
#define RECEIVERS 2
#define EACH 300u
static uint8_t sent_result[SENDERS][EACH]; /* 1: send returned 0 */
static uint32_t received[SENDERS][EACH], senders_left;
static bool calm; /* nobody is interrupted and everybody blocks: a lost wake-up is a hang */

static void send_many(unsigned sender)
{
	uint8_t bytes[40] = { 0 };
	for (uint32_t n = 0; n < EACH; n++) {
		handle_t handle = token_handle(sender, RIGHT_READ | RIGHT_TRANSFER);
		struct message message = { .word = { sender, n }, .send_address = user_of(bytes), .send_size = shim_below(40),
			.handle = { handle }, .handle_count = 1, .move = 1 };
		int64_t result = sys_channel_send(ends.sender, user_of(&message), calm || shim_below(4) ? 0 : CHANNEL_NON_BLOCKING, DEADLINE_NEVER);
		CHECK(result == 0 || (!calm && (result == -EINTR || result == -EAGAIN)));
		if (result == -EINTR)
			task_calm();
		if (result)
			CHECK(!sys_handle_close(handle));
		sent_result[sender][n] = result == 0;
	}
	if (__atomic_sub_fetch(&senders_left, 1, __ATOMIC_ACQ_REL) == 0)
		(void)sys_handle_close(ends.sender);
}

static void receive_many(void)
{
	uint8_t bytes[40];
	for (;;) {
		bool bad = shim_below(10) == 0;
		struct message message = { .receive_address = bad ? 16 : user_of(bytes), .receive_size = shim_below(4) ? 40 : 20 };
		int64_t result = sys_channel_receive(ends.receiver, user_of(&message), calm || shim_below(4) ? 0 : CHANNEL_NON_BLOCKING, DEADLINE_NEVER);
		if (result == -EPIPE)
			return;
		CHECK(result == 0 || result == -EINTR || result == -EAGAIN || result == -EMSGSIZE || (bad && result == -EFAULT));
		if (result == -EINTR)
			task_calm();
		if (result) {
			sched_yield();
			continue;
		}
		CHECK(message.handle_count == 1 && !sys_handle_close(message.handle[0]) && message.word[0] < SENDERS && message.word[1] < EACH);
		__atomic_add_fetch(&received[message.word[0]][message.word[1]], 1, __ATOMIC_RELAXED);
	}
}

static void work(unsigned number)
{
	if (number < SENDERS)
		send_many(number);
	else
		receive_many();
}

static void run_threads(void)
{
	for (unsigned round = 0, rounds = shim_rounds(8); round < rounds; round++) {
		shim_seed(round);
		process = task_process();
		task_start(process);
		for (unsigned i = 0; i < TOKENS; i++)
			object_init(&token[i].object, &token_operations);
		memset(received, 0, sizeof(received));
		senders_left = SENDERS;
		capacity = round % 2 ? 1 + shim_below(4) : 0;
		CHECK(!sys_channel_create(CHANNEL_PACKET, capacity, user_of(&ends)));
		calm = round % 4 < 2;
		task_threads(process, SENDERS + RECEIVERS, 4, !calm, work);
		for (unsigned s = 0; s < SENDERS; s++)
			for (unsigned n = 0; n < EACH; n++)
				CHECK(received[s][n] == sent_result[s][n]);
		(void)sys_handle_close(ends.receiver);
		CHECK(handle_table_count(&process->handles) == 0); /* moved handles have gone */
		task_end();
		task_process_free(process);
		for (unsigned i = 0; i < TOKENS; i++)
			CHECK(token[i].object.references == 1);
		CHECK(shim_heap_used() == 0);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "threads"))
		run_threads();
	else
		run_random();
	return 0;
}
