/*
 * The short way of calls with words in registers (kernel/ipc/port.h): from the caller straight to the waiting server, from the server straight back,
 * without a frame of C. entry.S comes here, to entry_words, with
 *   t0 the call's address, sp the process, t1 the number of port_call_words, a7 that of the call, the words in a1-a6 t3 t4, which nothing here touches;
 *   sscratch is not 0 yet.
 * First everything is looked at that the C functions would look at, and whatever is not as the short way needs it leads to entry_general with the
 * registers of the call as they were. After "nothing fails from here" it does what they would do: the comments name the functions.
 *
 * In the frame at the top of the kernel stack only pc, sp, tp and s0 are saved (of a receiver also t6, the address of its struct message); gp is the thread's
 * block. The rest is dead by the convention of abi/riscv64/abi/call.h, and is cleared on the way out, because it was the partner's or the kernel's. A thread that
 * sleeps from here has no saved stack pointer, so that a switch to it by the scheduler goes to words_resume (thread.c).
 * Locks: one processor runs, with interrupts disabled.
 */
#include "abi/calls.h"
#include "arch/frame.h"
#include "arch/offsets.h"

#define TOP(offset) (offset - FRAME_SIZE)  /* from the top of the kernel stack */

#define SELF s1         /* the thread that calls or answers */
#define PARTNER s2
#define PORT s3
#define CALL s4
#define OBJECT s5       /* that the handle names */
#define STACK s6        /* top of the kernel stack */
#define HELD s7         /* what the partner holds, and its references but one */
#define REFERENCES s8
#define SLEEPING s10

	/* handle_lookup in the high range. sp: the process. t1, t2 */
	.macro LOOKUP kind right fail
	ld t1, PROCESS_HANDLES_HIGH(sp)
	li t2, HANDLE_HIGH_START
	subw t2, a0, t2
	lwu s6, HANDLES_CAPACITY(t1)
	bgeu t2, s6, \fail
	ld t1, HANDLES_SLOTS(t1)
	slli t2, t2, 4
	add t1, t1, t2
	lbu t2, SLOT_KIND(t1)
	addi t2, t2, -\kind
	bnez t2, \fail
	lbu t2, SLOT_RIGHTS(t1)
	andi t2, t2, \right
	beqz t2, \fail
	ld OBJECT, 0(t1)
	.endm

	/* The partner sleeps, and nothing keeps it from going on. */
	.macro SLEEPS fail
	lw t1, THREAD_STATE(PARTNER)
	li SLEEPING, THREAD_STATE_SLEEPING_
	bne t1, SLEEPING, \fail
	ld t1, THREAD_PENDING(PARTNER)
	bnez t1, \fail
	.endm

	/* The partner's reference to what it holds is not the last. */
	.macro HOLDS fail
	ld HELD, IPC_HELD(PARTNER)
	lw REFERENCES, OBJECT_REFERENCES(HELD)
	addi REFERENCES, REFERENCES, -1
	beqz REFERENCES, \fail
	.endm
	/* The partner no longer holds it, this thread holds the object. */
	.macro HOLD
	sw REFERENCES, OBJECT_REFERENCES(HELD)
	lw t1, OBJECT_REFERENCES(OBJECT)
	sd OBJECT, IPC_HELD(SELF)
	addi t1, t1, 1
	sw t1, OBJECT_REFERENCES(OBJECT)
	.endm

	/*
	 * pick: others are ready. The partner may run before them if none is more urgent, and the slice goes on if it is of the same priority. Only here
	 * can scheduler_woken be set: it names a ready thread.
	 */
	.macro READY fail back
	lbu t2, THREAD_PRIORITY(PARTNER)
	lbu s6, THREAD_PRIORITY(SELF)
	bne t2, s6, \fail
	li s6, 1
	sll s6, s6, t2
	addi s6, s6, -1                 /* of the more urgent */
	and t1, t1, s6
	bnez t1, \fail
	lla t1, scheduler_woken
	sd zero, 0(t1)
	j \back
	.endm

	/* wait_alone on the queue in t1 (STACK: the top of this thread's), then switch_away's accounting and pick, take_off, arch_context_switch: the partner runs, with a0 = 0. */
	.macro SWITCH how
	sw SLEEPING, THREAD_STATE(SELF)
	sd t1, THREAD_WAITING_ON(SELF)
	li t1, \how
	sw t1, THREAD_WAIT_HOW(SELF)
	sd zero, THREAD_STACK_POINTER(SELF)
	ld t1, PROCESSOR_SCRATCH(tp)
	csrr t2, sscratch
	addi t0, t0, 4
	sd t1, TOP(FRAME_X(2))(STACK)
	sd t2, TOP(FRAME_X(4))(STACK)
	sd s0, TOP(FRAME_X(8))(STACK)
	sd t0, TOP(FRAME_PC)(STACK)

	rdtime t0
	ld t1, PROCESSOR_COUNTER_MARK(tp)
	ld t2, THREAD_COUNTS(SELF)
	sd t0, PROCESSOR_COUNTER_MARK(tp)
	sub t0, t0, t1
	add t2, t2, t0
	sd t2, THREAD_COUNTS(SELF)

	li t0, THREAD_STATE_RUNNING_
	ld t1, PROCESSOR_SWITCHES(tp)
	sw t0, THREAD_STATE(PARTNER)
	sd zero, THREAD_WAITING_ON(PARTNER)
	sd PARTNER, PROCESSOR_CURRENT(tp)
	addi t1, t1, 1
	sd t1, PROCESSOR_SWITCHES(tp)
	ld STACK, THREAD_STACK_TOP(PARTNER)
	ld t0, THREAD_PROCESS(PARTNER)
	sd STACK, PROCESSOR_KERNEL_STACK(tp)
	ld t0, PROCESS_ARCH_SPACE(t0)
	ld t1, PROCESSOR_ARCH(tp)
	ld t2, SPACE_SATP(t0)
	sd t0, ARCH_SPACE(t1)
	csrw satp, t2
	sfence.vma
	/* float_switch: the units are disabled unless the thread owns them (float_unit.h); if neither does, they are */
	ld t1, PROCESSOR_FLOAT_OWNER(tp)
	beq t1, SELF, 2f
	beq t1, PARTNER, 3f
