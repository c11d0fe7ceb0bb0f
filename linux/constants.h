/*
 * Linux's numbers and structures as programs of this architecture use them, with the prefix LINUX_ so that they do not meet the native
 * names (MAP_FIXED, CLOCK_...). Calls about descriptors and files keep theirs in linux/fd and linux/fs.
 */
#ifndef LINUX_CONSTANTS_H
#define LINUX_CONSTANTS_H
#include <stdint.h>

/* -- results that never reach the program: the dispatcher resolves them (negated) */
#define LINUX_RESTART 512u            /* restart, after a handler only with SA_RESTART */
#define LINUX_RESTART_ALWAYS 513u     /* restart after any handler */
#define LINUX_RESTART_NO_HANDLER 514u /* restart if no handler ran, else EINTR */
#define LINUX_FRAME_LOADED 520u       /* the registers in the block are already what the program must see */

/* -- files: what both halves name */
#define LINUX_AT_FDCWD (-100)
#define LINUX_AT_EMPTY_PATH 0x1000u
#define LINUX_AT_SYMLINK_NOFOLLOW 0x100u
#define LINUX_O_RDONLY 0u
#define LINUX_O_WRONLY 1u
#define LINUX_O_RDWR 2u
#define LINUX_O_ACCMODE 3u
#define LINUX_O_CREAT 0100u
#define LINUX_O_EXCL 0200u
#define LINUX_O_NOCTTY 0400u
#define LINUX_O_TRUNC 01000u
#define LINUX_O_APPEND 02000u
#define LINUX_O_NONBLOCK 04000u
#define LINUX_O_DSYNC 010000u
#define LINUX_O_ASYNC 020000u
#define LINUX_O_DIRECT 040000u
#define LINUX_O_LARGEFILE 0100000u
#define LINUX_O_DIRECTORY 0200000u
#define LINUX_O_NOFOLLOW 0400000u
#define LINUX_O_NOATIME 01000000u
#define LINUX_O_CLOEXEC 02000000u
#define LINUX_O_SYNC 04010000u
#define LINUX_O_PATH 010000000u
#define LINUX_O_TMPFILE 020200000u
#define LINUX_S_IFMT 0170000u
#define LINUX_S_IFREG 0100000u
#define LINUX_S_IFDIR 0040000u

/* -- signals */
#define LINUX_SIGHUP 1
#define LINUX_SIGINT 2
#define LINUX_SIGQUIT 3
#define LINUX_SIGILL 4
#define LINUX_SIGTRAP 5
#define LINUX_SIGABRT 6
#define LINUX_SIGBUS 7
#define LINUX_SIGFPE 8
#define LINUX_SIGKILL 9
#define LINUX_SIGUSR1 10
#define LINUX_SIGSEGV 11
#define LINUX_SIGUSR2 12
#define LINUX_SIGPIPE 13
#define LINUX_SIGALRM 14
#define LINUX_SIGTERM 15
#define LINUX_SIGSTKFLT 16
#define LINUX_SIGCHLD 17
#define LINUX_SIGCONT 18
#define LINUX_SIGSTOP 19
#define LINUX_SIGTSTP 20
#define LINUX_SIGTTIN 21
#define LINUX_SIGTTOU 22
#define LINUX_SIGURG 23
#define LINUX_SIGXCPU 24
#define LINUX_SIGXFSZ 25
#define LINUX_SIGVTALRM 26
#define LINUX_SIGPROF 27
#define LINUX_SIGWINCH 28
#define LINUX_SIGIO 29
#define LINUX_SIGPWR 30
#define LINUX_SIGSYS 31
#define LINUX_SIGNALS 64
#define LINUX_SIGNAL_REALTIME 32 /* queued from here on */
#define LINUX_SIGNAL_BIT(signal) (1ul << ((signal) - 1))
#define LINUX_SIG_DFL 0ul
#define LINUX_SIG_IGN 1ul

#define LINUX_SA_NOCLDSTOP 0x1ul
#define LINUX_SA_NOCLDWAIT 0x2ul
#define LINUX_SA_SIGINFO 0x4ul
#define LINUX_SA_RESTORER 0x04000000ul
#define LINUX_SA_ONSTACK 0x08000000ul
#define LINUX_SA_RESTART 0x10000000ul
#define LINUX_SA_NODEFER 0x40000000ul
#define LINUX_SA_RESETHAND 0x80000000ul
#define LINUX_SS_ONSTACK 1u
#define LINUX_SS_DISABLE 2u
#define LINUX_SS_AUTODISARM 0x80000000u
#define LINUX_MINSIGSTKSZ 2048u

