/*
 * init's parts and what they share. Its threads: main.c. servers.c belongs to the supervisor (once the servers have been started), all else to the
 * second thread.
 *
 * Who owns what: init makes every listener, channel and memory object that servers share. Where a server's handle table outlives it (servers.c) init need not keep
 * them for a successor; of the others it keeps its own handles.
 */
#ifndef USER_INIT_INIT_H
#define USER_INIT_INIT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi/boot.h"
#include "abi/types.h"
#include "carillon/record.h"
#include "carillon/spawn.h"

/* -- boot.c: the boot archive and the kernel's command line */
struct boot {
	const struct boot_info *info;
	const uint8_t *archive; /* all of it, mapped read-only */
	size_t archive_size;
	bool verbose;
	bool utf8;              /* the host's terminal erases whole characters (IUTF8): so does ours */
	bool restarts;          /* the system starts anew when what it cannot go on without has died: of a shell at a terminal */
	const char *kill;       /* kill=...: servers die on purpose (killer.c); NULL */
	bool trace;             /* strace: the program's Linux calls are told on standard error */
	bool is_terminal[3];    /* standard input, output, error: stdio=XYZ */
	bool error_is_output;   /* the two are one plain stream, so that what a program writes to both keeps its order */
	char path[1024];        /* of the program in the guest */
	/* member system/run */
	char **arguments, **environment;
	const char *directory;
};
extern struct boot boot;
void boot_read(void);
/* A member of the archive by name: its bytes (inside boot.archive), or NULL. */
const void *boot_member(const char *name, size_t *size, uint64_t *offset);

/* -- servers.c: the table of servers */
enum server { SERVER_CONSOLE, SERVER_FS, SERVER_PROC, SERVER_TERMINAL, SERVER_SOCKET, SERVERS };
/* Makes all listeners. */
void servers_prepare(void);
/* Gives a server a handle and a value under a name, before it is started. */
void server_give(enum server server, const char *name, handle_t handle, uint32_t rights, uint64_t value);
/* Another value for what was given under a name: a server that is started again finds it. */
void server_set_value(enum server server, const char *name, uint64_t value);
/*
 * The same, and once the server has been started init keeps no handle of its own (unless it has to be given to a successor): for ends of channels,
 * whose other side must learn when this one is closed.
 */
void server_give_away(enum server server, const char *name, handle_t handle, uint64_t value);
void server_start(enum server server);
bool server_alive(enum server server);
/* A new client port of the server's listener. Ends init when there is none: nothing can go on. */
handle_t server_port(enum server server, uint64_t data);
/* What the servers' memory costs, into the log */
void servers_memory_log(void);
/* NOTIFY_DEATH of a server: report it, start it again or give it up, as the table says. */
void server_died(uint64_t number, uint32_t status);
/* Kills a server and logs where it was (killer.c). False: it does not live. The supervisor only. */
bool server_kill(enum server server);
const char *server_name(enum server server);
unsigned long servers_handle_count(void);

/* -- devices.c */
/* Finds the console's device and gives the driver what it needs for it. False: there is none. */
bool device_give_console(void);

/* -- streams.c: standard streams and the console driver */
struct streams {
	handle_t standard[3];  /* the program's descriptors; for terminals filled in by streams_open_terminal */
	handle_t events;       /* receiver: from the console driver */
	handle_t events_sender;/* init's own end of the same */
	handle_t commands;     /* sender: to it */
	handle_t trace;        /* for the trace: a description of its own of the stream behind standard error; HANDLE_NONE */
};
extern struct streams streams;
/* Makes channels and gives the console driver and the terminal server their ends. */
void streams_prepare(void);
/* Opens /dev/console for those standard streams that are the terminal. Returns whether any is. */
bool streams_open_terminal(handle_t terminal_root);
bool streams_use_terminal(void);
/* Drops init's own handles of them: from then on they are the program's, and end when it and its children close them. */
void streams_release(void);
/* Writes a line to the program's standard error, for what init has to say about it. */
void streams_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* -- names.c */
/* Ports that init keeps */
struct ports {
	handle_t fs_root, fs_system, proc_files, proc_system, proc_ordinary, terminal_root, terminal_pseudo, terminal_system, socket_ordinary;
};
extern struct ports ports;
void names_prepare(void);
/* Makes the namespace in init's own record: the root, /proc, the terminal's nodes in /dev. 0 or a negative error. */
int64_t names_build(struct process_record *record);

/* -- program.c */
/* Starts the program of this run. 0, or a negative error already told. */
/* Pages that programs cannot have, so that the servers can go on. */
uint64_t servers_reserve(void);
int64_t program_start(void);
void program_signal(unsigned signal);
/* The Linux wait status as a command's exit status. */
unsigned program_exit_status(uint32_t wait_status);

/* -- main.c */
/* what init itself puts into the channel of the console driver's events */
#define EVENT_PROGRAM_ENDED 100ul /* word1 = wait status */
#define EVENT_RUN_ENDS 101ul      /* word1 = exit status */
#define EVENT_CONSOLE_AGAIN 102ul /* another console driver has been started: it may not know that the run ends */
void event_post(uint64_t event, uint64_t value); /* by any thread; never waits */
extern handle_t init_listener;
/* The run is over: kill what is left, hand over output, tell the host the status, power off. Goes on with the console driver's answer. */
void run_end(unsigned status);
/* Nothing goes on without this server: ends the run, or restarts the system. By the supervisor. */
void run_lost(enum server server);
/* At once, for when the console is gone. */
_Noreturn void power_off(unsigned status);

/* -- report.c */
/* Logs how a server died: cause, registers, a backtrace with the symbols of its ELF image. process: the corpse. */
void report_death(const char *name, handle_t process, uint32_t status, const void *image, size_t image_size);
/* Logs where a suspended one is: registers and backtrace of its first thread. */
void report_place(const char *name, handle_t process, const void *image, size_t image_size);

/* -- killer.c */
/* Will kill servers at random instants once the program runs, if the command line says so: for tests. By the supervisor. */
void killer_start(void);
void killer_program_runs(void);
/* What the system holds, into the log, for a comparison: only when servers are killed. */
void killer_count(const char *when);

/* -- ARCH/registers.c */
struct registers;
void registers_log(const struct registers *r);
uint64_t registers_instruction(const struct registers *r), registers_frame(const struct registers *r);
#endif
