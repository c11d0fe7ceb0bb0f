/*
 * What the console leaves to a successor of this server: its settings, in the state object. Two copies, of which one is complete at any time; the number
 * says which, and is written last. What was typed and not read goes with the server, so that no line is ever read twice.
 */
#include <string.h>
#include "carillon/boot_names.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "terminal.h"

#define KEPT_MAGIC 0x316d726574u

static struct kept {
	uint64_t magic, number; /* copy number % 2 counts */
	struct terminal_attributes copy[2];
} *kept;

bool kept_start(struct terminal *terminal)
{
	struct map_request map = { .length = PAGE_SIZE, .memobj = record_handle_required(BOOT_NAME_STATE), .protection = PROTECT_READ | PROTECT_WRITE,
		.low = 0x100000000ul, .high = VALUE_SPACE_START };
	int64_t address = space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		server_fail("cannot map the state: error %d", (int)-address);
	kept = (struct kept *)address;
	if (kept->magic != KEPT_MAGIC)
		return false;
	discipline_set_attributes(&terminal->discipline, &kept->copy[kept->number % 2]);
	return true;
}

void kept_save(const struct terminal *terminal)
{
	if (!kept || terminal->pseudo)
		return;
	kept->copy[(kept->number + 1) % 2] = terminal->discipline.attributes;
	__atomic_store_n(&kept->number, kept->number + 1, __ATOMIC_RELEASE);
	__atomic_store_n(&kept->magic, KEPT_MAGIC, __ATOMIC_RELEASE);
}
