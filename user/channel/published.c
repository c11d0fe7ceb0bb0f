/* /chan for native programs: FILE_CHANNEL of the file protocol, which gives the ends themselves instead of a description. */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include "abi/errors.h"
#include "carillon/calls.h"
#include "carillon/channel.h"
#include "carillon/file_protocol.h"
#include "carillon/runtime.h"

#define PATH_MOST 300u

uint64_t chan_type(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ull; /* FNV-1a */
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * 0x100000001b3ull;
	return hash | 1;
}

struct request { struct file_path head; char path[PATH_MOST]; };

static __attribute__((format(printf, 2, 3))) int path_make(struct request *request, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int length = format_text(request->path, sizeof request->path, format, arguments);
	va_end(arguments);
	request->head = (struct file_path){ .path_length = (uint32_t)length };
	return length < (int)sizeof request->path ? 0 : -ENAMETOOLONG;
}

/* Calls the file server about the path. 0 or an error. */
static int call(handle_t directory, struct request *request, struct message *message)
{
	message->send_address = (uintptr_t)request;
	message->send_size = sizeof request->head + request->head.path_length;
	int64_t error = port_call(directory, message, 0);
	if (error < 0)
		return (int)error;
	if ((int64_t)message->word[0] == FILE_WALK_STOPPED) { /* no name in /chan leads on */
		for (unsigned i = 0; i < message->handle_count; i++)
			handle_close(message->handle[i]);
		return -ENOENT;
	}
	return (int64_t)message->word[0] < 0 ? (int)message->word[0] : 0;
}

static int chan_open(handle_t directory, struct request *request, uint64_t flags, size_t size, struct chan *chan)
{
	struct message message = { .word = { FILE_CHANNEL, flags | O_RDWR, 0666 } };
	if (size > MESSAGE_RANGE_MAX)
		return -EINVAL;
	int error = call(directory, request, &message);
	unsigned wanted = flags ? 3 : 2;
	if (error)
		return error;
	if (message.handle_count != wanted)
		return -EIO;
	*chan = (struct chan){ .sender = message.handle[0], .receiver = message.handle[1], .publisher = flags ? message.handle[2] : HANDLE_NONE, .size = size };
	return 0;
}

int chan_publish(handle_t directory, const char *name, uint64_t type, size_t size, uint64_t capacity, struct chan *chan)
{
	struct request request;
	int error = type ? path_make(&request, "chan/%s,type=%lx,capacity=%lu", name, (unsigned long)type, (unsigned long)capacity) :
		path_make(&request, "chan/%s,capacity=%lu", name, (unsigned long)capacity);
	return error ? error : chan_open(directory, &request, O_CREAT | O_EXCL, size, chan);
}

int chan_connect(handle_t directory, const char *name, uint64_t type, size_t size, struct chan *chan)
{
	struct request request;
	int error = type ? path_make(&request, "chan/%s,type=%lx", name, (unsigned long)type) : path_make(&request, "chan/%s", name);
	return error ? error : chan_open(directory, &request, 0, size, chan);
}

int chan_withdraw(handle_t directory, const char *name)
{
	struct request request;
	struct message message = { .word = { FILE_UNLINK } };
	int error = path_make(&request, "chan/%s", name);
	return error ? error : call(directory, &request, &message);
}
