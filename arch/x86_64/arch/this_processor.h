/* This processor's data: its address is kept at the start of the structure that gs points to while the kernel runs. */
#ifndef ARCH_THIS_PROCESSOR_H
#define ARCH_THIS_PROCESSOR_H
static inline struct processor *this_processor(void)
{
	struct processor *processor;
	__asm__("movq %%gs:0, %0" : "=r"(processor));
	return processor;
}
#endif
