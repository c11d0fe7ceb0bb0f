/*
 * Self checks: what no unit test on the host can show, because it needs the machine: timer interrupts, thread switches, page tables, faults
 * of user copies, entropy, clocks. Portable; each port must pass them. Memory is compared before and after.
 */
#include "kernel/debug/check.h"
#include "arch/mmu.h"
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"

#define TEST_ADDRESS 0x12345000ul
#define MILLISECOND 1000000ul
#define expect(condition) do { if (!(condition)) return #condition; } while (0)

/* Every free page, in blocks of all sizes, and back. */
static const char *check_pages(void)
{
	struct list all;
	uint64_t before = page_free_count(), blocks = 0;
	list_init(&all);
	for (struct page *page; (page = page_alloc(blocks % 4, 0)); blocks++) {
		expect(page_of_physical(page_physical(page)) == page && page_of_address(page_address(page)) == page);
		list_add_last(&all, &page->link);
	}
	expect(blocks > 100);
	while (!list_empty(&all)) {
		struct page *page = list_first(&all, struct page, link);
		list_remove(&page->link);
		page_unref(page);
	}
	expect(page_free_count() == before);
	struct page *large = page_alloc(10, 0); /* pieces were merged again */
	expect(large && !(page_physical(large) & (1024 * PAGE_SIZE - 1)));
	page_split(large);
	for (unsigned i = 0; i < 1024; i++)
		page_unref(large + i);
	expect(page_free_count() == before);
	return NULL;
}

static const char *check_heap(void)
{
	uint64_t before = heap_bytes_used();
	for (size_t size = 1; size < 20000; size += 97) {
		uint8_t *a = heap_alloc(size), *b = heap_alloc(size);
		expect(a && b && (a + size <= b || b + size <= a));
		for (size_t i = 0; i < size; i++)
			expect(!a[i]);
		memset(a, 1, size);
		heap_free(a, size);
		heap_free(b, size);
	}
	heap_fail_after(0);
	expect(!heap_alloc(16));
	void *next = heap_alloc(16);
	expect(next);
	heap_free(next, 16);
	expect(heap_bytes_used() == before);
	return NULL;
}

static const char *check_timer(void)
{
	struct wait_queue queue;
	wait_queue_init(&queue);
	for (unsigned i = 1; i <= 3; i++) {
		uint64_t start = time_now();
		expect(wait_on(&queue, NULL, start + i * MILLISECOND, WAIT_KILLABLE) == -ETIMEDOUT);
		expect(time_now() >= start + i * MILLISECOND && time_now() < start + 1000 * MILLISECOND);
	}
	expect(wait_on(&queue, NULL, 0, WAIT_KILLABLE) == -ETIMEDOUT);
	return NULL;
}

static struct spinlock turn_lock = SPINLOCK_INIT("check", RANK_EVENT);
static struct wait_queue turn_queue;
static unsigned turns, threads_ended;

static void take_turns(void *argument)
{
	for (unsigned i = 0; i < 100; i++) {
		spin_lock(&turn_lock);
		while ((turns & 1) != (unsigned)(uint64_t)argument) {
			(void)!wait_on(&turn_queue, &turn_lock, DEADLINE_NEVER, WAIT_UNINTERRUPTIBLE);
			spin_lock(&turn_lock);
		}
		turns++;
		spin_unlock(&turn_lock);
		wait_wake_all(&turn_queue, 0);
	}
	threads_ended++;
	wait_wake_all(&turn_queue, 0);
}

static const char *check_threads(void)
{
	wait_queue_init(&turn_queue);
	expect(scheduler_kernel_thread(take_turns, (void *)0, 20) && scheduler_kernel_thread(take_turns, (void *)1, 20));
	while (threads_ended < 2)
		(void)!wait_on(&turn_queue, NULL, time_now() + 10 * MILLISECOND, WAIT_UNINTERRUPTIBLE);
	expect(turns == 200);
	scheduler_yield();
	return NULL;
}

