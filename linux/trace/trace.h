/*
 * The trace of a process's Linux calls, in the form of Linux's strace:
 *
 *   openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC) = 3
 *   [pid 7] --- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, ...} ---
 *   [pid 7] +++ exited with 0 +++
 *
 * A process is traced when its record has RECORD_TRACE and a trace stream; exec and fork pass both on. Then direct routes are off (start.c, clone.c), and
 * every call of the program comes to trace_call. A line is written by one native write when its call has ended, so lines of processes and threads
 * never mix (and there are no "unfinished" halves); calls that do not return are written before they are made. What a call reads is decoded before it,
 * what it writes after it. The trace only reads: it changes no result, and an interrupt that meets its own write is kept for the program.
 * "[pid N]" is there while the system runs more than one program process or the process more than one thread.
 */
#ifndef LINUX_TRACE_H
#define LINUX_TRACE_H
#include "linux/linux.h"

static inline bool trace_on(const struct linux_thread *t)
{
	return __builtin_expect(t->process->flags & LINUX_PROCESS_TRACED, 0);
}

/* Makes the call by `function` and writes its line. restart: LINUX_RESTART... of linux/calls.tbl, told when the result is -EINTR. The function's result. */
int64_t trace_call(struct linux_thread *t, const uint64_t argument[6], linux_call function, uint32_t restart);
/* The first program of a traced run begins at this stack: the line of the exec that nobody made. */
void trace_started(struct linux_thread *t, const char *path, uint64_t stack);
/* exec is about to succeed: writes its line, since nobody comes back to do it. */
void trace_executed(struct linux_thread *t);
/* A signal was taken for delivery (or thrown away because it has no effect). */
void trace_signal(struct linux_thread *t, const struct linux_siginfo *info);
/* The thread, or with every thread of it the process, ends with this wait status. */
void trace_thread_end(struct linux_thread *t, uint32_t status);
void trace_process_end(struct linux_thread *t, uint32_t status);
#endif
