/*
 * The kernel half of all page tables (entries 256-511 of the top table), made once at start: 256 the direct map, 511 the kernel image (-2 GiB)
 * and device registers (last GiB). The user half is arch/page_table.c's.
 */
#include "arch/page_table.h"
#include "x86.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"

#define DIRECT_ENTRY 256u
#define KERNEL_ENTRY 511u
#define DEVICE_BASE 0xffffffffc0000000ul

uint64_t kernel_root[ENTRIES] __attribute__((aligned(4096))); /* second.S loads it */
static uint64_t kernel_high[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_table[4][ENTRIES] __attribute__((aligned(4096)));
static uint64_t device_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t direct_high[ENTRIES] __attribute__((aligned(4096)));
static unsigned device_pages;

/* --- the kernel half --- */

static physical_t image_physical(const void *address)
{
	return (uint64_t)address - KERNEL_BASE;
}

static void map_image(void)
{
	extern const char kernel_start[], kernel_text_end[], kernel_constants_end[], kernel_end[];
	uint64_t end = (uint64_t)kernel_end, first = KERNEL_BASE;
	if (end - first > array_count(kernel_table) * ENTRIES * PAGE_SIZE)
		panic("kernel image too large for its page tables");
	for (unsigned i = 0; i < array_count(kernel_table); i++)
		kernel_directory[i] = image_physical(kernel_table[i]) | PRESENT | WRITE;
	for (uint64_t a = (uint64_t)kernel_start; a < end; a += PAGE_SIZE) {
		uint64_t flags = a < (uint64_t)kernel_text_end ? 0 : a < (uint64_t)kernel_constants_end ? NO_EXECUTE : WRITE | NO_EXECUTE;
		kernel_table[0][(a - first) / PAGE_SIZE] = (a - KERNEL_BASE) | PRESENT | ACCESSED | DIRTY | GLOBAL | flags;
	}
}

/* Maps physical RAM [start, end), rounded to large pages. Tables come from allocate, which gives zeroed pages below the boot map's first GiB. */
static void map_direct(physical_t start, physical_t end, physical_t (*allocate)(void))
{
	const uint64_t giga = 1ul << 30, mega2 = 1ul << 21, flags = PRESENT | WRITE | ACCESSED | DIRTY | LARGE | GLOBAL | NO_EXECUTE;
	for (physical_t a = align_down(start, mega2); a < end; ) {
		uint64_t *entry = &direct_high[a >> 30];
		if (a % giga == 0 && end - a >= giga && cpu_features.gigabyte_pages && !*entry) {
			*entry = a | flags;
			a += giga;
			continue;
		}
		if (!*entry)
			*entry = allocate() | PRESENT | WRITE;
		uint64_t *directory = direct(*entry & ADDRESS);
		for (physical_t stop = min(align_down(a, giga) + giga, align_up(end, mega2)); a < stop; a += mega2)
			directory[a >> 21 & (ENTRIES - 1)] = a | flags;
	}
}

void mmu_start(physical_t (*allocate)(void), const physical_t (*ranges)[2], unsigned count)
{
	map_image();
	for (unsigned i = 0; i < count; i++)
		map_direct(ranges[i][0], min(ranges[i][1], (physical_t)ENTRIES << 30), allocate);
	kernel_high[510] = image_physical(kernel_directory) | PRESENT | WRITE;
	kernel_high[511] = image_physical(device_directory) | PRESENT | WRITE;
	kernel_root[DIRECT_ENTRY] = image_physical(direct_high) | PRESENT | WRITE;
	kernel_root[KERNEL_ENTRY] = image_physical(kernel_high) | PRESENT | WRITE;
	WRITE_CONTROL(3, image_physical(kernel_root));
}

void *arch_map_device(physical_t address, size_t size)
{
	const uint64_t mega2 = 1ul << 21;
	physical_t first = align_down(address, mega2);
	unsigned count = (unsigned)((align_up(address + size, mega2) - first) / mega2);
	unsigned index = 0;
	while (index < device_pages && (device_directory[index] & ADDRESS) != first)
		index++;
	if (index + count > device_pages) {
		index = device_pages;
		if (index + count > ENTRIES)
			panic("too many device registers");
		for (unsigned i = 0; i < count; i++)
			device_directory[index + i] = (first + i * mega2) | PRESENT | WRITE | ACCESSED | DIRTY | LARGE | GLOBAL | WRITE_THROUGH | NO_CACHE | NO_EXECUTE;
		device_pages += count;
	}
	return (void *)(DEVICE_BASE + index * mega2 + (address - first));
}

/* --- spaces: arch/page_table.c --- */

void translation_kernel_half(uint64_t *root)
{
	root[DIRECT_ENTRY] = kernel_root[DIRECT_ENTRY];
	root[KERNEL_ENTRY] = kernel_root[KERNEL_ENTRY];
}

/* Model: tests/model/forget.pml. */
void arch_space_activate(struct arch_space *space)
{
	struct arch_processor *arch = this_arch();
	if (arch->space == space)
		return;
#if PROCESSORS_MAX > 1
	struct arch_space *before = arch->space;
	uint32_t bit = processor_bit(processor_number());
	if (space) /* before the tables are loaded: see the head of the file */
		__atomic_fetch_or(&space->processors, bit, __ATOMIC_SEQ_CST);
#endif
	arch->space = space;
	WRITE_CONTROL(3, space ? space->root_physical : image_physical(kernel_root));
#if PROCESSORS_MAX > 1
	if (before) /* its memory may go from now on */
		__atomic_fetch_and(&before->processors, ~bit, __ATOMIC_RELEASE);
#endif
}
