/* Contents of the files in /proc, in Linux's formats; files.h. What this system has no notion of is told as zero. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/record.h"
#include "files.h"

#define HOSTNAME "carillon"
#define RELEASE "6.1.0-carillon"
#define TICKS(nanoseconds) ((nanoseconds) / 10000000ul) /* of 10 ms */

static char boot_id[37];

void text_add_bytes(struct text *text, const void *bytes, size_t length)
{
	if (text->length + length > text->room) {
		size_t room = text->room ? text->room * 2 : 1024;
		while (room < text->length + length)
			room *= 2;
		char *more = realloc(text->bytes, room);
		if (!more) {
			text->failed = true;
			return;
		}
		text->bytes = more;
		text->room = room;
	}
	memcpy(text->bytes + text->length, bytes, length);
	text->length += length;
}

void text_add(struct text *text, const char *format, ...)
{
	char line[1536];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (length > 0)
		text_add_bytes(text, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static void make_uuid(char uuid[37])
{
	unsigned char bytes[16] = { 0 };
	random_get(bytes, sizeof bytes);
	bytes[6] = (bytes[6] & 0x0f) | 0x40;
	bytes[8] = (bytes[8] & 0x3f) | 0x80;
	char *out = uuid;
	for (int i = 0; i < 16; i++)
		out += snprintf(out, 4, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
}

void text_start(void)
{
	make_uuid(boot_id);
}

/* -- the system */

static void count_processes(unsigned *running, unsigned *total, uint32_t *last)
{
	*running = *total = *last = 0;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		++*total;
		if (p->pid > *last)
			*last = p->pid;
	}
	*running = 1; /* the one that asks */
}

static void text_processors(struct text *text, unsigned processors)
{
	for (unsigned i = 0; i < processors; i++)
		text_add(text, "processor\t: %u\nvendor_id\t: Carillon\ncpu family\t: 6\nmodel\t\t: 0\nmodel name\t: virtual processor\nstepping\t: 0\n"
			"cpu MHz\t\t: 1000.000\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\nfpu\t\t: yes\n"
			"flags\t\t: fpu tsc msr pae cx8 apic cmov pat mmx fxsr sse sse2 syscall nx lm\nbogomips\t: 2000.00\n\n",
			i, processors, i, processors);
}

static void text_statistics(struct text *text, const struct system_info *info)
{
	unsigned running, total;
	uint32_t last;
	count_processes(&running, &total, &last);
	unsigned processors = info->processors ? info->processors : 1;
	text_add(text, "cpu  %lu 0 0 %lu 0 0 0 0 0 0\n", TICKS(info->busy_time), TICKS(info->idle_time));
	for (unsigned i = 0; i < processors; i++)
		text_add(text, "cpu%u %lu 0 0 %lu 0 0 0 0 0 0\n", i, TICKS(info->busy_time) / processors, TICKS(info->idle_time) / processors);
	text_add(text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\n", info->interrupts, info->context_switches,
		info->boot_time / 1000000000ul, last, running);
}

void text_of_system(struct text *text, enum files_entry entry)
{
	struct system_info info = { 0 };
	uint64_t uptime = (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
	unsigned running, total;
	uint32_t last;
	char uuid[37];
	system_get(&info);
	switch (entry) {
	case FILE_MEMINFO:
		text_add(text, "MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\nBuffers:        %8u kB\nCached:         %8u kB\n"
			"SwapCached:     %8u kB\nActive:         %8u kB\nInactive:       %8u kB\nSwapTotal:      %8u kB\nSwapFree:       %8u kB\n"
			"Dirty:          %8u kB\nShmem:          %8u kB\nSlab:           %8lu kB\nKernelStack:    %8u kB\nPageTables:     %8u kB\n",
			info.pages_total * 4, info.pages_free * 4, info.pages_free * 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, info.pages_kernel * 4, 0, 0);
		break;
	case FILE_CPUINFO: text_processors(text, info.processors ? info.processors : 1); break;
	case FILE_STAT: text_statistics(text, &info); break;
	case FILE_UPTIME:
		text_add(text, "%lu.%02lu %lu.%02lu\n", uptime / 1000000000, uptime / 10000000 % 100, info.idle_time / 1000000000, info.idle_time / 10000000 % 100);
		break;
	case FILE_LOADAVG:
		count_processes(&running, &total, &last);
		text_add(text, "0.00 0.00 0.00 %u/%u %u\n", running, total, last);
		break;
	case FILE_VERSION: text_add(text, "Linux version " RELEASE " (%s) #1\n", info.version); break;
	case FILE_FILESYSTEMS: text_add(text, "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n"); break;
	case FILE_COMMAND_LINE: text_add(text, "\n"); break;
	case FILE_HOSTNAME: text_add(text, HOSTNAME "\n"); break;
	case FILE_DOMAINNAME: text_add(text, "(none)\n"); break;
	case FILE_OSRELEASE: text_add(text, RELEASE "\n"); break;
	case FILE_OSTYPE: text_add(text, "Linux\n"); break;
	case FILE_OSVERSION: text_add(text, "#1\n"); break;
	case FILE_PID_MAX: text_add(text, "%u\n", PID_MAX); break;
	case FILE_THREADS_MAX: text_add(text, "%u\n", PROCESS_SLOTS); break;
	case FILE_NGROUPS_MAX: text_add(text, "65536\n"); break;
	case FILE_BOOT_ID: text_add(text, "%s\n", boot_id); break;
	case FILE_UUID:
		make_uuid(uuid);
		text_add(text, "%s\n", uuid);
		break;
	case FILE_OVERCOMMIT: text_add(text, "0\n"); break;
	case FILE_MAP_COUNT: text_add(text, "65530\n"); break;
	case FILE_FILE_MAX: text_add(text, "65536\n"); break;
	case FILE_PIPE_SIZE: text_add(text, "1048576\n"); break;
	default: break;
	}
}

/* -- a process */

/* What the kernel knows of it; zeroes for init and corpses */
struct facts {
	struct process_info process;
	struct space_info space;
	handle_t handle; /* of the space; HANDLE_NONE */
};

static void facts_get(const struct process *process, struct facts *facts)
{
	memset(facts, 0, sizeof *facts);
	facts->handle = HANDLE_NONE;
	facts->process.user_time = process->user_time;
	facts->process.system_time = process->system_time;
	if (process->handle == HANDLE_NONE)
		return;
	process_get(process->handle, &facts->process);
	int64_t space = process_space(process->handle);
	if (space >= 0) {
		facts->handle = (handle_t)space;
		space_get(facts->handle, &facts->space);
	}
}

static void facts_put(struct facts *facts)
{
	if (facts->handle != HANDLE_NONE)
		handle_close(facts->handle);
}

/* A process's own record, read from its memory and believed in nothing: every text is ended here. NULL: there is none. To be freed. */
static struct process_record *record_get(const struct process *process)
{
	struct facts facts;
	struct process_record *record = malloc(sizeof *record);
	facts_get(process, &facts);
	int64_t count = !record || facts.handle == HANDLE_NONE ? -1 : space_read(facts.handle, LIBRARY_RECORD, record, sizeof *record);
	facts_put(&facts);
	if (count != sizeof *record || record->version != RECORD_VERSION) {
		free(record);
		return NULL;
	}
	record->directory_path[sizeof record->directory_path - 1] = 0;
	record->executable[sizeof record->executable - 1] = 0;
	if (record->mount_count > RECORD_MOUNTS)
		record->mount_count = RECORD_MOUNTS;
	for (uint32_t i = 0; i < record->mount_count; i++) {
		record->mount[i].path[sizeof record->mount[i].path - 1] = 0;
		record->mount[i].type[sizeof record->mount[i].type - 1] = 0;
	}
	return record;
}

/* Linux has one letter for running and one for waiting; the kernel's threads tell which it is */
static char state_letter(const struct process *process)
{
	struct thread_info threads[16];
	if (process->state != PROCESS_STATE_RUNNING)
		return process->state == PROCESS_STATE_ZOMBIE ? 'Z' : 'T';
	int64_t count = process->handle == HANDLE_NONE ? 0 : thread_list(process->handle, threads, 16);
	for (int64_t i = 0; i < count && i < 16; i++)
		if (threads[i].state == THREAD_STATE_RUNNING)
			return 'R';
	return 'S';
}

static uint32_t terminal_foreground(const struct process *process)
{
	struct process *leader = process_find(process->session);
	return process->terminal && leader ? leader->foreground : 0;
}

static void text_stat(struct text *text, struct process *process, const struct facts *facts)
{
	uint32_t parent = process->parent ? process->parent->pid : 0;
	text_add(text, "%u (%s) %c %u %u %u %u %d 0 %lu 0 0 0 %lu %lu %lu %lu 20 0 %u 0 %lu %lu %lu 18446744073709551615 0 0 0 0 0 %lu 0 %lu 0 0 0 0 %u 0 0 0 0 0 "
		"0 0 0 0 0 0 0 0 %u\n",
		process->pid, process->name, state_letter(process), parent, process->group, process->session, process->terminal,
		process->terminal ? (int)terminal_foreground(process) : -1, facts->process.faults, TICKS(facts->process.user_time),
		TICKS(facts->process.system_time), TICKS(process->children_user), TICKS(process->children_system),
		facts->process.threads ? facts->process.threads : 1, TICKS(process->start_time), facts->space.mapped * PAGE_SIZE, facts->space.resident,
		process->pending & 0x7fffffff, process->ignored & 0x7fffffff, process->exit_signal, process->status);
}

static void text_status(struct text *text, struct process *process, const struct facts *facts)
{
	static const char *const names[] = { ['R'] = "running", ['S'] = "sleeping", ['T'] = "stopped", ['Z'] = "zombie" };
	char state = state_letter(process);
	text_add(text, "Name:\t%s\nUmask:\t0022\nState:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\nUid:\t0\t0\t0\t0\n"
		"Gid:\t0\t0\t0\t0\nFDSize:\t%u\nGroups:\t \nNStgid:\t%u\nNSpid:\t%u\nNSpgid:\t%u\nNSsid:\t%u\n",
		process->name, state, names[(int)state], process->pid, process->pid, process->parent ? process->parent->pid : 0,
		(facts->process.handles + 63) & ~63u, process->pid, process->pid, process->group, process->session);
	if (process->state != PROCESS_STATE_ZOMBIE)
		text_add(text, "VmPeak:\t%8lu kB\nVmSize:\t%8lu kB\nVmHWM:\t%8lu kB\nVmRSS:\t%8lu kB\nRssAnon:\t%8lu kB\nVmData:\t%8lu kB\nVmPTE:\t%8lu kB\n"
			"VmSwap:\t       0 kB\n",
			facts->space.mapped * 4, facts->space.mapped * 4, facts->space.resident * 4, facts->space.resident * 4,
			facts->space.private_pages * 4, facts->space.private_pages * 4, facts->space.page_tables * 4);
	text_add(text, "Threads:\t%u\nSigQ:\t%u/%u\nSigPnd:\t0000000000000000\nShdPnd:\t%016lx\nSigBlk:\t0000000000000000\nSigIgn:\t%016lx\n"
		"SigCgt:\t0000000000000000\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t000001ffffffffff\nCapBnd:\t000001ffffffffff\n"
		"CapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n",
		facts->process.threads ? facts->process.threads : 1, process->queue_length, SIGNAL_QUEUE_MAX, process->pending, process->ignored);
}

static const char *region_name(const char *executable, const struct region_info *region)
{
	/* the library's tags: see LINUX_REGION_* in linux/constants.h */
	static const char *const names[] = { [2] = "[heap]", [3] = "[stack]", [6] = "[vdso]" };
	if (region->start >= LIBRARY_START && region->tag != 6)
		return "[library]";
	if (region->tag < sizeof names / sizeof *names && names[region->tag])
		return names[region->tag];
	return region->tag == 1 ? executable : "";
}

static void text_maps(struct text *text, struct process *process, const struct facts *facts)
{
	struct region_info region;
	struct text executable = { 0 };
	uint64_t address = 0;
	text_of_link(&executable, FILE_PID_EXE, process, NULL);
	text_add_bytes(&executable, "", 1);
	while (facts->handle != HANDLE_NONE && address < USER_TOP && space_query(facts->handle, address, &region) >= 0 && region.end > address) {
		char line[96];
		int length = snprintf(line, sizeof line, "%08lx-%08lx %c%c%c%c %08lx 00:%02x %lu ", region.start, region.end,
			region.protection & PROTECT_READ ? 'r' : '-', region.protection & PROTECT_WRITE ? 'w' : '-',
			region.protection & PROTECT_EXECUTE ? 'x' : '-', region.identity && !(region.flags & MAP_PRIVATE_COPY) ? 's' : 'p', region.offset,
			region.identity ? 1 : 0, region.identity);
		const char *name = region_name(executable.bytes ? executable.bytes : "", &region);
		text_add(text, "%s%*s%s\n", line, *name && length < 73 ? 73 - length : 0, "", name);
		address = region.end;
	}
	free(executable.bytes);
}

static void text_mounts(struct text *text, const struct process_record *record)
{
	for (uint32_t i = 0; i < record->mount_count; i++) {
		const char *type = record->mount[i].type[0] ? record->mount[i].type : "none";
		const char *path = i == 0 || !record->mount[i].path[0] ? "/" : record->mount[i].path;
		text_add(text, "%s %s %s rw,relatime 0 0\n", type, path, type);
	}
}

static void text_limits(struct text *text, const struct process_record *record)
{
	static const char *const names[16][2] = {
		{ "Max cpu time", "seconds" }, { "Max file size", "bytes" }, { "Max data size", "bytes" }, { "Max stack size", "bytes" },
		{ "Max core file size", "bytes" }, { "Max resident set", "bytes" }, { "Max processes", "processes" }, { "Max open files", "files" },
		{ "Max locked memory", "bytes" }, { "Max address space", "bytes" }, { "Max file locks", "locks" }, { "Max pending signals", "signals" },
		{ "Max msgqueue size", "bytes" }, { "Max nice priority", "" }, { "Max realtime priority", "" }, { "Max realtime timeout", "us" },
	};
	text_add(text, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int i = 0; i < 16; i++) {
		char value[2][24];
		for (int j = 0; j < 2; j++) {
			if (record->limits[i][j] == UINT64_MAX)
				memcpy(value[j], "unlimited", 10);
			else
				snprintf(value[j], sizeof value[j], "%lu", record->limits[i][j]);
		}
		text_add(text, "%-25s %-20s %-20s %-10s\n", names[i][0], value[0], value[1], names[i][1]);
	}
}

void text_of_process(struct text *text, enum files_entry entry, struct process *process)
{
	struct facts facts;
	struct process_record *record = NULL;
	if (!process)
		return;
	if (entry == FILE_PID_CMDLINE) {
		text_add_bytes(text, process->command ? process->command : "", process->command_length);
		return;
	}
	if (entry == FILE_PID_COMM) {
		text_add(text, "%s\n", process->name);
		return;
	}
	if (entry == FILE_PID_OOM) {
		text_add(text, "0\n");
		return;
	}
	if (entry == FILE_PID_MOUNTS || entry == FILE_PID_LIMITS) {
		record = record_get(process);
		if (record && entry == FILE_PID_MOUNTS)
			text_mounts(text, record);
		else if (record)
			text_limits(text, record);
		free(record);
		return;
	}
	facts_get(process, &facts);
	switch (entry) {
	case FILE_PID_STAT: text_stat(text, process, &facts); break;
	case FILE_PID_STATUS: text_status(text, process, &facts); break;
	case FILE_PID_STATM:
		text_add(text, "%lu %lu 0 0 0 %lu 0\n", facts.space.mapped, facts.space.resident, facts.space.private_pages);
		break;
	case FILE_PID_MAPS: text_maps(text, process, &facts); break;
	default: break; /* environ: programs' environments are not kept anywhere proc can trust */
	}
	facts_put(&facts);
}

void text_of_link(struct text *text, enum files_entry entry, struct process *process, struct process *caller)
{
	struct process_record *record;
	switch (entry) {
	case FILE_SELF:
		if (caller)
			text_add(text, "%u", caller->pid);
		break;
	case FILE_THREAD_SELF:
		if (caller)
			text_add(text, "%u/task/%u", caller->pid, caller->pid);
		break;
	case FILE_MOUNTS_LINK: text_add(text, "self/mounts"); break;
	case FILE_PID_ROOT: text_add(text, "/"); break;
	case FILE_PID_EXE:
		record = process ? record_get(process) : NULL;
		if (record && record->executable[0])
			text_add(text, "%s", record->executable);
		else if (process && process->path)
			text_add(text, "%s", process->path);
		free(record);
		break;
	case FILE_PID_CWD:
		record = process ? record_get(process) : NULL;
		if (record)
			text_add(text, "%s", record->directory_path[0] ? record->directory_path : "/");
		free(record);
		break;
	default: break;
	}
}
