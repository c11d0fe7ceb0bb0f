/* Where a program's mappings go: highest free gap between the value space and the stack; never into the library's range. */
#ifndef LINUX_MM_H
#define LINUX_MM_H
#include "abi/types.h"
#define PLACE_MAPPINGS (LIBRARY_START - (8ul << 20) - (1ul << 20)) /* below the stack and a gap */
#define PLACE_MAPPINGS_LOW VALUE_SPACE_END
#define PLACE_LOW_TOP 0x80000000ul /* MAP_32BIT */
#endif
