/*
 * Page tables: four levels of 512 entries, 4 KiB pages for user memory. Kernel half (entries 256-511 of the top table), the same in all
 * spaces and made once at start: 256 the direct map, 511 the kernel image (-2 GiB) and device registers (last GiB).
 *
 * Write protection is a property of the path: a page is writable if every entry from the top allows it. arch_space_write_protect over
 * the whole user range clears the bit in the few top entries only. A later writable mapping below such an entry first pushes the
 * protection down, one level at a time: all children lose the bit, then the entry gets it back. So nothing becomes writable except the page
 * that was asked for, and each table is swept at most once for each fork, not once for each fault.
 *
 * A table's page counts its present entries (struct page.flags; the top table counts user entries only): empty tables are
 * freed at once. It also remembers which groups of eight entries were ever set (struct page.groups), so that sweeps look only there: most tables
 * hold a handful of entries. Freed tables are kept aside until no processor can walk them.
 */
#include "arch/mmu.h"
#include "x86.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"

#define PRESENT 0x1ul
#define WRITE 0x2ul
#define USER 0x4ul
#define WRITE_THROUGH 0x8ul
#define NO_CACHE 0x10ul
#define ACCESSED 0x20ul
#define DIRTY 0x40ul
#define LARGE 0x80ul
#define GLOBAL 0x100ul
#define NO_EXECUTE (cpu_features.no_execute ? 1ul << 63 : 0)
#define ADDRESS 0x000ffffffffff000ul
#define TABLE (PRESENT | WRITE | USER | ACCESSED)
#define TOP_SHIFT 39u
#define ENTRIES 512u
#define DIRECT_ENTRY 256u
#define KERNEL_ENTRY 511u
#define DEVICE_BASE 0xffffffffc0000000ul
#define GROUP 8u /* entries a bit of struct page.groups stands for */
#define FLUSH_SINGLY 32u /* more pages than this: reload everything */

static uint64_t kernel_root[ENTRIES] __attribute__((aligned(4096)));
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

/* --- spaces --- */

static inline uint64_t *table_of(uint64_t entry)
{
	return direct(entry & ADDRESS);
}

/* A present entry appears at an index of a table. */
static inline void table_note(struct page *page, unsigned index)
{
	page->flags++;
	page->groups |= 1ul << index / GROUP;
}

/* The groups of a table that may hold entries for [start, end) at a level whose entries cover 1 << shift bytes; start < end, one table. */
static inline uint64_t table_groups(const struct page *page, unsigned shift, uint64_t start, uint64_t end)
{
	unsigned first = start >> shift & (ENTRIES - 1), last = (end - 1) >> shift & (ENTRIES - 1);

	return page->groups & ~0ul << first / GROUP & ~0ul >> (63 - last / GROUP);
}

static inline void invalidate_page(uint64_t address)
{
	__asm__ volatile("invlpg (%0)" :: "r"(address) : "memory");
}

static inline bool active(const struct arch_space *space)
{
	return this_arch()->space == space;
}

static void reload(const struct arch_space *space)
{
	if (active(space))
		WRITE_CONTROL(3, space->root_physical);
}

int arch_space_init(struct arch_space *space)
{
	struct page *page = budget_page_alloc(budget_current(), 0, PAGE_ZERO);
	if (!page)
		return -ENOMEM;
	page->flags = 0;
	page->groups = 0;
	space->root = page_address(page);
	space->root_physical = page_physical(page);
	space->root[DIRECT_ENTRY] = kernel_root[DIRECT_ENTRY];
	space->root[KERNEL_ENTRY] = kernel_root[KERNEL_ENTRY];
	space->tables = 1;
	return 0;
}

/* What an unmap has gathered until the processor has forgotten it. */
struct unmapping {
	struct arch_space *space;
	struct list tables;
	unsigned count;
	uint64_t address[FLUSH_SINGLY];
};

/* [start, end) lies within the table. */
static void unmap_table(struct unmapping *un, uint64_t *table, unsigned shift, uint64_t start, uint64_t end)
{
	struct page *page = page_of_address(table);
	uint64_t step = 1ul << shift, base = start & ~((step << 9) - 1);

	for (uint64_t groups = table_groups(page, shift, start, end); groups && page->flags; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
		for (unsigned i = first; i < first + GROUP; i++) {
			uint64_t *entry = &table[i], a = max(base + i * step, start), next = min(base + (i + 1) * step, end);
			if (!(*entry & PRESENT) || a >= next)
				continue;
			if (shift == PAGE_SHIFT) {
				if (un->count < FLUSH_SINGLY)
					un->address[un->count] = a;
				un->count++;
			} else {
				uint64_t *child = table_of(*entry);
				unmap_table(un, child, shift - 9, a, next);
				if (page_of_address(child)->flags)
					continue;
				list_add_last(&un->tables, &page_of_address(child)->link);
				un->space->tables--;
			}
			*entry = 0;
			page->flags--;
		}
	}
	if (!page->flags)
		page->groups = 0;
}

/* Also forgets the tables, which the processor caches: invlpg of any page drops all of those. */
static void unmap_flush(struct unmapping *un)
{
	if (un->count > FLUSH_SINGLY)
		reload(un->space);
	else if (active(un->space))
		for (unsigned i = 0; i < un->count; i++)
			invalidate_page(un->address[i]);
	while (!list_empty(&un->tables)) {
		struct page *page = list_first(&un->tables, struct page, link);
		list_remove(&page->link);
		page_unref(page);
	}
}

void arch_space_unmap(struct arch_space *space, uint64_t start, uint64_t end)
{
	struct unmapping un = { .space = space };
	list_init(&un.tables);
	start = align_down(start, PAGE_SIZE);
	end = min(align_up(end, PAGE_SIZE), USER_TOP);
	if (start < end)
		unmap_table(&un, space->root, TOP_SHIFT, start, end);
	unmap_flush(&un);
}

