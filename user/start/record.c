/* Access to the process record by name; see runtime.h. */
#include <string.h>
#include "carillon/runtime.h"

struct process_record *process_record(void)
{
	return (struct process_record *)LIBRARY_RECORD;
}

static const struct record_name *name_find(const char *name)
{
	const struct process_record *record = process_record();
	for (uint32_t i = 0; i < record->name_count && i < RECORD_NAMES; i++)
		if (strncmp(record->name[i].name, name, sizeof record->name[i].name) == 0)
			return &record->name[i];
	return NULL;
}

handle_t record_handle(const char *name)
{
	const struct record_name *found = name_find(name);
	return found ? found->handle : HANDLE_NONE;
}

handle_t record_handle_required(const char *name)
{
	handle_t handle = record_handle(name);
	if (handle == HANDLE_NONE)
		server_fail("not given the handle \"%s\"", name);
	return handle;
}

uint64_t record_value(const char *name, uint64_t fallback)
{
	const struct record_name *found = name_find(name);
	return found ? found->value : fallback;
}
