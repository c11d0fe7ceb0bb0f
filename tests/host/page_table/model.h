/*
 * Page tables of a port against a plain array of what is mapped where: random mapping, unmapping, write protection (of all: a fork; of ranges), accesses, dropping of
 * everything, allocation failures. A test of a port defines hardware_step, one step of the processor's walk by the processor's manual, and hardware_fault, what the
 * port's trap code does about a fault before it asks the space, and includes this.
 *
 * The processor is modelled too: it remembers translations and tables that it walked until it is told to forget them. An access that it remembers must
 * still be allowed, and no table that it remembers may have been freed.
 */
#include <string.h>
#include "arch/page_table.h"
#include "kernel/core/log.h"
#include "kernel/obj/budget.h"
#include "shim.h"

struct rights { bool read, write, execute; };
/* The entry found at a level (last: of a page): false if the walk ends with a fault. Narrows rights (all true at first); *physical is the next table or the page. */
static bool hardware_step(uint64_t entry, bool last, struct rights *rights, uint64_t *physical);
static bool hardware_fault(struct arch_space *space, uint64_t address);
static unsigned hardware_top(void); /* chooses, for a round */

#define SPACES 2
#define AREAS 5
#define PAGES 640u
static uint64_t area[AREAS];
static unsigned top; /* an entry of the top table covers so many bytes, as a power of two */
struct cell { uint64_t physical; unsigned flags; }; /* flags 0: nothing is mapped */
static struct { struct arch_space space; struct cell cell[AREAS][PAGES]; } at[SPACES];
static bool failed; /* an allocation has: there may be empty tables */

/* --- the rest of the kernel --- */
struct page *budget_page_alloc(struct budget *budget, unsigned order, unsigned flags)
{
	(void)budget;
	struct page *page = page_alloc(order, flags);
	failed |= !page;
	return page;
}
void budget_uncharge(struct budget *budget, uint64_t pages) { (void)budget, (void)pages; }
void share_leave(struct share *share) { (void)share; }

/* --- the processor --- */
#define REMEMBERS 64u
static const struct arch_space *loaded;
static struct { uint64_t address, physical; struct rights rights; } remembered[REMEMBERS];
static uint64_t *walked[REMEMBERS];
static uint64_t faulted; /* the page of the last fault: it may remember that too */
static unsigned remembered_count, walked_count;

void translation_kernel_half(uint64_t *root)
{
	root[256] = root[511] = 1; /* neither counted nor touched */
}
bool translation_active(const struct arch_space *space)
{
	return space == loaded;
}
void translation_forget(uint64_t address)
{
	if (address / PAGE_SIZE == faulted)
		faulted = 0;
	for (unsigned i = 0; i < remembered_count; i++)
		if (remembered[i].address == address / PAGE_SIZE)
			remembered[i--] = remembered[--remembered_count];
	if (!MODEL_PAGE_KEEPS_TABLES)
		walked_count = 0;
}
void translation_forget_all(void)
{
	remembered_count = walked_count = 0;
	faulted = 0;
}
void translation_code_changed(void)
{
}
void arch_space_activate(struct arch_space *space)
{
	loaded = space;
	translation_forget_all();
}

static bool enough(struct rights rights, unsigned access)
{
	return !(access & ARCH_MAP_READ && !rights.read) && !(access & ARCH_MAP_WRITE && !rights.write) && !(access & ARCH_MAP_EXECUTE && !rights.execute);
}

static bool hardware_walk(struct arch_space *space, uint64_t address, struct rights *rights, uint64_t *physical)
{
	uint64_t *table = space->root;
	*rights = (struct rights){ true, true, true };
	for (int shift = (int)top; shift >= 12; shift -= 9) {
		if (walked_count < REMEMBERS)
			walked[walked_count++] = table;
		if (!hardware_step(table[address >> shift & 511], shift == 12, rights, physical))
			return false;
		if (shift > 12)
			table = direct(*physical);
	}
	return true;
}

/* One access by a program of the loaded space; what the space's fault handler would see is false. */
static bool access_once(struct arch_space *space, uint64_t address, unsigned access, uint64_t *physical)
{
	struct rights rights;
	for (unsigned i = 0; i < remembered_count; i++)
		if (remembered[i].address == address / PAGE_SIZE && enough(remembered[i].rights, access)) {
			*physical = remembered[i].physical;
			return true;
		}
	if (!hardware_walk(space, address, &rights, physical) || !enough(rights, access))
		return false;
	if (remembered_count < REMEMBERS) {
		remembered[remembered_count].address = address / PAGE_SIZE;
		remembered[remembered_count].physical = *physical;
		remembered[remembered_count++].rights = rights;
	}
	return true;
}

