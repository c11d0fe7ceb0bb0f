/*
 * The process protocol: what programs ask of the proc server, which keeps pids, parents, groups, sessions, wait and signals.
 * All processes call it through the same client port; it knows the caller by the message's badge, which it set itself:
 * badge = pid | slot << 32. word[0] = operation; in a reply word[0] = negative error or the result.
 * Privileged operations need a port whose data word is PROCESS_PORT_SYSTEM (init, the terminal server).
 */
#ifndef CARILLON_PROCESS_PROTOCOL_H
#define CARILLON_PROCESS_PROTOCOL_H
#include <stdint.h>
#include "abi/message.h"
#include "abi/process.h"

#define PROCESS_PORT_ORDINARY 1
#define PROCESS_PORT_SYSTEM 2
#define PROCESS_PORT_FILES 3 /* root directory of /proc, by the file protocol */
#define PROCESS_BADGE(pid, slot) ((uint64_t)(uint32_t)(pid) | (uint64_t)(slot) << 32)
#define PROCESS_BADGE_PID(badge) ((uint32_t)(badge))
#define PROCESS_BADGE_SLOT(badge) ((uint32_t)((badge) >> 32))

/*
 * The process table: one memory object, one 64-byte slot a process, written by proc only and mapped read-only by everyone at
 * LIBRARY_PROCESS_TABLE. A reader finds its own slot by number; pid 0 marks a free slot. Slot 0 is no process
 * but struct process_table_head.
 */
struct process_slot {
	uint32_t pid, parent, group, session;
	uint64_t pending;          /* bit n-1: signal n waits for the process; written before the interrupt is sent */
	uint32_t flags;            /* PROCESS_SLOT_* */
	uint32_t terminal;         /* device number of the controlling terminal, 0 none */
	char name[16];             /* comm */
	uint64_t start_time;       /* monotonic nanoseconds */
	uint64_t thread_signals;   /* how many signals wait at proc for certain threads of the process */
};
/* What stands in the place of slot 0 */
struct process_table_head {
	uint32_t pid;              /* 0 */
	uint32_t last_pid;         /* the newest process's */
	uint32_t load[3];          /* average number of running threads over 1, 5, 15 minutes, in 65536ths */
	uint32_t living;           /* processes but init and zombies */
	uint64_t reserved[5];
};
#define PROCESS_SLOTS 4096
#define PROCESS_SLOT_LEADER 0x1u /* session leader */
#define PROCESS_SLOT_EXECED 0x2u
#define PROCESS_SLOT_ZOMBIE 0x4u /* dead, not yet waited for */
#define PROCESS_SLOT_STOPPED 0x8u

