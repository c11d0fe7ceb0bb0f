/*
 * User mode: exceptions of each kind, and threads that hold a pattern in every register while others preempt them. The programs are the port's
 * test/programs.S, copied into a page of a process that has no library: an exception ends it, and its corpse tells which it was.
 */
#include "abi/calls.h"
#include "abi/memory.h"
#include "arch/mmu.h"
#include "arch/processor.h"
#include "arch/test/test.h"
#include "arch/thread.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/budget.h"
#include "kernel/obj/process.h"
#include "kernel/vm/space.h"
#include "test/port.h"

#define CODE 0x100000ul
#define DATA 0x200000ul     /* a page that can be written */
#define CONSTANT 0x300000ul /* one that cannot */
#define OBJECT 0x400000ul   /* an object of one page, mapped with two */
#define NOTHING 0x500000ul

_Static_assert(CALL_PROCESS_EXIT == TEST_EXIT, "programs.S");
extern const char test_code_start[], test_code_end[];

static int map(struct space *space, uint64_t address, uint64_t length, uint32_t protection, struct memobj *object)
{
	struct map_request request = { .address = address, .length = length, .flags = MAP_FIXED_NEW, .protection = protection };
	return space_map(space, &request, object, protection);
}

/* A process with the memory above and one thread, not started, at program with the arguments; NULL: no memory. */
static struct thread *make(const char *program, uint64_t first, uint64_t second)
{
	struct handles handles;
	struct thread *thread = NULL;
	int error;
	struct space *space = space_create(budget_root);
	struct memobj *object = memobj_create(PAGE_SIZE, 0, budget_root);
	if (!space || !object || handles_create(&handles))
		return NULL;
	struct process *process = process_create(space, &handles, budget_root);
	struct thread_start start = {
		.entry = CODE + (uint64_t)(program - test_code_start), .stack = DATA + PAGE_SIZE, .argument = { first, second }, .tls = 0x1230,
	};
	if (process && !map(space, CODE, PAGE_SIZE, PROTECT_READ | PROTECT_EXECUTE, NULL) && !map(space, DATA, PAGE_SIZE, PROTECT_READ | PROTECT_WRITE, NULL) &&
	    !map(space, CONSTANT, PAGE_SIZE, PROTECT_READ, NULL) && !map(space, OBJECT, 2 * PAGE_SIZE, PROTECT_READ, object) &&
	    space_copy(space, CODE, (void *)test_code_start, (uint64_t)(test_code_end - test_code_start), true, true) == test_code_end - test_code_start)
		thread = thread_create(process, &start, &error);
	handles_unref(&handles);
	object_unref(space_object(space));
	object_unref(memobj_object(object));
	return thread;
}

/* Waits for the end of a started thread's process. False: it does not end. The caller drops the process. */
static bool ended(struct process *process)
{
	for (unsigned i = 0; i < 1000 && !process->corpse; i++)
		(void)!wait_on(&process->changed, NULL, time_now() + 10 * MILLISECOND, WAIT_UNINTERRUPTIBLE);
	return process->corpse;
}

static const char *fault(const struct test_fault *fault)
{
	struct thread *thread = make(fault->program, fault->address, 0);
	expect(thread);
	struct process *process = thread->process;
	thread_start_running(thread);
	expect(ended(process));
	uint32_t status = process->status, cause = process->fault_cause;
	uint64_t address = process->fault_address, instruction = process->fault_instruction;
	object_unref(&process->object);
	if (fault->cause == EXCEPTION_NONE) {
		expect(status == TEST_STATUS_GOOD);
		return NULL;
	}
	log_print("check faults: %s: cause %u at %lx, instruction %lx", fault->name, cause, address, instruction);
	expect(status == STATUS_FAULT && cause == fault->cause);
	if (fault->address)
		expect(address == fault->address);
	expect((instruction >= CODE && instruction < CODE + PAGE_SIZE) || instruction == fault->address);
	return NULL;
}

const char *test_faults(void)
{
	static const struct test_fault faults[] = {
		{ "load of nothing", test_load, NOTHING, EXCEPTION_UNMAPPED }, { "store to nothing", test_store, NOTHING, EXCEPTION_UNMAPPED },
		{ "jump to nothing", test_jump, NOTHING, EXCEPTION_UNMAPPED }, { "load from the kernel", test_load, DIRECT_BASE, EXCEPTION_UNMAPPED },
		{ "store to what is constant", test_store, CONSTANT, EXCEPTION_PROTECTION }, { "store to code", test_store, CODE, EXCEPTION_PROTECTION },
		{ "jump to data", test_jump, DATA, EXCEPTION_PROTECTION }, { "load beyond an object", test_load, OBJECT + PAGE_SIZE, EXCEPTION_BEYOND_OBJECT },
		{ "illegal", test_illegal, 0, EXCEPTION_ILLEGAL }, { "breakpoint", test_breakpoint, 0, EXCEPTION_BREAKPOINT },
		{ "nothing wrong", test_load, DATA, EXCEPTION_NONE }, { "nor here", test_store, DATA, EXCEPTION_NONE },
		TEST_PORT_FAULTS
	};
	uint64_t before = page_free_count();
	for (unsigned i = 0; i < array_count(faults); i++) {
		const char *failure = fault(&faults[i]);
		if (failure) {
			log_print("check faults: %s", faults[i].name);
			return failure;
		}
		if (i == 0) {
			scheduler_yield();
			before = page_free_count(); /* the allocators have what they keep */
		}
	}
	scheduler_yield();
	expect(page_free_count() == before);
	return NULL;
}

