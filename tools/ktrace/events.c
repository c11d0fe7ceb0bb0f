/*
 * One line an event:   TIME PROCESSOR PROCESS:THREAD  what it did
 * The time is in nanoseconds since the machine started.
 */
#include <string.h>
#include "abi/memory.h"
#include "abi/message.h"
#include "abi/types.h"
#include "tools/ktrace/ktrace.h"
#include "trace/calls.h"

static void handle_tell(int32_t handle, FILE *out)
{
	static const char *const pseudo[] = { [1] = "none", [2] = "self.space", [3] = "self.process", [4] = "self.budget" };
	if (handle < 0 && handle >= -4)
		fputs(pseudo[-handle], out);
	else if (handle >= HANDLE_HIGH)
		fprintf(out, "high+%d", handle - HANDLE_HIGH);
	else
		fprintf(out, "%d", handle);
}

static void argument_tell(unsigned char kind, uint64_t value, FILE *out)
{
	switch (kind) {
	case TRACE_HANDLE:
		handle_tell((int32_t)value, out);
		break;
	case TRACE_SIGNED:
		fprintf(out, "%lld", (long long)value);
		break;
	case TRACE_UNSIGNED:
	case TRACE_SIZE:
		fprintf(out, value > 99999999 ? "%#llx" : "%llu", (unsigned long long)value);
		break;
	case TRACE_DEADLINE:
		if (value == DEADLINE_NEVER)
			fputs("never", out);
		else
			fprintf(out, "%llu", (unsigned long long)value);
		break;
	default:
		fprintf(out, "%#llx", (unsigned long long)value);
	}
}

static void call_tell(const struct trace_record *record, FILE *out)
{
	const struct trace_call *call = record->number < sizeof trace_calls / sizeof *trace_calls ? &trace_calls[record->number] : NULL;
	fprintf(out, "%s(", call_name(false, record->number));
	for (unsigned i = 0; call && i < call->count; i++) {
		fprintf(out, "%s%s=", i ? ", " : "", call->argument[i]);
		argument_tell(call->kind[i], record->word[i], out);
	}
	fputc(')', out);
}

/* What Linux's arguments are, --strace tells; here they are as the registers have them. */
static void linux_tell(const struct trace_record *record, FILE *out)
{
	fprintf(out, "linux %s(", call_name(true, record->number));
	for (unsigned i = 0; i < 6; i++)
		fprintf(out, record->word[i] > 9999 ? "%s%#llx" : "%s%llu", i ? ", " : "", (unsigned long long)record->word[i]);
	fputc(')', out);
}

static void return_tell(const struct trace_record *record, FILE *out)
{
	struct thread *thread = thread_of(record->thread);
	fprintf(out, "%s%s ", thread->call_linux ? "linux " : "", call_name(thread->call_linux, record->number));
	if (record->event == TRACE_REFLECT)
		fputs("goes to the library", out);
	else
		fprintf(out, "= %s", result_text((int64_t)record->word[0]));
	if (thread->call_time)
		fprintf(out, " after %llu ns", (unsigned long long)(record->time - thread->call_time));
	thread->call_time = 0;
}

static void port_tell(const struct port *port, FILE *out)
{
	fprintf(out, "port %u", port->number);
	if (port->server[0])
		fprintf(out, " of %s", port->server);
}

static void caller_tell(uint64_t identity, FILE *out)
{
	const struct call *call = call_of(identity);
	if (call)
		fprintf(out, "call %u of %s", call->number, thread_label(call->thread));
	else
		fputs("a call made before", out);
}

