/*
 * What the start code of every port does with the memory it was told of: a list of usable ranges, from which the kernel image, the archive and the
 * first tables are cut, and the array of struct page. Runs before anything else of the kernel does.
 */
#include "kernel/core/start.h"
#include "kernel/core/log.h"
#include "kernel/core/page.h"

static void memory_compact(struct start_info *info)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < info->memory_count; i++)
		if (info->memory[i].start < info->memory[i].end)
			info->memory[kept++] = info->memory[i];
	info->memory_count = kept;
}

void start_memory_add(struct start_info *info, physical_t start, physical_t end)
{
	start = align_up(start, PAGE_SIZE);
	end = align_down(end, PAGE_SIZE);
	if (start >= end || info->memory_count == START_RANGES)
		return;
	info->memory[info->memory_count].start = start;
	info->memory[info->memory_count++].end = end;
}

void start_memory_exclude(struct start_info *info, physical_t start, physical_t end)
{
	for (unsigned i = 0; i < info->memory_count; i++) {
		physical_t low = info->memory[i].start, high = info->memory[i].end;
		if (end <= low || start >= high)
			continue;
		info->memory[i].end = max(low, min(start, high));
		if (end < high) {
			if (info->memory_count == START_RANGES)
				continue; /* the part behind is lost */
			info->memory[info->memory_count].start = max(end, low);
			info->memory[info->memory_count++].end = high;
		}
	}
	memory_compact(info);
}

void start_archive_exclude(struct start_info *info)
{
	if (!info->archive_size)
		return;
	if (info->archive_start % PAGE_SIZE)
		panic("the boot archive does not begin on a page");
	start_memory_exclude(info, info->archive_start, align_up(info->archive_start + info->archive_size, PAGE_SIZE));
}

physical_t start_memory_take(struct start_info *info, uint64_t size, physical_t limit)
{
	for (unsigned i = 0; i < info->memory_count; i++) {
		physical_t start = info->memory[i].start;
		if (info->memory[i].end - start >= size && start + size <= limit) {
			info->memory[i].start += size;
			return start;
		}
	}
	panic("too little memory: not enough to start");
}

void start_pages(struct start_info *info, const physical_t (*ram)[2], unsigned count)
{
	physical_t low = UINT64_MAX, high = 0;

	for (unsigned i = 0; i < count; i++) {
		low = min(low, ram[i][0]);
		high = max(high, ram[i][1]);
	}
	physical_t pages = start_memory_take(info, align_up(page_extent_size(low, high), PAGE_SIZE), UINT64_MAX);
	memory_compact(info);
	page_set_extent(pages, low, high);
	if (info->archive_size)
		page_add_boot_range(info->archive_start, align_up(info->archive_start + info->archive_size, PAGE_SIZE));
	if (info->trace_size)
		page_add_boot_range(info->trace_start, info->trace_start + info->trace_size);
}

const char *start_command_value(const struct start_info *info, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = info->command_line; *at; at++)
		if ((at == info->command_line || at[-1] == ' ') && strncmp(at, name, length) == 0)
			return at + length;
	return NULL;
}

static uint64_t decimal(const char **text)
{
	uint64_t value = 0;

	for (; **text >= '0' && **text <= '9'; ++*text)
		value = value * 10 + (uint64_t)(**text - '0');
	return value;
}

void start_trace_exclude(struct start_info *info)
{
	const char *text = start_command_value(info, "ktrace=");

	if (!text)
		return;
	physical_t start = decimal(&text);
	uint64_t size = *text == ':' ? (text++, decimal(&text)) : 0;
	for (unsigned i = 0; i < info->memory_count; i++) {
		if (start % PAGE_SIZE || size % PAGE_SIZE || start < info->memory[i].start || start >= info->memory[i].end || size > info->memory[i].end - start)
			continue;
		info->trace_start = start;
		info->trace_size = size;
		start_memory_exclude(info, start, start + size);
		return;
	}
}

bool start_command_has(const struct start_info *info, const char *word)
{
	size_t length = strlen(word);

	for (const char *at = info->command_line; *at; ) {
		size_t part = 0;
		while (at[part] && at[part] != ' ')
			part++;
		if (part == length && strncmp(at, word, length) == 0)
			return true;
		at += part;
		while (*at == ' ')
			at++;
	}
	return false;
}
