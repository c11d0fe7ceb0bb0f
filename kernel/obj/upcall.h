/* Entering a process's library: see upcall.c. */
#ifndef KERNEL_UPCALL_H
#define KERNEL_UPCALL_H
#include "kernel/obj/process.h"
static inline bool upcall_configured(const struct process *process)
{
	return process->upcall.image_start != process->upcall.image_end;
}
/* Does the instruction lie in [start, end)? */
static inline bool address_within(uint64_t address, uint64_t start, uint64_t end)
{
	return address - start < end - start;
}
/* Reflects a system call. The value to return from call_dispatch; kills the process if the block cannot be written. */
int64_t upcall_call(struct thread *thread, struct arch_frame *frame, int64_t result);
/* A pending interrupt of the current thread on its way to user mode: delivers it, or tells the library that it waits. */
void upcall_interrupt(struct thread *thread, struct arch_frame *frame);
/* Off (boot word "slow", or a trace): every call goes through call_dispatch. Set before the first process is made. */
extern bool call_entry_decides;
/* To be called whenever upcall or routes have changed: what the entry code may decide itself. kernel/obj/call.c. */
void call_gate_update(struct process *process);
/* A native call of a process without a library ended with -EINTR: the interrupt has been told. kernel/obj/call.c. */
void call_interrupted(void);
/* A route as the entry code may take it (process.h); the result of its body if that is negative, which may be reflected (CALL_FRAME_CHANGED). call.c. */
struct plain_route;
struct plain_route call_plain_route(const struct route *route, uint32_t following);
int64_t call_route_ended(struct arch_frame *frame, int64_t result);
/* Is there such a native call? *arguments: how many it takes. kernel/obj/call.c. */
bool call_is_native(uint64_t number, unsigned *arguments) must_check;
#endif
