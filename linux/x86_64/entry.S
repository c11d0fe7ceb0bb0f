/*
 * Entering and leaving the personality on x86_64.
 *
 * gs points at the thread's struct linux_thread (its struct thread_block first) as long as the thread runs; fs is the program's.
 * The kernel changes only the instruction pointer when it reflects; the program's stack is never written.
 *
 *   program --syscall--> entry_call --------> linux_enter_call --+-> quick return: the six argument registers, rcx, r11
 *   program --fault----> entry_exception ---> linux_enter_exception -+-> full return: every register from the block
 *   program --interrupt> entry_interrupt ---> linux_enter_interrupt -+
 *
 * entry_call saves all registers into the block: then a signal frame, fork or clone finds them there, and either return is right
 * at any time. C preserves rbx rbp r12-r15, so the quick return leaves these alone.
 *
 * The return. Between return_start and return_end nothing is lost but what can be loaded again from the block: when an interrupt
 * arrives there, the kernel sets block.pending and moves the instruction pointer back to return_start, which sees it. After
 * the final jump an interrupt is an upcall. So no signal is lost or late, and leaving needs no kernel.
 *
 * rflags are popped from the library's stack (restored values of trap and other privileged bits are cut off before by C).
 */
#include "offsets.h"

	.text
	.global entry_call
	.type entry_call, @function
entry_call:
	movq %gs:BLOCK_CALL_INSTRUCTION, %rcx
	movq %gs:BLOCK_CALL_FLAGS, %r11
	movq %rsp, %gs:BLOCK_RSP
	movq %gs:BLOCK_STACK, %rsp
	movq %rcx, %gs:BLOCK_RIP
	movq %rcx, %gs:BLOCK_RCX
	movq %r11, %gs:BLOCK_RFLAGS
	movq %r11, %gs:BLOCK_R11
	movq %rax, %gs:BLOCK_RAX
	movq %rbx, %gs:BLOCK_RBX
	movq %rbp, %gs:BLOCK_RBP
	movq %r12, %gs:BLOCK_R12
	movq %r13, %gs:BLOCK_R13
	movq %r14, %gs:BLOCK_R14
	movq %r15, %gs:BLOCK_R15
	movq %rdi, %gs:BLOCK_RDI
	movq %rsi, %gs:BLOCK_RSI
	movq %rdx, %gs:BLOCK_RDX
	movq %r10, %gs:BLOCK_R10
	movq %r8, %gs:BLOCK_R8
	movq %r9, %gs:BLOCK_R9
	pushq %r9
	pushq %r8
	pushq %r10
	pushq %rdx
	pushq %rsi
	pushq %rdi
	cld
	xorl %ebp, %ebp
	movq %gs:0, %rdi
	movq %rsp, %rsi
	call linux_enter_call
	testb %al, %al
	jnz return_start
	movq %gs:BLOCK_RBP, %rbp
	jmp return_quick
	.size entry_call, . - entry_call

	.global entry_exception
	.type entry_exception, @function
entry_exception:
	movq %gs:BLOCK_STACK, %rsp
	cld
	xorl %ebp, %ebp
	movq %gs:0, %rdi
	call linux_enter_exception
	jmp return_start
	.size entry_exception, . - entry_exception

	.global entry_interrupt
	.type entry_interrupt, @function
entry_interrupt:
return_pending:
	movq %gs:BLOCK_STACK, %rsp
	cld
	xorl %ebp, %ebp
	movq %gs:0, %rdi
	call linux_enter_interrupt
	jmp return_start
	.size entry_interrupt, . - entry_interrupt

	.global return_start
	.global return_end
	.type return_start, @function
return_start:
	cmpl $0, %gs:BLOCK_PENDING
	jne return_pending
	movq %gs:BLOCK_RBX, %rbx
	movq %gs:BLOCK_RBP, %rbp
	movq %gs:BLOCK_R12, %r12
	movq %gs:BLOCK_R13, %r13
	movq %gs:BLOCK_R14, %r14
	movq %gs:BLOCK_R15, %r15
return_quick:
	cmpl $0, %gs:BLOCK_PENDING
	jne return_pending
	movq %gs:BLOCK_RAX, %rax
	movq %gs:BLOCK_RCX, %rcx
	movq %gs:BLOCK_RDX, %rdx
	movq %gs:BLOCK_RSI, %rsi
	movq %gs:BLOCK_RDI, %rdi
	movq %gs:BLOCK_R8, %r8
	movq %gs:BLOCK_R9, %r9
	movq %gs:BLOCK_R10, %r10
	movq %gs:BLOCK_R11, %r11
	movq %gs:BLOCK_STACK, %rsp
	pushq %gs:BLOCK_RFLAGS
	popfq
	movq %gs:BLOCK_RSP, %rsp
	jmp *%gs:BLOCK_RIP
return_end:
	.size return_start, . - return_start

/*
 * Where new threads begin. All have gs set by the kernel to their block.
 *   linux_start_entry   first thread of a program, by exec or spawn, on an empty library stack: rdi program entry, rsi program stack
 *                       pointer, rdx its block, which is still zero
 *   linux_thread_entry  clone, vfork: a new block, registers already in it
 *   linux_fork_entry    fork: the parent's block and stack in a cloned space
 */
	.global linux_start_entry
	.type linux_start_entry, @function
