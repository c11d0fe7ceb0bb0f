/*
 * The tree of /proc and the file operations on it; files.h. Everything is read-only but fail-nth, which only the kernel that checks itself has: the
 * number written is that of the allocation, of those made for the process from now on by whichever thread, kernel or server, that is to fail; what is read
 * is what is left of it (0: it has failed), and with that the wish is over.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "carillon/calls.h"
#include "carillon/file_protocol.h"
#include "user/files/walk.h"
#include "files.h"
#include "inside.h"
#include "operations.h"

/* part: a thread's id, or a descriptor */
#define QID_PART(pid, entry, part) ((uint64_t)(part) << 24 | (uint64_t)(pid) << 8 | (entry))
#define QID(pid, entry) QID_PART(pid, entry, 0)
#define QID_PID(qid) ((uint32_t)((qid) >> 8 & 0xffff))
#define QID_PART_OF(qid) ((uint32_t)((qid) >> 24))
#define QID_ENTRY(qid) ((enum files_entry)((qid) & 0xff))
#define NOT_KEPT (O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC)
#define NUMBER_COOKIE 0x10000ul /* cookies of entries that are numbers: this and the number */
#define PROC_MAGIC 0x9fa0u

uint64_t files_device = 2;
const struct process *files_caller;
static bool for_tests; /* files_start */

