/* The stand-ins of shim.h: log, chance, locks, heap, pages. Translations, objects and tasks have files of their own. */
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/budget.h"
#include "shim.h"

_Thread_local int64_t shim_fail_in = -1;
bool shim_tables;

/* --- chance: each thread has its own sequence --- */
static _Thread_local uint64_t random_state = 88172645463325252ull, seed_now;
static uint64_t seed_base;
uint64_t shim_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state >> 11;
}
void shim_seed(uint64_t round)
{
	seed_now = seed_base + round;
	random_state = seed_now * 0x9e3779b97f4a7c15ull + 88172645463325252ull;
	if (!random_state)
		random_state = 1;
}
uint64_t shim_seed_now(void)
{
	return seed_now;
}
unsigned shim_rounds(unsigned short_rounds)
{
	const char *base = getenv("HOST_TEST_SEED"), *longer = getenv("HOST_TEST_LONGER");
	unsigned rounds = longer ? short_rounds * (unsigned)atoi(longer) : short_rounds;
	seed_base = base ? strtoull(base, NULL, 10) : 0;
	printf("seeds %llu to %llu\n", (unsigned long long)seed_base, (unsigned long long)seed_base + rounds - 1);
	fflush(stdout);
	return rounds;
}

bool shim_fail_now(void)
{
	return shim_fail_in >= 0 && shim_fail_in-- == 0;
}

/* --- log --- */
void panic(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	fprintf(stderr, "\n(HOST_TEST_SEED=%llu repeats it)\n", (unsigned long long)seed_now);
	abort();
}
void log_print(const char *format, ...)
{
	va_list list;
	va_start(list, format);
	vfprintf(stderr, format, list);
	va_end(list);
}

struct share share_root;
void scheduler_share_leave(struct share *share)
{
	share_leave(share);
}

/* --- locks: real ones, between host threads --- */
static _Thread_local struct spinlock *held[16];
static _Thread_local unsigned held_count;
void spin_init(struct spinlock *lock, const char *name, enum lock_rank rank)
{
	*lock = (struct spinlock)SPINLOCK_INIT(name, rank);
}
bool spin_held(const struct spinlock *lock)
{
	for (unsigned i = 0; i < held_count; i++)
		if (held[i] == lock)
			return true;
	return false;
}
static _Thread_local bool parallel; /* of task_parallel: others run between any two locks now and then */
static void take(struct spinlock *lock)
{
	CHECK(!spin_held(lock) && held_count < array_count(held));
	if (parallel && !held_count && !shim_below(8))
		sched_yield();
	while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
		sched_yield();
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
	for (unsigned i = 0; i < held_count; i++)
		if (held[i]->rank > lock->rank || (held[i]->rank == lock->rank && held[i] > lock))
			panic("lock %s taken under %s", lock->name, held[i]->name);
	take(lock);
}
void spin_unlock(struct spinlock *lock)
{
	unsigned i = held_count;
	CHECK(spin_held(lock));
	while (held[--i] != lock)
		;
	for (held_count--; i < held_count; i++)
		held[i] = held[i + 1];
	__atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}
unsigned shim_locks_held(void)
{
	return held_count;
}
const struct spinlock *shim_lock_above(unsigned rank)
{
	for (unsigned i = 0; i < held_count; i++)
		if (held[i]->rank > rank)
			return held[i];
	return NULL;
}

