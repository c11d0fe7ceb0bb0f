/*
 * Structures that calls read and write, shortly: the fields that matter to a reader. All are read from the program through the copy window;
 * what cannot be read is shown as its address. Layouts that differ from port to port are in layout.h.
 */
#include "layout.h"
#include "linux/calls.h"
#include "linux/trace/argument.h"

#define ITEMS 8 /* of an array shown */

/* "{a=1, b=2" piece by piece: a name, then a value */
static void field(struct trace_line *line, const char *name, bool first)
{
	line_text(line, first ? "{" : ", ");
	line_text(line, name);
	line_character(line, '=');
}

static void time_write(struct trace_line *line, const int64_t time[2], const char *fraction)
{
	if (time[1] == 0x3fffffff || time[1] == 0x3ffffffe) {
		line_text(line, time[1] == 0x3fffffff ? "UTIME_NOW" : "UTIME_OMIT");
		return;
	}
	field(line, "tv_sec", true);
	line_decimal(line, time[0]);
	field(line, fraction, false);
	line_decimal(line, time[1]);
	line_character(line, '}');
}

/* One or two times, plain or as the interval and value of a timer */
static bool times_write(struct trace_line *line, struct linux_thread *t, uint64_t address, unsigned count, bool timer, const char *fraction)
{
	int64_t time[4];
	if (user_read(t, time, address, 16 * count))
		return false;
	if (count == 1) {
		time_write(line, time, fraction);
		return true;
	}
	line_text(line, timer ? "{it_interval=" : "[");
	time_write(line, time, fraction);
	line_text(line, timer ? ", it_value=" : ", ");
	time_write(line, time + 2, fraction);
	line_character(line, timer ? '}' : ']');
	return true;
}

static void device_write(struct trace_line *line, uint32_t major, uint32_t minor)
{
	line_text(line, "makedev(");
	line_hex(line, major);
	line_text(line, ", ");
	line_hex(line, minor);
	line_character(line, ')');
}

/* Of a file's attributes: what kind it is, its links when unusual, and how long it is */
static void attributes_write(struct trace_line *line, const char *prefix, uint32_t mode, uint64_t size, uint32_t major, uint32_t minor)
{
	bool device = (mode & 0170000) == 020000 || (mode & 0170000) == 060000;
	line_character(line, '{');
	line_text(line, prefix);
	line_text(line, "_mode=");
	names_mode(line, mode);
	line_text(line, ", ");
	line_text(line, prefix);
	line_text(line, device ? "_rdev=" : "_size=");
	if (device)
		device_write(line, major, minor);
	else
		line_unsigned(line, size);
	line_text(line, ", ...}");
}

static bool stat_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	struct linux_stat status;
	if (user_read(t, &status, address, sizeof status))
		return false;
	attributes_write(line, "st", status.mode, (uint64_t)status.size, (uint32_t)(status.special_device >> 8 & 0xfff), (uint32_t)(status.special_device & 0xff));
	return true;
}

static bool statx_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	struct { uint32_t mask, block; uint64_t attributes; uint32_t links, user, group; uint16_t mode, pad; uint64_t inode, size; uint8_t rest[80];
		uint32_t special_major, special_minor; } status;
	if (user_read(t, &status, address, sizeof status))
		return false;
	attributes_write(line, "stx", status.mode, status.size, status.special_major, status.special_minor);
	return true;
}

static bool statfs_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t word[5];
	static const char *const names[] = { "f_type", "f_bsize", "f_blocks", "f_bfree", "f_bavail" };
	if (user_read(t, word, address, sizeof word))
		return false;
	for (unsigned i = 0; i < 5; i++) {
		field(line, names[i], !i);
		if (i)
			line_unsigned(line, word[i]);
		else
			line_hex(line, word[i]);
	}
	line_text(line, ", ...}");
	return true;
}

