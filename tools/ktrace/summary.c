/* The sums of a trace: system calls of each process by count and time, who called whom on ports, faults and switches. */
#include <stdlib.h>
#include <string.h>
#include "tools/ktrace/ktrace.h"

/* One sum. What it is of is its text; the same text is the same sum. */
struct sum { char text[100]; uint64_t count, time, bytes; };
struct sums { struct table table; struct sum **list; size_t count; };
static struct sums calls, messages, faults, switches;
static uint64_t first_time, last_time, records, lost;

static struct sum *sum_of(struct sums *sums, const char *text)
{
	uint64_t key = 14695981039346656037ull; /* FNV-1a */
	for (const char *c = text; *c; c++)
		key = (key ^ (unsigned char)*c) * 1099511628211ull;
	void **place = table_at(&sums->table, key);
	if (!*place) {
		struct sum *sum = *place = allocate(sizeof *sum);
		snprintf(sum->text, sizeof sum->text, "%s", text);
		sums->list = realloc(sums->list, (sums->count + 1) * sizeof *sums->list);
		if (!sums->list)
			fail("out of memory");
		sums->list[sums->count++] = sum;
	}
	return *place;
}

static void add(struct sums *sums, const char *text, uint64_t time, uint64_t bytes)
{
	struct sum *sum = sum_of(sums, text);
	sum->count++;
	sum->time += time;
	sum->bytes += bytes;
}

void summary_add(const struct trace_record *record)
{
	struct thread *thread = thread_of(record->thread);
	const char *process = process_label(thread->process);
	struct call *call = call_of(record->word[0]);
	char text[100];
	if (record->event == TRACE_FILE)
		return;
	records++;
	if (record->time) {
		first_time = first_time ? first_time : record->time;
		last_time = record->time;
	}
	switch (record->event) {
	case TRACE_CALL: case TRACE_LINUX:
		thread->call_time = record->time;
		thread->call_linux = record->event == TRACE_LINUX;
		break;
	case TRACE_RETURN: case TRACE_REFLECT:
		snprintf(text, sizeof text, "%-20s %s%s%s", process, thread->call_linux ? "linux " : "", call_name(thread->call_linux, record->number),
			record->event == TRACE_REFLECT ? " (to the library)" : "");
		add(&calls, text, thread->call_time ? record->time - thread->call_time : 0, 0);
		thread->call_time = 0;
		break;
	case TRACE_ANSWERED:
		if (!call)
			break;
		snprintf(text, sizeof text, "%-20s -> %s", process, call->port->server[0] ? call->port->server : "(nobody)");
		add(&messages, text, record->time - call->time, call->bytes);
		break;
	case TRACE_FAULT:
		add(&faults, process, 0, 0);
		break;
	case TRACE_SWITCH:
		add(&switches, process_label(record->word[1]), 0, 0);
		break;
	case TRACE_LOST:
		lost += record->word[0];
		records--;
		break;
	default:
		break;
	}
}

static int larger_first(const void *a, const void *b)
{
	const struct sum *x = *(struct sum *const *)a, *y = *(struct sum *const *)b;
	uint64_t left = x->time ? x->time : x->count, right = y->time ? y->time : y->count;
	return left == right ? strcmp(x->text, y->text) : left < right ? 1 : -1;
}

static void list_tell(const char *heading, struct sums *sums, bool timed, FILE *out)
{
	if (!sums->count)
		return;
	qsort(sums->list, sums->count, sizeof *sums->list, larger_first);
	fprintf(out, "\n%s\n", heading);
	for (size_t i = 0; i < sums->count; i++) {
		const struct sum *sum = sums->list[i];
		if (timed)
			fprintf(out, "%9llu %14llu %10llu  %s\n", (unsigned long long)sum->count, (unsigned long long)sum->time,
				(unsigned long long)(sum->time / sum->count), sum->text);
		else
			fprintf(out, "%9llu  %s\n", (unsigned long long)sum->count, sum->text);
	}
}

void summary_tell(FILE *out)
{
	fprintf(out, "%llu records in %llu ns", (unsigned long long)records, (unsigned long long)(last_time - first_time));
	if (lost)
		fprintf(out, ", %llu more are missing", (unsigned long long)lost);
	fputc('\n', out);
	list_tell("system calls, with the time until they returned:\n    count             ns    ns each  who         what", &calls, true, out);
	list_tell("calls on ports, with the time until they were answered:\n    count             ns    ns each  who  -> server", &messages, true, out);
	list_tell("page faults:", &faults, false, out);
	list_tell("switches to:", &switches, false, out);
}
