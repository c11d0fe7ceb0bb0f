/* Threads and registers, one topic of the arch contract. */
#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H
#include "abi/process.h"
#include "kernel/core/types.h"

struct thread;
/* Saved user state at the top of the kernel stack while a thread is in the kernel; the port defines it (arch/frame.h). */
struct arch_frame;
/* Per-thread machine state embedded in struct thread as `arch` (arch/<port>/arch/thread_state.h): saved kernel stack pointer, tls and block bases, FP area. */
#include "arch/thread_state.h"

#define KERNEL_STACK_SIZE 16384
/* Prepares a user thread to start at start->entry when first scheduled; its kernel stack is allocated. 0 or -ENOMEM. */
int arch_thread_init(struct thread *thread, const struct thread_start *start) must_check;
/* A kernel thread running function(argument). */
int arch_kernel_thread_init(struct thread *thread, void (*function)(void *), void *argument) must_check;
void arch_thread_destroy(struct thread *thread);
/* Switch stacks, address space (if it differs), register bases; marks the FP unit as not owned. Called by schedule() only. */
void arch_context_switch(struct thread *from, struct thread *to);
/* The frame of a thread that is in the kernel or not running. */
struct arch_frame *arch_thread_frame(struct thread *thread);
void arch_thread_set_pointer(struct thread *thread, unsigned which, uint64_t value);
uint64_t arch_thread_get_pointer(struct thread *thread, unsigned which);
/* New program image in the current thread (process_exec): frame reset, FP state cleared unless THREAD_INHERIT_FLOAT. */
void arch_thread_reset(struct thread *thread, const struct thread_start *start);
int arch_thread_copy_float(struct thread *target, struct thread *source) must_check; /* source is current or not running */

/* the frame's contents */
uint64_t arch_frame_instruction(const struct arch_frame *frame);
void arch_frame_set_instruction(struct arch_frame *frame, uint64_t address);
uint64_t arch_frame_stack(const struct arch_frame *frame);
uint64_t arch_frame_base(const struct arch_frame *frame); /* frame pointer, for backtraces */
uint64_t arch_frame_call_flags(const struct arch_frame *frame); /* what the call destroys: rflags on x86_64, a0 on riscv64 */
void arch_frame_get(const struct arch_frame *frame, struct registers *registers);
/* The same without a copy where the frame holds them in that form, else in *scratch. */
const struct registers *arch_frame_view(const struct arch_frame *frame, struct registers *scratch);
/*
 * In arch/frame.h, for upcalls: arch_frame_enter(frame, entry, block) goes to the library's entry, which needs to find block;
 * ARCH_CALL_SAVES_REGISTERS: a reflected call comes with its registers saved in the block, as the other upcalls do; arch_frame_call_kept.
 */
/* Loads registers, forcing privileged bits to safe values; the return goes by the full (slow) path. */
void arch_frame_set(struct arch_frame *frame, const struct registers *registers);
void arch_frame_set_result(struct arch_frame *frame, int64_t value);
bool arch_frame_from_user(const struct arch_frame *frame);
/* Of an interrupt's frame: it came at the first instruction after a system call, so it has waited for the call's end. May be wrong now and then. */
bool arch_frame_after_call(const struct arch_frame *frame);

/*
 * Words in registers (kernel/ipc/words.c), where the port defines ARCH_FRAME_WORDS in arch/frame.h and KERNEL_CALL_WORDS in abi/call.h; a port
 * without them has port_call_words in user space only (carillon/words.h). All inline in arch/frame.h:
 *   void arch_frame_words(frame, word[8])      the words of the call that made the frame
 *   uint32_t arch_frame_words_reply(frame)     port_reply_receive_words: what is answered
 *   uint64_t arch_frame_words_message(frame)   ... the address of its struct message
 *   void arch_frame_words_set(frame, word[8], badge, data, reply)
 * The port's entry code may make such calls itself (kernel/ipc/port.h, "the short way"). A thread that it puts to sleep has no kernel stack in use; when
 * something else than the short way wakes it, it goes on in port_call_resume or port_receive_resume with its frame, as after a system call that
 * returned CALL_FRAME_CHANGED.
 */
/*
 * Upcalls into the kernel proper, made by the arch entry code with interrupts disabled on the thread's kernel stack:
 *   int64_t call_dispatch(struct arch_frame *, uint64_t number, const uint64_t argument[6])      kernel/obj/call.c
 *       decides native, routed or reflected. When it changed the frame (reflection, exec, register loading) it returns
 *       CALL_FRAME_CHANGED and the entry code must not store a result.
 *   void exception_handle(struct arch_frame *, enum exception_cause, uint64_t code, uint64_t address)  kernel/obj/exception.c
 *       user-mode exceptions that are not page faults resolved by space_fault.
 *   timer_interrupt(frame), interrupt_deliver(number)
 *   thread_return_to_user(frame) before going back to user mode.
 */
#define CALL_FRAME_CHANGED (INT64_MIN + 1)
int64_t call_dispatch(struct arch_frame *frame, uint64_t number, const uint64_t argument[6]);
void exception_handle(struct arch_frame *frame, enum exception_cause cause, uint64_t code, uint64_t address);
/* A user page fault: calls space_fault on the current space, then exception_handle if it failed. kernel/vm/fault.c. */
void page_fault_handle(struct arch_frame *frame, uint64_t address, uint32_t access, uint64_t code);
/* Page fault of a user copy in the kernel (arch/usercopy.h): makes the page of the current thread's space accessible, may sleep. 0: retry,
 * negative: the copy fails with -EFAULT. kernel/vm/fault.c. */
int page_fault_resolve(uint64_t address, uint32_t access) must_check;
/* A global interrupt came; the arch code has masked it already: arch_interrupt_set(number, true) lets the next one in. */
void interrupt_deliver(uint32_t number);
/* Registers to the log (panics). */
void arch_frame_print(const struct arch_frame *frame);
/* Backtraces: may the kernel read the 16 bytes at address as part of a stack? */
bool arch_stack_readable(uint64_t address);
#endif
