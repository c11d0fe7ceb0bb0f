/*
 * Reading and writing memory objects from user and kernel memory.
 *
 * The fast way copies under the object's lock with the copy functions that do not resolve faults: no page references, no second pass. When a
 * user page is absent, a read takes a reference to the object's page, drops the lock and copies with faults; a write drops the lock, touches
 * the user pages and tries again (and after a few tries goes through a kernel page), so that a write is never half in place when another
 * gets in between. An append that meets an absent page takes back what it had put there, so that it comes whole. Nothing is held while a fault is resolved: the buffer may be a mapping of the same object.
 *
 * A page that is absent is filled before it enters the tree: whole pages are never zeroed first.
 */
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/memobj_private.h"

#define WRITE_TRIES 3
#define APPEND_TRIES 100 /* by then others are taking the pages away all the time: what is there is left, a short count */
#define REPLACED_MAX 16 /* pages replaced by copies in one hold of the lock */

static const char zero_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* Content of the page at offset, NULL for a hole; -ENXIO when it is device memory. Under the lock. */
static int page_at(struct memobj *memobj, uint64_t offset, struct page **page)
{
	if (memobj->kind != MEMOBJ_PHYSICAL) {
		*page = radix_get(&memobj->pages, offset >> PAGE_SHIFT);
		return 0;
	}
	*page = page_of_physical(memobj->physical + (offset & ~(PAGE_SIZE - 1)));
	return *page ? 0 : -ENXIO;
}

static int64_t read_common(struct memobj *memobj, uint64_t offset, user_t buffer, void *kernel, uint64_t length)
{
	uint64_t done = 0;
	int error = 0;
	spin_lock(&memobj->lock);
	while (done < length) {
		uint64_t at = offset + done, size = memobj->size; /* may change whenever the lock was dropped */
		if (at >= size || at < offset)
			break;
		unsigned in_page = at & (PAGE_SIZE - 1);
		uint64_t piece = min(min(length - done, size - at), PAGE_SIZE - in_page);
		struct page *page;
		error = page_at(memobj, at, &page);
		if (error)
			break;
		const char *source = page ? (const char *)page_address(page) + in_page : zero_page;
		if (kernel) {
			memcpy((char *)kernel + done, source, piece);
		} else if (copy_to_user_present(buffer + done, source, piece)) {
			/* up to the end of one user page, so that the count is exact when the next one is bad */
			piece = min(piece, PAGE_SIZE - ((buffer + done) & (PAGE_SIZE - 1)));
			if (page)
				page_ref(page);
			spin_unlock(&memobj->lock);
			error = copy_to_user(buffer + done, source, piece);
			if (page)
				page_unref(page);
			spin_lock(&memobj->lock);
			if (error)
				break;
		}
		done += piece;
	}
	spin_unlock(&memobj->lock);
	return done ? (int64_t)done : error;
}

int64_t memobj_read_user(struct memobj *memobj, uint64_t offset, user_t buffer, uint64_t length)
{
	return read_common(memobj, offset, buffer, 0, length);
}

int64_t memobj_read_kernel(struct memobj *memobj, uint64_t offset, void *buffer, uint64_t length)
{
	return read_common(memobj, offset, 0, buffer, length);
}

struct write {
	struct memobj *memobj;
	user_t user;                /* source, */
	const char *kernel;         /* or if not NULL this */
	uint64_t offset, length, done;
	uint64_t limit;
	struct page *spare;         /* a charged page of no defined content */
	struct page *replaced[REPLACED_MAX]; /* pages that mappings still show; our references */
	unsigned replaced_count;
	uint64_t replaced_first, replaced_end;
	struct page *bounce;        /* kernel page that holds the next bounce_length bytes of the source; only used when not 0 */
	uint64_t bounce_length;
};

static int write_copy(struct write *write, char *target, uint64_t piece)
{
	if (write->kernel)
		memcpy(target, write->kernel + write->done, piece);
	else if (write->bounce_length)
		memcpy(target, page_address(write->bounce), piece);
	else
		return copy_from_user_present(target, write->user + write->done, piece);
	return 0;
}

