/*
 * Select: one send or receive out of many, on packet channels, with Go's meaning: uniformly random among those that are possible; a closed channel is
 * possible (with its error), HANDLE_NONE never; sends and receives may be mixed. It is in the kernel because the other side may be a select too: two that could meet
 * on an unbuffered channel must find each other, and each must end by one case only, which no readiness that user space is told can make so.
 *
 * First everything is looked at without joining any list; one call sees all cases whose end is not `quiet` and tries these in random order as plain calls that do
 * not wait. So nothing is allocated, and no word contended, when something is possible. If nothing is, the cases that send get their packets, the claim word
 * is opened, and the channels are visited one after the other, each under its own lock only: a match there and then, or a place among those who wait
 * there. Then the thread sleeps until its word is won. Rules of words and lists: packet.h.
 *
 * A prepared select keeps its channels, the address of its messages and places in the lists from its making on. Its hints tell which cases to look at, so a
 * wait costs what has happened, not what is registered; only cases on unbuffered channels are looked at each time. It holds its ends, and cannot travel in
 * messages: so it is in no cycle of channels.
 * Model: tests/model/select.pml.
 */
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/packet.h"
#include "kernel/obj/process.h"
#include "kernel/obj/random.h"

#define WORDS(count) (((count) + 63) / 64)
#define FEW 6u /* cases whose records lie on the stack */
#define NOTHING (-1)

struct choice {
	struct waiter waiter;      /* packet: as in packet.h */
	struct object *object;     /* the end, referenced; NULL: never */
	struct packet *moved;      /* a reference of our own to a packet whose handles move */
	user_t message;
	bool sends, nesting, begun;
};
struct selection {
	struct select select;
	struct choice *choice;
	unsigned count;
	bool prepared;             /* the waiters are in the lists all the time */
};
struct prepared {
	struct object object;
	struct selection selection;
	uint64_t hints[WORDS(SELECT_CASES_MAX)];
	struct choice choice[];
};

static struct channel *choice_channel(const struct choice *choice)
{
	return channel_end_of_object(choice->object)->channel;
}

/* --- chance --- */

/* xorshift64*: which of several possible cases; nothing secret. */
static uint64_t chance(void)
{
	static uint64_t state;
	uint64_t x = __atomic_load_n(&state, __ATOMIC_RELAXED);
	if (!x) {
		random_fill(&x, sizeof(x));
		x |= 1;
	}
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	__atomic_store_n(&state, x, __ATOMIC_RELAXED);
	return x * 0x2545f4914f6cdd1dull >> 32;
}

/* Takes one of the `count` bits that are set, each with the same chance. */
static unsigned pick(uint64_t *bits, unsigned count)
{
	unsigned skip = 0;
	if (count > 1)
		skip = (unsigned)(chance() * count >> 32);
	else if (bits[0])
		return (unsigned)__builtin_ctzll(bits[0]);
	for (unsigned word = 0;; word++) {
		unsigned here = 0;
		for (uint64_t left = bits[word]; left; left &= left - 1, here++) {
			if (here == skip) {
				bits[word] &= ~(left & -left);
				return word * 64 + (unsigned)__builtin_ctzll(left);
			}
		}
		skip -= here;
	}
}

/* --- looking round --- */

/*
 * Marks the cases at which something may be possible. Most of a select's time, so it is eight instructions a case: a table's capacity is a power of two, and a
 * number is only masked by it. One that is no high handle is thus taken for another's, which may hide or show it here; it is found to be wrong when it
 * is tried, or when nothing was possible (cases_check). The hint is read as plain memory, to be one comparison. Returns how many are marked.
 */
static __attribute__((noinline, no_sanitize("thread"))) unsigned scan(const struct select_case *cases, unsigned count, uint64_t *bits)
{
	struct handle_table *table = process_current()->handles.table[1];
	unsigned found = 0;
	spin_lock(&table->lock);
	const struct handle_slot *slots = table->slots;
	const uint64_t mask = (uint64_t)table->capacity - 1;
	const struct select_case *end = slots ? cases + count : cases;
#pragma GCC unroll 8
	for (const struct select_case *one = cases; one != end; one++) {
		const struct object *object = slots[(uint64_t)one->channel & mask].object;
		if (object && object->quiet)
			continue;
		uint64_t index = (uint64_t)(one - cases);
		bits[index / 64] |= 1ull << index % 64;
		found++;
	}
	spin_unlock(&table->lock);
	return found;
}

