/*
 * Page tables of spaces, for all ports that have them: a tree of tables of 512 entries, 4 KiB pages. What an entry looks like is the port's
 * page_entry.h; how the processor is made to forget is its translation.h; the kernel's half and what loads a space are in its mmu.c.
 *
 * Write protection (fork) is constant in time: arch_space_write_protect over the whole user range closes the few entries of the top table. Below a closed
 * entry nothing can be written, by whatever means the port has: x86_64 clears the right to write, which every entry on the way must give;
 * riscv64, where only entries of pages have rights, makes the entry invalid (page_entry.h). Opening one again pushes that down by one level:
 * all children are closed, then the entry is opened. So nothing becomes writable except the page that was asked for, and each table is swept at most
 * once for each fork, not once for each fault.
 *
 * A table's page counts its present entries (struct page.flags; the top table counts user entries only): empty tables are
 * freed at once. It also remembers which groups of eight entries were ever set (struct page.groups), so that sweeps look only there: most tables
 * hold a handful of entries. Freed tables are kept aside until no processor can walk them.
 *
 * Several processors: a space knows which have its tables loaded (struct arch_space.processors). Whoever takes a translation away, or a right of it, has all of
 * them forget it before the lock of the space is released and before any page is freed (translations_forget). A processor enters itself before it loads the
 * tables (arch_space_activate), so it is seen, or it sees the tables as they are changed. One that idles in a space it does not need leaves it when it is
 * asked to forget.
 * Model: tests/model/forget.pml.
 */
#include "arch/page_table.h"
#include "kernel/core/log.h"
#include "kernel/core/processors.h"
#include "kernel/obj/budget.h"

#define FLUSH_SINGLY 32u /* more pages than this: forget everything */

/* Has the other processors that may hold translations of the space forget those of `count` addresses (NULL: all); leave: and not use its tables any more. */
static inline void forget_elsewhere(struct arch_space *space, const uint64_t *address, unsigned count, bool leave)
{
#if PROCESSORS_MAX > 1
	if (processors_several())
		translations_forget(space, address, count, leave);
#else
	(void)space, (void)address, (void)count, (void)leave;
#endif
}

/* An entry of a page was replaced: does it name another page, or allow less? A processor that only does not know of more rights finds out by a fault. */
static inline bool entry_narrowed(uint64_t old, uint64_t entry)
{
	return entry_physical(old) != entry_physical(entry) || (!entry_closed(old) && entry_closed(entry)) ||
		(entry_allows(old, ARCH_MAP_EXECUTE) && !entry_allows(entry, ARCH_MAP_EXECUTE));
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

int arch_space_init(struct arch_space *space)
{
	struct page *page = budget_page_alloc(budget_own(), 0, PAGE_ZERO);
	if (!page)
		return -ENOMEM;
	page->flags = 0;
	page->groups = 0;
	space->root = page_address(page);
	space->root_physical = page_physical(page);
	translation_kernel_half(space->root);
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
			if (!entry_present(*entry) || a >= next)
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

static void unmap_flush(struct unmapping *un)
{
	bool tables = !list_empty(&un->tables);
	bool all = un->count > FLUSH_SINGLY || (tables && (TRANSLATION_PAGE_KEEPS_TABLES || !un->count));

	if (!translation_active(un->space))
		; /* a space's translations are forgotten when another is loaded */
	else if (all)
		translation_forget_all();
	else
		for (unsigned i = 0; i < un->count; i++)
			translation_forget(un->address[i]);
	if (all || un->count)
		forget_elsewhere(un->space, all ? NULL : un->address, un->count, false);
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
	if (translation_active(space)) /* a kernel thread may still run in it */
		arch_space_activate(NULL);
	forget_elsewhere(space, NULL, 0, true);
	arch_space_unmap(space, 0, USER_TOP);
	page_unref(page_of_address(space->root));
	space->root = NULL;
	space->tables = 0;
}

/* The last-level table of an address, made if missing; NULL: no memory. No entry above it stops the access that is to be allowed. */
static uint64_t *table_make(struct arch_space *space, uint64_t address, bool write)
{
	uint64_t *table = space->root;
	for (unsigned shift = TOP_SHIFT; shift > PAGE_SHIFT; shift -= 9) {
		uint64_t *entry = &table[address >> shift & (ENTRIES - 1)];
		if (!entry_present(*entry)) {
			struct page *page = budget_page_alloc(budget_own(), 0, PAGE_ZERO);
			if (!page)
				return NULL; /* empty tables above stay; the next unmap or the space's end takes them */
			page->flags = 0;
			page->groups = 0;
			*entry = entry_of_table(page_physical(page));
			table_note(page_of_address(table), address >> shift & (ENTRIES - 1));
			space->tables++;
		} else if (entry_stops(*entry, write)) {
			page_table_open(entry, shift - 9);
		}
		table = table_of(*entry);
	}
	return table;
}

unsigned arch_space_map(struct arch_space *space, uint64_t address, const physical_t *physical, unsigned count, unsigned flags)
{
	bool write = flags & ARCH_MAP_WRITE, active = translation_active(space);
	uint64_t bits = entry_bits(flags);
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
			table[i] = entry_of_page(physical[done]) | bits;
			if (!entry_present(old)) {
				table_note(page, i);
				continue;
			}
			if (active)
				translation_forget(address);
			if (PROCESSORS_MAX > 1 && entry_narrowed(old, table[i]))
				forget_elsewhere(space, &address, 1, false);
		}
	}
	if (flags & ARCH_MAP_EXECUTE)
		translation_code_changed();
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
			if (entry_closed(*entry) || a >= next)
				continue;
			if (shift == PAGE_SHIFT || next - a == step)
				*entry = entry_close(*entry, shift); /* a whole subtree: at its top, as for the whole range */
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
				space->root[i] = entry_close(space->root[i], TOP_SHIFT);
		}
	} else {
		protect_table(space->root, TOP_SHIFT, align_down(start, PAGE_SIZE), min(align_up(end, PAGE_SIZE), USER_TOP));
		if (end - start <= 4 * PAGE_SIZE) {
			uint64_t pages[5];
			unsigned count = 0;
			for (uint64_t a = align_down(start, PAGE_SIZE); a < end; a += PAGE_SIZE)
				pages[count++] = a;
			for (unsigned i = 0; i < count && translation_active(space); i++)
				translation_forget(pages[i]);
			forget_elsewhere(space, pages, count, false);
			return;
		}
	}
	if (translation_active(space))
		translation_forget_all();
	forget_elsewhere(space, NULL, 0, false);
}

bool arch_space_allows(struct arch_space *space, uint64_t address, unsigned flags, physical_t *physical)
{
	if (address >= USER_TOP)
		return false;
	uint64_t *table = space->root, entry = 0;
	bool closed = false;
	for (unsigned shift = TOP_SHIFT; shift >= PAGE_SHIFT; shift -= 9) {
		entry = table[address >> shift & (ENTRIES - 1)];
		if (!entry_present(entry))
			return false;
		closed |= entry_closed(entry);
		table = table_of(entry);
	}
	if ((flags & ARCH_MAP_WRITE && closed) || !entry_allows(entry, flags))
		return false;
	if (physical)
		*physical = entry_physical(entry) | (address & (PAGE_SIZE - 1));
	return true;
}

uint64_t arch_space_tables(struct arch_space *space)
{
	return space->tables;
}
