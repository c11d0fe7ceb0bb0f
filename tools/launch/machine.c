/*
 * The machine: its boot archive, made in a memory file for this run, and QEMU, connected by socket pairs.
 *
 * Nothing is left behind: the archive has no name, the sockets neither, and QEMU is killed when the launcher ends, by
 * machine_stop at exit or by the kernel (parent-death signal) when the launcher is killed.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/archive/archive.h"
#include "tools/launch/launch.h"

static pid_t machine_process;

void machine_stop(void)
{
	if (machine_process > 0) {
		kill(machine_process, SIGKILL);
		while (waitpid(machine_process, NULL, 0) < 0 && errno == EINTR)
			;
	}
	machine_process = 0;
}

void machine_forget(void) { machine_process = 0; }

/* -- the ports */

static const char *const arguments_x86_64[] = {
	"-M", "microvm,acpi=off,pit=off,pic=off,rtc=on,isa-serial=on,auto-kernel-cmdline=on",
	/* string instructions of the emulator go byte by byte: without these, libraries choose faster loops */
	"-cpu", "max,-erms,-fsrm", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04", NULL };
static const char *const arguments_riscv64[] = { "-M", "virt", "-cpu", "rv64", "-bios", "default", NULL };

const struct architecture architectures[] = {
	{ "x86_64", EM_X86_64, "build/x86_64", "qemu-system-x86_64", arguments_x86_64, 32, 0, true },
	{ "riscv64", EM_RISCV, "build/riscv64", "qemu-system-riscv64", arguments_riscv64, 8, 0x80000000, false },
	{ .name = NULL },
};

/* -- the archive of a run */

struct text { char *bytes; size_t size; };

static void text_add(struct text *text, const char *string)
{
	size_t length = strlen(string) + 1;
	text->bytes = must_allocate(text->bytes, text->size + length);
	memcpy(text->bytes + text->size, string, length);
	text->size += length;
}

static void text_add_list(struct text *text, const char *name, const char *const *strings, size_t count)
{
	char number[24];
	snprintf(number, sizeof number, "%zu", count);
	text_add(text, name);
	text_add(text, number);
	for (size_t i = 0; i < count; i++)
		text_add(text, strings[i]);
}

static void add_run(struct archive *archive, const struct options *options)
{
	static const char *const shell[] = { "sh", NULL };
	struct text text = { 0 };
	const char *const *arguments = options->program[0] ? (const char *const *)options->program : shell;
	size_t count = 0;
	while (arguments[count])
		count++;
	text_add_list(&text, "argv", arguments, count);
	text_add_list(&text, "env", options->environment, options->environment_count);
	text_add(&text, "cwd");
	text_add(&text, "/");
	archive_add_bytes(archive, "system/run", text.bytes, text.size, 0644, archive->time);
	free(text.bytes);
}

/* /sys tells how many processors there are where that is not one. */
static void add_processors(struct archive *archive, const struct options *options)
{
	static const char *const names[] = { "online", "possible", "present" };
	char text[16], path[64];
	if (options->processors < 2 || !options->architecture->several)
		return;
	int length = snprintf(text, sizeof text, "0-%u\n", options->processors - 1);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "sys/devices/system/cpu/%s", names[i]);
		archive_add_bytes(archive, path, text, (size_t)length, 0444, archive->time);
	}
}

