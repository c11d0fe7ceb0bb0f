/* Lines of calls, signals and exits; trace.h. */
#include "linux/calls.h"
#include "linux/process/process.h"
#include "linux/trace/argument.h"
#include "linux/trace/trace.h"
#include "machine.h"

#define RESULT_COLUMN 39 /* where " = " begins at the earliest */

static const struct trace_call calls[LINUX_CALL_COUNT] = {
#include "trace/linux_calls.h"
};

/* -- writing */

/* All of it, at once as far as the stream has room; an interrupt stays for the program. A stream that is gone loses the line. */
static void text_write(struct linux_thread *t, const char *text, size_t length)
{
	while (length) {
		int64_t written = description_write(t->process->record->trace_stream, text, length);
		if (written == -EINTR) {
			(void)thread_clear_interrupt();
			t->block.pending = 1;
		} else if (written <= 0) {
			return;
		} else {
			text += written;
			length -= (size_t)written;
		}
	}
}

static bool alone(const struct linux_thread *t)
{
	const volatile struct process_table_head *table = (const volatile struct process_table_head *)(uintptr_t)LIBRARY_PROCESS_TABLE;
	return t->process->thread_count < 2 && (!t->process->slot || table->living < 2);
}

static void line_begin(struct trace_line *line, const struct linux_thread *t, uint32_t id)
{
	line->length = 0;
	line->text[0] = 0;
	if (alone(t))
		return;
	line_text(line, "[pid ");
	line_unsigned(line, id);
	line_text(line, "] ");
}

static void line_end(struct trace_line *line, struct linux_thread *t)
{
	line_character(line, '\n');
	line->text[line->length - 1] = '\n'; /* also of a line that is full */
	text_write(t, line->text, line->length);
}

/* -- calls */

static const struct trace_call *call_of(const struct trace_line *line)
{
	static const struct trace_call unknown = { { FORMAT_HEX, FORMAT_HEX, FORMAT_HEX, FORMAT_HEX, FORMAT_HEX, FORMAT_HEX } };
	return line->number < LINUX_CALL_COUNT ? &calls[line->number] : &unknown;
}

/* clone's arguments are few or many, and have names as strace gives them */
static void clone_write(struct trace_line *line)
{
	const uint64_t *argument = line->argument, flags = argument[0];
	line_text(line, "child_stack=");
	line_address(line, argument[1]);
	line_text(line, ", flags=");
	(void)names_write(line, FORMAT_CLONE, flags);
	const struct { uint64_t flag, value; const char *name; } rest[] = {
		{ LINUX_CLONE_PARENT_SETTID, argument[2], ", parent_tid=" }, { LINUX_CLONE_SETTLS, argument[MACHINE_CLONE_TLS], ", tls=" },
		{ LINUX_CLONE_CHILD_SETTID | LINUX_CLONE_CHILD_CLEARTID, argument[MACHINE_CLONE_CHILD_TID], ", child_tidptr=" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rest); i++)
		if (flags & rest[i].flag) {
			line_text(line, rest[i].name);
			line_address(line, rest[i].value);
		}
	line->ended = true;
}

/* Arguments up to the first that only the call will fill */
static void arguments_write(struct trace_line *line, struct linux_thread *t)
{
	const struct trace_call *call = call_of(line);
	if (line->number == LINUX_CALL_CLONE && line->entering)
		clone_write(line);
	for (; !line->ended && line->next < 6 && call->kind[line->next]; line->next++) {
		bool command = TRACE_FORMAT(call->kind[line->next]) == FORMAT_COMMAND;
		if (line->entering && ((call->kind[line->next] & TRACE_INOUT) == TRACE_OUT || command))
			return;
		if (!argument_write(line, t, call, line->next))
			line->ended = true;
	}
}

static void call_begin(struct trace_line *line, struct linux_thread *t, const uint64_t argument[6])
{
	memcpy(line->argument, argument, sizeof line->argument);
	line->number = t->call;
	line->next = 0;
	line->ended = false;
	line->entering = true;
	line->result = 0;
	line_begin(line, t, t->id);
	const char *name = call_name(line->number);
	if (name && strcmp(name, "unknown")) {
		line_text(line, name);
	} else {
		line_text(line, "syscall_");
		line_hex(line, line->number);
	}
	line_character(line, '(');
	socket_prepare(line, t, call_of(line));
	arguments_write(line, t);
	if (line->number == LINUX_CALL_RT_SIGRETURN) /* the mask goes back to what the frame holds */
		line_text(line, "{mask=");
}

static void result_begin(struct trace_line *line)
{
	line_character(line, ')');
	while (line->length < RESULT_COLUMN)
		line_character(line, ' ');
	line_text(line, " = ");
}

/* What a call changed in an argument that it also read: poll's and select's */
static void changed_write(struct trace_line *line, struct linux_thread *t)
{
	const struct trace_call *call = call_of(line);
	bool any = false;
	if (line->result <= 0) {
		bool waits = line->number == LINUX_CALL_POLL || line->number == LINUX_CALL_PPOLL || line->number == LINUX_CALL_SELECT ||
			line->number == LINUX_CALL_PSELECT6;
		line_text(line, !line->result && waits ? " (Timeout)" : "");
		return;
	}
	for (unsigned i = 0; i < 6; i++) {
		enum trace_format format = TRACE_FORMAT(call->kind[i]);
		if ((call->kind[i] & TRACE_INOUT) != TRACE_INOUT || !line->argument[i] || (format != FORMAT_POLLFD && format != FORMAT_FDSET))
			continue;
		line_text(line, any ? ", " : " (");
		if (format == FORMAT_FDSET)
			line_text(line, i == 1 ? "in " : i == 2 ? "out " : "exc ");
		structure_write(line, t, format, line->argument[i], i < 5 ? line->argument[i + 1] : 0);
		any = true;
	}
	unsigned timeout = line->number == LINUX_CALL_SELECT || line->number == LINUX_CALL_PSELECT6 ? 4 : line->number == LINUX_CALL_PPOLL ? 2 : 0;
	if (timeout && line->argument[timeout]) { /* Linux counts it down */
		line_text(line, any ? ", left " : " (left ");
		structure_write(line, t, TRACE_FORMAT(call->kind[timeout]), line->argument[timeout], 0);
		any = true;
	}
	line_text(line, any ? ")" : "");
}

