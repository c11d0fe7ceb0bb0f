/*
 * First instructions of a native program on riscv64. a0 = argument 0 of thread_start: LIBRARY_RECORD, or the address of struct boot_info in the
 * first process. The frame pointer is 0, which is where backtraces end. gp stays what the kernel made it: nothing is relaxed to use it.
 */
	.text
	.globl _start
	.type _start, @function
_start:
	li s0, 0
	andi sp, sp, -16
	call native_start
	unimp
	.size _start, . - _start

/* First instructions of a thread: a0 = function, a1 = its argument. Ends the thread with the function's result. */
	.globl native_thread_entry
	.type native_thread_entry, @function
native_thread_entry:
	li s0, 0
	andi sp, sp, -16
	mv t0, a0
	mv a0, a1
	jalr t0
	call native_thread_finish
	unimp
	.size native_thread_entry, . - native_thread_entry

	.section .note.GNU-stack, "", @progbits
