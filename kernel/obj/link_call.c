/* Links: calls 180-189. Here messages are decoded and handles looked up and installed; link.c does the rest. */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/link_private.h"
#include "kernel/obj/process.h"

#define PIECES_ON_STACK 8
#define TRANSFER_MAX 0x7ffff000ul
#define SEND_OPTIONS (LINK_NON_BLOCKING | LINK_URGENT)
#define RECEIVE_OPTIONS (LINK_NON_BLOCKING | LINK_PEEK | LINK_WAIT_ALL | LINK_BY_SENDER | LINK_CLOSE_ON_EXEC | LINK_URGENT)

/* A link by its handle, referenced. A missing right is EBADF, as for reads and writes. */
static int link_lookup(handle_t handle, uint32_t rights, struct description **description)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, rights, &object);
	if (error)
		return error == -EACCES ? -EBADF : error;
	*description = description_of_object(object);
	if ((*description)->kind == DESCRIPTION_LINK)
		return 0;
	object_unref(object);
	return -EINVAL;
}

struct pieces { struct io_vector few[PIECES_ON_STACK], *vector; unsigned count; uint64_t total; };

static void pieces_end(struct pieces *pieces)
{
	if (pieces->vector != pieces->few)
		heap_free(pieces->vector, pieces->count * sizeof(*pieces->vector));
}

static int pieces_load(struct pieces *pieces, const struct link_message *message)
{
	pieces->vector = pieces->few;
	pieces->count = (unsigned)message->count;
	pieces->total = 0;
	if (message->count > IO_VECTOR_MAX)
		return -EMSGSIZE;
	if (message->count > PIECES_ON_STACK) {
		pieces->vector = heap_alloc(message->count * sizeof(*pieces->vector));
		if (!pieces->vector)
			return -ENOMEM;
	}
	int error = message->count && copy_from_user(pieces->vector, message->vector, message->count * sizeof(*pieces->vector)) ? -EFAULT : 0;
	for (unsigned i = 0; !error && i < pieces->count; i++) {
		struct io_vector *piece = &pieces->vector[i];
		if ((int64_t)piece->length < 0)
			error = -EINVAL;
		piece->length = min(piece->length, TRANSFER_MAX - pieces->total);
		pieces->total += piece->length;
	}
	if (error)
		pieces_end(pieces);
	return error;
}

/* --- sending --- */

/* The caller's low handles, referenced. Each must be transferable. */
static int handles_take(const struct link_message *message, struct carried_handle **result)
{
	*result = NULL;
	if (!message->handle_count)
		return 0;
	if (message->handle_count > LINK_HANDLES)
		return -EINVAL;
	struct carried_handle *handles = heap_alloc(message->handle_count * sizeof(*handles));
	if (!handles)
		return -ENOMEM;
	int error = 0;
	unsigned count = 0;
	while (!error && count < message->handle_count) {
		int32_t number;
		struct carried_handle *carried = &handles[count];
		error = copy_from_user(&number, message->handles + count * sizeof(number), sizeof(number)) ? -EFAULT : 0;
		if (!error)
			error = number < 0 || number >= HANDLE_HIGH ? -EBADF :
				handle_lookup_rights(number, KIND_NONE, RIGHT_TRANSFER | RIGHT_DUPLICATE, &carried->object, &carried->rights);
		if (!error)
			count++;
	}
	if (!error) {
		*result = handles;
		return 0;
	}
	message_drop_handles(handles, count);
	heap_free(handles, message->handle_count * sizeof(*handles));
	return error;
}

int64_t sys_link_send(handle_t handle, user_t user_message, uint32_t options)
{
	struct link_message message;
	struct description *description;
	struct object *target = NULL;
	struct pieces pieces;
	struct carried_handle *handles;
	if (options & ~SEND_OPTIONS)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = link_lookup(handle, RIGHT_WRITE, &description);
	if (error)
		return error;
	if (message.target != HANDLE_NONE)
		error = handle_lookup(message.target, KIND_SENDER, RIGHT_SEND, &target);
	if (!error && target && !link_ends_fit(description->link->mode, channel_end_of_object(target), NULL))
		error = -EINVAL;
	if (!error && options & LINK_URGENT && description->link->mode != LINK_STREAM)
		error = -EOPNOTSUPP;
	if (!error)
		error = pieces_load(&pieces, &message);
	int64_t result = error;
	if (!error && options & LINK_URGENT && !pieces.total) {
		pieces_end(&pieces);
		result = error = -EOPNOTSUPP;
	}
	if (!error) {
		result = handles_take(&message, &handles);
		if (!result) {
			struct segment_source source = {
				.vector = pieces.vector, .count = pieces.count, .total = pieces.total, .handles = handles, .handle_count = message.handle_count,
				.non_blocking = options & LINK_NON_BLOCKING || description->flags & DESCRIPTION_NON_BLOCKING,
				.urgent = options & LINK_URGENT,
			};
			result = link_send(description, &source, target ? channel_end_of_object(target) : NULL);
			carried_handles_free(source.handles, source.handle_count);
		}
		pieces_end(&pieces);
	}
	object_unref(target);
	object_unref(&description->object);
	return result;
}