static const struct { const char *name; enum files_entry entry, parent; uint32_t mode; } entries[] = {
	{ "self", FILE_SELF, FILE_ROOT, S_IFLNK | 0777 }, { "thread-self", FILE_THREAD_SELF, FILE_ROOT, S_IFLNK | 0777 },
	{ "mounts", FILE_MOUNTS_LINK, FILE_ROOT, S_IFLNK | 0777 },
	{ "meminfo", FILE_MEMINFO, FILE_ROOT, S_IFREG | 0444 }, { "cpuinfo", FILE_CPUINFO, FILE_ROOT, S_IFREG | 0444 },
	{ "stat", FILE_STAT, FILE_ROOT, S_IFREG | 0444 }, { "uptime", FILE_UPTIME, FILE_ROOT, S_IFREG | 0444 },
	{ "loadavg", FILE_LOADAVG, FILE_ROOT, S_IFREG | 0444 }, { "version", FILE_VERSION, FILE_ROOT, S_IFREG | 0444 },
	{ "carillon", FILE_KERNEL_COUNTS, FILE_ROOT, S_IFREG | 0444 },
	{ "filesystems", FILE_FILESYSTEMS, FILE_ROOT, S_IFREG | 0444 }, { "cmdline", FILE_COMMAND_LINE, FILE_ROOT, S_IFREG | 0444 },
	{ "sys", FILE_SYS, FILE_ROOT, S_IFDIR | 0555 },
	{ "kernel", FILE_SYS_KERNEL, FILE_SYS, S_IFDIR | 0555 }, { "vm", FILE_SYS_VM, FILE_SYS, S_IFDIR | 0555 },
	{ "fs", FILE_SYS_FS, FILE_SYS, S_IFDIR | 0555 },
	{ "random", FILE_SYS_RANDOM, FILE_SYS_KERNEL, S_IFDIR | 0555 },
	{ "hostname", FILE_HOSTNAME, FILE_SYS_KERNEL, S_IFREG | 0444 }, { "domainname", FILE_DOMAINNAME, FILE_SYS_KERNEL, S_IFREG | 0444 },
	{ "osrelease", FILE_OSRELEASE, FILE_SYS_KERNEL, S_IFREG | 0444 }, { "ostype", FILE_OSTYPE, FILE_SYS_KERNEL, S_IFREG | 0444 },
	{ "version", FILE_OSVERSION, FILE_SYS_KERNEL, S_IFREG | 0444 },
	{ "boot_id", FILE_BOOT_ID, FILE_SYS_RANDOM, S_IFREG | 0444 }, { "uuid", FILE_UUID, FILE_SYS_RANDOM, S_IFREG | 0444 },
	{ "file-nr", FILE_FILE_NUMBER, FILE_SYS_FS, S_IFREG | 0444 },
	{ "net", FILE_SYS_NET, FILE_SYS, S_IFDIR | 0555 }, { "core", FILE_SYS_NET_CORE, FILE_SYS_NET, S_IFDIR | 0555 },
#define CONSTANT(number, name, parent) { name, (enum files_entry)(FILE_CONSTANT_FIRST + (number)), parent, S_IFREG | 0644 }
	CONSTANT(0, "pid_max", FILE_SYS_KERNEL), CONSTANT(1, "threads-max", FILE_SYS_KERNEL), CONSTANT(2, "ngroups_max", FILE_SYS_KERNEL),
	CONSTANT(3, "cap_last_cap", FILE_SYS_KERNEL), CONSTANT(4, "overflowuid", FILE_SYS_KERNEL), CONSTANT(5, "overflowgid", FILE_SYS_KERNEL),
	CONSTANT(6, "core_pattern", FILE_SYS_KERNEL), CONSTANT(7, "core_uses_pid", FILE_SYS_KERNEL), CONSTANT(8, "panic", FILE_SYS_KERNEL),
	CONSTANT(9, "tainted", FILE_SYS_KERNEL), CONSTANT(10, "randomize_va_space", FILE_SYS_KERNEL), CONSTANT(11, "printk", FILE_SYS_KERNEL),
	CONSTANT(12, "perf_event_paranoid", FILE_SYS_KERNEL), CONSTANT(13, "kptr_restrict", FILE_SYS_KERNEL),
	CONSTANT(14, "dmesg_restrict", FILE_SYS_KERNEL), CONSTANT(15, "entropy_avail", FILE_SYS_RANDOM),
	CONSTANT(16, "poolsize", FILE_SYS_RANDOM), CONSTANT(17, "overcommit_memory", FILE_SYS_VM), CONSTANT(18, "overcommit_ratio", FILE_SYS_VM),
	CONSTANT(19, "max_map_count", FILE_SYS_VM), CONSTANT(20, "swappiness", FILE_SYS_VM), CONSTANT(21, "mmap_min_addr", FILE_SYS_VM),
	CONSTANT(22, "nr_hugepages", FILE_SYS_VM), CONSTANT(23, "min_free_kbytes", FILE_SYS_VM), CONSTANT(24, "file-max", FILE_SYS_FS),
	CONSTANT(25, "nr_open", FILE_SYS_FS), CONSTANT(26, "pipe-max-size", FILE_SYS_FS), CONSTANT(27, "somaxconn", FILE_SYS_NET_CORE),
	CONSTANT(28, "suid_dumpable", FILE_SYS_FS),
	{ "stat", FILE_PID_STAT, FILE_PID, S_IFREG | 0444 }, { "status", FILE_PID_STATUS, FILE_PID, S_IFREG | 0444 },
	{ "statm", FILE_PID_STATM, FILE_PID, S_IFREG | 0444 }, { "cmdline", FILE_PID_CMDLINE, FILE_PID, S_IFREG | 0444 },
	{ "comm", FILE_PID_COMM, FILE_PID, S_IFREG | 0444 }, { "maps", FILE_PID_MAPS, FILE_PID, S_IFREG | 0444 },
	{ "fd", FILE_PID_FD, FILE_PID, S_IFDIR | 0500 }, { "exe", FILE_PID_EXE, FILE_PID, S_IFLNK | 0777 },
	{ "cwd", FILE_PID_CWD, FILE_PID, S_IFLNK | 0777 }, { "root", FILE_PID_ROOT, FILE_PID, S_IFLNK | 0777 },
	{ "environ", FILE_PID_ENVIRON, FILE_PID, S_IFREG | 0400 }, { "task", FILE_PID_TASK, FILE_PID, S_IFDIR | 0555 },
	{ "mounts", FILE_PID_MOUNTS, FILE_PID, S_IFREG | 0444 }, { "limits", FILE_PID_LIMITS, FILE_PID, S_IFREG | 0444 },
	{ "oom_score", FILE_PID_OOM, FILE_PID, S_IFREG | 0444 }, { "oom_score_adj", FILE_PID_OOM_ADJUST, FILE_PID, S_IFREG | 0644 },
	{ "mountinfo", FILE_PID_MOUNT_INFO, FILE_PID, S_IFREG | 0444 }, { "auxv", FILE_PID_AUXV, FILE_PID, S_IFREG | 0400 },
	{ "wchan", FILE_PID_WCHAN, FILE_PID, S_IFREG | 0444 }, { "fdinfo", FILE_PID_FDINFO, FILE_PID, S_IFDIR | 0500 },
	{ "fail-nth", FILE_PID_FAIL, FILE_PID, S_IFREG | 0644 },
};
#define ENTRIES (sizeof entries / sizeof *entries)

