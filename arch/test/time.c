/* Time, entropy, the machine's name, device registers: what is only asked. */
#include "arch/mmu.h"
#include "arch/processor.h"
#include "arch/test/test.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "test/port.h"

const char *test_time(void)
{
	struct time_page page = { 0 };
	uint64_t last = arch_time_now(), seed[4] = { 0 }, again[4] = { 0 };
	arch_time_page(&page);
	expect(page.multiplier && arch_realtime() > 1700000000ul * 1000 * MILLISECOND);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t now = arch_time_now();
		expect(now >= last);
		last = now;
	}
	/* the three ways to the time agree: the function, the counter, what user space computes from the page */
	uint64_t before = arch_time_now(), counter = arch_counter(), after = arch_time_now();
	uint64_t computed = page.base + (uint64_t)((unsigned __int128)(counter - page.counter_base) * page.multiplier >> page.shift);
	expect(arch_counter_time(counter) >= before && arch_counter_time(counter) <= after);
	expect(computed + 1000 >= before && computed <= after + 1000);
	uint64_t later = arch_counter();
	while (arch_counter_span(later - counter) < MILLISECOND)
		later = arch_counter();
	expect(arch_counter_time(later) - arch_counter_time(counter) >= MILLISECOND - 1);
	arch_random_seed(seed);
	arch_random_seed(again);
	expect(memcmp(seed, again, sizeof(seed)));
	expect(!strcmp(arch_machine_name(), TEST_MACHINE));
	void *device = arch_map_device(TEST_DEVICE, PAGE_SIZE);
	expect(device && device == arch_map_device(TEST_DEVICE, PAGE_SIZE));
	expect((char *)arch_map_device(TEST_DEVICE + 64, 4) == (char *)device + 64);
	return NULL;
}
