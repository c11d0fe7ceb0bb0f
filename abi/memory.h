/* Memory objects and address spaces: what calls 10-40 take and return. */
#ifndef ABI_MEMORY_H
#define ABI_MEMORY_H
#include "abi/types.h"

#define PROTECT_NONE 0u
#define PROTECT_READ 1u
#define PROTECT_WRITE 2u
#define PROTECT_EXECUTE 4u

/* memobj_create and memobj_create_physical options */
#define MEMOBJ_UNCACHED 0x1u /* physical only: device registers */
#define MEMOBJ_GROW 0x2u     /* writing through a description beyond the size enlarges it (files) */

struct memobj_info {
	uint64_t size;       /* bytes */
	uint64_t pages;      /* pages held (shared ones counted once per object) */
	uint64_t modified;   /* monotonic time of the last change of content or size, nanoseconds; 0 never */
	uint64_t dirty;      /* pages dirty or being written; 0 for anonymous objects */
	uint32_t kind;       /* MEMOBJ_ANONYMOUS ... */
	uint32_t seals;      /* SEAL_* */
};
/* memobj_seal: what can never be done to the object again, by whomever and through whatever. Seals are only ever added. */
#define SEAL_SEALS 0x1u         /* adding seals: EPERM */
#define SEAL_SHRINK 0x2u        /* making it smaller: EPERM */
#define SEAL_GROW 0x4u          /* making it larger: EPERM */
#define SEAL_WRITE 0x8u         /* changing its content: EPERM. Refused with EBUSY while a shared mapping of it is or could be made writable */
#define SEAL_FUTURE_WRITE 0x10u /* the same but for mappings that there are */
#define SEAL_EXECUTE 0x20u      /* kept and told only: what is executable is the library's to say */
#define SEAL_ALL 0x3fu
#define SEAL_IMMUTABLE (SEAL_SEALS | SEAL_SHRINK | SEAL_GROW | SEAL_WRITE)
enum { MEMOBJ_ANONYMOUS, MEMOBJ_PAGED, MEMOBJ_PHYSICAL };

/* space_map */
#define MAP_FIXED 0x01u      /* exactly at address, replacing what is there */
#define MAP_FIXED_NEW 0x02u  /* exactly at address, EEXIST when something is there */
#define MAP_PRIVATE_COPY 0x04u /* writes go to the space's private memory, not to the object */
#define MAP_POPULATE 0x08u   /* fault everything in now */
#define MAP_STACK_GROWS 0x10u /* the mapping may grow downward to min_address by faults near its start */
struct map_request {
	uint64_t address;        /* wanted (MAP_FIXED*) or a hint; result */
	uint64_t length;         /* bytes, rounded up to pages, not 0 */
	uint64_t offset;         /* into memobj, page-aligned */
	uint64_t low, high;      /* bounds when an address is chosen: the highest free gap in [low, high) is taken */
	int32_t memobj;          /* handle, or HANDLE_NONE for private zero memory */
	uint32_t protection;
	uint32_t flags;
	uint32_t tag;            /* a word for whoever queries regions (heap, stack, file) */
};
struct move_request {        /* mremap */
	uint64_t address, length;         /* the old range, page-aligned */
	uint64_t new_address, new_length; /* new_address used with MAP_FIXED; result */
	uint64_t low, high;
	uint32_t flags;                   /* MAP_FIXED, MOVE_MAY_MOVE, MOVE_KEEP */
	uint32_t reserved;
};
#define MOVE_MAY_MOVE 0x100u
struct region_info {
	uint64_t start, end, offset;
	uint64_t identity;       /* of the memory object, 0 for private zero memory */
	uint64_t resident;       /* pages */
	uint32_t protection, flags, tag, reserved;
};
struct space_info { uint64_t mapped, resident, private_pages, page_tables, private_peak; };
#endif
