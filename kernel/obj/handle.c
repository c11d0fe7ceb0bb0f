/*
 * Handle tables: see handle.h. Slots lie in one array that grows by doubling; a bitmap of used slots gives the lowest
 * free number in one step for each 64 slots from `lowest` on, which only moves up when the slot below it is taken.
 */
#include "kernel/obj/handle.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"

#define SLOTS_START 64u /* slots of a first allocation */

/* --- slots; all under the table's lock --- */

/* The table that a number belongs to, and its slot there. */
static struct handle_table *table_of(const struct handles *handles, uint32_t number, uint32_t *index)
{
	bool high = number >= HANDLE_HIGH;
	*index = high ? number - HANDLE_HIGH : number;
	return handles->table[high];
}

static int table_grow(struct handle_table *table, uint32_t index)
{
	uint32_t capacity = table->capacity ? table->capacity : SLOTS_START;
	while (capacity <= index)
		capacity *= 2;
	if (capacity == table->capacity)
		return 0;
	struct handle_slot *slots = heap_alloc_own(capacity * sizeof(*slots));
	uint64_t *used = heap_alloc_own(capacity / 8);
	if (!slots || !used) {
		heap_free(slots, capacity * sizeof(*slots));
		heap_free(used, capacity / 8);
		return -ENOMEM;
	}
	if (table->capacity) {
		memcpy(slots, table->slots, table->capacity * sizeof(*slots));
		memcpy(used, table->used, table->capacity / 8);
		heap_free(table->slots, table->capacity * sizeof(*slots));
		heap_free(table->used, table->capacity / 8);
	}
	table->slots = slots;
	table->used = used;
	table->capacity = capacity;
	return 0;
}

/* The lowest free index from minimum up; may equal or exceed the capacity. */
static uint32_t table_lowest_free(struct handle_table *table, uint32_t minimum)
{
	uint32_t index = max(minimum, table->lowest);
	while (index < table->capacity) {
		uint64_t free = ~table->used[index / 64] >> index % 64;
		if (free)
			return index + (uint32_t)__builtin_ctzll(free);
		index = (index / 64 + 1) * 64;
	}
	return index;
}

static void table_fill(struct handle_table *table, uint32_t index, struct object *object, uint32_t rights, uint32_t options)
{
	table->slots[index] = (struct handle_slot){ object, (uint8_t)object->operations->kind, (uint8_t)rights, (uint8_t)options, 0 };
	table->used[index / 64] |= 1ull << index % 64;
	table->count++;
	if (index == table->lowest)
		table->lowest = index + 1;
}

static struct object *table_empty_slot(struct handle_table *table, uint32_t index)
{
	struct object *object = table->slots[index].object;
	table->slots[index] = (struct handle_slot){ 0 };
	table->used[index / 64] &= ~(1ull << index % 64);
	table->count--;
	if (index < table->lowest)
		table->lowest = index;
	return object;
}

static struct handle_slot *slot_find(struct handle_table *table, uint32_t index)
{
	return index < table->capacity && table->slots[index].object ? &table->slots[index] : NULL;
}

static void handle_drop(struct object *object)
{
	if (object->operations->handle_closed)
		object->operations->handle_closed(object);
	else
		object_unref(object);
}

/* --- tables --- */

static struct handle_table *table_create(uint32_t base)
{
	struct handle_table *table = heap_alloc_own(sizeof(*table));
	if (!table)
		return NULL;
	spin_init(&table->lock, "handles", RANK_HANDLES);
	table->references = 1;
	table->base = base;
	table->limit = base ? HANDLE_RANGE_MAX : HANDLE_LOW_LIMIT_DEFAULT;
	return table;
}

static uint32_t table_highest_used(const struct handle_table *table)
{
	for (uint32_t word = table->capacity / 64; word-- > 0;)
		if (table->used[word])
			return word * 64 + 63 - (uint32_t)__builtin_clzll(table->used[word]);
	return 0;
}