/* --- the model --- */
static bool model_allows(const struct cell *cell, unsigned access)
{
	return cell->flags && !(access & ~cell->flags);
}

static void access_check(unsigned s, unsigned a, unsigned i)
{
	static const unsigned kinds[] = { ARCH_MAP_READ, ARCH_MAP_WRITE, ARCH_MAP_EXECUTE };
	struct arch_space *space = &at[s].space;
	struct cell *cell = &at[s].cell[a][i];
	uint64_t address = area[a] + i * PAGE_SIZE + shim_below(PAGE_SIZE), physical = 0, told = 0;
	unsigned access = kinds[shim_below(3)];
	bool expected = model_allows(cell, access);
	CHECK(arch_space_allows(space, address, access, &told) == expected && !arch_space_allows(space, address | 1ul << 63, access, NULL));
	if (expected)
		CHECK(told == cell->physical + address % PAGE_SIZE);
	if (loaded != space)
		return;
	bool done = access_once(space, address, access, &physical);
	faulted = done ? 0 : address / PAGE_SIZE;
	if (!done && hardware_fault(space, address)) {
		CHECK(!faulted);
		done = access_once(space, address, access, &physical);
	}
	CHECK(done == expected);
	if (done)
		CHECK(physical == cell->physical);
}

/* Calls visit for every cell of [start, end). */
static void cells(unsigned s, uint64_t start, uint64_t end, void (*visit)(struct cell *))
{
	for (unsigned a = 0; a < AREAS; a++)
		for (unsigned i = 0; i < PAGES; i++)
			if (area[a] + i * PAGE_SIZE >= start && area[a] + i * PAGE_SIZE < end)
				visit(&at[s].cell[a][i]);
}
static void cell_clear(struct cell *cell) { cell->flags = 0; }
static void cell_protect(struct cell *cell) { cell->flags &= ~ARCH_MAP_WRITE; }

/* The tables below one, itself included; each is as its page says. Those that the processor remembers are counted in *known. */
static uint64_t tables_check(uint64_t *table, unsigned shift, unsigned *known)
{
	struct page *page = page_of_address(table);
	uint64_t tables = 1;
	unsigned present = 0;
	CHECK(page->state == PAGE_KERNEL && page->references == 1);
	for (unsigned i = 0; i < walked_count; i++)
		*known += walked[i] == table;
	for (unsigned i = 0; i < (shift == top ? 256 : 512); i++) {
		if (!table[i])
			continue;
		CHECK(entry_present(table[i]) && page->groups >> i / 8 & 1);
		present++;
		if (shift > 12)
			tables += tables_check(direct(entry_physical(table[i])), shift - 9, known);
	}
	CHECK(page->flags == present && (present ? true : !page->groups && (shift == top || failed)));
	return tables;
}

static void check(void)
{
	uint64_t tables = 0;
	for (unsigned s = 0; s < SPACES; s++) {
		unsigned known = 0;
		uint64_t own = tables_check(at[s].space.root, top, &known);
		CHECK(own == arch_space_tables(&at[s].space) && at[s].space.root[256] == 1 && at[s].space.root[511] == 1);
		CHECK(loaded != &at[s].space || known == walked_count); /* none of those it may still walk is free */
		tables += own;
	}
	CHECK(tables == shim_pages_used());
	for (unsigned i = 0; i < remembered_count; i++)
		for (unsigned s = 0; s < SPACES; s++)
			if (loaded == &at[s].space) {
				uint64_t physical;
				struct rights rights = remembered[i].rights;
				unsigned access = (rights.read ? ARCH_MAP_READ : 0) | (rights.write ? ARCH_MAP_WRITE : 0) | (rights.execute ? ARCH_MAP_EXECUTE : 0);
				CHECK(arch_space_allows(loaded == &at[s].space ? &at[s].space : NULL, remembered[i].address * PAGE_SIZE, access, &physical));
				CHECK(physical == remembered[i].physical);
			}
}

static void map_some(unsigned s, unsigned a, unsigned i)
{
	static physical_t physical[PAGES];
	static const unsigned kinds[] = { 1, 3, 3, 3, 5, 7, 1 | ARCH_MAP_UNCACHED, 3 | ARCH_MAP_UNCACHED, 0 };
	unsigned count = 1 + (unsigned)shim_below(shim_below(3) ? 20 : PAGES), flags = kinds[shim_below(array_count(kinds))];
	count = min(count, PAGES - i);
	for (unsigned n = 0; n < count; n++)
		physical[n] = (1ul << 40) + (shim_random() & 0xffffff) * PAGE_SIZE;
	bool fails = shim_below(5) == 0;
	shim_fail_in = fails ? (int64_t)shim_below(5) : -1;
	unsigned done = arch_space_map(&at[s].space, area[a] + i * PAGE_SIZE, physical, count, flags);
	shim_fail_in = -1;
	CHECK(done == count || (fails && done < count));
	for (unsigned n = 0; n < done; n++)
		at[s].cell[a][i + n] = (struct cell){ physical[n], flags & 7 };
}