1:	ld ra, TOP(FRAME_PC)(STACK)             /* what stays in ra is the partner's own */
	csrw sscratch, tp
	ld gp, THREAD_BLOCK(PARTNER)
	csrw sepc, ra
	ld s0, TOP(FRAME_X(8))(STACK)
	ld sp, TOP(FRAME_X(2))(STACK)
	ld tp, TOP(FRAME_X(4))(STACK)
	li a0, 0
	li t0, 0
	li t1, 0
	li t2, 0
	li s1, 0
	li s2, 0
	li s3, 0
	li s4, 0
	li s5, 0
	li s6, 0
	li s7, 0
	li s8, 0
	li s9, 0
	li s10, 0
	li s11, 0
	sret
2:	li t0, STATUS_FS | STATUS_VS
	csrc sstatus, t0
	j 1b
3:	ld t0, THREAD_FLOAT_AREA(PARTNER)
	ld t0, FLOAT_AREA_VECTOR(t0)
	li t1, STATUS_FS_INITIAL
	beqz t0, 4f
	li t1, STATUS_FS_INITIAL | STATUS_VS_INITIAL
4:	csrs sstatus, t1
	j 1b
	.endm

	.text
	.globl entry_words, words_resume
	.align 4
entry_words:
	beq a7, t1, words_call
	addi t1, t1, 1
	beq a7, t1, words_reply
	j entry_general

	/* attention is not looked at: it was done with when this thread went to user mode */
	.align 4
words_call:
	ld SELF, PROCESSOR_CURRENT(tp)
	LOOKUP SLOT_KIND_CLIENT, SLOT_RIGHT_SEND, words_long
	/* a server that waits for words, and nothing else of this port in the way */
	ld PORT, CLIENT_PORT(OBJECT)
	ld PARTNER, PORT_WORDS_RECEIVER(PORT)
	beqz PARTNER, words_long
	ld t1, PORT_WORDS_BOUND(PORT)
	bnez t1, words_long
	SLEEPS words_long
	/* call_record, calling_set */
	ld t1, IPC_WORDS_PORT(SELF)
	bne t1, PORT, words_long
	ld CALL, IPC_CALL(SELF)
	/* priority_lend: nothing to do for a server that is at least as urgent */
	lbu t1, THREAD_PRIORITY(PARTNER)
	lbu t2, THREAD_PRIORITY(SELF)
	bltu t2, t1, words_long
	lw t1, scheduler_ready
	bnez t1, words_call_ready
