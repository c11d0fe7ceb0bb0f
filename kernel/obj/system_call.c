/*
 * Calls about the system as a whole: clocks, log, power, figures, and the resource object that stands for authority over the machine.
 */
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/calls.h"
#include "kernel/core/heap.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/processors.h"
#include "kernel/debug/failure.h"
#include "kernel/obj/process_list.h"
#include "kernel/obj/system.h"
#include "kernel/vm/memobj.h"

#define LOG_LINE_MAX 1024u

static void resource_destroy(struct object *object)
{
	heap_free(object, sizeof(*object));
}

static const struct object_operations resource_operations = {
	.kind = KIND_RESOURCE, .name = "resource", .destroy = resource_destroy,
};

struct object *resource_create(void)
{
	struct object *object = heap_alloc(sizeof(*object));

	if (object)
		object_init(object, &resource_operations);
	return object;
}

/* 0 if the handle gives authority over the machine. */
static int resource_check(handle_t handle)
{
	struct object *object;
	int error = handle_lookup(handle, KIND_RESOURCE, RIGHT_MANAGE, &object);

	if (error == 0)
		object_unref(object);
	return error;
}

/*
 * The clock page. The kernel writes through the direct map, programs read it mapped; sequence is odd while it changes.
 */
static struct memobj *time_memobj;
static struct time_page *time_page;
static struct spinlock clock_lock = SPINLOCK_INIT("clock", RANK_EVENT); /* who sets it */
static uint64_t boot_realtime; /* nanoseconds since 1970 at monotonic 0 */

int system_init(void)
{
	physical_t address;

	time_memobj = memobj_create_contiguous(PAGE_SIZE, NULL, &address);
	if (!time_memobj)
		return -ENOMEM;
	time_page = page_address(page_of_physical(address));
	arch_time_page(time_page);
	uint64_t realtime = arch_realtime(), now = time_now();
	boot_realtime = realtime > now ? realtime - now : 0;
	time_page->realtime_offset = boot_realtime;
	return 0;
}

int64_t sys_memobj_time(void)
{
	object_ref(memobj_object(time_memobj));
	return handle_install_new(memobj_object(time_memobj), RIGHT_READ | RIGHT_DUPLICATE | RIGHT_TRANSFER, 0, HANDLE_HIGH);
}

int64_t sys_clock_get(uint32_t clock)
{
	struct thread *thread = thread_current();

	switch (clock) {
	case CLOCK_MONOTONIC_ID:
		return (int64_t)time_now();
	case CLOCK_REALTIME_ID:
		return (int64_t)(time_now() + time_page->realtime_offset);
	case CLOCK_THREAD_ID:
		scheduler_account();
		return (int64_t)arch_counter_span(thread->usage.run_time);
	case CLOCK_PROCESS_ID:
		scheduler_account();
		return (int64_t)arch_counter_span(process_usage(thread->process, NULL, NULL).run_time);
	}
	return -EINVAL;
}

int64_t sys_clock_set(handle_t resource, uint64_t nanoseconds)
{
	int error = resource_check(resource);

	if (error)
		return error;
	if (nanoseconds > INT64_MAX)
		return -EINVAL;
	spin_lock(&clock_lock);
	uint64_t now = time_now();
	if (nanoseconds < now) {
		spin_unlock(&clock_lock);
		return -EINVAL;
	}
	__atomic_store_n(&time_page->sequence, time_page->sequence + 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&time_page->realtime_offset, nanoseconds - now, __ATOMIC_SEQ_CST);
	__atomic_store_n(&time_page->sequence, time_page->sequence + 1, __ATOMIC_SEQ_CST);
	spin_unlock(&clock_lock);
	return 0;
}

int64_t sys_log_write(user_t buffer, size_t length)
{
	char line[LOG_LINE_MAX];
	size_t count = min(length, sizeof(line) - 1);

	if (copy_from_user(line, buffer, count))
		return -EFAULT;
	while (count > 0 && line[count - 1] == '\n')
		count--;
	for (size_t i = 0; i < count; i++) /* one line a call; no control sequences reach a terminal */
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			line[i] = '.';
	line[count] = '\0';
	log_write_text(line, count);
	return (int64_t)length;
}

int64_t sys_system_get(user_t buffer)
{
	struct system_info info = { .pages_total = page_total() };

	scheduler_account();
	info.pages_free = page_free_count();
	info.pages_kernel = heap_pages_used();
	info.boot_time = boot_realtime;
	for (unsigned i = 0; i < processors_running; i++) {
		const struct processor *processor = processor_of(i);
		uint64_t idle = processor->idle->usage.run_time, mark = processor->counter_mark, counter = arch_counter();
		if (processor->current == processor->idle && counter > mark)
			idle += counter - mark; /* still going on */
		info.idle_time += arch_counter_span(idle);
		info.context_switches += processor->switches;
		info.interrupts += processor->interrupts;
		info.faults += processor->faults;
		info.calls += processor->calls;
	}
	uint64_t all = time_now() * processors_running;
	info.busy_time = all > info.idle_time ? all - info.idle_time : 0;
	info.processors = processors_running;
	info.processes = process_count();
	info.threads = thread_count();
	info.objects = (uint32_t)object_count();
	info.kernel_bytes = heap_bytes_used();
	process_list_count(&info);
	info.heap_bytes = (uint64_t)failure_heap_bytes();
	format_string(info.version, sizeof(info.version), "Carillon %s", CARILLON_VERSION);
	format_string(info.machine, sizeof(info.machine), "%s", arch_machine_name());
	return copy_to_user(buffer, &info, sizeof(info));
}

int64_t sys_system_power(handle_t resource, uint32_t action, uint32_t status)
{
	int error = resource_check(resource);

	if (error)
		return error;
	if (action > POWER_RESTART)
		return -EINVAL;
	log_info("power: %s, status %u", action == POWER_OFF ? "off" : "restart", status);
	arch_power(action, status);
}