/* All is protected at the top: no other table changes, whatever is mapped. */
static void protect_all(unsigned s)
{
	static uint64_t before[8][512];
	uint64_t *seen[8];
	unsigned count = 0;
	struct arch_space *space = &at[s].space;
	for (unsigned i = 0; i < 256 && count < array_count(seen); i++)
		if (space->root[i]) {
			seen[count] = direct(entry_physical(space->root[i]));
			memcpy(before[count], seen[count], PAGE_SIZE);
			count++;
		}
	arch_space_write_protect(space, USER_BOTTOM - shim_below(2) * PAGE_SIZE, USER_TOP);
	for (unsigned i = 0; i < count; i++)
		CHECK(!memcmp(before[i], seen[i], PAGE_SIZE));
	cells(s, 0, USER_TOP, cell_protect);
}

/* The first pages of a range are used, so that the processor remembers them. */
static void touch(unsigned s, unsigned a, unsigned i)
{
	for (unsigned n = 0; n < 12; n++)
		access_check(s, a, min(i + n / 3, PAGES - 1));
}

static void step(void)
{
	unsigned s = shim_below(SPACES), a = shim_below(AREAS), i = shim_below(PAGES);
	struct arch_space *space = &at[s].space;
	uint64_t start = area[a] + i * PAGE_SIZE, end = start + (1 + shim_below(shim_below(3) ? 6 : PAGES)) * PAGE_SIZE;
	if (shim_below(10) == 0) /* far beyond: whole tables and more */
		end = area[AREAS - 1 - shim_below(AREAS - a)] + shim_below(PAGES) * PAGE_SIZE;
	end = min(max(end, start + 1), USER_TOP);
	switch (shim_below(16)) {
	case 0: case 1: case 2: case 3: case 4:
		map_some(s, a, i);
		touch(s, a, i);
		break;
	case 5: case 6:
		touch(s, a, i);
		arch_space_unmap(space, start, end);
		cells(s, start, end, cell_clear);
		break;
	case 7: case 8:
		touch(s, a, i);
		arch_space_write_protect(space, start, end);
		cells(s, start, align_up(end, PAGE_SIZE), cell_protect);
		break;
	case 9: case 10:
		protect_all(s);
		break;
	case 11:
		if (shim_below(8))
			break;
		arch_space_unmap(space, 0, UINT64_MAX & ~(PAGE_SIZE - 1));
		cells(s, 0, USER_TOP, cell_clear);
		CHECK(arch_space_tables(space) == 1);
		break;
	case 12:
		arch_space_activate(shim_below(6) ? space : NULL);
		break;
	default:
		for (unsigned n = 0; n < 8; n++)
			access_check(s, a, (i + n) % PAGES);
	}
}

int main(void)
{
	shim_tables = true;
	for (unsigned round = 0, rounds = shim_rounds(12); round < rounds; round++) {
		shim_seed(round);
		failed = false;
		top = hardware_top();
		area[0] = USER_BOTTOM;
		area[1] = (1ul << 30) - 100 * PAGE_SIZE;
		area[2] = (USER_TOP / 4 & ~((1ul << top) - 1)) - 320 * PAGE_SIZE;
		area[3] = (USER_TOP / 2 & ~((1ul << top) - 1)) + 7 * PAGE_SIZE;
		area[4] = USER_TOP - PAGES * PAGE_SIZE;
		memset(at, 0, sizeof(at));
		for (unsigned s = 0; s < SPACES; s++)
			CHECK(!arch_space_init(&at[s].space));
		for (unsigned n = 0; n < 1200; n++) {
			step();
			check();
			if (n % 100 == 0)
				for (unsigned s = 0; s < SPACES; s++)
					for (unsigned a = 0; a < AREAS; a++)
						for (unsigned i = 0; i < PAGES; i++)
							access_check(s, a, i);
		}
		CHECK(!arch_space_allows(&at[0].space, USER_TOP, ARCH_MAP_READ, NULL) && !arch_space_allows(&at[0].space, 1ul << 63, ARCH_MAP_READ, NULL));
		for (unsigned s = 0; s < SPACES; s++) {
			arch_space_destroy(&at[s].space);
			CHECK(loaded != &at[s].space);
			arch_space_destroy(&at[s].space); /* nothing to do */
		}
		CHECK(shim_pages_used() == 0);
		shim_fail_in = 0;
		CHECK(arch_space_init(&at[0].space) == -ENOMEM);
		shim_fail_in = -1;
	}
	return 0;
}
