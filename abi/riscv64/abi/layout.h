/*
 * Layout of user addresses on riscv64: 47 bits with Sv48, 38 with Sv39, which the kernel tells (struct boot_info). The library lies at the end of the
 * 38 that both have, so it is one image; with Sv48 programs have what lies above it too. Sv39 has no value space.
 */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H
#define USER_TOP_MAX 0x7ffffffff000ul
#define LIBRARY_START 0x3f80000000ul
#define LIBRARY_END 0x3ffffff000ul
/* What is neither the library's nor reserved for values, the highest first. */
#define PROGRAM_RANGES { VALUE_SPACE_END, USER_TOP_MAX }, { LIBRARY_END, VALUE_SPACE_START }, { USER_BOTTOM, LIBRARY_START }
#endif
