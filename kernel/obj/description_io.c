/*
 * Reading and writing descriptions: calls 111-117. Every call becomes a `transfer`: direction, pieces of user memory and an offset (explicit
 * or the cursor); one function for each kind of description carries it out.
 *
 * The cursor. A transfer at the cursor claims it (cursor_taken), does its work without any lock, since it may fault or call a server, and
 * gives it back moved on. So two threads that share a description each get their own part of a file. Flows have no cursor.
 */
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/ipc/channel.h"
#include "kernel/obj/link.h"
#include "kernel/obj/process.h"
#include "kernel/vm/memobj.h"

#define TRANSFER_MAX 0x7ffff000ul /* bytes a call, as on Linux */
#define PIECES_ON_STACK 8
#define OFFSET_CURSOR (-1)
#define OFFSET_END DESCRIPTION_OFFSET_END

struct transfer {
	struct description *description;
	const struct io_vector *pieces;
	unsigned count;
	uint64_t total;
	int64_t offset;   /* OFFSET_CURSOR or explicit */
	uint32_t flags;   /* the description's, taken once */
	bool write;
};

/* --- the cursor --- */

static int cursor_claim(struct description *description, int64_t *cursor)
{
	int error = 0;
	spin_lock(&description->lock);
	while (description->cursor_taken && !error) {
		error = wait_on(&description->cursor_waiters, &description->lock, DEADLINE_NEVER, WAIT_KILLABLE);
		spin_lock(&description->lock);
	}
	if (!error)
		description->cursor_taken = true;
	*cursor = description->cursor;
	spin_unlock(&description->lock);
	return error;
}

static void cursor_release(struct description *description, int64_t cursor)
{
	spin_lock(&description->lock);
	description->cursor = cursor;
	description->cursor_taken = false;
	wait_wake_one(&description->cursor_waiters, 0);
	spin_unlock(&description->lock);
}

/* --- places --- */

static int64_t place_pieces(struct transfer *transfer, uint64_t *offset)
{
	struct memobj *memobj = transfer->description->memobj;
	uint64_t limit = transfer->description->limit;
	int64_t done = 0;
	for (unsigned i = 0; i < transfer->count; i++) {
		const struct io_vector *piece = &transfer->pieces[i];
		if (!piece->length)
			continue;
		int64_t result;
		if (transfer->write)
			result = memobj_write_user(memobj, offset, piece->address, piece->length, transfer->flags & DESCRIPTION_APPEND, limit);
		else
			result = memobj_read_user(memobj, *offset, piece->address, piece->length);
		if (result < 0)
			return done ? done : result;
		done += result;
		*offset += (uint64_t)result;
		if ((uint64_t)result < piece->length)
			break;
	}
	return done;
}

static int64_t place_transfer(struct transfer *transfer)
{
	uint64_t offset = (uint64_t)transfer->offset;
	if (transfer->offset == OFFSET_END) {
		transfer->flags |= DESCRIPTION_APPEND;
		offset = 0;
	}
	if (transfer->offset != OFFSET_CURSOR)
		return place_pieces(transfer, &offset);
	int64_t cursor;
	int error = cursor_claim(transfer->description, &cursor);
	if (error)
		return error;
	offset = (uint64_t)cursor;
	int64_t result = place_pieces(transfer, &offset);
	cursor_release(transfer->description, result > 0 ? (int64_t)offset : cursor);
	return result;
}

/* --- flows --- */

static int64_t flow_transfer(struct transfer *transfer)
{
	struct channel_end *end = transfer->write ? transfer->description->sender : transfer->description->receiver;
	bool non_blocking = transfer->flags & DESCRIPTION_NON_BLOCKING;
	if (transfer->offset != OFFSET_CURSOR)
		return -ESPIPE;
	if (!end)
		return -EBADF;
	if (transfer->description->kind == DESCRIPTION_CHANNEL)
		return (transfer->write ? channel_packet_write : channel_packet_read)(end->channel, transfer->pieces, transfer->count, transfer->total, non_blocking,
			transfer->description->limit);
	if (transfer->write)
		return channel_stream_write(end->channel, transfer->pieces, transfer->count, transfer->total, non_blocking,
			transfer->flags & DESCRIPTION_PACKETS);
	return channel_stream_read(end->channel, transfer->pieces, transfer->count, transfer->total, non_blocking);
}