/* Whether a guest path (absolute) is in the archive, perhaps through a symbolic link to a directory. */
static bool guest_has(const struct archive *archive, const char *path)
{
	char plain[PATH_MAX];
	if (strlen(path) >= sizeof plain)
		return false;
	archive_plain_path(plain, path);
	if (archive_find(archive, plain))
		return true;
	for (char *slash = strchr(plain, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		const struct archive_member *parent = archive_find(archive, plain);
		*slash = '/';
		if (parent && S_ISLNK(parent->mode))
			return true; /* told at run time if not */
	}
	return false;
}

/* Returns a descriptor of the archive; program_path gets where the program is in the guest. */
static int make_archive(const struct options *options, char program_path[PATH_MAX])
{
	struct archive archive;
	char path[PATH_MAX];
	char *interpreter = NULL;
	if (options->program[0]) {
		if (strlen(options->program[0]) >= sizeof path - 1)
			fail("cannot run %s: %s", options->program[0], strerror(ENAMETOOLONG));
		interpreter = program_check(options->program[0], options->architecture);
	}
	snprintf(path, sizeof path, "%s/base.archive", options->build);
	if (archive_load(&archive, path) < 0)
		fail("cannot read %s: %s (run ./carillon build)", path, strerror(errno));
	for (size_t i = 0; i < options->copy_count; i++) {
		const struct copy *copy = &options->copy[i];
		char target[PATH_MAX];
		if (strlen(copy->guest) >= sizeof target)
			fail("cannot copy to %s: %s", copy->guest, strerror(ENAMETOOLONG));
		archive_plain_path(target, copy->guest);
		size_t length = strlen(copy->guest);
		if (copy->guest[length - 1] == '/' || !*target) { /* into a directory, as cp does */
			struct stat status;
			const char *name = strrchr(copy->host, '/');
			if (stat(copy->host, &status) == 0 && !S_ISDIR(status.st_mode) &&
				strlen(target) + strlen(copy->host) + 2 < sizeof target) {
				if (*target)
					strcat(target, "/");
				strcat(target, name ? name + 1 : copy->host);
			}
		}
		if (archive_add_tree(&archive, target, copy->host) < 0)
			fail("cannot copy %s: %s", copy->host, strerror(errno));
	}
	program_path[0] = 0;
	if (options->program[0]) {
		/* the same place seen from the guest's root, so that its own name leads it to itself */
		program_path[0] = '/';
		archive_plain_path(program_path + 1, options->program[0]);
		for (char *c = program_path; *c; c++)
			if (*c <= ' ' || *c == '"' || *c == 127)
				*c = '_'; /* words of the kernel's command line have no blanks */
		if (archive_add_file(&archive, program_path + 1, options->program[0], -1) < 0)
			fail("cannot run %s: %s", options->program[0], strerror(errno));
		if (interpreter && !guest_has(&archive, interpreter))
			fail("cannot run %s: it is dynamically linked and its interpreter %s is not in the guest (give it and the libraries with --copy)",
				options->program[0], interpreter);
	}
	add_run(&archive, options);
	add_processors(&archive, options);
	free(interpreter);
	int descriptor = memfd_create("carillon-archive", 0);
	if (descriptor < 0 || archive_write(&archive, descriptor) < 0)
		fail("cannot make the boot archive: %s", strerror(errno));
	archive_free(&archive);
	return descriptor;
}

/* -- QEMU */

struct command {
	char *argument[96];
	size_t count;
	int inherited[8]; /* descriptors that are for the emulator only */
	size_t inherited_count;
};

static void add(struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct command *command, const char *format, ...)
{
	va_list arguments;
	char *text;
	va_start(arguments, format);
	if (command->count + 2 > sizeof command->argument / sizeof *command->argument || vasprintf(&text, format, arguments) < 0)
		fail("out of memory");
	va_end(arguments);
	command->argument[command->count++] = text;
	command->argument[command->count] = NULL;
}

/* A socket pair: ours is returned, theirs becomes a character device of the machine. */
static int add_stream(struct command *command, const char *name)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		fail("cannot make a socket pair: %s", strerror(errno));
	fcntl(pair[1], F_SETFD, 0);
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	command->inherited[command->inherited_count++] = pair[1];
	add(command, "-chardev");
	add(command, "socket,id=%s,fd=%d", name, pair[1]);
	return pair[0];
}

static void add_port(struct command *command, const char *name, int number)
{
	add(command, "-device");
	add(command, "virtserialport,chardev=%s,name=org.carillon.%s,nr=%d", name, name, number);
}

/* Option values of QEMU are separated by commas; a comma in a file name is doubled. */
static char *quote_commas(const char *text)
{
	char *quoted = must_allocate(NULL, 2 * strlen(text) + 1), *end = quoted;
	for (; *text; text++) {
		if (*text == ',')
			*end++ = ',';
		*end++ = *text;
	}
	*end = 0;
	return quoted;
}

