/*
 * Open file descriptions: what dup, fork and passing a descriptor share. A description is
 *   a place    a memory object and a cursor             (files)
 *   a flow     one or two channel ends                  (pipes, socket pairs, event streams)
 *   a service  each read and write is a call on the control port  (terminals, control files)
 *   an event or a timer, read and written as a count     (eventfd, timerfd; description_event.c)
 *   the library's: the kernel keeps a word and readiness (signalfd)
 *   a channel  ends of packet channels: a read or write is a packet  (published channels)
 *   a link     a flow of segments or messages             (sockets; link.c)
 *   or one of the three trivial devices.
 * This file has the object, its readiness and the calls that do not move bytes; description_io.c reads and writes.
 *
 * The last reference drops the control client, which tells the server (NOTIFY_CLOSE).
 * The cursor belongs to one thread at a time, which may sleep meanwhile: cursor_taken under the lock, see description_io.c.
 */
#include "kernel/obj/description.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/link.h"
#include "kernel/obj/process.h"
#include "kernel/vm/memobj.h"

#define FLAGS_CHANGEABLE (DESCRIPTION_APPEND | DESCRIPTION_NON_BLOCKING | DESCRIPTION_PACKETS)
#define FLAGS_ALL (FLAGS_CHANGEABLE | DESCRIPTION_INTERRUPTIBLE | DESCRIPTION_SEEKABLE | DESCRIPTION_NO_IO | DESCRIPTION_SEMAPHORE)

struct description *description_of_object(struct object *object)
{
	return container_of(object, struct description, object);
}

/* Only queues that can hold handles matter, and only their receivers keep them. */
unsigned description_channels(struct object *object, struct channel *channels[2])
{
	struct channel_end *receiver = __atomic_load_n(&description_of_object(object)->receiver, __ATOMIC_ACQUIRE);
	if (!receiver || (!receiver->channel->segments && !receiver->channel->packets))
		return 0;
	channels[0] = receiver->channel;
	return 1;
}

/* --- readiness --- */

static uint32_t flow_ready(const struct description *description)
{
	uint32_t in = 0, out = 0;
	if (description->receiver)
		in = description->receiver->object.operations->ready(&description->receiver->object);
	if (description->sender)
		out = description->sender->object.operations->ready(&description->sender->object);
	/* Both ways: the flow has hung up when both have; one way alone is the end of what can be read. */
	if (description->receiver && description->sender) {
		if (in & READY_HANGUP && !(out & READY_ERROR))
			in = (in & ~READY_HANGUP) | READY_READ_HANGUP | READY_IN;
		else if (out & READY_ERROR && in & READY_HANGUP)
			in |= READY_READ_HANGUP | READY_IN;
	}
	return in | out;
}

uint32_t description_ready(struct object *object)
{
	struct description *description = description_of_object(object);
	if (description->kind == DESCRIPTION_FLOW || description->kind == DESCRIPTION_CHANNEL)
		return flow_ready(description);
	if (description->kind == DESCRIPTION_LINK)
		return link_ready(description);
	if (description->event)
		return description->event->operations->ready(description->event);
	return READY_IN | READY_OUT;
}

static struct object *forwarded_object(struct description *description, unsigned index)
{
	if (description->kind == DESCRIPTION_LINK && description->event)
		return index == 0 ? description->event : NULL;
	if (index == 0)
		return description->receiver ? &description->receiver->object : description->event;
	return description->sender ? &description->sender->object : NULL;
}

/* What the description stands for has changed. Who observes asks the description itself for the exact state. */
static void forward_notify(struct observer *observer, uint32_t ready)
{
	struct forwarder *forwarder = container_of(observer, struct forwarder, observer);
	struct description *description = forwarder->description;
	object_notify_locked(&description->object, ready);
}

