/* Layout of user addresses on x86_64: 47 bits, the library at their end. */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H
#define USER_TOP_MAX 0x7ffffffff000ul
#define LIBRARY_START 0x7fff80000000ul
#define LIBRARY_END USER_TOP_MAX
/* What is neither the library's nor reserved for values, the highest first. */
#define PROGRAM_RANGES { VALUE_SPACE_END, LIBRARY_START }, { USER_BOTTOM, VALUE_SPACE_START }
#endif
