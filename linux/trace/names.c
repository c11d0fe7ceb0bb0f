/* Names of numbers and flags, as the C headers of Linux programs have them. Longer sets of bits stand before their parts. */
#include "linux/trace/argument.h"
#include "trace/errors.h"

#define FLAG(name, value) { value, #name }
static const struct trace_name open_flags[] = {
	FLAG(O_TMPFILE, 020200000), FLAG(O_CREAT, 0100), FLAG(O_EXCL, 0200), FLAG(O_NOCTTY, 0400), FLAG(O_TRUNC, 01000), FLAG(O_APPEND, 02000),
	FLAG(O_NONBLOCK, 04000), FLAG(O_SYNC, 04010000), FLAG(O_DSYNC, 010000), FLAG(O_ASYNC, 020000), FLAG(O_DIRECT, 040000),
	FLAG(O_LARGEFILE, 0100000), FLAG(O_DIRECTORY, 0200000), FLAG(O_NOFOLLOW, 0400000), FLAG(O_NOATIME, 01000000), FLAG(O_CLOEXEC, 02000000),
	FLAG(O_PATH, 010000000),
};
static const struct trace_name at_flags[] = {
	FLAG(AT_SYMLINK_NOFOLLOW, 0x100), FLAG(AT_REMOVEDIR, 0x200), FLAG(AT_SYMLINK_FOLLOW, 0x400), FLAG(AT_NO_AUTOMOUNT, 0x800), FLAG(AT_EMPTY_PATH, 0x1000),
};
static const struct trace_name protections[] = {
	FLAG(PROT_READ, 1), FLAG(PROT_WRITE, 2), FLAG(PROT_EXEC, 4), FLAG(PROT_SEM, 8), FLAG(PROT_GROWSDOWN, 0x01000000), FLAG(PROT_GROWSUP, 0x02000000),
};
static const struct trace_name map_flags[] = {
	FLAG(MAP_SHARED_VALIDATE, 3), FLAG(MAP_SHARED, 1), FLAG(MAP_PRIVATE, 2), FLAG(MAP_FIXED, 0x10), FLAG(MAP_ANONYMOUS, 0x20), FLAG(MAP_32BIT, 0x40),
	FLAG(MAP_GROWSDOWN, 0x100), FLAG(MAP_DENYWRITE, 0x800), FLAG(MAP_EXECUTABLE, 0x1000), FLAG(MAP_LOCKED, 0x2000), FLAG(MAP_NORESERVE, 0x4000),
	FLAG(MAP_POPULATE, 0x8000), FLAG(MAP_NONBLOCK, 0x10000), FLAG(MAP_STACK, 0x20000), FLAG(MAP_HUGETLB, 0x40000), FLAG(MAP_SYNC, 0x80000),
	FLAG(MAP_FIXED_NOREPLACE, 0x100000),
};
static const struct trace_name clone_flags[] = {
	FLAG(CLONE_VM, 0x100), FLAG(CLONE_FS, 0x200), FLAG(CLONE_FILES, 0x400), FLAG(CLONE_SIGHAND, 0x800), FLAG(CLONE_PIDFD, 0x1000),
	FLAG(CLONE_PTRACE, 0x2000), FLAG(CLONE_VFORK, 0x4000), FLAG(CLONE_PARENT, 0x8000), FLAG(CLONE_THREAD, 0x10000), FLAG(CLONE_NEWNS, 0x20000),
	FLAG(CLONE_SYSVSEM, 0x40000), FLAG(CLONE_SETTLS, 0x80000), FLAG(CLONE_PARENT_SETTID, 0x100000), FLAG(CLONE_CHILD_CLEARTID, 0x200000),
	FLAG(CLONE_DETACHED, 0x400000), FLAG(CLONE_UNTRACED, 0x800000), FLAG(CLONE_CHILD_SETTID, 0x1000000), FLAG(CLONE_NEWCGROUP, 0x2000000),
	FLAG(CLONE_NEWUTS, 0x4000000), FLAG(CLONE_NEWIPC, 0x8000000), FLAG(CLONE_NEWUSER, 0x10000000), FLAG(CLONE_NEWPID, 0x20000000),
	FLAG(CLONE_NEWNET, 0x40000000), FLAG(CLONE_IO, 0x80000000), FLAG(CLONE_CLEAR_SIGHAND, 0x100000000), FLAG(CLONE_INTO_CGROUP, 0x200000000),
};
static const struct trace_name mask_ways[] = { FLAG(SIG_BLOCK, 0), FLAG(SIG_UNBLOCK, 1), FLAG(SIG_SETMASK, 2) };
static const struct trace_name futex_operations[] = {
	FLAG(FUTEX_WAIT, 0), FLAG(FUTEX_WAKE, 1), FLAG(FUTEX_FD, 2), FLAG(FUTEX_REQUEUE, 3), FLAG(FUTEX_CMP_REQUEUE, 4), FLAG(FUTEX_WAKE_OP, 5),
	FLAG(FUTEX_LOCK_PI, 6), FLAG(FUTEX_UNLOCK_PI, 7), FLAG(FUTEX_TRYLOCK_PI, 8), FLAG(FUTEX_WAIT_BITSET, 9), FLAG(FUTEX_WAKE_BITSET, 10),
	FLAG(FUTEX_WAIT_REQUEUE_PI, 11), FLAG(FUTEX_CMP_REQUEUE_PI, 12), FLAG(FUTEX_LOCK_PI2, 13),
};
static const struct trace_name fcntl_commands[] = {
	FLAG(F_DUPFD, 0), FLAG(F_GETFD, 1), FLAG(F_SETFD, 2), FLAG(F_GETFL, 3), FLAG(F_SETFL, 4), FLAG(F_GETLK, 5), FLAG(F_SETLK, 6), FLAG(F_SETLKW, 7),
	FLAG(F_SETOWN, 8), FLAG(F_GETOWN, 9), FLAG(F_SETSIG, 10), FLAG(F_GETSIG, 11), FLAG(F_SETOWN_EX, 15), FLAG(F_GETOWN_EX, 16), FLAG(F_OFD_GETLK, 36),
	FLAG(F_OFD_SETLK, 37), FLAG(F_OFD_SETLKW, 38), FLAG(F_SETLEASE, 1024), FLAG(F_GETLEASE, 1025), FLAG(F_NOTIFY, 1026), FLAG(F_DUPFD_CLOEXEC, 1030),
	FLAG(F_SETPIPE_SZ, 1031), FLAG(F_GETPIPE_SZ, 1032), FLAG(F_ADD_SEALS, 1033), FLAG(F_GET_SEALS, 1034),
};
static const struct trace_name ioctl_requests[] = {
	FLAG(TCGETS, 0x5401), FLAG(TCSETS, 0x5402), FLAG(TCSETSW, 0x5403), FLAG(TCSETSF, 0x5404), FLAG(TCGETA, 0x5405), FLAG(TCSETA, 0x5406),
	FLAG(TCSBRK, 0x5409), FLAG(TCXONC, 0x540a), FLAG(TCFLSH, 0x540b), FLAG(TIOCEXCL, 0x540c), FLAG(TIOCNXCL, 0x540d), FLAG(TIOCSCTTY, 0x540e),
	FLAG(TIOCGPGRP, 0x540f), FLAG(TIOCSPGRP, 0x5410), FLAG(TIOCOUTQ, 0x5411), FLAG(TIOCSTI, 0x5412), FLAG(TIOCGWINSZ, 0x5413), FLAG(TIOCSWINSZ, 0x5414),
	FLAG(FIONREAD, 0x541b), FLAG(TIOCCONS, 0x541d), FLAG(FIONBIO, 0x5421), FLAG(TIOCNOTTY, 0x5422), FLAG(TIOCGSID, 0x5429), FLAG(TIOCGPTN, 0x80045430),
	FLAG(TIOCSPTLCK, 0x40045431), FLAG(FIONCLEX, 0x5450), FLAG(FIOCLEX, 0x5451), FLAG(FIOASYNC, 0x5452),
};
static const struct trace_name access_flags[] = { FLAG(R_OK, 4), FLAG(W_OK, 2), FLAG(X_OK, 1) };
static const struct trace_name advices[] = {
	FLAG(MADV_NORMAL, 0), FLAG(MADV_RANDOM, 1), FLAG(MADV_SEQUENTIAL, 2), FLAG(MADV_WILLNEED, 3), FLAG(MADV_DONTNEED, 4), FLAG(MADV_FREE, 8),
	FLAG(MADV_REMOVE, 9), FLAG(MADV_DONTFORK, 10), FLAG(MADV_DOFORK, 11), FLAG(MADV_MERGEABLE, 12), FLAG(MADV_UNMERGEABLE, 13), FLAG(MADV_HUGEPAGE, 14),
	FLAG(MADV_NOHUGEPAGE, 15), FLAG(MADV_DONTDUMP, 16), FLAG(MADV_DODUMP, 17), FLAG(MADV_COLD, 20), FLAG(MADV_PAGEOUT, 21),
	FLAG(MADV_POPULATE_READ, 22), FLAG(MADV_POPULATE_WRITE, 23), FLAG(MADV_COLLAPSE, 25),
};
static const struct trace_name wait_flags[] = {
	FLAG(WNOHANG, 1), FLAG(WSTOPPED, 2), FLAG(WEXITED, 4), FLAG(WCONTINUED, 8), FLAG(WNOWAIT, 0x01000000), FLAG(__WNOTHREAD, 0x20000000),
	FLAG(__WALL, 0x40000000), FLAG(__WCLONE, 0x80000000),
};
static const struct trace_name flock_flags[] = { FLAG(LOCK_SH, 1), FLAG(LOCK_EX, 2), FLAG(LOCK_UN, 8), FLAG(LOCK_NB, 4) };
static const struct trace_name epoll_operations[] = { FLAG(EPOLL_CTL_ADD, 1), FLAG(EPOLL_CTL_DEL, 2), FLAG(EPOLL_CTL_MOD, 3) };
static const struct trace_name resources[] = {
	FLAG(RLIMIT_CPU, 0), FLAG(RLIMIT_FSIZE, 1), FLAG(RLIMIT_DATA, 2), FLAG(RLIMIT_STACK, 3), FLAG(RLIMIT_CORE, 4), FLAG(RLIMIT_RSS, 5),
	FLAG(RLIMIT_NPROC, 6), FLAG(RLIMIT_NOFILE, 7), FLAG(RLIMIT_MEMLOCK, 8), FLAG(RLIMIT_AS, 9), FLAG(RLIMIT_LOCKS, 10), FLAG(RLIMIT_SIGPENDING, 11),
	FLAG(RLIMIT_MSGQUEUE, 12), FLAG(RLIMIT_NICE, 13), FLAG(RLIMIT_RTPRIO, 14), FLAG(RLIMIT_RTTIME, 15),
};
static const struct trace_name usages[] = { FLAG(RUSAGE_SELF, 0), FLAG(RUSAGE_CHILDREN, 0xffffffff), FLAG(RUSAGE_THREAD, 1) };
static const struct trace_name prctl_options[] = {
	FLAG(PR_SET_PDEATHSIG, 1), FLAG(PR_GET_PDEATHSIG, 2), FLAG(PR_GET_DUMPABLE, 3), FLAG(PR_SET_DUMPABLE, 4), FLAG(PR_GET_KEEPCAPS, 7),
	FLAG(PR_SET_KEEPCAPS, 8), FLAG(PR_SET_NAME, 15), FLAG(PR_GET_NAME, 16), FLAG(PR_GET_SECCOMP, 21), FLAG(PR_SET_SECCOMP, 22),
	FLAG(PR_CAPBSET_READ, 23), FLAG(PR_CAPBSET_DROP, 24), FLAG(PR_SET_TIMERSLACK, 29), FLAG(PR_GET_TIMERSLACK, 30), FLAG(PR_SET_CHILD_SUBREAPER, 36),
	FLAG(PR_GET_CHILD_SUBREAPER, 37), FLAG(PR_SET_NO_NEW_PRIVS, 38), FLAG(PR_GET_NO_NEW_PRIVS, 39), FLAG(PR_SET_VMA, 0x53564d41),
};
static const struct trace_name arch_codes[] = {
	FLAG(ARCH_SET_GS, 0x1001), FLAG(ARCH_SET_FS, 0x1002), FLAG(ARCH_GET_FS, 0x1003), FLAG(ARCH_GET_GS, 0x1004), { 0x3001, "0x3001 /* ARCH_??? */" },
};
static const struct trace_name clocks[] = {
	FLAG(CLOCK_REALTIME, 0), FLAG(CLOCK_MONOTONIC, 1), FLAG(CLOCK_PROCESS_CPUTIME_ID, 2), FLAG(CLOCK_THREAD_CPUTIME_ID, 3), FLAG(CLOCK_MONOTONIC_RAW, 4),
	FLAG(CLOCK_REALTIME_COARSE, 5), FLAG(CLOCK_MONOTONIC_COARSE, 6), FLAG(CLOCK_BOOTTIME, 7), FLAG(CLOCK_REALTIME_ALARM, 8),
	FLAG(CLOCK_BOOTTIME_ALARM, 9), FLAG(CLOCK_TAI, 11),
};
static const struct trace_name whences[] = { FLAG(SEEK_SET, 0), FLAG(SEEK_CUR, 1), FLAG(SEEK_END, 2), FLAG(SEEK_DATA, 3), FLAG(SEEK_HOLE, 4) };
static const struct trace_name move_flags[] = { FLAG(MREMAP_MAYMOVE, 1), FLAG(MREMAP_FIXED, 2), FLAG(MREMAP_DONTUNMAP, 4) };
static const struct trace_name sync_flags[] = { FLAG(MS_ASYNC, 1), FLAG(MS_INVALIDATE, 2), FLAG(MS_SYNC, 4) };
static const struct trace_name random_flags[] = { FLAG(GRND_NONBLOCK, 1), FLAG(GRND_RANDOM, 2), FLAG(GRND_INSECURE, 4) };
static const struct trace_name timer_flags[] = { FLAG(TIMER_ABSTIME, 1) };
static const struct trace_name interval_timers[] = { FLAG(ITIMER_REAL, 0), FLAG(ITIMER_VIRTUAL, 1), FLAG(ITIMER_PROF, 2) };
static const struct trace_name families[] = { FLAG(AF_UNSPEC, 0), FLAG(AF_UNIX, 1), FLAG(AF_INET, 2), FLAG(AF_INET6, 10), FLAG(AF_NETLINK, 16) };
static const struct trace_name socket_types[] = {
	FLAG(SOCK_STREAM, 1), FLAG(SOCK_DGRAM, 2), FLAG(SOCK_RAW, 3), FLAG(SOCK_RDM, 4), FLAG(SOCK_SEQPACKET, 5),
};
static const struct trace_name socket_flags[] = { FLAG(SOCK_CLOEXEC, 02000000), FLAG(SOCK_NONBLOCK, 04000) };
static const struct trace_name shutdowns[] = { FLAG(SHUT_RD, 0), FLAG(SHUT_WR, 1), FLAG(SHUT_RDWR, 2) };
static const struct trace_name identifications[] = { FLAG(P_ALL, 0), FLAG(P_PID, 1), FLAG(P_PGID, 2), FLAG(P_PIDFD, 3) };
static const struct trace_name message_flags[] = {
	FLAG(MSG_OOB, 1), FLAG(MSG_PEEK, 2), FLAG(MSG_DONTROUTE, 4), FLAG(MSG_CTRUNC, 8), FLAG(MSG_TRUNC, 0x20), FLAG(MSG_DONTWAIT, 0x40),
	FLAG(MSG_EOR, 0x80), FLAG(MSG_WAITALL, 0x100), FLAG(MSG_NOSIGNAL, 0x4000), FLAG(MSG_MORE, 0x8000), FLAG(MSG_CMSG_CLOEXEC, 0x40000000),
};
static const struct trace_name epoll_bits[] = { FLAG(EPOLL_CLOEXEC, 02000000) };
static const struct trace_name event_bits[] = { FLAG(EFD_SEMAPHORE, 1), FLAG(EFD_NONBLOCK, 04000), FLAG(EFD_CLOEXEC, 02000000) };
static const struct trace_name timer_bits[] = { FLAG(TFD_NONBLOCK, 04000), FLAG(TFD_CLOEXEC, 02000000) };
static const struct trace_name signal_bits[] = { FLAG(SFD_NONBLOCK, 04000), FLAG(SFD_CLOEXEC, 02000000) };
static const struct trace_name watch_bits[] = { FLAG(IN_NONBLOCK, 04000), FLAG(IN_CLOEXEC, 02000000) };
static const struct trace_name memfd_bits[] = { FLAG(MFD_CLOEXEC, 1), FLAG(MFD_ALLOW_SEALING, 2), FLAG(MFD_HUGETLB, 4), FLAG(MFD_NOEXEC_SEAL, 8), FLAG(MFD_EXEC, 16) };
static const struct trace_name poll_events[] = {
	FLAG(IN, 1), FLAG(PRI, 2), FLAG(OUT, 4), FLAG(ERR, 8), FLAG(HUP, 0x10), FLAG(NVAL, 0x20), FLAG(RDNORM, 0x40), FLAG(RDBAND, 0x80),
	FLAG(WRNORM, 0x100), FLAG(WRBAND, 0x200), FLAG(MSG, 0x400), FLAG(RDHUP, 0x2000), FLAG(EXCLUSIVE, 1u << 28), FLAG(WAKEUP, 1u << 29),
	FLAG(ONESHOT, 1u << 30), FLAG(ET, 1u << 31),
};
static const struct trace_name file_types[] = {
	FLAG(S_IFSOCK, 0140000), FLAG(S_IFLNK, 0120000), FLAG(S_IFREG, 0100000), FLAG(S_IFBLK, 060000), FLAG(S_IFDIR, 040000), FLAG(S_IFCHR, 020000),
	FLAG(S_IFIFO, 010000),
};
static const struct trace_name special_modes[] = { FLAG(S_ISUID, 04000), FLAG(S_ISGID, 02000), FLAG(S_ISVTX, 01000) };
static const char *const signals[] = {
	NULL, "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT",
	"STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
};