linux_start_entry:
	movq %rdi, %rax
	movq %rdx, %rdi
	movq %rsi, %rdx
	movq %rax, %rsi
	xorl %ebp, %ebp
	call linux_start
	jmp return_start
	.size linux_start_entry, . - linux_start_entry

	.global linux_thread_entry
	.type linux_thread_entry, @function
linux_thread_entry:
	movq %gs:BLOCK_STACK, %rsp
	xorl %ebp, %ebp
	movq %gs:0, %rdi
	call linux_thread_begin
	jmp return_start
	.size linux_thread_entry, . - linux_thread_entry

	.global linux_fork_entry
	.type linux_fork_entry, @function
linux_fork_entry:
	movq %gs:BLOCK_STACK, %rsp
	xorl %ebp, %ebp
	movq %gs:0, %rdi
	call linux_fork_begin
	jmp return_start
	.size linux_fork_entry, . - linux_fork_entry

/*
 * The copy window: an exception in it continues at copy_fixup with all registers kept. Its functions use no stack, so the fixup can return
 * for each of them, with -1. 0 is success unless said otherwise.
 *   int copy_bytes(void *to, const void *from, size_t size)
 *   int copy_zero(void *to, size_t size)
 *   int64_t copy_string(char *to, const char *from, size_t room)    length without NUL, or room when no NUL came
 *   int copy_load32(const uint32_t *from, uint32_t *to)
 *   int copy_exchange32(uint32_t *word, uint32_t *expected, uint32_t value)   0 done, 2 differs (*expected updated)
 *   int copy_float_save(void *area, uint64_t mask), copy_float_load           floating-point state, as below
 */
	.global copy_start
	.global copy_end
	.global copy_fixup
	.global copy_bytes
	.global copy_zero
	.global copy_string
	.global copy_load32
	.global copy_exchange32
	.global copy_float_save
	.global copy_float_load
	.type copy_bytes, @function
	.type copy_zero, @function
	.type copy_string, @function
	.type copy_load32, @function
	.type copy_exchange32, @function
	.type copy_float_save, @function
	.type copy_float_load, @function
copy_start:
copy_bytes:
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	xorl %eax, %eax
	ret
copy_zero:
	movq %rsi, %rcx
	movq %rsi, %rdx
	xorl %eax, %eax
	shrq $3, %rcx
	rep stosq
	movl %edx, %ecx
	andl $7, %ecx
	rep stosb
	ret
copy_string:
	xorl %eax, %eax
1:	cmpq %rdx, %rax
	jae 2f
	movzbl (%rsi,%rax), %ecx
	movb %cl, (%rdi,%rax)
	testb %cl, %cl
	jz 2f
	incq %rax
	jmp 1b
2:	ret
copy_load32:
	movl (%rdi), %eax
	movl %eax, (%rsi)
	xorl %eax, %eax
	ret
copy_exchange32:
	movq %rsi, %r8
	movl (%r8), %eax
	lock cmpxchgl %edx, (%rdi)
	jne 3f
	xorl %eax, %eax
	ret
3:	movl %eax, (%r8)
	movl $2, %eax
	ret
copy_float_save:                /* the header is written whole: xsave leaves most of it as it was */
	fnstsw %ax
	testq %rsi, %rsi
	jz 4f
	xorl %eax, %eax
	movq %rax, 512(%rdi)
	movq %rax, 520(%rdi)
	movq %rax, 528(%rdi)
	movq %rax, 536(%rdi)
	movq %rax, 544(%rdi)
	movq %rax, 552(%rdi)
	movq %rax, 560(%rdi)
	movq %rax, 568(%rdi)
	movl %esi, %eax
	xorl %edx, %edx
	xsave64 (%rdi)
	xorl %eax, %eax
	ret
4:	fxsave64 (%rdi)
	xorl %eax, %eax
	ret
copy_float_load:
	fnstsw %ax
	testq %rsi, %rsi
	jz 5f
	movl %esi, %eax
	xorl %edx, %edx
	xrstor64 (%rdi)
	xorl %eax, %eax
	ret
5:	fxrstor64 (%rdi)
	xorl %eax, %eax
	ret
copy_end:
copy_fixup:
	movq $-1, %rax
	ret

/*
 * Floating-point and vector state, at 64-byte alignment; mask 0: the machine has no xsave.
 * The kernel gives the unit to a thread at its first instruction that needs it. xsave and xrstor should trap then like any other, but an emulator
 * (QEMU's) lets them pass and so touches another thread's registers; fnstsw always traps and changes nothing.
 */
	.global float_load
	.type float_load, @function
float_load:
	fnstsw %ax
	testq %rsi, %rsi
	jz 1f
	movl %esi, %eax
	xorl %edx, %edx
	xrstor64 (%rdi)
	ret
1:	fxrstor64 (%rdi)
	ret

	.section .note.GNU-stack, "", @progbits