/* --- threads of this machine --- */
#define PARALLEL_SECONDS 100
struct start { void (*function)(unsigned); unsigned number; uint64_t seed; pthread_t thread; };
static void *start_run(void *argument)
{
	struct start *start = argument;
	shim_seed(start->seed);
	parallel = true;
	start->function(start->number);
	return NULL;
}
void task_parallel(unsigned count, void (*function)(unsigned number))
{
	struct start *start = calloc(count, sizeof(*start));
	alarm(PARALLEL_SECONDS); /* somebody sleeps for ever */
	for (unsigned i = 0; i < count; i++) {
		start[i] = (struct start){ .function = function, .number = i, .seed = shim_random() };
		CHECK(!pthread_create(&start[i].thread, NULL, start_run, &start[i]));
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(start[i].thread, NULL);
	alarm(0);
	free(start);
}

static pthread_mutex_t test_mutex = PTHREAD_MUTEX_INITIALIZER;
void test_lock(void)
{
	pthread_mutex_lock(&test_mutex);
}
void test_unlock(void)
{
	pthread_mutex_unlock(&test_mutex);
}

/* --- heap and pages: a test of the real ones is built with -DHOST_OWN_MEMORY --- */
#ifndef HOST_OWN_MEMORY
static uint64_t heap_used;
void *heap_alloc(size_t size)
{
	if (shim_fail_now())
		return 0;
	uint64_t *block = calloc(1, size + 16);
	block[0] = size;
	__atomic_add_fetch(&heap_used, 1, __ATOMIC_RELAXED);
	return block + 2;
}
void *heap_alloc_own(size_t size)
{
	return heap_alloc(size);
}
void heap_free(void *pointer, size_t size)
{
	if (!pointer)
		return;
	uint64_t *block = (uint64_t *)pointer - 2;
	CHECK(block[0] == size);
	__atomic_sub_fetch(&heap_used, 1, __ATOMIC_RELAXED);
	free(block);
}
uint64_t shim_heap_used(void)
{
	return heap_used;
}

#define PAGES 16384u
#define FIRST_PHYSICAL 0x100000ul
static pthread_mutex_t page_mutex = PTHREAD_MUTEX_INITIALIZER; /* covers the allocator */
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
static struct page *block_take(unsigned order)
{
	unsigned i;
	pages_start();
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
	return page;
}
/* What is not charged to a budget by name is charged to nobody. */
struct budget *budget_current(void)
{
	return NULL;
}
struct budget *budget_own(void)
{
	return NULL;
}

struct page *page_alloc(unsigned order, unsigned flags)
{
	if (shim_fail_now())
		return 0;
	pthread_mutex_lock(&page_mutex);
	struct page *page = block_take(order);
	pthread_mutex_unlock(&page_mutex);
	if (!page)
		return 0;
	char *content = page_address(page);
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
	CHECK(__atomic_fetch_add(&page->references, 1, __ATOMIC_RELAXED));
}
/*
 * A page is freed only when it is translated nowhere. A space that dies is passed over by those who take translations away (nothing runs in it), and
 * drops its own in a moment: with other threads, that moment is waited for.
 */
static void translations_gone(unsigned i)
{
	for (unsigned tries = 0; parallel && tries < 100000 && __atomic_load_n(&translated[i], __ATOMIC_ACQUIRE); tries++)
		sched_yield();
	CHECK(!__atomic_load_n(&translated[i], __ATOMIC_ACQUIRE));
}
void page_unref(struct page *page)
{
	uint32_t left = __atomic_sub_fetch(&page->references, 1, __ATOMIC_ACQ_REL);
	CHECK(left != UINT32_MAX);
	if (left)
		return;
	unsigned i = page - page_table;
	translations_gone(i);
	CHECK(shim_tables || page->holders == 0 || page->holders == 0xdeadbeef);
	if (page->payer)
		budget_uncharge(page->payer, 1ul << page->order);
	page->state = PAGE_FREE;
	ASAN_POISON_MEMORY_REGION(page_memory + i * PAGE_SIZE, PAGE_SIZE << page->order);
	pthread_mutex_lock(&page_mutex);
	for (unsigned k = 0; k < 1u << page->order; k++)
		free_stack[free_top++] = i + k;
	pages_used -= 1u << page->order;
	pthread_mutex_unlock(&page_mutex);
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
struct page *page_of_address(const void *address)
{
	return page_table + ((const char *)address - page_memory) / PAGE_SIZE;
}
uint64_t shim_pages_used(void)
{
	return pages_used;
}

void shim_translated(physical_t frame, int change)
{
	struct page *page = page_of_physical(frame);
	if (!page)
		return;
	CHECK(page->state != PAGE_FREE);
	__atomic_add_fetch(&translated[page - page_table], change, __ATOMIC_ACQ_REL);
}
#endif

#ifndef HOST_OWN_TIME
uint64_t time_now(void)
{
	static uint64_t now;
	return __atomic_add_fetch(&now, 1, __ATOMIC_RELAXED);
}
#endif
