/*
 * The launcher: boots one machine for one program and is, for whoever started it, that program.
 *   options.c   the command line            program.c  is the file something Carillon can run?
 *   machine.c   archive, QEMU               relay.c    bytes, control lines, signals, time until the end
 *   terminal.c  raw mode and back          trace.c    --ktrace: what the kernel records, to a file
 * Every failure of its own ends it with FAILURE and one line on standard error.
 */
#ifndef TOOLS_LAUNCH_H
#define TOOLS_LAUNCH_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FAILURE 125
#define GUEST_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct copy { const char *host, *guest; };

/* A port of Carillon: what its programs are, and the machine that runs them. */
struct architecture {
	const char *name;
	unsigned elf_machine;
	const char *build;             /* default of options.build */
	const char *machine;           /* the emulator's program */
	const char *const *arguments;  /* that make its machine: no default devices but what is named, NULL at the end */
	unsigned memory_least;         /* MiB, below which not even the loader finds room */
	uint64_t memory_start;         /* its address in the machine */
	bool several;                  /* there is a kernel for several processors: carillon-several */
};
extern const struct architecture architectures[]; /* machine.c; the last has no name */

struct options {
	const struct architecture *architecture;
	const char *build;        /* folder with the kernels and base.archive */
	const char *kernel;       /* NAME of build/NAME.elf: carillon, carillon-several for more than one processor, or carillon-debug that checks itself */
	const char *machine;      /* the emulator's program */
	const char *processor;    /* as it names them; NULL: the architecture's */
	unsigned memory;          /* MiB */
	unsigned processors;
	double timeout;           /* seconds, 0 none */
	bool verbose, icount, trace;
	const char *ktrace;       /* the file for the kernel's trace, or NULL */
	bool restarts;            /* a system that dies starts again: a shell at a terminal */
	const char *debug_socket; /* gdb's remote protocol is served there */
	const char **environment;
	size_t environment_count;
	struct copy *copy;
	size_t copy_count;
	char **program;           /* PROGRAM and its arguments, NULL at the end; program[0] NULL: the shell */
};

/* The other ends of what the machine is connected to; -1 once closed. */
struct machine {
	pid_t process;
	int input, output, error, control, log;
	int complaint;            /* what the emulator itself says */
};

/* Prints "carillon: ..." and ends with FAILURE. The terminal is restored and the machine killed by those who registered for exit. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *must_allocate(void *old, size_t size);

void options_read(struct options *options, int argc, char **argv);

/* Ends with a message unless path is a program for this kind of machine. Returns the interpreter it names (to be freed), or NULL. */
char *program_check(const char *path, const struct architecture *architecture);

/* What the three standard streams are: 't' a terminal, 'p' another stream, 's' for the error the same stream as the output; and NUL. */
void terminal_describe(char stdio[4]);
/* Whether the one we read from erases whole UTF-8 characters (IUTF8). */
bool terminal_utf8(void);
/* Raw mode where stdio says terminal; restored at exit. Call again after a stop. */
void terminal_enter(const char *stdio);
void terminal_restore(void);
/* The window's size; false when there is no terminal. */
bool terminal_window(unsigned short *rows, unsigned short *columns);

/* Builds the archive and starts the machine. It dies with the launcher, however that ends. */
void machine_start(struct machine *machine, const struct options *options, const char *stdio);
/* Kills it if it still runs. */
void machine_stop(void);
/* It has been waited for: never kill that process number again. */
void machine_forget(void);

/* What is set aside of the machine's memory for the trace, and is added to it: above the kernel, far below the archive (unless there is very little). */
#define KTRACE_OFFSET (16u << 20)
#define KTRACE_SIZE (64u << 20)
/* Opens the file, and makes the machine's memory of so many MiB: its descriptor. */
int ktrace_prepare(const char *name, unsigned memory, unsigned elf_machine);
void ktrace_begin(void);
/* The machine has stopped: the rest. Tells on standard error what is missing. */
void ktrace_end(void);

/* Runs until the end; returns the exit status of the command, or RELAY_RESTART: the system died (which has been told), and options say that it restarts. */
#define RELAY_RESTART (-1)
int relay_run(struct machine *machine, const struct options *options, const char *stdio);
#endif
