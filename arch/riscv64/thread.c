/*
 * Threads: the switch between them, and the registers of user mode. Their kernel stacks: arch/kernel_stack.h.
 * Every value of a program's registers is harmless here: sret to any address faults in user mode only, and no register holds privileged bits.
 */
#include "arch/float.h"
#include "arch/kernel_stack.h"
#include "arch/thread.h"
#include "riscv.h"
#include "kernel/core/wait.h"
#include "kernel/ipc/port.h"
#include "kernel/obj/thread.h"
#include "arch/mmu.h"

struct switch_frame { uint64_t ra, s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, reserved; };
_Static_assert(sizeof(struct switch_frame) == 112, "entry.S");

static uint64_t user_address(uint64_t address)
{
	return address < USER_TOP ? address : 0;
}

static void switch_frame_set(struct thread *thread, uint64_t below, void (*enter)(void), uint64_t s1, uint64_t s2)
{
	struct switch_frame *frame = (struct switch_frame *)below - 1;
	*frame = (struct switch_frame){ .ra = (uint64_t)enter, .s1 = s1, .s2 = s2 };
	thread->arch.stack_pointer = (uint64_t)frame;
}

static void frame_start(struct arch_frame *frame, const struct thread_start *start)
{
	memset(frame, 0, sizeof(*frame));
	frame->r.pc = user_address(start->entry);
	frame->r.sp = start->stack;
	frame->r.tp = start->tls;
	frame->r.gp = start->block;
	frame->r.a0 = start->argument[0];
	frame->r.a1 = start->argument[1];
	frame->r.a2 = start->argument[2];
	frame->r.a3 = start->argument[3];
	frame->status = STATUS_SPIE;
	frame->cause = CAUSE_CALL;
}

int arch_thread_init(struct thread *thread, const struct thread_start *start)
{
	if (start->options & THREAD_INHERIT_FLOAT) {
		int error = arch_thread_copy_float(thread, thread_current());
		if (error)
			return error;
	}
	if (kernel_stack_allocate(thread)) {
		float_forget(thread);
		return -ENOMEM;
	}
	frame_start(arch_thread_frame(thread), start);
	thread->arch.block = user_address(start->block);
	switch_frame_set(thread, (uint64_t)arch_thread_frame(thread), thread_enter_user, 0, 0);
	return 0;
}

int arch_kernel_thread_init(struct thread *thread, void (*function)(void *), void *argument)
{
	if (kernel_stack_allocate(thread))
		return -ENOMEM;
	switch_frame_set(thread, thread->arch.stack_top, thread_enter_kernel, (uint64_t)function, (uint64_t)argument);
	return 0;
}

void arch_context_switch(struct thread *from, struct thread *to)
{
	kernel_stack_check(from);
	this_processor()->kernel_stack = to->arch.stack_top;
	struct arch_space *space = thread_arch_space(to);
	if (space) /* a kernel thread runs in whatever space there is */
		arch_space_activate(space);
	float_switch(to);
	if (!to->arch.stack_pointer) /* it sleeps from words.S */
		switch_frame_set(to, (uint64_t)arch_thread_frame(to), words_resume, 0, 0);
	context_switch_stacks(&from->arch.stack_pointer, to->arch.stack_pointer);
}

/* From words.S: something else than the short way has woken a thread that it put to sleep. */
void words_go_on(struct arch_frame *frame);
void words_go_on(struct arch_frame *frame)
{
	frame->r.gp = thread_current()->arch.block;
	if (thread_current()->wait_how == WAIT_KILLABLE)
		port_call_resume(frame);
	else
		port_receive_resume(frame);
}

/* Thread-local storage is a general register: the program sets it itself, and thread_create for a new thread. */
void arch_thread_set_pointer(struct thread *thread, unsigned which, uint64_t value)
{
	if (which == THREAD_POINTER_TLS)
		arch_thread_frame(thread)->r.tp = value;
	else
		thread->arch.block = user_address(value);
}

uint64_t arch_thread_get_pointer(struct thread *thread, unsigned which)
{
	return which == THREAD_POINTER_TLS ? arch_thread_frame(thread)->r.tp : thread->arch.block;
}

void arch_thread_reset(struct thread *thread, const struct thread_start *start)
{
	if (!(start->options & THREAD_INHERIT_FLOAT))
		float_forget(thread);
	frame_start(arch_thread_frame(thread), start);
	thread->arch.block = user_address(start->block);
}

uint64_t arch_frame_instruction(const struct arch_frame *frame)
{
	return frame->r.pc;
}

void arch_frame_set_instruction(struct arch_frame *frame, uint64_t address)
{
	frame->r.pc = address;
}

uint64_t arch_frame_stack(const struct arch_frame *frame)
{
	return frame->r.sp;
}

uint64_t arch_frame_base(const struct arch_frame *frame)
{
	return frame->r.s0;
}

uint64_t arch_frame_call_flags(const struct arch_frame *frame)
{
	return frame->r.a0; /* the result takes its place; the library needs it to make the call again */
}

void arch_frame_get(const struct arch_frame *frame, struct registers *registers)
{
	*registers = frame->r;
}

const struct registers *arch_frame_view(const struct arch_frame *frame, struct registers *scratch)
{
	(void)scratch;
	return &frame->r;
}

void arch_frame_set(struct arch_frame *frame, const struct registers *registers)
{
	frame->r = *registers;
}

void arch_frame_set_result(struct arch_frame *frame, int64_t value)
{
	frame->r.a0 = (uint64_t)value;
}
