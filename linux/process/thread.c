/*
 * Threads of a process: their memory, ids, and how they and the process end.
 *
 * Thread ids: the main thread has the process's pid; others THREAD_ID_BASE + slot * THREAD_ID_ROOM + counter, which no pid and no other
 * process's thread has and which fits the 30 bits of a futex owner. The id is known before the thread exists, so CLONE_PARENT_SETTID can be
 * obeyed before it runs.
 *
 * The main thread's memory stays when it ends before the others: its mask is read without a lock (signal_others), perhaps just then.
 */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"

#define ROBUST_LIMIT 2048
#define FUTEX_OWNER_DIED 0x40000000u
#define FUTEX_WAITERS 0x80000000u
#define FUTEX_OWNER_MASK 0x3fffffffu

struct linux_thread *thread_memory_create(struct linux_process *owner)
{
	uint8_t *memory = linux_map_pages(START_MEMORY);
	if (!memory)
		return NULL;
	struct linux_thread *thread = (struct linux_thread *)(void *)(memory + LIBRARY_STACK);
	thread->block.self = (uint64_t)(uintptr_t)thread;
	thread->block.stack = thread->block.self;
	thread->block.call_result = CALL_NOT_ROUTED;
	thread->queued = (struct linux_siginfo *)(void *)((uint8_t *)thread + THREAD_MEMORY_SIZE);
	thread->process = owner;
	thread->allocation = (uint64_t)(uintptr_t)memory;
	thread->allocation_size = START_MEMORY;
	return thread;
}

void thread_memory_free(struct linux_thread *thread)
{
	if (thread)
		linux_unmap_pages((void *)(uintptr_t)thread->allocation, thread->allocation_size);
}

static bool id_used(struct linux_process *p, uint32_t id)
{
	for (struct linux_thread *other = p->threads; other; other = other->next)
		if (other->id == id)
			return true;
	return false;
}

int thread_add(struct linux_process *p, struct linux_thread *thread)
{
	int error = 0;
	lock_take(&p->lock);
	if (!thread->id) {
		uint32_t base = THREAD_ID_BASE + (p->record ? p->record->slot % PROCESS_SLOTS : 0) * THREAD_ID_ROOM;
		if (p->thread_count >= THREAD_ID_ROOM / 2)
			error = -EAGAIN;
		else
			do
				p->thread_counter = (p->thread_counter + 1) % THREAD_ID_ROOM;
			while (id_used(p, base + p->thread_counter));
		thread->id = base + p->thread_counter;
	}
	if (!error) {
		thread->next = p->threads;
		p->threads = thread;
		p->thread_count++;
	}
	lock_release(&p->lock);
	return error;
}

bool thread_exists(struct linux_thread *t, uint32_t id)
{
	bool found = false;
	lock_take(&t->process->lock);
	for (struct linux_thread *other = t->process->threads; other && !found; other = other->next)
		found = other->id == id;
	lock_release(&t->process->lock);
	return found;
}

void thread_remove(struct linux_process *p, struct linux_thread *thread)
{
	lock_take(&p->lock);
	for (struct linux_thread **link = &p->threads; *link; link = &(*link)->next)
		if (*link == thread) {
			*link = thread->next;
			p->thread_count--;
			break;
		}
	lock_release(&p->lock);
}

/* One futex word of a robust list: its dead owner gives it up. */
static void robust_release(struct linux_thread *t, uint64_t word)
{
	uint32_t value;
	if (word & 3 || !user_range(word, 4) || copy_load32((const uint32_t *)(uintptr_t)word, &value))
		return;
	while ((value & FUTEX_OWNER_MASK) == t->id) {
		int result = copy_exchange32((uint32_t *)(uintptr_t)word, &value, (value & FUTEX_WAITERS) | FUTEX_OWNER_DIED);
		if (result < 0)
			return;
		if (!result) {
			if (value & FUTEX_WAITERS)
				(void)futex_wake(word, 1, FUTEX_ANY_BITS, FUTEX_SHARED);
			return;
		}
	}
}

