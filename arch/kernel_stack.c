/* Kernel stacks: see kernel_stack.h. */
#include "arch/kernel_stack.h"
#include "arch/float.h"
#include "arch/frame.h"
#include "kernel/core/page.h"
#include "kernel/obj/budget.h"

#define STACK_ORDER 2u
_Static_assert(PAGE_SIZE << STACK_ORDER == KERNEL_STACK_SIZE, "stack size");

int kernel_stack_allocate(struct thread *thread)
{
	struct page *page = budget_page_alloc(budget_own(), STACK_ORDER, 0);

	if (!page)
		return -ENOMEM;
	thread->arch.stack_base = (uint64_t)page_address(page);
	thread->arch.stack_top = thread->arch.stack_base + KERNEL_STACK_SIZE;
	*(uint64_t *)thread->arch.stack_base = KERNEL_STACK_MARK;
	return 0;
}

void arch_thread_destroy(struct thread *thread)
{
	float_forget(thread);
	if (thread->arch.stack_base)
		page_unref(page_of_address((void *)thread->arch.stack_base));
	thread->arch.stack_base = thread->arch.stack_top = 0;
}

struct arch_frame *arch_thread_frame(struct thread *thread)
{
	return (struct arch_frame *)thread->arch.stack_top - 1;
}

bool arch_stack_readable(uint64_t address)
{
	extern const char kernel_start[], kernel_end[];

	if (address & 7)
		return false;
	if (address >= (uint64_t)kernel_start && address + 16 <= (uint64_t)kernel_end)
		return true;
	const struct thread *current = this_processor()->current;
	return current && address >= current->arch.stack_base && address + 16 <= current->arch.stack_top;
}