/* Formats that are one name of many, and those that are sets of bits (none: what no bit is called) */
static const struct { enum trace_format format; bool set; const struct trace_name *names; size_t count; const char *none; } tables[] = {
#define NAMES(format, table) { format, false, table, ARRAY_SIZE(table), NULL }
#define FLAGS(format, table, none) { format, true, table, ARRAY_SIZE(table), none }
	FLAGS(FORMAT_OPENBITS, open_flags, NULL), FLAGS(FORMAT_EPOLLBITS, epoll_bits, NULL), FLAGS(FORMAT_EVENTBITS, event_bits, NULL),
	FLAGS(FORMAT_TIMERBITS, timer_bits, NULL), FLAGS(FORMAT_SIGNALBITS, signal_bits, NULL), FLAGS(FORMAT_WATCHBITS, watch_bits, NULL),
	FLAGS(FORMAT_MEMFD, memfd_bits, NULL), FLAGS(FORMAT_AT, at_flags, NULL), FLAGS(FORMAT_PROT, protections, "PROT_NONE"), FLAGS(FORMAT_MAP, map_flags, NULL),
	NAMES(FORMAT_SIGMASK, mask_ways), NAMES(FORMAT_FCNTL, fcntl_commands), NAMES(FORMAT_IOCTL, ioctl_requests),
	FLAGS(FORMAT_ACCESS, access_flags, "F_OK"), NAMES(FORMAT_ADVICE, advices), FLAGS(FORMAT_WAIT, wait_flags, NULL),
	FLAGS(FORMAT_FLOCK, flock_flags, NULL), NAMES(FORMAT_EPOLLOP, epoll_operations), NAMES(FORMAT_RESOURCE, resources), NAMES(FORMAT_USAGE, usages),
	NAMES(FORMAT_PRCTL, prctl_options), NAMES(FORMAT_ARCH, arch_codes), NAMES(FORMAT_CLOCK, clocks), NAMES(FORMAT_WHENCE, whences),
	FLAGS(FORMAT_MREMAP, move_flags, NULL), FLAGS(FORMAT_MSYNC, sync_flags, NULL), FLAGS(FORMAT_RANDOM, random_flags, NULL),
	FLAGS(FORMAT_TIMERFLAGS, timer_flags, NULL), NAMES(FORMAT_ITIMER, interval_timers), NAMES(FORMAT_FAMILY, families),
	FLAGS(FORMAT_MESSAGEFLAGS, message_flags, NULL), FLAGS(FORMAT_ACCEPTBITS, socket_flags, NULL), NAMES(FORMAT_SHUTDOWN, shutdowns),
	NAMES(FORMAT_IDTYPE, identifications),
};

