/*
 * First instructions of a native program on x86_64. rdi = argument 0 of thread_start: LIBRARY_RECORD, or the address of struct boot_info in the
 * first process. The frame pointer is 0, which is where backtraces end.
 */
	.text
	.globl _start
	.type _start, @function
_start:
	xorl %ebp, %ebp
	andq $-16, %rsp
	call native_start
	ud2
	.size _start, . - _start

/* First instructions of a thread: rdi = function, rsi = its argument. Ends the thread with the function's result. */
	.globl native_thread_entry
	.type native_thread_entry, @function
native_thread_entry:
	xorl %ebp, %ebp
	andq $-16, %rsp
	movq %rdi, %rax
	movq %rsi, %rdi
	call *%rax
	movl %eax, %edi
	call native_thread_finish
	ud2
	.size native_thread_entry, . - native_thread_entry

	.section .note.GNU-stack, "", @progbits