/* --- receiving --- */

/* Installs what came, as far as there is room and there are numbers. */
static int handles_give(struct link_message *message, struct segment_sink *sink, bool close_on_exec)
{
	uint32_t room = message->handle_count, given = 0;
	int error = 0;
	while (!error && given < min(room, sink->handle_count)) {
		struct carried_handle *carried = &sink->handles[given];
		object_ref(carried->object);
		int64_t number = handle_install_new(carried->object, carried->rights, close_on_exec ? HANDLE_CLOSE_ON_EXEC : 0, 0);
		if (number < 0)
			break;
		int32_t value = (int32_t)number;
		if (copy_to_user(message->handles + given * sizeof(value), &value, sizeof(value))) {
			(void)handle_table_close(&process_current()->handles, (uint32_t)number, carried->object);
			error = -EFAULT;
		} else {
			given++;
		}
	}
	message->handle_count = given;
	if (given < sink->handle_count)
		message->flags |= LINK_HANDLES_CUT;
	return error;
}

/* The label and the rest of what the caller is told. */
static int received(struct link_message *message, struct segment_sink *sink, int64_t count, bool close_on_exec)
{
	uint32_t size = sink->label ? sink->label->size : 0, room = min(message->label_size, size);
	message->flags = sink->length > (uint64_t)count ? LINK_CUT : 0;
	message->badge = sink->badge;
	message->length = sink->length;
	if (room && copy_to_user(message->label, sink->label->bytes, room))
		return -EFAULT;
	message->label_size = size;
	return handles_give(message, sink, close_on_exec);
}

int64_t sys_link_receive(handle_t handle, user_t user_message, uint32_t options)
{
	struct link_message message;
	struct description *description;
	struct pieces pieces;
	if (options & ~RECEIVE_OPTIONS)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = link_lookup(handle, RIGHT_READ, &description);
	if (error)
		return error;
	int64_t result = options & LINK_URGENT && description->link->mode != LINK_STREAM ? -EOPNOTSUPP : pieces_load(&pieces, &message);
	if (!result) {
		struct segment_sink sink = {
			.vector = pieces.vector, .count = pieces.count, .total = pieces.total, .peek = options & LINK_PEEK,
			.wait_all = options & LINK_WAIT_ALL, .by_sender = options & LINK_BY_SENDER,
			.non_blocking = options & LINK_NON_BLOCKING || description->flags & DESCRIPTION_NON_BLOCKING,
		};
		result = link_receive(description, &sink, options & LINK_URGENT);
		pieces_end(&pieces);
		if (result >= 0) {
			error = received(&message, &sink, result, options & LINK_CLOSE_ON_EXEC);
			if (error || copy_to_user(user_message, &message, sizeof(message)))
				result = -EFAULT;
		}
		label_unref(sink.label);
		carried_handles_free(sink.handles, sink.handle_count);
	}
	object_unref(&description->object);
	return result;
}

/* --- ends --- */

/* Puts the parts in, or tells what is there already. Nothing happens on failure. *old: what went, for the caller to drop. */
static int parts_set(struct description *description, const struct link_parts *parts, struct object *part[4], struct object **old)
{
	struct link *link = description->link;
	bool replace = link->mode == LINK_DATAGRAMS;
	int error = 0;
	spin_lock(&description->lock);
	if ((part[0] && description->sender && !replace) || (part[1] && description->receiver))
		error = -EISCONN;
	else if ((part[2] && description->control) || (part[3] && description->event))
		error = -EEXIST;
	if (!error) {
		spin_lock(&observer_lock);
		bool observed = !list_empty(&description->object.observers);
		if (observed)
			description_forward_locked(description, false);
		if (part[0] || parts->options & LINK_DETACH) {
			*old = description->sender ? &description->sender->object : NULL;
			description->sender = part[0] ? channel_end_of_object(part[0]) : NULL;
		}
		if (part[1]) {
			struct channel_end *receiver = channel_end_of_object(part[1]);
			receiver->channel->adopted = true;
			__atomic_store_n(&description->receiver, receiver, __ATOMIC_RELEASE);
		}
		if (part[2])
			__atomic_store_n(&description->control, client_of_object(part[2]), __ATOMIC_RELEASE);
		if (part[3])
			__atomic_store_n(&description->event, part[3], __ATOMIC_RELEASE);
		if (observed)
			description_forward_locked(description, true);
		spin_unlock(&observer_lock);
	}
	spin_unlock(&description->lock);
	return error;
}

