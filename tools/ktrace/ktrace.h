/*
 * The reader of kernel traces. The whole file is read into memory and gone through twice: first for which process serves which port, then to tell.
 * Names come from the records themselves and from the generated tables of calls and errors; nothing else of the system is needed.
 */
#ifndef TOOLS_KTRACE_H
#define TOOLS_KTRACE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "abi/trace.h"

_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *allocate(size_t size);

/* A table from a word to a pointer's worth of data; *found is valid until the next call. */
struct table { struct table_entry { uint64_t key; void *value; bool used; } *entry; size_t capacity, count; };
void **table_at(struct table *table, uint64_t key); /* made with value NULL if it is not there */
void *table_get(const struct table *table, uint64_t key);

/* --- names.c: what the records up to now say of threads, processes, ports and calls --- */
struct port { unsigned number; char server[40]; };  /* server: "" while nobody has received there */
struct call { unsigned number; uint32_t thread; uint64_t time; struct port *port; uint64_t bytes; };
struct thread {
	uint32_t number;
	uint64_t process;                  /* 0: not known */
	uint64_t call_time;                /* of the system call it is in; 0: none */
	bool call_linux;
	uint16_t call_number;
};
/* Takes a record in. Call it for each, before it is told. */
void names_learn(const struct trace_record *record);
/* What was learned goes, but for who serves a port: for the second pass. */
void names_restart(void);
struct thread *thread_of(uint32_t number);
/* "name/pid:thread"; for servers, which have no pid, "name:thread". The buffers last for four calls. */
const char *thread_label(uint32_t number);
const char *process_label(uint64_t process); /* the same without the thread */
struct port *port_of(uint64_t identity);
/* The call in progress behind a record's word, or NULL. */
struct call *call_of(uint64_t identity);
unsigned channel_number(uint64_t identity);
const char *call_name(bool of_linux, uint16_t number);
const char *result_text(int64_t result);

void event_tell(const struct trace_record *record, FILE *out);
void summary_add(const struct trace_record *record);
void summary_tell(FILE *out);
#endif
