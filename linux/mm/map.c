/* mmap, munmap, mprotect, mremap: Linux's rules on top of the kernel's maps. The program's part: mm.h. */
#include "abi/description.h"
#include "carillon/file_protocol.h"
#include "linux/calls.h"
#include "linux/mm/mm.h"
#include "linux/process/process.h"

#define FLAGS_KNOWN (LINUX_MAP_TYPE | LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | LINUX_MAP_32BIT | LINUX_MAP_GROWSDOWN | LINUX_MAP_DENYWRITE | \
	LINUX_MAP_EXECUTABLE | LINUX_MAP_LOCKED | LINUX_MAP_NORESERVE | LINUX_MAP_POPULATE | LINUX_MAP_NONBLOCK | LINUX_MAP_STACK | \
	LINUX_MAP_HUGETLB | LINUX_MAP_FIXED_NOREPLACE)

static uint32_t protection_of(uint64_t value)
{
	uint32_t protection = 0;
	if (value & LINUX_PROT_READ)
		protection |= PROTECT_READ;
	if (value & LINUX_PROT_WRITE) /* what is writable can be read on every port */
		protection |= PROTECT_READ | PROTECT_WRITE;
	if (value & LINUX_PROT_EXEC)
		protection |= PROTECT_READ | PROTECT_EXECUTE;
	return protection;
}

bool program_range(struct linux_thread *t, uint64_t address, uint64_t length)
{
	uint64_t top = program_top(t->process->record);
	return address <= top && length <= top - address && (address >= LIBRARY_END || address + length <= LIBRARY_START);
}

static bool value_space(uint64_t address, uint64_t length)
{
	return address < VALUE_SPACE_END && address + length > VALUE_SPACE_START;
}

/* The object behind a descriptor, and whether the mapping is of a device that reads as zero. */
static int64_t map_object(handle_t file, bool shared, bool write, bool *zero)
{
	struct description_info info;
	*zero = false;
	int64_t result = description_get(file, &info);
	if (result < 0)
		return result == -EINVAL ? -ENODEV : result;
	if (info.kind == DESCRIPTION_ZERO) {
		*zero = true;
		return HANDLE_NONE;
	}
	if (FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PATH)
		return -EBADF;
	if (!(info.rights & RIGHT_READ) || (shared && write && !(info.rights & RIGHT_WRITE)))
		return -EACCES;
	result = description_memobj(file);
	return result == -EINVAL || result == -ENOTCONN ? -ENODEV : result;
}

/* Keeps what the file just mapped at address is called; asks its server only when it is not known. */
static void mapped_note(struct linux_thread *t, handle_t file, uint64_t address)
{
	struct linux_process *p = t->process;
	struct region_info region, other;
	struct linux_mapped *entry;
	char name[sizeof entry->name];
	unsigned count = 0;
	if (space_query(HANDLE_SELF_SPACE, address, &region) < 0 || !region.identity)
		return;
	lock_take(&p->lock);
	for (entry = p->mapped; entry && entry->identity != region.identity; entry = entry->next)
		count++;
	/* an identity is only worth something while the object lives: its place must still show it */
	bool known = entry && entry->address != address && space_query(HANDLE_SELF_SPACE, entry->address, &other) >= 0 &&
		other.start <= entry->address && other.identity == region.identity;
	lock_release(&p->lock);
	if (known || (!entry && count >= LINUX_MAPPED_MAX))
		return;
	name_tell(t, file, name, sizeof name);
	struct linux_mapped *fresh = entry ? NULL : linux_alloc(p, sizeof *fresh);
	if (!entry && !fresh)
		return;
	lock_take(&p->lock);
	if (fresh) {
		fresh->next = p->mapped;
		p->mapped = entry = fresh;
	}
	entry->identity = region.identity;
	entry->address = address;
	memcpy(entry->name, name, sizeof name);
	lock_release(&p->lock);
}