int64_t sys_link_attach(handle_t handle, user_t user_parts)
{
	struct link_parts parts;
	struct description *description;
	if (copy_from_user(&parts, user_parts, sizeof(parts)))
		return -EFAULT;
	if (parts.options & ~LINK_DETACH || parts.reserved)
		return -EINVAL;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	const struct { handle_t handle; enum object_kind kind; uint32_t rights; } wanted[4] = {
		{ parts.sender, KIND_SENDER, RIGHT_SEND }, { parts.receiver, KIND_RECEIVER, RIGHT_RECEIVE }, { parts.control, KIND_CLIENT, RIGHT_SEND },
		{ parts.event, KIND_EVENT, RIGHT_READ },
	};
	struct object *part[4] = { NULL }, *old = NULL;
	for (unsigned i = 0; !error && i < 4; i++)
		if (wanted[i].handle != HANDLE_NONE)
			error = handle_lookup(wanted[i].handle, wanted[i].kind, wanted[i].rights, &part[i]);
	struct channel_end *sender = part[0] ? channel_end_of_object(part[0]) : NULL, *receiver = part[1] ? channel_end_of_object(part[1]) : NULL;
	if (!error && (!link_ends_fit(description->link->mode, sender, receiver) || (parts.options & LINK_DETACH && description->link->mode != LINK_DATAGRAMS)))
		error = -EINVAL;
	if (!error)
		error = parts_set(description, &parts, part, &old);
	for (unsigned i = 0; i < 4; i++) {
		if (error)
			object_unref(part[i]);
		else if (part[i] && wanted[i].handle >= 0)
			(void)handle_table_close(&process_current()->handles, (uint32_t)wanted[i].handle, part[i]);
	}
	object_unref(old);
	if (!error)
		object_notify(&description->object, description_ready(&description->object));
	object_unref(&description->object);
	return error;
}

int64_t sys_link_shutdown(handle_t handle, uint32_t directions)
{
	struct description *description;
	if (!directions || directions & ~(LINK_SHUT_READ | LINK_SHUT_WRITE))
		return -EINVAL;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	struct channel_end *sender = link_sender_ref(description), *receiver = __atomic_load_n(&description->receiver, __ATOMIC_ACQUIRE);
	spin_lock(&description->lock);
	description->link->shut |= directions;
	spin_unlock(&description->lock);
	if (directions & LINK_SHUT_READ && receiver)
		channel_shut(receiver->channel);
	if (directions & LINK_SHUT_WRITE && sender && description->link->mode != LINK_DATAGRAMS)
		channel_shut(sender->channel);
	object_notify(&description->object, description_ready(&description->object));
	object_unref(sender ? &sender->object : NULL);
	object_unref(&description->object);
	return 0;
}

int64_t sys_link_entry(handle_t handle)
{
	struct description *description;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	struct channel_end *entry = description->link->entry;
	int64_t result = -EINVAL;
	if (entry) {
		object_ref(&entry->object);
		result = handle_install_new(&entry->object, RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0, HANDLE_HIGH);
	}
	object_unref(&description->object);
	return result;
}

/* --- values --- */

static int value_set(struct link *link, uint32_t which, uint64_t mask, uint64_t value)
{
	uint64_t *place;
	switch (which) {
	case LINK_READ_TIMEOUT:
	case LINK_WRITE_TIMEOUT:
		place = &link->timeout[which - LINK_READ_TIMEOUT];
		break;
	case LINK_SEND_LIMIT:
		if (value < PAGE_SIZE || value > LINK_LIMIT_MAX)
			return -EINVAL;
		place = &link->send_limit;
		mask = UINT64_MAX;
		break;
	case LINK_URGENT_IN_LINE:
		link->urgent_in_line = value & mask;
		return 0;
	default:
		if (which < LINK_WORD || which >= LINK_WORD + LINK_WORDS)
			return -EINVAL;
		place = &link->word[which - LINK_WORD];
		break;
	}
	*place = (*place & ~mask) | (value & mask);
	return 0;
}