/* --- services --- */

/* One call to the server, of at most MESSAGE_RANGE_MAX bytes. The count or an error. */
static int64_t service_call(struct transfer *transfer, const struct io_vector *pieces, unsigned count, uint64_t length, int64_t offset)
{
	struct message message = { .handle_count = 0 };
	uint32_t options = transfer->flags & DESCRIPTION_INTERRUPTIBLE ? CALL_INTERRUPTIBLE : 0;
	message.word[0] = transfer->write ? SERVICE_WRITE : SERVICE_READ;
	message.word[1] = (uint64_t)offset;
	message.word[2] = length;
	message.word[3] = transfer->flags;
	int64_t error;
	if (transfer->write) {
		message.send_address = pieces->address;
		message.send_size = length;
		error = port_call_gather(transfer->description->control, &message, options, count > 1 ? pieces : NULL, count);
	} else {
		message.receive_address = pieces->address;
		message.receive_size = length;
		error = port_call_message(transfer->description->control, &message, options);
	}
	if (error) /* its server has died; EPIPE is for the server to say (of a FIFO nobody reads) */
		return error == -EPIPE ? -EIO : error;
	/* Nothing but bytes is expected; handles that came all the same go. */
	for (unsigned i = 0; i < message.handle_count; i++)
		(void)handle_table_close(&process_current()->handles, (uint32_t)message.handle[i], NULL);
	if (!transfer->write)
		return (int64_t)message.word[0] < 0 ? (int64_t)message.word[0] : (int64_t)message.receive_size;
	int64_t taken = (int64_t)message.word[0];
	return taken > (int64_t)length ? -EIO : taken; /* a server's lie is not passed on */
}

/* Reads end with the first short answer; writes go on until all is taken. */
static int64_t service_pieces(struct transfer *transfer, int64_t offset)
{
	int64_t done = 0;
	if (transfer->write && transfer->total <= MESSAGE_RANGE_MAX)
		return service_call(transfer, transfer->pieces, transfer->count, transfer->total, offset);
	for (unsigned i = 0; i < transfer->count; i++) {
		for (uint64_t at = 0; at < transfer->pieces[i].length;) {
			struct io_vector piece = { transfer->pieces[i].address + at, min(transfer->pieces[i].length - at, (uint64_t)MESSAGE_RANGE_MAX) };
			int64_t result = service_call(transfer, &piece, 1, piece.length, offset < 0 ? offset : offset + done);
			if (result < 0)
				return done ? done : result;
			done += result;
			at += (uint64_t)result;
			if ((uint64_t)result < piece.length)
				return done;
		}
	}
	return done;
}

static int64_t service_transfer(struct transfer *transfer)
{
	struct description *description = transfer->description;
	bool seekable = transfer->flags & DESCRIPTION_SEEKABLE;
	if (transfer->flags & DESCRIPTION_NO_IO)
		return -EISDIR;
	if (transfer->offset == OFFSET_END)
		return -EOPNOTSUPP;
	if (transfer->offset != OFFSET_CURSOR)
		return seekable ? service_pieces(transfer, transfer->offset) : -ESPIPE;
	if (!seekable)
		return service_pieces(transfer, -1);
	int64_t cursor;
	int error = cursor_claim(description, &cursor);
	if (error)
		return error;
	int64_t result = service_pieces(transfer, cursor);
	cursor_release(description, result > 0 ? cursor + result : cursor);
	return result;
}

/* --- trivial devices --- */

static int64_t zero_pieces(struct transfer *transfer)
{
	static const char zeros[PAGE_SIZE];
	int64_t done = 0;
	for (unsigned i = 0; i < transfer->count; i++) {
		for (uint64_t at = 0; at < transfer->pieces[i].length;) {
			uint64_t chunk = min(transfer->pieces[i].length - at, PAGE_SIZE);
			if (copy_to_user(transfer->pieces[i].address + at, zeros, chunk))
				return done ? done : -EFAULT;
			at += chunk;
			done += (int64_t)chunk;
			if (thread_current()->kill_pending)
				return done;
		}
	}
	return done;
}

