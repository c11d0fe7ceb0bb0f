/*
 * Handles: a process's table of references to kernel objects, with rights.
 *
 * A process has two tables: of low numbers from 0 (bounded by a settable limit; what Linux programs see as descriptors) and of high numbers from
 * HANDLE_HIGH (the library's own). Every allocation takes the lowest free number not below a minimum. Tables are reference-counted:
 * processes may share either. A slot holds one reference to its object.
 *
 * Locks: a table's lock (RANK_HANDLES) covers all its fields; never two at a time. Objects are never dropped under it.
 */
#ifndef KERNEL_HANDLE_H
#define KERNEL_HANDLE_H
#include "kernel/obj/object.h"

#define HANDLE_LOW_LIMIT_DEFAULT 1024u

/* object NULL: free. Rights and kind are tested together with one comparison. */
struct handle_slot {
	struct object *object;
	uint8_t kind, rights, options, reserved;
};
struct handle_table {
	struct spinlock lock;
	uint32_t references; /* atomic */
	uint32_t base;       /* constant: number of the first slot, 0 or HANDLE_HIGH */
	uint32_t limit;      /* slots from here up are not given out */
	struct handle_slot *slots;
	uint64_t *used;      /* bit per slot */
	uint32_t capacity;   /* slots allocated, a multiple of 64 */
	uint32_t count;      /* slots in use */
	uint32_t lowest;     /* no free slot below this one */
};
/* The tables of a process, by whether numbers are high. Both NULL: none (a corpse's). */
struct handles { struct handle_table *table[2]; };

/* Two empty tables, one reference each. -ENOMEM. */
int handles_create(struct handles *handles) must_check;
/* Copies of both, for fork, with references taken to what every slot refers to; or the low one itself, shared. -ENOMEM. */
int handles_copy(struct handles *copy, const struct handles *handles, bool share_low) must_check;
/* Does another process have one of them? */
bool handles_shared(const struct handles *handles);
void handles_ref(const struct handles *handles);
/* Dropping a table's last reference closes everything in it; may destroy objects: no locks held. */
void handles_unref(const struct handles *handles);
void handle_table_close_on_exec(const struct handles *handles);
uint32_t handle_table_count(const struct handles *handles);

/*
 * Looks up a handle of the current process (pseudo handles HANDLE_SELF_* included). kind KIND_NONE: any. All of `rights` are needed.
 * 0 and a referenced *object; -EBADF no such handle, -EINVAL another kind, -EACCES a right is missing.
 */
static inline int must_check handle_lookup(handle_t number, enum object_kind kind, uint32_t rights, struct object **object);
/* The same, telling also which rights the handle has. */
int handle_lookup_rights(handle_t number, enum object_kind kind, uint32_t rights, struct object **object, uint32_t *actual) must_check;
static inline int handle_lookup(handle_t number, enum object_kind kind, uint32_t rights, struct object **object)
{
	uint32_t actual;
	return handle_lookup_rights(number, kind, rights, object, &actual);
}
/* Gives the current process a new handle, the lowest free number from minimum up. Consumes the caller's reference, also on failure.
 * The number, or -EMFILE (none free below the limit), -EINVAL (minimum out of range), -ENOMEM. */
int64_t handle_install_new(struct object *object, uint32_t rights, uint32_t options, uint32_t minimum) must_check;
/* As above in any table. */
int64_t handle_table_install(const struct handles *handles, struct object *object, uint32_t rights, uint32_t options, uint32_t minimum) must_check;
/* Puts an object at that number: -EBUSY when it is taken and replace is false. Consumes the reference. Returns number or an error (-EBADF out of range). */
int64_t handle_table_install_at(const struct handles *handles, struct object *object, uint32_t rights, uint32_t options, uint32_t number, bool replace) must_check;
/* Looks a handle of a table up; referenced. */
int handle_table_lookup(const struct handles *handles, uint32_t number, struct object **object, uint32_t *rights) must_check;
/* The lowest used low number from `first` up: the number, *object (referenced), rights and options; or -ENOENT. */
int64_t handle_table_next(const struct handles *handles, uint32_t first, struct object **object, uint32_t *rights, uint32_t *options) must_check;
/* Closes a number; with expected not NULL only if it refers to that object. 0 or -EBADF. */
int handle_table_close(const struct handles *handles, uint32_t number, struct object *expected);
/* Both ranges: closes all handles from first to last; sets (or adds) options on all of them, -EBADF when there is none. */
void handle_table_close_range(const struct handles *handles, uint32_t first, uint32_t last);
int handle_table_mark(const struct handles *handles, uint32_t first, uint32_t last, uint32_t options, bool add);
/* Options of a handle, 0 if there is none. */
uint32_t handle_table_options(const struct handles *handles, uint32_t number);
int64_t handle_table_set_limit(const struct handles *handles, uint32_t limit);
#endif