void names_open(struct trace_line *line, uint64_t flags)
{
	static const char *const access[] = { "O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE" };
	line_text(line, access[flags & 3]);
	if (flags & ~3ul) {
		line_character(line, '|');
		line_flags(line, flags & ~3ul, open_flags, ARRAY_SIZE(open_flags), NULL);
	}
}

void names_mode(struct trace_line *line, uint32_t mode)
{
	if (!(mode & 0170000)) {
		line_octal(line, mode);
		return;
	}
	if (line_name(line, mode & 0170000, file_types, ARRAY_SIZE(file_types)))
		line_character(line, '|');
	if (mode & 07000) {
		line_flags(line, mode & 07000, special_modes, ARRAY_SIZE(special_modes), NULL);
		line_character(line, '|');
	}
	line_octal(line, mode & 0777);
}

void names_signal(struct trace_line *line, int signal, bool prefix)
{
	if (signal >= 32 && signal <= LINUX_SIGNALS) {
		line_text(line, signal == 32 ? (prefix ? "SIGRTMIN" : "RTMIN") : prefix ? "SIGRT_" : "RT_");
		if (signal > 32)
			line_unsigned(line, (uint64_t)signal - 32);
	} else if (signal > 0 && signal < 32) {
		line_text(line, prefix ? "SIG" : "");
		line_text(line, signals[signal]);
	} else {
		line_decimal(line, signal);
	}
}