/* Under the source's lock. */
static int table_fill_from(struct handle_table *target, const struct handle_table *source)
{
	target->limit = source->limit;
	if (!source->count)
		return 0;
	if (table_grow(target, table_highest_used(source)))
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

static void table_unref(struct handle_table *table)
{
	if (!table || __atomic_sub_fetch(&table->references, 1, __ATOMIC_ACQ_REL))
		return;
	/* Nobody else can reach the table now: no lock. */
	for (uint32_t word = 0; word < table->capacity / 64; word++)
		while (table->used[word])
			handle_drop(table_empty_slot(table, word * 64 + (uint32_t)__builtin_ctzll(table->used[word])));
	heap_free(table->slots, table->capacity * sizeof(*table->slots));
	heap_free(table->used, table->capacity / 8);
	heap_free(table, sizeof(*table));
}

static struct handle_table *table_copy(struct handle_table *table)
{
	struct handle_table *copy = table_create(table->base);
	if (!copy)
		return NULL;
	spin_lock(&table->lock);
	int error = table_fill_from(copy, table);
	spin_unlock(&table->lock);
	if (error) {
		table_unref(copy);
		return NULL;
	}
	return copy;
}

/* --- the tables of a process --- */

static int handles_complete(struct handles *handles)
{
	if (handles->table[0] && handles->table[1])
		return 0;
	handles_unref(handles);
	return -ENOMEM;
}

int handles_create(struct handles *handles)
{
	*handles = (struct handles){ { table_create(0), table_create(HANDLE_HIGH) } };
	return handles_complete(handles);
}

int handles_copy(struct handles *copy, const struct handles *handles, bool share_low)
{
	struct handle_table *low = handles->table[0];
	if (share_low)
		__atomic_add_fetch(&low->references, 1, __ATOMIC_RELAXED);
	*copy = (struct handles){ { share_low ? low : table_copy(low), table_copy(handles->table[1]) } };
	return handles_complete(copy);
}

bool handles_shared(const struct handles *handles)
{
	return __atomic_load_n(&handles->table[0]->references, __ATOMIC_ACQUIRE) > 1 || __atomic_load_n(&handles->table[1]->references, __ATOMIC_ACQUIRE) > 1;
}

void handles_ref(const struct handles *handles)
{
	for (unsigned i = 0; i < 2; i++)
		__atomic_add_fetch(&handles->table[i]->references, 1, __ATOMIC_RELAXED);
}

void handles_unref(const struct handles *handles)
{
	table_unref(handles->table[0]);
	table_unref(handles->table[1]);
}

/* Closes slots [first, last], or those among them marked close-on-exec, one at a time: objects are dropped outside the lock. */
static void table_close(struct handle_table *table, uint32_t first, uint32_t last, bool marked_only)
{
	for (uint64_t index = first; index <= last; index++) {
		struct object *object = NULL;
		spin_lock(&table->lock);
		while (index <= last && index < table->capacity) {
			if (!table->used[index / 64]) {
				index = (index / 64 + 1) * 64;
				continue;
			}
			if (table->slots[index].object && (!marked_only || table->slots[index].options & HANDLE_CLOSE_ON_EXEC)) {
				object = table_empty_slot(table, (uint32_t)index);
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

void handle_table_close_on_exec(const struct handles *handles)
{
	table_close(handles->table[0], 0, HANDLE_RANGE_MAX - 1, true);
	table_close(handles->table[1], 0, HANDLE_RANGE_MAX - 1, true);
}

uint32_t handle_table_count(const struct handles *handles)
{
	return handles->table[0]->count + handles->table[1]->count;
}

int64_t handle_table_install(const struct handles *handles, struct object *object, uint32_t rights, uint32_t options, uint32_t minimum)
{
	uint32_t index;
	int64_t result;
	struct handle_table *table = table_of(handles, minimum, &index);
	spin_lock(&table->lock);
	if (index >= table->limit) {
		result = -EINVAL;
	} else {
		index = table_lowest_free(table, index);
		if (index >= table->limit)
			result = -EMFILE;
		else if (table_grow(table, index))
			result = -ENOMEM;
		else {
			table_fill(table, index, object, rights, options);
			result = table->base + index;
		}
	}
	spin_unlock(&table->lock);
	if (result < 0)
		object_unref(object);
	return result;
}

int64_t handle_table_install_at(const struct handles *handles, struct object *object, uint32_t rights, uint32_t options, uint32_t number, bool replace)
{
	uint32_t index;
	int64_t result = number;
	struct object *old = NULL;
	struct handle_table *table = table_of(handles, number, &index);
	spin_lock(&table->lock);
	if (index >= table->limit)
		result = -EBADF;
	else if (table_grow(table, index))
		result = -ENOMEM;
	else if (table->slots[index].object && !replace)
		result = -EBUSY;
	else {
		if (table->slots[index].object)
			old = table_empty_slot(table, index);
		table_fill(table, index, object, rights, options);
	}
	spin_unlock(&table->lock);
	if (result < 0)
		object_unref(object);
	if (old)
		handle_drop(old);
	return result;
}

int handle_table_lookup(const struct handles *handles, uint32_t number, struct object **object, uint32_t *rights)
{
	uint32_t index;
	struct handle_table *table = table_of(handles, number, &index);
	spin_lock(&table->lock);
	struct handle_slot *slot = slot_find(table, index);
	if (slot) {
		*object = slot->object;
		*rights = slot->rights;
		object_ref(slot->object);
	}
	spin_unlock(&table->lock);
	return slot ? 0 : -EBADF;
}

int64_t handle_table_next(const struct handles *handles, uint32_t first, struct object **object, uint32_t *rights, uint32_t *options)
{
	int64_t number = -ENOENT;
	struct handle_table *table = handles->table[0];
	spin_lock(&table->lock);
	for (uint32_t index = first; index < table->capacity; index++) {
		struct handle_slot *slot = &table->slots[index];
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

int handle_table_close(const struct handles *handles, uint32_t number, struct object *expected)
{
	uint32_t index;
	struct object *object = NULL;
	struct handle_table *table = table_of(handles, number, &index);
	spin_lock(&table->lock);
	struct handle_slot *slot = slot_find(table, index);
	if (slot && (!expected || slot->object == expected))
		object = table_empty_slot(table, index);
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

/* The hot path of nearly every call. */
int handle_lookup_rights(handle_t number, enum object_kind kind, uint32_t rights, struct object **object, uint32_t *actual)
{
	if (number < 0)
		return lookup_pseudo_checked(number, kind, object, actual);
	_Static_assert(HANDLE_HIGH == 1u << 30, "a number's table is its highest bit");
	struct handle_table *table = process_current()->handles.table[(uint32_t)number >> 30];
	uint32_t index = (uint32_t)number & (HANDLE_HIGH - 1);
	spin_lock(&table->lock);
	if (index < table->capacity) {
		const struct handle_slot *slot = &table->slots[index];
		struct object *found = slot->object;
		if (found && (kind == KIND_NONE || slot->kind == kind) && !(rights & ~slot->rights)) {
			*object = found;
			*actual = slot->rights;
			object_ref(found);
			spin_unlock(&table->lock);
			return 0;
		}
		if (found) {
			int error = kind != KIND_NONE && slot->kind != kind ? -EINVAL : -EACCES;
			spin_unlock(&table->lock);
			return error;
		}
	}
	spin_unlock(&table->lock);
	return -EBADF;
}

int64_t handle_install_new(struct object *object, uint32_t rights, uint32_t options, uint32_t minimum)
{
	return handle_table_install(&process_current()->handles, object, rights, options, minimum);
}

/* Changes the options of every handle in the range; -EBADF when the number itself is meant and free. */
int handle_table_mark(const struct handles *handles, uint32_t first, uint32_t last, uint32_t options, bool add)
{
	uint32_t marked = 0;
	for (unsigned high = 0; high < 2; high++) {
		struct handle_table *table = handles->table[high];
		uint64_t base = table->base, from = max((uint64_t)first, base) - base;
		spin_lock(&table->lock);
		for (uint64_t index = from; index < table->capacity && base + index <= last; index++) {
			struct handle_slot *slot = &table->slots[index];
			if (!slot->object)
				continue;
			slot->options = (uint8_t)(add ? slot->options | options : options);
			marked++;
		}
		spin_unlock(&table->lock);
	}
	return marked ? 0 : -EBADF;
}

void handle_table_close_range(const struct handles *handles, uint32_t first, uint32_t last)
{
	if (first < HANDLE_HIGH)
		table_close(handles->table[0], first, min(last, HANDLE_RANGE_MAX - 1u), false);
	if (last >= HANDLE_HIGH) {
		uint32_t from = first < HANDLE_HIGH ? 0 : first - HANDLE_HIGH;
		table_close(handles->table[1], from, min(last - HANDLE_HIGH, HANDLE_RANGE_MAX - 1u), false);
	}
}

int64_t handle_table_set_limit(const struct handles *handles, uint32_t limit)
{
	struct handle_table *table = handles->table[0];
	if (limit > HANDLE_RANGE_MAX)
		return -EINVAL;
	spin_lock(&table->lock);
	table->limit = limit;
	spin_unlock(&table->lock);
	return 0;
}

uint32_t handle_table_options(const struct handles *handles, uint32_t number)
{
	uint32_t index;
	struct handle_table *table = table_of(handles, number, &index);
	spin_lock(&table->lock);
	struct handle_slot *slot = slot_find(table, index);
	uint32_t options = slot ? slot->options : 0;
	spin_unlock(&table->lock);
	return options;
}
