/*
 * Exceptions and interrupts, after entry.S has saved the frame.
 * User mode: page faults go to page_fault_handle, other exceptions to exception_handle with their portable cause.
 * Kernel mode: only the instructions of usercopy.S may fault (the fixup table); anything else is a bug and panics with the registers.
 */
#include "x86.h"
#include "abi/memory.h"
#include "arch/thread.h"
#include "kernel/core/log.h"
#include "kernel/core/wait.h"
#include "kernel/obj/thread.h"

#define FRAME_OFFSET(field, value) _Static_assert(offsetof(struct arch_frame, field) == (value), "frame.h: " #field)
FRAME_OFFSET(rbp, FRAME_RBP);
FRAME_OFFSET(rdi, FRAME_RDI);
FRAME_OFFSET(rax, FRAME_RAX);
FRAME_OFFSET(rcx, FRAME_RCX);
FRAME_OFFSET(r11, FRAME_R11);
FRAME_OFFSET(vector, FRAME_VECTOR);
FRAME_OFFSET(rip, FRAME_RIP);
FRAME_OFFSET(cs, FRAME_CS);
FRAME_OFFSET(rflags, FRAME_RFLAGS);
FRAME_OFFSET(rsp, FRAME_RSP);
_Static_assert(sizeof(struct arch_frame) == FRAME_SIZE, "frame.h: size");
_Static_assert(offsetof(struct processor, current) == PROCESSOR_CURRENT, "frame.h");
_Static_assert(offsetof(struct processor, kernel_stack) == PROCESSOR_KERNEL_STACK, "frame.h");
_Static_assert(offsetof(struct processor, scratch) == PROCESSOR_SCRATCH, "frame.h");
_Static_assert(offsetof(struct processor, attention) == PROCESSOR_ATTENTION, "frame.h");
_Static_assert(CALL_FRAME_CHANGED == (int64_t)0x8000000000000001ul, "entry.S");

struct fixup { uint64_t instruction, target, sleeps; };
extern const struct fixup fixup_start[], fixup_end[];

static const char *const exception_names[32] = {
	"divide error", "debug", "non-maskable interrupt", "breakpoint", "overflow", "bound", "illegal instruction", "no floating point",
	"double fault", "coprocessor overrun", "bad task segment", "segment not present", "stack fault", "general protection", "page fault",
	"exception 15", "floating point", "alignment", "machine check", "vector floating point", "virtualization", "control protection",
};

static const char *exception_name(uint64_t vector)
{
	if (vector == FRAME_VECTOR_CALL)
		return "system call";
	return vector < 32 && exception_names[vector] ? exception_names[vector] : "interrupt";
}

void arch_frame_print(const struct arch_frame *f)
{
	log_print("%s (vector %lu, code %#lx) in %s mode, cr2 %016lx cr3 %lx", exception_name(f->vector), f->vector, f->error,
		f->cs & 3 ? "user" : "kernel", READ_CONTROL(2), READ_CONTROL(3));
	log_print("rip %016lx rsp %016lx rflags %08lx cs %lx ss %lx", f->rip, f->rsp, f->rflags, f->cs, f->ss);
	log_print("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_print("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp, f->r8);
	log_print("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11, f->r12);
	log_print("r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

/* PROTECT_ bits of the access that a page-fault error code describes */
static uint32_t fault_access(uint64_t error)
{
	return error & PAGE_FAULT_FETCH ? PROTECT_EXECUTE : error & PAGE_FAULT_WRITE ? PROTECT_WRITE : PROTECT_READ;
}

static void kernel_page_fault(struct arch_frame *frame, uint64_t address)
{
	const struct fixup *fixup = fixup_start;
	while (fixup < fixup_end && fixup->instruction != frame->rip)
		fixup++;
	if (fixup == fixup_end || address >= USER_TOP || frame->error & PAGE_FAULT_RESERVED)
		panic_at(frame, "page fault in the kernel at %016lx", address);
	if (!fixup->sleeps || page_fault_resolve(address, fault_access(frame->error)))
		frame->rip = fixup->target;
}

static void page_fault(struct arch_frame *frame)
{
	uint64_t address = READ_CONTROL(2); /* at once: a fault in a sleep would overwrite it */
	this_processor()->faults++;
	if (!(frame->cs & 3))
		kernel_page_fault(frame, address);
	else if (frame->error & PAGE_FAULT_RESERVED)
		panic_at(frame, "damaged page table, fault at %016lx", address);
	else
		page_fault_handle(frame, address, fault_access(frame->error), frame->error);
}

static void user_exception(struct arch_frame *frame)
{
	enum exception_cause cause = EXCEPTION_OTHER;
	switch (frame->vector) {
	case 0:
		cause = EXCEPTION_DIVIDE;
		break;
	case VECTOR_DEBUG:
		cause = EXCEPTION_STEP;
		frame->rflags &= ~RFLAGS_TRAP; /* or the handler would be stepped too */
		__asm__ volatile("movq %0, %%dr6" :: "r"(0xffff0ff0ul));
		break;
	case 3:
		cause = EXCEPTION_BREAKPOINT;
		break;
	case 6:
		cause = EXCEPTION_ILLEGAL;
		break;
	case 16: case 19:
		cause = EXCEPTION_FLOAT;
		break;
	case 17:
		cause = EXCEPTION_ALIGNMENT;
		break;
	}
	exception_handle(frame, cause, frame->error, frame->rip);
}

static void interrupt(struct arch_frame *frame)
{
	uint32_t vector = (uint32_t)frame->vector;
	this_processor()->interrupts++;
	if (vector == VECTOR_SPURIOUS)
		return;
	if (vector == VECTOR_TIMER) {
		apic_end_of_interrupt();
		timer_interrupt(frame);
#if PROCESSORS_MAX > 1
	} else if (vector == VECTOR_FORGET) {
		apic_end_of_interrupt();
		arch_processors_poll();
	} else if (vector == VECTOR_POKE) {
		apic_end_of_interrupt();
		scheduler_poked();
#endif
	} else if (vector >= VECTOR_GLOBAL && !arch_interrupt_set(vector - VECTOR_GLOBAL, false)) {
		/* Masked before its end is announced: the line stays high until the driver has served the device. */
		apic_end_of_interrupt();
		interrupt_deliver(vector - VECTOR_GLOBAL);
	} else {
		apic_end_of_interrupt();
		log_print("unexpected interrupt vector %u", vector);
	}
}

static void non_maskable(struct arch_frame *frame)
{
#if PROCESSORS_MAX > 1
	processors_halted(frame);
#endif
	log_print("non-maskable interrupt at %016lx", frame->rip);
}

/* From entry.S. Interrupts are disabled; for the three paranoid vectors the stack is not the thread's. */
void trap_handle(struct arch_frame *frame)
{
	if (frame->vector == VECTOR_PAGE_FAULT)
		page_fault(frame);
	else if (frame->vector >= 32)
		interrupt(frame);
	else if (frame->vector == VECTOR_NMI)
		non_maskable(frame);
	else if (frame->vector == VECTOR_DOUBLE_FAULT || frame->vector == VECTOR_MACHINE_CHECK || !(frame->cs & 3))
		panic_at(frame, "%s in the kernel", exception_name(frame->vector));
	else if (frame->vector == VECTOR_NO_FLOAT)
		float_device_not_available(frame);
	else
		user_exception(frame);
}

/*
 * Before a return to user mode when attention is set. It may sleep in here, and what happens meanwhile (a kill, an interrupt) sets attention
 * again, so look again; not for ever, because a pending interrupt may rightly stay pending inside the library.
 */
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