void files_start(void)
{
	for_tests = debug_fail_allocation(HANDLE_SELF_PROCESS, 0) >= 0;
}

/* Is the entry of the table there? */
static bool entry_exists(size_t i)
{
	return for_tests || (entries[i].entry != FILE_PID_FAIL && entries[i].entry != FILE_KERNEL_COUNTS);
}

bool files_descriptor(const struct process *process, uint32_t number, struct handle_found *found)
{
	int64_t result = process->handle == HANDLE_NONE ? -ESRCH : handle_fetch(process->handle, number, found);
	if (result < 0)
		return false;
	if (result == number)
		return true;
	handle_close(found->handle);
	return false;
}

static bool descriptor_exists(const struct process *process, uint32_t number)
{
	struct handle_found found;
	bool exists = files_descriptor(process, number, &found);
	if (exists)
		handle_close(found.handle);
	return exists;
}

static bool thread_exists(struct process *process, uint32_t id)
{
	struct inside inside;
	if (id == process->pid)
		return true;
	bool exists = inside_get(process, &inside) && inside_thread_find(&inside, id);
	inside_put(&inside);
	return exists;
}

static uint32_t mode_of(enum files_entry entry)
{
	if (entry == FILE_PID_FD_LINK)
		return S_IFLNK | 0700;
	if (entry == FILE_PID_FDINFO_FILE)
		return S_IFREG | 0400;

	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].entry == entry)
			return entries[i].mode;
	return S_IFDIR | 0555; /* root, a process, a task */
}

static bool is_process_entry(enum files_entry entry) { return entry >= FILE_PID; }

/* Children in the table of a directory: a task's files are the process's */
static enum files_entry table_parent(enum files_entry entry) { return entry == FILE_PID_TASK_SELF ? FILE_PID : entry; }

static bool number_read(const char *name, size_t length, uint32_t *number)
{
	*number = 0;
	for (size_t i = 0; i < length; i++) {
		if (name[i] < '0' || name[i] > '9' || *number >= 100000000 || (i == 0 && name[0] == '0' && length > 1))
			return false;
		*number = *number * 10 + (uint32_t)(name[i] - '0');
	}
	return length > 0;
}

/* A name that is a number: of a process, a thread, a descriptor */
static int numbered_lookup(uint64_t directory, uint32_t number, uint64_t *child)
{
	enum files_entry entry = QID_ENTRY(directory);
	uint32_t pid = QID_PID(directory);
	struct process *process = process_find(entry == FILE_ROOT ? number : pid);
	if (!process)
		return -ENOENT;
	switch (entry) {
	case FILE_ROOT:
		*child = QID(number, FILE_PID);
		return 0;
	case FILE_PID_TASK:
		*child = QID_PART(pid, FILE_PID_TASK_SELF, number);
		return thread_exists(process, number) ? 0 : -ENOENT;
	case FILE_PID_FD:
	case FILE_PID_FDINFO:
		*child = QID_PART(pid, entry == FILE_PID_FD ? FILE_PID_FD_LINK : FILE_PID_FDINFO_FILE, number);
		return descriptor_exists(process, number) ? 0 : -ENOENT;
	default:
		return -ENOENT;
	}
}

