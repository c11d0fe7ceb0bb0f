/*
 * How an argument is shown. linux/calls.tbl names the formats: "fd" is FORMAT_FD, "out" TRACE_OUT | FORMAT_BYTES, "in.timespec"
 * TRACE_IN | FORMAT_TIMESPEC; an unknown name does not compile. An argument with TRACE_IN is decoded before the call, one with TRACE_OUT after it.
 */
#ifndef LINUX_TRACE_ARGUMENT_H
#define LINUX_TRACE_ARGUMENT_H
#include "linux/trace/line.h"

#define TRACE_IN 0x100u
#define TRACE_OUT 0x200u
#define TRACE_INOUT 0x300u
#define TRACE_FORMAT(kind) ((enum trace_format)((kind) & 0xff))

enum trace_format {
	FORMAT_NONE,
	/* values */
	FORMAT_FD, FORMAT_DIRFD, FORMAT_PTR, FORMAT_SIZE, FORMAT_OFF, FORMAT_INT, FORMAT_UINT, FORMAT_HEX, FORMAT_PID, FORMAT_MODE, FORMAT_SIGNAL,
	FORMAT_CLOCK, FORMAT_WHENCE, FORMAT_OPEN, FORMAT_OPENBITS, FORMAT_EPOLLBITS, FORMAT_EVENTBITS, FORMAT_TIMERBITS, FORMAT_SIGNALBITS,
	FORMAT_WATCHBITS, FORMAT_MEMFD, FORMAT_AT, FORMAT_PROT, FORMAT_MAP, FORMAT_CLONE, FORMAT_SIGMASK, FORMAT_FUTEX, FORMAT_FCNTL,
	FORMAT_IOCTL, FORMAT_ACCESS, FORMAT_ADVICE, FORMAT_WAIT, FORMAT_FLOCK, FORMAT_EPOLLOP, FORMAT_RESOURCE, FORMAT_USAGE, FORMAT_PRCTL,
	FORMAT_ARCH, FORMAT_MREMAP, FORMAT_MSYNC, FORMAT_RANDOM, FORMAT_TIMERFLAGS, FORMAT_ITIMER, FORMAT_FAMILY, FORMAT_SOCKTYPE,
	FORMAT_MESSAGEFLAGS, FORMAT_DEVICE,
	FORMAT_COMMAND,  /* what a fcntl, ioctl or prctl before it takes */
	FORMAT_WAITTIME, /* of futex: a time for some operations, a number for others */
	/* addresses of text */
	FORMAT_PATH, FORMAT_STR, FORMAT_STRINGS, FORMAT_VARIABLES,
	/* addresses of structures */
	FORMAT_BYTES, FORMAT_IOVEC, FORMAT_TIMESPEC, FORMAT_TIMESPECS, FORMAT_TIMEVAL, FORMAT_TIMEVALS, FORMAT_ITIMERVAL, FORMAT_ITIMERSPEC,
	FORMAT_STAT, FORMAT_STATX, FORMAT_STATFS, FORMAT_POLLFD, FORMAT_SIGSET, FORMAT_SIGACTION, FORMAT_SIGINFO, FORMAT_SIGSTACK, FORMAT_FDSET,
	FORMAT_RLIMIT, FORMAT_RUSAGE, FORMAT_STATUS, FORMAT_NUMBER, FORMAT_LONG, FORMAT_PAIR, FORMAT_UTSNAME, FORMAT_EPOLL, FORMAT_EPOLLS,
	FORMAT_ENTRIES, FORMAT_CLONEARGS, FORMAT_SOCKADDR, FORMAT_MSGHDR,
};

struct trace_call { uint16_t kind[6]; };

/* Argument number `index` of the line's call. false: it is not there for this call, and none after it. */
bool argument_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index);

/* structure.c: the structure at an address that is not 0. length: the next argument's value, where it counts. */
void structure_write(struct trace_line *line, struct linux_thread *t, enum trace_format format, uint64_t address, uint64_t length);
void structure_siginfo(struct trace_line *line, const struct linux_siginfo *info);
void structure_sigset(struct trace_line *line, uint64_t set);

/* names.c: the value by its format's names; false: this format has none. */
bool names_write(struct trace_line *line, enum trace_format format, uint64_t value);
/* SIGINT, SIGRT_3 */
void names_signal(struct trace_line *line, int signal, bool prefix);
void names_poll(struct trace_line *line, uint32_t events, const char *prefix);
/* "ENOENT (No such file or directory)" */
void names_error(struct trace_line *line, int error);
void names_open(struct trace_line *line, uint64_t flags);
void names_mode(struct trace_line *line, uint32_t mode);
#endif
