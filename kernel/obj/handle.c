/*
 * Handle tables: see handle.h. Slots lie in one array a range that grows by doubling; a bitmap of used slots gives the lowest
 * free number in one step for each 64 slots from `lowest` on, which only moves up when the slot below it is taken.
 */
#include "kernel/obj/handle.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define RANGE_START 64u /* slots of a first allocation */

/* --- ranges; all under the table's lock --- */

static struct handle_range *range_of(struct handle_table *table, uint32_t number, uint32_t *index)
{
	if (number < HANDLE_HIGH) {
		*index = number;
		return &table->low;
	}
	*index = number - HANDLE_HIGH;
	return &table->high;
}

static void range_free(struct handle_range *range)
{
	heap_free(range->slots, range->capacity * sizeof(*range->slots));
	heap_free(range->used, range->capacity / 8);
	*range = (struct handle_range){ 0 };
}

static int range_grow(struct handle_range *range, uint32_t index)
{
	uint32_t capacity = range->capacity ? range->capacity : RANGE_START;
	while (capacity <= index)
		capacity *= 2;
	if (capacity == range->capacity)
		return 0;
	struct handle_slot *slots = heap_alloc(capacity * sizeof(*slots));
	uint64_t *used = heap_alloc(capacity / 8);
	if (!slots || !used) {
		heap_free(slots, capacity * sizeof(*slots));
		heap_free(used, capacity / 8);
		return -ENOMEM;
	}
	if (range->capacity) {
		memcpy(slots, range->slots, range->capacity * sizeof(*slots));
		memcpy(used, range->used, range->capacity / 8);
		heap_free(range->slots, range->capacity * sizeof(*slots));
		heap_free(range->used, range->capacity / 8);
	}
	range->slots = slots;
	range->used = used;
	range->capacity = capacity;
	return 0;
}

/* The lowest free index from minimum up; may equal or exceed the capacity. */
static uint32_t range_lowest_free(struct handle_range *range, uint32_t minimum)
{
	uint32_t index = max(minimum, range->lowest);
	while (index < range->capacity) {
		uint64_t free = ~range->used[index / 64] >> index % 64;
		if (free)
			return index + (uint32_t)__builtin_ctzll(free);
		index = (index / 64 + 1) * 64;
	}
	return index;
}

static void range_fill(struct handle_range *range, uint32_t index, struct object *object, uint32_t rights, uint32_t options)
{
	range->slots[index] = (struct handle_slot){ object, (uint8_t)object->operations->kind, (uint8_t)rights, (uint8_t)options, 0 };
	range->used[index / 64] |= 1ull << index % 64;
	range->count++;
	if (index == range->lowest)
		range->lowest = index + 1;
}

static struct object *range_empty_slot(struct handle_range *range, uint32_t index)
{
	struct object *object = range->slots[index].object;
	range->slots[index] = (struct handle_slot){ 0 };
	range->used[index / 64] &= ~(1ull << index % 64);
	range->count--;
	if (index < range->lowest)
		range->lowest = index;
	return object;
}

static struct handle_slot *slot_find(struct handle_table *table, uint32_t number)
{
	uint32_t index;
	struct handle_range *range = range_of(table, number, &index);
	if (index >= range->capacity || !range->slots[index].object)
		return NULL;
	return &range->slots[index];
}

static void handle_drop(struct object *object)
{
	if (object->operations->handle_closed)
		object->operations->handle_closed(object);
	object_unref(object);
}

/* --- tables --- */

struct handle_table *handle_table_create(void)
{
	struct handle_table *table = heap_alloc(sizeof(*table));
	if (!table)
		return NULL;
	spin_init(&table->lock, "handles", RANK_HANDLES);
	table->references = 1;
	table->limit = HANDLE_LOW_LIMIT_DEFAULT;
	return table;
}

void handle_table_ref(struct handle_table *table)
{
	__atomic_add_fetch(&table->references, 1, __ATOMIC_RELAXED);
}

static uint32_t range_highest_used(const struct handle_range *range)
{
	for (uint32_t word = range->capacity / 64; word-- > 0;)
		if (range->used[word])
			return word * 64 + 63 - (uint32_t)__builtin_clzll(range->used[word]);
	return 0;
}

static int range_copy(struct handle_range *target, const struct handle_range *source)
{
	if (!source->count)
		return 0;
	if (range_grow(target, range_highest_used(source)))
		return -ENOMEM;
	for (uint32_t word = 0; word < target->capacity / 64; word++) {
		uint64_t bits = source->used[word];
		while (bits) {
			uint32_t index = word * 64 + (uint32_t)__builtin_ctzll(bits);
			bits &= bits - 1;
			if (source->slots[index].options & HANDLE_NOT_COPIED)
				continue;
			target->slots[index] = source->slots[index];
			target->used[word] |= 1ull << index % 64;
			target->count++;
			object_ref(target->slots[index].object);
		}
	}
	target->lowest = 0;
	return 0;
}

