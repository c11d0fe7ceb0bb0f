/* Offsets that the assembly of every port needs. For a port's offsets.c, which has defined VALUE and OFFSET. */
#ifndef ARCH_OFFSETS_SHARED_H
#define ARCH_OFFSETS_SHARED_H
#include "arch/processor.h"
#include "kernel/core/schedule.h"
#include "kernel/ipc/port_private.h"
#include "kernel/obj/process.h"

static inline __attribute__((always_inline)) void offsets_shared(void)
{
	OFFSET(PROCESSOR_CALLS, processor, calls);
	OFFSET(PROCESSOR_SWITCHES, processor, switches);
	OFFSET(PROCESSOR_FLOAT_OWNER, processor, float_owner);
	OFFSET(PROCESSOR_COUNTER_MARK, processor, counter_mark);
	OFFSET(ARCH_SPACE, arch_processor, space);
	OFFSET(THREAD_PROCESS, thread, process);
	OFFSET(THREAD_CALL_NUMBER, thread, call_number);
	OFFSET(THREAD_STATE, thread, state);
	OFFSET(THREAD_PRIORITY, thread, priority);
	OFFSET(THREAD_COUNTS, thread, usage.run_time);
	OFFSET(THREAD_WAITING_ON, thread, waiting_on);
	OFFSET(THREAD_WAIT_HOW, thread, wait_how);
	OFFSET(THREAD_PENDING, thread, interrupt_pending); /* with what follows, eight bytes that are looked at as one */
	_Static_assert(offsetof(struct thread, interrupt_pending) % 8 == 0 && sizeof(((struct thread *)0)->interrupt_pending) == 4 &&
		offsetof(struct thread, kill_pending) == offsetof(struct thread, interrupt_pending) + 4 &&
		offsetof(struct thread, suspend_pending) == offsetof(struct thread, interrupt_pending) + 5 &&
		offsetof(struct thread, parked) == offsetof(struct thread, interrupt_pending) + 6 &&
		offsetof(struct thread, nothing) == offsetof(struct thread, interrupt_pending) + 7, "THREAD_PENDING");
	_Static_assert(sizeof(((struct thread *)0)->state) == 4 && sizeof(((struct thread *)0)->wait_how) == 4, "sizes");
	OFFSET(THREAD_STACK_POINTER, thread, arch.stack_pointer);
	OFFSET(THREAD_STACK_TOP, thread, arch.stack_top);
	VALUE(THREAD_STATE_RUNNING_, THREAD_RUNNING);
	VALUE(THREAD_STATE_SLEEPING_, THREAD_SLEEPING);
	VALUE(WAIT_HOW_KILLABLE, WAIT_KILLABLE);
	VALUE(WAIT_HOW_INTERRUPTIBLE, WAIT_INTERRUPTIBLE);
	OFFSET(IPC_CALL, user_thread, ipc.call);
	OFFSET(IPC_WAIT, user_thread, ipc.wait);
	OFFSET(IPC_SERVED, user_thread, ipc.served);
	OFFSET(IPC_SERVED_NUMBER, user_thread, ipc.served_number);
	OFFSET(IPC_HELD, user_thread, ipc.held);
	OFFSET(IPC_WORDS_PORT, user_thread, ipc.words_port);
	_Static_assert(offsetof(struct user_thread, thread) == 0 && offsetof(struct thread, object) == 0 && offsetof(struct client, object) == 0 &&
		offsetof(struct listener, object) == 0, "objects come first");
	OFFSET(OBJECT_REFERENCES, object, references);
	OFFSET(CLIENT_PORT, client, port);
	OFFSET(CLIENT_DATA, client, data);
	OFFSET(LISTENER_PORT, listener, port);
	OFFSET(PORT_QUEUE, port, queue);
	OFFSET(PORT_NOTIFICATIONS, port, notifications);
	OFFSET(PORT_WORDS_RECEIVER, port, words_receiver);
	OFFSET(PORT_WORDS_BOUND, port, words_bound);
	OFFSET(CALL_STATE, call, state); /* and the three bytes that follow, as one */
	_Static_assert(offsetof(struct call, state) % 4 == 0 && offsetof(struct call, busy) == offsetof(struct call, state) + 1 &&
		offsetof(struct call, delivered) == offsetof(struct call, state) + 2 && offsetof(struct call, words) == offsetof(struct call, state) + 3, "CALL_STATE");
	VALUE(CALL_STATE_BOUND, CALL_BOUND | 1 << 16 | 1 << 24); /* delivered, words */
	OFFSET(CALL_REFERENCES, call, references);
	OFFSET(CALL_THREAD, call, thread);
	OFFSET(CALL_DONE_QUEUE, call, done);
	OFFSET(PROCESS_HANDLES_HIGH, process, handles.table[1]);
	OFFSET(PROCESS_ARCH_SPACE, process, arch_space);
	OFFSET(PROCESS_BADGE, process, badge);
	OFFSET(HANDLES_SLOTS, handle_table, slots);
	OFFSET(HANDLES_CAPACITY, handle_table, capacity);
	VALUE(HANDLE_HIGH_START, HANDLE_HIGH);
	VALUE(REPLY_NUMBER_STEP, REPLY_SLOTS_MAX);
	OFFSET(PROCESS_NATIVE_START, process, gate.native_start);
	OFFSET(PROCESS_NATIVE_END, process, gate.native_end);
	OFFSET(PROCESS_CALL_ENTRY, process, gate.call_entry);
	OFFSET(PROCESS_REFLECTED, process, gate.reflected);
	VALUE(CALL_GATE_NUMBERS, ROUTE_NUMBERS);
	OFFSET(PROCESS_GATE_ROUTES, process, gate.routes);
	OFFSET(ROUTES_BY_NUMBER, route_table, by_number);
	OFFSET(ROUTES_PLAIN, route_table, plain);
	OFFSET(PLAIN_BODY, plain_route, body);
	OFFSET(PLAIN_MASK, plain_route, mask);
	OFFSET(PLAIN_VALUE, plain_route, value);
	OFFSET(PLAIN_FIRST_MOST, plain_route, first_most);
	OFFSET(THREAD_CALL_ROUTED, thread, call_routed);
	OFFSET(BLOCK_CALL_RESULT, thread_block, call_result);
}
#endif