words_call_alone:
	HOLDS words_long
	/* Nothing fails from here. */
	HOLD
	/* call_submit, words_deliver_locked, reply_number */
	lw t2, CALL_REFERENCES(CALL)
	li t1, CALL_STATE_BOUND
	sd zero, PORT_WORDS_RECEIVER(PORT)
	sd CALL, PORT_WORDS_BOUND(PORT)
	sw t1, CALL_STATE(CALL)
	addi t2, t2, 1
	sw t2, CALL_REFERENCES(CALL)
	sd CALL, IPC_SERVED(PARTNER)
	lw t5, IPC_SERVED_NUMBER(PARTNER)
	ld t6, PROCESS_BADGE(sp)
	ld a7, CLIENT_DATA(OBJECT)
	addi t1, CALL, CALL_DONE_QUEUE
	ld STACK, PROCESSOR_KERNEL_STACK(tp)
	SWITCH WAIT_HOW_KILLABLE

words_call_ready:
	READY words_long, words_call_alone

	/* t5 the reply's number, t6 the address of the struct message */
	.align 4
words_reply:
	ld SELF, PROCESSOR_CURRENT(tp)
	/* reply_words: the reply that this thread keeps */
	ld CALL, IPC_SERVED(SELF)
	lw s9, IPC_SERVED_NUMBER(SELF)
	beqz CALL, words_long
	bne s9, t5, words_long
	ld t1, THREAD_PENDING(SELF)             /* must_not_sleep */
	bnez t1, words_long
	LOOKUP SLOT_KIND_LISTENER, SLOT_RIGHT_RECEIVE, words_long
	/* of a call through this port, on which nothing else waits to be received */
	ld PORT, LISTENER_PORT(OBJECT)
	ld t1, PORT_WORDS_BOUND(PORT)
	bne t1, CALL, words_long
	ld t1, PORT_WORDS_RECEIVER(PORT)
	bnez t1, words_long
	addi t1, PORT, PORT_QUEUE
	ld t2, PORT_QUEUE(PORT)
	bne t1, t2, words_long
	addi t1, PORT, PORT_NOTIFICATIONS
	ld t2, PORT_NOTIFICATIONS(PORT)
	bne t1, t2, words_long
	/* whose caller sleeps in port_call_words */
	lw t1, CALL_STATE(CALL)
	li t2, CALL_STATE_BOUND
	bne t1, t2, words_long
	ld PARTNER, CALL_THREAD(CALL)
	SLEEPS words_long
	lw t1, scheduler_ready
	bnez t1, words_reply_ready
words_reply_alone:
	HOLDS words_long
	/* Nothing fails from here. */
	HOLD
	/* call_answer_locked, call_complete, receive */
	sd zero, PORT_WORDS_BOUND(PORT)
	lw t2, CALL_REFERENCES(CALL)
	sd SELF, PORT_WORDS_RECEIVER(PORT)
	sw zero, CALL_STATE(CALL)               /* CALL_IDLE */
	addi t2, t2, -1
	lui t1, REPLY_NUMBER_STEP >> 12
	sw t2, CALL_REFERENCES(CALL)
	sd zero, IPC_SERVED(SELF)
	addw s9, s9, t1
	ld STACK, PROCESSOR_KERNEL_STACK(tp)
	sw s9, IPC_SERVED_NUMBER(SELF)
	sd t6, TOP(FRAME_X(31))(STACK)
	li t5, 0
	li t6, 0
	li a7, 0
	addi t1, SELF, IPC_WAIT
	SWITCH WAIT_HOW_INTERRUPTIBLE

words_reply_ready:
	READY words_long, words_reply_alone

	/* The long way, with what the call needs as it was and nothing of the kernel's in the registers that are dead. */
words_long:
	li ra, 0
	li t2, 0
	li s1, 0
	li s2, 0
	li s3, 0
	li s4, 0
	li s5, 0
	li s6, 0
	li s7, 0
	li s8, 0
	li s9, 0
	li s10, 0
	sd zero, PROCESSOR_SAVED_T0(tp)
	sd zero, PROCESSOR_SAVED_T1(tp)
	j entry_general

	/* The scheduler switched to a thread that sleeps from here; sp is its frame. */
words_resume:
	li s0, 0
	call thread_first_run
	mv a0, sp
	call words_go_on
	lw t1, PROCESSOR_ATTENTION(tp)
	bnez t1, frame_attention
	j frame_return
	.section .note.GNU-stack, "", @progbits
