/* Who is who in a trace: see ktrace.h. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include "abi/types.h"
#include "linux/call_names.h"
#include "tools/ktrace/ktrace.h"
#include "trace/calls.h"
#include "trace/errors.h"

struct process { uint64_t badge; char name[TRACE_NAME + 1]; };

static struct table threads, processes, ports, calls, channels;
static unsigned last_call, machine; /* the kind of processor: Linux's calls have other numbers on each */

struct thread *thread_of(uint32_t number)
{
	void **place = table_at(&threads, number);
	if (!*place) {
		struct thread *thread = *place = allocate(sizeof *thread);
		thread->number = number;
	}
	return *place;
}

struct port *port_of(uint64_t identity)
{
	void **place = table_at(&ports, identity);
	if (!*place) {
		struct port *port = *place = allocate(sizeof *port);
		port->number = (unsigned)ports.count;
	}
	return *place;
}

struct call *call_of(uint64_t identity)
{
	return table_get(&calls, identity);
}

unsigned channel_number(uint64_t identity)
{
	void **place = table_at(&channels, identity);
	if (!*place)
		*place = (void *)(uintptr_t)channels.count;
	return (unsigned)(uintptr_t)*place;
}

static char *buffer_next(void)
{
	static char buffers[4][64];
	static unsigned at;
	return buffers[at++ % 4];
}

const char *process_label(uint64_t identity)
{
	const struct process *process = table_get(&processes, identity);
	char *text = buffer_next();
	if (!process)
		return identity ? "?" : "kernel";
	const char *name = process->name[0] ? process->name : "?";
	if ((uint32_t)process->badge)
		snprintf(text, sizeof(char[64]), "%s/%u", name, (uint32_t)process->badge);
	else
		snprintf(text, sizeof(char[64]), "%s", name);
	return text;
}

const char *thread_label(uint32_t number)
{
	const struct thread *thread = table_get(&threads, number);
	char *text = buffer_next();
	if (!number)
		return "kernel";
	if (thread && thread->process)
		snprintf(text, sizeof(char[64]), "%s:%u", process_label(thread->process), number);
	else
		snprintf(text, sizeof(char[64]), "thread:%u", number);
	return text;
}

static void process_learn(const struct trace_record *record)
{
	void **place = table_at(&processes, record->word[0]);
	struct process *process = *place ? *place : allocate(sizeof *process);
	*place = process;
	process->badge = record->word[1];
	memcpy(process->name, &record->word[2], TRACE_NAME);
}

static void send_learn(const struct trace_record *record)
{
	void **place = table_at(&calls, record->word[0]);
	struct call *call = *place ? *place : allocate(sizeof *call);
	*place = call;
	*call = (struct call){ ++last_call, record->thread, record->time, port_of(record->word[1]), record->word[4] };
}

void names_learn(const struct trace_record *record)
{
	struct thread *thread = record->thread ? thread_of(record->thread) : NULL;
	switch (record->event) {
	case TRACE_FILE:
		machine = (unsigned)record->word[1];
		break;
	case TRACE_THREAD:
		thread_of((uint32_t)record->word[0])->process = record->word[1];
		break;
	case TRACE_SWITCH:
		if (record->word[0])
			thread_of((uint32_t)record->word[0])->process = record->word[1];
		break;
	case TRACE_PROCESS:
		process_learn(record);
		break;
	case TRACE_SEND:
		send_learn(record);
		break;
	case TRACE_RECEIVE:
	case TRACE_NOTIFY: {
		uint64_t port = record->event == TRACE_RECEIVE ? record->word[1] : record->word[0];
		if (thread && thread->process)
			snprintf(port_of(port)->server, sizeof port_of(port)->server, "%s", process_label(thread->process));
		break;
	}
	default:
		break;
	}
}

static void forget(struct table *table)
{
	for (size_t i = 0; i < table->capacity; i++)
		free(table->entry[i].value);
	free(table->entry);
	*table = (struct table){ 0 };
}

void names_restart(void)
{
	forget(&threads);
	forget(&processes);
	forget(&calls);
	last_call = 0;
}

const char *call_name(bool of_linux, uint16_t number)
{
	const char *name = NULL;
	if (of_linux && machine == EM_RISCV && number < sizeof linux_call_names_generic / sizeof *linux_call_names_generic)
		name = linux_call_names_generic[number];
	if (of_linux && machine != EM_RISCV && number < sizeof linux_call_names / sizeof *linux_call_names)
		name = linux_call_names[number];
	if (!of_linux && number < sizeof trace_calls / sizeof *trace_calls)
		name = trace_calls[number].name;
	if (name)
		return name;
	char *text = buffer_next();
	snprintf(text, sizeof(char[64]), "call_%u", number);
	return text;
}

const char *result_text(int64_t result)
{
	char *text = buffer_next();
	if (result < 0 && result > -(int64_t)(sizeof error_names / sizeof *error_names) && error_names[-result])
		snprintf(text, sizeof(char[64]), "-%s", error_names[-result]);
	else if (result >= HANDLE_HIGH && result < HANDLE_HIGH + (int64_t)HANDLE_RANGE_MAX)
		snprintf(text, sizeof(char[64]), "high+%lld", (long long)result - HANDLE_HIGH);
	else if (result > 99999999 || result < -99999999)
		snprintf(text, sizeof(char[64]), "%#llx", (unsigned long long)result);
	else
		snprintf(text, sizeof(char[64]), "%lld", (long long)result);
	return text;
}
