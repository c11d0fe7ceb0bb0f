/*
 * The supervisor of the random calls: see fuzz.h. Command line: fuzz=SEED calls=COUNT, or exhaust=1 for exhaust.c instead. Ends the machine with status 0, or 1 after a line that begins
 * with "fuzz: FAIL" and names the seed of the round.
 */
#include <stdlib.h>
#include <string.h>
#include "abi/boot.h"
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "carillon/spawn.h"
#include "lib/cpio/cpio.h"
#include "tests/fuzz/native/fuzz.h"
#include "trace/calls.h"

#define BUDGET_PAGES 3000
#define ROUND_CALLS 20000
#define MILLISECOND 1000000ull
#define SHARED_NAME "shared"

static const struct boot_info *boot;
static const void *archive;
static uint64_t seed, rounds;

static _Noreturn void power_off(unsigned status)
{
	for (;;)
		system_power(BOOT_HANDLE_RESOURCE, POWER_OFF, status);
}

#define FAIL(...) (server_log("fuzz: FAIL seed %lu:", seed), server_log(__VA_ARGS__), power_off(1))

/*
 * One allocation at a time, which is what native_spawn needs, in place of libc's, which takes more memory now and then: the supervisor's own use must
 * not change, or it could not be told from a leak.
 */
void *malloc(size_t size)
{
	static _Alignas(16) char memory[65536];
	return size <= sizeof memory ? memory : NULL;
}

void free(void *memory)
{
	(void)memory;
}

void *calloc(size_t count, size_t size)
{
	void *memory = malloc(count * size);
	return memory ? memset(memory, 0, count * size) : NULL;
}

static uint64_t word_value(const char *name, uint64_t fallback)
{
	const char *found = strstr(boot->command_line, name);
	return found ? strtoull(found + strlen(name), NULL, 10) : fallback;
}

static void sleep_for(uint64_t nanoseconds)
{
	static uint32_t never;
	futex_wait((uint64_t)&never, 0, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + nanoseconds, FUTEX_ANY_BITS, 0);
}

static handle_t child_start(handle_t budget, handle_t shared)
{
	struct cpio_member member;
	if (cpio_find(archive, boot->archive_size, BOOT_INIT, &member) != 1)
		FAIL("the archive has no %s", BOOT_INIT);
	struct native_handle handles[] = { { .name = SHARED_NAME, .handle = shared } };
	struct native_spawn request = {
		.name = "child", .image = (const char *)archive + member.offset, .image_size = member.size, .memobj = BOOT_HANDLE_ARCHIVE,
		.memobj_offset = member.offset, .budget = budget, .handles = handles, .handle_count = 1,
	};
	int64_t process = native_spawn(&request);
	if (process < 0)
		FAIL("cannot start the child: error %d", (int)-process);
	return (handle_t)process;
}

/* Interrupts, stops and continues the child while it makes its calls, until they are enough or none comes any more. */
static void child_disturb(struct random *random, handle_t process, struct shared *shared)
{
	uint64_t last = 0, idle = 0;
	struct process_info info;
	while (shared->calls < ROUND_CALLS && idle < 40) {
		sleep_for(MILLISECOND / 2);
		process_interrupt(process, 0);
		if (chance(random, 10)) {
			process_suspend(process);
			struct registers registers;
			struct thread_info threads[8];
			int64_t count = thread_list(process, threads, 8);
			for (int64_t i = 0; i < count && i < 8; i++)
				thread_get_registers(process, threads[i].number, &registers);
		}
		process_resume(process);
		idle = shared->calls == last ? idle + 1 : 0;
		last = shared->calls;
		if (process_get(process, &info) < 0 || info.state == PROCESS_CORPSE)
			break;
	}
}

static uint64_t round_run(void)
{
	struct random random = { seed };
	int64_t memobj = memobj_create(sizeof(struct shared), 0), budget = budget_create(BOOT_HANDLE_BUDGET, BUDGET_PAGES);
	struct map_request map = { .length = (sizeof(struct shared) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), .low = SCRATCH, .high = 2 * SCRATCH, .memobj = (handle_t)memobj, .protection = PROTECT_READ | PROTECT_WRITE };
	int64_t address = memobj < 0 || budget < 0 ? -1 : space_map(HANDLE_SELF_SPACE, &map);
	if (address < 0)
		FAIL("no memory for a round");
	struct shared *shared = (struct shared *)address;
	shared->seed = seed;
	handle_t process = child_start((handle_t)budget, (handle_t)memobj);
	child_disturb(&random, process, shared);
	int64_t error = budget_destroy((handle_t)budget);
	struct poll_item item = { process, READY_IN, 0 };
	if (error < 0 || description_poll(&item, 1, (uint64_t)clock_get(CLOCK_MONOTONIC_ID) + 5000 * MILLISECOND, 0) != 1)
		FAIL("the child does not end");
	uint64_t calls = shared->calls;
	static uint64_t total[256], good[256];
	for (unsigned i = 0; i < 256; i++) {
		total[i] += shared->counts[i];
		good[i] += shared->successes[i];
		if (word_value("report=", 0) && seed == word_value("report=", 0) && total[i])
			server_log("%u %s: %lu calls, %lu good", i, trace_calls[i].name, total[i], good[i]);
	}
	space_unmap(HANDLE_SELF_SPACE, map.address, map.length);
	handle_close(process);
	handle_close((handle_t)memobj);
	handle_close((handle_t)budget);
	return calls;
}

