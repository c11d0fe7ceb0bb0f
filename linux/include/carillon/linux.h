/*
 * The Linux personality as native programs see it: a function for every Linux call, and the start of Linux programs.
 * The library needs gs: a thread's block. linux_native_start sets it for the first thread; until then nothing here may be called.
 */
#ifndef CARILLON_LINUX_H
#define CARILLON_LINUX_H
#include <stdint.h>
#include "abi/types.h"
#include "carillon/record.h"

struct linux_thread;

/*
 * Make the library's structures for a native process with the record it was started with (which stays mapped and is written to). Sets the
 * upcall configuration so that wild pointers given to calls answer EFAULT. 0 or a negative error.
 */
int64_t linux_native_start(struct process_record *record);
/* A Linux call by its number on this architecture: the result, or a negative error. What musl's system-call layer calls. */
int64_t linux_native_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
/* The calling thread's structure. */
struct linux_thread *linux_native_thread(void);

struct linux_spawn {
	int32_t descriptor[3];  /* handles for 0, 1, 2 of the new process (copied), HANDLE_NONE: closed */
	int32_t process_port;   /* proc's ordinary client port for it; HANDLE_NONE: none, it runs without pids and signals */
	int32_t system_port;    /* proc's privileged port, to register it with */
	int32_t socket_port;    /* the socket server's ordinary port; HANDLE_NONE: none */
	int32_t library_image, process_table, time_page; /* memobjs for its record */
	int32_t budget;         /* it is charged to; HANDLE_NONE: the caller's */
	uint32_t parent;        /* pid it is a child of */
	const char *name;       /* of the process; NULL: last part of path */
	const char *directory;  /* working directory; NULL: the caller's. The caller's own is changed to it */
	uint32_t flags;         /* RECORD_TRACE */
	int32_t trace_stream;   /* with RECORD_TRACE: the description its lines go to (linux/trace); else HANDLE_NONE */
	/* called when it is registered and before it runs, for what needs its pid (a controlling terminal); may be NULL */
	void (*registered)(void *context, uint32_t pid);
	void *context;
};
/*
 * Start a Linux program in a new process: path and strings as for execve, working directory and mounts as t's. t must be a
 * native process's thread; all handles stay the caller's. Returns its pid (without proc: 0), or a negative error of execve or process_create.
 */
int64_t linux_spawn(struct linux_thread *t, const char *path, char *const argv[], char *const envp[], const struct linux_spawn *options);
#endif
