/*
 * Between the machine and the command's own streams, until the end.
 *
 *   standard input  -> input port           counted; after its end "end-of-input COUNT" on the control port
 *   output, error ports -> standard output, standard error
 *   log port        -> kept for reports of failures; standard error with --verbose
 *   control port    lines of text both ways (docs/decisions names them)
 *
 * One loop over poll. A flow has one buffer and reads only when that is empty, so whoever is slow slows the other side down and
 * no other flow. The command's own streams are shared with other processes, so they are not made non-blocking; instead they are
 * written only when ready, and no more than is then sure not to block.
 *
 *        RUNNING --"exit N"--> EXITED --machine gone--> DRAINING --flows empty--> status
 *           | signal: "interrupt N", then after a while as if it had exited by it
 *           | machine gone, time over: failure
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "tools/launch/launch.h"

#define EXIT_GRACE 0.5      /* seconds from "exit" to power-off */
#define INTERRUPT_GRACE 5.0 /* seconds for the guest to end a program that was interrupted */
#define LOG_KEPT 32768
#define REPORT_LINES 24

struct flow {
	int from, to;        /* -1: closed */
	size_t start, end;   /* bytes in buffer not yet written */
	uint64_t total;      /* bytes read */
	size_t chunk;        /* greatest write that does not block when `to` is ready */
	char buffer[65536];
};

static struct relay {
	struct flow input, output, error;
	struct machine *machine;
	const struct options *options;
	const char *stdio;
	char line[256];      /* the control line being received */
	size_t line_length;
	char commands[4096]; /* control lines to be sent */
	size_t commands_length;
	char log[LOG_KEPT];  /* the last of the kernel's log */
	size_t log_length;
	char complaint[2048];/* the first of what QEMU said */
	size_t complaint_length;
	bool failed;         /* the guest said that the status is not the program's */
	int status;          /* of the program; -1 not known */
	bool gone;           /* the machine's process has ended */
	double stop_at;      /* kill the machine then */
	int interrupted;     /* by this signal */
	bool input_ended_told, output_hung_up, error_hung_up;
} relay;

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void tell_guest(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void tell_guest(const char *format, ...)
{
	char text[128];
	va_list arguments;
	va_start(arguments, format);
	size_t length = (size_t)vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (relay.commands_length + length > sizeof relay.commands)
		return; /* the guest has not listened for a very long time */
	memcpy(relay.commands + relay.commands_length, text, length);
	relay.commands_length += length;
}

static void send_commands(void)
{
	if (!relay.commands_length || relay.machine->control < 0)
		return;
	ssize_t count = write(relay.machine->control, relay.commands, relay.commands_length);
	if (count > 0) {
		relay.commands_length -= (size_t)count;
		memmove(relay.commands, relay.commands + count, relay.commands_length);
	}
}

static void take_line(const char *line)
{
	char *end;
	if (!strncmp(line, "exit ", 5)) {
		long status = strtol(line + 5, &end, 10);
		if (end != line + 5 && !*end && status >= 0 && status <= 255 && relay.status < 0) {
			relay.status = (int)status;
			relay.stop_at = now() + EXIT_GRACE;
		}
	} else if (!strcmp(line, "failed")) {
		relay.failed = true;
	} /* "drained" and what later guests may say need no answer */
}

static void receive_control(void)
{
	char bytes[1024];
	ssize_t count = read(relay.machine->control, bytes, sizeof bytes);
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
		close(relay.machine->control);
		relay.machine->control = -1;
	}
	for (ssize_t i = 0; i < count; i++) {
		if (bytes[i] == '\n') {
			relay.line[relay.line_length] = 0;
			take_line(relay.line);
			relay.line_length = 0;
		} else if (relay.line_length < sizeof relay.line - 1)
			relay.line[relay.line_length++] = bytes[i];
	}
}

/* -- flows */

