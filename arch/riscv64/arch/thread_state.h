/* Machine state of a thread that is not in its frame. */
#ifndef ARCH_THREAD_STATE_H
#define ARCH_THREAD_STATE_H
struct arch_thread {
	uint64_t stack_pointer; /* saved kernel stack pointer while not running; 0: it sleeps from words.S, with nothing on its stack */
	uint64_t stack_base;    /* lowest address of the kernel stack; 0: none (the boot thread) */
	uint64_t stack_top;     /* the frame ends here */
	uint64_t block;         /* the thread's block, for upcalls */
	void *float_area;       /* saved floating-point state; NULL until first used */
};
#endif