int64_t linux_mmap(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t address = argument[0], length = page_round_up(argument[1]), flags = argument[3], offset = argument[5];
	uint32_t type = flags & LINUX_MAP_TYPE;
	const struct process_record *record = t->process->record;
	if (!argument[1] || offset & (PAGE_SIZE - 1))
		return -EINVAL;
	if (length < argument[1] || length > program_top(record))
		return -ENOMEM;
	if (type != LINUX_MAP_SHARED && type != LINUX_MAP_PRIVATE && type != LINUX_MAP_SHARED_VALIDATE)
		return -EINVAL;
	if (type == LINUX_MAP_SHARED_VALIDATE && (flags & ~FLAGS_KNOWN))
		return -EOPNOTSUPP;
	if ((flags & LINUX_MAP_HUGETLB) && (flags & LINUX_MAP_ANONYMOUS))
		return -ENOMEM; /* as a system without reserved huge pages */
	if (memory_exceeds(t, length))
		return -ENOMEM;
	bool shared = type != LINUX_MAP_PRIVATE, fixed = flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE), zero = true;
	struct map_request request = {
		.length = length, .offset = offset, .low = place_mappings_low(record), .high = place_mappings(record), .memobj = HANDLE_NONE,
		.protection = protection_of(argument[2]), .tag = LINUX_REGION_NONE,
	};
	if (fixed) {
		if (address & (PAGE_SIZE - 1))
			return -EINVAL;
		if (!program_range(t, address, length) || value_space(address, length))
			return -ENOMEM;
		if (address < USER_BOTTOM)
			return -EPERM;
		request.flags = flags & LINUX_MAP_FIXED_NOREPLACE ? MAP_FIXED_NEW : MAP_FIXED;
		request.address = address;
	} else if (flags & LINUX_MAP_32BIT) {
		request.low = USER_BOTTOM;
		request.high = PLACE_LOW_TOP;
	}
	if (!(flags & LINUX_MAP_ANONYMOUS)) {
		int64_t object = map_object((int32_t)argument[4], shared, argument[2] & LINUX_PROT_WRITE, &zero);
		if (object < 0 && !zero)
			return object;
		request.memobj = (handle_t)object;
		request.tag = LINUX_REGION_FILE;
	}
	if (zero) {
		if ((flags & LINUX_MAP_GROWSDOWN) && (flags & LINUX_MAP_ANONYMOUS) && !shared)
			request.tag = LINUX_REGION_GROWS;
		request.offset = 0;
		if (shared) { /* shared memory of parent and children: an object of its own */
			int64_t object = memobj_create(length, 0);
			if (object < 0)
				return object;
			request.memobj = (handle_t)object;
		}
	}
	if (request.memobj != HANDLE_NONE && !shared)
		request.flags |= MAP_PRIVATE_COPY;
	if (flags & (LINUX_MAP_POPULATE | LINUX_MAP_LOCKED))
		request.flags |= MAP_POPULATE;
	int64_t result = -EEXIST;
	if (!fixed && address && !(flags & LINUX_MAP_32BIT)) { /* a hint is taken when the place is free */
		struct map_request hint = request;
		hint.address = page_round_down(address);
		hint.flags |= MAP_FIXED_NEW;
		if (hint.address >= USER_BOTTOM && program_range(t, hint.address, length) && !value_space(hint.address, length)) {
			result = space_map(HANDLE_SELF_SPACE, &hint);
			if (result >= 0)
				request.address = hint.address;
		}
	}
	if (result < 0)
		result = space_map(HANDLE_SELF_SPACE, &request);
	if (request.memobj != HANDLE_NONE)
		(void)handle_close(request.memobj);
	if (result >= 0 && request.tag == LINUX_REGION_FILE && !zero)
		mapped_note(t, (handle_t)argument[4], request.address);
	return result < 0 ? result : (int64_t)request.address;
}

int64_t linux_munmap(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t address = argument[0], length = page_round_up(argument[1]);
	if (address & (PAGE_SIZE - 1) || !argument[1] || length < argument[1] || !program_range(t, address, length))
		return -EINVAL;
	int64_t result = space_unmap(HANDLE_SELF_SPACE, address, length);
	return result < 0 ? result : 0;
}

int64_t linux_mprotect(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t address = argument[0], length = page_round_up(argument[1]);
	if (address & (PAGE_SIZE - 1) || argument[2] & ~0x0300000ful)
		return -EINVAL;
	if (!argument[1])
		return 0;
	if (length < argument[1] || !program_range(t, address, length))
		return -ENOMEM;
	/* Linux answers ENOMEM when part of the range is not mapped, after changing what lies before. */
	uint64_t end = address + length, at = address;
	while (at < end) {
		struct region_info region;
		int64_t result = space_query(HANDLE_SELF_SPACE, at, &region);
		if (result < 0 || region.start > at)
			return -ENOMEM;
		uint64_t stop = MINIMUM(region.end, end);
		result = space_protect(HANDLE_SELF_SPACE, at, stop - at, protection_of(argument[2]));
		if (result < 0)
			return result;
		at = stop;
	}
	return 0;
}

int64_t linux_mremap(struct linux_thread *t, const uint64_t argument[6])
{
	uint64_t old = argument[0], old_length = page_round_up(argument[1]), new_length = page_round_up(argument[2]), flags = argument[3];
	uint64_t target = argument[4];
	struct region_info region;
	if (old & (PAGE_SIZE - 1) || !argument[2] || new_length < argument[2] || flags & ~(uint64_t)(LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED))
		return -EINVAL;
	if ((flags & LINUX_MREMAP_FIXED) && !(flags & LINUX_MREMAP_MAYMOVE))
		return -EINVAL;
	if (!old_length || !program_range(t, old, old_length) || new_length > program_top(t->process->record))
		return !old_length ? -EINVAL : -EFAULT;
	if (space_query(HANDLE_SELF_SPACE, old, &region) < 0 || region.start > old || region.end < old + old_length)
		return -EFAULT;
	struct move_request request = {
		.address = old, .length = old_length, .new_length = new_length, .low = place_mappings_low(t->process->record), .high = place_mappings(t->process->record),
		.flags = flags & LINUX_MREMAP_MAYMOVE ? MOVE_MAY_MOVE : 0,
	};
	if (flags & LINUX_MREMAP_FIXED) {
		if (target & (PAGE_SIZE - 1) || !program_range(t, target, new_length) || value_space(target, new_length) || target < USER_BOTTOM)
			return -EINVAL;
		if (target < old + old_length && old < target + new_length)
			return -EINVAL;
		request.new_address = target;
		request.flags |= MAP_FIXED;
	} else if (new_length == old_length) {
		return (int64_t)old;
	} else if (new_length < old_length) {
		int64_t result = space_unmap(HANDLE_SELF_SPACE, old + new_length, old_length - new_length);
		return result < 0 ? result : (int64_t)old;
	} else if (!program_range(t, old, new_length) && !(flags & LINUX_MREMAP_MAYMOVE)) {
		return -ENOMEM;
	}
	if (new_length > old_length && memory_exceeds(t, new_length - old_length))
		return -ENOMEM;
	int64_t result = space_move(HANDLE_SELF_SPACE, &request);
	return result < 0 ? (result == -EEXIST ? -ENOMEM : result) : (int64_t)request.new_address;
}
