/* Contents of a process's files in /proc, in Linux's formats; files.h. What this system has no notion of is told as zero. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/description.h"
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "files.h"
#include "inside.h"
#include "linux/constants.h"

#define COPY_MAX (256u << 10) /* of arguments or environment */

/* Sums over the regions of a space */
struct sums { uint64_t mapped, resident, data, stack, code, library, code_start, code_end, data_start, data_end; };

static bool of_library(uint64_t address)
{
	return address >= LIBRARY_START && address < LIBRARY_END;
}

static bool next_region(const struct inside *inside, uint64_t address, struct region_info *region)
{
	return inside->space != HANDLE_NONE && address < USER_TOP_MAX && space_query(inside->space, address, region) >= 0 && region->end > address;
}

static void sum(const struct inside *inside, struct sums *sums)
{
	struct region_info region;
	*sums = (struct sums){ .mapped = 0 };
	for (uint64_t address = 0; next_region(inside, address, &region); address = region.end) {
		uint64_t pages = (region.end - region.start) / PAGE_SIZE;
		bool writable = region.protection & PROTECT_WRITE, image = region.tag == LINUX_REGION_IMAGE;
		sums->mapped += pages;
		sums->resident += region.resident;
		if (region.tag == LINUX_REGION_STACK)
			sums->stack += pages;
		else if (writable && !(region.identity && !(region.flags & MAP_PRIVATE_COPY)))
			sums->data += pages;
		if (region.protection & PROTECT_EXECUTE)
			*(image ? &sums->code : &sums->library) += pages;
		if (image && (region.protection & PROTECT_EXECUTE) && !sums->code_start) {
			sums->code_start = region.start;
			sums->code_end = region.end;
		}
		if (image && writable) {
			sums->data_start = sums->data_start ? sums->data_start : region.start;
			sums->data_end = region.end;
		}
	}
}

static uint32_t terminal_foreground(const struct process *process)
{
	struct process *leader = process_find(process->session);
	return process->terminal && leader ? leader->foreground : 0;
}

/* proc is told of signals ignored by default too; the process itself knows which it chose to ignore */
static uint64_t ignored_by(const struct process *process, const struct inside *inside)
{
	return inside->known ? inside->ignored : process->ignored;
}

/* The 52 numbers of stat. thread: of which thread; whole: of the process */
static void text_stat(struct text *text, struct process *process, const struct inside *inside, const struct inside_thread *thread, bool whole)
{
	struct sums sums;
	sum(inside, &sums);
	uint64_t user = whole ? inside->process.user_time : thread->info.user_time, system = whole ? inside->process.system_time : thread->info.system_time;
	uint64_t signals = process->pending & 0x7fffffff;
	int nice = process->nice;
	bool dead = process->state == PROCESS_STATE_ZOMBIE;
	text_add(text, "%u (%s) %c %u %u %u %u %d %u %lu %lu 0 0 %lu %lu %lu %lu %d %d %zu 0 %lu %lu %lu 18446744073709551615 ", whole ? process->pid : thread->id,
		thread->name, inside_state(process, thread), process->parent ? process->parent->pid : 0, process->group, process->session,
		process->terminal, process->terminal ? (int)terminal_foreground(process) : -1, process->flags & PROCESS_SLOT_EXECED ? 0x400000u : 0x400040u,
		whole ? inside->process.page_faults : thread->info.page_faults, process->children.page_faults, TEXT_TICKS(user), TEXT_TICKS(system),
		TEXT_TICKS(process->children.user), TEXT_TICKS(process->children.system), 20 + nice, nice,
		inside->thread_count, TEXT_TICKS(process->start_time), sums.mapped * PAGE_SIZE, sums.resident);
	text_add(text, "%lu %lu %lu 0 0 %lu %lu %lu %lu 0 0 0 %u 0 0 0 0 0 0 %lu %lu %lu %lu %lu %lu %lu %u\n", sums.code_start, sums.code_end, inside->stack_start,
		signals, thread->blocked & 0x7fffffff, ignored_by(process, inside) & 0x7fffffff, inside->caught & 0x7fffffff, whole ? process->exit_signal : (uint32_t)-1,
		sums.data_start, sums.data_end, inside->heap_start, inside->arguments_start, inside->arguments_end, inside->environment_start,
		inside->environment_end, dead ? process->status : 0);
}

