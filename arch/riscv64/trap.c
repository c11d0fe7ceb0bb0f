/*
 * Exceptions and interrupts, after entry.S has saved the frame.
 * User mode: page faults go to page_fault_handle, other exceptions to exception_handle with their portable cause.
 * Kernel mode: only the instructions of usercopy.S may fault; anything else is a bug and panics with the registers.
 *
 * A page fault may only mean that its tables were detached by a fork (page_entry.h): then they are attached, and the instruction repeated if it
 * may succeed now. The same trap tells that the floating-point unit is off: illegal instruction (float_unit.h, vector.c).
 */
#include "riscv.h"
#include "float_unit.h"
#include "abi/calls.h"
#include "abi/memory.h"
#include "arch/float.h"
#include "arch/page_table.h"
#include "arch/thread.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/process.h"

#define INSTRUCTION_CALL 0x00000073u /* ecall */

#define FRAME_OFFSET(field, value) _Static_assert(offsetof(struct arch_frame, field) == (value), "frame.h: " #field)
FRAME_OFFSET(r.pc, FRAME_PC);
FRAME_OFFSET(r.ra, FRAME_X(1));
FRAME_OFFSET(r.sp, FRAME_X(2));
FRAME_OFFSET(r.s0, FRAME_X(8));
FRAME_OFFSET(r.a0, FRAME_A0);
FRAME_OFFSET(r.a0, FRAME_X(10));
FRAME_OFFSET(r.t6, FRAME_X(31));
FRAME_OFFSET(status, FRAME_STATUS);
FRAME_OFFSET(cause, FRAME_CAUSE);
FRAME_OFFSET(value, FRAME_VALUE);
_Static_assert(sizeof(struct arch_frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "frame.h: size");
_Static_assert(CALL_PORT_REPLY_RECEIVE_WORDS == CALL_PORT_CALL_WORDS + 1 && CALL_COUNT == CALL_PORT_CALL_WORDS + 2, "entry.S");
_Static_assert(CALL_FRAME_CHANGED == (int64_t)0x8000000000000001ul, "entry.S");

/* Where the kernel may fault, and go on with a failed copy; in the first part after trying to mend it (usercopy.S). */
extern const char usercopy_sleeping_start[], usercopy_sleeping_end[], usercopy_present_start[], usercopy_present_end[], usercopy_failed[];

extern const char library_return_try[], library_return_failed[], reflect_try[], reflect_failed[]; /* entry.S */

static const char *cause_name(uint64_t cause)
{
	static const char *const names[] = {
		"instruction alignment", "instruction access", "illegal instruction", "breakpoint", "load alignment", "load access", "store alignment",
		"store access", "system call", "call from the kernel", "cause 10", "cause 11", "instruction page fault", "load page fault",
		"cause 14", "store page fault",
	};
	if (cause & CAUSE_INTERRUPT)
		return "interrupt";
	return cause < array_count(names) ? names[cause] : "exception";
}

bool arch_frame_from_user(const struct arch_frame *frame)
{
	return !(frame->status & STATUS_SPP);
}

/* The instruction before it is the call. It may lie across two words; what is not in memory is not looked for. */
bool arch_frame_after_call(const struct arch_frame *frame)
{
	uint64_t address = (frame->r.pc & ~1ul) - 4;
	uint32_t low, high = 0;
	if (address >= USER_TOP || user_load32_present(address & ~3ul, &low) || (address & 2 && user_load32_present((address & ~3ul) + 4, &high)))
		return false;
	return (address & 2 ? low >> 16 | high << 16 : low) == INSTRUCTION_CALL;
}

void arch_frame_print(const struct arch_frame *f)
{
	const struct registers *r = &f->r;
	log_print("%s (cause %lx, value %016lx) in %s mode, satp %lx", cause_name(f->cause), f->cause, f->value,
		arch_frame_from_user(f) ? "user" : "kernel", CSR_READ(satp));
	log_print("pc  %016lx sp  %016lx status %lx", r->pc, r->sp, f->status);
	log_print("ra  %016lx gp  %016lx tp  %016lx t0  %016lx", r->ra, r->gp, r->tp, r->t0);
	log_print("t1  %016lx t2  %016lx s0  %016lx s1  %016lx", r->t1, r->t2, r->s0, r->s1);
	log_print("a0  %016lx a1  %016lx a2  %016lx a3  %016lx", r->a0, r->a1, r->a2, r->a3);
	log_print("a4  %016lx a5  %016lx a6  %016lx a7  %016lx", r->a4, r->a5, r->a6, r->a7);
	log_print("s2  %016lx s3  %016lx s4  %016lx s5  %016lx", r->s2, r->s3, r->s4, r->s5);
	log_print("s6  %016lx s7  %016lx s8  %016lx s9  %016lx", r->s6, r->s7, r->s8, r->s9);
	log_print("s10 %016lx s11 %016lx t3  %016lx t4  %016lx", r->s10, r->s11, r->t3, r->t4);
	log_print("t5  %016lx t6  %016lx", r->t5, r->t6);
}

static uint32_t fault_access(uint64_t cause)
{
	return cause == CAUSE_FETCH_PAGE ? PROTECT_EXECUTE : cause == CAUSE_STORE_PAGE ? PROTECT_WRITE : PROTECT_READ;
}

static bool within(uint64_t address, const char *start, const char *end)
{
	return address >= (uint64_t)start && address < (uint64_t)end;
}

/* The tables were only detached, and what the instruction wants may be there. */
static bool reattached(uint64_t address, uint32_t access)
{
	struct arch_space *space = this_arch()->space;
	return space && address < USER_TOP && mmu_reattach(space, address) && arch_space_allows(space, address, access, NULL);
}

static void kernel_page_fault(struct arch_frame *frame)
{
	uint64_t address = frame->value, pc = frame->r.pc;
	bool sleeps = within(pc, usercopy_sleeping_start, usercopy_sleeping_end);
	if (within(pc, library_return_try, library_return_failed)) {
		frame->r.pc = (uint64_t)library_return_failed;
		frame->r.t0 = thread_current()->process->upcall.restart_start - 4; /* where an error of the call goes on */
		return;
	}
	if (within(pc, reflect_try, reflect_failed)) {
		frame->r.pc = (uint64_t)reflect_failed;
		return;
	}
	if (address >= USER_TOP || !(sleeps || within(pc, usercopy_present_start, usercopy_present_end)))
		panic_at(frame, "page fault in the kernel at %016lx", address);
	if (reattached(address, fault_access(frame->cause)))
		return;
	if (!sleeps || page_fault_resolve(address, fault_access(frame->cause)))
		frame->r.pc = (uint64_t)usercopy_failed;
}

static void page_fault(struct arch_frame *frame)
{
	this_processor()->faults++;
	if (!arch_frame_from_user(frame))
		kernel_page_fault(frame);
	else if (!reattached(frame->value, fault_access(frame->cause)))
		page_fault_handle(frame, frame->value, fault_access(frame->cause), frame->cause);
}

static void user_exception(struct arch_frame *frame)
{
	enum exception_cause cause = EXCEPTION_OTHER;
	uint64_t address = frame->r.pc;
	switch (frame->cause) {
	case CAUSE_ILLEGAL:
		if (!float_unit_enabled() && board.floats && float_take())
			return;
		if (vector_take(frame->value))
			return;
		cause = EXCEPTION_ILLEGAL;
		break;
	case CAUSE_BREAKPOINT:
		cause = EXCEPTION_BREAKPOINT;
		break;
	case CAUSE_FETCH_ALIGNMENT: case CAUSE_LOAD_ALIGNMENT: case CAUSE_STORE_ALIGNMENT:
		cause = EXCEPTION_ALIGNMENT;
		address = frame->value;
		break;
	case CAUSE_FETCH_ACCESS: case CAUSE_LOAD_ACCESS: case CAUSE_STORE_ACCESS: /* memory that the board refuses */
		cause = EXCEPTION_PROTECTION;
		address = frame->value;
		break;
	}
	exception_handle(frame, cause, frame->cause, address);
}

static void interrupt(struct arch_frame *frame)
{
	uint64_t number = frame->cause & ~CAUSE_INTERRUPT;
	this_processor()->interrupts++;
	if (number == CAUSE_TIMER_INTERRUPT) {
		arch_timer_set(UINT64_MAX); /* it stays pending until it is set again */
		timer_interrupt(frame);
	} else if (number == CAUSE_EXTERNAL_INTERRUPT) {
		plic_interrupt();
	} else {
		CSR_CLEAR(sip, SIE_SOFTWARE);
		log_print("unexpected interrupt %lu", number);
	}
}

/* From entry.S, interrupts disabled. */
void trap_handle(struct arch_frame *frame);
void trap_handle(struct arch_frame *frame)
{
	if (frame->cause & CAUSE_INTERRUPT)
		interrupt(frame);
	else if (frame->cause == CAUSE_FETCH_PAGE || frame->cause == CAUSE_LOAD_PAGE || frame->cause == CAUSE_STORE_PAGE)
		page_fault(frame);
	else if (!arch_frame_from_user(frame))
		panic_at(frame, "%s in the kernel", cause_name(frame->cause));
	else
		user_exception(frame);
}

/*
 * Before a return to user mode when attention is set. It may sleep in here, and what happens meanwhile (a kill, an interrupt) sets attention
 * again, so look again; not for ever, because a pending interrupt may rightly stay pending inside the library.
 */
void trap_attention(struct arch_frame *frame);
void trap_attention(struct arch_frame *frame)
{
	for (unsigned round = 0; round < 8; round++) {
		this_processor()->attention = 0;
		scheduler_preempt();
		thread_return_to_user(frame);
		if (!this_processor()->attention)
			break;
	}
}
