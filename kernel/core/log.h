/* The kernel log (serial port and a ring in memory), panics, assertions. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H
#include "kernel/core/types.h"
/* %d %u %x %p %s %c with l, ll, z, width and 0-padding; adds a newline if missing. Any context. */
void log_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for chatter: always in the ring, on the serial port only when the command line has the word `verbose`. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool log_verbose;
extern bool log_alone; /* a panic: the lock is not taken any more */
/* Copies the newest bytes of the ring, oldest first; returns how many. */
size_t log_read(char *buffer, size_t size);
void log_write_text(const char *text, size_t length); /* a line as it is */
/* Prints message, registers if given, a symbolic backtrace, the current thread and held locks; stops the machine with status. */
noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct arch_frame;
noreturn void panic_at(const struct arch_frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define PANIC_STATUS 126u /* of arch_power */
extern bool panic_restarts; /* "restart" on the command line: a panic starts the machine again instead of switching it off */
#define assert(condition) ((condition) ? (void)0 : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))
/* Writes "name+offset" of a kernel address into buffer; used by backtraces. */
void symbol_describe(uint64_t address, char *buffer, size_t size);
void backtrace_print(uint64_t frame_pointer, uint64_t instruction);
int format_string(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
void *memcpy(void *, const void *, size_t);
void *memmove(void *, const void *, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);
#endif