static void write_replaced(struct write *write, uint64_t index, struct page *old)
{
	if (family_empty(&write->memobj->family)) {
		page_unref(old);
		return;
	}
	if (!write->replaced_count) {
		write->replaced_first = index;
		write->replaced_end = index + 1;
	}
	write->replaced_first = min(write->replaced_first, index);
	write->replaced_end = max(write->replaced_end, index + 1);
	write->replaced[write->replaced_count++] = old;
}

/* Brings a piece within one page into the object, under its lock. 0, -ENOMEM, -ENOSPC, -EFAULT: user page absent (the piece does not count). */
static int write_piece(struct write *write, uint64_t at, uint64_t piece)
{
	struct memobj *memobj = write->memobj;
	uint64_t index = at >> PAGE_SHIFT;
	unsigned in_page = at & (PAGE_SIZE - 1);
	bool exclusive;
	struct page *page, *old;
	if (memobj->kind == MEMOBJ_PHYSICAL) {
		int error = page_at(memobj, at, &page);
		return error ? error : write_copy(write, (char *)page_address(page) + in_page, piece);
	}
	page = radix_get_exclusive(&memobj->pages, index, &exclusive);
	if (page && (exclusive || memobj->fixed)) {
		int error = write_copy(write, (char *)page_address(page) + in_page, piece);
		if (error && at + piece > memobj->size)
			memobj->tail_mapped = true; /* some of the piece may lie beyond the end */
		return error;
	}
	struct page *fresh = write->spare ? write->spare : page_alloc_charged(memobj->budget ? memobj->budget : budget_current(), 0);
	if (!fresh)
		return -ENOMEM;
	write->spare = fresh;
	char *target = page_address(fresh);
	int error = write_copy(write, target + in_page, piece);
	if (error)
		return error;
	const char *rest = page ? page_address(page) : zero_page;
	memcpy(target, rest, in_page);
	memcpy(target + in_page + piece, rest + in_page + piece, PAGE_SIZE - in_page - piece);
	uint64_t more = page ? 0 : 1;
	error = memobj_limit_add(memobj, more);
	if (error)
		return error;
	error = radix_insert(&memobj->pages, index, fresh, &old);
	if (error) {
		memobj_limit_remove(memobj, more);
		return error;
	}
	write->spare = 0;
	if (old)
		write_replaced(write, index, old);
	return 0;
}