struct handle_table *handle_table_copy(struct handle_table *table)
{
	struct handle_table *copy = handle_table_create();
	if (!copy)
		return NULL;
	spin_lock(&table->lock);
	copy->limit = table->limit;
	int error = range_copy(&copy->low, &table->low);
	if (!error)
		error = range_copy(&copy->high, &table->high);
	spin_unlock(&table->lock);
	if (error) {
		handle_table_unref(copy);
		return NULL;
	}
	return copy;
}

static void range_close_all(struct handle_range *range)
{
	for (uint32_t word = 0; word < range->capacity / 64; word++)
		while (range->used[word])
			handle_drop(range_empty_slot(range, word * 64 + (uint32_t)__builtin_ctzll(range->used[word])));
	range_free(range);
}

void handle_table_unref(struct handle_table *table)
{
	if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL))
		return;
	/* Nobody else can reach the table now: no lock. */
	range_close_all(&table->low);
	range_close_all(&table->high);
	heap_free(table, sizeof(*table));
}

/* Closes (or marks) what lies in [first, last] of one range, one slot at a time: objects are dropped outside the lock. */
static void range_close(struct handle_table *table, struct handle_range *range, uint32_t first, uint32_t last, bool marked_only)
{
	for (uint64_t index = first; index <= last; index++) {
		struct object *object = NULL;
		spin_lock(&table->lock);
		while (index <= last && index < range->capacity) {
			if (!range->used[index / 64]) {
				index = (index / 64 + 1) * 64;
				continue;
			}
			if (range->slots[index].object && (!marked_only || range->slots[index].options & HANDLE_CLOSE_ON_EXEC)) {
				object = range_empty_slot(range, (uint32_t)index);
				break;
			}
			index++;
		}
		spin_unlock(&table->lock);
		if (!object)
			return;
		handle_drop(object);
	}
}

void handle_table_close_on_exec(struct handle_table *table)
{
	range_close(table, &table->low, 0, HANDLE_RANGE_MAX - 1, true);
	range_close(table, &table->high, 0, HANDLE_RANGE_MAX - 1, true);
}

uint32_t handle_table_count(struct handle_table *table)
{
	return table->low.count + table->high.count;
}

int64_t handle_table_install(struct handle_table *table, struct object *object, uint32_t rights, uint32_t options, uint32_t minimum)
{
	uint32_t index;
	int64_t result;
	spin_lock(&table->lock);
	struct handle_range *range = range_of(table, minimum, &index);
	uint32_t limit = range == &table->low ? table->limit : HANDLE_RANGE_MAX;
	if (index >= limit) {
		result = -EINVAL;
	} else {
		index = range_lowest_free(range, index);
		if (index >= limit)
			result = -EMFILE;
		else if (range_grow(range, index))
			result = -ENOMEM;
		else {
			range_fill(range, index, object, rights, options);
			result = range == &table->low ? index : HANDLE_HIGH + index;
		}
	}
	spin_unlock(&table->lock);
	if (result < 0)
		object_unref(object);
	return result;
}

int64_t handle_table_install_at(struct handle_table *table, struct object *object, uint32_t rights, uint32_t options, uint32_t number, bool replace)
{
	uint32_t index;
	int64_t result = number;
	struct object *old = NULL;
	spin_lock(&table->lock);
	struct handle_range *range = range_of(table, number, &index);
	if (index >= (range == &table->low ? table->limit : HANDLE_RANGE_MAX))
		result = -EBADF;
	else if (range_grow(range, index))
		result = -ENOMEM;
	else if (range->slots[index].object && !replace)
		result = -EBUSY;
	else {
		if (range->slots[index].object)
			old = range_empty_slot(range, index);
		range_fill(range, index, object, rights, options);
	}
	spin_unlock(&table->lock);
	if (result < 0)
		object_unref(object);
	if (old)
		handle_drop(old);
	return result;
}

int handle_table_lookup(struct handle_table *table, uint32_t number, struct object **object, uint32_t *rights)
{
	spin_lock(&table->lock);
	struct handle_slot *slot = slot_find(table, number);
	if (slot) {
		*object = slot->object;
		*rights = slot->rights;
		object_ref(slot->object);
	}
	spin_unlock(&table->lock);
	return slot ? 0 : -EBADF;
}

int64_t handle_table_next(struct handle_table *table, uint32_t first, struct object **object, uint32_t *rights, uint32_t *options)
{
	int64_t number = -ENOENT;
	spin_lock(&table->lock);
	for (uint32_t index = first; index < table->low.capacity; index++) {
		struct handle_slot *slot = &table->low.slots[index];
		if (!slot->object)
			continue;
		*object = slot->object;
		*rights = slot->rights;
		*options = slot->options;
		object_ref(slot->object);
		number = index;
		break;
	}
	spin_unlock(&table->lock);
	return number;
}

