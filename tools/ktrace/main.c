/* ktrace [--summary] FILE: see README. FILE - is standard input. */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "tools/ktrace/ktrace.h"

void fail(const char *format, ...)
{
	va_list arguments;
	fflush(stdout);
	fputs("ktrace: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

void *allocate(size_t size)
{
	void *memory = calloc(1, size);
	if (!memory)
		fail("out of memory");
	return memory;
}

static size_t hash(const struct table *table, uint64_t key)
{
	return (key * 0x9e3779b97f4a7c15ull >> 20) & (table->capacity - 1);
}

static struct table_entry *find(const struct table *table, uint64_t key)
{
	size_t at = hash(table, key);
	while (table->entry[at].used && table->entry[at].key != key)
		at = (at + 1) & (table->capacity - 1);
	return &table->entry[at];
}

void *table_get(const struct table *table, uint64_t key)
{
	return table->capacity ? find(table, key)->value : NULL;
}

void **table_at(struct table *table, uint64_t key)
{
	if (table->count * 2 >= table->capacity) {
		struct table bigger = { .capacity = table->capacity ? table->capacity * 2 : 64, .count = table->count };
		bigger.entry = allocate(bigger.capacity * sizeof *bigger.entry);
		for (size_t i = 0; i < table->capacity; i++)
			if (table->entry[i].used)
				*find(&bigger, table->entry[i].key) = table->entry[i];
		free(table->entry);
		*table = bigger;
	}
	struct table_entry *entry = find(table, key);
	if (!entry->used) {
		*entry = (struct table_entry){ .key = key, .used = true };
		table->count++;
	}
	return &entry->value;
}

static struct trace_record *file_read(const char *name, size_t *count)
{
	FILE *file = strcmp(name, "-") ? fopen(name, "rb") : stdin;
	size_t room = 1 << 14;
	struct trace_record *records = allocate(room * sizeof *records);
	if (!file)
		fail("cannot read %s: %s", name, strerror(errno));
	*count = 0;
	for (size_t got; (got = fread(records + *count, sizeof *records, room - *count, file)) > 0;) {
		*count += got;
		if (*count < room)
			continue;
		room *= 2;
		records = realloc(records, room * sizeof *records);
		if (!records)
			fail("out of memory");
	}
	if (ferror(file))
		fail("cannot read %s: %s", name, strerror(errno));
	if (!*count || records[0].event != TRACE_FILE || records[0].word[0] != TRACE_MAGIC)
		fail("%s is not a trace that this program knows", name);
	return records;
}

int main(int argc, char **argv)
{
	bool summary = argc == 3 && !strcmp(argv[1], "--summary");
	size_t count;
	if (argc != 2 + summary || (argv[argc - 1][0] == '-' && argv[argc - 1][1])) {
		fputs("usage: ktrace [--summary] FILE\n", stderr);
		return 2;
	}
	struct trace_record *records = file_read(argv[argc - 1], &count);
	for (size_t i = 0; i < count; i++)
		names_learn(&records[i]);
	names_restart();
	for (size_t i = 0; i < count; i++) {
		names_learn(&records[i]);
		if (summary)
			summary_add(&records[i]);
		else
			event_tell(&records[i], stdout);
	}
	if (summary)
		summary_tell(stdout);
	if (fflush(stdout) || ferror(stdout))
		fail("cannot write: %s", strerror(errno));
	return 0;
}
