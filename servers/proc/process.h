/*
 * Processes: the state proc keeps, found by pid. Pure: what has to happen outside goes through effects.h.
 *
 *   fork/register --> RUNNING <--SIGCONT-- STOPPED          ZOMBIE --wait, or nobody cares--> gone
 *                        \----SIGSTOP, ...--->/                ^
 *                         \-------- death (from any state) ----/
 *
 * A pid is in use while any process has it as pid, group or session; so a group's number cannot become a stranger's pid.
 * pid 1 is init: it has no process handle here, gets no signals, and orphans given to it vanish when they die.
 * The shared table's slot of a process repeats what programs may read; process_publish keeps the two alike.
 */
#ifndef PROC_PROCESS_H
#define PROC_PROCESS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/types.h"
#include "carillon/process_protocol.h"

#define PID_MAX 32768u
#define SIGNAL_COUNT 64
#define SIGNAL_REALTIME_FIRST 32 /* queued from here on */
#define SIGNAL_QUEUE_MAX 4096  /* RLIMIT_SIGPENDING of the first program */
#define SIGNAL_QUEUE_BOUND 65536u /* and what it can be raised to */
#define SIGNAL_BIT(signal) (1ul << ((signal) - 1))

/* What becomes a siginfo_t */
struct signal_info {
	int32_t signal, code;
	uint32_t pid, user;
	uint64_t value;            /* sigqueue's, or si_status for SIGCHLD */
	uint64_t user_time, system_time; /* SIGCHLD: nanoseconds */
};

/* What processes used: nanoseconds, and how many; peak: pages of the largest */
struct used { uint64_t user, system, page_faults, waits, preemptions, peak; };

struct queued_signal { struct queued_signal *next; struct signal_info info; uint32_t thread; };
struct pending_reply { struct pending_reply *next; uint32_t reply; };

enum process_state { PROCESS_STATE_RUNNING, PROCESS_STATE_STOPPED, PROCESS_STATE_ZOMBIE };

struct process {
	uint32_t pid, slot, group, session;
	uint32_t serial;           /* unlike the pid never given again */
	enum process_state state;
	struct process *parent, *first_child, *next_sibling, *previous_sibling;
	handle_t handle;           /* HANDLE_NONE: init, or dead */
	handle_t end_event;        /* for process descriptors; HANDLE_NONE: nobody asked for it, or dead */
	uint32_t flags;            /* PROCESS_SLOT_LEADER, EXECED */
	uint32_t terminal;
	uint32_t foreground;       /* of a session leader with a terminal: the foreground group */
	uint32_t exit_signal, child_rules;

	uint32_t status;           /* wait status once dead */
	uint32_t stop_signal;
	bool counted;              /* among the living that the table's slot 0 tells */
	bool stop_unreported, continue_unreported; /* for WUNTRACED, WCONTINUED */
	struct pending_reply *stop_replies; /* PROC_STOP_SELF */
	struct pending_reply *exit_replies; /* PROC_WATCH_EXIT */

	uint64_t pending, ignored, stop_taken; /* stop_taken: stop signals handed out since the last SIGCONT */
	struct signal_info standard[SIGNAL_REALTIME_FIRST];
	struct queued_signal *queue, *thread_queue; /* thread_queue: each for one thread, until the process takes it to that thread */
	uint32_t queue_length, thread_queue_length, queue_limit; /* of both together: RLIMIT_SIGPENDING */
	uint32_t limits_changed;       /* bit n: another process has changed limit n, the process is still to act on it */
	struct process_timer *timers;  /* timers.h */
	uint32_t death_signal;         /* sent to this process when its parent dies */
	bool subreaper;                /* orphans below come to this process */
	int32_t nice;

	uint64_t start_time;
	struct used used, children; /* its own only once it is dead; of its children, those it has waited for */
	struct job *job;           /* job.h; NULL: init */
	char name[16];
	char *path, *command;      /* executable's path; arguments, each NUL-terminated */
	size_t command_length;
};

extern struct process_slot *process_slots; /* PROCESS_SLOTS of them */
static inline struct process_table_head *process_head(void) { return (struct process_table_head *)process_slots; }
extern struct process *process_by_slot[PROCESS_SLOTS];

/* Makes pid 1. false: no memory. After process_slots is set. */
bool process_table_start(uint64_t now);
/* A new process below parent: pid and slot chosen, group, session, terminal, name and rules as inherited. NULL: no memory, or too many. */
struct process *process_create_child(struct process *parent, uint64_t now);
struct process *process_find(uint32_t pid);
/* The process a message's badge names; NULL when it is no (living) process of ours. */
struct process *process_of_badge(uint64_t badge);
/* Takes a dead (or never started) process out of the table and frees it; its children must have gone elsewhere. */
void process_remove(struct process *process);
void process_set_parent(struct process *process, struct process *parent);
void process_publish(struct process *process);

/* setpgid and setsid with their rules. 0 (the session's number) or -ESRCH, -EPERM, -EACCES, -EINVAL. */
int process_set_group(struct process *caller, uint32_t pid, uint32_t group);
int process_set_session(struct process *caller);
/* Makes process the leader of its own new group and session, whatever it was (a process registered by init). */
void process_lead_session(struct process *process);
bool group_exists(uint32_t group);
/* No living member has a parent in another group of the same session (init does not count). */
bool group_orphaned(uint32_t group);
bool group_has_stopped(uint32_t group);
/*
 * Keeps a process's command line (its arguments, each NUL-terminated; NULL: none), instead of the one before. Once all of them together are as long as
 * process_command_limit says, their beginnings only. Without memory there is none.
 */
void process_set_command(struct process *process, const char *command, size_t length);
void process_command_limit(size_t bytes);
/* Memory, zero, for queued signals and timers: of all processes together as much as extra_limit says, so that there is some left for processes. */
void *extra_alloc(size_t size);
void extra_free(void *memory, size_t size);
void extra_limit(size_t bytes);
/* Every process of the table, in slot order: for (p = process_next(NULL); p; p = process_next(p)). The current one may be removed. */
struct process *process_next(const struct process *process);
#endif