int handle_table_close(struct handle_table *table, uint32_t number, struct object *expected)
{
	uint32_t index;
	struct object *object = NULL;
	spin_lock(&table->lock);
	struct handle_range *range = range_of(table, number, &index);
	struct handle_slot *slot = slot_find(table, number);
	if (slot && (!expected || slot->object == expected))
		object = range_empty_slot(range, index);
	spin_unlock(&table->lock);
	if (!object)
		return -EBADF;
	handle_drop(object);
	return 0;
}

/* --- the current process --- */

static int lookup_pseudo(handle_t number, struct object **object)
{
	struct process *process = process_current();
	switch (number) {
	case HANDLE_SELF_SPACE:
		*object = space_object(process->space);
		break;
	case HANDLE_SELF_PROCESS:
		*object = &process->object;
		break;
	case HANDLE_SELF_BUDGET:
		*object = &process->budget->object;
		break;
	default:
		return -EBADF;
	}
	object_ref(*object);
	return 0;
}

static __attribute__((noinline, cold)) int lookup_pseudo_checked(handle_t number, enum object_kind kind, struct object **object, uint32_t *actual)
{
	int error = lookup_pseudo(number, object);
	if (error)
		return error;
	if (kind != KIND_NONE && (*object)->operations->kind != kind) {
		object_unref(*object);
		return -EINVAL;
	}
	*actual = number == HANDLE_SELF_BUDGET ? RIGHT_ALL & ~RIGHT_WRITE : RIGHT_ALL;
	return 0;
}

int handle_lookup_rights(handle_t number, enum object_kind kind, uint32_t rights, struct object **object, uint32_t *actual)
{
	if (number < 0)
		return lookup_pseudo_checked(number, kind, object, actual);
	struct handle_table *table = process_current()->handles;
	bool high = number >= HANDLE_HIGH;
	const struct handle_range *range = high ? &table->high : &table->low;
	uint32_t index = (uint32_t)number & ~(uint32_t)HANDLE_HIGH;
	int error = -EBADF;
	spin_lock(&table->lock);
	if (index < range->capacity) {
		struct handle_slot slot = range->slots[index];
		if (!slot.object)
			error = -EBADF;
		else if (kind != KIND_NONE && slot.kind != kind)
			error = -EINVAL;
		else if (rights & ~slot.rights)
			error = -EACCES;
		else {
			*object = slot.object;
			*actual = slot.rights;
			__atomic_add_fetch(&slot.object->references, 1, __ATOMIC_RELAXED);
			error = 0;
		}
	}
	spin_unlock(&table->lock);
	return error;
}

int handle_lookup(handle_t number, enum object_kind kind, uint32_t rights, struct object **object)
{
	uint32_t actual;
	return handle_lookup_rights(number, kind, rights, object, &actual);
}

int64_t handle_install_new(struct object *object, uint32_t rights, uint32_t options, uint32_t minimum)
{
	return handle_table_install(process_current()->handles, object, rights, options, minimum);
}

/* Changes the options of every handle in the range; -EBADF when the number itself is meant and free. */
int handle_table_mark(struct handle_table *table, uint32_t first, uint32_t last, uint32_t options, bool add)
{
	uint32_t marked = 0;
	spin_lock(&table->lock);
	for (unsigned high = 0; high < 2; high++) {
		struct handle_range *range = high ? &table->high : &table->low;
		uint64_t base = high ? HANDLE_HIGH : 0;
		uint64_t from = max((uint64_t)first, base) - base;
		for (uint64_t index = from; index < range->capacity && base + index <= last; index++) {
			struct handle_slot *slot = &range->slots[index];
			if (!slot->object)
				continue;
			slot->options = (uint8_t)(add ? slot->options | options : options);
			marked++;
		}
	}
	spin_unlock(&table->lock);
	return marked ? 0 : -EBADF;
}

void handle_table_close_range(struct handle_table *table, uint32_t first, uint32_t last)
{
	if (first < HANDLE_HIGH)
		range_close(table, &table->low, first, min(last, HANDLE_RANGE_MAX - 1u), false);
	if (last >= HANDLE_HIGH) {
		uint32_t from = first < HANDLE_HIGH ? 0 : first - HANDLE_HIGH;
		range_close(table, &table->high, from, min(last - HANDLE_HIGH, HANDLE_RANGE_MAX - 1u), false);
	}
}

int64_t handle_table_set_limit(struct handle_table *table, uint32_t limit)
{
	if (limit > HANDLE_RANGE_MAX)
		return -EINVAL;
	spin_lock(&table->lock);
	table->limit = limit;
	spin_unlock(&table->lock);
	return 0;
}

uint32_t handle_table_options(struct handle_table *table, uint32_t number)
{
	spin_lock(&table->lock);
	struct handle_slot *slot = slot_find(table, number);
	uint32_t options = slot ? slot->options : 0;
	spin_unlock(&table->lock);
	return options;
}