static void describe_machine(struct command *command, struct machine *machine, const struct options *options, const char *stdio,
	int archive, const char *program_path)
{
	char trace[48] = "";
	add(command, "%s", options->machine);
	/* no user configuration, no default devices, no display: the machine is what stands here */
	static const char *const fixed[] = { "-no-user-config", "-nodefaults", "-display", "none", "-no-reboot", "-accel",
		"tcg", /* a thread for each processor, unless instructions are counted */
		/* the current transport of virtio, not the one from before the standard */
		"-global", "virtio-mmio.force-legacy=false", NULL };
	for (size_t i = 0; fixed[i]; i++)
		add(command, "%s", fixed[i]);
	for (size_t i = 0; options->architecture->arguments[i]; i++)
		add(command, "%s", options->architecture->arguments[i]);
	if (options->processor) { /* the last one counts */
		add(command, "-cpu");
		add(command, "%s", options->processor);
	}
	add(command, "-device");
	add(command, "virtio-serial-device,max_ports=8");
	unsigned memory = options->memory + (options->ktrace ? KTRACE_SIZE >> 20 : 0);
	if (options->ktrace) {
		int descriptor = ktrace_prepare(options->ktrace, memory, options->architecture->elf_machine);
		command->inherited[command->inherited_count++] = descriptor;
		add(command, "-object");
		add(command, "memory-backend-file,id=memory,size=%uM,mem-path=/proc/self/fd/%d,share=on", memory, descriptor);
		add(command, "-machine");
		add(command, "memory-backend=memory");
		const char *small = getenv("CARILLON_KTRACE_SIZE"); /* bytes of its rings, at most as many, for tests */
		unsigned long wanted = small ? strtoul(small, NULL, 10) : KTRACE_SIZE;
		snprintf(trace, sizeof trace, " ktrace=%llu:%lu", (unsigned long long)options->architecture->memory_start + KTRACE_OFFSET, wanted < KTRACE_SIZE ? wanted : KTRACE_SIZE);
	}
	add(command, "-m");
	add(command, "%u", memory);
	add(command, "-smp");
	add(command, "%u", options->icount ? 1 : options->processors);
	if (options->icount) {
		add(command, "-icount");
		add(command, "shift=0,sleep=off");
	}
	machine->input = add_stream(command, "input");
	machine->output = add_stream(command, "output");
	machine->error = add_stream(command, "error");
	machine->control = add_stream(command, "control");
	machine->log = add_stream(command, "log");
	add_port(command, "input", 1);
	add_port(command, "output", 2);
	add_port(command, "error", 3);
	add_port(command, "control", 4);
	add(command, "-serial");
	add(command, "chardev:log");
	if (options->debug_socket) {
		add(command, "-chardev");
		add(command, "socket,id=gdb,path=%s,server=on,wait=off", quote_commas(options->debug_socket));
		add(command, "-gdb");
		add(command, "chardev:gdb");
		add(command, "-S");
	}
	add(command, "-kernel");
	add(command, "%s/%s.elf", options->build, options->kernel);
	add(command, "-initrd");
	add(command, "/proc/self/fd/%d", archive);
	add(command, "-append");
	const char *more = getenv("CARILLON_BOOT"); /* further words, for tests */
	char processors[24] = "";
	if (options->processors > 1)
		snprintf(processors, sizeof processors, " processors=%u", options->processors);
	add(command, "stdio=%s%s%s%s%s%s%s%s%s%s%s", stdio, processors, options->restarts ? " restart" : "", terminal_utf8() ? " utf8" : "", *program_path ? " path=" : "",
		program_path, options->verbose ? " verbose" : "", options->trace ? " strace" : "", trace, more ? " " : "", more ? more : "");
}

/* In the child: becomes the emulator, or tells why not through `failed`. */
static _Noreturn void become_machine(struct command *command, pid_t launcher, int complaint, int failed)
{
	sigset_t none;
	/* signals from the keyboard are for the launcher only */
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != launcher)
		_exit(FAILURE);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDWR);
	dup2(null, 0);
	dup2(null, 1);
	dup2(complaint, 2);
	execvp(command->argument[0], command->argument);
	int error = errno;
	if (write(failed, &error, sizeof error) < 0)
		_exit(FAILURE);
	_exit(FAILURE);
}

void machine_start(struct machine *machine, const struct options *options, const char *stdio)
{
	char program_path[PATH_MAX], kernel[PATH_MAX];
	struct command command = { .count = 0 };
	int failed[2], complaint[2], error;
	snprintf(kernel, sizeof kernel, "%s/%s.elf", options->build, options->kernel);
	if (options->program[0])
		free(program_check(options->program[0], options->architecture));
	if (access(kernel, R_OK) < 0)
		fail("cannot read %s: %s (run ./carillon build)", kernel, strerror(errno));
	int archive = make_archive(options, program_path);
	describe_machine(&command, machine, options, stdio, archive, program_path);
	if (pipe2(failed, O_CLOEXEC) < 0 || pipe2(complaint, O_CLOEXEC) < 0)
		fail("cannot make a pipe: %s", strerror(errno));
	atexit(ktrace_end); /* after the machine has been stopped */
	atexit(machine_stop);
	pid_t launcher = getpid();
	pid_t process = fork();
	if (process < 0)
		fail("cannot start a process: %s", strerror(errno));
	if (process == 0)
		become_machine(&command, launcher, complaint[1], failed[1]);
	machine_process = machine->process = process;
	close(failed[1]);
	close(complaint[1]);
	close(archive);
	for (size_t i = 0; i < command.inherited_count; i++)
		close(command.inherited[i]);
	for (size_t i = 0; i < command.count; i++)
		free(command.argument[i]);
	ktrace_begin();
	machine->complaint = complaint[0];
	fcntl(complaint[0], F_SETFL, O_NONBLOCK);
	if (read(failed[0], &error, sizeof error) == (ssize_t)sizeof error)
		fail(error == ENOENT ? "QEMU is missing: %s: %s" : "cannot start QEMU: %s: %s", options->machine, strerror(error));
	close(failed[0]);
}
