/* What a dead server's table holds that its successor has no use for; see carillon/server.h. */
#include <stdlib.h>
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/server.h"

static int by_number(const void *a, const void *b)
{
	handle_t first = *(const handle_t *)a, second = *(const handle_t *)b;
	return first < second ? -1 : first > second;
}

static bool is_in_record(handle_t handle)
{
	const struct process_record *record = process_record();
	for (uint32_t i = 0; i < record->name_count && i < RECORD_NAMES; i++)
		if (record->name[i].handle == handle)
			return true;
	return false;
}

/* Closes first..last but what the record names. Those are the lowest numbers of the high range (user/spawn). */
static void range_close(handle_t first, handle_t last)
{
	for (; first <= last && first < HANDLE_HIGH + RECORD_NAMES && last >= HANDLE_HIGH; first++) {
		if (first < HANDLE_HIGH)
			handle_close_range((uint32_t)first, HANDLE_HIGH - 1, 0), first = HANDLE_HIGH;
		if (!is_in_record(first))
			handle_close(first);
	}
	if (first <= last)
		handle_close_range((uint32_t)first, (uint32_t)last, 0);
}

void server_sweep(handle_t *keep, size_t count)
{
	handle_t next = 0;
	if (count)
		qsort(keep, count, sizeof *keep, by_number);
	for (size_t i = 0; i < count; i++) {
		if (keep[i] > next)
			range_close(next, keep[i] - 1);
		if (keep[i] >= next)
			next = keep[i] + 1;
	}
	range_close(next, INT32_MAX - 1);
}