static size_t safe_chunk(int descriptor)
{
	struct stat status;
	if (fstat(descriptor, &status) < 0)
		return 0;
	if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))
		return sizeof relay.output.buffer;
	return S_ISCHR(status.st_mode) ? 1024 : PIPE_BUF; /* what a ready terminal or pipe has room for */
}

static void close_flow_source(struct flow *flow)
{
	if (flow->from > 2)
		close(flow->from);
	flow->from = -1;
}

static void flow_read(struct flow *flow)
{
	ssize_t count = read(flow->from, flow->buffer, sizeof flow->buffer);
	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count <= 0) {
		close_flow_source(flow);
		return;
	}
	flow->total += (uint64_t)count;
	flow->start = 0;
	flow->end = (size_t)count;
}

/* What cannot be written is dropped, so that the other side is not held up: it is told of the hang-up. */
static void flow_write(struct flow *flow)
{
	size_t length = flow->end - flow->start;
	if (flow->to < 0) {
		flow->start = flow->end = 0;
		return;
	}
	ssize_t count = write(flow->to, flow->buffer + flow->start, length < flow->chunk ? length : flow->chunk);
	if (count >= 0)
		flow->start += (size_t)count;
	else if (errno != EAGAIN && errno != EINTR) {
		flow->to = -1;
		flow->start = flow->end = 0;
	}
}

static bool flow_empty(const struct flow *flow) { return flow->start == flow->end; }

/* -- the kernel's log and QEMU's complaints */

static void show_log(const char *bytes, size_t length)
{
	static char shown[8192];
	size_t count = 0;
	for (size_t i = 0; i < length && count < sizeof shown - 2; i++) {
		if (bytes[i] == '\r')
			continue;
		if (bytes[i] == '\n' && relay.stdio[2] == 't')
			shown[count++] = '\r';
		shown[count++] = bytes[i];
	}
	if (write(2, shown, count) < 0)
		return; /* nobody reads it */
}

static void receive_log(void)
{
	char bytes[4096];
	ssize_t count = read(relay.machine->log, bytes, sizeof bytes);
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
		close(relay.machine->log);
		relay.machine->log = -1;
	}
	if (count <= 0)
		return;
	if (relay.options->verbose)
		show_log(bytes, (size_t)count);
	size_t keep = LOG_KEPT - (size_t)count;
	if (relay.log_length > keep) {
		memmove(relay.log, relay.log + relay.log_length - keep, keep);
		relay.log_length = keep;
	}
	memcpy(relay.log + relay.log_length, bytes, (size_t)count);
	relay.log_length += (size_t)count;
}

static void receive_complaint(void)
{
	char bytes[1024];
	ssize_t count = read(relay.machine->complaint, bytes, sizeof bytes);
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
		close(relay.machine->complaint);
		relay.machine->complaint = -1;
	}
	if (count > 0 && relay.options->verbose)
		show_log(bytes, (size_t)count);
	for (ssize_t i = 0; i < count && relay.complaint_length < sizeof relay.complaint - 1; i++)
		relay.complaint[relay.complaint_length++] = bytes[i];
}

/* A line on standard error, and the last lines of the kernel's log when it has not been shown already. The terminal is as it was before. */
static void tell_with_log(const char *text)
{
	machine_stop();
	terminal_restore();
	fprintf(stderr, "carillon: %s", text);
	relay.complaint[relay.complaint_length] = 0;
	relay.complaint[strcspn(relay.complaint, "\n")] = 0;
	if (strstr(relay.complaint, "ROM regions are overlapping")) /* what QEMU calls its loads */
		fprintf(stderr, ": %u MiB of memory are too little for the kernel and the files", relay.options->memory);
	else if (relay.complaint_length)
		fprintf(stderr, " (%s)", relay.complaint);
	fputc('\n', stderr);
	if (!relay.options->verbose) {
		size_t start = relay.log_length;
		for (int lines = 0; start > 0 && lines <= REPORT_LINES; start--)
			if (relay.log[start - 1] == '\n' && start != relay.log_length && ++lines > REPORT_LINES)
				break;
		relay.stdio = "ppp";
		show_log(relay.log + start, relay.log_length - start);
	}
}