int64_t sys_link_set(handle_t handle, uint32_t which, uint64_t mask, uint64_t value)
{
	struct description *description;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	spin_lock(&description->lock);
	error = value_set(description->link, which, mask, value);
	spin_unlock(&description->lock);
	object_unref(&description->object);
	return error;
}

int64_t sys_link_get(handle_t handle, user_t user_state)
{
	struct description *description;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	struct link *link = description->link;
	struct channel_end *sender = link_sender_ref(description), *receiver = __atomic_load_n(&description->receiver, __ATOMIC_ACQUIRE);
	struct link_state state = { .mode = link->mode };
	spin_lock(&description->lock);
	state.read_timeout = link->timeout[0];
	state.write_timeout = link->timeout[1];
	state.send_limit = link->send_limit;
	for (unsigned i = 0; i < LINK_WORDS; i++)
		state.word[i] = link->word[i];
	state.parts = (sender ? LINK_HAS_SENDER : 0) | (receiver ? LINK_HAS_RECEIVER : 0) | (description->control ? LINK_HAS_CONTROL : 0) |
		(description->event ? LINK_HAS_EVENT : 0) | (link->label[LINK_LABEL_OWN] ? LINK_HAS_LABEL : 0);
	spin_unlock(&description->lock);
	if (receiver) {
		state.parts |= channel_at_mark(receiver->channel) ? LINK_AT_MARK : 0;
		state.available = channel_available(receiver->channel);
		state.next = channel_next(receiver->channel);
	}
	if (sender)
		state.outgoing = channel_available(sender->channel);
	object_unref(sender ? &sender->object : NULL);
	object_unref(&description->object);
	return copy_to_user(user_state, &state, sizeof(state)) ? -EFAULT : 0;
}

/* Until a link is connected the peer's label can be filled in anew, without memory if it is as long; a datagram link's can be replaced at any time. */
static bool label_fill_locked(struct description *description, uint32_t which, const uint8_t *bytes, uint64_t length)
{
	struct label *label = description->link->label[which];
	if (which != LINK_LABEL_PEER || !label || description->sender || label->size != length || label->references != 1)
		return false;
	memcpy(label->bytes, bytes, length);
	return true;
}

static int label_set(struct description *description, uint32_t which, const uint8_t *bytes, uint64_t length)
{
	struct link *link = description->link;
	spin_lock(&description->lock);
	bool filled = label_fill_locked(description, which, bytes, length);
	spin_unlock(&description->lock);
	if (filled)
		return 0;
	struct label *label = label_create((uint32_t)length), *old;
	if (!label)
		return -ENOMEM;
	memcpy(label->bytes, bytes, length);
	spin_lock(&description->lock);
	old = link->label[which];
	bool may = !old || (which == LINK_LABEL_PEER && (link->mode == LINK_DATAGRAMS || !description->sender));
	if (may)
		link->label[which] = label;
	spin_unlock(&description->lock);
	label_unref(may ? old : label);
	return may ? 0 : -EEXIST;
}

int64_t sys_link_set_label(handle_t handle, uint32_t which, user_t user_bytes, uint64_t length)
{
	struct description *description;
	uint8_t bytes[LINK_LABEL_MAX];
	if (which > LINK_LABEL_PEER)
		return -EINVAL;
	if (length > LINK_LABEL_MAX)
		return -EMSGSIZE;
	if (copy_from_user(bytes, user_bytes, length))
		return -EFAULT;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	error = label_set(description, which, bytes, length);
	object_unref(&description->object);
	return error;
}

int64_t sys_link_get_label(handle_t handle, uint32_t which, user_t bytes, uint64_t length)
{
	struct description *description;
	if (which > LINK_LABEL_PEER)
		return -EINVAL;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	spin_lock(&description->lock);
	struct label *label = description->link->label[which];
	label_ref(label);
	spin_unlock(&description->lock);
	int64_t result = label ? label->size : 0;
	if (label && copy_to_user(bytes, label->bytes, min(length, (uint64_t)label->size)))
		result = -EFAULT;
	label_unref(label);
	object_unref(&description->object);
	return result;
}

int64_t sys_link_take_error(handle_t handle)
{
	struct description *description;
	int error = link_lookup(handle, 0, &description);
	if (error)
		return error;
	int pending = link_error(description, true);
	object_unref(&description->object);
	return -pending;
}
