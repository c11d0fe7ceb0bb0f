/*
 * Self checks: what no unit test on the host can show, because it needs the machine. Here the allocators with all of its memory; what the port does, is in
 * arch/test. Portable; each port must pass them. Memory is compared before and after.
 */
#include "kernel/debug/check.h"
#include "arch/processor.h"
#include "arch/test/test.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"

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
		{ "format", check_format }, { "pages", check_pages }, { "heap", check_heap }, { "time", test_time }, { "interrupts", test_interrupts },
		{ "timer", test_timer }, { "switches", test_switches }, { "copies", test_copies }, { "protection", test_protection },
		{ "forgetting", test_forgetting }, { "spaces", test_spaces }, { "frames", test_frames }, { "faults", test_faults }, { "changes", test_changes },
		{ "registers", test_registers },
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
