/*
 * /proc by the file protocol, on the listener that also serves processes. It keeps no state: a node is its qid, and a qid says which process and
 * which file; a file's content is made when it is opened, into a memory object of its own.
 */
#ifndef PROC_FILES_H
#define PROC_FILES_H
#include "carillon/server.h"
#include "process.h"

/* Data words of our ports: small numbers (PROCESS_PORT_*), or this bit and a qid */
#define FILES_WORD 0x4000000000000000ul

enum files_entry {
	FILE_NONE, FILE_ROOT,
	/* of the system */
	FILE_SELF, FILE_THREAD_SELF, FILE_MEMINFO, FILE_CPUINFO, FILE_STAT, FILE_UPTIME, FILE_LOADAVG, FILE_VERSION, FILE_MOUNTS_LINK,
	FILE_FILESYSTEMS, FILE_COMMAND_LINE, FILE_SYS, FILE_SYS_KERNEL, FILE_SYS_VM, FILE_SYS_FS, FILE_SYS_RANDOM, FILE_HOSTNAME, FILE_DOMAINNAME,
	FILE_OSRELEASE, FILE_OSTYPE, FILE_OSVERSION, FILE_BOOT_ID, FILE_UUID, FILE_FILE_NUMBER,
	FILE_SYS_NET, FILE_SYS_NET_CORE, FILE_KERNEL_COUNTS,
	FILE_CONSTANT_FIRST, FILE_CONSTANT_LAST = FILE_CONSTANT_FIRST + 28, /* one line that never changes: constants[] of text_system.c */
	/* of a process */
	FILE_PID, FILE_PID_STAT, FILE_PID_STATUS, FILE_PID_STATM, FILE_PID_CMDLINE, FILE_PID_COMM, FILE_PID_MAPS, FILE_PID_FD, FILE_PID_EXE,
	FILE_PID_CWD, FILE_PID_ROOT, FILE_PID_ENVIRON, FILE_PID_TASK, FILE_PID_TASK_SELF, FILE_PID_MOUNTS, FILE_PID_MOUNT_INFO, FILE_PID_LIMITS,
	FILE_PID_OOM, FILE_PID_OOM_ADJUST, FILE_PID_AUXV, FILE_PID_WCHAN, FILE_PID_FDINFO, FILE_PID_FD_LINK, FILE_PID_FDINFO_FILE, FILE_PID_FAIL,
	FILE_COUNT,
};

extern uint64_t files_device; /* st_dev of /proc */
/* Once: finds out whether the kernel checks itself. Only then there are the files that tests look at: carillon, and fail-nth of a process. */
void files_start(void);
/* A handle of an open descriptor of a process, to be closed; false: there is none. */
bool files_descriptor(const struct process *process, uint32_t number, struct handle_found *found);
/* Whoever asks now (NULL: nobody of ours): it waits for us, but as Linux sees it, it runs. */
extern const struct process *files_caller;
int64_t files_request(struct server_request *request);

/* -- text.c: contents */
struct text { char *bytes; size_t length, room; bool failed; };
/* Appends formatted text. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *bytes, size_t length);
/* text_system.c, text_process.c: the content of a system file, or of a process's file. part: a thread's id or 0, a descriptor for fdinfo. */
void text_of_system(struct text *text, enum files_entry entry);
void text_of_process(struct text *text, enum files_entry entry, struct process *process, uint32_t part);
/* A symbolic link's target, empty if it cannot be told. caller: who asks (for self), may be NULL. */
void text_of_link(struct text *text, enum files_entry entry, struct process *process, struct process *caller);
void text_processors(struct text *text, unsigned processors); /* processor.c */
/* What uname tells too (linux/process/system.c) */
#define TEXT_HOSTNAME "carillon"
#define TEXT_RELEASE "6.1.0-carillon"
#define TEXT_VERSION "#1 Carillon"
#define TEXT_TICKS(nanoseconds) ((nanoseconds) / 10000000ul) /* of 10 ms */

/* load.c: the load average. Running threads now, and all; when the next sample is due; takes it if it is. */
unsigned load_running(unsigned *threads);
uint64_t load_next(void);
void load_sample(uint64_t now);
/* Once: boot id. */
void text_start(void);
#endif
