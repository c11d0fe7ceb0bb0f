/* poll, ppoll, select, pselect6 on description_poll. */
#include "linux/fd/descriptor.h"

#define POLL_SMALL 32

struct poll_list {
	struct poll_item small[POLL_SMALL];
	struct poll_item *item;
	size_t count;
};

static int64_t list_begin(struct linux_thread *t, struct poll_list *list, size_t count)
{
	list->count = count;
	list->item = list->small;
	if (count > POLL_SMALL)
		list->item = linux_alloc(t->process, count * sizeof list->item[0]);
	return list->item ? 0 : -ENOMEM;
}

static void list_end(struct linux_thread *t, struct poll_list *list)
{
	if (list->item != list->small)
		linux_free(t->process, list->item, list->count * sizeof list->item[0]);
}

/* Waits for count items at address, in the program's memory or the library's. */
static int64_t items_wait(struct linux_thread *t, uint64_t address, uint64_t count, uint64_t deadline, uint32_t options)
{
	int64_t result;

	/* A signal that waited for the mask of this call ends it like one that comes now, unless something is ready. */
	bool signal_waits = deadline != 0 && (t->restore_mask || t->block.pending) && interrupt_deliverable(t);
	do
		result = description_poll((struct poll_item *)(uintptr_t)address, count, signal_waits ? 0 : deadline, POLL_LOW_HANDLES | options);
	while (wait_again(t, result));
	return signal_waits && result == 0 ? -EINTR : result;
}

static int64_t list_wait(struct linux_thread *t, struct poll_list *list, uint64_t deadline)
{
	return items_wait(t, (uint64_t)(uintptr_t)list->item, list->count, deadline, POLL_TELL_LOST);
}

static int64_t poll_wait(struct linux_thread *t, uint64_t address, uint64_t count, uint64_t deadline)
{
	if (count > t->process->limits[LINUX_RLIMIT_NOFILE][0] || count > HANDLE_HIGH)
		return -EINVAL;
	return items_wait(t, address, count, deadline, 0);
}

int64_t linux_poll(struct linux_thread *t, const uint64_t argument[6])
{
	return poll_wait(t, argument[0], (uint32_t)argument[1], deadline_from_milliseconds(t, (int)argument[2]));
}

/* What is left of a timespec is told to the program, as Linux does; a failure to write it is not an error. */
static void timespec_left(struct linux_thread *t, uint64_t address, uint64_t deadline)
{
	if (!address)
		return;
	uint64_t left = deadline_left(t, deadline);
	struct linux_timespec value = { (int64_t)(left / NANOSECONDS), (int64_t)(left % NANOSECONDS) };
	(void)user_write(t, address, &value, sizeof value);
}

int64_t linux_ppoll(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t deadline;
	int64_t result = deadline_from_timespec(t, argument[2], &deadline);
	if (result == 0)
		result = signal_mask_temporary(t, argument[3], argument[4]);
	if (result < 0)
		return result;
	result = poll_wait(t, argument[0], (uint32_t)argument[1], deadline);
	if (result != -EINTR)
		timespec_left(t, argument[2], deadline);
	return result;
}

/* -- select */

#define SET_WORDS (1024 / 64)
#define READABLE (READY_IN | READY_HANGUP | READY_ERROR)
#define WRITABLE (READY_OUT | READY_ERROR)

/* Sets of up to 1024 descriptors; larger counts are cut as Linux cuts them to the table's size. */
struct select_sets { uint64_t bits[3][SET_WORDS]; };

static int64_t sets_read(struct linux_thread *t, struct select_sets *sets, const uint64_t address[3], size_t words)
{
	memset(sets, 0, sizeof *sets);
	for (int i = 0; i < 3; i++)
		if (address[i] && user_read(t, sets->bits[i], address[i], words * sizeof(uint64_t)))
			return -EFAULT;
	return 0;
}

