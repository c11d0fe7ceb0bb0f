/*
 * The writer's side of ktrace: see trace.h and abi/trace.h. The kernel runs with interrupts disabled, so a processor's ring has one writer; a
 * non-maskable interrupt writes no records.
 */
#include "kernel/debug/trace.h"
#include "arch/frame.h"
#include "arch/processor.h"
#include "arch/thread.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"
#include "kernel/core/processors.h"
#include "kernel/core/wait.h"
#include "kernel/obj/process.h"
#include "kernel/obj/upcall.h"

_Static_assert(sizeof(struct trace_record) == 64 && sizeof(struct trace_area) <= PAGE_SIZE, "as abi/trace.h says");

static struct trace_area *area;
static struct trace_record *records; /* the rings, one after the other */

bool trace_start(physical_t start, uint64_t size, unsigned processors)
{
	uint64_t count = 1;
	if (size < 2 * PAGE_SIZE)
		return false;
	processors = max(processors, 1u);
	while (count * 2 * sizeof(struct trace_record) * processors <= size - PAGE_SIZE)
		count *= 2;
	area = page_address(page_of_physical(start));
	records = (struct trace_record *)((char *)area + PAGE_SIZE);
	memset(area, 0, PAGE_SIZE);
	area->records = count;
	area->processors = processors;
	area->record_size = sizeof(struct trace_record);
	__atomic_store_n(&area->magic, TRACE_MAGIC, __ATOMIC_RELEASE);
	arch_trace_begin();
	return true;
}

void trace_record(enum trace_event event, uint16_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
	const struct thread *thread = thread_current();
	unsigned here = processor_number();
	uint64_t at = area->ring[here].head;
	struct trace_record *record = &records[here * area->records + (at & (area->records - 1))];
	*record = (struct trace_record){ time_now(), (uint32_t)thread->number, (uint8_t)event, (uint8_t)here, number, { a, b, c, d, e, f } };
	/* after the record: whoever sees the new head sees it whole */
	__atomic_store_n(&area->ring[here].head, at + 1, __ATOMIC_RELEASE);
}

void trace_process(struct process *process)
{
	uint64_t name[2];
	_Static_assert(sizeof(name) == TRACE_NAME && sizeof(process->name) == TRACE_NAME, "a name fills two words");
	memcpy(name, process->name, sizeof(name));
	trace(TRACE_PROCESS, process, process->badge, name[0], name[1], 0, 0);
}

/* The way of system calls in place of call_dispatch while there is a trace; from the port's entry code. */
int64_t call_dispatch_traced(struct arch_frame *frame, uint64_t number, const uint64_t argument[6]);
int64_t call_dispatch_traced(struct arch_frame *frame, uint64_t number, const uint64_t argument[6])
{
	const struct process *process = thread_current()->process;
	const struct upcall_config *upcall = &process->upcall;
	uint64_t instruction = arch_frame_instruction(frame);
	bool foreign = upcall_configured(process) && !address_within(instruction - 1, upcall->image_start, upcall->image_end);
	trace_record(foreign ? TRACE_LINUX : TRACE_CALL, (uint16_t)min(number, (uint64_t)UINT16_MAX), argument[0], argument[1], argument[2], argument[3],
		     argument[4], argument[5]);
	int64_t result = call_dispatch(frame, number, argument);
	int64_t told = result == CALL_FRAME_CHANGED ? arch_frame_call_kept(frame) : result;
	bool reflected = foreign && arch_frame_instruction(frame) != instruction;
	trace_record(reflected ? TRACE_REFLECT : TRACE_RETURN, (uint16_t)min(number, (uint64_t)UINT16_MAX), (uint64_t)told, 0, 0, 0, 0, 0);
	return result;
}
