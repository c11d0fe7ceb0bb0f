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
	FILE_OSRELEASE, FILE_OSTYPE, FILE_OSVERSION, FILE_PID_MAX, FILE_THREADS_MAX, FILE_NGROUPS_MAX, FILE_BOOT_ID, FILE_UUID,
	FILE_OVERCOMMIT, FILE_MAP_COUNT, FILE_FILE_MAX, FILE_PIPE_SIZE,
	/* of a process */
	FILE_PID, FILE_PID_STAT, FILE_PID_STATUS, FILE_PID_STATM, FILE_PID_CMDLINE, FILE_PID_COMM, FILE_PID_MAPS, FILE_PID_FD, FILE_PID_EXE,
	FILE_PID_CWD, FILE_PID_ROOT, FILE_PID_ENVIRON, FILE_PID_TASK, FILE_PID_TASK_SELF, FILE_PID_MOUNTS, FILE_PID_LIMITS, FILE_PID_OOM,
	FILE_COUNT,
};

extern uint64_t files_device; /* st_dev of /proc */
int64_t files_request(struct server_request *request);

/* -- text.c: contents */
struct text { char *bytes; size_t length, room; bool failed; };
/* Appends formatted text. */
void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_bytes(struct text *text, const void *bytes, size_t length);
/* Appends the content of a system file, or of a process's file. */
void text_of_system(struct text *text, enum files_entry entry);
void text_of_process(struct text *text, enum files_entry entry, struct process *process);
/* A symbolic link's target, empty if it cannot be told. caller: who asks (for self), may be NULL. */
void text_of_link(struct text *text, enum files_entry entry, struct process *process, struct process *caller);
/* Once: boot id. */
void text_start(void);
#endif