/* What a frame says of a thread that has not run yet, and that what is written there counts. */
const char *test_frames(void)
{
	struct registers registers, again, scratch;
	struct thread *thread = make(test_illegal, 11, 12);
	expect(thread);
	struct process *process = thread->process;
	struct arch_frame *frame = arch_thread_frame(thread);
	expect(arch_frame_from_user(frame) && arch_frame_instruction(frame) == CODE + (uint64_t)(test_illegal - test_code_start));
	expect(arch_frame_stack(frame) == DATA + PAGE_SIZE && arch_frame_base(frame) == 0);
	expect(arch_thread_get_pointer(thread, THREAD_POINTER_TLS) == 0x1230 && arch_thread_get_pointer(thread, THREAD_POINTER_BLOCK) == 0);
	arch_thread_set_pointer(thread, THREAD_POINTER_TLS, 0x4560);
	arch_thread_set_pointer(thread, THREAD_POINTER_BLOCK, 0x7890);
	expect(arch_thread_get_pointer(thread, THREAD_POINTER_TLS) == 0x4560 && arch_thread_get_pointer(thread, THREAD_POINTER_BLOCK) == 0x7890);
	arch_thread_set_pointer(thread, THREAD_POINTER_BLOCK, 0);
	arch_frame_get(frame, &registers);
	expect(!memcmp(arch_frame_view(frame, &scratch), &registers, sizeof(registers)));
	arch_frame_set(frame, &registers);
	arch_frame_get(frame, &again);
	expect(!memcmp(&registers, &again, sizeof(registers)));
	arch_frame_set_result(frame, -77);
	arch_frame_get(frame, &again);
	expect(memcmp(&registers, &again, sizeof(registers)) && (int64_t)again.TEST_RESULT == -77);
	expect(arch_stack_readable((uint64_t)&frame) && !arch_stack_readable(CODE) && !arch_stack_readable((uint64_t)&frame | 1));
	arch_frame_set_instruction(frame, CODE + (uint64_t)(test_done - test_code_start));
	thread_start_running(thread);
	expect(ended(process) && process->status == TEST_STATUS_GOOD);
	object_unref(&process->object);
	return NULL;
}

/* A program that reads one word all the time sees at once that another page is there: its space is the active one while a kernel thread runs. */
const char *test_changes(void)
{
	static const uint32_t word = 5;
	struct page *page = page_alloc(0, PAGE_ZERO);
	struct wait_queue queue;
	wait_queue_init(&queue);
	struct thread *thread = make(test_watch, DATA, 100000000);
	expect(page && thread);
	struct process *process = thread->process;
	physical_t physical = page_physical(page);
	expect(space_copy(process->space, DATA, (void *)&word, sizeof(word), true, false) == sizeof(word));
	thread_start_running(thread);
	expect(wait_on(&queue, NULL, time_now() + 5 * MILLISECOND, WAIT_UNINTERRUPTIBLE) == -ETIMEDOUT && !process->corpse);
	expect(arch_space_map(process->arch_space, DATA, &physical, 1, ARCH_MAP_READ) == 1);
	/* at once: later an emulator may have forgotten it for other reasons */
	(void)!wait_on(&process->changed, NULL, time_now() + MILLISECOND, WAIT_UNINTERRUPTIBLE);
	expect(process->corpse && process->status == TEST_STATUS_GOOD);
	object_unref(&process->object);
	page_unref(page);
	return NULL;
}

const char *test_registers(void)
{
	struct process *process[3];
	uint64_t switches = this_processor()->switches;
	for (unsigned i = 0; i < array_count(process); i++) {
		struct thread *thread = make(test_hold, (i + 1) * 0x1111111111ul, 40);
		expect(thread);
		process[i] = thread->process;
		scheduler_set_slice(thread, SLICE_MIN);
		thread_start_running(thread);
	}
	for (unsigned i = 0; i < array_count(process); i++) {
		expect(ended(process[i]) && process[i]->status == TEST_STATUS_GOOD);
		object_unref(&process[i]->object);
	}
	expect(this_processor()->switches - switches > 30); /* they were preempted */
	scheduler_yield();
	return NULL;
}