static int64_t device_transfer(struct transfer *transfer)
{
	if (transfer->write)
		return transfer->description->kind == DESCRIPTION_FULL ? -ENOSPC : (int64_t)transfer->total;
	return transfer->description->kind == DESCRIPTION_NULL ? 0 : zero_pieces(transfer);
}

/* --- all kinds --- */

/* The description, referenced. */
static inline int transfer_lookup(handle_t handle, bool write, struct description **description)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, write ? RIGHT_WRITE : RIGHT_READ, &object);
	if (error)
		return error == -EACCES ? -EBADF : error; /* POSIX: not open for that */
	*description = container_of(object, struct description, object);
	return 0;
}

/* Drops the reference. */
static int64_t transfer_run(struct description *description, const struct io_vector *pieces, unsigned count, uint64_t total, int64_t offset, bool write)
{
	struct transfer transfer = { description, pieces, count, total, offset, description->flags, write };
	int64_t result;
	switch (description->kind) {
	case DESCRIPTION_PLACE:
		result = place_transfer(&transfer);
		break;
	case DESCRIPTION_FLOW:
	case DESCRIPTION_CHANNEL:
		result = flow_transfer(&transfer);
		break;
	case DESCRIPTION_SERVICE:
		result = service_transfer(&transfer);
		break;
	case DESCRIPTION_EVENT:
	case DESCRIPTION_TIMER:
		result = offset != OFFSET_CURSOR ? -ESPIPE :
			description_count_transfer(description, pieces, count, total, write, transfer.flags & DESCRIPTION_NON_BLOCKING);
		break;
	case DESCRIPTION_LIBRARY:
		result = -EACCES;
		break;
	case DESCRIPTION_LINK:
		result = offset == OFFSET_CURSOR ? link_transfer(description, pieces, count, total, transfer.flags, write) : -ESPIPE;
		break;
	default:
		result = device_transfer(&transfer);
		break;
	}
	object_unref(&description->object);
	return result;
}

static __attribute__((noinline)) int64_t transfer_piece(struct description *description, user_t buffer, uint64_t length, int64_t offset, bool write)
{
	struct io_vector piece = { buffer, length };
	if (description->kind == DESCRIPTION_CHANNEL && offset == OFFSET_CURSOR) {
		struct channel_end *end = write ? description->sender : description->receiver;
		int64_t result = !end ? -EBADF : (write ? channel_packet_write : channel_packet_read)(end->channel, &piece, 1, length,
			description->flags & DESCRIPTION_NON_BLOCKING, description->limit);
		object_unref(&description->object);
		return result;
	}
	return transfer_run(description, &piece, 1, length, offset, write);
}

static inline __attribute__((always_inline)) int64_t transfer_one(handle_t handle, user_t buffer, uint64_t length, int64_t offset, bool write)
{
	struct description *description;
	int64_t result = transfer_lookup(handle, write, &description);
	if (result)
		return result;
	length = min(length, TRANSFER_MAX);
	struct channel_end *end = write ? description->sender : description->receiver;
	if (description->kind != DESCRIPTION_FLOW || !end || offset != OFFSET_CURSOR)
		return transfer_piece(description, buffer, length, offset, write);
	/* the way of pipes */
	bool non_blocking = description->flags & DESCRIPTION_NON_BLOCKING;
	if (write)
		result = channel_stream_write_piece(end->channel, buffer, length, non_blocking, description->flags & DESCRIPTION_PACKETS);
	else
		result = channel_stream_read_piece(end->channel, buffer, length, non_blocking);
	object_unref(&description->object);
	return result;
}

/* Copies the vector in and adds it up, at most TRANSFER_MAX bytes. */
static int64_t vector_load(user_t user_vector, uint64_t count, struct io_vector *pieces, uint64_t *total)
{
	if (copy_from_user(pieces, user_vector, count * sizeof(*pieces)))
		return -EFAULT;
	*total = 0;
	for (uint64_t i = 0; i < count; i++) {
		if ((int64_t)pieces[i].length < 0)
			return -EINVAL;
		pieces[i].length = min(pieces[i].length, TRANSFER_MAX - *total);
		*total += pieces[i].length;
	}
	return 0;
}

