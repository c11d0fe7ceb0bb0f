/*
 * Robust futexes; robust.h. The library's record says where the threads are, each thread where its list of held locks is (struct
 * robust_list_head of the C library). Everything read here was written by a program: bounds on all loops, nothing is believed.
 *
 * A word is changed by a plain store, while others may set the waiters' bit in it: so that bit is always set here and a sleeper woken. Who
 * lost its bit to the store either sleeps already and is woken, or finds the word changed and looks again.
 */
#include "abi/memory.h"
#include "carillon/calls.h"
#include "carillon/record.h"
#include "robust.h"

#define READS_MAX 32768u /* threads and locks together */
#define LOCKS_MAX 2048u
#define OWNER_DIED 0x40000000u
#define WAITERS 0x80000000u
#define OWNER_MASK 0x3fffffffu

static bool read_exact(handle_t space, uint64_t address, void *to, uint64_t size)
{
	return space_read(space, address, to, size) == (int64_t)size;
}

/* The space, and where its threads are; HANDLE_NONE when that is another process's (vfork) or not told. */
static handle_t open_space(const struct process *process, struct record_threads *threads)
{
	struct { uint32_t version, size, pid, slot; } head;
	int64_t space = process->handle == HANDLE_NONE ? -1 : process_space(process->handle);
	if (space < 0)
		return HANDLE_NONE;
	if (read_exact((handle_t)space, LIBRARY_RECORD, &head, sizeof head) && head.version == RECORD_VERSION && head.pid == process->pid &&
		read_exact((handle_t)space, LIBRARY_RECORD + offsetof(struct process_record, threads), threads, sizeof *threads) && threads->first)
		return (handle_t)space;
	handle_close((handle_t)space);
	return HANDLE_NONE;
}

static void release_word(handle_t space, uint64_t address, uint32_t id)
{
	uint32_t value;
	if (address % sizeof value || !read_exact(space, address, &value, sizeof value) || (value & OWNER_MASK) != id)
		return;
	value = OWNER_DIED | WAITERS;
	if (space_write(space, address, &value, sizeof value) == (int64_t)sizeof value)
		futex_wake_space(space, address, 1);
}

/* budget: how many more things may be read of this process, whose lists may be endless and must not hold up everybody else */
static void release_thread(handle_t space, uint32_t id, uint64_t list, unsigned *budget)
{
	struct { uint64_t first, offset, pending; } head;
	if (!list || !read_exact(space, list, &head, sizeof head))
		return;
	uint64_t entry = head.first & ~1ul, next, pending = head.pending & ~1ul;
	for (unsigned count = 0; entry != list && count < LOCKS_MAX && *budget; count++, --*budget) {
		bool more = read_exact(space, entry, &next, sizeof next); /* before the lock is let go: its new owner links it elsewhere */
		if (entry != pending)
			release_word(space, entry + head.offset, id);
		if (!more)
			break;
		entry = next & ~1ul;
	}
	if (pending)
		release_word(space, pending + head.offset, id);
}

void robust_release(const struct process *process)
{
	struct record_threads threads;
	uint64_t thread, list;
	unsigned budget = READS_MAX;
	uint32_t id;
	handle_t space = open_space(process, &threads);
	if (space == HANDLE_NONE)
		return;
	bool good = read_exact(space, threads.first, &thread, sizeof thread);
	while (good && thread && budget) {
		budget--;
		if (read_exact(space, thread + threads.lists_head, &list, sizeof list) && read_exact(space, thread + threads.id, &id, sizeof id))
			release_thread(space, id, list, &budget);
		good = read_exact(space, thread + threads.next, &thread, sizeof thread);
	}
	handle_close(space);
}

bool robust_thread_exists(const struct process *process, uint32_t id)
{
	struct record_threads threads;
	uint64_t thread;
	uint32_t found = 0;
	handle_t space = open_space(process, &threads);
	if (space == HANDLE_NONE)
		return false;
	bool good = read_exact(space, threads.first, &thread, sizeof thread);
	for (unsigned count = 0; good && thread && found != id && count < READS_MAX; count++)
		good = read_exact(space, thread + threads.id, &found, sizeof found) && read_exact(space, thread + threads.next, &thread, sizeof thread);
	handle_close(space);
	return found == id;
}