static const char *space_checks(struct arch_space *space, struct page *page)
{
	physical_t physical = page_physical(page), found;
	uint8_t buffer[64] = { 0 };
	memset(page_address(page), 7, PAGE_SIZE);
	expect(copy_from_user_present(buffer, TEST_ADDRESS, 8) == -EFAULT); /* nothing there */
	expect(copy_from_user(buffer, TEST_ADDRESS, 8) == -EFAULT);         /* and nobody to resolve it */
	expect(arch_space_map(space, TEST_ADDRESS, &physical, 1, ARCH_MAP_READ | ARCH_MAP_WRITE) == 1);
	expect(!copy_from_user(buffer, TEST_ADDRESS + 3, 61) && buffer[0] == 7 && buffer[60] == 7 && buffer[61] == 0);
	expect(copy_from_user(buffer, TEST_ADDRESS + PAGE_SIZE - 5, 9) == -EFAULT);
	expect(copy_to_user(USER_TOP - 1, buffer, 2) == -EFAULT && copy_to_user(UINT64_MAX - 1, buffer, 8) == -EFAULT);
	expect(copy_from_user(buffer, (uint64_t)page_address(page), 1) == -EFAULT); /* kernel memory is not user memory */
	buffer[0] = 9;
	expect(!copy_to_user(TEST_ADDRESS + 9, buffer, 1) && ((uint8_t *)page_address(page))[9] == 9);

	/* write protection of everything, as fork does it: nothing comes back but what is mapped again */
	physical_t three[3] = { physical, physical, physical };
	expect(arch_space_map(space, TEST_ADDRESS, three, 3, ARCH_MAP_READ | ARCH_MAP_WRITE) == 3);
	arch_space_write_protect(space, 0, USER_TOP);
	expect(copy_to_user_present(TEST_ADDRESS, buffer, 1) == -EFAULT && !copy_from_user_present(buffer, TEST_ADDRESS, 1));
	expect(arch_space_map(space, TEST_ADDRESS + PAGE_SIZE, &physical, 1, ARCH_MAP_READ | ARCH_MAP_WRITE) == 1);
	expect(!arch_space_allows(space, TEST_ADDRESS, ARCH_MAP_WRITE, NULL) && arch_space_allows(space, TEST_ADDRESS, ARCH_MAP_READ, NULL));
	expect(arch_space_allows(space, TEST_ADDRESS + PAGE_SIZE, ARCH_MAP_WRITE, &found) && found == physical);
	expect(!arch_space_allows(space, TEST_ADDRESS + 2 * PAGE_SIZE, ARCH_MAP_WRITE, NULL));
	expect(!copy_to_user_present(TEST_ADDRESS + PAGE_SIZE, buffer, 1) && copy_to_user_present(TEST_ADDRESS + 2 * PAGE_SIZE, buffer, 1) == -EFAULT);
	arch_space_write_protect(space, TEST_ADDRESS + PAGE_SIZE, TEST_ADDRESS + 2 * PAGE_SIZE);
	expect(copy_to_user_present(TEST_ADDRESS + PAGE_SIZE, buffer, 1) == -EFAULT);
	expect(!arch_space_allows(space, TEST_ADDRESS, ARCH_MAP_EXECUTE, NULL));
	arch_space_unmap(space, TEST_ADDRESS, TEST_ADDRESS + 3 * PAGE_SIZE);
	expect(copy_from_user_present(buffer, TEST_ADDRESS, 1) == -EFAULT && arch_space_tables(space) == 1);
	return NULL;
}

static const char *check_space(void)
{
	static struct arch_space space;
	uint64_t before = page_free_count();
	struct page *page = page_alloc(0, PAGE_ZERO);
	expect(page && !arch_space_init(&space));
	arch_space_activate(&space);
	const char *failure = space_checks(&space, page);
	arch_space_destroy(&space);
	page_unref(page);
	if (!failure)
		expect(page_free_count() == before);
	return failure;
}

static const char *check_clock(void)
{
	struct time_page page = { 0 };
	uint64_t last = time_now(), seed[4] = { 0 }, again[4] = { 0 };
	arch_time_page(&page);
	expect(page.multiplier && arch_realtime() > 1700000000ul * 1000 * MILLISECOND);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = time_now();
		expect(now >= last);
		last = now;
	}
	arch_random_seed(seed);
	arch_random_seed(again);
	expect(memcmp(seed, again, sizeof(seed)));
	return NULL;
}

static const char *check_format(void)
{
	char text[64];
	expect(format_string(text, sizeof(text), "%5d|%-4u|%04x|%s|%.2s|%c|%ld|%%", -42, 7u, 0xabu, "name", "cut", 'c', -5000000000l) == 39);
	expect(!strcmp(text, "  -42|7   |00ab|name|cu|c|-5000000000|%"));
	expect(format_string(text, 4, "%s", "abcdef") == 6 && !strcmp(text, "abc"));
	return NULL;
}

void check_run(void *argument)
{
	static const struct { const char *name; const char *(*check)(void); } checks[] = {
		{ "format", check_format }, { "pages", check_pages }, { "heap", check_heap }, { "clock", check_clock }, { "timer", check_timer },
		{ "threads", check_threads }, { "space", check_space },
	};
	unsigned failed = 0;
	(void)argument;
	for (unsigned i = 0; i < array_count(checks); i++) {
		const char *failure = checks[i].check();
		log_print("check %s: %s%s", checks[i].name, failure ? "failed: " : "passed", failure ? failure : "");
		failed += failure != NULL;
	}
	arch_power(POWER_OFF, failed ? 1 : 0);
}
