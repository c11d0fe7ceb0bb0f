/* This processor's data: its address is kept at the start of the structure that gs points to while the kernel runs. */
#ifndef ARCH_THIS_PROCESSOR_H
#define ARCH_THIS_PROCESSOR_H
static inline struct processor *this_processor(void)
{
	struct processor *processor;
#if PROCESSORS_MAX > 1
	__asm__ volatile("movq %%gs:0, %0" : "=r"(processor)); /* asked anew each time: a thread that slept may have moved */
#else
	__asm__("movq %%gs:0, %0" : "=r"(processor));
#endif
	return processor;
}
static inline uint64_t arch_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
#endif