static int64_t select_wait(struct linux_thread *t, int count, const uint64_t address[3], uint64_t deadline)
{
	struct select_sets sets, result_sets;
	struct poll_list list;

	if (count < 0)
		return -EINVAL;
	count = MINIMUM(count, SET_WORDS * 64);
	size_t words = ((size_t)count + 63) / 64, used = 0;
	int64_t result = sets_read(t, &sets, address, words);
	if (result < 0)
		return result;
	for (int fd = 0; fd < count; fd++)
		used += (sets.bits[0][fd / 64] | sets.bits[1][fd / 64] | sets.bits[2][fd / 64]) >> (fd % 64) & 1;
	result = list_begin(t, &list, used);
	if (result < 0)
		return result;
	size_t at = 0;
	for (int fd = 0; fd < count; fd++) {
		uint32_t events = 0;
		uint64_t bit = 1ul << (fd % 64);
		if (sets.bits[0][fd / 64] & bit)
			events |= READY_IN;
		if (sets.bits[1][fd / 64] & bit)
			events |= READY_OUT;
		if (sets.bits[2][fd / 64] & bit)
			events |= READY_PRIORITY;
		if (events)
			list.item[at++] = (struct poll_item){ fd, (int16_t)events, 0 };
	}
	memset(&result_sets, 0, sizeof result_sets);
	int64_t found = 0;
	for (;;) {
		result = list_wait(t, &list, deadline);
		if (result <= 0)
			break;
		for (size_t i = 0; i < used; i++) {
			struct poll_item *item = &list.item[i];
			uint32_t ready = (uint16_t)item->ready;
			item->ready = 0;
			if (!ready)
				continue;
			if (ready & READY_LOST) /* closed during the wait: Linux calls that ready for everything */
				ready = READABLE | WRITABLE | READY_PRIORITY;
			else if (ready & READY_INVALID)
				result = -EBADF;
			int fd = item->handle;
			uint64_t bit = 1ul << (fd % 64);
			int64_t before = found;
			if (ready & READABLE && sets.bits[0][fd / 64] & bit)
				result_sets.bits[0][fd / 64] |= bit, found++;
			if (ready & WRITABLE && sets.bits[1][fd / 64] & bit)
				result_sets.bits[1][fd / 64] |= bit, found++;
			if (ready & READY_PRIORITY && sets.bits[2][fd / 64] & bit)
				result_sets.bits[2][fd / 64] |= bit, found++;
			/* ready only in a way that its sets do not ask for (hung up, only to be written): out of further waits */
			if (found == before)
				item->handle = -1;
		}
		if (result < 0 || found)
			break;
	}
	list_end(t, &list);
	if (result < 0)
		return result;
	for (int i = 0; i < 3; i++)
		if (address[i] && user_write(t, address[i], result_sets.bits[i], words * sizeof(uint64_t)))
			return -EFAULT;
	return found;
}

int64_t linux_select(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t deadline;
	int64_t result = deadline_from_timeval(t, argument[4], &deadline);
	if (result < 0)
		return result;
	result = select_wait(t, (int)argument[0], argument + 1, deadline);
	if (argument[4] && result != -EINTR) {
		uint64_t left = deadline_left(t, deadline);
		struct linux_timeval value = { (int64_t)(left / NANOSECONDS), (int64_t)(left % NANOSECONDS / 1000) };
		(void)user_write(t, argument[4], &value, sizeof value);
	}
	return result;
}

int64_t linux_pselect6(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t deadline, mask[2] = { 0, 8 };
	if (argument[5] && user_read(t, mask, argument[5], sizeof mask))
		return -EFAULT;
	int64_t result = deadline_from_timespec(t, argument[4], &deadline);
	if (result == 0)
		result = signal_mask_temporary(t, mask[0], mask[1]);
	if (result < 0)
		return result;
	result = select_wait(t, (int)argument[0], argument + 1, deadline);
	if (result != -EINTR)
		timespec_left(t, argument[4], deadline);
	return result;
}