/* The end that a case names, referenced. */
static int end_lookup(handle_t handle, struct object **object)
{
	uint32_t rights;
	int error = handle < HANDLE_HIGH ? -EBADF : handle_lookup_rights(handle, KIND_NONE, 0, object, &rights);
	if (error)
		return error;
	enum object_kind kind = (*object)->operations->kind;
	if ((kind != KIND_SENDER && kind != KIND_RECEIVER) || !channel_end_of_object(*object)->channel->packets)
		error = -EINVAL;
	else if (!(rights & (kind == KIND_SENDER ? RIGHT_SEND : RIGHT_RECEIVE)))
		error = -EACCES;
	if (error)
		object_unref(*object);
	return error;
}

/* Writes a case's status, which a packet that was received has already brought. Returns the index, or -EFAULT. */
static int64_t case_tell(unsigned index, user_t message, int32_t status)
{
	return copy_to_user(message + offsetof(struct message, reply_status), &status, sizeof(status)) ? -EFAULT : (int64_t)index;
}

/* A plain send or receive that does not wait. The index if that is how the select ended, -EFAULT, or NOTHING. */
static int64_t case_try(unsigned index, struct object *end, user_t message)
{
	struct channel *channel = channel_end_of_object(end)->channel;
	bool sends = end->operations->kind == KIND_SENDER;
	int status = sends ? packet_send(channel, message, true, 0) : packet_receive(channel, message, true, 0);
	if (status == -EAGAIN)
		return NOTHING;
	return status || sends ? case_tell(index, message, status) : index;
}

static user_t message_at(user_t messages, unsigned index)
{
	return messages + index * sizeof(struct message);
}

/* Nothing was possible, and nobody waits: what a handle that is none gives, or that the time is over. */
static int64_t cases_check(const struct select_case *cases, unsigned count, user_t messages)
{
	for (unsigned i = 0; i < count; i++) {
		struct object *end;
		int error = cases[i].channel == HANDLE_NONE ? -EAGAIN : end_lookup(cases[i].channel, &end);
		if (!error)
			object_unref(end);
		else if (error != -EAGAIN)
			return case_tell(i, message_at(messages, i), error);
	}
	return -ETIMEDOUT;
}

static int64_t look(const struct select_case *cases, unsigned count, user_t messages)
{
	uint64_t bits[WORDS(SELECT_CASES_MAX)] = { 0 };
	for (unsigned left = scan(cases, count, bits); left; left--) {
		struct object *end;
		unsigned index = pick(bits, left);
		if (cases[index].channel == HANDLE_NONE)
			continue;
		int error = end_lookup(cases[index].channel, &end);
		if (error)
			return case_tell(index, message_at(messages, index), error);
		int64_t result = case_try(index, end, message_at(messages, index));
		object_unref(end);
		if (result != NOTHING)
			return result;
	}
	return NOTHING;
}

/* --- waiting --- */

static void choice_lock(const struct choice *choice)
{
	if (choice->nesting)
		spin_lock(&channel_nesting_lock);
	spin_lock(&choice_channel(choice)->lock);
}

static void choice_unlock(const struct choice *choice)
{
	spin_unlock(&choice_channel(choice)->lock);
	if (choice->nesting)
		spin_unlock(&channel_nesting_lock);
}

static struct list *choice_list(const struct choice *choice)
{
	return choice->sends ? &choice_channel(choice)->senders : &choice_channel(choice)->receivers;
}

/* What a case that sends offers. */
static int choice_load(struct choice *choice)
{
	struct message message;
	if (copy_from_user(&message, choice->message, sizeof(message)))
		return -EFAULT;
	int error = packet_make(&message, &choice->waiter.packet);
	if (error)
		return error;
	choice->nesting = choice->waiter.packet->handle_count;
	if (choice->waiter.packet->move) {
		choice->moved = choice->waiter.packet;
		choice->moved->references++;
	}
	return 0;
}