static bool polls_write(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t count)
{
	struct { int32_t fd; uint16_t events, ready; } item;
	bool any = false;
	if (count && user_read(t, &item, address, sizeof item))
		return false;
	line_character(line, '[');
	for (uint64_t i = 0; i < count && !user_read(t, &item, address + 8 * i, sizeof item); i++) {
		if (!line->entering && !item.ready)
			continue;
		line_text(line, any ? ", " : "");
		if (i == ITEMS) {
			line_text(line, "...");
			break;
		}
		any = true;
		field(line, "fd", true);
		line_decimal(line, item.fd);
		field(line, line->entering ? "events" : "revents", false);
		names_poll(line, line->entering ? item.events : item.ready, "POLL");
		line_character(line, '}');
	}
	line_character(line, ']');
	return true;
}

void structure_sigset(struct trace_line *line, uint64_t set)
{
	bool any = false;
	int count = 0;
	for (uint64_t rest = set; rest; rest &= rest - 1)
		count++;
	bool most = count >= LINUX_SIGNALS * 2 / 3;
	if (most)
		set = ~set;
	line_text(line, most ? "~[" : "[");
	for (int signal = 1; signal <= LINUX_SIGNALS; signal++)
		if (set & LINUX_SIGNAL_BIT(signal)) {
			line_text(line, any ? " " : "");
			names_signal(line, signal, false);
			any = true;
		}
	line_character(line, ']');
}

static bool action_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	static const struct trace_name flags[] = {
		{ LINUX_SA_RESTORER, "SA_RESTORER" }, { LINUX_SA_ONSTACK, "SA_ONSTACK" }, { LINUX_SA_RESTART, "SA_RESTART" },
		{ LINUX_SA_NODEFER, "SA_NODEFER" }, { LINUX_SA_RESETHAND, "SA_RESETHAND" }, { LINUX_SA_SIGINFO, "SA_SIGINFO" },
		{ LINUX_SA_NOCLDSTOP, "SA_NOCLDSTOP" }, { LINUX_SA_NOCLDWAIT, "SA_NOCLDWAIT" },
	};
	struct linux_action action;
	if (user_read(t, &action, address, sizeof action))
		return false;
	field(line, "sa_handler", true);
	if (action.handler > LINUX_SIG_IGN)
		line_hex(line, action.handler);
	else
		line_text(line, action.handler == LINUX_SIG_IGN ? "SIG_IGN" : "SIG_DFL");
	field(line, "sa_mask", false);
	structure_sigset(line, action.mask);
	field(line, "sa_flags", false);
	line_flags(line, (uint32_t)action.flags, flags, ARRAY_SIZE(flags), NULL);
	if (action.flags & LINUX_SA_RESTORER) {
		field(line, "sa_restorer", false);
		line_hex(line, linux_action_restorer(&action));
	}
	line_character(line, '}');
	return true;
}

/* A time in hundredths of a second, and what that is */
static void ticks_write(struct trace_line *line, const char *name, uint64_t ticks)
{
	field(line, name, false);
	line_unsigned(line, ticks);
	if (!ticks)
		return;
	line_text(line, " /* ");
	line_unsigned(line, ticks / 100);
	line_character(line, '.');
	line_character(line, (char)('0' + ticks / 10 % 10));
	if (ticks % 10)
		line_character(line, (char)('0' + ticks % 10));
	line_text(line, " s */");
}

