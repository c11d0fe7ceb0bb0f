/* The options of `carillon run`. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/launch/launch.h"

void fail(const char *format, ...)
{
	va_list arguments;
	terminal_restore();
	fputs("carillon: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(FAILURE);
}

void *must_allocate(void *old, size_t size)
{
	void *memory = realloc(old, size ? size : 1);
	if (!memory)
		fail("out of memory");
	return memory;
}

static unsigned read_number(const char *option, const char *text, unsigned long low, unsigned long high)
{
	char *end;
	errno = 0;
	unsigned long value = strtoul(text, &end, 10);
	if (errno || end == text || *end || *text == '-' || value < low || value > high)
		fail("%s wants a number from %lu to %lu, not '%s'", option, low, high, text);
	return (unsigned)value;
}

static double read_seconds(const char *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);
	if (end == text || *end || !(value > 0) || value > 1e9)
		fail("%s wants a number of seconds, not '%s'", option, text);
	return value;
}

static void add_environment(struct options *options, const char *text)
{
	const char *equals = strchr(text, '=');
	if (!equals || equals == text)
		fail("--env wants NAME=VALUE, not '%s'", text);
	size_t name = (size_t)(equals - text) + 1;
	size_t i = 0;
	while (i < options->environment_count && strncmp(options->environment[i], text, name))
		i++;
	if (i == options->environment_count)
		options->environment = must_allocate(options->environment, ++options->environment_count * sizeof *options->environment);
	options->environment[i] = text;
}

static void add_copy(struct options *options, char *text)
{
	char *colon = strrchr(text, ':');
	if (!colon || colon == text || colon[1] != '/')
		fail("--copy wants HOSTPATH:GUESTPATH with an absolute GUESTPATH, not '%s'", text);
	*colon = 0;
	options->copy = must_allocate(options->copy, (options->copy_count + 1) * sizeof *options->copy);
	options->copy[options->copy_count++] = (struct copy){ text, colon + 1 };
}

void options_read(struct options *options, int argc, char **argv)
{
	static const char *const with_value[] = { "--arch", "--memory", "--cpus", "--env", "--copy", "--timeout", "--build", "--gdb-socket", "--ktrace", "--cpu" };
	bool processors_given = false;
	/* for tests: CARILLON_KERNEL and CARILLON_QEMU here, CARILLON_BOOT, further words of the kernel's command line, and CARILLON_KTRACE_SIZE in machine.c */
	*options = (struct options){ .architecture = architectures, .kernel = getenv("CARILLON_KERNEL"), .machine = getenv("CARILLON_QEMU"), .memory = 1024, .processors = 1 };
	if (!options->kernel || !*options->kernel)
		options->kernel = "carillon";
	add_environment(options, "PATH=" GUEST_PATH);
	add_environment(options, "HOME=/root");
	if (getenv("TERM")) {
		char *term = must_allocate(NULL, strlen(getenv("TERM")) + 6);
		sprintf(term, "TERM=%s", getenv("TERM"));
		add_environment(options, term);
	}
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		char *name = argv[i], *value = NULL;
		if (!strcmp(name, "--")) {
			i++;
			break;
		}
		for (size_t k = 0; k < sizeof with_value / sizeof *with_value; k++) {
			size_t length = strlen(with_value[k]);
			if (strncmp(name, with_value[k], length) || (name[length] && name[length] != '='))
				continue;
			value = name[length] ? name + length + 1 : argv[++i];
			if (!value)
				fail("%s wants a value", with_value[k]);
			name = (char *)with_value[k];
			break;
		}
		if (!strcmp(name, "--arch")) {
			options->architecture = architectures;
			while (options->architecture->name && strcmp(value, options->architecture->name))
				options->architecture++;
			if (!options->architecture->name)
				fail("no such architecture: %s (there are x86_64 and riscv64)", value);
		} else if (!strcmp(name, "--memory"))
			options->memory = read_number(name, value, 1, 1 << 20);
		else if (!strcmp(name, "--cpus")) {
			options->processors = read_number(name, value, 1, 8);
			processors_given = true;
		} else if (!strcmp(name, "--env"))
			add_environment(options, value);
		else if (!strcmp(name, "--copy"))
			add_copy(options, value);
		else if (!strcmp(name, "--timeout"))
			options->timeout = read_seconds(name, value);
		else if (!strcmp(name, "--build"))
			options->build = value;
		else if (!strcmp(name, "--gdb-socket"))
			options->debug_socket = value;
		else if (!strcmp(name, "--cpu"))
			options->processor = value;
		else if (!strcmp(name, "--ktrace"))
			options->ktrace = value;
		else if (!strcmp(name, "--verbose"))
			options->verbose = true;
		else if (!strcmp(name, "--checks"))
			options->kernel = "carillon-debug";
		else if (!strcmp(name, "--icount"))
			options->icount = true;
		else if (!strcmp(name, "--strace"))
			options->trace = true;
		else if (strcmp(name, "--no-install")) /* the command's own */
			fail("unknown option: %s (see ./carillon help)", argv[i]);
	}
	if (options->processors > 1 && !strcmp(options->kernel, "carillon") && options->architecture->several)
		options->kernel = "carillon-several";
	if (options->icount && processors_given && options->processors != 1)
		fail("--icount counts one processor; leave --cpus out");
	if (options->memory < options->architecture->memory_least)
		fail("--memory: %u MiB are too little for this machine, which wants %u at least", options->memory, options->architecture->memory_least);
	if (!options->build)
		options->build = options->architecture->build;
	if (!options->machine || !*options->machine)
		options->machine = options->architecture->machine;
	options->program = argv + i;
}