/* struct robust_list_head { next; offset of the futex word in an entry; pending entry } */
static void robust_walk(struct linux_thread *t)
{
	uint64_t head[3], entry, next;
	if (!t->robust_list || user_read(t, head, t->robust_list, sizeof head))
		return;
	entry = head[0];
	for (int count = 0; (entry & ~1ul) != t->robust_list && count < ROBUST_LIMIT; count++) {
		bool more = !user_read(t, &next, entry & ~1ul, sizeof next);
		if ((entry & ~1ul) != (head[2] & ~1ul))
			robust_release(t, (entry & ~1ul) + head[1]);
		if (!more)
			break;
		entry = next;
	}
	if (head[2] & ~1ul)
		robust_release(t, (head[2] & ~1ul) + head[1]);
	t->robust_list = 0;
}

void thread_end_words(struct linux_thread *t, bool wake_tid)
{
	robust_walk(t);
	if (!wake_tid || !t->clear_tid)
		return;
	uint32_t zero = 0;
	if (!user_write(t, t->clear_tid, &zero, sizeof zero))
		(void)futex_wake(t->clear_tid, 1, FUTEX_ANY_BITS, FUTEX_SHARED);
	t->clear_tid = 0;
}

void process_end(struct linux_thread *t, uint32_t status)
{
	t->exiting = true;
	if (trace_on(t))
		trace_process_end(t, status);
	thread_end_words(t, t->process->flags & LINUX_PROCESS_VFORK);
	for (;;)
		(void)process_exit(status);
}

int64_t linux_exit(struct linux_thread *t, const uint64_t argument[6])
{
	struct linux_process *p = t->process;
	lock_take(&p->lock);
	bool last = p->thread_count <= 1, main = p->main_thread == t;
	t->exiting = true;
	if (main)
		__atomic_store_n(&p->main_thread, NULL, __ATOMIC_RELEASE);
	lock_release(&p->lock);
	if (last)
		process_end(t, ((uint32_t)argument[0] & 0xff) << 8);
	if (trace_on(t))
		trace_thread_end(t, ((uint32_t)argument[0] & 0xff) << 8);
	robust_walk(t);
	thread_remove(p, t);
	signal_queue_drop(t);
	/* What was sent to this thread only dies with it; what was sent to the process another thread takes. */
	uint64_t waiting = p->slot ? p->slot->pending | p->slot->thread_signals : 0;
	if (waiting)
		(void)process_interrupt(HANDLE_SELF_PROCESS, 0);
	for (;;)
		(void)thread_exit(t->clear_tid, main ? 0 : t->allocation, main ? 0 : t->allocation_size);
}

int64_t linux_exit_group(struct linux_thread *t, const uint64_t argument[6])
{
	process_end(t, ((uint32_t)argument[0] & 0xff) << 8);
}

int64_t linux_set_tid_address(struct linux_thread *t, const uint64_t argument[6])
{
	t->clear_tid = argument[0];
	return t->id;
}

int64_t linux_set_robust_list(struct linux_thread *t, const uint64_t argument[6])
{
	if (argument[1] != 24)
		return -EINVAL;
	t->robust_list = argument[0];
	return 0;
}

int64_t linux_get_robust_list(struct linux_thread *t, const uint64_t argument[6])
{
	uint32_t id = (uint32_t)argument[0];
	uint64_t head = t->robust_list, length = 24;
	if (id && id != t->id) {
		bool found = false;
		lock_take(&t->process->lock);
		for (struct linux_thread *other = t->process->threads; other && !found; other = other->next)
			if (other->id == id) {
				head = other->robust_list;
				found = true;
			}
		lock_release(&t->process->lock);
		if (!found)
			return -ESRCH;
	}
	if (user_write(t, argument[2], &length, sizeof length))
		return -EFAULT;
	return user_write(t, argument[1], &head, sizeof head);
}

int64_t linux_gettid(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	return t->id;
}