void description_forward_locked(struct description *description, bool any)
{
	for (unsigned i = 0; i < 2; i++) {
		struct object *target = forwarded_object(description, i);
		if (target && any)
			object_observe_locked(target, &description->forward[i].observer);
		else
			object_unobserve_locked(&description->forward[i].observer);
	}
}

/* observer_lock held. */
static void description_observed(struct object *object, bool any)
{
	description_forward_locked(description_of_object(object), any);
}

/* --- life --- */

static void description_destroy(struct object *object)
{
	struct description *description = description_of_object(object);
	for (unsigned i = 0; i < 2; i++)
		object_unobserve(&description->forward[i].observer);
	if (description->memobj)
		object_unref(memobj_object(description->memobj));
	/* the receiver first: a link's peer that sees the end sees with it whether bytes were lost */
	if (description->receiver)
		object_unref(&description->receiver->object);
	if (description->sender)
		object_unref(&description->sender->object);
	if (description->link)
		link_destroy(description);
	object_unref(description->event);
	if (description->control)
		object_unref(client_object(description->control));
	if (description->attached)
		object_unref(client_object(description->attached));
	heap_free(description, sizeof(*description));
}

static void description_handle_closed(struct object *object)
{
	bool suspect = flight_suspect(object, 1);
	object_unref(object);
	if (suspect)
		flights_collect();
}

static const struct object_operations description_operations = {
	.kind = KIND_DESCRIPTION, .name = "description", .destroy = description_destroy, .ready = description_ready, .observed = description_observed,
	.handle_closed = description_handle_closed,
};

/* An optional handle: 0 and NULL for HANDLE_NONE. */
static int optional_lookup(handle_t handle, enum object_kind kind, uint32_t rights, struct object **object)
{
	*object = NULL;
	return handle == HANDLE_NONE ? 0 : handle_lookup(handle, kind, rights, object);
}

/* Do the parts make the kind? */
static int request_check(const struct description_request *request)
{
	bool flow = request->sender != HANDLE_NONE || request->receiver != HANDLE_NONE, link = request->kind == DESCRIPTION_LINK;
	if (request->kind > DESCRIPTION_CHANNEL || request->flags & ~(FLAGS_ALL | (link ? LINK_DATAGRAMS : 0)) || request->rights & ~(RIGHT_READ | RIGHT_WRITE))
		return -EINVAL;
	if (request->flags & DESCRIPTION_PACKETS && request->kind != DESCRIPTION_FLOW)
		return -EINVAL;
	if (link)
		return request->memobj == HANDLE_NONE && request->event == HANDLE_NONE ? 0 : -EINVAL;
	if ((request->kind == DESCRIPTION_PLACE) != (request->memobj != HANDLE_NONE) || (request->kind == DESCRIPTION_FLOW || request->kind == DESCRIPTION_CHANNEL) != flow)
		return -EINVAL;
	switch (request->kind) {
	case DESCRIPTION_SERVICE:
		return request->control == HANDLE_NONE ? -EINVAL : 0;
	case DESCRIPTION_EVENT:
	case DESCRIPTION_TIMER:
		return request->event == HANDLE_NONE || request->control != HANDLE_NONE ? -EINVAL : 0;
	case DESCRIPTION_LIBRARY:
		return 0;
	default:
		return request->event == HANDLE_NONE ? 0 : -EINVAL;
	}
}

static int parts_lookup(const struct description_request *request, struct object *part[5])
{
	struct { handle_t handle; enum object_kind kind; uint32_t rights; } wanted[5] = {
		{ request->memobj, KIND_MEMOBJ, request->rights },
		{ request->sender, KIND_SENDER, RIGHT_SEND },
		{ request->receiver, KIND_RECEIVER, RIGHT_RECEIVE },
		{ request->control, KIND_CLIENT, RIGHT_SEND },
		{ request->event, request->kind == DESCRIPTION_TIMER ? KIND_TIMER : KIND_EVENT, RIGHT_READ },
	};
	for (unsigned i = 0; i < 5; i++) {
		int error = optional_lookup(wanted[i].handle, wanted[i].kind, wanted[i].rights, &part[i]);
		if (error) {
			while (i-- > 0)
				object_unref(part[i]);
			return error;
		}
	}
	return 0;
}

