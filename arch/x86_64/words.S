/*
 * The short way of calls with words in registers (kernel/ipc/port.h): from the caller straight to the waiting server, from the server straight back,
 * without a frame of C. entry.S jumps here with
 *   rsp the process, rcx and r11 the program's instruction pointer and flags, the words in rsi r10 r8 r9 rbx r12 r13 r14, which nothing here touches.
 * First everything is looked at that the C functions would look at, and whatever is not as the short way needs it leads to entry_native with all
 * registers as they were. After "nothing fails from here" it does what they would do: the comments name the functions.
 *
 * In the frame at the top of the kernel stack only the instruction pointer, flags, stack pointer and rbp are saved (of a receiver also rdx, the address of
 * its struct message): the rest is dead by the convention of abi/x86_64/abi/call.h. Segment selectors are there from earlier entries. A
 * thread that sleeps from here has its saved stack pointer just below the frame, so that a switch to it by the scheduler "returns" to
 * words_call_resume or words_reply_resume.
 * Locks: one processor runs (the first of processor_arch and task_segment are its), with interrupts disabled; with more, nobody comes here (patch_words).
 */
#include "abi/calls.h"
#include "arch/frame.h"
#include "arch/offsets.h"

/* from the top of the kernel stack */
#define TOP_RIP (FRAME_RIP - FRAME_SIZE)
#define TOP_RFLAGS (FRAME_RFLAGS - FRAME_SIZE)
#define TOP_RSP (FRAME_RSP - FRAME_SIZE)
#define TOP_RBP (FRAME_RBP - FRAME_SIZE)
#define TOP_RDI (FRAME_RDI - FRAME_SIZE)
#define TOP_RDX (FRAME_RDI + 16 - FRAME_SIZE)
#define TOP_RESUME (-FRAME_SIZE - 8)       /* struct switch_frame: the return address, above six registers */
#define TOP_SWITCH (-FRAME_SIZE - 56)

#define CALLER %rbp
#define SERVER %r15

	/* wait_alone: the thread sleeps on the queue in rdx, to be resumed at `resume`. rsp: the top of its stack */
	.macro SLEEP thread how resume
	movq %rdx, THREAD_WAITING_ON(\thread)
	movl $THREAD_STATE_SLEEPING_, THREAD_STATE(\thread)
	movl $\how, THREAD_WAIT_HOW(\thread)
	movq $\resume, TOP_RESUME(%rsp)
	leaq TOP_SWITCH(%rsp), %rdx
	movq %rdx, THREAD_STACK_POINTER(\thread)
	.endm

	/* switch_away's accounting. rax, rdx */
	.macro ACCOUNT thread
	rdtsc
	shlq $32, %rdx
	orq %rdx, %rax
	movq %gs:PROCESSOR_COUNTER_MARK, %rdx
	movq %rax, %gs:PROCESSOR_COUNTER_MARK
	subq %rdx, %rax
	addq %rax, THREAD_COUNTS(\thread)
	.endm

	/* take_off, pick, arch_context_switch: the thread runs. rcx; rsp becomes the top of its stack. */
	.macro SWITCH thread
	movl $THREAD_STATE_RUNNING_, THREAD_STATE(\thread)
	movq $0, THREAD_WAITING_ON(\thread)
	movq \thread, %gs:PROCESSOR_CURRENT
	incq %gs:PROCESSOR_SWITCHES
	movq THREAD_STACK_TOP(\thread), %rsp
	movq %rsp, %gs:PROCESSOR_KERNEL_STACK
	movq %rsp, task_segment + 4
	movq THREAD_PROCESS(\thread), %rcx
	movq PROCESS_ARCH_SPACE(%rcx), %rcx
	cmpq %rcx, processor_arch + ARCH_SPACE
	je 662f
	movq %rcx, processor_arch + ARCH_SPACE
	movq SPACE_ROOT(%rcx), %rcx
	movq %rcx, %cr3
662:	movq THREAD_TLS(\thread), %rcx
	wrfsbase %rcx
	/* float_switch: the unit is disabled unless the thread owns it */
	cmpq \thread, %gs:PROCESSOR_FLOAT_OWNER
	je 664f
	cmpb $0, processor_arch + ARCH_FLOAT_DISABLED
	jne 665f
	movq %cr0, %rcx
	orq $8, %rcx                            /* CR0_TASK_SWITCHED */
	movq %rcx, %cr0
	movb $1, processor_arch + ARCH_FLOAT_DISABLED
	jmp 665f
664:	clts
	movb $0, processor_arch + ARCH_FLOAT_DISABLED
