/* Spaces from outside: pins, copies, futex keys, questions. See space.h for the contracts. */
#include "kernel/core/log.h"
#include "kernel/vm/space_private.h"

/* The page under address if its translation allows the access now, referenced; else NULL. pin: add it there, unless NULL. */
static struct page *page_present(struct space *space, uint64_t address, uint32_t access, struct space_pin *pin)
{
	physical_t physical;
	struct page *page = 0;
	spin_lock(&space->lock);
	if (arch_space_allows(&space->arch, address, access, &physical))
		page = page_of_physical(physical & ~(PAGE_SIZE - 1));
	if (page)
		page_ref(page);
	if (page && pin)
		pin->pages[pin->count++] = page;
	spin_unlock(&space->lock);
	return page;
}

static int page_get(struct space *space, uint64_t address, uint32_t access, bool force, struct page **page)
{
	*page = page_present(space, address, access, NULL);
	return *page ? 0 : space_resolve(space, address, access, force, page);
}

/* How many pages a range that is not empty touches, from the one of *first; an error if that is more than room, or not user memory. */
static int pages_touched(uint64_t address, uint64_t length, unsigned room, uint64_t *first)
{
	if (address + length < address || address + length > USER_TOP || address < USER_BOTTOM)
		return -EFAULT;
	*first = address & ~(PAGE_SIZE - 1);
	uint64_t needed = (align_up(address + length, PAGE_SIZE) - *first) >> PAGE_SHIFT;
	return needed > room ? -EMSGSIZE : (int)needed;
}

int space_pin_written(struct space *space, uint64_t address, uint64_t length, struct space_pin *pin)
{
	uint64_t first = 0;
	int needed = length ? pages_touched(address, length, pin->room, &first) : 0, error = 0;
	if (needed < 0)
		return needed;
	pin->first = first >> PAGE_SHIFT;
	pin->count = 0;
	/* in the list from the start: a clone may be made while a page is fetched */
	spin_lock(&space->lock);
	list_add_last(&space->pins, &pin->link);
	spin_unlock(&space->lock);
	for (int i = 0; i < needed && !error; i++) {
		uint64_t at = first + (uint64_t)i * PAGE_SIZE;
		while (!page_present(space, at, PROTECT_WRITE, pin) && !error)
			error = space_resolve(space, at, PROTECT_WRITE, false, NULL);
	}
	if (error)
		space_unpin_written(space, pin);
	return !error || error == -ENOMEM ? error : -EFAULT;
}

void space_unpin_written(struct space *space, struct space_pin *pin)
{
	spin_lock(&space->lock);
	list_remove(&pin->link);
	spin_unlock(&space->lock);
	while (pin->count)
		page_unref(pin->pages[--pin->count]);
}

int space_pin(struct space *space, uint64_t address, uint64_t length, bool write, struct page **pages, unsigned count)
{
	uint64_t first;
	if (!length)
		return 0;
	int needed = pages_touched(address, length, count, &first);
	if (needed < 0)
		return needed;
	for (int i = 0; i < needed; i++) {
		int error = page_get(space, first + (uint64_t)i * PAGE_SIZE, write ? PROTECT_WRITE : PROTECT_READ, false, &pages[i]);
		if (error) {
			while (i)
				page_unref(pages[--i]);
			return error == -ENOMEM ? error : -EFAULT;
		}
	}
	return needed;
}

int64_t space_copy(struct space *space, uint64_t address, void *kernel_buffer, uint64_t length, bool write, bool force)
{
	uint64_t done = 0;
	while (done < length) {
		uint64_t at = address + done;
		unsigned in_page = at & (PAGE_SIZE - 1);
		uint64_t piece = min(length - done, PAGE_SIZE - in_page);
		struct page *page;
		int error = at < address || at >= USER_TOP ? -EFAULT
			: page_get(space, at, write ? PROTECT_WRITE : PROTECT_READ, force, &page);
		if (error)
			return done ? (int64_t)done : error == -ENOMEM ? error : -EFAULT;
		char *content = (char *)page_address(page) + in_page;
		if (write)
			memcpy(content, (char *)kernel_buffer + done, piece);
		else
			memcpy((char *)kernel_buffer + done, content, piece);
		page_unref(page);
		done += piece;
	}
	return done;
}

int space_futex_key(struct space *space, uint64_t address, bool shared, struct futex_key *key)
{
	key->object = space;
	key->offset = address;
	if (address >= USER_TOP)
		return -EFAULT;
	if (!shared)
		return 0; /* whatever is there: a wake needs no memory */
	spin_lock(&space->lock);
	const struct region *region = map_find(space->map, address);
	if (region && !region_is_private(region)) {
		key->object = region->memobj;
		key->offset = region->offset + (address - region->start);
	}
	spin_unlock(&space->lock);
	return region ? 0 : -EFAULT;
}

/* Pages that a region has in memory: its private ones, and those of its object that these do not hide. */
static uint64_t region_resident(struct space *space, const struct region *region)
{
	uint64_t private = radix_count(&space->memory, region->start >> PAGE_SHIFT, region->end >> PAGE_SHIFT);
	uint64_t pages = (region->end - region->start) >> PAGE_SHIFT;
	if (!region->memobj)
		return private;
	uint64_t object = memobj_resident(region->memobj, region_index(region, region->start), region_index(region, region->end));
	return min(pages, private + object);
}

int space_query(struct space *space, uint64_t address, struct region_info *info)
{
	memset(info, 0, sizeof(*info));
	spin_lock(&space->lock);
	const struct region *region = map_first(space->map, address);
	if (region) {
		info->start = region->start;
		info->end = region->end;
		info->offset = region->offset;
		info->identity = (uint64_t)(uintptr_t)region->memobj;
		info->resident = region_resident(space, region);
		info->protection = region->protection;
		info->flags = region->flags;
		info->tag = region->tag;
	}
	spin_unlock(&space->lock);
	return region ? 0 : -ENOENT;
}

static uint64_t resident_of(struct space *space, const struct map_node *node)
{
	return node ? resident_of(space, node->left) + region_resident(space, &node->region) + resident_of(space, node->right) : 0;
}

void space_get_info(struct space *space, struct space_info *info)
{
	memset(info, 0, sizeof(*info));
	spin_lock(&space->lock);
	info->mapped = space->map ? space->map->total >> PAGE_SHIFT : 0;
	info->resident = resident_of(space, space->map);
	info->private_pages = radix_pages(&space->memory);
	info->private_peak = max(space->peak, info->private_pages);
	info->page_tables = arch_space_tables(&space->arch);
	spin_unlock(&space->lock);
}
