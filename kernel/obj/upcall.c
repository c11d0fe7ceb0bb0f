/*
 * Upcalls: entering a process's library in the same thread, for system calls, exceptions and interrupts. abi/process.h has the rules.
 * The thread block is user memory; what cannot be written there kills the process with STATUS_UPCALL.
 */
#include "kernel/obj/upcall.h"
#include "arch/frame.h"
#include "arch/processor.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"

#define BACKTRACE_MAX 24

static user_t block_of(struct thread *thread)
{
	return arch_thread_get_pointer(thread, THREAD_POINTER_BLOCK);
}

/* Saves the registers in the block. */
static int registers_save(user_t block, struct arch_frame *frame)
{
	struct registers scratch;
	const struct registers *registers = arch_frame_view(frame, &scratch);
	return block ? copy_to_user(block + offsetof(struct thread_block, registers), registers, sizeof(*registers)) : -EFAULT;
}

int64_t upcall_call(struct thread *thread, struct arch_frame *frame, int64_t result)
{
	struct { uint64_t instruction, flags; int64_t result; } saved = {
		arch_frame_instruction(frame), arch_frame_call_flags(frame), result,
	};
	_Static_assert(offsetof(struct thread_block, call_result) - offsetof(struct thread_block, call_instruction) == 16, "layout");
	user_t block = block_of(thread);
	if (!block || copy_to_user(block + offsetof(struct thread_block, call_instruction), &saved, sizeof(saved)) ||
	    (ARCH_CALL_SAVES_REGISTERS && registers_save(block, frame)))
		process_kill_current(STATUS_UPCALL);
	else
		arch_frame_enter(frame, thread->process->upcall.call_entry, block);
	return arch_frame_call_kept(frame);
}

void upcall_interrupt(struct thread *thread, struct arch_frame *frame)
{
	struct process *process = thread->process;
	const struct upcall_config *upcall = &process->upcall;
	if (!upcall_configured(process))
		return; /* stays pending until an interruptible call ends with it */
	uint64_t instruction = arch_frame_instruction(frame);
	user_t block = block_of(thread);
	if (!address_within(instruction, upcall->image_start, upcall->image_end)) {
		if (registers_save(block, frame)) {
			process_kill_current(STATUS_UPCALL);
			return;
		}
		thread->interrupt_pending = false;
		arch_frame_enter(frame, upcall->interrupt_entry, block);
		return;
	}
	const uint32_t pending = 1;
	if (!block)
		return; /* the library is still starting */
	if (copy_to_user(block + offsetof(struct thread_block, pending), &pending, sizeof(pending))) {
		process_kill_current(STATUS_UPCALL);
		return;
	}
	if (address_within(instruction, upcall->restart_start, upcall->restart_end))
		arch_frame_set_instruction(frame, upcall->restart_start);
}

static const char *cause_name(enum exception_cause cause)
{
	static const char *const names[] = {
		"no exception", "unmapped address", "protection", "beyond the object", "illegal instruction", "breakpoint", "single step",
		"division", "floating point", "alignment", "exception",
	};
	return (unsigned)cause < array_count(names) ? names[cause] : "exception";
}

/* Names are known for the first process only: its image lies in the boot archive, and nobody else can report its death. */
static void caller_print(struct process *process, uint64_t address)
{
	uint64_t offset;
	const char *name = kernel_first_process_symbol(process, address, &offset);

	if (name)
		log_print("  called from %016lx %s+%#lx", address, name, offset);
	else
		log_print("  called from %016lx", address);
}

/* Registers and return addresses of a thread that is about to die, to the log. The stack is the program's: nothing in it is believed. */
static void fault_print(struct thread *thread, struct arch_frame *frame, enum exception_cause cause, uint64_t code, uint64_t address)
{
	log_print("process %s (%016lx) thread %lu: %s at %016lx, address %016lx, code %lx", thread->process->name, thread->process->badge, thread->number, cause_name(cause),
		  arch_frame_instruction(frame), address, code);
	arch_frame_print(frame);
	struct registers scratch;
	const struct registers *registers = arch_frame_view(frame, &scratch);
	uint64_t base = arch_frame_base(frame);
	for (unsigned i = 0; i < BACKTRACE_MAX; i++) {
		struct { uint64_t next, instruction; } link;
		if (!base || base % 8 || copy_from_user(&link, base + ABI_STACK_LINK, sizeof(link)) || !link.instruction)
			break;
		if (!i && ABI_STACK_LEAF(base, link.instruction)) {
			link.next = link.instruction;
			link.instruction = ABI_REGISTERS_RETURN(registers);
		}
		caller_print(thread->process, link.instruction);
		if (link.next <= base)
			break;
		base = link.next;
	}
}

/* Nobody handles the exception: the process dies with what a post-mortem needs. */
static void fault_kill(struct thread *thread, struct arch_frame *frame, enum exception_cause cause, uint64_t code, uint64_t address)
{
	struct process *process = thread->process;
	fault_print(thread, frame, cause, code, address);
	spin_lock(&process->lock);
	if (!process->fault_thread) {
		process->fault_thread = thread->number;
		process->fault_cause = cause;
		process->fault_address = address;
		process->fault_instruction = arch_frame_instruction(frame);
		arch_frame_get(frame, &process->fault_registers);
	}
	spin_unlock(&process->lock);
	process_kill_current(STATUS_FAULT);
}

void exception_handle(struct arch_frame *frame, enum exception_cause cause, uint64_t code, uint64_t address)
{
	struct thread *thread = thread_current();
	struct process *process = thread->process;
	const struct upcall_config *upcall = &process->upcall;
	__atomic_fetch_add(&process->faults, 1, __ATOMIC_RELAXED);
	if (!upcall_configured(process)) {
		fault_kill(thread, frame, cause, code, address);
		return;
	}
	uint64_t instruction = arch_frame_instruction(frame);
	if (address_within(instruction, upcall->image_start, upcall->image_end)) {
		if (address_within(instruction, upcall->copy_start, upcall->copy_end))
			arch_frame_set_instruction(frame, upcall->copy_fixup);
		else
			fault_kill(thread, frame, cause, code, address);
		return;
	}
	struct { uint32_t cause; uint64_t code, address; } __attribute__((packed)) saved = { cause, code, address };
	_Static_assert(offsetof(struct thread_block, address) - offsetof(struct thread_block, cause) == 12, "layout");
	user_t block = block_of(thread);
	if (registers_save(block, frame) || copy_to_user(block + offsetof(struct thread_block, cause), &saved, sizeof(saved)))
		process_kill_current(STATUS_UPCALL);
	else
		arch_frame_enter(frame, upcall->exception_entry, block);
}
