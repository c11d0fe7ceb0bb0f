/*
 * Page tables and copies to and from user memory, in spaces of the check's own that nobody resolves faults for. That the processor forgets a
 * translation is seen by an access right after each change, in the active space.
 */
#include "arch/mmu.h"
#include "arch/processor.h"
#include "arch/test/test.h"
#include "arch/usercopy.h"
#include "kernel/core/log.h"

#define ADDRESS 0x12345000ul
#define FAR_ADDRESS (LIBRARY_START + 0x40000000ul - 3 * PAGE_SIZE) /* at the end of a table of the second level */
#define RW (ARCH_MAP_READ | ARCH_MAP_WRITE)
#define PAGES 80u /* more than are forgotten one by one */

static struct arch_space space, other;
static struct page *pages[4];

/* Page i is full of the byte i + 1. */
static bool prepare(void)
{
	for (unsigned i = 0; i < array_count(pages); i++) {
		pages[i] = page_alloc(0, 0);
		if (!pages[i])
			return false;
		memset(page_address(pages[i]), (int)i + 1, PAGE_SIZE);
	}
	if (arch_space_init(&space) || arch_space_init(&other))
		return false;
	arch_space_activate(&space);
	return true;
}

static const char *in_spaces(const char *(*check)(void))
{
	uint64_t before = page_free_count();
	const char *failure = prepare() ? check() : "memory";
	arch_space_destroy(&other);
	arch_space_destroy(&space);
	arch_space_activate(NULL);
	for (unsigned i = 0; i < array_count(pages); i++)
		page_unref(pages[i]);
	if (!failure)
		expect(page_free_count() == before);
	return failure;
}

static bool map(struct arch_space *in, uint64_t address, unsigned page, unsigned flags)
{
	physical_t physical = page_physical(pages[page]);
	return arch_space_map(in, address, &physical, 1, flags) == 1;
}

/* The byte there, or an error. */
static int byte_at(uint64_t address)
{
	uint8_t byte;
	int error = copy_from_user_present(&byte, address, 1);
	return error ? error : byte;
}

static int store(uint64_t address)
{
	uint8_t byte = 99;
	return copy_to_user_present(address, &byte, 1);
}

static const char *copies(void)
{
	uint8_t buffer[2 * 4096], *second = page_address(pages[1]);
	uint32_t word = 7;
	expect(copy_from_user_present(buffer, ADDRESS, 8) == -EFAULT); /* nothing there */
	expect(copy_from_user(buffer, ADDRESS, 8) == -EFAULT);         /* and nobody to resolve it */
	expect(copy_to_user_present(ADDRESS, buffer, 8) == -EFAULT && copy_to_user(ADDRESS, buffer, 8) == -EFAULT);
	expect(map(&space, ADDRESS, 0, RW) && map(&space, ADDRESS + PAGE_SIZE, 1, RW));

	/* all lengths and alignments across the end of a page */
	for (unsigned length = 0; length < 70; length++)
		for (unsigned back = 0; back <= length; back++) {
			memset(buffer, 0, 80);
			expect(!copy_from_user(buffer, ADDRESS + PAGE_SIZE - back, length));
			expect(!length || (buffer[0] == (back ? 1 : 2) && buffer[length - 1] == (back == length ? 1 : 2) && !buffer[length]));
		}
	expect(!copy_from_user(buffer, ADDRESS, 2 * PAGE_SIZE) && buffer[PAGE_SIZE - 1] == 1 && buffer[PAGE_SIZE] == 2 && buffer[2 * PAGE_SIZE - 1] == 2);

	/* across the end of what is mapped, and of user addresses; what lies in the kernel is no user memory */
	for (unsigned length = 1; length < 70; length++)
		for (unsigned inside = 0; inside < length; inside++) {
			uint64_t at = ADDRESS + 2 * PAGE_SIZE - inside;
			expect(copy_from_user(buffer, at, length) == -EFAULT && copy_to_user(at, buffer, length) == -EFAULT);
			expect(copy_from_user_present(buffer, at, length) == -EFAULT && copy_to_user_present(at, buffer, length) == -EFAULT);
		}
	memset(second, 2, PAGE_SIZE);
	expect(copy_from_user(buffer, ADDRESS - 5, 9) == -EFAULT);
	expect(copy_to_user(USER_TOP - 1, buffer, 2) == -EFAULT && copy_to_user(UINT64_MAX - 1, buffer, 8) == -EFAULT && copy_from_user(buffer, USER_TOP, 1) == -EFAULT);
	expect(copy_from_user(buffer, ADDRESS, UINT64_MAX) == -EFAULT && copy_from_user(buffer, ADDRESS, USER_TOP) == -EFAULT);
	expect(copy_from_user(buffer, (uint64_t)second, 1) == -EFAULT && copy_to_user_present((uint64_t)second, buffer, 1) == -EFAULT);

	/* words */
	expect(!user_store32(ADDRESS + PAGE_SIZE, 0x12345678) && !user_load32_present(ADDRESS + PAGE_SIZE, &word) && word == 0x12345678);
	expect(*(uint32_t *)second == 0x12345678 && second[4] == 2);
	expect(user_store32(ADDRESS + 2, 1) == -EFAULT && user_load32_present(ADDRESS + 2, &word) == -EFAULT);
	expect(user_store32(ADDRESS + 2 * PAGE_SIZE, 1) == -EFAULT && user_load32_present(ADDRESS + 2 * PAGE_SIZE, &word) == -EFAULT);
	expect(user_store32(USER_TOP, 1) == -EFAULT && user_load32_present((uint64_t)second, &word) == -EFAULT);
	return NULL;
}

