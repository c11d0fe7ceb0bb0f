/* Calls of servers that may die in the middle of one; see ns.h. */
#include "user/ns/private.h"

#define TRIES 3u
#define OPEN_CREATE 0100u /* Linux's O_CREAT, O_EXCL */
#define OPEN_EXCLUSIVE 0200u

/* Is it the same when done twice? */
static int repeatable(const struct message *message)
{
	switch (message->word[0]) {
	case FILE_OPEN:
		return (message->word[1] & (OPEN_CREATE | OPEN_EXCLUSIVE)) != (OPEN_CREATE | OPEN_EXCLUSIVE);
	case FILE_WALK:
	case FILE_GETATTR:
	case FILE_SETATTR:
	case FILE_READDIR:
	case FILE_READLINK:
	case FILE_STATFS:
	case FILE_SYNC:
	case FILE_NAME:
	case FILE_SOCKET:
	case FILE_LOCK:
	case FILE_LOCK_REGISTER:
	case FILE_LOCK_RELEASE:
	case FILE_LOCK_CANCEL:
	case FILE_LOCK_PLACE:
	case FILE_WATCH_CREATE:
	case FILE_WATCH_ADD:
		return 1;
	default:
		return 0;
	}
}

int64_t ns_call(int32_t handle, int described, struct message *message, uint32_t options)
{
	for (unsigned tries = 1;; tries++) {
		/* an error leaves the message as it was */
		int64_t result = described ? description_call(handle, message, options) : port_call(handle, message, options);
		if (result != -EPIPE)
			return result;
		if (tries == TRIES || !repeatable(message))
			return -EIO;
	}
}
