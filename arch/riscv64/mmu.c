/*
 * Page tables: four levels of 512 entries (Sv48), 4 KiB pages for user memory. Kernel half (entries 256-511 of the top table), the same in all
 * spaces and made once at start: 256 the direct map, 511 the kernel image (last 2 GiB) and device registers (last GiB).
 *
 * Only entries that map pages have permissions, so a whole table cannot be write-protected at its top. It is detached instead: its entry is made
 * invalid but keeps the address (DETACHED). arch_space_write_protect over the whole user range detaches what the top table refers to. The first access below
 * faults and mmu_reattach pushes the state down one level at a time: all children become detached, or, in a table of pages (2 MiB), lose the right to
 * write, and the entry becomes valid. So nothing becomes writable except the page that was asked for, each table is swept at most once for
 * each fork, and a fork costs one more fault for each 2 MiB that is touched after it.
 *
 * A table's page counts its present entries, detached ones included (struct page.flags; the top table counts user entries only): empty tables are
 * freed at once. It also remembers which groups of eight entries were ever set (struct page.groups), so that sweeps look only there: most tables
 * hold a handful of entries. Freed tables are kept aside until no processor can walk them.
 *
 * A processor may remember that an entry was invalid. Nothing is done when one becomes valid: the fault that may follow finds the same entry
 * there and forgets it then (arch_space_map, mmu_reattach).
 */
#include "arch/mmu.h"
#include "riscv.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"

#define VALID 0x1ul
#define READ 0x2ul
#define WRITE 0x4ul
#define EXECUTE 0x8ul
#define USER 0x10ul
#define GLOBAL 0x20ul
#define ACCESSED 0x40ul
#define DIRTY 0x80ul
#define DETACHED 0x100ul /* for software: with VALID clear, the entry of a table that is there */
#define PRESENT (VALID | DETACHED)
#define ADDRESS_SHIFT 2u /* from an entry's address to a physical one */
#define ADDRESS 0x003ffffffffffc00ul
#define TOP_SHIFT 39u
#define ENTRIES 512u
#define DIRECT_ENTRY 256u
#define KERNEL_ENTRY 511u
#define IMAGE_ENTRY 510u /* of kernel_high: the GiB before the last */
#define IMAGE_BASE 0xffffffff80000000ul
#define DEVICE_BASE 0xffffffffc0000000ul
#define GROUP 8u /* entries a bit of struct page.groups stands for */
#define FLUSH_SINGLY 32u /* more pages than this: forget everything */

static uint64_t kernel_root[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_high[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t kernel_table[2][ENTRIES] __attribute__((aligned(4096)));
static uint64_t device_directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t direct_high[ENTRIES] __attribute__((aligned(4096)));
static unsigned device_pages;

static inline uint64_t entry_of(physical_t address)
{
	return address >> ADDRESS_SHIFT;
}

static inline physical_t entry_physical(uint64_t entry)
{
	return (entry & ADDRESS) << ADDRESS_SHIFT;
}

/* --- the kernel half --- */

static physical_t image_physical(const void *address)
{
	return (uint64_t)address - IMAGE_OFFSET;
}

static uint64_t image_table(const void *table)
{
	return entry_of(image_physical(table)) | VALID;
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
		kernel_table[0][(a - first) / PAGE_SIZE] = entry_of(a - IMAGE_OFFSET) | VALID | READ | ACCESSED | DIRTY | GLOBAL | flags;
	}
}

/* Maps physical RAM [start, end), rounded to large pages. Tables come from allocate, which gives zeroed pages. */
static void map_direct(physical_t start, physical_t end, physical_t (*allocate)(void))
{
	const uint64_t giga = 1ul << 30, mega2 = 1ul << 21, flags = VALID | READ | WRITE | ACCESSED | DIRTY | GLOBAL;
	for (physical_t a = align_down(start, mega2); a < end; ) {
		uint64_t *entry = &direct_high[a >> 30];
		if (a % giga == 0 && end - a >= giga && !*entry) {
			*entry = entry_of(a) | flags;
			a += giga;
			continue;
		}
		if (!*entry)
			*entry = entry_of(allocate()) | VALID;
		uint64_t *directory = direct(entry_physical(*entry));
		for (physical_t stop = min(align_down(a, giga) + giga, align_up(end, mega2)); a < stop; a += mega2)
			directory[a >> 21 & (ENTRIES - 1)] = entry_of(a) | flags;
	}
}

static void forget_all(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static void root_load(physical_t root)
{
	CSR_WRITE(satp, root >> PAGE_SHIFT | SATP_SV48);
	forget_all();
}

void mmu_start(physical_t (*allocate)(void), const physical_t (*ranges)[2], unsigned count)
{
	map_image();
	for (unsigned i = 0; i < count; i++)
		map_direct(ranges[i][0], min(ranges[i][1], (physical_t)ENTRIES << 30), allocate);
	kernel_high[IMAGE_ENTRY] = image_table(kernel_directory);
	kernel_high[IMAGE_ENTRY + 1] = image_table(device_directory);
	kernel_root[DIRECT_ENTRY] = image_table(direct_high);
	kernel_root[KERNEL_ENTRY] = image_table(kernel_high);
	root_load(image_physical(kernel_root));
}

/* Whether such memory may be cached is a property of the board's addresses, not of the mapping. */
void *arch_map_device(physical_t address, size_t size)
{
	const uint64_t mega2 = 1ul << 21;
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
			device_directory[index + i] = entry_of(first + i * mega2) | VALID | READ | WRITE | ACCESSED | DIRTY | GLOBAL;
		device_pages += count;
		forget_all();
	}
	return (void *)(DEVICE_BASE + index * mega2 + (address - first));
}

/* --- spaces --- */

static inline uint64_t *table_of(uint64_t entry)
{
	return direct(entry_physical(entry));
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
	__asm__ volatile("sfence.vma %0" :: "r"(address) : "memory");
}

static inline bool active(const struct arch_space *space)
{
	return this_arch()->space == space;
}

static void forget(const struct arch_space *space)
{
	if (active(space))
		forget_all();
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

/*
 * Tables that the processor may still walk are forgotten by a fence for all addresses only.
 */
static void unmap_flush(struct unmapping *un)
{
	if (un->count > FLUSH_SINGLY || !list_empty(&un->tables))
		forget(un->space);
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

/* Makes a detached entry valid and moves its state to all its children; see the head of the file. shift: bytes an entry of the child covers, as a power of two. */
static void push_down(uint64_t *entry, unsigned shift)
{
	uint64_t *child = table_of(*entry);
	for (uint64_t groups = page_of_address(child)->groups; groups; groups &= groups - 1) {
		unsigned first = (unsigned)__builtin_ctzl(groups) * GROUP;
		for (unsigned i = first; i < first + GROUP; i++) {
			if (shift == PAGE_SHIFT)
				child[i] &= ~WRITE; /* harmless where no entry is */
			else if (child[i] & VALID)
				child[i] ^= VALID | DETACHED;
		}
	}
	*entry = (*entry & ~DETACHED) | VALID;
}

/*
 * A fault at address: attaches what is detached on the way to it. True if anything was. From the trap code, for the current space; needs no
 * lock, because interrupts are disabled and it changes no translation that is valid.
 */
bool mmu_reattach(struct arch_space *space, uint64_t address)
{
	uint64_t *table = space->root;
	bool changed = false;
	for (unsigned shift = TOP_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *entry = &table[address >> shift & (ENTRIES - 1)];
		if (*entry & DETACHED) {
			push_down(entry, shift - 9);
			changed = true;
		}
		if (!(*entry & VALID))
			break;
		table = table_of(*entry);
	}
	if (changed)
		invalidate_page(address);
	return changed;
}

/* The last-level table of an address, made if missing and attached; NULL: no memory. */
static uint64_t *table_make(struct arch_space *space, uint64_t address)
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
			*entry = entry_of(page_physical(page)) | VALID;
			table_note(page_of_address(table), address >> shift & (ENTRIES - 1));
			space->tables++;
		} else if (*entry & DETACHED) {
			push_down(entry, shift - 9);
		}
		table = table_of(*entry);
	}
	return table;
}

unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned count, unsigned flags)
{
	bool is_active = active(space);
	uint64_t bits = VALID | USER | ACCESSED | DIRTY | (flags & ARCH_MAP_READ ? READ : 0) | (flags & ARCH_MAP_WRITE ? READ | WRITE : 0) |
		(flags & ARCH_MAP_EXECUTE ? EXECUTE : 0);
	assert(address < USER_TOP && count <= (USER_TOP - address) / PAGE_SIZE);
	if (!(flags & (ARCH_MAP_READ | ARCH_MAP_WRITE | ARCH_MAP_EXECUTE))) {
		arch_space_unmap(space, address, address + count * PAGE_SIZE);
		return count;
	}
	unsigned done = 0;
	while (done < count) {
		uint64_t *table = table_make(space, address);
		if (!table)
			break;
		struct page *page = page_of_address(table);
		for (unsigned i = address >> PAGE_SHIFT & (ENTRIES - 1); i < ENTRIES && done < count; i++, done++, address += PAGE_SIZE) {
			uint64_t old = table[i];
			table[i] = entry_of(physical[done]) | bits;
			if (!(old & VALID))
				table_note(page, i);
			else if (is_active)
				invalidate_page(address);
		}
	}
	if (flags & ARCH_MAP_EXECUTE)
		__asm__ volatile("fence.i" ::: "memory"); /* what was written there as data are instructions now */
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
			if (!(*entry & VALID) || a >= next) /* what is detached is protected already */
				continue;
			if (shift == PAGE_SHIFT)
				*entry &= ~WRITE;
			else if (next - a == step)
				*entry ^= VALID | DETACHED; /* a whole subtree: at its top, as for the whole range */
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
				if (space->root[i] & VALID)
					space->root[i] ^= VALID | DETACHED;
		}
	} else {
		protect_table(space->root, TOP_SHIFT, align_down(start, PAGE_SIZE), min(align_up(end, PAGE_SIZE), USER_TOP));
		if (end - start <= 4 * PAGE_SIZE && active(space)) {
			for (uint64_t a = align_down(start, PAGE_SIZE); a < end; a += PAGE_SIZE)
				invalidate_page(a);
			return;
		}
	}
	forget(space);
}

bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
{
	if (address >= USER_TOP)
		return false;
	uint64_t *table = space->root, entry = 0, detached = 0;
	for (unsigned shift = TOP_SHIFT; shift >= PAGE_SHIFT; shift -= 9) {
		entry = table[address >> shift & (ENTRIES - 1)];
		if (!(entry & PRESENT))
			return false;
		detached |= entry & DETACHED;
		table = table_of(entry);
	}
	if ((flags & ARCH_MAP_READ && !(entry & READ)) || (flags & ARCH_MAP_WRITE && (detached || !(entry & WRITE))) ||
	    (flags & ARCH_MAP_EXECUTE && !(entry & EXECUTE)))
		return false;
	if (physical)
		*physical = entry_physical(entry) | (address & (PAGE_SIZE - 1));
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
	root_load(space ? space->root_physical : image_physical(kernel_root));
}
