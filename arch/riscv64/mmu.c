/*
 * The kernel half of all page tables, made once at start, and which translation there is: four levels of tables (Sv48), or three where the processor has
 * no Sv48 (Sv39). They differ in where a walk begins (top_shift) and where user addresses end (user_top).
 *
 * With both the kernel has the last 256 GiB, entries 256-511 of one table (kernel_high): from its begin the direct map, in its last two GiB the image
 * and device registers. With Sv48 the top table's last entry refers to it, with Sv39 each top table has a copy of its half. The user half is
 * arch/page_table.c's.
 */
#include "arch/page_table.h"
#include "riscv.h"
#include "kernel/core/log.h"

#define DIRECT_ENTRY 256u /* of kernel_high: the first GiB of memory */
#define IMAGE_ENTRY 510u  /* ... the GiB before the last */
#define KERNEL_ENTRY 511u /* of a top table with Sv48 */
#define SV39_SHIFT 30u
#define SV48_SHIFT 39u
#define SV39_TOP (1ul << 38)
#define IMAGE_BASE 0xffffffff80000000ul
#define DEVICE_BASE 0xffffffffc0000000ul
#define PHYSICAL_END (1ul << 56) /* what an entry can hold */

static uint64_t kernel_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_high[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_table[2][ENTRIES] __attribute__((aligned(4096)));
static uint64_t device_directory[ENTRIES] __attribute__((aligned(4096)));
static unsigned device_pages;
unsigned top_shift = SV39_SHIFT;
uint64_t user_top = SV39_TOP - PAGE_SIZE;

/* --- the kernel half --- */

static physical_t image_physical(const void *address)
{
	return (uint64_t)address - IMAGE_OFFSET;
}

static uint64_t image_table(const void *table)
{
	return entry_of_table(image_physical(table));
}

static void map_image(void)
{
	extern const char kernel_start[], kernel_text_end[], kernel_constants_end[], kernel_end[];
	const uint64_t mega2 = 1ul << 21;
	uint64_t end = (uint64_t)kernel_end, first = align_down((uint64_t)kernel_start, mega2);
	if (end - first > array_count(kernel_table) * mega2)
		panic("kernel image too large for its page tables");
	for (unsigned i = 0; i < array_count(kernel_table); i++)
		kernel_directory[(first - IMAGE_BASE) / mega2 + i] = image_table(kernel_table[i]);
	for (uint64_t a = (uint64_t)kernel_start; a < end; a += PAGE_SIZE) {
		uint64_t flags = a < (uint64_t)kernel_text_end ? EXECUTE : a < (uint64_t)kernel_constants_end ? 0 : WRITE;
		kernel_table[0][(a - first) / PAGE_SIZE] = entry_of_page(a - IMAGE_OFFSET) | VALID | READ | ACCESSED | DIRTY | GLOBAL | flags;
	}
}

/* Maps physical RAM [start, end), rounded to large pages. Tables come from allocate, which gives zeroed pages. */
static void map_direct(physical_t start, physical_t end, physical_t (*allocate)(void))
{
	const uint64_t giga = 1ul << 30, mega2 = 1ul << 21, flags = VALID | READ | WRITE | ACCESSED | DIRTY | GLOBAL;
	for (physical_t a = align_down(start, mega2); a < end; ) {
		uint64_t *entry = &kernel_high[DIRECT_ENTRY + (a >> 30)];
		if (a % giga == 0 && end - a >= giga && !*entry) {
			*entry = entry_of_page(a) | flags;
			a += giga;
			continue;
		}
		if (!*entry)
			*entry = entry_of_table(allocate());
		uint64_t *directory = direct(entry_physical(*entry));
		for (physical_t stop = min(align_down(a, giga) + giga, align_up(end, mega2)); a < stop; a += mega2)
			directory[a >> 21 & (ENTRIES - 1)] = entry_of_page(a) | flags;
	}
}

static uint64_t root_load(physical_t root)
{
	uint64_t satp = root >> PAGE_SHIFT | (top_shift == SV48_SHIFT ? SATP_SV48 : SATP_SV39);

	CSR_WRITE(satp, satp);
	translation_forget_all();
	return satp;
}

void mmu_start(physical_t (*allocate)(void), const physical_t (*ranges)[2], unsigned count, bool sv48)
{
	map_image();
	for (unsigned i = 0; i < count; i++)
		map_direct(ranges[i][0], ranges[i][1], allocate);
	kernel_high[IMAGE_ENTRY] = image_table(kernel_directory);
	kernel_high[IMAGE_ENTRY + 1] = image_table(device_directory);
	if (sv48) {
		top_shift = SV48_SHIFT;
		translation_kernel_half(kernel_root);
		(void)root_load(image_physical(kernel_root));
		if ((CSR_READ(satp) & SATP_MODE) == SATP_SV48) {
			user_top = USER_TOP_MAX;
			return;
		}
		top_shift = SV39_SHIFT; /* a mode that is not there leaves the register as it was */
	}
	translation_kernel_half(kernel_root);
	(void)root_load(image_physical(kernel_root));
}

/* Whether such memory may be cached is a property of the board's addresses, not of the mapping. */
void *arch_map_device(physical_t address, size_t size)
{
	const uint64_t mega2 = 1ul << 21;
	if (address >= PHYSICAL_END || size > PHYSICAL_END - address)
		panic("device registers at 0x%lx are beyond physical memory", address);
	physical_t first = align_down(address, mega2);
	unsigned count = (unsigned)((align_up(address + size, mega2) - first) / mega2);
	unsigned index = 0;
	while (index < device_pages && entry_physical(device_directory[index]) != first)
		index++;
	if (index + count > device_pages) {
		index = device_pages;
		if (index + count > ENTRIES)
			panic("too many device registers");
		for (unsigned i = 0; i < count; i++)
			device_directory[index + i] = entry_of_page(first + i * mega2) | VALID | READ | WRITE | ACCESSED | DIRTY | GLOBAL;
		device_pages += count;
		translation_forget_all();
	}
	return (void *)(DEVICE_BASE + index * mega2 + (address - first));
}

/* --- spaces: arch/page_table.c --- */

void translation_kernel_half(uint64_t *root)
{
	if (top_shift == SV48_SHIFT)
		root[KERNEL_ENTRY] = image_table(kernel_high);
	else
		memcpy(root + ENTRIES / 2, kernel_high + ENTRIES / 2, sizeof(kernel_high) / 2);
}

void arch_space_activate(struct arch_space *space)
{
	struct arch_processor *arch = this_arch();
	if (arch->space == space)
		return;
	arch->space = space;
	if (space)
		space->satp = root_load(space->root_physical);
	else
		(void)root_load(image_physical(kernel_root));
}
