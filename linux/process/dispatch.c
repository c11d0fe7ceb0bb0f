/*
 * The dispatcher: from the entry code to the function of a Linux call and back, and the hot path of the library.
 *
 * A call that returns an ordinary result with nothing pending goes straight back. Everything else goes through call_finish:
 *
 *     function -> EINTR or a restart code -> signal_deliver --handler runs--> frame built, the call restarts after it or tells EINTR
 *        ^                                        |
 *        +-------- restarting = true <------ no handler ran
 */
#include "linux/calls.h"
#include "linux/fd/descriptor.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"
#include "linux/signal/signal.h"
#include "linux/trace/trace.h"
#include "carillon/linux.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
#define LINUX_CALL_ENTRY(name, function, after) function
static const linux_call functions[LINUX_CALL_COUNT] = {
	[0 ... LINUX_CALL_COUNT - 1] = linux_absent,
#include "linux/call_table.h"
};
#undef LINUX_CALL_ENTRY

#define LINUX_CALL_ENTRY(name, function, after) name
static const char *const names[LINUX_CALL_COUNT] = {
	[0 ... LINUX_CALL_COUNT - 1] = "unknown",
#include "linux/call_table.h"
};
#undef LINUX_CALL_ENTRY

#define AFTER_INTERRUPTED 0
#define AFTER_RESTART LINUX_RESTART
#define AFTER_NO_HANDLER LINUX_RESTART_NO_HANDLER
#define LINUX_CALL_ENTRY(name, function, after) after
static const uint16_t after[LINUX_CALL_COUNT] = {
#include "linux/call_table.h"
};
#undef LINUX_CALL_ENTRY
#pragma GCC diagnostic pop

const char *call_name(uint32_t number)
{
	return number < LINUX_CALL_COUNT ? names[number] : NULL;
}

void call_note_absent(struct linux_thread *t, uint32_t number)
{
	struct linux_process *p = t->process;
	char text[96];
	size_t length;
	if (number < LINUX_NOTED_WORDS * 64) {
		uint64_t bit = 1ul << (number % 64);
		if (__atomic_fetch_or(&p->noted[number / 64], bit, __ATOMIC_RELAXED) & bit)
			return;
	}
	const char *name = call_name(number);
	length = text_copy(text, "absent call ", sizeof text);
	length += text_copy(text + length, name ? name : "unknown", sizeof text - length);
	length += text_copy(text + length, " (", sizeof text - length);
	length += text_decimal(text + length, number);
	text_copy(text + length, "): ENOSYS", sizeof text - length);
	linux_note(t, text);
}

int64_t linux_absent(struct linux_thread *t, const uint64_t argument[6])
{
	(void)argument;
	call_note_absent(t, t->call);
	return -ENOSYS;
}

/* EINTR and the internal restart codes */
static inline bool result_special(int64_t result)
{
	return result == -EINTR || (uint64_t)(result + LINUX_FRAME_LOADED) <= LINUX_FRAME_LOADED - LINUX_RESTART;
}

static void mask_restore(struct linux_thread *t)
{
	t->restore_mask = false;
	signal_mask_set(t, t->saved_mask);
}

/* A routed call that the kernel gave up with nothing transferred. */
static int64_t routed_result(struct linux_thread *t, const uint64_t argument[6], int64_t result)
{
	if (result == -EACCES) /* a right is missing: what that means to Linux the function knows */
		return functions[t->call](t, argument);
	if (result == -EPIPE || result == -EFBIG)
		return transfer_error(t, (int)argument[0], result);
	if (result == -EINTR && !interrupt_deliverable(t))
		return -(int64_t)LINUX_RESTART_ALWAYS;
	return result;
}

static __attribute__((noinline)) int64_t call_traced(struct linux_thread *t, const uint64_t argument[6])
{
	bool known = t->call < LINUX_CALL_COUNT;
	return trace_call(t, argument, known ? functions[t->call] : linux_absent, known ? after[t->call] : 0);
}

