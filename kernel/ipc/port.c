/*
 * Listeners and clients as objects, and notifications. Rules and locks: port.h.
 * Model: tests/model/call.pml.
 */
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/ipc/port_private.h"

void port_ref(struct port *port)
{
	__atomic_add_fetch(&port->references, 1, __ATOMIC_RELAXED);
}

void port_unref(struct port *port)
{
	if (!port || __atomic_sub_fetch(&port->references, 1, __ATOMIC_ACQ_REL))
		return;
	if (port->receiver)
		object_unref(&port->receiver->object);
	heap_free(port, sizeof(*port));
}

static uint32_t listener_ready(struct object *object)
{
	struct port *port = container_of(object, struct listener, object)->port;
	return list_empty(&port->queue) && list_empty(&port->notifications) ? 0 : READY_IN;
}

/* The last listener handle is gone: nobody can receive any more. */
static void listener_destroy(struct object *object)
{
	struct listener *listener = container_of(object, struct listener, object);
	struct port *port = listener->port;
	struct list notifications;
	list_init(&notifications);
	spin_lock(&port->lock);
	port->dead = true;
	port->listener = NULL;
	struct thread *receiver = port->receiver;
	port->receiver = NULL;
	while (!list_empty(&port->queue))
		call_fail_locked(list_first(&port->queue, struct call, link), -EPIPE);
	while (!list_empty(&port->bound))
		call_fail_locked(list_first(&port->bound, struct call, link), -EPIPE);
	if (port->words_bound)
		call_fail_locked(port->words_bound, -EPIPE);
	while (!list_empty(&port->notifications)) {
		struct notification *notification = list_first(&port->notifications, struct notification, link);
		list_remove(&notification->link);
		list_add_last(&notifications, &notification->link);
	}
	spin_unlock(&port->lock);
	while (!list_empty(&notifications)) {
		struct notification *notification = list_first(&notifications, struct notification, link);
		list_remove(&notification->link);
		notification->release(notification);
	}
	if (receiver)
		object_unref(&receiver->object);
	port_unref(port);
	heap_free(listener, sizeof(*listener));
}

static const struct object_operations listener_operations = {
	.kind = KIND_LISTENER, .name = "listener", .destroy = listener_destroy, .ready = listener_ready,
};

void port_post_locked(struct port *port, struct notification *notification)
{
	list_add_last(&port->notifications, &notification->link);
	if (port_has_receiver(port)) {
		/* A waiting thread looks at the queue again. */
		struct thread_ipc *ipc = port_take_receiver(port);
		wait_wake_thread(&ipc->wait, ipc->thread, 0);
	} else
		object_notify(port->listener, READY_IN);
}

/* Queues a notification on the port; false when the port is dead. */
static bool port_post(struct port *port, struct notification *notification)
{
	spin_lock(&port->lock);
	bool alive = !port->dead;
	if (alive)
		port_post_locked(port, notification);
	spin_unlock(&port->lock);
	return alive;
}

/* --- clients --- */

static void client_free(struct notification *notification)
{
	struct client *client = container_of(notification, struct client, closed);
	spin_lock(&client->port->lock);
	list_remove(&client->port_link);
	client->port->client_count--;
	spin_unlock(&client->port->lock);
	port_unref(client->port);
	heap_free(client, sizeof(*client));
}

static void client_destroy(struct object *object)
{
	struct client *client = container_of(object, struct client, object);
	client->closed.word[0] = NOTIFY_CLOSE;
	client->closed.data = client->data;
	client->closed.release = client_free;
	if (!port_post(client->port, &client->closed))
		client_free(&client->closed);
}

static const struct object_operations client_operations = {
	.kind = KIND_CLIENT, .name = "client", .destroy = client_destroy,
};

struct client *client_of_object(struct object *object)
{
	return container_of(object, struct client, object);
}

struct object *client_object(struct client *client)
{
	return &client->object;
}

void client_notify(struct client *client, struct notification *notification)
{
	notification->data = client->data;
	if (!port_post(client->port, notification))
		notification->release(notification);
}

/* --- system calls --- */

int64_t sys_listener_create(uint32_t options)
{
	if (options & ~LISTENER_INTERRUPTS)
		return -EINVAL;
	struct listener *listener = heap_alloc(sizeof(*listener));
	struct port *port = heap_alloc(sizeof(*port));
	if (!listener || !port) {
		heap_free(listener, sizeof(*listener));
		heap_free(port, sizeof(*port));
		return -ENOMEM;
	}
	spin_init(&port->lock, "port", RANK_LISTENER);
	port->references = 1;
	port->tells_interrupts = options & LISTENER_INTERRUPTS;
	port->listener = &listener->object;
	list_init(&port->queue);
	list_init(&port->bound);
	list_init(&port->notifications);
	list_init(&port->receivers);
	list_init(&port->clients);
	listener->port = port;
	object_init(&listener->object, &listener_operations);
	return handle_install_new(&listener->object, RIGHT_ALL & ~(RIGHT_SEND | RIGHT_READ | RIGHT_WRITE), 0, HANDLE_HIGH);
}