/* An end of a channel of the mode that the kind wants, or none. */
static bool end_fits(struct object *end, uint32_t kind)
{
	const struct channel *channel = end ? channel_end_of_object(end)->channel : NULL;
	return !channel || (!channel->segments && channel->packets == (kind == DESCRIPTION_CHANNEL));
}

int64_t sys_description_create(user_t user_request)
{
	struct description_request request;
	struct object *part[5];
	if (copy_from_user(&request, user_request, sizeof(request)))
		return -EFAULT;
	int error = request_check(&request);
	if (!error)
		error = parts_lookup(&request, part);
	if (error)
		return error;
	struct description *description = heap_alloc(sizeof(*description));
	error = description ? 0 : -ENOMEM;
	if (!error) {
		description->kind = request.kind;
		description->flags = request.flags & FLAGS_ALL;
		description->sender = part[1] ? channel_end_of_object(part[1]) : NULL;
		description->receiver = part[2] ? channel_end_of_object(part[2]) : NULL;
		if (request.kind == DESCRIPTION_LINK)
			error = link_create(description, request.flags & LINK_DATAGRAMS);
		else if (!end_fits(part[1], request.kind) || !end_fits(part[2], request.kind))
			error = -EINVAL;
	}
	if (error) {
		for (unsigned i = 0; i < 5; i++)
			object_unref(part[i]);
		heap_free(description, sizeof(*description));
		return error;
	}
	spin_init(&description->lock, "description", RANK_DESCRIPTION);
	wait_queue_init(&description->cursor_waiters);
	description->memobj = part[0] ? memobj_of_object(part[0]) : NULL;
	description->control = part[3] ? client_of_object(part[3]) : NULL;
	description->event = part[4];
	description->cookie = request.cookie;
	description->limit = request.limit;
	for (unsigned i = 0; i < 2; i++) {
		list_init(&description->forward[i].observer.link);
		description->forward[i].observer.notify = forward_notify;
		description->forward[i].description = description;
	}
	object_init(&description->object, &description_operations);
	int64_t handle = handle_install_new(&description->object, request.rights | RIGHT_DUPLICATE | RIGHT_TRANSFER | RIGHT_MANAGE, 0, HANDLE_HIGH);
	if (handle < 0)
		return handle;
	/* The references of a flow's ends have moved into the description. */
	if (request.sender >= 0)
		(void)handle_table_close(&process_current()->handles, (uint32_t)request.sender, part[1]);
	if (request.receiver >= 0)
		(void)handle_table_close(&process_current()->handles, (uint32_t)request.receiver, part[2]);
	return handle;
}

/* --- calls --- */

int64_t sys_description_get(handle_t handle, user_t user_info)
{
	struct object *object;
	uint32_t rights;
	int error = handle_lookup_rights(handle, KIND_DESCRIPTION, 0, &object, &rights);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	struct description_info info = {
		.kind = description->kind, .cookie = description->cookie, .ready = description_ready(object), .rights = rights,
		.identity = (uint64_t)(uintptr_t)object,
	};
	spin_lock(&description->lock);
	info.flags = description->flags;
	info.cursor = description->cursor;
	spin_unlock(&description->lock);
	info.limit = __atomic_load_n(&description->limit, __ATOMIC_RELAXED);
	struct channel_end *end = description->receiver || description->kind == DESCRIPTION_LINK ? description->receiver : description->sender;
	if (end && description->kind == DESCRIPTION_LINK && description->link->mode == LINK_DATAGRAMS) {
		info.available = channel_next(end->channel);
	} else if (end) {
		info.available = channel_available(end->channel);
		info.capacity = end->channel->capacity;
		info.content = (uint64_t)(uintptr_t)end->channel;
		if (description->kind == DESCRIPTION_FLOW)
			info.cursor = (int64_t)channel_moved(end->channel, !description->receiver);
	}
	if (description->memobj) {
		info.content = (uint64_t)(uintptr_t)description->memobj;
		uint64_t size = memobj_size(description->memobj);
		info.available = size > (uint64_t)info.cursor ? size - (uint64_t)info.cursor : 0;
	}
	object_unref(object);
	return copy_to_user(user_info, &info, sizeof(info)) ? -EFAULT : 0;
}

