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
	FORMAT_MESSAGEFLAGS, FORMAT_DEVICE, FORMAT_ACCEPTBITS, FORMAT_SHUTDOWN, FORMAT_IDTYPE, FORMAT_LEVEL, FORMAT_OPTION,
	FORMAT_COMMAND,  /* what a fcntl, ioctl or prctl before it takes */
	FORMAT_WAITTIME, /* of futex: a time for some operations, a number for others */
	/* addresses of text */
	FORMAT_PATH, FORMAT_STR, FORMAT_STRINGS, FORMAT_VARIABLES,
	/* addresses of structures */
	FORMAT_BYTES, FORMAT_IOVEC, FORMAT_TIMESPEC, FORMAT_TIMESPECS, FORMAT_TIMEVAL, FORMAT_TIMEVALS, FORMAT_ITIMERVAL, FORMAT_ITIMERSPEC,
	FORMAT_STAT, FORMAT_STATX, FORMAT_STATFS, FORMAT_POLLFD, FORMAT_SIGSET, FORMAT_SIGACTION, FORMAT_SIGINFO, FORMAT_SIGSTACK, FORMAT_FDSET,
	FORMAT_RLIMIT, FORMAT_RUSAGE, FORMAT_STATUS, FORMAT_NUMBER, FORMAT_LONG, FORMAT_PAIR, FORMAT_UTSNAME, FORMAT_EPOLL, FORMAT_EPOLLS,
	FORMAT_ENTRIES, FORMAT_CLONEARGS, FORMAT_SOCKADDR, FORMAT_MSGHDR, FORMAT_MMSGHDR, FORMAT_CPUS, FORMAT_SIGEVENT, FORMAT_MASKPAIR,
	FORMAT_PEER,   /* an address of a socket that the call fills; the next argument is a FORMAT_LENGTH */
	FORMAT_LENGTH, /* where a length is that the call reads and writes */
	FORMAT_VALUE,  /* of the socket option before it; the next argument is its length, or a FORMAT_LENGTH */
};

struct trace_call { uint16_t kind[6]; };

/* Argument number `index` of the line's call. false: it is not there for this call, and none after it. */
bool argument_write(struct trace_line *line, struct linux_thread *t, const struct trace_call *call, unsigned index);

/* structure.c: the structure at an address that is not 0. length: the next argument's value, where it counts. */
void structure_write(struct trace_line *line, struct linux_thread *t, enum trace_format format, uint64_t address, uint64_t length);
void structure_siginfo(struct trace_line *line, const struct linux_siginfo *info);
void structure_sigset(struct trace_line *line, uint64_t set);
/* [1, 2]: `count` numbers of four bytes. false, and a part may be written, when they cannot be read. */
bool structure_numbers(struct trace_line *line, struct linux_thread *t, uint64_t address, unsigned count);

/* socket.c: before the call, keeps the lengths that it will change; the rest writes as its name says, false when nothing can be read. */
void socket_prepare(struct trace_line *line, struct linux_thread *t, const struct trace_call *call);
void socket_level(struct trace_line *line, uint32_t level);
void socket_option(struct trace_line *line, uint32_t level, uint32_t option);
void socket_value(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length);
bool socket_address(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length);
void socket_peer(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t length_address);
void socket_length(struct trace_line *line, struct linux_thread *t, uint64_t address);
bool socket_message(struct trace_line *line, struct linux_thread *t, uint64_t address);
/* all: the messages were there before the call, as many as `count`; else as many as the result says. */
bool socket_messages(struct trace_line *line, struct linux_thread *t, uint64_t address, bool all, uint64_t count);

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