void names_poll(struct trace_line *line, uint32_t events, const char *prefix)
{
	bool any = false;
	for (size_t i = 0; i < ARRAY_SIZE(poll_events); i++)
		if (events & poll_events[i].value) {
			line_text(line, any ? "|" : "");
			line_text(line, prefix);
			line_text(line, poll_events[i].name);
			any = true;
		}
	if (!any)
		line_character(line, '0');
}

void names_error(struct trace_line *line, int error)
{
	bool known = error > 0 && error < (int)ARRAY_SIZE(error_names) && error_names[error];
	if (!known) {
		line_text(line, "error ");
		line_decimal(line, error);
		return;
	}
	line_text(line, error_names[error]);
	line_text(line, " (");
	line_text(line, error_meanings[error]);
	line_character(line, ')');
}

static void futex_write(struct trace_line *line, uint32_t operation)
{
	if (!line_name(line, operation & 0x7f, futex_operations, ARRAY_SIZE(futex_operations)))
		line_hex(line, operation & 0x7f);
	if (operation & 0x80)
		line_text(line, "_PRIVATE");
	if (operation & 0x100)
		line_text(line, "|FUTEX_CLOCK_REALTIME");
}

static void clone_write(struct trace_line *line, uint64_t flags)
{
	uint64_t bits = flags & ~LINUX_CLONE_SIGNAL;
	if (bits || !(flags & LINUX_CLONE_SIGNAL))
		line_flags(line, bits, clone_flags, ARRAY_SIZE(clone_flags), NULL);
	if (flags & LINUX_CLONE_SIGNAL) {
		line_text(line, bits ? "|" : "");
		names_signal(line, flags & LINUX_CLONE_SIGNAL, true);
	}
}