int64_t sys_description_set_flags(handle_t handle, uint32_t mask, uint32_t value)
{
	struct object *object;
	if (mask & ~FLAGS_CHANGEABLE)
		return -EINVAL;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	error = value & mask & DESCRIPTION_PACKETS && description->kind != DESCRIPTION_FLOW ? -EINVAL : 0;
	spin_lock(&description->lock);
	if (!error)
		description->flags = (description->flags & ~mask) | (value & mask);
	spin_unlock(&description->lock);
	object_unref(object);
	return error;
}

int64_t sys_description_set_capacity(handle_t handle, uint64_t capacity)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	struct channel_end *end = description->receiver ? description->receiver : description->sender;
	int64_t result = end && description->kind == DESCRIPTION_FLOW ? channel_stream_resize(end->channel, capacity) : -EINVAL;
	object_unref(object);
	return result;
}

int64_t sys_description_set_limit(handle_t handle, uint64_t limit)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	error = description->kind == DESCRIPTION_LIBRARY ? 0 : -EINVAL;
	if (!error)
		__atomic_store_n(&description->limit, limit, __ATOMIC_RELAXED);
	object_unref(object);
	return error;
}

int64_t sys_description_call(handle_t handle, user_t user_message, uint32_t options)
{
	struct message message;
	struct object *object;
	if (options & ~(CALL_INTERRUPTIBLE | CALL_ATTACHED))
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	struct client *port = options & CALL_ATTACHED ? __atomic_load_n(&description->attached, __ATOMIC_ACQUIRE) : description->control;
	int64_t result = port ? port_call_message(port, &message, options & CALL_INTERRUPTIBLE) : -ENOTCONN;
	object_unref(object);
	if (!result && copy_to_user(user_message, &message, sizeof(message)))
		return -EFAULT;
	return result;
}

int64_t sys_description_attach(handle_t handle, handle_t client)
{
	struct object *object, *port;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	error = handle_lookup(client, KIND_CLIENT, RIGHT_SEND, &port);
	if (!error) {
		struct description *description = description_of_object(object);
		spin_lock(&description->lock);
		if (description->attached)
			error = -EEXIST;
		else
			__atomic_store_n(&description->attached, client_of_object(port), __ATOMIC_RELEASE);
		spin_unlock(&description->lock);
		if (error)
			object_unref(port);
	}
	object_unref(object);
	return error;
}

int64_t sys_description_memobj(handle_t handle)
{
	struct object *object;
	uint32_t rights;
	int error = handle_lookup_rights(handle, KIND_DESCRIPTION, 0, &object, &rights);
	if (error)
		return error;
	struct memobj *memobj = description_of_object(object)->memobj;
	int64_t result = -ENODEV;
	if (memobj) {
		object_ref(memobj_object(memobj));
		rights &= RIGHT_READ | RIGHT_WRITE | RIGHT_DUPLICATE | RIGHT_TRANSFER;
		result = handle_install_new(memobj_object(memobj), rights, 0, HANDLE_HIGH);
	}
	object_unref(object);
	return result;
}

int64_t sys_description_client(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct client *control = description_of_object(object)->control;
	int64_t result = -ENOTCONN;
	if (control) {
		object_ref(client_object(control));
		result = handle_install_new(client_object(control), RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0, HANDLE_HIGH);
	}
	object_unref(object);
	return result;
}