#define LINUX_SI_USER 0
#define LINUX_SI_KERNEL 0x80
#define LINUX_SI_QUEUE (-1)
#define LINUX_SI_TIMER (-2)
#define LINUX_SI_TKILL (-6)
#define LINUX_SEGV_MAPERR 1
#define LINUX_SEGV_ACCERR 2
#define LINUX_BUS_ADRALN 1
#define LINUX_BUS_ADRERR 2
#define LINUX_ILL_ILLOPN 2
#define LINUX_FPE_INTDIV 1
#define LINUX_FPE_FLTINV 7
#define LINUX_TRAP_BRKPT 1
#define LINUX_TRAP_TRACE 2

struct linux_siginfo {
	int32_t signal, error, code, reserved;
	union {
		struct { int32_t pid; uint32_t user; uint64_t value; } sent; /* kill, queue */
		struct { int32_t pid; uint32_t user; int32_t status, reserved; uint64_t user_time, system_time; } child;
		struct { uint64_t address; uint16_t bits, reserved[3]; } fault;
		uint8_t room[112];
	};
};
struct linux_stack { uint64_t address; uint32_t flags, reserved; uint64_t size; };

/* -- memory */
#define LINUX_PROT_READ 0x1u
#define LINUX_PROT_WRITE 0x2u
#define LINUX_PROT_EXEC 0x4u
#define LINUX_PROT_SEM 0x8u
#define LINUX_PROT_GROWSDOWN 0x01000000u
#define LINUX_PROT_GROWSUP 0x02000000u
#define LINUX_MAP_SHARED 0x01u
#define LINUX_MAP_PRIVATE 0x02u
#define LINUX_MAP_SHARED_VALIDATE 0x03u
#define LINUX_MAP_TYPE 0x0fu
#define LINUX_MAP_FIXED 0x10u
#define LINUX_MAP_ANONYMOUS 0x20u
#define LINUX_MAP_32BIT 0x40u
#define LINUX_MAP_GROWSDOWN 0x0100u
#define LINUX_MAP_DENYWRITE 0x0800u
#define LINUX_MAP_EXECUTABLE 0x1000u
#define LINUX_MAP_LOCKED 0x2000u
#define LINUX_MAP_NORESERVE 0x4000u
#define LINUX_MAP_POPULATE 0x8000u
#define LINUX_MAP_NONBLOCK 0x10000u
#define LINUX_MAP_STACK 0x20000u
#define LINUX_MAP_HUGETLB 0x40000u
#define LINUX_MAP_SYNC 0x80000u
#define LINUX_MAP_FIXED_NOREPLACE 0x100000u
#define LINUX_MREMAP_MAYMOVE 1u
#define LINUX_MREMAP_FIXED 2u
#define LINUX_MREMAP_DONTUNMAP 4u
#define LINUX_MS_ASYNC 1u
#define LINUX_MS_INVALIDATE 2u
#define LINUX_MS_SYNC 4u

/* Tags of regions (map_request.tag), for /proc and diagnosis */
enum linux_region { LINUX_REGION_NONE, LINUX_REGION_IMAGE, LINUX_REGION_HEAP, LINUX_REGION_STACK, LINUX_REGION_FILE, LINUX_REGION_LIBRARY,
	LINUX_REGION_VDSO, LINUX_REGION_GROWS /* downwards, MAP_GROWSDOWN */ };