bool names_write(struct trace_line *line, enum trace_format format, uint64_t value)
{
	switch (format) {
	case FORMAT_OPEN: names_open(line, (uint32_t)value); return true;
	case FORMAT_MODE: names_mode(line, (uint32_t)value); return true;
	case FORMAT_SIGNAL: names_signal(line, (int)value, true); return true;
	case FORMAT_FUTEX: futex_write(line, (uint32_t)value); return true;
	case FORMAT_CLONE: clone_write(line, value); return true;
	case FORMAT_SOCKTYPE:
		if (!line_name(line, value & 0xf, socket_types, ARRAY_SIZE(socket_types)))
			line_hex(line, value & 0xf);
		if (value & ~0xful) {
			line_character(line, '|');
			line_flags(line, value & ~0xful, socket_flags, ARRAY_SIZE(socket_flags), NULL);
		}
		return true;
	default: break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		if (tables[i].format != format)
			continue;
		if (tables[i].set)
			line_flags(line, format == FORMAT_MSYNC || format == FORMAT_WAIT ? (uint32_t)value : value, tables[i].names, tables[i].count, tables[i].none);
		else if (!line_name(line, (uint32_t)value, tables[i].names, tables[i].count))
			line_hex(line, (uint32_t)value);
		return true;
	}
	return false;
}
