/*
 * Reading and writing descriptions of events and timers: 8 bytes that are a count. In the kernel because routed reads and writes
 * must find them (an eventfd is the usual way to wake a thread in epoll), and because dup and fork share them like any description.
 */
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/obj/description.h"
#include "kernel/obj/event.h"

/* Copies the count to the pieces; together they have room for it. */
static int count_deliver(const struct io_vector *pieces, uint64_t value)
{
	const char *bytes = (const char *)&value;
	for (uint64_t left = sizeof(value); left; pieces++) {
		uint64_t part = min(left, pieces->length);
		if (part && copy_to_user(pieces->address, bytes, part))
			return -EFAULT;
		bytes += part;
		left -= part;
	}
	return 0;
}

/* Each piece is a write of its own, as on Linux. */
static int64_t count_write(struct object *event, const struct io_vector *pieces, unsigned count, bool non_blocking)
{
	int64_t done = 0;
	for (unsigned i = 0; i < count; i++) {
		uint64_t value;
		int error = 0;
		if (!pieces[i].length && count > 1)
			continue;
		if (pieces[i].length < sizeof(value))
			error = -EINVAL;
		else if (copy_from_user(&value, pieces[i].address, sizeof(value)))
			error = -EFAULT;
		else
			error = value == UINT64_MAX ? -EINVAL : event_add(event, value, !non_blocking);
		if (error)
			return done ? done : error;
		done += (int64_t)sizeof(value);
		if (pieces[i].length != sizeof(value))
			break;
	}
	return done;
}

int64_t description_count_transfer(struct description *description, const struct io_vector *pieces, unsigned count, uint64_t total, bool write,
	bool non_blocking)
{
	uint64_t value;
	int error;
	if (write)
		return description->kind == DESCRIPTION_TIMER ? -EINVAL : count_write(description->event, pieces, count, non_blocking);
	if (total < sizeof(value))
		return -EINVAL;
	error = description->kind == DESCRIPTION_TIMER ? timer_wait(description->event, !non_blocking, &value) :
		event_take(description->event, description->flags & DESCRIPTION_SEMAPHORE, !non_blocking, &value);
	if (!error) /* as on Linux, the count has gone if the buffer is bad */
		error = count_deliver(pieces, value);
	return error ? error : (int64_t)sizeof(value);
}