/* Write protection of everything, as fork does it: nothing comes back but what is mapped again. */
static const char *protection(void)
{
	physical_t found, first = page_physical(pages[0]), three[3] = { first, first, first };
	expect(arch_space_map(&space, ADDRESS, three, 3, RW) == 3 && map(&space, FAR_ADDRESS, 1, RW));
	expect(!store(ADDRESS) && !store(FAR_ADDRESS));
	arch_space_write_protect(&space, 0, USER_TOP);
	expect(store(ADDRESS) == -EFAULT && store(FAR_ADDRESS) == -EFAULT && byte_at(ADDRESS) == 99 && byte_at(FAR_ADDRESS) == 99);
	expect(map(&space, ADDRESS + PAGE_SIZE, 0, RW));
	expect(!arch_space_allows(&space, ADDRESS, ARCH_MAP_WRITE, NULL) && arch_space_allows(&space, ADDRESS, ARCH_MAP_READ, NULL));
	expect(arch_space_allows(&space, ADDRESS + PAGE_SIZE + 5, ARCH_MAP_WRITE, &found) && found == first + 5);
	expect(!arch_space_allows(&space, ADDRESS + 2 * PAGE_SIZE, ARCH_MAP_WRITE, NULL) && !arch_space_allows(&space, ADDRESS + 3 * PAGE_SIZE, ARCH_MAP_READ, NULL));
	expect(!store(ADDRESS + PAGE_SIZE) && store(ADDRESS + 2 * PAGE_SIZE) == -EFAULT && store(ADDRESS) == -EFAULT);
	arch_space_write_protect(&space, ADDRESS + PAGE_SIZE, ADDRESS + 2 * PAGE_SIZE);
	expect(store(ADDRESS + PAGE_SIZE) == -EFAULT && byte_at(ADDRESS + PAGE_SIZE) == 99);
	expect(!arch_space_allows(&space, ADDRESS, ARCH_MAP_EXECUTE, NULL) && !arch_space_allows(&space, USER_TOP, ARCH_MAP_READ, NULL));
	expect(map(&space, ADDRESS, 2, ARCH_MAP_READ | ARCH_MAP_EXECUTE) && arch_space_allows(&space, ADDRESS, ARCH_MAP_EXECUTE, NULL) && store(ADDRESS) == -EFAULT);
	expect(map(&space, ADDRESS, 2, 0) && byte_at(ADDRESS) == -EFAULT); /* no right is no translation */
	arch_space_write_protect(&space, 0, USER_TOP); /* twice is as once */
	arch_space_write_protect(&space, 0, USER_TOP);
	expect(byte_at(FAR_ADDRESS) == 99 && store(FAR_ADDRESS) == -EFAULT && map(&space, FAR_ADDRESS, 1, RW) && !store(FAR_ADDRESS));
	expect(arch_space_tables(&space) > 4);
	arch_space_unmap(&space, 0, USER_TOP);
	expect(byte_at(ADDRESS + PAGE_SIZE) == -EFAULT && byte_at(FAR_ADDRESS) == -EFAULT && arch_space_tables(&space) == 1);
	return NULL;
}