static int64_t transfer_vector(handle_t handle, user_t user_vector, uint64_t count, bool write)
{
	struct io_vector few[PIECES_ON_STACK], *pieces = few;
	if (count > IO_VECTOR_MAX)
		return -EINVAL;
	if (count > PIECES_ON_STACK) {
		pieces = heap_alloc(count * sizeof(*pieces));
		if (!pieces)
			return -ENOMEM;
	}
	uint64_t total;
	struct description *description;
	int64_t result = vector_load(user_vector, count, pieces, &total);
	if (!result)
		result = transfer_lookup(handle, write, &description);
	if (!result)
		result = transfer_run(description, pieces, (unsigned)count, total, OFFSET_CURSOR, write);
	if (pieces != few)
		heap_free(pieces, count * sizeof(*pieces));
	return result;
}

int64_t sys_description_peek(handle_t handle, user_t buffer, uint64_t length)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, RIGHT_READ, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	int64_t result = description->kind == DESCRIPTION_FLOW && description->receiver ? channel_stream_peek(description->receiver->channel, buffer, min(length, TRANSFER_MAX),
		description->flags & DESCRIPTION_NON_BLOCKING) : -EINVAL;
	object_unref(object);
	return result;
}

int64_t sys_description_read(handle_t handle, user_t buffer, uint64_t length)
{
	return transfer_one(handle, buffer, length, OFFSET_CURSOR, false);
}

int64_t sys_description_write(handle_t handle, user_t buffer, uint64_t length)
{
	return transfer_one(handle, buffer, length, OFFSET_CURSOR, true);
}

int64_t sys_description_pread(handle_t handle, user_t buffer, uint64_t length, int64_t offset)
{
	return offset < 0 ? -EINVAL : transfer_one(handle, buffer, length, offset, false);
}

int64_t sys_description_pwrite(handle_t handle, user_t buffer, uint64_t length, int64_t offset)
{
	return offset < 0 && offset != OFFSET_END ? -EINVAL : transfer_one(handle, buffer, length, offset, true);
}

int64_t sys_description_readv(handle_t handle, user_t vector, uint64_t count)
{
	return transfer_vector(handle, vector, count, false);
}

int64_t sys_description_writev(handle_t handle, user_t vector, uint64_t count)
{
	return transfer_vector(handle, vector, count, true);
}

/* --- seek --- */

enum { SEEK_START, SEEK_CURSOR, SEEK_SIZE, SEEK_DATA, SEEK_HOLE };

/* The new cursor or an error. */
static int64_t seek_target(struct description *description, int64_t cursor, int64_t offset, uint32_t whence)
{
	int64_t base = 0, result;
	if (whence == SEEK_CURSOR) {
		base = cursor;
	} else if (whence >= SEEK_SIZE && whence <= SEEK_HOLE) {
		if (!description->memobj)
			return -EINVAL;
		if (whence != SEEK_SIZE)
			return offset < 0 ? -ENXIO : memobj_find(description->memobj, (uint64_t)offset, whence == SEEK_HOLE);
		base = (int64_t)memobj_size(description->memobj);
	} else if (whence != SEEK_START) {
		return -EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &result))
		return -EOVERFLOW;
	return result < 0 ? -EINVAL : result;
}

int64_t sys_description_seek(handle_t handle, int64_t offset, uint32_t whence)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_DESCRIPTION, 0, &object);
	if (error)
		return error;
	struct description *description = description_of_object(object);
	int64_t cursor, result;
	if (description->kind == DESCRIPTION_FLOW || description->kind >= DESCRIPTION_LINK || (description->kind == DESCRIPTION_SERVICE && !(description->flags & DESCRIPTION_SEEKABLE))) {
		result = -ESPIPE;
	} else if (description->kind > DESCRIPTION_SERVICE) {
		result = 0;
	} else {
		result = cursor_claim(description, &cursor);
		if (!result) {
			result = seek_target(description, cursor, offset, whence);
			cursor_release(description, result < 0 ? cursor : result);
		}
	}
	object_unref(object);
	return result;
}