int64_t sys_client_create(handle_t listener_handle, uint64_t data)
{
	struct object *object;
	int error = handle_lookup(listener_handle, KIND_LISTENER, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct client *client = data >> 63 ? NULL : heap_alloc(sizeof(*client));
	if (!client) {
		object_unref(object);
		return data >> 63 ? -EINVAL : -ENOMEM;
	}
	client->port = container_of(object, struct listener, object)->port;
	client->data = data;
	list_init(&client->closed.link);
	port_ref(client->port);
	object_init(&client->object, &client_operations);
	spin_lock(&client->port->lock);
	list_add_last(&client->port->clients, &client->port_link);
	client->port->client_count++;
	spin_unlock(&client->port->lock);
	object_unref(object);
	return handle_install_new(&client->object, RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0, HANDLE_HIGH);
}

int64_t sys_client_data(handle_t listener_handle, handle_t client_handle)
{
	struct object *listener, *client;
	int error = handle_lookup(listener_handle, KIND_LISTENER, RIGHT_MANAGE, &listener);
	if (error)
		return error;
	error = handle_lookup(client_handle, KIND_CLIENT, 0, &client);
	if (error) {
		object_unref(listener);
		return error;
	}
	struct client *port = client_of_object(client);
	int64_t data = port->port == container_of(listener, struct listener, object)->port ? (int64_t)port->data : -ENOENT;
	object_unref(client);
	object_unref(listener);
	return data;
}

#define WORDS_AT_ONCE 512u

/* Copies the data words of clients number first .. into words; how many. */
static uint64_t client_words(struct port *port, uint64_t first, uint64_t *words, uint64_t most)
{
	uint64_t number = 0, count = 0;
	struct client *client;
	spin_lock(&port->lock);
	list_for_each(client, &port->clients, port_link) {
		if (number++ < first)
			continue;
		if (count == most)
			break;
		words[count++] = client->data;
	}
	spin_unlock(&port->lock);
	return count;
}

/*
 * In the kernel because only here it is known which ports exist: a server that starts in a dead one's place cannot know which NOTIFY_CLOSE the
 * other has received and not acted upon. Ports leave the list by the server's own receiving only, so numbers hold while it does not receive.
 */
int64_t sys_listener_clients(handle_t listener, uint64_t first, user_t user_words, uint64_t size)
{
	struct object *object;
	int error = handle_lookup(listener, KIND_LISTENER, RIGHT_MANAGE, &object);
	if (error)
		return error;
	struct port *port = container_of(object, struct listener, object)->port;
	uint64_t *words = heap_alloc(WORDS_AT_ONCE * sizeof(*words)), done = 0, count, room = size / sizeof(*words);
	int64_t result = words ? 0 : -ENOMEM;
	while (!result && done < room && (count = client_words(port, first + done, words, min(room - done, WORDS_AT_ONCE)))) {
		if (copy_to_user(user_words + done * sizeof(*words), words, count * sizeof(*words)))
			result = -EFAULT;
		done += count;
	}
	heap_free(words, WORDS_AT_ONCE * sizeof(*words));
	if (!result)
		result = (int64_t)__atomic_load_n(&port->client_count, __ATOMIC_RELAXED);
	object_unref(object);
	return result;
}

struct port *port_of_listener(struct object *listener)
{
	return container_of(listener, struct listener, object)->port;
}

static struct port *port_of_handle(handle_t handle, struct object **object, int *error)
{
	*error = handle_lookup(handle, KIND_LISTENER, RIGHT_RECEIVE, object);
	return *error ? NULL : container_of(*object, struct listener, object)->port;
}

int64_t sys_port_call(handle_t client, user_t user_message, uint32_t options)
{
	struct message message;
	struct object *object;
	if (options & ~CALL_INTERRUPTIBLE)
		return -EINVAL;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	int error = handle_lookup(client, KIND_CLIENT, RIGHT_SEND, &object);
	if (error)
		return error;
	int64_t result = port_call_message(client_of_object(object), &message, options);
	object_unref(object);
	if (!result && copy_to_user(user_message, &message, sizeof(message)))
		return -EFAULT;
	return result;
}

int64_t sys_port_receive(handle_t listener, user_t user_message, uint64_t deadline)
{
	struct message message;
	struct object *object;
	int error;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	struct port *port = port_of_handle(listener, &object, &error);
	if (!port)
		return error;
	int64_t result = port_receive_message(port, &message, deadline, NULL);
	object_unref(object);
	if (!result && copy_to_user(user_message, &message, sizeof(message)))
		return -EFAULT;
	return result;
}

int64_t sys_port_reply(uint32_t reply, user_t user_message)
{
	struct message message;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	struct thread *woken;
	int64_t result = port_reply_message(reply, &message, &woken);
	if (woken)
		thread_ready(woken);
	return result;
}

int64_t sys_port_reply_receive(handle_t listener, uint32_t reply, user_t user_message, uint64_t deadline)
{
	struct message message;
	struct object *object;
	int error;
	if (copy_from_user(&message, user_message, sizeof(message)))
		return -EFAULT;
	struct port *port = port_of_handle(listener, &object, &error);
	if (!port)
		return error;
	struct thread *woken = NULL;
	int32_t status = reply == REPLY_NONE ? 0 : (int32_t)port_reply_message(reply, &message, &woken);
	int64_t result = port_receive_message(port, &message, deadline, woken);
	object_unref(object);
	message.reply_status = status;
	if (result) {
		/* The caller learns of the reply's fate in any case. */
		if (copy_to_user(user_message + offsetof(struct message, reply_status), &status, sizeof(status)))
			return -EFAULT;
		return result;
	}
	return copy_to_user(user_message, &message, sizeof(message)) ? -EFAULT : 0;
}