enum process_operation {
	PROC_FORK = 1,      /* handle[0] = child process (moved; no threads yet), word1 = flags (PROC_FORK_*), word2 = exit signal (SIGCHLD), word3 = 0, or the
	                       parent thread's nice value + 21 if that is not its process's.
	                       Reply: word0 = pid, word1 = slot. proc sets the badge and watches for death; the caller then creates the first thread. */
	PROC_EXECED,        /* word1,word2 = name (16 bytes): the caller replaced its image. send range: "argv0\0argv1\0..." (at most 4 KiB) for /proc/PID/cmdline,
	                       word3 = length of the path that leads it */
	PROC_WAIT,          /* word1 = pid as for wait4 (i64: >0, 0, -1, < -1 group), word2 = options (WNOHANG WUNTRACED WCONTINUED WEXITED WNOWAIT __WALL __WCLONE);
	                       WEXITED is implied unless word3 = 1 (waitid). interruptible. Reply: word0 = pid (0 with WNOHANG), word1 = Linux wait status, then as PROC_TIMES's
	                       word2.. what the child and those it waited for used: word2 user time, word3 system time ns, word4 most pages, word5 page faults, word6 waits,
	                       word7 preemptions */
	PROC_KILL,          /* word1 = pid as for kill (i64), word2 = signal (0 probes), word3 = value, word4 = si_code (0 SI_USER, -1 SI_QUEUE);
	                       word5 = id of one thread of that process, or 0; word7 = with a negative code, the pid to be told as sender | its user << 32 */
	PROC_TAKE_SIGNAL,   /* word1 = blocked mask. Reply: word0 = signal (0 none), range: siginfo_t of Linux (128 bytes) */
	PROC_SET_GROUP,     /* word1 = pid, word2 = group (setpgid) */
	PROC_SET_SESSION,   /* setsid. Reply: word0 = session */
	PROC_GET,           /* word1 = pid (0 self). Reply: word0 0, word1 parent, word2 group, word3 session, word4 state (0 running, 1 stopped, 2 zombie),
	                       word5 ignored signals, word6 foreground group of its terminal (of a session leader) */
	PROC_STOP_SELF,     /* word1 = signal: the caller stops (default action of SIGTSTP ...); the reply comes when it is continued */
	PROC_SET_CHILD_RULE,/* word1 = PROC_CHILDREN_*: SIGCHLD ignored or SA_NOCLDWAIT / SA_NOCLDSTOP */
	PROC_SET_TIMER,     /* word1 = timer's number or PROC_TIMER_*, word2 = deadline of its clock in ns (0 disarms), word3 = period ns,
	                       word4 = 1: the deadline is from now. Reply: word1 = ns that were left (0 disarmed), word2 = old period */
	PROC_TIMES,         /* word1 = pid (0 self). Reply: word1 user, word2 system; of waited-for children word3 user, word4 system, word5 most pages,
	                       word6 page faults, word7 waits | preemptions << 32. Times in ns */
	PROC_SET_MASK,      /* word1 = signals ignored by the process (mask): proc drops them at once instead of interrupting */
	PROC_TAKE_THREAD_SIGNAL, /* if another process has changed limits of the caller: word0 = PROC_LIMITS_CHANGED, word1 = which (mask). Else the oldest signal that waits here for one thread of the caller's process. Reply: word0 = signal (0 none),
	                       word1 = the thread's id, range as PROC_TAKE_SIGNAL */
	PROC_CREATE_TIMER,  /* word1 = PROC_CLOCK_*, word2 = signal (0: none), word3 = value, word4 = thread's id or 0, word5 = 1: the value is the number,
	                       word6 = of clocks of threads the kernel's number of one of the caller's, of the other processor clocks a pid (0 self). Reply: word0 = the timer's number */
	PROC_GET_TIMER,     /* word1 = as PROC_SET_TIMER. Reply: word1 = ns left, word2 = period, word3 = overruns of the last signal */
	PROC_DELETE_TIMER,  /* word1 = number */
	PROC_OPTION,        /* word1 = PROC_OPTION_*, word2 = 1: set it to word3. Reply: word1 = its old value */
	PROC_PRIORITY,      /* word1, word2 = which and who of setpriority, word3 = 1: set to word4 (nice, i64). Reply: word1 = 20 - least nice value */
	PROC_FORGET,        /* word1 = pid of a child that has no thread: it never was */
	PROC_DESCRIBE,      /* word1 = pid (0 self). Reply: handle[0] = an event that is ready for reading once the process has ended, word1 = its serial number.
	                       Pids come again, serial numbers do not: with PROC_KILL in word6, PROC_WAIT in word4, PROC_DESCRIPTOR in word3 (0: whoever it is) */
	PROC_DESCRIPTOR,    /* word1 = pid, word2 = number, word3 = serial. Reply: handle[0] = the same as that descriptor of the process */
	PROC_LIMIT,         /* word1 = pid of another process, word2 = RLIMIT_*, word3 = 1: set it to word4 (soft), word5 (hard). Reply: word1, word2 = old */
	PROC_SET_NAME,      /* word1, word2 = name (16 bytes): the main thread has another one */
	PROC_PROCESSORS,    /* word1 = pid, word2 = bits of the processors that its main thread may run on (0: no change; EINVAL: none of them runs). Reply: word1 = what they are;
	                       0: it has ended */
	/* privileged */
	PROC_REGISTER = 64, /* handle[0] = process (moved), word1 = parent pid, word2.. name (16 bytes): a process made by init. Reply: word0 = pid, word1 = slot */
	PROC_SIGNAL_GROUP,  /* word1 = group, word2 = signal (from the terminal) */
	PROC_SET_TERMINAL,  /* word1 = session, word2 = device number (0: none): controlling terminal of a session; word3 = its foreground group, told anew
	                       whenever it changes: proc sends it SIGHUP and SIGCONT when the session leader dies, also when the session has
	                       lost the terminal (word2 = 0) but its group is told. word4 = pid: only that process loses its terminal, nothing else changes */
	PROC_WATCH_EXIT,    /* word1 = pid: the reply comes when it has died; word1 = wait status. (init: the program) */
	PROC_KILL_ALL,      /* kill everything registered but the caller and servers: the end of a run */
	PROC_GROUP_ORPHANED,/* word1 = group. Reply word0 = 1 if orphaned */
};
/* Nice values weigh by the length of a thread's slices: each step is a quarter more or less, as near as the kernel's bounds allow. */
static inline uint64_t nice_slice(int32_t nice)
{
	uint64_t slice = SLICE_DEFAULT;
	for (; nice > 0; nice--)
		slice = slice * 4 / 5;
	for (; nice < 0; nice++)
		slice = slice * 5 / 4;
	return slice < SLICE_MIN ? SLICE_MIN : slice > SLICE_MAX ? SLICE_MAX : slice;
}

#define PROC_FORK_VFORK 0x1u
#define PROC_FORK_PARENT 0x2u /* CLONE_PARENT */
/* Timers of every process that no PROC_CREATE_TIMER made: SIGALRM, SIGVTALRM, SIGPROF, and RLIMIT_CPU's SIGXCPU and SIGKILL */
#define PROC_TIMER_REAL 0x10000u
#define PROC_TIMER_VIRTUAL 0x10001u
#define PROC_TIMER_PROFILE 0x10002u
#define PROC_TIMER_CPU_SOFT 0x10003u
#define PROC_TIMER_CPU_HARD 0x10004u
/* User time, or user and system time, of a process or of a thread */
enum { PROC_CLOCK_MONOTONIC, PROC_CLOCK_USER, PROC_CLOCK_PROCESSOR, PROC_CLOCK_THREAD_USER, PROC_CLOCK_THREAD };
#define PROC_LIMITS_CHANGED 1000
enum { PROC_OPTION_DEATH_SIGNAL, PROC_OPTION_SUBREAPER, PROC_OPTION_SIGNAL_LIMIT /* RLIMIT_SIGPENDING */ };
#define PROC_CHILDREN_NO_ZOMBIE 0x1u
#define PROC_CHILDREN_NO_STOP_SIGNAL 0x2u
/* The proc server also serves /proc by the file protocol: its directory port is another client port of its listener. */
#endif