static _Noreturn void fail_with_log(const char *text)
{
	tell_with_log(text);
	exit(FAILURE);
}

/* -- signals */

static void take_signal(int number)
{
	unsigned short rows, columns;
	switch (number) {
	case SIGCHLD:
		if (waitpid(relay.machine->process, NULL, WNOHANG) == relay.machine->process) {
			relay.gone = true;
			machine_forget();
		}
		break;
	case SIGWINCH:
		if (terminal_window(&rows, &columns))
			tell_guest("window %u %u\n", rows, columns);
		break;
	case SIGTSTP:
		terminal_restore();
		kill(relay.machine->process, SIGSTOP);
		raise(SIGSTOP);
		kill(relay.machine->process, SIGCONT);
		terminal_enter(relay.stdio);
		break;
	default: /* the guest ends the program by the same signal; the second one, or a deaf guest, ends the machine */
		if (relay.interrupted)
			relay.stop_at = 0.001;
		else {
			relay.interrupted = number;
			tell_guest("interrupt %d\n", number);
			if (relay.status < 0)
				relay.stop_at = now() + INTERRUPT_GRACE;
		}
	}
}

static int open_signals(void)
{
	static const int taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD, SIGWINCH, SIGTSTP };
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
		struct sigaction old;
		if (sigaction(taken[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN && taken[i] != SIGCHLD)
			continue; /* as nohup and background jobs have it */
		sigaddset(&set, taken[i]);
	}
	signal(SIGCHLD, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* -- the loop */

static struct pollfd *watch(struct pollfd *list, int *count, int descriptor, short events)
{
	if (descriptor < 0)
		return NULL;
	list[*count] = (struct pollfd){ descriptor, events, 0 };
	return &list[(*count)++];
}
static bool ready(const struct pollfd *item, short events) { return item && (item->revents & (events | POLLERR | POLLHUP | POLLNVAL)); }

/* A reader that has gone is told at once, so that a program that writes for ever ends. */
static void check_hang_up(struct flow *flow, const struct pollfd *item, bool *told, const char *name)
{
	if (item && (item->revents & (POLLERR | POLLNVAL)))
		flow->to = -1;
	if (flow->to < 0 && !*told) {
		tell_guest("hangup %s\n", name);
		*told = true;
	}
}

/* One round. */
static void relay_step(int signals, double until)
{
	struct pollfd list[12];
	int count = 0;
	struct machine *machine = relay.machine;
	struct pollfd *signal_item = watch(list, &count, signals, POLLIN);
	struct pollfd *control = watch(list, &count, machine->control, (short)(POLLIN | (relay.commands_length ? POLLOUT : 0)));
	struct pollfd *log = watch(list, &count, machine->log, POLLIN);
	struct pollfd *complaint = watch(list, &count, machine->complaint, POLLIN);
	/* each flow waits for its source when it is empty, for its target when not */
	struct flow *input = &relay.input, *output = &relay.output, *error = &relay.error;
	struct pollfd *input_from = flow_empty(input) ? watch(list, &count, input->from, POLLIN) : NULL;
	struct pollfd *input_to = flow_empty(input) ? NULL : watch(list, &count, input->to, POLLOUT);
	struct pollfd *output_from = flow_empty(output) ? watch(list, &count, output->from, POLLIN) : NULL;
	struct pollfd *output_to = watch(list, &count, output->to, flow_empty(output) ? 0 : POLLOUT);
	struct pollfd *error_from = flow_empty(error) ? watch(list, &count, error->from, POLLIN) : NULL;
	struct pollfd *error_to = watch(list, &count, error->to, flow_empty(error) ? 0 : POLLOUT);

	double wait = until - now();
	int milliseconds = until <= 0 ? -1 : wait <= 0 ? 0 : wait > 1e6 ? 1000000000 : (int)(wait * 1000) + 1;
	if (poll(list, (nfds_t)count, milliseconds) < 0) {
		if (errno != EINTR)
			fail("poll: %s", strerror(errno));
		return;
	}
	struct signalfd_siginfo information;
	if (ready(signal_item, POLLIN) && read(signals, &information, sizeof information) == (ssize_t)sizeof information)
		take_signal((int)information.ssi_signo);
	if (control && (control->revents & POLLOUT))
		send_commands();
	if (ready(log, POLLIN))
		receive_log();
	if (ready(complaint, POLLIN))
		receive_complaint();
	check_hang_up(output, output_to, &relay.output_hung_up, "output");
	check_hang_up(error, error_to, &relay.error_hung_up, "error");
	if (ready(input_from, POLLIN))
		flow_read(input);
	if (ready(input_to, POLLOUT) || (!flow_empty(input) && input->to < 0))
		flow_write(input);
	if (ready(output_from, POLLIN))
		flow_read(output);
	if (!flow_empty(output) && (output->to < 0 || ready(output_to, POLLOUT)))
		flow_write(output);
	if (ready(error_from, POLLIN))
		flow_read(error);
	if (!flow_empty(error) && (error->to < 0 || ready(error_to, POLLOUT)))
		flow_write(error);
	/* the status comes after the output, so output that is there by now was sent before it */
	if (ready(control, POLLIN))
		receive_control();
	if (input->from < 0 && flow_empty(input) && !relay.input_ended_told) {
		tell_guest("end-of-input %llu\n", (unsigned long long)input->total);
		relay.input_ended_told = true;
	}
}

int relay_run(struct machine *machine, const struct options *options, const char *stdio)
{
	unsigned short rows, columns;
	double time_limit = options->timeout > 0 ? now() + options->timeout : 0;
	relay = (struct relay){ .machine = machine, .options = options, .stdio = stdio, .status = -1 };
	relay.input = (struct flow){ .from = 0, .to = machine->input, .chunk = sizeof relay.input.buffer };
	relay.output = (struct flow){ .from = machine->output, .to = 1, .chunk = safe_chunk(1) };
	relay.error = (struct flow){ .from = machine->error, .to = 2, .chunk = safe_chunk(2) };
	if (!relay.output.chunk)
		relay.output.to = -1; /* it was closed */
	if (!relay.error.chunk)
		relay.error.to = -1;
	int signals = open_signals();
	if (signals < 0)
		fail("signalfd: %s", strerror(errno));
	terminal_enter(stdio); /* not before: until here a signal just ends the process */
	take_signal(SIGCHLD); /* it may have ended before we listened */
	if (strchr(stdio, 't') && terminal_window(&rows, &columns))
		tell_guest("window %u %u\n", rows, columns);

	/* Once the machine has gone its sockets still hold what it sent: each flow ends by itself. */
	while (!relay.gone || relay.output.from >= 0 || relay.error.from >= 0 || machine->control >= 0 || machine->log >= 0 ||
		!flow_empty(&relay.output) || !flow_empty(&relay.error)) {
		double until = relay.gone ? 0 : relay.stop_at;
		if (time_limit && (!until || time_limit < until))
			until = time_limit;
		relay_step(signals, until);
		if (time_limit && now() >= time_limit)
			fail("time limit of %g seconds exceeded", options->timeout);
		if (relay.stop_at && now() >= relay.stop_at && !relay.gone) {
			machine_stop();
			relay.gone = true;
			relay.stop_at = 0;
		}
	}
	if (relay.status >= 0 && relay.failed)
		fail_with_log("a server died that nothing goes on without");
	if (relay.status >= 0)
		return relay.status;
	if (relay.interrupted)
		return 128 + relay.interrupted;
	if (options->restarts) {
		tell_with_log("the system has died; it starts anew");
		close(signals);
		return RELAY_RESTART;
	}
	fail_with_log("the machine stopped without telling a status");
}
