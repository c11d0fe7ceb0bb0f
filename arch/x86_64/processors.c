/*
 * Processors beyond the first, and what they ask of each other.
 *
 * Start: the first sends INIT and START to all others at once; those that come take numbers (second.S), up to as many as were asked for, and wait until it is
 * known how many run. Who comes too late halts for good.
 *
 * Forgetting translations (TLB shoot-down): the asker writes what is to be forgotten into its own request, sets its bit at each processor concerned and interrupts
 * it; each forgets, then takes itself out of the request, and the asker waits until none is left. It may hold any locks meanwhile. A processor answers in
 * the interrupt, or, while it waits for something itself with interrupts disabled, by arch_processors_poll; so two that ask each other do not wait for ever.
 * An asker has one request at a time: answering needs none.
 * Model: tests/model/forget.pml.
 *
 * End: arch_processors_halt stops all others by a non-maskable interrupt, wherever they are.
 */
#include "x86.h"
#if PROCESSORS_MAX > 1
#include "arch/mmu.h"
#include "arch/page_table.h"
#include "arch/thread.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/core/wait.h"
#include "kernel/obj/thread.h"
#include "second.h"

#define COMMAND_ALL_OTHERS 0xc0000u
#define COMMAND_NON_MASKABLE 0x4400u
#define COMMAND_INIT 0x4500u
#define COMMAND_START 0x4600u
#define COMMAND_FIXED 0x4000u
#define MILLISECOND 1000000ul
#define ARRIVAL_LIMIT (2000 * MILLISECOND)

/* second.S */
uint32_t second_next = 1, second_limit;
uint64_t second_stacks[PROCESSORS_MAX];
static uint32_t second_arrived;
noreturn void second_main(uint32_t number);

/* --- start --- */

static void delay(uint64_t nanoseconds)
{
	for (uint64_t end = time_now() + nanoseconds; time_now() < end;)
		__asm__ volatile("pause");
}

static bool processor_prepare(unsigned number)
{
	struct processor *processor = &processor_data[number];
	processor->self = processor;
	processor->number = number;
	processor->arch = &processor_arch[number];
	struct thread *idle = scheduler_idle_create(processor);
	if (!idle)
		return false;
	second_stacks[number] = idle->arch.stack_top;
	return true;
}

unsigned arch_start_processors(unsigned count)
{
	extern const char second_start[], second_end[];
	unsigned prepared = 1;
	processor_arch[0].apic = apic_identifier();
	if (count < 2)
		return 1;
	patch_words(); /* the short way is for one processor */
	while (prepared < count && processor_prepare(prepared))
		prepared++;
	memcpy(direct(SECOND_PAGE * PAGE_SIZE), second_start, (size_t)(second_end - second_start));
	second_limit = prepared;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	apic_send(0, COMMAND_ALL_OTHERS | COMMAND_INIT);
	delay(10 * MILLISECOND);
	for (unsigned i = 0; i < 2; i++) {
		apic_send(0, COMMAND_ALL_OTHERS | COMMAND_START | SECOND_PAGE);
		delay(MILLISECOND);
	}
	for (uint64_t end = time_now() + ARRIVAL_LIMIT; time_now() < end && __atomic_load_n(&second_arrived, __ATOMIC_ACQUIRE) < prepared - 1;)
		__asm__ volatile("pause");
	/* who has a number by now runs, and nobody gets one any more */
	uint32_t running = min(__atomic_exchange_n(&second_next, PROCESSORS_MAX, __ATOMIC_SEQ_CST), prepared);
	while (__atomic_load_n(&second_arrived, __ATOMIC_ACQUIRE) < running - 1)
		__asm__ volatile("pause");
	return running;
}

struct processor *arch_processor_data(unsigned number)
{
	return &processor_data[number];
}

/* From second.S, on the idle thread's stack. */
void second_main(uint32_t number)
{
	struct processor *processor = &processor_data[number];
	write_msr(MSR_GS_BASE, (uint64_t)processor);
	cpu_start(processor);
	cpu_set_kernel_stack(second_stacks[number]);
	processor->kernel_stack = second_stacks[number];
	apic_start();
	apic_timer_unmask();
	processor_arch[number].apic = apic_identifier();
	__atomic_add_fetch(&second_arrived, 1, __ATOMIC_RELEASE);
	while (__atomic_load_n(&processors_running, __ATOMIC_ACQUIRE) <= number)
		__asm__ volatile("pause");
	scheduler_join();
}