static int walk_lookup(void *context, uint64_t directory, const char *name, size_t length, uint64_t *child)
{
	(void)context;
	enum files_entry entry = QID_ENTRY(directory);
	uint32_t pid = QID_PID(directory);
	if (is_process_entry(entry) && !process_find(pid))
		return -ENOENT;
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].parent == table_parent(entry) && entry_exists(i) && strlen(entries[i].name) == length && !memcmp(entries[i].name, name, length)) {
			if (entry == FILE_PID_TASK_SELF && entries[i].entry == FILE_PID_TASK)
				continue;
			*child = QID_PART(pid, entries[i].entry, QID_PART_OF(directory));
			return 0;
		}
	uint32_t number;
	return number_read(name, length, &number) ? numbered_lookup(directory, number, child) : -ENOENT;
}

static uint64_t walk_parent(void *context, uint64_t directory)
{
	(void)context;
	enum files_entry entry = QID_ENTRY(directory);
	if (entry == FILE_PID)
		return FILE_ROOT;
	if (entry == FILE_PID_TASK_SELF)
		return QID(QID_PID(directory), FILE_PID_TASK);
	if (entry == FILE_PID_FD_LINK || entry == FILE_PID_FDINFO_FILE)
		return QID(QID_PID(directory), entry == FILE_PID_FD_LINK ? FILE_PID_FD : FILE_PID_FDINFO);
	if (entry > FILE_PID && QID_PART_OF(directory)) /* in a thread's directory */
		return QID_PART(QID_PID(directory), FILE_PID_TASK_SELF, QID_PART_OF(directory));
	for (size_t i = 0; i < ENTRIES; i++)
		if (entries[i].entry == entry)
			return QID(QID_PID(directory), entries[i].parent);
	return NODE_NONE;
}

static uint32_t walk_mode(void *context, uint64_t node)
{
	(void)context;
	return mode_of(QID_ENTRY(node));
}

static uint64_t walk_qid(void *context, uint64_t node)
{
	(void)context;
	return node;
}

static const struct walk_operations operations = { walk_lookup, walk_parent, walk_mode, walk_qid };

/* -- replies */

static struct text link_text; /* until the reply is sent */

/* Where a descriptor leads. What has a name in some server's tree the caller must ask that server: we call none, for it may be waiting for us. */
static bool make_descriptor_link(struct server_request *request, const struct process *process, uint32_t number)
{
	static const char *const anonymous[] = {
		[FILE_KIND_EVENT] = "eventfd", [FILE_KIND_EPOLL] = "eventpoll", [FILE_KIND_TIMER] = "timerfd", [FILE_KIND_SIGNAL] = "signalfd",
		[FILE_KIND_WATCH] = "inotify", [FILE_KIND_PROCESS] = "pidfd",
	};
	struct handle_found found;
	struct description_info info;
	struct handle_info handle;
	if (!process || !files_descriptor(process, number, &found))
		return false;
	int64_t error = description_get(found.handle, &info);
	enum file_kind kind = error < 0 ? FILE_KIND_EPOLL : FILE_COOKIE_KIND(info.cookie);
	int64_t control = error < 0 ? error : description_client(found.handle);
	uint64_t identity = handle_get(found.handle, &handle) < 0 ? 0 : handle.identity;
	if (control >= 0)
		handle_close((handle_t)control);
	if (kind < sizeof anonymous / sizeof *anonymous && anonymous[kind])
		text_add(&link_text, "anon_inode:%s%s%s", kind == FILE_KIND_WATCH ? "" : "[", anonymous[kind], kind == FILE_KIND_WATCH ? "" : "]");
	else if (kind == FILE_KIND_SOCKET)
		text_add(&link_text, "socket:[%lu]", identity);
	else if (control >= 0) {
		server_reply_handle(request, found.handle, true);
		return true;
	} else if (kind == FILE_KIND_REGULAR)
		text_add(&link_text, "/memfd: (deleted)");
	else
		text_add(&link_text, "pipe:[%lu]", identity);
	handle_close(found.handle);
	return true;
}

