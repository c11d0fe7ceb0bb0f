/*
 * Calls with words in registers, the long way: what the port's entry code does not do itself comes here (port.h tells of the short way). The
 * words are in the frame; the struct message of a receiver is only touched when a call has more than words.
 */
#include "arch/frame.h"
#include "arch/thread.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/ipc/port_private.h"
#include "kernel/obj/upcall.h"

#ifdef ARCH_FRAME_WORDS

/* The result goes with the registers; all of them are loaded from the frame. */
static int64_t frame_finish(struct arch_frame *frame, int64_t result)
{
	if (result == -EINTR)
		call_interrupted();
	arch_frame_set_result(frame, result);
	return CALL_FRAME_CHANGED;
}

static int64_t call_finish(struct arch_frame *frame, const struct message *message, int64_t result)
{
	if (!result)
		arch_frame_words_set(frame, message->word, 0, 0, REPLY_NONE);
	return frame_finish(frame, result);
}

int64_t sys_port_call_words(handle_t client)
{
	struct arch_frame *frame = arch_thread_frame(thread_current());
	struct message message = { 0 };
	struct object *object;
	int error = handle_lookup(client, KIND_CLIENT, RIGHT_SEND, &object);
	if (error)
		return error;
	arch_frame_words(frame, message.word);
	return call_finish(frame, &message, port_call_message_words(client_of_object(object), &message));
}

void port_call_resume(struct arch_frame *frame)
{
	struct message message = { 0 };
	(void)call_finish(frame, &message, port_call_go_on(&message, thread_current()->wait_result));
}

/* What was received, to registers if they can hold it, else to the receiver's struct message. */
static int64_t receive_finish(struct arch_frame *frame, user_t user_message, struct message *message, int64_t result, uint32_t flags)
{
	static const uint64_t none[MESSAGE_WORDS];
	if (result)
		return frame_finish(frame, result);
	bool more = message->receive_size || message->room || message->handle_count;
	if (more && copy_to_user(user_message, message, sizeof(*message)))
		return frame_finish(frame, -EFAULT);
	arch_frame_words_set(frame, more ? none : message->word, message->badge, message->data, message->reply);
	return frame_finish(frame, flags | (more ? WORDS_IN_MESSAGE : 0));
}

/* Consumes the reference to the listener. */
static int64_t receive_words(struct arch_frame *frame, struct object *listener, struct message *message, struct thread *next, int wait_result,
			     uint32_t flags)
{
	int64_t result = port_receive_words(listener, message, next, wait_result);
	object_unref(listener);
	return receive_finish(frame, arch_frame_words_message(frame), message, result, flags);
}

/* Where the message's address is, the port says; the table knows of the first argument only. */
int64_t sys_port_reply_receive_words(handle_t listener, user_t unused)
{
	struct arch_frame *frame = arch_thread_frame(thread_current());
	uint32_t reply = arch_frame_words_reply(frame), flags = 0;
	struct message message, answer = { 0 };
	struct thread *woken = NULL;
	struct object *object;
	(void)unused;
	if (copy_from_user(&message, arch_frame_words_message(frame), sizeof(message)))
		return -EFAULT;
	int error = handle_lookup(listener, KIND_LISTENER, RIGHT_RECEIVE, &object);
	if (error)
		return error;
	if (reply != REPLY_NONE) {
		arch_frame_words(frame, answer.word);
		if (port_reply_message(reply, &answer, &woken))
			flags = WORDS_NOT_ANSWERED;
	}
	return receive_words(frame, object, &message, woken, 0, flags);
}

void port_receive_resume(struct arch_frame *frame)
{
	struct thread *thread = thread_current();
	struct thread_ipc *ipc = thread->ipc;
	struct message message;
	int wait_result = thread->wait_result;
	if (copy_from_user(&message, arch_frame_words_message(frame), sizeof(message)))
		message = (struct message){ 0 }; /* it takes words only then; the caller of anything else is told EMSGSIZE */
	(void)receive_words(frame, ipc->held, &message, NULL, wait_result, 0);
}

#else

int64_t sys_port_call_words(handle_t client)
{
	(void)client;
	return -ENOSYS;
}

int64_t sys_port_reply_receive_words(handle_t listener, user_t user_message)
{
	(void)listener, (void)user_message;
	return -ENOSYS;
}

#endif