/* Drops what a case has left; taken: its packet was. */
static void choice_unload(struct choice *choice, bool taken)
{
	if (choice->sends) {
		packet_unref(choice->waiter.packet);
		if (choice->moved && taken)
			packet_sent(choice->moved);
		else
			packet_unref(choice->moved);
	}
	choice->waiter.packet = NULL;
	choice->moved = NULL;
	choice->nesting = false;
}

/* Is the hint of a case on a buffered channel right? */
static void choice_settle(const struct prepared *prepared, struct choice *choice)
{
	struct channel *channel = choice_channel(choice);
	unsigned index = choice->waiter.index;
	if (!channel->capacity)
		return;
	spin_lock(&channel->lock);
	if (choice->object->quiet)
		__atomic_fetch_and(&prepared->selection.select.hints[index / 64], ~(1ull << index % 64), __ATOMIC_SEQ_CST);
	spin_unlock(&channel->lock);
}

/* The word is open. PACKET_WAIT, PACKET_LOST, or how the select ended here. */
static int choice_visit(struct selection *selection, struct choice *choice)
{
	struct channel *channel = choice_channel(choice);
	struct waiter *waiter = &choice->waiter;
	struct packet *came;
	int result;
	choice_lock(choice);
	if (!choice->sends) {
		result = packet_accept_locked(channel, UINT64_MAX, &selection->select, true, waiter->index, &came);
		if (!result)
			waiter->packet = came;
	} else {
		result = waiter->packet ? packet_offer_locked(channel, waiter->packet, &selection->select, true, waiter->index) : PACKET_LOST;
		if (!result)
			waiter->packet = NULL;
	}
	if (result == PACKET_WAIT && !(choice->sends && !waiter->packet)) {
		if (!selection->prepared)
			list_add_last(choice_list(choice), &waiter->link);
		packet_wait_begin_locked(channel, waiter, choice->sends);
		choice->begun = true;
	}
	choice_unlock(choice);
	return result;
}

static void choice_leave(struct selection *selection, struct choice *choice)
{
	choice_lock(choice);
	if (!selection->prepared)
		list_remove(&choice->waiter.link);
	packet_wait_end_locked(choice_channel(choice), &choice->waiter, choice->sends);
	choice->begun = false;
	choice_unlock(choice);
}

/* Is it necessary to visit this case? */
static bool choice_calls(const struct selection *selection, unsigned index)
{
	const struct choice *choice = &selection->choice[index];
	if (!choice->object)
		return false;
	return !selection->prepared || choice->nesting || __atomic_load_n(&selection->select.hints[index / 64], __ATOMIC_SEQ_CST) & 1ull << index % 64;
}

/* Waits until the select is won: the case and its *status, or an error of the call (-ETIMEDOUT, -EINTR). Word closed before and after. */
static int64_t selection_wait(struct selection *selection, uint64_t deadline, int *status)
{
	struct select *select = &selection->select;
	int result = PACKET_WAIT, error = 0;
	__atomic_store_n(&select->claim, CLAIM_FREE, __ATOMIC_SEQ_CST);
	for (unsigned i = 0; i < selection->count && result == PACKET_WAIT; i++)
		if (choice_calls(selection, i))
			result = choice_visit(selection, &selection->choice[i]);
	if (result == PACKET_WAIT)
		error = select_sleep(select, deadline);
	uint32_t claim = select_close(select);
	for (unsigned i = 0; i < selection->count; i++)
		if (selection->choice[i].begun)
			choice_leave(selection, &selection->choice[i]);
	if (claim < CLAIM_WON)
		return error;
	struct choice *choice = &selection->choice[claim - CLAIM_WON];
	/* whoever has won it has done with this memory when the channel's lock is free */
	int closed = packet_closed_error(choice_channel(choice));
	if (result == PACKET_WAIT || result == PACKET_LOST)
		*status = (choice->waiter.packet != NULL) == choice->sends ? closed : 0;
	else
		*status = result;
	return claim - CLAIM_WON;
}