void structure_siginfo(struct trace_line *line, const struct linux_siginfo *info)
{
	static const struct trace_name sent[] = {
		{ 0, "SI_USER" }, { 0x80, "SI_KERNEL" }, { 0xffffffff, "SI_QUEUE" }, { 0xfffffffe, "SI_TIMER" }, { 0xfffffffd, "SI_MESGQ" },
		{ 0xfffffffa, "SI_TKILL" },
	};
	static const struct trace_name child[] = {
		{ 1, "CLD_EXITED" }, { 2, "CLD_KILLED" }, { 3, "CLD_DUMPED" }, { 4, "CLD_TRAPPED" }, { 5, "CLD_STOPPED" }, { 6, "CLD_CONTINUED" },
	};
	static const struct trace_name fault[] = { { 1, "SEGV_MAPERR" }, { 2, "SEGV_ACCERR" } }, bus[] = { { 1, "BUS_ADRALN" }, { 2, "BUS_ADRERR" } },
		arithmetic[] = { { 1, "FPE_INTDIV" }, { 7, "FPE_FLTINV" } }, illegal[] = { { 2, "ILL_ILLOPN" } }, trap[] = { { 1, "TRAP_BRKPT" }, { 2, "TRAP_TRACE" } };
	int signal = info->signal;
	bool kernel = info->code > 0 && info->code < 0x80, faulted = signal == LINUX_SIGSEGV || signal == LINUX_SIGBUS || signal == LINUX_SIGFPE ||
		signal == LINUX_SIGILL || signal == LINUX_SIGTRAP;
	field(line, "si_signo", true);
	names_signal(line, signal, true);
	field(line, "si_code", false);
	if (!(kernel && ((signal == LINUX_SIGCHLD && line_name(line, (uint32_t)info->code, child, ARRAY_SIZE(child))) ||
		(signal == LINUX_SIGSEGV && line_name(line, (uint32_t)info->code, fault, ARRAY_SIZE(fault))) ||
		(signal == LINUX_SIGBUS && line_name(line, (uint32_t)info->code, bus, ARRAY_SIZE(bus))) ||
		(signal == LINUX_SIGFPE && line_name(line, (uint32_t)info->code, arithmetic, ARRAY_SIZE(arithmetic))) ||
		(signal == LINUX_SIGILL && line_name(line, (uint32_t)info->code, illegal, ARRAY_SIZE(illegal))) ||
		(signal == LINUX_SIGTRAP && line_name(line, (uint32_t)info->code, trap, ARRAY_SIZE(trap))))) &&
		!line_name(line, (uint32_t)info->code, sent, ARRAY_SIZE(sent)))
		line_decimal(line, info->code);
	if (kernel && signal == LINUX_SIGCHLD) {
		field(line, "si_pid", false);
		line_decimal(line, info->child.pid);
		field(line, "si_uid", false);
		line_unsigned(line, info->child.user);
		field(line, "si_status", false);
		if (info->code == 1)
			line_decimal(line, info->child.status);
		else
			names_signal(line, info->child.status, true);
		ticks_write(line, "si_utime", info->child.user_time);
		ticks_write(line, "si_stime", info->child.system_time);
	} else if (faulted && (kernel || info->code == LINUX_SI_KERNEL)) {
		field(line, "si_addr", false);
		line_address(line, info->fault.address);
	} else if (info->code != LINUX_SI_KERNEL) {
		bool timer = info->code == LINUX_SI_TIMER; /* in the same places: its number and how often it was late */
		field(line, timer ? "si_timerid" : "si_pid", false);
		if (timer)
			line_hex(line, (uint32_t)info->sent.pid);
		else
			line_decimal(line, info->sent.pid);
		field(line, timer ? "si_overrun" : "si_uid", false);
		line_unsigned(line, info->sent.user);
		if (info->code == LINUX_SI_QUEUE || info->code == LINUX_SI_TIMER) {
			field(line, "si_int", false);
			line_decimal(line, (int32_t)info->sent.value);
			field(line, "si_ptr", false);
			line_address(line, info->sent.value);
		}
	}
	line_character(line, '}');
}

static bool vector_write(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t count)
{
	struct io_vector part;
	uint64_t left = line->entering ? UINT64_MAX : line->result < 0 ? 0 : (uint64_t)line->result;
	if (count && user_read(t, &part, address, sizeof part))
		return false;
	line_character(line, '[');
	for (uint64_t i = 0; i < count && !user_read(t, &part, address + 16 * i, sizeof part); i++) {
		line_text(line, i ? ", " : "");
		if (i == ITEMS) {
			line_text(line, "...");
			break;
		}
		uint64_t shown = MINIMUM(part.length, left);
		left -= shown;
		field(line, "iov_base", true);
		line_bytes(line, t, part.address, shown);
		field(line, "iov_len", false);
		line_unsigned(line, part.length);
		line_character(line, '}');
	}
	line_character(line, ']');
	return true;
}