/* False: it leads nowhere */
static bool make_link(struct server_request *request, uint64_t qid)
{
	link_text.length = 0;
	if (QID_ENTRY(qid) == FILE_PID_FD_LINK)
		make_descriptor_link(request, process_find(QID_PID(qid)), QID_PART_OF(qid));
	else
		text_of_link(&link_text, QID_ENTRY(qid), process_find(QID_PID(qid)), process_of_badge(request->badge));
	server_reply_bytes(request, link_text.bytes, link_text.length);
	return link_text.length || request->reply_handle_count;
}

/* Walks the request's path. 0 and *qid, or what to return. */
static int64_t walk(struct server_request *request, uint64_t start, enum walk_intent intent, struct walk_result *place)
{
	struct file_path_request path;
	int error = file_path_parse(request->data, request->size, &path);
	if (error)
		return error;
	error = file_walk(&operations, NULL, FILE_ROOT, start, path.path, path.path_length, &path, intent, place);
	if (error == FILE_WALK_STOPPED) {
		request->reply_word[1] = place->stop;
		request->reply_word[2] = place->consumed;
		request->reply_word[3] = place->stop_qid;
		if (place->stop == FILE_STOP_LINK) {
			if (!make_link(request, place->link))
				return -ENOENT;
		}
		return FILE_WALK_STOPPED;
	}
	if (!error && place->node != NODE_NONE && is_process_entry(QID_ENTRY(place->node)) && !process_find(QID_PID(place->node)))
		return -ENOENT;
	return error;
}

static int64_t reply_port(struct server_request *request, uint64_t qid)
{
	int64_t port = client_create(proc_listener, FILES_WORD | qid);
	if (port < 0)
		return port;
	server_reply_handle(request, (handle_t)port, true);
	request->reply_word[1] = qid;
	request->reply_word[2] = mode_of(QID_ENTRY(qid));
	return 0;
}

static int64_t make_content(uint64_t qid)
{
	struct text text = { 0 };
	if (is_process_entry(QID_ENTRY(qid)))
		text_of_process(&text, QID_ENTRY(qid), process_find(QID_PID(qid)), QID_PART_OF(qid));
	else
		text_of_system(&text, QID_ENTRY(qid));
	int64_t memobj = text.failed ? -ENOMEM : memobj_create(text.length, 0);
	if (memobj >= 0 && text.length && memobj_write((handle_t)memobj, 0, text.bytes, text.length) < 0) {
		handle_close((handle_t)memobj);
		memobj = -ENOMEM;
	}
	free(text.bytes);
	return memobj;
}

static uint32_t access_rights(uint32_t flags)
{
	static const uint32_t rights[] = { [O_RDONLY] = RIGHT_READ, [O_WRONLY] = RIGHT_WRITE, [O_RDWR] = RIGHT_READ | RIGHT_WRITE };
	return (flags & O_ACCMODE) < sizeof rights / sizeof *rights ? rights[flags & O_ACCMODE] : RIGHT_READ;
}