static void memory_line(struct text *text, const char *name, uint64_t pages)
{
	text_add(text, "%s:\t%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

static void text_status(struct text *text, struct process *process, const struct inside *inside, const struct inside_thread *thread, bool whole)
{
	static const char *const names[] = { ['R'] = "running", ['S'] = "sleeping", ['T'] = "stopped", ['Z'] = "zombie" };
	char state = inside_state(process, thread);
	uint32_t id = whole ? process->pid : thread->id;
	struct sums sums;
	sum(inside, &sums);
	text_add(text, "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n"
		"FDSize:\t%u\nGroups:\t \nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n", thread->name,
		inside->known ? inside->umask & 0777 : 022, state, names[(int)state], process->pid, id, process->parent ? process->parent->pid : 0,
		inside->process.handles <= 64 ? 64 : (inside->process.handles + 63) & ~63u, process->pid, id, process->group, process->session);
	if (inside->space != HANDLE_NONE) {
		const struct { const char *name; uint64_t pages; } lines[] = {
			{ "VmPeak", sums.mapped }, { "VmSize", sums.mapped }, { "VmLck", 0 }, { "VmPin", 0 }, { "VmHWM", sums.resident + inside->memory.private_peak - inside->memory.private_pages }, { "VmRSS", sums.resident },
			{ "RssAnon", inside->memory.private_pages < sums.resident ? inside->memory.private_pages : sums.resident },
			{ "RssFile", inside->memory.private_pages < sums.resident ? sums.resident - inside->memory.private_pages : 0 }, { "RssShmem", 0 },
			{ "VmData", sums.data }, { "VmStk", sums.stack }, { "VmExe", sums.code }, { "VmLib", sums.library }, { "VmPTE", inside->memory.page_tables },
			{ "VmSwap", 0 }, { "HugetlbPages", 0 },
		};
		for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
			memory_line(text, lines[i].name, lines[i].pages);
		text_add(text, "CoreDumping:\t0\nTHP_enabled:\t0\n");
	}
	text_add(text, "Threads:\t%zu\nSigQ:\t%u/%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\nCapInh:\t0000000000000000\n"
		"CapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t%lu\nSeccomp:\t0\n"
		"Seccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\nSpeculationIndirectBranch:\talways enabled\nCpus_allowed:\t1\n"
		"Cpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		inside->thread_count, process->queue_length + process->thread_queue_length, process->queue_limit, thread->pending, process->pending, thread->blocked, ignored_by(process, inside),
		inside->caught, inside->no_new_privileges, thread->info.waits, thread->info.preemptions);
}

static const char *region_name(const struct process *process, const struct inside *inside, const struct region_info *region, char buffer[232])
{
	switch (region->tag) {
	case LINUX_REGION_HEAP: return "[heap]";
	case LINUX_REGION_STACK: return "[stack]";
	case LINUX_REGION_VDSO: return "[vdso]";
	case LINUX_REGION_LIBRARY: return region->start == LIBRARY_TIME_PAGE ? "[vvar]" : "[library]";
	case LINUX_REGION_IMAGE: return region->identity && process->path ? process->path : "";
	case LINUX_REGION_FILE:
		inside_mapped(inside, region->identity, buffer);
		return buffer;
	default: break;
	}
	if (of_library(region->start))
		return "[library]";
	return inside->heap_end > inside->heap_start && region->start >= inside->heap_start && region->end <= ((inside->heap_end + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1)) ? "[heap]" : "";
}

static void text_maps(struct text *text, struct process *process, const struct inside *inside)
{
	struct region_info region;
	for (uint64_t address = 0; next_region(inside, address, &region); address = region.end) {
		char line[96], buffer[232];
		bool shared = region.identity && !(region.flags & MAP_PRIVATE_COPY), named = region.identity && !of_library(region.start);
		int length = snprintf(line, sizeof line, "%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", region.start, region.end,
			region.protection & PROTECT_READ ? 'r' : '-', region.protection & PROTECT_WRITE ? 'w' : '-', region.protection & PROTECT_EXECUTE ? 'x' : '-',
			shared ? 's' : 'p', named ? region.offset : 0, 0, named ? 1 : 0, named ? region.identity >> 4 & 0xffffffff : 0);
		const char *name = region_name(process, inside, &region, buffer);
		text_add(text, "%s%*s%s\n", line, *name && length < 73 ? 73 - length : 0, "", name);
	}
}

static void text_mounts(struct text *text, const struct process_record *record, bool info)
{
	for (uint32_t i = 0; i < record->mount_count; i++) {
		const struct record_mount *mount = &record->mount[i];
		const char *type = mount->type[0] ? mount->type : "none", *path = i == 0 || !mount->path[0] ? "/" : mount->path;
		if (info)
			text_add(text, "%u %u 0:%lu / %s rw,relatime - %s %s rw\n", i + 20, i ? (uint32_t)mount->parent + 20 : 19, mount->root_device & 0xff, path, type, type);
		else
			text_add(text, "%s %s %s rw,relatime 0 0\n", type, path, type);
	}
}

static void text_limits(struct text *text, const struct inside *inside)
{
	static const char *const names[16][2] = {
		{ "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" }, { "Max stack size", "bytes" },
		{ "Max core file size", "bytes" }, { "Max resident set", "bytes" }, { "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" }, { "Max address space", "bytes" }, { "Max file locks", "locks" }, { "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", NULL }, { "Max realtime priority", NULL }, { "Max realtime timeout", "us" },
	};
	text_add(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < 16; i++) {
		text_add(text, "%-25s ", names[i][0]);
		for (int j = 0; j < 2; j++) {
			if (inside->limits[i][j] == UINT64_MAX)
				text_add(text, "%-20s ", "unlimited");
			else
				text_add(text, "%-20lu ", inside->limits[i][j]);
		}
		if (names[i][1])
			text_add(text, "%-10s\n", names[i][1]);
		else
			text_add(text, "\n");
	}
}

/* A piece of the process's memory; false: it is not to be had */
static bool text_memory(struct text *text, const struct inside *inside, uint64_t start, uint64_t end)
{
	uint64_t size = end - start < COPY_MAX ? end - start : COPY_MAX;
	char *bytes = start && end > start && inside->space != HANDLE_NONE ? malloc(size) : NULL;
	int64_t count = bytes ? space_read(inside->space, start, bytes, size) : 0;
	if (count > 0)
		text_add_bytes(text, bytes, (size_t)count);
	free(bytes);
	return count > 0;
}

static void text_vector(struct text *text, const struct inside *inside)
{
	uint64_t pair[2];
	for (uint64_t at = inside->vector_start; at && at < inside->vector_start + 16 * 64; at += 16) {
		if (inside->space == HANDLE_NONE || space_read(inside->space, at, pair, sizeof pair) != (int64_t)sizeof pair)
			return;
		text_add_bytes(text, pair, sizeof pair);
		if (!pair[0])
			return;
	}
}

/* Of an open descriptor; the kernel tells the same to its holder */
static void text_descriptor(struct text *text, struct process *process, uint32_t number)
{
	struct description_info info;
	struct handle_found found;
	if (!files_descriptor(process, number, &found))
		return;
	int64_t error = description_get(found.handle, &info);
	handle_close(found.handle);
	if (error < 0)
		info = (struct description_info){ .cursor = 0 };
	uint32_t flags = FILE_COOKIE_FLAGS(info.cookie) & ~(LINUX_O_APPEND | LINUX_O_NONBLOCK);
	flags |= (info.flags & DESCRIPTION_APPEND ? LINUX_O_APPEND : 0) | (info.flags & DESCRIPTION_NON_BLOCKING ? LINUX_O_NONBLOCK : 0);
	flags |= found.options & HANDLE_CLOSE_ON_EXEC ? LINUX_O_CLOEXEC : 0;
	bool process_descriptor = error >= 0 && FILE_COOKIE_KIND(info.cookie) == FILE_KIND_PROCESS;
	text_add(text, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n", info.kind == DESCRIPTION_FLOW ? 0 : info.cursor, flags, 20, info.identity >> 4 & 0xffffffff);
	if (process_descriptor) {
		const struct process *other = process_find((uint32_t)info.limit);
		int pid = other && other->serial == info.limit >> 32 && other->state != PROCESS_STATE_ZOMBIE ? (int)other->pid : -1;
		text_add(text, "Pid:\t%d\nNSpid:\t%d\n", pid, pid);
	}
}

static void text_inside(struct text *text, enum files_entry entry, struct process *process, const struct inside *inside, const struct inside_thread *thread,
	bool whole)
{
	struct sums sums;
	switch (entry) {
	case FILE_PID_STAT: text_stat(text, process, inside, thread, whole); break;
	case FILE_PID_STATUS: text_status(text, process, inside, thread, whole); break;
	case FILE_PID_STATM:
		sum(inside, &sums);
		text_add(text, "%lu %lu %lu %lu 0 %lu 0\n", sums.mapped, sums.resident,
			sums.resident > inside->memory.private_pages ? sums.resident - inside->memory.private_pages : 0, sums.code, sums.data + sums.stack);
		break;
	case FILE_PID_MAPS: text_maps(text, process, inside); break;
	case FILE_PID_LIMITS: text_limits(text, inside); break;
	case FILE_PID_AUXV: text_vector(text, inside); break;
	case FILE_PID_ENVIRON: text_memory(text, inside, inside->environment_start, inside->environment_end); break;
	case FILE_PID_COMM: text_add(text, "%s\n", thread->name); break;
	case FILE_PID_CMDLINE:
		/* what the program has there now; before its first instruction, what proc was told */
		if (process->state != PROCESS_STATE_ZOMBIE && !text_memory(text, inside, inside->arguments_start, inside->arguments_end))
			text_add_bytes(text, process->command ? process->command : "", process->command_length);
		break;
	default: break;
	}
}

void text_of_process(struct text *text, enum files_entry entry, struct process *process, uint32_t part)
{
	struct inside inside;
	struct process_record *record;
	if (!process)
		return;
	switch (entry) {
	case FILE_PID_OOM:
	case FILE_PID_OOM_ADJUST: text_add(text, "0\n"); return;
	case FILE_PID_WCHAN: text_add(text, "0"); return;
	case FILE_PID_FDINFO_FILE: text_descriptor(text, process, part); return;
	case FILE_PID_MOUNTS:
	case FILE_PID_MOUNT_INFO:
		record = inside_record(process);
		if (record)
			text_mounts(text, record, entry == FILE_PID_MOUNT_INFO);
		free(record);
		return;
	default: break;
	}
	if (!inside_get(process, &inside)) {
		text->failed = true;
		return;
	}
	const struct inside_thread *thread = part ? inside_thread_find(&inside, part) : &inside.threads[0];
	if (thread)
		text_inside(text, entry, process, &inside, thread, !part);
	inside_put(&inside);
}
