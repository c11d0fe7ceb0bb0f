/* The end of the kernel after a bug: message, registers, thread, locks, backtrace, power off with PANIC_STATUS (or restart, if told at start). A panic in a panic stops at once;
 * so does one of a second processor, and all others print where they are and stop. */
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/core/format.h"
#include "kernel/core/lock.h"
#include "kernel/core/log.h"
#include "kernel/obj/thread.h"

static unsigned panics;
static int32_t panicking = -1; /* atomic: the processor that does */
bool panic_restarts;

static void context_print(void)
{
	struct processor *p = this_processor();
	if (p->current)
		log_print("processor %u, thread %lu, system call %lu", p->number, p->current->number, p->current->call_number);
	for (unsigned i = 0; i < p->lock_depth && i < array_count(p->locks_held); i++) {
		const struct spinlock *lock = p->locks_held[i];
		log_print("holds lock %s (rank %u)", lock->name, lock->rank);
	}
}

static noreturn void finish(const char *message, const struct arch_frame *frame)
{
	log_print("PANIC: %s", message);
	if (panics == 1) {
		if (frame)
			arch_frame_print(frame);
		context_print();
		if (frame)
			backtrace_print(arch_frame_from_user(frame) ? 0 : arch_frame_base(frame), arch_frame_instruction(frame));
		else
			backtrace_print((uint64_t)__builtin_frame_address(0), 0);
	}
	if (panics == 1)
		arch_processors_halt();
	arch_power(panic_restarts ? POWER_RESTART : POWER_OFF, PANIC_STATUS);
}

static noreturn void panic_arguments(const struct arch_frame *frame, const char *format, va_list arguments)
{
	static char message[256];
	arch_interrupts_disable();
	int32_t nobody = -1, me = (int32_t)this_processor()->number;
	if (!__atomic_compare_exchange_n(&panicking, &nobody, me, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) && nobody != me)
		arch_halt();
	log_alone = true;
	if (++panics > 2)
		arch_halt();
	format_arguments(message, sizeof(message), format, arguments);
	finish(message, frame);
}

void panic(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	panic_arguments(NULL, format, arguments);
}

void panic_at(const struct arch_frame *frame, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	panic_arguments(frame, format, arguments);
}