static int64_t do_open(struct server_request *request, uint64_t start)
{
	uint32_t flags = (uint32_t)request->word[1];
	struct walk_result place;
	bool follow = !(flags & O_NOFOLLOW);
	int64_t error = walk(request, start, flags & O_CREAT ? (follow ? WALK_CREATE_FOLLOW : WALK_CREATE) : follow ? WALK_FOLLOW : WALK_NO_FOLLOW, &place);
	if (error)
		return error;
	if (place.node == NODE_NONE)
		return -ENOENT; /* nothing can be created here, and Linux says so in these words */
	uint32_t mode = mode_of(QID_ENTRY(place.node));
	bool path_only = flags & O_PATH, directory = S_ISDIR(mode), writing = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
	if (!path_only && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (directory && !path_only && (writing || (flags & O_CREAT)))
		return -EISDIR;
	if (!directory && (flags & O_DIRECTORY))
		return -ENOTDIR;
	if (!path_only && S_ISLNK(mode))
		return -ELOOP;
	bool fail = QID_ENTRY(place.node) == FILE_PID_FAIL;
	if (!path_only && writing && !fail)
		return -EACCES;

	enum file_kind kind = path_only ? FILE_KIND_PATH : directory ? FILE_KIND_DIRECTORY : FILE_KIND_REGULAR;
	struct description_request create = {
		.kind = DESCRIPTION_SERVICE, .flags = DESCRIPTION_NO_IO | (kind == FILE_KIND_DIRECTORY ? DESCRIPTION_SEEKABLE : 0),
		.memobj = HANDLE_NONE, .sender = HANDLE_NONE, .receiver = HANDLE_NONE,
		.event = HANDLE_NONE, .rights = path_only || !fail ? RIGHT_READ : access_rights(flags), .cookie = FILE_COOKIE(kind, flags & ~NOT_KEPT),
	};
	if (kind == FILE_KIND_REGULAR && fail) {
		create.flags = DESCRIPTION_SEEKABLE;
	} else if (kind == FILE_KIND_REGULAR) {
		int64_t memobj = make_content(place.node);
		if (memobj < 0)
			return memobj;
		create.kind = DESCRIPTION_PLACE;
		create.flags = 0;
		create.memobj = (handle_t)memobj;
	}
	int64_t control = client_create(proc_listener, FILES_WORD | place.node), description = control;
	if (control >= 0) {
		create.control = (handle_t)control;
		description = description_create(&create);
		handle_close((handle_t)control);
	}
	if (create.memobj != HANDLE_NONE)
		handle_close(create.memobj);
	if (description < 0)
		return description;
	server_reply_handle(request, (handle_t)description, true);
	request->reply_word[1] = place.node;
	request->reply_word[2] = mode;
	request->reply_word[3] = kind;
	return 0;
}

static int64_t do_walk(struct server_request *request, uint64_t start)
{
	struct walk_result place;
	int64_t error = walk(request, start, WALK_FOLLOW, &place);
	return error ? error : reply_port(request, place.node);
}

static int64_t do_getattr(struct server_request *request, uint64_t start)
{
	struct walk_result place;
	int64_t error = walk(request, start, WALK_FOLLOW, &place);
	if (error)
		return error;
	struct process *process = process_find(QID_PID(place.node));
	uint64_t real = (uint64_t)clock_get(CLOCK_REALTIME_ID), boot = real - (uint64_t)clock_get(CLOCK_MONOTONIC_ID);
	uint64_t time = process ? boot + process->start_time : real;
	struct file_attributes attributes = {
		.device = files_device, .qid = place.node, .mode = mode_of(QID_ENTRY(place.node)), .block_size = 1024,
		.access_time = time, .modify_time = time, .change_time = time, .birth_time = time,
	};
	struct handle_found found;
	struct handle_info info;
	if (process && QID_ENTRY(place.node) == FILE_PID_FD_LINK && files_descriptor(process, QID_PART_OF(place.node), &found)) {
		/* its permissions tell how it is open */
		if (handle_get(found.handle, &info) >= 0)
			attributes.mode = S_IFLNK | 0100 | (info.rights & RIGHT_READ ? 0400 : 0) | (info.rights & RIGHT_WRITE ? 0200 : 0);
		handle_close(found.handle);
	}
	attributes.links = S_ISDIR(attributes.mode) ? 2 : 1;
	memcpy(request->reply_buffer, &attributes, sizeof attributes);
	server_reply_bytes(request, request->reply_buffer, sizeof attributes);
	return 0;
}

static bool number_append(struct server_request *request, size_t capacity, size_t *used, uint64_t qid, uint64_t order, uint32_t number, uint32_t mode)
{
	char name[12];
	size_t length = (size_t)snprintf(name, sizeof name, "%u", number);
	return file_entry_append(request->reply_buffer, capacity, used, qid, NUMBER_COOKIE + order, mode, name, length);
}

/* Threads (their order in the list is the cookie) and descriptors. False: no room for the next. */
static bool numbers_append(struct server_request *request, size_t capacity, size_t *used, struct process *process, enum files_entry directory, uint64_t cookie)
{
	uint64_t first = cookie > NUMBER_COOKIE ? cookie - NUMBER_COOKIE : 0;
	struct inside inside;
	bool fits = true;
	if (directory == FILE_PID_TASK && inside_get(process, &inside)) {
		for (size_t i = first; fits && i < inside.thread_count; i++)
			fits = number_append(request, capacity, used, QID_PART(process->pid, FILE_PID_TASK_SELF, inside.threads[i].id), i + 1, inside.threads[i].id, S_IFDIR);
		inside_put(&inside);
	}
	if (directory == FILE_PID_FD || directory == FILE_PID_FDINFO) {
		struct handle_found found;
		int64_t number;
		for (uint32_t next = (uint32_t)first; fits && process->handle != HANDLE_NONE && (number = handle_fetch(process->handle, next, &found)) >= 0;) {
			handle_close(found.handle);
			next = (uint32_t)number + 1;
			fits = number_append(request, capacity, used, QID_PART(process->pid, directory == FILE_PID_FD ? FILE_PID_FD_LINK : FILE_PID_FDINFO_FILE, number),
				next, (uint32_t)number, directory == FILE_PID_FD ? S_IFLNK : S_IFREG);
		}
	}
	return fits;
}

static int64_t do_readdir(struct server_request *request, uint64_t start)
{
	enum files_entry directory = QID_ENTRY(start);
	uint32_t pid = QID_PID(start);
	if (!S_ISDIR(mode_of(directory)))
		return -ENOTDIR;
	size_t used = 0, capacity = request->room < MESSAGE_RANGE_MAX ? request->room : MESSAGE_RANGE_MAX;
	unsigned char *buffer = request->reply_buffer;
	uint64_t cookie = request->word[1], parent = directory == FILE_ROOT ? start : walk_parent(NULL, start);
	bool fits = true;
	if (cookie < 1)
		fits = file_entry_append(buffer, capacity, &used, start, 1, S_IFDIR, ".", 1);
	if (fits && cookie < 2)
		fits = file_entry_append(buffer, capacity, &used, parent, 2, S_IFDIR, "..", 2);
	for (size_t i = cookie < 3 ? 0 : cookie - 2; fits && i < ENTRIES; i++)
		if (entries[i].parent == table_parent(directory) && entry_exists(i) && !(directory == FILE_PID_TASK_SELF && entries[i].entry == FILE_PID_TASK))
			fits = file_entry_append(buffer, capacity, &used, QID_PART(pid, entries[i].entry, QID_PART_OF(start)), i + 3, entries[i].mode, entries[i].name, strlen(entries[i].name));
	if (fits && directory == FILE_ROOT)
		for (uint32_t number = cookie > NUMBER_COOKIE ? (uint32_t)(cookie - NUMBER_COOKIE) + 1 : 1; fits && number < PID_MAX; number++)
			if (process_find(number))
				fits = number_append(request, capacity, &used, QID(number, FILE_PID), number, number, S_IFDIR);
	if (fits && process_find(pid))
		fits = numbers_append(request, capacity, &used, process_find(pid), directory, cookie);
	if (!fits && used == 0)
		return -EINVAL;
	server_reply_bytes(request, buffer, used);
	request->reply_word[1] = used;
	return 0;
}

static int64_t do_readlink(struct server_request *request, uint64_t start)
{
	struct walk_result place;
	int64_t error = walk(request, start, WALK_NO_FOLLOW, &place);
	if (error)
		return error;
	if (!S_ISLNK(mode_of(QID_ENTRY(place.node))))
		return -EINVAL;
	bool leads = make_link(request, place.node);
	request->reply_word[1] = request->reply_size;
	return leads ? 0 : -ENOENT;
}

static int64_t fail_write(struct server_request *request, const struct process *process)
{
	size_t length = request->size;
	uint32_t number;
	if (length && request->data[length - 1] == '\n')
		length--;
	if (!number_read((const char *)request->data, length, &number))
		return -EINVAL;
	int64_t result = debug_fail_allocation(process->handle, number);
	return result < 0 ? result : (int64_t)request->size;
}

static int64_t fail_read(struct server_request *request, const struct process *process)
{
	int64_t left = debug_fail_allocation(process->handle, 0); /* first, so that what this does is not counted */
	if (left < 0)
		return left;
	if (request->word[1])
		return 0;
	int length = snprintf((char *)request->reply_buffer, 24, "%ld\n", (long)left);
	server_reply_bytes(request, request->reply_buffer, (size_t)length);
	return 0;
}

static int64_t do_transfer(struct server_request *request, uint64_t node)
{
	struct process *process = process_find(QID_PID(node));
	if (QID_ENTRY(node) != FILE_PID_FAIL)
		return -EINVAL;
	if (!process || process->handle == HANDLE_NONE)
		return -ESRCH;
	return request->word[0] == FILE_WRITE ? fail_write(request, process) : fail_read(request, process);
}

/* Our own files' names below /proc */
static int64_t do_name(struct server_request *request, uint64_t node)
{
	char *end = (char *)request->reply_buffer + 256, *at = end;
	for (; node != FILE_ROOT; node = walk_parent(NULL, node)) {
		char number[12];
		const char *name = number;
		enum files_entry entry = QID_ENTRY(node);
		snprintf(number, sizeof number, "%u", entry == FILE_PID ? QID_PID(node) : QID_PART_OF(node));
		for (size_t i = 0; i < ENTRIES; i++)
			if (entries[i].entry == entry)
				name = entries[i].name;
		at -= strlen(name) + 1;
		*at = '/';
		memcpy(at + 1, name, strlen(name));
	}
	if (at == end)
		*--at = '/';
	request->reply_word[1] = server_reply_bytes(request, at, (size_t)(end - at));
	request->reply_word[2] = files_device;
	return 0;
}

/* Creating fails with ENOENT or EEXIST, removing and changing with EPERM, as Linux's /proc says it */
static int64_t refuse(struct server_request *request, uint64_t start, enum walk_intent intent)
{
	struct walk_result place;
	int64_t error = walk(request, start, intent, &place);
	if (error)
		return error;
	return intent != WALK_CREATE ? -EPERM : place.node == NODE_NONE ? -ENOENT : -EEXIST;
}

int64_t files_request(struct server_request *request)
{
	uint64_t start = request->port_data == PROCESS_PORT_FILES ? (uint64_t)FILE_ROOT : request->port_data & ~FILES_WORD;
	if (QID_ENTRY(start) >= FILE_COUNT)
		return -ESTALE;
	files_caller = process_of_badge(request->badge);
	switch (request->word[0]) {
	case FILE_OPEN: return do_open(request, start);
	case FILE_READ:
	case FILE_WRITE: return do_transfer(request, start);
	case FILE_WALK: return do_walk(request, start);
	case FILE_GETATTR: return do_getattr(request, start);
	case FILE_READDIR: return do_readdir(request, start);
	case FILE_READLINK: return do_readlink(request, start);
	case FILE_SETATTR: return refuse(request, start, WALK_FOLLOW);
	case FILE_MAKE_DIRECTORY:
	case FILE_MAKE_NODE:
	case FILE_SYMLINK:
	case FILE_LINK: return refuse(request, start, WALK_CREATE);
	case FILE_UNLINK:
	case FILE_RENAME: return refuse(request, start, WALK_REMOVE);
	case FILE_SYNC: return 0;
	case FILE_NAME: return do_name(request, start);
	case FILE_IOCTL: return -ENOTTY;
	case FILE_STATFS: {
		struct file_system_info info = { .type = PROC_MAGIC, .block_size = 4096, .name_max = 255, .device = files_device };
		memcpy(request->reply_buffer, &info, sizeof info);
		server_reply_bytes(request, request->reply_buffer, sizeof info);
		return 0;
	}
	default: return -ENOSYS;
	}
}
