/*
 * The processor itself: what it can do, its control registers, segments, task segment, system-call registers, entropy.
 * Segments are flat and fixed (arch/frame.h); the task segment only holds the stack pointers that entries switch to. Non-maskable
 * interrupts, double faults and machine checks have stacks of their own, because they can come when the stack pointer is the program's.
 */
#include "x86.h"
#include "abi/registers.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"

struct cpu_features cpu_features;

struct task_segment {
	uint32_t reserved0;
	uint64_t stack[3];
	uint64_t reserved1;
	uint64_t interrupt_stack[7];
	uint64_t reserved2;
	uint16_t reserved3, io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct task_segment) == 104, "as the hardware has it");

/* Each processor's. words.S stores to stack[0] of the first. */
struct task_segment task_segment[PROCESSORS_MAX];
#define DESCRIPTORS 9u
static uint64_t descriptor_tables[PROCESSORS_MAX][10] __attribute__((aligned(16)));
static char interrupt_stacks[PROCESSORS_MAX][3][8192] __attribute__((aligned(16)));

void cpu_detect(void)
{
	struct cpu_features *f = &cpu_features;
	struct cpuid_result r = cpuid(0, 0);
	uint32_t last = r.a, last_extended = cpuid(0x80000000, 0).a;
	r = cpuid(1, 0);
	f->global_pages = r.d & 1u << 13;
	f->x2apic = r.c & 1u << 21;
	f->xsave = r.c & 1u << 26;
	f->random = r.c & 1u << 30;
	bool vectors = r.c & 1u << 28, hypervisor = r.c & 1u << 31;
	if (last >= 7) {
		r = cpuid(7, 0);
		f->base_instructions = r.b & 1u << 0;
		f->smep = r.b & 1u << 7;
		f->smap = r.b & 1u << 20;
		f->random_seed = r.b & 1u << 18;
		f->umip = r.c & 1u << 2;
	}
	if (last_extended >= 0x80000001) {
		r = cpuid(0x80000001, 0);
		f->no_execute = r.d & 1u << 20;
		f->gigabyte_pages = r.d & 1u << 26;
	}
	if (last_extended >= 0x80000007)
		f->invariant_counter = cpuid(0x80000007, 0).d & 1u << 8;
	f->float_size = 512;
	f->float_components = 3;
	if (f->xsave) {
		r = cpuid(0xd, 0);
		f->float_components = 3 | (vectors ? r.a & 4 : 0) | ((r.a & 0xe4) == 0xe4 ? 0xe0 : 0);
	}
	if (hypervisor) {
		r = cpuid(0x40000000, 0);
		memcpy(f->hypervisor, &r.b, 4);
		memcpy(f->hypervisor + 4, &r.c, 4);
		memcpy(f->hypervisor + 8, &r.d, 4);
	}
}

void cpu_set_kernel_stack(uint64_t top)
{
	task_segment[processor_number()].stack[0] = top;
}

static void load_segments(unsigned number)
{
	struct task_segment *task = &task_segment[number];
	uint64_t base = (uint64_t)task, limit = sizeof(*task) - 1, *descriptors = descriptor_tables[number];
	descriptors[1] = 0x00af9b000000ffff; /* kernel code */
	descriptors[2] = 0x00cf93000000ffff; /* kernel data */
	descriptors[3] = 0;                  /* where 32-bit user code would be: none */
	descriptors[4] = 0x00cff3000000ffff; /* user data */
	descriptors[5] = 0x00affb000000ffff; /* user code */
	descriptors[6] = limit | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24 & 0xff) << 56;
	descriptors[7] = base >> 32;
	descriptors[SELECTOR_PROCESSOR / 8] = 0x0000f10000000000 | number; /* its limit tells programs the number of this processor */
	task->io_map = sizeof(*task);
	for (unsigned i = 0; i < 3; i++)
		task->interrupt_stack[i] = (uint64_t)(interrupt_stacks[number][i] + sizeof(interrupt_stacks[number][i]));
	struct { uint16_t limit; uint64_t base; } __attribute__((packed)) pointer = { DESCRIPTORS * sizeof(*descriptors) - 1, (uint64_t)descriptors };
	__asm__ volatile("lgdt %0\n\tltr %w1" :: "m"(pointer), "r"(SELECTOR_TASK) : "memory");
	__asm__ volatile("movl %0, %%ds\n\tmovl %0, %%es\n\tmovl %0, %%ss\n\t" :: "r"(SELECTOR_KERNEL_DATA));
}

