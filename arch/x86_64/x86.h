/* Instructions, control registers and model-specific registers; what the files of this port share. Not for portable code. */
#ifndef X86_H
#define X86_H
#include "arch/frame.h"
#include "arch/processor.h"

/* --- instructions --- */
static inline uint64_t read_counter(void)
{
	uint32_t low, high;
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}
static inline uint64_t read_msr(uint32_t number)
{
	uint32_t low, high;
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
	return (uint64_t)high << 32 | low;
}
static inline void write_msr(uint32_t number, uint64_t value)
{
	__asm__ volatile("wrmsr" :: "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}
static inline void out8(uint16_t port, uint8_t value) { __asm__ volatile("outb %0, %1" :: "a"(value), "Nd"(port)); }
static inline void out32(uint16_t port, uint32_t value) { __asm__ volatile("outl %0, %1" :: "a"(value), "Nd"(port)); }
static inline uint8_t in8(uint16_t port)
{
	uint8_t value;
	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}
/* value * numerator / denominator with a 128-bit product; the result must fit */
static inline uint64_t scale(uint64_t value, uint64_t numerator, uint64_t denominator)
{
	uint64_t low, high;
	__asm__("mulq %3" : "=a"(low), "=d"(high) : "a"(value), "r"(numerator) : "cc");
	__asm__("divq %2" : "+a"(low), "+d"(high) : "r"(denominator) : "cc");
	return low;
}
struct cpuid_result { uint32_t a, b, c, d; };
static inline struct cpuid_result cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid_result r;
	__asm__ volatile("cpuid" : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d) : "a"(leaf), "c"(subleaf));
	return r;
}
#define READ_CONTROL(n) ({ uint64_t value_; __asm__ volatile("movq %%cr" #n ", %0" : "=r"(value_)); value_; })
#define WRITE_CONTROL(n, v) ({ uint64_t value_ = (v); __asm__ volatile("movq %0, %%cr" #n :: "r"(value_) : "memory"); })
static inline void *direct(physical_t address) { return (void *)(DIRECT_BASE + address); }

/* --- registers --- */
#define CR0_MONITOR_FPU 0x2ul
#define CR0_EMULATE_FPU 0x4ul
#define CR0_TASK_SWITCHED 0x8ul
#define CR0_NATIVE_FPU_ERRORS 0x20ul
#define CR0_WRITE_PROTECT 0x10000ul
#define CR4_GLOBAL_PAGES 0x80ul
#define CR4_FXSAVE 0x200ul
#define CR4_SIMD_EXCEPTIONS 0x400ul
#define CR4_UMIP 0x800ul
#define CR4_BASE_INSTRUCTIONS 0x10000ul /* rdfsbase and its kind, also for programs */
#define CR4_XSAVE 0x40000ul
#define CR4_SMEP 0x100000ul
#define CR4_SMAP 0x200000ul
#define MSR_APIC_BASE 0x1b
#define MSR_EFER 0xc0000080
#define MSR_STAR 0xc0000081
#define MSR_LSTAR 0xc0000082
#define MSR_CSTAR 0xc0000083
#define MSR_SYSCALL_MASK 0xc0000084
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define RFLAGS_FIXED 0x2ul
#define RFLAGS_TRAP 0x100ul
#define RFLAGS_INTERRUPT 0x200ul
#define RFLAGS_USER_CHANGEABLE 0x240dd5ul /* CF PF AF ZF SF TF DF OF AC ID */
#define PAGE_FAULT_PRESENT 1u
#define PAGE_FAULT_WRITE 2u
#define PAGE_FAULT_USER 4u
#define PAGE_FAULT_RESERVED 8u
#define PAGE_FAULT_FETCH 16u

/* --- vectors --- */
#define VECTOR_DEBUG 1
#define VECTOR_NMI 2
#define VECTOR_NO_FLOAT 7
#define VECTOR_DOUBLE_FAULT 8
#define VECTOR_PAGE_FAULT 14
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_GLOBAL 0x30 /* + number of the global interrupt */
#define VECTOR_TIMER 0xef
#define VECTOR_POKE 0xf0 /* from other processors: look at the run queues, */
#define VECTOR_FORGET 0xf1 /* at translations to be forgotten */
#define VECTOR_SPURIOUS 0xff

/* What the processor can do, found once at start (cpu.c). */
struct cpu_features {
	bool no_execute, base_instructions, smep, smap, umip, global_pages, gigabyte_pages, x2apic, xsave, random, random_seed, invariant_counter;
	uint32_t float_size;        /* bytes of the area that saves floating-point and vector state */
	uint64_t float_components;  /* XCR0 */
	char hypervisor[13];
};
extern struct cpu_features cpu_features;

/* What this port keeps for each processor: struct processor's `arch`. */
struct arch_space;
struct arch_processor {
	struct arch_space *space;  /* whose tables are loaded; NULL: the kernel's own */
	bool float_disabled;       /* CR0.TS is set: the next floating-point instruction traps */
	uint32_t apic;             /* its local interrupt controller's number */
};
static inline struct arch_processor *this_arch(void) { return this_processor()->arch; }
extern struct processor processor_data[PROCESSORS_MAX];      /* start.c */
extern struct arch_processor processor_arch[PROCESSORS_MAX];

void cpu_detect(void);                      /* cpu.c */
void cpu_start(struct processor *processor);/* control registers, descriptor tables, system-call registers of this processor */
void cpu_set_kernel_stack(uint64_t top);    /* stack for entries from user mode */
void patch_access(void);                    /* patch.c */
void patch_words(void);                     /* this processor cannot go the short way (words.S) */
void idt_init(void);                        /* idt.c */
void idt_load(void);
void mmu_start(physical_t (*allocate)(void), const physical_t (*ranges)[2], unsigned count); /* mmu.c: final kernel tables */
void float_start(void);                     /* float_unit.c */
void float_device_not_available(struct arch_frame *frame);
void apic_start(void);                      /* apic.c */
void apic_end_of_interrupt(void);
uint32_t apic_identifier(void);
void apic_timer_unmask(void);
void apic_send(uint32_t apic, uint32_t command); /* an interrupt to another processor; waits until it is on its way */
uint64_t apic_timer_frequency(void);        /* ticks a second, 0 unknown */
void apic_timer_count(uint32_t ticks);      /* one-shot; 0 stops */
uint32_t apic_timer_left(void);
#if PROCESSORS_MAX > 1
/* processors.c */
void processors_halted(struct arch_frame *frame); /* a non-maskable interrupt: the end, if it is arch_processors_halt's */
#endif
void clock_start_calibration(void);         /* clock.c */
void clock_finish_calibration(void);
void entry_table(void);                     /* entry.S: 256 stubs of 16 bytes */
void entry_call(void);
void entry_call_compatibility(void);
void thread_enter_user(void);
void thread_enter_kernel(void);
uint64_t context_switch_stacks(uint64_t *save, uint64_t load);

/* plat/pc */
void serial_start(void);
void ioapic_start(void);
void pic_mask_all(void);
#endif
