/*
 * Memory for libc in programs without a Linux library: brk, anonymous mmap, mremap, madvise, straight from the kernel.
 *
 * Everything is placed in the first gigabyte after the program as long as it fits, so that a small server needs few page tables.
 * A server says how much more it will ever take (server_memory_limit): then its allocations fail, and with them the requests that need them, before the
 * memory that is kept for servers is used up. What is mapped at a fixed place does not count.
 * Only the main heap has state (the break); as with brk everywhere, calls that change it come from one thread at a time (musl holds its lock).
 */
#include "abi/errors.h"
#include "abi/memory.h"
#include "carillon/calls.h"
#include "user/start/internal.h"

#define NEAR_END 0x3ff00000ul  /* the initial stack lies above (user/spawn) */
#define FAR_START 0x100000000ul
#define TAG_HEAP 1u

/* Linux's values, which libc uses; <sys/mman.h> and abi/memory.h share some names */
#define LINUX_MAP_FIXED 0x10u
#define LINUX_MAP_ANONYMOUS 0x20u
#define LINUX_MREMAP_MAY_MOVE 1u
#define LINUX_MREMAP_FIXED 2u
#define LINUX_MADVISE_DONT_NEED 4
#define LINUX_MADVISE_FREE 8

extern const char _end[];

static uint64_t heap_end;
static uint64_t mapped, mapped_limit = UINT64_MAX; /* bytes that libc has of the kernel and may have */

void server_memory_limit(uint64_t more)
{
	uint64_t now = __atomic_load_n(&mapped, __ATOMIC_RELAXED);
	mapped_limit = more ? now + more : UINT64_MAX;
}

/* May libc have so many bytes more? They count from now on. */
static bool mapped_add(uint64_t bytes)
{
	uint64_t after = __atomic_add_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	if (after <= mapped_limit)
		return true;
	__atomic_sub_fetch(&mapped, bytes, __ATOMIC_RELAXED);
	return false;
}

static void mapped_remove(uint64_t bytes)
{
	__atomic_sub_fetch(&mapped, bytes, __ATOMIC_RELAXED);
}

static uint64_t pages_up(uint64_t value)
{
	return (value + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

int64_t memory_break(uint64_t address)
{
	uint64_t start = pages_up((uint64_t)_end);
	if (heap_end == 0)
		heap_end = start;
	if (address < start || address > NEAR_END)
		return (int64_t)heap_end;
	uint64_t old = pages_up(heap_end), end = pages_up(address);
	if (end > old) {
		struct map_request map = {
			.address = old,
			.length = end - old,
			.memobj = HANDLE_NONE,
			.protection = PROTECT_READ | PROTECT_WRITE,
			.flags = MAP_FIXED_NEW,
			.tag = TAG_HEAP,
		};
		if (!mapped_add(end - old))
			return (int64_t)heap_end;
		if (space_map(HANDLE_SELF_SPACE, &map) < 0) {
			mapped_remove(end - old);
			return (int64_t)heap_end;
		}
	} else if (end < old && memory_unmap(end, old - end) < 0) {
		return (int64_t)heap_end;
	}
	heap_end = address;
	return (int64_t)address;
}

int64_t memory_unmap(uint64_t address, uint64_t length)
{
	int64_t error = space_unmap(HANDLE_SELF_SPACE, address, pages_up(length));
	if (!error)
		mapped_remove(pages_up(length));
	return error;
}

int64_t memory_map(uint64_t address, uint64_t length, uint64_t protection, uint64_t flags, int64_t descriptor)
{
	if (!(flags & LINUX_MAP_ANONYMOUS) || (int)descriptor != -1)
		return -ENOSYS;
	if (length == 0 || address % PAGE_SIZE != 0)
		return -EINVAL;
	struct map_request map = {
		.address = address,
		.length = pages_up(length),
		.low = pages_up((uint64_t)_end),
		.high = NEAR_END,
		.memobj = HANDLE_NONE,
		.protection = (uint32_t)protection & 7, /* PROT_ and PROTECT_ bits are the same */
		.flags = flags & LINUX_MAP_FIXED ? MAP_FIXED : 0,
	};
	if (map.length < length)
		return -ENOMEM;
	if (flags & LINUX_MAP_FIXED)
		return space_map(HANDLE_SELF_SPACE, &map);
	if (!mapped_add(map.length))
		return -ENOMEM;
	map.address = 0;
	int64_t result = space_map(HANDLE_SELF_SPACE, &map);
	if (result == -ENOMEM) {
		map.address = 0;
		map.low = FAR_START;
		map.high = VALUE_SPACE_START;
		result = space_map(HANDLE_SELF_SPACE, &map);
	}
	if (result < 0)
		mapped_remove(map.length);
	return result;
}

int64_t memory_remap(uint64_t address, uint64_t length, uint64_t new_length, uint64_t flags, uint64_t new_address)
{
	if (flags & ~(uint64_t)(LINUX_MREMAP_MAY_MOVE | LINUX_MREMAP_FIXED))
		return -EINVAL;
	struct move_request move = {
		.address = address,
		.length = pages_up(length),
		.new_address = new_address,
		.new_length = pages_up(new_length),
		.low = pages_up((uint64_t)_end),
		.high = NEAR_END,
		.flags = (flags & LINUX_MREMAP_MAY_MOVE ? MOVE_MAY_MOVE : 0) | (flags & LINUX_MREMAP_FIXED ? MAP_FIXED : 0),
	};
	uint64_t more = move.new_length > move.length ? move.new_length - move.length : 0;
	if (!mapped_add(more))
		return -ENOMEM;
	int64_t result = space_move(HANDLE_SELF_SPACE, &move);
	if (result == -ENOMEM && (flags & LINUX_MREMAP_MAY_MOVE) && !(flags & LINUX_MREMAP_FIXED)) {
		move.low = FAR_START;
		move.high = VALUE_SPACE_START;
		result = space_move(HANDLE_SELF_SPACE, &move);
	}
	if (result < 0)
		mapped_remove(more);
	else if (move.new_length < move.length)
		mapped_remove(move.length - move.new_length);
	return result;
}

int64_t memory_advise(uint64_t address, uint64_t length, int advice)
{
	if (advice == LINUX_MADVISE_DONT_NEED || advice == LINUX_MADVISE_FREE)
		return space_discard(HANDLE_SELF_SPACE, address, pages_up(length));
	return 0;
}