static const char *forgetting(void)
{
	static physical_t many[PAGES];
	expect(map(&space, ADDRESS, 0, RW) && byte_at(ADDRESS) == 1);
	expect(map(&space, ADDRESS, 1, RW) && byte_at(ADDRESS) == 2); /* replaced */
	expect(!store(ADDRESS));
	expect(map(&space, ADDRESS, 1, ARCH_MAP_READ) && store(ADDRESS) == -EFAULT); /* fewer rights */
	expect(map(&space, ADDRESS, 1, RW) && !store(ADDRESS));
	arch_space_unmap(&space, ADDRESS, ADDRESS + PAGE_SIZE);
	expect(byte_at(ADDRESS) == -EFAULT);
	expect(map(&space, ADDRESS, 2, RW) && byte_at(ADDRESS) == 3); /* and one that was not there before */

	for (unsigned i = 0; i < PAGES; i++)
		many[i] = page_physical(pages[i % 2]);
	expect(arch_space_map(&space, ADDRESS, many, PAGES, RW) == PAGES);
	for (unsigned i = 0; i < PAGES; i++)
		expect(byte_at(ADDRESS + i * PAGE_SIZE) == (i % 2 ? 99 : 1));
	arch_space_write_protect(&space, ADDRESS, ADDRESS + PAGES * PAGE_SIZE);
	for (unsigned i = 0; i < PAGES; i++)
		expect(store(ADDRESS + i * PAGE_SIZE) == -EFAULT);
	arch_space_unmap(&space, ADDRESS + PAGE_SIZE, ADDRESS + (PAGES - 1) * PAGE_SIZE);
	for (unsigned i = 0; i < PAGES; i++)
		expect((byte_at(ADDRESS + i * PAGE_SIZE) >= 0) == (i == 0 || i == PAGES - 1));

	/* a table that was freed is not walked any more: its page is something else now */
	arch_space_unmap(&space, ADDRESS, ADDRESS + PAGES * PAGE_SIZE);
	expect(map(&space, FAR_ADDRESS, 3, RW) && byte_at(FAR_ADDRESS) == 4 && byte_at(ADDRESS) == -EFAULT);
	return NULL;
}

static const char *spaces(void)
{
	expect(map(&space, ADDRESS, 0, RW) && map(&other, ADDRESS, 1, RW) && byte_at(ADDRESS) == 1);
	arch_space_activate(&other);
	expect(byte_at(ADDRESS) == 2);
	expect(map(&space, ADDRESS, 2, RW) && byte_at(ADDRESS) == 2); /* a change of another space is not seen here */
	arch_space_unmap(&space, 0, USER_TOP);
	expect(byte_at(ADDRESS) == 2);
	arch_space_activate(&space);
	expect(byte_at(ADDRESS) == -EFAULT); /* but there */
	expect(map(&other, ADDRESS, 3, ARCH_MAP_READ));
	arch_space_activate(&other);
	expect(byte_at(ADDRESS) == 4 && store(ADDRESS) == -EFAULT);
	arch_space_activate(NULL);
	expect(byte_at(ADDRESS) == -EFAULT);
	arch_space_activate(&space);
	return NULL;
}

const char *test_copies(void) { return in_spaces(copies); }
const char *test_protection(void) { return in_spaces(protection); }
const char *test_forgetting(void) { return in_spaces(forgetting); }
const char *test_spaces(void) { return in_spaces(spaces); }