void arch_space_destroy(struct arch_space *space)
{
	if (!space->root)
		return;
	if (active(space)) /* a kernel thread may still run in it */
		arch_space_activate(NULL);
	arch_space_unmap(space, 0, USER_TOP);
	page_unref(page_of_address(space->root));
	space->root = NULL;
	space->tables = 0;
}

/* Moves write protection from an entry to all its children; see the head of the file. */
static void push_down(uint64_t *entry)
{
	uint64_t *child = table_of(*entry);
	for (uint64_t groups = page_of_address(child)->groups; groups; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
		for (unsigned i = first; i < first + GROUP; i++)
			child[i] &= ~WRITE; /* harmless where no entry is */
	}
	*entry |= WRITE;
}

/* The last-level table of an address, made if missing; NULL: no memory. With write, every entry above it allows writing. */
static uint64_t *table_make(struct arch_space *space, uint64_t address, bool write)
{
	uint64_t *table = space->root;
	for (unsigned shift = TOP_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *entry = &table[address >> shift & (ENTRIES - 1)];
		if (!(*entry & PRESENT)) {
			struct page *page = budget_page_alloc(budget_current(), 0, PAGE_ZERO);
			if (!page)
				return NULL; /* empty tables above stay; the next unmap or the space's end takes them */
			page->flags = 0;
			page->groups = 0;
			*entry = page_physical(page) | TABLE;
			table_note(page_of_address(table), address >> shift & (ENTRIES - 1));
			space->tables++;
		} else if (write && !(*entry & WRITE))
			push_down(entry);
		table = table_of(*entry);
	}
	return table;
}

unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned count, unsigned flags)
{
	bool write = flags & ARCH_MAP_WRITE, is_active = active(space);
	uint64_t bits = PRESENT | USER | ACCESSED | (write ? WRITE | DIRTY : 0) | (flags & ARCH_MAP_EXECUTE ? 0 : NO_EXECUTE) |
		(flags & ARCH_MAP_UNCACHED ? NO_CACHE | WRITE_THROUGH : 0);
	assert(address < USER_TOP && count <= (USER_TOP - address) / PAGE_SIZE);
	if (!(flags & (ARCH_MAP_READ | ARCH_MAP_WRITE | ARCH_MAP_EXECUTE))) {
		arch_space_unmap(space, address, address + count * PAGE_SIZE);
		return count;
	}
	unsigned done = 0;
	while (done < count) {
		uint64_t *table = table_make(space, address, write);
		if (!table)
			break;
		struct page *page = page_of_address(table);
		for (unsigned i = address >> PAGE_SHIFT & (ENTRIES - 1); i < ENTRIES && done < count; i++, done++, address += PAGE_SIZE) {
			uint64_t old = table[i];
			table[i] = physical[done] | bits;
			if (!(old & PRESENT))
				table_note(page, i);
			else if (is_active) /* an absent entry is never cached */
				invalidate_page(address);
		}
	}
	return done;
}

/* [start, end) lies within the table. */
static void protect_table(uint64_t *table, unsigned shift, uint64_t start, uint64_t end)
{
	uint64_t step = 1ul << shift, base = start & ~((step << 9) - 1);

	for (uint64_t groups = table_groups(page_of_address(table), shift, start, end); groups; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
		for (unsigned i = first; i < first + GROUP; i++) {
			uint64_t *entry = &table[i], a = max(base + i * step, start), next = min(base + (i + 1) * step, end);
			if (!(*entry & PRESENT) || a >= next)
				continue;
			if (shift == PAGE_SHIFT || next - a == step)
				*entry &= ~WRITE; /* a whole subtree: at its top, as for the whole range */
			else
				protect_table(table_of(*entry), shift - 9, a, next);
		}
	}
}

void arch_space_write_protect(struct arch_space *space, uint64_t start, uint64_t end)
{
	if (start <= USER_BOTTOM && end >= USER_TOP) {
		for (uint64_t groups = page_of_address(space->root)->groups; groups; groups &= groups - 1) {
			unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
			for (unsigned i = first; i < first + GROUP; i++)
				space->root[i] &= ~WRITE;
		}
	} else {
		protect_table(space->root, TOP_SHIFT, align_down(start, PAGE_SIZE), min(align_up(end, PAGE_SIZE), USER_TOP));
		if (end - start <= 4 * PAGE_SIZE && active(space)) {
			for (uint64_t a = align_down(start, PAGE_SIZE); a < end; a += PAGE_SIZE)
				invalidate_page(a);
			return;
		}
	}
	reload(space);
}

bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
{
	if (address >= USER_TOP)
		return false;
	uint64_t *table = space->root, entry = 0, writable = WRITE;
	for (unsigned shift = TOP_SHIFT; shift >= PAGE_SHIFT; shift -= 9) {
		entry = table[address >> shift & (ENTRIES - 1)];
		if (!(entry & PRESENT))
			return false;
		writable &= entry;
		table = table_of(entry);
	}
	if ((flags & ARCH_MAP_WRITE && !writable) || (flags & ARCH_MAP_EXECUTE && entry & NO_EXECUTE))
		return false;
	if (physical)
		*physical = (entry & ADDRESS) | (address & (PAGE_SIZE - 1));
	return true;
}

uint64_t arch_space_tables(struct arch_space *space)
{
	return space->tables;
}

void arch_space_activate(struct arch_space *space)
{
	struct arch_processor *arch = this_arch();
	if (arch->space == space)
		return;
	arch->space = space;
	WRITE_CONTROL(3, space ? space->root_physical : image_physical(kernel_root));
}