static void message_tell(const struct trace_record *record, FILE *out)
{
	const uint64_t *word = record->word;
	const struct call *call = call_of(word[0]);
	switch (record->event) {
	case TRACE_SEND:
		fprintf(out, "send call %u to ", call ? call->number : 0);
		port_tell(port_of(word[1]), out);
		fprintf(out, ": data %#llx, word %#llx, %llu bytes, %llu handles", (unsigned long long)word[2], (unsigned long long)word[3],
			(unsigned long long)word[4], (unsigned long long)word[5]);
		break;
	case TRACE_RECEIVE:
		fputs("receive ", out);
		caller_tell(word[0], out);
		fprintf(out, ": data %#llx, word %#llx", (unsigned long long)word[2], (unsigned long long)word[3]);
		break;
	case TRACE_REPLY:
		fputs("reply to ", out);
		caller_tell(word[0], out);
		fprintf(out, ": word %#llx, %llu bytes, %llu handles", (unsigned long long)word[2], (unsigned long long)word[3], (unsigned long long)word[4]);
		break;
	default:
		fprintf(out, "end of call %u = %s", call ? call->number : 0, result_text((int64_t)word[2]));
		if (call)
			fprintf(out, " after %llu ns", (unsigned long long)(record->time - call->time));
	}
}

static void notification_tell(const uint64_t *word, FILE *out)
{
	fputs("notification on ", out);
	port_tell(port_of(word[0]), out);
	fprintf(out, ": data %#llx, %s", (unsigned long long)word[1], word[2] == NOTIFY_CLOSE ? "a client has gone" : word[2] == NOTIFY_DEATH ? "death of" : "");
	if (word[2] == NOTIFY_DEATH)
		fprintf(out, " %#llx, status %#llx", (unsigned long long)word[3], (unsigned long long)word[4]);
}

static void fault_tell(const uint64_t *word, FILE *out)
{
	const char *access = word[1] & PROTECT_WRITE ? "write" : word[1] & PROTECT_EXECUTE ? "execute" : "read";
	fprintf(out, "fault: %s of %#llx", access, (unsigned long long)word[0]);
	if (word[2])
		fprintf(out, " by %#llx", (unsigned long long)word[2]);
	else
		fputs(" by the kernel's copy", out);
	if (word[3])
		fprintf(out, " = %s", result_text((int64_t)word[3]));
}

static void rest_tell(const struct trace_record *record, FILE *out)
{
	static const char *const why[] = { "preempted", "sleeps", "ends" };
	const uint64_t *word = record->word;
	switch (record->event) {
	case TRACE_SWITCH:
		fprintf(out, "switch to %s (%s)", thread_label((uint32_t)word[0]), word[2] < 3 ? why[word[2]] : "?");
		break;
	case TRACE_READY:
		fprintf(out, "wake %s", thread_label((uint32_t)word[0]));
		break;
	case TRACE_FAULT:
		fault_tell(word, out);
		break;
	case TRACE_NOTIFY:
		notification_tell(word, out);
		break;
	case TRACE_WRITE:
	case TRACE_READ:
		fprintf(out, "%s channel %u: %llu bytes, then %llu in it", record->event == TRACE_WRITE ? "write" : "read", channel_number(word[0]),
			(unsigned long long)word[1], (unsigned long long)word[2]);
		break;
	case TRACE_THREAD:
		fprintf(out, "new thread %s", thread_label((uint32_t)word[0]));
		break;
	case TRACE_PROCESS:
		fprintf(out, "process %s", process_label(word[0]));
		break;
	case TRACE_EXIT:
		fputs(word[1] ? "end of the process" : "end of the thread", out);
		break;
	case TRACE_LOST:
		fprintf(out, "%llu records are missing", (unsigned long long)word[0]);
		break;
	default:
		fprintf(out, "event %u", record->event);
	}
}

void event_tell(const struct trace_record *record, FILE *out)
{
	if (record->event == TRACE_FILE)
		return;
	fprintf(out, "%12llu %u %-20s ", (unsigned long long)record->time, record->processor, thread_label(record->thread));
	struct thread *thread = thread_of(record->thread);
	switch (record->event) {
	case TRACE_CALL:
	case TRACE_LINUX:
		thread->call_time = record->time;
		thread->call_linux = record->event == TRACE_LINUX;
		if (thread->call_linux)
			linux_tell(record, out);
		else
			call_tell(record, out);
		break;
	case TRACE_RETURN:
	case TRACE_REFLECT:
		return_tell(record, out);
		break;
	case TRACE_SEND: case TRACE_RECEIVE: case TRACE_REPLY: case TRACE_ANSWERED:
		message_tell(record, out);
		break;
	default:
		rest_tell(record, out);
	}
	fputc('\n', out);
}
