/*
 * Translations as a hash, and user memory that is reached through them: stands in for arch/ under kernel/vm.
 * One lock covers all translations, and a copy of user memory within one page: as on the machine, nothing that is translated away is
 * touched afterwards. What programs do to their own memory at the same time is no race of the kernel's: user_copy is hidden from the thread sanitizer.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "arch/mmu.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/vm/space.h"
#include "shim.h"

_Thread_local struct space *shim_space;
_Thread_local unsigned shim_drop_chance;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

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
	return shim_fail_now() ? -ENOMEM : 0;
}
void arch_space_destroy(struct arch_space *space)
{
	arch_space_unmap(space, 0, UINT64_MAX);
	free(space->entry);
}
static unsigned map_locked(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned n, unsigned flags)
{
	for (unsigned i = 0; i < n; i++) {
		struct shim_translation *entry = find(space, (address >> PAGE_SHIFT) + i);
		if (!(entry && entry->flags) && i == 0 && shim_fail_now())
			return 0;
		shim_translated(physical[i], 1);
		if (entry) {
			if (entry->flags)
				shim_translated(entry->frame, -1);
			entry->frame = physical[i];
			entry->flags = flags;
		} else {
			put(space, (struct shim_translation){ (address >> PAGE_SHIFT) + i, physical[i], flags, true });
		}
	}
	return n;
}
unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned n, unsigned flags)
{
	CHECK(n && flags && !(address & (PAGE_SIZE - 1)));
	pthread_mutex_lock(&lock);
	unsigned done = map_locked(space, address, physical, n, flags);
	pthread_mutex_unlock(&lock);
	return done;
}
void arch_space_unmap(struct arch_space *space, uint64_t start, uint64_t end)
{
	pthread_mutex_lock(&lock);
	for (uint64_t i = 0; i < space->capacity; i++) {
		struct shim_translation *entry = &space->entry[i];
		if (entry->flags && entry->page >= start >> PAGE_SHIFT && entry->page < end >> PAGE_SHIFT) {
			shim_translated(entry->frame, -1);
			entry->flags = 0;
		}
	}
	pthread_mutex_unlock(&lock);
}
void arch_space_write_protect(struct arch_space *space, uint64_t start, uint64_t end)
{
	pthread_mutex_lock(&lock);
	for (uint64_t i = 0; i < space->capacity; i++) {
		struct shim_translation *entry = &space->entry[i];
		if (entry->flags && entry->page >= start >> PAGE_SHIFT && entry->page < end >> PAGE_SHIFT)
			entry->flags &= ~ARCH_MAP_WRITE;
	}
	pthread_mutex_unlock(&lock);
}
static bool allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
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
bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
{
	pthread_mutex_lock(&lock);
	bool allowed = allows(space, address, flags, physical);
	pthread_mutex_unlock(&lock);
	return allowed;
}
uint64_t arch_space_tables(struct arch_space *space)
{
	return 1 + space->count / 512;
}

/* --- user memory --- */

/* Whole words stay whole, as on the machine. Either may be memory that another thread writes. */
__attribute__((no_sanitize("thread"), noinline)) static void user_copy(char *target, const char *source, size_t length)
{
	bool backward = target > source && target < source + length;
	for (size_t i = 0; i < length; ) {
		size_t at = backward ? length - i : i;
		const char *from = source + at - (backward ? 8 : 0);
		char *to = target + at - (backward ? 8 : 0);
		if (length - i >= 8 && !(((uintptr_t)from | (uintptr_t)to) & 7)) {
			*(volatile uint64_t *)to = *(const volatile uint64_t *)from;
			i += 8;
		} else {
			at = backward ? at - 1 : at;
			*(volatile char *)(target + at) = *(const volatile char *)(source + at);
			i++;
		}
	}
}

/* As much of one page as its translation allows now; false: nothing. */
static bool copy_piece(char *kernel, user_t user, size_t length, bool write)
{
	physical_t physical;
	pthread_mutex_lock(&lock);
	bool allowed = allows(space_arch(shim_space), user, write ? PROTECT_WRITE : PROTECT_READ, &physical);
	if (allowed) {
		char *content = (char *)page_address(page_of_physical(physical)) + (physical & (PAGE_SIZE - 1));
		user_copy(write ? content : kernel, write ? kernel : content, length);
	}
	pthread_mutex_unlock(&lock);
	return allowed;
}

static int copy(char *kernel, user_t user, size_t length, bool write, bool resolve)
{
	if (resolve) {
		CHECK(!shim_locks_held());
		if (shim_drop_chance && !shim_below(shim_drop_chance))
			arch_space_unmap(space_arch(shim_space), 0, UINT64_MAX);
	}
	while (length) {
		size_t piece = min(length, PAGE_SIZE - (user & (PAGE_SIZE - 1)));
		if (user >= USER_TOP)
			return -EFAULT;
		while (!copy_piece(kernel, user, piece, write))
			if (!resolve || space_fault(shim_space, user, write ? PROTECT_WRITE : PROTECT_READ))
				return -EFAULT;
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