/* May the write go on at its place? Clips the length. Under the lock. */
static int write_check(struct write *write)
{
	struct memobj *memobj = write->memobj;
	uint64_t end, bound = MEMOBJ_SIZE_MAX;
	if (memobj->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
		return -EPERM;
	if (__builtin_add_overflow(write->offset, write->length, &end))
		return -EFBIG;
	if (write->limit)
		bound = min(bound, write->limit);
	if (!(memobj->options & MEMOBJ_GROW) || memobj->fixed || memobj->kind == MEMOBJ_PHYSICAL)
		bound = min(bound, memobj->size);
	if (write->offset + write->done >= bound)
		return -EFBIG;
	if (end > bound)
		write->length = bound - write->offset;
	return 0;
}

/* Under the lock: as far as it goes. */
static int write_run(struct write *write)
{
	struct memobj *memobj = write->memobj;
	int error = 0;
	uint64_t before = write->done;
	while (write->done < write->length && write->replaced_count < REPLACED_MAX) {
		uint64_t at = write->offset + write->done;
		uint64_t piece = min(write->length - write->done, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		bool bounced = write->bounce_length != 0;
		if (bounced)
			piece = min(piece, write->bounce_length);
		if (at + piece > memobj->size && memobj->seals & SEAL_GROW) {
			error = -EPERM;
			break;
		}
		if (at + piece > memobj->size)
			memobj_clear_tail(memobj);
		error = write_piece(write, at, piece);
		if (error)
			break;
		write->done += piece;
		if (at + piece > memobj->size)
			memobj->size = at + piece;
		if (bounced) {
			write->bounce_length = 0;
			break;
		}
	}
	if (write->done != before)
		memobj->modified = time_now();
	return error;
}

/*
 * Lock released: makes the source present, as much as one hold of the lock may use; after some tries in vain (bounce) it is read into a kernel page
 * instead. Where the source is bad further on, the write is shortened to end there.
 */
static int write_touch(struct write *write, bool bounce)
{
	uint64_t start = write->user + write->done, end = write->user + write->length;
	uint64_t page_end = (start & ~(PAGE_SIZE - 1)) + PAGE_SIZE;
	if (bounce) {
		if (!write->bounce && !(write->bounce = page_alloc(0, 0)))
			return -ENOMEM;
		write->bounce_length = min(end, page_end) - start;
		int error = copy_from_user(page_address(write->bounce), start, write->bounce_length);
		if (error)
			write->bounce_length = 0;
		return error;
	}
	char byte;
	int error = copy_from_user(&byte, start, 1);
	for (uint64_t at = page_end; !error && at < end && at < start + (REPLACED_MAX + 1) * PAGE_SIZE; at += PAGE_SIZE)
		if (copy_from_user(&byte, at, 1)) {
			write->length = at - write->user;
			break;
		}
	return error;
}

/* Under the lock, of an append in the hold in which it began: what it added goes, and it will begin again. What it replaced stays replaced. */
static void write_undo(struct write *write)
{
	struct memobj *memobj = write->memobj;
	uint64_t before = radix_pages(&memobj->pages);
	/* the paths to these pages have just become this object's own: nothing is allocated */
	int error = radix_remove(&memobj->pages, page_ceiling(write->offset), page_ceiling(memobj->size));
	assert(!error);
	memobj_limit_remove(memobj, before - radix_pages(&memobj->pages));
	memobj->size = write->offset;
	memobj->tail_mapped = true;
	write->done = 0;
}

static int64_t write_common(struct write *write, uint64_t *offset, bool append)
{
	struct memobj *memobj = write->memobj;
	unsigned tries = 0;
	int error = 0;
	if (!write->length)
		return 0;
	if (!write->kernel && write->user + write->length < write->user)
		return -EFAULT;
	do {
		spin_lock(&memobj->lock);
		if (append && !write->done)
			write->offset = memobj->size;
		/* Somebody else appended while the source was brought in: stop, so as not to write over it. */
		bool overtaken = append && write->done && memobj->size != write->offset + write->done;
		uint64_t before = write->done;
		error = write_check(write);
		if (!error && !overtaken)
			error = write_run(write);
		if (error == -EFAULT && append && !before && write->done && tries < APPEND_TRIES)
			write_undo(write);
		spin_unlock(&memobj->lock);
		if (write->replaced_count) {
			memobj_invalidate(memobj, write->replaced_first, write->replaced_end, false);
			while (write->replaced_count)
				page_unref(write->replaced[--write->replaced_count]);
		}
		if (overtaken)
			break;
		if (error == -EFAULT && !write->kernel) {
			tries = write->done == before ? tries + 1 : 1;
			error = write_touch(write, tries >= (append ? APPEND_TRIES : WRITE_TRIES));
		}
	} while (!error && write->done < write->length);
	if (write->bounce)
		page_unref(write->bounce);
	if (write->spare)
		page_unref(write->spare);
	if (offset)
		*offset = write->offset;
	if (write->done && !list_empty(&memobj->object.observers))
		object_notify(&memobj->object, READY_IN);
	return write->done ? (int64_t)write->done : error;
}

int64_t memobj_write_user(struct memobj *memobj, uint64_t *offset, user_t buffer, uint64_t length, bool append, uint64_t limit)
{
	struct write write = { .memobj = memobj, .user = buffer, .offset = *offset, .length = length, .limit = limit };
	return write_common(&write, offset, append);
}

int64_t memobj_write_kernel(struct memobj *memobj, uint64_t offset, const void *buffer, uint64_t length)
{
	struct write write = { .memobj = memobj, .kernel = buffer, .offset = offset, .length = length };
	return write_common(&write, 0, false);
}
