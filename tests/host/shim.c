/* The stand-ins of shim.h. */
#include <sanitizer/asan_interface.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/budget.h"
#include "kernel/vm/space.h"
#include "shim.h"

int64_t shim_fail_in = -1;
struct space *shim_space;
unsigned shim_drop_chance;

static uint64_t random_state = 88172645463325252ull;
uint64_t shim_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 11;
}
void shim_seed(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15ull + 88172645463325252ull;
}

static bool fail_now(void)
{
	return shim_fail_in >= 0 && shim_fail_in-- == 0;
}

/* --- log --- */
void panic(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	fputc('\n', stderr);
	abort();
}
void log_print(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
}

/* --- locks --- */
static struct spinlock *held[16];
static unsigned held_count;
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT(name, rank);
}
static void take(struct spinlock *lock)
{
	CHECK(!lock->held && held_count < array_count(held));
	lock->held = 1;
	held[held_count++] = lock;
}
void spin_lock(struct spinlock *lock)
{
	for (unsigned i = 0; i < held_count; i++)
		if (held[i]->rank >= lock->rank)
			panic("lock %s taken under %s", lock->name, held[i]->name);
	take(lock);
}
void spin_lock_second(struct spinlock *lock)
{
	take(lock);
}
void spin_unlock(struct spinlock *lock)
{
	unsigned i = held_count;
	CHECK(lock->held);
	lock->held = 0;
	while (held[--i] != lock)
		;
	for (held_count--; i < held_count; i++)
		held[i] = held[i + 1];
}
bool spin_held(const struct spinlock *lock)
{
	return lock->held;
}

/* --- heap --- */
static uint64_t heap_used;
void *heap_alloc(size_t size)
{
	if (fail_now())
		return 0;
	uint64_t *block = calloc(1, size + 16);
	block[0] = size;
	heap_used++;
	return block + 2;
}
void heap_free(void *pointer, size_t size)
{
	if (!pointer)
		return;
	uint64_t *block = (uint64_t *)pointer - 2;
	CHECK(block[0] == size);
	heap_used--;
	free(block);
}
uint64_t shim_heap_used(void)
{
	return heap_used;
}

/* --- pages --- */
#define PAGES 16384u
#define FIRST_PHYSICAL 0x100000ul
static struct page page_table[PAGES];
static uint32_t translated[PAGES];
static char *page_memory;
static uint32_t free_stack[PAGES];
static unsigned free_top, fresh;
static uint64_t pages_used;

static void pages_start(void)
{
	if (page_memory)
		return;
	page_memory = aligned_alloc(PAGE_SIZE, PAGES * PAGE_SIZE);
	ASAN_POISON_MEMORY_REGION(page_memory, PAGES * PAGE_SIZE);
}
struct page *page_alloc(unsigned order, unsigned flags)
{
	pages_start();
	if (fail_now())
		return 0;
	unsigned i;
	if (order == 0 && free_top) {
		i = free_stack[--free_top];
	} else {
		i = align_up(fresh, 1u << order);
		while (fresh < i) {
			free_stack[free_top++] = fresh++;
		}
		if (i + (1u << order) > PAGES)
			return 0;
		fresh = i + (1u << order);
	}
	struct page *page = &page_table[i];
	memset(page, 0, sizeof(*page));
	page->references = 1;
	page->state = PAGE_KERNEL;
	page->order = order;
	page->holders = 0xdeadbeef;
	pages_used += 1u << order;
	char *content = page_memory + i * PAGE_SIZE;
	ASAN_UNPOISON_MEMORY_REGION(content, PAGE_SIZE << order);
	memset(content, flags & PAGE_ZERO ? 0 : 0x5a, PAGE_SIZE << order);
	return page;
}
void page_split(struct page *page)
{
	unsigned count = 1u << page->order;
	page->order = 0;
	for (unsigned i = 1; i < count; i++)
		page[i] = page[0];
}
void page_ref(struct page *page)
{
	CHECK(page->references);
	page->references++;
}
void page_unref(struct page *page)
{
	CHECK(page->references);
	if (--page->references)
		return;
	unsigned i = page - page_table;
	CHECK(!translated[i]);
	CHECK(page->holders == 0 || page->holders == 0xdeadbeef);
	if (page->payer)
		budget_uncharge(page->payer, 1ul << page->order);
	for (unsigned k = 0; k < 1u << page->order; k++)
		free_stack[free_top++] = i + k;
	pages_used -= 1u << page->order;
	page->state = PAGE_FREE;
	ASAN_POISON_MEMORY_REGION(page_memory + i * PAGE_SIZE, PAGE_SIZE << page->order);
}
void *page_address(const struct page *page)
{
	return page_memory + (page - page_table) * PAGE_SIZE;
}
physical_t page_physical(const struct page *page)
{
	return FIRST_PHYSICAL + (page - page_table) * PAGE_SIZE;
}
struct page *page_of_physical(physical_t address)
{
	uint64_t i = (address - FIRST_PHYSICAL) >> PAGE_SHIFT;
	return address >= FIRST_PHYSICAL && i < PAGES ? &page_table[i] : 0;
}
uint64_t shim_pages_used(void)
{
	return pages_used;
}

/* --- objects --- */
void object_init(struct object *object, const struct object_operations *operations)
{
	object->operations = operations;
	object->references = 1;
	list_init(&object->observers);
}
void object_notify(struct object *object, uint32_t ready)
{
	(void)object, (void)ready; /* nobody observes here */
}