665:	movq THREAD_BLOCK(\thread), %rcx
	movq TOP_RFLAGS(%rsp), %r11
	.endm

	/* rcx: the base of gs, which swapgs has brought to where it can be written */
	.macro LEAVE
	movq TOP_RBP(%rsp), %rbp
	xorl %eax, %eax
	swapgs
	wrgsbase %rcx
	movq TOP_RIP(%rsp), %rcx
	movq TOP_RSP(%rsp), %rsp
	sysretq
	.endm

	/* handle_lookup in the high range: the object in rax. rcx: the table. rdx */
	.macro LOOKUP mask wanted fail
	leal -HANDLE_HIGH_START(%rdi), %eax
	cmpl HANDLES_CAPACITY(%rcx), %eax
	jae \fail
	shlq $4, %rax
	addq HANDLES_SLOTS(%rcx), %rax
	movzwl SLOT_KIND(%rax), %edx
	andl $\mask, %edx
	cmpl $\wanted, %edx
	jne \fail
	movq (%rax), %rax
	.endm

	/*
	 * pick: others are ready. The partner may run before them if none is more urgent, and the slice goes on if it is of the same priority. Only here
	 * can scheduler_woken be set: it names a ready thread.
	 */
	.macro READY from to fail back
	movzbl THREAD_PRIORITY(\to), %edx
	cmpb %dl, THREAD_PRIORITY(\from)
	jne \fail
	movq %rdi, TOP_RDI(%rsp)
	bsfl scheduler_ready, %edi
	cmpl %edx, %edi
	movq TOP_RDI(%rsp), %rdi
	jb \fail
	movq $0, scheduler_woken
	jmp \back
	.endm

	.text
	.globl words_call, words_reply

	.align 16
words_call:
	movq %rsp, %rdx
	movq %gs:PROCESSOR_KERNEL_STACK, %rsp
	movq %rcx, TOP_RIP(%rsp)
	movq %r11, TOP_RFLAGS(%rsp)
	movq %rbp, TOP_RBP(%rsp)
	movq %gs:PROCESSOR_SCRATCH, %rcx
	movq %rcx, TOP_RSP(%rsp)
	movq %gs:PROCESSOR_CURRENT, CALLER
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne words_call_long
	movq PROCESS_HANDLES_HIGH(%rdx), %rcx
	LOOKUP SLOT_MASK_SEND SLOT_CLIENT_SEND words_call_long
	/* a server that waits for words, and nothing else of this port in the way */
	movq CLIENT_PORT(%rax), %rcx
	movq PORT_WORDS_RECEIVER(%rcx), SERVER
	testq SERVER, SERVER
	jz words_call_long
	cmpq $0, PORT_WORDS_BOUND(%rcx)
	jne words_call_long
	cmpl $THREAD_STATE_SLEEPING_, THREAD_STATE(SERVER)
	jne words_call_long
	cmpq $0, THREAD_PENDING(SERVER)
	jne words_call_long
	/* call_record, calling_set */
	cmpq %rcx, IPC_WORDS_PORT(CALLER)
	jne words_call_long
	movq IPC_CALL(CALLER), %r11
	/* priority_lend: nothing to do for a server that is at least as urgent */
	movzbl THREAD_PRIORITY(SERVER), %edx
	cmpb THREAD_PRIORITY(CALLER), %dl
	ja words_call_long
	cmpl $0, scheduler_ready
	jne words_call_ready
words_call_alone:
	movq IPC_HELD(SERVER), %rdx
	cmpl $1, OBJECT_REFERENCES(%rdx)
	je words_call_long
	/* Nothing fails from here. The server no longer holds its listener, the caller holds its client. */
	decl OBJECT_REFERENCES(%rdx)
	incl OBJECT_REFERENCES(%rax)
	movq %rax, IPC_HELD(CALLER)
	/* call_submit, words_deliver_locked, reply_number */
	movq $0, PORT_WORDS_RECEIVER(%rcx)
	movq %r11, PORT_WORDS_BOUND(%rcx)
	movl $CALL_STATE_BOUND, CALL_STATE(%r11)
	incl CALL_REFERENCES(%r11)
	movq %r11, IPC_SERVED(SERVER)
	movq CLIENT_DATA(%rax), %rdi
	leaq CALL_DONE_QUEUE(%r11), %rdx
	SLEEP CALLER WAIT_HOW_KILLABLE words_call_resume
	ACCOUNT CALLER
	movq THREAD_PROCESS(CALLER), %rdx
	movq PROCESS_BADGE(%rdx), %rdx
	SWITCH SERVER
	movl IPC_SERVED_NUMBER(SERVER), %r15d
	LEAVE

words_call_ready:
	READY CALLER SERVER words_call_long words_call_alone

words_call_long:
	movq TOP_RIP(%rsp), %rcx
	movq TOP_RFLAGS(%rsp), %r11
	movq TOP_RBP(%rsp), %rbp
	movl $CALL_PORT_CALL_WORDS, %eax
	jmp entry_native

