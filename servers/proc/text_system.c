/* Contents of /proc's files about the system, in Linux's formats; files.h. What this system has no notion of is told as zero. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "abi/memory.h"
#include "abi/process.h"
#include "carillon/calls.h"
#include "carillon/limits.h"
#include "files.h"
#include "operations.h"

static char boot_id[37];

/* /proc/sys, in the order of files.c's table; NULL: file-max */
static const char *const constants[] = {
	"32768", "4096", "65536", "40", "65534", "65534", "core", "0", "0", "0", "0", "7\t4\t1\t7", "4", "0", "1", "256", "256", "0", "50", "65530", "60", "65536", "0", "4096", NULL, "1048576", "1048576", "4096", "0",
};
_Static_assert(sizeof constants / sizeof *constants == FILE_CONSTANT_LAST - FILE_CONSTANT_FIRST + 1, "as files.c names them");

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

static void memory_line(struct text *text, const char *name, uint64_t pages)
{
	char label[24];
	snprintf(label, sizeof label, "%s:", name);
	text_add(text, "%-15s %8lu kB\n", label, pages * 4);
}

/* Free, the kernel's own, private memory of processes; the rest is what files and shared memory hold, which nothing can be without */
static void text_memory(struct text *text, const struct system_info *info)
{
	uint64_t anonymous = 0, tables = 0, used = info->pages_total - info->pages_free;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		struct space_info space;
		int64_t handle = p->handle == HANDLE_NONE ? -ESRCH : process_space(p->handle);
		if (handle < 0)
			continue;
		if (space_get((handle_t)handle, &space) >= 0) {
			anonymous += space.private_pages;
			tables += space.page_tables;
		}
		handle_close((handle_t)handle);
	}
	uint64_t rest = used > info->pages_kernel ? used - info->pages_kernel : 0;
	if (anonymous > rest)
		anonymous = rest;
	uint64_t cached = rest - anonymous;
	const struct { const char *name; uint64_t pages; } lines[] = {
		{ "MemTotal", info->pages_total }, { "MemFree", info->pages_free }, { "MemAvailable", info->pages_free }, { "Buffers", 0 }, { "Cached", cached },
		{ "SwapCached", 0 }, { "Active", anonymous }, { "Inactive", cached }, { "Active(anon)", anonymous }, { "Inactive(anon)", cached },
		{ "Active(file)", 0 }, { "Inactive(file)", 0 }, { "Unevictable", 0 }, { "Mlocked", 0 }, { "SwapTotal", 0 }, { "SwapFree", 0 }, { "Dirty", 0 },
		{ "Writeback", 0 }, { "AnonPages", anonymous }, { "Mapped", 0 }, { "Shmem", cached }, { "KReclaimable", 0 }, { "Slab", info->pages_kernel },
		{ "SReclaimable", 0 }, { "SUnreclaim", info->pages_kernel }, { "KernelStack", 0 }, { "PageTables", tables }, { "SecPageTables", 0 },
		{ "NFS_Unstable", 0 }, { "Bounce", 0 }, { "WritebackTmp", 0 }, { "CommitLimit", info->pages_total }, { "Committed_AS", anonymous },
		{ "VmallocTotal", 0 }, { "VmallocUsed", 0 }, { "VmallocChunk", 0 }, { "Percpu", 0 },
	};
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		memory_line(text, lines[i].name, lines[i].pages);
	text_add(text, "HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n");
	memory_line(text, "Hugetlb", 0);
}

