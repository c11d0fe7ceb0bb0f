/* This processor's data: tp points to it while the kernel runs. */
#ifndef ARCH_THIS_PROCESSOR_H
#define ARCH_THIS_PROCESSOR_H
static inline struct processor *this_processor(void)
{
	struct processor *processor;
	__asm__("mv %0, tp" : "=r"(processor));
	return processor;
}
static inline uint64_t arch_counter(void)
{
	uint64_t counter;
	__asm__ volatile("rdtime %0" : "=r"(counter));
	return counter;
}
#endif