static int choice_receive(struct choice *choice)
{
	struct message message;
	struct packet *packet = choice->waiter.packet;
	choice->waiter.packet = NULL;
	if (!copy_from_user(&message, choice->message, sizeof(message)))
		return packet_deliver(choice_channel(choice), packet, &message, choice->message);
	packet_return(choice_channel(choice), packet);
	return -EFAULT;
}

/* All of a select that found nothing possible: the index of the case by which it ended, or an error of the call. */
static int64_t selection_run(struct selection *selection, uint64_t deadline)
{
	int status = 0;
	int64_t index = NOTHING;
	for (unsigned i = 0; i < selection->count && index == NOTHING; i++) {
		struct choice *choice = &selection->choice[i];
		choice->begun = false;
		if (choice->object && choice->sends)
			status = choice_load(choice);
		if (status)
			index = i;
	}
	bool loaded = index == NOTHING;
	if (loaded)
		index = selection_wait(selection, deadline, &status);
	if (loaded && index >= 0 && !status && !selection->choice[index].sends)
		status = choice_receive(&selection->choice[index]);
	for (unsigned i = 0; i < selection->count; i++)
		choice_unload(&selection->choice[i], i == index && !status);
	return index < 0 ? index : case_tell((unsigned)index, selection->choice[index].message, status);
}

/* --- the calls --- */

/* Opens the cases. 0, or the error of case *failed. */
static int selection_open(struct selection *selection, const struct select_case *cases, user_t messages, unsigned *failed)
{
	for (unsigned i = 0; i < selection->count; i++) {
		struct choice *choice = &selection->choice[i];
		*choice = (struct choice){ .waiter = { .select = &selection->select, .index = i }, .message = message_at(messages, i) };
		list_init(&choice->waiter.link);
		int error = cases[i].channel == HANDLE_NONE ? 0 : end_lookup(cases[i].channel, &choice->object);
		if (error) {
			choice->object = NULL;
			selection->count = i;
			*failed = i;
			return error;
		}
		choice->sends = choice->object && choice->object->operations->kind == KIND_SENDER;
	}
	return 0;
}

static void selection_close(struct selection *selection)
{
	for (unsigned i = 0; i < selection->count; i++)
		object_unref(selection->choice[i].object);
}

static __attribute__((noinline)) int64_t select_wait(const struct select_case *cases, unsigned count, user_t messages, uint64_t deadline)
{
	struct choice few[FEW];
	struct selection selection = { .choice = few, .count = count };
	unsigned failed;
	if (count > FEW)
		selection.choice = heap_alloc(count * sizeof(struct choice));
	if (!selection.choice)
		return -ENOMEM;
	select_begin(&selection.select);
	int error = selection_open(&selection, cases, messages, &failed);
	int64_t result = error ? case_tell(failed, message_at(messages, failed), error) : selection_run(&selection, deadline);
	selection_close(&selection);
	if (count > FEW)
		heap_free(selection.choice, count * sizeof(struct choice));
	return result;
}

int64_t sys_channel_select(user_t user_cases, user_t messages, uint64_t count, uint64_t deadline)
{
	struct select_case cases[SELECT_CASES_MAX];
	if (count > SELECT_CASES_MAX)
		return -EINVAL;
	if (count && copy_from_user(cases, user_cases, count * sizeof(*cases)))
		return -EFAULT;
	int64_t result = look(cases, (unsigned)count, messages);
	if (result != NOTHING)
		return result;
	return deadline ? select_wait(cases, (unsigned)count, messages, deadline) : cases_check(cases, (unsigned)count, messages);
}

static void prepared_destroy(struct object *object)
{
	struct prepared *prepared = container_of(object, struct prepared, object);
	unsigned count = prepared->selection.count;
	for (unsigned i = 0; i < count; i++) {
		struct choice *choice = &prepared->choice[i];
		if (!choice->object)
			continue;
		struct channel *channel = choice_channel(choice);
		spin_lock(&channel->lock);
		list_remove(&choice->waiter.link);
		packet_quiet_locked(channel);
		spin_unlock(&channel->lock);
	}
	selection_close(&prepared->selection);
	heap_free(prepared, sizeof(*prepared) + count * sizeof(struct choice));
}

