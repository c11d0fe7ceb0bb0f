/*
 * What the kernel and the host told: the command line, and the member system/run of the boot archive with the program's arguments.
 *
 *   command line  stdio=XYZ (t terminal or p plain stream, for input, output, error; error s: the output's stream), path=GUESTPATH, verbose, strace, utf8, restart,
 *                 kill=... (killer.c); other words are not for init
 *   system/run    NUL-terminated strings: "argv" COUNT string... "env" COUNT string... "cwd" PATH
 */
#include <stdlib.h>
#include <string.h>
#include "abi/errors.h"
#include "abi/memory.h"
#include "carillon/calls.h"
#include "carillon/runtime.h"
#include "lib/cpio/cpio.h"
#include "user/init/init.h"

#define SHELL "/bin/sh"
#define ARCHIVE_LOW 0x100000000ul

struct boot boot;

const void *boot_member(const char *name, size_t *size, uint64_t *offset)
{
	struct cpio_member member;
	if (cpio_find(boot.archive, boot.archive_size, name, &member) != 1)
		return NULL;
	*size = member.size;
	if (offset)
		*offset = member.offset;
	return boot.archive + member.offset;
}

static void command_word(const char *word, size_t length)
{
	if (length == 7 && memcmp(word, "verbose", 7) == 0) {
		boot.verbose = true;
	} else if (length == 7 && memcmp(word, "restart", 7) == 0) {
		boot.restarts = true;
	} else if (length == 4 && memcmp(word, "utf8", 4) == 0) {
		boot.utf8 = true;
	} else if (length == 6 && memcmp(word, "strace", 6) == 0) {
		boot.trace = true;
	} else if (length > 5 && memcmp(word, "kill=", 5) == 0) {
		boot.kill = strndup(word + 5, length - 5);
	} else if (length == 9 && memcmp(word, "stdio=", 6) == 0) {
		for (unsigned i = 0; i < 3; i++)
			boot.is_terminal[i] = word[6 + i] == 't';
		boot.error_is_output = word[8] == 's' && !boot.is_terminal[1];
	} else if (length > 5 && length - 5 < sizeof boot.path && memcmp(word, "path=", 5) == 0) {
		memcpy(boot.path, word + 5, length - 5);
		boot.path[length - 5] = '\0';
	}
}

static void command_line_read(void)
{
	char line[sizeof boot.info->command_line];
	memcpy(line, boot.info->command_line, sizeof line);
	line[sizeof line - 1] = '\0';
	for (const char *at = line; *at;) {
		at += strspn(at, " \t\n");
		size_t length = strcspn(at, " \t\n");
		command_word(at, length);
		at += length;
	}
}

/* -- system/run */

struct strings { const char *at, *end; };

/* The next string; NULL at the end, or when it is not terminated. */
static const char *string_next(struct strings *strings)
{
	const char *start = strings->at;
	const char *end = start < strings->end ? memchr(start, '\0', (size_t)(strings->end - start)) : NULL;
	if (!end)
		return NULL;
	strings->at = end + 1;
	return start;
}

/* COUNT strings, with room for `more` and a NULL behind them. */
static char **list_read(struct strings *strings, size_t more, size_t *count)
{
	const char *number = string_next(strings);
	unsigned long wanted = number ? strtoul(number, NULL, 10) : 0;
	if (wanted > 100000)
		wanted = 0;
	char **list = calloc(wanted + more + 1, sizeof *list);
	if (!list)
		server_fail("no memory for the program's arguments");
	for (*count = 0; *count < wanted; (*count)++) {
		const char *string = string_next(strings);
		if (!string)
			break;
		list[*count] = (char *)string;
	}
	return list;
}

static void environment_default(size_t count, char *variable)
{
	size_t name = strcspn(variable, "=") + 1;
	for (size_t i = 0; i < count; i++)
		if (strncmp(boot.environment[i], variable, name) == 0)
			return;
	while (boot.environment[count])
		count++;
	boot.environment[count] = variable;
}

static void run_read(void)
{
	static char path_variable[] = "PATH=/bin:/sbin:/usr/bin:/usr/sbin", home_variable[] = "HOME=/", term_variable[] = "TERM=linux",
		shell[] = "sh";
	size_t size = 0, arguments = 0, variables = 0;
	const char *bytes = boot_member("system/run", &size, NULL);
	struct strings strings = { bytes, bytes ? bytes + size : NULL };
	boot.directory = "/";
	for (const char *section; (section = string_next(&strings));) {
		if (strcmp(section, "argv") == 0)
			boot.arguments = list_read(&strings, 1, &arguments);
		else if (strcmp(section, "env") == 0)
			boot.environment = list_read(&strings, 4, &variables);
		else if (strcmp(section, "cwd") == 0)
			boot.directory = string_next(&strings);
		if (!boot.directory)
			boot.directory = "/";
	}
	strings = (struct strings){ NULL, NULL };
	if (!boot.arguments)
		boot.arguments = list_read(&strings, 1, &arguments);
	if (!boot.environment)
		boot.environment = list_read(&strings, 4, &variables);
	if (arguments == 0)
		boot.arguments[0] = boot.path[0] ? boot.path : shell;
	if (!boot.path[0])
		strcpy(boot.path, SHELL);
	environment_default(variables, path_variable);
	environment_default(variables, home_variable);
	if (boot.is_terminal[0] || boot.is_terminal[1] || boot.is_terminal[2])
		environment_default(variables, term_variable);
}

void boot_read(void)
{
	boot.info = (const struct boot_info *)record_value("boot", 0);
	if (!boot.info)
		server_fail("started without boot information");
	boot.archive_size = boot.info->archive_size;
	for (unsigned i = 0; i < 3; i++)
		boot.is_terminal[i] = true;
	struct map_request map = {
		.length = boot.archive_size,
		.low = ARCHIVE_LOW,
		.high = VALUE_SPACE_START,
		.memobj = BOOT_HANDLE_ARCHIVE,
		.protection = PROTECT_READ,
	};
	int64_t address = boot.archive_size ? space_map(HANDLE_SELF_SPACE, &map) : -ENOENT;
	if (address < 0)
		server_fail("cannot map the boot archive: error %d", (int)-address);
	boot.archive = (const uint8_t *)address;
	command_line_read();
	run_read();
}
