/*
 * port_call_words and port_reply_receive_words for ports whose kernel entry carries no words in registers (abi/ARCH/abi/call.h does not define
 * KERNEL_CALL_WORDS): the same by struct message. Included by carillon/calls.h only.
 */
#ifndef CARILLON_WORDS_H
#define CARILLON_WORDS_H

static inline int64_t port_call_words(handle_t client, uint64_t words[MESSAGE_WORDS])
{
	struct message message = { 0 };
	for (unsigned i = 0; i < MESSAGE_WORDS; i++)
		message.word[i] = words[i];
	int64_t result = port_call(client, &message, 0);
	for (unsigned i = 0; result >= 0 && i < MESSAGE_WORDS; i++)
		words[i] = message.word[i];
	return result;
}

static inline int64_t port_reply_receive_words(handle_t listener, struct message_received *words, struct message *message)
{
	for (unsigned i = 0; i < MESSAGE_WORDS; i++)
		message->word[i] = words->word[i];
	message->send_address = message->send_size = 0;
	message->handle_count = 0;
	int64_t result = port_reply_receive(listener, words->reply, message, DEADLINE_NEVER);
	return result < 0 ? result : (int64_t)(WORDS_IN_MESSAGE | (message->reply_status < 0 ? WORDS_NOT_ANSWERED : 0));
}
#endif