#undef CALLER
#undef SERVER
#define SERVER %rbp
#define CALLER %r15

	/* r15 the reply's number, rdx the address of the struct message */
	.align 16
words_reply:
	movq %gs:PROCESSOR_KERNEL_STACK, %rsp
	movq %rcx, TOP_RIP(%rsp)
	movq %r11, TOP_RFLAGS(%rsp)
	movq %rbp, TOP_RBP(%rsp)
	movq %rdx, TOP_RDX(%rsp)
	movq %gs:PROCESSOR_SCRATCH, %rcx
	movq %rcx, TOP_RSP(%rsp)
	movq %gs:PROCESSOR_CURRENT, SERVER
	/* reply_words: the reply that this thread keeps */
	movq IPC_SERVED(SERVER), %r11
	testq %r11, %r11
	jz words_reply_long_whole
	cmpl %r15d, IPC_SERVED_NUMBER(SERVER)
	jne words_reply_long_whole
	cmpq $0, THREAD_PENDING(SERVER)         /* must_not_sleep */
	jne words_reply_long
	movq THREAD_PROCESS(SERVER), %rcx
	movq PROCESS_HANDLES_HIGH(%rcx), %rcx
	LOOKUP SLOT_MASK_RECEIVE SLOT_LISTENER_RECEIVE words_reply_long
	/* of a call through this port, on which nothing else waits to be received */
	movq LISTENER_PORT(%rax), %rcx
	cmpq %r11, PORT_WORDS_BOUND(%rcx)
	jne words_reply_long
	cmpq $0, PORT_WORDS_RECEIVER(%rcx)
	jne words_reply_long
	leaq PORT_QUEUE(%rcx), %rdx
	cmpq %rdx, PORT_QUEUE(%rcx)
	jne words_reply_long
	leaq PORT_NOTIFICATIONS(%rcx), %rdx
	cmpq %rdx, PORT_NOTIFICATIONS(%rcx)
	jne words_reply_long
	/* whose caller sleeps in port_call_words */
	cmpl $CALL_STATE_BOUND, CALL_STATE(%r11)
	jne words_reply_long
	movq CALL_THREAD(%r11), CALLER
	cmpl $THREAD_STATE_SLEEPING_, THREAD_STATE(CALLER)
	jne words_reply_long
	cmpq $0, THREAD_PENDING(CALLER)
	jne words_reply_long
	cmpl $0, scheduler_ready
	jne words_reply_ready
words_reply_alone:
	movq IPC_HELD(CALLER), %rdx
	cmpl $1, OBJECT_REFERENCES(%rdx)
	je words_reply_long
	/* Nothing fails from here. The caller no longer holds its client, the server holds its listener. */
	decl OBJECT_REFERENCES(%rdx)
	incl OBJECT_REFERENCES(%rax)
	movq %rax, IPC_HELD(SERVER)
	/* call_answer_locked, call_complete, receive */
	movq $0, PORT_WORDS_BOUND(%rcx)
	movq SERVER, PORT_WORDS_RECEIVER(%rcx)
	movl $CALL_STATE_IDLE, CALL_STATE(%r11)
	decl CALL_REFERENCES(%r11)
	movq $0, IPC_SERVED(SERVER)
	addl $REPLY_NUMBER_STEP, IPC_SERVED_NUMBER(SERVER)
	leaq IPC_WAIT(SERVER), %rdx
	SLEEP SERVER WAIT_HOW_INTERRUPTIBLE words_reply_resume
	ACCOUNT SERVER
	SWITCH CALLER
	xorl %edi, %edi
	xorl %edx, %edx
	xorl %r15d, %r15d
	LEAVE

words_reply_ready:
	READY SERVER CALLER words_reply_long words_reply_alone

words_reply_long:                               /* r15 may be the caller by now: the number is the one that was compared */
	movl IPC_SERVED_NUMBER(SERVER), %r15d
words_reply_long_whole:
	movq TOP_RIP(%rsp), %rcx
	movq TOP_RFLAGS(%rsp), %r11
	movq TOP_RBP(%rsp), %rbp
	movq TOP_RDX(%rsp), %rdx
	movl $CALL_PORT_REPLY_RECEIVE_WORDS, %eax
	jmp entry_native

	/* The scheduler switched to a thread that sleeps from here; rsp is its frame. */
	.align 16
words_call_resume:
	xorl %ebp, %ebp
	call thread_first_run
	movq %rsp, %rdi
	call port_call_resume
	jmp words_resumed
words_reply_resume:
	xorl %ebp, %ebp
	call thread_first_run
	movq %rsp, %rdi
	call port_receive_resume
words_resumed:
	cmpl $0, %gs:PROCESSOR_ATTENTION
	jne frame_attention
	jmp frame_return
	.section .note.GNU-stack, "", @progbits
