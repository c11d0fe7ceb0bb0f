/* On the host there is no processor of ours: whoever asks for it does not link. */
#ifndef ARCH_THIS_PROCESSOR_H
#define ARCH_THIS_PROCESSOR_H
struct processor *this_processor(void);
uint64_t arch_counter(void);
#endif