/* User time is what programs took; servers and the kernel are the system's */
static void text_statistics(struct text *text, const struct system_info *info)
{
	unsigned processors = info->processors ? info->processors : 1;
	uint64_t user = proc_dead_user;
	for (struct process *p = process_next(NULL); p; p = process_next(p)) {
		struct process_info process;
		if (p->handle != HANDLE_NONE && process_get(p->handle, &process) >= 0)
			user += process.user_time;
	}
	if (user > info->busy_time)
		user = info->busy_time;
	uint64_t values[3] = { TEXT_TICKS(user), TEXT_TICKS(info->busy_time - user), TEXT_TICKS(info->idle_time) };
	text_add(text, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", values[0], values[1], values[2]);
	for (unsigned i = 0; i < processors; i++)
		text_add(text, "cpu%u %lu 0 %lu %lu 0 0 0 0 0 0\n", i, values[0] / processors, values[1] / processors, values[2] / processors);
	unsigned running = load_running(NULL);
	text_add(text, "intr %lu\nctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n", info->interrupts,
		info->context_switches, info->boot_time / 1000000000ul, proc_started + 1, running ? running : 1);
}

static void text_load(struct text *text)
{
	unsigned threads, running = load_running(&threads);
	for (int i = 0; i < 3; i++) {
		uint32_t load = process_head()->load[i] + 65536 / 200; /* rounded as Linux does */
		text_add(text, "%u.%02u ", load >> 16, (load & 65535) * 100 >> 16);
	}
	text_add(text, "%u/%u %u\n", running ? running : 1, threads, process_head()->last_pid);
}

void text_of_system(struct text *text, enum files_entry entry)
{
	struct system_info info = { 0 };
	uint64_t uptime = (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
	unsigned handles = 0;
	char uuid[37];
	system_get(&info);
	if (entry >= FILE_CONSTANT_FIRST && entry <= FILE_CONSTANT_LAST) {
		const char *constant = constants[entry - FILE_CONSTANT_FIRST];
		if (constant)
			text_add(text, "%s\n", constant);
		else
			text_add(text, "%lu\n", open_files_limit());
		return;
	}
	switch (entry) {
	case FILE_MEMINFO: text_memory(text, &info); break;
	case FILE_CPUINFO: text_processors(text, info.processors ? info.processors : 1); break;
	case FILE_STAT: text_statistics(text, &info); break;
	case FILE_UPTIME:
		text_add(text, "%lu.%02lu %lu.%02lu\n", uptime / 1000000000, uptime / 10000000 % 100, info.idle_time / 1000000000, info.idle_time / 10000000 % 100);
		break;
	case FILE_LOADAVG: text_load(text); break;
	case FILE_KERNEL_COUNTS:
		text_add(text, "objects %u\nprocesses %u\nthreads %u\nbytes %lu\npages %lu\nhandles %lu\nservers %lu\nheaps %lu\n", info.objects, info.processes, info.threads,
			info.kernel_bytes, info.pages_total - info.pages_free - info.pages_kernel, info.handles, info.pages_servers, info.heap_bytes);
		break;
	case FILE_VERSION: text_add(text, "Linux version " TEXT_RELEASE " (%s) " TEXT_VERSION "\n", info.version); break;
	case FILE_FILESYSTEMS: text_add(text, "nodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tdevpts\n"); break;
	case FILE_COMMAND_LINE: text_add(text, "\n"); break;
	case FILE_HOSTNAME: text_add(text, TEXT_HOSTNAME "\n"); break;
	case FILE_DOMAINNAME: text_add(text, "(none)\n"); break;
	case FILE_OSRELEASE: text_add(text, TEXT_RELEASE "\n"); break;
	case FILE_OSTYPE: text_add(text, "Linux\n"); break;
	case FILE_OSVERSION: text_add(text, TEXT_VERSION "\n"); break;
	case FILE_BOOT_ID: text_add(text, "%s\n", boot_id); break;
	case FILE_UUID:
		make_uuid(uuid);
		text_add(text, "%s\n", uuid);
		break;
	case FILE_FILE_NUMBER:
		for (struct process *p = process_next(NULL); p; p = process_next(p)) {
			struct process_info process;
			if (p->handle != HANDLE_NONE && process_get(p->handle, &process) >= 0)
				handles += process.handles;
		}
		text_add(text, "%u\t0\t%lu\n", handles, open_files_limit());
		break;
	default: break;
	}
}