void cpu_start(struct processor *processor)
{
	struct cpu_features *f = &cpu_features;
	write_msr(MSR_GS_BASE, (uint64_t)processor);
	write_msr(MSR_KERNEL_GS_BASE, 0);
	load_segments(processor->number);
	idt_load();
	if (f->smap && !processor->number) /* the first, while it is alone */
		patch_access();
	WRITE_CONTROL(0, (READ_CONTROL(0) & ~CR0_EMULATE_FPU) | CR0_WRITE_PROTECT | CR0_MONITOR_FPU | CR0_NATIVE_FPU_ERRORS);
	WRITE_CONTROL(4, (READ_CONTROL(4) | CR4_FXSAVE | CR4_SIMD_EXCEPTIONS) | (f->global_pages ? CR4_GLOBAL_PAGES : 0) |
		(f->smep ? CR4_SMEP : 0) | (f->smap ? CR4_SMAP : 0) | (f->umip ? CR4_UMIP : 0) | (f->xsave ? CR4_XSAVE : 0) | (f->base_instructions ? CR4_BASE_INSTRUCTIONS : 0));
	if (!f->base_instructions && !processor->number)
		patch_words();
	float_start();
	write_msr(MSR_STAR, (uint64_t)SELECTOR_KERNEL_CODE << 32 | (uint64_t)(SELECTOR_USER_DATA - 8) << 48);
	write_msr(MSR_LSTAR, (uint64_t)entry_call);
	write_msr(MSR_CSTAR, (uint64_t)entry_call_compatibility);
	write_msr(MSR_SYSCALL_MASK, 0x47700 | 0x10000 | 0x8d5); /* everything a program can set, so nothing of its flags reaches the kernel */
}

static bool random_instruction(bool seed, uint64_t *value)
{
	for (unsigned attempt = 0; attempt < 32; attempt++) {
		uint8_t good;
		if (seed)
			__asm__ volatile("rdseed %0\n\tsetc %1" : "=r"(*value), "=qm"(good) :: "cc");
		else
			__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(*value), "=qm"(good) :: "cc");
		if (good)
			return true;
	}
	return false;
}

bool arch_random_seed(uint64_t seed[4])
{
	bool good = true;
	for (unsigned i = 0; i < 4; i++) {
		uint64_t value = 0;
		if (!(cpu_features.random_seed && random_instruction(true, &value)) && !(cpu_features.random && random_instruction(false, &value)))
			good = false;
		/* Mixed in any case: a product spreads the counter's low bits, which are the ones nobody can predict. */
		uint64_t counter = (read_counter() + i) * 0x9e3779b97f4a7c15ul;
		seed[i] = value ^ counter ^ counter >> 29;
	}
	return good;
}

const char *arch_machine_name(void)
{
	return "x86_64";
}

void arch_interrupts_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

void arch_interrupts_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

bool arch_interrupts_enabled(void)
{
	uint64_t flags;
	__asm__ volatile("pushfq\n\tpopq %0" : "=r"(flags));
	return flags & RFLAGS_INTERRUPT;
}

/* sti takes effect after the next instruction, so an interrupt cannot slip in between and leave the processor halted. */
void arch_wait_for_interrupt(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" ::: "memory");
}

void arch_halt(void)
{
	for (;;)
		__asm__ volatile("cli\n\thlt" ::: "memory");
}
