/* Starting native programs: servers and drivers from the boot archive. Implemented in user/spawn. */
#ifndef CARILLON_SPAWN_H
#define CARILLON_SPAWN_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"

struct native_handle {
	const char *name;     /* under which the program finds it (record_handle, record_value); at most 23 bytes */
	handle_t handle;      /* HANDLE_NONE: only a value; copied, the caller keeps its own */
	uint32_t rights;      /* a subset of the handle's; 0: the same */
	uint64_t value;
};

struct native_spawn {
	const char *name;                 /* recorded as the executable: its last component prefixes log lines */
	const void *image;                /* the ELF file, readable in the caller */
	size_t image_size;
	handle_t memobj;                  /* the object that holds the same bytes, */
	uint64_t memobj_offset;           /* from this page-aligned offset: pages are mapped from there, text shared */
	handle_t budget;                  /* pays for the process; HANDLE_SELF_BUDGET: the caller's */
	const char *const *arguments;     /* NULL-terminated; NULL: the name alone */
	const char *const *environment;   /* NULL-terminated; NULL: empty */
	const struct native_handle *handles;
	size_t handle_count;              /* at most RECORD_NAMES */
	size_t stack_size;                /* bytes; 0: 256 KiB. Only what is touched costs memory. */
	/*
	 * With shares_handles the program's handle table is that of the process handles_of, which outlives it. A successor of a program that died finds
	 * in it what was there, under the same numbers: handles that are given are then not put into it again, only named in the record.
	 */
	bool shares_handles, successor;
	handle_t handles_of;
};

/*
 * Builds the address space, the handle table and the record, and starts the program's first thread. Returns a handle of the process (the
 * caller's), or a negative error: -ENOEXEC, -ENOMEM, -E2BIG ... ; nothing is left behind then. May block on memory only.
 */
int64_t native_spawn(const struct native_spawn *request);
#endif
