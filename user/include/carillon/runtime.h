/*
 * What every native program has at hand besides libc: its process record, the kernel log, and a way to give up loudly.
 * Implemented in user/start; usable from the first line of main().
 */
#ifndef CARILLON_RUNTIME_H
#define CARILLON_RUNTIME_H
#include <stdarg.h>
#include <stdint.h>
#include <stddef.h>
#include "abi/types.h"
#include "carillon/record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The record the program was started with; never NULL, writable, private to the process. */
struct process_record *process_record(void);

/* The handle of that name in record->name[], HANDLE_NONE when there is none. The caller does not own a fresh reference: it is the one handle. */
handle_t record_handle(const char *name);
/* Like record_handle, but ends the program with a log line when it is missing. */
handle_t record_handle_required(const char *name);
/* The value stored under that name, or fallback. */
uint64_t record_value(const char *name, uint64_t fallback);

/* A line in the kernel log: "NAME: text". At most 240 bytes, no newline needed. Never fails, never allocates. */
void server_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, only when the system was started with "verbose" (record value "verbose"). */
void server_log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Logs and ends the program with status 1 << 8. */
_Noreturn void server_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* From now on libc may have at most so many bytes more of the kernel, then malloc fails; 0: no limit. Without the Linux library. */
void server_memory_limit(uint64_t more);

/* Formats like vsnprintf with %s %c %d %i %u %x %X %p %% and the modifiers l ll z h, width, zero, minus, # (of x) and precision; no floating point. Small: needs no libc. */
int format_text(char *buffer, size_t size, const char *format, va_list arguments);

#ifdef __cplusplus
}
#endif
#endif
