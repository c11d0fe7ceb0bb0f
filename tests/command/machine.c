/*
 * A stand-in for QEMU and the guest, for tests of the launcher: runs the program of the boot archive on this machine, as the system in
 * the guest would, between the character devices that the launcher connects. CARILLON_QEMU names it.
 * STANDIN=die ends without a status after a line in the log, STANDIN=hang never answers, STANDIN=deaf ignores "interrupt".
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tools/archive/archive.h"

static int port[5] = { -1, -1, -1, -1, -1 };
static const char *const port_name[5] = { "input", "output", "error", "control", "log" };
enum { INPUT, OUTPUT, ERROR, CONTROL, LOG };
static struct archive archive;
static pid_t child;
static int program_input, program_output[2]; /* our ends of its pipes */
static uint64_t input_total = UINT64_MAX, input_done;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static _Noreturn void fail(const char *what)
{
	perror(what);
	exit(1);
}

static bool write_all(int descriptor, const char *bytes, size_t size)
{
	while (size) {
		ssize_t count = write(descriptor, bytes, size);
		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0)
			return false;
		bytes += count;
		size -= (size_t)count;
	}
	return true;
}

/* The next of the strings in system/run. */
static char *next_string(char **at)
{
	char *string = *at;
	*at += strlen(string) + 1;
	return string;
}
static char **read_list(char **at)
{
	next_string(at); /* its name */
	size_t count = (size_t)atoi(next_string(at));
	char **list = calloc(count + 1, sizeof *list);
	for (size_t i = 0; i < count; i++)
		list[i] = next_string(at);
	return list;
}

/* The body of a member, whose place follows from its header. */
static unsigned char *member_body(const char *path, size_t *size)
{
	const struct archive_member *member = archive_find(&archive, path);
	char field[9] = { 0 };
	if (!member)
		return NULL;
	unsigned char *header = archive.data + member->offset;
	*size = strtoul(memcpy(field, header + 6 + 8 * 6, 8), NULL, 16);
	size_t name_size = strtoul(memcpy(field, header + 6 + 8 * 11, 8), NULL, 16);
	return archive.data + ((member->offset + 110 + name_size + 3) & ~(size_t)3);
}

static void end_input_if_due(void)
{
	if (input_done == input_total && program_input >= 0) {
		close(program_input);
		program_input = -1;
	}
}

static void *carry_input(void *unused)
{
	char bytes[4096];
	ssize_t count;
	(void)unused;
	while ((count = read(port[INPUT], bytes, sizeof bytes)) > 0) {
		if (program_input >= 0)
			write_all(program_input, bytes, (size_t)count); /* a program that does not read is no error */
		pthread_mutex_lock(&lock);
		input_done += (uint64_t)count;
		end_input_if_due();
		pthread_mutex_unlock(&lock);
	}
	return NULL;
}

static void *carry_output(void *which)
{
	int i = *(int *)which;
	char bytes[4096];
	ssize_t count;
	while ((count = read(program_output[i], bytes, sizeof bytes)) > 0)
		if (!write_all(port[OUTPUT + i], bytes, (size_t)count))
			break;
	return NULL;
}

static void *listen_control(void *unused)
{
	FILE *file = fdopen(port[CONTROL], "r");
	char line[256];
	(void)unused;
	while (fgets(line, sizeof line, file)) {
		unsigned long long number;
		if (sscanf(line, "end-of-input %llu", &number) == 1) {
			pthread_mutex_lock(&lock);
			input_total = number;
			end_input_if_due();
			pthread_mutex_unlock(&lock);
		} else if (!strcmp(line, "hangup output\n") || !strcmp(line, "hangup error\n")) {
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
			dup3(null, program_output[line[7] == 'e'], O_CLOEXEC); /* its pipe has no reader any more */
			close(null);
		} else if (sscanf(line, "interrupt %llu", &number) == 1 && strcmp(getenv("STANDIN") ? getenv("STANDIN") : "", "deaf"))
			kill(child, (int)number);
	}
	return NULL;
}

static void start_program(const char *path)
{
	size_t size;
	char *run = (char *)member_body("system/run", &size), *at = run;
	unsigned char *body;
	int input[2], output[2], error[2];
	char **arguments = read_list(&at), **environment = read_list(&at);
	if (pipe2(input, O_CLOEXEC) || pipe2(output, O_CLOEXEC) || pipe2(error, O_CLOEXEC))
		fail("pipe");
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGPIPE, SIG_DFL);
		dup2(input[0], 0);
		dup2(output[1], 1);
		dup2(error[1], 2);
		if (!*path)
			execve("/bin/busybox", arguments, environment);
		body = member_body(path + 1, &size);
		int program = memfd_create("program", MFD_CLOEXEC);
		if (!body || !write_all(program, (char *)body, size))
			fail("program");
		char name[64]; /* a script's or busybox's way to itself is by argv[0] */
		snprintf(name, sizeof name, "/proc/self/fd/%d", program);
		int readable = open(name, O_RDONLY | O_CLOEXEC);
		close(program);
		fexecve(readable, arguments, environment);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	close(error[1]);
	program_input = input[1];
	program_output[0] = output[0];
	program_output[1] = error[0];
}

int main(int argc, char **argv)
{
	const char *initrd = NULL, *append = "", *mode = getenv("STANDIN");
	char path[4096] = "", text[64];
	static int number[2] = { 0, 1 };
	pthread_t output[2], thread;
	int status;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i + 1 < argc; i++) {
		for (int k = 0; k < 5; k++) {
			snprintf(text, sizeof text, "socket,id=%s,fd=", port_name[k]);
			if (!strcmp(argv[i], "-chardev") && !strncmp(argv[i + 1], text, strlen(text)))
				port[k] = atoi(argv[i + 1] + strlen(text));
		}
		if (!strcmp(argv[i], "-initrd"))
			initrd = argv[i + 1];
		if (!strcmp(argv[i], "-append"))
			append = argv[i + 1];
	}
	for (int k = 0; k < 5; k++)
		fcntl(port[k], F_SETFD, FD_CLOEXEC);
	if (!initrd || archive_load(&archive, initrd) < 0)
		fail("archive");
	write_all(port[LOG], "stand-in: started\r\n", 19);
	if (mode && !strcmp(mode, "die"))
		return 3;
	while (mode && !strcmp(mode, "hang"))
		pause();
	const char *word = strstr(append, "path=");
	if (word)
		sscanf(word + 5, "%4095s", path);
	start_program(path);
	pthread_create(&output[0], NULL, carry_output, &number[0]);
	pthread_create(&output[1], NULL, carry_output, &number[1]);
	pthread_create(&thread, NULL, carry_input, NULL);
	pthread_create(&thread, NULL, listen_control, NULL);
	waitpid(child, &status, 0);
	pthread_join(output[0], NULL);
	pthread_join(output[1], NULL);
	int length = snprintf(text, sizeof text, "drained\nexit %d\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
	write_all(port[CONTROL], text, (size_t)length);
	return 0;
}