/* select's: the first argument is the number of bits */
static bool set_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t bits = MINIMUM(line->argument[0], 1024ul), word = 0;
	bool any = false;
	line_character(line, '[');
	for (uint64_t fd = 0; fd < bits; fd++) {
		if (!(fd % 64) && user_read(t, &word, address + fd / 8, 8))
			break;
		if (!(word >> fd % 64 & 1))
			continue;
		line_text(line, any ? " " : "");
		line_unsigned(line, fd);
		any = true;
	}
	line_character(line, ']');
	return true;
}

static void limit_write(struct trace_line *line, uint64_t value)
{
	if (value == LINUX_RLIM_INFINITY)
		line_text(line, "RLIM64_INFINITY");
	else
		line_unsigned(line, value > 1024 && value % 1024 == 0 ? value / 1024 : value);
	if (value != LINUX_RLIM_INFINITY && value > 1024 && value % 1024 == 0)
		line_text(line, "*1024");
}

static bool status_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint32_t status;
	if (user_read(t, &status, address, sizeof status))
		return false;
	if (!line->result) { /* nobody was there yet: nothing was written */
		line_hex(line, address);
		return true;
	}
	line_character(line, '[');
	if (status == 0xffff) {
		line_text(line, "{WIFCONTINUED(s)}");
	} else if ((status & 0xff) == 0x7f) {
		line_text(line, "{WIFSTOPPED(s) && WSTOPSIG(s) == ");
		names_signal(line, (int)(status >> 8 & 0xff), true);
		line_character(line, '}');
	} else if (status & 0x7f) {
		line_text(line, "{WIFSIGNALED(s) && WTERMSIG(s) == ");
		names_signal(line, (int)(status & 0x7f), true);
		line_text(line, status & 0x80 ? " && WCOREDUMP(s)}" : "}");
	} else {
		line_text(line, "{WIFEXITED(s) && WEXITSTATUS(s) == ");
		line_unsigned(line, status >> 8 & 0xff);
		line_character(line, '}');
	}
	line_character(line, ']');
	return true;
}

static bool numbers_write(struct trace_line *line, struct linux_thread *t, uint64_t address, unsigned count, unsigned size)
{
	line_character(line, '[');
	for (unsigned i = 0; i < count; i++) {
		int64_t value = 0;
		if (user_read(t, &value, address + i * size, size))
			return false;
		line_text(line, i ? ", " : "");
		line_decimal(line, size == 4 ? (int32_t)value : value);
	}
	line_character(line, ']');
	return true;
}

bool structure_numbers(struct trace_line *line, struct linux_thread *t, uint64_t address, unsigned count)
{
	return numbers_write(line, t, address, count, 4);
}

static bool system_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	line_text(line, "{sysname=");
	line_string(line, t, address, LINE_STRING);
	line_text(line, ", nodename=");
	line_string(line, t, address + 65, LINE_STRING);
	line_text(line, ", ...}");
	return true;
}

static bool epolls_write(struct trace_line *line, struct linux_thread *t, uint64_t address, uint64_t count, bool list)
{
	struct linux_epoll_event event;
	if (count && user_read(t, &event, address, sizeof event))
		return false;
	line_text(line, list ? "[" : "");
	for (uint64_t i = 0; i < count && !user_read(t, &event, address + sizeof event * i, sizeof event); i++) {
		line_text(line, i ? ", " : "");
		if (i == ITEMS) {
			line_text(line, "...");
			break;
		}
		field(line, "events", true);
		names_poll(line, event.events, "EPOLL");
		line_text(line, ", data={u32=");
		line_unsigned(line, (uint32_t)event.word);
		line_text(line, ", u64=");
		line_unsigned(line, event.word);
		line_text(line, "}}");
	}
	line_text(line, list ? "]" : "");
	return true;
}