static const struct object_operations prepared_operations = { .kind = KIND_SELECT, .name = "select", .destroy = prepared_destroy };

static void prepared_join(struct prepared *prepared)
{
	for (unsigned i = 0; i < prepared->selection.count; i++) {
		struct choice *choice = &prepared->choice[i];
		if (!choice->object)
			continue;
		struct channel *channel = choice_channel(choice);
		spin_lock(&channel->lock);
		list_add_last(choice_list(choice), &choice->waiter.link);
		packet_quiet_locked(channel);
		spin_unlock(&channel->lock);
		__atomic_fetch_or(&prepared->hints[i / 64], 1ull << i % 64, __ATOMIC_SEQ_CST);
	}
}

int64_t sys_channel_select_create(user_t user_cases, user_t messages, uint64_t count)
{
	struct select_case cases[SELECT_CASES_MAX];
	unsigned failed;
	if (count > SELECT_CASES_MAX)
		return -EINVAL;
	if (count && copy_from_user(cases, user_cases, count * sizeof(*cases)))
		return -EFAULT;
	uint64_t size = sizeof(struct prepared) + count * sizeof(struct choice);
	struct prepared *prepared = heap_alloc(size);
	if (!prepared)
		return -ENOMEM;
	prepared->selection = (struct selection){ .choice = prepared->choice, .count = (unsigned)count, .prepared = true };
	select_begin(&prepared->selection.select);
	prepared->selection.select.claim = CLAIM_IDLE;
	prepared->selection.select.hints = prepared->hints;
	int error = selection_open(&prepared->selection, cases, messages, &failed);
	if (error) {
		selection_close(&prepared->selection);
		heap_free(prepared, size);
		return error;
	}
	prepared_join(prepared);
	object_init(&prepared->object, &prepared_operations);
	return handle_install_new(&prepared->object, RIGHT_RECEIVE | RIGHT_MANAGE, HANDLE_NOT_COPIED, HANDLE_HIGH);
}

/* One pass over the hints: the case that was done, or NOTHING. */
static int64_t prepared_look(struct prepared *prepared)
{
	unsigned count = prepared->selection.count, left = 0;
	uint64_t bits[WORDS(SELECT_CASES_MAX)];
	for (unsigned word = 0; word < WORDS(count); word++) {
		bits[word] = __atomic_load_n(&prepared->hints[word], __ATOMIC_SEQ_CST);
		for (uint64_t rest = bits[word]; rest; rest &= rest - 1) {
			struct choice *choice = &prepared->choice[word * 64 + (unsigned)__builtin_ctzll(rest)];
			if (__atomic_load_n(&choice->object->quiet, __ATOMIC_RELAXED)) {
				choice_settle(prepared, choice);
				bits[word] &= ~(rest & -rest);
			} else {
				left++;
			}
		}
	}
	for (; left; left--) {
		unsigned index = pick(bits, left);
		struct choice *choice = &prepared->choice[index];
		int64_t result = case_try(index, choice->object, choice->message);
		choice_settle(prepared, choice);
		if (result != NOTHING)
			return result;
	}
	return NOTHING;
}

int64_t sys_channel_select_wait(handle_t handle, uint64_t deadline)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_SELECT, RIGHT_RECEIVE, &object);
	if (error)
		return error;
	struct prepared *prepared = container_of(object, struct prepared, object);
	struct select *select = &prepared->selection.select;
	uint32_t idle = CLAIM_IDLE;
	int64_t result = -EBUSY;
	if (__atomic_compare_exchange_n(&select->claim, &idle, CLAIM_LOOKING, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
		select->thread = thread_current();
		result = prepared_look(prepared);
		if (result == NOTHING)
			result = deadline ? selection_run(&prepared->selection, deadline) : -ETIMEDOUT;
		__atomic_store_n(&select->claim, CLAIM_IDLE, __ATOMIC_SEQ_CST);
	}
	object_unref(object);
	return result;
}
