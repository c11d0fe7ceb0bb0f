/* Calls to other servers; see carillon/server.h. */
#include <string.h>
#include "abi/errors.h"
#include "carillon/calls.h"
#include "carillon/server.h"

int64_t server_call(handle_t client, const uint64_t *word, unsigned count, const void *data, size_t size, void *buffer, size_t room,
	struct message *reply)
{
	struct message message = {
		.send_address = (uint64_t)data,
		.send_size = data ? size : 0,
		.receive_address = (uint64_t)buffer,
		.receive_size = buffer ? room : 0,
	};
	if (count > MESSAGE_WORDS)
		return -EINVAL;
	memcpy(message.word, word, count * sizeof *word);
	int64_t result = port_call(client, &message, 0);
	if (result < 0)
		return result;
	if (reply)
		*reply = message;
	else
		for (uint32_t i = 0; i < message.handle_count && i < MESSAGE_HANDLES; i++)
			handle_close(message.handle[i]);
	return (int64_t)message.word[0];
}