/* --- asking each other --- */

static struct request {
	struct arch_space *space;
	const uint64_t *address;   /* NULL: all of the space */
	unsigned count;
	bool leave;
	uint32_t waiting;          /* atomic: bits of the processors that have not done it */
} requests[PROCESSORS_MAX];    /* by asker */
static uint32_t asked[PROCESSORS_MAX]; /* atomic, by who is asked: bits of the askers */

void arch_processor_poke(struct processor *processor)
{
	apic_send(((struct arch_processor *)processor->arch)->apic, COMMAND_FIXED | VECTOR_POKE);
}

static void forget(const struct request *request)
{
	struct processor *processor = this_processor();
	if (this_arch()->space != request->space)
		return;
	/* A thread of the kernel stays in whatever space there was; it needs none. */
	if (request->leave || !processor->current->process) {
		arch_space_activate(NULL);
		return;
	}
	if (!request->address)
		translation_forget_all();
	for (unsigned i = 0; request->address && i < request->count; i++)
		translation_forget(request->address[i]);
}

void arch_processors_poll(void)
{
	unsigned me = processor_number();
	if (!__atomic_load_n(&asked[me], __ATOMIC_RELAXED)) {
		__asm__ volatile("pause" ::: "memory");
		return;
	}
	for (uint32_t askers = __atomic_exchange_n(&asked[me], 0, __ATOMIC_ACQ_REL); askers; askers &= askers - 1) {
		struct request *request = &requests[__builtin_ctz(askers)];
		forget(request);
		__atomic_fetch_and(&request->waiting, ~processor_bit(me), __ATOMIC_RELEASE);
	}
}

void translations_forget(struct arch_space *space, const uint64_t *address, unsigned count, bool leave)
{
	unsigned me = processor_number();
	struct request *request = &requests[me];
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the tables are changed before the look at who has them: arch_space_activate */
	uint32_t others = __atomic_load_n(&space->processors, __ATOMIC_SEQ_CST) & ~processor_bit(me);
	if (!others)
		return;
	request->space = space;
	request->address = address;
	request->count = count;
	request->leave = leave;
	__atomic_store_n(&request->waiting, others, __ATOMIC_RELEASE);
	for (uint32_t rest = others; rest; rest &= rest - 1) {
		unsigned number = (unsigned)__builtin_ctz(rest);
		if (!__atomic_fetch_or(&asked[number], processor_bit(me), __ATOMIC_SEQ_CST)) /* else it was interrupted for another and has not looked yet */
			apic_send(processor_arch[number].apic, COMMAND_FIXED | VECTOR_FORGET);
	}
	while (__atomic_load_n(&request->waiting, __ATOMIC_ACQUIRE))
		arch_processors_poll();
}

/* --- the end --- */

static bool ending;
static uint32_t printing = 1; /* atomic: the number of the processor whose turn it is */

void arch_processors_halt(void)
{
	if (!processors_several() || __atomic_exchange_n(&ending, true, __ATOMIC_SEQ_CST))
		return;
	unsigned me = processor_number();
	for (unsigned i = 0; i < processors_running; i++) {
		if (i == me)
			continue;
		__atomic_store_n(&printing, i, __ATOMIC_RELEASE);
		apic_send(processor_arch[i].apic, COMMAND_NON_MASKABLE);
		/* it may be beyond printing */
		for (uint64_t end = time_now() + 200 * MILLISECOND; time_now() < end && __atomic_load_n(&printing, __ATOMIC_ACQUIRE) == i;)
			__asm__ volatile("pause");
	}
}

void processors_halted(struct arch_frame *frame)
{
	struct processor *processor = this_processor();
	if (!__atomic_load_n(&ending, __ATOMIC_SEQ_CST))
		return;
	log_print("processor %u, thread %lu, system call %lu, %s mode at %016lx", processor->number, processor->current->number, processor->current->call_number,
		  arch_frame_from_user(frame) ? "user" : "kernel", frame->rip);
	if (!arch_frame_from_user(frame))
		backtrace_print(frame->rbp, frame->rip);
	for (unsigned i = 0; i < processor->lock_depth && i < array_count(processor->locks_held); i++)
		log_print("  holds lock %s", ((const struct spinlock *)processor->locks_held[i])->name);
	__atomic_store_n(&printing, PROCESSORS_MAX, __ATOMIC_RELEASE);
	arch_halt();
}
#endif