/* -- processes */
#define LINUX_CLONE_SIGNAL 0xfful
#define LINUX_CLONE_VM 0x100ul
#define LINUX_CLONE_FS 0x200ul
#define LINUX_CLONE_FILES 0x400ul
#define LINUX_CLONE_SIGHAND 0x800ul
#define LINUX_CLONE_PIDFD 0x1000ul
#define LINUX_CLONE_PTRACE 0x2000ul
#define LINUX_CLONE_VFORK 0x4000ul
#define LINUX_CLONE_PARENT 0x8000ul
#define LINUX_CLONE_THREAD 0x10000ul
#define LINUX_CLONE_NEWNS 0x20000ul
#define LINUX_CLONE_SYSVSEM 0x40000ul
#define LINUX_CLONE_SETTLS 0x80000ul
#define LINUX_CLONE_PARENT_SETTID 0x100000ul
#define LINUX_CLONE_CHILD_CLEARTID 0x200000ul
#define LINUX_CLONE_DETACHED 0x400000ul
#define LINUX_CLONE_UNTRACED 0x800000ul
#define LINUX_CLONE_CHILD_SETTID 0x1000000ul
#define LINUX_CLONE_NEWCGROUP 0x2000000ul
#define LINUX_CLONE_NEWUTS 0x4000000ul
#define LINUX_CLONE_NEWIPC 0x8000000ul
#define LINUX_CLONE_NEWUSER 0x10000000ul
#define LINUX_CLONE_NEWPID 0x20000000ul
#define LINUX_CLONE_NEWNET 0x40000000ul
#define LINUX_CLONE_IO 0x80000000ul
#define LINUX_CLONE_CLEAR_SIGHAND 0x100000000ul
#define LINUX_CLONE_INTO_CGROUP 0x200000000ul

#define LINUX_WNOHANG 0x1u
#define LINUX_WUNTRACED 0x2u
#define LINUX_WSTOPPED 0x2u
#define LINUX_WEXITED 0x4u
#define LINUX_WCONTINUED 0x8u
#define LINUX_WNOWAIT 0x01000000u

#define LINUX_SCHED_RESET_ON_FORK 0x40000000u
#define LINUX_RLIMIT_CPU 0
#define LINUX_RLIMIT_FSIZE 1
#define LINUX_RLIMIT_DATA 2
#define LINUX_RLIMIT_STACK 3
#define LINUX_RLIMIT_CORE 4
#define LINUX_RLIMIT_NPROC 6
#define LINUX_RLIMIT_NOFILE 7
#define LINUX_RLIMIT_AS 9
#define LINUX_RLIMIT_SIGPENDING 11
#define LINUX_RLIMIT_NICE 13
#define LINUX_RLIMIT_RTPRIO 14
#define LINUX_RLIMITS 16
#define LINUX_RLIM_INFINITY UINT64_MAX

#define LINUX_AT_NULL 0
#define LINUX_AT_IGNORE 1
#define LINUX_AT_PHDR 3
#define LINUX_AT_PHENT 4
#define LINUX_AT_PHNUM 5
#define LINUX_AT_PAGESZ 6
#define LINUX_AT_BASE 7
#define LINUX_AT_FLAGS 8
#define LINUX_AT_ENTRY 9
#define LINUX_AT_UID 11
#define LINUX_AT_EUID 12
#define LINUX_AT_GID 13
#define LINUX_AT_EGID 14
#define LINUX_AT_PLATFORM 15
#define LINUX_AT_HWCAP 16
#define LINUX_AT_CLKTCK 17
#define LINUX_AT_SECURE 23
#define LINUX_AT_RANDOM 25
#define LINUX_AT_HWCAP2 26
#define LINUX_AT_EXECFN 31
#define LINUX_AT_SYSINFO_EHDR 33
#define LINUX_AT_MINSIGSTKSZ 51

/* -- time */
#define LINUX_CLOCK_REALTIME 0
#define LINUX_CLOCK_MONOTONIC 1
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2
#define LINUX_CLOCK_THREAD_CPUTIME_ID 3
#define LINUX_CLOCK_MONOTONIC_RAW 4
#define LINUX_CLOCK_REALTIME_COARSE 5
#define LINUX_CLOCK_MONOTONIC_COARSE 6
#define LINUX_CLOCK_BOOTTIME 7
#define LINUX_CLOCK_REALTIME_ALARM 8
#define LINUX_CLOCK_BOOTTIME_ALARM 9
#define LINUX_CLOCK_TAI 11
#define LINUX_TIMER_ABSTIME 1u
#define NANOSECONDS 1000000000ul
struct linux_timespec { int64_t seconds, nanoseconds; };
struct linux_timeval { int64_t seconds, microseconds; };
struct linux_itimerval { struct linux_timeval interval, value; };
#endif
