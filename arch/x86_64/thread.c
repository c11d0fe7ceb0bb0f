/*
 * Threads: the switch between them, and the registers of user mode. Their kernel stacks: arch/kernel_stack.h.
 * What the frame may hold is checked here, once: the instruction pointer is canonical and in the user half (iret would fault in kernel
 * mode otherwise), the flags never include a privileged one, the bases of fs and gs are user addresses (entry.S relies on it).
 */
#include "arch/float.h"
#include "arch/kernel_stack.h"
#include "arch/thread.h"
#include "x86.h"
#include "kernel/core/processors.h"
#include "kernel/core/wait.h"
#include "kernel/obj/process.h"
#include "arch/mmu.h"

struct switch_frame { uint64_t r15, r14, r13, r12, rbx, rbp, rip; };

static uint64_t user_address(uint64_t address)
{
	return address < USER_TOP ? address : 0;
}

static void switch_frame_set(struct thread *thread, uint64_t below, void (*enter)(void), uint64_t rbx, uint64_t r12)
{
	struct switch_frame *frame = (struct switch_frame *)below - 1;
	*frame = (struct switch_frame){ .rbx = rbx, .r12 = r12, .rip = (uint64_t)enter };
	thread->arch.stack_pointer = (uint64_t)frame;
}

static void frame_start(struct arch_frame *frame, const struct thread_start *start)
{
	memset(frame, 0, sizeof(*frame));
	frame->rip = user_address(start->entry);
	frame->rsp = start->stack;
	frame->rdi = start->argument[0];
	frame->rsi = start->argument[1];
	frame->rdx = start->argument[2];
	frame->rcx = start->argument[3];
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
	frame->rflags = RFLAGS_FIXED | RFLAGS_INTERRUPT;
	frame->vector = FRAME_VECTOR_CALL;
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
	thread->arch.tls_base = user_address(start->tls);
	thread->arch.block_base = user_address(start->block);
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
	struct processor *processor = this_processor();
	kernel_stack_check(from);
	processor->kernel_stack = to->arch.stack_top;
	cpu_set_kernel_stack(to->arch.stack_top);
	if (to->process) { /* a kernel thread runs in whatever space there is */
		if (this_arch()->space != to->process->arch_space)
			arch_space_activate(to->process->arch_space);
		/* Always: a program can change its bases by loading a segment register, so what was written last says nothing. */
		if (cpu_features.base_instructions)
			__asm__ volatile("wrfsbase %0" :: "r"(to->arch.tls_base));
		else
			write_msr(MSR_FS_BASE, to->arch.tls_base);
		write_msr(MSR_KERNEL_GS_BASE, to->arch.block_base);
	}
	if (processors_several())
		float_leave(from);
	if (processor->float_owner == to || !this_arch()->float_disabled)
		float_switch(to);
	context_switch_stacks(&from->arch.stack_pointer, to->arch.stack_pointer);
}

void arch_thread_set_pointer(struct thread *thread, unsigned which, uint64_t value)
{
	bool current = thread == this_processor()->current;
	value = user_address(value);
	if (which == THREAD_POINTER_TLS) {
		thread->arch.tls_base = value;
		if (current)
			write_msr(MSR_FS_BASE, value);
	} else {
		thread->arch.block_base = value;
		if (current)
			write_msr(MSR_KERNEL_GS_BASE, value);
	}
}

uint64_t arch_thread_get_pointer(struct thread *thread, unsigned which)
{
	return which == THREAD_POINTER_TLS ? thread->arch.tls_base : thread->arch.block_base;
}

void arch_thread_reset(struct thread *thread, const struct thread_start *start)
{
	if (!(start->options & THREAD_INHERIT_FLOAT))
		float_forget(thread);
	frame_start(arch_thread_frame(thread), start);
	arch_thread_set_pointer(thread, THREAD_POINTER_TLS, start->tls);
	arch_thread_set_pointer(thread, THREAD_POINTER_BLOCK, start->block);
}

uint64_t arch_frame_instruction(const struct arch_frame *frame)
{
	return frame->rip;
}

void arch_frame_set_instruction(struct arch_frame *frame, uint64_t address)
{
	frame->rip = user_address(address);
}

uint64_t arch_frame_stack(const struct arch_frame *frame)
{
	return frame->rsp;
}

uint64_t arch_frame_base(const struct arch_frame *frame)
{
	return frame->rbp;
}

uint64_t arch_frame_call_flags(const struct arch_frame *frame)
{
	return frame->rflags;
}

void arch_frame_get(const struct arch_frame *f, struct registers *r)
{
	*r = (struct registers){ .rax = f->rax, .rbx = f->rbx, .rcx = f->rcx, .rdx = f->rdx, .rsi = f->rsi, .rdi = f->rdi, .rbp = f->rbp,
		.r8 = f->r8, .r9 = f->r9, .r10 = f->r10, .r11 = f->r11, .r12 = f->r12, .r13 = f->r13, .r14 = f->r14, .r15 = f->r15,
		.rip = f->rip, .rflags = f->rflags, .rsp = f->rsp };
}

const struct registers *arch_frame_view(const struct arch_frame *frame, struct registers *scratch)
{
	arch_frame_get(frame, scratch);
	return scratch;
}

void arch_frame_set(struct arch_frame *f, const struct registers *r)
{
	*f = (struct arch_frame){ .rax = r->rax, .rbx = r->rbx, .rcx = r->rcx, .rdx = r->rdx, .rsi = r->rsi, .rdi = r->rdi, .rbp = r->rbp,
		.r8 = r->r8, .r9 = r->r9, .r10 = r->r10, .r11 = r->r11, .r12 = r->r12, .r13 = r->r13, .r14 = r->r14, .r15 = r->r15,
		.rip = user_address(r->rip), .rsp = r->rsp, .cs = SELECTOR_USER_CODE, .ss = SELECTOR_USER_DATA, .vector = f->vector,
		.error = f->error, .rflags = (r->rflags & RFLAGS_USER_CHANGEABLE) | RFLAGS_FIXED | RFLAGS_INTERRUPT };
}

void arch_frame_set_result(struct arch_frame *frame, int64_t value)
{
	frame->rax = (uint64_t)value;
}

bool arch_frame_from_user(const struct arch_frame *frame)
{
	return frame->cs & 3;
}

/* syscall leaves the return address and the flags in rcx and r11, and so does sysret: no other code keeps them there. */
bool arch_frame_after_call(const struct arch_frame *frame)
{
	return frame->rcx == frame->rip && frame->r11 == frame->rflags;
}