void object_ref(struct object *object)
{
	CHECK(object->references);
	object->references++;
}
bool object_try_ref(struct object *object)
{
	if (object->references)
		object->references++;
	return object->references != 0;
}
void object_unref(struct object *object)
{
	if (!object)
		return;
	CHECK(object->references);
	if (--object->references)
		return;
	for (unsigned i = 0; i < held_count; i++)
		if (held[i]->rank > RANK_PROCESS && object->operations->kind != KIND_BUDGET)
			panic("%s dies under lock %s", object->operations->name, held[i]->name);
	object->operations->destroy(object);
}
uint64_t time_now(void)
{
	static uint64_t now;
	return ++now;
}

/* --- translations --- */
static struct shim_translation *find(struct arch_space *space, uint64_t page)
{
	if (!space->capacity)
		return 0;
	for (uint64_t i = page * 0x9e3779b97f4a7c15ull >> 20; ; i++) {
		struct shim_translation *entry = &space->entry[i & (space->capacity - 1)];
		if (!entry->used)
			return 0;
		if (entry->page == page)
			return entry;
	}
}
static void count(uint64_t frame, int change)
{
	struct page *page = page_of_physical(frame);
	if (!page)
		return;
	CHECK(page->state != PAGE_FREE);
	translated[page - page_table] += change;
}
static void put(struct arch_space *space, struct shim_translation new)
{
	if (space->count * 2 >= space->capacity) {
		struct arch_space bigger = { .capacity = space->capacity ? space->capacity * 2 : 64 };
		bigger.entry = calloc(bigger.capacity, sizeof(*bigger.entry));
		for (uint64_t i = 0; i < space->capacity; i++)
			if (space->entry[i].used && space->entry[i].flags)
				put(&bigger, space->entry[i]);
		free(space->entry);
		*space = bigger;
	}
	uint64_t i = new.page * 0x9e3779b97f4a7c15ull >> 20;
	while (space->entry[i & (space->capacity - 1)].used)
		i++;
	space->entry[i & (space->capacity - 1)] = new;
	space->count++;
}
int arch_space_init(struct arch_space *space)
{
	memset(space, 0, sizeof(*space));
	return fail_now() ? -ENOMEM : 0;
}
void arch_space_destroy(struct arch_space *space)
{
	arch_space_unmap(space, 0, UINT64_MAX);
	free(space->entry);
}
unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned n, unsigned flags)
{
	CHECK(n && flags && !(address & (PAGE_SIZE - 1)));
	for (unsigned i = 0; i < n; i++) {
		struct shim_translation *entry = find(space, (address >> PAGE_SHIFT) + i);
		if (!(entry && entry->flags) && i == 0 && fail_now())
			return 0;
		count(physical[i], 1);
		if (entry) {
			if (entry->flags)
				count(entry->frame, -1);
			entry->frame = physical[i];
			entry->flags = flags;
		} else {
			put(space, (struct shim_translation){ (address >> PAGE_SHIFT) + i, physical[i], flags, true });
		}
	}
	return n;
}
void arch_space_unmap(struct arch_space *space, uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < space->capacity; i++) {
		struct shim_translation *entry = &space->entry[i];
		if (entry->flags && entry->page >= start >> PAGE_SHIFT && entry->page < end >> PAGE_SHIFT) {
			count(entry->frame, -1);
			entry->flags = 0;
		}
	}
}
void arch_space_write_protect(struct arch_space *space, uint64_t start, uint64_t end)
{
	for (uint64_t i = 0; i < space->capacity; i++) {
		struct shim_translation *entry = &space->entry[i];
		if (entry->flags && entry->page >= start >> PAGE_SHIFT && entry->page < end >> PAGE_SHIFT)
			entry->flags &= ~ARCH_MAP_WRITE;
	}
}
bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
{
	struct shim_translation *entry = find(space, address >> PAGE_SHIFT);
	if (!entry || !entry->flags)
		return false;
	unsigned allowed = entry->flags | ARCH_MAP_READ;
	if (flags & ~allowed)
		return false;
	if (physical)
		*physical = entry->frame + (address & (PAGE_SIZE - 1));
	return true;
}
uint64_t arch_space_tables(struct arch_space *space)
{
	return 1 + space->count / 512;
}

/* --- user memory --- */
static int copy(char *kernel, user_t user, size_t length, bool write, bool resolve)
{
	if (resolve) {
		CHECK(!held_count);
		if (shim_drop_chance && !shim_below(shim_drop_chance))
			arch_space_unmap(space_arch(shim_space), 0, UINT64_MAX);
	}
	while (length) {
		physical_t physical;
		size_t piece = min(length, PAGE_SIZE - (user & (PAGE_SIZE - 1)));
		unsigned access = write ? PROTECT_WRITE : PROTECT_READ;
		if (user >= USER_TOP)
			return -EFAULT;
		while (!arch_space_allows(space_arch(shim_space), user, access, &physical))
			if (!resolve || space_fault(shim_space, user, access))
				return -EFAULT;
		char *content = (char *)page_address(page_of_physical(physical)) + (physical & (PAGE_SIZE - 1));
		if (write)
			memmove(content, kernel, piece);
		else
			memmove(kernel, content, piece);
		kernel += piece;
		user += piece;
		length -= piece;
	}
	return 0;
}
int copy_from_user(void *target, user_t source, size_t length) { return copy(target, source, length, false, true); }
int copy_to_user(user_t target, const void *source, size_t length) { return copy((char *)source, target, length, true, true); }
int copy_from_user_present(void *target, user_t source, size_t length) { return copy(target, source, length, false, false); }
int copy_to_user_present(user_t target, const void *source, size_t length) { return copy((char *)source, target, length, true, false); }