/* The arguments may lie in the registers, which the result changes. */
static __attribute__((noinline)) bool call_finish(struct linux_thread *t, const uint64_t given[6], int64_t result)
{
	const uint64_t argument[6] = { given[0], given[1], given[2], given[3], given[4], given[5] };
	struct registers *registers = &t->block.registers;
	for (;;) {
		uint32_t restart = 0;
		bool handled = false, loaded = result == -(int64_t)LINUX_FRAME_LOADED;
		if (!loaded) {
			if (result == -EINTR)
				restart = t->call < LINUX_CALL_COUNT ? after[t->call] : 0;
			else if (result_special(result))
				restart = (uint32_t)-result;
			*machine_result(registers) = (uint64_t)(restart ? -(int64_t)EINTR : result);
		}
		if (t->block.pending)
			handled = signal_deliver(t, restart);
		if (t->restore_mask) {
			mask_restore(t);
			if (t->block.pending)
				handled |= signal_deliver(t, handled ? 0 : restart);
		}
		if (loaded || handled || !restart)
			return true;
		t->restarting = true;
		result = trace_on(t) ? call_traced(t, argument) : functions[t->call](t, argument);
		t->restarting = false;
	}
}

bool linux_enter_call(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t number = machine_call_number(&t->block.registers);
	int64_t result = t->block.call_result;
	t->call = (uint32_t)number;
	if (trace_on(t))
		result = call_traced(t, argument);
	else if (__builtin_expect(result == CALL_NOT_ROUTED, 1))
		result = __builtin_expect(number < LINUX_CALL_COUNT, 1) ? functions[number](t, argument) : linux_absent(t, argument);
	else
		result = routed_result(t, argument, result);
	if (__builtin_expect(result_special(result) || t->block.pending || t->restore_mask, 0))
		return call_finish(t, argument, result);
	*machine_result(&t->block.registers) = (uint64_t)result;
	return false;
}

void linux_enter_interrupt(struct linux_thread *t)
{
	(void)signal_deliver(t, 0);
}

void linux_enter_exception(struct linux_thread *t)
{
	struct machine_trap trap;
	struct linux_siginfo info = { .signal = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };
	uint64_t instruction = *machine_instruction(&t->block.registers);
	machine_trap_of(&t->block, &trap);
	switch (t->block.cause) {
	case EXCEPTION_UNMAPPED:
		if (memory_grow(t, t->block.address))
			return;
		info.code = LINUX_SEGV_MAPERR;
		info.fault.address = t->block.address;
		break;
	case EXCEPTION_PROTECTION:
		info.code = LINUX_SEGV_ACCERR;
		info.fault.address = t->block.address;
		break;
	case EXCEPTION_BEYOND_OBJECT:
		info.signal = LINUX_SIGBUS;
		info.code = LINUX_BUS_ADRERR;
		info.fault.address = t->block.address;
		break;
	case EXCEPTION_ILLEGAL:
		info.signal = LINUX_SIGILL;
		info.code = MACHINE_ILLEGAL_CODE;
		info.fault.address = instruction;
		break;
	case EXCEPTION_BREAKPOINT:
		info.signal = LINUX_SIGTRAP;
		info.code = MACHINE_BREAKPOINT_CODE;
		info.fault.address = MACHINE_BREAKPOINT_ADDRESS(instruction);
		break;
	case EXCEPTION_STEP:
		info.signal = LINUX_SIGTRAP;
		info.code = LINUX_TRAP_TRACE;
		info.fault.address = instruction;
		break;
	case EXCEPTION_DIVIDE:
		info.signal = LINUX_SIGFPE;
		info.code = LINUX_FPE_INTDIV;
		info.fault.address = instruction;
		break;
	case EXCEPTION_FLOAT:
		info.signal = LINUX_SIGFPE;
		info.code = LINUX_FPE_FLTINV;
		info.fault.address = instruction;
		break;
	case EXCEPTION_ALIGNMENT:
		info.signal = LINUX_SIGBUS;
		info.code = LINUX_BUS_ADRALN;
		break;
	default:
		break;
	}
	signal_force(t, info.signal, &info, &trap);
}

int64_t linux_native_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	struct linux_thread *t = linux_self();
	uint64_t argument[6] = { a, b, c, d, e, f };
	t->call = (uint32_t)number;
	int64_t result = number < LINUX_CALL_COUNT ? functions[number](t, argument) : linux_absent(t, argument);
	while (__builtin_expect(result_special(result) || t->block.pending || t->restore_mask, 0)) {
		uint32_t restart = 0;
		bool handled = false;
		if (result == -EINTR)
			restart = number < LINUX_CALL_COUNT ? after[number] : 0;
		else if (result_special(result))
			restart = (uint32_t)-result;
		if (restart)
			result = -EINTR;
		if (t->block.pending)
			handled = signal_deliver(t, restart);
		if (t->restore_mask)
			mask_restore(t);
		if (!restart || (handled && restart != LINUX_RESTART_ALWAYS))
			break;
		t->restarting = true;
		result = functions[number](t, argument);
		t->restarting = false;
	}
	return result;
}