static struct system_info figures(void)
{
	struct system_info info;
	system_get(&info);
	return info;
}

static bool figures_equal(const struct system_info *a, const struct system_info *b)
{
	return a->objects == b->objects && a->handles == b->handles && a->processes == b->processes && a->threads == b->threads && a->kernel_bytes == b->kernel_bytes &&
		a->pages_free + a->pages_kernel == b->pages_free + b->pages_kernel;
}

static void figures_check(const struct system_info *before)
{
	struct system_info now = figures();
	for (unsigned tries = 0; !figures_equal(&now, before); tries++) {
		if (tries == 200)
			FAIL("left behind: %ld objects, %ld handles, %ld processes, %ld threads, %ld kernel bytes, %ld pages", (long)now.objects - (long)before->objects,
				(long)now.handles - (long)before->handles, (long)now.processes - (long)before->processes, (long)now.threads - (long)before->threads,
				(long)now.kernel_bytes - (long)before->kernel_bytes, (long)(before->pages_free + before->pages_kernel) - (long)(now.pages_free + now.pages_kernel));
		sleep_for(5 * MILLISECOND);
		now = figures();
	}
}

_Noreturn void exhaust_fail(const char *name, const char *why, uint64_t number, int64_t figure)
{
	FAIL("%s, allocation %lu: %s (%ld)", name, number, why, (long)figure);
}

struct system_info exhaust_figures(void)
{
	return figures();
}

void exhaust_settle(void)
{
	sleep_for(3 * MILLISECOND);
}

void exhaust_compare(const char *name, uint64_t number, const struct system_info *before)
{
	struct system_info now = figures();
	for (unsigned tries = 0; tries < 20 && !figures_equal(&now, before); tries++) {
		sleep_for(MILLISECOND);
		now = figures();
	}
	if (!figures_equal(&now, before)) {
		server_log("fuzz: FAIL %s, allocation %lu: what it left:", name, number);
		figures_check(before);
	}
}

int main(void)
{
	boot = (const struct boot_info *)record_value("boot", 0);
	if (!boot) {
		struct map_request map = { .length = (sizeof(struct shared) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), .low = SCRATCH / 2, .high = SCRATCH, .memobj = record_handle_required(SHARED_NAME), .protection = PROTECT_READ | PROTECT_WRITE };
		int64_t address = space_map(HANDLE_SELF_SPACE, &map);
		handle_close(map.memobj); /* or the child would cut it off below the supervisor's feet */
		return address < 0 ? 1 : child_main((struct shared *)address);
	}
	struct map_request map = { .length = boot->archive_size, .low = SCRATCH / 2, .high = SCRATCH, .memobj = BOOT_HANDLE_ARCHIVE, .protection = PROTECT_READ };
	archive = (const void *)space_map(HANDLE_SELF_SPACE, &map);
	seed = word_value("fuzz=", 1);
	if (word_value("exhaust=", 0)) {
		server_log_verbose("fuzz: %u channels in circles", self_run());
		unsigned alone = exhaust_run();
		server_log("fuzz: ok, %u allocations failed, %u in meetings", alone, meet_run());
		power_off(0);
	}
	uint64_t wanted = word_value("calls=", 100000), calls = 0;
	calls += round_run(); /* what the first one leaves is the supervisor's own */
	sleep_for(50 * MILLISECOND); /* the last of its threads may still be on its way out */
	for (unsigned tries = 0; tries < 200 && figures().processes > 1; tries++)
		sleep_for(5 * MILLISECOND); /* on another processor the child may still be going */
	sleep_for(5 * MILLISECOND);
	struct system_info before = figures();
	while (calls < wanted) {
		seed++;
		rounds++;
		calls += round_run();
		figures_check(&before);
	}
	server_log("fuzz: ok, %lu calls in %lu rounds, last seed %lu", calls, rounds, seed);
	power_off(0);
}