/* getdents: how many entries, for both forms of them (the length of an entry stands at 16) */
static bool entries_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t count = 0;
	for (int64_t at = 0; at < line->result; count++) {
		uint16_t length;
		if (user_read(t, &length, address + (uint64_t)at + 16, sizeof length) || length < 19)
			break;
		at += length;
	}
	line_address(line, address);
	line_text(line, " /* ");
	line_unsigned(line, count);
	line_text(line, count == 1 ? " entry */" : " entries */");
	return true;
}

static bool clone_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	static const char *const names[] = { "flags", "pidfd", "child_tid", "parent_tid", "exit_signal", "stack", "stack_size", "tls" };
	uint64_t word[8];
	if (user_read(t, word, address, sizeof word))
		return false;
	for (unsigned i = 0; i < 8; i++) {
		if ((i && i != 4 && !word[i]) || (i == 1 && !(word[0] & LINUX_CLONE_PIDFD)))
			continue;
		field(line, names[i], !i);
		if (i == 0)
			(void)names_write(line, FORMAT_CLONE, word[0] & ~LINUX_CLONE_SIGNAL);
		else if (i == 4 && word[4])
			names_signal(line, (int)word[4], true);
		else
			line_hex(line, word[i]);
	}
	line_character(line, '}');
	return true;
}

/* sched_getaffinity's and sched_setaffinity's; the size stands before it, or the result says it */
static bool processors_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	uint64_t bits = 8 * (line->entering ? (uint32_t)line->argument[1] : (uint64_t)line->result), word = 0;
	bool any = false;
	line_character(line, '[');
	for (uint64_t i = 0; i < MINIMUM(bits, 1024ul); i++) {
		if (!(i % 64) && user_read(t, &word, address + i / 8, MINIMUM(bits - i, 64ul) / 8))
			return false;
		if (!(word >> i % 64 & 1))
			continue;
		line_text(line, any ? " " : "");
		line_unsigned(line, i);
		any = true;
	}
	line_character(line, ']');
	return true;
}

static bool notification_write(struct trace_line *line, struct linux_thread *t, uint64_t address)
{
	static const struct trace_name ways[] = { { 0, "SIGEV_SIGNAL" }, { 1, "SIGEV_NONE" }, { 2, "SIGEV_THREAD" }, { 4, "SIGEV_THREAD_ID" } };
	struct { uint64_t value; int32_t signal; uint32_t way; int32_t thread; } event;
	if (user_read(t, &event, address, 20))
		return false;
	line_character(line, '{');
	if (event.value) {
		line_text(line, "sigev_value={sival_int=");
		line_decimal(line, (int32_t)event.value);
		line_text(line, ", sival_ptr=");
		line_address(line, event.value);
		line_text(line, "}, ");
	}
	line_text(line, "sigev_signo=");
	if (event.way == 1) /* nobody is sent it */
		line_decimal(line, event.signal);
	else
		names_signal(line, event.signal, true);
	field(line, "sigev_notify", false);
	if (!line_name(line, event.way, ways, ARRAY_SIZE(ways)))
		line_hex(line, event.way);
	if (event.way == 4) {
		field(line, "sigev_notify_thread_id", false);
		line_decimal(line, event.thread);
	}
	line_character(line, '}');
	return true;
}