static void result_write(struct trace_line *line, struct linux_thread *t, uint32_t restart)
{
	int64_t result = line->result;
	if (line->number == LINUX_CALL_NANOSLEEP || line->number == LINUX_CALL_CLOCK_NANOSLEEP)
		restart = restart ? 0xffff : 0;
	if (result == -(int64_t)LINUX_RESTART || result == -(int64_t)LINUX_RESTART_ALWAYS || result == -(int64_t)LINUX_RESTART_NO_HANDLER) {
		restart = (uint32_t)-result;
		result = -EINTR;
	}
	if (result == -EINTR && restart) {
		line_text(line, restart == LINUX_RESTART ? "? ERESTARTSYS (To be restarted if SA_RESTART is set)" :
			restart == LINUX_RESTART_ALWAYS ? "? ERESTARTNOINTR (To be restarted)" :
			restart == LINUX_RESTART_NO_HANDLER ? "? ERESTARTNOHAND (To be restarted if no handler)" : "? ERESTART_RESTARTBLOCK (Interrupted by signal)");
		return;
	}
	if (result < 0 && result >= -4095) {
		line_text(line, "-1 ");
		names_error(line, (int)-result);
		return;
	}
	switch (line->number) {
	case LINUX_CALL_MMAP:
	case LINUX_CALL_BRK:
	case LINUX_CALL_MREMAP: line_hex(line, (uint64_t)result); break;
	case LINUX_CALL_UMASK: line_octal(line, (uint64_t)result); break;
	case LINUX_CALL_FCNTL:
		if ((uint32_t)line->argument[1] == 3) { /* F_GETFL */
			line_hex(line, (uint64_t)result);
			line_text(line, " (flags ");
			names_open(line, (uint64_t)result);
			line_character(line, ')');
		} else if ((uint32_t)line->argument[1] == 1 && result == 1) {
			line_text(line, "0x1 (flags FD_CLOEXEC)");
		} else {
			line_decimal(line, result);
		}
		break;
	default: line_decimal(line, result); break;
	}
	changed_write(line, t);
}

static void call_end(struct trace_line *line, struct linux_thread *t, int64_t result, uint32_t restart)
{
	line->entering = false;
	line->result = result == -(int64_t)LINUX_FRAME_LOADED ? (int64_t)*machine_result(&t->block.registers) : result;
	if (line->number == LINUX_CALL_RT_SIGRETURN) {
		structure_sigset(line, t->mask);
		line_character(line, '}');
	}
	arguments_write(line, t);
	result_begin(line);
	result_write(line, t, restart);
	line_end(line, t);
}

int64_t trace_call(struct linux_thread *t, const uint64_t argument[6], linux_call function, uint32_t restart)
{
	struct trace_line line;
	call_begin(&line, t, argument);
	if (line.number == LINUX_CALL_EXIT || line.number == LINUX_CALL_EXIT_GROUP) {
		result_begin(&line);
		line_character(&line, '?');
		line_end(&line, t);
		return function(t, argument);
	}
	t->trace_line = &line;
	int64_t result = function(t, argument);
	t->trace_line = NULL;
	call_end(&line, t, result, restart);
	return result;
}

void trace_started(struct linux_thread *t, const char *path, uint64_t stack)
{
	struct trace_line line;
	uint64_t count = 0;
	(void)user_read(t, &count, stack, sizeof count);
	const uint64_t argument[6] = { (uint64_t)(uintptr_t)path, stack + 8, stack + 16 + 8 * count };
	t->call = LINUX_CALL_EXECVE;
	call_begin(&line, t, argument);
	call_end(&line, t, 0, 0);
}

void trace_executed(struct linux_thread *t)
{
	struct trace_line *line = t->trace_line;
	if (line)
		call_end(line, t, 0, 0);
}

/* -- signals and ends */

void trace_signal(struct linux_thread *t, const struct linux_siginfo *info)
{
	struct trace_line line;
	line_begin(&line, t, t->id);
	line_text(&line, "--- ");
	names_signal(&line, info->signal, true);
	line_character(&line, ' ');
	structure_siginfo(&line, info);
	line_text(&line, " ---");
	line_end(&line, t);
}

static void end_write(struct linux_thread *t, uint32_t id, uint32_t status)
{
	struct trace_line line;
	line_begin(&line, t, id);
	if (status & 0x7f) {
		line_text(&line, "+++ killed by ");
		names_signal(&line, (int)(status & 0x7f), true);
	} else {
		line_text(&line, "+++ exited with ");
		line_unsigned(&line, status >> 8 & 0xff);
	}
	line_text(&line, " +++");
	line_end(&line, t);
}

void trace_thread_end(struct linux_thread *t, uint32_t status)
{
	end_write(t, t->id, status);
}

void trace_process_end(struct linux_thread *t, uint32_t status)
{
	uint32_t others[16], count = 0;
	lock_take(&t->process->lock);
	for (struct linux_thread *other = t->process->threads; other && count < ARRAY_SIZE(others); other = other->next)
		if (other != t)
			others[count++] = other->id;
	lock_release(&t->process->lock);
	while (count)
		end_write(t, others[--count], status);
	end_write(t, t->id, status);
}