static bool known_write(struct trace_line *line, struct linux_thread *t, enum trace_format format, uint64_t address, uint64_t length)
{
	uint64_t word[3];
	switch (format) {
	case FORMAT_TIMESPEC: return times_write(line, t, address, 1, false, "tv_nsec");
	case FORMAT_TIMESPECS: return times_write(line, t, address, 2, false, "tv_nsec");
	case FORMAT_TIMEVAL: return times_write(line, t, address, 1, false, "tv_usec");
	case FORMAT_TIMEVALS: return times_write(line, t, address, 2, false, "tv_usec");
	case FORMAT_ITIMERVAL: return times_write(line, t, address, 2, true, "tv_usec");
	case FORMAT_ITIMERSPEC: return times_write(line, t, address, 2, true, "tv_nsec");
	case FORMAT_STAT: return stat_write(line, t, address);
	case FORMAT_STATX: return statx_write(line, t, address);
	case FORMAT_STATFS: return statfs_write(line, t, address);
	case FORMAT_POLLFD: return polls_write(line, t, address, length);
	case FORMAT_IOVEC: return vector_write(line, t, address, length);
	case FORMAT_FDSET: return set_write(line, t, address);
	case FORMAT_SIGACTION: return action_write(line, t, address);
	case FORMAT_STATUS: return status_write(line, t, address);
	case FORMAT_NUMBER: return numbers_write(line, t, address, 1, 4);
	case FORMAT_PAIR: return numbers_write(line, t, address, 2, 4);
	case FORMAT_LONG: return numbers_write(line, t, address, 1, 8);
	case FORMAT_UTSNAME: return system_write(line, t, address);
	case FORMAT_EPOLL: return epolls_write(line, t, address, 1, false);
	case FORMAT_EPOLLS: return epolls_write(line, t, address, (uint64_t)line->result, true);
	case FORMAT_ENTRIES: return entries_write(line, t, address);
	case FORMAT_CLONEARGS: return clone_write(line, t, address);
	case FORMAT_SOCKADDR: return socket_address(line, t, address, length);
	case FORMAT_MSGHDR: return socket_message(line, t, address);
	case FORMAT_MMSGHDR: return socket_messages(line, t, address, line->number == LINUX_CALL_SENDMMSG, length);
	case FORMAT_SIGEVENT: return notification_write(line, t, address);
	case FORMAT_CPUS: return processors_write(line, t, address);
	case FORMAT_SIGINFO: {
		struct linux_siginfo info;
		if (user_read(t, &info, address, sizeof info))
			return false;
		structure_siginfo(line, &info);
		return true;
	}
	case FORMAT_SIGSET:
		if (user_read(t, word, address, 8))
			return false;
		structure_sigset(line, word[0]);
		return true;
	case FORMAT_MASKPAIR: /* pselect6's: where a set is, and its size */
		if (user_read(t, word, address, 16))
			return false;
		field(line, "sigmask", true);
		structure_write(line, t, FORMAT_SIGSET, word[0], 0);
		field(line, "sigsetsize", false);
		line_unsigned(line, word[1]);
		line_character(line, '}');
		return true;
	case FORMAT_SIGSTACK: {
		static const struct trace_name flags[] = { { 1, "SS_ONSTACK" }, { 2, "SS_DISABLE" }, { 0x80000000, "SS_AUTODISARM" } };
		struct linux_stack stack;
		if (user_read(t, &stack, address, sizeof stack))
			return false;
		field(line, "ss_sp", true);
		line_address(line, stack.address);
		field(line, "ss_flags", false);
		line_flags(line, stack.flags, flags, ARRAY_SIZE(flags), NULL);
		field(line, "ss_size", false);
		line_unsigned(line, stack.size);
		line_character(line, '}');
		return true;
	}
	case FORMAT_RLIMIT:
		if (user_read(t, word, address, 16))
			return false;
		field(line, "rlim_cur", true);
		limit_write(line, word[0]);
		field(line, "rlim_max", false);
		limit_write(line, word[1]);
		line_character(line, '}');
		return true;
	case FORMAT_RUSAGE: {
		int64_t time[4];
		if (user_read(t, time, address, sizeof time))
			return false;
		field(line, "ru_utime", true);
		time_write(line, time, "tv_usec");
		field(line, "ru_stime", false);
		time_write(line, time + 2, "tv_usec");
		line_text(line, ", ...}");
		return true;
	}
	default: return false;
	}
}

void structure_write(struct trace_line *line, struct linux_thread *t, enum trace_format format, uint64_t address, uint64_t length)
{
	uint32_t before = line->length;
	if (!known_write(line, t, format, address, length)) {
		line->length = before;
		line_address(line, address);
	}
}
